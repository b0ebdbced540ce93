# Several processes on one segment.
check_PROGRAMS += %D%/hold_race
TESTS += %D%/hold_race
%C%_hold_race_SOURCES = %D%/hold_race.c tests/unit/shm_fixture.h
%C%_hold_race_LDADD = $(LINK_SHM)
