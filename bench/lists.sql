-- Fills a schema that youyunctl init made with customers, keys, calls and what
-- else lists show, for lists to be measured on: consistent as far as lists
-- look, not for youyunctl verify.  psql -v customers= -v keys= -v calls=
-- -v days=, as the superuser.  The customer "test" has a tenth of the calls.
SET search_path = youyun;
SET jit = off;
SET synchronous_commit = off;
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';
-- Triggers and foreign keys would look each row up that is made right.
SET session_replication_role = replica;
SELECT id AS big FROM customer WHERE name = 'test' \gset
SELECT max(id) AS first FROM customer \gset
SELECT max(id) AS first_key FROM api_key \gset
SELECT min(id) AS model, count(*) AS models FROM model \gset
SELECT id AS price FROM price ORDER BY id LIMIT 1 \gset
SELECT coalesce(min(id), 0) AS channel FROM channel \gset
SELECT set_config('lists.days', :'days', false) \g /dev/null

INSERT INTO customer (id, name, status, group_id, contact, created)
    OVERRIDING SYSTEM VALUE
    SELECT :first + n, 'customer-' || lpad(n::text, 7, '0'),
    CASE WHEN n % 97 = 0 THEN 1 WHEN n % 89 = 0 THEN 2 WHEN n % 83 = 0 THEN 3
    ELSE 0 END, 1, 'someone' || n || '@example.com',
    now() - (n % 1000) * interval '1 day'
    FROM generate_series(1, :customers) n;
INSERT INTO purse (customer_id, home_nano)
    SELECT :first + n, 0 FROM generate_series(1, :customers) n;
INSERT INTO lease (node_id, customer_id, granted_nano, spent_nano)
    SELECT 1, :first + n, 20000000000, 5000000000
    FROM generate_series(1, :customers) n;
SELECT coalesce(max(id), 0) AS first_account FROM ledger_account \gset
INSERT INTO ledger_account (id, kind, customer_id, expires_at)
    OVERRIDING SYSTEM VALUE
    SELECT :first_account + 2 * n - k, CASE k WHEN 0 THEN 'customer_prepaid'
    ELSE 'customer_promotional' END, :first + n, CASE k WHEN 1 THEN
    now() + n % 300 * interval '1 day' END
    FROM generate_series(1, :customers) n, generate_series(0, 1) k;
INSERT INTO pot (account_id, customer_id, expires_at, paid, left_nano)
    SELECT a.id, a.customer_id, coalesce(a.expires_at, 'infinity'),
    a.kind = 'customer_prepaid', 7500000000
    FROM ledger_account a WHERE a.id > :first_account;
SELECT min(id) AS big_account FROM ledger_account
    WHERE customer_id = :big AND kind = 'customer_prepaid' \gset
SELECT id AS external FROM ledger_account WHERE kind = 'external' \gset
SELECT id AS revenue FROM ledger_account WHERE kind = 'revenue' \gset

INSERT INTO api_key (id, customer_id, name, digest, hint, status, created,
    revoked) OVERRIDING SYSTEM VALUE
    SELECT :first_key + n, CASE WHEN n <= least(:keys / 100, 500) THEN :big
    ELSE :first + 1 + n % :customers END, 'key ' || n,
    sha256(n::text::bytea), 'sk-yy-' || substr(md5(n::text), 1, 4) || '...'
    || substr(md5(n::text), 5, 4), (n % 5 = 0)::int,
    now() - (n % 900) * interval '1 day', CASE WHEN n % 5 = 0 THEN now() END
    FROM generate_series(1, :keys) n;
INSERT INTO key_use (key_id, last_used)
    SELECT :first_key + n, now() FROM generate_series(1, :keys) n
    WHERE n % 3 <> 0;

-- Credits, of which a half came as payments.
SELECT max(id) AS first_booking FROM ledger_transaction \gset
INSERT INTO ledger_transaction (id, kind, customer_id, idempotency_key,
    actor, at) OVERRIDING SYSTEM VALUE
    SELECT :first_booking + n, 'credit', CASE WHEN n % 50 = 0 THEN :big
    ELSE :first + 1 + n % :customers END, 'list:' || n, 'lists',
    now() - (2 * :customers - n) * (:days * interval '1 day'
    / (2 * :customers)) FROM generate_series(1, 2 * :customers) n;
INSERT INTO posting (transaction_id, account_id, amount_nano)
    SELECT t.id, CASE k WHEN 1 THEN :external WHEN 0 THEN
    CASE WHEN t.customer_id = :big THEN :big_account ELSE :first_account
    + 2 * (t.customer_id - :first) END END, (1 - 2 * k) * 10000000000
    FROM ledger_transaction t, generate_series(0, 1) k
    WHERE t.id > :first_booking;
