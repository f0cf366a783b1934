# What D1 runs and this server does not: these come last, since they change the engine's database.
INSERT INTO edges VALUES (7, 8)
INSERT INTO edges VALUES (7, 8) RETURNING a, b
INSERT INTO tags VALUES (1, 'vip', 3) ON CONFLICT (person_id, tag) DO UPDATE SET weight = excluded.weight RETURNING weight
INSERT OR IGNORE INTO tags VALUES (1, 'vip', 4)
INSERT INTO edges SELECT a, b FROM edges WHERE 0
INSERT INTO edges DEFAULT VALUES
REPLACE INTO tags VALUES (1, 'vip', 5)
UPDATE edges SET b = 9 WHERE a = 7
UPDATE edges SET b = 9 WHERE a = 7 RETURNING rowid
UPDATE edges SET b = p.id FROM people p WHERE p.id = edges.a
DELETE FROM edges WHERE a = 7
DELETE FROM edges WHERE a = 7 RETURNING *
WITH x AS (SELECT 1) INSERT INTO edges SELECT 1, 1 FROM x
WITH x AS (SELECT 1) DELETE FROM edges WHERE a IN x
CREATE TABLE made (x)
CREATE TABLE IF NOT EXISTS made (x)
CREATE TABLE made_too AS SELECT 1 AS a
CREATE INDEX made_i ON made (x)
CREATE VIEW made_v AS SELECT 1
CREATE TRIGGER made_t AFTER INSERT ON made BEGIN SELECT 1; END
CREATE VIRTUAL TABLE made_f USING fts5(x)
ALTER TABLE made ADD COLUMN y
ALTER TABLE made RENAME TO made_2
DROP VIEW made_v
DROP INDEX made_i
DROP TABLE made_2
DROP TABLE IF EXISTS nope
ANALYZE
ANALYZE people
REINDEX
REINDEX people_by_city
PRAGMA optimize
SELECT * FROM pragma_optimize
PRAGMA optimize(0x10002)
PRAGMA foreign_keys = ON
PRAGMA defer_foreign_keys = ON
PRAGMA case_sensitive_like = OFF
PRAGMA ignore_check_constraints(0)
PRAGMA legacy_alter_table = 0
PRAGMA recursive_triggers = OFF
PRAGMA reverse_unordered_selects = 0
EXPLAIN DELETE FROM edges
EXPLAIN QUERY PLAN UPDATE people SET name = 'x' WHERE id = 1
EXPLAIN INSERT INTO edges VALUES (1, 2)
INSERT INTO docs (docs) VALUES ('optimize')
# What neither does.
CREATE TEMP TABLE t (x)
CREATE TEMP VIEW tv AS SELECT 1
CREATE TABLE temp.t (x)
CREATE TABLE _cf_mine (x)
CREATE VIRTUAL TABLE pages USING dbstat
CREATE VIRTUAL TABLE v USING nosuch(x)
INSERT INTO _cf_METADATA VALUES (1, 2)
DELETE FROM _cf_METADATA
UPDATE sqlite_schema SET name = 'x'
DELETE FROM sqlite_schema
DROP TABLE _cf_METADATA
ATTACH ':memory:' AS x
ATTACH DATABASE 'x.db' AS x
DETACH main
VACUUM
VACUUM INTO 'copy.db'
EXPLAIN VACUUM
BEGIN
BEGIN IMMEDIATE
COMMIT
END
ROLLBACK
SAVEPOINT a
RELEASE a
ROLLBACK TO a
INSERT INTO nope VALUES (1)
INSERT INTO people (id) VALUES (1)
UPDATE people SET nope = 1
DELETE FROM open_orders
INSERT INTO edges VALUES (1)
DROP TABLE nope
CREATE TABLE people (x)
SELEC 1
GRANT ALL ON people TO x
SHOW TABLES
DESCRIBE people
.tables
SET x = 1
TRUNCATE people
CALL x()
