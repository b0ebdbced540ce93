-- By which keys the secrets in this database are sealed.  The keys themselves
-- are in the secrets file; a sealed text has its key's number in its second
-- byte (base/secret.h).

CREATE TABLE seal_key (
	id integer PRIMARY KEY CHECK (id BETWEEN 1 AND 255),
	made timestamptz NOT NULL DEFAULT clock_timestamp(),
	retired timestamptz
);
COMMENT ON TABLE seal_key IS 'The keys that ever sealed secrets of this database; the newest that is not retired does now. Operator: controller, no personal data.';
COMMENT ON COLUMN seal_key.id IS 'Its number in the secrets file. Operator: controller.';
COMMENT ON COLUMN seal_key.made IS 'When it began to seal. Operator: controller.';
COMMENT ON COLUMN seal_key.retired IS 'Since when nothing may be sealed by it; NULL: it is in use. Operator: controller.';
-- youyunctl init's.
INSERT INTO seal_key (id) VALUES (1);
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON seal_key
    FOR EACH ROW EXECUTE FUNCTION audit_change();

-- 0: nothing that a key of ours sealed.
CREATE FUNCTION sealed_by(p_sealed bytea) RETURNS integer LANGUAGE sql
    IMMUTABLE AS $$
	SELECT CASE WHEN octet_length(p_sealed) >= 30
	    AND get_byte(p_sealed, 0) = 2 THEN get_byte(p_sealed, 1)
	    ELSE 0 END
$$;
COMMENT ON FUNCTION sealed_by(bytea) IS 'The number of the key that sealed a text; 0: none of ours.';

-- Who seals read the secrets file a while ago.  The lock makes a retirement
-- wait for those that are not committed yet.
CREATE FUNCTION seal_check() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	sealed bytea;
	k seal_key;
BEGIN
	EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO sealed USING NEW;
	SELECT * INTO k FROM seal_key s WHERE s.id = sealed_by(sealed)
	    FOR SHARE;
	IF k.retired IS NOT NULL THEN
		RAISE EXCEPTION 'sealing key % is retired; the secrets file is not the one in use',
		    k.id USING ERRCODE = 'YY036';
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION seal_check() IS 'Trigger: refuses what a retired key sealed.';
CREATE TRIGGER seal_check BEFORE INSERT OR UPDATE OF credential
    ON channel_credential FOR EACH ROW
    EXECUTE FUNCTION seal_check('credential');
CREATE TRIGGER seal_check BEFORE INSERT OR UPDATE OF credential
    ON channel_proxy FOR EACH ROW EXECUTE FUNCTION seal_check('credential');
CREATE TRIGGER seal_check BEFORE INSERT OR UPDATE OF totp ON login
    FOR EACH ROW EXECUTE FUNCTION seal_check('totp');

-- Every sealed text: kind, number of its row, and whose: the channel's name,
-- which it is bound to, or the customer's number.
CREATE VIEW sealed AS
	SELECT 'credential' AS kind, r.id, c.name, r.credential AS text
	    FROM channel_credential r JOIN channel c ON c.id = r.channel_id
	UNION ALL
	SELECT 'proxy', r.id, c.name, r.credential
	    FROM channel_proxy r JOIN channel c ON c.id = r.channel_id
	    WHERE r.credential <> ''
	UNION ALL
	SELECT 'login', l.id, l.customer_id::text, l.totp FROM login l
	    WHERE l.totp IS NOT NULL;
COMMENT ON VIEW sealed IS 'All sealed texts, for youyunctl secret.';

CREATE FUNCTION seal_keys() RETURNS TABLE (id integer, made timestamptz,
    retired timestamptz, credentials bigint, proxies bigint, logins bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = youyun, pg_temp
    AS $$
	SELECT coalesce(k.id, s.id), k.made, k.retired,
	    coalesce(s.credentials, 0), coalesce(s.proxies, 0),
	    coalesce(s.logins, 0)
	    FROM seal_key k FULL JOIN (SELECT sealed_by(x.text) AS id,
	    count(*) FILTER (WHERE x.kind = 'credential') AS credentials,
	    count(*) FILTER (WHERE x.kind = 'proxy') AS proxies,
	    count(*) FILTER (WHERE x.kind = 'login') AS logins
	    FROM sealed x GROUP BY 1) s ON s.id = k.id
	    ORDER BY k.made DESC NULLS LAST
$$;
COMMENT ON FUNCTION seal_keys() IS 'The sealing keys, the newest first, and how much each has sealed; one of number 0 for what is not ours.';

-- Those of another key, locked until all are sealed anew.
CREATE FUNCTION seal_others(p_key integer) RETURNS SETOF sealed
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	PERFORM 1 FROM channel_credential r ORDER BY r.id FOR UPDATE;
	PERFORM 1 FROM channel_proxy r ORDER BY r.id FOR UPDATE;
	PERFORM 1 FROM login l WHERE l.totp IS NOT NULL ORDER BY l.id
	    FOR NO KEY UPDATE;
	RETURN QUERY SELECT * FROM sealed s
	    WHERE sealed_by(s.text) <> p_key ORDER BY s.kind, s.id;
END
$$;
COMMENT ON FUNCTION seal_others(integer) IS 'What other keys have sealed.';

-- The contents are the same: a credential's edition, by which workers know
-- how it fared, stays.
CREATE FUNCTION seal_put(p_kind text, p_id bigint, p_sealed bytea)
    RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = youyun, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	CASE p_kind
	WHEN 'credential' THEN
		UPDATE channel_credential r SET credential = p_sealed
		    WHERE r.id = p_id;
	WHEN 'proxy' THEN
		UPDATE channel_proxy r SET credential = p_sealed
		    WHERE r.id = p_id;
	WHEN 'login' THEN
		UPDATE login l SET totp = p_sealed
		    WHERE l.id = p_id AND l.totp IS NOT NULL;
	END CASE;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION seal_put(text, bigint, bytea) IS 'Puts the same secret, sealed anew, in its place.';

CREATE FUNCTION seal_use(p_key integer) RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	INSERT INTO seal_key AS k (id) VALUES (p_key) ON CONFLICT (id)
	    DO UPDATE SET made = clock_timestamp(), retired = NULL
$$;
COMMENT ON FUNCTION seal_use(integer) IS 'Notes that a key seals from now on.';

CREATE FUNCTION seal_retire(p_key integer) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	UPDATE seal_key k SET retired = now()
	    WHERE k.id = p_key AND k.retired IS NULL;
	-- Only now, after waiting for those that were sealing.
	SELECT count(*) INTO n FROM sealed s WHERE sealed_by(s.text) = p_key;
	IF n > 0 THEN
		RAISE EXCEPTION '% secrets are sealed by key %', n, p_key
		    USING ERRCODE = 'YY037';
	END IF;
END
$$;
COMMENT ON FUNCTION seal_retire(integer) IS 'Has nothing sealed by a key any more, unless something is.';

REVOKE ALL ON FUNCTION sealed_by(bytea), seal_check(), seal_keys(),
    seal_others(integer), seal_put(text, bigint, bytea), seal_use(integer),
    seal_retire(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_keys(), seal_others(integer),
    seal_put(text, bigint, bytea), seal_use(integer), seal_retire(integer)
    TO youyun_admin;
