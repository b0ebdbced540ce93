# The translation as a filter, and what the providers and clients say to it.
check_PROGRAMS += %D%/translate
%C%_translate_SOURCES = %D%/translate.c
%C%_translate_LDADD = $(LINK_TRANSLATE)

EXTRA_DIST += %D%/test_recorded.py %D%/samples/made.jsonl
if HAVE_PYTHON3
TESTS += %D%/test_recorded.py
endif
