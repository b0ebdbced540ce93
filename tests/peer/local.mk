# The scripted upstream, a process of its own.  Plain make builds it, because
# the quickstart uses it as its demonstration.
noinst_PROGRAMS += tests/peer/upstream
tests_peer_upstream_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/anthropic.c \
	%D%/buf.c %D%/buf.h \
	%D%/conn.c %D%/conn.h \
	%D%/kinds.c %D%/kinds.h \
	%D%/moderation.c \
	%D%/openai.c \
	%D%/request.c %D%/request.h \
	%D%/scenario.c %D%/scenario.h \
	%D%/speak.c %D%/speak.h \
	%D%/tally.c %D%/tally.h \
	%D%/upstream.c
tests_peer_upstream_LDADD = $(OPENSSL_LIBS) $(JSONC_LIBS) -lpthread

if HAVE_PYTHON3
TESTS += %D%/test_upstream.py
endif
EXTRA_DIST += %D%/test_upstream.py
