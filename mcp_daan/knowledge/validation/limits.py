"""Cloudflare's limits as documents state them, held against today's."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mcp_daan.knowledge.validation.findings import Finding, finding
from mcp_daan.knowledge.validation.mending import Mend
from mcp_daan.knowledge.validation.passages import Block, Document
from mcp_daan.knowledge.validation.quantities import Quantity, quantities
from mcp_daan.knowledge.validation.sentences import sentences
from mcp_daan.limits import AS_OF, LIMITS, Limit, Product
from mcp_daan.protocol import Component


@dataclass(frozen=True)
class Topic(Limit):
    """A limit, and how people name it; `weak` names it only where the clause names no other limit."""

    topic: re.Pattern[str]
    weak: re.Pattern[str] | None = None

    @property
    def component(self) -> Component:
        """KV belongs to the Workers' room."""
        return "d1" if self.product == "d1" else "workers"


def _topic(key: str, topic: str, weak: str | None = None) -> Topic:
    pattern = re.compile(weak, re.I) if weak else None
    return Topic(**vars(LIMITS[key]), topic=re.compile(topic, re.I | re.X), weak=pattern)


_SIZE = r"(?:sizes?|groottes?|omvang|limit|limiet|max\w*)"
# Wording of people and of the vendor's pages.
TOPICS = (
    _topic(
        "worker_size",
        rf"\b(?:worker|script|bund(?:le|el)|code)s?['’]?s?[ -]*{_SIZE}\b"
        rf"|\b{_SIZE}\b[ ](?:of|van|voor|for)[ ](?:(?:a|an|the|een|de|each|elke)[ ])?(?:\w+[ ])?(?:worker|script|bund(?:le|el))"
        r"|\b(?:compressed|gecomprimeerde)[ ](?:worker|script|bund(?:le|el))\b|\bworker[ -]?bund(?:le|el)\b"
        r"|(?<=[kmg]b[ ])(?:script|bund(?:le|el))\b|(?<=[kmg]ib[ ])(?:script|bund(?:le|el))\b"
        rf"|\bbund(?:le|el)[ ](?:mag|mogen|can|may|must|moet)\b"
        rf"|\b(?:worker|script|bund(?:le|el))\b[^|]{{0,30}}\b(?:compress\w*|gzip\w*|gecomprimeerd)"
        rf"|\b(?:worker|script|bund(?:le|el))\b[^|]{{0,40}}\b(?:groot|groter|large|larger|big|bigger)\b",
        r"^(?!.*\b(?:body|uploads?|uploaden|assets?|requests?|verzoek\w*|reads?|le[ez]\w*|send|stu\w*)\b).*"
        r"\b(?:workers?|scripts?) (?:mag|mogen|can|may|must|moet(?:en)?) (?:only )?(?:be|maximaal|hoogstens|ten hoogste)\b",
    ),
    _topic(
        "memory",
        r"\b(?:memory|geheugen|ram|werkgeheugen)\b",
    ),
    _topic(
        "cpu_time",
        r"\bcpu\b",
    ),
    _topic(
        "startup_time",
        r"\b(?:start-?[ ]?up(?:[ -]?time)?|opstart\w*|global[ ]scope)\b",
    ),
    _topic(
        "subrequests",
        r"\bsub-?requests?\b(?![^|]*\binternal)",
    ),
    _topic(
        "cron_triggers",
        r"\bcron[ -]?triggers?\b[^|]{0,12}(?:\baccount|\||$)",
    ),
    _topic(
        "variables",
        r"\b(?:environment[ ]variables|omgevingsvariabelen)\b",
    ),
    _topic(
        "database_size",
        rf"\bdatabases?['’]?s?[ -]*(?:{_SIZE})\b|\b{_SIZE}\b[ ](?:of|van|per|for)[ ](?:(?:a|an|the|een|de|each|one)[ ])?"
        r"(?:d1[ -]?)?database|\bdatabases?\b[^|]{0,12}\b(?:limited|grow|beperkt|groeien)\b|\b(?:a|each|one|een|elke|iedere|per|d1)[ -](?:d1[ -])?database\b(?![ ]?name)",
    ),
    _topic(
        "databases",
        r"\b(?:databases)\b[ ](?:per|for[ ]each|van[ ]een|of[ ]an)[ ]account\b|\b(?:number[ ]of|aantal)[ ](?:d1[ -])?databases\b",
    ),
    _topic(
        "row_size",
        rf"\b(?:rows?|rij(?:en)?|blobs?|strings?)\b[^|]{{0,24}}\b{_SIZE}\b|\b{_SIZE}\b[^|]{{0,24}}\b(?:rows?|rij(?:en)?|blobs?|strings?)\b"
        r"|\b(?:a|each|een|elke|per|one)[ ](?:row|rij|blob|string)\b",
    ),
    _topic(
        "statement_length",
        r"\b(?:sql|statement|query)\b[^|]{0,16}\b(?:length|lengte|size|grootte)\b|\blengte[ ]van[ ]een[ ](?:sql|statement|query)",
    ),
    _topic(
        "parameters",
        r"\b(?:bound|bind)[ ](?:parameters?|variables?|values?)\b|\bparameters?\b|\bplaceholders?\b",
    ),
    _topic(
        "columns",
        r"\b(?:columns|kolommen)\b[^|]{0,24}\b(?:tables?|tabel(?:len)?)\b|\b(?:tables?|tabel)\b[^|]{0,40}\b(?:columns|kolommen)\b",
    ),
    _topic(
        "queries",
        r"\b(?:queries|query['’]s)\b[^|]{0,16}\b(?:invocation|invocatie|aanroep)",
    ),
    _topic(
        "query_duration",
        r"\b(?:query|queries|statements?|sql)\b[^|]{0,24}\b(?:duration|duur|run(?:s|ning)?|lopen|duren|time-?out)\b",
    ),
    _topic(
        "time_travel",
        r"\btime[ ]travel\b",
    ),
    _topic(
        "value_size",
        r"\b(?:values?|waardes?|waarden)\b",
    ),
    _topic(
        "key_size",
        r"(?<!per[ ])(?<!each[ ])\b(?:keys?|sleutels?)\b(?![ ]metadata)",
    ),
    _topic(
        "key_metadata",
        r"\bmetadata\b",
    ),
)  # fmt: skip

