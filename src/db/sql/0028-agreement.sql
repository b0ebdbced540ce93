-- What an operator owes its customers for the data that it processes for
-- them: sub-processors, incidents, requests, the copy of their data, the end
-- of the account, and what there is to show of all this.

CREATE FUNCTION iso_time(p_at timestamptz) RETURNS text LANGUAGE sql
    STABLE AS $$
	SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION iso_time(timestamptz) IS 'A time as all JSON here has it.';

INSERT INTO notice_kind (name, mailed, purpose) VALUES
	('subprocessor_added', true, 'Another company will receive data of the customer''s calls, and from when on.'),
	('incident', true, 'Something happened to the customer''s data: what, what it means, what is done about it.'),
	('request_answered', true, 'A request about data was answered.'),
	('account_closing', true, 'The account is being closed, and when its data will be erased.'),
	('account_kept', true, 'The closing of the account was taken back.');

-- Appended to by an audit entry of our own where audit_change() would quote
-- what people wrote.
CREATE FUNCTION audit_note(p_action text, p_object text, p_change jsonb)
    RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	INSERT INTO audit (actor, action, object, reason, change)
	    VALUES (my_actor(), p_action, p_object,
	    coalesce(current_setting('youyun.reason', true), ''), p_change)
$$;
COMMENT ON FUNCTION audit_note(text, text, jsonb) IS 'Writes an audit entry that no trigger writes.';

CREATE FUNCTION export_note(p_customer bigint) RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT audit_note('customer.export', 'customer:' || p_customer, '{}')
$$;
COMMENT ON FUNCTION export_note(bigint) IS 'Notes that staff took a copy of a customer''s data.';

-- Sub-processors.
CREATE TABLE subprocessor (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	entity text NOT NULL CHECK (octet_length(entity) BETWEEN 1 AND 200),
	purpose text NOT NULL CHECK (octet_length(purpose) BETWEEN 1 AND 500),
	regions text[] NOT NULL CHECK (cardinality(regions) <= 16),
	country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
	announced timestamptz NOT NULL DEFAULT now(),
	valid_from timestamptz NOT NULL,
	ended timestamptz,
	CHECK (valid_from >= announced)
);
COMMENT ON TABLE subprocessor IS 'A company that receives data of customers'' calls for the operator. Never deleted, only ended. Operator: controller (accountability).';
COMMENT ON COLUMN subprocessor.id IS 'Number of the sub-processor. Operator: controller.';
COMMENT ON COLUMN subprocessor.name IS 'What customers know it by. Operator: controller.';
COMMENT ON COLUMN subprocessor.entity IS 'The legal entity. Operator: controller.';
COMMENT ON COLUMN subprocessor.purpose IS 'What it does with the data. Operator: controller.';
COMMENT ON COLUMN subprocessor.regions IS 'Where it processes them. Operator: controller.';
COMMENT ON COLUMN subprocessor.country IS 'Where the entity has its seat, ISO 3166-1. Operator: controller.';
COMMENT ON COLUMN subprocessor.announced IS 'When customers were told. Operator: controller.';
COMMENT ON COLUMN subprocessor.valid_from IS 'From when on it may receive data. Operator: controller.';
COMMENT ON COLUMN subprocessor.ended IS 'From when on it receives none any more; NULL: not ended. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON subprocessor
    FOR EACH ROW EXECUTE FUNCTION audit_change();
CREATE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON subprocessor
    FOR EACH ROW EXECUTE FUNCTION tell_change();

ALTER TABLE channel
	ADD COLUMN subprocessor_id bigint REFERENCES subprocessor,
	ADD COLUMN purpose text NOT NULL DEFAULT ''
	    CHECK (octet_length(purpose) <= 200);
COMMENT ON COLUMN channel.subprocessor_id IS 'Who receives what is sent there; NULL: not said. Operator: controller (accountability).';
COMMENT ON COLUMN channel.purpose IS 'What the channel is for; empty: not said. Operator: controller (accountability).';

-- 23505: there is one of that name.
CREATE FUNCTION subprocessor_add(p_name text, p_entity text, p_purpose text,
    p_regions text[], p_country text, p_days bigint, OUT id bigint,
    OUT valid_from timestamptz, OUT told bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO subprocessor AS s (name, entity, purpose, regions,
	    country, valid_from) VALUES (p_name, p_entity, p_purpose,
	    p_regions, p_country, now() + p_days * interval '24 hours')
	    RETURNING s.id, s.valid_from INTO id, valid_from;
	SELECT count(notice_add(c.id, 'subprocessor_added',
	    jsonb_build_object('name', p_name, 'entity', p_entity,
	    'purpose', p_purpose, 'regions', p_regions, 'country', p_country,
	    'valid_from', iso_time(subprocessor_add.valid_from))))
	    INTO told FROM customer c WHERE c.status <> 3;
END
$$;
COMMENT ON FUNCTION subprocessor_add(text, text, text, text[], text, bigint) IS 'Registers a sub-processor and announces it to all customers.';

-- P0002: there is none of that name.
CREATE FUNCTION subprocessor_end(p_name text) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	at timestamptz;
BEGIN
	UPDATE subprocessor s SET ended = coalesce(s.ended, now())
	    WHERE s.name = p_name RETURNING s.ended INTO at;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no sub-processor "%"', p_name
		    USING ERRCODE = 'no_data_found';
	END IF;
	RETURN at;
END
$$;
COMMENT ON FUNCTION subprocessor_end(text) IS 'From now on it receives nothing; its channels serve no more.';

-- Incidents.
CREATE TABLE incident (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('disclosure', 'loss',
	    'alteration', 'outage', 'intrusion', 'other')),
	opened timestamptz NOT NULL DEFAULT now(),
	opened_by text NOT NULL,
	since timestamptz NOT NULL,
	until timestamptz,
	what text NOT NULL CHECK (octet_length(what) BETWEEN 1 AND 2000),
	impact text NOT NULL DEFAULT '' CHECK (octet_length(impact) <= 2000),
	taken text NOT NULL DEFAULT '' CHECK (octet_length(taken) <= 2000),
	planned text NOT NULL DEFAULT '' CHECK (octet_length(planned) <= 2000),
	recommended text NOT NULL DEFAULT ''
	    CHECK (octet_length(recommended) <= 2000),
	scope jsonb NOT NULL DEFAULT '{}',
	closed timestamptz,
	CHECK (until >= since)
);
COMMENT ON TABLE incident IS 'A breach of the protection of data, or what may be one. Operator: controller (security, legal duty).';
COMMENT ON COLUMN incident.id IS 'Number of the incident. Operator: controller.';
COMMENT ON COLUMN incident.kind IS 'disclosure, loss, alteration, outage, intrusion or other. Operator: controller.';
COMMENT ON COLUMN incident.opened IS 'When it became known. Operator: controller.';
COMMENT ON COLUMN incident.opened_by IS 'Who wrote it down. Operator: controller.';
COMMENT ON COLUMN incident.since IS 'From when on it happened. Operator: controller.';
COMMENT ON COLUMN incident.until IS 'Until when; NULL: it goes on, or nobody knows. Operator: controller.';
COMMENT ON COLUMN incident.what IS 'What happened. Operator: controller.';
COMMENT ON COLUMN incident.impact IS 'What it means for who is affected. Operator: controller.';
COMMENT ON COLUMN incident.taken IS 'Measures that were taken. Operator: controller.';
COMMENT ON COLUMN incident.planned IS 'Measures that are planned. Operator: controller.';
COMMENT ON COLUMN incident.recommended IS 'What customers should do. Operator: controller.';
COMMENT ON COLUMN incident.scope IS 'By what the affected customers were found. Operator: controller.';
COMMENT ON COLUMN incident.closed IS 'When it was closed; NULL: it is open. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON incident
    FOR EACH ROW EXECUTE FUNCTION audit_change();

