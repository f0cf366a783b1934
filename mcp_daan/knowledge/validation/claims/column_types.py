"""Column types as people write them, held against what SQLite makes of a declared type."""

import re

# What a word in a document means: the affinities of the columns that it describes rightly.
_MEANINGS = {
    ("INTEGER",): "int integer bigint smallint tinyint mediumint int2 int4 int8 unsigned epoch unix unixtime rowid",
    ("TEXT",): "text varchar char character nvarchar nchar clob string str tekst citext varying",
    ("BLOB",): "blob bytes bytea binary varbinary",
    ("REAL", "NUMERIC"): "real double float decimal numeric",
    ("INTEGER", "REAL", "NUMERIC"): "number getal money currency",
    ("INTEGER", "NUMERIC"): "boolean bool bit",
    ("TEXT", "INTEGER", "REAL", "NUMERIC"): "date datetime timestamp timestamptz time datum tijdstip tijd",
    ("TEXT", "BLOB"): "json jsonb uuid guid ulid array object",
    ("TEXT", "INTEGER"): "enum",
    ("TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB"): "any",
}
_AFFINITIES = {word: frozenset(kinds) for kinds, words in _MEANINGS.items() for word in words.split()}
# In capitals these are declared types, of NUMERIC affinity; in small letters they say what a value is.
_DECLARED = {"DATE", "DATETIME", "TIMESTAMP", "TIMESTAMPTZ", "TIME"}
_SAME = {"int": "integer", "bool": "boolean", "character varying": "varchar", "double precision": "double"}
_LEADING = re.compile(r"[A-Za-z_]\w*(?:[ ]+(?:precision|varying|big int|int))?(?=\W|$)", re.I)


def read_type(text: str) -> str | None:
    """The type that *text* begins with; None when it begins with something else."""
    found = _LEADING.match(text.strip(" `*_\"'"))
    return found.group() if found and found.group().lower().split()[0] in _AFFINITIES else None


def agree(documented: str, declared: str) -> bool:
    """Whether a column *declared* so is described rightly by *documented*, a type that `read_type` gave."""
    if _name(documented) == _name(declared) or declared.upper() == "ANY":
        return True
    if documented in _DECLARED:
        return affinity(declared) == "NUMERIC"
    return affinity(declared) in _AFFINITIES[documented.lower().split()[0]]


def affinity(declared: str) -> str:
    """The affinity that SQLite gives a column of this declared type."""
    name = declared.upper()
    if "INT" in name:
        return "INTEGER"
    if any(each in name for each in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in name or not name:
        return "BLOB"
    if any(each in name for each in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def _name(declared: str) -> str:
    name = " ".join(re.sub(r"\(.*?\)", "", declared).lower().split())
    return _SAME.get(name, name)
