#include "master/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel cuts it to net.core.somaxconn. */
#define BACKLOG 4096

/* Let a client speak before a worker is woken. */
#define DEFER_ACCEPT_S 5

static int
open_one(const struct listen_address *a, const char **what_r)
{
	int fd, on = 1, defer = DEFER_ACCEPT_S, saved_errno;

	*what_r = "can't make a socket";
	fd = socket(a->sockaddr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	*what_r = "can't listen there";
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		goto fail;
	/* [::] is IPv6 only, so that *:port can stand beside it. */
	if (a->sockaddr.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		goto fail;
	if (bind(fd, (const struct sockaddr *)&a->sockaddr,
	    a->sockaddr_len) != 0 || listen(fd, BACKLOG) != 0)
		goto fail;
	/* Accepted sockets inherit it; both are optimisations only. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer,
	    sizeof(defer));
	return fd;
fail:
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

static int
find(const struct sockets *have, const struct listen_address *a)
{
	if (have == NULL)
		return -1;
	for (uint32_t i = 0; i < have->count; i++)
		if (strcmp(have->address[i].text, a->text) == 0)
			return have->fd[i];
	return -1;
}

bool
sockets_open(const struct listen_list *list, const struct sockets *have,
    const char *file, struct sockets *sockets_r,
    struct conf_report *report)
{
	unsigned before = report->mistakes;
	const char *what;

	memset(sockets_r, 0, sizeof(*sockets_r));
	for (uint32_t i = 0; i < list->count; i++) {
		const struct listen_address *a = &list->address[i];
		int fd = find(have, a);

		if (fd < 0)
			fd = open_one(a, &what);
		if (fd < 0) {
			conf_mistake(report, file, 0, "listen", "%s: %s: %s",
			    a->text, what, strerror(errno));
			continue;
		}
		sockets_r->fd[sockets_r->count] = fd;
		sockets_r->address[sockets_r->count] = *a;
		sockets_r->count++;
	}
	if (report->mistakes == before)
		return true;
	sockets_close(sockets_r, have);
	return false;
}

void
sockets_close(struct sockets *old, const struct sockets *kept)
{
	for (uint32_t i = 0; i < old->count; i++)
		if (find(kept, &old->address[i]) < 0)
			close(old->fd[i]);
	memset(old, 0, sizeof(*old));
}
