/*
 * scrub.c: what is freed in the program is overwritten first.
 * Layer: master, in the daemon's program only and in no library: there these
 * definitions take the place of libc's for every library it uses, since
 * libmicrohttpd, GnuTLS and OpenSSL free bodies and credentials too.
 *
 * calloc, malloc and the rest stay libc's: only what ends a block is ours.
 * The sanitizers have an allocator of their own; with them this is left out.
 * So it is in a build that bench/run-call --bare compares with, which attest
 * finds leaks in.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(YOUYUN_BENCH_WITHOUT_SCRUB)

typedef void (*free_fn)(void *);

/*
 * dlsym() may itself free (its error state); that comes back here with
 * looking set.  Such a block is scrubbed and not given back: a few bytes, once.
 */
static _Thread_local int looking __attribute__((tls_model("initial-exec")));

static free_fn
libc_free(void)
{
	static free_fn found;
	free_fn f;
	void *p;

	f = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
	if (f != NULL || looking)
		return f;
	looking = 1;
	p = dlsym(RTLD_NEXT, "free");
	memcpy(&f, &p, sizeof(f));
	looking = 0;
	if (f == NULL)
		abort();
	__atomic_store_n(&found, f, __ATOMIC_RELEASE);
	return f;
}

void
free(void *p)
{
	int kept = errno;
	free_fn f;

	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	f = libc_free();
	if (f != NULL)
		f(p);
	errno = kept;
}

/*
 * libc's would leave the old place as it was, and the tail of a block made
 * smaller; so grow by a copy and stay in place otherwise.
 */
void *
realloc(void *p, size_t size)
{
	size_t had;
	void *q;

	if (p == NULL)
		return malloc(size);
	if (size == 0) {
		free(p);
		return NULL;
	}
	had = malloc_usable_size(p);
	if (size <= had && size >= had / 2) {
		explicit_bzero((char *)p + size, had - size);
		return p;
	}
	q = malloc(size);
	if (q == NULL)
		return NULL;
	memcpy(q, p, size < had ? size : had);
	free(p);
	return q;
}

#else
/* A file must define something. */
typedef int scrub_is_left_out;
#endif
