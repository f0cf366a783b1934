"""Which columns of a database hold a secret: by name, by configuration, and by what the schema derives from those."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import apsw

from mcp_daan.d1.ddl import EMPTY_DEFAULTS, tells
from mcp_daan.d1.masking.catalog import Catalog, Index, Relation, Secret, Secrets, quoted, read_catalog, unguarded
from mcp_daan.d1.masking.probe import prepare
from mcp_daan.d1.masking.words import Token, tokens
from mcp_daan.secret_names import secret_name

# Shadow tables of FTS5, FTS3/4 and R*Tree hold a virtual table's content under other names.
_SHADOWS = frozenset("data idx content docsize segments segdir stat node parent rowid".split())
# Numbers by which a virtual table finds its own rows and pages; without them it could not read itself.
_PLUMBING = frozenset(
    "id docid rowid segid pgno nodeno parentnode blockid level idx start_block leaves_end_block end_block".split()
)
# Virtual tables that show the words inside another one.
_VOCABULARIES = frozenset({"fts5vocab", "fts4aux"})
_SAMPLES = {"sqlite_stat1": ("stat",), "sqlite_stat3": ("neq", "nlt", "ndlt", "sample")}
_SAMPLES["sqlite_stat4"] = _SAMPLES["sqlite_stat3"]

SCHEMA_TEXT = ("sqlite_master", "sql")
REFERENCES, SEQUENCE = ("pragma_foreign_key_check", "rowid"), ("sqlite_sequence", "seq")
DEFAULTS = frozenset({("pragma_table_info", "dflt_value"), ("pragma_table_xinfo", "dflt_value")})


def secret_columns(connection: apsw.Connection, patterns: Sequence[str]) -> Secrets:
    """The (table, column) pairs, lower-case, that hold a secret or anything the schema draws from one.

    *patterns* are `table.column`, `column` for any table, or either with the wildcards of fnmatch.
    """
    catalog = read_catalog(connection)
    key = ("secrets", tuple(patterns))
    if key not in catalog.memory:
        catalog.memory[key] = _close(connection, catalog, patterns)
    found: Secrets = catalog.memory[key]
    holders = {table for table, _ in found if table in catalog.relations and catalog.relations[table].kind == "virtual"}
    with unguarded(connection) as cursor:
        for table in holders:
            # On its first use a virtual table reads tables of its own; later, NULL in them would look like damage.
            cursor.execute(f"PRAGMA main.table_xinfo({quoted(table)})").fetchall()
    return found


def secret_indexes(catalog: Catalog, secrets: Secrets) -> list[Index]:
    """The indexes whose columns, expressions or WHERE draw on a secret."""
    return [index for index in catalog.indexes if any((index.table, word) in secrets for word in index.words)]


def kept_in_secret_order(relation: Relation, secrets: Secrets) -> bool:
    """Whether the rows of a table lie in the order of a secret: its key, or its whole order WITHOUT ROWID."""
    return any((relation.name, column) in secrets for column in (relation.key, *relation.primary) if column)


def tables_in_secret_order(catalog: Catalog, secrets: Secrets) -> tuple[frozenset[str], frozenset[str]]:
    """The tables with an index that draws on a secret, and those that lie in a secret's order themselves."""
    key = ("order", secrets)
    if key not in catalog.memory:
        indexed = frozenset(index.table for index in secret_indexes(catalog, secrets))
        kept = frozenset(each.name for each in catalog.relations.values() if kept_in_secret_order(each, secrets))
        catalog.memory[key] = (indexed, kept)
    found: tuple[frozenset[str], frozenset[str]] = catalog.memory[key]
    return found


def _close(connection: apsw.Connection, catalog: Catalog, patterns: Sequence[str]) -> Secrets:
    found: set[Secret] = {
        (relation.name, column)
        for relation in catalog.relations.values()
        for column, declared in zip(relation.columns, relation.declared, strict=True)
        if secret_name(declared) or any(_matches(pattern, relation.name, column) for pattern in patterns)
    }
    size = -1
    while size < len(found):
        size = len(found)
        found |= _copied(catalog, found)
        for relation in catalog.relations.values():
            found |= _derived(connection, catalog, relation, found)
    whole = frozenset(found)
    if secret_indexes(catalog, whole) or any(kept_in_secret_order(each, whole) for each in catalog.relations.values()):
        found |= {(table, column) for table, columns in _SAMPLES.items() for column in columns}
    return frozenset(found | _told_by_schema(connection, whole) | _told_by_keys(connection, catalog, whole))


def _copied(catalog: Catalog, secrets: set[Secret]) -> set[Secret]:
    """The columns that triggers fill from secrets."""
    if not catalog.triggers:
        return set()
    # Reading statements is slow to load, and most databases have no trigger.
    from mcp_daan.d1.masking.triggers import copied_secrets

    return copied_secrets(catalog, secrets)


def _told_by_keys(connection: apsw.Connection, catalog: Catalog, secrets: Secrets) -> set[Secret]:
    """What shows a key that is a secret as the number of a row: lists of lost references, and the last number given."""
    keys = [each.name for each in catalog.relations.values() if (each.name, each.key) in secrets]
    found = {SEQUENCE} if keys and SEQUENCE[0] in catalog.relations else set()
    with unguarded(connection) as cursor:
        if any(cursor.execute(f"PRAGMA main.foreign_key_list({quoted(name)})").fetchall() for name in keys):
            found.add(REFERENCES)
    return found


