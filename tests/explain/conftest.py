"""A shop whose D1 file holds enough rows for a plan to matter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.protocol import Answer
from mcp_daan.toolbox import tools_in
from mcp_daan.tools import explain
from tests.asking import run
from tests.d1.conftest import Portal

TOOLS = tools_in(explain)
SCRIPT = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, city TEXT, age INTEGER, created_at TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, status TEXT, amount INTEGER, at TEXT, lines TEXT);
CREATE INDEX orders_person ON orders(person);
CREATE TABLE pairs (a TEXT, b TEXT, v, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE VIEW paid AS SELECT * FROM orders WHERE status = 'paid';
CREATE TABLE api_keys (id INTEGER PRIMARY KEY, scope TEXT, key_hash TEXT);
CREATE INDEX api_keys_hash ON api_keys(key_hash);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO people
SELECT i, 'name' || i, 'p' || i || '@example.test', 'city' || (i % 20), i % 90,
 date('2026-01-01', '+' || (i % 300) || ' days') FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO orders
SELECT i, (i * 7) % 1200, CASE i % 10 WHEN 0 THEN 'open' WHEN 1 THEN 'void' ELSE 'paid' END, i % 977,
 date('2026-01-01', '+' || (i % 200) || ' days'), json_object('kind', i % 50) FROM n;
INSERT INTO pairs SELECT name, email, age FROM people LIMIT 500;
INSERT INTO api_keys SELECT id, iif(id % 2, 'read', 'write'), 'hash' || id FROM people WHERE id <= 200;
"""


class Shop(Portal):
    """The portal's app and file, and what is explained of them."""

    def explain(self, sql: str, **arguments: Any) -> Answer:
        """One call of d1_explain."""
        return run(TOOLS["d1_explain"], self.app.for_call(), {"database": "portal-db", "sql": sql, **arguments})

    def explained(self, sql: str, **arguments: Any) -> dict[str, Any]:
        """The data of a call that answers."""
        answer = self.explain(sql, **arguments)
        assert answer.error is None, answer.error
        return answer.data

    def indexes(self, sql: str, **arguments: Any) -> list[str]:
        """The indexes that are advised."""
        return [each["createIndex"] for each in self.explained(sql, **arguments)["advice"]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for many statements: none of them may leave a trace."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.fill(SCRIPT)
    yield made
    made.app.close()


@pytest.fixture
def own_shop(workspace: Path) -> Iterator[Shop]:
    """A shop that a test fills by itself."""
    made = Shop(workspace)
    yield made
    made.app.close()