_PRODUCTS: dict[Product, re.Pattern[str]] = {
    "d1": re.compile(r"\bd1\b", re.I),
    "kv": re.compile(r"\bkv\b", re.I),
    "workers": re.compile(r"\b(?:workers?|isolates?|script(?:s|groottes?)?)\b", re.I),
}
_PRODUCT = re.compile("|".join(each.pattern for each in _PRODUCTS.values()), re.I)
# Another product of the vendor's, whose limits are not known here.
_OTHERS = re.compile(
    r"(?i)\b(?:r2|queues?|durable objects?|pages|hyperdrive|vectorize|workers ai|workflows?|images|stream|containers?"
    r"|postgres\w*|mysql|browser|analytics engine|email|pipelines?|sqlite-backed|snippets?|builds?|worker loader)\b"
)
# Only a sentence, heading or table that speaks of limits states one.
_LIMITING = re.compile(
    r"(?i)\blimi(?:t\w*|et\w*)|\bmax(?:im\w*)?\b|\bat most\b|\bup to\b|\bhoogstens\b|\bten hoogste\b|\bmaximaal\b"
    r"|\bno (?:more|larger|longer|bigger) than\b|\bnot (?:exceed|be larger|be longer)|\bniet (?:meer|groter|langer) dan\b"
    r"|\bcan(?:not)? (?:only )?(?:be|hold|have|use)\b|\bmay (?:only )?(?:be|hold|have|use|take)\b|\b(?:mag|mogen|kan|kunnen)\b"
    r"|\b(?:is|are) allowed\b|\btoegestaan\b|\bquota?\b|[≤<]|\bgrens\b|\btot (?=\d)|\bhas to (?:stay|be) (?:under|below)"
    r"|\bmust (?:be|stay|finish) (?:under|below|within|less|smaller)|\bmoet (?:onder|binnen)|\bbinnen\b|\bwithin\b"
)
# Advice, memories and examples are no statement about what the limit is.
_NO_STATEMENT = re.compile(
    r"(?i)\b(?:was|were|used to|formerly|previously|until|earlier|no longer|out of date|outdated|raised|increased|lowered"
    r"|instead of|rather than|eerst|eerder|vroeger|voorheen|niet meer|werd|waren|verouderd|verhoogd|in plaats van"
    r"|keep|aim|target|budget|streef|houd|richtlijn|guideline|recommend\w*|aanbevolen|prefer\w*|goal|doel|typical\w*"
    r"|usually|meestal|bundled|unbound|legacy|temporary|about|around|roughly|approximately|ongeveer|circa|average|gemiddeld|example|bijvoorbeeld|e\.g"
    r"|request a(?:n)? (?:higher|increase)|uses?|consum\w*|measured|gemeten|took|duurde|fail(?:s|ed)|faalde)\b"
)
# A clause of these words goes on with the limit named before: "3 MB on the Free plan, 10 MB paid".
_GOES_ON = re.compile(
    r"(?i)(?:\W|\d|\b(?:[kmgt]i?b|bytes?|ms|s|sec|seconds?|seconden?|min|minutes?|minuten|free|paid|gratis|betaald|plan|plans"
    r"|on|op|het|the|of|or|for|voor|in|after|na|compress\w*|uncompressed|compressie|gecomprimeerd|gzip\w*|default|standaard"
    r"|max\w*|up|to|tot|enterprise|pro|business|standard|million|miljoen|k|workers)\b)*"
)
_REFERS = re.compile(r"(?i)\s*(?:see|read|zie|lees)\b")
_CLAUSE = re.compile(r"[;|·•()]|,(?!\d)|(?<!\d)\s(?:and|en|but|maar|with|met|while|terwijl|plus)\s")


