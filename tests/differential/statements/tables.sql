# Table-valued functions, and tables that nobody declared.
SELECT * FROM json_each('[1,"a",null,{"x":1},2.5,true]')
SELECT key, value, type, atom, fullkey, path FROM json_each('{"a":1,"b":[2]}')
SELECT * FROM json_tree('{"a":[1,{"b":2}]}')
SELECT value FROM json_each('{"a":[10,20]}', '$.a')
SELECT * FROM json_each('{"a":1}', '$.nope')
SELECT * FROM json_each(NULL)
SELECT * FROM json_each('not json')
SELECT * FROM json_each
SELECT key, value FROM jsonb_each('[1,2]')
SELECT count(*) FROM jsonb_tree('[1,[2]]')
SELECT o.id, j.value ->> 'sku', j.value ->> 'qty' FROM orders o, json_each(o.lines) j WHERE o.id = 1
SELECT o.id, count(j.key) FROM orders o LEFT JOIN json_each(CASE WHEN json_valid(o.lines) THEN o.lines END) j GROUP BY 1
SELECT * FROM generate_series(1, 3)
SELECT * FROM carray(1, 2)
SELECT * FROM bytecode('SELECT 1')
SELECT * FROM tables_used('SELECT 1')
SELECT * FROM dbstat
SELECT * FROM sqlite_dbpage
SELECT * FROM sqlite_stmt
SELECT * FROM fts5vocab
SELECT * FROM completion('x')
SELECT * FROM fsdir('/')
SELECT * FROM csv('x')
SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE '\_cf\_%' ESCAPE '\' ORDER BY name
SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name LIKE 'orders%' ORDER BY name
SELECT sql FROM sqlite_schema WHERE name = 'open_orders'
SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'
SELECT rootpage > 0, typeof(rootpage) FROM sqlite_schema WHERE name = 'people'
SELECT * FROM sqlite_temp_schema
SELECT * FROM sqlite_temp_master
SELECT * FROM temp.sqlite_master
SELECT * FROM main.sqlite_schema WHERE name = 'vals'
SELECT * FROM sqlite_sequence
SELECT * FROM sqlite_stat1
SELECT * FROM sqlite_stat4
SELECT name FROM main.people WHERE id = 1
SELECT * FROM temp.people
SELECT * FROM other.people
# Names that D1 keeps for itself.
SELECT * FROM _cf_KV
SELECT * FROM _cf_METADATA
SELECT * FROM _CF_METADATA
SELECT * FROM "_cf_METADATA"
SELECT * FROM main._cf_METADATA
SELECT count(*) FROM _cf_METADATA
SELECT 1 IN _cf_METADATA
SELECT (SELECT count(*) FROM _cf_METADATA)
SELECT * FROM _cf_nothing
PRAGMA table_info(_cf_METADATA)
PRAGMA table_info('_CF_metadata')
PRAGMA table_xinfo(_cf_METADATA)
PRAGMA index_list(_cf_METADATA)
PRAGMA foreign_key_list(_cf_METADATA)
PRAGMA foreign_key_check(_cf_METADATA)
PRAGMA quick_check(_cf_METADATA)
PRAGMA table_list(_cf_METADATA)
SELECT * FROM pragma_table_info('_cf_METADATA')
SELECT * FROM pragma_table_info('_cf_' || 'METADATA')
SELECT * FROM pragma_table_list('_cf_METADATA')
WITH _cf_x AS (SELECT 1 AS a) SELECT a FROM _cf_x
SELECT _cf_y.id FROM people AS _cf_y WHERE id = 1
SELECT 1 AS _cf_z
SELECT '_cf_METADATA'
SELECT name FROM sqlite_schema WHERE name LIKE '\_cf\_%' ESCAPE '\' AND 0
