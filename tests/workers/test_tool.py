"""The tool: one app, pages, what cannot be seen, and its page in the docs."""

import json
import re
from pathlib import Path

from mcp_daan.limits import AS_OF
from mcp_daan.workers.configuration.known import carried
from mcp_daan.workers.finding import SEVERITIES
from tests.workers.faults import D1, OTHER, worker
from tests.workers.planted import checked, found, written

PAGE = (Path(__file__).parents[2] / "docs" / "workers-check.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| ([a-z, ]+) \|", re.M)


def two_apps(workspace: Path) -> None:
    """One with a fault, one without."""
    for name, keys in (("good", {}), ("bad", {"unheard_of": 1})):
        written(workspace / "apps" / name, worker(**keys).items())
        file = workspace / "apps" / name / "wrangler.jsonc"
        file.write_text(file.read_text().replace('"api"', f'"{name}"'))


def test_every_finding_has_its_row_in_the_docs_and_no_other() -> None:
    """With its severity, first among several."""
    rows = {code: severity.split(", ")[0] for code, severity in ROW.findall(PAGE)}

    assert rows == SEVERITIES


def test_the_docs_name_the_list_and_the_day_of_the_limits() -> None:
    """Both are facts of a day."""
    assert f"wrangler {carried().version}" in PAGE
    assert f"as of {AS_OF}" in PAGE


def test_an_app_says_what_it_is_and_what_it_finds_on_env(workspace: Path) -> None:
    """Names, types, targets and lines; of variables the name only."""
    keys = {
        "vars": {"STAGE": "dev", "DEEP": {"a": 1}},
        "secrets": {"required": ["KEY"]},
        "d1_databases": [D1],
        "ai": {"binding": "AI"},
        "env": {
            "live": {
                "vars": {"STAGE": "live", "DEEP": {}},
                "secrets": {"required": ["KEY"]},
                "d1_databases": [{**D1, "database_id": OTHER}],
                "ai": {"binding": "AI"},
            }
        },
    }
    written(workspace, worker(**keys).items())
    answer = checked(workspace)
    (app,) = answer["data"]["apps"]

    assert found(answer) == []
    assert {key: app[key] for key in ("name", "path", "kind", "config", "compatibilityDate", "environments")} == {
        "name": "api",
        "path": ".",
        "kind": "worker",
        "config": "wrangler.jsonc",
        "compatibilityDate": "2026-09-01",
        "environments": ["live"],
    }
    assert [
        (each["name"], each["type"], each["target"]) for each in app["bindings"] if each["environment"] is None
    ] == [
        ("DB", "d1", "data"),
        ("AI", "ai", None),
        ("STAGE", "plain_text", None),
        ("DEEP", "json", None),
        ("KEY", "secret_text", None),
    ]
    lines = (workspace / "wrangler.jsonc").read_text().split("\n")
    live = {each["name"]: lines[each["line"] - 1].strip() for each in app["bindings"] if each["environment"] == "live"}
    assert live == {
        "DB": "{",
        "AI": '"ai": {',
        "STAGE": '"STAGE": "live",',
        "DEEP": '"DEEP": {}',
        "KEY": '"KEY"',
    }


def test_one_app_is_asked_for_by_its_name(workspace: Path) -> None:
    """Only it and its findings are told."""
    two_apps(workspace)

    assert [app["name"] for app in checked(workspace)["data"]["apps"]] == ["bad", "good"]
    assert [len(checked(workspace, app=name)["data"]["findings"]) for name in ("good", "bad")] == [0, 1]
    assert checked(workspace, app="bad")["data"]["counts"] == {"error": 0, "warning": 1, "info": 0}


def test_an_unknown_app_is_an_error_that_lists_the_known_ones(workspace: Path) -> None:
    """The next call can be right."""
    two_apps(workspace)
    answer = checked(workspace, app="other")

    assert (answer["error"]["code"], answer["recommendations"]) == ("not_found", ["The apps are: `bad`, `good`."])


def test_a_workspace_without_wrangler_is_no_error(workspace: Path) -> None:
    """There is nothing to check."""
    answer = checked(workspace)

    assert (answer["status"], answer["data"]["apps"]) == ("complete", [])
    assert answer["summary"] == "There is no wrangler configuration in the workspace."


def test_many_findings_come_in_pages_that_hold_each_once(workspace: Path) -> None:
    """The gravest come first; counts are of all pages."""
    written(workspace, worker(**{f"unheard_{number}_{'x' * 60}": 1 for number in range(200)}, minify="yes").items())
    (workspace / "daan.toml").write_text("[limits]\nmax_answer_bytes = 16384\n")
    pages = [checked(workspace)]
    while (cursor := pages[-1]["data"]["nextCursor"]) is not None:
        pages.append(checked(workspace, cursor=cursor))
    seen = [finding["line"] for page in pages for finding in page["data"]["findings"]]

    assert len(pages) > 2
    assert sorted(seen) == sorted(set(seen))
    assert len(seen) == 201
    assert pages[0]["data"]["findings"][0]["code"] == "value_type"
    assert {page["status"] for page in pages[:-1]} == {"partial"}
    assert [page["data"]["counts"] for page in pages] == [{"error": 1, "warning": 200, "info": 0} for _ in pages]
    assert all(len(json.dumps(page, ensure_ascii=False).encode()) < 2 * 16384 for page in pages)


def test_an_unreadable_configuration_leaves_the_others_checked(workspace: Path) -> None:
    """The answer is partial, and says what it could not see."""
    two_apps(workspace)
    (workspace / "apps" / "good" / "wrangler.jsonc").write_text('{\n  "name": "good",\n  "main" "x"\n}')
    answer = checked(workspace)

    assert (answer["status"], answer["recommendations"][0]) == (
        "partial",
        "Mend `apps/good/wrangler.jsonc`: it cannot be read, so nothing in it was checked.",
    )
    assert found(answer) == [
        ("config_unreadable", "apps/good/wrangler.jsonc", 3),
        ("key_unknown", "apps/bad/wrangler.jsonc", 8),
    ]
