"""SQLite's failures in our own words: its own messages can quote values of the database."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from mcp_daan.d1.guard import shown
from mcp_daan.errors import DaanError, InvalidArguments, NotFound, Refused, TooLarge, TooSlow, Unavailable

SCHEMA = "Read the tables and columns with `d1_schema`."
DOUBTFUL = "Look at the file with its owner: `wrangler d1 execute NAME --local` tells whether wrangler still reads it."
LESS = "Ask for less: name the columns that you need, use substr() or a narrower WHERE."

MEANING: dict[type[Exception], tuple[type[DaanError], str, str]] = {
    apsw.AuthError: (Refused, "The statement was not run: it does more than read.", "Send exactly one SELECT."),
    apsw.InterruptError: (
        TooSlow,
        "The statement ran past its deadline and was stopped.",
        "Narrow the WHERE clause, read fewer rows, or filter by an indexed column.",
    ),
    apsw.CantOpenError: (Unavailable, "The database file could not be opened.", "Check the rights of the file."),
    apsw.PermissionsError: (Unavailable, "The database file may not be read.", "Check the rights of the file."),
    apsw.NotADBError: (Unavailable, "The file is not a SQLite database.", DOUBTFUL),
    apsw.CorruptError: (Unavailable, "The database file is damaged.", DOUBTFUL),
    apsw.BusyError: (Unavailable, "The database is locked by a writer.", "Ask again in a moment."),
    apsw.LockedError: (Unavailable, "The database is locked by a writer.", "Ask again in a moment."),
    apsw.SchemaChangeError: (Unavailable, "The schema changed meanwhile.", "Ask again."),
    apsw.TooBigError: (TooLarge, "A value or the statement is larger than D1 allows.", LESS),
    apsw.NoMemError: (TooLarge, "The statement needs more memory than it may have.", LESS),
    apsw.BindingsError: (
        InvalidArguments,
        "The number of `parameters` is not that of the placeholders in the statement.",
        "Give one value for each `?`, in order.",
    ),
    apsw.MismatchError: (
        InvalidArguments,
        "A value has the wrong type for its place.",
        "LIMIT and OFFSET take integers, for example.",
    ),
    apsw.SQLError: (InvalidArguments, "SQLite does not understand the statement.", SCHEMA),
    apsw.Error: (Unavailable, "The database could not be read.", "It may be locked or damaged; tell its owner."),
}

# Asking again changes nothing about these.
LASTING = (apsw.NotADBError, apsw.CorruptError, apsw.PermissionsError)

# What of SQLite's text is safe to repeat: its fixed words, and names that stood in the statement.
NAME = r"\"?([\w.$ -]{1,128})\"?"
# Compiled where a statement fails.
PHRASES: tuple[tuple[str, str, str], ...] = (
    (rf"no such (column|table|index|window|function|table column|view): {NAME}", "There is no {0} `{1}`.", SCHEMA),
    (rf"ambiguous column name: {NAME}", "The column name `{0}` is ambiguous.", "Write `table.column`."),
    (r"near \"(.{1,40}?)\": syntax error", "There is a syntax error near `{0}`.", "Correct the statement."),
    (r"incomplete input", "The statement ends too early.", "Complete the statement."),
    (r"unrecognized token", "The statement has a token that SQL does not know.", "Check its quotes."),
    (rf"wrong number of arguments to function {NAME}\(\)", "`{0}()` takes another number of arguments.", SCHEMA),
    (rf"misuse of aggregate(?: function|:) {NAME}\(\)", "The aggregate `{0}()` may not stand there.", "Use HAVING or a subquery."),
    (r"Expression tree is too large", "An expression is deeper than D1's 100 levels.", "Write it flatter."),
    (r"too many terms in compound SELECT", "D1 allows 5 terms in a compound SELECT.", "Split it up."),
    (r"too many columns", "D1 allows 100 columns.", "Name fewer columns."),
    (r"too many terms in (GROUP|ORDER) BY clause", "D1 allows 100 terms in {0} BY.", "Name fewer."),
    (r"LIKE or GLOB pattern too complex", "D1 allows 50 bytes in a LIKE or GLOB pattern.", "Use instr()."),
    (r"too many SQL variables|variable number must be", "D1 allows 100 parameters.", "Use fewer placeholders."),
    (r"too many arguments on function", "The function has more arguments than D1 allows.", "Use fewer."),
    (r"parser stack overflow", "The statement is nested too deeply.", "Write it flatter."),
    (r"'(.{1,128})' is not a function", "`{0}` is a table and takes no arguments.", "Write WHERE instead."),
    (rf"{NAME}\(\) may not be used as a window function", "`{0}()` is no window function.", "Leave OVER out."),
    (rf"unknown database {NAME}", "There is no database `{0}` beside this one.", "Write the table's name alone."),
    (rf"circular reference: {NAME}", "`{0}` is made from itself.", "A recursive WITH starts from rows without itself."),
    (rf"duplicate WITH table name: {NAME}", "The name `{0}` stands twice in WITH.", "Name each part differently."),
    (r"malformed JSON|bad JSON path|JSON path error", "A value is no JSON, or a JSON path is wrong.", "Filter by json_valid()."),
    (r"fts5: syntax error|unterminated string|parse error in rank", "The full-text query is malformed.", 'Put words in "double quotes".'),
    (r"unable to use function", "The function may not be used there.", SCHEMA),
    (r"do not have the same number of result columns", "The parts of a compound SELECT differ in width.", SCHEMA),
    (r"integer overflow", "An integer overflows.", "Use total() or CAST(… AS REAL)."),
)  # fmt: skip
# What SQLite says in fixed words, names of the schema and numbers: repeated as it is, for it says what to change.
SAID = r"""
    \d+(st|nd|rd|th)\ (ORDER|GROUP)\ BY\ term\ (out\ of\ range\ -\ should\ be.*|does\ not\ match\ any\ column.*)
    | DISTINCT\ (aggregates\ must\ have\ exactly\ one\ argument|is\ not\ supported\ for\ window\ functions)
    | ESCAPE\ expression\ must\ be\ a\ single\ character
    | FLAGS\ parameter\ to\ json_valid\(\)\ must\ be\ between\ 1\ and\ 15
    | (a\ GROUP\ BY\ clause\ is\ required\ before\ HAVING|HAVING\ clause\ on\ a\ non-aggregate\ query)
    | JSON\ cannot\ hold\ BLOB\ values
    | (LIMIT|ORDER\ BY)\ clause\ should\ come\ after\ [A-Z\ ]+\ not\ before
    | ORDER\ BY\ may\ not\ be\ used\ with\ non-aggregate\ \w+\(\)
    | RANGE\ with\ offset\ PRECEDING/FOLLOWING\ requires\ one\ ORDER\ BY\ expression
    | aggregate\ functions\ are\ not\ allowed\ in\ the\ GROUP\ BY\ clause
    | all\ VALUES\ must\ have\ the\ same\ number\ of\ terms
    | (cannot\ modify\ \w+\ because\ it\ is\ a\ view|table\ \w+\ may\ not\ be\ modified)
    | (argument\ of\ ntile|second\ argument\ to\ nth_value)\ must\ be\ a\ positive\ integer
    | at\ most\ 64\ tables\ in\ a\ join
    | frame\ (starting|ending)\ offset\ must\ be\ a\ non-negative\ (integer|number)
    | hex\ literal\ too\ big:\ -?0[xX]\w+
    | json\w*\(\)\ (needs|requires)\ an\ (odd|even)\ number\ of\ arguments
    | json\w*\(\)\ labels\ must\ be\ TEXT
    | misuse\ of\ (window\ function|aliased\ (aggregate|window\ function))\ \w+(\(\))?
    | no\ (tables\ specified|query\ solution)
    | recursive\ aggregate\ queries\ not\ supported
    | row\ value\ misused
    | second\ argument\ to\ likelihood\(\)\ must\ be\ a\ constant\ between\ 0\.0\ and\ 1\.0
    | sub-select\ returns\ \d+\ columns\ -\ expected\ \d+
    | table\ \w+\ has\ \d+\ values\ for\ \d+\ columns
    | unsupported\ frame\ specification
    | Recursion\ limit
