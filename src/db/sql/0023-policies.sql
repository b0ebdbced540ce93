-- What keys and customers may do where it is less than everything: models,
-- networks to call from, regions to be processed in.  Equal policies are one
-- row, so that any number of keys cost the segment one entry.

CREATE TABLE policy (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	models text[] NOT NULL CHECK (cardinality(models) <= 64),
	addresses cidr[] NOT NULL CHECK (cardinality(addresses) <= 64),
	regions text[] NOT NULL CHECK (cardinality(regions) <= 16),
	UNIQUE (models, addresses, regions)
);
COMMENT ON TABLE policy IS 'What a key or customer may do; an empty list allows all. Never changed: another policy is another row. Operator: processor (the customer''s instruction).';
COMMENT ON COLUMN policy.id IS 'Number of the policy. Operator: controller.';
COMMENT ON COLUMN policy.models IS 'Names and patterns of models, in order. Operator: controller.';
COMMENT ON COLUMN policy.addresses IS 'Networks that calls may come from. Operator: processor for the customer''s users.';
COMMENT ON COLUMN policy.regions IS 'Where calls may be processed. Operator: processor (the customer''s instruction).';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON policy
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE api_key ADD COLUMN policy_id integer REFERENCES policy;
ALTER TABLE customer ADD COLUMN policy_id integer REFERENCES policy;
COMMENT ON COLUMN api_key.policy_id IS 'What the key may do; NULL: all that its customer may. Operator: controller.';
COMMENT ON COLUMN customer.policy_id IS 'What the customer may do; NULL: everything. Operator: processor (the customer''s instruction).';

-- The policy of these lists, made if there is none; NULL keeps the list of
-- the former one.  NULL: everything is allowed.
CREATE FUNCTION policy_change(p_former integer, p_models text[],
    p_addresses text[], p_regions text[]) RETURNS integer LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	f policy;
	m text[];
	a cidr[];
	r text[];
	found integer;
BEGIN
	SELECT * INTO f FROM policy p WHERE p.id = p_former;
	SELECT coalesce(array_agg(DISTINCT x ORDER BY x), '{}') INTO m
	    FROM unnest(coalesce(p_models, f.models, '{}')) x;
	SELECT coalesce(array_agg(DISTINCT network(x::inet)::cidr
	    ORDER BY network(x::inet)::cidr), '{}') INTO a
	    FROM unnest(coalesce(p_addresses, f.addresses::text[], '{}')) x;
	SELECT coalesce(array_agg(DISTINCT x ORDER BY x), '{}') INTO r
	    FROM unnest(coalesce(p_regions, f.regions, '{}')) x;
	IF cardinality(m) + cardinality(a) + cardinality(r) = 0 THEN
		RETURN NULL;
	END IF;
	INSERT INTO policy (models, addresses, regions) VALUES (m, a, r)
	    ON CONFLICT (models, addresses, regions) DO NOTHING;
	SELECT p.id INTO found FROM policy p
	    WHERE p.models = m AND p.addresses = a AND p.regions = r;
	RETURN found;
END
$$;
COMMENT ON FUNCTION policy_change(integer, text[], text[], text[]) IS 'The number of the policy with these lists.';

-- The flusher must have the policy before whoever it bounds.
CREATE FUNCTION tell_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('youyun', 'policy:' || NEW.policy_id);
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION tell_policy() IS 'Trigger: notifies the flusher that a policy is in use.';
REVOKE ALL ON FUNCTION tell_policy() FROM PUBLIC;
CREATE TRIGGER tell_policy AFTER INSERT OR UPDATE OF policy_id ON api_key
    FOR EACH ROW WHEN (NEW.policy_id IS NOT NULL)
    EXECUTE FUNCTION tell_policy();
CREATE TRIGGER tell_policy AFTER INSERT OR UPDATE OF policy_id ON customer
    FOR EACH ROW WHEN (NEW.policy_id IS NOT NULL)
    EXECUTE FUNCTION tell_policy();
CREATE INDEX api_key_policy ON api_key (policy_id)
    WHERE policy_id IS NOT NULL;
CREATE INDEX customer_policy ON customer (policy_id)
    WHERE policy_id IS NOT NULL;

ALTER TABLE api_key ADD COLUMN rotated_from bigint REFERENCES api_key;
COMMENT ON COLUMN api_key.rotated_from IS 'The key that it replaced; NULL: none. Operator: controller.';

