# The base's unit tests.
if HAVE_CHECK
base_unit_tests = \
	tests/unit/test_base_base64 \
	tests/unit/test_base_bytes \
	tests/unit/test_base_clock \
	tests/unit/test_base_currency \
	tests/unit/test_base_fee \
	tests/unit/test_base_log \
	tests/unit/test_base_loop \
	tests/unit/test_base_money \
	tests/unit/test_base_password \
	tests/unit/test_base_payment \
	tests/unit/test_base_secret \
	tests/unit/test_base_text_match \
	tests/unit/test_base_topup_code \
	tests/unit/test_base_totp
check_PROGRAMS += $(base_unit_tests)
TESTS += $(base_unit_tests)

tests_unit_test_base_password_SOURCES = tests/unit/test_base_password.c tests/unit/run.h
tests_unit_test_base_password_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_password_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_totp_SOURCES = tests/unit/test_base_totp.c tests/unit/run.h
tests_unit_test_base_totp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_totp_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_bytes_SOURCES = tests/unit/test_base_bytes.c tests/unit/run.h
tests_unit_test_base_bytes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_bytes_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_text_match_SOURCES = tests/unit/test_base_text_match.c tests/unit/run.h
tests_unit_test_base_text_match_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_text_match_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_clock_SOURCES = tests/unit/test_base_clock.c tests/unit/run.h
tests_unit_test_base_clock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_clock_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_currency_SOURCES = tests/unit/test_base_currency.c tests/unit/run.h
tests_unit_test_base_currency_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_currency_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_fee_SOURCES = tests/unit/test_base_fee.c tests/unit/run.h
tests_unit_test_base_fee_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_fee_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_log_SOURCES = tests/unit/test_base_log.c tests/unit/run.h
tests_unit_test_base_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_log_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_loop_SOURCES = tests/unit/test_base_loop.c tests/unit/run.h
tests_unit_test_base_loop_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_loop_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_money_SOURCES = tests/unit/test_base_money.c tests/unit/run.h
tests_unit_test_base_money_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_money_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_secret_SOURCES = tests/unit/test_base_secret.c tests/unit/run.h
tests_unit_test_base_secret_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_secret_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_base64_SOURCES = tests/unit/test_base_base64.c tests/unit/run.h
tests_unit_test_base_base64_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_base64_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_payment_SOURCES = tests/unit/test_base_payment.c tests/unit/run.h
tests_unit_test_base_payment_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_payment_LDADD = $(LINK_BASE) $(CHECK_LIBS)

tests_unit_test_base_topup_code_SOURCES = tests/unit/test_base_topup_code.c tests/unit/run.h
tests_unit_test_base_topup_code_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_topup_code_LDADD = $(LINK_BASE) $(CHECK_LIBS)
endif

# Fees against fractions.
check_PROGRAMS += tests/unit/fee_calc
tests_unit_fee_calc_SOURCES = tests/unit/fee_calc.c
tests_unit_fee_calc_LDADD = $(LINK_BASE)
if HAVE_PYTHON3
TESTS += tests/unit/test_fee_oracle.py
endif
EXTRA_DIST += tests/unit/test_fee_oracle.py tests/unit/fee_oracle.py
