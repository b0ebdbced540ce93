-- Rules over the stream of calls: is a key used otherwise than before, by whom
-- it shouldn't be, or does a customer spend or fail out of all proportion?
--
-- The transaction that inserts calls notes what the rules look at, in a few
-- small rows, and that a key is to be looked at.  The flusher looks a little
-- later, in a transaction of its own, which can't undo a booking.

-- What the staff says of a customer, and keys that are out of use for a time.
ALTER TABLE customer ADD COLUMN risk smallint NOT NULL DEFAULT 0
    CHECK (risk BETWEEN 0 AND 2);
COMMENT ON COLUMN customer.risk IS '0 normal, 1 watched: rules ring at half their bounds, 2 trusted: what they find is noted only. Operator: controller (security).';
GRANT UPDATE (risk) ON customer TO youyun_support;
ALTER TABLE api_key DROP CONSTRAINT api_key_status_check,
	ADD CONSTRAINT api_key_status_check CHECK (status BETWEEN 0 AND 2);
COMMENT ON COLUMN api_key.status IS '0 active, 1 revoked, 2 suspended (enum key_status). Operator: controller.';

INSERT INTO event_kind (name, severity, purpose) VALUES
    ('spend_spike', 2, 'A customer spent far more in an hour than usual.'),
    ('error_spike', 1, 'Far more of a customer''s calls failed in an hour than usual.'),
    ('many_addresses', 1, 'A key was used from many addresses.'),
    ('key_shared', 2, 'A key was used from many networks at about the same time.'),
    ('new_region', 1, 'A key came from a region in which it had never been used.'),
    ('new_agent', 0, 'A key was used by a program that had never used it.'),
    ('dormant_key', 1, 'A key was used again after a long time.'),
    ('key_suspended', 2, 'A key is refused until it is resumed, by somebody of the staff or by a rule.'),
    ('key_resumed', 1, 'A suspended key is accepted again.');
INSERT INTO notice_kind (name, mailed, purpose) VALUES
    ('risk', true, 'A rule found something unusual about the account or a key.'),
    ('key_suspended', true, 'A key is refused, and why.'),
    ('key_resumed', true, 'A key is accepted again.');

CREATE TABLE risk_rule (
	id smallint PRIMARY KEY,
	kind text NOT NULL UNIQUE REFERENCES event_kind,
	of_key boolean NOT NULL,
	action smallint NOT NULL DEFAULT 1 CHECK (action BETWEEN 0 AND 4),
	threshold bigint NOT NULL CHECK (threshold BETWEEN 1 AND 1000000),
	minimum bigint CHECK (minimum BETWEEN 0 AND 1000000000000000000),
	window_minutes integer CHECK (window_minutes BETWEEN 1 AND 10080),
	cooldown_minutes integer NOT NULL DEFAULT 1440
	    CHECK (cooldown_minutes BETWEEN 1 AND 525600)
);
COMMENT ON TABLE risk_rule IS 'What rings, and what is done then. Operator: controller (security), no personal data.';
COMMENT ON COLUMN risk_rule.id IS 'Number of the rule. Operator: controller.';
COMMENT ON COLUMN risk_rule.kind IS 'The event that it writes. Operator: controller.';
COMMENT ON COLUMN risk_rule.of_key IS 'Whether it looks at one key, not at a customer. Operator: controller.';
COMMENT ON COLUMN risk_rule.action IS '0 off, 1 note, 2 notify, 3 limit, 4 suspend (enum risk_action). Each does what those before it do. Operator: controller.';
COMMENT ON COLUMN risk_rule.threshold IS 'Percent of what is usual; addresses; networks; days of use before; days without. Operator: controller.';
COMMENT ON COLUMN risk_rule.minimum IS 'A spike has at least so much: nano-units, calls. Operator: controller.';
COMMENT ON COLUMN risk_rule.window_minutes IS 'Within which time addresses and networks are counted. Operator: controller.';
COMMENT ON COLUMN risk_rule.cooldown_minutes IS 'How long it is still about the same customer or key. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON risk_rule
    FOR EACH ROW EXECUTE FUNCTION audit_change();
INSERT INTO risk_rule (id, kind, of_key, threshold, minimum, window_minutes)
    VALUES
	(1, 'spend_spike', false, 1000, 5000000000, NULL),
	(2, 'error_spike', false, 1000, 100, NULL),
	(3, 'many_addresses', true, 50, NULL, 1440),
	(4, 'key_shared', true, 5, NULL, 60),
	(5, 'new_region', true, 7, NULL, NULL),
	(6, 'new_agent', true, 7, NULL, NULL),
	(7, 'dormant_key', true, 60, NULL, NULL);

