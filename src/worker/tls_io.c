#include "worker/tls_io.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "worker/client.h"
#include "worker/context.h"
#include "worker/front.h"

/* Two of the longest TLS records, with what surrounds them. */
#define BLOCK_BYTES 33792
#define SPARE_BLOCKS_MAX 64
/* libmicrohttpd corks before answers of less than 1400 bytes, head included;
 * our heads are between these two. */
#define CORKS_CERTAINLY_BYTES 1000
#define CORKS_MAYBE_BYTES 1400

/* The first bytes of a spare block. */
struct spare_block {
	struct spare_block *next;
};

static char *
take_block(struct worker *worker)
{
	struct spare_block *block = worker->spare_blocks;

	if (block == NULL)
		return malloc(BLOCK_BYTES);
	worker->spare_blocks = block->next;
	worker->spare_block_count--;
	return (char *)block;
}

static void
give_block(struct worker *worker, char **block)
{
	struct spare_block *spare = (struct spare_block *)*block;

	*block = NULL;
	if (spare == NULL)
		return;
	if (worker->spare_block_count >= SPARE_BLOCKS_MAX) {
		free(spare);
		return;
	}
	spare->next = worker->spare_blocks;
	worker->spare_blocks = spare;
	worker->spare_block_count++;
}

void
tls_io_free_blocks(struct worker *worker)
{
	struct spare_block *block;

	while ((block = worker->spare_blocks) != NULL) {
		worker->spare_blocks = block->next;
		free(block);
	}
	worker->spare_block_count = 0;
}

static ssize_t
from_ahead(struct client *client, void *buf, size_t len)
{
	struct tls_io *io = &client->io;

	if (len > io->in_len)
		len = io->in_len;
	memcpy(buf, io->in + io->in_start, len);
	io->in_start += (uint32_t)len;
	io->in_len -= (uint32_t)len;
	if (io->in_len == 0)
		give_block(client->worker, &io->in);
	return (ssize_t)len;
}

static bool
in_handshake(struct client *client)
{
	char *text;

	if (client->io.established)
		return false;
	/* There is none until the handshake is over. */
	text = gnutls_session_get_desc(client->io_session);
	client->io.established = text != NULL;
	gnutls_free(text);
	return !client->io.established;
}

static ssize_t
pull(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	struct client *client = ptr;
	struct tls_io *io = &client->io;
	struct iovec part[2] = { { buf, len } };
	struct msghdr message = { .msg_iov = part, .msg_iovlen = 1 };
	char *block;
	ssize_t n;

	front_note_read(client);
	if (io->in_len > 0)
		return from_ahead(client, buf, len);
	if (io->resumed) {
		/* Not in libmicrohttpd's epoll set, to which it adds what has
		 * nothing to read; the set tells at once if that is wrong. */
		io->resumed = false;
		gnutls_transport_set_errno(client->io_session, EAGAIN);
		return -1;
	}
	block = take_block(client->worker);
	if (block != NULL) {
		part[1] = (struct iovec){ block, BLOCK_BYTES };
		message.msg_iovlen = 2;
	}
	n = recvmsg(client->watch.fd, &message, MSG_DONTWAIT);
	if (n > 0 && (size_t)n > len) {
		io->in = block;
		io->in_start = 0;
		io->in_len = (uint32_t)((size_t)n - len);
		return (ssize_t)len;
	}
	if (n < 0)
		gnutls_transport_set_errno(client->io_session, errno);
	if (n < 0 && errno == EAGAIN && in_handshake(client))
		/* libmicrohttpd doesn't take note that a handshake has
		 * nothing to read, and would try again for ever. */
		front_suspend(client);
	give_block(client->worker, &block);
	return n;
}

