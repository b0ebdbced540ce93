-- Money, the whole of it: pots, packages, receipts, refunds, adjustments,
-- expiry.
--
-- A customer's money is in pots, each an account of the ledger: paid or given
-- for promotion, with the time when it expires.  Money goes out in one order,
-- that of the pots: what expires first goes first, of equals the promotional
-- before the paid, of equals again the account with the lower number; what
-- never expires comes last.  Whatever comes back or is taken back moves in
-- the reverse order.  Who knows the bookings in their order knows what is in
-- each pot, therefore; pot.left_nano only spares the reckoning.
--
-- Bookings of one customer are made one after the other: each begins with
-- ledger_lock(), so that their numbers are in the order of their effects.

-- Accounts.
ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_kind_check;
ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_check;
ALTER TABLE ledger_account ADD COLUMN expires_at timestamptz;
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_kind_check
    CHECK (kind IN ('customer_prepaid', 'customer_promotional', 'revenue',
    'uncollected', 'adjustment', 'promotional', 'external', 'expired'));
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_check
    CHECK ((kind IN ('customer_prepaid', 'customer_promotional'))
    = (customer_id IS NOT NULL)
    AND (expires_at IS NULL OR customer_id IS NOT NULL));
DROP INDEX ledger_account_customer;
CREATE UNIQUE INDEX ledger_account_pot ON ledger_account
    (customer_id, kind, coalesce(expires_at, 'infinity'))
    WHERE customer_id IS NOT NULL;
COMMENT ON COLUMN ledger_account.kind IS 'customer_prepaid: what a customer has paid for and still has. customer_promotional: what a customer was given and still has; never to be paid out. revenue: fees earned. uncollected: what calls cost above what was held (negative). external: payments from outside (negative). promotional, adjustment: credits without a payment (negative). expired: what customers did not spend in time. Operator: controller.';
COMMENT ON COLUMN ledger_account.customer_id IS 'Whose, for the customer''s accounts. Operator: controller.';
COMMENT ON COLUMN ledger_account.expires_at IS 'When what is left in a customer''s account expires; NULL: never. Operator: controller.';
INSERT INTO ledger_account (kind) VALUES ('expired');

CREATE TABLE pot (
	account_id bigint PRIMARY KEY REFERENCES ledger_account,
	customer_id bigint NOT NULL REFERENCES customer,
	expires_at timestamptz NOT NULL,
	paid boolean NOT NULL,
	left_nano bigint NOT NULL DEFAULT 0 CHECK (left_nano >= 0)
) WITH (fillfactor = 70);
-- Without left_nano, so that its changes need not touch an index.
CREATE INDEX pot_order ON pot (customer_id, expires_at, paid, account_id);
CREATE INDEX pot_expires_at ON pot (expires_at)
    WHERE expires_at < 'infinity';
COMMENT ON TABLE pot IS 'What is left in each account of a customer; kept by a trigger on posting, so that spending need not add up the ledger. Order of spending: expires_at, paid (false first), account_id. Operator: controller.';
COMMENT ON COLUMN pot.account_id IS 'The account of the ledger. Operator: controller.';
COMMENT ON COLUMN pot.customer_id IS 'Whose, as in ledger_account. Operator: controller.';
COMMENT ON COLUMN pot.expires_at IS 'As in ledger_account, infinity for never. Operator: controller.';
COMMENT ON COLUMN pot.paid IS 'Paid for (customer_prepaid) or given for promotion. Operator: controller.';
COMMENT ON COLUMN pot.left_nano IS 'The sum of the account''s postings. Operator: controller.';

-- Bookings.
ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_kind_check;
ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_kind_check
    CHECK (kind IN ('credit', 'calls', 'refund', 'adjustment', 'expiry'));
ALTER TABLE ledger_transaction ADD COLUMN asked text NOT NULL DEFAULT ''
    CHECK (length(asked) <= 500);
COMMENT ON COLUMN ledger_transaction.id IS 'Number of the booking; for a credit also its receipt. Of one customer they are in the order of their effects. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.kind IS 'credit: money for a customer. calls: the fees of one batch of a customer''s calls, which name this row. refund: a call''s fee given back (table refund). adjustment: a correction either way. expiry: what was not spent in time. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.asked IS 'What was asked for with the key, in one form; the same key with anything else is refused. Operator: controller.';

-- The order in which calls stand in their booking is the journal's.
CREATE INDEX call_booking ON call (ledger_transaction_id, journal_seq);
DROP INDEX call_transaction;