CREATE TABLE risk_region (
	network cidr PRIMARY KEY,
	region text NOT NULL CHECK (region ~ '^[A-Za-z0-9 _.-]{1,32}$')
);
CREATE INDEX risk_region_network ON risk_region
    USING gist (network inet_ops);
COMMENT ON TABLE risk_region IS 'Where networks are, as the operator loaded it. Operator: controller, no personal data.';
COMMENT ON COLUMN risk_region.network IS 'The network. Operator: controller.';
COMMENT ON COLUMN risk_region.region IS 'Its region. Operator: controller.';

CREATE TABLE risk_hour (
	customer_id bigint NOT NULL,
	hour timestamptz NOT NULL,
	calls bigint NOT NULL,
	failed bigint NOT NULL,
	fee_nano bigint NOT NULL,
	PRIMARY KEY (customer_id, hour)
) WITH (fillfactor = 70);
COMMENT ON TABLE risk_hour IS 'A customer''s calls by the hour in which they began, for nine days. Operator: controller (security).';
COMMENT ON COLUMN risk_hour.customer_id IS 'Who paid. Operator: controller.';
COMMENT ON COLUMN risk_hour.hour IS 'The hour (UTC). Operator: controller.';
COMMENT ON COLUMN risk_hour.calls IS 'How many. Operator: controller.';
COMMENT ON COLUMN risk_hour.failed IS 'Of these with an error. Operator: controller.';
COMMENT ON COLUMN risk_hour.fee_nano IS 'What they cost. Operator: controller.';

CREATE TABLE risk_origin (
	id bigint GENERATED ALWAYS AS IDENTITY,
	customer_id bigint NOT NULL,
	key_id bigint NOT NULL,
	kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 3),
	value text NOT NULL,
	first_seen timestamptz NOT NULL,
	last_seen timestamptz NOT NULL,
	PRIMARY KEY (customer_id, key_id, kind, value)
) WITH (fillfactor = 70);
COMMENT ON TABLE risk_origin IS 'From where and by which programs a key was used in the last 90 days, as far as the customer''s records have it. Operator: controller (security).';
COMMENT ON COLUMN risk_origin.id IS 'Number of the row. Operator: controller.';
COMMENT ON COLUMN risk_origin.customer_id IS 'Whose. Operator: controller.';
COMMENT ON COLUMN risk_origin.key_id IS 'The key. Operator: controller.';
COMMENT ON COLUMN risk_origin.kind IS '0 address, 1 network, 2 region, 3 program. Operator: controller.';
COMMENT ON COLUMN risk_origin.value IS 'Which. Operator: processor for the customer''s users.';
COMMENT ON COLUMN risk_origin.first_seen IS 'When first. Operator: controller.';
COMMENT ON COLUMN risk_origin.last_seen IS 'When last, to the minute. Operator: controller.';

CREATE TABLE risk_wake (
	key_id bigint PRIMARY KEY,
	woke timestamptz NOT NULL,
	slept_days integer NOT NULL
);
COMMENT ON TABLE risk_wake IS 'Keys that were not used for a day or more, and then were. Operator: controller (security).';
COMMENT ON COLUMN risk_wake.key_id IS 'The key. Operator: controller.';
COMMENT ON COLUMN risk_wake.woke IS 'When it was used again. Operator: controller.';
COMMENT ON COLUMN risk_wake.slept_days IS 'How long it wasn''t. Operator: controller.';

