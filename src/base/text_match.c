/*
 * text_match.c: the block and the search.  text_match_build.c makes blocks.
 */
#include "base/text_match.h"

#include <string.h>

#include "base/text_match_internal.h"
#include "base/utf8.h"

/* Code points of no width, which would hide a word from the search. */
static bool
is_nothing(uint32_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2064) ||
	    c == 0x180e || c == 0xfeff || (c >= 0xfe00 && c <= 0xfe0f);
}

static bool
is_space(uint32_t c)
{
	return c <= 0x20 || c == 0x7f || c == 0x85 || c == 0xa0 ||
	    c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	    c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static uint32_t
fold(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e)		/* full-width */
		c -= 0xfee0;
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
	if (c >= 0xc0 && c <= 0xde)
		return c == 0xd7 ? c : c + 0x20;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) ||
	    (c >= 0x1e00 && c <= 0x1eff) || (c >= 0x460 && c <= 0x481) ||
	    (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c % 2 != 0 ? c + 1 : c;
	if (c == 0x178)
		return 0xff;
	if (c >= 0x391 && c <= 0x3a9)
		return c + 0x20;
	if (c == 0x3c2)				/* final sigma */
		return 0x3c3;
	if (c >= 0x410 && c <= 0x42f)
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	return c;
}

/* Scripts written without blanks have no words to be told by their edges. */
static bool
is_word(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    (c >= 'A' && c <= 'Z') || c == '_';
	return c >= 0xc0 && c < 0x2000 && c != 0xd7 && c != 0xf7 &&
	    (c < 0xe00 || c > 0xe5b);
}

size_t
text_form(uint32_t c, uint8_t *was, uint8_t out[TEXT_FORM_BYTES])
{
	size_t n = 0;
	uint8_t is;

	if (is_nothing(c))
		return 0;
	is = is_space(c) ? TEXT_SPACE : is_word(fold(c)) ? TEXT_WORD :
	    TEXT_OTHER;
	if (is == TEXT_SPACE && *was == TEXT_SPACE)
		return 0;
	if ((is == TEXT_WORD) != (*was == TEXT_WORD))
		out[n++] = TEXT_EDGE;
	*was = is;
	if (is == TEXT_SPACE)
		out[n++] = ' ';
	else
		n += utf8_put(fold(c), (char *)out + n);
	return n;
}

/* A byte into a code point.  False: none is complete yet. */
bool
text_decode(uint32_t *point, uint8_t *missing, uint8_t b, uint32_t *c_r,
    bool *bad_r)
{
	static const uint32_t least[4] = { 0, 0x80, 0x800, 0x10000 };
	uint8_t length = (uint8_t)(*point >> 30);

	*bad_r = false;
	if (*missing > 0 && (b & 0xc0) == 0x80) {
		*point = (*point & 0xc0000000) |
		    ((*point & 0x3fffffff) << 6 | (b & 0x3f));
		if (--*missing > 0)
			return false;
		*c_r = *point & 0x3fffffff;
		*bad_r = *c_r < least[length] || *c_r > 0x10ffff ||
		    (*c_r >= 0xd800 && *c_r <= 0xdfff);
		return true;
	}
	/* What was begun is given up, and this byte begins anew. */
	*bad_r = *missing > 0 || b == 0xc0 || b == 0xc1 || b > 0xf4 ||
	    (b & 0xc0) == 0x80;
	*missing = 0;
	*c_r = b;
	if (b < 0x80)
		return true;
	if ((b & 0xc0) == 0x80 || b == 0xc0 || b == 0xc1 || b > 0xf4)
		return true;
	length = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : 1;
	*missing = length;
	*point = (uint32_t)length << 30 |
	    (b & (length == 3 ? 0x07u : length == 2 ? 0x0fu : 0x1fu));
	return *bad_r;
}

bool
text_places(const struct text_match_head *h, struct text_places *p)
{
	uint64_t at = sizeof(*h);

	if (h->states == 0 || h->states > TEXT_STATES ||
	    h->sets == 0 || h->sets > UINT16_MAX ||
	    h->pattern_states > TEXT_PATTERN_STATES || h->pattern_classes == 0
	    || h->pattern_classes > 256)
		return false;
	p->sets = at;
	at += h->sets * sizeof(uint64_t);
	p->first = at;
	at += (h->states + UINT64_C(1)) * sizeof(uint32_t);
	p->fail = at;
	at += (uint64_t)h->states * sizeof(uint32_t);
	p->out = at;
	at += (uint64_t)h->states * sizeof(uint16_t);
	p->next = at;
	at += (uint64_t)h->pattern_states * h->pattern_classes *
	    sizeof(uint16_t);
	p->pattern_out = at;
	at += (uint64_t)h->pattern_states * sizeof(uint16_t);
	p->classes = at;
	at += 256;
	p->byte = at;
	at += h->states;
	p->end = at;
	return true;
}

/* A search goes from a state to its children, which stand behind each other,
 * or back to a state of a lower number: it always ends. */
static bool
states_sane(const struct text_match *m)
{
	uint32_t s, n = m->head->states;

	if (m->first[0] != 1 || m->first[n] != n || m->fail[0] != 0)
		return false;
	for (s = 0; s < n; s++) {
		if (m->first[s + 1] < m->first[s] || m->first[s + 1] > n ||
		    m->first[s] <= s || m->out[s] >= m->head->sets)
			return false;
		if (s > 0 && m->fail[s] >= s)
			return false;
	}
	return true;
}

static bool
patterns_sane(const struct text_match *m)
{
	uint32_t n = m->head->pattern_states, i;

	for (i = 0; i < n * m->head->pattern_classes; i++)
		if (m->next[i] >= n)
			return false;
	for (i = 0; i < n; i++)
		if (m->pattern_out[i] >= m->head->sets)
			return false;
	for (i = 0; i < 256; i++)
		if (m->classes[i] >= m->head->pattern_classes)
			return false;
	return true;
}

