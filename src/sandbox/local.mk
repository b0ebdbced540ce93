# What confines a process to its job.
noinst_LIBRARIES += %D%/libsandbox.a
%C%_libsandbox_a_SOURCES = \
	%D%/filter.c \
	%D%/internal.h \
	%D%/landlock.c \
	%D%/sandbox.c %D%/sandbox.h
%C%_libsandbox_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
