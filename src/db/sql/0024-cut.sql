-- Suspended now: calls that are going on end, too.

ALTER TABLE customer ADD COLUMN cut boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN customer.cut IS 'Whether a suspended customer''s open calls are ended. Operator: controller (security).';
GRANT SELECT (cut) ON customer TO youyun_flusher;
GRANT UPDATE (cut) ON customer TO youyun_support;

INSERT INTO event_kind (name, severity, purpose) VALUES
    ('customer_suspended', 2, 'A customer''s calls are refused from now on, by somebody of the staff or by a rule.'),
    ('customer_resumed', 1, 'A suspended customer''s calls are accepted again.');
INSERT INTO notice_kind (name, mailed, purpose) VALUES
    ('suspended', true, 'Calls are refused, and why.'),
    ('resumed', true, 'Calls are accepted again.');

-- Whoever changes it, and by whatever tool.
CREATE FUNCTION note_status() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	detail jsonb := jsonb_build_object('reason',
	    left(coalesce(current_setting('youyun.reason', true), ''), 1000),
	    'actor', left(my_actor(), 200));
BEGIN
	IF NEW.status = 2 AND OLD.status <> 2 THEN
		PERFORM security_event_add('customer_suspended', NEW.id, NULL,
		    NULL, detail || jsonb_build_object('now', NEW.cut));
		PERFORM notice_add(NEW.id, 'suspended', detail - 'actor');
	ELSIF OLD.status = 2 AND NEW.status IN (0, 1) THEN
		PERFORM security_event_add('customer_resumed', NEW.id, NULL,
		    NULL, detail);
		PERFORM notice_add(NEW.id, 'resumed', detail - 'actor');
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION note_status() IS 'Trigger: a suspension is a security event, and the customer is told.';
REVOKE ALL ON FUNCTION note_status() FROM PUBLIC;
CREATE TRIGGER note_status AFTER UPDATE OF status ON customer
    FOR EACH ROW WHEN (NEW.status <> OLD.status)
    EXECUTE FUNCTION note_status();
