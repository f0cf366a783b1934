"""`mcp-daan doctor`: what was found, what is missing, how to mend it, and nothing of a secret."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcp_daan.app import App
from mcp_daan.demo.workspace import APP, make_workspace
from mcp_daan.setup.checks import Check
from mcp_daan.setup.doctor import doctor, fine, report, run, to_json
from mcp_daan.wrangler import dev_vars
from tests.tokens.cloud import ACCOUNT, TOKEN_ID, Cloud, bad, good

OTHER_KEY = "ab" * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace that no test changes."""
    folder = tmp_path_factory.mktemp("made") / "workspace"
    make_workspace(folder, datetime.now(UTC))
    return folder


@pytest.fixture
def demo(made: Path, workspace: Path) -> Path:
    """A demo workspace of the test's own."""
    shutil.copytree(made, workspace, dirs_exist_ok=True)
    return workspace


def states(found: list[Check], subject: str) -> list[str]:
    return [check.state for check in found if check.subject == subject]


def of(found: list[Check], subject: str) -> Check:
    return next(check for check in found if check.subject == subject)


def sqlite_file(demo: Path) -> Path:
    return next(path for path in (demo / APP).rglob("*.sqlite") if path.name != "metadata.sqlite")


def test_the_demo_lacks_nothing(demo: Path) -> None:
    """Everything is found, the key opens what it sealed, and one migration waits."""
    found = doctor(App(str(demo), {}))

    assert fine(found)
    assert [check for check in found if check.state == "warning"] == []
    assert of(found, "workspace").found == f"{demo} (named by --workspace)"
    assert of(found, "knowledge").found.startswith("docs/knowledge/ in the workspace, ")
    assert of(found, "apps").found == "auth-portal: apps/auth-portal/wrangler.jsonc (astro)"
    assert of(found, "databases").found.startswith("portal-db: 6 tables, ")
    assert "migrations to be applied: 1" in of(found, "databases").found
    assert of(found, "databases").mend == (
        "Run `npx wrangler d1 migrations apply portal-db --local` in apps/auth-portal."
    )
    assert "has the right length and opens 216 sealed values, 10 it does not" in of(found, "key").found
    assert of(found, "git").found.endswith("; on main, default branch main.")


def test_an_empty_workspace_lacks_nothing_that_is_needed(app: App) -> None:
    """The embedded knowledge answers; the rest is noted."""
    found = doctor(app)

    assert fine(found)
    assert {subject: states(found, subject) for subject in ("settings", "apps", "databases", "key", "git")} == {
        "settings": ["note"],
        "apps": ["note"],
        "databases": ["note"],
        "key": ["note"],
        "git": ["note"],
    }
    assert of(found, "knowledge").found.startswith("The embedded one answers")


def test_a_broken_file_of_settings_is_told_with_its_place_and_ends_what_rests_on_it(demo: Path) -> None:
    """Apps and git are told all the same."""
    (demo / "daan.toml").write_text("[limits]\nstatement_seconds = \n")
    found = doctor(App(str(demo), {}))

    assert not fine(found)
    assert of(found, "settings").found == "daan.toml is not valid TOML (at line 2, column 21)."
    assert [check.subject for check in found] == [
        "mcp-daan", "workspace", "settings", "apps", "git", "node"
    ]  # fmt: skip


def test_an_unknown_variable_is_told(workspace: Path) -> None:
    """It would be refused by every call."""
    found = doctor(App(str(workspace), {"DAAN_LIMITS_STATEMENT": "3"}))

    assert states(found, "settings") == ["missing"]


def test_a_workspace_that_is_not_there_is_all_that_is_told(tmp_path: Path) -> None:
    """Named wrongly, or gone since."""
    gone = tmp_path / "gone"
    gone.mkdir()
    later = App(str(gone), {})
    assert later.workspace.root == gone
    gone.rmdir()

    for app in (App(str(tmp_path / "absent"), {}), later):
        found = doctor(app)
        assert not fine(found)
        assert [(check.subject, check.state) for check in found[1:-1]] == [("workspace", "missing")]


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda root: (root / "daan.toml").write_text(""), "the nearest folder upward with daan.toml"),
        (lambda root: subprocess.run(["git", "init", "-q", root], check=True), "the git root"),
        (lambda root: None, "the working folder"),
    ],
)
def test_how_the_workspace_was_chosen_is_told(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[Path], object], said: str
) -> None:
    """By what stands there, where nobody named it."""
    prepare(workspace)
    below = workspace / "below"
    below.mkdir()
    monkeypatch.chdir(below if said != "the working folder" else workspace)
    found = doctor(App(None, {}))

    assert of(found, "workspace").found == f"{workspace} ({said})"


