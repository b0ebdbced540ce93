/*
 * text_skip.c: passes over the words that no entry begins with.  Of most text
 * that is nearly all, and it goes sixteen bytes at a time.
 */
#include "base/text_match.h"

#include "base/text_match_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 16

/* The first three signs of a word; where it ends before, its edge counts as
 * one and none follows. */
static uint32_t
place_of(uint8_t a, uint8_t b, uint8_t c)
{
	return ((uint32_t)a << 10 ^ (uint32_t)b << 5 ^ c) &
	    (TEXT_BEGINNINGS - 1);
}

static void
mark(struct text_match *m, uint8_t a, uint8_t b, uint8_t c)
{
	uint32_t at = place_of(a, b, c);

	m->begins[at / 64] |= UINT64_C(1) << at % 64;
}

void
text_skip_prepare(struct text_match *m)
{
	const uint32_t *first = m->first;

	m->skips = false;
	/* What begins within words, or with anything else, is met anywhere. */
	if (m->head->pattern_states != 0 || m->head->states < 2 ||
	    first[1] != 2 || m->byte[1] != TEXT_EDGE || m->out[1] != 0)
		return;
	for (uint32_t a = first[1]; a < first[2]; a++) {
		if (m->out[a] != 0 || (m->byte[a] < 0x80 &&
		    m->ascii[m->byte[a]].class != TEXT_WORD))
			return;
		for (uint32_t b = first[a]; b < first[a + 1]; b++) {
			if (m->byte[b] == TEXT_EDGE) {
				mark(m, m->byte[a], TEXT_EDGE, 0);
				continue;
			}
			if (m->out[b] != 0)
				return;
			for (uint32_t c = first[b]; c < first[b + 1]; c++)
				mark(m, m->byte[a], m->byte[b], m->byte[c]);
		}
	}
	m->skips = true;
}

static bool
may_begin(const struct text_match *m, const uint8_t *p, size_t len)
{
	const struct text_form_row *row = m->ascii;
	uint8_t second, third = 0;
	uint32_t at;

	if (len < 2 || p[1] >= 0x80)
		return true;
	second = TEXT_EDGE;
	if (row[p[1]].class == TEXT_WORD) {
		second = row[p[1]].byte;
		if (len < 3 || p[2] >= 0x80)
			return true;
		third = row[p[2]].class == TEXT_WORD ? row[p[2]].byte :
		    TEXT_EDGE;
	}
	at = place_of(row[p[0]].byte, second, third);
	return (m->begins[at / 64] >> at % 64 & 1) != 0;
}

/* Bit by bit: what is part of a word, and what isn't ASCII. */
struct masks {
	uint32_t word, foreign;
};

static struct masks
look_at_each(const struct text_match *m, const uint8_t *p, size_t n)
{
	struct masks k = { 0, 0 };

	for (size_t i = 0; i < n; i++)
		if (p[i] >= 0x80)
			k.foreign |= UINT32_C(1) << i;
		else if (m->ascii[p[i]].class == TEXT_WORD)
			k.word |= UINT32_C(1) << i;
	return k;
}

#ifdef __SSE2__
static __m128i
is_within(__m128i bytes, char least, char range)
{
	const __m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(least));

	return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(range)), from);
}

/* As is_word() of text_match.c has it. */
static struct masks
look_at_block(const uint8_t *p)
{
	const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i word = _mm_or_si128(_mm_or_si128(
	    is_within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25),
	    is_within(bytes, '0', 9)),
	    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));

	return (struct masks){ (uint32_t)_mm_movemask_epi8(word),
		(uint32_t)_mm_movemask_epi8(bytes) };
}
#endif

static struct masks
look_at(const struct text_match *m, const uint8_t *p, size_t n)
{
#ifdef __SSE2__
	if (n == BLOCK)
		return look_at_block(p);
#endif
	return look_at_each(m, p, n);
}

static size_t
stand(const struct text_match *m, struct text_search *s, const uint8_t *p,
    size_t from, size_t at)
{
	if (at > from)
		s->was = m->ascii[p[at - 1]].class;
	return at;
}

size_t
text_skip(const struct text_match *m, struct text_search *s, const uint8_t *p,
    size_t from, size_t len)
{
	uint32_t starts, before = s->was == TEXT_WORD;
	struct masks k;
	size_t i, n, at;

	for (i = from; i < len; i += n) {
		n = len - i < BLOCK ? len - i : BLOCK;
		k = look_at(m, p + i, n);
		starts = k.word & ~(k.word << 1 | before);
		if (k.foreign != 0)
			starts &= (k.foreign & -k.foreign) - 1;
		for (; starts != 0; starts &= starts - 1) {
			at = i + (size_t)__builtin_ctz(starts);
			if (may_begin(m, p + at, len - at))
				return stand(m, s, p, from, at);
		}
		if (k.foreign != 0)
			return stand(m, s, p, from,
			    i + (size_t)__builtin_ctz(k.foreign));
		before = k.word >> (BLOCK - 1) & 1;
	}
	return stand(m, s, p, from, len);
}
