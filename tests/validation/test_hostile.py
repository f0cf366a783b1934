"""Documents that no person writes: reading them ends, and fails nothing."""

import time

import pytest

HOSTILE = {
    "open tags": "<a " * 60_000,
    "brackets": "[" * 60_000,
    "parentheses": "](" * 40_000,
    "quotes": "> " * 20_000 + "x",
    "lists": "- " * 5_000 + "x",
    "pipes": "| a " * 20_000 + "\n" + "|---" * 20_000,
    "ticks": "`" * 50_000,
    "numbers": "Worker size limit " + "1 " * 40_000,
    "digits": "Worker limit " + "1" * 60_000 + " MB",
    "units": "Worker size limit " + "MB free " * 20_000,
    "dots": "D1 limit. " * 20_000,
    "dates": "2026-11-2" * 20_000,
    "path": "`" + "a/" * 40_000 + "`",
    "heading": "# " + "table " * 30_000,
    "names": "Columns: " + "a, " * 30_000,
    "statement": "```sql\nCREATE TABLE t (" + "(" * 50_000 + "\n```",
    "diagram": "```mermaid\nerDiagram\n" + "a ||--o{ " * 20_000 + "\n```",
    "nulls": "\x00" * 10_000,
    "surrogates and marks": "\u202e\ufeff\u2028" * 5_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_read_in_time(team, text) -> None:
    """Patterns that run for ever would hold up every task."""
    team.document("HOSTILE.md", f"# Workers and D1 limits\n\n## users\n\n{text}\n")
    begin = time.monotonic()
    answer = team.call()

    assert answer.error is None
    assert time.monotonic() - begin < 20
