-- The audit trail as a hash chain.  Entries are linked in the order in which
-- the flusher sees them, within about a second of their commit, and not by the
-- transactions that write them: these would have to wait for each other, and
-- who waits while it holds a customer's row waits for ever sooner or later.

CREATE TABLE audit_link (
	seq bigint PRIMARY KEY CHECK (seq > 0),
	audit_id bigint NOT NULL UNIQUE,
	detail bytea NOT NULL CHECK (octet_length(detail) = 32),
	leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
	chain bytea NOT NULL CHECK (octet_length(chain) = 32)
);
COMMENT ON TABLE audit_link IS 'Links each audit entry to all before it; youyunctl audit verify computes it anew. Append-only. Operator: controller (accountability).';
COMMENT ON COLUMN audit_link.seq IS 'Its place in the chain, without gaps. Operator: controller.';
COMMENT ON COLUMN audit_link.audit_id IS 'The entry. Operator: controller.';
COMMENT ON COLUMN audit_link.detail IS 'SHA-256 of reason and change, which an erasure blanks. Operator: controller.';
COMMENT ON COLUMN audit_link.leaf IS 'SHA-256 of the entry with that. Operator: controller.';
COMMENT ON COLUMN audit_link.chain IS 'SHA-256 of the chain before it and the leaf. Operator: controller.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_link
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_link
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Length, colon, bytes: no two lists of texts have the same.
CREATE FUNCTION netstring(p_text text) RETURNS bytea LANGUAGE sql IMMUTABLE
    AS $$
	SELECT convert_to(octet_length(convert_to(p_text, 'UTF8')) || ':'
	    || p_text, 'UTF8')
$$;
COMMENT ON FUNCTION netstring(text) IS 'A text so that it can be joined with others and told apart.';

-- As admin/audit_chain.c computes it.
CREATE FUNCTION audit_seal() RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	a audit;
	last audit_link;
	done bigint := 0;
	low bigint;
	d bytea;
	l bytea;
BEGIN
	-- Of several nodes one links; the others' entries wait for it.
	IF NOT pg_try_advisory_xact_lock(8245013977120001) THEN
		RETURN 0;
	END IF;
	SELECT * INTO last FROM audit_link k ORDER BY k.seq DESC LIMIT 1;
	IF last.seq IS NULL THEN
		last.seq := 0;
		last.chain := decode(repeat('00', 32), 'hex');
	END IF;
	-- One that was committed late has a number that others have passed.
	low := coalesce(last.audit_id - 10000, 0);
	-- Both bounded, or all links would be read each time.
	FOR a IN SELECT x.* FROM audit x WHERE x.id IN (SELECT y.id
	    FROM audit y WHERE y.id > low EXCEPT SELECT k.audit_id
	    FROM audit_link k WHERE k.audit_id > low)
	    ORDER BY x.id LIMIT 1000 LOOP
		d := sha256(netstring(a.reason) || netstring(a.change::text));
		l := sha256(decode('00', 'hex') || netstring(a.id::text)
		    || netstring((extract(epoch FROM a.at) * 1000000)::bigint
		    ::text) || netstring(a.actor) || netstring(a.role)
		    || netstring(a.action) || netstring(a.object)
		    || netstring(encode(d, 'hex')));
		last.seq := last.seq + 1;
		last.chain := sha256(last.chain || l);
		INSERT INTO audit_link (seq, audit_id, detail, leaf, chain)
		    VALUES (last.seq, a.id, d, l, last.chain);
		done := done + 1;
	END LOOP;
	RETURN done;
END
$$;
COMMENT ON FUNCTION audit_seal() IS 'Links audit entries that are not yet; how many.';

REVOKE ALL ON FUNCTION netstring(text), audit_seal() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_seal() TO youyun_flusher, youyun_admin,
    youyun_auditor;
GRANT SELECT ON audit_link TO youyun_admin, youyun_auditor;
