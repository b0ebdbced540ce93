# End to end over HTTPS with a scripted upstream.
http_tests = \
	%D%/test_receipt.py \
	%D%/test_registration.py \
	%D%/test_anchor.py \
	%D%/test_attest.py \
	%D%/test_routes.py \
	%D%/test_sessions.py \
	%D%/test_errors.py \
	%D%/test_stream.py \
	%D%/test_moderation.py \
	%D%/test_money.py \
	%D%/test_kinds.py \
	%D%/test_prices.py \
	%D%/test_splice.py \
	%D%/test_translation.py \
	%D%/test_disconnect.py \
	%D%/test_failover.py \
	%D%/test_breaker.py \
	%D%/test_reload.py \
	%D%/test_outage.py \
	%D%/test_channel_caps.py \
	%D%/test_cut.py \
	%D%/test_daemon.py \
	%D%/test_durability.py \
	%D%/test_kill.py \
	%D%/test_mail.py \
	%D%/test_metadata.py \
	%D%/test_limits.py \
	%D%/test_live.py \
	%D%/test_nodes.py \
	%D%/test_policy.py \
	%D%/test_plans.py \
	%D%/test_portal.py \
	%D%/test_sandbox.py \
	%D%/test_agreement.py \
	%D%/test_retention.py \
	%D%/test_risk.py \
	%D%/test_screen.py \
	%D%/test_secrets.py \
	%D%/test_spending.py \
	%D%/test_tickets.py \
	%D%/test_top.py \
	%D%/test_topup.py
check_PROGRAMS += %D%/takeover
EXTRA_DIST += $(http_tests) \
	%D%/README %D%/case.py %D%/channels.py %D%/client.py %D%/browser.py \
	%D%/harness.py \
	%D%/lists.py %D%/machine.py %D%/money.py %D%/nodes.py %D%/outage.py

if HAVE_PYTHON3
TESTS += $(http_tests)
endif