uint32_t
text_child(const struct text_match *m, uint32_t state, uint8_t b)
{
	uint32_t i = m->first[state], end = m->first[state + 1];

	/* Sorted, and hardly ever more than a few. */
	while (end - i > 8) {
		uint32_t half = i + (end - i) / 2;

		if (m->byte[half] <= b)
			i = half;
		else
			end = half;
	}
	for (; i < end; i++)
		if (m->byte[i] == b)
			return i;
	return 0;
}

/* Whole rows for the two states where a search mostly is. */
static void
make_rows(struct text_match *m)
{
	uint32_t s, to;
	uint8_t was, out[TEXT_FORM_BYTES];
	unsigned b;

	for (s = 1; s < m->first[1]; s++)
		m->root[m->byte[s]] = s;
	m->edge_state = m->root[TEXT_EDGE];
	for (b = 0; b < 256; b++) {
		to = m->edge_state == 0 ? 0 : text_child(m, m->edge_state,
		    (uint8_t)b);
		m->edge[b] = to != 0 ? to : m->root[b];
	}
	for (b = 0; b < 128; b++) {
		was = TEXT_START;
		s = (uint32_t)text_form(b, &was, out);
		m->ascii[b].byte = out[s - 1];
		m->ascii[b].class = was;
		m->ascii[b].idle = was == TEXT_WORD &&
		    m->root[m->ascii[b].byte] == 0 &&
		    m->head->pattern_states == 0;
	}
}

bool
text_match_open(const void *block, size_t bytes, struct text_match *m)
{
	const uint8_t *base = block;
	struct text_places p;

	memset(m, 0, sizeof(*m));
	if (bytes < sizeof(*m->head))
		return false;
	m->head = block;
	if (m->head->magic != TEXT_MAGIC || !text_places(m->head, &p) ||
	    p.end != bytes)
		return false;
	m->sets = (const uint64_t *)(const void *)(base + p.sets);
	m->first = (const uint32_t *)(const void *)(base + p.first);
	m->fail = (const uint32_t *)(const void *)(base + p.fail);
	m->out = (const uint16_t *)(const void *)(base + p.out);
	m->next = (const uint16_t *)(const void *)(base + p.next);
	m->pattern_out = (const uint16_t *)(const void *)(base +
	    p.pattern_out);
	m->classes = base + p.classes;
	m->byte = base + p.byte;
	if (!states_sane(m) || !patterns_sane(m))
		return false;
	make_rows(m);
	text_skip_prepare(m);
	return true;
}

static inline uint32_t
go(const struct text_match *m, uint32_t state, uint8_t b)
{
	uint32_t to;

	for (; state != 0; state = m->fail[state]) {
		if (state == m->edge_state)
			return m->edge[b];
		to = text_child(m, state, b);
		if (to != 0)
			return to;
	}
	return m->root[b];
}

static inline void
step(const struct text_match *m, struct text_search *s, uint8_t b)
{
	s->state = go(m, s->state, b);
	if (m->out[s->state] != 0)
		s->found |= m->sets[m->out[s->state]];
	if (m->head->pattern_states == 0)
		return;
	s->pattern = m->next[s->pattern * m->head->pattern_classes +
	    m->classes[b]];
	s->found |= m->sets[m->pattern_out[s->pattern]];
}

static void
take(const struct text_match *m, struct text_search *s, uint32_t c)
{
	uint8_t out[TEXT_FORM_BYTES];
	size_t n = text_form(c, &s->was, out);

	for (size_t i = 0; i < n; i++)
		step(m, s, out[i]);
}

/* The same as take(), for what most text is. */
static inline void
take_ascii(const struct text_match *m, struct text_search *s, uint8_t b)
{
	struct text_form_row row = m->ascii[b];

	if (row.class != s->was) {
		if ((row.class == TEXT_WORD) != (s->was == TEXT_WORD))
			step(m, s, TEXT_EDGE);
		s->was = row.class;
	} else if (row.class == TEXT_SPACE)
		return;
	step(m, s, row.byte);
}

void
text_search_begin(struct text_search *s)
{
	memset(s, 0, sizeof(*s));
	s->was = TEXT_START;
}

void
text_search_break(const struct text_match *m, struct text_search *s)
{
	s->missing = 0;
	if (s->was == TEXT_START)
		return;
	if (s->was == TEXT_WORD)
		step(m, s, TEXT_EDGE);
	s->state = 0;
	s->pattern = 0;
	s->was = TEXT_START;
}

/* The rest of a word. */
static size_t
skip_idle(const struct text_match *m, const uint8_t *p, size_t i, size_t len)
{
	while (i < len && p[i] < 0x80 && m->ascii[p[i]].idle)
		i++;
	return i;
}

void
text_search_feed(const struct text_match *m, struct text_search *s,
    const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	bool bad;
	uint32_t c;

	for (size_t i = 0; i < len; i++) {
		/* What is none of those wanted. */
		if (s->state == 0 && s->missing == 0 && p[i] < 0x80) {
			if (m->skips)
				i = text_skip(m, s, p, i, len);
			else if (s->was == TEXT_WORD)
				i = skip_idle(m, p, i, len);
			if (i == len)
				return;
		}
		if (p[i] < 0x80 && s->missing == 0) {
			take_ascii(m, s, p[i]);
			continue;
		}
		if (!text_decode(&s->point, &s->missing, p[i], &c, &bad))
			continue;
		if (bad)
			text_search_break(m, s);
		if (!bad || c < 0x80)
			take(m, s, c);
	}
}
