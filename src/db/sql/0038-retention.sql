-- What is deleted when, and what is kept in spite of that.
--
-- Calls go with their day's partition.  What their bookings are verified
-- against, and what the lines of bills are made of, stays as sums.  Calls of
-- customers on legal hold move to the default partition first, so that no day
-- stays for the sake of one customer.

CREATE TABLE retention (
	id smallint PRIMARY KEY,
	name text NOT NULL UNIQUE,
	days integer NOT NULL,
	least integer NOT NULL,
	purpose text NOT NULL,
	CHECK (days BETWEEN least AND 36500)
);
COMMENT ON TABLE retention IS 'How long what is kept. Operator: controller (retention), no personal data.';
COMMENT ON COLUMN retention.id IS 'Number of the row. Operator: controller.';
COMMENT ON COLUMN retention.name IS 'What it is about. Operator: controller.';
COMMENT ON COLUMN retention.days IS 'How many days. Operator: controller.';
COMMENT ON COLUMN retention.least IS 'It can''t be fewer. Operator: controller.';
COMMENT ON COLUMN retention.purpose IS 'What it is kept for. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON retention
    FOR EACH ROW EXECUTE FUNCTION audit_change();
INSERT INTO retention (id, name, days, least, purpose) VALUES
	(1, 'calls', 400, 62, 'records of calls: disputes, refunds, statistics'),
	(2, 'events', 400, 30, 'security events: finding and proving misuse'),
	(3, 'notices', 400, 30, 'notices to customers'),
	(4, 'tickets', 1095, 30, 'words and files of closed tickets');

CREATE TABLE legal_hold (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL REFERENCES customer,
	reason text NOT NULL CHECK (octet_length(reason) BETWEEN 1 AND 1000),
	placed timestamptz NOT NULL DEFAULT now(),
	placed_by text NOT NULL DEFAULT my_actor(),
	lifted timestamptz,
	lifted_by text
);
CREATE UNIQUE INDEX legal_hold_customer ON legal_hold (customer_id)
    WHERE lifted IS NULL;
COMMENT ON TABLE legal_hold IS 'Customers of whose data nothing is deleted for now. Operator: controller (legal duty).';
COMMENT ON COLUMN legal_hold.id IS 'Number of the hold. Operator: controller.';
COMMENT ON COLUMN legal_hold.customer_id IS 'The customer. Operator: controller.';
COMMENT ON COLUMN legal_hold.reason IS 'Why. Operator: controller.';
COMMENT ON COLUMN legal_hold.placed IS 'Since when. Operator: controller.';
COMMENT ON COLUMN legal_hold.placed_by IS 'By whom. Operator: controller.';
COMMENT ON COLUMN legal_hold.lifted IS 'Until when; NULL: it holds. Operator: controller.';
COMMENT ON COLUMN legal_hold.lifted_by IS 'By whom. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON legal_hold
    FOR EACH ROW EXECUTE FUNCTION audit_change();

CREATE FUNCTION is_held(p_customer bigint) RETURNS boolean LANGUAGE sql
    STABLE SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT EXISTS (SELECT 1 FROM legal_hold h
	    WHERE h.customer_id = p_customer AND h.lifted IS NULL)
$$;
COMMENT ON FUNCTION is_held(bigint) IS 'Is a customer on legal hold?';

