"""Checks that find what will cost: missing indexes and keys, columns that are never filled, dates that are none."""

import re
from collections.abc import Sequence

from mcp_daan.d1.health.examined import Examined, Finding
from mcp_daan.d1.masking.catalog import quoted

# Columns that hold a moment, by their name or their type.
_MOMENT = re.compile(r"(?i:(?:^|_)(?:at|on|date|datetime|timestamp))$|[a-z](?:At|On|Date)$")
_MOMENT_TYPE = re.compile(r"(?i)date|timestamp")
NAME_LENGTH = 60


def foreign_key_indexes(examined: Examined) -> Finding:
    """Foreign keys whose columns no index begins with: each change of a parent reads the whole child table."""
    for table in examined.tables:
        indexes = _leading(examined, table)
        for parent, columns, _ in examined.references(table):
            wanted = {column.lower() for column in columns}
            if not any(set(index[: len(wanted)]) == wanted for index in indexes):
                examined.found.append(
                    {"table": table, "columns": list(columns), "parent": parent, "sql": _index(table, columns)}
                )
    if not examined.found:
        return Finding("Every foreign key has an index.")
    return Finding(
        f"{len(examined.found)} foreign {'key has' if len(examined.found) == 1 else 'keys have'} no index: deleting or"
        " renumbering a parent reads the whole table.",
        "warning",
        False,
        examined.found,
    )


def primary_keys(examined: Examined) -> Finding:
    """Tables whose rows nothing but a hidden rowid tells apart."""
    examined.found += [
        {"table": table} for table in examined.tables if not any(place for *_, place in examined.columns(table))
    ]
    if not examined.found:
        return Finding("Every table has a primary key.")
    return Finding(
        f"{len(examined.found)} {'table has' if len(examined.found) == 1 else 'tables have'} no primary key.",
        "warning",
        False,
        examined.found,
    )


def dead_columns(examined: Examined) -> Finding:
    """Columns that are NULL in every row of a table that has rows; secret ones are not looked at."""
    for table in examined.tables:
        columns = examined.open_columns(table)
        counts = ", ".join(["count(*)", *(f"count({quoted(name)})" for name in columns)])
        rows, *filled = examined.rows(f"SELECT {counts} FROM main.{quoted(table)}")[0]
        examined.found += [
            {"table": table, "column": name, "rows": rows}
            for name, count in zip(columns, filled, strict=True)
            if rows and not count
        ]
    if not examined.found:
        return Finding("Every column is filled somewhere.")
    return Finding(
        f"{len(examined.found)} {'column is' if len(examined.found) == 1 else 'columns are'} NULL in every row.",
        "info",
        False,
        examined.found,
    )


def text_dates(examined: Examined) -> Finding:
    """Columns of moments in which some texts are no dates that SQLite reads, or numbers stand beside texts."""
    for table in examined.tables:
        visible = set(examined.open_columns(table))
        for name, declared, _ in examined.columns(table):
            if name in visible and (_MOMENT.search(name) or _MOMENT_TYPE.search(declared)):
                examined.found += _dates(examined, table, name)
    if not examined.found:
        return Finding("Every text in a column of dates is a date.")
    return Finding(
        "Columns of dates hold texts that SQLite reads as no date, or numbers beside texts, which sort apart.",
        "warning",
        False,
        examined.found,
    )


def _dates(examined: Examined, table: str, column: str) -> list[dict[str, object]]:
    name = quoted(column)
    # A date begins YYYY-MM-DD and is one of the calendar: SQLite would read 30 February, a bare number, and `now`.
    wrong = (
        f"typeof({name}) = 'text' AND (date(substr({name}, 1, 10)) IS NOT substr({name}, 1, 10)"
        f" OR julianday({name}) IS NULL)"
    )
    texts, numbers, bad = examined.rows(
        f"SELECT count(*) FILTER (WHERE typeof({name}) = 'text'),"
        f" count(*) FILTER (WHERE typeof({name}) IN ('integer', 'real')), count(*) FILTER (WHERE {wrong})"
        f" FROM main.{quoted(table)}"
    )[0]
    if not bad and not (texts and numbers):
        return []
    find = wrong if bad else f"typeof({name}) <> 'text'"
    return [
        {
            "table": table,
            "column": column,
            "rows": bad,
            "texts": texts,
            "numbers": numbers,
            "sql": f"SELECT * FROM {quoted(table)} WHERE {find}",
        }
    ]


def _leading(examined: Examined, table: str) -> list[list[str]]:
    """The columns of each index that every row is in, the primary key of INTEGER rows among them."""
    primary = [name for name, declared, place in examined.columns(table) if place and declared.upper() == "INTEGER"]
    keys = [name for name, _, place in examined.columns(table) if place]
    found = [[primary[0].lower()]] if len(primary) == 1 == len(keys) else []
    for _, index, _, _, partial in examined.rows(f"PRAGMA main.index_list({quoted(table)})"):
        columns = [
            (column or "").lower()
            for _, _, column, _, _, key in examined.rows(f"PRAGMA main.index_xinfo({quoted(index)})")
            if key
        ]
        if not partial or _only_filled(examined, index, columns[0]):
            found.append(columns)
    return found


def _only_filled(examined: Examined, index: str, column: str) -> bool:
    """Whether a partial index leaves out nothing but NULLs of its first column, which no parent has."""
    ((sql,),) = examined.rows("SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = ?", index)
    condition = re.split(r"(?i)\bwhere\b", sql)[-1]
    return (
        re.fullmatch(rf"(?i)[\s(]*[\"`\[]?{re.escape(column)}[\"`\]]?\s+is\s+not\s+null[\s)]*", condition) is not None
    )


def _index(table: str, columns: Sequence[str]) -> str:
    name = "_".join(["idx", table, *columns])[:NAME_LENGTH]
    return f"CREATE INDEX {quoted(name)} ON {quoted(table)} ({', '.join(quoted(each) for each in columns)})"
