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