CREATE TABLE incident_customer (
	incident_id bigint NOT NULL REFERENCES incident,
	customer_id bigint NOT NULL REFERENCES customer,
	calls bigint NOT NULL DEFAULT 0 CHECK (calls >= 0),
	PRIMARY KEY (incident_id, customer_id)
);
CREATE INDEX incident_customer_customer ON incident_customer (customer_id);
COMMENT ON TABLE incident_customer IS 'Whom an incident affects. Operator: controller (security, legal duty).';
COMMENT ON COLUMN incident_customer.incident_id IS 'The incident. Operator: controller.';
COMMENT ON COLUMN incident_customer.customer_id IS 'Who is affected. Operator: controller.';
COMMENT ON COLUMN incident_customer.calls IS 'By how many calls within its time. Operator: controller.';

CREATE TABLE incident_notice (
	notice_id bigint PRIMARY KEY REFERENCES notice,
	incident_id bigint NOT NULL REFERENCES incident,
	customer_id bigint NOT NULL REFERENCES customer,
	at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL
);
CREATE INDEX incident_notice_incident ON incident_notice
    (incident_id, customer_id);
COMMENT ON TABLE incident_notice IS 'Who was told of an incident. Append-only. Operator: controller (accountability).';
COMMENT ON COLUMN incident_notice.notice_id IS 'The notice, which knows what became of its mail. Operator: controller.';
COMMENT ON COLUMN incident_notice.incident_id IS 'The incident. Operator: controller.';
COMMENT ON COLUMN incident_notice.customer_id IS 'Who was told. Operator: controller.';
COMMENT ON COLUMN incident_notice.at IS 'When. Operator: controller.';
COMMENT ON COLUMN incident_notice.actor IS 'By whom. Operator: controller.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON incident_notice
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- P0002: there is no such incident; YY030: it is closed.
CREATE FUNCTION incident_open_one(p_id bigint) RETURNS incident
    LANGUAGE plpgsql SET search_path = youyun, pg_temp AS $$
DECLARE
	k incident;
BEGIN
	SELECT * INTO k FROM incident i WHERE i.id = p_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no incident %', p_id
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF k.closed IS NOT NULL THEN
		RAISE EXCEPTION 'incident % is closed', p_id
		    USING ERRCODE = 'YY030';
	END IF;
	RETURN k;
END
$$;
COMMENT ON FUNCTION incident_open_one(bigint) IS 'An incident that can still be changed, locked.';

-- p_id 0: a new one; NULL leaves a text as it is.
CREATE FUNCTION incident_put(p_id bigint, p_kind text, p_since timestamptz,
    p_until timestamptz, p_what text, p_impact text, p_taken text,
    p_planned text, p_recommended text, p_close boolean) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	number bigint := p_id;
BEGIN
	IF p_id = 0 THEN
		INSERT INTO incident (kind, since, until, what, impact, taken,
		    planned, recommended, opened_by) VALUES (p_kind,
		    coalesce(p_since, now()), p_until, p_what,
		    coalesce(p_impact, ''), coalesce(p_taken, ''),
		    coalesce(p_planned, ''), coalesce(p_recommended, ''),
		    my_actor()) RETURNING id INTO number;
		RETURN number;
	END IF;
	PERFORM incident_open_one(p_id);
	UPDATE incident i SET kind = coalesce(p_kind, i.kind),
	    since = coalesce(p_since, i.since),
	    until = coalesce(p_until, i.until),
	    what = coalesce(p_what, i.what),
	    impact = coalesce(p_impact, i.impact),
	    taken = coalesce(p_taken, i.taken),
	    planned = coalesce(p_planned, i.planned),
	    recommended = coalesce(p_recommended, i.recommended),
	    closed = CASE WHEN p_close THEN now() END WHERE i.id = p_id;
	RETURN number;
END
$$;
COMMENT ON FUNCTION incident_put(bigint, text, timestamptz, timestamptz, text, text, text, text, text, boolean) IS 'Opens an incident, or changes or closes an open one.';

-- Those whose calls within the incident's time were by one of the keys and
-- through one of the channels (empty: any), the owners of the keys, and who is
-- named.  Who was told already stays.
CREATE FUNCTION incident_scope(p_id bigint, p_keys bigint[],
    p_channels bigint[], p_customers bigint[], p_calls boolean)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k incident := incident_open_one(p_id);
	n bigint;
BEGIN
	DELETE FROM incident_customer a WHERE a.incident_id = p_id
	    AND NOT EXISTS (SELECT 1 FROM incident_notice t
	    WHERE t.incident_id = p_id AND t.customer_id = a.customer_id);
	INSERT INTO incident_customer AS a (incident_id, customer_id, calls)
	    SELECT p_id, u.customer_id, sum(u.calls)::bigint
	    FROM (SELECT c.customer_id, count(*) AS calls FROM call c
	    WHERE p_calls AND c.started_at >= k.since
	    AND c.started_at < coalesce(k.until, now())
	    AND (cardinality(p_keys) = 0 OR c.key_id = ANY (p_keys))
	    AND (cardinality(p_channels) = 0 OR c.channel_id = ANY (p_channels))
	    AND c.customer_id IS NOT NULL GROUP BY 1
	    UNION ALL SELECT x.customer_id, 0 FROM api_key x
	    WHERE x.id = ANY (p_keys)
	    UNION ALL SELECT x.id, 0 FROM customer x
	    WHERE x.id = ANY (p_customers)) u
	    JOIN customer c ON c.id = u.customer_id
	    GROUP BY u.customer_id
	    ON CONFLICT (incident_id, customer_id)
	    DO UPDATE SET calls = excluded.calls;
	SELECT count(*) INTO n FROM incident_customer a
	    WHERE a.incident_id = p_id;
	UPDATE incident i SET scope = jsonb_build_object('keys', p_keys,
	    'channels', p_channels, 'customers', p_customers,
	    'by_calls', p_calls, 'at', iso_time(now())) WHERE i.id = p_id;
	RETURN n;
END
$$;
COMMENT ON FUNCTION incident_scope(bigint, bigint[], bigint[], bigint[], boolean) IS 'Finds whom an incident affects.';

-- YY031: nobody is affected yet.
CREATE FUNCTION incident_notify(p_id bigint, p_again boolean)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k incident := incident_open_one(p_id);
	n bigint;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM incident_customer a
	    WHERE a.incident_id = p_id) THEN
		RAISE EXCEPTION 'incident % affects nobody so far', p_id
		    USING ERRCODE = 'YY031';
	END IF;
	INSERT INTO incident_notice (notice_id, incident_id, customer_id,
	    actor) SELECT notice_add(a.customer_id, 'incident',
	    jsonb_strip_nulls(jsonb_build_object('incident', k.id,
	    'type', k.kind, 'since', iso_time(k.since),
	    'until', iso_time(k.until), 'calls', a.calls, 'what', k.what,
	    'impact', nullif(k.impact, ''), 'taken', nullif(k.taken, ''),
	    'planned', nullif(k.planned, ''),
	    'recommended', nullif(k.recommended, '')))), p_id,
	    a.customer_id, my_actor() FROM incident_customer a
	    WHERE a.incident_id = p_id AND (p_again OR NOT EXISTS (SELECT 1
	    FROM incident_notice t WHERE t.incident_id = p_id
	    AND t.customer_id = a.customer_id));
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM audit_note('incident.notify', 'incident:' || p_id,
	    jsonb_build_object('told', n));
	RETURN n;
END
$$;
COMMENT ON FUNCTION incident_notify(bigint, boolean) IS 'Tells whom it affects: those who were not told, or all again.';

