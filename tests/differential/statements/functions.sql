# Core functions, one by one, with NULL, wrong types and borders.
SELECT abs(-5), abs(NULL), abs('-7'), abs('x'), abs(-1.5), abs(x'2d37')
SELECT abs(-9223372036854775808)
SELECT abs(-9223372036854775807 - 1)
SELECT changes() >= 0, total_changes() >= 0, last_insert_rowid() >= 0
SELECT char(65, 0x1F600, 8364), char(), char(NULL), char(1114112), char(-1)
SELECT coalesce(NULL, NULL, 3), coalesce(NULL, 'x')
SELECT coalesce(1)
SELECT concat('a', NULL, 1, 2.5), concat_ws('-', 'a', NULL, 'b', ''), concat_ws(NULL, 'a')
SELECT concat()
SELECT concat_ws('x')
SELECT format('%d|%5.2f|%s|%q|%Q|%w|%x|%c|%%|%e|%g', 42, 3.14159, 's', 'it''s', 'it''s', 'a"b', 255, 'char', 1234.5, 0.0001)
SELECT format('%,d|%+d|%05d|%-5d|%!s|%i|%u|%o|%X|%p|%lld', 1234567, 5, 42, 7, 'é', 9, -1, 8, 255, 4096, 12)
SELECT format(NULL), format('%s'), format('%d', 'x'), format('%s', x'4142'), format('%.3s', 'abcdef'), format('%*d', 6, 42)
SELECT printf('%s %s', 1, 2), printf('%z'), printf('%.15g', 0.1)
SELECT glob('a*', 'abc'), glob('A*', 'abc'), glob('[a-c]?', 'bz'), glob(NULL, 'x')
SELECT 'abc' GLOB 'a[^x]c', 'abc' NOT GLOB '*z*', 'a*c' GLOB 'a[*]c'
SELECT hex('abc'), hex(x'00ff'), hex(255), hex(NULL), hex(1.5), hex('')
SELECT ifnull(NULL, 2), ifnull(1, 2), iif(1, 'y', 'n'), iif(NULL, 'y', 'n'), iif(0, 'y')
SELECT if(1, 2, 3)
SELECT iif(0, 1, 0, 2, 3)
SELECT instr('hello', 'l'), instr('hello', 'z'), instr(x'010203', x'02'), instr(NULL, 'a'), instr('é漢', '漢'), instr('abc', '')
SELECT length('héllo'), length(x'0102'), length(NULL), length(12345), length('a' || char(0) || 'b'), length('😀')
SELECT octet_length('héllo'), octet_length(x'0102'), octet_length(12), octet_length(NULL)
SELECT like('a%', 'ABC'), like('a\%', 'a%', '\'), like(NULL, 'a')
SELECT 'ABC' LIKE 'a_c', 'É' LIKE 'é', 'a%c' LIKE 'a\%c' ESCAPE '\', 'abc' NOT LIKE 'b%', 12 LIKE '1%'
SELECT 'a' LIKE 'a' ESCAPE 'xx'
SELECT likelihood(5, 0.5), likely(3), unlikely(0)
SELECT likelihood(5, 2)
SELECT likelihood(5, 1)
SELECT lower('ÀBC'), upper('àbc'), lower(NULL), upper(12), lower(x'4142')
SELECT trim('  a  '), ltrim('xxa', 'x'), rtrim('abab', 'ab'), trim('', 'x'), trim('éaé', 'é'), trim(NULL), trim('a', NULL)
SELECT max(1, 2, 3), max('a', 1, NULL), min(1, 'a'), min(x'00', 'z'), max(1.5, 1)
SELECT nullif(1, 1), nullif(1, 2), nullif('a', 'A'), nullif(NULL, 1), nullif('a', 'A' COLLATE NOCASE)
SELECT quote('it''s'), quote(NULL), quote(1), quote(1.5), quote(x'00ff'), quote(1e999), quote('a' || char(0) || 'b')
SELECT unistr_quote('é')
SELECT unistr('\u00e9')
SELECT typeof(random()), typeof(randomblob(4)), length(randomblob(0)), length(randomblob(-3))
SELECT replace('aaa', 'a', 'bb'), replace('abc', '', 'x'), replace(NULL, 'a', 'b'), replace('é', 'é', '')
SELECT round(2.5), round(-2.5), round(1.2345, 2), round(1234.5, -2), round(NULL), round('x'), round(1e300), round(2.675, 2), round(0.5)
SELECT sign(-3), sign(0), sign(2.5), sign('x'), sign(NULL), sign('7')
SELECT soundex('Robert'), soundex(''), soundex(NULL), soundex('Rupert'), soundex('é')
SELECT substr('hello', 2, 3), substr('hello', -3), substr('hello', 0, 3), substr('hello', 2, -1), substr(x'010203', 2, 1), substr('é漢字', 2, 1), substring('abc', 2), substr(NULL, 1), substr('abc', NULL)
SELECT typeof(1), typeof(1.0), typeof('a'), typeof(x'00'), typeof(NULL), typeof(1 + 1.0), typeof('1' + 1), typeof(1 || 1), typeof(9223372036854775808)
SELECT unhex('4142'), unhex('41-42', '-'), unhex('4'), unhex('zz'), unhex(''), unhex(NULL), unhex('41 42', ' ')
SELECT unicode('A'), unicode('😀'), unicode(''), unicode(NULL), unicode(1)
SELECT zeroblob(3), length(zeroblob(0)), typeof(zeroblob(-1))
SELECT subtype('x')
SELECT sqlite_version()
SELECT sqlite_source_id()
SELECT sqlite_compileoption_used('ENABLE_FTS5')
SELECT sqlite_compileoption_get(0)
SELECT sqlite_offset(name) FROM people
SELECT sqlite_log(1, 'x')
SELECT load_extension('x')
SELECT fts3_tokenizer('simple')
SELECT fts5_source_id()
SELECT fts5_locale('en', 'x')
SELECT fts5_insttoken('x')
SELECT fts5(NULL)
SELECT rtreenode(2, x'00')
SELECT rtreedepth(x'0000')
SELECT rtreecheck('places')
SELECT rtreecheck('main', 'places')
SELECT geopoly_area('[[0,0],[1,0],[0,1],[0,0]]')
SELECT median(amount) FROM orders
SELECT percentile(amount, 50) FROM orders
SELECT regexp('a', 'b')
SELECT 'abc' REGEXP 'a.c'
SELECT 'abc' MATCH 'a'
SELECT decimal_add('1', '2')
SELECT uuid()
SELECT base64('x')
SELECT sha1('x')
SELECT readfile('/etc/hostname')
SELECT edit('x')
SELECT generate_series(1, 3)
SELECT nosuch(1)
SELECT abs()
SELECT abs(1, 2)
SELECT ABS(-1), Length('abc'), "upper"('x')
SELECT max()
SELECT current_date = date('now'), length(current_time), typeof(current_timestamp)
# Mathematics.
SELECT acos(1), asin(0), atan(1), atan2(1, 2), acosh(1), asinh(0), atanh(0)
SELECT cos(0), sin(0), tan(0), cosh(0), sinh(0), tanh(0)
SELECT ceil(1.2), ceiling(-1.2), floor(-1.2), floor(3), trunc(-1.9), trunc(5)
SELECT degrees(pi()), radians(180), pi()
SELECT exp(1), exp(0), ln(1), ln(0), log(100), log(2, 8), log10(1000), log2(8), log(-1), log('x')
SELECT mod(7, 3), mod(-7, 3), mod(7, 0), mod(7.5, 2), pow(2, 10), power(2, -1), pow(0, 0), sqrt(2), sqrt(-1)
SELECT acos(2), atanh(1), exp(1000), pow(10, 400)
SELECT 7 / 2, 7 % 3, -7 / 2, -7 % 3, 7.0 / 2, 1 / 0, 1 % 0, 1.5 % 1
SELECT 5 & 3, 5 | 3, ~5, 1 << 62, 1 << 63, 1 << 64, -1 >> 1, 1 << -1
SELECT 9223372036854775807 + 1, -9223372036854775807 - 2, 9223372036854775807 * 2
SELECT +'7', -'7', - - 3, + x'37', NOT 1, NOT NULL, NOT 'x'
SELECT 1 IS NULL, NULL IS NULL, 1 IS NOT 2, 1 IS DISTINCT FROM NULL, 1 IS NOT DISTINCT FROM 1, 5 ISNULL, 5 NOTNULL, 5 NOT NULL
SELECT 1 BETWEEN 0 AND 2, 1 NOT BETWEEN 2 AND 3, 'b' BETWEEN 'a' AND 'c', NULL BETWEEN 1 AND 2
SELECT 1 IN (1, 2), 1 NOT IN (2, NULL), NULL IN (1), 1 IN (), 'a' IN ('A' COLLATE NOCASE)
SELECT 1 = 1.0, '1' = 1, 1 < 'a', x'00' > 'z', NULL = NULL, 'a' < 'B', 'a' COLLATE NOCASE < 'B', 1 == 1, 1 <> 2, 1 != 1
SELECT TRUE, FALSE, 1 IS TRUE, 0 IS NOT FALSE, 'x' IS TRUE, NULL IS TRUE
SELECT CASE WHEN 1 THEN 'a' ELSE 'b' END, CASE 2 WHEN 1 THEN 'x' WHEN 2 THEN 'y' END, CASE NULL WHEN NULL THEN 1 ELSE 0 END
# Aggregates.
SELECT avg(amount), count(*), count(amount), sum(amount), total(amount), min(amount), max(amount) FROM orders
SELECT avg(x), count(*), count(x), sum(x), total(x), min(x), max(x), group_concat(x) FROM no_rows
SELECT group_concat(name), group_concat(name, '|'), string_agg(city, '; ') FROM people
SELECT group_concat(name ORDER BY name DESC), string_agg(name, ',' ORDER BY id) FROM people
SELECT group_concat(DISTINCT city) FROM people
SELECT group_concat(DISTINCT city, ',') FROM people
SELECT count(DISTINCT city), sum(DISTINCT amount), avg(DISTINCT amount) FROM people JOIN orders ON person_id = people.id
SELECT sum(v) FROM vals WHERE id IN (8, 8)
SELECT sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1)
SELECT total(x), avg(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1)
SELECT sum('3abc'), sum('x'), sum(1.5), typeof(sum(1)), typeof(total(1))
SELECT count(*) FILTER (WHERE status = 'open'), sum(amount) FILTER (WHERE amount > 90) FROM orders
SELECT min(name), max(city), id FROM people
SELECT count(), count( * ) FROM people
SELECT count(*) FROM people WHERE count(*) > 1
SELECT sum(count(*)) FROM people
SELECT name, sum(amount) FROM people
SELECT max(amount), placed FROM orders
SELECT min(min(amount)) FROM orders
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM orders
