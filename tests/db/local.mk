# Against a throw-away PostgreSQL server.
if HAVE_CHECK
# The server, also for other folders' tests.
check_LIBRARIES += tests/db/libpgfixture.a
tests_db_libpgfixture_a_SOURCES = tests/db/pg_fixture.c tests/db/pg_fixture.h

db_tests = \
	tests/db/test_db_apply \
	tests/db/test_db_crash \
	tests/db/test_db_flusher \
	tests/db/test_db_leases \
	tests/db/test_db_outage \
	tests/db/test_db_queries \
	tests/db/test_db_schema \
	tests/db/test_db_taking
check_PROGRAMS += $(db_tests)
TESTS += $(db_tests)

tests_db_test_db_apply_SOURCES = tests/db/test_db_apply.c
tests_db_test_db_apply_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_apply_LDADD = tests/db/libpgfixture.a $(LINK_FLUSHER) \
	$(CHECK_LIBS)

tests_db_test_db_crash_SOURCES = tests/db/test_db_crash.c \
	tests/db/flusher_fixture.h
tests_db_test_db_crash_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_crash_LDADD = tests/db/libpgfixture.a $(LINK_FLUSHER) \
	$(CHECK_LIBS)

tests_db_test_db_flusher_SOURCES = tests/db/test_db_flusher.c \
	tests/db/flusher_fixture.h
tests_db_test_db_flusher_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_flusher_LDADD = tests/db/libpgfixture.a $(LINK_FLUSHER) \
	$(CHECK_LIBS)

tests_db_test_db_outage_SOURCES = tests/db/test_db_outage.c \
	tests/db/flusher_fixture.h tests/db/commit_proxy.h
tests_db_test_db_outage_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_outage_LDADD = tests/db/libpgfixture.a $(LINK_FLUSHER) \
	$(CHECK_LIBS)

tests_db_test_db_leases_SOURCES = tests/db/test_db_leases.c
tests_db_test_db_leases_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_leases_LDADD = tests/db/libpgfixture.a $(LINK_FLUSHER) \
	$(CHECK_LIBS)

tests_db_test_db_queries_SOURCES = tests/db/test_db_queries.c
tests_db_test_db_queries_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_queries_LDADD = tests/db/libpgfixture.a $(LINK_FLUSHER) \
	$(CHECK_LIBS)

tests_db_test_db_schema_SOURCES = tests/db/test_db_schema.c
tests_db_test_db_schema_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_schema_LDADD = tests/db/libpgfixture.a $(LINK_DB) \
	$(CHECK_LIBS)

tests_db_test_db_taking_SOURCES = tests/db/test_db_taking.c \
	tests/db/flusher_fixture.h
tests_db_test_db_taking_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_db_test_db_taking_LDADD = tests/db/libpgfixture.a $(LINK_FLUSHER) \
	$(CHECK_LIBS)
endif
