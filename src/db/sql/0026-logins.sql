-- Customers' logins by password, their sessions, registration, invitations.
--
-- The portal hashes and compares; what it hands over is digests and verifiers,
-- and what it reads of a login is what it names.  A mailed code is made by the
-- mailer when it writes the mail: here is its digest only.

CREATE TABLE login (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL UNIQUE REFERENCES customer,
	name text NOT NULL UNIQUE CHECK (name = lower(name)
	    AND length(name) BETWEEN 3 AND 128),
	password text CHECK (length(password) BETWEEN 1 AND 127),
	password_changed timestamptz,
	totp bytea CHECK (octet_length(totp) <= 128),
	totp_since timestamptz,
	totp_step bigint NOT NULL DEFAULT 0,
	totp_failures integer NOT NULL DEFAULT 0,
	totp_failed timestamptz NOT NULL DEFAULT '-infinity',
	created timestamptz NOT NULL DEFAULT now(),
	CHECK (totp_since IS NULL OR totp IS NOT NULL)
);
COMMENT ON TABLE login IS 'How a customer logs in by password. Operator: controller (contract).';
COMMENT ON COLUMN login.id IS 'Number of the login. Operator: controller.';
COMMENT ON COLUMN login.customer_id IS 'Whose account it opens. Operator: controller.';
COMMENT ON COLUMN login.name IS 'An e-mail address in small letters. Operator: controller.';
COMMENT ON COLUMN login.password IS 'The verifier: scrypt, its parameters, salt and hash; NULL: there is no password. Operator: controller.';
COMMENT ON COLUMN login.password_changed IS 'When it was set. Operator: controller.';
COMMENT ON COLUMN login.totp IS 'The secret of one-time codes, sealed with a key that is not in this database; NULL: none. Operator: controller.';
COMMENT ON COLUMN login.totp_since IS 'When a first code confirmed it; NULL: codes are not asked for. Operator: controller.';
COMMENT ON COLUMN login.totp_step IS 'Of the code accepted last: none up to it is accepted again. Operator: controller.';
COMMENT ON COLUMN login.totp_failures IS 'Wrong codes that came with the right password lately. Operator: controller (security).';
COMMENT ON COLUMN login.totp_failed IS 'When the hour of totp_failures began. Operator: controller (security).';
COMMENT ON COLUMN login.created IS 'When it was made. Operator: controller.';

CREATE TABLE recovery_code (
	digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
	login_id bigint NOT NULL REFERENCES login,
	used_at timestamptz
);
CREATE INDEX recovery_code_login ON recovery_code (login_id);
COMMENT ON TABLE recovery_code IS 'What stands in for a one-time code, once. Operator: controller.';
COMMENT ON COLUMN recovery_code.digest IS 'HMAC-SHA-256(pepper, code). Operator: controller.';
COMMENT ON COLUMN recovery_code.login_id IS 'Whose. Operator: controller.';
COMMENT ON COLUMN recovery_code.used_at IS 'When it was used; NULL: it was not. Operator: controller.';

CREATE TABLE session (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	login_id bigint NOT NULL REFERENCES login,
	digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
	created timestamptz NOT NULL DEFAULT now(),
	used_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	address inet,
	agent text NOT NULL DEFAULT '' CHECK (length(agent) <= 128)
);
CREATE INDEX session_login ON session (login_id, id);
CREATE INDEX session_expires ON session (expires_at);
COMMENT ON TABLE session IS 'Who is logged in. Removed when it ends. Operator: controller (contract).';
COMMENT ON COLUMN session.id IS 'Number of the session. Operator: controller.';
COMMENT ON COLUMN session.login_id IS 'By which login. Operator: controller.';
COMMENT ON COLUMN session.digest IS 'HMAC-SHA-256(pepper, token) of the cookie''s token. Operator: controller.';
COMMENT ON COLUMN session.created IS 'When it began. Operator: controller.';
COMMENT ON COLUMN session.used_at IS 'When it was used last, to the minute. Operator: controller.';
COMMENT ON COLUMN session.expires_at IS 'When it ends, however much it is used. Operator: controller.';
COMMENT ON COLUMN session.address IS 'From where it was begun. Operator: controller (security).';
COMMENT ON COLUMN session.agent IS 'By which browser, as it says. Operator: controller (security).';

CREATE TABLE login_pace (
	name bytea NOT NULL,
	address inet NOT NULL,
	since timestamptz NOT NULL DEFAULT now(),
	last_at timestamptz NOT NULL DEFAULT '-infinity',
	failures integer NOT NULL DEFAULT 0,
	known timestamptz,
	PRIMARY KEY (name, address)
) WITH (fillfactor = 80);
CREATE INDEX login_pace_since ON login_pace (since) WHERE known IS NULL;
CREATE INDEX login_pace_known ON login_pace (known) WHERE known IS NOT NULL;
COMMENT ON TABLE login_pace IS 'Failed attempts to log in, so that guessing is slow. Removed after a day, pairs that logged in after 90. Operator: controller (security).';
COMMENT ON COLUMN login_pace.name IS 'HMAC-SHA-256(pepper, name as typed), there or not; empty: of all names from that address. Operator: controller.';
COMMENT ON COLUMN login_pace.address IS 'From where, for IPv6 the /64; ::/0: from anywhere. Operator: controller.';
COMMENT ON COLUMN login_pace.since IS 'When counting began. Operator: controller.';
COMMENT ON COLUMN login_pace.last_at IS 'The last attempt. Operator: controller.';
COMMENT ON COLUMN login_pace.failures IS 'Attempts that are not known to have been right. Operator: controller.';
COMMENT ON COLUMN login_pace.known IS 'When this name logged in from there last. Operator: controller.';

