# Full text and R*Tree.
SELECT title FROM docs WHERE docs MATCH 'connection'
SELECT title FROM docs('delete OR drop') ORDER BY rowid
SELECT rowid, title FROM docs WHERE docs MATCH 'never AND table' ORDER BY rank
SELECT title, bm25(docs) < 0, rank = bm25(docs) FROM docs WHERE docs MATCH 'never'
SELECT highlight(docs, 1, '<', '>') FROM docs WHERE docs MATCH 'updating'
SELECT snippet(docs, 1, '[', ']', '…', 4) FROM docs WHERE docs MATCH 'token'
SELECT snippet(docs, -1, '', '', '', 64) FROM docs WHERE docs MATCH 'cafe'
SELECT bm25(docs, 10, 1) < bm25(docs) FROM docs WHERE docs MATCH 'polici'
SELECT title FROM docs WHERE docs MATCH 'title: connections'
SELECT title FROM docs WHERE docs MATCH '{title body} : never'
SELECT title FROM docs WHERE docs MATCH '"drop a table"'
SELECT title FROM docs WHERE docs MATCH 'del*'
SELECT title FROM docs WHERE docs MATCH '^how'
SELECT title FROM docs WHERE docs MATCH 'NEAR(delete connection, 5)'
SELECT title FROM docs WHERE docs MATCH 'delete NOT stale'
SELECT title FROM docs WHERE docs MATCH 'naive'
SELECT title FROM docs WHERE docs MATCH '"'
SELECT title FROM docs WHERE docs MATCH 'AND'
SELECT title FROM docs WHERE docs MATCH ''
SELECT title FROM docs WHERE docs MATCH 'nope: x'
SELECT title FROM docs WHERE docs MATCH 'a.b'
SELECT title FROM docs WHERE title MATCH 'policy'
SELECT title FROM docs WHERE docs = 'policy'
SELECT title FROM docs WHERE title = 'Policy'
SELECT title FROM docs WHERE body LIKE '%drop%'
SELECT title FROM docs WHERE nope MATCH 'x'
SELECT count(*) FROM docs
SELECT * FROM docs ORDER BY rowid
SELECT title, typeof(docs), rank FROM docs WHERE docs MATCH 'table'
SELECT highlight(docs, 9, '<', '>') FROM docs WHERE docs MATCH 'table'
SELECT highlight(docs, 0) FROM docs
SELECT bm25(people) FROM people
SELECT bm25(docs) FROM docs
SELECT matchinfo(docs) FROM docs
SELECT offsets(docs) FROM docs WHERE docs MATCH 'table'
SELECT match('x', 'y')
SELECT t FROM trigrams WHERE t LIKE '%uick%' ORDER BY rowid
SELECT t FROM trigrams WHERE trigrams MATCH 'quick' ORDER BY rowid
SELECT t FROM trigrams WHERE t GLOB '*dog*'
SELECT name, city FROM mirror WHERE mirror MATCH 'gent' ORDER BY rowid
SELECT name FROM mirror('utrecht')
SELECT term, doc, cnt FROM docs_words WHERE cnt > 1 ORDER BY term
SELECT count(*) FROM docs_words
SELECT id, block FROM docs_data WHERE 0
SELECT * FROM docs_config
SELECT id, c0 FROM docs_content ORDER BY id
SELECT p.name, d.title FROM people p JOIN docs d ON d.rowid = p.id ORDER BY p.id
SELECT id, label FROM places WHERE min_x >= 0 AND max_x <= 12
SELECT id, min_x, max_x FROM places WHERE id = 3
SELECT label FROM places WHERE min_x < 10 AND max_x > 5 ORDER BY id
SELECT count(*) FROM places WHERE max_y < 0
SELECT * FROM places ORDER BY id
SELECT * FROM grid WHERE low > 0 ORDER BY id
SELECT low + 0.5 FROM grid WHERE id = 2
SELECT nodeno, length(data) FROM places_node
SELECT * FROM places_rowid
SELECT * FROM grid_parent
SELECT label FROM places WHERE id MATCH circle(0, 0, 5)
SELECT * FROM docs WHERE docs MATCH NULL
SELECT * FROM docs('policy', 'x')
SELECT * FROM people('x')
SELECT docs FROM docs WHERE docs MATCH 'reads'
