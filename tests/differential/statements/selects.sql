# SELECT in all its clauses.
SELECT id, name FROM people
SELECT ALL city FROM people
SELECT DISTINCT city FROM people ORDER BY city
SELECT name, city FROM people ORDER BY city NULLS LAST, name DESC
SELECT name FROM people ORDER BY height DESC NULLS FIRST LIMIT 3
SELECT name FROM people ORDER BY 1 COLLATE BINARY
SELECT name FROM people ORDER BY length(name), id
SELECT id FROM people LIMIT 2 OFFSET 3
SELECT id FROM people LIMIT 3, 2
SELECT id FROM people LIMIT -1 OFFSET 4
SELECT id FROM people LIMIT 0
SELECT id FROM people LIMIT '2'
SELECT id FROM people LIMIT 'a'
SELECT id FROM people LIMIT 1.5
SELECT id FROM people LIMIT NULL
SELECT id FROM people LIMIT (SELECT 2)
SELECT id FROM people LIMIT (SELECT name FROM people WHERE id = 1)
SELECT id FROM people LIMIT 1 + 1
SELECT id FROM people ORDER BY 9
SELECT id FROM people ORDER BY nope
SELECT city, count(*), avg(points) FROM people GROUP BY city HAVING count(*) > 1 ORDER BY 1
SELECT city AS c, count(*) AS n FROM people GROUP BY c HAVING n > 1 ORDER BY n DESC, c
SELECT count(*) FROM people GROUP BY 1
SELECT count(*) FROM people HAVING count(*) > 100
SELECT city FROM people HAVING city > 'G'
SELECT p.name, o.amount FROM people p JOIN orders o ON o.person_id = p.id ORDER BY o.id
SELECT p.name, o.amount FROM people p LEFT JOIN orders o ON o.person_id = p.id AND o.status = 'paid' ORDER BY p.id, o.id
SELECT p.name, o.id FROM orders o RIGHT JOIN people p ON o.person_id = p.id ORDER BY p.id, o.id
SELECT p.id, t.tag FROM people p FULL OUTER JOIN tags t ON t.person_id = p.id AND t.tag = 'vip' ORDER BY 1, 2
SELECT count(*) FROM people CROSS JOIN orders
SELECT count(*) FROM people, orders
SELECT count(*) FROM people NATURAL JOIN tags
SELECT person_id, count(*) FROM orders JOIN tags USING (person_id) GROUP BY 1 ORDER BY 1
SELECT a.name AS who, b.name AS boss FROM people a LEFT JOIN people b ON b.id = a.boss ORDER BY a.id
SELECT p.id FROM (people p JOIN orders o ON p.id = o.person_id) JOIN tags t ON t.person_id = p.id ORDER BY 1, t.tag, o.id
SELECT * FROM (SELECT id, name FROM people WHERE id < 3) AS x, (SELECT 1 AS one)
SELECT x.* FROM (SELECT id, city FROM people) x WHERE x.city = 'Gent' ORDER BY id
SELECT id FROM people INDEXED BY people_by_city WHERE city = 'Gent' ORDER BY id
SELECT id FROM people NOT INDEXED WHERE city = 'Gent' ORDER BY id
SELECT id FROM people INDEXED BY nope
SELECT id FROM people INDEXED BY orders_open
SELECT name FROM people WHERE city = 'Utrecht' AND id IN (SELECT person_id FROM orders)
SELECT name FROM people WHERE EXISTS (SELECT 1 FROM orders WHERE person_id = people.id AND amount > 99) ORDER BY id
SELECT name FROM people WHERE id NOT IN (SELECT person_id FROM orders) ORDER BY id
SELECT name, (SELECT max(amount) FROM orders WHERE person_id = people.id) AS best FROM people ORDER BY id
SELECT (SELECT id, name FROM people)
SELECT (SELECT id FROM people WHERE 0)
SELECT (1, 2) = (1, 2), (1, 2) < (1, 3), (1, NULL) IS (1, NULL), (1, 2) IN (VALUES (1, 2))
SELECT (1, 2)
SELECT id FROM people WHERE (city, name) = ('Gent', 'BOB')
SELECT id FROM people WHERE (id, name) > (2, 'x') ORDER BY id
SELECT id FROM people WHERE (id, id) IN (SELECT person_id, person_id FROM orders) ORDER BY id
SELECT id FROM people WHERE (id, 1) IN (SELECT 1)
VALUES (1, 'a'), (2, 'b')
VALUES (1), (2), (NULL) ORDER BY 1 DESC
VALUES (1, 2), (3)
SELECT * FROM (VALUES (1, 'x'), (2, 'y')) WHERE column1 > 1
SELECT column1, column2 FROM (VALUES (1, 2))
SELECT 1 UNION SELECT 2 UNION SELECT 1
SELECT 1 UNION ALL SELECT 1
SELECT city FROM people INTERSECT SELECT 'Gent'
SELECT city FROM people EXCEPT SELECT 'Gent' ORDER BY 1
SELECT id, name FROM people UNION ALL SELECT 99, 'x' ORDER BY 2 COLLATE BINARY, 1
SELECT id FROM people UNION SELECT name FROM people ORDER BY 1
SELECT 1 UNION SELECT 1, 2
SELECT 1 ORDER BY 1 UNION SELECT 2
SELECT 1 LIMIT 1 UNION ALL SELECT 2
SELECT id AS a FROM people WHERE id = 1 UNION ALL SELECT id AS b FROM people WHERE id = 2
SELECT * FROM people WHERE 0
SELECT
SELECT FROM people
SELECT 1 FROM
SELECT 1,
SELECT (1
SELECT 1)
SELECT 'open
SELECT "open
SELECT [open
SELECT 1 WHERE 1 = 1
SELECT 1 FROM people WHERE
SELECT nope FROM people
SELECT people.nope FROM people
SELECT nope.id FROM people
SELECT * FROM nope
SELECT nope.* FROM people
SELECT id FROM people, orders
SELECT name FROM people JOIN people
SELECT * FROM broken
SELECT *, * FROM "two words"
SELECT x, y, x FROM "two words"
SELECT *
SELECT DISTINCT *, 1 FROM edges ORDER BY a, b
SELECT DISTINCT ON (city) name FROM people
SELECT TOP 1 * FROM people
SELECT name FROM people FETCH FIRST 1 ROW ONLY
SELECT name FROM people FOR UPDATE
SELECT a.id FROM people a LATERAL JOIN orders b
SELECT name FROM people WHERE name ILIKE 'a%'
SELECT id::text FROM people
SELECT name FROM people WHERE name = ANY (SELECT 'Ann')
SELECT date '2026-01-01'
SELECT interval '1 day'
SELECT EXTRACT(year FROM placed) FROM orders
SELECT 1 AS
SELECT 1 a, 2 "b c", 3 [d], 4 `e`, 5 'f'
SELECT 1 AS select
SELECT rowid, oid, _rowid_ FROM people WHERE id = 2
SELECT rowid FROM tags
SELECT rowid FROM open_orders
SELECT p.rowid FROM people p WHERE p.rowid = 3
SELECT id FROM people WHERE rowid BETWEEN 2 AND 3
SELECT id FROM people WHERE name = 'ANN'
SELECT id FROM people WHERE name = 'ANN' COLLATE BINARY
SELECT id FROM people WHERE name COLLATE NOCASE = 'BOB'
SELECT 'a' COLLATE nosuch
SELECT 'a  ' = 'a' COLLATE RTRIM, 'A' = 'a' COLLATE nocase, 'a' = 'a' COLLATE binary
SELECT id FROM people WHERE city IS NULL OR height IS NOT NULL ORDER BY id
SELECT id FROM people WHERE lower(name) = 'carol'
SELECT id FROM people WHERE points > 8 ORDER BY id
SELECT id FROM people WHERE points = '12'
SELECT id FROM people WHERE name LIKE '%A%' ORDER BY id
SELECT id FROM people WHERE name GLOB '[A-C]*' ORDER BY id
SELECT count(*) FROM people a, people b, people c WHERE a.id < b.id AND b.id < c.id
SELECT total(amount) FROM orders WHERE placed BETWEEN '2026-01-01' AND '2026-02-01'
SELECT status, count(*) FILTER (WHERE amount > 50), count(*) FROM orders GROUP BY status ORDER BY status
# Casts.
SELECT CAST('12abc' AS INTEGER), CAST('abc' AS INTEGER), CAST(1.9 AS INTEGER), CAST(-1.9 AS INT), CAST('1e3' AS INTEGER), CAST(1e30 AS INTEGER)
SELECT CAST(1 AS TEXT), CAST(1.0 AS TEXT), CAST(x'4142' AS TEXT), CAST(NULL AS TEXT), CAST(1e20 AS TEXT), CAST(0.1 AS TEXT)
SELECT CAST('1.5x' AS REAL), CAST('x' AS REAL), CAST(3 AS REAL), CAST('9e999' AS REAL), CAST('-inf' AS REAL)
SELECT CAST('abc' AS BLOB), CAST(12 AS BLOB), CAST('1.0' AS NUMERIC), CAST('1e2' AS NUMERIC), CAST('x' AS NUMERIC), CAST(1.5 AS DECIMAL(10, 2)), CAST('7' AS VARCHAR(3))
SELECT CAST(1 AS)
SELECT CAST(1 TEXT)
SELECT CAST('0x1A' AS INTEGER), 0x1A, 0xFFFFFFFFFFFFFFFF, 1_000, 1e3, .5, 5., 1e-3
SELECT 0x1FFFFFFFFFFFFFFFF
SELECT 1__0
# CTEs.
WITH a AS (SELECT 1 AS x) SELECT x FROM a
WITH a(x, y) AS (VALUES (1, 2), (3, 4)) SELECT sum(x), sum(y) FROM a
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
WITH a AS MATERIALIZED (SELECT id FROM people) SELECT count(*) FROM a
WITH a AS NOT MATERIALIZED (SELECT id FROM people) SELECT max(id) FROM a
WITH a AS (SELECT 1) SELECT * FROM nope
WITH a(x) AS (SELECT 1, 2) SELECT x FROM a
WITH a AS (SELECT * FROM b), b AS (SELECT 2 AS z) SELECT * FROM a
WITH a AS (SELECT * FROM a) SELECT * FROM a
WITH people AS (SELECT 'mine' AS name) SELECT name FROM people
WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10) SELECT sum(x), count(*) FROM c
WITH RECURSIVE c(x) AS (VALUES (1) UNION SELECT b FROM edges, c WHERE a = x) SELECT x FROM c ORDER BY x
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) SELECT x FROM c
WITH RECURSIVE c(id, depth) AS (SELECT id, 0 FROM people WHERE boss IS NULL UNION ALL SELECT p.id, depth + 1 FROM people p JOIN c ON p.boss = c.id ORDER BY 2 DESC) SELECT id, depth FROM c
WITH RECURSIVE f(a, b) AS (SELECT 0, 1 UNION ALL SELECT b, a + b FROM f LIMIT 100) SELECT max(a) FROM f
WITH RECURSIVE c(x) AS (SELECT x FROM c) SELECT * FROM c
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT sum(x) FROM c) SELECT * FROM c
SELECT * FROM (WITH a AS (SELECT 5 AS v) SELECT v FROM a)
SELECT (WITH a AS (SELECT 6 AS v) SELECT v FROM a)
