-- Money that customers bring in by themselves, by codes and by payments that a
-- provider tells of; tickets; what customers change of their own account.
--
-- Each function below that a customer's request reaches works on
-- my_customer(); who may not see a table does what it needs by a function.

ALTER TABLE customer ADD COLUMN language text NOT NULL DEFAULT 'en'
    CHECK (language IN ('en', 'zh', 'de'));
COMMENT ON COLUMN customer.language IS 'What mail to the customer is written in: en, zh or de. Operator: controller.';

INSERT INTO notice_kind (name, mailed, purpose) VALUES
	('account_changed', true, 'Contact or language was changed by the customer''s own API; a stranger with the key would be noticed.'),
	('payment_booked', true, 'A payment arrived and was booked.'),
	('ticket_answered', true, 'Somebody of the operator''s answered a ticket.'),
	('ticket_closed', true, 'Somebody of the operator''s closed a ticket.'),
	('ticket_refunded', true, 'A call''s fee was given back for a ticket.');
INSERT INTO event_kind (name, severity, purpose) VALUES
	('code_guessing', 2, 'An account presented so many wrong top-up codes that it has to wait.');

CREATE FUNCTION amount_text(p_nano bigint) RETURNS text LANGUAGE sql
    IMMUTABLE AS $$
	SELECT CASE WHEN p_nano < 0 THEN '-' ELSE '' END
	    || abs(p_nano / 1000000000) || '.'
	    || rpad(f.digits, greatest(2, length(f.digits)), '0')
	    FROM (SELECT rtrim(lpad(abs(p_nano % 1000000000)::text, 9, '0'),
	    '0') AS digits) f
$$;
COMMENT ON FUNCTION amount_text(bigint) IS 'Nano-units as people read them, with two decimals at least.';

CREATE FUNCTION my_actor() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce(nullif(current_setting('youyun.actor', true), ''),
	    session_user)
$$;
COMMENT ON FUNCTION my_actor() IS 'Who does what this transaction does.';

-- Codes.
CREATE TABLE code_batch (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	amount_nano bigint
	    CHECK (amount_nano BETWEEN 1 AND 1000000000000000000),
	source text NOT NULL DEFAULT 'external'
	    CHECK (source IN ('external', 'promotional')),
	validity_days integer CHECK (validity_days BETWEEN 1 AND 36500),
	package_id bigint REFERENCES credit_package,
	codes integer NOT NULL CHECK (codes BETWEEN 1 AND 10000),
	expires_at timestamptz NOT NULL,
	created timestamptz NOT NULL DEFAULT now(),
	created_by text NOT NULL,
	revoked timestamptz,
	CHECK ((amount_nano IS NULL) <> (package_id IS NULL)),
	CHECK (package_id IS NULL OR (source = 'external'
	    AND validity_days IS NULL))
);
COMMENT ON TABLE code_batch IS 'Top-up codes that were made together and give the same. Operator: controller, no personal data but created_by.';
COMMENT ON COLUMN code_batch.id IS 'Number of the batch. Operator: controller.';
COMMENT ON COLUMN code_batch.name IS 'What the operator calls it. Operator: controller.';
COMMENT ON COLUMN code_batch.amount_nano IS 'What each code gives, nano-units; NULL: what the package gives. Operator: controller.';
COMMENT ON COLUMN code_batch.source IS 'external: sold, so that it counts as paid. promotional: given away. Operator: controller.';
COMMENT ON COLUMN code_batch.validity_days IS 'What is left of the credit expires so many days after its booking; NULL: never, or as the package says. Operator: controller.';
COMMENT ON COLUMN code_batch.package_id IS 'The package that each code gives; NULL: an amount. Operator: controller.';
COMMENT ON COLUMN code_batch.codes IS 'How many codes were made. Operator: controller.';
COMMENT ON COLUMN code_batch.expires_at IS 'From when on its codes are refused. Operator: controller.';
COMMENT ON COLUMN code_batch.created IS 'When it was made. Operator: controller.';
COMMENT ON COLUMN code_batch.created_by IS 'Who made it. Operator: controller.';
COMMENT ON COLUMN code_batch.revoked IS 'When all of it was revoked; NULL: it was not. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON code_batch
    FOR EACH ROW EXECUTE FUNCTION audit_change();