"""


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn whatever SQLite raises into a DaanError."""
    try:
        yield
    except apsw.Error as error:
        raise translated(error) from None
    except MemoryError:
        raise _failure(apsw.NoMemError) from None
    except UnicodeDecodeError:
        raise Unavailable("The database holds a text or a name that is not UTF-8.", advice=DOUBTFUL) from None


def translated(error: apsw.Error) -> DaanError:
    """The failure that *error* is to a caller."""
    if isinstance(error, apsw.SQLError):
        for pattern, message, advice in PHRASES:
            if found := re.search(pattern, str(error)):
                return InvalidArguments(message.format(*(shown(part) for part in found.groups())), advice=advice)
        if re.fullmatch(SAID, str(error), re.VERBOSE):
            return InvalidArguments(f"SQLite does not take the statement: {error}.", advice="Correct the statement.")
    return _failure(type(error))


def missing_file() -> NotFound:
    """There is no file yet."""
    return NotFound(
        "There is no database file.",
        advice="Run the Worker once locally, or apply its migrations, so that wrangler makes it. "
        "`d1_databases` gives `sizeBytes` for those that have one.",
    )


def _failure(kind: type[BaseException]) -> DaanError:
    failure, message, advice = next(MEANING[base] for base in kind.__mro__ if base in MEANING)
    return failure(message, advice=advice, retryable=False if issubclass(kind, LASTING) else None)
