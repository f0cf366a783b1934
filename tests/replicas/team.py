"""A team on several machines: replicas of the server, each on its own clone of one repository, and agents that work."""

import os
import random
import re
import signal
import sqlite3
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from mcp_daan.server.http.tokens import TokenFile
from tests.http.servers import Server, bearer, children
from tests.sync.conftest import Machine

UNIT = Path(__file__).parents[2] / "deploy" / "mcp-daan@.service"
SETTINGS = """
[knowledge]
sync = "git"
[d1.databases.orders]
path = "../orders.sqlite"
[http]
token_file = "../tokens.json"
"""
SCOPES = ["knowledge:read", "knowledge:write", "d1:read"]


class Replica:
    """One machine: its clone, its user, its server, which may be killed and started again."""

    def __init__(self, machine: Machine, home: Path, port: int, public_url: str) -> None:
        self.machine, self.port, self._home, self._public = machine, port, home, public_url
        home.mkdir()
        self.server = self._started()

    def _started(self) -> Server:
        place = f"127.0.0.1:{self.port}"
        return Server(self.machine.root, self._home, place=place, DAAN_HTTP_PUBLIC_URL=self._public)

    def kill(self) -> float:
        """End it and all that runs for it at once, as a machine that loses its power; when that was."""
        doomed = [self.server.process.pid]
        for pid in doomed:
            doomed += children(pid)
        at = time.monotonic()
        for pid in doomed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.server.process.wait()
        self.server.close()
        return at

    def restart(self) -> None:
        """What its supervisor does: the unit's own command before the start, and the start."""
        told = re.findall(r"(?m)^ExecStartPre=(.*)$", UNIT.read_text(encoding="utf-8"))[0]
        command = told.replace("/srv/mcp-daan/%i", str(self.machine.root)).split()
        subprocess.run(command, check=True)
        self.server = self._started()


@dataclass
class Called:
    """One call: its tool, when it began and ended, and how it failed, if it did."""

    tool: str
    begun: float
    ended: float
    failure: str | None = None


@dataclass
class Seen:
    """What all agents together saw; `written`: path by title of every lesson that was acknowledged."""

    calls: list[Called] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    doubtful: list[str] = field(default_factory=list)

    def lost(self) -> list[Called]:
        """The calls that got no answer of a tool."""
        return [call for call in self.calls if call.failure is not None]


class Agent:
    """A client of the team's server that looks things up and writes lessons down."""

    def __init__(self, name: str, client: Client, seen: Seen) -> None:
        self.name, self.client, self.seen = name, client, seen

    async def work(self, go_on: Callable[[], bool]) -> None:
        """Look up, query and write, as long as it is told to."""
        number = 0
        while go_on():
            number += 1
            await self._called("knowledge_search", {"query": "orders"})
            await self._called("d1_query", {"database": "orders", "sql": "SELECT count(*) FROM orders"})
            await self._write(f"{self.name} {number}")
            await self._called("lessons_list", {"limit": 3})

    async def _write(self, title: str) -> None:
        """Write a lesson until it is acknowledged: after a failure nobody knows whether it was, so it is sent again."""
        words = "".join(random.Random(title).choices("abcdefghijklmnopqrstuvwxyz ", k=300))
        lesson = {"title": title, "problem": words, "solution": f"Mind {words}", "component": "workers"}
        answer = await self._called("lessons_append", lesson)
        while answer is None:
            self.seen.doubtful.append(title)
            answer = await self._called("lessons_append", lesson)
        if answer["status"] != "failed":
            self.seen.written[title] = answer["data"]["path"]
        else:
            assert answer["error"]["code"] == "conflict", answer["error"]
            assert title in self.seen.doubtful
            self.seen.written[title] = answer["data"]["duplicateOf"]["id"]

    async def _called(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None when there was none."""
        begun, failure, content = time.monotonic(), None, None
        try:
            content = (await self.client.call_tool(tool, arguments)).structured_content
        except (MCPError, httpx2.HTTPError) as error:
            failure = f"{type(error).__name__}: {error}"
        self.seen.calls.append(Called(tool, begun, time.monotonic(), failure))
        return content


@asynccontextmanager
async def connected(url: str, trust: ssl.SSLContext, token: str, mode: str) -> AsyncIterator[Client]:
    """The SDK's client at *url*."""
    async with (
        httpx2.AsyncClient(verify=trust, headers=bearer(token), timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def repository(folder: Path) -> Path:
    """A bare repository with the team's knowledge, and beside the clones-to-be a database and the file of tokens."""
    bare, first = folder / "remote.git", folder / "first"
    for path, options in ((bare, ["--bare"]), (first, [])):
        subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", *options, str(path)], check=True)
    person = Machine(first)
    person.write("daan.toml", SETTINGS)
    person.write("docs/knowledge/backend/DATABASE.md", "# Database\n\n## orders\n\nEvery order of a customer.\n")
    person.git("add", "--all")
    person.git("commit", "--quiet", "-m", "Begin")
    person.git("push", "--quiet", str(bare), "main")
    with sqlite3.connect(folder / "orders.sqlite") as database:
        database.executescript("CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2), (3);")
    database.close()
    return bare


def token(folder: Path) -> str:
    """A token that every replica knows: the file is read by all."""
    return TokenFile(folder / "tokens.json").create("agents", SCOPES)