CREATE TABLE topup_code (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	batch_id bigint NOT NULL REFERENCES code_batch,
	digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
	hint text NOT NULL CHECK (length(hint) BETWEEN 1 AND 16),
	used_at timestamptz,
	customer_id bigint REFERENCES customer,
	transaction_id bigint UNIQUE REFERENCES ledger_transaction,
	revoked timestamptz,
	CHECK ((used_at IS NULL) = (customer_id IS NULL)
	    AND (used_at IS NULL) = (transaction_id IS NULL)),
	CHECK (used_at IS NULL OR revoked IS NULL)
);
CREATE INDEX topup_code_batch ON topup_code (batch_id, id);
COMMENT ON TABLE topup_code IS 'A code that gives credit once, known by its digest only. Never deleted. Operator: controller.';
COMMENT ON COLUMN topup_code.id IS 'Number of the code. Operator: controller.';
COMMENT ON COLUMN topup_code.batch_id IS 'What it was made with. Operator: controller.';
COMMENT ON COLUMN topup_code.digest IS 'HMAC-SHA-256(pepper, code), to recognise the code; the code itself is kept nowhere. Operator: controller.';
COMMENT ON COLUMN topup_code.hint IS 'Its last characters, to tell codes apart. Operator: controller.';
COMMENT ON COLUMN topup_code.used_at IS 'When it was redeemed; NULL: it was not. Operator: controller.';
COMMENT ON COLUMN topup_code.customer_id IS 'By whom. Operator: controller.';
COMMENT ON COLUMN topup_code.transaction_id IS 'As which booking. Operator: controller.';
COMMENT ON COLUMN topup_code.revoked IS 'When this one was revoked; NULL: it was not, its batch may be. Operator: controller.';
CREATE TRIGGER audit_change AFTER UPDATE ON topup_code
    FOR EACH ROW WHEN (OLD.revoked IS DISTINCT FROM NEW.revoked)
    EXECUTE FUNCTION audit_change();

CREATE TABLE topup_guess (
	customer_id bigint PRIMARY KEY REFERENCES customer,
	since timestamptz NOT NULL DEFAULT now(),
	failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0)
);
COMMENT ON TABLE topup_guess IS 'Wrong codes that an account presented lately, so that nobody guesses. Operator: controller (security).';
COMMENT ON COLUMN topup_guess.customer_id IS 'Whose account. Operator: controller.';
COMMENT ON COLUMN topup_guess.since IS 'When the hour that is counted began. Operator: controller.';
COMMENT ON COLUMN topup_guess.failures IS 'How many in it. Operator: controller.';

-- Raises 23505: there is a batch of that name; P0002: no such package, YY006:
-- it isn't sold any more; 22023: what can't be.
CREATE FUNCTION code_batch_create(p_name text, p_amount bigint,
    p_source text, p_days bigint, p_package text, p_expires timestamptz,
    p_digests text[], p_hints text[]) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k credit_package;
	batch bigint;
BEGIN
	IF p_expires <= now() THEN
		RAISE EXCEPTION 'codes can''t have expired already'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p_package IS NOT NULL THEN
		SELECT * INTO k FROM credit_package c
		    WHERE c.name = p_package FOR SHARE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no package "%"', p_package
			    USING ERRCODE = 'no_data_found';
		END IF;
		IF NOT k.active THEN
			RAISE EXCEPTION 'package "%" isn''t sold any more',
			    p_package USING ERRCODE = 'YY006';
		END IF;
	END IF;
	INSERT INTO code_batch (name, amount_nano, source, validity_days,
	    package_id, codes, expires_at, created_by)
	    VALUES (p_name, p_amount, p_source, p_days, k.id,
	    cardinality(p_digests), p_expires, my_actor())
	    RETURNING id INTO batch;
	INSERT INTO topup_code (batch_id, digest, hint)
	    SELECT batch, decode(d.digest, 'hex'), d.hint
	    FROM unnest(p_digests, p_hints) WITH ORDINALITY
	    AS d(digest, hint, n) ORDER BY d.n;
	RETURN batch;
END
$$;
COMMENT ON FUNCTION code_batch_create(text, bigint, text, bigint, text, timestamptz, text[], text[]) IS 'Makes a batch of top-up codes by their digests.';

