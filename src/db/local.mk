# PostgreSQL: connection, transactions, one query a file.
noinst_LIBRARIES += %D%/libdb.a
%C%_libdb_a_SOURCES = \
	%D%/audit_chain.c %D%/audit_chain.h \
	%D%/call_columns.c %D%/call_columns.h \
	%D%/connection.c %D%/connection.h \
	%D%/copy.c \
	%D%/cursor.c %D%/cursor.h \
	%D%/fetch.c %D%/fetch.h \
	%D%/internal.h \
	%D%/migrate.c %D%/migrate.h \
	%D%/price_columns.c %D%/price_columns.h \
	%D%/q_account_each.c \
	%D%/q_adjust.c \
	%D%/q_attest.c \
	%D%/q_audit.c \
	%D%/q_bill_list.c \
	%D%/q_call_each.c \
	%D%/q_channel_add.c \
	%D%/q_channel_bounds_set.c \
	%D%/q_channel_credential.c \
	%D%/q_channel_credential_each.c \
	%D%/q_channel_each.c \
	%D%/q_channel_find.c \
	%D%/q_channel_groups_set.c \
	%D%/q_channel_model_each.c \
	%D%/q_channel_model_put.c \
	%D%/q_channel_proxy_set.c \
	%D%/q_channel_set.c \
	%D%/q_closing.c \
	%D%/q_code.c \
	%D%/q_complete.c \
	%D%/q_compliance.c \
	%D%/q_credit.c \
	%D%/q_customer_add.c \
	%D%/q_customer_each.c \
	%D%/q_customer_find.c \
	%D%/q_customer_more.c \
	%D%/q_customer_set.c \
	%D%/q_event_each.c \
	%D%/q_expired_each.c \
	%D%/q_group_each.c \
	%D%/q_incident.c \
	%D%/q_group_model.c \
	%D%/q_group_set.c \
	%D%/q_invitation.c \
	%D%/q_key_add.c \
	%D%/q_key_each.c \
	%D%/q_key_revoke.c \
	%D%/q_lease_each.c \
	%D%/q_limit.c \
	%D%/q_ledger_each.c \
	%D%/q_login.c \
	%D%/q_mark_each.c \
	%D%/q_model_each.c \
	%D%/q_model_put.c \
	%D%/q_node_add.c \
	%D%/q_node_each.c \
	%D%/q_node_fence.c \
	%D%/q_node_find.c \
	%D%/q_package_each.c \
	%D%/q_moderation.c \
	%D%/q_package_put.c \
	%D%/q_policy.c \
	%D%/q_payment_each.c \
	%D%/q_price_add.c \
	%D%/q_price_each.c \
	%D%/q_refund.c \
	%D%/q_request.c \
	%D%/q_retention.c \
	%D%/q_risk.c \
	%D%/q_screen.c \
	%D%/q_secret.c \
	%D%/q_subprocessor.c \
	%D%/q_ticket.c \
	%D%/q_ticket_change.c \
	%D%/q_totals.c \
	%D%/q_verify.c \
	%D%/queries.h %D%/queries_agreement.h %D%/queries_attest.h %D%/queries_audit.h \
	%D%/queries_bounds.h \
	%D%/queries_login.h %D%/queries_retention.h %D%/queries_risk.h \
	%D%/queries_secret.h \
	%D%/queries_support.h %D%/queries_topup.h %D%/queries_verify.h \
	%D%/query.c \
	%D%/spent.h \
	%D%/transaction.c %D%/transaction.h \
	%D%/value.c %D%/value.h \
	%D%/verify.h %D%/verify_booking.c %D%/verify_state.c \
	%D%/wire.h
nodist_%C%_libdb_a_SOURCES = %D%/embedded_sql.c

# The roles, and the migrations in their order.
YOUYUN_SQL = \
	%D%/sql/roles.sql \
	%D%/sql/0001-directory.sql \
	%D%/sql/0002-ledger.sql \
	%D%/sql/0003-rules.sql \
	%D%/sql/0004-grants.sql \
	%D%/sql/0005-bookings.sql \
	%D%/sql/0006-leases.sql \
	%D%/sql/0008-prices.sql \
	%D%/sql/0009-channels.sql \
	%D%/sql/0010-channel-responses.sql \
	%D%/sql/0011-notices.sql \
	%D%/sql/0012-limits.sql \
	%D%/sql/0013-bills.sql \
	%D%/sql/0014-portal.sql \
	%D%/sql/0015-topup.sql \
	%D%/sql/0019-roles.sql \
	%D%/sql/0021-screening.sql \
	%D%/sql/0023-policies.sql \
	%D%/sql/0024-cut.sql \
	%D%/sql/0025-spending.sql \
	%D%/sql/0026-logins.sql \
	%D%/sql/0028-agreement.sql \
	%D%/sql/0029-audit.sql \
	%D%/sql/0032-secrets.sql \
	%D%/sql/0033-access.sql \
	%D%/sql/0034-moderation.sql \
	%D%/sql/0035-lists.sql \
	%D%/sql/0036-risk.sql \
	%D%/sql/0037-channel-caps.sql \
	%D%/sql/0038-retention.sql
EXTRA_DIST += %D%/embed.awk $(YOUYUN_SQL)
CLEANFILES += %D%/embedded_sql.c

%D%/embedded_sql.c: $(YOUYUN_SQL) %D%/embed.awk %D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) %D% && cd $(srcdir) && \
	$(AWK) -f %D%/embed.awk $(YOUYUN_SQL) \
	    > $(abs_top_builddir)/$@-t && \
	mv $(abs_top_builddir)/$@-t $(abs_top_builddir)/$@
