"""On a remote database a secret is a plain result column, or the statement is not sent."""

import random

import pytest

from mcp_daan.d1.masking.probe import nothing_bound
from mcp_daan.d1.masking.words import tokens
from mcp_daan.d1.remote.judgement import judgement
from mcp_daan.errors import DaanError
from mcp_daan.protocol import Answer
from tests.d1_masking.conftest import Vault
from tests.d1_masking.test_attempts import ATTEMPTS, PLAIN

from .conftest import Account, code

ASKED: dict[tuple[str, str], Answer] = {}
SPICE = (
    "NATURAL JOIN USING ( ) , * DISTINCT UNION ALL FULL ORDER BY 1 2 x access_token_enc key_hash connections api_keys"
)


def asked(account: Account, name: str, sql: str) -> Answer:
    """The answer of a database to *sql*, without what it took; each is asked once."""
    key = (name, sql)
    if key not in ASKED:
        ASKED[key] = _asked(account, name, sql)
    return ASKED[key]


def _asked(account: Account, name: str, sql: str) -> Answer:
    answer = account.query(name, sql, parameters=list(nothing_bound(sql)))
    answer.data.get("meta", {}).pop("durationMs", None)
    return answer.model_copy(update={"task_id": "", "artifacts": [], "summary": ""})


@pytest.mark.parametrize("sql", [sql for sql, _ in ATTEMPTS])
def test_secrets_make_no_difference_to_what_comes_back(account: Account, sql: str) -> None:
    """Two real databases that differ only in their secrets answer alike: rows, order, rows read and failures."""
    answers = [asked(account, name, sql) for name in ("vault", "twin")]

    assert answers[0] == answers[1]


def test_no_answer_holds_a_piece_of_a_secret(account: Account) -> None:
    """Not four characters of one, whatever is asked: nor do they ever leave Cloudflare."""
    canaries = Vault("first").canaries
    pieces = {canary[at : at + 4] for canary in canaries for at in range(len(canary) - 3)}
    texts = [asked(account, "vault", sql).model_dump_json().replace(sql, "").lower() for sql, _ in ATTEMPTS]
    digits = [piece for piece in pieces if not piece.isdigit()]

    assert [piece for piece in digits if any(piece in text for text in texts)] == []


@pytest.mark.parametrize(("sql", "expected"), PLAIN)
def test_a_plain_result_column_is_masked_and_the_others_stay_readable(
    account: Account, sql: str, expected: str
) -> None:
    """As on a local database; a few statements that only look odd are refused instead."""
    answer = asked(account, "vault", sql)

    if code(answer) == "refused":
        assert sql in ODD
    else:
        shown = ["".join("*" if value == "***" else "." for value in row) for row in answer.data["rows"]]
        assert {expected} == set(shown)


# The name of a secret stands in them for something else as well.
ODD = {
    "SELECT access_token_enc harmless, id access_token_enc FROM connections",
    "SELECT id 'access_token_enc' FROM connections",
    "SELECT 'access_token_enc', \"no such column\" FROM connections",
    'SELECT "order", access_token_enc "from" FROM connections',
}
OTHERWISE = [
    "SELECT id FROM connections WHERE access_token_enc LIKE 'a%'",
    "SELECT id, access_token_enc FROM connections ORDER BY access_token_enc",
    "SELECT id, access_token_enc FROM connections ORDER BY 2",
    "SELECT id, access_token_enc FROM connections ORDER BY +2",
    "SELECT id, access_token_enc FROM connections ORDER BY likely(2)",
    "SELECT id, access_token_enc FROM connections ORDER BY (2) COLLATE NOCASE DESC",
    "SELECT id, access_token_enc AS x FROM connections ORDER BY x",
    "SELECT id, access_token_enc AS x FROM connections WHERE x > 'm'",
    "SELECT id, access_token_enc AS x FROM connections GROUP BY x",
    "SELECT * FROM connections ORDER BY access_token_enc",
    "SELECT *, id AS z FROM connections GROUP BY access_token_enc",
    "SELECT access_token_enc, count(*) FROM connections GROUP BY 1",
    "SELECT DISTINCT access_token_enc FROM connections",
    "SELECT access_token_enc FROM connections UNION ALL SELECT email FROM users",
    "SELECT length(access_token_enc) FROM connections",
    "SELECT access_token_enc || '' FROM connections",
    "SELECT json_extract(access_token_enc, '$') FROM connections",
    "SELECT max(access_token_enc) FROM connections",
    "SELECT (SELECT access_token_enc FROM connections LIMIT 1)",
    "SELECT x FROM (SELECT access_token_enc AS x FROM connections)",
    "WITH c AS (SELECT access_token_enc AS x FROM connections) SELECT x FROM c",
    "SELECT id FROM (SELECT * FROM connections)",
    "SELECT 1 FROM connections JOIN guesses USING (access_token_enc)",
    "SELECT count(*) FROM connections NATURAL JOIN guesses",
    "SELECT c.id FROM connections c JOIN guesses g ON g.access_token_enc = c.access_token_enc",
    "SELECT key FROM connections, json_each(access_token_enc)",
    "SELECT thing FROM plain",
    "SELECT id FROM filtered",
    "SELECT substr(token_hint, 1, 1) FROM connections",
    "SELECT id FROM connections WHERE shown > 'm'",
    "SELECT count(*) FROM memo WHERE memo MATCH 'canary'",
    "SELECT row_number() OVER (ORDER BY access_token_enc) FROM connections",
    "SELECT id FROM connections WINDOW w AS (PARTITION BY access_token_enc) ORDER BY rank() OVER w",
    "SELECT id FROM connections LIMIT (SELECT length(access_token) FROM vault)",
    "SELECT u.id FROM users u WHERE EXISTS (SELECT 1 FROM vault WHERE access_token > 'm')",
    "SELECT 'x' IN vault",
    "EXPLAIN QUERY PLAN SELECT id FROM connections WHERE access_token_enc = 'guess'",
    "EXPLAIN SELECT id FROM connections WHERE access_token_enc = 'guess'",
]