-- By the batch's name, or the code's number or digest; NULL for the others.
-- What was used stays used.  P0002: there is nothing by that; YY011: the one
-- code was used already.
CREATE FUNCTION code_revoke(p_batch text, p_id bigint, p_digest bytea,
    OUT batch text, OUT unused bigint, OUT used bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k topup_code;
	b code_batch;
BEGIN
	IF p_batch IS NOT NULL THEN
		SELECT * INTO b FROM code_batch t WHERE t.name = p_batch
		    FOR UPDATE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no batch "%"', p_batch
			    USING ERRCODE = 'no_data_found';
		END IF;
		UPDATE code_batch t SET revoked = now()
		    WHERE t.id = b.id AND t.revoked IS NULL;
		batch := b.name;
		SELECT count(*) FILTER (WHERE c.used_at IS NULL),
		    count(c.used_at) INTO unused, used
		    FROM topup_code c WHERE c.batch_id = b.id;
		RETURN;
	END IF;
	SELECT * INTO k FROM topup_code c WHERE c.id = p_id
	    OR c.digest = p_digest FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such code'
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF k.used_at IS NOT NULL THEN
		RAISE EXCEPTION 'code % was used already', k.id
		    USING ERRCODE = 'YY011';
	END IF;
	UPDATE topup_code c SET revoked = now()
	    WHERE c.id = k.id AND c.revoked IS NULL;
	SELECT t.name INTO batch FROM code_batch t WHERE t.id = k.batch_id;
	unused := 1;
	used := 0;
END
$$;
COMMENT ON FUNCTION code_revoke(text, bigint, bytea) IS 'Revokes a batch of top-up codes, or one code.';

-- outcome: 0 booked; 1 there is no such code; 2 it was used; 3 it was used by
-- this customer; 4 expired; 5 revoked; 6 too many were wrong, come back in
-- wait_s.  What is wrong is counted: commit it.  YY006: its package isn't sold
-- any more.
CREATE FUNCTION my_code_redeem(p_digest bytea, p_key bigint, p_address inet,
    OUT outcome bigint, OUT booking bigint, OUT wait_s bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	most CONSTANT integer := 10;
	span CONSTANT interval := '1 hour';
	g topup_guess;
	k topup_code;
	b code_batch;
	fresh boolean;
	package text;
	actor text := my_actor();
BEGIN
	IF my_customer() IS NULL THEN
		RAISE EXCEPTION 'nobody asks'
		    USING ERRCODE = 'insufficient_privilege';
	END IF;
	-- One account's attempts one after the other, or many at once would
	-- all find the count low.
	INSERT INTO topup_guess (customer_id) VALUES (my_customer())
	    ON CONFLICT DO NOTHING;
	SELECT * INTO g FROM topup_guess t
	    WHERE t.customer_id = my_customer() FOR UPDATE;
	IF g.since + span <= now() THEN
		UPDATE topup_guess t SET since = now(), failures = 0
		    WHERE t.customer_id = my_customer() RETURNING * INTO g;
	END IF;
	IF g.failures >= most THEN
		outcome := 6;
		wait_s := greatest(1, ceil(extract(epoch
		    FROM g.since + span - now())))::bigint;
		RETURN;
	END IF;
	SELECT * INTO k FROM topup_code c WHERE c.digest = p_digest
	    FOR UPDATE;
	-- A batch that is being revoked is waited for.
	SELECT * INTO b FROM code_batch t WHERE t.id = k.batch_id FOR SHARE;
	outcome := CASE WHEN k.id IS NULL THEN 1
	    WHEN k.customer_id = my_customer() THEN 3
	    WHEN k.used_at IS NOT NULL THEN 2
	    WHEN k.revoked IS NOT NULL OR b.revoked IS NOT NULL THEN 5
	    WHEN b.expires_at <= now() THEN 4
	    ELSE 0 END;
	booking := CASE WHEN outcome = 3 THEN k.transaction_id END;
	IF outcome = 3 THEN
		RETURN;
	END IF;
	IF outcome <> 0 THEN
		UPDATE topup_guess t SET failures = t.failures + 1
		    WHERE t.customer_id = my_customer() RETURNING * INTO g;
		IF g.failures = most THEN
			PERFORM security_event_add('code_guessing',
			    my_customer(), p_key, p_address,
			    jsonb_build_object('failures', g.failures));
		END IF;
		RETURN;
	END IF;
	IF b.package_id IS NULL THEN
		SELECT c.transaction_id, c.fresh INTO booking, fresh
		    FROM credit('code:' || k.id, my_customer(), b.amount_nano,
		    b.source, actor, format('top-up code %s of batch %s',
		    k.id, b.name), NULL, b.validity_days::bigint) c;
	ELSE
		SELECT q.name INTO package FROM credit_package q
		    WHERE q.id = b.package_id;
		SELECT c.transaction_id, c.fresh INTO booking, fresh
		    FROM credit_by_package('code:' || k.id, my_customer(),
		    package, actor, format('top-up code %s of batch %s',
		    k.id, b.name)) c;
	END IF;
	-- Somebody of the operator's took the key for a booking by hand.
	IF NOT fresh THEN
		RAISE EXCEPTION 'key "code:%" was used for another booking',
		    k.id USING ERRCODE = 'YY001';
	END IF;
	UPDATE topup_code c SET used_at = now(), customer_id = my_customer(),
	    transaction_id = booking WHERE c.id = k.id;
END
$$;
COMMENT ON FUNCTION my_code_redeem(bytea, bigint, inet) IS 'Books what a top-up code gives for the customer who presents it, once, or says why not.';

-- Payments.
CREATE TABLE payment (
	id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128
	    AND id !~ '[^!-~]'),
	customer_id bigint NOT NULL REFERENCES customer,
	amount_nano bigint NOT NULL CHECK (amount_nano > 0),
	currency text NOT NULL CHECK (length(currency) BETWEEN 1 AND 15),
	method text NOT NULL CHECK (method ~ '^[a-z0-9][a-z0-9_.-]{0,31}$'),
	transaction_id bigint NOT NULL UNIQUE REFERENCES ledger_transaction,
	received timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_customer ON payment (customer_id, received);
COMMENT ON TABLE payment IS 'A payment that a provider''s bridge told of, and its booking. Append-only. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN payment.id IS 'The provider''s own name for it; the same books once. Operator: controller.';
COMMENT ON COLUMN payment.customer_id IS 'Whose payment. Operator: controller.';
COMMENT ON COLUMN payment.amount_nano IS 'How much, nano-units. Operator: controller.';
COMMENT ON COLUMN payment.currency IS 'The operator''s currency then. Operator: controller.';
COMMENT ON COLUMN payment.method IS 'By which way it came, as the bridge calls it. Operator: controller.';
COMMENT ON COLUMN payment.transaction_id IS 'The booking, of kind credit. Operator: controller.';
COMMENT ON COLUMN payment.received IS 'When it was told. Operator: controller.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON payment
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON payment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The portal has checked the signature.  P0002: no such customer, YY001: that
-- payment was told with other contents, YY002: the customer is closed.
CREATE FUNCTION payment_book(p_id text, p_customer bigint, p_amount bigint,
    p_currency text, p_method text, OUT booking bigint, OUT at timestamptz)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	c record;
	was payment;
BEGIN
	SELECT * INTO c FROM credit('payment:' || p_id, p_customer, p_amount,
	    'external', 'payment:' || p_method, 'payment ' || p_id);
	booking := c.transaction_id;
	IF c.fresh THEN
		INSERT INTO payment (id, customer_id, amount_nano, currency,
		    method, transaction_id) VALUES (p_id, p_customer,
		    p_amount, p_currency, p_method, booking)
		    RETURNING received INTO at;
		PERFORM notice_add(p_customer, 'payment_booked',
		    jsonb_build_object('payment', p_id, 'method', p_method,
		    'amount', amount_text(p_amount), 'currency', p_currency,
		    'booking', booking));
		RETURN;
	END IF;
	SELECT * INTO was FROM payment p WHERE p.id = p_id;
	IF NOT FOUND OR was.currency <> p_currency
	    OR was.method <> p_method THEN
		RAISE EXCEPTION 'payment "%" was told with other contents',
		    p_id USING ERRCODE = 'YY001';
	END IF;
	at := was.received;
END
$$;
COMMENT ON FUNCTION payment_book(text, bigint, bigint, text, text) IS 'Books a payment, once for its id.';

-- Of a customer's bookings most are those of calls.
CREATE INDEX ledger_transaction_credit ON ledger_transaction (customer_id, id)
    WHERE kind = 'credit';

CREATE VIEW my_topup WITH (security_barrier) AS
	SELECT t.id, t.at, CASE WHEN c.id IS NOT NULL THEN 'code'
	    WHEN p.id IS NOT NULL THEN 'payment' ELSE 'operator' END AS by,
	    s.amount_nano, s.promotional_nano, s.expires_at,
	    r.package, r.price_minor, r.currency AS price_currency,
	    p.id AS payment, p.method, c.hint AS code
	FROM ledger_transaction t
	CROSS JOIN LATERAL (SELECT sum(o.amount_nano)::bigint AS amount_nano,
	    coalesce(sum(o.amount_nano) FILTER (WHERE a.kind =
	    'customer_promotional'), 0)::bigint AS promotional_nano,
	    min(a.expires_at) AS expires_at
	    FROM posting o JOIN ledger_account a ON a.id = o.account_id
	    WHERE o.transaction_id = t.id AND a.customer_id = t.customer_id) s
	LEFT JOIN receipt r ON r.transaction_id = t.id
	LEFT JOIN topup_code c ON c.transaction_id = t.id
	LEFT JOIN payment p ON p.transaction_id = t.id
	WHERE t.customer_id = my_customer() AND t.kind = 'credit';
COMMENT ON VIEW my_topup IS 'Money that came in to the customer''s account, and how.';

-- The account.
CREATE OR REPLACE VIEW my_account WITH (security_barrier) AS
	SELECT c.id, c.name, c.status, g.name AS group_name, g.multiplier_ppm,
	    c.contact, c.created, c.group_id,
	    coalesce(m.granted_nano, 0) AS granted_nano,
	    coalesce(m.spent_nano, 0) AS spent_nano, c.language
	FROM customer c
	JOIN customer_group g ON g.id = c.group_id
	LEFT JOIN customer_money m ON m.customer_id = c.id
	WHERE c.id = my_customer();

CREATE FUNCTION my_account_change(p_contact text, p_language text)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	was customer;
	changed text[];
BEGIN
	SELECT * INTO was FROM customer c WHERE c.id = my_customer()
	    FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	changed := array_remove(ARRAY[
	    CASE WHEN p_contact <> was.contact THEN 'contact' END,
	    CASE WHEN p_language <> was.language THEN 'language' END], NULL);
	IF cardinality(changed) = 0 THEN
		RETURN 1;
	END IF;
	UPDATE customer c SET contact = coalesce(p_contact, c.contact),
	    language = coalesce(p_language, c.language)
	    WHERE c.id = was.id;
	-- To where the customer was: who has stolen a key has changed the
	-- contact to their own.
	PERFORM notice_add(was.id, 'account_changed',
	    jsonb_strip_nulls(jsonb_build_object('changed', changed,
	    'mail_to', CASE WHEN 'contact' = ANY (changed)
	    AND position('@' IN was.contact) > 0 THEN was.contact END)));
	RETURN 1;
END
$$;
COMMENT ON FUNCTION my_account_change(text, text) IS 'Changes the customer''s own contact and language; NULL leaves one as it is.';

-- Tickets.
CREATE TABLE ticket (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL REFERENCES customer,
	subject text NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 200),
	state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
	created timestamptz NOT NULL DEFAULT now(),
	changed timestamptz NOT NULL DEFAULT now(),
	call_started_at timestamptz,
	call_request_id uuid,
	CHECK ((call_started_at IS NULL) = (call_request_id IS NULL))
);
CREATE INDEX ticket_customer ON ticket (customer_id, id);
CREATE INDEX ticket_state ON ticket (state, id);
COMMENT ON TABLE ticket IS 'What a customer asks the operator. Operator: processor (support).';
COMMENT ON COLUMN ticket.id IS 'Number of the ticket. Operator: processor.';
COMMENT ON COLUMN ticket.customer_id IS 'Who asks. Operator: processor.';
COMMENT ON COLUMN ticket.subject IS 'What about, in the customer''s words. Operator: processor.';
COMMENT ON COLUMN ticket.state IS '0 waits for the operator, 1 waits for the customer, 2 closed. Operator: processor.';
COMMENT ON COLUMN ticket.created IS 'When it was opened. Operator: processor.';
COMMENT ON COLUMN ticket.changed IS 'When something was last said or done. Operator: processor.';
COMMENT ON COLUMN ticket.call_started_at IS 'The call that it is about, with call_request_id; NULL: none. Operator: processor.';
COMMENT ON COLUMN ticket.call_request_id IS 'The call that it is about, with call_started_at; NULL: none. Operator: processor.';

CREATE TABLE ticket_message (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ticket_id bigint NOT NULL REFERENCES ticket,
	author smallint NOT NULL CHECK (author BETWEEN 0 AND 1),
	actor text NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	text text NOT NULL CHECK (octet_length(text) BETWEEN 1 AND 16384)
);
CREATE INDEX ticket_message_ticket ON ticket_message (ticket_id, id);
COMMENT ON TABLE ticket_message IS 'What was said in a ticket. Operator: processor (support).';
COMMENT ON COLUMN ticket_message.id IS 'Number of the message. Operator: processor.';
COMMENT ON COLUMN ticket_message.ticket_id IS 'The ticket. Operator: processor.';
COMMENT ON COLUMN ticket_message.author IS '0 the customer, 1 the operator. Operator: processor.';
COMMENT ON COLUMN ticket_message.actor IS 'Which person, or which key; customers don''t see it. Operator: processor.';
COMMENT ON COLUMN ticket_message.at IS 'When. Operator: processor.';
COMMENT ON COLUMN ticket_message.text IS 'What, in the author''s words. Operator: processor.';

CREATE TABLE ticket_file (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	message_id bigint NOT NULL REFERENCES ticket_message,
	name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 100),
	type smallint NOT NULL CHECK (type BETWEEN 1 AND 4),
	content bytea NOT NULL
	    CHECK (octet_length(content) BETWEEN 1 AND 524288)
);
ALTER TABLE ticket_file ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX ticket_file_message ON ticket_file (message_id, id);
COMMENT ON TABLE ticket_file IS 'What was attached to a message. Operator: processor (support).';
COMMENT ON COLUMN ticket_file.id IS 'Number of the file. Operator: processor.';
COMMENT ON COLUMN ticket_file.message_id IS 'The message. Operator: processor.';
COMMENT ON COLUMN ticket_file.name IS 'As the customer calls it; no name of a file of ours. Operator: processor.';
COMMENT ON COLUMN ticket_file.type IS '1 PNG, 2 JPEG, 3 PDF, 4 text, by its first bytes. Operator: processor.';
COMMENT ON COLUMN ticket_file.content IS 'The bytes, which nobody here opens. Operator: processor.';