CREATE TABLE risk_due (
	key_id bigint PRIMARY KEY,
	customer_id bigint NOT NULL,
	since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX risk_due_since ON risk_due (since);
COMMENT ON TABLE risk_due IS 'Keys that were used since the rules last looked. Operator: controller (security).';
COMMENT ON COLUMN risk_due.key_id IS 'The key. Operator: controller.';
COMMENT ON COLUMN risk_due.customer_id IS 'Whose. Operator: controller.';
COMMENT ON COLUMN risk_due.since IS 'Since when. Operator: controller.';

CREATE TABLE risk_rung (
	rule_id smallint NOT NULL REFERENCES risk_rule,
	customer_id bigint NOT NULL,
	key_id bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (customer_id, key_id, rule_id)
);
COMMENT ON TABLE risk_rung IS 'When a rule last rang, for its cool-down. Operator: controller (security).';
COMMENT ON COLUMN risk_rung.rule_id IS 'The rule. Operator: controller.';
COMMENT ON COLUMN risk_rung.customer_id IS 'About whom. Operator: controller.';
COMMENT ON COLUMN risk_rung.key_id IS 'About which key; 0: none. Operator: controller.';
COMMENT ON COLUMN risk_rung.at IS 'When. Operator: controller.';

CREATE FUNCTION wide_net_of(p_address inet) RETURNS inet LANGUAGE sql
    IMMUTABLE AS $$
	SELECT network(set_masklen(p_address, CASE family(p_address)
	    WHEN 6 THEN 32 ELSE 16 END))::inet
$$;
COMMENT ON FUNCTION wide_net_of(inet) IS 'What counts as one network: about what one provider has in one place.';

CREATE FUNCTION region_of(p_address inet) RETURNS text LANGUAGE sql STABLE
    SET search_path = youyun, pg_temp AS $$
	SELECT r.region FROM risk_region r WHERE r.network >>= p_address
	    ORDER BY masklen(r.network) DESC LIMIT 1
$$;
COMMENT ON FUNCTION region_of(inet) IS 'Where an address is; NULL: nobody knows.';

-- RFC 9110, 10.1.5: the first product without its version, which changes with
-- every update.
CREATE FUNCTION program_of(p_agent text) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$
	SELECT nullif(left(split_part(split_part(p_agent, '/', 1), ' ', 1),
	    64), '')
$$;
COMMENT ON FUNCTION program_of(text) IS 'The program that a user agent names; NULL: none.';

CREATE FUNCTION risk_note() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT 1 FROM risk_rule r WHERE r.action > 0) THEN
		RETURN NULL;
	END IF;
	-- Each in one order, so that two nodes don't wait for each other.
	INSERT INTO risk_hour AS h SELECT c.customer_id,
	    date_trunc('hour', c.started_at, 'UTC'), count(*),
	    count(*) FILTER (WHERE c.error <> 0), saturated(sum(c.fee_nano))
	    FROM fresh c WHERE c.customer_id IS NOT NULL
	    GROUP BY 1, 2 ORDER BY 1, 2
	    ON CONFLICT (customer_id, hour) DO UPDATE SET
	    calls = h.calls + excluded.calls,
	    failed = h.failed + excluded.failed,
	    fee_nano = saturated(h.fee_nano::numeric + excluded.fee_nano);
	INSERT INTO risk_wake AS w SELECT k.id, f.at,
	    least(extract(day FROM f.at - coalesce(u.last_used, k.created)),
	    36500)::int FROM (SELECT c.key_id, min(c.started_at) AS at
	    FROM fresh c GROUP BY 1) f JOIN api_key k ON k.id = f.key_id
	    LEFT JOIN key_use u ON u.key_id = k.id
	    WHERE f.at >= coalesce(u.last_used, k.created) + interval '1 day'
	    ORDER BY 1
	    ON CONFLICT (key_id) DO UPDATE SET woke = excluded.woke,
	    slept_days = excluded.slept_days;
	WITH seen AS MATERIALIZED (SELECT c.customer_id, c.key_id, c.address,
	    c.agent, min(c.started_at) AS first, max(c.started_at) AS last
	    FROM fresh c WHERE c.customer_id IS NOT NULL
	    AND c.key_id IS NOT NULL GROUP BY 1, 2, 3, 4)
	INSERT INTO risk_origin AS o (customer_id, key_id, kind, value,
	    first_seen, last_seen) SELECT s.customer_id, s.key_id, v.kind, v.value,
	    min(s.first), max(s.last) FROM seen s CROSS JOIN LATERAL (VALUES
	    (0, host(net_of(s.address))), (1, wide_net_of(s.address)::text),
	    (2, region_of(s.address)), (3, program_of(s.agent)))
	    v (kind, value) WHERE v.value IS NOT NULL
	    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
	    ON CONFLICT (customer_id, key_id, kind, value) DO UPDATE
	    SET last_seen = excluded.last_seen
	    WHERE excluded.last_seen > o.last_seen + interval '1 minute';
	INSERT INTO risk_due (key_id, customer_id)
	    SELECT c.key_id, min(c.customer_id) FROM fresh c
	    WHERE c.key_id IS NOT NULL AND c.customer_id IS NOT NULL
	    GROUP BY 1 ORDER BY 1 ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION risk_note() IS 'Trigger: notes what the rules look at.';
