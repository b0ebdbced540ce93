# The settings table, its messages and its manual; the daemon as a whole.
conf_tests = %D%/manuals.sh %D%/settings_documented.sh \
	%D%/sample_is_right.sh %D%/lifecycle.sh %D%/init_script.sh \
	%D%/modes.sh
TESTS += $(conf_tests)
EXTRA_DIST += $(conf_tests) %D%/instance.sh

check_PROGRAMS += %D%/print_settings
%C%_print_settings_SOURCES = %D%/print_settings.c
%C%_print_settings_LDADD = $(LINK_CONF)
