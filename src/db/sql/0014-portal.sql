-- The customers' own API.  What the portal may see is one customer's: views and
-- functions that look at the transaction's setting youyun.customer, which the
-- portal sets when it has recognised a key.  It reads no other table but what
-- is anybody's to know.

ALTER TABLE api_key ADD COLUMN scope smallint NOT NULL DEFAULT 0
    CHECK (scope BETWEEN 0 AND 1);
COMMENT ON COLUMN api_key.scope IS '0 calls only, 1 the account too: its keys, bills and data. Operator: controller.';
GRANT SELECT (scope) ON api_key TO youyun_billing, youyun_support,
    youyun_auditor;

CREATE FUNCTION my_customer() RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT nullif(current_setting('youyun.customer', true), '')::bigint
$$;
COMMENT ON FUNCTION my_customer() IS 'Whose data this transaction may see; NULL: nobody''s.';

CREATE VIEW my_account WITH (security_barrier) AS
	SELECT c.id, c.name, c.status, g.name AS group_name, g.multiplier_ppm,
	    c.contact, c.created, c.group_id,
	    coalesce(m.granted_nano, 0) AS granted_nano,
	    coalesce(m.spent_nano, 0) AS spent_nano
	FROM customer c
	JOIN customer_group g ON g.id = c.group_id
	LEFT JOIN customer_money m ON m.customer_id = c.id
	WHERE c.id = my_customer();
COMMENT ON VIEW my_account IS 'The customer''s own account.';

CREATE VIEW my_pot WITH (security_barrier) AS
	SELECT p.account_id, p.paid, p.expires_at, p.left_nano
	FROM pot p WHERE p.customer_id = my_customer() AND p.left_nano > 0;
COMMENT ON VIEW my_pot IS 'What is left of the customer''s credit, by expiry.';

CREATE VIEW my_key WITH (security_barrier) AS
	SELECT k.id, k.name, k.hint, k.status, k.expires_at, k.created,
	    k.revoked, k.scope
	FROM api_key k WHERE k.customer_id = my_customer();
COMMENT ON VIEW my_key IS 'The customer''s own keys, without digests.';

CREATE VIEW my_call WITH (security_barrier) AS
	SELECT * FROM call c WHERE c.customer_id = my_customer();
COMMENT ON VIEW my_call IS 'The customer''s own calls.';

CREATE VIEW my_booking WITH (security_barrier) AS
	SELECT p.transaction_id AS id, t.kind, t.at, t.calls,
	    sum(p.amount_nano)::bigint AS amount_nano
	FROM ledger_account a
	JOIN posting p ON p.account_id = a.id
	JOIN ledger_transaction t ON t.id = p.transaction_id
	WHERE a.customer_id = my_customer()
	GROUP BY p.transaction_id, t.kind, t.at, t.calls;
COMMENT ON VIEW my_booking IS 'Bookings on the customer''s own accounts, of all pots together.';

CREATE VIEW my_bill WITH (security_barrier) AS
	SELECT b.month, b.credited_nano, b.calls_nano, b.change_nano,
	    b.first_id, b.last_id
	FROM bill_month b WHERE b.customer_id = my_customer()
	ORDER BY b.month DESC;
COMMENT ON VIEW my_bill IS 'The customer''s bills by month, the latest first.';

CREATE VIEW my_limit WITH (security_barrier) AS
	SELECT l.scope, l.object_id, l.requests, l.tokens, l.concurrent
	FROM rate_limit l WHERE
	    (l.scope = 0 AND EXISTS (SELECT 1 FROM api_key k
	    WHERE k.id = l.object_id AND k.customer_id = my_customer())) OR
	    (l.scope = 1 AND l.object_id = my_customer()) OR
	    (l.scope = 3 AND l.object_id = (SELECT c.group_id FROM customer c
	    WHERE c.id = my_customer()));
COMMENT ON VIEW my_limit IS 'Limits of the customer and of its keys.';

CREATE VIEW my_notice WITH (security_barrier) AS
	SELECT n.id, n.kind, n.detail, n.at, n.read_at
	FROM notice n WHERE n.customer_id = my_customer();
COMMENT ON VIEW my_notice IS 'What the customer was told.';