-- By its name before usage_add, which writes down when a key was used last.
CREATE TRIGGER risk_note AFTER INSERT ON call REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION risk_note();

-- What each rule sees now.  usual NULL: there is nothing to compare with yet;
-- rings above bound.
CREATE FUNCTION risk_look(p_customer bigint, p_keys bigint[]) RETURNS TABLE
    (rule_id smallint, kind text, key_id bigint, seen bigint, usual bigint,
    bound bigint) LANGUAGE sql STABLE
    SET search_path = youyun, pg_temp AS $$
	WITH part AS (SELECT CASE c.risk WHEN 1 THEN 2 ELSE 1 END AS n
	    FROM customer c WHERE c.id = p_customer),
	edge AS (SELECT date_trunc('hour', now() - interval '1 hour', 'UTC')
	    AS at),
	hours AS MATERIALIZED (SELECT h.hour >= e.at AS late, h.failed,
	    h.fee_nano FROM risk_hour h CROSS JOIN edge e
	    WHERE h.customer_id = p_customer
	    AND h.hour >= e.at - interval '7 days'),
	spikes AS (SELECT max(h.fee_nano) FILTER (WHERE h.late) AS fee,
	    max(h.failed) FILTER (WHERE h.late) AS failed,
	    count(*) FILTER (WHERE NOT h.late) AS hours,
	    coalesce(sum(h.fee_nano) FILTER (WHERE NOT h.late), 0) AS fees,
	    coalesce(sum(h.failed) FILTER (WHERE NOT h.late), 0) AS failures
	    FROM hours h),
	-- The usual hour is the mean of those that had calls.
	means AS (SELECT r.id, r.kind, r.threshold, r.minimum,
	    CASE r.kind WHEN 'spend_spike' THEN s.fee ELSE s.failed END
	    AS seen, CASE WHEN s.hours >= 3 THEN
	    CASE r.kind WHEN 'spend_spike' THEN s.fees ELSE s.failures END
	    / s.hours END AS mean
	    FROM risk_rule r CROSS JOIN spikes s WHERE NOT r.of_key),
	keys AS MATERIALIZED (SELECT k.id FROM api_key k
	    WHERE k.customer_id = p_customer AND k.id = ANY (p_keys)),
	counts AS (SELECT r.id, r.kind, k.id AS key_id, r.threshold,
	    (SELECT count(*) FROM risk_origin o WHERE o.customer_id = p_customer
	    AND o.key_id = k.id AND o.kind = CASE r.kind WHEN 'key_shared' THEN 1 ELSE 0 END
	    AND o.last_seen > now() - make_interval(mins => r.window_minutes))
	    AS seen FROM risk_rule r CROSS JOIN keys k
	    WHERE r.kind IN ('many_addresses', 'key_shared')),
	-- How many new ones in the last hour, of a key used long enough.
	fresh AS (SELECT r.id, r.kind, k.id AS key_id, count(*) FILTER (WHERE
	    o.first_seen > now() - interval '1 hour') AS seen,
	    max(extract(epoch FROM now() - o.first_seen)) / 86400 AS age,
	    r.threshold
	    FROM risk_rule r CROSS JOIN keys k JOIN risk_origin o
	    ON o.customer_id = p_customer AND o.key_id = k.id
	    AND o.kind = CASE r.kind
	    WHEN 'new_region' THEN 2 ELSE 3 END
	    WHERE r.kind IN ('new_region', 'new_agent')
	    GROUP BY r.id, r.kind, k.id, r.threshold)
	SELECT m.id, m.kind, NULL::bigint, coalesce(m.seen, 0),
	    m.mean::bigint, saturated(greatest(m.minimum, m.mean * m.threshold
	    / 100) / p.n) FROM means m CROSS JOIN part p
	UNION ALL SELECT c.id, c.kind, c.key_id, c.seen, 0, c.threshold / p.n
	    FROM counts c CROSS JOIN part p
	UNION ALL SELECT f.id, f.kind, f.key_id, f.seen,
	    CASE WHEN f.age >= f.threshold::numeric / p.n THEN 0 END, 0
	    FROM fresh f CROSS JOIN part p
	UNION ALL SELECT r.id, r.kind, w.key_id, w.slept_days, 0,
	    r.threshold / p.n - 1 FROM risk_rule r CROSS JOIN part p
	    JOIN risk_wake w ON w.key_id IN (SELECT k.id FROM keys k)
	    AND w.woke > now() - interval '1 hour'
	    WHERE r.kind = 'dormant_key'
