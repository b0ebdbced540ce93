-- How much of the gateway may be used: requests and tokens a minute, calls at
-- once, by key, customer and group.

CREATE TABLE rate_limit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope smallint NOT NULL CHECK (scope BETWEEN 0 AND 3),
	object_id bigint NOT NULL,
	requests integer NOT NULL DEFAULT 0
	    CHECK (requests BETWEEN 0 AND 10000000),
	tokens bigint NOT NULL DEFAULT 0
	    CHECK (tokens BETWEEN 0 AND 1000000000000),
	concurrent integer NOT NULL DEFAULT 0
	    CHECK (concurrent BETWEEN 0 AND 1000000),
	UNIQUE (scope, object_id)
);
COMMENT ON TABLE rate_limit IS 'Limits of use; 0 or no row: none. All that concern a call hold, the tightest refuses. Never deleted, only set to 0. Operator: controller, no personal data.';
COMMENT ON COLUMN rate_limit.id IS 'Number of the row, for the audit trail. Operator: controller.';
COMMENT ON COLUMN rate_limit.scope IS '0 one key, 1 one customer, 2 a group as a whole, 3 each customer of a group that has no limits of its own. Operator: controller.';
COMMENT ON COLUMN rate_limit.object_id IS 'The key, customer or group. Operator: controller.';
COMMENT ON COLUMN rate_limit.requests IS 'Calls a minute. Operator: controller.';
COMMENT ON COLUMN rate_limit.tokens IS 'Tokens a minute, of input and output. Operator: controller.';
COMMENT ON COLUMN rate_limit.concurrent IS 'Calls at once. Operator: controller.';

CREATE FUNCTION tell_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE NEW.scope
	WHEN 0 THEN
		PERFORM pg_notify('youyun', 'key:' || NEW.object_id);
	WHEN 1 THEN
		PERFORM pg_notify('youyun', 'customer:' || NEW.object_id);
	WHEN 2 THEN
		PERFORM pg_notify('youyun', 'group:' || NEW.object_id);
	ELSE
		PERFORM pg_notify('youyun', 'members:' || NEW.object_id);
	END CASE;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION tell_limit() IS 'Trigger: notifies the flusher whose limits to read again.';
REVOKE ALL ON FUNCTION tell_limit() FROM PUBLIC;
CREATE TRIGGER tell_limit AFTER INSERT OR UPDATE ON rate_limit
    FOR EACH ROW EXECUTE FUNCTION tell_limit();
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON rate_limit
    FOR EACH ROW EXECUTE FUNCTION audit_change();

GRANT SELECT ON rate_limit TO youyun_flusher, youyun_billing, youyun_support,
    youyun_auditor;
GRANT SELECT, INSERT, UPDATE ON rate_limit TO youyun_admin;
