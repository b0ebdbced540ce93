#include "upstream/dial.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void ready(struct loop_watch *w, uint32_t events);

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static socklen_t
fill(const struct catalogue_address *address, uint16_t port,
    struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (memcmp(address->ip, v4_mapped, sizeof(v4_mapped)) == 0) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, address->ip + 12, 4);
		return sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, address->ip, 16);
		return sizeof(*in6);
	}
}

static void
close_try(struct dial_try *try)
{
	struct dial *dial = try->dial;

	loop_unwatch(dial->loop, &try->watch);
	close(try->watch.fd);
	try->watch.fd = -1;
	dial->open--;
}

/* Starts the next address that can be; false when none is left. */
static bool
start_next(struct dial *dial)
{
	while (dial->next < dial->addresses) {
		struct dial_try *try = &dial->try[dial->next];
		struct sockaddr_storage ss;
		socklen_t len;
		int one = 1, fd;

		len = fill(&dial->address[dial->next++], dial->port, &ss);
		fd = socket(ss.ss_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		/* Without it a request's second record waits for an ACK. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
		*try = (struct dial_try){ .watch = { .fd = fd,
		    .ready = ready }, .dial = dial };
		if ((connect(fd, (struct sockaddr *)&ss, len) != 0 &&
		    errno != EINPROGRESS) ||
		    !loop_watch(dial->loop, &try->watch, EPOLLOUT)) {
			close(fd);
			try->watch.fd = -1;
			continue;
		}
		dial->open++;
		if (dial->next < dial->addresses)
			loop_arm(dial->loop, &dial->step, mono_add_ms(
			    loop_now(dial->loop), DIAL_STEP_MS));
		return true;
	}
	return false;
}

static void
ready(struct loop_watch *w, uint32_t events)
{
	struct dial_try *try = (struct dial_try *)(void *)
	    ((char *)w - offsetof(struct dial_try, watch));
	struct dial *dial = try->dial;
	socklen_t len = sizeof(int);
	int fd, error = 0;

	(void)events;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		close_try(try);
		if (!start_next(dial) && dial->open == 0) {
			dial_stop(dial);
			dial->done(dial, -1);
		}
		return;
	}
	dial->winner = (size_t)(try - dial->try);
	fd = w->fd;
	loop_unwatch(dial->loop, w);
	w->fd = -1;
	dial->open--;
	dial_stop(dial);
	dial->done(dial, fd);
}

static void
step(struct loop_timer *t)
{
	struct dial *dial = (struct dial *)(void *)
	    ((char *)t - offsetof(struct dial, step));

	/* Whatever becomes of it, those under way go on. */
	(void)start_next(dial);
}

bool
dial_start(struct dial *dial)
{
	assert(dial->addresses <= CHANNEL_ADDRESSES);
	dial->next = 0;
	dial->open = 0;
	dial->step.fire = step;
	return start_next(dial);
}

void
dial_stop(struct dial *dial)
{
	loop_disarm(dial->loop, &dial->step);
	for (size_t i = 0; dial->open > 0; i++) {
		assert(i < dial->next);
		if (dial->try[i].watch.fd >= 0)
			close_try(&dial->try[i]);
	}
}
