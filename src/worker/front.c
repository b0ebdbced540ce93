#include "worker/front.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/loop.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/linger.h"
#include "worker/relay.h"
#include "worker/reply.h"
#include "worker/request.h"
#include "worker/settle.h"
#include "worker/upload.h"

/* libmicrohttpd clears the pool on every kept-alive call, so it costs time as
 * well as memory; a head must fit into it, or it answers 431 by itself. */
#define POOL_BYTES 16384
/* 1: nothing that senders and proxies could read in two ways is let pass. */
#define DISCIPLINE 1
/* An answer takes up to three runs: sent, taken note of, read on. */
#define RUNS_PER_TURN 3

/* Whose input libmicrohttpd may be parsing; more at once are too many to
 * tell, see on_message(). */
#define READERS_MAX 8

struct front_daemon {
	struct loop_watch watch;	/* first: see daemon_ready() */
	struct MHD_Daemon *mhd;
	size_t clients;
	bool dirty;
	size_t readers;
	struct client *reader[READERS_MAX];	/* the last one reads now */
	struct client *reading;
};

struct front {
	struct worker *worker;
	struct client *arriving;	/* within MHD_add_connection() */
	uint32_t daemons;
	struct front_daemon daemon[];
};

static void
daemon_ready(struct loop_watch *w, uint32_t events)
{
	(void)events;
	((struct front_daemon *)w)->dirty = true;
}

static struct client *
client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **context)
{
	struct call *call = *context;
	size_t taken;
	bool ok;

	(void)arg;
	(void)version;
	if (call == NULL) {
		client_established(client_of(connection));
		call = call_begin(client_of(connection)->worker,
		    client_of(connection));
		if (call == NULL)
			return MHD_NO;
		*context = call;
		ok = request_head(call, connection, method, url);
	} else if (*upload_size > 0) {
		ok = request_body(call, upload, *upload_size, &taken);
		*upload_size -= taken;
	} else
		ok = request_serve(call, connection);
	return ok ? MHD_YES : MHD_NO;
}

static void
end_call(struct client *client)
{
	struct call *call = client->call;

	client->call = NULL;
	call->client = NULL;
	relay_client_gone(call);
	if (call->exchange == NULL)
		call->state = CALL_OVER;
	call_release(call);
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode why)
{
	struct call *call = *context;
	struct client *client;

	(void)arg;
	(void)connection;
	(void)why;
	if (call == NULL)
		return;
	*context = NULL;
	client = call->client;
	/* What is parsed next may be what an earlier read brought along. */
	client->daemon->reading = NULL;
	end_call(client);
	client_enter(client, CLIENT_IDLE,
	    client->worker->settings->idle_timeout_ms);
}

void
front_note_read(struct client *client)
{
	struct front_daemon *d = client->daemon;

	d->reading = client;
	if (d->readers > READERS_MAX ||
	    (d->readers > 0 && d->reader[d->readers - 1] == client))
		return;
	if (d->readers < READERS_MAX)
		d->reader[d->readers] = client;
	d->readers++;
}

/*
 * Before a run.  GnuTLS gives the rest of a long record without reading again,
 * so who has such a rest is parsed without a sign; if that is one client
 * alone, it is known.
 */
static void
find_readers(struct front_daemon *d)
{
	size_t kept = 0;

	d->reading = NULL;
	if (d->readers > READERS_MAX) {
		d->readers = 0;
		return;
	}
	for (size_t i = 0; i < d->readers; i++)
		if (gnutls_record_check_pending(
		    d->reader[i]->io_session) > 0)
			d->reader[kept++] = d->reader[i];
	d->readers = kept;
	if (kept == 1)
		d->reading = d->reader[0];
}

static void
forget_reader(struct client *client)
{
	struct front_daemon *d = client->daemon;
	size_t n = d->readers < READERS_MAX ? d->readers : READERS_MAX;
	size_t kept = 0;

	if (d->reading == client)
		d->reading = NULL;
	for (size_t i = 0; i < n; i++)
		if (d->reader[i] != client)
			d->reader[kept++] = d->reader[i];
	if (d->readers <= READERS_MAX)
		d->readers = kept;
}

