/*
 * reply.h: hands an answer to libmicrohttpd.
 * Layer: worker (private).
 * Written by: front.c, within the connection's own callback.
 */
#ifndef WORKER_REPLY_H
#define WORKER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct call;

/* Room for what reply_error_text() writes. */
#define REPLY_TEXT_BYTES 4096

/* call->error, in its protocol's shape.  close: framing is in doubt, or the
 * body was not read.  False: the connection must be given up. */
bool	reply_error(struct call *call, struct MHD_Connection *connection,
	    bool close) __attribute__((warn_unused_result));

/* All of it is in call->relay; lent until libmicrohttpd has sent it. */
bool	reply_whole(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));

/* Comes from relay_read() as it comes. */
bool	reply_flow(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));
/* What the portal answered, likewise. */
bool	reply_portal(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));

/* A small document of ours: models, health. text is copied. */
bool	reply_document(struct call *call, struct MHD_Connection *connection,
	    int status, const char *content_type, const char *text,
	    size_t len) __attribute__((warn_unused_result));

/*
 * The same error as bytes on the wire, for client_say(): status line, headers,
 * "Connection: close", body.  Returns the length.
 */
size_t	reply_error_text(struct call *call, char *text, size_t size);

#endif
