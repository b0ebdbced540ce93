/*
 * text_match_build.c: from entries to a block.  Words and texts first, in
 * order, as ranges of sorted strings; then patterns, set by set.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text_match.h"
#include "base/text_match_internal.h"
#include "base/text_pattern.h"

/* An entry in its common form. */
struct form {
	const uint8_t *p;
	uint32_t len;
	uint8_t list;
};

struct range {
	uint32_t low, high;	/* of the sorted forms that lead here */
	uint32_t depth;
};

struct build {
	struct form *form;
	size_t forms;
	uint8_t *pool;			/* the forms' bytes */
	struct range *range;		/* one a state */
	uint32_t states, room;
	uint32_t *first;
	uint32_t *fail;
	uint64_t *out;
	uint8_t *byte;
	struct text_sets sets;
	struct text_patterns patterns;
};

const char *
text_match_explain(enum text_match_result result)
{
	switch (result) {
	case TEXT_MATCH_OK:
		return "is right";
	case TEXT_MATCH_EMPTY:
		return "has nothing to look for";
	case TEXT_MATCH_LONG:
		return "is longer than 256 bytes";
	case TEXT_MATCH_UTF8:
		return "is not UTF-8";
	case TEXT_MATCH_BARE:
		return "would fit every word: something besides * is needed";
	case TEXT_MATCH_MANY:
		return "is one too many: all lists together have 200000 "
		    "entries at most";
	case TEXT_MATCH_COMPLEX:
		return "makes the patterns too complex: let fewer of them "
		    "have a * in their middle";
	case TEXT_MATCH_MEMORY:
		return "needs more memory than there is";
	}
	return "is wrong";
}

/* Elements of the form in element[]; edges at the ends where words are
 * asked for. */
static enum text_match_result
take_form(const struct text_match_entry *e, uint16_t *element, size_t *n_r)
{
	const uint8_t *p = (const uint8_t *)e->text;
	uint8_t was = TEXT_START, missing = 0, out[TEXT_FORM_BYTES];
	bool pattern = e->kind == TEXT_MATCH_PATTERN, bad, quoted = false;
	size_t n = 0, len = strlen(e->text), telling = 0, k;
	uint32_t point = 0, c;

	if (len > TEXT_MATCH_ENTRY_BYTES)
		return TEXT_MATCH_LONG;
	for (size_t i = 0; i < len; i++) {
		if (!text_decode(&point, &missing, p[i], &c, &bad))
			continue;
		if (bad)
			return TEXT_MATCH_UTF8;
		if (pattern && !quoted && c == '\\') {
			quoted = true;
			continue;
		}
		if (pattern && !quoted && (c == '#' || c == '*')) {
			if (was != TEXT_WORD)
				element[n++] = TEXT_EDGE;
			was = TEXT_WORD;
			element[n++] = c == '#' ? TEXT_DIGIT : TEXT_STAR;
			telling += c == '#';
			continue;
		}
		quoted = false;
		k = text_form(c, &was, out);
		for (size_t j = 0; j < k; j++) {
			element[n++] = out[j];
			telling += out[j] != TEXT_EDGE && out[j] != ' ';
		}
	}
	if (missing > 0)
		return TEXT_MATCH_UTF8;
	if (telling == 0)
		return pattern && n > 0 ? TEXT_MATCH_BARE : TEXT_MATCH_EMPTY;
	if (was == TEXT_WORD && e->kind != TEXT_MATCH_TEXT)
		element[n++] = TEXT_EDGE;
	*n_r = n;
	return TEXT_MATCH_OK;
}

/* Without blanks at the ends, which a text would have to have there too. */
static enum text_match_result
trimmed_form(const struct text_match_entry *e, uint16_t *element, size_t *n_r)
{
	enum text_match_result result = take_form(e, element, n_r);
	size_t skip = 0;

	if (result != TEXT_MATCH_OK)
		return result;
	while (*n_r > 0 && element[*n_r - 1] == ' ')
		(*n_r)--;
	if (element[0] == ' ')
		skip = 1;
	if (e->kind == TEXT_MATCH_TEXT && element[skip] == TEXT_EDGE)
		skip++;
	memmove(element, element + skip, (*n_r - skip) * sizeof(*element));
	*n_r -= skip;
	/* The edge before a blank went with the words that end there. */
	if (e->kind == TEXT_MATCH_TEXT && element[*n_r - 1] == TEXT_EDGE)
		(*n_r)--;
	return TEXT_MATCH_OK;
}

