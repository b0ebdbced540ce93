# The master's unit tests.
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_master_files
TESTS += tests/unit/test_master_files
tests_unit_test_master_files_SOURCES = tests/unit/test_master_files.c \
	tests/unit/run.h src/master/logfile.c src/master/pem.c \
	src/master/sockets.c
tests_unit_test_master_files_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_master_files_LDADD = $(LINK_CONF) $(CHECK_LIBS)
endif

# Plain C, since what it tests takes the place of its own free(); the sanitizers
# have an allocator of their own.
check_PROGRAMS += tests/unit/test_master_scrub
if !SANITIZERS
TESTS += tests/unit/test_master_scrub
endif
tests_unit_test_master_scrub_SOURCES = tests/unit/test_master_scrub.c \
	src/master/scrub.c
tests_unit_test_master_scrub_CFLAGS = $(AM_CFLAGS) -Wno-use-after-free
tests_unit_test_master_scrub_LDADD = $(OPENSSL_LIBS)
