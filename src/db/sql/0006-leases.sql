-- Several nodes on one database.  What a node may spend of a customer's money
-- is a lease; what no node has is at home, in the purse.  The protocol, and
-- why no kill can double a lease, is in shm/LEASES.
--
-- Locks are taken in this order: node_state, purse, lease, each by ascending
-- number; where another node's state is needed later, it is not waited for.

CREATE TABLE node_state (
	node_id smallint PRIMARY KEY REFERENCES node,
	epoch bigint NOT NULL DEFAULT 1 CHECK (epoch > 0),
	session bigint NOT NULL DEFAULT 0,
	journal_id bigint,
	incarnation bigint,
	beat timestamptz,
	fenced timestamptz,
	CHECK ((journal_id IS NULL) = (incarnation IS NULL)),
	CHECK (fenced IS NULL OR incarnation IS NULL)
) WITH (fillfactor = 50);
COMMENT ON TABLE node_state IS 'Which process is a node now. Operator: controller, no personal data.';
COMMENT ON COLUMN node_state.node_id IS 'The node. Operator: controller.';
COMMENT ON COLUMN node_state.epoch IS 'Grows when the node is fenced. Operator: controller, no personal data.';
COMMENT ON COLUMN node_state.session IS 'Grows with each connecting of the node''s flusher; a request of an earlier one is refused. Operator: controller, no personal data.';
COMMENT ON COLUMN node_state.journal_id IS 'The journal of the instance that is this node; NULL: none, it was stopped with all its calls applied, or was fenced. Operator: controller, no personal data.';
COMMENT ON COLUMN node_state.incarnation IS 'The shared segment that has the node''s leases; NULL: none has, and their rest can be taken home. Operator: controller, no personal data.';
COMMENT ON COLUMN node_state.beat IS 'When it was heard of last. Operator: controller, no personal data.';
COMMENT ON COLUMN node_state.fenced IS 'When an administrator shut it out; NULL: it is not. Operator: controller.';

