# The segment's unit tests.
if HAVE_CHECK
shm_unit_tests = \
	tests/unit/test_shm_answer \
	tests/unit/test_shm_catalogue \
	tests/unit/test_shm_channel \
	tests/unit/test_shm_hold \
	tests/unit/test_shm_budget \
	tests/unit/test_shm_limit \
	tests/unit/test_shm_refill \
	tests/unit/test_shm_segment
check_PROGRAMS += $(shm_unit_tests)
TESTS += $(shm_unit_tests)

tests_unit_test_shm_channel_SOURCES = tests/unit/test_shm_channel.c \
	tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_channel_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_channel_LDADD = $(LINK_SHM) $(CHECK_LIBS)

tests_unit_test_shm_catalogue_SOURCES = tests/unit/test_shm_catalogue.c \
	tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_catalogue_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_catalogue_LDADD = $(LINK_SHM) $(CHECK_LIBS)

tests_unit_test_shm_budget_SOURCES = tests/unit/test_shm_budget.c \
	tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_budget_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_budget_LDADD = $(LINK_SHM) $(CHECK_LIBS)

tests_unit_test_shm_limit_SOURCES = tests/unit/test_shm_limit.c \
	tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_limit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_limit_LDADD = $(LINK_SHM) $(CHECK_LIBS)

tests_unit_test_shm_hold_SOURCES = tests/unit/test_shm_hold.c \
	tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_hold_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_hold_LDADD = $(LINK_SHM) $(CHECK_LIBS)

tests_unit_test_shm_refill_SOURCES = tests/unit/test_shm_refill.c \
	tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_refill_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_refill_LDADD = $(LINK_SHM) $(CHECK_LIBS)

tests_unit_test_shm_segment_SOURCES = tests/unit/test_shm_segment.c \
	tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_segment_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_segment_LDADD = $(LINK_SHM) $(CHECK_LIBS)

tests_unit_test_shm_answer_SOURCES = \
	tests/unit/test_shm_answer.c tests/unit/run.h tests/unit/shm_fixture.h
tests_unit_test_shm_answer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_shm_answer_LDADD = $(LINK_SHM) $(CHECK_LIBS)
endif
