"""What was read is remembered, and no edit is missed for that."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_daan import remembered
from mcp_daan.app import App
from mcp_daan.errors import InvalidArguments, NotFound
from mcp_daan.remembered import Looks, Remembered

STAT = os.stat
CONFIG = '{"name": "portal", "d1_databases": [{"binding": "DB", "database_name": "NAME", "database_id": "x"}]}'


class Reader:
    """Reads a file, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path: str) -> str:
        self.times += 1
        return Path(path).read_text()


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written just now counts as quiet for long."""
    monkeypatch.setattr(remembered, "SETTLED_NS", -(10**15))


@pytest.mark.usefixtures("trusting")
def test_what_has_not_changed_is_read_once(tmp_path: Path) -> None:
    """A second call only looks."""
    file, read, memory = tmp_path / "file", Reader(), Remembered()
    file.write_text("a")

    assert [memory.file(str(file), read) for _ in range(3)] == ["a", "a", "a"]
    assert read.times == 1


def _coarse(path: str) -> SimpleNamespace:
    """As a file system tells it whose clock ticks in seconds."""
    seen = STAT(path)
    times = {name: getattr(seen, name) // 10**9 * 10**9 for name in ("st_mtime_ns", "st_ctime_ns")}
    return SimpleNamespace(st_mode=seen.st_mode, st_ino=seen.st_ino, st_dev=seen.st_dev, st_size=seen.st_size, **times)


@pytest.mark.parametrize("stat", [STAT, _coarse])
def test_an_edit_within_the_same_tick_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stat: Any) -> None:
    """The clock of files stands still for milliseconds or more, and the edit leaves the size as it was."""
    monkeypatch.setattr(os, "stat", stat)
    file, read, memory = tmp_path / "file", Reader(), Remembered()
    seen = []
    for number in range(300):
        file.write_text(f"{number:04}")
        seen.append(memory.file(str(file), read))

    assert seen == [f"{number:04}" for number in range(300)]


def _replaced(file: Path) -> None:
    other = file.with_name("other")
    other.write_text("b")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)


def _another_link(file: Path) -> None:
    target = file.with_name("target")
    target.write_text("b")
    file.unlink()
    file.symlink_to(target)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("change", [_replaced, _another_link, lambda file: file.write_text("longer")])
def test_another_file_in_its_place_is_seen(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Of the same size and time too."""
    file, read, memory = tmp_path / "file", Reader(), Remembered()
    file.write_text("a")
    memory.file(str(file), read)
    change(file)

    assert memory.file(str(file), read) == file.read_text() != "a"


@pytest.mark.usefixtures("trusting")
def test_other_rights_are_seen(tmp_path: Path) -> None:
    """What may no longer be read is not remembered for whoever asks."""
    file, read, memory = tmp_path / "file", Reader(), Remembered()
    file.write_text("a")
    memory.file(str(file), read)
    file.chmod(0o400)
    memory.file(str(file), read)

    assert read.times == 2


@pytest.mark.usefixtures("trusting")
def test_what_is_gone_or_of_another_kind_is_nothing(tmp_path: Path) -> None:
    """A file that was removed, a folder in its place, and the other way round."""
    path, read, memory = tmp_path / "file", Reader(), Remembered()
    path.write_text("a")
    memory.file(str(path), read)
    path.unlink()

    assert memory.file(str(path), read) is None
    path.mkdir()
    assert (memory.file(str(path), read), memory.folder(str(path), os.listdir)) == (None, [])
    assert memory.folder(str(path / "below"), os.listdir) is None


def test_what_fails_is_tried_again(tmp_path: Path) -> None:
    """A failure is not remembered."""
    file, memory = tmp_path / "file", Remembered()
    file.write_bytes(b"\xff")
    read = Reader()

    for _ in range(2):
        with pytest.raises(UnicodeDecodeError):
            memory.file(str(file), read)
    assert read.times == 2


def test_what_was_worked_out_holds_while_all_it_rests_on_does(tmp_path: Path) -> None:
    """Other values, or a file that came where there was none."""
    memory, file = Remembered(), tmp_path / "file"

    def there(given: int) -> tuple[bool, bool]:
        def look(looks: Looks) -> tuple[bool, bool]:
            return looks.is_file(file), looks.is_dir(tmp_path)

        return memory.worked_out("there", (given,), look)

    first = there(1)
    assert (first, there(1) is first, there(2) is first) == ((False, True), True, False)
    file.touch()
    assert there(2) == (True, True)