CREATE TABLE retention_log (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	name text NOT NULL,
	until date NOT NULL,
	rows bigint NOT NULL,
	held bigint NOT NULL
);
CREATE INDEX retention_log_at ON retention_log (at);
COMMENT ON TABLE retention_log IS 'What was deleted when because its time was over. Append-only. Operator: controller (accountability), no personal data.';
COMMENT ON COLUMN retention_log.id IS 'Number of the deletion. Operator: controller.';
COMMENT ON COLUMN retention_log.at IS 'When. Operator: controller.';
COMMENT ON COLUMN retention_log.name IS 'What. Operator: controller.';
COMMENT ON COLUMN retention_log.until IS 'Of before that day (UTC); of calls, of that day. Operator: controller.';
COMMENT ON COLUMN retention_log.rows IS 'How many rows. Operator: controller.';
COMMENT ON COLUMN retention_log.held IS 'How many of a day''s calls were kept on legal hold. Operator: controller.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON retention_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE call_archive (
	ledger_transaction_id bigint PRIMARY KEY,
	customer_id bigint NOT NULL,
	calls bigint NOT NULL,
	fee_nano bigint NOT NULL,
	uncollected_nano bigint NOT NULL
);
CREATE INDEX call_archive_customer ON call_archive (customer_id);
COMMENT ON TABLE call_archive IS 'Of deleted calls: what their bookings are verified against. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN call_archive.ledger_transaction_id IS 'The booking. Operator: controller.';
COMMENT ON COLUMN call_archive.customer_id IS 'Whose. Operator: controller.';
COMMENT ON COLUMN call_archive.calls IS 'How many of its calls are deleted. Operator: controller.';
COMMENT ON COLUMN call_archive.fee_nano IS 'What they cost. Operator: controller.';
COMMENT ON COLUMN call_archive.uncollected_nano IS 'What could not be collected. Operator: controller.';

CREATE TABLE call_archive_refunded (
	request_id uuid PRIMARY KEY,
	customer_id bigint NOT NULL,
	fee_nano bigint NOT NULL
);
COMMENT ON TABLE call_archive_refunded IS 'Of deleted calls that were given back: what that is verified against. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN call_archive_refunded.request_id IS 'The call. Operator: controller.';
COMMENT ON COLUMN call_archive_refunded.customer_id IS 'Whose. Operator: controller.';
COMMENT ON COLUMN call_archive_refunded.fee_nano IS 'What it cost. Operator: controller.';

CREATE TABLE call_archive_line (
	customer_id bigint NOT NULL,
	day date NOT NULL,
	model_id bigint NOT NULL,
	price_version bigint NOT NULL,
	multiplier_ppm bigint NOT NULL,
	calls bigint NOT NULL,
	input_tokens bigint NOT NULL,
	output_tokens bigint NOT NULL,
	cache_read_tokens bigint NOT NULL,
	cache_write_tokens bigint NOT NULL,
	fee_nano bigint NOT NULL,
	PRIMARY KEY (customer_id, day, model_id, price_version, multiplier_ppm)
);
COMMENT ON TABLE call_archive_line IS 'Of deleted calls: the lines of bills. Operator: controller (billing).';
COMMENT ON COLUMN call_archive_line.customer_id IS 'Whose. Operator: controller.';
COMMENT ON COLUMN call_archive_line.day IS 'Of which day (UTC). Operator: controller.';
COMMENT ON COLUMN call_archive_line.model_id IS 'Of which model; 0: unknown. Operator: controller.';
COMMENT ON COLUMN call_archive_line.price_version IS 'By which price; 0: none. Operator: controller.';
COMMENT ON COLUMN call_archive_line.multiplier_ppm IS 'By which multiplier. Operator: controller.';
COMMENT ON COLUMN call_archive_line.calls IS 'How many with a fee. Operator: controller.';
COMMENT ON COLUMN call_archive_line.input_tokens IS 'As of call. Operator: controller.';
COMMENT ON COLUMN call_archive_line.output_tokens IS 'As of call. Operator: controller.';
COMMENT ON COLUMN call_archive_line.cache_read_tokens IS 'As of call. Operator: controller.';
COMMENT ON COLUMN call_archive_line.cache_write_tokens IS 'As of call, both kinds. Operator: controller.';
COMMENT ON COLUMN call_archive_line.fee_nano IS 'What they cost. Operator: controller.';

CREATE VIEW my_archive_line WITH (security_barrier) AS
	SELECT l.* FROM call_archive_line l
	WHERE l.customer_id = my_customer();
COMMENT ON VIEW my_archive_line IS 'The customer''s own lines of bills whose calls are deleted.';

-- Sums of calls that are about to go, from p_part.
CREATE FUNCTION calls_archive(p_part regclass, p_where text) RETURNS void
    LANGUAGE plpgsql SET search_path = youyun, pg_temp AS $$