@pytest.mark.parametrize("sql", OTHERWISE)
def test_any_other_use_of_a_secret_is_refused_and_never_sent(account: Account, sql: str) -> None:
    """Filters, joins, orders, expressions, subqueries, views, tables that words were taken into."""
    answers: list[Answer] = []
    sent = account.sent(lambda: answers.append(account.query("vault", sql)))

    assert code(answers[0]) == "refused"
    assert [each for each in sent if "sqlite_master" not in each] == []


def test_secrets_never_leave_cloudflare_even_for_a_plain_column(account: Account) -> None:
    """What would be masked here is asked for as NULL."""
    sent = account.sent(lambda: account.query("vault", "SELECT id, access_token_enc FROM connections"))
    asked = next(each for each in sent if "access_token_enc" in each)
    path = account.owner.account("d1", "database", account.api.ids["vault"], "raw")
    rows = account.owner.read(path, {"sql": asked}).result[0]["results"]["rows"]

    assert [[number, None] for number in range(1, 8)] == rows


def test_rows_never_come_in_the_order_of_a_secret(account: Account) -> None:
    """Where D1 itself would walk an index on a secret, the statement goes out in other words."""
    sent = account.sent(lambda: account.query("vault", "SELECT id FROM api_keys"))

    assert "EXPLAIN QUERY PLAN" in sent[-3]
    assert "NOT INDEXED" in sent[-2]
    assert [[number] for number in range(1, 8)] == account.rows("vault", "SELECT id FROM api_keys")


def test_the_order_is_left_to_d1_where_it_tells_nothing(account: Account) -> None:
    """By an index on an open column the statement stays as it is."""
    sent = account.sent(lambda: account.query("vault", "SELECT id FROM api_keys WHERE name = 'k1'"))

    assert "EXPLAIN QUERY PLAN" in sent[-3]
    assert "NOT INDEXED" not in sent[-2]


@pytest.mark.parametrize("seed", range(2))
def test_secrets_make_no_difference_to_mutants_of_attempts(account: Account, seed: int) -> None:
    """Pieces of attempts put together at random: what is judged fit to send tells nothing either."""
    chance = random.Random(seed)
    vault = Vault("first")
    vault.connection.authorizer = None
    schema = vault.connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid").fetchall()
    pieces = [[sql[each.start : each.end] for each in tokens(sql)[:-1]] for sql, _ in ATTEMPTS]
    pieces = [each for each in pieces if each[0] in ("SELECT", "WITH", "VALUES")]
    judged = 0
    for _ in range(400):
        words, other = list(chance.choice(pieces)), chance.choice(pieces)
        for _ in range(chance.randint(1, 2)):
            at, start = chance.randrange(1, len(words) + 1), chance.randrange(len(other))
            piece = chance.choice(([], [chance.choice(SPICE.split())], other[start : start + chance.randint(1, 8)]))
            words[at : at + chance.randint(0, 3)] = piece
        sql = " ".join(words)
        try:
            judgement(schema=schema, sql=sql, parameters=nothing_bound(sql), patterns=(), seconds=5)
        except DaanError:
            continue
        judged += 1
        answers = [asked(account, name, sql) for name in ("vault", "twin")]
        assert answers[0] == answers[1], sql
    assert judged > 5
