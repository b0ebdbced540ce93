-- What many parts tell: notices to customers and security events.  Kinds are
-- rows, so that a part that has something new to tell adds its kind.

CREATE TABLE notice_kind (
	name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z_]{0,63}$'),
	mailed boolean NOT NULL,
	purpose text NOT NULL
);
COMMENT ON TABLE notice_kind IS 'What customers are told of. Operator: controller, no personal data.';
COMMENT ON COLUMN notice_kind.name IS 'Its short name, stable. Operator: controller.';
COMMENT ON COLUMN notice_kind.mailed IS 'Whether it goes by mail too, where the customer has an address. Operator: controller.';
COMMENT ON COLUMN notice_kind.purpose IS 'Why it is told. Operator: controller.';

CREATE TABLE notice (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL REFERENCES customer,
	kind text NOT NULL REFERENCES notice_kind,
	detail jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(detail::text)
	    <= 16384),
	at timestamptz NOT NULL DEFAULT now(),
	read_at timestamptz,
	mail_state smallint NOT NULL DEFAULT 0 CHECK (mail_state BETWEEN 0
	    AND 3),
	mail_at timestamptz,
	mail_tries smallint NOT NULL DEFAULT 0
);
CREATE INDEX notice_customer ON notice (customer_id, id);
CREATE INDEX notice_mail ON notice (id) WHERE mail_state = 1;
COMMENT ON TABLE notice IS 'What one customer was told, or is to be. Operator: controller (contract).';
COMMENT ON COLUMN notice.id IS 'Number of the notice. Operator: controller.';
COMMENT ON COLUMN notice.customer_id IS 'Whom it is for. Operator: controller.';
COMMENT ON COLUMN notice.kind IS 'What it is about; the text is made from it and detail, in the customer''s language. Operator: controller.';
COMMENT ON COLUMN notice.detail IS 'Names, numbers and amounts (as decimal strings) for the text. Operator: controller.';
COMMENT ON COLUMN notice.at IS 'When it came up. Operator: controller.';
COMMENT ON COLUMN notice.read_at IS 'When the customer saw it; NULL: not yet. Operator: controller.';
COMMENT ON COLUMN notice.mail_state IS '0 not by mail, 1 to be sent, 2 handed to the mail system, 3 given up. Operator: controller.';
COMMENT ON COLUMN notice.mail_at IS 'When mail was last tried. Operator: controller.';
COMMENT ON COLUMN notice.mail_tries IS 'How often. Operator: controller.';

CREATE TABLE event_kind (
	name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z_]{0,63}$'),
	severity smallint NOT NULL CHECK (severity BETWEEN 0 AND 3),
	purpose text NOT NULL
);
COMMENT ON TABLE event_kind IS 'What counts as a security event. Operator: controller, no personal data.';
COMMENT ON COLUMN event_kind.name IS 'Its short name, stable. Operator: controller.';
COMMENT ON COLUMN event_kind.severity IS '0 note, 1 low, 2 high, 3 urgent. Operator: controller.';
COMMENT ON COLUMN event_kind.purpose IS 'What it means. Operator: controller.';

CREATE TABLE security_event (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	kind text NOT NULL REFERENCES event_kind,
	customer_id bigint REFERENCES customer,
	key_id bigint,
	address inet,
	detail jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(detail::text)
	    <= 4096)
);
CREATE INDEX security_event_at ON security_event (at, id);
CREATE INDEX security_event_customer ON security_event (customer_id, id)
    WHERE customer_id IS NOT NULL;
COMMENT ON TABLE security_event IS 'What rules and refusals found. Append-only, kept for the retention time of security logs. Operator: controller (security).';
COMMENT ON COLUMN security_event.id IS 'Number of the event. Operator: controller.';
COMMENT ON COLUMN security_event.at IS 'When. Operator: controller.';
COMMENT ON COLUMN security_event.kind IS 'What happened. Operator: controller.';
COMMENT ON COLUMN security_event.customer_id IS 'Whose account; NULL: nobody''s. Operator: controller.';
COMMENT ON COLUMN security_event.key_id IS 'By which key; NULL: none. Operator: controller.';
COMMENT ON COLUMN security_event.address IS 'From where; NULL: not told. Operator: processor for the customer''s users.';
COMMENT ON COLUMN security_event.detail IS 'Counts and thresholds, and what was done. Operator: controller.';

CREATE FUNCTION notice_add(p_customer bigint, p_kind text, p_detail jsonb)
    RETURNS bigint LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	INSERT INTO notice (customer_id, kind, detail, mail_state)
	    SELECT p_customer, k.name, p_detail, k.mailed::int
	    FROM notice_kind k WHERE k.name = p_kind
	    RETURNING id;
$$;
COMMENT ON FUNCTION notice_add(bigint, text, jsonb) IS 'Tells a customer something; NULL: there is no such kind.';

CREATE FUNCTION security_event_add(p_kind text, p_customer bigint,
    p_key bigint, p_address inet, p_detail jsonb)
    RETURNS bigint LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	INSERT INTO security_event (kind, customer_id, key_id, address, detail)
	    VALUES (p_kind, p_customer, p_key, p_address,
	    coalesce(p_detail, '{}'))
	    RETURNING id;
$$;
COMMENT ON FUNCTION security_event_add(text, bigint, bigint, inet, jsonb) IS 'Writes a security event down.';

CREATE TRIGGER append_only BEFORE UPDATE ON security_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

GRANT USAGE ON SCHEMA youyun TO youyun_billing, youyun_support,
    youyun_auditor;
GRANT SELECT ON schema_version TO youyun_billing, youyun_support,
    youyun_auditor;
REVOKE ALL ON FUNCTION notice_add(bigint, text, jsonb),
    security_event_add(text, bigint, bigint, inet, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notice_add(bigint, text, jsonb),
    security_event_add(text, bigint, bigint, inet, jsonb)
    TO youyun_admin, youyun_flusher;
GRANT SELECT ON notice_kind, notice, event_kind, security_event
    TO youyun_admin, youyun_support, youyun_auditor;
GRANT SELECT ON notice_kind, notice, event_kind TO youyun_flusher;
