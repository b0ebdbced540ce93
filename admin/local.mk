# The administrator's command.
sbin_PROGRAMS += %D%/youyunctl
%C%_youyunctl_SOURCES = \
	%D%/access.c %D%/access.h \
	%D%/admin.h \
	%D%/args.c %D%/args.h \
	%D%/attest.h \
	%D%/attest_answer.c %D%/attest_answer.h \
	%D%/attest_calls.c %D%/attest_calls.h \
	%D%/attest_canary.c %D%/attest_canary.h \
	%D%/attest_certificate.c %D%/attest_certificate.h \
	%D%/attest_client.c %D%/attest_client.h \
	%D%/attest_confine.c \
	%D%/attest_control.c %D%/attest_control.h \
	%D%/attest_database.c %D%/attest_database.h \
	%D%/attest_files.c %D%/attest_files.h \
	%D%/attest_fixture.c %D%/attest_fixture.h \
	%D%/attest_memory.c \
	%D%/attest_proc.c %D%/attest_proc.h \
	%D%/attest_process.c %D%/attest_process.h \
	%D%/attest_report.c \
	%D%/attest_run.c \
	%D%/attest_scan.c %D%/attest_scan.h \
	%D%/attest_search.c %D%/attest_search.h \
	%D%/attest_sign.c %D%/attest_sign.h \
	%D%/attest_upstream.c %D%/attest_upstream.h \
	%D%/bill.h \
	%D%/booking.c %D%/booking.h \
	%D%/calls.h \
	%D%/channel.h \
	%D%/channel_health.c %D%/channel_health.h \
	%D%/channel_input.c \
	%D%/channel_options.c \
	%D%/channel_report.c \
	%D%/channel_test.c \
	%D%/check.c %D%/check.h \
	%D%/cluster.c %D%/cluster.h \
	%D%/cmd_allow.c \
	%D%/cmd_audit.c \
	%D%/cmd_attest.c \
	%D%/cmd_balance.c \
	%D%/cmd_bill.c \
	%D%/cmd_calls.c \
	%D%/cmd_channel.c \
	%D%/cmd_closing.c \
	%D%/cmd_code.c \
	%D%/cmd_complete.c \
	%D%/cmd_compliance.c \
	%D%/cmd_credential.c \
	%D%/cmd_credit.c \
	%D%/cmd_customer.c \
	%D%/cmd_event.c \
	%D%/cmd_group.c \
	%D%/cmd_help.c \
	%D%/cmd_incident.c \
	%D%/cmd_init.c \
	%D%/cmd_invitation.c \
	%D%/cmd_journal.c \
	%D%/cmd_key.c \
	%D%/cmd_limit.c \
	%D%/cmd_login.c \
	%D%/cmd_margin.c \
	%D%/cmd_node.c \
	%D%/cmd_moderation.c \
	%D%/cmd_package.c \
	%D%/cmd_payment.c \
	%D%/cmd_price.c \
	%D%/cmd_refund.c \
	%D%/cmd_request.c \
	%D%/cmd_retention.c \
	%D%/cmd_risk.c \
	%D%/cmd_screen.c \
	%D%/cmd_secret.c \
	%D%/cmd_status.c \
	%D%/cmd_subprocessor.c \
	%D%/cmd_ticket.c \
	%D%/cmd_top.c \
	%D%/cmd_verify.c \
	%D%/code.h %D%/code_create.c \
	%D%/explain.c %D%/explain.h \
	%D%/help.h \
	%D%/key.h \
	%D%/options.c %D%/options.h \
	%D%/price_csv.c \
	%D%/price_entry.c \
	%D%/price_export.c \
	%D%/price_file.h \
	%D%/price_import.c \
	%D%/price_json.c \
	%D%/price_options.c %D%/price_options.h \
	%D%/price_show.c %D%/price_show.h \
	%D%/price_text.c %D%/price_text.h \
	%D%/prices.c %D%/prices.h \
	%D%/probe.c %D%/probe.h \
	%D%/profile.c %D%/profile.h \
	%D%/program.c %D%/program.h \
	%D%/progress.c %D%/progress.h \
	%D%/record.c \
	%D%/report.c %D%/report.h \
	%D%/page.c %D%/page.h \
	%D%/terminal.c %D%/terminal.h \
	%D%/rows.c %D%/rows.h \
	%D%/screen.c %D%/screen.h \
	%D%/secret.h %D%/secret_daemon.c %D%/secret_rotate.c \
	%D%/secret_state.c \
	%D%/session.c \
	%D%/status.h \
	%D%/suggest.c %D%/suggest.h \
	%D%/text_file.c %D%/text_file.h \
	%D%/ticket.h \
	%D%/ticket_refund.c \
	%D%/ticket_show.c \
	%D%/top.c %D%/top.h \
	%D%/url.c %D%/url.h \
	%D%/verify.h %D%/verify_segment.c \
	%D%/words.c %D%/words.h \
	%D%/youyunctl.c
%C%_youyunctl_LDADD = $(LINK_SANDBOX) $(LINK_EXPORT) \
	src/flusher/libflusher.a \
	src/wire/libwire.a src/http/libhttp.a \
	src/conf/libconf.a src/db/libdb.a $(LINK_SHM) $(LIBPQ_LIBS) \
	$(JSONC_LIBS)

# Its tests, against a real cluster in a temporary folder.
check_PROGRAMS += tests/admin/journal tests/admin/killed tests/admin/segment
tests_admin_killed_SOURCES = tests/admin/killed.c
tests_admin_journal_SOURCES = tests/admin/journal.c
tests_admin_journal_LDADD = $(LINK_FLUSHER)
tests_admin_segment_SOURCES = tests/admin/segment.c
tests_admin_segment_LDADD = src/conf/libconf.a $(LINK_SHM)
admin_tests = \
	tests/admin/test_agreement.py \
	tests/admin/test_audit.py \
	tests/admin/test_closing.py \
	tests/admin/test_complete.py \
	tests/admin/test_init.py \
	tests/admin/test_journal.py \
	tests/admin/test_ledger.py \
	tests/admin/test_man.py \
	tests/admin/test_money.py \
	tests/admin/test_pages.py \
	tests/admin/test_prices.py \
	tests/admin/test_retention.py \
	tests/admin/test_roles.py \
	tests/admin/test_secret.py \
	tests/admin/test_terminal.py \
	tests/admin/test_verbs.py
if HAVE_PYTHON3
TESTS += $(admin_tests)
endif
EXTRA_DIST += $(admin_tests) tests/admin/fixture.py

if HAVE_CHECK
check_PROGRAMS += tests/unit/test_admin_attest
TESTS += tests/unit/test_admin_attest
tests_unit_test_admin_attest_SOURCES = tests/unit/test_admin_attest.c \
	tests/unit/run.h %D%/attest_canary.c %D%/attest_search.c \
	%D%/attest_sign.c
tests_unit_test_admin_attest_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_admin_attest_LDADD = $(LINK_BASE) $(CHECK_LIBS)
endif
