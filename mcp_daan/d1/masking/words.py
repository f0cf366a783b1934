"""SQLite's words: the tokens of a statement, as SQLite itself would cut them."""

import re
from typing import NamedTuple

# SQLite's own letters: everything beyond ASCII belongs to a name, a no-break space too. What is not closed ends with
# the text, so that no token is sought twice. Letters are what is no other ASCII: such sets compile sooner.
_TOKEN = re.compile(
    r"""
      (?P<space> [ \t\n\v\f\r]+ | \ufeff | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<string> '[^']*(?:''[^']*)*(?:'|\Z) )
    | (?P<quoted> "[^"]*(?:""[^"]*)*(?:"|\Z) | `[^`]*(?:``[^`]*)*(?:`|\Z) | \[[^\]]*(?:\]|\Z) )
    | (?P<blob> [xX]'[0-9a-fA-F]*' )
    | (?P<number> 0[xX][0-9a-fA-F_]+ | (?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)? )
    | (?P<parameter> \?[0-9]* | [@:\#$](?:::|[^\x00-\#%-/:-@\[-^`{-\x7f])+(?:\([^ \t\n\v\f\r)]*\)?)? )
    | (?P<word> [^\x00-@\[-^`{-\x7f][^\x00-\#%-/:-@\[-^`{-\x7f]* )
    | (?P<sign> ->>|->|\|\||<<|>>|<=|>=|<>|==|!=|. )
    """,
    re.VERBOSE | re.DOTALL,
)

# Keywords that are never a name unless quoted; SQLite lets every other keyword be one.
RESERVED = frozenset(
    """ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE DELETE
    DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN
    LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION
    UNIQUE UPDATE USING VALUES WHEN WHERE""".split()
)


class Token(NamedTuple):
    """One token: *word* is the upper-case keyword or sign it can be, *name* the lower-case name it can be."""

    kind: str
    word: str
    name: str
    start: int
    end: int

    @property
    def names(self) -> bool:
        """Whether it can stand where SQLite wants a name (a string can, beside a dot or after AS)."""
        return self.kind in ("quoted", "string") or (self.kind == "word" and self.word not in RESERVED)


def tokens(sql: str) -> list[Token]:
    """The tokens of *sql* without space and comments, and an empty one to end them."""
    found = []
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "", match.group()
        if kind == "space":
            continue
        word = text.upper() if kind in ("word", "sign") else ""
        found.append(Token(kind, word, _name(kind, text), match.start(), match.end()))
    found.append(Token("end", "", "", len(sql), len(sql)))
    return found


def first_word(sql: str) -> str:
    """The upper-case keyword or sign that *sql* begins with; "" if it begins with neither, or is empty."""
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "space":
            return match.group().upper() if match.lastgroup in ("word", "sign") else ""
    return ""


def _name(kind: str, text: str) -> str:
    if kind == "word":
        return text.lower()
    if kind in ("quoted", "string"):
        mark = text[-1]
        return text[1:-1].replace(mark * 2, mark).lower() if mark != "]" else text[1:-1].lower()
    return ""


def parameter_count(sql: str) -> int:
    """How many values SQLite wants bound to *sql*."""
    highest, known = 0, set[str]()
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "parameter":
            continue
        text = match.group()
        if text == "?":
            highest += 1
        elif text[0] == "?":
            highest = max(highest, int(text[1:]))
        elif text not in known:
            known.add(text)
            highest += 1
    return highest
