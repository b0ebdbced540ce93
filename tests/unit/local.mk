# Unit tests, one program per module, with check.
# if HAVE_CHECK
# check_PROGRAMS += %D%/test_base_fee
# TESTS += %D%/test_base_fee
# %C%_test_base_fee_SOURCES = %D%/test_base_fee.c
# %C%_test_base_fee_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
# %C%_test_base_fee_LDADD = $(LINK_BASE) $(CHECK_LIBS)
# endif
include tests/unit/shm.mk
include tests/unit/base.mk
include tests/unit/conf.mk
include tests/unit/upstream.mk
include tests/unit/http.mk
include tests/unit/wire.mk
include tests/unit/translate.mk
include tests/unit/flusher.mk
include tests/unit/master.mk
include tests/unit/worker.mk