def limit_findings(path: str, document: Document, *, component: str = "") -> Iterator[Finding]:
    """Where *document* states a limit that is not today's; *component* is what its front matter says it is about."""
    for block in document.today:
        context = _context(block, path, component)
        seen: set[tuple[int, str]] = set()
        for line, text in _statements(block):
            for limit, stated in _outdated(text, context):
                if (line, limit.name) not in seen:
                    seen.add((line, limit.name))
                    yield finding(
                        "limit_outdated",
                        path,
                        f"The {limit.name} is stated as {stated}; it is {limit.today} ({AS_OF}, {limit.source}).",
                        line=line,
                        found=stated,
                        expected=limit.today,
                        suggestion=limit.today,
                        component=limit.component,
                        mend=Mend("swap", stated, _value_for(text, limit)),
                    )


def _value_for(text: str, limit: Topic) -> str:
    """The one of today's values that *text* may be about: that of the plan it names, else the first."""
    values = [each for each in quantities(limit.today) if each.unit == limit.unit]
    plan = re.search(r"(?i)\b(?:(?P<paid>paid|betaald\w*)|free|gratis)\b", text)
    word = "" if plan is None else "Paid" if plan["paid"] else "Free"
    ends = [*(each.start for each in values[1:]), len(limit.today)]
    named = (each for each, end in zip(values, ends, strict=True) if word and word in limit.today[each.end : end])
    return next(named, values[0]).text


def _statements(block: Block) -> Iterator[tuple[int, str]]:
    """(line, text) of each sentence, or row of a table, that may state a limit."""
    if block.kind == "table":
        for row in block.rows[1:]:
            yield row[0].line, " | ".join(cell.plain for cell in row)
    elif block.kind != "fence":
        for prose in block.texts:
            for sentence in sentences(prose):
                yield sentence[0].line, "".join(span.text for span in sentence)