CREATE TABLE ticket_refund (
	transaction_id bigint PRIMARY KEY REFERENCES refund,
	ticket_id bigint NOT NULL REFERENCES ticket
);
CREATE INDEX ticket_refund_ticket ON ticket_refund (ticket_id);
COMMENT ON TABLE ticket_refund IS 'Refunds that were made for a ticket. Append-only. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN ticket_refund.transaction_id IS 'The booking, of kind refund. Operator: controller.';
COMMENT ON COLUMN ticket_refund.ticket_id IS 'The ticket. Operator: controller.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ticket_refund
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What one account may store and say.  Raises YY012 at 20 open tickets, YY013
-- at 200 messages within a day.
CREATE FUNCTION my_ticket_room(p_opens boolean) RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	IF my_customer() IS NULL THEN
		RAISE EXCEPTION 'nobody asks'
		    USING ERRCODE = 'insufficient_privilege';
	END IF;
	-- Two at once count one after the other.
	PERFORM 1 FROM customer c WHERE c.id = my_customer()
	    FOR NO KEY UPDATE;
	IF p_opens AND (SELECT count(*) FROM ticket t
	    WHERE t.customer_id = my_customer() AND t.state <> 2) >= 20 THEN
		RAISE EXCEPTION 'there are 20 open tickets'
		    USING ERRCODE = 'YY012';
	END IF;
	IF (SELECT count(*) FROM ticket t JOIN ticket_message m
	    ON m.ticket_id = t.id WHERE t.customer_id = my_customer()
	    AND t.changed > now() - interval '1 day' AND m.author = 0
	    AND m.at > now() - interval '1 day') >= 200 THEN
		RAISE EXCEPTION 'there were 200 messages within a day'
		    USING ERRCODE = 'YY013';
	END IF;
