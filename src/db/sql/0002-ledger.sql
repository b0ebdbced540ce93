-- Money: the double-entry ledger, leases, call records, the journal's mark.

CREATE TABLE ledger_account (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('customer_prepaid', 'revenue',
	    'uncollected', 'adjustment', 'promotional', 'external')),
	customer_id bigint REFERENCES customer,
	CHECK ((kind = 'customer_prepaid') = (customer_id IS NOT NULL))
);
CREATE UNIQUE INDEX ledger_account_customer ON ledger_account (customer_id)
    WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX ledger_account_kind ON ledger_account (kind)
    WHERE customer_id IS NULL;
COMMENT ON TABLE ledger_account IS 'Where money is booked. A positive sum means that money came in to the account. Operator: controller.';
COMMENT ON COLUMN ledger_account.id IS 'Number of the account. Operator: controller.';
COMMENT ON COLUMN ledger_account.kind IS 'customer_prepaid: what a customer still has. revenue: fees earned. uncollected: what calls cost above what was held (negative). external: payments from outside (negative). promotional, adjustment: credits without a payment (negative). Operator: controller.';
COMMENT ON COLUMN ledger_account.customer_id IS 'Whose, for customer_prepaid. Operator: controller.';
INSERT INTO ledger_account (kind) VALUES ('revenue'), ('uncollected'),
    ('adjustment'), ('promotional'), ('external');

CREATE TABLE ledger_transaction (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('credit', 'calls')),
	customer_id bigint NOT NULL REFERENCES customer,
	idempotency_key text NOT NULL UNIQUE
	    CHECK (length(idempotency_key) BETWEEN 1 AND 200),
	actor text NOT NULL,
	reason text NOT NULL DEFAULT '',
	calls integer NOT NULL DEFAULT 0 CHECK (calls >= 0),
	at timestamptz NOT NULL DEFAULT now(),
	made_in xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX ledger_transaction_customer ON ledger_transaction
    (customer_id, id);
COMMENT ON TABLE ledger_transaction IS 'One booking; its postings sum to zero. Append-only. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN ledger_transaction.id IS 'Number of the booking; for a credit also its receipt. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.kind IS 'credit: money for a customer. calls: the fees of one batch of a customer''s calls, which name this row. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.customer_id IS 'Whom it concerns. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.idempotency_key IS 'The same key books once, however often it is asked for. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.actor IS 'Who booked it: a person of the operator''s, or the flusher. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.reason IS 'Why, in the actor''s words. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.calls IS 'How many calls the booking covers. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.at IS 'When it was booked. Operator: controller.';
COMMENT ON COLUMN ledger_transaction.made_in IS 'The database transaction that made it; postings may be added in that one only. Operator: controller, no personal data.';

CREATE TABLE posting (
	transaction_id bigint NOT NULL REFERENCES ledger_transaction,
	account_id bigint NOT NULL REFERENCES ledger_account,
	amount_nano bigint NOT NULL CHECK (amount_nano <> 0),
	PRIMARY KEY (transaction_id, account_id)
);
CREATE INDEX posting_account ON posting (account_id, transaction_id);
COMMENT ON TABLE posting IS 'One line of a booking. Append-only. Operator: controller (bookkeeping duty).';
COMMENT ON COLUMN posting.transaction_id IS 'The booking. Operator: controller.';
COMMENT ON COLUMN posting.account_id IS 'The account that the amount comes in to, or if negative goes out of. Operator: controller.';
COMMENT ON COLUMN posting.amount_nano IS 'Nano-units. Operator: controller.';

CREATE TABLE lease (
	node_id smallint NOT NULL REFERENCES node,
	customer_id bigint NOT NULL REFERENCES customer,
	epoch bigint NOT NULL DEFAULT 1,
	granted_nano bigint NOT NULL DEFAULT 0 CHECK (granted_nano >= 0),
	spent_nano bigint NOT NULL DEFAULT 0 CHECK (spent_nano >= 0),
	spent_before_nano bigint NOT NULL DEFAULT 0
	    CHECK (spent_before_nano >= 0),
	incarnation bigint NOT NULL DEFAULT 0,
	seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
	PRIMARY KEY (node_id, customer_id),
	CHECK (spent_nano <= granted_nano),
	CHECK (spent_before_nano <= spent_nano)
);
CREATE INDEX lease_customer_id ON lease (customer_id);
COMMENT ON TABLE lease IS 'What one node may spend of a customer''s money. A customer''s balance is the sum of granted_nano - spent_nano. Operator: controller.';
COMMENT ON COLUMN lease.node_id IS 'The node. Operator: controller.';
COMMENT ON COLUMN lease.customer_id IS 'The customer. Operator: controller.';
COMMENT ON COLUMN lease.epoch IS 'Grows when a lease is taken back or given to another node. Operator: controller, no personal data.';
COMMENT ON COLUMN lease.granted_nano IS 'Ever granted to this node; changed by credit() only. Operator: controller.';
COMMENT ON COLUMN lease.spent_nano IS 'Fees of all calls applied so far. Operator: controller.';
COMMENT ON COLUMN lease.spent_before_nano IS 'spent_nano just before the first call of this incarnation was applied; a segment of that incarnation was granted granted_nano less this. Operator: controller.';
COMMENT ON COLUMN lease.incarnation IS 'The shared segment whose calls were applied last. Operator: controller, no personal data.';
COMMENT ON COLUMN lease.seq IS 'Journal position of the last call applied to it. Operator: controller, no personal data.';

