"""What the tools tell of remote databases, beside local ones of the same name."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from mcp_daan.app import App
from mcp_daan.d1.databases import UNIQUE_KEY, file_name
from mcp_daan.local_state import STATE
from mcp_daan.protocol import Answer
from mcp_daan.tools import all_tools
from tests.asking import run

from .conftest import IDS, NO_RIGHTS, Account, code, config

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)"
ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), note TEXT)"
MIGRATIONS = "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT UNIQUE, applied_at TEXT)"


class Team:
    """A workspace whose app is bound to the database `scratch`, and a server in it that sees the account."""

    def __init__(self, root: Path, account: Account) -> None:
        self.root = root
        self.account = account
        self.environment = account.api.environment
        self.folder = root / "apps/portal"
        self.bound(database_name="scratch", database_id=IDS["scratch"])
        self._open: list[App] = []

    def bound(self, **binding: Any) -> None:
        """Bind the app to a database."""
        config(self.root, d1_databases=[{"binding": "DB", **binding}])

    def file(self, *sql: str) -> Path:
        """The local database, made of statements."""
        file = self.folder / STATE / "d1" / UNIQUE_KEY / file_name(IDS["scratch"])
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = apsw.Connection(str(file))
        connection.execute(";".join(sql))
        connection.close()
        return file

    def migrations(self, **files: str) -> None:
        """The app's migration files."""
        for name, sql in files.items():
            (self.folder / "migrations").mkdir(exist_ok=True)
            (self.folder / "migrations" / f"{name[1:]}.sql").write_text(f"{sql};\n", encoding="utf-8")

    def call(self, tool: str, **arguments: Any) -> Answer:
        """One call of a tool."""
        app = App(str(self.root), self.environment)
        self._open.append(app)
        return run(all_tools()[tool], app, arguments)

    def end(self) -> None:
        """End its servers."""
        for app in self._open:
            app.close()


@pytest.fixture
def team(workspace: Path, account: Account, scratch: Callable[..., None]) -> Iterator[Team]:
    """The team; `scratch` is empty on Cloudflare."""
    scratch()
    team = Team(workspace, account)
    yield team
    team.end()


def by_code(answer: Answer) -> dict[str, Any]:
    """The checks of an answer by their code."""
    assert answer.error is None, answer.error
    return {check["code"]: check for check in answer.data["checks"]}


def test_local_databases_come_first_then_bound_ones_then_the_rest_of_the_account(team: Team) -> None:
    """One of the same name in both places is told apart by `remote:`."""
    team.file(USERS)
    answer = team.call("d1_databases")
    listed = answer.data["databases"]

    assert answer.status == "complete"
    assert [each["name"] for each in listed[:2]] == ["scratch", "remote:scratch"]
    assert {each["name"] for each in listed[2:]} == IDS.keys() - {"scratch"}
    assert [each["location"] for each in listed] == ["local"] + ["remote"] * len(IDS)
    assert (listed[1]["binding"], listed[1]["app"], listed[1]["id"]) == ("DB", "apps/portal", IDS["scratch"])


def test_a_remote_database_is_told_with_size_tables_and_pending_migrations(
    team: Team, scratch: Callable[..., None]
) -> None:
    """Size from Cloudflare, tables from the schema, migrations from its own record."""
    team.migrations(_0001_users=USERS, _0002_orders=ORDERS)
    scratch(USERS, MIGRATIONS, "INSERT INTO d1_migrations (name) VALUES ('0001_users.sql')")
    (listed,) = (each for each in team.call("d1_databases", location="remote").data["databases"] if each["binding"])

    assert (listed["tables"], listed["migrationsPending"]) == (2, 1)
    assert listed["sizeBytes"] > 4096


def test_without_a_token_only_what_the_settings_name_is_listed_and_nothing_is_asked(team: Team) -> None:
    """The answer says what is missing."""
    team.environment = {}
    (team.root / "daan.toml").write_text(f'[d1.databases.live]\nid = "{IDS["scratch"]}"\n', encoding="utf-8")
    answer = team.call("d1_databases")

    assert answer.status == "partial"
    assert [each["name"] for each in answer.data["databases"]] == ["scratch", "live"]
    assert "Set CLOUDFLARE_API_TOKEN to read: live." in answer.recommendations
    assert code(team.call("d1_query", database="live", sql="SELECT 1")) == "unavailable"
    assert code(team.call("d1_query", database="remote:scratch", sql="SELECT 1")) == "not_found"


@pytest.mark.parametrize("value", ["", "  ", "${CLOUDFLARE_API_TOKEN}", "${input:token}"])
def test_a_token_that_a_client_did_not_fill_in_is_none(team: Team, value: str) -> None:
    """A client that passes `${...}` on has no token."""
    team.environment = {**team.environment, "CLOUDFLARE_API_TOKEN": value}

    assert App(str(team.root), team.environment).cloudflare is None