def test_a_workspace_named_by_the_environment_is_told_so(workspace: Path) -> None:
    """An unfilled placeholder does not count."""
    found = doctor(App(None, {"DAAN_WORKSPACE": str(workspace)}))

    assert of(found, "workspace").found == f"{workspace} (named by DAAN_WORKSPACE)"


def test_a_configuration_that_wrangler_cannot_read_is_a_warning(app: App, workspace: Path) -> None:
    """The others are told."""
    (workspace / "wrangler.json").write_text("{")
    found = doctor(app)

    assert fine(found)
    assert of(found, "apps").found.startswith("wrangler.json in workspace/ could not be read at line 1")
    assert of(found, "apps").state == "warning"


def test_a_document_that_is_absent_is_a_warning(demo: Path) -> None:
    """Each of the four is looked for."""
    (demo / "docs/knowledge/backend/VERSION.md").unlink()
    found = doctor(App(str(demo), {}))

    assert [check.found for check in found if check.state == "warning"] == ["backend/VERSION.md is not there."]


def test_a_database_without_a_file_is_a_warning_with_the_command_that_makes_it(demo: Path) -> None:
    """Nothing is lost yet."""
    sqlite_file(demo).unlink()
    found = doctor(App(str(demo), {}))

    assert fine(found)
    assert of(found, "databases") == Check(
        "databases",
        "warning",
        "portal-db has no local file.",
        "Run `npx wrangler d1 migrations apply portal-db --local` in apps/auth-portal.",
    )
    assert states(found, "key") == ["note"]


def test_a_database_that_cannot_be_read_is_missing(demo: Path) -> None:
    """Every question about it would fail."""
    sqlite_file(demo).write_bytes(b"nothing of SQLite" * 1000)
    found = doctor(App(str(demo), {}))

    assert not fine(found)
    assert states(found, "databases") == ["missing"]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "portal-db: 120 connections, and no key."),
        ({"TOKEN_ENCRYPTION_KEY": "too short"}, "does not hold a key of 32 bytes"),
        ({"TOKEN_ENCRYPTION_KEY": OTHER_KEY}, "has the right length and opens none of"),
    ],
)
def test_connections_without_a_key_that_opens_them_lack_something(
    demo: Path, environment: dict[str, str], said: str
) -> None:
    """No key, half a key, or another one."""
    (demo / APP / ".dev.vars").unlink()
    found = doctor(App(str(demo), environment))

    assert states(found, "key") == ["missing"]
    assert said in of(found, "key").found
    assert of(found, "key").mend != ""


def test_a_key_of_the_wrong_length_is_a_warning_where_nothing_needs_it(workspace: Path) -> None:
    """There are no connections."""
    found = doctor(App(str(workspace), {"TOKEN_ENCRYPTION_KEY": "too short"}))

    assert fine(found)
    assert states(found, "key") == ["warning", "note"]


def test_each_database_with_connections_is_held_against_the_key(demo: Path) -> None:
    """Two have such a table, and the key is asked of both."""
    (demo / "copy.sqlite").write_bytes(sqlite_file(demo).read_bytes())
    (demo / "daan.toml").write_text('[d1.databases.copy]\npath = "copy.sqlite"\n')
    found = doctor(App(str(demo), {}))

    assert [(check.state, check.found.split(":")[0]) for check in found if check.subject == "key"] == [
        ("ok", "copy"),
        ("ok", "portal-db"),
    ]


