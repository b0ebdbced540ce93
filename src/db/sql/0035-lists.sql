-- Lists by page: each begins behind the last row of the page before and reads
-- not much more than it shows, however much there is.  An index has the order
-- of its list at its end, so that nothing is sorted.

-- Customers, active first, by name.
CREATE INDEX customer_list ON customer (status, name);

-- A customer's keys; a key by what it looks like.
CREATE INDEX api_key_list ON api_key (customer_id, id);
DROP INDEX api_key_customer_id;
CREATE INDEX api_key_hint ON api_key (hint);

-- Security events of a kind.
CREATE INDEX security_event_kind ON security_event (kind, id);

-- The audit trail from a time on, and of an object.
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_object_list ON audit (object, id);
DROP INDEX audit_object;

-- Payments of a customer, and from a time on.
CREATE INDEX payment_list ON payment (customer_id, transaction_id);
CREATE INDEX payment_received ON payment (received, transaction_id);
DROP INDEX payment_customer;

-- Requests about data by when they are due, the open ones and all.
CREATE INDEX data_request_list ON data_request (due, id);

-- The customers' API.  Of a view with a security barrier the planner doesn't
-- know what is ordered outside of it, and reads all of it; with the order
-- inside, and none outside, it stops after a page.  What belongs to a row is
-- looked up for the page's rows.
CREATE OR REPLACE VIEW my_call WITH (security_barrier) AS
	SELECT * FROM call c WHERE c.customer_id = my_customer()
	ORDER BY c.started_at DESC, c.request_id DESC;
COMMENT ON VIEW my_call IS 'The customer''s own calls, the newest first.';

CREATE OR REPLACE VIEW my_notice WITH (security_barrier) AS
	SELECT n.id, n.kind, n.detail, n.at, n.read_at
	FROM notice n WHERE n.customer_id = my_customer() ORDER BY n.id DESC;
COMMENT ON VIEW my_notice IS 'What the customer was told, the newest first.';

CREATE OR REPLACE VIEW my_ticket WITH (security_barrier) AS
	SELECT t.id, t.subject, t.state, t.created, t.changed,
	    t.call_request_id
	FROM ticket t WHERE t.customer_id = my_customer() ORDER BY t.id DESC;

CREATE OR REPLACE VIEW my_key WITH (security_barrier) AS
	SELECT k.id, k.name, k.hint, k.status, k.expires_at, k.created,
	    k.revoked, k.scope, coalesce(p.models, '{}') AS models,
	    coalesce(p.addresses, '{}')::text[] AS addresses,
	    coalesce(p.regions, '{}') AS regions, (SELECT u.last_used
	    FROM key_use u WHERE u.key_id = k.id) AS last_used
	FROM api_key k LEFT JOIN LATERAL (SELECT q.models, q.addresses,
	    q.regions FROM policy q WHERE q.id = k.policy_id LIMIT 1) p ON true
	WHERE k.customer_id = my_customer() ORDER BY k.id;

CREATE OR REPLACE VIEW my_topup WITH (security_barrier) AS
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
	LEFT JOIN LATERAL (SELECT q.package, q.price_minor, q.currency
	    FROM receipt q WHERE q.transaction_id = t.id LIMIT 1) r ON true
	LEFT JOIN LATERAL (SELECT q.id, q.hint FROM topup_code q
	    WHERE q.transaction_id = t.id LIMIT 1) c ON true
	LEFT JOIN LATERAL (SELECT q.id, q.method FROM payment q
	    WHERE q.transaction_id = t.id LIMIT 1) p ON true
	WHERE t.customer_id = my_customer() AND t.kind = 'credit'
	ORDER BY t.id DESC;

-- A list of batches doesn't count their codes, of which each has up to 10000.
CREATE TABLE code_count (
	batch_id bigint PRIMARY KEY REFERENCES code_batch,
	used integer NOT NULL DEFAULT 0 CHECK (used >= 0),
	revoked integer NOT NULL DEFAULT 0 CHECK (revoked >= 0)
) WITH (fillfactor = 80);
COMMENT ON TABLE code_count IS 'What became of the codes of a batch, for lists. Operator: controller, no personal data.';
COMMENT ON COLUMN code_count.batch_id IS 'The batch. Operator: controller.';
COMMENT ON COLUMN code_count.used IS 'How many of its codes were redeemed. Operator: controller.';
COMMENT ON COLUMN code_count.revoked IS 'How many of its codes were revoked one by one. Operator: controller.';
INSERT INTO code_count (batch_id, used, revoked)
    SELECT batch_id, count(used_at), count(revoked) FROM topup_code
    GROUP BY batch_id;

CREATE FUNCTION code_counted() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO code_count AS k (batch_id, used, revoked)
	    VALUES (NEW.batch_id,
	    (NEW.used_at IS NOT NULL AND OLD.used_at IS NULL)::int,
	    (NEW.revoked IS NOT NULL AND OLD.revoked IS NULL)::int)
	    ON CONFLICT (batch_id) DO UPDATE SET used = k.used
	    + excluded.used, revoked = k.revoked + excluded.revoked;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION code_counted() IS 'Trigger: keeps code_count.';
REVOKE ALL ON FUNCTION code_counted() FROM PUBLIC;
CREATE TRIGGER counted AFTER UPDATE ON topup_code FOR EACH ROW
    WHEN ((OLD.used_at IS NULL AND NEW.used_at IS NOT NULL)
    OR (OLD.revoked IS NULL AND NEW.revoked IS NOT NULL))
    EXECUTE FUNCTION code_counted();
GRANT SELECT ON code_count TO youyun_admin, youyun_billing, youyun_auditor;
