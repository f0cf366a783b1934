"""A page ends exactly where its room does, and takes no row more than it needs."""

import json
import math
from collections.abc import Iterator
from random import Random

import pytest

from mcp_daan.d1.page import FORM, MOST_JSON_BYTES, Row, collected, marshal
from mcp_daan.d1.values import BrokenText, SQLValue, to_wire

TEXTS = ("", "a", "\x01" * 40, "é漢😀", '"\\\n', "x" * 300, "same", "same")
VALUES: tuple[SQLValue, ...] = (
    *TEXTS,
    *(None, 0, -1, 2**53, -(2**63), 2**63 - 1, 0.1, -1.2345678901234567e-300, math.inf, -math.inf),
    *(b"", b"\xff", b"\xff" * 33, b"\xff" * 10_000, BrokenText(b""), BrokenText(b"\xed" * 40)),
)


def made(random: Random, rows: int) -> list[Row]:
    """Rows of chance, three columns wide."""
    return [tuple(random.choice(VALUES) for _ in range(3)) for _ in range(rows)]


def size(row: Row) -> int:
    """The bytes of *row* in an answer, its comma counted."""
    wire = json.dumps([to_wire(value) for value in row], ensure_ascii=False, separators=(",", ":"))
    return len(wire.encode()) + 1


@pytest.mark.parametrize("value", VALUES)
def test_no_value_takes_more_json_than_it_is_weighed_at(value: SQLValue) -> None:
    """Rows that are weighed at less than the room need not be measured one by one."""
    assert size((value,)) <= MOST_JSON_BYTES * len(marshal.dumps((value,), FORM))
    assert size((value,) * 3) <= MOST_JSON_BYTES * len(marshal.dumps((value,) * 3, FORM))


@pytest.mark.parametrize("seed", range(60))
def test_a_page_holds_the_rows_that_there_is_room_for_and_reads_no_further(seed: int) -> None:
    """Row by row, as one would count by hand; the one that it ends at is the last that is taken."""
    random = Random(seed)
    rows = made(random, random.randrange(1, 60))
    limit, room = random.randrange(1, 60), random.randrange(size(rows[0]), 6000)
    fits = 0
    while fits < min(limit, len(rows)) and sum(map(size, rows[: fits + 1])) <= room:
        fits += 1
    taken: list[Row] = []

    def counted() -> Iterator[Row]:
        for row in rows:
            taken.append(row)
            yield row

    page = collected(counted(), 0, limit, room, [False] * 3)

    assert json.loads(page.text) == [[to_wire(value) for value in row] for row in rows[:fits]]
    assert (page.row_count, page.more, page.cut) == (fits, fits < len(rows), fits < min(limit, len(rows)))
    assert len(taken) == min(fits + 1, len(rows))


@pytest.mark.parametrize("seed", range(20))
def test_the_digest_of_rows_is_the_same_wherever_they_were_read(seed: int) -> None:
    """Of a page, and of the rows before the next one."""
    random = Random(seed)
    rows = made(random, 50)
    cut = random.randrange(1, 49)

    first = collected(iter(rows), 0, cut, 10**6, [False, True, False])
    second = collected(iter(rows), cut, 10, 10**6, [False, True, False])
    other = collected(iter([rows[-1], *rows[1:]]), cut, 10, 10**6, [False, True, False])

    assert first.seen == second.skipped
    assert (other.skipped == second.skipped) == (to_shown(rows[0]) == to_shown(rows[-1]))


def to_shown(row: Row) -> list[object]:
    """What is seen of *row* where its second column is masked."""
    return [to_wire(row[0]), type(row[0]), to_wire(row[2]), type(row[2])]
