# Settings: table, parse, check, diff.
noinst_LIBRARIES += %D%/libconf.a
%C%_libconf_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/check.c %D%/check.h \
	%D%/embedded.c %D%/embedded.h \
	%D%/heritage.h \
	%D%/modes.c %D%/modes.h \
	%D%/parse.c \
	%D%/report.c \
	%D%/service.c %D%/service.h \
	%D%/settings.c %D%/settings.h \
	%D%/staff.c %D%/staff.h \
	%D%/table.c %D%/table.h \
	%D%/value.c
