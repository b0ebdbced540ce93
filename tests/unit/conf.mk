# The configuration's unit tests.
if HAVE_CHECK
conf_unit_tests = \
	tests/unit/test_conf_parse \
	tests/unit/test_conf_settings
check_PROGRAMS += $(conf_unit_tests)
TESTS += $(conf_unit_tests)

tests_unit_test_conf_parse_SOURCES = tests/unit/test_conf_parse.c \
	tests/unit/run.h
tests_unit_test_conf_parse_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_conf_parse_LDADD = $(LINK_CONF) $(CHECK_LIBS)

tests_unit_test_conf_settings_SOURCES = tests/unit/test_conf_settings.c \
	tests/unit/run.h
tests_unit_test_conf_settings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_conf_settings_LDADD = $(LINK_CONF) $(CHECK_LIBS)
endif
