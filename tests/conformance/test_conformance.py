"""The protocol's own conformance suite, in its newest and its released version, against our application over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.suite import (
    FIXTURES,
    FREE,
    PLAIN,
    SKILL,
    SKILLS,
    counts,
    run,
    scored,
    serving,
    workspace,
)

REVISIONS = pytest.mark.parametrize("revision", FREE)
# How many scenarios a revision requires of a server; the suite's package is pinned.
REQUIRED = {"2025-11-25": 30, "2026-07-28": 37}


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A demo workspace for the whole file."""
    with workspace() as made:
        yield made


@pytest.fixture(scope="module")
def fixtures(root: Path) -> Iterator[str]:
    """Our application with the suite's fixtures in it."""
    with serving(FIXTURES, root) as url:
        yield url


@pytest.fixture(scope="module")
def plain(root: Path) -> Iterator[str]:
    """`mcp-daan serve --http`, as it is."""
    with serving(PLAIN, root) as url:
        yield url


@REVISIONS
def test_every_scored_scenario_of_the_newest_suite_passes(fixtures: str, revision: str) -> None:
    """All that a revision requires of a server."""
    code, printed = run("conformance", fixtures, "--requirements", revision)
    found = scored(printed)

    assert {name: count for name, count in found.items() if count[1]} == {}
    assert (code, len(found)) == (0, REQUIRED[revision])


def test_every_active_scenario_of_the_released_suite_passes(fixtures: str) -> None:
    """Version 0.1.16, which other implementations are measured by."""
    code, printed = run("conformance-old", fixtures)
    found = counts(printed)

    assert {name: count for name, count in found.items() if count[1]} == {}
    assert (code, sum(passed for passed, _ in found.values()) >= 40) == (0, True)


@REVISIONS
def test_the_plain_server_passes_what_needs_no_fixture(plain: str, revision: str) -> None:
    """What a team gets, without anything added for the suite."""
    found = counts(run("conformance", plain, "--requirements", revision)[1])

    assert {name: found[name] for name in FREE[revision] if found[name][1]} == {}


@pytest.mark.parametrize("scenario", SKILLS)
def test_the_skills_extension_is_served_as_its_proposal_says(plain: str, scenario: str) -> None:
    """SEP-2640: listing, getting, reading the files; nothing fails and nothing is warned of."""
    code, printed = run("conformance", plain, "--scenario", scenario)
    passed, total, failed, warned = SKILL.findall(printed)[0]

    assert (code, passed, failed, warned) == (0, total, "0", "0")
