# The flusher's unit tests.
if HAVE_CHECK
flusher_unit_tests = \
	tests/unit/test_flusher_disk \
	tests/unit/test_flusher_journal \
	tests/unit/test_flusher_repair
check_PROGRAMS += $(flusher_unit_tests)
TESTS += $(flusher_unit_tests)

tests_unit_test_flusher_disk_SOURCES = \
	tests/unit/test_flusher_disk.c tests/unit/run.h \
	tests/unit/disk_model.c tests/unit/disk_model.h \
	tests/unit/journal_rig.c tests/unit/journal_rig.h
tests_unit_test_flusher_disk_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_flusher_disk_LDADD = $(LINK_FLUSHER) $(CHECK_LIBS)

tests_unit_test_flusher_journal_SOURCES = \
	tests/unit/test_flusher_journal.c tests/unit/run.h
tests_unit_test_flusher_journal_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_flusher_journal_LDADD = $(LINK_FLUSHER) $(CHECK_LIBS)

tests_unit_test_flusher_repair_SOURCES = \
	tests/unit/test_flusher_repair.c tests/unit/run.h \
	tests/unit/disk_model.c tests/unit/disk_model.h
tests_unit_test_flusher_repair_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_flusher_repair_LDADD = $(LINK_FLUSHER) $(CHECK_LIBS)
endif