CREATE TABLE credit_package (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	amount_nano bigint NOT NULL
	    CHECK (amount_nano BETWEEN 0 AND 1000000000000000000),
	bonus_nano bigint NOT NULL DEFAULT 0
	    CHECK (bonus_nano BETWEEN 0 AND 1000000000000000000),
	price_minor bigint NOT NULL
	    CHECK (price_minor BETWEEN 0 AND 1000000000000000),
	currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	validity_days integer CHECK (validity_days BETWEEN 1 AND 36500),
	active boolean NOT NULL DEFAULT true,
	created timestamptz NOT NULL DEFAULT now(),
	CHECK (amount_nano + bonus_nano > 0),
	CHECK (amount_nano > 0 OR price_minor = 0)
);
COMMENT ON TABLE credit_package IS 'What customers can buy: a credit, its price and what comes on top. What was bought keeps its own copy (table receipt). Operator: controller, no personal data.';
COMMENT ON COLUMN credit_package.id IS 'Number of the package. Operator: controller.';
COMMENT ON COLUMN credit_package.name IS 'What the operator calls it. Operator: controller.';
COMMENT ON COLUMN credit_package.amount_nano IS 'Credit that counts as paid, nano-units of the operator''s currency. Operator: controller.';
COMMENT ON COLUMN credit_package.bonus_nano IS 'Promotional credit on top. Operator: controller.';
COMMENT ON COLUMN credit_package.price_minor IS 'What the customer pays, in minor units (cents) of currency. Operator: controller.';
COMMENT ON COLUMN credit_package.currency IS 'ISO 4217 code that the price is in. Operator: controller.';
COMMENT ON COLUMN credit_package.validity_days IS 'After so many days what is left expires; NULL: never. Operator: controller.';
COMMENT ON COLUMN credit_package.active IS 'Whether it is sold now. Operator: controller.';
COMMENT ON COLUMN credit_package.created IS 'When it was added. Operator: controller.';

CREATE TABLE receipt (
	transaction_id bigint PRIMARY KEY REFERENCES ledger_transaction,
	package_id bigint NOT NULL REFERENCES credit_package,
	package text NOT NULL,
	price_minor bigint NOT NULL CHECK (price_minor >= 0),
	currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	amount_nano bigint NOT NULL CHECK (amount_nano >= 0),
	bonus_nano bigint NOT NULL CHECK (bonus_nano >= 0),
	expires_at timestamptz
);
COMMENT ON TABLE receipt IS 'What was paid for a credit, and for which package, as it was then. Append-only. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN receipt.transaction_id IS 'The booking, of kind credit. Operator: controller.';
COMMENT ON COLUMN receipt.package_id IS 'The package. Operator: controller.';
COMMENT ON COLUMN receipt.package IS 'Its name then. Operator: controller.';
COMMENT ON COLUMN receipt.price_minor IS 'What was paid, in minor units of currency. Operator: controller.';
COMMENT ON COLUMN receipt.currency IS 'ISO 4217 code of what was paid. Operator: controller.';
COMMENT ON COLUMN receipt.amount_nano IS 'Credit that counts as paid. Operator: controller.';
COMMENT ON COLUMN receipt.bonus_nano IS 'Promotional credit on top. Operator: controller.';
COMMENT ON COLUMN receipt.expires_at IS 'When what is left of both expires; NULL: never. Operator: controller.';

CREATE TABLE refund (
	transaction_id bigint PRIMARY KEY REFERENCES ledger_transaction,
	started_at timestamptz NOT NULL,
	request_id uuid NOT NULL,
	amount_nano bigint NOT NULL CHECK (amount_nano > 0)
);
CREATE INDEX refund_request_id ON refund (request_id);
COMMENT ON TABLE refund IS 'Which call''s fee a booking of kind refund gives back. Append-only. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN refund.transaction_id IS 'The booking. Operator: controller.';
COMMENT ON COLUMN refund.started_at IS 'The call, with request_id. Operator: controller.';
COMMENT ON COLUMN refund.request_id IS 'The call, with started_at. Operator: controller.';
COMMENT ON COLUMN refund.amount_nano IS 'How much of its fee. Operator: controller.';

-- What is taken from a customer must first be out of the segment's reach; only
-- the flusher knows what is neither spent nor held there.
CREATE TABLE taking (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL REFERENCES customer,
	amount_nano bigint NOT NULL CHECK (amount_nano > 0),
	idempotency_key text NOT NULL,
	actor text NOT NULL,
	reason text NOT NULL,
	asked_at timestamptz NOT NULL DEFAULT now(),
	until timestamptz NOT NULL DEFAULT now() + interval '1 minute',
	state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
	transaction_id bigint REFERENCES ledger_transaction,
	available_nano bigint CHECK (available_nano >= 0)
);
CREATE INDEX taking_open ON taking (id) WHERE state = 0;
COMMENT ON TABLE taking IS 'Asks the flusher to take money out of the segment and to book the adjustment that it is for. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN taking.id IS 'Number of the request. Operator: controller, no personal data.';
COMMENT ON COLUMN taking.customer_id IS 'Whose money. Operator: controller.';
COMMENT ON COLUMN taking.amount_nano IS 'How much, all of it or nothing. Operator: controller.';
COMMENT ON COLUMN taking.idempotency_key IS 'Of the booking to come. Operator: controller.';
COMMENT ON COLUMN taking.actor IS 'Who asks. Operator: controller.';
COMMENT ON COLUMN taking.reason IS 'Why, in the actor''s words. Operator: controller.';
COMMENT ON COLUMN taking.asked_at IS 'When. Operator: controller.';
COMMENT ON COLUMN taking.until IS 'Not to be done after that time, when nobody waits for it any more. Operator: controller.';
COMMENT ON COLUMN taking.state IS '0 asked, 1 booked, 2 refused: less than that is available, 3 given up. Operator: controller.';
COMMENT ON COLUMN taking.transaction_id IS 'The booking, once it is made. Operator: controller.';
COMMENT ON COLUMN taking.available_nano IS 'When refused: what could have been taken. Operator: controller.';

