"""Where this server differs from D1 on purpose; docs/d1-dialect.md tells people the same."""

from .statement import Statement

READS = "D1 runs statements that change something; this server only reads."

KNOWN = {
    "One statement a call: D1 runs several, and gives the rows of the last.": ("SELECT 1; SELECT 2",),
    "A comment or a second `;` may stand behind the last `;`, where D1 misses a statement.": (
        "SELECT 1;;",
        "SELECT 1; -- done",
        "SELECT 1; /* done */ ;",
    ),
    "`_cf_` tables are hidden also where D1 lists one that is asked for by name.": (
        "PRAGMA table_list(_cf_METADATA)",
        "SELECT * FROM pragma_table_list('_cf_METADATA')",
    ),
    "The schema of temporary tables, which is always empty, cannot be read.": (
        "SELECT * FROM sqlite_temp_schema",
        "SELECT * FROM sqlite_temp_master",
        "SELECT * FROM temp.sqlite_master",
    ),
    "`PRAGMA table_list` has 0 columns for a view that its connection has not used; D1's connection lives longer.": (
        "PRAGMA table_list",
        "PRAGMA main.table_list",
    ),
    "An integer past ±(2^53-1) in `parameters` stays exact; D1 rounds it.": ("SELECT ? = 9007199254740993",),
    "`printf` and `format` pad a value to more than 100,000 characters.": (
        "SELECT length(printf('%.*c', 100001, 'x'))",
    ),
}
REASONS = {sql: reason for reason, statements in KNOWN.items() for sql in statements}


def reason(statement: Statement) -> str | None:
    """Why the answers to *statement* may differ, if they may."""
    return READS if statement.category == "writes" else REASONS.get(statement.sql)


# What D1 says, and what we say to the same: where it is not SQLite's own sentence.
MEANINGS = (
    (r"not authorized to use function: (\w+)", r"D1 does not allow the function \1\."),
    (r"not authorized|is prohibited|please use the state\.storage\.transaction", r"^The statement was not run"),
    (r"cannot VACUUM|constraint failed|values were supplied|already exists", r"^The statement was not run"),
    (r"no such (\w+): ([\w.]+)", r"There is no \1 `\2`\."),
    (r"no such function: \w+", r"D1 does not allow the function"),
    (r"no such (table|module|view|column)", r"^The statement was not run"),
    (r"error in view broken", r"There is no table"),
    (r"ambiguous column name: (\w+)", r"The column name `\1` is ambiguous\."),
    (r'near "(.+)": syntax error', r"syntax error near `"),
    (r"incomplete input", r"ends too early"),
    (r"unrecognized token", r"a token that SQL does not know"),
    (r"No SQL statements detected|did not contain a statement", r"There is no statement\."),
    (r"wrong number of arguments to function (\w+)", r"`\1\(\)` takes another number of arguments\."),
    (r"misuse of aggregate(?: function|:) (\w+)", r"The aggregate `\1\(\)` may not stand there\."),
    (r"Wrong number of parameter bindings", r"The number of `parameters` is not that"),
    (r"Expression tree is too large", r"deeper than D1's 100 levels"),
    (r"too many terms in compound", r"5 terms in a compound SELECT"),
    (r"too many terms in (GROUP|ORDER)", r"100 terms in \1 BY"),
    (r"too many columns", r"100 columns"),
    (r"LIKE or GLOB pattern too complex", r"50 bytes in a LIKE or GLOB pattern"),
    (r"too many SQL variables|variable number must be", r"100 parameters"),
    (r"too many arguments on function", r"more arguments than D1 allows"),
    (r"statement too long", r"D1 takes 100000"),
    (r"string or blob too big", r"larger than D1 allows"),
    (r"datatype mismatch", r"wrong type for its place"),
    (r"malformed JSON|bad JSON path", r"no JSON, or a JSON path is wrong"),
    (r"fts5: syntax error|unterminated string|parse error in rank", r"full-text query is malformed"),
    (r"unable to use function", r"may not be used there"),
    (r"same number of result columns", r"differ in width"),
    (r"integer overflow", r"An integer overflows"),
    (r"'(\w+)' is not a function", r"`\1` is a table"),
    (r"(\w+)\(\) may not be used as a window function", r"`\1\(\)` is no window function"),
    (r"unknown database (\w+)", r"There is no database `\1`"),
    (r"circular reference: (\w+)", r"`\1` is made from itself"),
    (r"duplicate WITH table name: (\w+)", r"The name `\1` stands twice"),
)
