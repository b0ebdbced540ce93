#include "admin/attest_search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define PIECES (CANARIES * CANARY_FORMS * 2)
#define BLOCK 4			/* bytes that are hashed */
/* No piece is shorter than a raw half, and no window longer. */
#define WINDOW (CANARY_BYTES / 2)
#define SLOTS 65536
#define NO_PIECE UINT16_MAX

struct piece {
	uint16_t start, len;	/* in the canary's form */
	uint16_t next;		/* with the same last block in its window */
};

struct search {
	uint8_t shift[SLOTS];
	uint16_t first[SLOTS];
	struct piece piece[PIECES];
	char form[PIECES / 2][CANARY_FORM_BYTES];
};

static uint32_t
hash(const uint8_t *p)
{
	uint32_t block;

	memcpy(&block, p, sizeof(block));
	return (block * UINT32_C(0x9e3779b1)) >> 16;
}

static const uint8_t *
bytes_of(const struct search *s, unsigned piece)
{
	return (const uint8_t *)s->form[piece / 2] + s->piece[piece].start;
}

static void
add(struct search *s, unsigned n)
{
	const uint8_t *p = bytes_of(s, n);
	uint32_t slot = 0;

	for (unsigned i = 0; i + BLOCK <= WINDOW; i++) {
		uint8_t shift = (uint8_t)(WINDOW - BLOCK - i);

		slot = hash(p + i);
		if (shift < s->shift[slot])
			s->shift[slot] = shift;
	}
	s->piece[n].next = s->first[slot];
	s->first[slot] = (uint16_t)n;
}

struct search *
search_open(const struct canaries *canaries)
{
	struct search *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	memset(s->shift, WINDOW - BLOCK + 1, sizeof(s->shift));
	for (size_t i = 0; i < SLOTS; i++)
		s->first[i] = NO_PIECE;
	for (unsigned i = 0; i < PIECES / 2; i++) {
		size_t len = canary_form(canaries->text[i / CANARY_FORMS],
		    (enum canary_form)(i % CANARY_FORMS), s->form[i]);
		struct piece *piece = &s->piece[2 * i];

		assert(len / 2 >= WINDOW);
		piece[0].start = 0;
		piece[0].len = piece[1].start = (uint16_t)(len / 2);
		piece[1].len = (uint16_t)(len - len / 2);
		add(s, 2 * i);
		add(s, 2 * i + 1);
	}
	return s;
}

void
search_close(struct search **search)
{
	if (*search != NULL)
		bytes_scrub(*search, sizeof(**search));
	free(*search);
	*search = NULL;
}

struct span
search_piece(const struct search *s, int canary, enum canary_form form,
    int half)
{
	unsigned n = 2 * ((unsigned)canary * CANARY_FORMS + form) +
	    (unsigned)half;

	return (struct span){ (const char *)bytes_of(s, n),
		s->piece[n].len };
}

/* Pieces that begin at window + 0 and end within the bytes. */
static void
compare(struct search_stream *st, const uint8_t *window, size_t left,
    uint64_t at, uint32_t slot, uint64_t told)
{
	const struct search *s = st->search;

	for (uint16_t n = s->first[slot]; n != NO_PIECE;
	    n = s->piece[n].next) {
		const struct piece *piece = &s->piece[n];
		struct search_hit hit = { n / 2 / CANARY_FORMS,
			(enum canary_form)(n / 2 % CANARY_FORMS), n % 2,
			at + piece->len };

		if (piece->len <= left && hit.end > told &&
		    memcmp(window, bytes_of(s, n), piece->len) == 0)
			st->found(&hit, st->arg);
	}
}

/* p[0] was byte number `at` of the stream; what ends at or before `told` was
 * found before. */
static void
run(struct search_stream *st, const uint8_t *p, size_t len, uint64_t at,
    uint64_t told)
{
	const struct search *s = st->search;
	size_t i = 0;

	while (i + WINDOW <= len) {
		uint32_t slot = hash(p + i + WINDOW - BLOCK);
		uint8_t shift = s->shift[slot];

		if (shift == 0) {
			compare(st, p + i, len - i, at + i, slot, told);
			shift = 1;
		}
		i += shift;
	}
}

void
search_begin(struct search_stream *st, const struct search *search,
    search_found *found, void *arg)
{
	st->search = search;
	st->found = found;
	st->arg = arg;
	st->fed = 0;
	st->kept = 0;
}

/* What stands across the border to what was fed before: a copy of both sides
 * is searched. */
static void
run_border(struct search_stream *st, const uint8_t *p, size_t len)
{
	uint8_t both[sizeof(st->keep) + CANARY_FORM_BYTES];
	size_t more = len < CANARY_FORM_BYTES ? len : CANARY_FORM_BYTES;

	memcpy(both, st->keep, st->kept);
	memcpy(both + st->kept, p, more);
	run(st, both, st->kept + more, st->fed - st->kept, st->fed);
}

static void
keep_end(struct search_stream *st, const uint8_t *p, size_t len)
{
	size_t drop;

	if (len >= CANARY_FORM_BYTES) {
		p += len - CANARY_FORM_BYTES;
		len = CANARY_FORM_BYTES;
		st->kept = 0;
	}
	drop = st->kept + len > sizeof(st->keep) ?
	    st->kept + len - sizeof(st->keep) : 0;
	st->kept -= drop;
	memmove(st->keep, st->keep + drop, st->kept);
	memcpy(st->keep + st->kept, p, len);
	st->kept += len;
}

void
search_feed(struct search_stream *st, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t from = st->fed;

	if (len == 0)
		return;
	if (st->kept > 0) {
		run_border(st, p, len);
		/* Those that end up to here were told of. */
		from += len < CANARY_FORM_BYTES ? len : CANARY_FORM_BYTES;
	}
	run(st, p, len, st->fed, from);
	keep_end(st, p, len);
	st->fed += len;
}
