/*
 * commit_proxy.h: stands between the flusher and the server and breaks the
 * connection at the one moment that matters: around a COMMIT.
 * Layer: tests.
 * Written by: a process of its own; the counts are in shared memory.
 */
#ifndef TESTS_COMMIT_PROXY_H
#define TESTS_COMMIT_PROXY_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROXY_PAIRS 16
#define PROXY_SOCKET "/.s.PGSQL.5432"

struct proxy_counts {
	_Atomic uint32_t passed;
	_Atomic uint32_t lost_commits;	/* the server never saw it */
	_Atomic uint32_t lost_answers;	/* it did, and committed */
};

struct proxy {
	pid_t pid;
	struct proxy_counts *counts;
};

static inline int
proxy_socket(const char *dir, struct sockaddr_un *address_r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(address_r, 0, sizeof(*address_r));
	address_r->sun_family = AF_UNIX;
	snprintf(address_r->sun_path, sizeof(address_r->sun_path), "%s%s",
	    dir, PROXY_SOCKET);
	if (fd < 0)
		_exit(1);
	return fd;
}

static inline bool
proxy_send(int fd, const char *p, size_t n)
{
	ssize_t done;

	while (n > 0) {
		done = send(fd, p, n, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

/* What the client says.  False: the connection breaks here. */
static inline bool
proxy_client(int client, int server, struct proxy_counts *counts,
    unsigned *seed)
{
	static const char commit[] = "Q\0\0\0\x0b" "COMMIT";
	char buf[65536];
	ssize_t n = recv(client, buf, sizeof(buf), 0);

	if (n <= 0)
		return false;
	if (memmem(buf, (size_t)n, commit, sizeof(commit)) == NULL)
		return proxy_send(server, buf, (size_t)n);
	switch (rand_r(seed) % 4) {
	case 0:
		counts->lost_commits++;
		return false;
	case 1:
		/* Its answer is awaited, so that it has been done. */
		if (proxy_send(server, buf, (size_t)n) &&
		    recv(server, buf, sizeof(buf), 0) > 0)
			counts->lost_answers++;
		return false;
	default:
		counts->passed++;
		return proxy_send(server, buf, (size_t)n);
	}
}

static inline bool
proxy_server(int client, int server)
{
	char buf[65536];
	ssize_t n = recv(server, buf, sizeof(buf), 0);

	return n > 0 && proxy_send(client, buf, (size_t)n);
}

static inline void
proxy_run(int listener, const char *server_dir, struct proxy_counts *counts,
    unsigned seed)
{
	struct pollfd p[1 + 2 * PROXY_PAIRS];
	struct sockaddr_un address;
	int i, k;

	for (i = 0; i <= 2 * PROXY_PAIRS; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[0].fd = listener;
	while (poll(p, 1 + 2 * PROXY_PAIRS, -1) >= 0 || errno == EINTR) {
		for (i = 1; i < 2 * PROXY_PAIRS; i += 2) {
			bool ok = true;

			if (p[i].fd < 0)
				continue;
			if (p[i].revents != 0)
				ok = proxy_client(p[i].fd, p[i + 1].fd,
				    counts, &seed);
			if (ok && p[i + 1].revents != 0)
				ok = proxy_server(p[i].fd, p[i + 1].fd);
			for (k = i; !ok && k < i + 2; k++) {
				close(p[k].fd);
				p[k].fd = -1;
				p[k].revents = 0;
			}
		}
		for (i = 1; p[0].revents != 0 && i < 2 * PROXY_PAIRS; i += 2) {
			if (p[i].fd >= 0)
				continue;
			p[i].fd = accept(listener, NULL, NULL);
			p[i + 1].fd = proxy_socket(server_dir, &address);
			if (connect(p[i + 1].fd, (struct sockaddr *)&address,
			    sizeof(address)) != 0) {
				close(p[i].fd);
				close(p[i + 1].fd);
				p[i].fd = p[i + 1].fd = -1;
			}
			break;
		}
	}
}

/* Listens in dir as a server would; ends with the test. */
static inline struct proxy
proxy_start(const char *dir, const char *server_dir, unsigned seed)
{
	struct proxy proxy;
	struct sockaddr_un address;
	int listener = proxy_socket(dir, &address);

	proxy.counts = mmap(NULL, sizeof(*proxy.counts), PROT_READ |
	    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (proxy.counts == MAP_FAILED || bind(listener,
	    (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 16) != 0)
		exit(99);
	proxy.pid = fork();
	if (proxy.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		proxy_run(listener, server_dir, proxy.counts, seed);
		_exit(1);
	}
	close(listener);
	return proxy;
}

static inline void
proxy_stop(struct proxy *proxy)
{
	int status;

	kill(proxy->pid, SIGKILL);
	waitpid(proxy->pid, &status, 0);
	munmap(proxy->counts, sizeof(*proxy->counts));
}

#endif
