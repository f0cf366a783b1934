"""docs/token-health.md explains every verdict, finding, check and reason that the code can give, and no other."""

import re
from pathlib import Path

import pytest

from mcp_daan.tokens import credentials, login, wording
from mcp_daan.tokens.grants import Grants
from mcp_daan.tokens.health import Credentials
from mcp_daan.tokens.verdicts import VERDICTS
from mcp_daan.tools import all_tools

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "token-health.md").read_text(encoding="utf-8")
SOURCES = [
    *sorted((ROOT / "mcp_daan" / "tokens").glob("*.py")),
    *(ROOT / "mcp_daan" / "tools" / f"{name}.py" for name in ("tokens", "portal", "grants", "credentials")),
]
GIVEN = re.compile(r'\b(?:found|KeyProblem|_check|_lies_open)\(\s*"([a-z_0-9]+)"')


def rows(heading: str, level: int = 2) -> list[str]:
    """The names in the first column of the tables under *heading*."""
    text = PAGE.split(f"\n{'#' * level} {heading}\n", 1)[1]
    text = re.split(rf"\n#{{1,{level}}} ", text, maxsplit=1)[0]
    return re.findall(r"^\| `(\w+)` \|", text, re.M)


def test_the_verdicts_are_explained_in_their_order() -> None:
    """Each with what it means and what to do next."""
    assert list(VERDICTS) == rows("Verdicts")


def test_every_finding_and_check_is_explained_and_no_other() -> None:
    """Whoever adds a code adds its line, with the next step."""
    given = {code for source in SOURCES for code in GIVEN.findall(source.read_text(encoding="utf-8"))}
    given |= {code for code, _ in credentials.DEAD.values()}
    explained = {*rows("Findings"), *rows("API keys"), *rows("Grants of the portal's own OAuth provider")}
    explained |= set(rows("Cloudflare's credentials"))
    fields = {
        *Grants.model_fields,
        *(re.sub(r"_(\w)", lambda m: m[1].upper(), each) for each in Credentials.model_fields),
    }

    assert len(given) > 60
    assert given == explained - fields


def test_the_counts_and_fields_are_explained() -> None:
    """Those of grants and of Cloudflare's credentials, with each state that they may have."""
    assert set(Grants.model_fields) <= set(rows("Grants of the portal's own OAuth provider"))
    assert {"source", "status", "expiresOn", "canRead", "canWrite"} <= set(rows("Cloudflare's credentials"))
    for status in (*credentials.Status.__args__, *login.Status.__args__):  # type: ignore[attr-defined]
        assert f"`{status}`" in PAGE


@pytest.mark.parametrize("text", [*wording.STATES.values(), *wording.FAULTS.values(), *wording.MISTAKES.values()])
def test_every_reason_is_explained_in_its_own_words(text: str) -> None:
    """What stands in `evidence` can be looked up."""
    words = text.rsplit("}: ", 1)[-1]

    assert f"| {words} |" in PAGE or words == "there is no such column"


def test_the_brief_for_an_incident_names_findings_and_tools_that_there_are() -> None:
    """An agent is sent to nothing that never comes."""
    brief = (ROOT / "mcp_daan" / "prompts" / "token_incident.en.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9]+_[a-z_0-9]+)`", brief))

    assert len(named) > 10
    assert named <= {*rows("Findings"), *all_tools()}
