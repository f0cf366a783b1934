"""No plan, no count and no index of d1_explain tells of a secret."""

import json

import pytest

from tests.explain.conftest import SCRIPT, Shop


@pytest.mark.parametrize("where", ["key_hash = '{}'", "key_hash LIKE '{}%'", "key_hash >= '{}'", "'{}' < key_hash"])
def test_a_right_guess_reads_as_many_rows_as_a_wrong_one(shop: Shop, where: str) -> None:
    """In a filter a secret counts as NULL, and the answer says so."""
    right, wrong = (shop.explain(f"SELECT id FROM api_keys WHERE {where.format(guess)}") for guess in ("hash7", "nope"))

    assert (right.data, right.status) == (wrong.data, "partial")
    assert "api_keys.key_hash" in right.recommendations[0]


def test_the_plan_is_that_of_d1(shop: Shop) -> None:
    """A lookup by hash shows whether it uses its index."""
    plan = shop.explained("SELECT id FROM api_keys WHERE key_hash = ?", parameters=["x"])["plan"]

    assert [step["detail"] for step in plan] == ["SEARCH api_keys USING COVERING INDEX api_keys_hash (key_hash=?)"]


def test_the_literals_of_a_secret_index_cannot_be_guessed(own_shop: Shop) -> None:
    """A partial index serves exactly those who know its literal: such plans have NULL in the secret's place."""
    own_shop.fill(SCRIPT + "CREATE INDEX one ON api_keys(scope) WHERE key_hash = 'hash7';")
    right, wrong = (
        own_shop.explained(f"SELECT id FROM api_keys WHERE scope = 'read' AND key_hash = '{guess}'")
        for guess in ("hash7", "nope")
    )

    assert right == wrong


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM api_keys WHERE key_hash = 'x' AND scope = 'read'",
        "SELECT * FROM api_keys ORDER BY key_hash LIMIT 3",
        "SELECT * FROM api_keys WHERE lower(key_hash) = 'x'",
        "SELECT p.name FROM people p JOIN api_keys k ON k.key_hash = p.name",
    ],
)
def test_no_index_is_advised_where_a_secret_decides(own_shop: Shop, sql: str) -> None:
    """What was tried would not be what D1 runs."""
    own_shop.fill(SCRIPT + "DROP INDEX api_keys_hash;")

    assert own_shop.indexes(sql) == []


def test_an_index_beside_a_secret_never_holds_it(own_shop: Shop) -> None:
    """Not even to cover the columns that are read."""
    own_shop.fill(SCRIPT + "DROP INDEX api_keys_hash; UPDATE api_keys SET scope = 'rare' WHERE id = 7;")
    found = own_shop.explained("SELECT scope, key_hash FROM api_keys WHERE scope = 'rare'")

    assert [each["createIndex"] for each in found["advice"]] == ["CREATE INDEX idx_api_keys_scope ON api_keys(scope);"]


@pytest.mark.parametrize(
    "sql", ["SELECT count(*) FROM api_keys GROUP BY key_hash", "SELECT DISTINCT key_hash FROM api_keys"]
)
def test_what_d1_query_refuses_for_a_secret_is_planned_and_not_counted(shop: Shop, sql: str) -> None:
    """A number of groups is a fact about secrets."""
    answer = shop.explain(sql)

    assert (answer.status, answer.data["rowsRead"], answer.data["advice"]) == ("partial", None, [])
    assert len(answer.data["plan"]) > 0


def test_rows_in_the_order_of_a_secret_are_counted_in_other_words(shop: Shop) -> None:
    """How soon a row comes in that order tells of its secret: here it comes as soon as its id says."""
    answer = shop.explain("SELECT id FROM api_keys WHERE id % 100 = 42 LIMIT 1")

    assert (answer.status, answer.data["rowsRead"], answer.data["advice"]) == ("partial", 42, [])
    assert "other words" in answer.recommendations[0]


def test_no_secret_stands_in_an_answer(own_shop: Shop) -> None:
    """Nor in an index's literals."""
    own_shop.fill(SCRIPT + "CREATE INDEX two ON api_keys(substr(key_hash, 1, 4) || 'FAKE-SECRET');")
    told = json.dumps(own_shop.explained("SELECT * FROM api_keys WHERE key_hash > 'a' ORDER BY substr(key_hash, 1, 4)"))

    assert "FAKE-SECRET" not in told
