-- Every kind of table and value that D1 takes; run by D1 itself.
CREATE TABLE people (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, city TEXT, born TEXT, height REAL, points NUMERIC,
  photo BLOB, notes, boss INTEGER REFERENCES people (id), password_hash TEXT
);
CREATE INDEX people_by_city ON people (city, name DESC);
CREATE INDEX people_by_lower ON people (lower(name));
CREATE TABLE orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  amount INTEGER CHECK (amount >= 0), status TEXT NOT NULL DEFAULT 'open', placed TEXT DEFAULT CURRENT_TIMESTAMP,
  lines TEXT, doubled AS (amount * 2), label TEXT GENERATED ALWAYS AS (status || '/' || amount) STORED
);
CREATE INDEX orders_open ON orders (person_id) WHERE status = 'open';
CREATE UNIQUE INDEX orders_label ON orders (label, id);
CREATE TABLE tags (person_id INTEGER, tag TEXT, weight REAL, PRIMARY KEY (person_id, tag)) WITHOUT ROWID;
CREATE TABLE strict_one (i INTEGER, r REAL, t TEXT, b BLOB, a ANY, n INT NOT NULL DEFAULT 7) STRICT;
CREATE TABLE odd ("a b" TEXT, "select" TEXT, [c.d] TEXT, `e"f` TEXT, "ü" TEXT, "" TEXT, UNIQUE ("a b", "select"));
CREATE TABLE "two words" (x, y);
CREATE TABLE vals (id INTEGER PRIMARY KEY, v);
CREATE TABLE no_rows (x INTEGER, y TEXT);
CREATE TABLE edges (a INTEGER, b INTEGER);
CREATE TABLE log (at TEXT, what TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, FOREIGN KEY (a, b) REFERENCES parent (a, b) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE parent (a INTEGER, b INTEGER, PRIMARY KEY (b, a));
CREATE VIEW open_orders AS SELECT o.id, p.name, o.amount FROM orders o JOIN people p ON p.id = o.person_id WHERE o.status = 'open';
CREATE VIEW renamed (number, who) AS SELECT id, name FROM people;
CREATE VIEW deeper AS SELECT who, count(*) AS n FROM renamed JOIN orders ON person_id = number GROUP BY who;
CREATE VIEW running AS SELECT id, sum(amount) OVER (ORDER BY id) AS so_far FROM orders;
CREATE VIEW with_cte AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT x FROM c;
CREATE VIEW broken AS SELECT nope FROM gone;
CREATE VIRTUAL TABLE docs USING fts5(title, body, tokenize = 'porter unicode61');
CREATE VIRTUAL TABLE trigrams USING fts5(t, tokenize = 'trigram');
CREATE VIRTUAL TABLE mirror USING fts5(name, city, content = 'people', content_rowid = 'id');
CREATE VIRTUAL TABLE docs_words USING fts5vocab('docs', 'row');
CREATE VIRTUAL TABLE places USING rtree(id, min_x, max_x, min_y, max_y, +label TEXT);
CREATE VIRTUAL TABLE grid USING rtree_i32(id, low, high);
CREATE TRIGGER log_orders AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (new.placed, 'order ' || new.id); END;
INSERT INTO people VALUES
  (1, 'Ann', 'Utrecht', '1980-02-29', 1.71, 10, x'00ff10', NULL, NULL, NULL),
  (2, 'bob', 'Gent', '1990-12-31', 1.8, 7.5, NULL, 'likes "quotes"', 1, NULL),
  (3, 'Carol', 'Utrecht', '2000-01-01 12:30:45.678', NULL, '12', x'', 'üñí漢😀', 1, NULL),
  (4, 'dave', NULL, NULL, -0.0, 'many', x'414243', 12, 2, NULL),
  (5, 'Eve', 'Gent', '1970-01-01T00:00:00Z', 1e300, 9007199254740993, NULL, 1.5, 2, NULL),
  (6, '', 'Óbidos', 'not a date', 1e-300, NULL, x'c3a9', x'01', 5, NULL);
INSERT INTO orders (person_id, amount, status, placed, lines) VALUES
  (1, 100, 'open', '2026-01-01 10:00:00', '[{"sku":"A","qty":2},{"sku":"B","qty":1}]'),
  (1, 250, 'paid', '2026-01-15 11:00:00', '{"a":{"b":[1,2,3]},"c":null,"d":"x\"y","e":1.50}'),
  (2, 0, 'open', '2026-02-01 00:00:00', '[]'),
  (2, 75, 'void', '2026-02-28 23:59:59', NULL),
  (3, 100, 'paid', '2026-03-31 12:00:00', 'null'),
  (5, NULL, 'open', NULL, '{"k":9007199254740993,"t":true,"big":1e400}'),
  (5, 4096, 'paid', '2026-12-31 23:59:59', 'not json');
INSERT INTO tags VALUES (1, 'vip', 1.5), (1, 'admin', 2), (2, 'vip', NULL), (3, 'new', 0.1), (5, 'vip', -1);
INSERT INTO strict_one VALUES (1, 2, 'three', x'04', 5, 6), (-9223372036854775808, -1.5, '', x'', 'any', 7), (NULL, NULL, NULL, NULL, x'ff', 8), (9223372036854775807, 1e308, 'x', zeroblob(3), 1.0, 9);
INSERT INTO odd VALUES ('1', '2', '3', '4', '5', '6'), ('a''b', 'c"d', '[e]', '`f`', 'ü', '');
INSERT INTO "two words" VALUES (1, 2), (3, 4);
INSERT INTO vals (v) VALUES (NULL), (0), (-1), (9007199254740991), (9007199254740992), (9007199254740993), (-9007199254740993), (9223372036854775807), (-9223372036854775807 - 1), (0.1), (1e100), (9e999), (-9e999), (-0.0), (5e-324), (''), ('text'), ('a' || char(0) || 'b'), ('🜁é漢'), ('1'), ('1.0'), (' 7 '), ('0x10'), (x''), (x'00'), (x'6162'), (CAST(x'ff41' AS TEXT)), (CAST('blob' AS BLOB)), ('[1,2]'), ('{"a":1}'), (char(8232)), (char(0));
INSERT INTO edges VALUES (1, 2), (2, 3), (3, 4), (4, 2), (1, 5);
INSERT INTO child VALUES (1, NULL, NULL);
INSERT INTO docs VALUES ('Connections', 'how to delete a stale connection and update its tokens'), ('Policy', 'never drop a table in production, never'), ('Éclair', 'café au lait, naïve'), ('Empty', '');
INSERT INTO trigrams VALUES ('the quick brown fox'), ('lazy dogs'), ('QUICKSAND');
INSERT INTO mirror (mirror) VALUES ('rebuild');
INSERT INTO places VALUES (1, 0, 10, 0, 10, 'home'), (2, 5, 15, 5, 15, 'work'), (3, -10, -5, -10, -5, 'away');
INSERT INTO grid VALUES (1, 1, 5), (2, 3, 9), (3, -7, 2);
