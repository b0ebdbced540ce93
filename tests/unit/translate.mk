# The translation's unit tests.
if HAVE_CHECK
translate_unit_tests = \
	tests/unit/test_translate_answer \
	tests/unit/test_translate_request
check_PROGRAMS += $(translate_unit_tests)
TESTS += $(translate_unit_tests)

tests_unit_test_translate_answer_SOURCES = \
	tests/unit/test_translate_answer.c tests/unit/run.h
tests_unit_test_translate_answer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_translate_answer_LDADD = $(LINK_TRANSLATE) $(CHECK_LIBS)

tests_unit_test_translate_request_SOURCES = \
	tests/unit/test_translate_request.c tests/unit/run.h
tests_unit_test_translate_request_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_translate_request_LDADD = $(LINK_TRANSLATE) $(CHECK_LIBS)
endif
