# Upstream connections, TLS, pool, exchanges.
noinst_LIBRARIES += %D%/libupstream.a
%C%_libupstream_a_SOURCES = \
	%D%/client.c %D%/client.h \
	%D%/connection.c %D%/connection.h \
	%D%/dial.c %D%/dial.h \
	%D%/endpoint.c %D%/endpoint.h %D%/endpoint_state.h \
	%D%/exchange.c %D%/exchange.h %D%/exchange_state.h \
	%D%/failure.c %D%/failure.h \
	%D%/pool.c %D%/pool.h \
	%D%/receive.c \
	%D%/request_head.c %D%/request_head.h \
	%D%/send.c \
	%D%/socket_io.c %D%/socket_io.h \
	%D%/tls.c %D%/tls.h \
	%D%/trust.c %D%/trust.h \
	%D%/tunnel.c %D%/tunnel.h
