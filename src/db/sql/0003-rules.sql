-- What the tables enforce and tell by themselves, and the functions that move
-- money.  Functions that write where their caller may not are SECURITY DEFINER
-- with a fixed search_path.

-- Append-only.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
	    USING ERRCODE = 'restrict_violation',
	    HINT = 'Correct it by a new row.';
END
$$;
COMMENT ON FUNCTION refuse_change() IS 'Trigger: refuses UPDATE, DELETE and TRUNCATE.';

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['price', 'ledger_transaction', 'posting',
	    'call', 'audit'] LOOP
		EXECUTE format('CREATE TRIGGER append_only
		    BEFORE UPDATE OR DELETE ON %I
		    FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
		EXECUTE format('CREATE TRIGGER append_only_truncate
		    BEFORE TRUNCATE ON %I
		    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
	END LOOP;
END
$$;

-- Zero-sum, judged when the transaction commits.
CREATE FUNCTION check_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	made xid8;
	total bigint;
BEGIN
	SELECT t.made_in INTO made FROM youyun.ledger_transaction t
	    WHERE t.id = NEW.transaction_id;
	IF made <> pg_current_xact_id() THEN
		RAISE EXCEPTION 'booking % is closed', NEW.transaction_id
		    USING ERRCODE = 'restrict_violation';
	END IF;
	SELECT sum(p.amount_nano)::bigint INTO total FROM youyun.posting p
	    WHERE p.transaction_id = NEW.transaction_id;
	IF total <> 0 THEN
		RAISE EXCEPTION 'postings of booking % sum to %, not to zero',
		    NEW.transaction_id, total
		    USING ERRCODE = 'check_violation';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION check_zero_sum() IS 'Trigger: the postings of one booking sum to zero and are made in one transaction.';
CREATE CONSTRAINT TRIGGER zero_sum AFTER INSERT ON posting
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_zero_sum();

-- A customer has its account and its lease from the first moment on.
CREATE FUNCTION open_account() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO ledger_account (kind, customer_id)
	    VALUES ('customer_prepaid', NEW.id);
	INSERT INTO lease (node_id, customer_id) VALUES (1, NEW.id);
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION open_account() IS 'Trigger: opens the prepaid account and the lease of a new customer.';
CREATE TRIGGER open_account AFTER INSERT ON customer
    FOR EACH ROW EXECUTE FUNCTION open_account();

-- Administrative changes are audited whoever makes them and by whatever tool.
-- The actor and the reason come from settings of the transaction.
CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	was jsonb := '{}';
	is_now jsonb := '{}';
	changed jsonb;
	hidden text[] := ARRAY['digest', 'credential', 'ca'];
	object text;
	k text;
BEGIN
	IF TG_OP <> 'INSERT' THEN
		was := to_jsonb(OLD);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		is_now := to_jsonb(NEW);
	END IF;
	SELECT coalesce(jsonb_object_agg(n.key, n.value), '{}') INTO changed
	    FROM jsonb_each(is_now) n
	    WHERE was -> n.key IS DISTINCT FROM n.value;
	FOREACH k IN ARRAY hidden LOOP
		IF changed ? k THEN
			changed := jsonb_set(changed, ARRAY[k],
			    '"(changed)"');
		END IF;
	END LOOP;
	IF TG_TABLE_NAME = 'channel_model' THEN
		object := format('channel:%s/model:%s',
		    coalesce(is_now, was) ->> 'channel_id',
		    coalesce(is_now, was) ->> 'model_id');
		IF TG_OP = 'DELETE' THEN
			object := format('channel:%s/model:%s',
			    was ->> 'channel_id', was ->> 'model_id');
		END IF;
	ELSE
		object := format('%s:%s', TG_TABLE_NAME,
		    coalesce(is_now ->> 'id', was ->> 'id'));
	END IF;
	INSERT INTO audit (actor, action, object, reason, change) VALUES (
	    coalesce(nullif(current_setting('youyun.actor', true), ''),
	    session_user),
	    TG_TABLE_NAME || '.' || lower(TG_OP), object,
	    coalesce(current_setting('youyun.reason', true), ''), changed);
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION audit_change() IS 'Trigger: writes an administrative change to the audit table.';

-- The flusher listens on the channel "youyun"; what it hears is which row of
-- the segment's directory to read again.
CREATE FUNCTION tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	IF TG_OP = 'DELETE' THEN
		r := OLD;
	ELSE
		r := NEW;
	END IF;
	CASE TG_TABLE_NAME
	WHEN 'api_key' THEN
		PERFORM pg_notify('youyun', 'key:' || r.id);
	WHEN 'customer_group' THEN
		PERFORM pg_notify('youyun', 'group:' || r.id);
	WHEN 'channel_model' THEN
		PERFORM pg_notify('youyun', 'channel:' || r.channel_id);
	WHEN 'lease' THEN
		PERFORM pg_notify('youyun',
		    'lease:' || r.node_id || ':' || r.customer_id);
	ELSE
		PERFORM pg_notify('youyun', TG_TABLE_NAME || ':' || r.id);
	END CASE;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION tell_change() IS 'Trigger: notifies the flusher which row to read again.';

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['node', 'customer_group', 'customer',
	    'api_key', 'model', 'price', 'channel', 'channel_model'] LOOP
		EXECUTE format('CREATE TRIGGER audit_change
		    AFTER INSERT OR UPDATE OR DELETE ON %I
		    FOR EACH ROW EXECUTE FUNCTION audit_change()', t);
	END LOOP;
	FOREACH t IN ARRAY ARRAY['customer_group', 'customer', 'api_key',
	    'model', 'price', 'channel', 'channel_model'] LOOP
		EXECUTE format('CREATE TRIGGER tell_change
		    AFTER INSERT OR UPDATE OR DELETE ON %I
		    FOR EACH ROW EXECUTE FUNCTION tell_change()', t);
	END LOOP;
END
$$;
CREATE TRIGGER tell_change_insert AFTER INSERT ON lease
    FOR EACH ROW EXECUTE FUNCTION tell_change();
-- Spending is what the segment tells us, not the other way round.
CREATE TRIGGER tell_change_update AFTER UPDATE OF granted_nano, epoch ON lease
    FOR EACH ROW EXECUTE FUNCTION tell_change();

-- Money in.  The same key books once; with another customer, amount or source
-- it is refused.  Raises P0002 when there is no such customer, YY001 when the
-- key was used for something else, YY002 when the customer is closed.
CREATE FUNCTION credit(p_key text, p_customer bigint, p_amount bigint,
    p_source text, p_actor text, p_reason text,
    OUT transaction_id bigint, OUT fresh boolean, OUT balance_nano bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	customer_status smallint;
	-- All of it is the first node's; 0006-leases.sql shares it out.
	home CONSTANT smallint := 1;
BEGIN
	IF p_amount IS NULL OR p_amount <= 0 THEN
		RAISE EXCEPTION 'a credit must be above zero'
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF p_source NOT IN ('external', 'promotional', 'adjustment') THEN
		RAISE EXCEPTION 'no credit comes from "%"', p_source
		    USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT c.status INTO customer_status FROM customer c
	    WHERE c.id = p_customer FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no customer %', p_customer
		    USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO ledger_transaction (kind, customer_id, idempotency_key,
	    actor, reason)
	    VALUES ('credit', p_customer, p_key, p_actor, p_reason)
	    ON CONFLICT (idempotency_key) DO NOTHING
	    RETURNING id INTO transaction_id;
	fresh := FOUND;
	IF fresh THEN
		IF customer_status = 3 THEN
			RAISE EXCEPTION 'customer % is closed', p_customer
			    USING ERRCODE = 'YY002';
		END IF;
		INSERT INTO posting (transaction_id, account_id, amount_nano)
		    SELECT credit.transaction_id, a.id, p_amount
		    FROM ledger_account a WHERE a.customer_id = p_customer;
		INSERT INTO posting (transaction_id, account_id, amount_nano)
		    SELECT credit.transaction_id, a.id, -p_amount
		    FROM ledger_account a
		    WHERE a.kind = p_source AND a.customer_id IS NULL;
		UPDATE lease l SET granted_nano = l.granted_nano + p_amount
		    WHERE l.node_id = home AND l.customer_id = p_customer;
		INSERT INTO audit (actor, action, object, reason, change)
		    VALUES (p_actor, 'credit', 'customer:' || p_customer,
		    p_reason, jsonb_build_object('amount_nano', p_amount::text,
		    'source', p_source, 'transaction_id',
		    credit.transaction_id));
	ELSE
		SELECT t.id INTO transaction_id
		    FROM ledger_transaction t
		    JOIN posting p ON p.transaction_id = t.id
		    JOIN ledger_account a ON a.id = p.account_id
		    WHERE t.idempotency_key = p_key AND t.kind = 'credit'
		    AND t.customer_id = p_customer
		    AND a.kind = p_source AND p.amount_nano = -p_amount;
		IF NOT FOUND THEN
			RAISE EXCEPTION
			    'key "%" was used for another booking', p_key
			    USING ERRCODE = 'YY001';
		END IF;
	END IF;
	SELECT sum(l.granted_nano - l.spent_nano)::bigint INTO balance_nano
	    FROM lease l WHERE l.customer_id = p_customer;
END
$$;
COMMENT ON FUNCTION credit(text, bigint, bigint, text, text, text) IS 'Books money for a customer, once for a key, and grants it to the node.';

-- One partition a day (UTC).  True when it was made now.
CREATE FUNCTION call_partition_ensure(p_time timestamptz) RETURNS boolean
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp
    SET timezone = 'UTC' SET lock_timeout = '1s' AS $$
DECLARE
	first timestamptz := date_trunc('day', p_time);
	past timestamptz := first + interval '1 day';
	part text := 'call_' || to_char(first, 'YYYYMMDD');
BEGIN
	IF to_regclass('youyun.' || part) IS NOT NULL THEN
		RETURN false;
	END IF;
	-- Two at once would both find nothing.
	PERFORM pg_advisory_xact_lock(7954886219837402);
	IF to_regclass('youyun.' || part) IS NOT NULL THEN
		RETURN false;
	END IF;
	-- Rows of that day that came before their partition stay where they
	-- are; the default partition then keeps the whole day.
	IF EXISTS (SELECT 1 FROM call_other c
	    WHERE c.started_at >= first AND c.started_at < past) THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE %I PARTITION OF call
	    FOR VALUES FROM (%L) TO (%L)', part, first, past);
	EXECUTE format('CREATE TRIGGER append_only_truncate
	    BEFORE TRUNCATE ON %I
	    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part);
	EXECUTE format('COMMENT ON TABLE %I IS %L', part,
	    'Calls of one day (UTC). Operator: as for call.');
	RETURN true;
END
$$;
COMMENT ON FUNCTION call_partition_ensure(timestamptz) IS 'Makes the partition of call for the day of that time.';

-- Whatever waits for one of them, calls are booked meanwhile: there is a week
-- of them, and behind it the default partition.
CREATE FUNCTION call_partitions_ensure(p_time timestamptz) RETURNS bigint
    LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE youyun.call_partition_ensure(p_time
	    + n * interval '1 day')) FROM generate_series(0, 7) n
$$;
COMMENT ON FUNCTION call_partitions_ensure(timestamptz) IS 'Makes the partitions of call for a week from then on; how many.';
SELECT call_partitions_ensure(now());