CREATE TABLE journal_mark (
	node_id smallint NOT NULL REFERENCES node,
	journal_id bigint NOT NULL,
	seq bigint NOT NULL CHECK (seq >= 0),
	incarnation bigint NOT NULL,
	changed timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (node_id, journal_id)
);
COMMENT ON TABLE journal_mark IS 'How far a node''s journal was applied; moved in the transaction that inserts the calls. Operator: controller, no personal data.';
COMMENT ON COLUMN journal_mark.node_id IS 'The node. Operator: controller.';
COMMENT ON COLUMN journal_mark.journal_id IS 'The journal, by the random number in its files. Operator: controller.';
COMMENT ON COLUMN journal_mark.seq IS 'Everything up to here is in the tables. Operator: controller.';
COMMENT ON COLUMN journal_mark.incarnation IS 'The shared segment of the last record applied. Operator: controller.';
COMMENT ON COLUMN journal_mark.changed IS 'When it moved last. Operator: controller.';

-- No foreign keys here: a record that could not be inserted would hold up
-- every record behind it.
CREATE TABLE call (
	started_at timestamptz NOT NULL,
	request_id uuid NOT NULL,
	journal_id bigint NOT NULL,
	journal_seq bigint NOT NULL,
	ledger_transaction_id bigint,
	customer_id bigint,
	key_id bigint,
	group_id bigint,
	model_id bigint,
	channel_id bigint,
	price_version bigint,
	fee_nano bigint NOT NULL CHECK (fee_nano >= 0),
	uncollected_nano bigint NOT NULL CHECK (uncollected_nano >= 0),
	held_nano bigint NOT NULL,
	input_tokens bigint NOT NULL,
	output_tokens bigint NOT NULL,
	cache_read_tokens bigint NOT NULL,
	cache_write_5m_tokens bigint NOT NULL,
	cache_write_1h_tokens bigint NOT NULL,
	reasoning_tokens bigint NOT NULL,
	request_bytes bigint NOT NULL,
	answer_bytes bigint NOT NULL,
	multiplier_ppm bigint NOT NULL,
	flags bigint NOT NULL,
	queue_ms bigint NOT NULL,
	first_byte_ms bigint NOT NULL,
	total_ms bigint NOT NULL,
	route integer NOT NULL,
	protocol integer NOT NULL,
	status integer NOT NULL,
	error integer NOT NULL,
	upstream_status integer NOT NULL,
	node_id integer NOT NULL,
	address inet,
	agent text NOT NULL,
	PRIMARY KEY (started_at, request_id),
	UNIQUE (started_at, journal_id, journal_seq)
) PARTITION BY RANGE (started_at);
CREATE INDEX call_customer ON call (customer_id, started_at, request_id);
CREATE INDEX call_transaction ON call (ledger_transaction_id)
    WHERE ledger_transaction_id IS NOT NULL;
