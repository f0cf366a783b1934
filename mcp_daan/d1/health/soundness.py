"""Checks that find what is broken, or will be: damage, lost references, limits."""

from collections.abc import Iterator

import apsw

from mcp_daan.d1.health.examined import ITEMS, Examined, Finding
from mcp_daan.d1.masking.catalog import quoted
from mcp_daan.d1.masking.secrets import kept_in_secret_order

# D1's limits, in bytes.
ROW_BYTES = 2_000_000
FREE_BYTES = 500_000_000
PAID_BYTES = 10_000_000_000
# From here on a limit is near.
NEAR = 0.8


def integrity(examined: Examined) -> Finding:
    """SQLite's own check: the quick one, or the full one that also holds indexes against their tables."""
    pragma = "integrity_check" if examined.deep else "quick_check"
    said = [str(row[0]) for row in examined.rows(f"PRAGMA main.{pragma}({ITEMS + 1})")]
    if said == ["ok"]:
        return Finding(f"The file is sound, by SQLite's {pragma}.")
    # The places are SQLite's words: names and numbers, no values.
    more = "or more " if len(said) > ITEMS else ""
    return Finding(
        f"The file is damaged: {min(len(said), ITEMS)} {more}{'problem' if len(said) == 1 else 'problems'}.",
        "error",
        False,
        [{"text": each[:200]} for each in said[:ITEMS]],
    )


def foreign_keys(examined: Examined) -> Finding:
    """Rows whose declared parent is missing, and foreign keys that cannot work at all."""
    for table in examined.tables:
        try:
            violations = examined.rows(f"PRAGMA main.foreign_key_check({quoted(table)})")
        except apsw.SQLError:
            examined.found.append({"table": table, "text": "refers to columns that are not unique"})
            continue
        counts: dict[str, list[int | None]] = {}
        for _, row, parent, _ in violations:
            counts.setdefault(parent, []).append(row)
        relation = examined.catalog.relations[table.lower()]
        hide = kept_in_secret_order(relation, examined.secrets)
        examined.found += [
            {
                "table": table,
                "parent": parent,
                "rows": len(rows),
                "rowids": [] if hide else [row for row in rows[:5] if row is not None],
            }
            for parent, rows in counts.items()
        ]
    if not examined.found:
        return Finding("Every foreign key finds its row.")
    count = sum(each.get("rows", 0) for each in examined.found)
    return Finding(f"Foreign keys fail: {count} rows refer to rows that are not there.", "error", False, examined.found)


def orphaned_rows(examined: Examined) -> Finding:
    """Rows whose parent, told by the column's name alone, is missing: user_id without REFERENCES, and table users."""
    for table, column, parent, key in _implied(examined):
        here, there = quoted(column), quoted(key)
        lost = examined.rows(
            f"SELECT count(*) FROM main.{quoted(table)} AS c WHERE c.{here} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM main.{quoted(parent)} AS p WHERE p.{there} = c.{here})"
        )[0][0]
        if lost:
            examined.found.append({"table": table, "column": column, "parent": parent, "rows": lost})
    if not examined.found:
        return Finding("No row of a column such as user_id, without a foreign key, lacks its parent.")
    count = sum(each["rows"] for each in examined.found)
    return Finding(
        f"{count} rows seem orphaned: their columns are named after a table, in which there is no such row.",
        "warning",
        False,
        examined.found,
    )


def row_size(examined: Examined) -> Finding:
    """Rows near or over D1's two million bytes; secret columns are not measured."""
    over = False
    for table in examined.tables:
        columns = examined.open_columns(table)
        if not columns:
            continue
        size = " + ".join(f"coalesce(octet_length({quoted(name)}), 0)" for name in columns)
        count, largest = examined.rows(
            f"SELECT count(*), max(size) FROM (SELECT {size} AS size FROM main.{quoted(table)})"
            f" WHERE size > {int(ROW_BYTES * NEAR)}"
        )[0]
        if count:
            examined.found.append({"table": table, "rows": count, "bytes": largest})
            over = over or largest > ROW_BYTES
    if not examined.found:
        return Finding("Every row is well below D1's 2 MB.")
    told = "Rows are larger than D1's 2 MB" if over else "Rows come near D1's 2 MB"
    return Finding(f"{told}.", "error" if over else "warning", False, examined.found)


def database_size(examined: Examined) -> Finding:
    """The file against what D1 keeps."""
    ((pages,),), ((size,),) = examined.rows("PRAGMA main.page_count"), examined.rows("PRAGMA main.page_size")
    return size_found(pages * size)


def size_found(size: int) -> Finding:
    """What *size*, in bytes, means to D1."""
    item = [{"bytes": size}]
    told = f"The database takes {size / 1e6:,.1f} MB"
    if size > PAID_BYTES:
        return Finding(f"{told}: more than D1's 10 GB.", "error", False, item)
    if size > PAID_BYTES * NEAR:
        return Finding(f"{told}: it comes near D1's 10 GB, which cannot be raised.", "warning", False, item)
    if size > FREE_BYTES:
        return Finding(
            f"{told}: more than the 500 MB of the free plan; the paid one keeps 10 GB.", "warning", False, item
        )
    if size > FREE_BYTES * NEAR:
        return Finding(f"{told}: it comes near the 500 MB of the free plan.", "warning", False, item)
    return Finding(f"{told} of 500 MB on the free plan, 10 GB on the paid one.", items=item)


def _implied(examined: Examined) -> Iterator[tuple[str, str, str, str]]:
    """(table, column, parent, its key) wherever a column without a foreign key is named after a table."""
    keys = {}
    for table in examined.tables:
        primary = [name for name, _, place in examined.columns(table) if place]
        if len(primary) == 1 and (table.lower(), primary[0].lower()) not in examined.secrets:
            keys[table.lower()] = (table, primary[0])
    for table in examined.tables:
        declared = {column.lower() for _, columns, _ in examined.references(table) for column in columns}
        for column in examined.open_columns(table):
            stem = column.lower().removesuffix("_id") if column.lower().endswith("_id") else None
            if stem is None or column.lower() in declared:
                continue
            parent = next(
                (keys[name] for name in (f"{stem}s", stem, f"{stem}es", f"{stem[:-1]}ies") if name in keys), None
            )
            if parent is not None and parent[1].lower() in ("id", column.lower()) and parent[0] != table:
                yield table, column, *parent
