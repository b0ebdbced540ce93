# One file per provider protocol, and what they share.
noinst_LIBRARIES += %D%/libwire.a
%C%_libwire_a_SOURCES = \
	%D%/anthropic.c \
	%D%/asked.c %D%/asked.h \
	%D%/error.c %D%/error.h \
	%D%/estimate.c %D%/estimate.h \
	%D%/filter.c %D%/filter.h \
	%D%/meter.c %D%/meter.h \
	%D%/meter_reader.h \
	%D%/models.c %D%/models.h \
	%D%/openai.c \
	%D%/request.c %D%/request.h \
	%D%/route.c %D%/route.h \
	%D%/splice.c %D%/splice.h \
	%D%/text.c %D%/text.h