static void
on_connection(void *arg, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct front *front = arg;
	struct client *client;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		client = front->arriving;
		front->arriving = NULL;
		*context = client;
		client->connection = connection;
		if (!client_attach(client))
			client_cut(client);
		return;
	}
	client = *context;
	*context = NULL;
	client_detach(client);
	if (client->call != NULL)
		end_call(client);
	tls_io_flush(client);
	if (client->linger || client->io.out_len > 0)
		linger_on(front->worker->linger, client->watch.fd,
		    client->io.out_len > 0 ?
		    client->io.out + client->io.out_start : NULL,
		    client->io.out_len);
	forget_reader(client);
	client->daemon->clients--;
	client_free(client);
}

/* An answer in the middle of a request, past libmicrohttpd. */
static void
say(struct client *client, enum wire_error error)
{
	char text[REPLY_TEXT_BYTES];
	struct call *call = client->call;
	bool passing = call == NULL;

	if (passing) {
		call = call_begin(client->worker, client);
		if (call == NULL)
			return;
		call->protocol = WIRE_OPENAI;
	}
	if (call->answer == ANSWER_NONE)
		call_refuse(call, error);
	else if (call->error == WIRE_ERROR_NONE)
		/* Of the upstream's answer nothing has left yet. */
		call->error = error;
	call->limit = client->worker->settings->max_body_bytes;
	client_say(client, text, reply_error_text(call, text, sizeof(text)));
	bytes_scrub(text, sizeof(text));
	upload_abort(call);
	/* One that holds money ends by its own rules when the client is gone. */
	if (call->hold == HOLD_NONE)
		settle_refusal(call);
	if (passing)
		end_call(client);
}

static enum wire_error
error_of(unsigned status)
{
	switch (status) {
	case MHD_HTTP_CONTENT_TOO_LARGE:
		return WIRE_ERROR_BODY_LARGE;
	case MHD_HTTP_URI_TOO_LONG:
	case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE:
		return WIRE_ERROR_HEAD_LARGE;
	case MHD_HTTP_INTERNAL_SERVER_ERROR:
		return WIRE_ERROR_INTERNAL;
	}
	return WIRE_ERROR_BAD_REQUEST;
}

/*
 * libmicrohttpd answers what it can't parse by itself, in HTML, and asks
 * nobody; but it says so here just before.  It parses a connection's bytes
 * right after reading them (but for those of a pipelined request, see
 * on_completed()), so it is the connection that was read last.  We say the
 * same in the protocol's shape; its own words are muted.  Where it can't be
 * told whose they are, they pass.  Messages are looked at for that and go
 * nowhere else: some quote the request.
 */
static void
on_message(void *arg, const char *format, va_list ap)
{
	static const char refusal[] =
	    "Error processing request (HTTP response code is %u";
	struct front_daemon *d = arg;
	struct client *client = d->reading;

	if (client == NULL || client->io_session == NULL ||
	    client->io.muted ||
	    strncmp(format, refusal, sizeof(refusal) - 1) != 0)
		return;
	say(client, error_of(va_arg(ap, unsigned)));
}

static struct MHD_Daemon *
start(struct front *front, struct front_daemon *d)
{
	const struct heritage *h = front->worker->heritage;
	const struct settings *s = front->worker->settings;
	unsigned flags = MHD_USE_ERROR_LOG | MHD_USE_EPOLL |
	    MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO |
	    MHD_USE_NO_LISTEN_SOCKET | MHD_USE_NO_THREAD_SAFETY;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)h->tls_certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)h->tls_key },
		{ MHD_OPTION_END, 0, NULL }
	};
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	bool has_tls = h->tls_certificate != NULL;

	if (has_tls)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, front,
	    MHD_OPTION_EXTERNAL_LOGGER, on_message, d,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, front,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, front,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->max_connections + 1,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
	    MHD_OPTION_CONNECTION_TIMEOUT, 0u,
	    MHD_OPTION_CLIENT_DISCIPLINE_LVL, (int)DISCIPLINE,
	    MHD_OPTION_ARRAY, has_tls ? tls : none,
	    MHD_OPTION_END);
}

static bool
open_daemon(struct front *front, struct front_daemon *d)
{
	const union MHD_DaemonInfo *info;

	d->mhd = start(front, d);
	if (d->mhd == NULL)
		return false;
	info = MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	d->watch.fd = info->epoll_fd;
	d->watch.ready = daemon_ready;
	return loop_watch(front->worker->loop, &d->watch, EPOLLIN);
}

