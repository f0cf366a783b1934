# Every PRAGMA that D1 allows to read.
PRAGMA table_list
PRAGMA table_list(people)
PRAGMA table_list('no such')
PRAGMA main.table_list
PRAGMA table_info(people)
PRAGMA table_info('orders')
PRAGMA table_info("two words")
PRAGMA table_info = tags
PRAGMA main.table_info(tags)
PRAGMA table_info(open_orders)
PRAGMA table_info(docs)
PRAGMA table_info(nope)
PRAGMA table_info
PRAGMA TABLE_INFO(strict_one)
PRAGMA table_info(sqlite_schema)
PRAGMA table_xinfo(orders)
PRAGMA table_xinfo(places)
PRAGMA table_xinfo(docs)
PRAGMA table_xinfo(odd)
PRAGMA index_list(people)
PRAGMA index_list(orders)
PRAGMA index_list(tags)
PRAGMA index_list(nope)
PRAGMA index_info(people_by_city)
PRAGMA index_info(orders_label)
PRAGMA index_info(nope)
PRAGMA index_xinfo(people_by_lower)
PRAGMA index_xinfo(sqlite_autoindex_odd_1)
PRAGMA foreign_key_list(orders)
PRAGMA foreign_key_list(child)
PRAGMA foreign_key_list(people)
PRAGMA foreign_key_check
PRAGMA foreign_key_check(orders)
PRAGMA foreign_key_check(child)
PRAGMA quick_check
PRAGMA quick_check(1)
PRAGMA quick_check(people)
PRAGMA quick_check(nope)
PRAGMA foreign_keys
PRAGMA defer_foreign_keys
PRAGMA case_sensitive_like
PRAGMA ignore_check_constraints
PRAGMA legacy_alter_table
PRAGMA recursive_triggers
PRAGMA reverse_unordered_selects
PRAGMA page_size
PRAGMA main.page_size
# Those that it does not.
PRAGMA analysis_limit
PRAGMA application_id
PRAGMA auto_vacuum
PRAGMA automatic_index
PRAGMA busy_timeout
PRAGMA cache_size
PRAGMA cache_spill
PRAGMA cell_size_check
PRAGMA checkpoint_fullfsync
PRAGMA collation_list
PRAGMA compile_options
PRAGMA count_changes
PRAGMA data_store_directory
PRAGMA database_list
PRAGMA default_cache_size
PRAGMA empty_result_callbacks
PRAGMA encoding
PRAGMA freelist_count
PRAGMA full_column_names
PRAGMA fullfsync
PRAGMA function_list
PRAGMA hard_heap_limit
PRAGMA incremental_vacuum
PRAGMA integrity_check
PRAGMA integrity_check(people)
PRAGMA journal_mode
PRAGMA journal_size_limit
PRAGMA locking_mode
PRAGMA max_page_count
PRAGMA mmap_size
PRAGMA module_list
PRAGMA page_count
PRAGMA pragma_list
PRAGMA query_only
PRAGMA read_uncommitted
PRAGMA schema_version
PRAGMA secure_delete
PRAGMA short_column_names
PRAGMA shrink_memory
PRAGMA soft_heap_limit
PRAGMA stats
PRAGMA synchronous
PRAGMA temp_store
PRAGMA temp_store_directory
PRAGMA threads
PRAGMA trusted_schema
PRAGMA user_version
PRAGMA wal_autocheckpoint
PRAGMA wal_checkpoint
PRAGMA writable_schema
PRAGMA nosuchpragma
PRAGMA journal_mode = DELETE
PRAGMA user_version = 5
PRAGMA writable_schema = 1
PRAGMA query_only = 0
PRAGMA cache_size(100)
PRAGMA temp.table_list
PRAGMA other.table_info(people)
PRAGMA page_size(1024)
PRAGMA data_version = 3
PRAGMA
PRAGMA 1
# As tables.
SELECT * FROM pragma_table_list WHERE name = 'people'
SELECT name, type FROM pragma_table_info('people') ORDER BY cid
SELECT name FROM pragma_table_info('people', 'main')
SELECT name, hidden FROM pragma_table_xinfo('orders')
SELECT name, "unique", origin, partial FROM pragma_index_list('orders')
SELECT * FROM pragma_index_info('people_by_city')
SELECT seqno, cid, name, desc, coll, key FROM pragma_index_xinfo('people_by_city')
SELECT * FROM pragma_foreign_key_list('orders')
SELECT * FROM pragma_foreign_key_check
SELECT * FROM pragma_foreign_key_check('orders')
SELECT * FROM pragma_quick_check
SELECT * FROM pragma_quick_check('people')
SELECT foreign_keys FROM pragma_foreign_keys
SELECT * FROM pragma_page_size
SELECT m.name, i.name FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.name IN ('people', 'odd')
SELECT m.name, x.name, x.type FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS x WHERE m.type = 'view' AND m.name <> 'broken'
SELECT m.name, count(*) FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS x WHERE m.type = 'table' AND m.name NOT LIKE '\_cf\_%' ESCAPE '\' GROUP BY 1 ORDER BY 1
SELECT * FROM pragma_compile_options
SELECT * FROM pragma_function_list
SELECT * FROM pragma_module_list
SELECT * FROM pragma_database_list
SELECT * FROM pragma_collation_list
SELECT * FROM pragma_journal_mode
SELECT * FROM pragma_user_version
SELECT * FROM pragma_integrity_check

SELECT * FROM pragma_table_info
SELECT * FROM pragma_nosuch
SELECT * FROM pragma_encoding
