"""What D1 objects to in a migration, in our own words: SQLite's own messages can quote values of the database."""

import re

import apsw

from mcp_daan.d1.failures import MEANING, PHRASES
from mcp_daan.d1.guard import FUNCTIONS, MODULES, PRAGMAS, PRAGMAS_WITH_NAME, internal, shown

# What a migration may do in D1 besides reading; the names that these come with may not be Cloudflare's own.
WRITING = frozenset(
    getattr(apsw, f"SQLITE_{name}")
    for name in (
        "INSERT UPDATE DELETE ALTER_TABLE ANALYZE REINDEX CREATE_TABLE CREATE_INDEX CREATE_VIEW CREATE_TRIGGER"
        " DROP_TABLE DROP_INDEX DROP_VIEW DROP_TRIGGER"
    ).split()
)
# SQLite's own, with which ALTER TABLE rewrites the schema.
RENAMING = frozenset(
    "sqlite_rename_column sqlite_rename_table sqlite_rename_test sqlite_drop_column sqlite_rename_quotefix".split()
)
SWITCHES = frozenset(
    """
    case_sensitive_like foreign_keys defer_foreign_keys ignore_check_constraints legacy_alter_table recursive_triggers
    reverse_unordered_selects optimize
    """.split()
)
REFUSED = {
    apsw.SQLITE_TRANSACTION: "BEGIN, COMMIT and ROLLBACK are refused: D1 runs each migration in a transaction of its own",
    apsw.SQLITE_SAVEPOINT: "SAVEPOINT is refused: D1 runs each migration in a transaction of its own",
    apsw.SQLITE_ATTACH: "ATTACH and VACUUM are refused: a migration cannot reach outside its database",
    apsw.SQLITE_DETACH: "DETACH is refused",
}
TEMPORARY = "temporary tables, views and triggers are refused"
CLOUDFLARE = "names that start with _cf_ are Cloudflare's own"
UNKNOWN_HERE = "DELETE and UPDATE with ORDER BY or LIMIT cannot be rehearsed here, though D1 runs them"
NAME = r"[\"'`\[]?([\w.$ -]{1,128}?)[\"'`\]]?"
SAYINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"UNIQUE constraint failed: index '([^']{1,128})'", "rows would be alike in the unique index {0}"),
        (r"UNIQUE constraint failed: ([\w.$, -]{1,300})", "UNIQUE fails: rows would be alike in {0}"),
        (r"NOT NULL constraint failed: ([\w.$ -]{1,128})", "NOT NULL fails: {0} would hold NULL"),
        (r"CHECK constraint failed: (\w{1,64})$", "CHECK fails: {0}"),
        (r"CHECK constraint failed", "a CHECK fails"),
        (r"FOREIGN KEY constraint failed", "FOREIGN KEY fails"),
        (rf"foreign key mismatch - {NAME} referencing {NAME}$", "the foreign key of {0} refers to columns of {1} that are not unique"),
        (rf"cannot store (\w+) value in (\w+) column {NAME}$", "{2} is STRICT {1} and cannot store {0}"),
        (rf"^(table|index|view|trigger) {NAME} already exists$", "the {0} {1} exists already"),
        (rf"there is already (?:a table|an index) named {NAME}$", "{0} exists already"),
        (rf"there is already another table or index with this name: {NAME}$", "{0} exists already"),
        (rf"duplicate column name: {NAME}$", "the column {0} exists already"),
        (r"Cannot add a NOT NULL column with default value NULL", "a NOT NULL column is added without a default, to a table that has rows"),
        (r"Cannot add a column with non-constant default", "a column is added with a default that is no constant"),
        (r"Cannot add a (UNIQUE|PRIMARY KEY) column", "a {0} column cannot be added to a table"),
        (r"cannot add a STORED column", "a STORED generated column cannot be added to a table; a VIRTUAL one can"),
        (r"cannot VACUUM from within a transaction", "VACUUM is refused: D1 runs each migration in a transaction of its own"),
        (r"Cannot add a REFERENCES column with non-NULL default value", "a column with REFERENCES is added with a default other than NULL"),
        (rf"cannot drop (UNIQUE|PRIMARY KEY) column: {NAME}$", "the {0} column {1} cannot be dropped"),
        (rf"cannot drop column {NAME}: no other columns exist", "{0} is the only column and cannot be dropped"),
        (rf"error in (view|trigger|index|table) {NAME}(?: after (?:rename|drop column|add column))?: no such (\w+): {NAME}$", "the {0} {1} still needs the {2} {3}"),
        (rf"error in (view|trigger|index|table) {NAME}", "the {0} {1} would be broken"),
        (rf"no such (column|table|index|view|trigger|function|module): {NAME}$", "there is no {0} {1}"),
        (rf"table {NAME} has no column named {NAME}$", "there is no column {0}.{1}"),
        (rf"table {NAME} has (\d+) columns but (\d+) values were supplied", "{0} has {1} columns, and {2} values are given"),
        (r"(\d+) values for (\d+) columns", "{1} columns are named, and {0} values are given"),
        (r"all VALUES must have the same number of terms", "the rows of VALUES differ in width"),
        (rf"table {NAME} may not be (modified|dropped|altered)", "{0} is SQLite's own and may not be {1}"),
        (rf"object name reserved for internal use: {NAME}$", "the name {0} is reserved"),
        (rf"cannot modify {NAME} because it is a view", "{0} is a view and cannot be written to"),
        (rf"cannot (UPDATE|INSERT into) generated column {NAME}$", "{1} is generated and cannot be written to"),
        (rf"use DROP (TABLE|VIEW) to delete (table|view) {NAME}$", "{2} is a {1}"),
        (r"AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY", "AUTOINCREMENT needs an INTEGER PRIMARY KEY"),
        (rf"table {NAME} has more than one primary key", "{0} has more than one primary key"),
        (rf"unknown datatype for {NAME}: ", "{0} has a type that STRICT does not know"),
        (rf"missing datatype for {NAME}$", "{0} has no type, which STRICT needs"),
        (r"too many columns", "D1 allows 100 columns in a table"),
        (r"near \"([\w();,.*=<>+-]{1,40})\": syntax error", "there is a syntax error near {0}"),
        (r"syntax error|unrecognized token", "there is a syntax error"),
        (r"incomplete input", "the last statement is not complete"),
    )
)  # fmt: skip
KINDS: dict[type[Exception], str] = {
    apsw.TooBigError: "a statement is longer than D1's 100,000 bytes, or a value larger than it stores",
    apsw.FullError: "it grows the database by more than a rehearsal has room for",
    apsw.InterruptError: "it ran past the time of a rehearsal; D1 ends a migration after 30 seconds",
    apsw.NoMemError: "it needs more memory than it may have",
    apsw.BindingsError: "a statement has parameters, and a migration binds none",
    apsw.MismatchError: "a value has the wrong type for its place",
    apsw.CorruptError: "the database is damaged",
    apsw.ConstraintError: "a constraint fails",
}


