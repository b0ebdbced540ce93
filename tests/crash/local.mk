# A process killed at its every instruction.
check_PROGRAMS += %D%/step_kill
TESTS += %D%/step_kill
%C%_step_kill_SOURCES = %D%/step_kill.c %D%/tracer.c \
	%D%/tracer.h tests/unit/shm_fixture.h
%C%_step_kill_LDADD = $(LINK_SHM)

# Everything killed at random, end to end.
EXTRA_DIST += %D%/nemesis.py
if HAVE_PYTHON3
TESTS += %D%/nemesis.py
endif
