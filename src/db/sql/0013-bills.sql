-- Bills by month, for lists: what they show would otherwise be summed up over
-- all of a customer's bookings, each time.

CREATE TABLE bill_month (
	customer_id bigint NOT NULL REFERENCES customer,
	month date NOT NULL CHECK (month = date_trunc('month', month)),
	credited_nano bigint NOT NULL,
	calls_nano bigint NOT NULL,
	change_nano bigint NOT NULL,
	bookings bigint NOT NULL,
	first_id bigint NOT NULL,
	last_id bigint NOT NULL CHECK (last_id >= first_id),
	PRIMARY KEY (customer_id, month)
) WITH (fillfactor = 70);
COMMENT ON TABLE bill_month IS 'What a customer''s bookings of a month (UTC) come to on all of its accounts together; kept by a trigger on posting. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN bill_month.customer_id IS 'Whose. Operator: controller.';
COMMENT ON COLUMN bill_month.month IS 'The first day of the month in which the bookings were made. Operator: controller.';
COMMENT ON COLUMN bill_month.credited_nano IS 'What came in. Operator: controller.';
COMMENT ON COLUMN bill_month.calls_nano IS 'What calls took out. Operator: controller.';
COMMENT ON COLUMN bill_month.change_nano IS 'All that came in and went out. Operator: controller.';
COMMENT ON COLUMN bill_month.bookings IS 'How many bookings that were. Operator: controller.';
COMMENT ON COLUMN bill_month.first_id IS 'The least number of them. Operator: controller.';
COMMENT ON COLUMN bill_month.last_id IS 'The greatest number of them. Operator: controller.';

CREATE VIEW bill_month_reckoned AS
	SELECT t.customer_id,
	    date_trunc('month', t.at AT TIME ZONE 'UTC')::date AS month,
	    coalesce(sum(p.amount_nano) FILTER (WHERE p.amount_nano > 0),
	    0)::bigint AS credited_nano,
	    coalesce(-sum(p.amount_nano) FILTER (WHERE t.kind = 'calls'),
	    0)::bigint AS calls_nano, sum(p.amount_nano)::bigint AS change_nano,
	    count(DISTINCT t.id) AS bookings, min(t.id) AS first_id,
	    max(t.id) AS last_id
	FROM posting p
	JOIN ledger_account a ON a.id = p.account_id
	JOIN ledger_transaction t ON t.id = p.transaction_id
	WHERE a.customer_id = t.customer_id
	GROUP BY 1, 2;
COMMENT ON VIEW bill_month_reckoned IS 'What bill_month has to have, out of the postings.';

INSERT INTO bill_month (customer_id, month, credited_nano, calls_nano,
    change_nano, bookings, first_id, last_id)
    SELECT customer_id, month, credited_nano, calls_nano, change_nano,
    bookings, first_id, last_id FROM bill_month_reckoned;

-- Whoever books has the customer's lock (ledger_lock), so that bookings of a
-- customer come in the order of their numbers, and nobody else changes these
-- rows: a booking whose postings come by several statements counts once.
CREATE FUNCTION fill_bills() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = youyun, pg_temp AS $$
BEGIN
	INSERT INTO bill_month AS b (customer_id, month, credited_nano,
	    calls_nano, change_nano, bookings, first_id, last_id)
	    SELECT n.customer_id, n.month, sum(n.credited), sum(n.calls),
	    sum(n.change), count(*) FILTER (WHERE m.last_id IS NULL
	    OR n.id > m.last_id), min(n.id), max(n.id)
	    FROM (SELECT t.customer_id, t.id,
	    date_trunc('month', t.at AT TIME ZONE 'UTC')::date AS month,
	    coalesce(sum(p.amount_nano) FILTER (WHERE p.amount_nano > 0), 0)
	    AS credited, coalesce(-sum(p.amount_nano) FILTER (WHERE
	    t.kind = 'calls'), 0) AS calls, sum(p.amount_nano) AS change
	    FROM added p JOIN ledger_account a ON a.id = p.account_id
	    JOIN ledger_transaction t ON t.id = p.transaction_id
	    WHERE a.customer_id = t.customer_id GROUP BY 1, 2, 3) n
	    LEFT JOIN bill_month m ON m.customer_id = n.customer_id
	    AND m.month = n.month GROUP BY 1, 2
	    ON CONFLICT (customer_id, month) DO UPDATE SET
	    credited_nano = b.credited_nano + excluded.credited_nano,
	    calls_nano = b.calls_nano + excluded.calls_nano,
	    change_nano = b.change_nano + excluded.change_nano,
	    bookings = b.bookings + excluded.bookings,
	    first_id = least(b.first_id, excluded.first_id),
	    last_id = greatest(b.last_id, excluded.last_id);
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION fill_bills() IS 'Trigger: brings postings into the bills by month.';
REVOKE ALL ON FUNCTION fill_bills() FROM PUBLIC;
CREATE TRIGGER fill_bills AFTER INSERT ON posting
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION fill_bills();

GRANT SELECT ON bill_month, bill_month_reckoned TO youyun_admin;
