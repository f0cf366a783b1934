# Views, generated columns, STRICT, WITHOUT ROWID, quoting, comments, odd characters.
SELECT * FROM open_orders ORDER BY id
SELECT number, who FROM renamed WHERE number < 3
SELECT id FROM renamed
SELECT * FROM deeper ORDER BY who
SELECT * FROM running
SELECT * FROM with_cte
SELECT v.name, o.doubled FROM open_orders v JOIN orders o USING (id) ORDER BY id
SELECT doubled, label, typeof(doubled), typeof(label) FROM orders ORDER BY id
SELECT * FROM orders WHERE doubled = 200 ORDER BY id
SELECT label FROM orders WHERE label LIKE 'open%' ORDER BY label
SELECT * FROM strict_one ORDER BY n
SELECT typeof(i), typeof(r), typeof(t), typeof(b), typeof(a) FROM strict_one ORDER BY n
SELECT * FROM tags
SELECT tag, count(*) FROM tags WHERE person_id > 1 GROUP BY tag
SELECT person_id, tag FROM tags ORDER BY weight DESC
SELECT "a b", [select], "c.d", `e"f`, "ü", "" FROM odd
SELECT * FROM odd
SELECT odd."a b" FROM odd WHERE "select" = '2'
SELECT x FROM "two words"
SELECT x FROM [two words]
SELECT x FROM `two words`
SELECT x FROM 'two words'
SELECT "two words".x AS "x y" FROM "two words"
SELECT two words.x FROM "two words"
SELECT "no such column" FROM people
SELECT "no such column"
SELECT 'name' FROM people WHERE id = 1
SELECT "name", 'name', [name], `name` FROM people WHERE id = 1
SELECT name FROM people WHERE city = "Gent"
SELECT 'it''s', 'a"b', '', '--', '/*', ';'
SELECT 1 -- trailing
SELECT 1 /* inside */ + /* again */ 1
SELECT 1 /* unterminated
SELECT /* a */ 1 -- b
-- leading comment SELECT 1
/* leading */ SELECT 7
SELECT 1 # not a comment
SELECT 1;
SELECT 1;;
; SELECT 1
SELECT 1; SELECT 2
SELECT 1; -- done
SELECT 1; /* done */ ;
;
/* nothing */
-- nothing
SELECT 'é漢😀', "é" FROM (SELECT 1 AS "é")
SELECT ünïcode FROM (SELECT 2 AS ünïcode)
SELECT 名 FROM (SELECT 3 AS 名)
select ID, NAME from PEOPLE where ID = 1
SeLeCt 1
SELECT	1	AS	a
SELECT 1 AS "a", 2 AS "a", 3 AS "A"
SELECT p.id, o.id, p.id FROM people p JOIN orders o ON o.person_id = p.id WHERE o.id = 1
SELECT * FROM people_by_city
SELECT 1 + 1, count(*), "x" || 'y', -id, people.name, upper(name) AS u FROM people WHERE id = 1
SELECT (1), ((2)), +3, 'a' 'b'
SELECT id AS "Id", name NAME FROM people p WHERE p.id = 2
SELECT max(id)+1, COUNT(*) FROM people
SELECT case when 1 then 2 end, cast(1 as text), x'00' = zeroblob(1)
SELECT sub.name FROM (SELECT p.name FROM people p) sub LIMIT 1
SELECT name FROM (SELECT name, city FROM people UNION ALL SELECT 'x', 'y') ORDER BY name LIMIT 2
SELECT a.id, b.* FROM edges AS b, people a WHERE a.id = b.a AND b.b = 5
SELECT $ FROM people
SELECT ?
SELECT :name
SELECT 1 WHERE ? IS NULL
SELECT @a
SELECT x'0'
SELECT x'zz'
SELECT X'4F4B'
SELECT 1.2.3
SELECT 1abc
SELECT 12e
SELECT !1
SELECT 1 ! 2
SELECT a := 1
SELECT 1 <=> 2
SELECT 'a' || NULL || 'b', 'a' || 1 || 2.5
SELECT id FROM people WHERE id = 1 AND (city = 'Utrecht' OR 0)
SELECT id FROM people WHERE NOT (id > 2)
SELECT json_array(id, name) FROM people WHERE id IN (1, 2)
# Plans.
EXPLAIN QUERY PLAN SELECT * FROM people WHERE id = 1
EXPLAIN QUERY PLAN SELECT id FROM people WHERE city = 'Gent'
EXPLAIN QUERY PLAN SELECT name FROM people ORDER BY height
EXPLAIN QUERY PLAN SELECT * FROM orders WHERE person_id = 1 AND status = 'open'
EXPLAIN QUERY PLAN SELECT count(*) FROM people JOIN orders ON person_id = people.id GROUP BY city
EXPLAIN QUERY PLAN SELECT 1 UNION SELECT 2
EXPLAIN QUERY PLAN SELECT * FROM docs WHERE docs MATCH 'x'
EXPLAIN QUERY PLAN SELECT nope FROM people
EXPLAIN SELECT 1
EXPLAIN SELECT name FROM people WHERE id = 1
EXPLAIN QUERY PLAN PRAGMA table_info(people)
EXPLAIN PRAGMA page_size
EXPLAIN nonsense
EXPLAIN
EXPLAIN QUERY PLAN VALUES (1)
EXPLAIN EXPLAIN SELECT 1
EXPLAIN QUERY PLAN WITH a AS (SELECT 1) SELECT * FROM a
# Values.
SELECT id, v, typeof(v) FROM vals WHERE id NOT IN (27) ORDER BY id
SELECT v FROM vals WHERE id = 27
SELECT v + 0, v || '' FROM vals WHERE id BETWEEN 16 AND 23
SELECT length(v), hex(v) FROM vals ORDER BY id
SELECT quote(v) FROM vals WHERE id < 27 ORDER BY id
SELECT v FROM vals ORDER BY v, id
SELECT DISTINCT typeof(v) FROM vals ORDER BY 1
SELECT max(v), min(v) FROM vals
SELECT count(*) FROM vals WHERE v
SELECT v, count(*) FROM vals WHERE typeof(v) = 'integer' GROUP BY v ORDER BY v
SELECT CAST(v AS INTEGER), CAST(v AS REAL), CAST(v AS NUMERIC) FROM vals WHERE id < 27 ORDER BY id
SELECT 0.1 + 0.2, 1e15, 1e16, 1e17, 123456789012345678, 1.0, 100.0, 1e21, 1e-7, 3.0e-5
SELECT 9e999 - 9e999, 9e999 * 0, -9e999, 1e308 * 10
SELECT 2147483648, 4294967296, -2147483649, 9007199254740993, 9223372036854775808, -9223372036854775808
SELECT x'', x'00', zeroblob(5), CAST('é' AS BLOB)
SELECT photo, notes, points, height FROM people ORDER BY id
SELECT NULL, 'NULL', '', ' '
SELECT true, false, true + 1