-- Whose key is it?  Any state: the portal says why it refuses.
CREATE FUNCTION portal_key(p_digest bytea, OUT key_id bigint,
    OUT customer_id bigint, OUT scope bigint, OUT key_status bigint,
    OUT expires_at timestamptz, OUT customer_status bigint)
    RETURNS SETOF record LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT k.id, k.customer_id, k.scope::bigint, k.status::bigint,
	    k.expires_at, c.status::bigint
	FROM api_key k JOIN customer c ON c.id = k.customer_id
	WHERE k.digest = p_digest;
$$;
COMMENT ON FUNCTION portal_key(bytea) IS 'A key by its digest.';

-- Raises YY010 when there are as many as may be.
CREATE FUNCTION my_key_create(p_name text, p_digest bytea, p_hint text,
    p_expires timestamptz, p_scope bigint) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	id bigint;
BEGIN
	IF my_customer() IS NULL THEN
		RAISE EXCEPTION 'nobody asks'
		    USING ERRCODE = 'insufficient_privilege';
	END IF;
	-- Two at once count one after the other.
	PERFORM 1 FROM customer c WHERE c.id = my_customer() FOR UPDATE;
	IF (SELECT count(*) FROM api_key k WHERE k.customer_id = my_customer()
	    AND k.status = 0) >= 1000 THEN
		RAISE EXCEPTION 'there are 1000 keys already'
		    USING ERRCODE = 'YY010';
	END IF;
	INSERT INTO api_key (customer_id, name, digest, hint, expires_at,
	    scope) VALUES (my_customer(), p_name, p_digest, p_hint, p_expires,
	    p_scope) RETURNING api_key.id INTO id;
	RETURN id;
END
$$;
COMMENT ON FUNCTION my_key_create(text, bytea, text, timestamptz, bigint) IS 'Adds a key to the customer''s own.';

-- 0 when there is no such key, or it is revoked.
CREATE FUNCTION my_key_change(p_id bigint, p_name text,
    p_set_expires boolean, p_expires timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	WITH done AS (UPDATE api_key k SET name = coalesce(p_name, k.name),
	    expires_at = CASE WHEN p_set_expires THEN p_expires
		ELSE k.expires_at END
	    WHERE k.id = p_id AND k.customer_id = my_customer()
	    AND k.status = 0 RETURNING 1)
	SELECT count(*) FROM done;
$$;
COMMENT ON FUNCTION my_key_change(bigint, text, boolean, timestamptz) IS 'Changes one of the customer''s own keys.';

CREATE FUNCTION my_key_revoke(p_id bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	WITH done AS (UPDATE api_key k SET status = 1, revoked = now()
	    WHERE k.id = p_id AND k.customer_id = my_customer()
	    AND k.status <> 1 RETURNING 1)
	SELECT count(*) FROM done;
$$;
COMMENT ON FUNCTION my_key_revoke(bigint) IS 'Revokes one of the customer''s own keys.';

CREATE FUNCTION my_notice_read(p_id bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	WITH done AS (UPDATE notice n SET read_at = coalesce(n.read_at, now())
	    WHERE n.id = p_id AND n.customer_id = my_customer() RETURNING 1)
	SELECT count(*) FROM done;
$$;
COMMENT ON FUNCTION my_notice_read(bigint) IS 'Marks one of the customer''s own notices as read.';

REVOKE ALL ON FUNCTION my_customer(), portal_key(bytea),
    my_key_create(text, bytea, text, timestamptz, bigint),
    my_key_change(bigint, text, boolean, timestamptz), my_key_revoke(bigint),
    my_notice_read(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_customer(), portal_key(bytea),
    my_key_create(text, bytea, text, timestamptz, bigint),
    my_key_change(bigint, text, boolean, timestamptz), my_key_revoke(bigint),
    my_notice_read(bigint) TO youyun_portal;
GRANT SELECT ON my_account, my_pot, my_key, my_call, my_booking, my_bill, my_limit,
    my_notice TO youyun_portal;

-- What earlier migrations let it see of everybody; with a table go its columns.
REVOKE ALL ON lease, call, ledger_account, ledger_transaction, posting,
    customer, api_key, pot, receipt, refund, purse, customer_money,
    customer_group, group_model FROM youyun_portal;