-- What the tables enforce by themselves.

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['ledger_account', 'receipt', 'refund'] LOOP
		EXECUTE format('CREATE TRIGGER append_only
		    BEFORE UPDATE OR DELETE ON %I
		    FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
	END LOOP;
	FOREACH t IN ARRAY ARRAY['ledger_account', 'receipt', 'refund',
	    'pot'] LOOP
		EXECUTE format('CREATE TRIGGER append_only_truncate
		    BEFORE TRUNCATE ON %I
		    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
	END LOOP;
	-- A statement's trigger on the whole is silent about its parts; the
	-- days' are made with theirs.
	CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON call_other
	    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
END
$$;
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON credit_package
    FOR EACH ROW EXECUTE FUNCTION audit_change();

-- Zero-sum, judged when the transaction commits; and of one customer.
CREATE OR REPLACE FUNCTION check_zero_sum() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	made xid8;
	whose bigint;
	total numeric;
	strangers bigint;
BEGIN
	SELECT t.made_in, t.customer_id INTO made, whose
	    FROM youyun.ledger_transaction t WHERE t.id = NEW.transaction_id;
	IF made <> pg_current_xact_id() THEN
		RAISE EXCEPTION 'booking % is closed', NEW.transaction_id
		    USING ERRCODE = 'restrict_violation';
	END IF;
	SELECT sum(p.amount_nano), count(*) FILTER (WHERE a.customer_id <> whose)
	    INTO total, strangers FROM youyun.posting p
	    JOIN youyun.ledger_account a ON a.id = p.account_id
	    WHERE p.transaction_id = NEW.transaction_id;
	IF total <> 0 THEN
		RAISE EXCEPTION 'postings of booking % sum to %, not to zero',
		    NEW.transaction_id, total
		    USING ERRCODE = 'check_violation';
	END IF;
	IF strangers <> 0 THEN
		RAISE EXCEPTION 'booking % of customer % has another''s account',
		    NEW.transaction_id, whose
		    USING ERRCODE = 'check_violation';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION check_zero_sum() IS 'Trigger: the postings of one booking sum to zero, are made in one transaction and are on one customer''s accounts.';

CREATE FUNCTION check_not_empty() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT 1 FROM youyun.posting p
	    WHERE p.transaction_id = NEW.id) THEN
		RAISE EXCEPTION 'booking % has no postings', NEW.id
		    USING ERRCODE = 'check_violation';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION check_not_empty() IS 'Trigger: a booking has postings.';
CREATE CONSTRAINT TRIGGER not_empty AFTER INSERT ON ledger_transaction
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_not_empty();

-- A customer's account is a pot.
CREATE FUNCTION open_pot() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO pot (account_id, customer_id, expires_at, paid)
	    VALUES (NEW.id, NEW.customer_id,
	    coalesce(NEW.expires_at, 'infinity'),
	    NEW.kind = 'customer_prepaid');
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION open_pot() IS 'Trigger: makes the pot of a customer''s new account.';

CREATE FUNCTION fill_pots() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE pot p SET left_nano = p.left_nano + n.amount
	    FROM (SELECT a.account_id, sum(a.amount_nano)::bigint AS amount
	    FROM added a GROUP BY 1) n WHERE p.account_id = n.account_id;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION fill_pots() IS 'Trigger: brings postings into the pots.';
CREATE TRIGGER fill_pots AFTER INSERT ON posting
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION fill_pots();

-- What there is already.
INSERT INTO ledger_account (kind, customer_id)
    SELECT 'customer_promotional', c.id FROM customer c;
INSERT INTO pot (account_id, customer_id, expires_at, paid, left_nano)
    SELECT a.id, a.customer_id, 'infinity', a.kind = 'customer_prepaid',
    coalesce((SELECT sum(p.amount_nano)::bigint FROM posting p
    WHERE p.account_id = a.id), 0)
    FROM ledger_account a WHERE a.customer_id IS NOT NULL;
CREATE TRIGGER open_pot AFTER INSERT ON ledger_account
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL)
    EXECUTE FUNCTION open_pot();

CREATE OR REPLACE FUNCTION open_account() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO ledger_account (kind, customer_id)
	    VALUES ('customer_prepaid', NEW.id),
	    ('customer_promotional', NEW.id);
	INSERT INTO lease (node_id, customer_id) VALUES (1, NEW.id);
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION open_account() IS 'Trigger: opens the accounts that never expire and the lease of a new customer.';

-- The one place where what a customer may spend changes.

-- Money comes in (above zero) or goes (below).  Raises YY003 when there isn't
-- as much; nothing changed then.
CREATE FUNCTION money_moves(p_customer bigint, p_amount bigint) RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	-- All of it is the first node's; 0006-leases.sql shares it out.
	home CONSTANT smallint := 1;
	available bigint;
BEGIN
	SELECT l.granted_nano - l.spent_nano INTO available FROM lease l
	    WHERE l.node_id = home AND l.customer_id = p_customer
	    FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'customer % has no lease', p_customer
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF available + p_amount < 0 THEN
		RAISE EXCEPTION 'only % nano-units of customer % are unspent',
		    available, p_customer USING ERRCODE = 'YY003';
	END IF;
	UPDATE lease l SET granted_nano = l.granted_nano + p_amount
	    WHERE l.node_id = home AND l.customer_id = p_customer;