CREATE TABLE invitation (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
	hint text NOT NULL CHECK (length(hint) BETWEEN 1 AND 16),
	note text NOT NULL DEFAULT '' CHECK (length(note) <= 512),
	group_id bigint NOT NULL REFERENCES customer_group,
	credit_nano bigint NOT NULL DEFAULT 0
	    CHECK (credit_nano BETWEEN 0 AND 1000000000000000000),
	validity_days integer CHECK (validity_days BETWEEN 1 AND 36500),
	uses integer NOT NULL CHECK (uses BETWEEN 1 AND 100000),
	used integer NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND uses),
	expires_at timestamptz NOT NULL,
	created timestamptz NOT NULL DEFAULT now(),
	created_by text NOT NULL,
	revoked timestamptz,
	CHECK (validity_days IS NULL OR credit_nano > 0)
);
COMMENT ON TABLE invitation IS 'A code that lets its holders register, known by its digest only. Never deleted. Operator: controller, no personal data but created_by and note.';
COMMENT ON COLUMN invitation.id IS 'Number of the invitation. Operator: controller.';
COMMENT ON COLUMN invitation.digest IS 'HMAC-SHA-256(pepper, code). Operator: controller.';
COMMENT ON COLUMN invitation.hint IS 'Its last characters, to tell invitations apart. Operator: controller.';
COMMENT ON COLUMN invitation.note IS 'Free text of the operator. Operator: controller.';
COMMENT ON COLUMN invitation.group_id IS 'The group of who registers with it. Operator: controller.';
COMMENT ON COLUMN invitation.credit_nano IS 'Promotional credit that comes with it, nano-units. Operator: controller.';
COMMENT ON COLUMN invitation.validity_days IS 'What is left of that expires after so many days; NULL: never. Operator: controller.';
COMMENT ON COLUMN invitation.uses IS 'How many may register with it. Operator: controller.';
COMMENT ON COLUMN invitation.used IS 'How many have. Operator: controller.';
COMMENT ON COLUMN invitation.expires_at IS 'From when on it is refused. Operator: controller.';
COMMENT ON COLUMN invitation.created IS 'When it was made. Operator: controller.';
COMMENT ON COLUMN invitation.created_by IS 'Who made it. Operator: controller.';
COMMENT ON COLUMN invitation.revoked IS 'When it was revoked; NULL: it was not. Operator: controller.';
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON invitation
    FOR EACH ROW EXECUTE FUNCTION audit_change();

-- purpose: 0 registration, 1 another password, 2 to tell that the address is
-- registered, 3 nothing: a name that nobody has.
CREATE TABLE login_code (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	purpose smallint NOT NULL CHECK (purpose BETWEEN 0 AND 3),
	name text NOT NULL CHECK (length(name) BETWEEN 3 AND 128),
	address inet,
	login_id bigint REFERENCES login,
	password text CHECK (length(password) BETWEEN 1 AND 127),
	invitation_id bigint REFERENCES invitation,
	language text NOT NULL DEFAULT 'en'
	    CHECK (language IN ('en', 'zh', 'de')),
	digest bytea UNIQUE CHECK (octet_length(digest) = 32),
	created timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL DEFAULT now() + interval '1 hour',
	mail_state smallint NOT NULL DEFAULT 1 CHECK (mail_state BETWEEN 1
	    AND 3),
	mail_at timestamptz,
	mail_tries smallint NOT NULL DEFAULT 0
);
CREATE INDEX login_code_name ON login_code (name, created);
CREATE INDEX login_code_address ON login_code (address, created);
CREATE INDEX login_code_created ON login_code (created);
CREATE INDEX login_code_mail ON login_code (id) WHERE mail_state = 1;
COMMENT ON TABLE login_code IS 'What a mailed code will confirm. Removed when it did, or a day later. Operator: controller (contract).';
COMMENT ON COLUMN login_code.id IS 'Its number. Operator: controller.';
COMMENT ON COLUMN login_code.purpose IS '0 a registration, 1 another password, 2 to tell somebody who registered twice, 3 a name that nobody has. Operator: controller.';
COMMENT ON COLUMN login_code.name IS 'The e-mail address. Operator: controller.';
COMMENT ON COLUMN login_code.address IS 'From where it was asked for, for IPv6 the /64; NULL: by the operator. Operator: controller (security).';
COMMENT ON COLUMN login_code.login_id IS 'Whose password; NULL: a registration. Operator: controller.';
COMMENT ON COLUMN login_code.password IS 'The verifier of a registration''s password. Operator: controller.';
COMMENT ON COLUMN login_code.invitation_id IS 'The invitation of a registration. Operator: controller.';
COMMENT ON COLUMN login_code.language IS 'Of the mail. Operator: controller.';
COMMENT ON COLUMN login_code.digest IS 'SHA-256 of the code; NULL: it was not mailed yet. Operator: controller.';
COMMENT ON COLUMN login_code.created IS 'When it was asked for. Operator: controller.';
COMMENT ON COLUMN login_code.expires_at IS 'From when on the code is refused. Operator: controller.';
COMMENT ON COLUMN login_code.mail_state IS '1 to be sent, 2 handed to the mail system, 3 not to be sent. Operator: controller.';
COMMENT ON COLUMN login_code.mail_at IS 'When mail was last tried. Operator: controller.';
COMMENT ON COLUMN login_code.mail_tries IS 'How often. Operator: controller.';

INSERT INTO notice_kind (name, mailed, purpose) VALUES
	('login_changed', true, 'Password or one-time codes of the login were changed; a stranger would be noticed.'),
	('login_guessed', true, 'Somebody knows the password and gave wrong one-time codes.');
INSERT INTO event_kind (name, severity, purpose) VALUES
	('login_guessing', 1, 'A login had so many wrong passwords, from anywhere, that strange addresses have to wait.'),
	('totp_guessing', 2, 'Wrong one-time codes came with the right password.');

-- Pacing.
CREATE FUNCTION net_of(p_address inet) RETURNS inet LANGUAGE sql IMMUTABLE
    AS $$
	SELECT network(set_masklen(p_address, CASE family(p_address)
	    WHEN 6 THEN 64 ELSE 32 END))::inet
$$;
COMMENT ON FUNCTION net_of(inet) IS 'What counts as one address.';

-- Counts an attempt as failed before it is looked at, so that many at once
-- don't all find the count low; pace_right() and pace_undo() take it back.
-- Returns 0, or how many seconds to wait; who has to wait isn't counted.  A
-- name that logged in from an address before waits for nothing but its own
-- failures there: nobody else can lock it out.
CREATE FUNCTION pace_take(p_name bytea, p_address inet, p_login bigint)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	pair_free CONSTANT integer := 5;
	address_most CONSTANT integer := 100;
	name_most CONSTANT integer := 50;
	net inet := net_of(p_address);
	p login_pace;
	a login_pace;
	n login_pace;
	until timestamptz := '-infinity';