def test_without_git_the_rest_is_told(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Branches are one source among others."""
    monkeypatch.setenv("PATH", "")
    found = doctor(App(str(demo), {}))

    assert fine(found)
    assert states(found, "git") == ["warning"]


def test_secrets_are_told_present_or_absent_and_never_shown(
    demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the key nor a token, in either form of the report."""
    key = dev_vars(demo / APP)["TOKEN_ENCRYPTION_KEY"]
    secret = {"CLOUDFLARE_API_TOKEN": "cfut_" + "x" * 40, "TOKEN_ENCRYPTION_KEY_PREVIOUS": OTHER_KEY}
    nowhere = {"DAAN_CLOUDFLARE_API": "http://127.0.0.1:1/client/v4", "DAAN_LIMITS_CONNECT_SECONDS": "1"}
    codes = [run(App(str(demo), {**secret, **nowhere}), as_json) for as_json in (False, True)]
    said = capsys.readouterr().out

    assert codes == [0, 0]
    assert [value for value in (key, *secret.values()) if value in said] == []
    assert "CLOUDFLARE_API_TOKEN: unverified" in said
    assert "CLOUDFLARE_ACCOUNT_ID is not set" in said


def test_a_secret_in_a_name_is_not_shown_either(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody pasted it in the wrong place."""
    secret = "hunter2-hunter2-hunter2"
    (workspace / "wrangler.json").write_text(json.dumps({"name": secret}))
    run(App(str(workspace), {"CLOUDFLARE_API_TOKEN": secret}), False)

    assert "***: wrangler.json (worker)" in capsys.readouterr().out


def test_the_report_is_one_line_a_check_and_ends_with_the_verdict() -> None:
    """With how to mend it below."""
    found = [Check("git", "ok", "2.40"), Check("key", "missing", "No key\x1b[31m.", "Set it.")]

    assert report(found) == (
        "ok       git          2.40\n"
        "missing  key          No key?[31m.\n"
        "                      -> Set it.\n"
        "\n"
        "1 needed thing is missing.\n"
    )
    assert report(found[:1]).endswith("\n\nNothing that is needed is missing.\n")
    assert json.loads(to_json(found)) == {
        "ok": False,
        "checks": [
            {"subject": "git", "state": "ok", "found": "2.40", "mend": ""},
            {"subject": "key", "state": "missing", "found": "No key\x1b[31m.", "mend": "Set it."},
        ],
    }


def test_the_command_exits_1_when_something_needed_is_missing(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And 0 otherwise."""
    good = run(App(str(workspace), {}), False)
    (workspace / "daan.toml").write_text("[")
    bad = run(App(str(workspace), {}), False)

    assert (good, bad) == (0, 1)
    assert capsys.readouterr().out.endswith("1 needed thing is missing.\n")


def test_the_doctor_writes_nothing_in_the_workspace(demo: Path) -> None:
    """It looks."""

    def look() -> dict[str, tuple[int, int]]:
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in demo.rglob("*")}

    before = look()
    doctor(App(str(demo), dict(os.environ)))

    assert look() == before


def test_the_api_token_and_wrangler_s_login_are_told_without_a_word_of_them(demo: Path, tmp_path: Path) -> None:
    """Alive or dead, until when, what it may read; nothing is renewed."""
    file = tmp_path / ".config" / ".wrangler" / "config" / "default.toml"
    file.parent.mkdir(parents=True)
    file.write_text('oauth_token = "cfoat_x"\nrefresh_token = "cfort_x"\nexpiration_time = "2026-01-01T00:00:00Z"\n')
    file.chmod(0o644)
    cloud = Cloud()
    account = f"accounts/{ACCOUNT}"
    ends = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    cloud.answers = {
        "user/tokens/verify": good({"id": TOKEN_ID, "status": "active", "expires_on": ends}),
        f"{account}/d1/database": good([]),
        f"{account}/storage/kv/namespaces": bad(403, 10000),
        f"{account}/workers/scripts": good([]),
    }
    found = doctor(App(str(demo), {"HOME": str(tmp_path), **cloud.environment("a-token-0123456789")}))
    cloud.close()
    told = [check.found for check in found if check.subject == "credentials"]

    assert (
        "CLOUDFLARE_API_TOKEN: active, ends in 3 d; may read: D1, Workers Scripts; whether it may write is not told."
        in told
    )
    assert any(each.startswith("wrangler is logged in (default): its access token has ended") for each in told)
    assert "CLOUDFLARE_API_TOKEN ends within 7 days." in told
    assert "CLOUDFLARE_API_TOKEN may not read: Workers KV." in told
    assert any("may read `config/default.toml" in each for each in told)
    assert [each for each in told if "cfo" in each or "a-token" in each] == []