END
$$;
COMMENT ON FUNCTION money_moves(bigint, bigint) IS 'Changes how much a customer may spend; every booking but that of calls goes through here.';

-- What a node's flusher took out of its segment, just before it is booked.
-- Nothing to do until 0006-leases.sql has several nodes.
CREATE FUNCTION money_comes_home(p_node smallint, p_customer bigint,
    p_amount bigint) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	RETURN;
END
$$;
COMMENT ON FUNCTION money_comes_home(smallint, bigint, bigint) IS 'Brings what a node gave back to where money_moves() takes it from.';

-- Helpers of the bookings.

CREATE FUNCTION ledger_lock(p_customers bigint[]) RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	PERFORM 1 FROM pot p WHERE p.customer_id = ANY (p_customers)
	    AND p.paid AND p.expires_at = 'infinity'
	    ORDER BY p.customer_id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION ledger_lock(bigint[]) IS 'From here to the end of the transaction nobody else books for these customers.';

-- Checks what every booking of a person has.  YY004: the reason is missing.
CREATE FUNCTION booking_check(p_key text, p_actor text, p_reason text,
    p_reason_needed boolean) RETURNS void LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
BEGIN
	IF coalesce(p_key, '') = '' OR p_key ~ '^[[:space:]]|[[:space:]]$' THEN
		RAISE EXCEPTION 'an idempotency key neither is empty nor begins or ends with a space'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p_key ~ '^(calls|expiry):' THEN
		RAISE EXCEPTION 'idempotency keys that begin with calls: or expiry: are the system''s own'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF btrim(coalesce(p_actor, '')) = '' THEN
		RAISE EXCEPTION 'the actor is missing'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p_reason_needed AND btrim(coalesce(p_reason, '')) = '' THEN
		RAISE EXCEPTION 'the reason is missing'
		    USING ERRCODE = 'YY004';
	END IF;
END
$$;
COMMENT ON FUNCTION booking_check(text, text, text, boolean) IS 'Refuses a booking without a good key, an actor or, where it is needed, a reason.';

-- Begins a booking, or finds the one that was made with the key.  Raises
-- P0002: no such customer, YY001: the key was used for something else, YY002:
-- the customer is closed and p_closed_too is not set.
CREATE FUNCTION booking_begin(p_kind text, p_key text, p_customer bigint,
    p_asked text, p_actor text, p_reason text, p_closed_too boolean,
    OUT transaction_id bigint, OUT fresh boolean) LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	customer_status smallint;
BEGIN
	SELECT c.status INTO customer_status FROM customer c
	    WHERE c.id = p_customer FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no customer %', p_customer
		    USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM ledger_lock(ARRAY[p_customer]);
	INSERT INTO ledger_transaction (kind, customer_id, idempotency_key,
	    actor, reason, asked)
	    VALUES (p_kind, p_customer, p_key, p_actor,
	    coalesce(p_reason, ''), p_asked)
	    ON CONFLICT (idempotency_key) DO NOTHING
	    RETURNING id INTO transaction_id;
	fresh := FOUND;
	IF fresh THEN
		IF customer_status = 3 AND NOT p_closed_too THEN
			RAISE EXCEPTION 'customer % is closed', p_customer
			    USING ERRCODE = 'YY002';
		END IF;
		RETURN;
	END IF;
	SELECT t.id INTO transaction_id FROM ledger_transaction t
	    WHERE t.idempotency_key = p_key AND t.kind = p_kind
	    AND t.customer_id = p_customer AND t.asked = p_asked;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key "%" was used for another booking', p_key
		    USING ERRCODE = 'YY001';
	END IF;
END
$$;
COMMENT ON FUNCTION booking_begin(text, text, bigint, text, text, text, boolean) IS 'Makes the row of a booking, once for a key.';

CREATE FUNCTION booking_audit(p_actor text, p_action text, p_customer bigint,
    p_reason text, p_amount bigint, p_transaction bigint, p_more jsonb)
    RETURNS void LANGUAGE sql SET search_path = youyun, pg_temp AS $$
	INSERT INTO audit (actor, action, object, reason, change)
	    VALUES (p_actor, p_action, 'customer:' || p_customer,
	    coalesce(p_reason, ''), jsonb_build_object('amount_nano',
	    p_amount::text, 'transaction_id', p_transaction) || p_more)
$$;
COMMENT ON FUNCTION booking_audit(text, text, bigint, text, bigint, bigint, jsonb) IS 'Tells the audit trail of a booking.';

CREATE FUNCTION customer_balance(p_customer bigint) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = youyun, pg_temp AS $$
	SELECT coalesce(sum(p.left_nano), 0)::bigint FROM pot p
	    WHERE p.customer_id = p_customer
$$;
COMMENT ON FUNCTION customer_balance(bigint) IS 'What a customer has, all pots together.';

CREATE FUNCTION pot_account(p_customer bigint, p_paid boolean,
    p_expires timestamptz) RETURNS bigint LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	account bigint;
	its_kind text := CASE WHEN p_paid THEN 'customer_prepaid'
	    ELSE 'customer_promotional' END;
BEGIN
	INSERT INTO ledger_account (kind, customer_id, expires_at)
	    VALUES (its_kind, p_customer, p_expires) ON CONFLICT DO NOTHING
	    RETURNING id INTO account;
	IF NOT FOUND THEN
		SELECT p.account_id INTO STRICT account FROM pot p
		    WHERE p.customer_id = p_customer AND p.paid = p_paid
		    AND p.expires_at = coalesce(p_expires, 'infinity');
	END IF;
	RETURN account;
