# Window functions.
SELECT id, row_number() OVER (ORDER BY id DESC), rank() OVER (ORDER BY status), dense_rank() OVER (ORDER BY status) FROM orders ORDER BY id
SELECT id, percent_rank() OVER (ORDER BY amount), cume_dist() OVER (ORDER BY amount), ntile(3) OVER (ORDER BY id) FROM orders ORDER BY id
SELECT id, lag(amount) OVER (ORDER BY id), lead(amount, 2, -1) OVER (ORDER BY id) FROM orders
SELECT id, first_value(amount) OVER w, last_value(amount) OVER w, nth_value(amount, 2) OVER w FROM orders WINDOW w AS (PARTITION BY status ORDER BY id) ORDER BY id
SELECT id, sum(amount) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM orders
SELECT id, sum(amount) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) FROM orders
SELECT id, avg(amount) OVER (ORDER BY amount RANGE BETWEEN 100 PRECEDING AND CURRENT ROW) FROM orders ORDER BY id
SELECT id, count(*) OVER (ORDER BY status GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM orders ORDER BY id
SELECT id, group_concat(id, '') OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) FROM orders
SELECT id, sum(amount) FILTER (WHERE status = 'paid') OVER (ORDER BY id) FROM orders
SELECT id, sum(amount) OVER (w ROWS 1 PRECEDING) FROM orders WINDOW w AS (ORDER BY id)
SELECT status, sum(sum(amount)) OVER (ORDER BY status) FROM orders GROUP BY status
SELECT status, rank() OVER (ORDER BY count(*) DESC) FROM orders GROUP BY status ORDER BY 1
SELECT id FROM orders WHERE row_number() OVER () = 1
SELECT row_number() FROM orders
SELECT sum(amount) OVER nope FROM orders
SELECT ntile(0) OVER (ORDER BY id) FROM orders
SELECT nth_value(id, -1) OVER (ORDER BY id) FROM orders
SELECT lag(id, -1) OVER (ORDER BY id) FROM orders
SELECT upper(status) OVER () FROM orders
SELECT count(DISTINCT id) OVER () FROM orders
SELECT string_agg(status, ',' ORDER BY id) OVER () FROM orders
SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM orders
SELECT sum(amount) OVER (ORDER BY id ROWS -1 PRECEDING) FROM orders
SELECT sum(amount) OVER (ROWS 'x' PRECEDING) FROM orders
SELECT sum(amount) OVER (RANGE 1 PRECEDING) FROM orders
SELECT json_group_array(id) OVER (ORDER BY id) FROM orders WHERE id < 4
SELECT max(id) OVER (PARTITION BY person_id), id FROM orders ORDER BY row_number() OVER (ORDER BY id DESC)
SELECT DISTINCT count(*) OVER (PARTITION BY status) FROM orders ORDER BY 1
