-- Least privilege.  The roles exist already; youyun_owner owns everything.

REVOKE ALL ON SCHEMA youyun FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA youyun FROM PUBLIC;
GRANT USAGE ON SCHEMA youyun TO youyun_flusher, youyun_portal, youyun_admin;

-- The flusher reads the directory and books calls.
GRANT SELECT ON node, customer_group, api_key, model, price, channel,
    channel_model, ledger_account, lease, journal_mark, schema_version
    TO youyun_flusher;
GRANT SELECT (id, status, group_id) ON customer TO youyun_flusher;
GRANT INSERT ON call TO youyun_flusher;
GRANT SELECT (id, idempotency_key, made_in) ON ledger_transaction
    TO youyun_flusher;
GRANT INSERT ON ledger_transaction, posting TO youyun_flusher;
GRANT SELECT ON posting TO youyun_flusher;
GRANT UPDATE (spent_nano, spent_before_nano, incarnation, seq) ON lease
    TO youyun_flusher;
GRANT INSERT, UPDATE ON journal_mark TO youyun_flusher;
GRANT EXECUTE ON FUNCTION call_partition_ensure(timestamptz),
    call_partitions_ensure(timestamptz)
    TO youyun_flusher;

-- The portal shows customers what concerns them.
GRANT SELECT ON customer_group, model, price, lease, call, ledger_account,
    ledger_transaction, posting, schema_version TO youyun_portal;
GRANT SELECT (id, name, status, group_id, created) ON customer
    TO youyun_portal;
GRANT SELECT (id, customer_id, name, hint, status, expires_at, created,
    revoked) ON api_key TO youyun_portal;

-- The administrator reads everything, changes the directory, and moves money
-- by credit() only.
GRANT SELECT ON ALL TABLES IN SCHEMA youyun TO youyun_admin;
GRANT INSERT, UPDATE ON customer, customer_group, api_key, model, channel,
    channel_model TO youyun_admin;
GRANT DELETE ON channel_model TO youyun_admin;
GRANT INSERT ON price TO youyun_admin;
GRANT EXECUTE ON FUNCTION
    credit(text, bigint, bigint, text, text, text) TO youyun_admin;
GRANT EXECUTE ON FUNCTION call_partition_ensure(timestamptz),
    call_partitions_ensure(timestamptz) TO youyun_admin;