END
$$;
COMMENT ON FUNCTION pot_account(bigint, boolean, timestamptz) IS 'The account of that kind and expiry, opened if need be.';

-- Takes p_amount out of the customer's pots, last to be spent first, as
-- postings of the booking.  There is as much: the caller knows.
CREATE FUNCTION take_back(p_transaction bigint, p_customer bigint,
    p_amount bigint, p_expired_by timestamptz) RETURNS void LANGUAGE sql
    SET search_path = youyun, pg_temp AS $$
	INSERT INTO posting (transaction_id, account_id, amount_nano)
	SELECT p_transaction, q.account_id,
	    -least(q.left_nano, p_amount - q.behind)::bigint
	FROM (SELECT p.account_id, p.left_nano, sum(p.left_nano) OVER
	    (ORDER BY p.expires_at DESC, p.paid DESC, p.account_id DESC)
	    - p.left_nano AS behind
	    FROM pot p WHERE p.customer_id = p_customer AND p.left_nano > 0
	    AND (p_expired_by IS NULL OR p.expires_at <= p_expired_by)) q
	WHERE q.behind < p_amount
$$;
COMMENT ON FUNCTION take_back(bigint, bigint, bigint, timestamptz) IS 'Posts an amount out of a customer''s pots in the reverse order of spending; with a time only of what has expired by then.';