def test_the_account_comes_from_the_environment_over_the_settings(team: Team) -> None:
    """CLOUDFLARE_ACCOUNT_ID, else `[cloudflare] account_id`."""
    (team.root / "daan.toml").write_text('[cloudflare]\naccount_id = "other"\n', encoding="utf-8")
    accounts = []
    for environment in (team.environment, {**team.environment, "CLOUDFLARE_ACCOUNT_ID": "${X}"}):
        app = App(str(team.root), environment)
        accounts.append(app.cloudflare and app.cloudflare.account_id)
        app.close()

    assert accounts == [team.environment["CLOUDFLARE_ACCOUNT_ID"], "other"]


def test_a_wrong_account_or_a_token_without_rights_is_told_and_leaves_the_local_ones(team: Team) -> None:
    """The list is partial, and says why."""
    team.file(USERS)
    wrong = {**team.environment, "CLOUDFLARE_ACCOUNT_ID": "f" * 32}
    for environment, words in ((wrong, "The account is not valid"), (_without_rights(team), "rejects the API token")):
        team.environment = environment
        answer = team.call("d1_databases")

        assert answer.status == "partial"
        assert [each["name"] for each in answer.data["databases"]] == ["scratch", "remote:scratch"]
        assert any(words in each for each in answer.recommendations)


def _without_rights(team: Team) -> dict[str, str]:
    return {**team.account.api.environment, "CLOUDFLARE_API_TOKEN": NO_RIGHTS}


def test_without_a_network_the_local_databases_are_told_as_ever(team: Team) -> None:
    """One attempt, and the answer says what is missing; a name that nobody has is not found all the same."""
    team.file(USERS)
    team.environment = {**team.environment, "DAAN_CLOUDFLARE_API": "http://127.0.0.1:9/client/v4"}
    answer = team.call("d1_databases")

    assert answer.status == "partial"
    assert [(each["name"], each["tables"]) for each in answer.data["databases"]] == [
        ("scratch", 1),
        ("remote:scratch", None),
    ]
    assert answer.recommendations[0].startswith("Cloudflare could not be reached.")
    assert answer.recommendations[-1] == "Not looked into: remote:scratch."
    assert team.call("d1_query", database="scratch", sql="SELECT 1").data["rows"] == [[1]]
    assert code(team.call("d1_query", database="nobody", sql="SELECT 1")) == "not_found"
    assert code(team.call("d1_query", database="remote:nobody", sql="SELECT 1")) == "unavailable"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CLOUDFLARE_API_TOKEN", "two words", "CLOUDFLARE_API_TOKEN is not an API token."),
        ("DAAN_CLOUDFLARE_API", "http://api.test/", "DAAN_CLOUDFLARE_API is not an address to send a token to."),
    ],
)
def test_a_setting_that_cannot_be_used_keeps_nobody_from_the_local_databases(
    team: Team, name: str, value: str, words: str
) -> None:
    """It is told beside them."""
    team.file(USERS)
    team.environment = {**team.environment, name: value}
    listed, checked = team.call("d1_databases"), team.call("d1_check", database="scratch")

    assert [each["name"] for each in listed.data["databases"]] == ["scratch", "remote:scratch"]
    assert any(words in each for each in listed.recommendations)
    assert by_code(checked)["remote_schema"]["message"] == f"Not compared: {words}"
    assert (listed.status, checked.status) == ("partial", "partial")
    assert team.call("d1_query", database="scratch", sql="SELECT 1").data["rows"] == [[1]]
    assert words == team.call("d1_query", database="remote:scratch", sql="SELECT 1").summary
    assert code(team.call("d1_query", database="nobody", sql="SELECT 1")) == "not_found"


def test_any_database_of_the_account_is_found_by_its_name(team: Team) -> None:
    """And one that nobody has is not."""
    assert team.call("d1_query", database="sample", sql="SELECT count(*) FROM users").data["rows"] == [[4]]
    assert team.call("d1_query", database="remote:sample", sql="SELECT 1").data["rows"] == [[1]]
    assert code(team.call("d1_query", database="sampl", sql="SELECT 1")) == "not_found"


def test_a_database_of_the_settings_may_be_in_another_account(team: Team) -> None:
    """Its own account_id holds."""
    (team.root / "daan.toml").write_text(
        f'[d1.databases.theirs]\nid = "{IDS["sample"]}"\naccount_id = "{"e" * 32}"\n', encoding="utf-8"
    )

    assert code(team.call("d1_query", database="theirs", sql="SELECT 1")) == "rejected_credentials"


def test_a_remote_schema_is_that_of_a_local_file(team: Team, scratch: Callable[..., None]) -> None:
    """Tables, columns, keys, indexes, secrets: but rows are not counted, since D1 bills that."""
    made = (
        USERS,
        ORDERS,
        "CREATE INDEX by_user ON orders (user_id)",
        "CREATE TABLE keys (id, api_key TEXT DEFAULT 'x1y2z3')",
    )
    scratch(*made)
    team.file(*made)
    answers = [team.call("d1_schema", database=name, detail="full") for name in ("scratch", "remote:scratch")]
    for table in answers[0].data["tables"]:
        table["rows"] = None

    assert answers[0].data == answers[1].data
    assert "x1y2z3" not in answers[1].model_dump_json()


