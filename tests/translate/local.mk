# The translation as a filter, and what the providers and clients say to it.
check_PROGRAMS += %D%/translate
%C%_translate_SOURCES = %D%/translate.c
%C%_translate_LDADD = $(LINK_TRANSLATE)
