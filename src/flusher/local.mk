# Rings, journal, ledger.
noinst_LIBRARIES += %D%/libflusher.a
%C%_libflusher_a_SOURCES = \
	%D%/accounts.c %D%/accounts.h \
	%D%/anchor.c %D%/anchor.h \
	%D%/apply.c %D%/apply.h \
	%D%/batch.c %D%/batch.h \
	%D%/budget_load.c %D%/budget_load.h \
	%D%/catalogue_load.c %D%/catalogue_load.h \
	%D%/chores.c %D%/chores.h \
	%D%/directory.c %D%/directory.h \
	%D%/directory_internal.h %D%/directory_load.c \
	%D%/file.c %D%/file.h \
	%D%/flusher.h \
	%D%/frame.c %D%/frame.h \
	%D%/gauges.c %D%/gauges.h \
	%D%/join.c %D%/join.h \
	%D%/journal.c %D%/journal.h \
	%D%/journal_check.h \
	%D%/journal_file.c \
	%D%/journal_internal.h \
	%D%/journal_read.c %D%/journal_read.h \
	%D%/journal_recover.c \
	%D%/journal_repair.c \
	%D%/journal_survey.c \
	%D%/lease.c %D%/lease.h \
	%D%/main.c \
	%D%/node.c %D%/node.h \
	%D%/policy_load.c %D%/policy_load.h \
	%D%/progress.h \
	%D%/reclaim.c %D%/reclaim.h \
	%D%/resolver.c %D%/resolver.h \
	%D%/screen_load.c %D%/screen_load.h \
	%D%/taking.c
