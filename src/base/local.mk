# Errors, log, clock, bytes, money, loop.
noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/api_key.c \
	%D%/base64.c %D%/base64.h \
	%D%/bytes.c %D%/bytes.h \
	%D%/clock.c %D%/clock.h \
	%D%/csv.c %D%/csv.h \
	%D%/currency.c %D%/currency.h \
	%D%/fee.c %D%/fee.h \
	%D%/log.c %D%/log.h \
	%D%/loop.c %D%/loop.h \
	%D%/mail_address.c %D%/mail_address.h \
	%D%/mail_code.c %D%/mail_code.h \
	%D%/money.c %D%/money.h \
	%D%/password.c %D%/password.h \
	%D%/payment.c %D%/payment.h \
	%D%/price.c %D%/price.h \
	%D%/secret.c %D%/secret.h \
	%D%/secret_file.c \
	%D%/signals.c %D%/signals.h \
	%D%/text_match.c %D%/text_match.h \
	%D%/text_match_build.c %D%/text_match_internal.h \
	%D%/text_pattern.c %D%/text_pattern.h %D%/text_skip.c \
	%D%/topup_code.c %D%/topup_code.h \
	%D%/totp.c %D%/totp.h \
	%D%/usage.c %D%/usage.h \
	%D%/utf8.c %D%/utf8.h \
	%D%/wide.c %D%/wide.h