struct front *
front_open(struct worker *worker)
{
	uint32_t n = worker->settings->daemons_per_worker;
	struct front *front;

	front = calloc(1, sizeof(*front) + n * sizeof(front->daemon[0]));
	if (front == NULL)
		return NULL;
	front->worker = worker;
	for (uint32_t i = 0; i < n; i++) {
		front->daemons++;
		if (!open_daemon(front, &front->daemon[i])) {
			log_error("HTTP daemon cannot be started "
			    "hint=check tls_certificate and tls_key");
			front_close(&front);
			return NULL;
		}
	}
	return front;
}

void
front_close(struct front **front)
{
	struct front *f = *front;

	if (f == NULL)
		return;
	for (uint32_t i = 0; i < f->daemons; i++) {
		if (f->daemon[i].mhd == NULL)
			continue;
		loop_unwatch(f->worker->loop, &f->daemon[i].watch);
		MHD_stop_daemon(f->daemon[i].mhd);
	}
	free(f);
	*front = NULL;
}

static struct front_daemon *
emptiest(struct front *front)
{
	struct front_daemon *best = &front->daemon[0];

	for (uint32_t i = 1; i < front->daemons; i++)
		if (front->daemon[i].clients < best->clients)
			best = &front->daemon[i];
	return best;
}

bool
front_add(struct front *front, struct client *client,
    const struct sockaddr_storage *from, socklen_t from_len)
{
	struct front_daemon *d = emptiest(front);

	client->daemon = d;
	d->clients++;
	front->arriving = client;
	/* The descriptor is closed in either case. */
	if (MHD_add_connection(d->mhd, client->watch.fd,
	    (const struct sockaddr *)from, from_len) != MHD_YES) {
		if (front->arriving != NULL) {
			front->arriving = NULL;
			d->clients--;
			client_free(client);
		}
		return false;
	}
	d->dirty = true;
	client_enter(client, CLIENT_HEAD,
	    front->worker->settings->head_timeout_ms);
	return true;
}

void
front_suspend(struct client *client)
{
	assert(!client->suspended);
	client->suspended = true;
	MHD_suspend_connection(client->connection);
}

void
front_wake(struct client *client)
{
	if (!client->suspended)
		return;
	client->suspended = false;
	client->io.resumed = client->io.established;
	MHD_resume_connection(client->connection);
	client->daemon->dirty = true;
}

static bool
wants_more(struct MHD_Daemon *mhd)
{
	uint64_t ms;

	return MHD_get_timeout64(mhd, &ms) == MHD_YES && ms == 0;
}

bool
front_run(struct front *front)
{
	bool again = false;

	for (uint32_t i = 0; i < front->daemons; i++) {
		struct front_daemon *d = &front->daemon[i];
		bool more = true;

		if (!d->dirty)
			continue;
		d->dirty = false;
		for (int run = 0; run < RUNS_PER_TURN && more; run++) {
			find_readers(d);
			MHD_run(d->mhd);
			tls_io_flush_all(front->worker);
			more = wants_more(d->mhd);
		}
		d->dirty = more;
		again = again || more;
	}
	return again;
}

void
front_client_gone(struct client *client)
{
	if (client->call != NULL)
		relay_client_gone(client->call);
	front_wake(client);
}

void
front_client_late(struct client *client)
{
	switch (client->phase) {
	case CLIENT_HEAD:
	case CLIENT_BODY:
		say(client, WIRE_ERROR_REQUEST_TIMEOUT);
		break;
	case CLIENT_IDLE:
		break;
	case CLIENT_CALL:
		/* It doesn't take its answer. */
		client->gone = true;
		front_client_gone(client);
		break;
	}
	client_cut(client);
}

void
front_close_idle(struct front *front, bool new_ones_too)
{
	for (struct client *c = front->worker->clients; c != NULL;
	    c = c->next)
		if (c->call == NULL &&
		    (new_ones_too || c->phase != CLIENT_HEAD) &&
		    !client_has_input(c))
			client_cut(c);
}

void
front_cut_all(struct front *front)
{
	for (struct client *c = front->worker->clients; c != NULL;
	    c = c->next) {
		c->gone = true;
		front_wake(c);
		client_cut(c);
		c->daemon->dirty = true;
	}
}