-- Requests about data, of customers and of the people whose data they are.
CREATE TABLE data_request (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint REFERENCES customer,
	kind text NOT NULL CHECK (kind IN ('access', 'correction', 'erasure',
	    'portability', 'withdrawal')),
	received timestamptz NOT NULL DEFAULT now(),
	due timestamptz NOT NULL DEFAULT now() + interval '30 days',
	subject text NOT NULL DEFAULT '' CHECK (octet_length(subject) <= 500),
	text text NOT NULL DEFAULT '' CHECK (octet_length(text) <= 4000),
	proof text NOT NULL DEFAULT '' CHECK (octet_length(proof) <= 500),
	actor text NOT NULL,
	answered timestamptz,
	outcome text CHECK (outcome IN ('done', 'refused')),
	answer text NOT NULL DEFAULT '' CHECK (octet_length(answer) <= 4000),
	CHECK ((answered IS NULL) = (outcome IS NULL))
);
CREATE INDEX data_request_customer ON data_request (customer_id, id);
CREATE INDEX data_request_due ON data_request (due) WHERE answered IS NULL;
COMMENT ON TABLE data_request IS 'Requests for access, correction, erasure, portability or withdrawal. Operator: controller (legal duty).';
COMMENT ON COLUMN data_request.id IS 'Number of the request. Operator: controller.';
COMMENT ON COLUMN data_request.customer_id IS 'Whose data; NULL: nobody who is known here. Operator: controller.';
COMMENT ON COLUMN data_request.kind IS 'What is asked for. Operator: controller.';
COMMENT ON COLUMN data_request.received IS 'When it came. Operator: controller.';
COMMENT ON COLUMN data_request.due IS 'Until when it is to be answered. Operator: controller.';
COMMENT ON COLUMN data_request.subject IS 'Who asks, if not the customer. Operator: processor for the customer''s users.';
COMMENT ON COLUMN data_request.text IS 'In the words of who asks. Operator: controller.';
COMMENT ON COLUMN data_request.proof IS 'How it was made sure who asks. Operator: controller.';
COMMENT ON COLUMN data_request.actor IS 'Who wrote it down; a key of the account''s, when it came by the API. Operator: controller.';
COMMENT ON COLUMN data_request.answered IS 'When it was answered; NULL: it is open. Operator: controller.';
COMMENT ON COLUMN data_request.outcome IS 'done or refused. Operator: controller.';
COMMENT ON COLUMN data_request.answer IS 'The answer. Operator: controller.';

CREATE FUNCTION request_add(p_customer bigint, p_kind text,
    p_received timestamptz, p_due timestamptz, p_subject text, p_text text,
    p_proof text) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	number bigint;
BEGIN
	INSERT INTO data_request (customer_id, kind, received, due, subject,
	    text, proof, actor) VALUES (p_customer, p_kind,
	    coalesce(p_received, now()), coalesce(p_due,
	    coalesce(p_received, now()) + interval '30 days'),
	    coalesce(p_subject, ''), coalesce(p_text, ''),
	    coalesce(p_proof, ''), my_actor()) RETURNING id INTO number;
	PERFORM audit_note('request.add', 'data_request:' || number,
	    jsonb_build_object('kind', p_kind, 'customer_id', p_customer));
	RETURN number;
END
$$;
COMMENT ON FUNCTION request_add(bigint, text, timestamptz, timestamptz, text, text, text) IS 'Registers a request.';

-- P0002: there is no such request; YY032: it was answered.
CREATE FUNCTION request_answer(p_id bigint, p_text text, p_refused boolean,
    p_proof text) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k data_request;
BEGIN
	SELECT * INTO k FROM data_request q WHERE q.id = p_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no request %', p_id
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF k.answered IS NOT NULL THEN
		RAISE EXCEPTION 'request % was answered', p_id
		    USING ERRCODE = 'YY032';
	END IF;
	UPDATE data_request q SET answered = now(), answer = p_text,
	    outcome = CASE WHEN p_refused THEN 'refused' ELSE 'done' END,
	    proof = coalesce(p_proof, q.proof) WHERE q.id = p_id;
	PERFORM audit_note('request.answer', 'data_request:' || p_id,
	    jsonb_build_object('refused', p_refused));
	IF k.customer_id IS NOT NULL THEN
		PERFORM notice_add(k.customer_id, 'request_answered',
		    jsonb_build_object('request', p_id, 'type', k.kind));
	END IF;
END
$$;
COMMENT ON FUNCTION request_answer(bigint, text, boolean, text) IS 'Answers a request and tells the customer that it is answered.';

