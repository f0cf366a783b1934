"""What a statement may do: D1's own lists and limits, denied by default.

A read-only connection still allows ATTACH (reads other files), VACUUM INTO (writes one), PRAGMA and
temporary tables, so SQLite asks the guard about every single thing that a statement wants.
The lists are workerd's (`src/workerd/util/sqlite.c++`, August 2026) without what changes anything.
"""

import apsw

from mcp_daan.errors import Refused
from mcp_daan.sqlite_files import close_off

FUNCTIONS = frozenset(
    """
    abs changes char coalesce concat concat_ws format glob hex ifnull iif instr last_insert_rowid length like likelihood
    likely lower ltrim max min nullif octet_length printf quote random randomblob replace round rtrim sign soundex
    substr substring total_changes trim typeof unhex unicode unlikely upper zeroblob
    date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
    avg count group_concat string_agg sum total
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
    acos acosh asin asinh atan atan2 atanh ceil cos cosh degrees exp floor ln log log2 mod pi pow radians
    sin sinh sqrt tan tanh trunc
    json jsonb json_array jsonb_array json_array_length json_extract jsonb_extract -> ->> json_insert jsonb_insert
    json_object jsonb_object json_patch jsonb_patch json_remove jsonb_remove json_replace jsonb_replace json_set
    jsonb_set json_type json_valid json_quote json_group_array jsonb_group_array json_group_object
    jsonb_group_object
    match highlight bm25 snippet rtreecheck
    """.split()
)
# Read without an argument; with one, those that name what they look at.
PRAGMAS = frozenset(
    """
    data_version page_size foreign_keys defer_foreign_keys case_sensitive_like ignore_check_constraints
    legacy_alter_table recursive_triggers reverse_unordered_selects table_list foreign_key_check quick_check
    """.split()
)
PRAGMAS_WITH_NAME = frozenset(
    """
    table_list table_info table_xinfo index_list index_info index_xinfo foreign_key_list foreign_key_check quick_check
    """.split()
)
TABLE_FUNCTIONS = frozenset("json_each json_tree jsonb_each jsonb_tree".split()) | {
    f"pragma_{name}" for name in PRAGMAS | PRAGMAS_WITH_NAME
}
# Without these, a table that a file declares with another module (raw pages, other files) has nothing behind it.
MODULES = ("fts5", "fts5vocab", "rtree", "rtree_i32")
LIMITS = {
    # As the engine has it; what may be stored is less on Cloudflare, and a local file can hold more than that.
    apsw.SQLITE_LIMIT_LENGTH: 8 * 1024 * 1024 + 34,
    apsw.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    apsw.SQLITE_LIMIT_COLUMN: 100,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 100,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    apsw.SQLITE_LIMIT_VDBE_OP: 25_000,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 127,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    apsw.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
    apsw.SQLITE_LIMIT_WORKER_THREADS: 0,
}
SQL_BYTES = LIMITS[apsw.SQLITE_LIMIT_SQL_LENGTH]


class Guard:
    """SQLite's authorizer for one connection.

    *tables* are the names in the schema, lower-cased; a READ of one of *secrets* gives NULL instead of its value.
    Afterwards `read` holds the (table, column) pairs that were asked for, `views` the views they were asked for in, and
    `denial` what was refused first.
    """

    def __init__(self, tables: frozenset[str], secrets: frozenset[tuple[str, str]] = frozenset()) -> None:
        self._tables = tables
        self._secrets = secrets
        self.read: set[tuple[str, str]] = set()
        self.views: set[str] = set()
        self.denial: str | None = None

    @property
    def secrets_read(self) -> set[tuple[str, str]]:
        """The secret columns among those that were asked for."""
        return self.read & self._secrets

    def __call__(
        self, action: int, first: str | None, second: str | None, schema: str | None, inside: str | None
    ) -> int:
        """SQLITE_OK, SQLITE_DENY, or SQLITE_IGNORE for a secret column."""
        if schema not in (None, "main"):
            return self._deny("It reaches outside the database.")
        if action in (apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE):
            return apsw.SQLITE_OK
        if action == apsw.SQLITE_READ:
            if inside:
                self.views.add(inside.lower())
            return self._reading((first or "").lower(), (second or "").lower())
        if action == apsw.SQLITE_FUNCTION:
            name = (second or "").lower()
            return apsw.SQLITE_OK if name in FUNCTIONS else self._deny(f"D1 does not allow the function {shown(name)}.")
        if action == apsw.SQLITE_PRAGMA:
            return self._pragma((first or "").lower(), second)
        return self._deny("It does more than read.")

    def _reading(self, table: str, column: str) -> int:
        self.read.add((table, column))
        if internal(table):
            return self._deny(INTERNAL)
        # Without a column the name may be a CTE's, which no schema knows; these are tables that SQLite brings itself.
        known = table in self._tables or table in TABLE_FUNCTIONS or table == "sqlite_master"
        if not known and (column or table.startswith(("pragma_", "sqlite_", "carray"))):
            return self._deny(f"D1 does not allow reading {shown(table)}.")
        return apsw.SQLITE_IGNORE if (table, column) in self._secrets else apsw.SQLITE_OK

    def _pragma(self, name: str, argument: str | None) -> int:
        if argument is not None and internal(argument.lower()):
            return self._deny(INTERNAL)
        if name in (PRAGMAS if argument is None else PRAGMAS_WITH_NAME):
            return apsw.SQLITE_OK
        setting = " with a value" if argument is not None and name in PRAGMAS else ""
        return self._deny(f"PRAGMA {shown(name)}{setting} is not a read that D1 allows.")

    def _deny(self, why: str) -> int:
        self.denial = self.denial or why
        return apsw.SQLITE_DENY


INTERNAL = "Names that start with _cf_ are Cloudflare's own and hidden on D1."


def internal(name: str) -> bool:
    """Whether *name* is one of those that D1 keeps for itself."""
    return name[:4].lower() == "_cf_"


def shown(name: str) -> str:
    """*name*, which came from the caller's statement, fit for a sentence."""
    return "".join(each if each.isprintable() else "?" for each in name)[:64]


def refusal(guard: Guard) -> Refused:
    """The failure that says what the guard denied."""
    why = guard.denial or "It does more than read."
    advice = (
        "Send exactly one statement that reads: SELECT, WITH … SELECT, VALUES, EXPLAIN, or a PRAGMA such as table_info."
    )
    if why == INTERNAL:
        advice = r"Leave those tables out, with WHERE name NOT LIKE '\_cf\_%' ESCAPE '\' for example."
    return Refused(f"The statement was not run. {why}", advice=advice)


def harden(connection: apsw.Connection) -> None:
    """Set D1's own limits on *connection*, and take away what could reach past the file."""
    close_off(connection, MODULES)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    # Plans may look at bound values, until masking needs one that stays.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 0)
    for which, value in LIMITS.items():
        connection.limit(which, value)