CREATE TABLE node_segment (
	incarnation bigint PRIMARY KEY,
	node_id smallint NOT NULL REFERENCES node,
	journal_id bigint NOT NULL,
	epoch bigint NOT NULL,
	since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX node_segment_journal ON node_segment (journal_id);
COMMENT ON TABLE node_segment IS 'Every shared segment that ever was a node''s. Operator: controller, no personal data.';
COMMENT ON COLUMN node_segment.incarnation IS 'The segment. Operator: controller.';
COMMENT ON COLUMN node_segment.node_id IS 'Its node. Operator: controller.';
COMMENT ON COLUMN node_segment.journal_id IS 'Where its calls are written. Operator: controller.';
COMMENT ON COLUMN node_segment.epoch IS 'The node''s epoch then; calls of an earlier one than the node''s are late. Operator: controller.';
COMMENT ON COLUMN node_segment.since IS 'When it was attached first. Operator: controller.';

CREATE TABLE purse (
	customer_id bigint PRIMARY KEY REFERENCES customer,
	moved_nano bigint NOT NULL DEFAULT 0 CHECK (moved_nano >= 0),
	home_nano bigint NOT NULL DEFAULT 0 CHECK (home_nano >= 0)
);
COMMENT ON TABLE purse IS 'What of a customer''s money no node has. Operator: controller.';
COMMENT ON COLUMN purse.customer_id IS 'The customer. Operator: controller.';
COMMENT ON COLUMN purse.moved_nano IS 'All that came by bookings less all that left by them: home and the leases'' granted_nano together. Operator: controller.';
COMMENT ON COLUMN purse.home_nano IS 'The balance at home. Operator: controller.';

ALTER TABLE lease
	ADD COLUMN sequence bigint NOT NULL DEFAULT 0,
	ADD COLUMN fenced_nano bigint NOT NULL DEFAULT 0
	    CHECK (fenced_nano >= 0);
COMMENT ON TABLE lease IS 'What one node may spend of a customer''s money. Operator: controller.';
COMMENT ON COLUMN lease.epoch IS 'The node''s epoch that it is good for. Operator: controller, no personal data.';
COMMENT ON COLUMN lease.granted_nano IS 'Ever granted to this node, less what it returned. Operator: controller.';
COMMENT ON COLUMN lease.sequence IS 'Grows with each grant and each return. Operator: controller, no personal data.';
COMMENT ON COLUMN lease.fenced_nano IS 'What came home when the node was fenced, as far as no late call was booked against it. Operator: controller.';

INSERT INTO node_state (node_id) SELECT id FROM node;
INSERT INTO purse (customer_id, moved_nano)
    SELECT c.id, coalesce(sum(l.granted_nano), 0) FROM customer c
    LEFT JOIN lease l ON l.customer_id = c.id GROUP BY c.id;

-- A customer's money as a whole.
CREATE VIEW customer_money AS
    SELECT p.customer_id,
    (p.home_nano + coalesce(sum(l.granted_nano), 0))::bigint AS granted_nano,
    coalesce(sum(l.spent_nano), 0)::bigint AS spent_nano, p.home_nano
    FROM purse p LEFT JOIN lease l ON l.customer_id = p.customer_id
    GROUP BY p.customer_id;
COMMENT ON VIEW customer_money IS 'Granted is all that was ever booked for a customer, whoever has it; less spent it is the balance.';

CREATE FUNCTION open_node() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO node_state (node_id) VALUES (NEW.id);
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION open_node() IS 'Trigger: a new node has its state from the first moment on.';
CREATE TRIGGER open_node AFTER INSERT ON node
    FOR EACH ROW EXECUTE FUNCTION open_node();

-- A customer has its purse from the first moment on; a lease that was opened
-- for it already is one of the node's present epoch.
CREATE FUNCTION open_purse() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO purse (customer_id) VALUES (NEW.id);
	UPDATE lease l SET epoch = s.epoch FROM node_state s
	    WHERE l.customer_id = NEW.id AND s.node_id = l.node_id;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION open_purse() IS 'Trigger: opens the purse of a new customer.';
CREATE TRIGGER open_purse AFTER INSERT ON customer
    FOR EACH ROW EXECUTE FUNCTION open_purse();

-- Nothing is lost between home and the leases, judged at the commit.  Each who
-- moves money holds the purse's row, so nobody else is half-way.
CREATE FUNCTION check_conserved() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	p purse%ROWTYPE;
	lent bigint;
BEGIN
	SELECT * INTO p FROM purse WHERE customer_id = NEW.customer_id;
	SELECT coalesce(sum(l.granted_nano), 0)::bigint INTO lent
	    FROM lease l WHERE l.customer_id = NEW.customer_id;
	IF p.moved_nano IS DISTINCT FROM p.home_nano + lent THEN
		RAISE EXCEPTION
		    'customer % has % at home and % lent, not % together',
		    NEW.customer_id, p.home_nano, lent, p.moved_nano
		    USING ERRCODE = 'check_violation';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION check_conserved() IS 'Trigger: home and leases are together what was booked.';
CREATE CONSTRAINT TRIGGER conserved AFTER INSERT OR UPDATE ON purse
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_conserved();
CREATE CONSTRAINT TRIGGER conserved_insert AFTER INSERT ON lease
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_conserved();
CREATE CONSTRAINT TRIGGER conserved_update AFTER UPDATE OF granted_nano
    ON lease DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.granted_nano <> NEW.granted_nano)
    EXECUTE FUNCTION check_conserved();

-- Notifications: "node:N", its state changed.  "lease:N:C", read that lease
-- again.  "purse:C", there is more at home than before (C 0: of many).
-- "recall:N:C:A", node N should return up to A.
DROP TRIGGER tell_change_insert ON lease;
DROP TRIGGER tell_change_update ON lease;

CREATE FUNCTION node_is_up(s node_state) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT s.incarnation IS NOT NULL AND s.fenced IS NULL
    AND s.beat > clock_timestamp() - interval '5 seconds' $$;
COMMENT ON FUNCTION node_is_up(node_state) IS 'Heard of in the last 5 seconds. Sizes and shares go by it, never safety.';

CREATE FUNCTION nodes_up() RETURNS integer LANGUAGE sql STABLE
    SET search_path = youyun, pg_temp AS $$