BEGIN
	DELETE FROM login_pace t WHERE t.ctid IN (SELECT o.ctid
	    FROM login_pace o WHERE o.known IS NULL
	    AND o.since < now() - interval '2 days' ORDER BY o.since LIMIT 8
	    FOR UPDATE SKIP LOCKED);
	DELETE FROM login_pace t WHERE t.ctid IN (SELECT o.ctid
	    FROM login_pace o WHERE o.known < now() - interval '90 days'
	    ORDER BY o.known LIMIT 8 FOR UPDATE SKIP LOCKED);
	-- Always in this order, so that no two wait for each other.
	INSERT INTO login_pace (name, address) VALUES (p_name, net)
	    ON CONFLICT DO NOTHING;
	SELECT * INTO p FROM login_pace t WHERE t.name = p_name
	    AND t.address = net FOR UPDATE;
	INSERT INTO login_pace (name, address) VALUES ('', net)
	    ON CONFLICT DO NOTHING;
	SELECT * INTO a FROM login_pace t WHERE t.name = ''
	    AND t.address = net FOR UPDATE;
	INSERT INTO login_pace (name, address) VALUES (p_name, '::/0')
	    ON CONFLICT DO NOTHING;
	SELECT * INTO n FROM login_pace t WHERE t.name = p_name
	    AND t.address = '::/0' FOR UPDATE;
	IF p.since < now() - interval '1 day' THEN
		p.since := now();
		p.failures := 0;
	END IF;
	IF a.since < now() - interval '1 hour' THEN
		a.since := now();
		a.failures := 0;
	END IF;
	IF n.since < now() - interval '1 hour' THEN
		n.since := now();
		n.failures := 0;
	END IF;
	IF p.failures >= pair_free THEN
		until := p.last_at + least(1 << least(p.failures - pair_free,
		    10), 900) * interval '1 second';
	END IF;
	IF p.known IS NULL AND a.failures >= address_most THEN
		until := greatest(until, a.last_at + interval '5 seconds');
	END IF;
	IF p.known IS NULL AND n.failures >= name_most THEN
		until := greatest(until, n.last_at + interval '10 seconds');
	END IF;
	IF until > now() THEN
		RETURN greatest(1, ceil(extract(epoch FROM until - now())));
	END IF;
	UPDATE login_pace t SET since = p.since, failures = p.failures + 1,
	    last_at = now() WHERE t.name = p_name AND t.address = net;
	UPDATE login_pace t SET since = a.since, failures = a.failures + 1,
	    last_at = now() WHERE t.name = '' AND t.address = net;
	UPDATE login_pace t SET since = n.since, failures = n.failures + 1,
	    last_at = now() WHERE t.name = p_name AND t.address = '::/0';
	IF n.failures + 1 = name_most AND p_login IS NOT NULL THEN
		PERFORM security_event_add('login_guessing', l.customer_id,
		    NULL, p_address, jsonb_build_object('failures',
		    n.failures + 1)) FROM login l WHERE l.id = p_login;
	END IF;
	RETURN 0;
END
$$;
COMMENT ON FUNCTION pace_take(bytea, inet, bigint) IS 'May a password be tried for this name from there?  Seconds to wait, or 0 and it is counted.';

-- An attempt that was neither right nor wrong.
CREATE FUNCTION pace_undo(p_name bytea, p_address inet) RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE login_pace t SET failures = greatest(t.failures - 1, 0)
	    WHERE t.name = p_name AND t.address = net_of(p_address);
	UPDATE login_pace t SET failures = greatest(t.failures - 1, 0)
	    WHERE t.name = '' AND t.address = net_of(p_address);
	UPDATE login_pace t SET failures = greatest(t.failures - 1, 0)
	    WHERE t.name = p_name AND t.address = '::/0';
END
$$;
COMMENT ON FUNCTION pace_undo(bytea, inet) IS 'Takes back what pace_take() counted.';

CREATE FUNCTION pace_right(p_name bytea, p_address inet) RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO login_pace (name, address) VALUES (p_name,
	    net_of(p_address)) ON CONFLICT DO NOTHING;
	UPDATE login_pace t SET failures = 0, known = now()
	    WHERE t.name = p_name AND t.address = net_of(p_address);
	UPDATE login_pace t SET failures = greatest(t.failures - 1, 0)
	    WHERE t.name = '' AND t.address = net_of(p_address);
	UPDATE login_pace t SET failures = greatest(t.failures - 1, 0)
	    WHERE t.name = p_name AND t.address = '::/0';
END
$$;
COMMENT ON FUNCTION pace_right(bytea, inet) IS 'The name is known from there from now on.';

-- What all changes of a login do: the audit trail and the login's owner know.
CREATE FUNCTION login_tell(p_login bigint, p_what text, p_change jsonb)
    RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	INSERT INTO audit (actor, action, object, reason, change)
	    VALUES (my_actor(), 'login.' || p_what, 'login:' || p_login,
	    coalesce(current_setting('youyun.reason', true), ''), p_change);
	SELECT notice_add(l.customer_id, 'login_changed', jsonb_build_object(
	    'changed', jsonb_build_array(p_what), 'login', l.name,
	    'mail_to', l.name)) FROM login l WHERE l.id = p_login;
$$;
COMMENT ON FUNCTION login_tell(bigint, text, jsonb) IS 'Audits a change of a login and tells its owner.';

