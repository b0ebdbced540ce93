/*
 * text_pattern.c: subset construction (M. Rabin, D. Scott, Finite Automata and
 * Their Decision Problems, 1959), with a bound on its states.
 */
#include "base/text_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/text_match_internal.h"

#define SET_SLOTS (UINT32_C(1) << 17)
#define SETS_MAX UINT16_MAX
#define STATE_SLOTS (UINT32_C(1) << 16)
#define ELEMENTS_MAX (UINT32_C(1) << 20)
/* Of all states' sets together: bounds time and memory of a build. */
#define POSITIONS_MAX (UINT32_C(1) << 24)

static uint64_t
mix(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	return h;
}

bool
text_sets_begin(struct text_sets *sets)
{
	sets->n = 0;
	sets->set = calloc(SETS_MAX, sizeof(*sets->set));
	sets->slot = calloc(SET_SLOTS, sizeof(*sets->slot));
	return sets->set != NULL && sets->slot != NULL;
}

void
text_sets_end(struct text_sets *sets)
{
	free(sets->set);
	free(sets->slot);
}

bool
text_set_number(struct text_sets *sets, uint64_t set, uint16_t *number_r)
{
	uint32_t i = (uint32_t)mix(set) % SET_SLOTS;

	for (; sets->slot[i] != 0; i = (i + 1) % SET_SLOTS)
		if (sets->set[sets->slot[i] - 1] == set) {
			*number_r = (uint16_t)(sets->slot[i] - 1);
			return true;
		}
	if (sets->n == SETS_MAX)
		return false;
	*number_r = (uint16_t)sets->n;
	sets->set[sets->n++] = set;
	sets->slot[i] = sets->n;
	return true;
}

bool
text_patterns_add(struct text_patterns *t, const uint16_t *element, size_t n,
    uint8_t list)
{
	uint32_t room = t->room == 0 ? 1024 : t->room * 2;
	uint16_t *more;
	uint8_t *lists;

	if (t->elements + n + 1 > ELEMENTS_MAX)
		return false;
	if (t->elements + n + 1 > t->room) {
		more = realloc(t->element, room * sizeof(*more));
		if (more == NULL)
			return false;
		t->element = more;
		lists = realloc(t->list, room);
		if (lists == NULL)
			return false;
		t->list = lists;
		t->room = room;
	}
	memcpy(t->element + t->elements, element, n * sizeof(*element));
	memset(t->list + t->elements, 0, n);
	t->elements += (uint32_t)n;
	t->element[t->elements] = TEXT_ACCEPT;
	t->list[t->elements++] = list;
	return true;
}

void
text_patterns_end(struct text_patterns *t)
{
	free(t->element);
	free(t->list);
	free(t->next);
	free(t->out);
}