-- Money in.  What is bought or given never expires, unless p_expires or
-- p_days (from now) say so.
DROP FUNCTION credit(text, bigint, bigint, text, text, text);
CREATE FUNCTION credit(p_key text, p_customer bigint, p_amount bigint,
    p_source text, p_actor text, p_reason text,
    p_expires timestamptz DEFAULT NULL, p_days bigint DEFAULT NULL,
    OUT transaction_id bigint, OUT fresh boolean, OUT balance_nano bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	expires timestamptz := coalesce(p_expires,
	    now() + p_days * interval '24 hours');
BEGIN
	IF p_amount IS NULL OR p_amount <= 0 THEN
		RAISE EXCEPTION 'a credit must be above zero'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p_source NOT IN ('external', 'promotional', 'adjustment') THEN
		RAISE EXCEPTION 'no credit comes from "%"', p_source
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p_days NOT BETWEEN 1 AND 36500
	    OR (p_days IS NOT NULL AND p_expires IS NOT NULL) THEN
		RAISE EXCEPTION 'a credit is valid for 1 to 36500 days'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM booking_check(p_key, p_actor, p_reason, false);
	SELECT b.transaction_id, b.fresh INTO transaction_id, fresh
	    FROM booking_begin('credit', p_key, p_customer,
	    format('%s from %s until %s', p_amount, p_source,
	    coalesce(extract(epoch FROM p_expires)::text, p_days || ' days',
	    'ever')), p_actor, p_reason, false) b;
	IF fresh THEN
		IF expires <= now() THEN
			RAISE EXCEPTION 'a credit can''t have expired already'
			    USING ERRCODE = 'invalid_parameter_value';
		END IF;
		INSERT INTO posting (transaction_id, account_id, amount_nano)
		    SELECT credit.transaction_id, pot_account(p_customer,
		    p_source <> 'promotional', expires), p_amount
		    UNION ALL SELECT credit.transaction_id, a.id, -p_amount
		    FROM ledger_account a WHERE a.kind = p_source;
		PERFORM money_moves(p_customer, p_amount);
		PERFORM booking_audit(p_actor, 'credit', p_customer, p_reason,
		    p_amount, credit.transaction_id,
		    jsonb_build_object('source', p_source));
	END IF;
	balance_nano := customer_balance(p_customer);
END
$$;
COMMENT ON FUNCTION credit(text, bigint, bigint, text, text, text, timestamptz, bigint) IS 'Books money for a customer, once for a key.';

-- The same by a package.  P0002 also when there is no such package, YY006:
-- it isn't sold any more.
CREATE FUNCTION credit_by_package(p_key text, p_customer bigint,
    p_package text, p_actor text, p_reason text,
    OUT transaction_id bigint, OUT fresh boolean, OUT balance_nano bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k credit_package;
	expires timestamptz;
BEGIN
	PERFORM booking_check(p_key, p_actor, p_reason, false);
	SELECT * INTO k FROM credit_package c WHERE c.name = p_package
	    FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no package "%"', p_package
		    USING ERRCODE = 'no_data_found';
	END IF;
	SELECT b.transaction_id, b.fresh INTO transaction_id, fresh
	    FROM booking_begin('credit', p_key, p_customer,
	    'package ' || k.id, p_actor, p_reason, false) b;
	IF fresh THEN
		IF NOT k.active THEN
			RAISE EXCEPTION 'package "%" isn''t sold any more',
			    p_package USING ERRCODE = 'YY006';
		END IF;
		expires := now() + k.validity_days * interval '24 hours';
		INSERT INTO posting (transaction_id, account_id, amount_nano)
		    SELECT credit_by_package.transaction_id,
		    pot_account(p_customer, n.paid, expires), n.amount
		    FROM (VALUES (true, k.amount_nano), (false, k.bonus_nano))
		    AS n(paid, amount) WHERE n.amount > 0
		    UNION ALL SELECT credit_by_package.transaction_id, a.id,
		    -n.amount FROM (VALUES ('external', k.amount_nano),
		    ('promotional', k.bonus_nano)) AS n(kind, amount)
		    JOIN ledger_account a ON a.kind = n.kind
		    WHERE n.amount > 0;
		INSERT INTO receipt VALUES (credit_by_package.transaction_id,
		    k.id, k.name, k.price_minor, k.currency, k.amount_nano,
		    k.bonus_nano, expires);
		PERFORM money_moves(p_customer, k.amount_nano + k.bonus_nano);
		PERFORM booking_audit(p_actor, 'credit', p_customer, p_reason,
		    k.amount_nano + k.bonus_nano,
		    credit_by_package.transaction_id,
		    jsonb_build_object('package', k.name));
	END IF;
	balance_nano := customer_balance(p_customer);
END
$$;
COMMENT ON FUNCTION credit_by_package(text, bigint, text, text, text) IS 'Books what a package gives, with its receipt, once for a key.';

-- Of the fee that a booking of calls took out of its pots, in their order, the
-- part from p_from to p_to: where it goes back to.  A pot that has expired
-- since gives way to the one of its kind that never does.
CREATE FUNCTION refund_parts(p_transaction bigint, p_from bigint, p_to bigint,
    p_at timestamptz) RETURNS TABLE (account_id bigint, amount_nano bigint)
    LANGUAGE sql STABLE SET search_path = youyun, pg_temp AS $$
	WITH used AS (SELECT q.customer_id, q.account_id, q.paid,
	    q.expires_at, -p.amount_nano AS taken,
	    sum(-p.amount_nano) OVER (ORDER BY q.expires_at, q.paid,
	    q.account_id) + p.amount_nano AS before
	    FROM posting p JOIN pot q ON q.account_id = p.account_id
	    WHERE p.transaction_id = p_transaction),
	part AS (SELECT u.*, least(u.before + u.taken, p_to)
	    - greatest(u.before, p_from) AS amount FROM used u)
	SELECT CASE WHEN part.expires_at > p_at THEN part.account_id
	    ELSE ever.account_id END, sum(part.amount)::bigint
	    FROM part JOIN pot ever ON ever.customer_id = part.customer_id
	    AND ever.paid = part.paid AND ever.expires_at = 'infinity'
	    WHERE part.amount > 0 GROUP BY 1
$$;
COMMENT ON FUNCTION refund_parts(bigint, bigint, bigint, timestamptz) IS 'To which accounts a part of a booking''s fees goes back.';

-- Gives a call's fee back, what is left of it or p_amount.  Of the fee, what
-- was taken last goes back first.  P0002: no such call, YY003: that is more
-- than its fee less earlier refunds.
CREATE FUNCTION refund(p_key text, p_started timestamptz, p_request uuid,
    p_amount bigint, p_actor text, p_reason text,
    OUT transaction_id bigint, OUT fresh boolean, OUT amount_nano bigint,
    OUT balance_nano bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k call;
	whose bigint;
	before bigint;		-- fees of the booking's earlier calls
	given bigint;		-- by earlier refunds
BEGIN
	IF p_amount <= 0 THEN
		RAISE EXCEPTION 'a refund must be above zero'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM booking_check(p_key, p_actor, p_reason, true);
	-- Asked again, it is told again, whatever became of the call.
	SELECT t.customer_id INTO whose FROM ledger_transaction t
	    JOIN refund r ON r.transaction_id = t.id
	    WHERE t.idempotency_key = p_key AND r.request_id = p_request;
	IF NOT FOUND THEN
		SELECT * INTO k FROM call c WHERE c.started_at = p_started
		    AND c.request_id = p_request;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no call %', p_request
			    USING ERRCODE = 'no_data_found';
		END IF;
		IF k.ledger_transaction_id IS NULL OR k.customer_id IS NULL THEN
			RAISE EXCEPTION 'nothing was charged for it'
			    USING ERRCODE = 'YY003';
		END IF;
		-- Which pots it was paid from follows from all calls of the
		-- booking.
		IF EXISTS (SELECT 1 FROM call_archive a
		    WHERE a.ledger_transaction_id = k.ledger_transaction_id)
		    THEN
			RAISE EXCEPTION
			    'calls that were booked with it are deleted'
			    USING ERRCODE = 'YY025';
		END IF;
		whose := k.customer_id;
	END IF;
	SELECT b.transaction_id, b.fresh INTO transaction_id, fresh
	    FROM booking_begin('refund', p_key, whose,
	    format('%s of %s', coalesce(p_amount::text, 'all'), p_request),
	    p_actor, p_reason, false) b;
	IF NOT fresh THEN
		SELECT r.amount_nano INTO amount_nano FROM refund r
		    WHERE r.transaction_id = refund.transaction_id;
		balance_nano := customer_balance(whose);
		RETURN;
	END IF;
	SELECT coalesce(sum(r.amount_nano), 0)::bigint INTO given FROM refund r
	    WHERE r.request_id = p_request;
	amount_nano := coalesce(p_amount, k.fee_nano - given);
	IF amount_nano <= 0 OR amount_nano > k.fee_nano - given THEN
		RAISE EXCEPTION 'of its fee of % nano-units % are left to give back',
		    k.fee_nano, k.fee_nano - given USING ERRCODE = 'YY003';
	END IF;
	SELECT coalesce(sum(c.fee_nano), 0)::bigint INTO before FROM call c
	    WHERE c.ledger_transaction_id = k.ledger_transaction_id
	    AND c.journal_seq < k.journal_seq;
	before := before + k.fee_nano - given;	-- the end of what comes back
	INSERT INTO posting (transaction_id, account_id, amount_nano)
	    SELECT refund.transaction_id, r.account_id, r.amount_nano
	    FROM refund_parts(k.ledger_transaction_id,
	    before - refund.amount_nano, before, now()) r
	    UNION ALL SELECT refund.transaction_id, a.id, -refund.amount_nano
	    FROM ledger_account a WHERE a.kind = 'revenue';
	INSERT INTO refund VALUES (refund.transaction_id, p_started,
	    p_request, refund.amount_nano);
	PERFORM money_moves(k.customer_id, refund.amount_nano);
	PERFORM booking_audit(p_actor, 'refund', k.customer_id, p_reason,
	    refund.amount_nano, refund.transaction_id,
	    jsonb_build_object('request_id', p_request));
	balance_nano := customer_balance(k.customer_id);
END
$$;
COMMENT ON FUNCTION refund(text, timestamptz, uuid, bigint, text, text) IS 'Gives back a call''s fee or part of it, once for a key.';

-- Corrects a balance.  Upwards it is booked at once, as paid money.
-- Downwards the flusher has to take it first: taking_id is the request, to be
-- looked at until it is answered, and transaction_id is NULL.
CREATE FUNCTION adjust(p_key text, p_customer bigint, p_amount bigint,
    p_actor text, p_reason text, OUT transaction_id bigint,
    OUT fresh boolean, OUT balance_nano bigint, OUT taking_id bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	IF p_amount IS NULL OR p_amount = 0 THEN
		RAISE EXCEPTION 'an adjustment can''t be zero'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM booking_check(p_key, p_actor, p_reason, true);
	IF p_amount < 0 AND NOT EXISTS (SELECT 1 FROM ledger_transaction t
	    WHERE t.idempotency_key = p_key) THEN
		IF NOT EXISTS (SELECT 1 FROM customer c
		    WHERE c.id = p_customer) THEN
			RAISE EXCEPTION 'there is no customer %', p_customer
			    USING ERRCODE = 'no_data_found';
		END IF;
		INSERT INTO taking (customer_id, amount_nano,
		    idempotency_key, actor, reason)
		    VALUES (p_customer, -p_amount, p_key, p_actor, p_reason)
		    RETURNING id INTO taking_id;
		PERFORM pg_notify('youyun', 'taking:' || taking_id);
		fresh := true;
		balance_nano := customer_balance(p_customer);
		RETURN;
	END IF;
	SELECT b.transaction_id, b.fresh INTO transaction_id, fresh
	    FROM booking_begin('adjustment', p_key, p_customer,
	    p_amount::text, p_actor, p_reason, p_amount < 0) b;
	IF fresh AND p_amount < 0 THEN
		RAISE EXCEPTION 'key "%" was used a moment ago', p_key
		    USING ERRCODE = 'serialization_failure';
	END IF;
	IF fresh THEN
		INSERT INTO posting (transaction_id, account_id, amount_nano)
		    SELECT adjust.transaction_id, pot_account(p_customer,
		    true, NULL), p_amount
		    UNION ALL SELECT adjust.transaction_id, a.id, -p_amount
		    FROM ledger_account a WHERE a.kind = 'adjustment';
		PERFORM money_moves(p_customer, p_amount);
		PERFORM booking_audit(p_actor, 'adjustment', p_customer,
		    p_reason, p_amount, adjust.transaction_id, '{}');
	END IF;
	balance_nano := customer_balance(p_customer);
END
$$;
COMMENT ON FUNCTION adjust(text, bigint, bigint, text, text) IS 'Corrects a balance, once for a key; asks the flusher where money has to be taken.';

-- Nobody waits any more.  Its state, which may be that it was done.
CREATE FUNCTION taking_give_up(p_id bigint) RETURNS smallint
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	it smallint;
BEGIN
	UPDATE taking t SET state = CASE t.state WHEN 0 THEN 3
	    ELSE t.state END WHERE t.id = p_id RETURNING t.state INTO it;
	RETURN it;
END
$$;
COMMENT ON FUNCTION taking_give_up(bigint) IS 'Withdraws a request that nobody answered.';

-- The flusher found too little.
CREATE FUNCTION taking_refuse(p_id bigint, p_available bigint) RETURNS void
    LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	UPDATE taking t SET state = 2, available_nano = greatest(p_available, 0)
	    WHERE t.id = p_id AND t.state = 0
$$;
COMMENT ON FUNCTION taking_refuse(bigint, bigint) IS 'Answers a request that there isn''t as much, and how much there is.';

-- The segment has given it up: books it.  False: nobody wants it any more;
-- the caller brings the segment back to what the lease says.
CREATE FUNCTION taking_book(p_node smallint, p_id bigint) RETURNS boolean
    LANGUAGE plpgsql
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
	IF spare < k.amount_nano THEN
		PERFORM taking_refuse(p_id, spare);
		RETURN false;
	END IF;
	BEGIN
		SELECT * INTO b FROM booking_begin('adjustment',
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
	PERFORM take_back(b.transaction_id, k.customer_id, k.amount_nano,
	    NULL);
	INSERT INTO posting (transaction_id, account_id, amount_nano)
	    SELECT b.transaction_id, a.id, k.amount_nano
	    FROM ledger_account a WHERE a.kind = 'adjustment';
	PERFORM money_comes_home(p_node, k.customer_id, k.amount_nano);
	PERFORM money_moves(k.customer_id, -k.amount_nano);
	PERFORM booking_audit(k.actor, 'adjustment', k.customer_id, k.reason,
	    -k.amount_nano, b.transaction_id, '{}');
	RETURN true;
END
$$;
COMMENT ON FUNCTION taking_book(smallint, bigint) IS 'Books an adjustment whose money the flusher has taken out of the segment.';

-- What has expired and is still there, of one customer or (NULL) of all.
CREATE FUNCTION expired_left(p_customer bigint)
    RETURNS TABLE (customer_id bigint, left_nano bigint)
    LANGUAGE sql STABLE SET search_path = youyun, pg_temp AS $$
	SELECT p.customer_id, sum(p.left_nano)::bigint FROM pot p
	    WHERE p.expires_at <= now() AND p.expires_at < 'infinity'
	    AND p.left_nano > 0
	    AND (p_customer IS NULL OR p.customer_id = p_customer)
	    GROUP BY 1 ORDER BY 1
$$;
COMMENT ON FUNCTION expired_left(bigint) IS 'Credit that has expired and was not booked out yet.';

-- Books out what has expired of a customer's, at most p_most, which the
-- flusher has taken out of the segment.  What calls that are not booked yet
-- will need comes first in the order of spending and is left, therefore: the
-- last to be spent goes.  Returns how much was booked.
CREATE FUNCTION expire(p_node smallint, p_customer bigint, p_most bigint)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	amount bigint;
	last bigint;
	b record;
BEGIN
	PERFORM ledger_lock(ARRAY[p_customer]);
	SELECT least(e.left_nano, p_most) INTO amount
	    FROM expired_left(p_customer) e;
	IF coalesce(amount, 0) <= 0 THEN
		RETURN 0;
	END IF;
	SELECT max(t.id) INTO last FROM ledger_transaction t
	    WHERE t.customer_id = p_customer;
	SELECT * INTO b FROM booking_begin('expiry',
	    format('expiry:%s:%s', p_customer, last), p_customer, '',
	    'flusher', 'not spent in time', true);
	PERFORM take_back(b.transaction_id, p_customer, amount, now());
	INSERT INTO posting (transaction_id, account_id, amount_nano)
	    SELECT b.transaction_id, a.id, amount
	    FROM ledger_account a WHERE a.kind = 'expired';
	PERFORM money_comes_home(p_node, p_customer, amount);
	PERFORM money_moves(p_customer, -amount);
	PERFORM booking_audit('flusher', 'expiry', p_customer,
	    'not spent in time', -amount, b.transaction_id, '{}');
	RETURN amount;
END
$$;
COMMENT ON FUNCTION expire(smallint, bigint, bigint) IS 'Books out expired credit that the flusher has taken out of the segment.';

-- Who may do what.  Functions are nobody's by default.
REVOKE ALL ON FUNCTION check_not_empty(), open_pot(), fill_pots(),
    money_moves(bigint, bigint), money_comes_home(smallint, bigint, bigint),
    ledger_lock(bigint[]), booking_check(text, text, text, boolean),
    booking_begin(text, text, bigint, text, text, text, boolean),
    booking_audit(text, text, bigint, text, bigint, bigint, jsonb),
    customer_balance(bigint), pot_account(bigint, boolean, timestamptz),
    take_back(bigint, bigint, bigint, timestamptz),
    credit(text, bigint, bigint, text, text, text, timestamptz, bigint),
    credit_by_package(text, bigint, text, text, text),
    refund_parts(bigint, bigint, bigint, timestamptz),
    refund(text, timestamptz, uuid, bigint, text, text),
    adjust(text, bigint, bigint, text, text), taking_give_up(bigint),
    taking_refuse(bigint, bigint), taking_book(smallint, bigint),
    expired_left(bigint), expire(smallint, bigint, bigint) FROM PUBLIC;
GRANT SELECT ON pot, taking TO youyun_flusher;
GRANT EXECUTE ON FUNCTION ledger_lock(bigint[]), taking_refuse(bigint, bigint),
    taking_book(smallint, bigint), expired_left(bigint),
    expire(smallint, bigint, bigint) TO youyun_flusher;
GRANT SELECT ON pot, credit_package, receipt, refund TO youyun_portal;
GRANT SELECT ON pot, credit_package, receipt, refund, taking TO youyun_admin;
GRANT INSERT, UPDATE ON credit_package TO youyun_admin;
GRANT EXECUTE ON FUNCTION
    credit(text, bigint, bigint, text, text, text, timestamptz, bigint),
    credit_by_package(text, bigint, text, text, text),
    refund(text, timestamptz, uuid, bigint, text, text),
    refund_parts(bigint, bigint, bigint, timestamptz),
    adjust(text, bigint, bigint, text, text), taking_give_up(bigint),
    expired_left(bigint) TO youyun_admin;
