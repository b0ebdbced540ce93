-- What was used, by day; what may be spent a day, a month and in all; when a
-- key was used last, and when a customer's balance runs low.

CREATE TABLE usage_day (
	customer_id bigint NOT NULL,
	day date NOT NULL,
	key_id bigint NOT NULL,
	model_id bigint NOT NULL,
	channel_id bigint NOT NULL,
	group_id bigint NOT NULL,
	node_id integer NOT NULL,
	calls bigint NOT NULL,
	failed bigint NOT NULL,
	input_tokens bigint NOT NULL,
	output_tokens bigint NOT NULL,
	fee_nano bigint NOT NULL,
	uncollected_nano bigint NOT NULL,
	PRIMARY KEY (customer_id, day, key_id, model_id, channel_id, group_id,
	    node_id)
) WITH (fillfactor = 80);
CREATE INDEX usage_day_day ON usage_day (day);
COMMENT ON TABLE usage_day IS 'The calls'' sums by day (UTC), kept by the transaction that inserts them. 0 stands for what a call did not have. Operator: controller (billing).';
COMMENT ON COLUMN usage_day.customer_id IS 'Who paid. Operator: controller.';
COMMENT ON COLUMN usage_day.day IS 'On which day the calls came. Operator: controller.';
COMMENT ON COLUMN usage_day.key_id IS 'By which key. Operator: controller.';
COMMENT ON COLUMN usage_day.model_id IS 'Of which model. Operator: controller.';
COMMENT ON COLUMN usage_day.channel_id IS 'Through which channel. Operator: controller.';
COMMENT ON COLUMN usage_day.group_id IS 'The customer''s group then. Operator: controller.';
COMMENT ON COLUMN usage_day.node_id IS 'Which node served them. Operator: controller, no personal data.';
COMMENT ON COLUMN usage_day.calls IS 'How many. Operator: controller.';
COMMENT ON COLUMN usage_day.failed IS 'Of these with an error. Operator: controller.';
COMMENT ON COLUMN usage_day.input_tokens IS 'All that was read, from caches or not. Operator: controller.';
COMMENT ON COLUMN usage_day.output_tokens IS 'All that was made. Operator: controller.';
COMMENT ON COLUMN usage_day.fee_nano IS 'What was charged. Operator: controller.';
COMMENT ON COLUMN usage_day.uncollected_nano IS 'What they cost above what was held. Operator: controller.';