$$;
COMMENT ON FUNCTION risk_look(bigint, bigint[]) IS 'What the rules see of a customer and these keys.';

CREATE FUNCTION risk_act(p_rule risk_rule, p_customer bigint, p_key bigint,
    p_detail jsonb) RETURNS void LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
BEGIN
	PERFORM set_config('youyun.actor', 'risk rules', true),
	    set_config('youyun.reason', 'rule ' || p_rule.kind, true);
	PERFORM security_event_add(p_rule.kind, p_customer, p_key, NULL,
	    p_detail);
	IF p_rule.action >= 2 THEN
		PERFORM notice_add(p_customer, 'risk', p_detail
		    || jsonb_build_object('rule', p_rule.kind, 'key',
		    coalesce((SELECT k.hint FROM api_key k
		    WHERE k.id = p_key), '')));
	END IF;
	IF p_rule.action = 4 AND p_key IS NOT NULL THEN
		UPDATE api_key SET status = 2 WHERE id = p_key AND status = 0;
	ELSIF p_rule.action = 4 THEN
		UPDATE customer SET status = 2, cut = true
		    WHERE id = p_customer AND status IN (0, 1);
	ELSIF p_rule.action = 3 THEN
		UPDATE customer SET status = 1 WHERE id = p_customer
		    AND status = 0;
	END IF;
	PERFORM set_config('youyun.actor', '', true),
	    set_config('youyun.reason', '', true);
END
$$;
COMMENT ON FUNCTION risk_act(risk_rule, bigint, bigint, jsonb) IS 'Does what a rule that rings says.';

CREATE FUNCTION risk_ring(p_customer bigint, p_looked bigint[])
    RETURNS void LANGUAGE plpgsql SET search_path = youyun, pg_temp AS $$
DECLARE
	r risk_rule;
	f record;
BEGIN
	FOR f IN SELECT * FROM risk_look(p_customer, p_looked) l
	    WHERE l.usual IS NOT NULL AND l.seen > l.bound
	    ORDER BY l.rule_id, l.key_id LOOP
		SELECT * INTO r FROM risk_rule x WHERE x.id = f.rule_id;
		CONTINUE WHEN r.action = 0;
		IF (SELECT c.risk = 2 FROM customer c
		    WHERE c.id = p_customer) THEN
			r.action := 1;
		END IF;
		INSERT INTO risk_rung AS g (rule_id, customer_id, key_id)
		    VALUES (r.id, p_customer, coalesce(f.key_id, 0))
		    ON CONFLICT (customer_id, key_id, rule_id) DO UPDATE
		    SET at = now() WHERE g.at <= now()
		    - make_interval(mins => r.cooldown_minutes);
		CONTINUE WHEN NOT FOUND;
		PERFORM risk_act(r, p_customer, f.key_id, CASE f.kind
		    WHEN 'spend_spike' THEN jsonb_build_object('seen',
		    amount_text(f.seen), 'usual', amount_text(f.usual),
		    'bound', amount_text(f.bound))
		    WHEN 'error_spike' THEN jsonb_build_object('seen', f.seen,
		    'usual', f.usual, 'bound', f.bound)
		    ELSE jsonb_build_object('seen', f.seen, 'bound',
		    CASE WHEN f.kind IN ('new_region', 'new_agent')
		    THEN r.threshold ELSE f.bound END) END
		    || jsonb_build_object('action', (ARRAY['note', 'notify',
		    'limit', 'suspend'])[r.action]));
	END LOOP;
END
$$;
COMMENT ON FUNCTION risk_ring(bigint, bigint[]) IS 'Does what the rules say of one customer and those of its keys.';
REVOKE ALL ON FUNCTION risk_ring(bigint, bigint[]) FROM PUBLIC;

CREATE FUNCTION risk_run() RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	whose bigint;
	looked bigint[];
BEGIN
	SELECT d.customer_id INTO whose FROM risk_due d
	    WHERE d.since <= now() - interval '3 seconds'
	    ORDER BY d.since LIMIT 1 FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	WITH gone AS (DELETE FROM risk_due d WHERE d.key_id IN
	    (SELECT x.key_id FROM risk_due x WHERE x.customer_id = whose
	    ORDER BY x.key_id FOR UPDATE SKIP LOCKED) RETURNING d.key_id)
	SELECT array_agg(g.key_id) INTO looked FROM gone g;
	-- One that can't be looked at doesn't keep the others waiting.
	BEGIN
		PERFORM risk_ring(whose, looked);
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'rules could not look at customer %: %', whose,
		    SQLERRM;
		RETURN -1;
	END;
	RETURN 1;
