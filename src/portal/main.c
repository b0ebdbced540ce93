/* The portal's life: takes connections from workers until it is asked to go. */
#include "portal/portal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/signals.h"
#include "conf/embedded.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "portal/pool.h"
#include "portal/server.h"
#include "sandbox/sandbox.h"

#define DATABASE_CONNECTIONS 8
#define TICK_MS 500

static volatile sig_atomic_t end_wanted;

static void
on_signal(int sig)
{
	(void)sig;
	end_wanted = 1;
}

/* One descriptor of a message; -1: there was none. */
static int
take(int portal_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(portal_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static bool
confine(const struct heritage *h)
{
	struct sandbox_plan plan = { .role = SANDBOX_PORTAL,
		.reads_anywhere = !database_is_embedded(h->settings) };
	bool require = h->settings->sandbox == SANDBOX_SETTING_REQUIRE;
	char text[SANDBOX_TEXT_BYTES];
	uint32_t missing;

	if (h->settings->sandbox == SANDBOX_SETTING_OFF)
		return true;
#ifdef WITH_SANITIZERS
	plan.sanitizers = !require;
#endif
	missing = sandbox_wanted(SANDBOX_PORTAL) & ~sandbox_enter(&plan);
	if (missing == 0)
		return true;
	sandbox_text(missing, text);
	log_warning("the portal is not fully confined: missing=%s", text);
	return !require;
}

static void
serve(struct portal *portal)
{
	const struct heritage *h = portal->heritage;
	struct pollfd p[] = {
		{ .fd = h->parent_fd, .events = POLLIN },
		{ .fd = h->portal_fd, .events = POLLIN }
	};
	int fd;

	while (!end_wanted) {
		if (poll(p, 2, TICK_MS) <= 0)
			continue;
		if (p[0].revents != 0)
			return;
		while ((fd = take(h->portal_fd)) >= 0)
			server_add(portal, fd);
	}
}

int
portal_main(const struct heritage *heritage)
{
	static struct portal portal;
	char conninfo[EMBEDDED_TEXT_BYTES];
	int status = EXIT_FAILURE;

	portal.heritage = heritage;
	signals_of_child(on_signal);
	if (!database_conninfo(heritage->settings, DB_ROLE_PORTAL,
	    "youyun-portal", conninfo, sizeof(conninfo))) {
		log_error("the database's connection string is too long");
		return EXIT_FAILURE;
	}
	portal.pool = pool_open(conninfo, DATABASE_CONNECTIONS);
	if (portal.pool == NULL)
		log_error("could not start: out of memory");
	else if (confine(heritage)) {
		if (server_start(&portal)) {
			log_info("portal runs");
			serve(&portal);
			status = EXIT_SUCCESS;
		} else
			log_error("could not start the portal: why=%s",
			    strerror(errno));
	}
	server_stop(&portal);
	pool_close(&portal.pool);
	return status;
}