CREATE TABLE key_use (
	key_id bigint PRIMARY KEY REFERENCES api_key,
	last_used timestamptz NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE key_use IS 'When keys were used last, to the minute. Operator: controller.';
COMMENT ON COLUMN key_use.key_id IS 'The key. Operator: controller.';
COMMENT ON COLUMN key_use.last_used IS 'When its last call came. Operator: controller.';

-- Low balances.
ALTER TABLE customer ADD COLUMN low_balance_nano bigint NOT NULL DEFAULT 0
    CHECK (low_balance_nano >= 0);
COMMENT ON COLUMN customer.low_balance_nano IS 'Below that the customer is told; 0: never. Operator: controller (contract).';
CREATE TABLE low_balance (
	customer_id bigint PRIMARY KEY REFERENCES customer,
	told timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE low_balance IS 'Customers who were told that their balance is low and have not topped up since. Operator: controller (contract).';
COMMENT ON COLUMN low_balance.customer_id IS 'The customer. Operator: controller.';
COMMENT ON COLUMN low_balance.told IS 'When. Operator: controller.';
INSERT INTO notice_kind (name, mailed, purpose) VALUES
    ('low_balance', true, 'The balance fell below what the customer named.');

CREATE FUNCTION low_balance_tell(p_customers bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT u.id, u.low_balance_nano,
	    m.granted_nano - m.spent_nano AS balance_nano, b.told IS NOT NULL
	    AS told FROM customer u JOIN customer_money m
	    ON m.customer_id = u.id LEFT JOIN low_balance b
	    ON b.customer_id = u.id WHERE u.id = ANY (p_customers)
	    AND (u.low_balance_nano > 0 OR b.told IS NOT NULL)
	    ORDER BY u.id LOOP
		IF c.balance_nano >= c.low_balance_nano THEN
			DELETE FROM low_balance b WHERE b.customer_id = c.id;
		ELSIF NOT c.told THEN
			INSERT INTO low_balance (customer_id) VALUES (c.id)
			    ON CONFLICT DO NOTHING;
			PERFORM notice_add(c.id, 'low_balance',
			    jsonb_build_object('balance',
			    amount_text(c.balance_nano), 'below',
			    amount_text(c.low_balance_nano)));
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION low_balance_tell(bigint[]) IS 'Tells those of the customers whose balance is low, once until it isn''t any more.';

-- Records come from processes that may have been out of their minds: none
-- may hold up those behind it.
CREATE FUNCTION saturated(n numeric) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$
	SELECT least(greatest(n, 0), 4000000000000000000)::bigint
$$;
COMMENT ON FUNCTION saturated(numeric) IS 'A sum that fits, whatever was added up.';

CREATE FUNCTION usage_add() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	paying bigint[];
BEGIN
	-- In one order, so that two nodes don't wait for each other.
	INSERT INTO usage_day AS u SELECT coalesce(c.customer_id, 0),
	    (c.started_at AT TIME ZONE 'UTC')::date, coalesce(c.key_id, 0),
	    coalesce(c.model_id, 0), coalesce(c.channel_id, 0),
	    coalesce(c.group_id, 0), c.node_id, count(*),
	    count(*) FILTER (WHERE c.error <> 0),
	    saturated(sum(c.input_tokens::numeric + c.cache_read_tokens
	    + c.cache_write_5m_tokens + c.cache_write_1h_tokens
	    + c.input_audio_tokens + c.input_image_tokens
	    + c.cache_read_audio_tokens)),
	    saturated(sum(c.output_tokens::numeric + c.output_audio_tokens
	    + c.output_image_tokens)), saturated(sum(c.fee_nano)),
	    saturated(sum(c.uncollected_nano))
	    FROM fresh c GROUP BY 1, 2, 3, 4, 5, 6, 7
	    ORDER BY 1, 2, 3, 4, 5, 6, 7
	    ON CONFLICT (customer_id, day, key_id, model_id, channel_id,
	    group_id, node_id) DO UPDATE SET
	    calls = u.calls + excluded.calls,
	    failed = u.failed + excluded.failed,
	    input_tokens = saturated(u.input_tokens::numeric
		+ excluded.input_tokens),
	    output_tokens = saturated(u.output_tokens::numeric
		+ excluded.output_tokens),
	    fee_nano = saturated(u.fee_nano::numeric + excluded.fee_nano),
	    uncollected_nano = saturated(u.uncollected_nano::numeric
		+ excluded.uncollected_nano);
	INSERT INTO key_use AS k SELECT c.key_id, max(c.started_at)
	    FROM fresh c WHERE EXISTS (SELECT 1 FROM api_key a
	    WHERE a.id = c.key_id) GROUP BY 1 ORDER BY 1
	    ON CONFLICT (key_id) DO UPDATE SET last_used = excluded.last_used
	    WHERE excluded.last_used > k.last_used + interval '1 minute';
	SELECT array_agg(DISTINCT c.customer_id) INTO paying FROM fresh c
	    WHERE c.fee_nano > 0;
	IF paying IS NOT NULL THEN
		PERFORM low_balance_tell(paying);
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION usage_add() IS 'Trigger: adds calls to the sums by day, and what else follows from them.';
CREATE TRIGGER usage_add AFTER INSERT ON call REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION usage_add();

INSERT INTO usage_day SELECT coalesce(c.customer_id, 0),
    (c.started_at AT TIME ZONE 'UTC')::date, coalesce(c.key_id, 0),
    coalesce(c.model_id, 0), coalesce(c.channel_id, 0),
    coalesce(c.group_id, 0), c.node_id, count(*),
    count(*) FILTER (WHERE c.error <> 0),
    saturated(sum(c.input_tokens::numeric + c.cache_read_tokens
    + c.cache_write_5m_tokens + c.cache_write_1h_tokens
    + c.input_audio_tokens + c.input_image_tokens
    + c.cache_read_audio_tokens)),
    saturated(sum(c.output_tokens::numeric + c.output_audio_tokens
    + c.output_image_tokens)), saturated(sum(c.fee_nano)),
    saturated(sum(c.uncollected_nano))
    FROM call c GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO key_use SELECT c.key_id, max(c.started_at) FROM call c
    JOIN api_key a ON a.id = c.key_id GROUP BY 1;

-- What may be spent.
ALTER TABLE rate_limit
	ADD COLUMN day_nano bigint NOT NULL DEFAULT 0 CHECK (day_nano >= 0),
	ADD COLUMN month_nano bigint NOT NULL DEFAULT 0
	    CHECK (month_nano >= 0),
	ADD COLUMN total_nano bigint NOT NULL DEFAULT 0
	    CHECK (total_nano >= 0),
	ADD COLUMN total_tokens bigint NOT NULL DEFAULT 0
	    CHECK (total_tokens BETWEEN 0 AND 1000000000000000),
	DROP CONSTRAINT rate_limit_scope_check,
	ADD CHECK (scope BETWEEN 0 AND 4);
COMMENT ON COLUMN rate_limit.scope IS '0 one key, 1 one customer, 2 a group as a whole, 3 each customer of a group that has no limits of its own, 4 one key, by its customer. Operator: controller.';
COMMENT ON COLUMN rate_limit.day_nano IS 'What calls of one day (UTC) may cost. Operator: controller.';
COMMENT ON COLUMN rate_limit.month_nano IS 'What calls of one calendar month (UTC) may cost. Operator: controller.';
COMMENT ON COLUMN rate_limit.total_nano IS 'What a key''s calls may cost in all. Operator: controller.';
COMMENT ON COLUMN rate_limit.total_tokens IS 'How many tokens a key may use in all. Operator: controller.';

CREATE OR REPLACE FUNCTION tell_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE NEW.scope
	WHEN 0, 4 THEN
		PERFORM pg_notify('youyun', 'key:' || NEW.object_id);
	WHEN 1 THEN
		PERFORM pg_notify('youyun', 'customer:' || NEW.object_id);
	WHEN 2 THEN
		PERFORM pg_notify('youyun', 'group:' || NEW.object_id);
	ELSE
		PERFORM pg_notify('youyun', 'members:' || NEW.object_id);
	END CASE;
	RETURN NULL;
END
$$;

-- The tighter of two limits; 0 is none.
CREATE FUNCTION limit_least(a bigint, b bigint) RETURNS bigint LANGUAGE sql
    IMMUTABLE AS $$
	SELECT coalesce(least(nullif(a, 0), nullif(b, 0)), 0)
$$;
COMMENT ON FUNCTION limit_least(bigint, bigint) IS 'The tighter of two limits, where 0 is none.';

CREATE FUNCTION month_of(p_day date) RETURNS date LANGUAGE sql
    IMMUTABLE AS $$
	SELECT p_day - (extract(day FROM p_day)::int - 1)
$$;
COMMENT ON FUNCTION month_of(date) IS 'The first day of a day''s month.';

-- A key that replaces another goes on with what is left of its quota.
CREATE FUNCTION limit_rest(p_key bigint, p_nano bigint, p_tokens bigint,
    OUT total_nano bigint, OUT total_tokens bigint) LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN p_nano > 0 THEN greatest(p_nano
	    - coalesce(sum(u.fee_nano), 0), 1) ELSE 0 END::bigint,
	    CASE WHEN p_tokens > 0 THEN greatest(p_tokens
	    - coalesce(sum(u.input_tokens + u.output_tokens), 0), 1)
	    ELSE 0 END::bigint
	    FROM usage_day u WHERE u.key_id = p_key AND u.customer_id =
	    (SELECT k.customer_id FROM api_key k WHERE k.id = p_key)
$$;
COMMENT ON FUNCTION limit_rest(bigint, bigint, bigint) IS 'What is left of a key''s quota.';

CREATE FUNCTION copy_limits() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO rate_limit AS l (scope, object_id, requests, tokens,
	    concurrent, day_nano, month_nano, total_nano, total_tokens)
	    SELECT l.scope, NEW.id, l.requests, l.tokens, l.concurrent,
	    l.day_nano, l.month_nano, r.total_nano, r.total_tokens
	    FROM rate_limit l CROSS JOIN LATERAL limit_rest(NEW.rotated_from,
	    l.total_nano, l.total_tokens) r
	    WHERE l.scope IN (0, 4) AND l.object_id = NEW.rotated_from
	    ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION copy_limits() IS 'Trigger: a key that replaces another has its limits.';
REVOKE ALL ON FUNCTION copy_limits() FROM PUBLIC;
CREATE TRIGGER copy_limits AFTER INSERT ON api_key FOR EACH ROW
    WHEN (NEW.rotated_from IS NOT NULL) EXECUTE FUNCTION copy_limits();

-- The customers' own view of it.
CREATE OR REPLACE VIEW my_limit WITH (security_barrier) AS
	SELECT l.scope, l.object_id, l.requests, l.tokens, l.concurrent,
	    l.day_nano, l.month_nano, l.total_nano, l.total_tokens
	FROM rate_limit l WHERE
	    (l.scope IN (0, 4) AND EXISTS (SELECT 1 FROM api_key k
	    WHERE k.id = l.object_id AND k.customer_id = my_customer())) OR
	    (l.scope = 1 AND l.object_id = my_customer()) OR
	    (l.scope = 3 AND l.object_id = (SELECT c.group_id FROM customer c
	    WHERE c.id = my_customer()));

CREATE VIEW my_usage WITH (security_barrier) AS
	SELECT u.day, u.key_id, u.model_id, u.calls, u.failed, u.input_tokens,
	    u.output_tokens, u.fee_nano
	FROM usage_day u WHERE u.customer_id = my_customer();
COMMENT ON VIEW my_usage IS 'The customer''s own use by day.';

CREATE OR REPLACE VIEW my_key WITH (security_barrier) AS
	SELECT k.id, k.name, k.hint, k.status, k.expires_at, k.created,
	    k.revoked, k.scope, coalesce(p.models, '{}') AS models,
	    coalesce(p.addresses, '{}')::text[] AS addresses,
	    coalesce(p.regions, '{}') AS regions, u.last_used
	FROM api_key k LEFT JOIN policy p ON p.id = k.policy_id
	LEFT JOIN key_use u ON u.key_id = k.id
	WHERE k.customer_id = my_customer();

CREATE OR REPLACE VIEW my_account WITH (security_barrier) AS
	SELECT c.id, c.name, c.status, g.name AS group_name, g.multiplier_ppm,
	    c.contact, c.created, c.group_id,
	    coalesce(m.granted_nano, 0) AS granted_nano,
	    coalesce(m.spent_nano, 0) AS spent_nano, c.language,
	    c.low_balance_nano
	FROM customer c
	JOIN customer_group g ON g.id = c.group_id
	LEFT JOIN customer_money m ON m.customer_id = c.id
	WHERE c.id = my_customer();

-- -1 leaves a limit as it is.
CREATE FUNCTION limit_put(p_scope bigint, p_object bigint, p_requests bigint,
    p_tokens bigint, p_concurrent bigint, p_day bigint, p_month bigint,
    p_total bigint, p_total_tokens bigint) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO youyun.rate_limit AS l (scope, object_id, requests, tokens,
	    concurrent, day_nano, month_nano, total_nano, total_tokens)
	    VALUES (p_scope, p_object, greatest(p_requests, 0),
	    greatest(p_tokens, 0), greatest(p_concurrent, 0),
	    greatest(p_day, 0), greatest(p_month, 0), greatest(p_total, 0),
	    greatest(p_total_tokens, 0))
	    ON CONFLICT (scope, object_id) DO UPDATE SET
	    requests = CASE WHEN p_requests < 0 THEN l.requests
		ELSE p_requests END,
	    tokens = CASE WHEN p_tokens < 0 THEN l.tokens ELSE p_tokens END,
	    concurrent = CASE WHEN p_concurrent < 0 THEN l.concurrent
		ELSE p_concurrent END,
	    day_nano = CASE WHEN p_day < 0 THEN l.day_nano ELSE p_day END,
	    month_nano = CASE WHEN p_month < 0 THEN l.month_nano
		ELSE p_month END,
	    total_nano = CASE WHEN p_total < 0 THEN l.total_nano
		ELSE p_total END,
	    total_tokens = CASE WHEN p_total_tokens < 0 THEN l.total_tokens
		ELSE p_total_tokens END
	    RETURNING l.id
$$;
COMMENT ON FUNCTION limit_put(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS 'Sets limits of what a scope and a number name.';

-- 0: there is no such key, or it is revoked.
CREATE FUNCTION my_key_limit(p_id bigint, p_requests bigint, p_tokens bigint,
    p_concurrent bigint, p_day bigint, p_month bigint, p_total bigint,
    p_total_tokens bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT count(limit_put(4, k.id, p_requests, p_tokens, p_concurrent,
	    p_day, p_month, p_total, p_total_tokens))
	FROM api_key k WHERE k.id = p_id
	AND k.customer_id = my_customer() AND k.status = 0
$$;
COMMENT ON FUNCTION my_key_limit(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS 'Limits one of the customer''s own keys.';

CREATE FUNCTION my_low_balance(p_nano bigint) RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	UPDATE customer c SET low_balance_nano = p_nano
	    WHERE c.id = my_customer() AND c.low_balance_nano <> p_nano
$$;
COMMENT ON FUNCTION my_low_balance(bigint) IS 'Says when the customer is to be told of a low balance.';

-- What of a call is recorded of who made it; and customers that may go on, by
-- little.
ALTER TABLE customer
	ADD COLUMN keep_address smallint NOT NULL DEFAULT 0
	    CHECK (keep_address BETWEEN 0 AND 2),
	ADD COLUMN keep_agent boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN customer.keep_address IS 'Of a call''s address is kept: 0 all, 1 its network (/24, /48), 2 nothing. Operator: controller (minimisation).';
COMMENT ON COLUMN customer.keep_agent IS 'Whether a call''s user agent is kept. Operator: controller (minimisation).';
INSERT INTO event_kind (name, severity, purpose) VALUES
    ('customer_limited', 2, 'A customer may make few calls from now on, by somebody of the staff or by a rule.');
INSERT INTO notice_kind (name, mailed, purpose) VALUES
    ('limited', true, 'Few calls are accepted, and why.');

CREATE FUNCTION note_limited() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	detail jsonb := jsonb_build_object('reason',
	    left(coalesce(current_setting('youyun.reason', true), ''), 1000),
	    'actor', left(my_actor(), 200));
BEGIN
	PERFORM security_event_add('customer_limited', NEW.id, NULL, NULL,
	    detail);
	PERFORM notice_add(NEW.id, 'limited', detail - 'actor');
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION note_limited() IS 'Trigger: a limitation is a security event, and the customer is told.';
REVOKE ALL ON FUNCTION note_limited() FROM PUBLIC;
CREATE TRIGGER note_limited AFTER UPDATE OF status ON customer
    FOR EACH ROW WHEN (NEW.status = 1 AND OLD.status <> 1)
    EXECUTE FUNCTION note_limited();
GRANT SELECT (keep_address, keep_agent) ON customer TO youyun_flusher;

REVOKE ALL ON FUNCTION low_balance_tell(bigint[]), usage_add(),
    saturated(numeric),
    limit_least(bigint, bigint), month_of(date), limit_put(bigint, bigint,
    bigint, bigint, bigint, bigint, bigint, bigint, bigint),
    limit_rest(bigint, bigint, bigint), my_key_limit(bigint, bigint, bigint,
    bigint, bigint, bigint, bigint, bigint), my_low_balance(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_key_limit(bigint, bigint, bigint, bigint,
    bigint, bigint, bigint, bigint), my_low_balance(bigint)
    TO youyun_portal;
GRANT EXECUTE ON FUNCTION limit_least(bigint, bigint), month_of(date),
    saturated(numeric) TO youyun_flusher, youyun_admin, youyun_portal,
    youyun_billing, youyun_support, youyun_auditor;
GRANT EXECUTE ON FUNCTION limit_put(bigint, bigint, bigint, bigint, bigint,
    bigint, bigint, bigint, bigint) TO youyun_admin;
GRANT SELECT ON my_usage TO youyun_portal;
GRANT SELECT ON usage_day TO youyun_flusher, youyun_admin, youyun_billing,
    youyun_support, youyun_auditor;
GRANT SELECT ON key_use, low_balance TO youyun_admin, youyun_billing,
    youyun_support, youyun_auditor;
GRANT UPDATE (low_balance_nano) ON customer TO youyun_support;