static bool
fits(uint16_t element, unsigned b)
{
	switch (element) {
	case TEXT_DIGIT:
		return b >= '0' && b <= '9';
	case TEXT_STAR:
		return (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') ||
		    b == '_' || b >= 0x80;
	case TEXT_ACCEPT:
		return false;
	default:
		return element == b;
	}
}

/* Bytes that no pattern tells from each other are one class; sample[] has a
 * byte of each. */
static void
make_classes(struct text_patterns *t, uint8_t sample[256])
{
	int of_kind[4] = { -1, -1, -1, -1 };
	bool used[256] = { false };
	unsigned kind;

	for (uint32_t i = 0; i < t->elements; i++)
		if (t->element[i] < 256)
			used[t->element[i]] = true;
	t->class_count = 0;
	for (unsigned b = 0; b < 256; b++) {
		kind = fits(TEXT_DIGIT, b) ? 2 : 0;
		kind += fits(TEXT_STAR, b) ? 1 : 0;
		if (!used[b] && of_kind[kind] >= 0) {
			t->classes[b] = (uint8_t)of_kind[kind];
			continue;
		}
		sample[t->class_count] = (uint8_t)b;
		t->classes[b] = (uint8_t)t->class_count;
		if (!used[b])
			of_kind[kind] = (int)t->class_count;
		t->class_count++;
	}
}

/* A state is a set of positions, sorted, in the pool. */
struct subsets {
	struct text_patterns *t;
	uint8_t sample[256];
	uint32_t *start;		/* positions where patterns begin */
	uint32_t starts;
	uint32_t *pool;
	uint32_t used;
	uint32_t *at, *count;		/* of each state */
	uint16_t *slot;			/* state + 1; 0: free */
	uint8_t *marked;		/* positions of the set being made */
	uint32_t *made;
	uint32_t made_count;
};

static void
mark(struct subsets *s, uint32_t position)
{
	if (s->marked[position])
		return;
	s->marked[position] = 1;
	s->made[s->made_count++] = position;
	if (s->t->element[position] == TEXT_STAR)
		mark(s, position + 1);
}

static void
advance(struct subsets *s, uint32_t position, unsigned b)
{
	uint16_t element = s->t->element[position];

	if (fits(element, b))
		mark(s, element == TEXT_STAR ? position : position + 1);
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The state that is the set just made; a new one if there was none. */
static bool
find_state(struct subsets *s, uint16_t *state_r)
{
	struct text_patterns *t = s->t;
	uint64_t h = s->made_count;
	uint32_t i, k;

	qsort(s->made, s->made_count, sizeof(*s->made), by_number);
	for (k = 0; k < s->made_count; k++) {
		s->marked[s->made[k]] = 0;
		h = mix(h ^ s->made[k]);
	}
	for (i = (uint32_t)h % STATE_SLOTS; s->slot[i] != 0;
	    i = (i + 1) % STATE_SLOTS) {
		k = s->slot[i] - 1U;
		if (s->count[k] == s->made_count && memcmp(s->pool + s->at[k],
		    s->made, s->made_count * sizeof(*s->made)) == 0) {
			*state_r = (uint16_t)k;
			return true;
		}
	}
	if (t->states == TEXT_PATTERN_STATES ||
	    s->used + s->made_count > POSITIONS_MAX)
		return false;
	k = t->states++;
	s->at[k] = s->used;
	s->count[k] = s->made_count;
	memcpy(s->pool + s->used, s->made, s->made_count * sizeof(*s->made));
	s->used += s->made_count;
	s->slot[i] = (uint16_t)t->states;
	for (i = 0; i < s->made_count; i++)
		if (t->element[s->made[i]] == TEXT_ACCEPT)
			t->out[k] |= UINT64_C(1) << t->list[s->made[i]];
	*state_r = (uint16_t)k;
	return true;
}

static bool
follow(struct subsets *s, uint32_t state)
{
	struct text_patterns *t = s->t;
	uint32_t c, i;

	for (c = 0; c < t->class_count; c++) {
		s->made_count = 0;
		for (i = 0; i < s->starts; i++)
			advance(s, s->start[i], s->sample[c]);
		for (i = 0; i < s->count[state]; i++)
			advance(s, s->pool[s->at[state] + i], s->sample[c]);
		if (!find_state(s, &t->next[state * t->class_count + c]))
			return false;
	}
	return true;
}

static void
find_starts(struct subsets *s)
{
	const uint16_t *element = s->t->element;
	bool begins = true;
	uint32_t k;

	for (uint32_t i = 0; i < s->t->elements; i++) {
		for (k = i; begins; k++) {
			s->start[s->starts++] = k;
			begins = element[k] == TEXT_STAR;
		}
		begins = element[i] == TEXT_ACCEPT;
	}
}

static bool
get_memory(struct subsets *s)
{
	struct text_patterns *t = s->t;
	size_t n = TEXT_PATTERN_STATES;

	s->start = calloc(t->elements, sizeof(*s->start));
	s->pool = malloc(POSITIONS_MAX * sizeof(*s->pool));
	s->at = calloc(n, sizeof(*s->at));
	s->count = calloc(n, sizeof(*s->count));
	s->slot = calloc(STATE_SLOTS, sizeof(*s->slot));
	s->marked = calloc(t->elements, 1);
	s->made = calloc(t->elements, sizeof(*s->made));
	t->next = calloc(n * t->class_count, sizeof(*t->next));
	t->out = calloc(n, sizeof(*t->out));
	return s->start != NULL && s->pool != NULL && s->at != NULL &&
	    s->count != NULL && s->slot != NULL && s->marked != NULL &&
	    s->made != NULL && t->next != NULL && t->out != NULL;
}

bool
text_patterns_build(struct text_patterns *t)
{
	struct subsets s = { .t = t };
	uint16_t first;
	bool ok;

	if (t->elements == 0) {
		t->class_count = 1;
		return true;
	}
	make_classes(t, s.sample);
	ok = get_memory(&s);
	if (ok) {
		find_starts(&s);
		ok = find_state(&s, &first);	/* the empty set is state 0 */
	}
	for (uint32_t i = 0; ok && i < t->states; i++)
		ok = follow(&s, i);
	free(s.start);
	free(s.pool);
	free(s.at);
	free(s.count);
	free(s.slot);
	free(s.marked);
	free(s.made);
	return ok;
}
