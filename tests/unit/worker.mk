# The worker's pure parts; what it does as a process is in tests/http.
if HAVE_CHECK
worker_unit_tests = \
	tests/unit/test_worker_choose \
	tests/unit/test_worker_headers \
	tests/unit/test_worker_money \
	tests/unit/test_worker_usage \
	tests/unit/test_worker_view
check_PROGRAMS += $(worker_unit_tests)
TESTS += $(worker_unit_tests)

tests_unit_test_worker_choose_SOURCES = tests/unit/test_worker_choose.c \
	tests/unit/run.h tests/unit/shm_fixture.h \
	tests/unit/view_fixture.h
tests_unit_test_worker_choose_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_worker_choose_LDADD = $(LINK_WORKER) $(CHECK_LIBS)

tests_unit_test_worker_headers_SOURCES = tests/unit/test_worker_headers.c \
	tests/unit/run.h
tests_unit_test_worker_headers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_worker_headers_LDADD = $(LINK_WORKER) $(CHECK_LIBS)

tests_unit_test_worker_money_SOURCES = tests/unit/test_worker_money.c \
	tests/unit/run.h
tests_unit_test_worker_money_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_worker_money_LDADD = $(LINK_WORKER) $(CHECK_LIBS)

tests_unit_test_worker_usage_SOURCES = tests/unit/test_worker_usage.c \
	tests/unit/run.h
tests_unit_test_worker_usage_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_worker_usage_LDADD = $(LINK_WORKER) $(CHECK_LIBS)

tests_unit_test_worker_view_SOURCES = tests/unit/test_worker_view.c \
	tests/unit/run.h tests/unit/shm_fixture.h tests/unit/view_fixture.h
tests_unit_test_worker_view_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_worker_view_LDADD = $(LINK_WORKER) $(CHECK_LIBS)
endif
