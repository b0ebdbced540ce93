-- What people may do who don't need all of youyun_admin: youyun_billing moves
-- customers' money, youyun_support helps them and stops abuse, youyun_auditor
-- reads.  None of them sees a digest of a key or a sealed secret.

-- Readers of the directory and the books.
DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['node', 'node_state', 'customer_group',
	    'customer', 'model', 'price', 'group_model', 'call', 'lease',
	    'purse', 'pot', 'credit_package', 'ledger_account',
	    'ledger_transaction', 'posting', 'receipt', 'refund', 'taking',
	    'customer_money', 'model_match', 'journal_mark', 'bill_month',
	    'bill_month_reckoned'] LOOP
		EXECUTE format('GRANT SELECT ON %I TO youyun_billing,
		    youyun_support, youyun_auditor', t);
	END LOOP;
END
$$;
GRANT SELECT (id, customer_id, name, hint, status, expires_at, created,
    revoked) ON api_key TO youyun_billing, youyun_support, youyun_auditor;
GRANT SELECT (id, slot, name, protocol, status, region, entity) ON channel
    TO youyun_billing, youyun_support;
GRANT EXECUTE ON FUNCTION node_is_up(node_state), nodes_up(),
    expired_left(bigint) TO youyun_billing, youyun_support, youyun_auditor;

-- Billing: money, packages, what channels cost.
GRANT SELECT ON cost TO youyun_billing;
GRANT INSERT, UPDATE ON credit_package TO youyun_billing;
GRANT EXECUTE ON FUNCTION
    credit(text, bigint, bigint, text, text, text, timestamptz, bigint),
    credit_by_package(text, bigint, text, text, text),
    refund(text, timestamptz, uuid, bigint, text, text),
    refund_parts(bigint, bigint, bigint, timestamptz),
    adjust(text, bigint, bigint, text, text), taking_give_up(bigint)
    TO youyun_billing;

-- Support: suspends and resumes customers, keeps their contact and notes,
-- revokes keys.
GRANT UPDATE (status, contact, note) ON customer TO youyun_support;
GRANT UPDATE (status, revoked) ON api_key TO youyun_support;

-- An auditor recomputes everything: youyunctl verify.
GRANT SELECT ON node_segment, cost, channel_model,
    channel_group, channel, audit TO youyun_auditor;
GRANT SELECT (id, channel_id, slot, name, status, edition, created)
    ON channel_credential TO youyun_auditor;
GRANT SELECT (channel_id, host, port) ON channel_proxy TO youyun_auditor;
GRANT EXECUTE ON FUNCTION refund_parts(bigint, bigint, bigint, timestamptz)
    TO youyun_auditor;

-- A closed account stays closed, a revoked key revoked: whoever may suspend
-- must not undo what only an owner decides.
CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF session_user <> 'youyun_support' OR NEW.status = OLD.status THEN
		RETURN NEW;
	END IF;
	IF TG_TABLE_NAME = 'customer' AND 3 IN (OLD.status, NEW.status) THEN
		RAISE EXCEPTION 'only an owner closes or reopens a customer'
		    USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF TG_TABLE_NAME = 'api_key' AND OLD.status = 1 THEN
		RAISE EXCEPTION 'a revoked key stays revoked'
		    USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_reopening() IS 'Trigger: what support may not undo.';
REVOKE ALL ON FUNCTION refuse_reopening() FROM PUBLIC;
CREATE TRIGGER refuse_reopening BEFORE UPDATE OF status ON customer
    FOR EACH ROW EXECUTE FUNCTION refuse_reopening();
CREATE TRIGGER refuse_reopening BEFORE UPDATE OF status ON api_key
    FOR EACH ROW EXECUTE FUNCTION refuse_reopening();