SELECT count(*)::integer FROM node_state s WHERE node_is_up(s)
$$;
COMMENT ON FUNCTION nodes_up() IS 'How many nodes are up.';

-- The flusher's first request after connecting.  verdict: 0 this instance is
-- the node; 1 the node is fenced, or was since this segment got its money; 2
-- another instance is the node; 3 there is no such node.
CREATE FUNCTION node_attach(p_node text, p_journal bigint,
    p_incarnation bigint, OUT verdict integer, OUT node bigint,
    OUT session bigint, OUT up integer) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	s node_state%ROWTYPE;
	g node_segment%ROWTYPE;
BEGIN
	verdict := 3;
	SELECT n.id INTO node FROM node n
	    WHERE n.name = p_node OR n.id::text = p_node
	    ORDER BY (n.name = p_node) DESC LIMIT 1;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT * INTO s FROM node_state t
	    WHERE t.node_id = node_attach.node FOR UPDATE;
	SELECT * INTO g FROM node_segment t
	    WHERE t.incarnation = p_incarnation;
	verdict := CASE
	    WHEN EXISTS (SELECT 1 FROM node_segment t
		WHERE t.journal_id = p_journal
		AND t.node_id <> node_attach.node) THEN 2
	    WHEN s.fenced IS NOT NULL OR g.epoch < s.epoch THEN 1
	    WHEN s.journal_id <> p_journal THEN 2
	    WHEN s.incarnation <> p_incarnation AND node_is_up(s) THEN 2
	    ELSE 0 END;
	IF verdict <> 0 THEN
		RETURN;
	END IF;
	session := s.session + 1;
	UPDATE node_state t SET session = node_attach.session,
	    journal_id = p_journal, incarnation = p_incarnation,
	    beat = clock_timestamp() WHERE t.node_id = node_attach.node;
	INSERT INTO node_segment (incarnation, node_id, journal_id, epoch)
	    VALUES (p_incarnation, node, p_journal, s.epoch)
	    ON CONFLICT DO NOTHING;
	up := nodes_up();
	PERFORM set_config('youyun.session', session::text, false);
	IF s.incarnation IS DISTINCT FROM p_incarnation THEN
		PERFORM pg_notify('youyun', 'node:' || node);
	END IF;
END
$$;
COMMENT ON FUNCTION node_attach(text, bigint, bigint) IS 'Makes an instance, known by its journal and its segment, a node, or says why not.';

-- How many nodes are up, this one among them; -1: it is not the node any more.
CREATE FUNCTION node_beat(p_node bigint, p_session bigint) RETURNS integer
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE node_state s SET beat = clock_timestamp()
	    WHERE s.node_id = p_node AND s.session = p_session
	    AND s.incarnation IS NOT NULL;
	IF NOT FOUND THEN
		RETURN -1;
	END IF;
	RETURN nodes_up();
END
$$;
COMMENT ON FUNCTION node_beat(bigint, bigint) IS 'A sign of life.';

-- The instance ends with all its calls applied and will grant nothing more.
CREATE FUNCTION node_release(p_node bigint, p_session bigint) RETURNS boolean
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE node_state s SET journal_id = NULL, incarnation = NULL,
	    beat = NULL WHERE s.node_id = p_node AND s.session = p_session
	    AND s.incarnation IS NOT NULL;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM pg_notify('youyun', 'node:' || p_node);
	PERFORM pg_notify('youyun', 'purse:0');
	RETURN true;
END
$$;
COMMENT ON FUNCTION node_release(bigint, bigint) IS 'From now on the rest of the node''s leases can be taken home by whoever needs it.';

-- Locked until the commit: the session stays the node's as long.
CREATE FUNCTION lease_session(p_node bigint, p_session bigint)
    RETURNS node_state LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	s node_state%ROWTYPE;
BEGIN
	SELECT * INTO s FROM node_state t WHERE t.node_id = p_node
	    AND t.session = p_session AND t.incarnation IS NOT NULL FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'this instance is not node % any more', p_node
		    USING ERRCODE = 'YY005';
	END IF;
	RETURN s;
END
$$;
COMMENT ON FUNCTION lease_session(bigint, bigint) IS 'Refuses a request of an earlier session, and locks out a later one.';