def _told_by_schema(connection: apsw.Connection, secrets: Secrets) -> set[Secret]:
    """The columns that show literals beside secret columns: of the schema's own text, and of the lists of columns."""
    found: set[Secret] = set()
    names = {column for _, column in secrets}
    with unguarded(connection) as cursor:
        texts = cursor.execute("SELECT sql FROM main.sqlite_schema WHERE sql IS NOT NULL").fetchall()
        if any(tells(str(text), names) for (text,) in texts):
            found.add(SCHEMA_TEXT)
        for table in {table for table, _ in secrets}:
            rows = cursor.execute(f"PRAGMA main.table_xinfo({quoted(table)})").fetchall()
            told = {str(name).lower() for _, name, _, _, default, *_ in rows if _speaks(default)}
            if any((table, name) in secrets for name in told):
                found |= DEFAULTS
    return found


def _speaks(default: object) -> bool:
    return default is not None and str(default).upper() not in EMPTY_DEFAULTS


def _derived(connection: apsw.Connection, catalog: Catalog, relation: Relation, secrets: set[Secret]) -> set[Secret]:
    """What the columns of one relation draw from *secrets*: generated ones, and all of a virtual table."""
    if relation.kind != "virtual":
        return _generated(relation, secrets)
    if relation.module in _VOCABULARIES and _arguments(relation) & {table for table, _ in secrets}:
        return {(relation.name, column) for column in relation.columns}
    return _sealed(catalog, relation) if _holds_secret(connection, relation, secrets) else set()


def _matches(pattern: str, table: str, column: str) -> bool:
    where, dot, what = pattern.lower().rpartition(".")
    return fnmatchcase(column, what) and (not dot or fnmatchcase(table, where))


def _generated(relation: Relation, secrets: set[Secret]) -> set[Secret]:
    """The generated columns that draw on a secret, be it through another generated column."""
    found: set[Secret] = set()
    definitions = _definitions(relation.sql) if relation.generated else {}
    for _ in relation.generated:
        for column in relation.generated:
            # A definition that is not found may draw on anything.
            words = definitions.get(column, frozenset(relation.columns))
            if any((relation.name, word) in secrets | found for word in words):
                found.add((relation.name, column))
    return found


def _definitions(sql: str) -> dict[str, frozenset[str]]:
    """The names that stand in the expression of each generated column."""
    found = {}
    for definition in _listed(sql):
        depth, start = 0, 0
        for at, token in enumerate(definition):
            if token.word == "AS" and not depth:  # within parentheses it belongs to a CAST
                start = at
            depth += {"(": 1, ")": -1}.get(token.word, 0)
            if start and not depth and token.word == ")":
                found[definition[0].name] = frozenset(each.name for each in definition[start:at])
                break
    return found


def _listed(sql: str) -> list[list[Token]]:
    """What stands between the outermost parentheses of a CREATE statement, cut at its commas."""
    entries: list[list[Token]] = [[]]
    depth = 0
    for token in tokens(sql):
        depth -= token.word == ")"
        if depth == 1 and token.word == ",":
            entries.append([])
        elif depth:
            entries[-1].append(token)
        depth += token.word == "("
    return [entry for entry in entries if entry]


def _arguments(relation: Relation) -> set[str]:
    """Every name in a virtual table's arguments."""
    return {token.name for entry in _listed(relation.sql) for token in entry if token.name}


def _holds_secret(connection: apsw.Connection, relation: Relation, secrets: set[Secret]) -> bool:
    if any(table == relation.name for table, _ in secrets):
        return True
    if not relation.columns:
        # Its module is not there to tell its columns, but what it left in its shadow tables can be read.
        return any(secret_name(relation.sql[token.start : token.end]) for token in tokens(relation.sql))
    content = next((entry[2].name for entry in _listed(relation.sql) if _is_content(entry)), None)
    if not content:
        return False
    return any(_drawn(connection, content, column, secrets) for column in relation.visible)


def _is_content(entry: list[Token]) -> bool:
    return len(entry) > 2 and entry[0].name == "content" and entry[1].word == "="


def _drawn(connection: apsw.Connection, content: str, column: str, secrets: set[Secret]) -> bool:
    """Whether *column* of the table or view *content*, which an index of words is built from, reads a secret."""
    with unguarded(connection):
        try:
            read = prepare(connection, f"SELECT {quoted(column)} FROM main.{quoted(content)}", frozenset()).reads
        except apsw.SQLError:
            return False  # There is no such content to read.
    return not read.isdisjoint(secrets)


def _sealed(catalog: Catalog, relation: Relation) -> set[Secret]:
    """All of a virtual table, hidden columns and shadow tables included."""
    found = {(relation.name, column) for column in relation.columns}
    for other in catalog.relations.values():
        stem, _, suffix = other.name.rpartition("_")
        if stem == relation.name and suffix in _SHADOWS:
            found |= {(other.name, column) for column in other.columns if column not in _PLUMBING}
    return found