class Bounds:
    """SQLite's authorizer for a migration: what D1 allows, and nothing outside the scratch copy.

    `denial` says what was refused first, `written` which tables are written to since it was emptied.
    """

    def __init__(self) -> None:
        self.denial: str | None = None
        self.written: list[str] = []

    def __call__(self, action: int, first: str | None, second: str | None, schema: str | None, _: str | None) -> int:
        """SQLITE_OK or SQLITE_DENY."""
        if action in REFUSED:
            return self._deny(REFUSED[action])
        # ALTER TABLE names the database first and the table second.
        place = first if action == apsw.SQLITE_ALTER_TABLE else schema
        if place not in (None, "main"):
            # Temporary is also what SQLite rewrites when a table is renamed: it reads and updates nothing there.
            fine = place == "temp" and action in (apsw.SQLITE_READ, apsw.SQLITE_UPDATE)
            return apsw.SQLITE_OK if fine else self._deny(TEMPORARY)
        if action in (apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE, apsw.SQLITE_DROP_TABLE):
            self.written.append(first or "")
        names = [each for each in (first, second) if each]
        if action in WRITING or action == apsw.SQLITE_READ:
            internal_name = any(internal(each) for each in names) and action != apsw.SQLITE_ANALYZE
            return self._deny(CLOUDFLARE) if internal_name else apsw.SQLITE_OK
        if action in (apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE):
            return apsw.SQLITE_OK
        if action in (apsw.SQLITE_CREATE_VTABLE, apsw.SQLITE_DROP_VTABLE):
            known = (second or "").lower() in MODULES
            return apsw.SQLITE_OK if known else self._deny(f"D1 has no module {shown(second or '')}")
        return self._word(action, (first or "").lower(), second)

    def _word(self, action: int, first: str, second: str | None) -> int:
        if action == apsw.SQLITE_FUNCTION:
            name = (second or "").lower()
            known = name in FUNCTIONS or name in RENAMING
            return apsw.SQLITE_OK if known else self._deny(f"D1 does not allow the function {shown(name)}")
        if action == apsw.SQLITE_PRAGMA:
            known = first in SWITCHES or first in (PRAGMAS if second is None else PRAGMAS_WITH_NAME)
            return apsw.SQLITE_OK if known else self._deny(f"D1 does not allow PRAGMA {shown(first)}")
        return self._deny("D1 does not allow it")

    def _deny(self, why: str) -> int:
        self.denial = self.denial or why
        return apsw.SQLITE_DENY


def objection(error: BaseException, denial: str | None) -> tuple[str, str]:
    """(SQLite's name for the failure, why it failed)."""
    kind = code(error)
    if kind == "SQLITE_CONSTRAINT_TRIGGER":  # its words are the trigger's, which may hold values
        return kind, "a trigger refuses it with RAISE"
    if denial is not None and isinstance(error, (apsw.AuthError, apsw.SQLError)):
        return "SQLITE_AUTH", denial
    text = str(error)
    for pattern, words in SAYINGS:
        if found := pattern.search(text):
            return kind, words.format(*(shown(part) for part in found.groups()))
    known = next((KINDS[base] for base in type(error).__mro__ if base in KINDS), None)
    if known is not None:
        return kind, known
    for phrase, words, _ in PHRASES:
        if found := re.search(phrase, text):
            return kind, words.format(*(shown(part) for part in found.groups())).rstrip(".")
    return kind, next((MEANING[base][1] for base in type(error).__mro__ if base in MEANING), "it fails").rstrip(".")


def code(error: BaseException) -> str:
    """SQLite's name for what *error* is."""
    extended: int = getattr(error, "extendedresult", 0)
    known = apsw.mapping_extended_result_codes.get(extended) or apsw.mapping_result_codes.get(extended)
    # A fault that we raise ourselves, and one of the bindings, has no number.
    return str(known if extended and known else f"SQLITE_{type(error).__name__.removesuffix('Error').upper()}")