END
$$;
COMMENT ON FUNCTION my_ticket_room(boolean) IS 'Refuses when the customer has opened or said too much.';

-- P0002: there is no such call of the customer's.
CREATE FUNCTION my_ticket_open(p_subject text, p_text text,
    p_started timestamptz, p_request uuid, OUT ticket bigint,
    OUT message bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	PERFORM my_ticket_room(true);
	IF p_request IS NOT NULL AND NOT EXISTS (SELECT 1 FROM call c
	    WHERE c.started_at = p_started AND c.request_id = p_request
	    AND c.customer_id = my_customer()) THEN
		RAISE EXCEPTION 'there is no such call'
		    USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO ticket (customer_id, subject, call_started_at,
	    call_request_id) VALUES (my_customer(), p_subject, p_started,
	    p_request) RETURNING id INTO ticket;
	INSERT INTO ticket_message (ticket_id, author, actor, text)
	    VALUES (ticket, 0, my_actor(), p_text) RETURNING id INTO message;
END
$$;
COMMENT ON FUNCTION my_ticket_open(text, text, timestamptz, uuid) IS 'Opens a ticket of the customer''s.';

-- P0002: there is no such ticket; YY014: it is closed; YY015: it has 500
-- messages.
CREATE FUNCTION my_ticket_reply(p_ticket bigint, p_text text)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	t ticket;
	message bigint;
BEGIN
	PERFORM my_ticket_room(false);
	SELECT * INTO t FROM ticket k WHERE k.id = p_ticket
	    AND k.customer_id = my_customer() FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such ticket'
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF t.state = 2 THEN
		RAISE EXCEPTION 'the ticket is closed'
		    USING ERRCODE = 'YY014';
	END IF;
	IF (SELECT count(*) FROM ticket_message m WHERE m.ticket_id = t.id)
	    >= 500 THEN
		RAISE EXCEPTION 'the ticket has 500 messages'
		    USING ERRCODE = 'YY015';
	END IF;
	INSERT INTO ticket_message (ticket_id, author, actor, text)
	    VALUES (t.id, 0, my_actor(), p_text) RETURNING id INTO message;
	UPDATE ticket k SET state = 0, changed = now() WHERE k.id = t.id;
	RETURN message;
END
$$;
COMMENT ON FUNCTION my_ticket_reply(bigint, text) IS 'Adds to a ticket of the customer''s.';

-- To a message of this transaction.  YY016: the customer's files are 64 MiB
-- already.
CREATE FUNCTION my_ticket_file_add(p_message bigint, p_name text,
    p_type bigint, p_content bytea) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	file bigint;
BEGIN
	PERFORM 1 FROM ticket_message m JOIN ticket t ON t.id = m.ticket_id
	    WHERE m.id = p_message AND m.author = 0 AND m.at = now()
	    AND t.customer_id = my_customer();
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such message'
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF (SELECT coalesce(sum(octet_length(f.content)), 0)
	    FROM ticket t JOIN ticket_message m ON m.ticket_id = t.id
	    JOIN ticket_file f ON f.message_id = m.id
	    WHERE t.customer_id = my_customer())
	    + octet_length(p_content) > 67108864 THEN
		RAISE EXCEPTION 'the files are 64 MiB already'
		    USING ERRCODE = 'YY016';
	END IF;
	INSERT INTO ticket_file (message_id, name, type, content)
	    VALUES (p_message, p_name, p_type, p_content)
	    RETURNING id INTO file;
	RETURN file;
END
$$;
COMMENT ON FUNCTION my_ticket_file_add(bigint, text, bigint, bytea) IS 'Attaches a file to a message of the customer''s that is being made.';

CREATE FUNCTION my_ticket_close(p_ticket bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	WITH done AS (UPDATE ticket t SET state = 2, changed = CASE
	    WHEN t.state = 2 THEN t.changed ELSE now() END
	    WHERE t.id = p_ticket AND t.customer_id = my_customer()
	    RETURNING 1)
	SELECT count(*) FROM done;
$$;
COMMENT ON FUNCTION my_ticket_close(bigint) IS 'Closes a ticket of the customer''s.';

CREATE VIEW my_ticket WITH (security_barrier) AS
	SELECT t.id, t.subject, t.state, t.created, t.changed,
	    t.call_request_id
	FROM ticket t WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_ticket IS 'The customer''s own tickets.';
CREATE VIEW my_ticket_message WITH (security_barrier) AS
	SELECT m.id, m.ticket_id, m.author, m.at, m.text
	FROM ticket t JOIN ticket_message m ON m.ticket_id = t.id
	WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_ticket_message IS 'What was said in the customer''s own tickets.';
CREATE VIEW my_ticket_file WITH (security_barrier) AS
	SELECT f.id, m.ticket_id, f.message_id, f.name, f.type,
	    octet_length(f.content) AS bytes, f.content
	FROM ticket t JOIN ticket_message m ON m.ticket_id = t.id
	JOIN ticket_file f ON f.message_id = m.id
	WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_ticket_file IS 'Files of the customer''s own tickets.';
CREATE VIEW my_ticket_refund WITH (security_barrier) AS
	SELECT k.ticket_id, k.transaction_id, r.amount_nano, b.at
	FROM ticket t JOIN ticket_refund k ON k.ticket_id = t.id
	JOIN refund r ON r.transaction_id = k.transaction_id
	JOIN ledger_transaction b ON b.id = k.transaction_id
	WHERE t.customer_id = my_customer();
COMMENT ON VIEW my_ticket_refund IS 'Refunds for the customer''s own tickets.';

-- The operator's side.  P0002: there is no such ticket; YY014: it is closed.
CREATE FUNCTION ticket_answer(p_ticket bigint, p_text text, p_close boolean)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	t ticket;
	message bigint;
BEGIN
	SELECT * INTO t FROM ticket k WHERE k.id = p_ticket FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no ticket %', p_ticket
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF t.state = 2 THEN
		RAISE EXCEPTION 'ticket % is closed', p_ticket
		    USING ERRCODE = 'YY014';
	END IF;
	IF p_text IS NOT NULL THEN
		INSERT INTO ticket_message (ticket_id, author, actor, text)
		    VALUES (t.id, 1, my_actor(), p_text)
		    RETURNING id INTO message;
	END IF;
	UPDATE ticket k SET state = CASE WHEN p_close THEN 2 ELSE 1 END,
	    changed = now() WHERE k.id = t.id;
	PERFORM notice_add(t.customer_id, CASE WHEN p_text IS NULL
	    THEN 'ticket_closed' ELSE 'ticket_answered' END,
	    jsonb_build_object('ticket', t.id, 'subject', t.subject,
	    'closed', p_close));
	INSERT INTO audit (actor, action, object, reason, change)
	    VALUES (my_actor(), CASE WHEN p_text IS NULL THEN 'ticket.close'
	    ELSE 'ticket.answer' END, 'ticket:' || t.id,
	    coalesce(current_setting('youyun.reason', true), ''),
	    jsonb_build_object('message', message, 'closed', p_close));
	RETURN message;
END
$$;
COMMENT ON FUNCTION ticket_answer(bigint, text, boolean) IS 'Answers a ticket, or closes it, or both, and tells the customer.';

-- A refund of the ticket's call that was just booked.
CREATE FUNCTION ticket_refunded(p_ticket bigint, p_transaction bigint)
    RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	t ticket;
	amount bigint;
BEGIN
	SELECT * INTO t FROM ticket k WHERE k.id = p_ticket FOR UPDATE;
	SELECT r.amount_nano INTO amount FROM refund r
	    WHERE r.transaction_id = p_transaction
	    AND r.request_id = t.call_request_id
	    AND r.started_at = t.call_started_at;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'booking % is no refund of the call of ticket %',
		    p_transaction, p_ticket USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO ticket_refund VALUES (p_transaction, t.id)
	    ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	UPDATE ticket k SET changed = now() WHERE k.id = t.id;
	PERFORM notice_add(t.customer_id, 'ticket_refunded',
	    jsonb_build_object('ticket', t.id, 'subject', t.subject,
	    'amount', amount_text(amount), 'booking', p_transaction));
END
$$;
COMMENT ON FUNCTION ticket_refunded(bigint, bigint) IS 'Notes a refund with its ticket and tells the customer.';

-- Mail.  A notice waits for a minute after the first failure, four times as
-- long after each further one; the sixth is the last.  What nobody took for
-- three days, because there was no mail then, is no news any more.
CREATE FUNCTION mail_take(OUT id bigint, OUT kind text, OUT detail text,
    OUT customer text, OUT contact text, OUT language text)
    RETURNS SETOF record LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE notice n SET mail_state = 3 WHERE n.mail_state = 1
	    AND (n.at < now() - interval '3 days' OR n.mail_tries >= 6)
	    AND (n.mail_at IS NULL
	    OR n.mail_at < now() - interval '10 minutes');
	RETURN QUERY WITH due AS (SELECT n.id FROM notice n
	    WHERE n.mail_state = 1 AND (n.mail_tries = 0 OR n.mail_at
	    + (1 << (2 * (n.mail_tries - 1))) * interval '1 minute' <= now())
	    AND n.mail_tries < 6
	    ORDER BY n.id LIMIT 1 FOR UPDATE SKIP LOCKED),
	    took AS (UPDATE notice n SET mail_tries = n.mail_tries + 1,
	    mail_at = now() FROM due WHERE n.id = due.id RETURNING n.id,
	    n.kind, n.detail, n.customer_id)
	    SELECT t.id, t.kind, t.detail::text, c.name,
	    coalesce(t.detail ->> 'mail_to', c.contact), c.language
	    FROM took t JOIN customer c ON c.id = t.customer_id;
END
$$;
COMMENT ON FUNCTION mail_take() IS 'The next notice that is to be sent by mail, to its mail_to or else the customer''s contact; counts the try.';

-- p_outcome: 0 sent, 1 failed, 2 there is nowhere to send it.
CREATE FUNCTION mail_done(p_id bigint, p_outcome bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	UPDATE notice n SET mail_state = CASE WHEN p_outcome = 0 THEN 2
	    WHEN p_outcome = 2 OR n.mail_tries >= 6 THEN 3 ELSE 1 END
	    WHERE n.id = p_id AND n.mail_state = 1
$$;
COMMENT ON FUNCTION mail_done(bigint, bigint) IS 'What became of a notice that mail_take() gave.';

-- Who may do what.
GRANT UPDATE (language) ON customer TO youyun_support;
REVOKE ALL ON FUNCTION mail_take(), mail_done(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mail_take(), mail_done(bigint, bigint)
    TO youyun_flusher;
REVOKE ALL ON FUNCTION amount_text(bigint),
    code_batch_create(text, bigint, text, bigint, text, timestamptz, text[],
    text[]), code_revoke(text, bigint, bytea),
    my_code_redeem(bytea, bigint, inet),
    payment_book(text, bigint, bigint, text, text),
    my_account_change(text, text), my_ticket_room(boolean), my_actor(),
    my_ticket_open(text, text, timestamptz, uuid),
    my_ticket_reply(bigint, text),
    my_ticket_file_add(bigint, text, bigint, bytea), my_ticket_close(bigint),
    ticket_answer(bigint, text, boolean), ticket_refunded(bigint, bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_code_redeem(bytea, bigint, inet),
    payment_book(text, bigint, bigint, text, text),
    my_account_change(text, text),
    my_ticket_open(text, text, timestamptz, uuid),
    my_ticket_reply(bigint, text),
    my_ticket_file_add(bigint, text, bigint, bytea), my_ticket_close(bigint)
    TO youyun_portal;
GRANT SELECT ON my_topup, my_ticket, my_ticket_message, my_ticket_file,
    my_ticket_refund TO youyun_portal;
GRANT EXECUTE ON FUNCTION
    code_batch_create(text, bigint, text, bigint, text, timestamptz, text[],
    text[]), code_revoke(text, bigint, bytea), ticket_refunded(bigint, bigint)
    TO youyun_admin, youyun_billing;
GRANT EXECUTE ON FUNCTION ticket_answer(bigint, text, boolean)
    TO youyun_admin, youyun_support;
GRANT SELECT ON code_batch TO youyun_admin, youyun_billing, youyun_auditor;
GRANT SELECT (id, batch_id, hint, used_at, customer_id, transaction_id,
    revoked) ON topup_code TO youyun_admin, youyun_billing, youyun_auditor;
GRANT SELECT ON payment TO youyun_admin, youyun_billing, youyun_support,
    youyun_auditor;
GRANT SELECT ON topup_guess TO youyun_admin, youyun_support, youyun_auditor;
GRANT SELECT ON ticket, ticket_message, ticket_file, ticket_refund
    TO youyun_admin, youyun_support, youyun_billing, youyun_auditor;