-- Another secret for the same purpose; the former one works until the overlap
-- ends.  Raises P0002 when there is no such key, YY017 when it is revoked.
CREATE FUNCTION key_rotate(p_id bigint, p_digest bytea, p_hint text,
    p_overlap_s bigint) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	k api_key;
	fresh bigint;
BEGIN
	SELECT * INTO k FROM api_key x WHERE x.id = p_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no key %', p_id
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF k.status <> 0 THEN
		RAISE EXCEPTION 'key % is revoked', p_id
		    USING ERRCODE = 'YY017';
	END IF;
	INSERT INTO api_key (customer_id, name, digest, hint, expires_at,
	    scope, policy_id, rotated_from) VALUES (k.customer_id, k.name,
	    p_digest, p_hint, k.expires_at, k.scope, k.policy_id, p_id)
	    RETURNING id INTO fresh;
	IF p_overlap_s = 0 THEN
		UPDATE api_key x SET status = 1, revoked = now()
		    WHERE x.id = p_id;
	ELSE
		UPDATE api_key x SET expires_at = least(coalesce(x.expires_at,
		    'infinity'), now() + p_overlap_s * interval '1 second')
		    WHERE x.id = p_id;
	END IF;
	RETURN fresh;
END
$$;
COMMENT ON FUNCTION key_rotate(bigint, bytea, text, bigint) IS 'Replaces a key by another with the same rights.';

CREATE OR REPLACE VIEW my_key WITH (security_barrier) AS
	SELECT k.id, k.name, k.hint, k.status, k.expires_at, k.created,
	    k.revoked, k.scope, coalesce(p.models, '{}') AS models,
	    coalesce(p.addresses, '{}')::text[] AS addresses,
	    coalesce(p.regions, '{}') AS regions
	FROM api_key k LEFT JOIN policy p ON p.id = k.policy_id
	WHERE k.customer_id = my_customer();

-- NULL leaves a list as it is.  0: there is no such key, or it is revoked.
CREATE FUNCTION my_key_allow(p_id bigint, p_models text[],
    p_addresses text[], p_regions text[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	WITH done AS (UPDATE api_key k SET policy_id =
	    policy_change(k.policy_id, p_models, p_addresses, p_regions)
	    WHERE k.id = p_id AND k.customer_id = my_customer()
	    AND k.status = 0 RETURNING 1)
	SELECT count(*) FROM done;
$$;
COMMENT ON FUNCTION my_key_allow(bigint, text[], text[], text[]) IS 'Says what one of the customer''s own keys may do.';

CREATE FUNCTION my_key_rotate(p_id bigint, p_digest bytea, p_hint text,
    p_overlap_s bigint) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	PERFORM 1 FROM api_key k WHERE k.id = p_id
	    AND k.customer_id = my_customer();
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no key %', p_id
		    USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM 1 FROM customer c WHERE c.id = my_customer() FOR UPDATE;
	IF (SELECT count(*) FROM api_key k WHERE k.customer_id = my_customer()
	    AND k.status = 0) >= 1000 THEN
		RAISE EXCEPTION 'there are 1000 keys already'
		    USING ERRCODE = 'YY010';
	END IF;
	RETURN key_rotate(p_id, p_digest, p_hint, p_overlap_s);
END
$$;
COMMENT ON FUNCTION my_key_rotate(bigint, bytea, text, bigint) IS 'Replaces one of the customer''s own keys.';

REVOKE ALL ON FUNCTION policy_change(integer, text[], text[], text[]),
    key_rotate(bigint, bytea, text, bigint),
    my_key_allow(bigint, text[], text[], text[]),
    my_key_rotate(bigint, bytea, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION policy_change(integer, text[], text[], text[]),
    key_rotate(bigint, bytea, text, bigint) TO youyun_admin;
GRANT EXECUTE ON FUNCTION my_key_allow(bigint, text[], text[], text[]),
    my_key_rotate(bigint, bytea, text, bigint) TO youyun_portal;
GRANT SELECT ON policy TO youyun_flusher, youyun_admin, youyun_billing,
    youyun_support, youyun_auditor;
GRANT SELECT (policy_id) ON api_key TO youyun_flusher, youyun_billing,
    youyun_support, youyun_auditor;
GRANT SELECT (policy_id) ON customer TO youyun_flusher;
