# The customers' API.
noinst_LIBRARIES += %D%/libportal.a
%C%_libportal_a_SOURCES = \
	%D%/api_account.c \
	%D%/api_agreement.c \
	%D%/api_bills.c \
	%D%/api_calls.c \
	%D%/api_export.c \
	%D%/api_keys.c %D%/api_limits.c \
	%D%/api_payments.c \
	%D%/api_password.c \
	%D%/api_prices.c \
	%D%/api_registration.c \
	%D%/api_session.c \
	%D%/api_tickets.c \
	%D%/api_topups.c \
	%D%/api_totp.c \
	%D%/api_usage.c \
	%D%/attachment.c %D%/attachment.h \
	%D%/auth.c %D%/auth.h \
	%D%/body.c %D%/call_json.c %D%/call_json.h \
	%D%/cookie.c %D%/cookie.h \
	%D%/login.c %D%/login.h \
	%D%/main.c \
	%D%/openapi.c %D%/openapi.h \
	%D%/pool.c %D%/pool.h \
	%D%/portal.h \
	%D%/price_json.h \
	%D%/request.c %D%/request.h \
	%D%/route.c %D%/route.h \
	%D%/server.c %D%/server.h
nodist_%C%_libportal_a_SOURCES = %D%/openapi_text.c
EXTRA_DIST += %D%/openapi.json %D%/embed.awk
CLEANFILES += %D%/openapi_text.c

%D%/openapi_text.c: %D%/openapi.json %D%/embed.awk
	$(AM_V_GEN)$(MKDIR_P) %D% && \
	$(AWK) -f $(srcdir)/%D%/embed.awk $(srcdir)/%D%/openapi.json >$@-t && \
	mv $@-t $@
