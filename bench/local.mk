# What measures, and the peers' configurations.
EXTRA_DIST += %D%/README %D%/run-call %D%/make-ledger %D%/call.lua \
	%D%/run-lists %D%/lists.sql \
	%D%/peers/nginx.conf.in %D%/peers/nginx-upstream.conf.in
noinst_PROGRAMS += %D%/bench_hold
%C%_bench_hold_SOURCES = %D%/bench_hold.c tests/unit/shm_fixture.h
%C%_bench_hold_LDADD = $(LINK_SHM)
noinst_PROGRAMS += %D%/bench_json_scan
%C%_bench_json_scan_SOURCES = %D%/bench_json_scan.c
%C%_bench_json_scan_LDADD = $(LINK_WIRE)
noinst_PROGRAMS += %D%/bench_journal
%C%_bench_journal_SOURCES = %D%/bench_journal.c
%C%_bench_journal_LDADD = $(LINK_FLUSHER)
