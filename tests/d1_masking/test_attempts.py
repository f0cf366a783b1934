"""Every way we know to get at a secret, and what comes of it.

Expected is one sign a result column (`*` masked, `.` readable), then the secrets that are used elsewhere; or `refused`.
"""

import random

import apsw
import pytest

from mcp_daan.d1.masking.probe import nothing_bound
from mcp_daan.d1.masking.words import tokens

AT = "connections.access_token_enc"
KH = "api_keys.key_hash"

PLAIN = [
    ("SELECT access_token_enc FROM connections", "*"),
    ("SELECT * FROM connections", "....**..**."),
    ("SELECT c.* FROM connections c", "....**..**."),
    ("SELECT id, c.*, 1 FROM connections AS c", ".....**..**.."),
    ("SELECT access_token_enc AS harmless FROM connections", "*"),
    ("SELECT access_token_enc harmless, id access_token_enc FROM connections", "*."),
    ("SELECT id 'access_token_enc' FROM connections", "."),
    ("SELECT connections.access_token_enc, main.connections.id FROM main.connections", "*."),
    ("SELECT main.connections.access_token_enc FROM connections", "*"),
    ('SELECT "access_token_enc", [access_token_enc], `access_token_enc` FROM connections', "***"),
    ("SELECT 'access_token_enc', \"no such column\" FROM connections", ".."),
    ("SELECT 'c'.'access_token_enc', \"c\".[id] FROM 'connections' AS 'c'", "*."),
    ('SELECT ACCESS_TOKEN_ENC, "Access_Token_Enc" FROM CONNECTIONS', "**"),
    ('SELECT "order", access_token_enc "from" FROM connections', ".*"),
    ("SELECT/*x*/access_token_enc--y\n,/*access_token_enc*/id FROM connections -- access_token_enc", "*."),
    ("SELECT id, '--' , access_token_enc, '/*' FROM connections", "..*."),
    ("SELECT id \ufeff,access_token_enc FROM connections", ".*"),
    ("SELECT token_hint, shown, label FROM connections", "**."),
    ("SELECT ?1, access_token_enc, :a, @b, $c::d(e), ? FROM connections", ".*...."),
    ("SELECT access_token_enc FROM connections LIMIT 1 OFFSET 1", "*"),
    ("SELECT ALL id, access_token_enc FROM connections;", ".*"),
    ("SELECT id, access_token_enc FROM connections ; -- done\n ; ", ".*"),
    ("SELECT access_token FROM vault", "*"),
    ("SELECT rowid, access_token FROM vault", ".*"),
]
EXPRESSIONS = [
    ("SELECT length(access_token_enc), id FROM connections", "*."),
    ("SELECT hex(access_token_enc), substr(access_token_enc, 1, 4), unicode(access_token_enc) FROM connections", "***"),
    ("SELECT coalesce(access_token_enc, 'none'), ifnull(provider, 'none') FROM connections", "*."),
    ("SELECT access_token_enc IS NULL, access_token_enc ISNULL, access_token_enc NOT NULL FROM connections", "***"),
    ("SELECT typeof(access_token_enc), typeof(id) FROM connections", "*."),
    ("SELECT access_token_enc LIKE 'a%' AS hit, provider LIKE 'a%' FROM connections", "*."),
    ("SELECT access_token_enc BETWEEN 'a' AND 'b' AND id > 1, id FROM connections", "*."),
    ("SELECT access_token_enc IS NOT DISTINCT FROM 'x' same, id IS DISTINCT FROM 1 FROM connections", "*."),
    ("SELECT CASE WHEN access_token_enc > 'm' THEN 1 ELSE 0 END, CASE id WHEN 1 THEN 2 END end FROM connections", "*."),
    ("SELECT CASE WHEN 1 THEN 'x' WHEN 0 THEN refresh_token_enc END q FROM connections", "*"),
    ("SELECT CAST(access_token_enc AS BLOB), CAST(id AS access_token_enc) FROM connections", "*."),
    ("SELECT access_token_enc COLLATE nocase, id COLLATE access_token_enc FROM connections", "*."),
    ("SELECT access_token_enc COLLATE nocase thing, provider COLLATE nocase FROM connections", "*."),
    ("SELECT -access_token_enc, +access_token_enc, ~id, NOT access_token_enc FROM connections", "**.*"),
    ("SELECT access_token_enc->>'$.a', access_token_enc -> 'b', json_array(id) FROM connections", "**."),
    ("SELECT json_object('k', access_token_enc), json_object('k', id) FROM connections", "*."),
    ("SELECT (access_token_enc), ((id)), (1, 2) = (id, access_token_enc) FROM connections", "*.*"),
    ("SELECT iif(id > 1, provider, access_token_enc), iif(id > 1, provider, 'x') FROM connections", "*."),
    ("SELECT access_token_enc IN ('a', 'b'), id IN (1, 2) FROM connections", "*."),
    ("SELECT likely(access_token_enc), printf('%s', shown), 1e3, x'41', .5, 0x1F FROM connections", "**...."),
    ("SELECT 'x' IN vault, id FROM users", "*."),
    ("SELECT count(), count( ), max(access_token_enc) FROM connections", "..*"),
    ("SELECT 'x' IN main.vault, 1 NOT IN (SELECT id FROM users)", "*."),
    ("SELECT " + "(" * 90 + "access_token_enc" + ")" * 90 + ", id FROM connections", "*."),
]
AGGREGATES = [
    ("SELECT count(access_token_enc), count(*) FROM connections", "*."),
    ("SELECT max(access_token_enc), min(id) FROM connections", "*."),
    ("SELECT group_concat(access_token_enc), group_concat(id, ',') FROM connections", "*."),
    ("SELECT group_concat(id ORDER BY access_token_enc), group_concat(id ORDER BY id) FROM connections", "*."),
    ("SELECT count(*) FILTER (WHERE access_token_enc > 'm'), count(*) FILTER (WHERE id > 1) n FROM connections", "*."),
    ("SELECT count(DISTINCT access_token_enc), count(DISTINCT id) FROM connections", "*."),
    ("SELECT provider, max(access_token_enc), count(*) FROM connections GROUP BY provider", ".*."),
    ("SELECT provider FROM connections GROUP BY provider HAVING max(access_token_enc) > 'm'", f". {AT}"),
    ("SELECT row_number() OVER (ORDER BY access_token_enc), row_number() OVER (ORDER BY id) FROM connections", "*."),
    ("SELECT rank() OVER w, id FROM connections WINDOW w AS (PARTITION BY access_token_enc)", "*."),
    (
        "SELECT rank() OVER w, sum(id) OVER v FROM connections WINDOW w AS (v ORDER BY shown), v AS (PARTITION BY id)",
        "*.",
    ),
    ("SELECT lag(access_token_enc) OVER (ORDER BY id) before, sum(id) OVER () FROM connections", "*."),
    ("SELECT sum(id) OVER (w ORDER BY provider), 1 FROM connections WINDOW w AS (PARTITION BY access_token_enc)", "*."),
    ("SELECT rank() OVER w FROM connections WINDOW v AS (PARTITION BY access_token_enc), w AS (v ORDER BY id)", "*"),
    ("SELECT rank() OVER w, shown FROM connections WINDOW w AS (v ORDER BY id), v AS (PARTITION BY shown)", ".*"),
    ("SELECT rank() OVER v FROM connections WINDOW w AS (PARTITION BY access_token_enc), v AS (ORDER BY id)", "."),
    ("SELECT id FROM connections WINDOW w AS (PARTITION BY access_token_enc) ORDER BY rank() OVER w", f". {AT}"),
    ("SELECT count(*) over FROM connections", "."),
    ("SELECT count(*) filter, max(access_token_enc) filter FROM connections", ".*"),
]
SUBQUERIES = [
    ("SELECT x FROM (SELECT access_token_enc AS x, id FROM connections)", "*"),
    ("SELECT id FROM (SELECT access_token_enc AS x, id FROM connections)", "."),
    ("SELECT * FROM (SELECT * FROM connections)", "....**..**."),
    ("SELECT y.z FROM (SELECT x AS z FROM (SELECT access_token_enc x FROM connections)) y", "*"),
    ("SELECT id, thing FROM (SELECT id, upper(access_token_enc) thing FROM connections)", ".*"),
    ('SELECT "upper(access_token_enc)" FROM (SELECT id, upper(access_token_enc) FROM connections)', "*"),
    ("SELECT access_token_enc FROM (SELECT (access_token_enc) COLLATE nocase FROM connections)", "*"),
    ('SELECT "x:2", 1 FROM (SELECT 1 AS "x:1", access_token_enc AS "x:1" FROM connections)', "*."),
    ("SELECT CASE WHEN x THEN 1 END, current_date FROM (SELECT id x, upper(access_token_enc) FROM connections)", ".."),
    ("SELECT (SELECT x FROM (SELECT 1 AS x)), x FROM (SELECT access_token_enc AS x FROM connections)", ".*"),
    ("SELECT (SELECT o.x FROM (SELECT 1 AS x)), 1 FROM (SELECT access_token_enc AS x FROM connections) o", "*."),
    ('SELECT "n", 1 FROM (SELECT access_token_enc, upper(id) FROM connections)', ".."),
    ('SELECT "id:1", id FROM (SELECT id, access_token_enc AS id FROM connections)', "*."),
    ("SELECT (SELECT access_token_enc FROM connections c WHERE c.user_id = u.id), id FROM users u", "*."),
    ("SELECT (SELECT count(*) FROM connections WHERE access_token_enc > 'm'), 1", "*."),
    ("SELECT (SELECT id FROM connections ORDER BY access_token_enc LIMIT 1), 1", "*."),
    ("SELECT (SELECT 1 FROM users WHERE password_hash = c.access_token_enc), id FROM connections c", "*."),
    ("SELECT (SELECT c.access_token_enc), (SELECT c.id) FROM connections c", "*."),
    ("SELECT (SELECT (SELECT access_token_enc)), id FROM connections", "*."),
    ("SELECT (SELECT id FROM (SELECT * FROM connections)), 1", ".."),
    ("SELECT EXISTS (SELECT * FROM connections c WHERE c.user_id = u.id), id FROM users u", ".."),
    ("SELECT NOT EXISTS (SELECT 1 FROM connections WHERE access_token_enc > 'm'), 1", "*."),
    ("SELECT id IN (SELECT user_id FROM connections WHERE access_token_enc > 'm'), id FROM users", "*."),
    ("SELECT 'x' IN (SELECT access_token_enc FROM connections), id FROM users", "*."),
    ("SELECT n FROM (SELECT count(*) AS n FROM connections WHERE access_token_enc > 'm')", f". {AT}"),
    ("SELECT column1 FROM (VALUES ((SELECT max(access_token_enc) FROM connections)), (1))", "*"),
    ("VALUES (1, (SELECT access_token_enc FROM connections)), (2, 3)", ".*"),
]
WITHS = [
    ("WITH a AS (SELECT access_token_enc x, id y FROM connections) SELECT y, x FROM a", ".*"),
    ("WITH a (b, c) AS (SELECT id, access_token_enc FROM connections) SELECT c, b FROM a", "*."),
    ("WITH a (b, c) AS MATERIALIZED (SELECT id, shown FROM connections) SELECT z.c, z.b FROM a AS z", "*."),
    ("WITH a AS NOT MATERIALIZED (SELECT * FROM vault), b AS (SELECT * FROM a) SELECT * FROM b", "*"),
    ("WITH b AS (SELECT * FROM a), a AS (SELECT access_token, 1 one FROM vault) SELECT one, * FROM b", ".*."),
    ("WITH users AS (SELECT access_token_enc AS email FROM connections) SELECT email FROM users", "*"),
    ("WITH users AS (SELECT access_token_enc AS email FROM connections) SELECT email FROM main.users", "."),
    ("WITH connections (access_token_enc) AS (VALUES (1)) SELECT access_token_enc FROM connections", "."),
    ("SELECT (WITH a AS (SELECT c.access_token_enc x) SELECT x FROM a), id FROM connections c", "*."),
    ("WITH a AS (SELECT access_token FROM vault) SELECT id FROM users", "."),
    ("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n", "."),
    (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
        "SELECT i, access_token_enc FROM n JOIN connections c ON c.id = i",
        ".*",
    ),
    (
        "WITH RECURSIVE n (i) AS (SELECT access_token FROM vault UNION ALL SELECT i FROM n LIMIT 3) SELECT i FROM n",
        "refused",
    ),
    (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + length(access_token) FROM n, vault LIMIT 9) SELECT 1 FROM n",
        "refused",
    ),
    (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n, vault WHERE access_token > 'm' AND i < 4) "
        "SELECT count(*) FROM n",
        "refused",
    ),
]
VIEWS = [
    ("SELECT * FROM plain", ".*."),
    ("SELECT thing FROM plain", "*"),
    ("SELECT id, provider FROM plain", ".."),
    ("SELECT * FROM deeper", ".**"),
    ("SELECT length, d.number FROM deeper d", "*."),
    ('SELECT "a b", [from] FROM odd', ".*"),
    ("SELECT * FROM harmless", ".*"),
    ("SELECT count(*) FROM harmless WHERE token LIKE 'u1%'", ". harmless.token"),
    ("SELECT * FROM filtered", ". users.password_hash"),
    ("SELECT * FROM joined", "refused"),
    ("SELECT count(*) FROM joined", "refused"),
    ("SELECT n FROM joined_count", "refused"),
    ("SELECT 1 FROM users WHERE EXISTS (SELECT 1 FROM joined_count)", "refused"),
    ("SELECT 1 FROM users WHERE id IN (SELECT id FROM joined)", "refused"),
    ("SELECT p.id, d.number, d.something FROM plain p JOIN deeper d ON d.number = p.id", "..*"),
]
JOINS = [
    ("SELECT u.id, c.access_token_enc, c.provider FROM users u JOIN connections c ON c.user_id = u.id", ".*."),
    ("SELECT * FROM users u LEFT JOIN api_keys k ON k.user_id = u.id", "...*.....*"),
    ("SELECT k.* FROM users u CROSS JOIN api_keys k", ".....*"),
    ("SELECT u.email FROM users u JOIN connections c ON c.access_token_enc = u.note", f". {AT}"),
    ("SELECT u.email FROM users u, connections c WHERE c.access_token_enc > u.note", f". {AT}"),
    ("SELECT user_id, provider, key_hash FROM connections JOIN api_keys USING (user_id)", "..*"),
    ("SELECT * FROM api_keys a JOIN sessions USING (user_id)", ".....**."),
    ("SELECT * FROM vault NATURAL JOIN settings", "*.."),
    ("SELECT a.id FROM connections a JOIN guesses USING (access_token_enc)", "refused"),
    ("SELECT count(*) FROM connections NATURAL JOIN guesses", "refused"),
    ("SELECT count(*) FROM connections NATURAL JOIN (SELECT 'guess' AS access_token_enc)", "refused"),
    ("SELECT 1 FROM guesses JOIN connections USING (access_token_enc)", "refused"),
    ("WITH g (access_token) AS (VALUES ('guess')) SELECT 1 FROM g NATURAL JOIN vault", "refused"),
    ("SELECT access_token_enc FROM connections a FULL JOIN guesses b USING (access_token_enc)", "refused"),
    (
        "SELECT 1 FROM users WHERE EXISTS (SELECT 1 FROM vault NATURAL LEFT OUTER JOIN (SELECT 'x' access_token))",
        "refused",
    ),
    ("SELECT count(*) FROM (connections JOIN guesses USING (access_token_enc))", "refused"),
    ("SELECT count(*) FROM codes JOIN (SELECT 424242 AS otp) USING (otp)", "refused"),
    ("SELECT x FROM (SELECT access_token_enc x FROM connections) JOIN (SELECT 'g' x) USING (x)", f"* {AT}"),
    ("SELECT c.id, c.access_token_enc FROM (users u JOIN connections c ON c.user_id = u.id) AS z", ".*"),
    ("SELECT z.provider, z.shown FROM (users u JOIN connections c ON c.user_id = u.id) AS z", ".*"),
    ("SELECT u.email, access_token_enc FROM (users u JOIN connections c ON c.user_id = u.id)", ".*"),
    ("SELECT left.id, left.access_token_enc FROM connections AS left LEFT JOIN users ON left.id = users.id", ".*"),
    ('SELECT "left".id, "left".access_token_enc FROM connections AS left', ".*"),
]
ELSEWHERE = [
    ("SELECT id FROM connections WHERE access_token_enc LIKE 'a%'", f". {AT}"),
    ("SELECT id FROM connections WHERE length(shown) > 3 AND id > 1", ". connections.shown"),
    ("SELECT id FROM connections ORDER BY access_token_enc", f". {AT}"),
    ("SELECT id, access_token_enc FROM connections ORDER BY 2 DESC", f".* {AT}"),
    ("SELECT id, access_token_enc AS x FROM connections ORDER BY x NULLS LAST", f".* {AT}"),
    ("SELECT id, access_token_enc x FROM connections WHERE x > 'm'", f".* {AT}"),
    ("SELECT id, access_token_enc x FROM connections WHERE EXISTS (SELECT 1 WHERE x > 'm')", f".* {AT}"),
    ("SELECT id, upper(access_token_enc) AS provider FROM connections ORDER BY provider", f".* {AT}"),
    ("SELECT id FROM connections LIMIT (SELECT length(access_token) FROM vault)", ". vault.access_token"),
    ("SELECT id FROM connections LIMIT 1 OFFSET (SELECT length(access_token) FROM vault)", ". vault.access_token"),
    ("SELECT id FROM users WHERE id IN (SELECT user_id FROM connections WHERE access_token_enc = 'x')", f". {AT}"),
    ("SELECT id FROM users u WHERE (SELECT count(*) FROM api_keys WHERE key_hash > u.note)", f". {KH}"),
    ("SELECT id FROM users WHERE 'guess' IN vault", ". vault.access_token"),
    ("SELECT i FROM (SELECT id AS i FROM connections ORDER BY access_token_enc LIMIT 1)", f". {AT}"),
    ("SELECT id FROM connections WHERE (id, access_token_enc) IN (SELECT 1, 'x')", f". {AT}"),
    ("SELECT user_id FROM codes WHERE otp BETWEEN 1 AND 9", ". codes.otp"),
    ("SELECT user_id FROM codes WHERE rowid = 424242", "refused"),
    ("SELECT user_id FROM codes WHERE codes._rowid_ > 3", "refused"),
]
TOGETHER = [
    ("SELECT DISTINCT access_token_enc FROM connections", "refused"),
    ("SELECT DISTINCT id, length(access_token_enc) FROM connections", "refused"),
    ("SELECT DISTINCT provider FROM connections WHERE access_token_enc > 'm'", f". {AT}"),
    ("SELECT count(*) FROM (SELECT DISTINCT access_token_enc FROM connections)", "refused"),
    ("SELECT access_token_enc, count(*) FROM connections GROUP BY 1", "refused"),
    ("SELECT access_token_enc x, count(*) FROM connections GROUP BY x", "refused"),
    ("SELECT count(*) FROM connections GROUP BY substr(access_token_enc, 1, 1)", "refused"),
    ("SELECT access_token_enc FROM connections UNION SELECT note FROM users", "refused"),
    ("SELECT note FROM users EXCEPT SELECT access_token_enc FROM connections", "refused"),
    ("SELECT 'guess' INTERSECT SELECT access_token FROM vault", "refused"),
    ("SELECT id, access_token_enc FROM connections UNION ALL SELECT id, key_hash FROM api_keys", ".*"),
    ("SELECT id, access_token_enc FROM connections UNION ALL SELECT id, email FROM users ORDER BY 1", ".*"),
    ("SELECT id, note FROM users UNION ALL SELECT id, shown FROM connections ORDER BY note", ".* connections.shown"),
    ("SELECT id FROM users UNION SELECT id FROM connections WHERE access_token_enc > 'm'", f". {AT}"),
    ("SELECT u FROM (SELECT user_id u, key_hash FROM api_keys UNION ALL SELECT 1, 2)", "."),
]
TABLES = [
    ("SELECT key FROM connections, json_each(access_token_enc)", "refused"),
    ("SELECT key FROM connections c JOIN json_tree('[' || c.shown || ']')", "refused"),
    ("SELECT u.id, value FROM users u, json_each('[1, 2]')", ".."),
    ("SELECT j.*, c.access_token_enc FROM connections c, json_each('[1]') j", "........*"),
    ("SELECT name FROM pragma_table_info('connections')", "."),
    ("SELECT t.name, c.access_token_enc FROM connections c, pragma_table_info('users') t", ".*"),
    ("SELECT rowid, title, token FROM memo", ".**"),
    ("SELECT memo, rank FROM memo", "**"),
    ("SELECT count(*) FROM memo('memo')", "refused"),
    ("SELECT rowid FROM memo('canary') ORDER BY rank", "refused"),
    ("SELECT count(*) FROM memo WHERE memo = 'canary'", ". memo.memo"),
    ("SELECT count(*) FROM memo WHERE token MATCH 'canary'", ". memo.token"),
    ("SELECT rowid FROM pages('plain') ORDER BY rank", "."),
    ("SELECT highlight(pages, 1, '<', '>') FROM pages WHERE pages MATCH 'plain'", "."),
    ("SELECT * FROM words", "refused"),
    ("SELECT count(*) FROM words WHERE term = 'canary'", "refused"),
    ("SELECT term FROM page_words", "."),
    ("SELECT * FROM mirror", "**"),
    ("SELECT thing FROM view_mirror", "*"),
    ("SELECT id, c0, c1 FROM memo_content", ".**"),
    ("SELECT id, block FROM memo_data", ".*"),
    ("SELECT term FROM memo_idx", "*"),
    ("SELECT id, sz FROM memo_docsize", ".*"),
    ("SELECT id, c0 FROM pages_content", ".."),
    ("SELECT tbl, idx, stat FROM sqlite_stat1", "..*"),
    ("SELECT tbl, neq, nlt, ndlt, sample FROM sqlite_stat4", ".****"),
    ("SELECT otp, user_id FROM codes", "*."),
    ("SELECT oid FROM codes", "refused"),
]
ORDERS = [
    ("SELECT id FROM api_keys", "."),
    ("SELECT id FROM api_keys LIMIT 1", "."),
    ("SELECT group_concat(id) FROM api_keys", "."),
    ("SELECT id, row_number() OVER () FROM api_keys", ".."),
    ("SELECT id FROM api_keys INDEXED BY keys_by_user WHERE user_id = 1", "refused"),
    ("SELECT id FROM api_keys INDEXED BY sqlite_autoindex_api_keys_1", "refused"),
    ("SELECT id, name FROM api_keys WHERE user_id = 1", ".."),
    ("SELECT id FROM api_keys NOT INDEXED WHERE user_id = 1", "."),
    ('SELECT u.id, k.id FROM"users"u LEFT JOIN"api_keys"k ON u.id=k.user_id', ".."),
    ("SELECT id FROM api_keys INDEXED BY keys_by_name WHERE name = 'k1'", "."),
    ("SELECT user_id FROM (SELECT user_id FROM api_keys) WHERE user_id > 0", "."),
    ("WITH k AS (SELECT id FROM api_keys) SELECT * FROM k, k AS l LIMIT 5", ".."),
    ("SELECT (SELECT id FROM api_keys LIMIT 1), (SELECT k.id FROM api_keys k WHERE user_id = 2)", ".."),
    ("SELECT count(*) FROM api_keys", "."),
    ("SELECT user_id, opened_at FROM sessions", ".."),
    ("SELECT s.user_id FROM sessions s WHERE opened_at > '2026-02' LIMIT 2", "."),
    ("SELECT user_id FROM codes", "."),
    ("SELECT c.user_id FROM codes AS c JOIN users u ON u.id = c.user_id", "."),
    ("SELECT * FROM open_sessions", "."),
    ("SELECT * FROM hashed h WHERE h.user_id = 1", "."),
    ("SELECT 1 IN open_sessions, 1 IN first_session, id FROM users WHERE id IN hashed", "..."),
    ("WITH sessions AS (SELECT 1) SELECT * FROM open_sessions", "refused"),
    ("SELECT main.sessions.user_id FROM main.sessions", "refused"),
]
PLANS = [
    ("EXPLAIN SELECT access_token_enc FROM connections", "........"),
    ("EXPLAIN QUERY PLAN SELECT * FROM connections WHERE access_token_enc = 'x'", "...."),
    ("PRAGMA table_info(connections)", "......"),
]
ATTEMPTS = [
    *PLAIN,
    *EXPRESSIONS,
    *AGGREGATES,
    *SUBQUERIES,
    *WITHS,
    *VIEWS,
    *JOINS,
    *ELSEWHERE,
    *TOGETHER,
    *TABLES,
    *ORDERS,
    *PLANS,
]