-- With the purse locked: brings home what no segment has.  A node that is just
-- being attached is passed over.  Returns what is at home then.
CREATE FUNCTION lease_gather(p_customer bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	n smallint;
	rest bigint;
	total bigint := 0;
BEGIN
	FOR n IN SELECT l.node_id FROM lease l
	    JOIN node_state s ON s.node_id = l.node_id
	    WHERE l.customer_id = p_customer AND l.granted_nano > l.spent_nano
	    AND s.incarnation IS NULL ORDER BY 1 LOOP
		PERFORM 1 FROM node_state s WHERE s.node_id = n
		    AND s.incarnation IS NULL FOR SHARE SKIP LOCKED;
		CONTINUE WHEN NOT FOUND;
		SELECT l.granted_nano - l.spent_nano INTO rest FROM lease l
		    WHERE l.node_id = n AND l.customer_id = p_customer
		    FOR UPDATE;
		UPDATE lease l SET granted_nano = l.granted_nano - rest,
		    sequence = l.sequence + 1
		    WHERE l.node_id = n AND l.customer_id = p_customer;
		total := total + rest;
	END LOOP;
	UPDATE purse p SET home_nano = p.home_nano + total
	    WHERE p.customer_id = p_customer
	    RETURNING p.home_nano INTO total;
	RETURN total;
END
$$;
COMMENT ON FUNCTION lease_gather(bigint) IS 'Brings home the rest of leases whose node was stopped in order.';

-- With the purse locked, and the node's state: home to a lease.
CREATE FUNCTION lease_grant(p_node smallint, p_epoch bigint,
    p_customer bigint, p_amount bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE purse p SET home_nano = p.home_nano - p_amount
	    WHERE p.customer_id = p_customer;
	INSERT INTO lease AS l (node_id, customer_id, epoch, granted_nano,
	    sequence) VALUES (p_node, p_customer, p_epoch, p_amount, 1)
	    ON CONFLICT (node_id, customer_id) DO UPDATE
	    SET granted_nano = l.granted_nano + p_amount,
	    sequence = l.sequence + 1;
END
$$;
COMMENT ON FUNCTION lease_grant(smallint, bigint, bigint, bigint) IS 'Moves money from home to a node''s lease.';

-- The node that has everything while it is alone: the only one there is, or
-- the only one that is up.  NULL: there is none, or it is being changed.
CREATE FUNCTION lease_heir() RETURNS node_state LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	s node_state%ROWTYPE;
	n integer;
BEGIN
	SELECT count(*) INTO n FROM node_state t WHERE t.fenced IS NULL;
	IF n <> 1 AND nodes_up() <> 1 THEN
		RETURN NULL;
	END IF;
	SELECT * INTO s FROM node_state t WHERE t.fenced IS NULL
	    AND (n = 1 OR node_is_up(t)) FOR SHARE SKIP LOCKED;
	RETURN s;
END
$$;
COMMENT ON FUNCTION lease_heir() IS 'Who gets what arrives at once, if anybody.';

-- Money of a booking.  It arrives at home, and goes on at once to a node that
-- is alone.  It leaves from home only: what nodes have must come back first.
CREATE OR REPLACE FUNCTION money_moves(p_customer bigint, p_amount bigint)
    RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	heir node_state%ROWTYPE;
	home bigint;
BEGIN
	PERFORM 1 FROM purse p WHERE p.customer_id = p_customer FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no customer %', p_customer
		    USING ERRCODE = 'no_data_found';
	END IF;
	IF p_amount < 0 THEN
		home := lease_gather(p_customer);
		IF home < -p_amount THEN
			RAISE EXCEPTION 'only % is available', home
			    USING ERRCODE = 'YY003',
			    HINT = 'The rest is spent, or on loan to nodes.';
		END IF;
		UPDATE purse p SET home_nano = p.home_nano + p_amount,
		    moved_nano = p.moved_nano + p_amount
		    WHERE p.customer_id = p_customer;
	ELSE
		UPDATE purse p SET home_nano = p.home_nano + p_amount,
		    moved_nano = p.moved_nano + p_amount
		    WHERE p.customer_id = p_customer;
	END IF;
	heir := lease_heir();
	SELECT p.home_nano INTO home FROM purse p
	    WHERE p.customer_id = p_customer;
	IF heir.node_id IS NOT NULL AND home > 0 THEN
		PERFORM lease_grant(heir.node_id, heir.epoch, p_customer,
		    home);
		PERFORM pg_notify('youyun',
		    'lease:' || heir.node_id || ':' || p_customer);
	ELSE
		PERFORM pg_notify('youyun', 'purse:' || p_customer);
	END IF;
END
$$;
COMMENT ON FUNCTION money_moves(bigint, bigint) IS 'Money of a booking arrives at home or leaves it.';

-- What a node asks for.  p_needs: what a waiting call lacks, or 0; p_rates:
-- what the customer spends here in the time a lease should last; p_floors: what
-- a few calls cost.  given_nano goes to the lease; target_nano is what the
-- segment is granted then; elsewhere_nano is what could still come.  Where home
-- lacks it, the other nodes are asked to return some.
CREATE FUNCTION lease_refill(p_node bigint, p_session bigint,
    p_customers bigint[], p_needs bigint[], p_rates bigint[],
    p_floors bigint[], p_percent bigint)
    RETURNS TABLE (customer_id bigint, given_nano bigint, target_nano bigint,
    elsewhere_nano bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	s node_state%ROWTYPE := lease_session(p_node, p_session);
	up CONSTANT integer := greatest(nodes_up(), 1);
	r record;
	home bigint;
	balance bigint;
	size bigint;
	n smallint;
BEGIN
	FOR r IN SELECT u.c, u.need, u.rate, u.floor
	    FROM unnest(p_customers, p_needs, p_rates, p_floors)
	    AS u(c, need, rate, floor) ORDER BY u.c LOOP
		PERFORM 1 FROM purse p WHERE p.customer_id = r.c FOR UPDATE;
		CONTINUE WHEN NOT FOUND;
		home := lease_gather(r.c);
		SELECT home + coalesce(sum(l.granted_nano - l.spent_nano), 0)
		    INTO balance FROM lease l WHERE l.customer_id = r.c;
		size := CASE WHEN up = 1 THEN home ELSE greatest(r.need,
		    least(greatest(least(r.rate, balance / 100 * p_percent),
		    r.floor), balance / (2 * up))) END;
		given_nano := least(home, size);
		IF given_nano > 0 THEN
			PERFORM lease_grant(s.node_id, s.epoch, r.c,
			    given_nano);
		END IF;
		customer_id := r.c;
		SELECT coalesce(sum(l.granted_nano - CASE
		    WHEN l.incarnation = s.incarnation
		    THEN l.spent_before_nano ELSE l.spent_nano END)
		    FILTER (WHERE l.node_id = s.node_id), 0),
		    home - given_nano + coalesce(sum(l.granted_nano -
		    l.spent_nano) FILTER (WHERE l.node_id <> s.node_id
		    AND node_is_up(t)), 0)
		    INTO target_nano, elsewhere_nano
		    FROM lease l JOIN node_state t ON t.node_id = l.node_id
		    WHERE l.customer_id = r.c;
		IF given_nano < r.need AND elsewhere_nano > 0 THEN
			FOR n IN SELECT l.node_id FROM lease l
			    WHERE l.customer_id = r.c
			    AND l.node_id <> s.node_id
			    AND l.granted_nano > l.spent_nano LOOP
				PERFORM pg_notify('youyun', format(
				    'recall:%s:%s:%s', n, r.c,
				    r.need - given_nano));
			END LOOP;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION lease_refill(bigint, bigint, bigint[], bigint[], bigint[], bigint[], bigint) IS 'Grants a node more.';

-- The segment has been lowered by this already.
CREATE FUNCTION lease_return(p_node bigint, p_session bigint,
    p_customers bigint[], p_amounts bigint[]) RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	s node_state%ROWTYPE := lease_session(p_node, p_session);
	r record;
BEGIN
	FOR r IN SELECT u.c, u.amount FROM unnest(p_customers, p_amounts)
	    AS u(c, amount) WHERE u.amount > 0 ORDER BY u.c LOOP
		UPDATE purse p SET home_nano = p.home_nano + r.amount
		    WHERE p.customer_id = r.c;
		UPDATE lease l SET granted_nano = l.granted_nano - r.amount,
		    sequence = l.sequence + 1
		    WHERE l.node_id = s.node_id AND l.customer_id = r.c;
		PERFORM pg_notify('youyun', 'purse:' || r.c);
	END LOOP;
END
$$;
COMMENT ON FUNCTION lease_return(bigint, bigint, bigint[], bigint[]) IS 'Takes back what a node does not need.';

-- The same within a booking that takes money away for good: the session is the
-- one that this connection attached with.
CREATE OR REPLACE FUNCTION money_comes_home(p_node smallint,
    p_customer bigint, p_amount bigint) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	PERFORM lease_return(p_node, nullif(current_setting('youyun.session',
	    true), '')::bigint, ARRAY[p_customer], ARRAY[p_amount]);
END
$$;
COMMENT ON FUNCTION money_comes_home(smallint, bigint, bigint) IS 'Brings what a node gave back to where money_moves() takes it from.';

-- A node that is alone has the whole of every balance.  How many leases grew.
CREATE FUNCTION lease_take_all(p_node bigint, p_session bigint)
    RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	s node_state%ROWTYPE := lease_session(p_node, p_session);
	c bigint;
	home bigint;
	n bigint := 0;
BEGIN
	IF nodes_up() > 1 THEN
		RETURN 0;
	END IF;
	FOR c IN SELECT p.customer_id FROM purse p
	    WHERE p.home_nano > 0 OR EXISTS (SELECT 1 FROM lease l
		JOIN node_state t ON t.node_id = l.node_id
		WHERE l.customer_id = p.customer_id
		AND t.incarnation IS NULL AND l.granted_nano > l.spent_nano)
	    ORDER BY 1 LOOP
		PERFORM 1 FROM purse p WHERE p.customer_id = c FOR UPDATE;
		home := lease_gather(c);
		CONTINUE WHEN home = 0;
		PERFORM lease_grant(s.node_id, s.epoch, c, home);
		n := n + 1;
	END LOOP;
	RETURN n;
END
$$;
COMMENT ON FUNCTION lease_take_all(bigint, bigint) IS 'All that is at home to the one node that is up.';

-- Fees of one segment's calls.  In time: all of each is booked.  Late, because
-- the node was fenced meanwhile: what came home then may have been spent since,
-- so only what is still there is booked, and no more than came home.
CREATE FUNCTION lease_spend(p_node bigint, p_incarnation bigint,
    p_customers bigint[], p_fees bigint[], p_seqs bigint[])
    RETURNS TABLE (customer_id bigint, booked_nano bigint, late boolean)
    LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	epoch_then bigint;
	epoch_now bigint;
	r record;
	n bigint;
BEGIN
	SELECT g.epoch INTO epoch_then FROM node_segment g
	    WHERE g.incarnation = p_incarnation;
	epoch_then := coalesce(epoch_then, 1);
	SELECT s.epoch INTO epoch_now FROM node_state s
	    WHERE s.node_id = p_node;
	late := epoch_then < epoch_now;
	IF late THEN
		FOR r IN SELECT u.c, u.fee, u.seq
		    FROM unnest(p_customers, p_fees, p_seqs)
		    AS u(c, fee, seq) ORDER BY u.c LOOP
			customer_id := r.c;
			booked_nano := lease_spend_late(p_node, r.c, r.fee);
			RETURN NEXT;
		END LOOP;
		RETURN;
	END IF;
	INSERT INTO lease (node_id, customer_id, epoch)
	    SELECT p_node, u.c, epoch_then FROM unnest(p_customers) AS u(c)
	    JOIN purse p ON p.customer_id = u.c
	    ON CONFLICT DO NOTHING;
	PERFORM 1 FROM lease l WHERE l.node_id = p_node
	    AND l.customer_id = ANY (p_customers)
	    ORDER BY l.customer_id FOR UPDATE;
	-- spent_before_nano is what a fresh segment's grant is reckoned from: it
	-- is fixed by the first fee of a new incarnation.
	UPDATE lease l SET spent_before_nano =
	    CASE WHEN l.incarnation = p_incarnation
	    THEN l.spent_before_nano ELSE l.spent_nano END,
	    spent_nano = l.spent_nano + u.fee,
	    incarnation = p_incarnation, seq = u.seq
	    FROM unnest(p_customers, p_fees, p_seqs) AS u(c, fee, seq)
	    WHERE l.node_id = p_node AND l.customer_id = u.c
	    AND l.epoch = epoch_then;
	GET DIAGNOSTICS n = ROW_COUNT;
	IF n <> cardinality(p_customers) THEN
		IF EXISTS (SELECT 1 FROM lease l WHERE l.node_id = p_node
		    AND l.customer_id = ANY (p_customers)
		    AND l.epoch > epoch_then) THEN
			RAISE EXCEPTION 'node % is being fenced', p_node
			    USING ERRCODE = 'serialization_failure';
		END IF;
		RAISE EXCEPTION 'a fee of nobody''s: % customers, % leases',
		    cardinality(p_customers), n
		    USING ERRCODE = 'data_exception';
	END IF;
	RETURN QUERY SELECT u.c, u.fee, false
	    FROM unnest(p_customers, p_fees) AS u(c, fee);
END
$$;
COMMENT ON FUNCTION lease_spend(bigint, bigint, bigint[], bigint[], bigint[]) IS 'Spends from a node''s leases; says what of each fee could be booked.';

-- The segment that the node has by now must not be granted more by this: so
-- both of what its grant is reckoned from grow.
CREATE FUNCTION lease_spend_late(p_node bigint, p_customer bigint,
    p_fee bigint) RETURNS bigint LANGUAGE plpgsql
    SET search_path = youyun, pg_temp AS $$
DECLARE
	home bigint;
	take bigint;
BEGIN
	SELECT p.home_nano INTO home FROM purse p
	    WHERE p.customer_id = p_customer FOR UPDATE;
	SELECT least(p_fee, l.fenced_nano, home) INTO take FROM lease l
	    WHERE l.node_id = p_node AND l.customer_id = p_customer
	    FOR UPDATE;
	IF NOT FOUND OR take IS NULL OR take = 0 THEN
		RETURN 0;
	END IF;
	UPDATE purse p SET home_nano = p.home_nano - take
	    WHERE p.customer_id = p_customer;
	UPDATE lease l SET granted_nano = l.granted_nano + take,
	    spent_nano = l.spent_nano + take,
	    spent_before_nano = l.spent_before_nano + take,
	    fenced_nano = l.fenced_nano - take, sequence = l.sequence + 1
	    WHERE l.node_id = p_node AND l.customer_id = p_customer;
	RETURN take;
END
$$;
COMMENT ON FUNCTION lease_spend_late(bigint, bigint, bigint) IS 'Books what can be booked of a late fee.';

-- The administrator's.
CREATE FUNCTION node_add(p_name text) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	LOCK TABLE node IN SHARE ROW EXCLUSIVE MODE;
	INSERT INTO node (id, name)
	    SELECT max(t.id) + 1, p_name FROM node t RETURNING id INTO n;
	RETURN n;
END
$$;
COMMENT ON FUNCTION node_add(text) IS 'Adds a node by the next number.';

-- Shuts a node out, whatever it does: its lease is void, its rest comes home,
-- and what it spent without telling yet is late.  fresh false: it was fenced.
CREATE FUNCTION node_fence(p_node bigint, p_actor text, p_reason text,
    OUT fresh boolean, OUT home_nano bigint) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
DECLARE
	s node_state%ROWTYPE;
	r record;
BEGIN
	home_nano := 0;
	SELECT * INTO s FROM node_state t WHERE t.node_id = p_node FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no node %', p_node
		    USING ERRCODE = 'no_data_found';
	END IF;
	fresh := s.fenced IS NULL;
	IF NOT fresh THEN
		RETURN;
	END IF;
	UPDATE node_state t SET epoch = t.epoch + 1, session = t.session + 1,
	    fenced = clock_timestamp(), journal_id = NULL, incarnation = NULL,
	    beat = NULL WHERE t.node_id = p_node;
	PERFORM 1 FROM purse p WHERE p.customer_id IN (SELECT l.customer_id
	    FROM lease l WHERE l.node_id = p_node)
	    ORDER BY p.customer_id FOR UPDATE;
	FOR r IN SELECT l.customer_id AS c, l.granted_nano - l.spent_nano AS rest
	    FROM lease l WHERE l.node_id = p_node
	    ORDER BY l.customer_id FOR UPDATE LOOP
		UPDATE purse p SET home_nano = p.home_nano + r.rest
		    WHERE p.customer_id = r.c;
		UPDATE lease l SET granted_nano = l.spent_nano,
		    fenced_nano = l.fenced_nano + r.rest,
		    epoch = s.epoch + 1, sequence = l.sequence + 1
		    WHERE l.node_id = p_node AND l.customer_id = r.c;
		node_fence.home_nano := node_fence.home_nano + r.rest;
	END LOOP;
	INSERT INTO audit (actor, action, object, reason, change)
	    VALUES (p_actor, 'node.fence', 'node:' || p_node, p_reason,
	    jsonb_build_object('epoch', s.epoch + 1, 'home_nano',
	    home_nano::text));
	PERFORM pg_notify('youyun', 'node:' || p_node);
	PERFORM pg_notify('youyun', 'purse:0');
END
$$;
COMMENT ON FUNCTION node_fence(bigint, text, text) IS 'Shuts a node out and brings its leases home.';

-- Lets a fenced node's number be used again, by an instance with a fresh
-- segment.  False: it was not fenced.
CREATE FUNCTION node_admit(p_node bigint, p_actor text, p_reason text)
    RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	UPDATE node_state s SET fenced = NULL WHERE s.node_id = p_node
	    AND s.fenced IS NOT NULL;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	INSERT INTO audit (actor, action, object, reason)
	    VALUES (p_actor, 'node.admit', 'node:' || p_node, p_reason);
	PERFORM pg_notify('youyun', 'node:' || p_node);
	RETURN true;
END
$$;
COMMENT ON FUNCTION node_admit(bigint, text, text) IS 'Ends a node''s fencing.';

-- Who may.  Leases change by these functions only.
REVOKE ALL ON FUNCTION open_node(), open_purse(), check_conserved(), node_is_up(node_state),
    nodes_up(), node_attach(text, bigint, bigint), node_beat(bigint, bigint),
    node_release(bigint, bigint), lease_session(bigint, bigint),
    lease_gather(bigint), lease_grant(smallint, bigint, bigint, bigint),
    lease_heir(), money_comes_home(smallint, bigint, bigint),
    lease_refill(bigint, bigint,
    bigint[], bigint[], bigint[], bigint[], bigint), lease_return(bigint,
    bigint, bigint[], bigint[]), lease_take_all(bigint, bigint),
    lease_spend(bigint, bigint, bigint[], bigint[], bigint[]),
    lease_spend_late(bigint, bigint, bigint), node_add(text),
    node_fence(bigint, text, text), node_admit(bigint, text, text)
    FROM PUBLIC;
REVOKE UPDATE (spent_nano, spent_before_nano, incarnation, seq) ON lease
    FROM youyun_flusher;
GRANT SELECT ON purse, node_state, node_segment, customer_money
    TO youyun_flusher, youyun_admin;
GRANT SELECT ON purse, customer_money TO youyun_portal;
GRANT EXECUTE ON FUNCTION node_attach(text, bigint, bigint),
    node_beat(bigint, bigint), node_release(bigint, bigint),
    lease_refill(bigint, bigint, bigint[], bigint[], bigint[], bigint[],
    bigint), lease_return(bigint, bigint, bigint[], bigint[]),
    lease_take_all(bigint, bigint),
    lease_spend(bigint, bigint, bigint[], bigint[], bigint[])
    TO youyun_flusher;
GRANT EXECUTE ON FUNCTION node_is_up(node_state), nodes_up()
    TO youyun_flusher, youyun_admin;
GRANT EXECUTE ON FUNCTION node_add(text),
    node_fence(bigint, text, text), node_admit(bigint, text, text)
    TO youyun_admin;
