-- Who reads customers' data is audited like who changes it: which command, of
-- whom, by whom; nothing of what was shown.

CREATE FUNCTION access_note(p_actor text, p_reason text, p_kind text,
    p_who text, p_number bigint, p_detail jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	whose bigint;
	object text := 'customers';
	detail jsonb := p_detail;
BEGIN
	CASE p_kind
	WHEN 'customer' THEN
		-- As youyunctl finds one.
		SELECT c.id INTO whose FROM customer c WHERE c.name = p_who
		    OR c.id = p_number ORDER BY c.name = p_who DESC LIMIT 1;
		IF whose IS NULL THEN
			-- There is nothing to be shown.
			RETURN 0;
		END IF;
	WHEN 'key' THEN
		-- Several may look alike: then it is told of all.
		SELECT min(k.customer_id), detail || jsonb_build_object('key',
		    min(k.id)) INTO whose, detail FROM api_key k
		    WHERE k.id = p_number OR k.hint = p_who
		    HAVING count(*) = 1;
	WHEN 'ticket' THEN
		SELECT t.customer_id INTO whose FROM ticket t
		    WHERE t.id = p_number;
	WHEN 'incident' THEN
		IF p_number = 0 THEN
			RETURN 0;
		END IF;
		object := 'incident:' || p_number;
	WHEN 'all' THEN
		NULL;
	END CASE;
	IF whose IS NOT NULL THEN
		object := 'customer:' || whose;
	END IF;
	INSERT INTO audit (actor, action, object, reason, change)
	    VALUES (coalesce(nullif(p_actor, ''), session_user), 'read',
	    object, p_reason, coalesce(detail, p_detail));
	RETURN 1;
END
$$;
COMMENT ON FUNCTION access_note(text, text, text, text, bigint, jsonb) IS 'Writes an audit entry that says who read whose data; 0: there is no such customer.';
COMMENT ON COLUMN audit.action IS 'What was done: table.insert, table.update, table.delete, credit, read. Operator: controller.';
COMMENT ON TABLE audit IS 'Every administrative change, and every reading of customers'' data. Append-only. Operator: controller (accountability).';

REVOKE ALL ON FUNCTION access_note(text, text, text, text, bigint, jsonb)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access_note(text, text, text, text, bigint, jsonb)
    TO youyun_admin, youyun_billing, youyun_support, youyun_auditor;

-- The flusher anchors the tree's head.
GRANT SELECT ON audit_link TO youyun_flusher;