@pytest.mark.parametrize(("sql", "expected"), ATTEMPTS)
def test_an_attempt_comes_out_as_expected(vault, sql, expected):
    """What draws on a secret is masked, what does not stays readable, and only what cannot be told is refused."""
    asked = vault.ask(sql, nothing_bound(sql))

    assert expected == asked.shape


@pytest.mark.parametrize("sql", [sql for sql, _ in ATTEMPTS])
def test_secrets_make_no_difference_to_an_answer(vault, twin, sql):
    """Two databases that differ only in their secret values answer alike, rows, order and failures included."""
    answers = [each.ask(sql, nothing_bound(sql)) for each in (vault, twin)]

    assert answers[0] == answers[1]


@pytest.mark.parametrize("sql", [sql for sql, _ in ATTEMPTS])
def test_no_answer_holds_a_piece_of_a_secret(vault, sql):
    """Not four characters of a secret stand in an answer, nor their hex."""
    text = repr(vault.ask(sql, nothing_bound(sql)).rows).lower()

    pieces = {canary[at : at + 4] for canary in vault.canaries for at in range(len(canary) - 3)}
    assert not {piece for piece in pieces if piece in text or piece.encode().hex() in text}


@pytest.mark.parametrize(("sql", "expected"), [each for each in ATTEMPTS if each[1] != "refused"])
def test_a_masked_column_is_null_or_computed_from_null(vault, twin, sql, expected):
    """Behind the mask the engine holds nothing either: even unmasked, the rows are the same for other secrets."""
    rows = []
    for each in (vault, twin):
        try:
            rows.append(each.connection.execute(each.masks(sql).statement, nothing_bound(sql)).fetchall())
        except apsw.Error as error:
            rows.append(type(error))

    assert rows[0] == rows[1]


