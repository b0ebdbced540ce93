# The client side.
noinst_LIBRARIES += %D%/libworker.a
%C%_libworker_a_SOURCES = \
	%D%/admit.c %D%/admit.h \
	%D%/amount.c %D%/amount.h \
	%D%/answers.c %D%/answers.h \
	%D%/attempt.c %D%/attempt.h %D%/attempt_note.c \
	%D%/authenticate.c %D%/authenticate.h \
	%D%/call.c %D%/call.h \
	%D%/catalogue_view.c %D%/catalogue_view.h \
	%D%/choose.c %D%/choose.h \
	%D%/client.c %D%/client.h \
	%D%/client_head.c %D%/client_head.h \
	%D%/context.h \
	%D%/cut.c %D%/cut.h \
	%D%/durable.c %D%/durable.h \
	%D%/forward.c %D%/forward.h \
	%D%/front.c %D%/front.h \
	%D%/health.c %D%/health.h \
	%D%/limits.c %D%/limits.h \
	%D%/linger.c %D%/linger.h \
	%D%/listen.c %D%/listen.h \
	%D%/models.c %D%/models.h \
	%D%/moderate.c %D%/moderate.h \
	%D%/park.c %D%/park.h \
	%D%/policy.c %D%/policy.h \
	%D%/portal.c %D%/portal.h \
	%D%/relay.c %D%/relay.h \
	%D%/receipt.c %D%/receipt.h \
	%D%/relay_end.c %D%/relay_end.h \
	%D%/reply.c %D%/reply.h \
	%D%/request.c %D%/request.h \
	%D%/screen.c %D%/screen.h \
	%D%/settle.c %D%/settle.h \
	%D%/spending.c %D%/spending.h \
	%D%/tls_io.c %D%/tls_io.h \
	%D%/translated.c %D%/translated.h \
	%D%/upload.c %D%/upload.h \
	%D%/worker.c %D%/worker.h
