"""Words that say nothing about what is looked for, in English and Dutch."""

import re

ENGLISH = frozenset(
    """a about above after again against all am an and any are aren as at be because been before being below between
    both but by can cannot could couldn did didn do does doesn doing don down during each few for from further had
    hasn has have haven having he her here hers him his how i if in into is isn it its itself just let me more most
    my no nor not of off on once only or other our out over own same she should so some such than that the their them
    then there these they this those through to too under until up very was we were what when where which while who
    whom why will with would you your""".split()
)
DUTCH = frozenset(
    """aan al alle alleen alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens
    en er ge geen geweest haar had heb hebben heeft hem het hier hij hoe hun ik iemand iets in is ja je kan kon kunnen
    maar mag me meer men met mij mijn moet na naar niets niet nog nu of om omdat ons onder ook op over reeds te tegen
    toch toen tot u uit uw van veel voor waarom wanneer want waren was wat welke werd wezen wie wil worden wordt zal
    ze zelf zich zij zijn zo zonder zou""".split()
)
STOPWORDS = ENGLISH | DUTCH
# An error text can be long; what stands further on in it adds time, not meaning.
MOST_WORDS = 200


def words(text: str) -> list[str]:
    """The words of *text* in lower case, each once, in order."""
    return list(dict.fromkeys(re.findall(r"\w+", text.lower())))


def telling(text: str) -> list[str]:
    """The words of *text* without stopwords; all of them where nothing else is left."""
    every = words(text)
    return [word for word in every if word not in STOPWORDS] or every


def neighbours(text: str) -> list[tuple[str, ...]]:
    """The words of *text* three by three as they stand, small ones too, where at least one of them is telling."""
    every = re.findall(r"\w+", text.lower())[:MOST_WORDS]
    threes = zip(every, every[1:], every[2:], strict=False)
    return list(dict.fromkeys(three for three in threes if not STOPWORDS.issuperset(three)))


def looks_dutch(text: str) -> bool:
    """Whether *text* has more of Dutch's small words than of English's."""
    found = set(words(text))
    return len(found & DUTCH - ENGLISH) > len(found & ENGLISH - DUTCH)
