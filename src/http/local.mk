# Pure parsing of HTTP, SSE and JSON; no I/O.
noinst_LIBRARIES += %D%/libhttp.a
%C%_libhttp_a_SOURCES = \
	%D%/chunked.c %D%/chunked.h \
	%D%/date.c %D%/date.h \
	%D%/json_find.h \
	%D%/json_pull.c %D%/json_pull.h \
	%D%/json_scan.c %D%/json_scan.h \
	%D%/json_string.c \
	%D%/json_text.c %D%/json_text.h \
	%D%/multipart.c %D%/multipart.h \
	%D%/response_head.c %D%/response_head.h \
	%D%/result.h \
	%D%/sse.c %D%/sse.h