enum text_match_result
text_match_check(const struct text_match_entry *e)
{
	uint16_t element[TEXT_ELEMENTS];
	size_t n;

	return trimmed_form(e, element, &n);
}

static int
compare(const void *a, const void *b)
{
	const struct form *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);

	if (c != 0)
		return c;
	return x->len < y->len ? -1 : x->len > y->len;
}

static enum text_match_result
take_entries(struct build *b, const struct text_match_entry *entry, size_t n,
    size_t *bad_r)
{
	uint16_t element[TEXT_ELEMENTS];
	enum text_match_result result;
	size_t used = 0, len;

	for (size_t i = 0; i < n; i++) {
		*bad_r = i;
		result = trimmed_form(&entry[i], element, &len);
		if (result != TEXT_MATCH_OK)
			return result;
		if (entry[i].kind == TEXT_MATCH_PATTERN) {
			if (!text_patterns_add(&b->patterns, element, len,
			    entry[i].list))
				return TEXT_MATCH_COMPLEX;
			continue;
		}
		for (size_t j = 0; j < len; j++)
			b->pool[used + j] = (uint8_t)element[j];
		b->form[b->forms].p = b->pool + used;
		b->form[b->forms].len = (uint32_t)len;
		b->form[b->forms++].list = entry[i].list;
		used += len;
	}
	*bad_r = n;
	qsort(b->form, b->forms, sizeof(*b->form), compare);
	return TEXT_MATCH_OK;
}

/* One state for each beginning that a form has: at most their bytes. */
static bool
make_states(struct build *b)
{
	size_t most = 1;

	for (size_t i = 0; i < b->forms; i++)
		most += b->form[i].len;
	if (most > TEXT_STATES)
		return false;
	b->room = (uint32_t)most;
	b->range = calloc(most, sizeof(*b->range));
	b->first = calloc(most + 1, sizeof(*b->first));
	b->fail = calloc(most, sizeof(*b->fail));
	b->out = calloc(most, sizeof(*b->out));
	b->byte = calloc(most, 1);
	return b->range != NULL && b->first != NULL && b->fail != NULL &&
	    b->out != NULL && b->byte != NULL;
}

/* The children of a state: where the forms of its range differ next. */
static void
grow(struct build *b, uint32_t s)
{
	struct range r = b->range[s];
	uint32_t i = r.low, c;

	b->first[s] = b->states;
	for (; i < r.high && b->form[i].len == r.depth; i++)
		b->out[s] |= UINT64_C(1) << b->form[i].list;
	while (i < r.high) {
		c = b->states++;
		b->byte[c] = b->form[i].p[r.depth];
		b->range[c].low = i;
		b->range[c].depth = r.depth + 1;
		while (i < r.high && b->form[i].p[r.depth] == b->byte[c])
			i++;
		b->range[c].high = i;
	}
	b->first[s + 1] = b->states;
}

/* From where a search goes on when nothing follows a state: the longest
 * ending of it that is a beginning too. */
static void
link_back(struct build *b)
{
	struct text_match m = { .first = b->first, .byte = b->byte };
	uint32_t s, c, f, to;

	for (s = 0; s < b->states; s++)
		for (c = b->first[s]; c < b->first[s + 1]; c++) {
			to = 0;
			for (f = s; f != 0 && to == 0; ) {
				f = b->fail[f];
				to = text_child(&m, f, b->byte[c]);
			}
			b->fail[c] = to;
		}
	for (s = 1; s < b->states; s++)
		b->out[s] |= b->out[b->fail[s]];
}