INSERT INTO payment (id, customer_id, amount_nano, currency, method,
    transaction_id, received)
    SELECT 'pay-' || t.id, t.customer_id, 10000000000, 'EUR', 'card', t.id,
    t.at FROM ledger_transaction t
    WHERE t.id > :first_booking AND t.id % 2 = 0;

-- A partition for each day that has none.
DO $$
DECLARE
	day timestamptz := date_trunc('day', now())
	    - current_setting('lists.days')::int * interval '1 day';
BEGIN
	WHILE day <= now() LOOP
		BEGIN
			EXECUTE format('CREATE TABLE %I PARTITION OF call
			    FOR VALUES FROM (%L) TO (%L)', 'call_list_'
			    || to_char(day, 'YYYYMMDD'), day,
			    day + interval '1 day');
		EXCEPTION WHEN invalid_object_definition THEN
			NULL;
		END;
		day := day + interval '1 day';
	END LOOP;
END
$$;

-- Calls, ten a booking; every seventh booking is the big customer's, others
-- have them by a square law.
SELECT max(id) AS first_calls FROM ledger_transaction \gset
CREATE TEMP TABLE part AS
    SELECT n AS part, :first_calls + n AS booking, CASE WHEN n % 10 = 0
    THEN :big ELSE :first + 1 + floor(:customers * power(
    ('x' || substr(md5(n::text), 1, 7))::bit(28)::int / 268435456.0, 2))::int
    END AS customer_id, 100 + n % 900 AS tokens_in, 10 + n % 90 AS tokens_out,
    now() - interval '1 minute' - (:calls / 10 - n) * (:days
    * interval '1 day' / (:calls / 10)) AS at
    FROM generate_series(1, :calls / 10) n;
INSERT INTO ledger_transaction (id, kind, customer_id, idempotency_key,
    actor, calls, at) OVERRIDING SYSTEM VALUE
    SELECT booking, 'calls', customer_id, 'lists:calls:' || part, 'flusher',
    10, at FROM part ORDER BY part;
INSERT INTO posting (transaction_id, account_id, amount_nano)
    SELECT booking, CASE k WHEN 1 THEN :revenue WHEN 0 THEN
    CASE WHEN customer_id = :big THEN :big_account ELSE
    :first_account + 2 * (customer_id - :first) END END,
    (2 * k - 1) * 10 * (tokens_in * 2500 + tokens_out * 10000)
    FROM part, generate_series(0, 1) k ORDER BY part;
DELETE FROM bill_month;
INSERT INTO bill_month SELECT * FROM bill_month_reckoned;
INSERT INTO call (started_at, request_id, journal_id, journal_seq,
    ledger_transaction_id, customer_id, key_id, group_id, model_id,
    channel_id, price_version, fee_nano, uncollected_nano, held_nano,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, reasoning_tokens, request_bytes, answer_bytes,
    multiplier_ppm, flags, queue_ms, first_byte_ms, total_ms, route, protocol,
    status, error, upstream_status, node_id, address, agent)
    SELECT c.at, (lpad(to_hex((extract(epoch FROM c.at) * 1000)::bigint), 12,
    '0') || '7' || lpad(to_hex(c.n % 4096), 3, '0') || 'b'
    || lpad(to_hex(c.n), 15, '0'))::uuid, 9, c.n, c.booking, c.customer_id,
    :first_key + 1 + c.part % 100, 1, :model + c.part % :models, :channel,
    :price, c.tokens_in * 2500 + c.tokens_out * 10000, 0, 1000000000,
    c.tokens_in, c.tokens_out, 0, 0, 0, 0, 500, 2000, 1000000, 1, 1, 200, 900,
    1, 1, CASE WHEN c.n % 211 = 0 THEN 500 ELSE 200 END, 0, 200, 1,
    '192.0.2.7', 'lists/1'
    FROM (SELECT p.part, p.booking, p.customer_id, p.tokens_in, p.tokens_out,
    (p.part - 1) * 10 + k AS n, p.at + k * interval '7 ms' - interval '1 s'
    AS at FROM part p, generate_series(1, 10) k) c ORDER BY c.n;
