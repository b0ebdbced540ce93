# Fuzz targets.  make check replays the inputs in seeds/; with --enable-fuzz
# they are fuzzers of their own: tests/fuzz/fuzz_sse CORPUS tests/fuzz/seeds/sse
fuzz_targets = \
	tests/fuzz/fuzz_chunked \
	tests/fuzz/fuzz_filter \
	tests/fuzz/fuzz_form \
	tests/fuzz/fuzz_json_pull \
	tests/fuzz/fuzz_json_scan \
	tests/fuzz/fuzz_meter \
	tests/fuzz/fuzz_request \
	tests/fuzz/fuzz_response_head \
	tests/fuzz/fuzz_sse \
	tests/fuzz/fuzz_translate_answer \
	tests/fuzz/fuzz_translate_request \
	tests/fuzz/fuzz_translate_stream \
	tests/fuzz/fuzz_typed
if FUZZ
noinst_PROGRAMS += $(fuzz_targets)
fuzz_main =
fuzz_ldflags = -fsanitize=fuzzer
else
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
fuzz_main = tests/fuzz/libreplay.a
fuzz_ldflags =
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h
endif

tests_fuzz_fuzz_chunked_SOURCES = \
	tests/fuzz/fuzz_chunked.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_chunked_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_chunked_LDADD = $(fuzz_main) $(LINK_HTTP)

tests_fuzz_fuzz_typed_SOURCES = \
	tests/fuzz/fuzz_typed.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_typed_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_typed_LDADD = $(fuzz_main) $(LINK_BASE)

tests_fuzz_fuzz_json_pull_SOURCES = \
	tests/fuzz/fuzz_json_pull.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_json_pull_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_json_pull_LDADD = $(fuzz_main) $(LINK_HTTP)

tests_fuzz_fuzz_json_scan_SOURCES = \
	tests/fuzz/fuzz_json_scan.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_json_scan_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_json_scan_LDADD = $(fuzz_main) $(LINK_HTTP)

tests_fuzz_fuzz_response_head_SOURCES = \
	tests/fuzz/fuzz_response_head.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_response_head_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_response_head_LDADD = $(fuzz_main) $(LINK_HTTP)

tests_fuzz_fuzz_sse_SOURCES = \
	tests/fuzz/fuzz_sse.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_sse_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_sse_LDADD = $(fuzz_main) $(LINK_HTTP)

tests_fuzz_fuzz_filter_SOURCES = \
	tests/fuzz/fuzz_filter.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_filter_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_filter_LDADD = $(fuzz_main) $(LINK_WIRE)

tests_fuzz_fuzz_form_SOURCES = \
	tests/fuzz/fuzz_form.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_form_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_form_LDADD = $(fuzz_main) $(LINK_WIRE)

tests_fuzz_fuzz_meter_SOURCES = \
	tests/fuzz/fuzz_meter.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_meter_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_meter_LDADD = $(fuzz_main) $(LINK_WIRE)

tests_fuzz_fuzz_request_SOURCES = \
	tests/fuzz/fuzz_request.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_request_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_request_LDADD = $(fuzz_main) $(LINK_WIRE)

tests_fuzz_fuzz_translate_answer_SOURCES = \
	tests/fuzz/fuzz_translate_answer.c \
	tests/fuzz/translate_pair.h tests/fuzz/fuzz.h
tests_fuzz_fuzz_translate_answer_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_translate_answer_LDADD = $(fuzz_main) $(LINK_TRANSLATE)

tests_fuzz_fuzz_translate_request_SOURCES = \
	tests/fuzz/fuzz_translate_request.c \
	tests/fuzz/translate_pair.h tests/fuzz/fuzz.h
tests_fuzz_fuzz_translate_request_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_translate_request_LDADD = $(fuzz_main) $(LINK_TRANSLATE)

tests_fuzz_fuzz_translate_stream_SOURCES = \
	tests/fuzz/fuzz_translate_stream.c \
	tests/fuzz/translate_pair.h tests/fuzz/fuzz.h
tests_fuzz_fuzz_translate_stream_LDFLAGS = $(AM_LDFLAGS) $(fuzz_ldflags)
tests_fuzz_fuzz_translate_stream_LDADD = $(fuzz_main) $(LINK_TRANSLATE)

EXTRA_DIST += %D%/replay.c %D%/seeds