END
$$;
COMMENT ON FUNCTION risk_run() IS 'Lets the rules look at one customer whose keys were used; 1, or 0 when there was none, or -1 when that failed.';

CREATE FUNCTION risk_forget(p_customer bigint) RETURNS bigint LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	DELETE FROM risk_hour h WHERE h.customer_id = p_customer;
	DELETE FROM risk_due d WHERE d.customer_id = p_customer;
	DELETE FROM risk_rung g WHERE g.customer_id = p_customer;
	DELETE FROM risk_wake w USING api_key k WHERE k.id = w.key_id
	    AND k.customer_id = p_customer;
	DELETE FROM risk_origin o WHERE o.customer_id = p_customer;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION risk_forget(bigint) IS 'Deletes what the rules know of an erased customer; from how many places and by how many programs its keys were used.';

CREATE FUNCTION risk_sweep() RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	DELETE FROM risk_hour h WHERE h.hour < now() - interval '9 days';
	DELETE FROM risk_origin o WHERE o.last_seen
	    < now() - interval '90 days';
	DELETE FROM risk_wake w WHERE w.woke < now() - interval '1 day';
	DELETE FROM risk_rung g WHERE g.at < now() - interval '366 days';
$$;
COMMENT ON FUNCTION risk_sweep() IS 'Deletes what the rules do not look at any more.';

CREATE FUNCTION risk_regions_audit() RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT audit_note('risk_region.import', 'risk_region',
	    jsonb_build_object('networks', (SELECT count(*)
	    FROM risk_region)))
$$;
COMMENT ON FUNCTION risk_regions_audit() IS 'Writes to the audit trail that the networks were loaded anew.';

-- Whoever suspends a key, and by whatever tool.
CREATE FUNCTION note_key_status() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	detail jsonb := jsonb_build_object('reason',
	    left(coalesce(current_setting('youyun.reason', true), ''), 1000));
	what text := CASE NEW.status WHEN 2 THEN 'key_suspended'
	    ELSE 'key_resumed' END;
BEGIN
	PERFORM security_event_add(what, NEW.customer_id, NEW.id, NULL,
	    detail || jsonb_build_object('actor', left(my_actor(), 200)));
	PERFORM notice_add(NEW.customer_id, what, detail
	    || jsonb_build_object('key', NEW.hint));
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION note_key_status() IS 'Trigger: a key''s suspension is a security event, and the customer is told.';
CREATE TRIGGER note_key_status AFTER UPDATE OF status ON api_key
    FOR EACH ROW WHEN (NEW.status <> OLD.status AND (NEW.status = 2
    OR (OLD.status = 2 AND NEW.status = 0)))
    EXECUTE FUNCTION note_key_status();

-- The customers' own view: which programs and places a key was used from.
CREATE VIEW my_export_origins WITH (security_barrier) AS
	SELECT o.id AS k, o.key_id, (ARRAY['address', 'network', 'region', 'program'])
	    [o.kind + 1] AS kind, o.value, iso_time(o.first_seen)
	    AS first_seen, iso_time(o.last_seen) AS last_seen
	FROM risk_origin o WHERE o.customer_id = my_customer();
COMMENT ON VIEW my_export_origins IS 'For the copy of a customer''s data: from where keys were used.';

REVOKE ALL ON FUNCTION wide_net_of(inet), region_of(inet), program_of(text),
    risk_note(), risk_forget(bigint), risk_look(bigint, bigint[]), risk_act(risk_rule, bigint,
    bigint, jsonb), risk_run(), risk_sweep(), risk_regions_audit(),
    note_key_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION risk_run(), risk_sweep() TO youyun_flusher;
GRANT EXECUTE ON FUNCTION risk_look(bigint, bigint[]) TO youyun_admin,
    youyun_support, youyun_auditor;
GRANT SELECT ON risk_rule, risk_region, risk_hour, risk_origin, risk_wake,
    risk_rung TO youyun_admin, youyun_support, youyun_auditor;
GRANT UPDATE (action, threshold, minimum, window_minutes, cooldown_minutes)
    ON risk_rule TO youyun_admin;
GRANT INSERT, DELETE ON risk_region TO youyun_admin;
GRANT EXECUTE ON FUNCTION risk_regions_audit() TO youyun_admin;
GRANT SELECT ON my_export_origins TO youyun_portal, youyun_admin;