CREATE TABLE call_other PARTITION OF call DEFAULT;
COMMENT ON TABLE call_other IS 'Calls whose day has no partition, and those of customers on legal hold whose day was deleted. Operator: as for call.';
COMMENT ON TABLE call IS 'The record of one call; all that is ever kept about it. No body, no key. Append-only, one partition a day, to be dropped after the retention time. Operator: controller for billing; processor for what concerns the customer''s own users.';
COMMENT ON COLUMN call.started_at IS 'When the call came, to the microsecond. Operator: controller.';
COMMENT ON COLUMN call.request_id IS 'RFC 9562 version 7; what x-request-id told the client. Operator: controller.';
COMMENT ON COLUMN call.journal_id IS 'The journal that it was applied from. Operator: controller, no personal data.';
COMMENT ON COLUMN call.journal_seq IS 'Its position there. Operator: controller, no personal data.';
COMMENT ON COLUMN call.ledger_transaction_id IS 'The booking that holds its fee; NULL: nothing was owed. Operator: controller.';
COMMENT ON COLUMN call.customer_id IS 'Who pays; NULL: the key was unknown. Operator: controller.';
COMMENT ON COLUMN call.key_id IS 'By which key; NULL: unknown. Operator: controller.';
COMMENT ON COLUMN call.group_id IS 'The customer''s group then. Operator: controller.';
COMMENT ON COLUMN call.model_id IS 'The model; NULL: unknown. Operator: controller.';
COMMENT ON COLUMN call.channel_id IS 'Through which channel; NULL: none. Operator: controller.';
COMMENT ON COLUMN call.price_version IS 'The price row that applied; NULL: none. Operator: controller.';
COMMENT ON COLUMN call.fee_nano IS 'What was charged. Operator: controller.';
COMMENT ON COLUMN call.uncollected_nano IS 'What it cost above what was held. Operator: controller.';
COMMENT ON COLUMN call.held_nano IS 'What was held when it ended. Operator: controller.';
COMMENT ON COLUMN call.input_tokens IS 'Input at the full price. The token counts are disjoint. Operator: controller.';
COMMENT ON COLUMN call.output_tokens IS 'Output, reasoning included. Operator: controller.';
COMMENT ON COLUMN call.cache_read_tokens IS 'Input from a cache. Operator: controller.';
COMMENT ON COLUMN call.cache_write_5m_tokens IS 'Input written to a short-lived cache. Operator: controller.';
COMMENT ON COLUMN call.cache_write_1h_tokens IS 'Input written to a long-lived cache. Operator: controller.';
COMMENT ON COLUMN call.reasoning_tokens IS 'Of the output; informative. Operator: controller.';
COMMENT ON COLUMN call.request_bytes IS 'Size of the client''s body. Operator: controller.';
COMMENT ON COLUMN call.answer_bytes IS 'Size of the upstream''s body. Operator: controller.';
COMMENT ON COLUMN call.multiplier_ppm IS 'The group''s multiplier then. Operator: controller.';
COMMENT ON COLUMN call.flags IS 'Bits RECORD_… of shm/record.h. Operator: controller.';
COMMENT ON COLUMN call.queue_ms IS 'Until upstream had the call. Operator: controller, no personal data.';
COMMENT ON COLUMN call.first_byte_ms IS 'Until the first byte of the answer. Operator: controller, no personal data.';
COMMENT ON COLUMN call.total_ms IS 'Until the end. Operator: controller, no personal data.';
COMMENT ON COLUMN call.route IS 'Enum wire_route; never the path''s text. Operator: controller.';
COMMENT ON COLUMN call.protocol IS 'Enum wire_protocol. Operator: controller.';
COMMENT ON COLUMN call.status IS 'HTTP status that the client got. Operator: controller.';
COMMENT ON COLUMN call.error IS 'Enum wire_error; never upstream text. Operator: controller.';
COMMENT ON COLUMN call.upstream_status IS 'HTTP status of the upstream; 0: no answer. Operator: controller.';
COMMENT ON COLUMN call.node_id IS 'The node that served it. Operator: controller, no personal data.';
COMMENT ON COLUMN call.address IS 'The client''s address, against abuse. Operator: processor for the customer''s users.';
COMMENT ON COLUMN call.agent IS 'The client program''s name for itself, cut, printable ASCII. Operator: processor for the customer''s users.';

CREATE TABLE audit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	actor text NOT NULL,
	role text NOT NULL DEFAULT session_user,
	action text NOT NULL,
	object text NOT NULL,
	reason text NOT NULL DEFAULT '',
	change jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE audit IS 'Every administrative change. Append-only. Operator: controller (accountability).';
COMMENT ON COLUMN audit.id IS 'Number of the entry. Operator: controller.';
COMMENT ON COLUMN audit.at IS 'When. Operator: controller.';
COMMENT ON COLUMN audit.actor IS 'Which person, as the tool knows it. Operator: controller.';
COMMENT ON COLUMN audit.role IS 'Which role of the database. Operator: controller.';
COMMENT ON COLUMN audit.action IS 'What was done: table.insert, table.update, table.delete, credit. Operator: controller.';
COMMENT ON COLUMN audit.object IS 'To what, like customer:5. Operator: controller.';
COMMENT ON COLUMN audit.reason IS 'Why, in the actor''s words. Operator: controller.';
COMMENT ON COLUMN audit.change IS 'The new values of what changed, without digests and credentials. Operator: controller.';
