/*
 * What is freed, grown or made smaller leaves none of its bytes in the heap,
 * whoever frees it: also a library that takes free() from where it finds it.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK 'K'

static int failures;

/*
 * The longest run of MARK in the n bytes at an address that is nobody's any
 * more.  The allocator writes two words of its own there (one is random), so a
 * MARK or two in a row may be its own.
 */
static size_t
left_at(uintptr_t at, size_t n)
{
	const volatile char *p = (const volatile char *)at;
	size_t i, run = 0, longest = 0;

	for (i = 0; i < n; i++) {
		run = p[i] == MARK ? run + 1 : 0;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void
want_none(const char *what, size_t size, size_t left)
{
	if (left < 4)
		return;
	printf("%s of %zu: %zu bytes in a row left\n", what, size, left);
	failures++;
}

/* A block full of MARK, with another behind it, so the heap is not cut. */
static char *
block(size_t size, void **guard)
{
	char *p = malloc(size);

	*guard = malloc(16);
	if (p == NULL || *guard == NULL)
		exit(99);
	memset(p, MARK, size);
	return p;
}

static void
try_size(size_t size)
{
	void *guard;
	char *p;
	uintptr_t at;

	p = block(size, &guard);
	at = (uintptr_t)p;
	/* The control: before it is freed, every byte must be seen. */
	if (left_at(at, size) != size)
		failures++;
	free(p);
	want_none("free", size, left_at(at, size));
	free(guard);

	p = block(size, &guard);
	at = (uintptr_t)p;
	OPENSSL_free(p);
	want_none("OPENSSL_free", size, left_at(at, size));
	free(guard);

	p = block(size, &guard);
	at = (uintptr_t)p;
	p = realloc(p, size * 4);
	if (p == NULL || left_at((uintptr_t)p, size) != size)
		failures++;
	if ((uintptr_t)p != at)
		want_none("realloc", size, left_at(at, size));
	p = realloc(p, size / 2);
	if (p == NULL || left_at((uintptr_t)p, size / 2) != size / 2)
		failures++;
	free(p);
	free(guard);
}

int
main(void)
{
	static const size_t sizes[] = { 24, 64, 1000, 4096, 16384, 30000 };
	size_t i;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 77;
#endif
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		try_size(sizes[i]);
	return failures != 0;
}
