-- Moderation: a channel that is asked about the text of requests before they
-- are forwarded.  What was asked and what it said is never kept, only which of
-- a few outcomes it had.

CREATE TABLE moderation (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	group_id bigint UNIQUE REFERENCES customer_group,
	channel_id bigint NOT NULL REFERENCES channel,
	model text NOT NULL CHECK (octet_length(model) BETWEEN 1 AND 127),
	action smallint NOT NULL CHECK (action BETWEEN 0 AND 1),
	closed boolean NOT NULL,
	timeout_ms integer NOT NULL CHECK (timeout_ms BETWEEN 50 AND 60000)
);
CREATE UNIQUE INDEX moderation_of_all ON moderation ((group_id IS NULL))
    WHERE group_id IS NULL;
COMMENT ON TABLE moderation IS 'Which channel judges requests before they are forwarded. Operator: controller (safety), no personal data.';
COMMENT ON COLUMN moderation.id IS 'Number of the row, for the audit trail. Operator: controller.';
COMMENT ON COLUMN moderation.group_id IS 'Whose calls; NULL: those of all groups without a row of their own. Operator: controller.';
COMMENT ON COLUMN moderation.channel_id IS 'The channel that is asked. Operator: controller.';
COMMENT ON COLUMN moderation.model IS 'The model there. Operator: controller.';
COMMENT ON COLUMN moderation.action IS '0 a call that is judged unfit is marked, 1 it is refused (enum screen_action). Operator: controller.';
COMMENT ON COLUMN moderation.closed IS 'Without an answer calls are refused; false: they are forwarded. Operator: controller.';
COMMENT ON COLUMN moderation.timeout_ms IS 'How long an answer is waited for. Operator: controller.';

-- Only they have the route that is asked.
CREATE FUNCTION moderation_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM youyun.channel c
	    WHERE c.id = NEW.channel_id AND c.protocol = 1) THEN
		RAISE EXCEPTION 'a channel of another protocol cannot moderate'
		    USING ERRCODE = 'YY038';
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION moderation_channel() IS 'Trigger: channels of the OpenAI protocol moderate.';
REVOKE ALL ON FUNCTION moderation_channel() FROM PUBLIC;
CREATE TRIGGER moderation_channel BEFORE INSERT OR UPDATE ON moderation
    FOR EACH ROW EXECUTE FUNCTION moderation_channel();
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON moderation
    FOR EACH ROW EXECUTE FUNCTION audit_change();
CREATE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON moderation
    FOR EACH ROW EXECUTE FUNCTION tell_change();

ALTER TABLE call ADD COLUMN moderation integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN call.moderation IS 'What became of asking about it: 0 nobody was asked, 1 passed, 2 flagged, 3 blocked, 4 no answer and forwarded, 5 no answer and refused (enum moderation_status). Operator: processor (safety), no content.';

-- With the new column.
CREATE OR REPLACE VIEW my_call WITH (security_barrier) AS
	SELECT * FROM call c WHERE c.customer_id = my_customer();

CREATE OR REPLACE VIEW my_export_calls WITH (security_barrier) AS
	SELECT c.started_at AS k, c.request_id AS k2,
	    'req_' || replace(c.request_id::text, '-', '') AS request_id,
	    iso_time(c.started_at) AS time, c.route, (SELECT m.name
	    FROM model m WHERE m.id = c.model_id) AS model, c.key_id,
	    c.status, c.error, c.input_tokens, c.output_tokens,
	    c.cache_read_tokens, c.cache_write_5m_tokens,
	    c.cache_write_1h_tokens, c.reasoning_tokens,
	    c.input_audio_tokens, c.output_audio_tokens,
	    c.input_image_tokens, c.output_image_tokens,
	    c.cache_read_audio_tokens, c.images, c.calls, c.milliseconds,
	    c.characters, c.tool_calls, amount_text(c.fee_nano) AS fee,
	    c.multiplier_ppm, c.price_version,
	    c.ledger_transaction_id AS booking, c.request_bytes,
	    c.answer_bytes, c.total_ms,
	    (SELECT h.region FROM channel h WHERE h.id = c.channel_id)
	    AS region, host(c.address) AS address, c.agent AS user_agent,
	    (ARRAY['passed', 'flagged', 'blocked', 'forwarded without an answer',
	    'refused without an answer'])[c.moderation] AS moderation
	FROM call c WHERE c.customer_id = my_customer();

GRANT SELECT ON moderation TO youyun_flusher, youyun_support, youyun_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON moderation TO youyun_admin;
