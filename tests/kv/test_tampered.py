"""Files that were tampered with or damaged lead nowhere and run nothing."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import apsw
import pytest

from mcp_daan.workers.kv.local import MEANING
from mcp_daan.workers.kv.namespaces import KIND
from tests.node.kv import put

from .conftest import CACHE, Portal

# The first run installs the engine.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder as the engine leaves it, with one key; made once, since the engine takes a second to start."""
    made = Portal(tmp_path_factory.mktemp("one"))
    made.fill(CACHE, put("a", "value"))
    return made.state


@pytest.fixture
def one(portal: Portal, engines: Path) -> Portal:
    """The app with one key, of its own."""
    shutil.copytree(engines, portal.state)
    (portal.root / "secret.txt").write_text("outside")
    return portal


def change(portal: Portal, script: str) -> None:
    """Change the namespace's table as nobody should."""
    connection = sqlite3.connect(portal.file(CACHE))
    connection.executescript(script)
    connection.close()


@pytest.mark.parametrize(
    "blob", ["../../../../../../../secret.txt", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "a\x00b", "x" * 300, "é"]
)
def test_the_place_of_a_value_cannot_lead_out_of_the_folder(one: Portal, blob: str) -> None:
    """Neither upward nor to an absolute path."""
    connection = sqlite3.connect(one.file(CACHE))
    connection.execute("UPDATE _mf_entries SET blob_id = ?", (blob,))
    connection.commit()
    connection.close()
    answer = one.ask("CACHE", key="a")

    assert answer.error is not None
    assert (answer.error.code, answer.data) == ("unavailable", {})


@pytest.mark.parametrize("what", ["file", "folder", "pipe", "directory"])
def test_a_value_behind_a_link_or_in_a_pipe_is_not_read(one: Portal, what: str) -> None:
    """A link leads anywhere, a pipe would keep the reader waiting for ever."""
    (blob,) = (one.state / KIND / CACHE / "blobs").iterdir()
    if what == "folder":
        shutil.move(blob.parent, one.root / "moved")
        blob.parent.symlink_to(one.root / "moved")
    else:
        blob.unlink()
        if what == "file":
            blob.symlink_to(one.root / "secret.txt")
        elif what == "pipe":
            os.mkfifo(blob)
        else:
            blob.mkdir()
    answer = one.ask("CACHE", key="a")

    assert answer.error is not None
    assert answer.error.code == "unavailable"


def test_an_id_cannot_lead_out_of_the_state_folder(portal: Portal) -> None:
    """An id in a configuration is text that anybody wrote."""
    bad = "../../../../../../outside"
    portal.bind([{"binding": "BAD", "id": bad}])
    portal.fill("kept", put("a", "inside"))
    blobs = portal.root / "outside/blobs"
    shutil.move(portal.state / KIND / "kept", portal.root / "outside")
    for file in portal.file("kept").parent.glob(f"{portal.file('kept').name}*"):
        file.rename(str(file).replace(portal.file("kept").name, portal.file(bad).name))
    answer = portal.ask("BAD", key="a")

    assert [*blobs.iterdir()] != []
    assert answer.error is not None
    assert answer.error.code == "not_found"


@pytest.mark.parametrize(
    "script",
    [
        "DROP TABLE _mf_entries",
        "DROP TABLE _mf_entries; CREATE TABLE other (key, expiration, metadata, blob_id); INSERT INTO other VALUES"
        " ('a', NULL, NULL, 'x'); CREATE VIEW _mf_entries AS SELECT * FROM other",
        "DROP TABLE _mf_entries; CREATE VIEW _mf_entries AS SELECT hex(randomblob(9)) AS key, NULL AS expiration, NULL"
        " AS metadata, 'x' AS blob_id",
        "DROP TABLE _mf_entries; CREATE VIRTUAL TABLE _mf_entries USING fts5(key, expiration, metadata, blob_id)",
    ],
)
def test_a_file_of_another_form_is_unavailable_and_runs_nothing(one: Portal, script: str) -> None:
    """Views and virtual tables could compute for ever or read elsewhere."""
    change(one, script)
    answer = one.ask("CACHE")

    assert answer.error is not None
    assert answer.error.code == "unavailable"


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [("{broken", "{broken"), ("[" * 900 + "]" * 900, "[" * 900 + "]" * 900), ("1e999", "inf"), ("NaN", "NaN")],
)
def test_metadata_that_is_no_json_of_kv_is_shown_as_text(one: Portal, metadata: str, shown: str) -> None:
    """An answer holds JSON that every reader takes."""
    connection = sqlite3.connect(one.file(CACHE))
    connection.execute("UPDATE _mf_entries SET metadata = ?", (metadata,))
    connection.commit()
    connection.close()
    answer = one.ask("CACHE")

    assert [shown] == [each["metadata"] for each in answer.data["keys"]]
    json.dumps(answer.data, allow_nan=False)


def test_a_damaged_file_and_one_of_no_database_are_told(one: Portal) -> None:
    """In words of our own."""
    for log in one.file(CACHE).parent.glob("*-*"):
        log.unlink()
    one.file(CACHE).write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    damaged = one.ask("CACHE")
    one.file(CACHE).write_text("no database at all, but long enough to be looked at" * 30)
    other = one.ask("CACHE")

    assert [each.error.code for each in (damaged, other) if each.error] == ["unavailable"] * 2


def test_every_failure_of_sqlite_has_words_of_our_own() -> None:
    """Each of its kinds, and those to come, by their ancestors."""
    kinds = [apsw.Error]
    for kind in kinds:
        kinds += kind.__subclasses__()

    assert len(kinds) > 20
    assert [kind for kind in kinds if not any(each in MEANING for each in kind.__mro__)] == []


def test_a_value_whose_file_is_gone_is_not_found(one: Portal) -> None:
    """The key stands without it, as between two writes."""
    for blob in (one.state / KIND / CACHE / "blobs").iterdir():
        blob.unlink()
    answer = one.ask("CACHE", key="a")

    assert answer.error is not None
    assert (answer.error.code, answer.error.message) == ("not_found", "The key is there and its value is not.")