-- Whether an account is in its time of grace the migration knows that has
-- closings; who is may still see the account, as who is suspended may.
CREATE FUNCTION login_status(p_customer bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	found bigint;
BEGIN
	SELECT c.status INTO found FROM customer c WHERE c.id = p_customer;
	IF found = 3 AND to_regclass('closing') IS NOT NULL AND EXISTS
	    (SELECT 1 FROM closing k WHERE k.customer_id = p_customer
	    AND k.state = 0) THEN
		RETURN 2;
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION login_status(bigint) IS 'A customer''s status, as logins see it.';

-- For the copy of a customer's data (src/export/tables.c).
CREATE FUNCTION login_time(p_at timestamptz) RETURNS text LANGUAGE sql
    IMMUTABLE AS $$
	SELECT to_char(p_at AT TIME ZONE 'UTC',
	    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION login_time(timestamptz) IS 'A time as ISO 8601 has it.';
CREATE VIEW my_export_login WITH (security_barrier) AS
	SELECT l.id AS k, l.id, l.name, login_time(l.created) AS created,
	    login_time(l.password_changed) AS password_changed,
	    login_time(l.totp_since) AS codes_since
	FROM login l WHERE l.customer_id = my_customer();
COMMENT ON VIEW my_export_login IS 'The login without its secrets, as it is exported.';
CREATE VIEW my_export_sessions WITH (security_barrier) AS
	SELECT s.id AS k, s.id, login_time(s.created) AS created,
	    login_time(s.used_at) AS last_used,
	    login_time(s.expires_at) AS expires_at,
	    host(s.address) AS address, s.agent AS user_agent
	FROM session s JOIN login l ON l.id = s.login_id
	WHERE l.customer_id = my_customer();
COMMENT ON VIEW my_export_sessions IS 'Sessions, as they are exported.';

-- Logging in.
CREATE FUNCTION login_try(p_name text, p_pace bytea, p_address inet,
    OUT wait_s bigint, OUT id bigint, OUT password text, OUT totp bytea,
    OUT totp_step bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	SELECT l.id, l.password, CASE WHEN l.totp_since IS NOT NULL
	    THEN l.totp END, l.totp_step INTO id, password, totp, totp_step
	    FROM login l WHERE l.name = lower(p_name);
	wait_s := pace_take(p_pace, p_address, id);
END
$$;
COMMENT ON FUNCTION login_try(text, bytea, inet) IS 'A login by its name, if its password may be tried now.';

-- p_given: 0 no code, 1 that of the step, 2 a wrong one, 3 the recovery code.
-- Returns 0 right, 2 one is needed, 3 wrong, 4 too many were.  What is wrong
-- is counted: commit it.
CREATE FUNCTION login_second(p_login bigint, p_given bigint, p_step bigint,
    p_recovery bytea, p_address inet) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	most CONSTANT integer := 10;
	l login;
BEGIN
	SELECT * INTO l FROM login t WHERE t.id = p_login FOR UPDATE;
	IF l.totp_since IS NULL THEN
		RETURN 0;
	END IF;
	IF p_given = 0 THEN
		RETURN 2;
	END IF;
	IF l.totp_failed < now() - interval '1 hour' THEN
		UPDATE login t SET totp_failed = now(), totp_failures = 0
		    WHERE t.id = p_login RETURNING * INTO l;
	END IF;
	IF p_given = 3 THEN
		UPDATE recovery_code r SET used_at = now()
		    WHERE r.digest = p_recovery AND r.login_id = p_login
		    AND r.used_at IS NULL;
		IF FOUND THEN
			RETURN 0;
		END IF;
	ELSIF l.totp_failures >= most THEN
		RETURN 4;
	ELSIF p_given = 1 AND p_step > l.totp_step THEN
		UPDATE login t SET totp_step = p_step, totp_failures = 0
		    WHERE t.id = p_login;
		RETURN 0;
	END IF;
	UPDATE login t SET totp_failures = t.totp_failures + 1
	    WHERE t.id = p_login RETURNING * INTO l;
	IF l.totp_failures = most THEN
		PERFORM security_event_add('totp_guessing', l.customer_id,
		    NULL, p_address, jsonb_build_object('failures',
		    l.totp_failures));
		PERFORM notice_add(l.customer_id, 'login_guessed',
		    jsonb_build_object('login', l.name, 'mail_to', l.name));
	END IF;
	RETURN 3;
END
$$;
COMMENT ON FUNCTION login_second(bigint, bigint, bigint, bytea, inet) IS 'Takes a one-time or recovery code, once.';

-- The password p_password was right.  outcome: 0 opened, 1 the password was
-- changed meanwhile, 2 to 4 as login_second() has them, 5 the account is
-- closed.
CREATE FUNCTION session_open(p_login bigint, p_password text,
    p_better text, p_given bigint, p_step bigint, p_recovery bytea,
    p_pace bytea, p_address inet, p_agent text, p_digest bytea,
    p_life_s bigint, OUT outcome bigint, OUT session bigint,
    OUT customer bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	l login;
BEGIN
	SELECT * INTO l FROM login t WHERE t.id = p_login FOR UPDATE;
	IF l.password IS DISTINCT FROM p_password THEN
		outcome := 1;
		RETURN;
	END IF;
	outcome := login_second(p_login, p_given, p_step, p_recovery,
	    p_address);
	IF outcome = 2 THEN
		PERFORM pace_undo(p_pace, p_address);
	END IF;
	IF outcome <> 0 THEN
		RETURN;
	END IF;
	PERFORM pace_right(p_pace, p_address);
	IF login_status(l.customer_id) = 3 THEN
		outcome := 5;
		RETURN;
	END IF;
	IF p_better IS NOT NULL THEN
		UPDATE login t SET password = p_better WHERE t.id = p_login;
	END IF;
	DELETE FROM session s WHERE s.expires_at < now();
	-- Who logs in again and again pushes the oldest out.
	DELETE FROM session s WHERE s.login_id = p_login AND s.id NOT IN
	    (SELECT o.id FROM session o WHERE o.login_id = p_login
	    ORDER BY o.used_at DESC LIMIT 49);
	INSERT INTO session (login_id, digest, expires_at, address, agent)
	    VALUES (p_login, p_digest, now() + p_life_s * interval '1 second',
	    p_address, p_agent) RETURNING id INTO session;
	customer := l.customer_id;
END
$$;
COMMENT ON FUNCTION session_open(bigint, text, text, bigint, bigint, bytea, bytea, inet, text, bytea, bigint) IS 'Begins a session of a login whose password was right.';

CREATE FUNCTION portal_session(p_digest bytea, p_idle_s bigint,
    OUT session_id bigint, OUT customer_id bigint,
    OUT customer_status bigint) RETURNS SETOF record LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	-- Not at each request: a session that is read from a lot would have
	-- its requests wait for each other.
	UPDATE session s SET used_at = now() WHERE s.digest = p_digest
	    AND s.used_at < now() - interval '1 minute'
	    AND s.used_at > now() - p_idle_s * interval '1 second'
	    AND s.expires_at > now();
	RETURN QUERY SELECT s.id, l.customer_id, login_status(l.customer_id)
	    FROM session s JOIN login l ON l.id = s.login_id
	    WHERE s.digest = p_digest AND s.expires_at > now()
	    AND s.used_at > now() - p_idle_s * interval '1 second';
END
$$;
COMMENT ON FUNCTION portal_session(bytea, bigint) IS 'A session by its digest, if it is not over.';

-- What a session may see and do of its own login.
CREATE FUNCTION my_session_id() RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT nullif(current_setting('youyun.session', true), '')::bigint
$$;
COMMENT ON FUNCTION my_session_id() IS 'Whose request this is; NULL: no session''s.';
CREATE FUNCTION my_login_id() RETURNS bigint LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT s.login_id FROM session s JOIN login l ON l.id = s.login_id
	    WHERE s.id = my_session_id() AND l.customer_id = my_customer()
$$;
COMMENT ON FUNCTION my_login_id() IS 'The login of that session.';

CREATE VIEW my_login WITH (security_barrier) AS
	SELECT l.id, l.name, l.password_changed, l.totp_since IS NOT NULL
	    AS has_totp, (SELECT count(*) FROM recovery_code r
	    WHERE r.login_id = l.id AND r.used_at IS NULL) AS recovery_codes
	FROM login l WHERE l.id = my_login_id();
COMMENT ON VIEW my_login IS 'The login of the session that asks.';
CREATE VIEW my_session WITH (security_barrier) AS
	SELECT s.id, s.created, s.used_at, s.expires_at,
	    host(s.address) AS address, s.agent,
	    s.id = my_session_id() AS own
	FROM session s WHERE s.login_id = my_login_id()
	    AND s.expires_at > now();
COMMENT ON VIEW my_session IS 'The sessions of that login.';

-- NULL: all but the one that asks.
CREATE FUNCTION my_session_end(p_id bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	WITH done AS (DELETE FROM session s WHERE s.login_id = my_login_id()
	    AND (s.id = p_id OR (p_id IS NULL AND s.id <> my_session_id()))
	    RETURNING 1)
	SELECT count(*) FROM done;
$$;
COMMENT ON FUNCTION my_session_end(bigint) IS 'Ends a session of the login that asks, or all others.';

-- The login itself, to check its password once more; wait_s as login_try().
CREATE FUNCTION my_login_try(p_pace bytea, p_address inet,
    OUT wait_s bigint, OUT id bigint, OUT name text, OUT password text,
    OUT totp bytea, OUT totp_step bigint, OUT confirmed boolean)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	SELECT l.id, l.name, l.password, l.totp, l.totp_step,
	    l.totp_since IS NOT NULL INTO id, name, password, totp,
	    totp_step, confirmed FROM login l WHERE l.id = my_login_id();
	wait_s := CASE WHEN p_pace IS NULL THEN 0
	    ELSE pace_take(p_pace, p_address, id) END;
END
$$;
COMMENT ON FUNCTION my_login_try(bytea, inet) IS 'The login of the session that asks, if its password may be tried now.';

-- 0: the password is not the one that was checked any more.
CREATE FUNCTION my_password_change(p_password text, p_new text)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	login bigint := my_login_id();
BEGIN
	UPDATE login l SET password = p_new, password_changed = now()
	    WHERE l.id = login AND l.password = p_password;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	PERFORM my_session_end(NULL);
	DELETE FROM login_code c WHERE c.login_id = login;
	PERFORM login_tell(login, 'password', '{}');
	RETURN 1;
END
$$;
COMMENT ON FUNCTION my_password_change(text, text) IS 'Sets another password and ends the other sessions.';

-- 0: codes are asked for already.
CREATE FUNCTION my_totp_enrol(p_sealed bytea) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	WITH done AS (UPDATE login l SET totp = p_sealed, totp_step = 0
	    WHERE l.id = my_login_id() AND l.totp_since IS NULL RETURNING 1)
	SELECT count(*) FROM done;
$$;
COMMENT ON FUNCTION my_totp_enrol(bytea) IS 'Keeps the secret of one-time codes until a first code confirms it.';

-- 0: there is another secret now, or it is confirmed already.
CREATE FUNCTION my_totp_confirm(p_sealed bytea, p_step bigint,
    p_recovery text[]) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	login bigint := my_login_id();
BEGIN
	UPDATE login l SET totp_since = now(), totp_step = p_step,
	    totp_failures = 0 WHERE l.id = login AND l.totp = p_sealed
	    AND l.totp_since IS NULL AND l.totp_step < p_step;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	DELETE FROM recovery_code r WHERE r.login_id = login;
	INSERT INTO recovery_code (digest, login_id)
	    SELECT decode(d, 'hex'), login FROM unnest(p_recovery) d;
	PERFORM my_session_end(NULL);
	PERFORM login_tell(login, 'totp', '{"on": true}');
	RETURN 1;
END
$$;
COMMENT ON FUNCTION my_totp_confirm(bytea, bigint, text[]) IS 'Asks for one-time codes from now on.';

CREATE FUNCTION totp_off(p_login bigint) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE login l SET totp = NULL, totp_since = NULL, totp_step = 0,
	    totp_failures = 0 WHERE l.id = p_login;
	DELETE FROM recovery_code r WHERE r.login_id = p_login;
	PERFORM login_tell(p_login, 'totp', '{"on": false}');
END
$$;
COMMENT ON FUNCTION totp_off(bigint) IS 'Asks for no codes any more.';

-- As login_second(); 1: the password was changed meanwhile.
CREATE FUNCTION my_totp_remove(p_password text, p_given bigint,
    p_step bigint, p_recovery bytea, p_pace bytea, p_address inet)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	l login;
	outcome bigint;
BEGIN
	SELECT * INTO l FROM login t WHERE t.id = my_login_id() FOR UPDATE;
	IF l.password IS DISTINCT FROM p_password THEN
		RETURN 1;
	END IF;
	outcome := login_second(l.id, p_given, p_step, p_recovery, p_address);
	IF outcome = 0 THEN
		PERFORM pace_right(p_pace, p_address);
		PERFORM totp_off(l.id);
	END IF;
	RETURN outcome;
END
$$;
COMMENT ON FUNCTION my_totp_remove(text, bigint, bigint, bytea, bytea, inet) IS 'Asks for no codes any more, for who has one.';

-- Codes by mail.  0, or seconds to wait: an address asks for so many an hour.
CREATE FUNCTION code_wait(p_address inet) RETURNS bigint LANGUAGE sql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT CASE WHEN count(*) >= 30 THEN greatest(1, ceil(extract(epoch
	    FROM min(c.created) + interval '1 hour' - now())))::bigint
	    ELSE 0 END FROM login_code c WHERE c.address = net_of(p_address)
	    AND c.created > now() - interval '1 hour'
$$;
COMMENT ON FUNCTION code_wait(inet) IS 'How long an address has to wait before it asks for another code.';

-- Returns as code_wait().  Three an hour to one address of mail; more are
-- left out without a word.
CREATE FUNCTION code_ask(p_purpose bigint, p_name text, p_address inet,
    p_login bigint, p_password text, p_invitation bigint, p_language text)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	wait_s bigint;
	mailed bigint;
BEGIN
	-- One after the other, or many at once would all be let through.
	PERFORM pg_advisory_xact_lock(26, hashtext(host(net_of(p_address))));
	PERFORM pg_advisory_xact_lock(27, hashtext(p_name));
	wait_s := code_wait(p_address);
	IF wait_s > 0 THEN
		RETURN wait_s;
	END IF;
	DELETE FROM login_code c WHERE c.ctid IN (SELECT o.ctid
	    FROM login_code o WHERE o.created < now() - interval '2 days'
	    ORDER BY o.created LIMIT 8 FOR UPDATE SKIP LOCKED);
	SELECT count(*) INTO mailed FROM login_code c WHERE c.name = p_name
	    AND c.created > now() - interval '1 hour' AND c.mail_state < 3;
	INSERT INTO login_code (purpose, name, address, login_id, password,
	    invitation_id, language, mail_state) VALUES (p_purpose, p_name,
	    net_of(p_address), p_login, p_password, p_invitation, p_language,
	    CASE WHEN p_purpose = 3 OR mailed >= 3 THEN 3 ELSE 1 END);
	RETURN 0;
END
$$;
COMMENT ON FUNCTION code_ask(bigint, text, inet, bigint, text, bigint, text) IS 'Asks the mailer for a code.';

-- outcome: 0 a mail will come, 1 no such invitation, 2 it is good no more,
-- 3 too many were asked for.  Whether the address is known makes no difference.
CREATE FUNCTION registration_begin(p_name text, p_password text,
    p_invitation bytea, p_language text, p_address inet,
    OUT outcome bigint, OUT wait_s bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	i invitation;
	known bigint;
BEGIN
	IF p_invitation IS NOT NULL THEN
		SELECT * INTO i FROM invitation t
		    WHERE t.digest = p_invitation;
		outcome := CASE WHEN i.id IS NULL THEN 1
		    WHEN i.used >= i.uses OR i.expires_at <= now()
		    OR i.revoked IS NOT NULL THEN 2 ELSE 0 END;
		IF outcome <> 0 THEN
			RETURN;
		END IF;
	END IF;
	SELECT l.id INTO known FROM login l WHERE l.name = lower(p_name);
	wait_s := code_ask(CASE WHEN known IS NULL THEN 0 ELSE 2 END,
	    lower(p_name), p_address, known, CASE WHEN known IS NULL
	    THEN p_password END, i.id, p_language);
	outcome := CASE WHEN wait_s > 0 THEN 3 ELSE 0 END;
END
$$;
COMMENT ON FUNCTION registration_begin(text, text, bytea, text, inet) IS 'Keeps a registration until its mailed code confirms it.';

-- No row: there is no such code, or it has expired.
CREATE FUNCTION login_code_find(p_purpose bigint, p_digest bytea,
    OUT id bigint, OUT name text, OUT password text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	SELECT c.id, c.name, c.password FROM login_code c
	    WHERE c.digest = p_digest AND c.purpose = p_purpose
	    AND c.expires_at > now()
$$;
COMMENT ON FUNCTION login_code_find(bigint, bytea) IS 'What a mailed code is for.';

-- The code's holder has shown the password.  outcome: 0 done, 1 there is no
-- such code any more, 2 the address is registered, 3 the invitation is good no
-- more or there is none and one is needed, 4 there is no such group.
CREATE FUNCTION registration_confirm(p_id bigint, p_group text,
    p_invited boolean, OUT outcome bigint, OUT customer bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	c login_code;
	i invitation;
	home bigint;
	called text;
	n integer := 1;
BEGIN
	PERFORM set_config('youyun.actor', 'registration', true);
	-- Two codes of one address one after the other.
	PERFORM pg_advisory_xact_lock(27, hashtext(t.name))
	    FROM login_code t WHERE t.id = p_id;
	SELECT * INTO c FROM login_code t WHERE t.id = p_id AND t.purpose = 0
	    AND t.expires_at > now() FOR UPDATE;
	outcome := CASE WHEN c.id IS NULL THEN 1
	    WHEN EXISTS (SELECT 1 FROM login l WHERE l.name = c.name) THEN 2
	    WHEN p_invited AND c.invitation_id IS NULL THEN 3 ELSE 0 END;
	IF outcome <> 0 THEN
		RETURN;
	END IF;
	-- Who comes second waits here, and sees what the first has used.
	IF c.invitation_id IS NOT NULL THEN
		UPDATE invitation t SET used = t.used + 1
		    WHERE t.id = c.invitation_id AND t.used < t.uses
		    AND t.expires_at > now() AND t.revoked IS NULL
		    RETURNING * INTO i;
		IF i.id IS NULL THEN
			outcome := 3;
			RETURN;
		END IF;
		home := i.group_id;
	ELSE
		SELECT g.id INTO home FROM customer_group g
		    WHERE g.name = p_group;
	END IF;
	IF home IS NULL THEN
		outcome := 4;
		RETURN;
	END IF;
	-- The operator may have named a customer so by hand.
	called := left(c.name, 120);
	WHILE EXISTS (SELECT 1 FROM customer u WHERE u.name = called) LOOP
		n := n + 1;
		called := left(c.name, 120) || '#' || n;
	END LOOP;
	INSERT INTO customer (name, group_id, contact, language, note)
	    VALUES (called, home, c.name, c.language, CASE
	    WHEN i.id IS NOT NULL THEN 'invitation ' || i.id ELSE '' END)
	    RETURNING id INTO customer;
	INSERT INTO login (customer_id, name, password, password_changed)
	    VALUES (customer, c.name, c.password, now());
	IF i.credit_nano > 0 THEN
		PERFORM credit('invitation:' || i.id || ':' || customer,
		    customer, i.credit_nano, 'promotional', 'registration',
		    'invitation ' || i.id, NULL, i.validity_days::bigint);
	END IF;
	DELETE FROM login_code t WHERE t.name = c.name;
END
$$;
COMMENT ON FUNCTION registration_confirm(bigint, text, boolean) IS 'Makes the customer and the login of a registration.';

CREATE FUNCTION reset_ask(p_name text, p_address inet) RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	l record;
BEGIN
	SELECT t.id, c.language INTO l FROM login t
	    JOIN customer c ON c.id = t.customer_id
	    WHERE t.name = lower(p_name) AND login_status(c.id) <> 3;
	RETURN code_ask(CASE WHEN l.id IS NULL THEN 3 ELSE 1 END,
	    lower(p_name), p_address, l.id, NULL, NULL,
	    coalesce(l.language, 'en'));
END
$$;
COMMENT ON FUNCTION reset_ask(text, inet) IS 'Asks for a code that sets another password; returns as code_wait().';

-- 0: there is no such code any more.  The login is known from there, so that
-- nobody's guessing keeps its owner out.
CREATE FUNCTION reset_confirm(p_id bigint, p_password text, p_pace bytea,
    p_address inet) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	login bigint;
BEGIN
	PERFORM set_config('youyun.actor', 'password reset', true);
	SELECT c.login_id INTO login FROM login_code c WHERE c.id = p_id
	    AND c.purpose = 1 AND c.expires_at > now() FOR UPDATE;
	IF login IS NULL THEN
		RETURN 0;
	END IF;
	UPDATE login l SET password = p_password, password_changed = now()
	    WHERE l.id = login;
	DELETE FROM session s WHERE s.login_id = login;
	DELETE FROM login_code c WHERE c.login_id = login;
	PERFORM pace_right(p_pace, p_address);
	PERFORM login_tell(login, 'password', '{"by": "mail"}');
	RETURN 1;
END
$$;
COMMENT ON FUNCTION reset_confirm(bigint, text, bytea, inet) IS 'Sets another password and ends all sessions.';

-- The mailer's part: as mail_take() and mail_done() of notices.
CREATE FUNCTION login_mail_take(OUT id bigint, OUT purpose bigint,
    OUT address text, OUT language text) RETURNS SETOF record
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE login_code c SET mail_state = 3 WHERE c.mail_state = 1
	    AND c.created < now() - interval '1 hour';
	RETURN QUERY WITH due AS (SELECT c.id FROM login_code c
	    WHERE c.mail_state = 1 AND (c.mail_tries = 0 OR c.mail_at
	    + (1 << (2 * (c.mail_tries - 1))) * interval '15 seconds'
	    <= now()) AND c.mail_tries < 6
	    ORDER BY c.id LIMIT 1 FOR UPDATE SKIP LOCKED)
	    UPDATE login_code c SET mail_tries = c.mail_tries + 1,
	    mail_at = now() FROM due WHERE c.id = due.id RETURNING c.id,
	    c.purpose::bigint, c.name, c.language;
END
$$;
COMMENT ON FUNCTION login_mail_take() IS 'The next code that is to be sent by mail; counts the try.';

-- Each mail has a code of its own; the last one holds.
CREATE FUNCTION login_mail_code(p_id bigint, p_digest bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	UPDATE login_code c SET digest = p_digest,
	    expires_at = now() + interval '1 hour'
	    WHERE c.id = p_id AND c.mail_state = 1 AND c.purpose < 2
$$;
COMMENT ON FUNCTION login_mail_code(bigint, bytea) IS 'The digest of the code that is being mailed.';

CREATE FUNCTION login_mail_done(p_id bigint, p_outcome bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
	UPDATE login_code c SET mail_state = CASE WHEN p_outcome = 0 THEN 2
	    WHEN p_outcome = 2 OR c.mail_tries >= 6 THEN 3 ELSE 1 END
	    WHERE c.id = p_id AND c.mail_state = 1
$$;
COMMENT ON FUNCTION login_mail_done(bigint, bigint) IS 'What became of a code that login_mail_take() gave: 0 sent, 1 failed, 2 there is nowhere to send it.';

-- The operator's part.
-- Voids the password, ends the sessions and has a code mailed to the login's
-- name; or, for owners, makes the login, and takes the digest of a code that
-- they hand over themselves.  YY022: there is no login; YY023: the name is
-- another's.
CREATE FUNCTION login_reset(p_customer bigint, p_name text, p_digest bytea)
    RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	l login;
BEGIN
	IF session_user = 'youyun_support' AND (p_name IS NOT NULL
	    OR p_digest IS NOT NULL) THEN
		RAISE EXCEPTION 'only an owner names a login or sees its code'
		    USING ERRCODE = 'insufficient_privilege';
	END IF;
	SELECT * INTO l FROM login t WHERE t.customer_id = p_customer
	    FOR UPDATE;
	IF EXISTS (SELECT 1 FROM login t WHERE t.name = lower(p_name)
	    AND t.customer_id <> p_customer) THEN
		RAISE EXCEPTION 'that login is another customer''s'
		    USING ERRCODE = 'YY023';
	END IF;
	IF l.id IS NULL AND p_name IS NULL THEN
		RAISE EXCEPTION 'the customer has no login'
		    USING ERRCODE = 'YY022';
	END IF;
	IF l.id IS NULL THEN
		INSERT INTO login (customer_id, name) VALUES (p_customer,
		    lower(p_name)) RETURNING * INTO l;
	ELSE
		UPDATE login t SET password = NULL,
		    name = coalesce(lower(p_name), t.name)
		    WHERE t.id = l.id RETURNING * INTO l;
		DELETE FROM session s WHERE s.login_id = l.id;
		DELETE FROM login_code c WHERE c.login_id = l.id;
	END IF;
	INSERT INTO login_code (purpose, name, login_id, language, digest,
	    mail_state, expires_at) SELECT 1, l.name, l.id, c.language,
	    p_digest, CASE WHEN p_digest IS NULL THEN 1 ELSE 3 END,
	    now() + interval '24 hours' FROM customer c
	    WHERE c.id = p_customer;
	INSERT INTO audit (actor, action, object, reason, change)
	    VALUES (my_actor(), 'login.reset', 'login:' || l.id,
	    coalesce(current_setting('youyun.reason', true), ''),
	    jsonb_build_object('mailed', p_digest IS NULL));
	RETURN l.name;
END
$$;
COMMENT ON FUNCTION login_reset(bigint, text, bytea) IS 'Voids a customer''s password and lets another be set by a code.';

-- YY022: there is no login.  0: it has no one-time codes.
CREATE FUNCTION login_totp_remove(p_customer bigint) RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	l login;
BEGIN
	SELECT * INTO l FROM login t WHERE t.customer_id = p_customer
	    FOR UPDATE;
	IF l.id IS NULL THEN
		RAISE EXCEPTION 'the customer has no login'
		    USING ERRCODE = 'YY022';
	END IF;
	IF l.totp_since IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM totp_off(l.id);
	DELETE FROM session s WHERE s.login_id = l.id;
	RETURN 1;
END
$$;
COMMENT ON FUNCTION login_totp_remove(bigint) IS 'Takes one-time codes from a login whose owner has lost them.';

-- P0002: there is no such group.
CREATE FUNCTION invitation_create(p_digest bytea, p_hint text, p_note text,
    p_group text, p_credit bigint, p_days bigint, p_uses bigint,
    p_expires timestamptz) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	number bigint;
BEGIN
	INSERT INTO invitation (digest, hint, note, group_id, credit_nano,
	    validity_days, uses, expires_at, created_by) SELECT p_digest,
	    p_hint, p_note, g.id, p_credit, p_days, p_uses, p_expires,
	    my_actor() FROM customer_group g WHERE g.name = p_group
	    RETURNING id INTO number;
	IF number IS NULL THEN
		RAISE EXCEPTION 'there is no group "%"', p_group
		    USING ERRCODE = 'no_data_found';
	END IF;
	RETURN number;
END
$$;
COMMENT ON FUNCTION invitation_create(bytea, text, text, text, bigint, bigint, bigint, timestamptz) IS 'Makes an invitation by its digest.';

-- P0002: there is no such invitation.
CREATE FUNCTION invitation_revoke(p_id bigint) RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	left_over bigint;
BEGIN
	UPDATE invitation i SET revoked = coalesce(i.revoked, now())
	    WHERE i.id = p_id RETURNING i.uses - i.used INTO left_over;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no invitation %', p_id
		    USING ERRCODE = 'no_data_found';
	END IF;
	RETURN left_over;
END
$$;
COMMENT ON FUNCTION invitation_revoke(bigint) IS 'Revokes an invitation; who has registered stays.';

REVOKE ALL ON FUNCTION net_of(inet), pace_take(bytea, inet, bigint),
    pace_undo(bytea, inet), pace_right(bytea, inet), login_tell(bigint, text,
    jsonb), login_status(bigint), login_time(timestamptz),
    login_try(text, bytea, inet), login_second(bigint, bigint, bigint, bytea,
    inet), session_open(bigint, text, text, bigint, bigint, bytea, bytea,
    inet, text, bytea, bigint), portal_session(bytea, bigint),
    my_session_id(), my_login_id(), my_session_end(bigint),
    my_login_try(bytea, inet), my_password_change(text, text),
    my_totp_enrol(bytea), my_totp_confirm(bytea, bigint, text[]),
    totp_off(bigint), my_totp_remove(text, bigint, bigint, bytea, bytea,
    inet), code_wait(inet), code_ask(bigint, text, inet, bigint, text, bigint,
    text), registration_begin(text, text, bytea, text, inet),
    login_code_find(bigint, bytea), registration_confirm(bigint, text,
    boolean), reset_ask(text, inet), reset_confirm(bigint, text, bytea, inet),
    login_mail_take(), login_mail_code(bigint, bytea), login_mail_done(bigint,
    bigint), login_reset(bigint, text, bytea), login_totp_remove(bigint),
    invitation_create(bytea, text, text, text, bigint, bigint, bigint,
    timestamptz), invitation_revoke(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_try(text, bytea, inet),
    pace_take(bytea, inet, bigint), pace_undo(bytea, inet),
    pace_right(bytea, inet),
    session_open(bigint, text, text, bigint, bigint, bytea, bytea, inet,
    text, bytea, bigint), portal_session(bytea, bigint), my_session_id(),
    my_login_id(), my_session_end(bigint), my_login_try(bytea, inet),
    my_password_change(text, text), my_totp_enrol(bytea),
    my_totp_confirm(bytea, bigint, text[]),
    my_totp_remove(text, bigint, bigint, bytea, bytea, inet),
    code_wait(inet), registration_begin(text, text, bytea, text, inet),
    login_code_find(bigint, bytea),
    registration_confirm(bigint, text, boolean), reset_ask(text, inet),
    reset_confirm(bigint, text, bytea, inet) TO youyun_portal;
GRANT SELECT ON my_login, my_session TO youyun_portal;
GRANT SELECT ON my_export_login, my_export_sessions
    TO youyun_portal, youyun_admin;
GRANT EXECUTE ON FUNCTION login_time(timestamptz)
    TO youyun_portal, youyun_admin;
GRANT EXECUTE ON FUNCTION login_mail_take(), login_mail_code(bigint, bytea),
    login_mail_done(bigint, bigint) TO youyun_flusher;
GRANT EXECUTE ON FUNCTION login_reset(bigint, text, bytea),
    login_totp_remove(bigint) TO youyun_admin, youyun_support;
GRANT EXECUTE ON FUNCTION invitation_create(bytea, text, text, text, bigint,
    bigint, bigint, timestamptz), invitation_revoke(bigint) TO youyun_admin;
GRANT SELECT (id, customer_id, name, password_changed, totp_since,
    totp_failures, totp_failed, created) ON login
    TO youyun_admin, youyun_support, youyun_auditor;
GRANT SELECT (id, login_id, created, used_at, expires_at, address, agent)
    ON session TO youyun_admin, youyun_support, youyun_auditor;
GRANT SELECT (login_id, used_at) ON recovery_code
    TO youyun_admin, youyun_support, youyun_auditor;
GRANT SELECT (id, hint, note, group_id, credit_nano, validity_days, uses,
    used, expires_at, created, created_by, revoked) ON invitation
    TO youyun_admin, youyun_billing, youyun_support, youyun_auditor;
GRANT SELECT (id, purpose, name, login_id, invitation_id, language, created,
    expires_at, mail_state, mail_at, mail_tries) ON login_code
    TO youyun_admin, youyun_support, youyun_auditor;
