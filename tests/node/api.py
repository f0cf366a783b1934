"""Cloudflare's REST API with the real engines behind it, as processes that tests share."""

import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

from tests.node.packages import BIN, installed

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "reads-everything-0123456789abcdefghijklmnop"


class Served:
    """A script that serves the API of one account and tells each request that it got."""

    def __init__(self, script: str, state: Path, setup: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            [BIN / "node", installed("engine") / script, state, json.dumps({"account": ACCOUNT, **setup})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.requests: list[dict[str, Any]] = []
        self._told = threading.Condition()
        self._listener = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._listener.start()

    @property
    def base(self) -> str:
        """What DAAN_CLOUDFLARE_API is set to."""
        return f"http://127.0.0.1:{self.port}/client/v4"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a server that sees this account."""
        return {
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
            "DAAN_CLOUDFLARE_API": self.base,
        }

    def end(self) -> None:
        """End it: it ends with its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._listener.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self, lines: Any) -> None:
        for line in lines:
            with self._told:
                self.requests.append(json.loads(line))
                self._told.notify_all()


class Api(Served):
    """D1 of one account, its *databases* by name; each token may read all of them, or, without rights, nothing."""

    def __init__(self, state: Path, databases: Mapping[str, str], tokens: Mapping[str, Sequence[str]]) -> None:
        self.ids = dict(databases)
        setup = {
            "databases": {each: name for name, each in databases.items()},
            "tokens": {name: list(rights) for name, rights in tokens.items()},
        }
        super().__init__("api.mjs", state, setup)

    @property
    def statements(self) -> list[str]:
        """Every statement that was sent so far, in order."""
        bodies = [json.loads(each["body"]) for each in self.settled() if each["body"]]
        return [each["sql"] for body in bodies for each in body.get("batch", [body])]

    def settled(self) -> list[dict[str, Any]]:
        """Every request until now: one of our own is sent and waited for, since they are told in order."""
        mark = f"/mark/{uuid4()}"
        with suppress(HTTPError):
            urlopen(f"http://127.0.0.1:{self.port}{mark}", timeout=10)
        with self._told:
            assert self._told.wait_for(lambda: any(each["path"] == mark for each in self.requests), timeout=10)
            return [each for each in self.requests if not each["path"].startswith("/mark/")]


class KvApi(Served):
    """KV of one account, its *namespaces* by title."""

    def __init__(self, state: Path, namespaces: Mapping[str, str]) -> None:
        titled = {each: title for title, each in namespaces.items()}
        super().__init__("kvapi.mjs", state, {"namespaces": titled, "tokens": [TOKEN]})

    @property
    def paths(self) -> list[str]:
        """The path of every request so far, as it came."""
        return [each["path"] for each in list(self.requests)]