BEGIN
	EXECUTE format('INSERT INTO call_archive AS a
	    SELECT c.ledger_transaction_id, min(c.customer_id), count(*),
	    sum(c.fee_nano), sum(c.uncollected_nano) FROM %s c
	    WHERE c.ledger_transaction_id IS NOT NULL
	    AND (c.fee_nano <> 0 OR c.uncollected_nano <> 0) AND %s GROUP BY 1
	    ON CONFLICT (ledger_transaction_id) DO UPDATE SET
	    calls = a.calls + excluded.calls,
	    fee_nano = a.fee_nano + excluded.fee_nano,
	    uncollected_nano = a.uncollected_nano + excluded.uncollected_nano',
	    p_part, p_where);
	EXECUTE format('INSERT INTO call_archive_refunded
	    SELECT c.request_id, c.customer_id, c.fee_nano FROM %s c
	    WHERE c.customer_id IS NOT NULL AND %s AND EXISTS (SELECT 1
	    FROM refund r WHERE r.started_at = c.started_at
	    AND r.request_id = c.request_id) ON CONFLICT DO NOTHING', p_part,
	    p_where);
	EXECUTE format('INSERT INTO call_archive_line AS l
	    SELECT c.customer_id, (c.started_at AT TIME ZONE ''UTC'')::date,
	    coalesce(c.model_id, 0), coalesce(c.price_version, 0),
	    c.multiplier_ppm, count(*), saturated(sum(c.input_tokens)),
	    saturated(sum(c.output_tokens)),
	    saturated(sum(c.cache_read_tokens)),
	    saturated(sum(c.cache_write_5m_tokens::numeric
	    + c.cache_write_1h_tokens)), sum(c.fee_nano) FROM %s c
	    WHERE c.customer_id IS NOT NULL AND c.fee_nano > 0 AND %s
	    GROUP BY 1, 2, 3, 4, 5 ON CONFLICT (customer_id, day, model_id,
	    price_version, multiplier_ppm) DO UPDATE SET
	    calls = l.calls + excluded.calls,
	    input_tokens = saturated(l.input_tokens::numeric
		+ excluded.input_tokens),
	    output_tokens = saturated(l.output_tokens::numeric
		+ excluded.output_tokens),
	    cache_read_tokens = saturated(l.cache_read_tokens::numeric
		+ excluded.cache_read_tokens),
	    cache_write_tokens = saturated(l.cache_write_tokens::numeric
		+ excluded.cache_write_tokens),
	    fee_nano = l.fee_nano + excluded.fee_nano', p_part, p_where);
END
$$;
COMMENT ON FUNCTION calls_archive(regclass, text) IS 'Keeps sums of calls that are about to be deleted.';

-- A day whose time is over, the oldest first; false: there is none.
CREATE FUNCTION retention_day(p_before date) RETURNS boolean
    LANGUAGE plpgsql SET search_path = youyun, pg_temp AS $$
DECLARE
	part text;
	held bigint[];
	stay bigint;
	gone bigint;
BEGIN
	SELECT c.relname INTO part FROM pg_inherits i
	    JOIN pg_class c ON c.oid = i.inhrelid
	    WHERE i.inhparent = 'youyun.call'::regclass
	    AND c.relname ~ '^call_[0-9]{8}$'
	    AND c.relname < 'call_' || to_char(p_before, 'YYYYMMDD')
	    ORDER BY c.relname LIMIT 1;
	IF part IS NULL THEN
		RETURN false;
	END IF;
	-- From here on nobody adds to it; those to other days go on.
	EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', part);
	held := ARRAY(SELECT h.customer_id FROM legal_hold h
	    WHERE h.lifted IS NULL);
	PERFORM calls_archive(part::regclass,
	    format('c.customer_id <> ALL (%L::bigint[])', held));
	EXECUTE format('CREATE TEMP TABLE retained AS SELECT * FROM %I c
	    WHERE c.customer_id = ANY (%L::bigint[])', part, held);
	EXECUTE 'SELECT count(*) FROM pg_temp.retained' INTO stay;
	EXECUTE format('SELECT count(*) FROM %I', part) INTO gone;
	gone := gone - stay;
	-- From here on nobody reads or writes any calls, for a moment.  Into
	-- the default partition by its name: they are no new calls.
	EXECUTE format('ALTER TABLE call DETACH PARTITION %I', part);
	EXECUTE 'INSERT INTO call_other SELECT * FROM pg_temp.retained';
	EXECUTE format('DROP TABLE %I', part);
	EXECUTE 'DROP TABLE pg_temp.retained';
	INSERT INTO retention_log (name, until, rows, held)
	    VALUES ('calls', to_date(right(part, 8), 'YYYYMMDD'), gone, stay);
	RETURN true;
END
$$;
COMMENT ON FUNCTION retention_day(date) IS 'Deletes a day of calls, but for those on legal hold.';

-- What came without a partition of its day, or was held and isn't any more.
CREATE FUNCTION retention_rest(p_before date) RETURNS boolean
    LANGUAGE plpgsql SET search_path = youyun, pg_temp AS $$
DECLARE
	day date;
	start timestamptz;
	past timestamptz;
	gone bigint;
BEGIN
	-- What is deleted is what was summed up.
	LOCK TABLE call_other IN SHARE ROW EXCLUSIVE MODE;
	SELECT (min(c.started_at) AT TIME ZONE 'UTC')::date INTO day
	    FROM call_other c WHERE c.started_at
	    < (p_before::timestamp AT TIME ZONE 'UTC')
	    AND NOT coalesce(is_held(c.customer_id), false);
	IF day IS NULL THEN
		RETURN false;
	END IF;
	start := day::timestamp AT TIME ZONE 'UTC';
	past := start + interval '1 day';
	PERFORM calls_archive('call_other', format('c.started_at >= %L
	    AND c.started_at < %L AND NOT is_held(c.customer_id)', start,
	    past));
	PERFORM set_config('youyun.retention', 'on', true);
	DELETE FROM call_other c WHERE c.started_at >= start
	    AND c.started_at < past
	    AND NOT coalesce(is_held(c.customer_id), false);
	GET DIAGNOSTICS gone = ROW_COUNT;
	PERFORM set_config('youyun.retention', '', true);
	INSERT INTO retention_log (name, until, rows, held)
	    SELECT 'calls', day, gone, count(*) FROM call_other c
	    WHERE c.started_at >= start AND c.started_at < past;
	RETURN true;
END
$$;
COMMENT ON FUNCTION retention_rest(date) IS 'Deletes a day''s calls from the default partition.';

-- What was written after that has a time of its own.
ALTER TABLE ticket ADD COLUMN emptied timestamptz;
COMMENT ON COLUMN ticket.emptied IS 'When its texts and files were deleted, their time being over. Operator: controller.';

-- A batch of what has no partitions; how many rows.
CREATE FUNCTION retention_rows(p_name text, p_before timestamptz)
    RETURNS bigint LANGUAGE plpgsql SET search_path = youyun, pg_temp AS $$
DECLARE
	n bigint := 0;
BEGIN
	CASE p_name
	WHEN 'events' THEN
		DELETE FROM security_event e WHERE e.id IN (SELECT x.id
		    FROM security_event x WHERE x.at < p_before
		    AND NOT is_held(coalesce(x.customer_id, 0))
		    ORDER BY x.at LIMIT 1000);
		GET DIAGNOSTICS n = ROW_COUNT;
	WHEN 'notices' THEN
		-- Who was told of an incident is proved by its notice.
		DELETE FROM notice m WHERE m.id IN (SELECT x.id FROM notice x
		    WHERE x.at < p_before AND NOT is_held(x.customer_id)
		    AND x.mail_state <> 1 AND NOT EXISTS (SELECT 1
		    FROM incident_notice i WHERE i.notice_id = x.id)
		    ORDER BY x.id LIMIT 1000);
		GET DIAGNOSTICS n = ROW_COUNT;
	WHEN 'tickets' THEN
		WITH old AS (SELECT t.id FROM ticket t WHERE t.state = 2
		    AND t.changed < p_before AND NOT is_held(t.customer_id)
		    AND (t.emptied IS NULL OR t.emptied < t.changed)
		    ORDER BY t.id LIMIT 100),
		files AS (DELETE FROM ticket_file f USING ticket_message m
		    WHERE f.message_id = m.id
		    AND m.ticket_id IN (SELECT o.id FROM old o)),
		said AS (UPDATE ticket_message m SET text = 'deleted'
		    WHERE m.ticket_id IN (SELECT o.id FROM old o))
		UPDATE ticket t SET subject = 'deleted', emptied = now()
		    WHERE t.id IN (SELECT o.id FROM old o);
		GET DIAGNOSTICS n = ROW_COUNT;
	END CASE;
	IF n > 0 THEN
		INSERT INTO retention_log (name, until, rows, held)
		    VALUES (p_name, (p_before AT TIME ZONE 'UTC')::date, n, 0);
	END IF;
	RETURN n;
END
$$;
COMMENT ON FUNCTION retention_rows(text, timestamptz) IS 'Deletes a batch of rows whose time is over.';

-- One piece of work.  'more': there may be more at once; 'later': somebody
-- reads what is to go; 'none'.
CREATE FUNCTION retention_step() RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp
    SET lock_timeout = '1s' AS $$
DECLARE
	r retention;
	before date;
	late boolean := false;
BEGIN
	-- One at a time, and nobody comes on hold or off it meanwhile.
	PERFORM pg_advisory_xact_lock(8245013977120038);
	LOCK TABLE legal_hold IN SHARE MODE;
	FOR r IN SELECT * FROM retention x ORDER BY x.id LOOP
		before := (now() AT TIME ZONE 'UTC')::date - r.days;
		IF r.name = 'calls' THEN
			BEGIN
				IF retention_day(before)
				    OR retention_rest(before) THEN
					RETURN 'more';
				END IF;
			EXCEPTION WHEN lock_not_available
			    OR deadlock_detected THEN
				late := true;
			END;
		ELSIF retention_rows(r.name, before::timestamp
		    AT TIME ZONE 'UTC') > 0 THEN
			RETURN 'more';
		END IF;
	END LOOP;
	RETURN CASE WHEN late THEN 'later' ELSE 'none' END;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
	RETURN 'later';
END
$$;
COMMENT ON FUNCTION retention_step() IS 'Deletes a piece of what has been kept long enough.';

-- One node's flusher does it for all.
CREATE FUNCTION retention_next(p_node bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	IF p_node IS DISTINCT FROM (SELECT min(s.node_id) FROM node_state s
	    WHERE node_is_up(s)) THEN
		RETURN 'none';
	END IF;
	RETURN retention_step();
END
$$;
COMMENT ON FUNCTION retention_next(bigint) IS 'retention_step() for the node whose turn it is.';

CREATE FUNCTION hold_place(p_customer bigint, p_reason text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	INSERT INTO legal_hold (customer_id, reason)
	    VALUES (p_customer, p_reason) RETURNING id
$$;
COMMENT ON FUNCTION hold_place(bigint, text) IS 'Puts a customer on legal hold.';
CREATE FUNCTION hold_lift(p_customer bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	UPDATE legal_hold SET lifted = now(), lifted_by = my_actor()
	    WHERE customer_id = p_customer AND lifted IS NULL RETURNING id
$$;
COMMENT ON FUNCTION hold_lift(bigint) IS 'Takes a customer off legal hold; NULL: it isn''t on one.';

REVOKE ALL ON FUNCTION is_held(bigint), calls_archive(regclass, text),
    retention_day(date), retention_rest(date),
    retention_rows(text, timestamptz), retention_step(),
    retention_next(bigint), hold_place(bigint, text), hold_lift(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_next(bigint) TO youyun_flusher;
GRANT EXECUTE ON FUNCTION retention_step(), hold_place(bigint, text),
    hold_lift(bigint) TO youyun_admin;
GRANT EXECUTE ON FUNCTION is_held(bigint) TO youyun_flusher, youyun_admin,
    youyun_billing, youyun_support, youyun_auditor;
GRANT UPDATE (days) ON retention TO youyun_admin;
GRANT SELECT ON retention, legal_hold, retention_log, call_archive,
    call_archive_refunded, call_archive_line TO youyun_admin,
    youyun_billing, youyun_support, youyun_auditor;
GRANT SELECT ON my_archive_line TO youyun_portal;
