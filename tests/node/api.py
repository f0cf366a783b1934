"""Cloudflare's REST API for D1 with the real engine behind it, as one process that tests share."""

import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.node.packages import BIN, installed

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "reads-everything-0123456789abcdefghijklmnop"


class Api:
    """The API of one account, its *databases* by name; each token may read all of them, or, without rights, nothing."""

    def __init__(self, state: Path, databases: Mapping[str, str], tokens: Mapping[str, Sequence[str]]) -> None:
        self.ids = dict(databases)
        setup = {
            "account": ACCOUNT,
            "databases": {each: name for name, each in databases.items()},
            "tokens": {name: list(rights) for name, rights in tokens.items()},
        }
        self._process = subprocess.Popen(
            [BIN / "node", installed("engine") / "api.mjs", state, json.dumps(setup)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.requests: list[dict[str, Any]] = []
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

    @property
    def statements(self) -> list[str]:
        """Every statement that was sent so far, in order."""
        return [json.loads(each["body"])["sql"] for each in list(self.requests) if each["body"]]

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
            self.requests.append(json.loads(line))
