"""`mcp-daan install`: one entry is added to a client's file, and nothing else of it changes."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_daan.errors import InvalidArguments, NotFound, Unavailable
from mcp_daan.setup.install import CLIENTS, change, place

COMMAND = Path(sys.executable).with_name("mcp-daan")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


@pytest.fixture
def root(tmp_path: Path, home: Path) -> Path:
    """A workspace."""
    root = tmp_path / "work space"
    root.mkdir()
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "install", "--workspace", str(root), *arguments], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("platform", "path"),
    [
        ("darwin", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("win32", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("linux", ".config/Claude/claude_desktop_config.json"),
    ],
)
def test_claude_desktop_keeps_its_file_where_the_platform_says(platform: str, path: str, tmp_path: Path) -> None:
    """Three platforms, three folders."""
    assert tmp_path / path == place("claude-desktop", tmp_path, platform=platform, home=tmp_path, environment={})


@pytest.mark.parametrize("client", CLIENTS)
def test_the_entry_starts_a_server_that_answers(client: str, root: Path) -> None:
    """What stands in the file is run as the client runs it: absolute paths, another working folder, no environment."""
    assert run(root, client).returncode == 0
    (entry,) = json.loads(place(client, root).read_text())[CLIENTS[client].section].values()
    greeting = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
    greeting["params"] = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    done = subprocess.run(
        [entry["command"], *entry["args"]],
        input=json.dumps(greeting) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
        env={"HOME": os.environ["HOME"]},
    )

    assert json.loads(done.stdout.splitlines()[0])["result"]["serverInfo"]["name"] == "mcp-daan"
    assert set(entry) <= {"type", "command", "args"}


def test_what_stands_in_the_file_is_kept_and_copied(root: Path) -> None:
    """Other servers, settings, comments and rights; and the file as it was stands beside it."""
    file = place("vscode", root)
    file.parent.mkdir()
    before = '{\r\n  // ours\r\n  "servers": {"other": {"command": "x"}},\r\n  "inputs": []\r\n}\r\n'
    file.write_bytes(before.encode())
    file.chmod(0o640)
    said = change("vscode", root)

    after = file.read_bytes().decode()
    assert "// ours" in after
    assert after.count("\n") == after.count("\r\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    (backup,) = file.parent.glob("*.backup")
    assert before.encode() == backup.read_bytes()
    assert str(backup) in said


def test_a_second_time_changes_nothing(root: Path) -> None:
    """No second entry, and no second copy of the file."""
    change("cursor", root)
    before = place("cursor", root).read_bytes()
    said = change("cursor", root)

    assert before == place("cursor", root).read_bytes()
    assert "nothing was changed" in said
    assert list(place("cursor", root).parent.glob("*.backup")) == []


def test_remove_takes_out_only_this_server(root: Path) -> None:
    """The others stay."""
    file = place("claude-code", root)
    file.write_text('{"mcpServers": {"other": {"command": "x"}}}')
    change("claude-code", root)
    change("claude-code", root, remove=True)

    assert json.loads(file.read_text()) == {"mcpServers": {"other": {"command": "x"}}}
    with pytest.raises(NotFound):
        change("claude-code", root, remove=True)


@pytest.mark.parametrize("broken", ['{"mcpServers": {', "[]", '{"mcpServers": []}'])
def test_a_broken_file_is_never_overwritten(broken: str, root: Path) -> None:
    """Not with the entry, and not with a copy."""
    file = place("claude-code", root)
    file.write_text(broken)
    with pytest.raises(InvalidArguments):
        change("claude-code", root)

    assert broken == file.read_text()
    assert [each.name for each in root.iterdir()] == [".mcp.json"]


def test_a_file_that_is_not_text_is_not_touched(root: Path) -> None:
    """Bytes that are not UTF-8 belong to somebody else."""
    place("claude-code", root).write_bytes(b"\xff\xfe{}")
    with pytest.raises(Unavailable):
        change("claude-code", root)

    assert place("claude-code", root).read_bytes() == b"\xff\xfe{}"


def test_a_link_is_followed_and_stays_a_link(root: Path, tmp_path: Path) -> None:
    """People keep such files in a repository of dotfiles."""
    kept = tmp_path / "dotfiles.json"
    kept.write_text("{}")
    place("claude-code", root).symlink_to(kept)
    change("claude-code", root)

    assert place("claude-code", root).is_symlink()
    assert "daan" in json.loads(kept.read_text())["mcpServers"]


def test_print_shows_the_entry_and_writes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stdout stands JSON alone, without what else is in the file, and without a secret of the environment."""
    place("claude-code", root).write_text('{"mcpServers": {"other": {"env": {"TOKEN": "t0p-s3cret"}}}}')
    monkeypatch.setenv("TOKEN_ENCRYPTION_KEY", "ab" * 32)
    done = run(root, "claude-code", "--print")

    assert (done.returncode, list(json.loads(done.stdout)["mcpServers"])) == (0, ["daan"])
    assert "t0p-s3cret" not in done.stdout + done.stderr
    assert "ab" * 32 not in done.stdout + done.stderr
    assert "other" in place("claude-code", root).read_text()
    assert "daan" not in place("claude-code", root).read_text()