def _context(block: Block, path: str, component: str) -> tuple[str, ...]:
    """What surrounds the block, nearest first: introduction, headings, the head of a table, the file."""
    headings = [heading.plain for heading in reversed(block.headings)]
    head = " ".join(cell.plain for cell in block.rows[0]) if block.rows else ""
    name = path.rsplit("/", 1)[-1].replace("-", " ").replace("_", " ")
    return (head, block.lead.plain, *headings, name, component)


def _outdated(text: str, context: tuple[str, ...]) -> Iterator[tuple[Topic, str]]:
    """(limit, what is stated) for each limit that *text* states wrongly."""
    if _NO_STATEMENT.search(text):
        return
    limiting = any(_LIMITING.search(each) for each in (text, *context[:4]))
    before: Topic | None = None
    for clause in _CLAUSE.split(text):
        named = _named(clause, text, context)
        if named:
            before = next(iter(named))
        stated: dict[Topic, list[Quantity]] = {}
        for quantity in quantities(clause):
            limit = _meant(quantity, named, clause)
            if limit is None and not named and before is not None and _GOES_ON.fullmatch(clause):
                limit = before if before.unit == quantity.unit else None
            if limit is not None and (limiting or _bare(clause, quantity, named.get(limit))):
                stated.setdefault(limit, []).append(quantity)
        for limit, values in stated.items():
            if not any(_right(each, limit) for each in values):
                yield limit, values[0].text


def _bare(clause: str, quantity: Quantity, span: tuple[int, int] | None) -> bool:
    """Whether *clause* is a limit's name and its value and nothing else: "1 MB script size"."""
    if span is None:
        return False
    first, second = sorted([span, (quantity.start, quantity.end)])
    rest = clause[: first[0]] + clause[first[1] : second[0]] + clause[second[1] :]
    return not re.search(r"\w", _PRODUCT.sub("", rest))


def _named(clause: str, text: str, context: tuple[str, ...]) -> dict[Topic, tuple[int, int]]:
    """The limits that *clause* names and where, in order."""
    if _REFERS.match(clause):
        return {}
    found = {limit: match.span() for limit in TOPICS if (match := limit.topic.search(clause))}
    if not found:
        found = {limit: match.span() for limit in TOPICS if limit.weak and (match := limit.weak.search(clause))}
    about = {limit: span for limit, span in found.items() if _about(limit, clause, text, context)}
    return dict(sorted(about.items(), key=lambda item: item[1]))


def _meant(quantity: Quantity, named: dict[Topic, tuple[int, int]], clause: str) -> Topic | None:
    """The limit that stands nearest to *quantity*; a bare number counts only right beside its words."""
    near: list[tuple[int, Topic]] = []
    for limit, (start, end) in named.items():
        if limit.unit == quantity.unit:
            between = clause[quantity.end : start] if quantity.end <= start else clause[end : quantity.start]
            near.append((len(re.findall(r"\w+", between)), limit))
    if not near:
        return None
    distance, limit = min(near, key=lambda each: each[0])
    return limit if quantity.unit != "pieces" or distance <= 4 else None


def _about(limit: Topic, clause: str, text: str, context: tuple[str, ...]) -> bool:
    """Whether the nearest words that name a product name that of *limit*."""
    for words in (clause, text, *context):
        if _OTHERS.search(words):
            return False
        named = {product for product, pattern in _PRODUCTS.items() if pattern.search(words)}
        if named:
            # "Queries per Worker invocation" is D1's, and "one KV value in a Worker" is KV's.
            return limit.product in named or (
                "workers" in named and limit.product != "workers" and _elsewhere(limit, context)
            )
    return False


def _elsewhere(limit: Topic, context: Iterable[str]) -> bool:
    return any(_PRODUCTS[limit.product].search(words) for words in context)


def _right(quantity: Quantity, limit: Topic) -> bool:
    return any(abs(value - right) <= right * 0.05 for value in quantity.values for right in limit.right)
