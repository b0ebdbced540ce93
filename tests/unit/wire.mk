# The protocols' unit tests.
if HAVE_CHECK
wire_unit_tests = \
	tests/unit/test_wire_corpus \
	tests/unit/test_wire_error \
	tests/unit/test_wire_filter \
	tests/unit/test_wire_form \
	tests/unit/test_wire_kinds \
	tests/unit/test_wire_meter \
	tests/unit/test_wire_receipt \
	tests/unit/test_wire_request \
	tests/unit/test_wire_route
check_PROGRAMS += $(wire_unit_tests)
TESTS += $(wire_unit_tests)

tests_unit_test_wire_corpus_SOURCES = \
	tests/unit/test_wire_corpus.c tests/unit/run.h
tests_unit_test_wire_corpus_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_corpus_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_error_SOURCES = \
	tests/unit/test_wire_error.c tests/unit/run.h
tests_unit_test_wire_error_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_error_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_filter_SOURCES = \
	tests/unit/test_wire_filter.c tests/unit/run.h
tests_unit_test_wire_filter_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_filter_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_kinds_SOURCES = \
	tests/unit/test_wire_kinds.c tests/unit/run.h
tests_unit_test_wire_kinds_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_kinds_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_meter_SOURCES = \
	tests/unit/test_wire_meter.c tests/unit/run.h
tests_unit_test_wire_meter_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_meter_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_receipt_SOURCES = \
	tests/unit/test_wire_receipt.c tests/unit/run.h
tests_unit_test_wire_receipt_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_receipt_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_request_SOURCES = \
	tests/unit/test_wire_request.c tests/unit/run.h
tests_unit_test_wire_request_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_request_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_route_SOURCES = \
	tests/unit/test_wire_route.c tests/unit/run.h
tests_unit_test_wire_route_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_route_LDADD = $(LINK_WIRE) $(CHECK_LIBS)

tests_unit_test_wire_form_SOURCES = \
	tests/unit/test_wire_form.c tests/unit/run.h
tests_unit_test_wire_form_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_wire_form_LDADD = $(LINK_WIRE) $(CHECK_LIBS)
endif