def test_a_misspelt_client_is_an_error_that_names_the_clients(root: Path) -> None:
    """And nothing is written."""
    done = run(root, "claude")

    assert done.returncode == 2
    assert "claude-desktop" in done.stderr
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("section", ["null", "5", "[]", '"daan"', '{"other": {}}'])
def test_removing_what_is_not_there_is_told_in_words(section: str, root: Path) -> None:
    """Also where what should hold the servers holds none."""
    place("claude-code", root).write_text(f'{{"mcpServers": {section}}}')
    done = run(root, "claude-code", "--remove")

    assert (done.returncode, "no server `daan`" in done.stderr) == (1, True)
    assert [each.name for each in root.iterdir()] == [".mcp.json"]


def test_what_a_person_added_to_the_entry_is_kept(root: Path) -> None:
    """Variables, settings of the client, and the switches that say what is offered: a server that may only read stays one."""
    written = {
        "command": "uvx",
        "args": ["mcp-daan", "serve", "--read-only", "--workspace", "/old", "--toolsets", "d1", "--tools=kv_read"],
        "env": {"DAAN_EXCLUDE_TOOLS": "d1_check"},
        "disabled": True,
    }
    place("cursor", root).parent.mkdir()
    place("cursor", root).write_text(json.dumps({"mcpServers": {"daan": written}}))
    change("cursor", root)
    entry = json.loads(place("cursor", root).read_text())["mcpServers"]["daan"]

    assert (entry["env"], entry["disabled"]) == ({"DAAN_EXCLUDE_TOOLS": "d1_check"}, True)
    assert entry["args"][-4:] == ["--read-only", "--toolsets", "d1", "--tools=kv_read"]
    assert entry["args"][:-4] == ["serve", "--workspace", str(root)]
    assert "nothing was changed" in change("cursor", root)


@pytest.mark.parametrize("other", ['{"url": "https://daan.example.com/mcp", "headers": {}}', "null", '"x"'])
def test_an_entry_that_starts_nothing_is_replaced(other: str, root: Path) -> None:
    """A process with an address beside it would be neither."""
    place("cursor", root).parent.mkdir()
    place("cursor", root).write_text(f'{{"mcpServers": {{"daan": {other}}}}}')
    change("cursor", root)

    assert set(json.loads(place("cursor", root).read_text())["mcpServers"]["daan"]) == {"command", "args"}


def test_a_read_only_file_is_left_alone(root: Path) -> None:
    """The folder would allow to put another in its place."""
    file = place("claude-code", root)
    file.write_text("{}")
    file.chmod(0o444)
    with pytest.raises(Unavailable):
        change("claude-code", root)

    assert (file.read_text(), [each.name for each in root.iterdir()]) == ("{}", [".mcp.json"])


def test_a_link_that_leads_to_itself_is_told_in_words(root: Path) -> None:
    """It is no fault of ours."""
    place("claude-code", root).symlink_to(place("claude-code", root))
    done = run(root, "claude-code")

    assert (done.returncode, "fault of its own" in done.stderr) == (1, False)


def test_a_path_that_no_file_of_json_can_hold_is_told_in_words(tmp_path: Path) -> None:
    """And nothing is left behind."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    done = run(folder, "claude-code")

    assert (done.returncode, "not UTF-8" in done.stderr, list(folder.iterdir())) == (1, True, [])


def test_showing_and_removing_at_once_is_an_error(root: Path) -> None:
    """One of them would be ignored."""
    done = run(root, "cursor", "--print", "--remove")

    assert (done.returncode, "not allowed with" in done.stderr) == (2, True)


def test_a_failure_is_told_in_words_and_by_the_exit_code(root: Path) -> None:
    """No traceback."""
    place("claude-code", root).write_text("{")
    done = run(root, "claude-code")

    assert (done.returncode, done.stdout) == (1, "")
    assert "not valid JSON" in done.stderr
    assert "Traceback" not in done.stderr
