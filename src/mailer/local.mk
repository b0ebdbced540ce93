# Notices by mail.
noinst_LIBRARIES += %D%/libmailer.a
%C%_libmailer_a_SOURCES = \
	%D%/mailer.h \
	%D%/main.c \
	%D%/message.c %D%/message.h \
	%D%/sendmail.c %D%/sendmail.h \
	%D%/text.c %D%/text.h
