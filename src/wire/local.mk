# One file per provider protocol, and what they share.
noinst_LIBRARIES += %D%/libwire.a
%C%_libwire_a_SOURCES = \
	%D%/amounts.c \
	%D%/anthropic.c \
	%D%/asked.c %D%/asked.h \
	%D%/audio.c \
	%D%/batch.c %D%/batch.h \
	%D%/error.c %D%/error.h \
	%D%/estimate.c %D%/estimate.h \
	%D%/filter.c %D%/filter.h \
	%D%/form.c %D%/form.h \
	%D%/gemini.c \
	%D%/images.c \
	%D%/interactions.c \
	%D%/meter.c %D%/meter.h \
	%D%/meter_reader.h \
	%D%/modality.c %D%/modality.h \
	%D%/models.c %D%/models.h \
	%D%/openai.c \
	%D%/receipt.c %D%/receipt.h \
	%D%/responses.c \
	%D%/request.c %D%/request.h \
	%D%/route.c %D%/route.h \
	%D%/served.c \
	%D%/splice.c %D%/splice.h \
	%D%/split.c \
	%D%/text.c %D%/text.h