INSERT INTO usage_day (customer_id, day, key_id, model_id, channel_id,
    group_id, node_id, calls, failed, input_tokens, output_tokens, fee_nano,
    uncollected_nano)
    SELECT customer_id, (at AT TIME ZONE 'UTC')::date, :first_key + 1
    + part % 100, :model + part % :models, :channel, 1, 1, 10 * count(*), 0,
    10 * sum(tokens_in), 10 * sum(tokens_out),
    10 * sum(tokens_in * 2500 + tokens_out * 10000), 0
    FROM part GROUP BY 1, 2, 3, 4 ON CONFLICT DO NOTHING;

INSERT INTO security_event (at, kind, customer_id, address, detail)
    SELECT now() - (3 * :customers - n) * (:days * interval '1 day'
    / (3 * :customers)), CASE WHEN n % 1000 = 0 THEN 'code_guessing'
    WHEN n % 2 = 0 THEN 'customer_resumed' ELSE 'customer_suspended' END,
    CASE WHEN n % 20 = 0 THEN :big ELSE :first + 1 + n % :customers END,
    '192.0.2.7', '{}' FROM generate_series(1, 3 * :customers) n;
INSERT INTO audit (at, actor, action, object, reason, change)
    SELECT now() - (5 * :customers - n) * (:days * interval '1 day'
    / (5 * :customers)), 'lists', 'customer.update', 'customer:' ||
    CASE WHEN n % 20 = 0 THEN :big ELSE :first + 1 + n % :customers END,
    'a reason', '{"status": 0}' FROM generate_series(1, 5 * :customers) n;
INSERT INTO ticket (customer_id, subject, state)
    SELECT CASE WHEN n % 20 = 0 THEN :big ELSE :first + 1 + n % :customers
    END, 'help ' || n, CASE WHEN n % 10 = 0 THEN n / 10 % 2 ELSE 2 END
    FROM generate_series(1, :customers / 4) n;
INSERT INTO ticket_message (ticket_id, author, actor, text)
    SELECT t.id, k, 'x', 'words' FROM ticket t, generate_series(0, 1) k;
INSERT INTO notice (customer_id, kind, detail)
    SELECT CASE WHEN n % 20 = 0 THEN :big ELSE :first + 1 + n % :customers
    END, 'suspended', '{}' FROM generate_series(1, 2 * :customers) n;
INSERT INTO code_batch (name, amount_nano, codes, expires_at, created_by)
    SELECT 'batch-' || n, 1000000000, 10000, now() + interval '1 year',
    'lists' FROM generate_series(1, greatest(:customers / 1000, 2)) n;
INSERT INTO topup_code (batch_id, digest, hint, used_at, customer_id,
    transaction_id)
    SELECT b.id, sha256((b.id || ':' || n)::bytea), substr(md5(n::text), 1, 4),
    CASE WHEN n > 9900 THEN now() END, CASE WHEN n > 9900 THEN :big END,
    CASE WHEN n > 9900 THEN -(b.id * 10000 + n) END
    FROM code_batch b, generate_series(1, 10000) n
    WHERE b.name LIKE 'batch-%' AND b.id <= 20;
INSERT INTO code_count (batch_id, used)
    SELECT id, 100 FROM code_batch WHERE name LIKE 'batch-%'
    ON CONFLICT DO NOTHING;
INSERT INTO invitation (digest, hint, group_id, uses, expires_at, created_by)
    SELECT sha256(('i' || n)::bytea), 'i' || n, 1, 1, now() + interval '1 year',
    'lists' FROM generate_series(1, :customers / 10) n;
INSERT INTO incident (kind, opened_by, since, what, closed)
    SELECT 'outage', 'lists', now(), 'it ' || n, CASE WHEN n % 20 <> 0
    THEN now() END FROM generate_series(1, :customers / 100) n;
INSERT INTO incident_customer (incident_id, customer_id, calls)
    SELECT i.id, :first + 1 + n % :customers, 1 FROM incident i,
    generate_series(1, 20) n;
INSERT INTO data_request (customer_id, kind, text, actor, due, answered,
    outcome, answer)
    SELECT :first + 1 + n % :customers, 'access', '', 'lists', now()
    + n % 30 * interval '1 day', CASE WHEN n % 10 <> 0 THEN now() END,
    CASE WHEN n % 10 <> 0 THEN 'done' END, '' FROM generate_series(1, :customers / 10) n;
SELECT setval(pg_get_serial_sequence('youyun.' || t, 'id'),
    greatest((xpath('/row/m/text()', query_to_xml(format(
    'SELECT coalesce(max(id), 1) AS m FROM youyun.%I', t), false, true,
    '')))[1]::text::bigint, 1)) FROM unnest(ARRAY['customer', 'api_key',
    'ledger_account', 'ledger_transaction']) t \g /dev/null
ANALYZE;