def test_no_more_is_remembered_than_a_workspace_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Years of folders that came and went do not pile up."""
    monkeypatch.setattr(remembered, "MOST", 10)
    memory = Remembered()
    for number in range(50):
        (tmp_path / f"{number}").touch()
        memory.file(str(tmp_path / f"{number}"), Reader())

    assert len(memory._kept) <= 10


@pytest.mark.usefixtures("trusting")
def test_each_call_sees_apps_and_settings_as_they_are(workspace: Path) -> None:
    """A folder that came with its configuration, an edit of it, and its end; settings that break and are mended."""
    app = App(str(workspace), {})
    portal = workspace / "apps" / "deep" / "portal"

    def names() -> list[str]:
        return [each.name for each in app.for_call().databases]

    assert names() == []
    portal.mkdir(parents=True)
    assert names() == []
    (portal / "wrangler.jsonc").write_text(CONFIG.replace("NAME", "first"))
    assert names() == ["first"]
    (portal / "wrangler.jsonc").write_text(CONFIG.replace("NAME", "another"))
    assert names() == ["another"]
    (workspace / "daan.toml").write_text("[d1.databases.own]\npath = 'own.sqlite'\n")
    assert names() == ["own", "another"]
    (workspace / "daan.toml").write_text("[d1\n")
    with pytest.raises(InvalidArguments):
        names()
    (workspace / "daan.toml").unlink()
    (portal / "wrangler.jsonc").unlink()
    assert names() == []
    app.close()


@pytest.mark.usefixtures("trusting")
def test_a_new_secret_is_one_at_the_next_call(workspace: Path) -> None:
    """Of `.dev.vars` and of the key file."""
    app = App(str(workspace), {})
    (workspace / "wrangler.jsonc").write_text("{}")
    (workspace / "daan.toml").write_text("[tokens]\nkey_file = 'key'\n")
    text = "one-secret-value another-secret-value"

    assert app.for_call().redact(text) == text
    (workspace / ".dev.vars").write_text("API_TOKEN=one-secret-value")
    assert app.for_call().redact(text) == "*** another-secret-value"
    (workspace / "key").write_text("another-secret-value\n")
    assert app.for_call().redact(text) == "*** ***"
    (workspace / ".dev.vars").unlink()
    assert app.for_call().redact(text) == "one-secret-value ***"
    app.close()


@contextmanager
def nothing_opens() -> Iterator[None]:
    """As where a process has as many files open as it may: looking still goes, reading does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("trusting")
def test_what_could_not_be_read_for_a_moment_is_not_taken_for_empty(workspace: Path) -> None:
    """Neither the folder of an app nor its secrets: they would be shown from then on."""
    app = App(str(workspace), {})
    (workspace / "wrangler.jsonc").write_text("{}")
    (workspace / ".dev.vars").write_text("API_TOKEN=one-secret-value")
    with nothing_opens():
        blind = app.for_call().redact("one-secret-value")
    seeing = app.for_call().redact("one-secret-value")
    (workspace / ".dev.vars").write_text("API_TOKEN=another-secret-value")
    with nothing_opens():
        blind_again = app.for_call().redact("another-secret-value")

    assert (blind, seeing, blind_again) == ("one-secret-value", "***", "another-secret-value")
    assert app.for_call().redact("another-secret-value") == "***"
    app.close()


def test_a_workspace_behind_a_link_is_the_one_that_the_link_names(tmp_path: Path) -> None:
    """As deployments do: the link is moved on to the next release."""
    link = tmp_path / "current"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link.symlink_to(tmp_path / "one")
    app = App(str(link), {})
    roots = [app.for_call().workspace.root.name]
    link.unlink()
    link.symlink_to(tmp_path / "two")
    roots.append(app.for_call().workspace.root.name)
    (tmp_path / "two").rename(tmp_path / "three")

    with pytest.raises(NotFound):
        _ = app.for_call().workspace
    link.unlink()
    link.symlink_to(tmp_path / "three")
    assert [*roots, app.for_call().workspace.root.name] == ["one", "two", "three"]
    app.close()
