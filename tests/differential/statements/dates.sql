# Dates, at fixed moments.
SELECT date('2026-11-22'), time('12:34:56'), datetime('2026-11-22T12:34:56Z'), datetime('2026-11-22 12:34'), date('not a date'), date(NULL)
SELECT date('2026-01-31', '+1 month'), date('2024-02-29', '+1 year'), date('2026-01-31', '+1 month', 'floor'), date('2026-01-31', '+1 month', 'ceiling'), date('2026-11-22', 'start of month', '-1 day')
SELECT date('2026-11-22', 'weekday 0'), date('2026-11-22', 'weekday 3'), date('2026-11-22', 'start of year'), datetime('2026-11-22 13:14:15', 'start of day')
SELECT datetime(0, 'unixepoch'), datetime(1770000000, 'auto'), datetime(2460000.5), datetime(2460000.5, 'julianday'), datetime('1770000000', 'unixepoch')
SELECT datetime('2026-11-22 12:00:00', '+90 minutes', '-30 seconds', '+1.5 hours'), datetime('2026-11-22 12:00:00+02:00'), datetime('2026-11-22 12:00:00', '+01:30'), datetime('2026-11-22', '-0001-01-01 01:01:01')
SELECT datetime('2026-11-22 12:00:00', 'utc'), datetime('2026-11-22 12:00:00', 'localtime')
SELECT datetime('2026-11-22', '+1 nonsense'), date('2026-13-01'), date('2026-02-30'), date('9999-12-31', '+1 day'), date('0000-01-01'), date('-1000-01-01'), date('2026-1-1')
SELECT julianday('2026-11-22'), julianday('2000-01-01 12:00:00'), julianday('x'), unixepoch('2026-11-22'), unixepoch('2026-11-22 00:00:00.9'), unixepoch('2026-11-22 00:00:00.75', 'subsec')
SELECT strftime('%Y-%m-%d %H:%M:%S', '2026-11-22 01:02:03'), strftime('%d|%e|%f|%F|%g|%G|%H|%I|%j|%J|%k|%l|%m|%M|%p|%P|%R|%s|%S|%T|%u|%U|%V|%w|%W|%Y|%%', '2026-11-22 13:14:15.678')
SELECT strftime('%Z', '2026-11-22'), strftime('%', '2026-11-22'), strftime(NULL, '2026-11-22'), strftime('%Y', NULL), strftime('', '2026-11-22')
SELECT timediff('2026-11-22', '2026-01-01'), timediff('2024-02-29', '2025-03-01'), timediff('x', '2026-01-01'), timediff('2026-11-22 10:00', '2026-11-22 12:30:15.5')
SELECT datetime('2026-11-22 12:34:56.789', 'subsec'), time('23:59:60'), time('24:00'), date('2026-11-22T10:00:00.123Z'), datetime('12:00')
SELECT typeof(date()), length(datetime()), typeof(julianday()), typeof(unixepoch()), date('now') = date(), strftime('%Y') >= '2026'
SELECT timediff('2026-01-01')
SELECT id, date(born), strftime('%Y', born), julianday(born) FROM people ORDER BY id
SELECT strftime('%Y-%m', placed) AS month, sum(amount) FROM orders GROUP BY 1 ORDER BY 1
SELECT date(9007199254740993), date(1e300), date(-1), date('1e10'), datetime(9e999)
