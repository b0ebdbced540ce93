# The upstream client's unit tests, against servers in threads of the test.
if HAVE_CHECK
upstream_unit_tests = \
	tests/unit/test_upstream_exchange \
	tests/unit/test_upstream_pool \
	tests/unit/test_upstream_request_head \
	tests/unit/test_upstream_time \
	tests/unit/test_upstream_tls
check_PROGRAMS += $(upstream_unit_tests)
TESTS += $(upstream_unit_tests)

upstream_fixture = \
	tests/unit/run.h \
	tests/unit/upstream_cert.c tests/unit/upstream_cert.h \
	tests/unit/upstream_fixture.c tests/unit/upstream_fixture.h \
	tests/unit/upstream_server.c tests/unit/upstream_server.h
upstream_test_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS) -pthread
upstream_test_ldadd = $(LINK_UPSTREAM) $(CHECK_LIBS)

tests_unit_test_upstream_exchange_SOURCES = \
	tests/unit/test_upstream_exchange.c $(upstream_fixture)
tests_unit_test_upstream_exchange_CFLAGS = $(upstream_test_cflags)
tests_unit_test_upstream_exchange_LDADD = $(upstream_test_ldadd)

tests_unit_test_upstream_pool_SOURCES = \
	tests/unit/test_upstream_pool.c $(upstream_fixture)
tests_unit_test_upstream_pool_CFLAGS = $(upstream_test_cflags)
tests_unit_test_upstream_pool_LDADD = $(upstream_test_ldadd)

tests_unit_test_upstream_request_head_SOURCES = \
	tests/unit/test_upstream_request_head.c tests/unit/run.h
tests_unit_test_upstream_request_head_CFLAGS = $(upstream_test_cflags)
tests_unit_test_upstream_request_head_LDADD = $(upstream_test_ldadd)

tests_unit_test_upstream_time_SOURCES = \
	tests/unit/test_upstream_time.c $(upstream_fixture)
tests_unit_test_upstream_time_CFLAGS = $(upstream_test_cflags)
tests_unit_test_upstream_time_LDADD = $(upstream_test_ldadd)

tests_unit_test_upstream_tls_SOURCES = \
	tests/unit/test_upstream_tls.c $(upstream_fixture)
tests_unit_test_upstream_tls_CFLAGS = $(upstream_test_cflags)
tests_unit_test_upstream_tls_LDADD = $(upstream_test_ldadd)
endif