static bool
make_automaton(struct build *b)
{
	if (!make_states(b))
		return false;
	b->range[0].high = (uint32_t)b->forms;
	b->states = 1;
	for (uint32_t s = 0; s < b->states; s++)
		grow(b, s);
	link_back(b);
	return true;
}

static bool
number_sets(struct build *b, uint16_t *out, const uint64_t *set, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!text_set_number(&b->sets, set[i], &out[i]))
			return false;
	return true;
}

static void
copy(uint8_t *base, uint64_t at, const void *from, uint64_t bytes)
{
	if (bytes > 0)
		memcpy(base + at, from, bytes);
}

static enum text_match_result
write_block(struct build *b, const uint16_t *out, const uint16_t *pattern_out,
    void **block_r, size_t *bytes_r)
{
	const struct text_patterns *t = &b->patterns;
	struct text_match_head h = { .magic = TEXT_MAGIC, .states = b->states,
	    .sets = b->sets.n, .pattern_states = t->states,
	    .pattern_classes = t->class_count };
	struct text_places p;
	uint8_t *base;

	if (!text_places(&h, &p))
		return TEXT_MATCH_MANY;
	base = calloc(1, p.end);
	if (base == NULL)
		return TEXT_MATCH_MEMORY;
	memcpy(base, &h, sizeof(h));
	copy(base, p.sets, b->sets.set, b->sets.n * sizeof(uint64_t));
	copy(base, p.first, b->first, (b->states + UINT64_C(1)) * 4);
	copy(base, p.fail, b->fail, (uint64_t)b->states * 4);
	copy(base, p.out, out, (uint64_t)b->states * 2);
	copy(base, p.next, t->next, (uint64_t)t->states * t->class_count * 2);
	copy(base, p.pattern_out, pattern_out, (uint64_t)t->states * 2);
	copy(base, p.classes, t->classes, sizeof(t->classes));
	copy(base, p.byte, b->byte, b->states);
	*block_r = base;
	*bytes_r = p.end;
	return TEXT_MATCH_OK;
}

static enum text_match_result
finish(struct build *b, void **block_r, size_t *bytes_r)
{
	uint16_t *out = calloc(b->states, sizeof(*out));
	uint16_t *pattern_out = calloc(b->patterns.states + 1U,
	    sizeof(*pattern_out));
	enum text_match_result result = TEXT_MATCH_MEMORY;

	if (out != NULL && pattern_out != NULL) {
		result = TEXT_MATCH_MANY;
		if (number_sets(b, out, b->out, b->states) && number_sets(b,
		    pattern_out, b->patterns.out, b->patterns.states))
			result = write_block(b, out, pattern_out, block_r,
			    bytes_r);
	}
	free(out);
	free(pattern_out);
	return result;
}

enum text_match_result
text_match_build(const struct text_match_entry *entry, size_t n,
    void **block_r, size_t *bytes_r, size_t *bad_r)
{
	enum text_match_result result = TEXT_MATCH_MEMORY;
	uint16_t empty;
	struct build b;

	memset(&b, 0, sizeof(b));
	*bad_r = n;
	if (n > TEXT_MATCH_ENTRIES)
		return TEXT_MATCH_MANY;
	b.form = calloc(n + 1, sizeof(*b.form));
	b.pool = malloc(n * TEXT_ELEMENTS + 1);
	if (b.form == NULL || b.pool == NULL || !text_sets_begin(&b.sets) ||
	    !text_set_number(&b.sets, 0, &empty))
		goto out;
	result = take_entries(&b, entry, n, bad_r);
	if (result != TEXT_MATCH_OK)
		goto out;
	result = TEXT_MATCH_MEMORY;
	if (!make_automaton(&b))
		goto out;
	result = TEXT_MATCH_COMPLEX;
	if (text_patterns_build(&b.patterns))
		result = finish(&b, block_r, bytes_r);
out:
	free(b.form);
	free(b.pool);
	free(b.range);
	free(b.first);
	free(b.fail);
	free(b.out);
	free(b.byte);
	text_sets_end(&b.sets);
	text_patterns_end(&b.patterns);
	return result;
}