/* There is nothing to wait for: the socket doesn't block. */
static int
pull_ready(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct client *client = ptr;
	char byte;

	(void)ms;
	if (client->io.in_len > 0)
		return 1;
	return recv(client->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* From then on the kernel sends at once, whatever libmicrohttpd believes. */
static void
uncork(struct client *client)
{
	static const int off;
	socklen_t len = sizeof(int);
	int corked = 1;

	if (!client->io.may_be_corked)
		return;
	client->io.may_be_corked = false;
	if (!client->io.certain)
		getsockopt(client->watch.fd, IPPROTO_TCP, TCP_CORK, &corked,
		    &len);
	if (corked == 0)
		return;
	client->io.uncorked = true;
	setsockopt(client->watch.fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
}

void
tls_io_expect(struct client *client, size_t body_bytes)
{
	struct tls_io *io = &client->io;

	if (io->uncorked || body_bytes >= CORKS_MAYBE_BYTES)
		return;
	io->expecting = true;
	io->certain = body_bytes < CORKS_CERTAINLY_BYTES;
}

void
tls_io_flush(struct client *client)
{
	struct tls_io *io = &client->io;
	ssize_t n;

	if (io->out_len == 0)
		return;
	uncork(client);
	do
		n = send(client->watch.fd, io->out + io->out_start,
		    io->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno == EAGAIN)
			return;
		io->failed = true;
		n = io->out_len;
	}
	io->out_start += (uint32_t)n;
	io->out_len -= (uint32_t)n;
	if (io->out_len == 0) {
		io->out_start = 0;
		give_block(client->worker, &io->out);
	}
}

static void
queue(struct client *client)
{
	if (client->io.queued)
		return;
	client->io.queued = true;
	client->io.next = client->worker->to_flush;
	client->worker->to_flush = client;
}

void
tls_io_flush_all(struct worker *worker)
{
	struct client *client;

	while ((client = worker->to_flush) != NULL) {
		worker->to_flush = client->io.next;
		client->io.queued = false;
		tls_io_flush(client);
	}
}

static bool
make_room(struct client *client, size_t len)
{
	struct tls_io *io = &client->io;

	if (io->out == NULL) {
		io->out = take_block(client->worker);
		io->out_start = io->out_len = 0;
		return io->out != NULL;
	}
	if (io->out_len + len > BLOCK_BYTES)
		tls_io_flush(client);
	if (io->out == NULL)
		return make_room(client, len);
	if (io->out_len + len > BLOCK_BYTES)
		return false;
	if (io->out_start + io->out_len + len > BLOCK_BYTES) {
		memmove(io->out, io->out + io->out_start, io->out_len);
		io->out_start = 0;
	}
	return true;
}

static ssize_t
push(gnutls_transport_ptr_t ptr, const giovec_t *part, int parts)
{
	struct client *client = ptr;
	struct tls_io *io = &client->io;
	size_t len = 0;

	for (int i = 0; i < parts; i++)
		len += part[i].iov_len;
	if (io->muted)
		return (ssize_t)len;
	assert(len <= BLOCK_BYTES);
	if (io->failed || !make_room(client, len)) {
		/* It will be in the set, waiting to write. */
		io->resumed = false;
		gnutls_transport_set_errno(client->io_session,
		    io->failed ? ECONNRESET : EAGAIN);
		return -1;
	}
	for (int i = 0; i < parts; i++) {
		memcpy(io->out + io->out_start + io->out_len,
		    part[i].iov_base, part[i].iov_len);
		io->out_len += (uint32_t)part[i].iov_len;
	}
	/* What waited here before is not the answer that was meant. */
	io->may_be_corked = io->may_be_corked || io->expecting;
	io->expecting = false;
	queue(client);
	return (ssize_t)len;
}

void
tls_io_attach(struct client *client)
{
	const union MHD_ConnectionInfo *info;
	gnutls_session_t session;

	info = MHD_get_connection_info(client->connection,
	    MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info == NULL || info->tls_session == NULL)
		return;
	session = info->tls_session;
	client->io_session = session;
	gnutls_transport_set_ptr(session, client);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_ready);
	gnutls_transport_set_vec_push_function(session, push);
}

void
tls_io_detach(struct client *client)
{
	struct worker *worker = client->worker;
	struct client **at = &worker->to_flush;

	if (client->io.queued) {
		while (*at != client)
			at = &(*at)->io.next;
		*at = client->io.next;
		client->io.queued = false;
	}
	give_block(worker, &client->io.in);
	give_block(worker, &client->io.out);
	client->io.in_len = client->io.out_len = 0;
}
