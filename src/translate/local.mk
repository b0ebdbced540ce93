# A client of one protocol on a channel of another: pure text to text.
noinst_LIBRARIES += %D%/libtranslate.a
%C%_libtranslate_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/answer_from_anthropic.c \
	%D%/answer_from_chat.c \
	%D%/answer_from_gemini.c \
	%D%/answer_to_chat.c \
	%D%/answer_to_gemini.c \
	%D%/answer_to_messages.c \
	%D%/answer_to_responses.c \
	%D%/conversation.c %D%/conversation.h \
	%D%/document.c %D%/document.h \
	%D%/error.c \
	%D%/gemini_schema.c %D%/gemini_schema.h \
	%D%/request.c %D%/request.h \
	%D%/request_from_chat.c \
	%D%/request_from_gemini.c \
	%D%/request_from_messages.c \
	%D%/request_from_responses.c \
	%D%/request_to_anthropic.c \
	%D%/request_to_chat.c \
	%D%/request_to_gemini.c \
	%D%/stream.c \
	%D%/translate.h \
	%D%/walk.c %D%/walk.h

EXTRA_DIST += %D%/MAPPING
