-- The roles, once a cluster.  Run by a superuser, or one that may create
-- roles; harmless when run again.
DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['youyun_owner', 'youyun_flusher',
	    'youyun_portal', 'youyun_admin', 'youyun_billing',
	    'youyun_support', 'youyun_auditor'] LOOP
		IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
			EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER
			    NOCREATEDB NOCREATEROLE NOREPLICATION', r);
		END IF;
	END LOOP;
END
$$;