def test_a_remote_schema_is_a_resource(team: Team, scratch: Callable[..., None]) -> None:
    """Under the name that tells it apart."""
    scratch(USERS)
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_daan", "serve", "--workspace", str(team.root)],
        env={**os.environ, **team.environment},
    )

    async def read() -> Any:
        async with Client(server) as client:
            return await client.read_resource("d1://remote:scratch/schema")

    schema = json.loads(anyio.run(read).contents[0].text)

    assert [table["name"] for table in schema["tables"]] == ["users"]


def test_a_plan_comes_from_d1_and_its_advice_is_not_verified(team: Team, scratch: Callable[..., None]) -> None:
    """The statement is not run."""
    scratch(USERS, "INSERT INTO users VALUES (1, 'a')")
    answers: list[Answer] = []
    sql = "SELECT id FROM users WHERE email = ?"
    sent = team.account.sent(
        lambda: answers.append(team.call("d1_explain", database="remote:scratch", sql=sql, parameters=["a"]))
    )
    told = answers[0].data

    assert [step["detail"] for step in told["plan"]] == ["SCAN users"]
    assert (told["rowsRead"], answers[0].status) == (None, "partial")
    assert [(each["createIndex"], each["verified"]) for each in told["advice"]] == [
        ("CREATE INDEX idx_users_email ON users(email);", False)
    ]
    assert [each for each in sent if "users" in each] == [f"EXPLAIN QUERY PLAN {sql}"]


def test_migrations_of_a_remote_database_are_those_it_records(team: Team, scratch: Callable[..., None]) -> None:
    """And a rehearsal has its schema and no rows."""
    team.migrations(_0001_users=USERS, _0002_orders=ORDERS, _0003_bad="ALTER TABLE nowhere ADD COLUMN x")
    scratch(USERS, MIGRATIONS, "INSERT INTO d1_migrations (name) VALUES ('0001_users.sql')")
    before = team.account.rows("scratch", "SELECT * FROM sqlite_master")
    answer = team.call("d1_migrations", database="remote:scratch", rehearse=True)

    assert (answer.data["applied"], answer.data["pending"]) == (["0001_users.sql"], ["0002_orders.sql", "0003_bad.sql"])
    assert answer.data["rehearsal"]["failedFile"] == "0003_bad.sql"
    assert answer.data["rehearsal"]["data"] == "schema"
    assert answer.data["rehearsal"]["schemaDiff"] == ["added table orders (id, user_id, note)"]
    assert answer.status == "partial"
    assert any("no rows" in each for each in answer.recommendations)
    assert before == team.account.rows("scratch", "SELECT * FROM sqlite_master")


def test_a_local_schema_is_held_against_the_remote_one(team: Team, scratch: Callable[..., None]) -> None:
    """From either side, each difference in a line."""
    team.file(USERS, ORDERS)
    scratch(USERS)
    for name in ("scratch", "remote:scratch"):
        check = by_code(team.call("d1_check", database=name))["remote_schema"]

        assert (check["ok"], check["severity"]) == (False, "warning")
        assert check["detail"] == [{"text": "added table orders (id, user_id, note)"}]

    scratch(USERS, ORDERS)
    assert by_code(team.call("d1_check", database="scratch"))["remote_schema"]["ok"] is True


def test_a_comparison_that_cannot_be_made_says_why(team: Team) -> None:
    """Without a token it is left out; where Cloudflare does not answer, the check is a hole."""
    team.file(USERS)
    team.environment = _without_rights(team)
    answer = team.call("d1_check", database="scratch")
    team.environment = {}
    without = team.call("d1_check", database="scratch")

    assert answer.status == "partial"
    assert "rejects the API token" in by_code(answer)["remote_schema"]["message"]
    assert (by_code(without)["remote_schema"]["skipped"], without.status) == (True, "complete")


def test_the_health_of_a_remote_database_is_told_by_its_schema(team: Team, scratch: Callable[..., None]) -> None:
    """What reads every row is only done when asked for."""
    scratch("PRAGMA defer_foreign_keys = on", USERS, ORDERS)
    shallow = team.call("d1_check", database="remote:scratch")
    sent = team.account.sent(lambda: team.call("d1_check", database="remote:scratch"))
    deep = by_code(team.call("d1_check", database="remote:scratch", deep=True))

    assert by_code(shallow)["foreign_key_indexes"]["ok"] is False
    assert by_code(shallow)["integrity"]["skipped"] is True
    assert {each for each in sent if not each.startswith(("SELECT type, name", "SELECT name"))} == set()
    assert (deep["integrity"]["ok"], deep["foreign_keys"]["ok"]) == (True, True)
    assert (deep["integrity"]["skipped"], deep["database_size"]["ok"]) == (False, True)