-- YY033: there are ten open ones.
CREATE FUNCTION my_request_add(p_kind text, p_text text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	IF my_customer() IS NULL THEN
		RAISE EXCEPTION 'nobody asks'
		    USING ERRCODE = 'insufficient_privilege';
	END IF;
	PERFORM 1 FROM customer c WHERE c.id = my_customer()
	    FOR NO KEY UPDATE;
	IF (SELECT count(*) FROM data_request q WHERE q.answered IS NULL
	    AND q.customer_id = my_customer()) >= 10 THEN
		RAISE EXCEPTION 'there are ten open requests'
		    USING ERRCODE = 'YY033';
	END IF;
	RETURN request_add(my_customer(), p_kind, NULL, NULL, NULL, p_text,
	    'a key of scope account');
END
$$;
COMMENT ON FUNCTION my_request_add(text, text) IS 'A request of the customer''s own.';

-- What verify found, so that the report can say when it ran last.
CREATE TABLE verify_run (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL,
	calls bigint NOT NULL,
	breaches bigint NOT NULL
);
COMMENT ON TABLE verify_run IS 'Each complete run of youyunctl verify. Append-only. Operator: controller (accountability), no personal data but actor.';
COMMENT ON COLUMN verify_run.id IS 'Number of the run. Operator: controller.';
COMMENT ON COLUMN verify_run.at IS 'When. Operator: controller.';
COMMENT ON COLUMN verify_run.actor IS 'By whom. Operator: controller.';
COMMENT ON COLUMN verify_run.calls IS 'How many calls it read. Operator: controller.';
COMMENT ON COLUMN verify_run.breaches IS 'How much it found to be wrong. Operator: controller.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON verify_run
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION verify_note(p_calls bigint, p_breaches bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	INSERT INTO verify_run (actor, calls, breaches)
	    VALUES (my_actor(), p_calls, p_breaches)
$$;
COMMENT ON FUNCTION verify_note(bigint, bigint) IS 'Notes a run of verify.';

-- The end of an account.  First a time of grace, in which it can be taken
-- back; then closing_step() pays out what is left and erases what is personal,
-- a piece at a time: the flusher calls it, or youyunctl.
--
-- Addresses and user agents in the records are blanked by plain UPDATEs in
-- batches.  A key for each customer that is thrown away instead would have to
-- be found for every record that is written or shown, for what is done once in
-- an account's life; and nothing that verify recomputes is in those columns.
CREATE TABLE closing (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL REFERENCES customer,
	state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
	asked timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL,
	reason text NOT NULL DEFAULT '',
	due timestamptz NOT NULL,
	former_status smallint NOT NULL,
	ended timestamptz,
	taking_id bigint REFERENCES taking,
	transaction_id bigint REFERENCES ledger_transaction,
	paid_nano bigint NOT NULL DEFAULT 0 CHECK (paid_nano >= 0),
	lapsed_nano bigint NOT NULL DEFAULT 0 CHECK (lapsed_nano >= 0),
	calls_at timestamptz NOT NULL DEFAULT '-infinity',
	calls bigint NOT NULL DEFAULT 0,
	swept timestamptz,
	certificate json
);
CREATE UNIQUE INDEX closing_customer ON closing (customer_id)
    WHERE state <> 1;
CREATE INDEX closing_open ON closing (due) WHERE state IN (0, 2);
CREATE INDEX closing_swept ON closing (swept) WHERE state = 3;
COMMENT ON TABLE closing IS 'The closing of an account and the erasure of its data. Operator: controller (contract, accountability).';
COMMENT ON COLUMN closing.id IS 'Number of the closing, and of its certificate. Operator: controller.';
COMMENT ON COLUMN closing.customer_id IS 'Whose account. Operator: controller.';
COMMENT ON COLUMN closing.state IS '0 time of grace, 1 taken back, 2 being erased, 3 erased. Operator: controller.';
COMMENT ON COLUMN closing.asked IS 'When it was asked for. Operator: controller.';
COMMENT ON COLUMN closing.actor IS 'By whom. Operator: controller.';
COMMENT ON COLUMN closing.reason IS 'Why, in the actor''s words; erased with the rest. Operator: controller.';
COMMENT ON COLUMN closing.due IS 'When the time of grace ends. Operator: controller.';
COMMENT ON COLUMN closing.former_status IS 'What the customer''s status was. Operator: controller.';
COMMENT ON COLUMN closing.ended IS 'When it was taken back or all was erased. Operator: controller.';
COMMENT ON COLUMN closing.taking_id IS 'What asks the flusher for the remainder. Operator: controller.';
COMMENT ON COLUMN closing.transaction_id IS 'The booking of kind payout; NULL: nothing was left, or it is to come. Operator: controller.';
COMMENT ON COLUMN closing.paid_nano IS 'What is to be paid back to the customer. Operator: controller.';
COMMENT ON COLUMN closing.lapsed_nano IS 'Promotional and expired credit that lapsed. Operator: controller.';
COMMENT ON COLUMN closing.calls_at IS 'Records up to that time are blank. Operator: controller, no personal data.';
COMMENT ON COLUMN closing.calls IS 'How many records were blanked. Operator: controller.';
COMMENT ON COLUMN closing.swept IS 'When records that came after the erasure were blanked last. Operator: controller, no personal data.';
COMMENT ON COLUMN closing.certificate IS 'What was erased and what was kept. Operator: controller (accountability).';
CREATE INDEX audit_object ON audit (object);

-- YY034: it is closing or closed already.
CREATE FUNCTION closing_begin(p_customer bigint, p_days bigint,
    OUT id bigint, OUT due timestamptz) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	c customer;
BEGIN
	SELECT * INTO c FROM customer x WHERE x.id = p_customer FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no customer %', p_customer
		    USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO closing AS k (customer_id, actor, reason, due,
	    former_status) VALUES (p_customer, my_actor(),
	    coalesce(current_setting('youyun.reason', true), ''),
	    now() + p_days * interval '24 hours', c.status)
	    ON CONFLICT (customer_id) WHERE state <> 1 DO NOTHING
	    RETURNING k.id, k.due INTO id, due;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'customer % is closing or closed already',
		    p_customer USING ERRCODE = 'YY034';
	END IF;
	-- Keys for calls go; one of the account sees to the closing, and as
	-- the customer is closed no call is accepted by it.
	UPDATE api_key k SET status = 1, revoked = now()
	    WHERE k.customer_id = p_customer AND k.status <> 1 AND k.scope = 0;
	UPDATE customer x SET status = 3 WHERE x.id = p_customer;
	PERFORM notice_add(p_customer, 'account_closing',
	    jsonb_build_object('due', iso_time(due)));
	PERFORM audit_note('closing.begin', 'customer:' || p_customer,
	    jsonb_build_object('closing', id, 'due', iso_time(due)));
END
$$;
COMMENT ON FUNCTION closing_begin(bigint, bigint) IS 'Closes an account, with days of grace.';

-- YY035: there is no closing that could be taken back.
CREATE FUNCTION closing_cancel(p_customer bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	former smallint;
BEGIN
	UPDATE closing k SET state = 1, ended = now(), reason = ''
	    WHERE k.customer_id = p_customer AND k.state = 0
	    RETURNING k.former_status INTO former;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the account is not in its time of grace'
		    USING ERRCODE = 'YY035';
	END IF;
	UPDATE customer c SET status = former WHERE c.id = p_customer;
	PERFORM notice_add(p_customer, 'account_kept', '{}');
	PERFORM audit_note('closing.cancel', 'customer:' || p_customer, '{}');
END
$$;
COMMENT ON FUNCTION closing_cancel(bigint) IS 'Takes a closing back within its time of grace; revoked keys stay revoked.';

-- Ends the time of grace, or closes without one.
CREATE FUNCTION closing_hasten(p_customer bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	IF is_held(p_customer) THEN
		RAISE EXCEPTION 'the customer is on legal hold'
		    USING ERRCODE = 'YY026';
	END IF;
	UPDATE closing k SET due = least(k.due, now())
	    WHERE k.customer_id = p_customer AND k.state <> 1;
	IF NOT FOUND THEN
		PERFORM closing_begin(p_customer, 0);
	END IF;
	PERFORM audit_note('closing.hasten', 'customer:' || p_customer, '{}');
END
$$;
COMMENT ON FUNCTION closing_hasten(bigint) IS 'Has the account erased now.';

-- The customer's own.  False: what is to be typed is not the account's name.
CREATE FUNCTION my_closing_begin(p_name text, p_days bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	PERFORM 1 FROM customer c WHERE c.id = my_customer()
	    AND c.name = p_name;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM closing_begin(my_customer(), p_days);
	RETURN true;
END
$$;
COMMENT ON FUNCTION my_closing_begin(text, bigint) IS 'Closes the customer''s own account.';
CREATE FUNCTION my_closing_cancel() RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT closing_cancel(my_customer())
$$;
COMMENT ON FUNCTION my_closing_cancel() IS 'Takes the closing of the customer''s own account back.';
CREATE VIEW my_closing WITH (security_barrier) AS
	SELECT k.id, k.state, k.asked, k.due, k.ended FROM closing k
	WHERE k.customer_id = my_customer();
COMMENT ON VIEW my_closing IS 'The closing of the customer''s own account.';

-- Who is in the time of grace may still see the account, as who is suspended
-- may, and take the closing back.
CREATE OR REPLACE FUNCTION portal_key(p_digest bytea, OUT key_id bigint,
    OUT customer_id bigint, OUT scope bigint, OUT key_status bigint,
    OUT expires_at timestamptz, OUT customer_status bigint)
    RETURNS SETOF record LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT k.id, k.customer_id, k.scope::bigint, k.status::bigint,
	    k.expires_at, CASE WHEN c.status = 3 AND EXISTS (SELECT 1
	    FROM closing x WHERE x.customer_id = c.id AND x.state = 0)
	    THEN 2 ELSE c.status END::bigint
	FROM api_key k JOIN customer c ON c.id = k.customer_id
	WHERE k.digest = p_digest;
$$;

-- What is left goes back to the customer, as far as it was paid for.  The
-- flusher takes it out of the segment first, like an adjustment.
ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_kind_check;
ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_kind_check
    CHECK (kind IN ('credit', 'calls', 'refund', 'adjustment', 'expiry',
    'payout'));
COMMENT ON COLUMN ledger_transaction.kind IS 'credit: money for a customer. calls: the fees of one batch of a customer''s calls, which name this row. refund: a call''s fee given back (table refund). adjustment: a correction either way. expiry: what was not spent in time. payout: what was left when the account was closed. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.reason IS 'Why, in the actor''s words; empty when the account''s data were erased. Operator: controller.';
ALTER TABLE taking ADD COLUMN kind text NOT NULL DEFAULT 'adjustment'
    CHECK (kind IN ('adjustment', 'payout'));
COMMENT ON COLUMN taking.kind IS 'What it is booked as: adjustment or payout. Operator: controller.';
COMMENT ON TABLE taking IS 'Asks the flusher to take money out of the segment and to book what it is for. Operator: controller (bookkeeping duty).';

-- All that is in the pots: paid money goes out, the rest lapses.
CREATE FUNCTION payout_book(k taking, p_transaction bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = youyun, pg_temp AS $$
DECLARE
	paid bigint;
BEGIN
	SELECT coalesce(sum(p.left_nano), 0)::bigint INTO paid FROM pot p
	    WHERE p.customer_id = k.customer_id AND p.paid
	    AND p.expires_at > now();
	INSERT INTO posting (transaction_id, account_id, amount_nano)
	    SELECT p_transaction, p.account_id, -p.left_nano FROM pot p
	    WHERE p.customer_id = k.customer_id AND p.left_nano > 0
	    UNION ALL SELECT p_transaction, a.id, n.amount
	    FROM (VALUES ('external', paid), ('expired', k.amount_nano - paid))
	    AS n(kind, amount) JOIN ledger_account a ON a.kind = n.kind
	    WHERE n.amount > 0;
	UPDATE closing c SET transaction_id = p_transaction,
	    paid_nano = paid, lapsed_nano = k.amount_nano - paid
	    WHERE c.taking_id = k.id;
END
$$;
COMMENT ON FUNCTION payout_book(taking, bigint) IS 'The postings of a payout.';

CREATE OR REPLACE FUNCTION taking_book(p_node smallint, p_id bigint)
    RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k taking;
	b record;
	spare bigint;
BEGIN
	SELECT * INTO k FROM taking t WHERE t.id = p_id FOR UPDATE;
	IF NOT FOUND OR k.state <> 0 THEN
		RETURN false;
	END IF;
	IF k.until < now() THEN
		UPDATE taking t SET state = 3 WHERE t.id = p_id;
		RETURN false;
	END IF;
	PERFORM ledger_lock(ARRAY[k.customer_id]);
	-- Its postings are out of pots: those must have it, too.
	spare := customer_balance(k.customer_id);
	IF spare < k.amount_nano
	    OR (k.kind = 'payout' AND spare <> k.amount_nano) THEN
		PERFORM taking_refuse(p_id, spare);
		RETURN false;
	END IF;
	BEGIN
		SELECT * INTO b FROM booking_begin(k.kind,
		    k.idempotency_key, k.customer_id, (-k.amount_nano)::text,
		    k.actor, k.reason, true);
	EXCEPTION WHEN SQLSTATE 'YY001' THEN
		UPDATE taking t SET state = 3 WHERE t.id = p_id;
		RETURN false;
	END;
	UPDATE taking t SET state = 1, transaction_id = b.transaction_id
	    WHERE t.id = p_id;
	IF NOT b.fresh THEN
		RETURN false;
	END IF;
	IF k.kind = 'payout' THEN
		PERFORM payout_book(k, b.transaction_id);
	ELSE
		PERFORM take_back(b.transaction_id, k.customer_id,
		    k.amount_nano, NULL);
		INSERT INTO posting (transaction_id, account_id, amount_nano)
		    SELECT b.transaction_id, a.id, k.amount_nano
		    FROM ledger_account a WHERE a.kind = 'adjustment';
	END IF;
	PERFORM money_comes_home(p_node, k.customer_id, k.amount_nano);
	PERFORM money_moves(k.customer_id, -k.amount_nano);
	PERFORM booking_audit(k.actor, k.kind, k.customer_id, k.reason,
	    -k.amount_nano, b.transaction_id, '{}');
	RETURN true;
END
$$;

-- Append-only still, but what is personal can be blanked, by youyun_owner's
-- functions alone: nobody else may update these tables at all.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS $$
DECLARE
	blank jsonb;
BEGIN
	IF TG_OP = 'UPDATE' THEN
		blank := CASE WHEN TG_TABLE_NAME ~ '^call(_other|_[0-9]{8})?$'
		    THEN '{"address": null, "agent": ""}'
		    WHEN TG_TABLE_NAME = 'audit'
		    THEN '{"reason": "", "change": {"erased": true}}'
		    WHEN TG_TABLE_NAME = 'security_event'
		    THEN '{"address": null, "detail": {}}'
		    WHEN TG_TABLE_NAME = 'ledger_transaction'
		    THEN '{"reason": ""}'
		    WHEN TG_TABLE_NAME = 'payment'
		    THEN '{"method": "erased"}' END;
		IF blank IS NOT NULL AND OLD IS DISTINCT FROM NEW
		    AND to_jsonb(NEW) = to_jsonb(OLD) || blank THEN
			RETURN NEW;
		END IF;
	END IF;
	-- By retention_step() alone: nobody else may delete there.
	IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'call_other'
	    AND current_setting('youyun.retention', true) = 'on' THEN
		RETURN OLD;
	END IF;
	-- Foreign keys keep those that somebody has.
	IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'policy' THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
	    USING ERRCODE = 'restrict_violation',
	    HINT = 'Correct it by a new row.';
END
$$;
COMMENT ON FUNCTION refuse_change() IS 'Trigger: refuses UPDATE, DELETE and TRUNCATE, but for blanking what is personal when an account is erased.';

-- True when nothing is left to pay out.
CREATE FUNCTION closing_pays(k closing) RETURNS boolean LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	balance bigint := customer_balance(k.customer_id);
	t taking;
	number bigint;
BEGIN
	IF balance = 0 THEN
		RETURN true;
	END IF;
	SELECT * INTO t FROM taking x WHERE x.id = k.taking_id;
	IF FOUND AND t.state = 0 AND t.until > now() THEN
		RETURN false;
	END IF;
	IF t.id IS NOT NULL AND t.state = 2 THEN
		-- Calls were still open.
		UPDATE taking x SET state = 0, amount_nano = balance,
		    until = now() + interval '1 minute', available_nano = NULL
		    WHERE x.id = t.id;
		number := t.id;
	ELSE
		INSERT INTO taking AS x (kind, customer_id, amount_nano,
		    idempotency_key, actor, reason) VALUES ('payout',
		    k.customer_id, balance, format('closing:%s:%s', k.id,
		    coalesce(k.taking_id, 0)), my_actor(),
		    'the account is closed') RETURNING x.id INTO number;
		UPDATE closing c SET taking_id = number WHERE c.id = k.id;
	END IF;
	PERFORM pg_notify('youyun', 'taking:' || number);
	RETURN false;
END
$$;
COMMENT ON FUNCTION closing_pays(closing) IS 'Asks for the remainder of a closed account.';

-- True when there may be more: a batch of records at a time, along the index
-- by customer and time, so day by day.
CREATE FUNCTION closing_blanks(k closing) RETURNS boolean LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	upto timestamptz;
	n bigint;
BEGIN
	SELECT max(b.started_at) INTO upto FROM (SELECT c.started_at
	    FROM call c WHERE c.customer_id = k.customer_id
	    AND c.started_at > k.calls_at ORDER BY c.started_at
	    LIMIT 500) b;
	IF upto IS NULL THEN
		RETURN false;
	END IF;
	UPDATE call c SET address = NULL, agent = ''
	    WHERE c.customer_id = k.customer_id AND c.started_at > k.calls_at
	    AND c.started_at <= upto
	    AND (c.address IS NOT NULL OR c.agent <> '');
	GET DIAGNOSTICS n = ROW_COUNT;
	UPDATE closing x SET calls_at = upto, calls = x.calls + n
	    WHERE x.id = k.id;
	RETURN true;
END
$$;
COMMENT ON FUNCTION closing_blanks(closing) IS 'Blanks addresses and user agents in a batch of a customer''s records.';

CREATE FUNCTION closing_erases(k closing) RETURNS jsonb LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	c CONSTANT bigint := k.customer_id;
	keys CONSTANT text[] := ARRAY(SELECT 'api_key:' || x.id
	    FROM api_key x WHERE x.customer_id = c);
	logins CONSTANT text[] := ARRAY(SELECT 'login:' || l.id
	    FROM login l WHERE l.customer_id = c);
	policies CONSTANT integer[] := ARRAY(SELECT x.policy_id
	    FROM api_key x WHERE x.customer_id = c UNION SELECT x.policy_id
	    FROM customer x WHERE x.id = c);
	done jsonb := '[]';
	n bigint;
BEGIN
	UPDATE customer x SET name = 'erased-' || c || CASE WHEN EXISTS
	    (SELECT 1 FROM customer y WHERE y.name = 'erased-' || c)
	    THEN '-' || left(gen_random_uuid()::text, 8) ELSE '' END,
	    contact = '', note = '', language = 'en', policy_id = NULL,
	    low_balance_nano = 0 WHERE x.id = c;
	DELETE FROM low_balance b WHERE b.customer_id = c;
	done := done || jsonb_build_object('what',
	    'name (a pseudonym now), contact, note, language, policy of the account',
	    'rows', 1);
	UPDATE api_key x SET name = '', hint = 'erased', policy_id = NULL
	    WHERE x.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'names, hints and policies of keys', 'rows', n);
	DELETE FROM key_use u USING api_key x WHERE x.id = u.key_id
	    AND x.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'when keys were used last', 'rows', n);
	n := risk_forget(c);
	done := done || jsonb_build_object('what',
	    'from where and by which programs keys were used', 'rows', n);
	DELETE FROM session s USING login l WHERE s.login_id = l.id
	    AND l.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what', 'sessions', 'rows', n);
	DELETE FROM login_code x USING login l WHERE l.customer_id = c
	    AND (x.login_id = l.id OR x.name = l.name);
	DELETE FROM recovery_code r USING login l WHERE r.login_id = l.id
	    AND l.customer_id = c;
	DELETE FROM login l WHERE l.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'login, its password and second factor', 'rows', n);
	DELETE FROM ticket_file f USING ticket_message m, ticket t
	    WHERE f.message_id = m.id AND m.ticket_id = t.id
	    AND t.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what', 'files of tickets',
	    'rows', n);
	UPDATE ticket_message m SET text = 'erased' FROM ticket t
	    WHERE m.ticket_id = t.id AND t.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what', 'messages of tickets',
	    'rows', n);
	UPDATE ticket t SET subject = 'erased', state = 2
	    WHERE t.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what', 'subjects of tickets',
	    'rows', n);
	UPDATE notice x SET detail = '{}', mail_state = CASE x.mail_state
	    WHEN 1 THEN 3 ELSE x.mail_state END WHERE x.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'what notices and mail said', 'rows', n);
	UPDATE data_request q SET subject = '', text = '', proof = '',
	    answer = '' WHERE q.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'words of requests about data', 'rows', n);
	DELETE FROM topup_guess g WHERE g.customer_id = c;
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what', 'wrong top-up codes',
	    'rows', n);
	UPDATE payment p SET method = 'erased' WHERE p.customer_id = c
	    AND p.method <> 'erased';
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what', 'how payments came',
	    'rows', n);
	UPDATE security_event e SET address = NULL, detail = '{}'
	    WHERE e.customer_id = c
	    AND (e.address IS NOT NULL OR e.detail <> '{}');
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'addresses and details of security events', 'rows', n);
	UPDATE ledger_transaction t SET reason = '' WHERE t.customer_id = c
	    AND t.reason <> '';
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what', 'reasons of bookings',
	    'rows', n);
	UPDATE taking t SET reason = '' WHERE t.customer_id = c;
	-- Networks of a policy that was nobody else's.
	DELETE FROM policy p WHERE p.id = ANY (policies) AND NOT EXISTS
	    (SELECT 1 FROM api_key x WHERE x.policy_id = p.id)
	    AND NOT EXISTS (SELECT 1 FROM customer x
	    WHERE x.policy_id = p.id);
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'models, networks and regions that only this account had',
	    'rows', n);
	-- What the statements above had written down, too.
	UPDATE audit a SET reason = '', change = '{"erased": true}'
	    WHERE a.object = ANY (keys || logins || ('customer:' || c)
	    || ARRAY(SELECT 'ticket:' || t.id FROM ticket t
	    WHERE t.customer_id = c) || ARRAY(SELECT 'data_request:' || q.id
	    FROM data_request q WHERE q.customer_id = c))
	    AND (a.reason <> '' OR a.change <> '{"erased": true}');
	GET DIAGNOSTICS n = ROW_COUNT;
	done := done || jsonb_build_object('what',
	    'reasons and values in the audit trail', 'rows', n);
	RETURN done || jsonb_build_object('what',
	    'addresses and user agents in records of calls', 'rows', k.calls);
