# The parsers' unit tests.
if HAVE_CHECK
http_unit_tests = \
	tests/unit/test_http_chunked \
	tests/unit/test_http_json_pull \
	tests/unit/test_http_json_scan \
	tests/unit/test_http_json_text \
	tests/unit/test_http_multipart \
	tests/unit/test_http_response_head \
	tests/unit/test_http_sse
check_PROGRAMS += $(http_unit_tests)
TESTS += $(http_unit_tests)

tests_unit_test_http_chunked_SOURCES = \
	tests/unit/test_http_chunked.c tests/unit/run.h
tests_unit_test_http_chunked_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_chunked_LDADD = $(LINK_HTTP) $(CHECK_LIBS)

tests_unit_test_http_json_pull_SOURCES = \
	tests/unit/test_http_json_pull.c tests/unit/run.h
tests_unit_test_http_json_pull_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_json_pull_LDADD = $(LINK_HTTP) $(CHECK_LIBS)

tests_unit_test_http_json_text_SOURCES = \
	tests/unit/test_http_json_text.c tests/unit/run.h
tests_unit_test_http_json_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_json_text_LDADD = $(LINK_HTTP) $(CHECK_LIBS)

tests_unit_test_http_json_scan_SOURCES = \
	tests/unit/test_http_json_scan.c tests/unit/run.h
tests_unit_test_http_json_scan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_json_scan_LDADD = $(LINK_HTTP) $(CHECK_LIBS)

tests_unit_test_http_response_head_SOURCES = \
	tests/unit/test_http_response_head.c tests/unit/run.h
tests_unit_test_http_response_head_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_response_head_LDADD = $(LINK_HTTP) $(CHECK_LIBS)

tests_unit_test_http_sse_SOURCES = \
	tests/unit/test_http_sse.c tests/unit/run.h
tests_unit_test_http_sse_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_sse_LDADD = $(LINK_HTTP) $(CHECK_LIBS)

tests_unit_test_http_multipart_SOURCES = \
	tests/unit/test_http_multipart.c tests/unit/run.h
tests_unit_test_http_multipart_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_http_multipart_LDADD = $(LINK_HTTP) $(CHECK_LIBS)
endif