@pytest.mark.parametrize("seed", range(4))
def test_secrets_make_no_difference_to_mutants_of_attempts(vault, twin, seed):
    """Pieces of attempts put together at random: what the engine accepts of it tells nothing either."""
    chance = random.Random(seed)
    pieces = [[sql[each.start : each.end] for each in tokens(sql)[:-1]] for sql, _ in ATTEMPTS]
    pieces = [each for each in pieces if each[0] in ("SELECT", "WITH", "VALUES")]
    spice = "NATURAL JOIN USING ( ) , * DISTINCT UNION ALL FULL access_token_enc key_hash connections api_keys vault".split()
    accepted = 0
    for _ in range(2500):
        words, other = list(chance.choice(pieces)), chance.choice(pieces)
        for _ in range(chance.randint(1, 2)):
            at, start = chance.randrange(1, len(words) + 1), chance.randrange(len(other))
            piece = chance.choice(([], [chance.choice(spice)], other[start : start + chance.randint(1, 8)]))
            words[at : at + chance.randint(0, 3)] = piece
        answers = [_answer(each, " ".join(words)) for each in (vault, twin)]
        accepted += not isinstance(answers[0], type)

        assert answers[0] == answers[1], " ".join(words)
    assert accepted > 100


def _answer(vault, sql):
    deadline = iter(range(100))
    vault.connection.set_progress_handler(lambda: next(deadline, None) is None, 1000)
    try:
        return vault.ask(sql, nothing_bound(sql))
    except apsw.Error as error:
        return type(error)
    finally:
        vault.connection.set_progress_handler(None)