END
$$;
COMMENT ON FUNCTION closing_erases(closing) IS 'Erases what is personal of a closed account; what was done.';

CREATE FUNCTION closing_certifies(k closing) RETURNS void LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	erased CONSTANT jsonb := closing_erases(k);
	c customer;
	began CONSTANT text := iso_time(k.asked);
BEGIN
	SELECT * INTO c FROM customer x WHERE x.id = k.customer_id;
	UPDATE closing x SET state = 3, ended = now(), reason = '',
	    swept = now(),
	    certificate = json_build_object('certificate', k.id,
	    'customer', k.customer_id, 'pseudonym', c.name,
	    'asked', began, 'asked_by', k.actor, 'due', iso_time(k.due),
	    'erased', iso_time(now()), 'erased_by', my_actor(),
	    'payout', CASE WHEN k.transaction_id IS NULL THEN NULL
	    ELSE json_build_object('booking', k.transaction_id,
	    'paid', amount_text(k.paid_nano),
	    'lapsed', amount_text(k.lapsed_nano)) END,
	    'done', erased, 'kept', json_build_array(
	    json_build_object('what', 'bookings, receipts, refunds and the references of payments, under the pseudonym',
	    'why', 'the duty to keep books'),
	    json_build_object('what', 'records of calls without address and user agent',
	    'why', 'bookings can be recomputed from them'),
	    json_build_object('what', 'digests of revoked keys and of redeemed codes',
	    'why', 'none can be used again'),
	    json_build_object('what', 'times, kinds and outcomes of tickets, notices, requests and audit entries',
	    'why', 'accountability'),
	    json_build_object('what', 'backups and archived logs of the database made before',
	    'why', 'they go when the operator''s time for them is over')))
	    WHERE x.id = k.id;
	PERFORM audit_note('closing.erased', 'closing:' || k.id, '{}');
