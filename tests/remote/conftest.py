"""A Cloudflare account with real D1 databases behind its REST API, and servers that see it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from mcp_daan.app import App
from mcp_daan.cloudflare import Cloudflare
from mcp_daan.protocol import Answer
from mcp_daan.tools import all_tools
from tests.asking import run
from tests.d1_masking.conftest import SCHEMA, Vault
from tests.node.api import ACCOUNT, TOKEN, Api

SAMPLE = Path(__file__).parents[1] / "data/d1/sample_schema.sql"
NO_RIGHTS = "reads-nothing-0123456789abcdefghijklmnopqrstu"
NAMES = ("sample", "vault", "twin", "scratch", "portal-db", "empty")
IDS = {name: f"{place:08d}-2222-3333-4444-555555555555" for place, name in enumerate(NAMES, 1)}


class Account:
    """The API, its owner who may write, and a server that may not."""

    def __init__(self, folder: Path) -> None:
        self.api = Api(folder / "state", IDS, {TOKEN: ["*"], NO_RIGHTS: []})
        self.owner = Cloudflare(TOKEN, account_id=ACCOUNT, base=self.api.base)
        self.root = folder / "workspace"
        self.root.mkdir()
        self.app = App(str(self.root), self.api.environment)

    def write(self, name: str, *statements: str) -> None:
        """Change a database, as its Worker would."""
        path = self.owner.account("d1", "database", IDS[name], "raw")
        self.owner.read(path, {"batch": [{"sql": sql} for sql in statements]})

    def fill(self, name: str, script: str) -> None:
        """Make a database of the statements in *script*."""
        self.write(name, *(sql for sql in statements(script) if "_cf_" not in sql))  # which D1 keeps for itself

    def call(self, tool: str, **arguments: Any) -> Answer:
        """One call of a tool."""
        return run(all_tools()[tool], self.app.for_call(), arguments)

    def query(self, name: str, sql: str, **arguments: Any) -> Answer:
        """One call of d1_query."""
        return self.call("d1_query", database=name, sql=sql, **arguments)

    def rows(self, name: str, sql: str, **arguments: Any) -> list[list[Any]]:
        """The rows of a statement that answers."""
        answer = self.query(name, sql, **arguments)
        assert answer.error is None, (answer.error, answer.recommendations)
        rows: list[list[Any]] = answer.data["rows"]
        return rows

    def sent(self, ask: Callable[[], Any]) -> list[str]:
        """The statements that reach D1 while *ask* runs."""
        before = len(self.api.statements)
        ask()
        return self.api.statements[before:]

    def end(self) -> None:
        """End it all."""
        self.app.close()
        self.owner.close()
        self.api.end()


def statements(script: str) -> list[str]:
    """The statements in *script*, cut where SQLite does."""
    found: list[str] = []
    connection = apsw.Connection(":memory:")

    def note(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        found.append(statement.strip())
        return True

    cursor = connection.cursor()
    cursor.exec_trace = note
    cursor.execute(script)
    connection.close()
    return [each for each in found if each]


def dump(vault: Vault) -> list[str]:
    """The statements that make *vault* on D1, full-text tables filled as the vault fills them."""
    made = [each.strip() for each in SCHEMA.split(";\n") if each.strip()]
    rows = []
    vault.connection.authorizer = None
    for table in ("users", "connections", "api_keys", "vault", "sessions", "codes", "guesses", "settings"):
        kept = [row[1] for row in vault.connection.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0]
        for row in vault.connection.execute(f"SELECT {', '.join(map(quoted, kept))} FROM {table}"):
            values = ", ".join(apsw.format_sql_value(value) for value in row)
            rows.append(f"INSERT INTO {table} ({', '.join(map(quoted, kept))}) VALUES ({values})")
    for number in range(1, 8):
        rows.append(f"INSERT INTO memo VALUES ('memo {number}', '{vault.canary(f'memo{number}')}')")
        rows.append(f"INSERT INTO pages VALUES ('page {number}', 'plain words')")
    rows += [
        "INSERT INTO mirror (mirror) VALUES ('rebuild')",
        "INSERT INTO view_mirror (view_mirror) VALUES ('rebuild')",
    ]
    return [
        "PRAGMA defer_foreign_keys = on",
        *made,
        "INSERT INTO users (id, note) VALUES (0, 'note')",
        *rows,
        "ANALYZE",
    ]


def quoted(name: str) -> str:
    """*name* as an SQL identifier."""
    return f'"{name}"'


def code(answer: Answer) -> str | None:
    """The code of what failed, if anything did."""
    return answer.error.code if answer.error else None


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account; `scratch` is anybody's to change, `empty` stays so."""
    account = Account(tmp_path_factory.mktemp("cloudflare"))
    try:
        account.fill("sample", SAMPLE.read_text(encoding="utf-8"))
        for name, seed in (("vault", "first"), ("twin", "second")):
            account.write(name, *dump(Vault(seed)))
        yield account
    finally:
        account.end()


@pytest.fixture
def scratch(account: Account) -> Callable[..., None]:
    """Makes the database `scratch` anew from statements."""

    def made(*sql: str) -> None:
        old = account.owner.read(
            account.owner.account("d1", "database", IDS["scratch"], "raw"),
            {
                "sql": "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            },
        )
        gone = [f"DROP {kind} IF EXISTS {quoted(name)}" for kind, name in old.result[0]["results"]["rows"]]
        account.write("scratch", "PRAGMA defer_foreign_keys = on", *gone, *sql)

    return made


def config(root: Path, **values: Any) -> None:
    """A wrangler configuration of an app in *root*."""
    (root / "apps/portal").mkdir(parents=True, exist_ok=True)
    (root / "apps/portal/wrangler.json").write_text(json.dumps({"name": "portal", **values}), encoding="utf-8")
