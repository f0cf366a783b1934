"""SELECTs that nobody thought of: made by rule, so that it is known beforehand what each column draws on."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TABLES = {
    "users": {"id": False, "email": False, "note": False, "password_hash": True},
    "connections": {
        "id": False, "user_id": False, "provider": False, "order": False, "access_token_enc": True,
        "refresh_token_enc": True, "token_expires_at": False, "tokens_count": False, "token_hint": True,
        "shown": True, "label": False,
    },
    "guesses": {"access_token_enc": True, "key_hash": True, "guess": False},
    "settings": {"name": False, "value": False},
    "plain": {"id": False, "thing": True, "provider": False},
    "deeper": {"number": False, "something": True, "length": True},
}  # fmt: skip
# Their rows lie, or are indexed, in the order of a secret.
ORDERED = {
    "api_keys": {"id": False, "user_id": False, "name": False, "key_id": False, "hash_type": False, "key_hash": True},
    "sessions": {"session_token": True, "user_id": False, "opened_at": False},
    "odd": {"a b": False, "from": True},
    "hashed": {"user_id": False},
    "open_sessions": {"user_id": False},
}
QUOTES = ('"{}"', "[{}]", "`{}`")
KEYWORDS = ("order", "from", "a b")
GAPS = (" ", "\n", " /* access_token_enc, ' */ ", ' -- "shown\n')
WRAPS = (
    "{}", "upper({})", "length({})", "coalesce({}, 'x')", "({}) IS NULL", "{} || 'x'", "CAST({} AS BLOB)",
    "CASE WHEN {} > 'm' THEN 1 ELSE 2 END", "{} IN ('a', 'b')", "json_array({})", "NOT {}", "({})", "typeof({})",
    "{} COLLATE nocase", "{} LIKE 'a%'", "iif({} IS NOT DISTINCT FROM 'x', 1, 2)", "{} BETWEEN 'a' AND 'f'",
)  # fmt: skip
AGGREGATES = (
    "count({})",
    "max({})",
    "group_concat({})",
    "count(DISTINCT {})",
    "sum(length({}))",
    "count(*) FILTER (WHERE {} > 'm')",
)
WINDOWS = (
    "row_number() OVER (ORDER BY {}, {})", "rank() OVER (PARTITION BY {} ORDER BY {})", "max({}) OVER (PARTITION BY {})"
)  # fmt: skip


@dataclass
class Made:
    """A SELECT: its text, its columns' names and whether each draws on a secret, and whether anything else does."""

    sql: str
    columns: list[tuple[str, bool]]
    elsewhere: bool = False
    refused: bool = False


@dataclass
class Names:
    """What a SELECT's expressions can name: the written form and whether it is secret."""

    own: list[tuple[str, bool]]
    outer: "Names | None" = None