END
$$;
COMMENT ON FUNCTION closing_certifies(closing) IS 'Erases the rest of a closed account and writes the certificate.';

-- A piece of work.  grace: its time hasn't come; money: what is left has to be
-- booked first; more: there is more to do; done; busy: somebody else is at it;
-- none: the account isn't closing.
CREATE FUNCTION closing_step(p_customer bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k closing;
BEGIN
	SELECT * INTO k FROM closing c WHERE c.customer_id = p_customer
	    AND c.state <> 1 FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN CASE WHEN EXISTS (SELECT 1 FROM closing c
		    WHERE c.customer_id = p_customer AND c.state <> 1)
		    THEN 'busy' ELSE 'none' END;
	END IF;
	IF k.state = 3 THEN
		RETURN 'done';
	END IF;
	IF k.due > now() THEN
		RETURN 'grace';
	END IF;
	IF is_held(p_customer) THEN
		RAISE EXCEPTION 'the customer is on legal hold'
		    USING ERRCODE = 'YY026';
	END IF;
	IF k.state = 0 THEN
		UPDATE closing c SET state = 2 WHERE c.id = k.id;
		UPDATE api_key x SET status = 1, revoked = now()
		    WHERE x.customer_id = p_customer AND x.status <> 1;
		RETURN 'more';
	END IF;
	IF NOT closing_pays(k) THEN
		RETURN 'money';
	END IF;
	IF closing_blanks(k) THEN
		RETURN 'more';
	END IF;
	PERFORM closing_certifies(k);
	RETURN 'done';
END
$$;
COMMENT ON FUNCTION closing_step(bigint) IS 'Does a piece of what the end of an account takes.';

-- Who still calls with a key that was revoked is recorded as its owner, and a
-- node that was away brings records late: once a day they are blanked, too.
CREATE FUNCTION closing_sweep() RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k closing;
	n bigint;
BEGIN
	SELECT * INTO k FROM closing c WHERE c.state = 3
	    AND c.swept < now() - interval '1 day' ORDER BY c.swept LIMIT 1
	    FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	UPDATE call c SET address = NULL, agent = ''
	    WHERE c.customer_id = k.customer_id
	    AND c.started_at > k.asked - interval '7 days'
	    AND (c.address IS NOT NULL OR c.agent <> '');
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM risk_forget(k.customer_id);
	UPDATE closing c SET swept = now(), calls = c.calls + n
	    WHERE c.id = k.id;
END
$$;
COMMENT ON FUNCTION closing_sweep() IS 'Blanks what came after an account was erased.';

-- One node's flusher does it for all.
CREATE FUNCTION closing_next(p_node bigint) RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	c bigint;
	did text := 'none';
	now_did text;
BEGIN
	IF p_node IS DISTINCT FROM (SELECT min(s.node_id) FROM node_state s
	    WHERE node_is_up(s)) THEN
		RETURN did;
	END IF;
	FOR c IN SELECT k.customer_id FROM closing k WHERE k.state IN (0, 2)
	    AND k.due <= now() AND NOT is_held(k.customer_id) ORDER BY k.due, k.id LIMIT 100 LOOP
		now_did := closing_step(c);
		did := CASE WHEN did = 'more' OR now_did = 'more' THEN 'more'
		    ELSE now_did END;
		-- One batch of records a transaction.
		EXIT WHEN now_did IN ('more', 'done');
	END LOOP;
	IF did = 'none' THEN
		PERFORM closing_sweep();
	END IF;
	RETURN did;
END
$$;
COMMENT ON FUNCTION closing_next(bigint) IS 'Goes on with the accounts whose time of grace is over.';

-- The copy of a customer's data: a view a file (src/export/tables.c), k being
-- what it is read on from, piece by piece.
CREATE VIEW my_export_account WITH (security_barrier) AS
	SELECT c.id AS k, c.id, c.name, (ARRAY['active', 'limited',
	    'suspended', 'closed'])[c.status + 1] AS status,
	    g.name AS "group", c.contact, c.language,
	    iso_time(c.created) AS created,
	    amount_text(coalesce(m.granted_nano - m.spent_nano, 0)) AS balance,
	    coalesce(array_to_string(p.models, ' '), '') AS models,
	    coalesce(array_to_string(p.addresses, ' '), '') AS addresses,
	    coalesce(array_to_string(p.regions, ' '), '') AS regions
	FROM customer c JOIN customer_group g ON g.id = c.group_id
	LEFT JOIN customer_money m ON m.customer_id = c.id
	LEFT JOIN policy p ON p.id = c.policy_id WHERE c.id = my_customer();
COMMENT ON VIEW my_export_account IS 'The account, as it is exported.';
CREATE VIEW my_export_keys WITH (security_barrier) AS
	SELECT x.id AS k, x.id, x.name, x.hint, CASE x.status WHEN 0
	    THEN 'active' WHEN 1 THEN 'revoked' ELSE 'suspended' END AS status,
	    CASE x.scope WHEN 0 THEN 'calls' ELSE 'account' END AS scope,
	    iso_time(x.created) AS created,
	    iso_time(x.expires_at) AS expires_at,
	    iso_time(x.revoked) AS revoked,
	    coalesce(array_to_string(p.models, ' '), '') AS models,
	    coalesce(array_to_string(p.addresses, ' '), '') AS addresses,
	    coalesce(array_to_string(p.regions, ' '), '') AS regions,
	    iso_time((SELECT u.last_used FROM key_use u
	    WHERE u.key_id = x.id)) AS last_used
	FROM api_key x LEFT JOIN policy p ON p.id = x.policy_id
	WHERE x.customer_id = my_customer();
COMMENT ON VIEW my_export_keys IS 'Keys without digests, as they are exported.';
CREATE VIEW my_export_calls WITH (security_barrier) AS
	SELECT c.started_at AS k, c.request_id AS k2,
	    'req_' || replace(c.request_id::text, '-', '') AS request_id,
	    iso_time(c.started_at) AS time, c.route, (SELECT m.name
	    FROM model m WHERE m.id = c.model_id) AS model, c.key_id,
	    c.status, c.error, c.input_tokens, c.output_tokens,
	    c.cache_read_tokens, c.cache_write_5m_tokens,
	    c.cache_write_1h_tokens, c.reasoning_tokens,
	    c.input_audio_tokens, c.output_audio_tokens,
	    c.input_image_tokens, c.output_image_tokens,
	    c.cache_read_audio_tokens, c.images, c.calls, c.milliseconds,
	    c.characters, c.tool_calls, amount_text(c.fee_nano) AS fee, c.multiplier_ppm,
	    c.price_version, c.ledger_transaction_id AS booking,
	    c.request_bytes, c.answer_bytes, c.total_ms,
	    (SELECT h.region FROM channel h WHERE h.id = c.channel_id)
	    AS region, host(c.address) AS address, c.agent AS user_agent
	FROM call c WHERE c.customer_id = my_customer();
COMMENT ON VIEW my_export_calls IS 'Records of calls, as they are exported.';
CREATE VIEW my_export_usage WITH (security_barrier) AS
	SELECT u.k, u.day::text AS day, (SELECT m.name FROM model m
	    WHERE m.id = u.model_id) AS model, u.calls, u.failed,
	    u.input_tokens, u.output_tokens, amount_text(u.fee_nano) AS fee
	FROM (SELECT (d.day - date '2000-01-01')::bigint * 4294967296
	    + d.model_id AS k, d.day, d.model_id, sum(d.calls)::bigint AS calls,
	    sum(d.failed)::bigint AS failed,
	    sum(d.input_tokens)::bigint AS input_tokens,
	    sum(d.output_tokens)::bigint AS output_tokens,
	    sum(d.fee_nano)::bigint AS fee_nano FROM usage_day d
	    WHERE d.customer_id = my_customer() GROUP BY d.day, d.model_id) u;
COMMENT ON VIEW my_export_usage IS 'Use by day and model, as it is exported.';
CREATE VIEW my_export_ledger WITH (security_barrier) AS
	SELECT t.id AS k, t.id AS booking, t.kind, iso_time(t.at) AS at,
	    t.calls, amount_text((SELECT sum(p.amount_nano)::bigint
	    FROM posting p JOIN ledger_account a ON a.id = p.account_id
	    WHERE p.transaction_id = t.id AND a.customer_id = t.customer_id))
	    AS amount, t.reason
	FROM ledger_transaction t WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_export_ledger IS 'Bookings, as they are exported.';
CREATE VIEW my_export_bills WITH (security_barrier) AS
	SELECT b.k, left(b.k::text, 4) || '-' || right(b.k::text, 2) AS month,
	    amount_text(b.credited_nano) AS credited,
	    amount_text(b.calls_nano) AS calls,
	    amount_text(b.change_nano) AS change
	FROM (SELECT to_char(m.month, 'YYYYMM')::bigint AS k, m.credited_nano,
	    m.calls_nano, m.change_nano
	    FROM bill_month m WHERE m.customer_id = my_customer()) b;
COMMENT ON VIEW my_export_bills IS 'Bills by month, as they are exported.';
CREATE VIEW my_export_payments WITH (security_barrier) AS
	SELECT p.transaction_id AS k, p.id, amount_text(p.amount_nano)
	    AS amount, p.currency, p.method, p.transaction_id AS booking,
	    iso_time(p.received) AS received
	FROM payment p WHERE p.customer_id = my_customer();
COMMENT ON VIEW my_export_payments IS 'Payments, as they are exported.';
CREATE VIEW my_export_codes WITH (security_barrier) AS
	SELECT c.id AS k, c.hint AS code, b.name AS batch,
	    iso_time(c.used_at) AS redeemed, c.transaction_id AS booking
	FROM topup_code c JOIN code_batch b ON b.id = c.batch_id
	WHERE c.customer_id = my_customer();
COMMENT ON VIEW my_export_codes IS 'Top-up codes that were redeemed, as they are exported.';
CREATE VIEW my_export_tickets WITH (security_barrier) AS
	SELECT t.id AS k, t.id, t.subject, (ARRAY['open', 'answered',
	    'closed'])[t.state + 1] AS state, iso_time(t.created) AS created,
	    iso_time(t.changed) AS changed, 'req_'
	    || replace(t.call_request_id::text, '-', '') AS request_id
	FROM ticket t WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_export_tickets IS 'Tickets, as they are exported.';
CREATE VIEW my_export_messages WITH (security_barrier) AS
	SELECT m.id AS k, m.id, m.ticket_id AS ticket, CASE m.author WHEN 0
	    THEN 'customer' ELSE 'operator' END AS author,
	    iso_time(m.at) AS at, m.text
	FROM ticket t JOIN ticket_message m ON m.ticket_id = t.id
	WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_export_messages IS 'Messages of tickets, as they are exported.';
CREATE VIEW my_export_files WITH (security_barrier) AS
	SELECT f.id AS k, f.id, m.ticket_id AS ticket, f.message_id AS message,
	    f.name, octet_length(f.content) AS bytes, 'files/' || f.id
	    || (ARRAY['.png', '.jpg', '.pdf', '.txt'])[f.type] AS file,
	    f.content
	FROM ticket t JOIN ticket_message m ON m.ticket_id = t.id
	JOIN ticket_file f ON f.message_id = m.id
	WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_export_files IS 'Files of tickets, as they are exported.';
CREATE VIEW my_export_events WITH (security_barrier) AS
	SELECT e.id AS k, e.id, iso_time(e.at) AS at, e.kind, e.key_id,
	    host(e.address) AS address, e.detail::text AS detail
	FROM security_event e WHERE e.customer_id = my_customer();
COMMENT ON VIEW my_export_events IS 'Security events, as they are exported.';
CREATE VIEW my_export_notices WITH (security_barrier) AS
	SELECT n.id AS k, n.id, iso_time(n.at) AS at, n.kind,
	    n.detail::text AS detail, iso_time(n.read_at) AS read_at,
	    CASE n.mail_state WHEN 2 THEN iso_time(n.mail_at) END AS mailed
	FROM notice n WHERE n.customer_id = my_customer();
COMMENT ON VIEW my_export_notices IS 'Notices, as they are exported.';
CREATE VIEW my_request WITH (security_barrier) AS
	SELECT q.id AS k, q.id, q.kind, iso_time(q.received) AS received,
	    iso_time(q.due) AS due, q.subject, q.text, q.proof,
	    iso_time(q.answered) AS answered, q.outcome, q.answer
	FROM data_request q WHERE q.customer_id = my_customer();
COMMENT ON VIEW my_request IS 'The customer''s own requests about data.';
CREATE VIEW my_incident WITH (security_barrier) AS
	SELECT i.id AS k, i.id, i.kind, iso_time(i.since) AS since,
	    iso_time(i.until) AS until, a.calls, i.what, i.impact, i.taken,
	    i.planned, i.recommended, (SELECT iso_time(min(n.at))
	    FROM incident_notice n WHERE n.incident_id = i.id
	    AND n.customer_id = a.customer_id) AS told,
	    iso_time(i.closed) AS closed
	FROM incident_customer a JOIN incident i ON i.id = a.incident_id
	WHERE a.customer_id = my_customer() AND EXISTS (SELECT 1
	    FROM incident_notice n WHERE n.incident_id = i.id
	    AND n.customer_id = a.customer_id);
COMMENT ON VIEW my_incident IS 'Incidents that the customer was told of.';

-- Who may do what.
REVOKE ALL ON FUNCTION iso_time(timestamptz), audit_note(text, text, jsonb),
    export_note(bigint),
    subprocessor_add(text, text, text, text[], text, bigint),
    subprocessor_end(text), incident_open_one(bigint),
    incident_put(bigint, text, timestamptz, timestamptz, text, text, text,
    text, text, boolean),
    incident_scope(bigint, bigint[], bigint[], bigint[], boolean),
    incident_notify(bigint, boolean),
    request_add(bigint, text, timestamptz, timestamptz, text, text, text),
    request_answer(bigint, text, boolean, text), my_request_add(text, text),
    verify_note(bigint, bigint), closing_begin(bigint, bigint),
    closing_cancel(bigint), closing_hasten(bigint),
    my_closing_begin(text, bigint), my_closing_cancel(),
    payout_book(taking, bigint), closing_pays(closing),
    closing_blanks(closing), closing_erases(closing),
    closing_certifies(closing), closing_step(bigint), closing_next(bigint),
    closing_sweep() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    subprocessor_add(text, text, text, text[], text, bigint),
    subprocessor_end(text),
    incident_put(bigint, text, timestamptz, timestamptz, text, text, text,
    text, text, boolean),
    incident_scope(bigint, bigint[], bigint[], bigint[], boolean),
    incident_notify(bigint, boolean), closing_begin(bigint, bigint),
    closing_cancel(bigint), closing_hasten(bigint), closing_step(bigint),
    export_note(bigint) TO youyun_admin;
GRANT EXECUTE ON FUNCTION
    request_add(bigint, text, timestamptz, timestamptz, text, text, text),
    request_answer(bigint, text, boolean, text)
    TO youyun_admin, youyun_support;
GRANT EXECUTE ON FUNCTION verify_note(bigint, bigint)
    TO youyun_admin, youyun_auditor;
GRANT EXECUTE ON FUNCTION closing_next(bigint) TO youyun_flusher;
GRANT EXECUTE ON FUNCTION my_request_add(text, text),
    my_closing_begin(text, bigint), my_closing_cancel() TO youyun_portal;
GRANT EXECUTE ON FUNCTION my_customer(), amount_text(bigint),
    iso_time(timestamptz) TO youyun_portal, youyun_admin;
GRANT SELECT ON my_export_account, my_export_keys, my_export_calls,
    my_export_usage, my_export_ledger, my_export_bills, my_export_payments, my_export_codes,
    my_export_tickets, my_export_messages, my_export_files,
    my_export_events, my_export_notices, my_request, my_incident
    TO youyun_portal, youyun_admin;
GRANT SELECT ON my_closing TO youyun_portal;
GRANT SELECT ON subprocessor TO youyun_admin, youyun_flusher, youyun_portal,
    youyun_billing, youyun_support, youyun_auditor;
GRANT SELECT (subprocessor_id) ON channel TO youyun_billing, youyun_support;
GRANT SELECT ON incident, incident_customer, incident_notice, data_request
    TO youyun_admin, youyun_support, youyun_auditor;
GRANT SELECT ON closing, verify_run TO youyun_admin, youyun_auditor;
