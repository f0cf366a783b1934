# JSON and JSONB.
SELECT json('{"a" : [1, 2 ,3]}'), json('[1.0,1e2]'), json(NULL), json('"x"'), json(5)
SELECT json('{bad}')
SELECT json('{a:1,}'), json('{''a'':0x10}'), json('[+1, .5, Infinity]')
SELECT json('')
SELECT hex(jsonb('{"a":1}')), json(jsonb('[1,"x",null,true]')), typeof(jsonb('1')), jsonb(NULL)
SELECT jsonb('[1]')
SELECT json(x'ff')
SELECT json_array(1, 'a', NULL, 2.5, json('[1]')), json_array(), hex(jsonb_array(1, 2))
SELECT json_array(x'00')
SELECT json_array_length('[1,2,3]'), json_array_length('{"a":[1]}', '$.a'), json_array_length('{}'), json_array_length('[]', '$.x'), json_array_length(NULL)
SELECT json_extract('{"a":{"b":[10,20]}}', '$.a.b[1]'), json_extract('{"a":1}', '$.a', '$.z'), json_extract('[1]', '$'), json_extract('[1,2]', '$[#-1]'), json_extract('{"a.b":1}', '$."a.b"')
SELECT json_extract('{"a":1}', 'a')
SELECT json_extract('{"a":1}', '$[')
SELECT json_extract('{"a":1}', '$.')
SELECT json_extract('{', '$.a')
SELECT json_extract('{"a":1}'), json_extract(NULL, '$')
SELECT hex(jsonb_extract('{"a":[1]}', '$.a')), jsonb_extract('{"a":5}', '$.a')
SELECT '{"a":{"b":1}}' -> 'a', '{"a":{"b":1}}' -> '$.a.b', '{"a":"x"}' ->> 'a', '[7,8]' -> 1, '[7,8]' ->> -1, '{"a":1}' -> 'z', '{"a":"x"}' -> 'a'
SELECT 'bad' -> 'a'
SELECT lines -> 'a' ->> 'b', lines ->> '$.d', lines ->> 'e' FROM orders WHERE id = 2
SELECT lines ->> 'k', lines -> 't', lines ->> 't', lines ->> 'big', lines -> 'big' FROM orders WHERE id = 6
SELECT id, lines ->> '$.a' FROM orders ORDER BY id
SELECT json_insert('{"a":1}', '$.b', 2, '$.a', 9), json_replace('{"a":1}', '$.a', 9, '$.b', 2), json_set('{"a":1}', '$.a', 9, '$.b', json('[1]'))
SELECT json_insert('[1]', '$[#]', 2), json_set('[1,2]', '$[0]', NULL), hex(jsonb_insert('[1]', '$[#]', 2)), hex(jsonb_set('{}', '$.a', 1)), hex(jsonb_replace('{"a":1}', '$.a', 2))
SELECT json_insert('[1]', '$[#]')
SELECT json_array_insert('[1,3]', '$[1]', 2)
SELECT json_object('a', 1, 'b', NULL, 'c', json('{}')), json_object(), hex(jsonb_object('a', 1))
SELECT json_object('a')
SELECT json_object(1, 2)
SELECT json_object('a', x'00')
SELECT json_patch('{"a":1,"b":2}', '{"b":null,"c":3}'), json_patch('[1]', '{"a":1}'), hex(jsonb_patch('{}', '{"a":1}'))
SELECT json_remove('{"a":1,"b":2}', '$.a'), json_remove('[1,2,3]', '$[0]', '$[0]'), json_remove('{"a":1}', '$'), json_remove('{}'), hex(jsonb_remove('[1,2]', '$[0]'))
SELECT json_type('{"a":[1,2.5,"x",null,true,{}]}'), json_type('[1,2.5,"x",null,true,{}]', '$[1]'), json_type('[null]', '$[0]'), json_type('1'), json_type('[]', '$[5]'), json_type(NULL)
SELECT json_valid('{"a":1}'), json_valid('{a:1}'), json_valid('{a:1}', 2), json_valid(NULL), json_valid(x'00', 4), json_valid(''), json_valid('{a:1}', 6)
SELECT json_valid('1', 99)
SELECT json_quote('it"s'), json_quote(1.5), json_quote(NULL), json_quote(json('[1]'))
SELECT json_quote(x'00')
SELECT json_pretty('{"a":[1,{"b":2}]}'), json_pretty('[]'), json_pretty('[1]', '  '), json_pretty(NULL)
SELECT json_error_position('{"a":1'), json_error_position('{}')
SELECT json_group_array(name), json_group_object(id, name) FROM people
SELECT json_group_array(name ORDER BY id DESC) FROM people
SELECT json_group_array(DISTINCT city) FROM people
SELECT hex(jsonb_group_array(id)), hex(jsonb_group_object(name, id)) FROM people WHERE id < 3
SELECT json_group_array(id) FILTER (WHERE id > 3) FROM people
SELECT json_group_array(x), json_group_object('k', x) FROM no_rows
SELECT json_group_object(NULL, 1), json_group_object('a', 1)
SELECT json_group_array(photo) FROM people
SELECT json_extract(lines, '$.a') FROM orders
SELECT id FROM orders WHERE json_valid(lines) AND json_type(lines) = 'array' ORDER BY id
SELECT json('[1e400]') ->> 0, '[9223372036854775808]' ->> 0, '[-0]' ->> 0, '["\u00e9\ud83d\ude00\u0000"]' ->> 0
SELECT '{"a":1,"a":2}' ->> 'a', '["\n"]' ->> 0, '[1,[2,[3]]]' ->> '$[1][1][0]'
SELECT sum(value) FROM json_each('[1,2,3.5]')
SELECT json_each.key FROM json_each('[5,6]') WHERE value = 6
SELECT value FROM json_each(json_array(9007199254740993, 0.1))
SELECT atom, type FROM json_tree('[true,false,null,"s",1,1.5,[],{}]') WHERE parent IS NOT NULL
