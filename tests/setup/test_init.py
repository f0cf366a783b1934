"""`mcp-daan init`: a file for what is there, which can be read back whatever of it is uncommented."""

import os
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_daan.app import App
from mcp_daan.config import Settings, read_settings
from mcp_daan.demo.workspace import make_workspace
from mcp_daan.errors import Conflict
from mcp_daan.setup.init import init, run, write

SETTING = re.compile(r"(?m)^#(?=[\w\[])")
BINDING = '{"name": "shop", "d1_databases": [{"binding": "DB", "database_name": "shop-db", "database_id": "1"}]%s}'


def test_what_is_written_sets_nothing_but_the_defaults(app: App, workspace: Path) -> None:
    """Every setting stands commented out where nothing differs."""
    write(app)

    assert read_settings(workspace, {}) == Settings()


def test_each_line_can_be_uncommented_alone_and_all_together(app: App, workspace: Path) -> None:
    """Every example is a valid setting, and the file says all that it can say."""
    text = init(app)
    places = [match.start() for match in SETTING.finditer(text)]
    for place in places:
        line = text[place + 1 :].split("\n", 1)[0]
        if not line.startswith("["):
            (workspace / "daan.toml").write_text(text[:place] + text[place + 1 :])
            if "archive" not in line:  # the path of a database wants the table above it
                read_settings(workspace, {})
    (workspace / "daan.toml").write_text(SETTING.sub("", text))
    settings = read_settings(workspace, {})

    assert len(places) > 15
    assert settings.d1.databases["archive"].path == "data/archive.sqlite"
    assert settings.tokens.columns == {"refresh_token": "refresh_token_enc", "refreshed_at": "last_refreshed_at"}


def test_all_examples_together_serve_the_demo(workspace: Path) -> None:
    """Databases are found, and the key file that is not there is the only thing amiss."""
    make_workspace(workspace, datetime.now(UTC))
    app = App(str(workspace), {})
    (workspace / "daan.toml").write_text(SETTING.sub("", init(app)))
    app = app.for_call()

    assert [database.name for database in app.databases] == ["archive", "portal-db"]
    assert [problem.code for problem in app.keys.problems] == ["key_file_unreadable"]


def test_what_is_there_is_named(app: App, workspace: Path) -> None:
    """Databases, a configuration that is broken, a domain, an account, documents in another place."""
    for name, text in (
        ("shop", BINDING % ', "account_id": "abc", "routes": [{"pattern": "shop.example", "custom_domain": true}]'),
        ("torn", "{"),
    ):
        (workspace / name).mkdir()
        (workspace / name / "wrangler.json").write_text(text)
    (workspace / "notes/api").mkdir(parents=True)
    (workspace / "notes/api/DATABASE.md").write_text("# DATABASE")
    text = init(app)
    values = tomllib.loads(text)

    assert values["knowledge"] == {"path": "notes", "component": "api"}
    assert values["cloudflare"] == {"account_id": "abc"}
    assert "#   shop-db in shop; it has no local file yet\n" in text
    assert "# wrangler.json in torn/ could not be read at line 1.\n" in text
    assert '#url = "https://shop.example"\n' in text


def test_names_that_would_break_the_file_do_not(app: App, workspace: Path) -> None:
    """Newlines, quotes and controls come from folders and configurations."""
    strange = 'a"\n[b]\x7f\\'
    unnamed = os.fsencode(workspace) + b"/\xff/y"
    Path(os.fsdecode(unnamed)).mkdir(parents=True)
    Path(os.fsdecode(unnamed + b"/DATABASE.md")).write_text("# DATABASE")
    (workspace / strange / "x").mkdir(parents=True)
    (workspace / strange / "x/DATABASE.md").write_text("# DATABASE")
    (workspace / strange / "wrangler.json").write_text(BINDING.replace("shop-db", "shop\\n[limits]") % "")
    write(app)

    assert read_settings(workspace, {}).knowledge.path == strange
    assert read_settings(workspace, {}).model_copy(update={"knowledge": Settings().knowledge}) == Settings()


def test_a_file_that_stands_there_is_left_alone(app: App, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it is asked as a function or as a command."""
    (workspace / "daan.toml").write_text("# mine\n")

    with pytest.raises(Conflict):
        write(app)
    code = run(app)

    assert code == 1
    assert "daan.toml stands there already" in capsys.readouterr().err
    assert (workspace / "daan.toml").read_text() == "# mine\n"
    assert sorted(path.name for path in workspace.iterdir()) == ["daan.toml"]


def test_the_command_tells_where_the_file_is(app: App, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what to do next."""
    code = run(app)

    assert code == 0
    assert f"Wrote {workspace / 'daan.toml'}\n" in capsys.readouterr().out