class Maker:
    """Makes one statement out of hypothesis's choices."""

    def __init__(self, draw: st.DrawFn, tables: dict[str, dict[str, bool]]) -> None:
        self.draw = draw
        self.tables = tables
        self.count = 0

    def pick(self, choices):
        return self.draw(st.sampled_from(list(choices)))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent

    def fresh(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def written(self, name: str) -> str:
        return self.pick(QUOTES).format(name) if name in KEYWORDS or self.chance(20) else name

    def statement(self, depth: int, outer: Names | None = None, width: int | None = None, ctes=None) -> Made:
        """A SELECT with its WITH, its compound and its ORDER BY."""
        ctes, heads = dict(ctes or {}), []
        if depth and self.chance(25):
            name, body = self.fresh(), self.statement(depth - 1, outer, ctes=ctes)
            columns = [(f"{name}_{at}", secret) for at, (_, secret) in enumerate(body.columns)]
            listed = ", ".join(column for column, _ in columns)
            kept = self.pick(("", "MATERIALIZED ", "NOT MATERIALIZED "))
            heads = [f"WITH {name} ({listed}) AS {kept}({body.sql})"]
            ctes[name] = Made("", columns, body.elsewhere, body.refused)
        made = self.core(depth, outer, width, ctes)
        if self.chance(15):
            other = self.core(depth, outer, len(made.columns), ctes)
            operator = self.pick(("UNION ALL", "UNION ALL", "UNION", "EXCEPT"))
            drawn = [
                (name, secret or also) for (name, secret), (_, also) in zip(made.columns, other.columns, strict=True)
            ]
            made = Made(
                f"{made.sql} {operator} {other.sql}",
                drawn,
                made.elsewhere or other.elsewhere,
                made.refused or other.refused or (operator != "UNION ALL" and any(secret for _, secret in drawn)),
            )
        if self.chance(20):
            place = self.draw(st.integers(1, len(made.columns)))
            name, secret = made.columns[place - 1]
            term = self.pick((str(place), name)) if name.startswith("n") and name[1:].isdigit() else str(place)
            made.sql += f" ORDER BY {term}{self.pick(('', ' DESC', ' ASC NULLS LAST'))}"
            made.elsewhere |= secret
        made.sql = " ".join([*heads, made.sql])
        return made

    def core(self, depth: int, outer: Names | None, width: int | None, ctes) -> Made:
        """One SELECT from one source or two."""
        made, names, gap = Made("", []), Names([], outer), self.pick(GAPS)
        sources = [self.source(made, names, depth, ctes) for _ in range(self.draw(st.integers(1, 2)))]
        grouped, results = self.chance(15), []
        if width is None and not grouped and self.chance(25):
            alias, columns = self.pick(sources)[1:]
            results.append(f"{alias}.*")
            made.columns += columns
        for _ in range(width or self.draw(st.integers(1, 3))):
            results.append(self.result(made, names, depth, grouped))
        distinct = self.chance(8)
        made.refused |= distinct and any(secret for _, secret in made.columns)
        join = self.pick((", ", " JOIN ", " LEFT JOIN "))
        parts = [f"SELECT{' DISTINCT' if distinct else ''} {(',' + gap).join(results)}"]
        parts.append("FROM " + join.join(text for text, *_ in sources))
        if len(sources) > 1 and join != ", " and self.chance(50):
            parts.append("ON " + self.filter(made, names, depth))
        if self.chance(30):
            parts.append("WHERE " + self.filter(made, names, depth))
        if grouped:
            text, secret = self.pick(names.own)
            parts.append(f"GROUP BY {text}")
            made.refused |= secret
        made.sql = gap.join(parts)
        return made

    def source(self, made: Made, names: Names, depth: int, ctes) -> tuple[str, str, list[tuple[str, bool]]]:
        """A table, view, CTE or subquery under an alias of its own."""
        alias = self.fresh()
        table = None if depth and self.chance(40) else self.pick([*self.tables, *ctes])
        if table is None:
            inner = self.statement(depth - 1, names.outer, ctes=ctes)
            written = f"({inner.sql})"
        else:
            inner = ctes[table] if table in ctes else Made("", list(self.tables[table].items()))
            written = self.written(table)
        made.elsewhere |= inner.elsewhere
        made.refused |= inner.refused
        names.own += [(f"{alias}.{self.written(column)}", secret) for column, secret in inner.columns]
        return f"{written}{self.pick((' ', ' AS '))}{alias}", alias, inner.columns

    def result(self, made: Made, names: Names, depth: int, grouped: bool) -> str:
        if grouped:
            text, secret = self.pick(names.own)
            each = Made(self.pick(AGGREGATES).format(text), [("", secret)])
        elif self.chance(10):
            (text, secret), (other, also) = self.pick(names.own), self.pick(names.own)
            each = Made(self.pick(WINDOWS).format(text, other), [("", secret or also)])
        else:
            each = self.expression(names, depth)
        alias = self.fresh()
        made.columns.append((alias, each.columns[0][1]))
        made.refused |= each.refused
        return f"{each.sql}{self.pick((' ', ' AS '))}{self.written(alias)}"

    def filter(self, made: Made, names: Names, depth: int) -> str:
        each = self.expression(names, depth)
        made.elsewhere |= each.columns[0][1]
        made.refused |= each.refused
        return f"{each.sql} > 'b'"

    def expression(self, names: Names, depth: int) -> Made:
        kind = self.draw(st.integers(0, 9))
        if kind == 0:
            return Made(self.pick(("1", "'access_token_enc'", "NULL", "x'00'")), [("", False)])
        if kind == 1 and depth:
            inner = self.statement(depth - 1, names, width=1)
            form = self.pick(("({})", "EXISTS ({})", "1 IN ({})", "('x') NOT IN ({})"))
            secret = inner.elsewhere or (not form.startswith("EXISTS") and inner.columns[0][1])
            return Made(form.format(inner.sql), [("", secret)], refused=inner.refused)
        text, secret = self.operand(names)
        if kind < 7:
            return Made(self.pick(WRAPS).format(text), [("", secret)])
        other, also = self.operand(names)
        return Made(f"coalesce({text},{self.pick(GAPS)}{other})", [("", secret or also)])

    def operand(self, names: Names) -> tuple[str, bool]:
        """A column of this SELECT, sometimes of one around it."""
        place = names.outer if names.outer is not None and self.chance(20) else names
        return self.pick(place.own)


@st.composite
def statements(draw: st.DrawFn, tables: dict[str, dict[str, bool]]) -> Made:
    """A SELECT of up to three levels."""
    return Maker(draw, tables).statement(draw(st.integers(0, 3)))


THOROUGH = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@THOROUGH
@given(made=statements(TABLES | ORDERED))
def test_each_column_is_masked_exactly_if_it_draws_on_a_secret(vault, made):
    """Masks, use elsewhere and refusals are those that follow from how the statement was made."""
    asked = vault.ask(made.sql)

    if made.refused:
        assert asked.failure == "refused"
    else:
        assert tuple(secret for _, secret in made.columns) == asked.masks.columns
        assert made.elsewhere == bool(asked.masks.elsewhere)


@THOROUGH
@given(made=statements(TABLES | ORDERED))
def test_secrets_make_no_difference_to_a_made_answer(vault, twin, made):
    """Two databases that differ only in their secret values answer alike."""

    assert vault.ask(made.sql) == twin.ask(made.sql)


@THOROUGH
@given(made=statements(TABLES))
def test_what_stays_readable_does_not_depend_on_secrets_even_where_nothing_hides_them(vault, twin, made):
    """With the engine's guard off, the readable columns of a statement without secrets elsewhere are still the same."""
    masks = vault.ask(made.sql).masks
    if masks is None or masks.elsewhere:
        return
    seen = []
    for each in (vault, twin):
        each.connection.authorizer = None
        rows = each.connection.execute(masks.statement).fetchall()
        each.connection.authorizer = each.guard
        seen.append(
            Counter(tuple(v for v, masked in zip(row, masks.columns, strict=True) if not masked) for row in rows)
        )

    assert seen[0] == seen[1]
