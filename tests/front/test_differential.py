"""The front answers as the SDK alone does, whatever a client sends: the same sessions are held with both."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.front.sessions import Talk, middles, odds, openings
from tests.oracle import ROOT

TALKS = [*openings(), *middles(), *odds()]
# Differs from run to run.
VARIES = re.compile(r'(?<="durationMs":)[0-9.e-]+|(?<=T-)[0-9a-f]{12}')


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one small database and one document."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "daan.toml").write_text('[d1.databases.bench]\npath = "bench.sqlite"\n')
    (folder / "docs/knowledge/backend").mkdir(parents=True)
    (folder / "docs/knowledge/backend/DATABASE.md").write_text("# Database\n\nTable `users`: é.\n")
    with apsw.Connection(str(folder / "bench.sqlite")) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, score REAL, note TEXT)")
        connection.execute(
            "INSERT INTO users VALUES (1, 'Zoë \"x\"\n', 0.1, NULL), (2, '\u2028\u007f', 1e300, x'00ff')"
        )
    return folder


def held(command: list[str], talk: Talk, workspace: Path, *switches: str) -> list[Any]:
    """What a server says in *talk*, in an order that does not depend on how its threads ran."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command, str(workspace), *switches],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    watch = threading.Timer(60, process.kill)
    watch.start()
    try:
        for piece in talk.pieces:
            process.stdin.write(piece)
            process.stdin.flush()
        waits, lines = list(talk.waits), []
        while waits:
            line = process.stdout.readline()
            assert line, f"the server is gone; unanswered: {waits}"
            lines.append(line)
            number = json.loads(line).get("id")
            if number in waits:
                waits.remove(number)
        process.stdin.close()
        lines += process.stdout.readlines()
        assert process.wait(30) == 0
    finally:
        watch.cancel()
        process.stdout.close()
    return sorted(map(told, lines), key=lambda each: json.dumps(each, sort_keys=True))


def told(line: bytes) -> Any:
    """The message on *line*, without what differs from run to run."""
    message = json.loads(line)
    return _steady(message)


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: 0 if key == "durationMs" else _steady(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_steady(each) for each in value]
    return VARIES.sub("", value) if isinstance(value, str) else value


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.name)
def test_the_front_says_what_the_sdk_alone_says(talk: Talk, workspace: Path) -> None:
    """Every answer and every notice; only the order of keys and of answers under way at once is free."""
    alone = held(["tests.oracle"], talk, workspace)
    fronted = held(["mcp_daan", "serve", "--workspace"], talk, workspace)

    if talk.last is not None:
        assert [each["id"] for each in fronted if "result" in each][-1] == talk.last
        alone, fronted = ([each for each in heard if each.get("id") != talk.last] for heard in (alone, fronted))
    assert fronted == alone


@pytest.mark.parametrize(
    "names", [("knowledge_search",), ("d1_query", "d1_schema", "tokens_health"), ("lessons_append",)]
)
@pytest.mark.parametrize(
    "talk", [each for each in TALKS if each.name in ("old: lists", "new: lists")], ids=lambda talk: talk.name
)
def test_switches_change_what_the_front_lists_as_they_change_it_for_the_sdk(
    names: tuple[str, ...], talk: Talk, workspace: Path
) -> None:
    """Tools, prompts, templates, resources and instructions follow what is offered."""
    alone = held(["tests.oracle"], talk, workspace, *names)
    fronted = held(["mcp_daan", "serve", "--workspace"], talk, workspace, "--tools", ",".join(names))

    assert fronted == alone
