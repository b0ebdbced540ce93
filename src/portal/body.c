/* Members of a request's body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/clock.h"
#include "base/money.h"
#include "db/connection.h"
#include "portal/request.h"

bool
body_only(struct request *r, const char *const *names)
{
	char known[256];
	size_t i;

	names_join(names, known, sizeof(known));
	json_object_object_foreach(r->json, key, value) {
		(void)value;
		for (i = 0; names[i] != NULL && strcmp(names[i], key) != 0;
		    i++)
			continue;
		if (names[i] == NULL) {
			char cut[64];

			snprintf(cut, sizeof(cut), "%.60s", key);
			answer_problem(r, 400, "unknown_member", cut,
			    "There is no such member; known here: %s.",
			    known);
			return false;
		}
	}
	return true;
}

bool
body_has(const struct request *r, const char *name)
{
	return json_object_object_get_ex(r->json, name, NULL);
}

bool
body_is_null(const struct request *r, const char *name)
{
	struct json_object *o;

	return json_object_object_get_ex(r->json, name, &o) && o == NULL;
}

/* Printable UTF-8, which JSON's parser has seen to be UTF-8. */
static bool
is_printable(const char *text, size_t len, bool lines)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (lines && (c == '\n' || c == '\r' || c == '\t'))
			continue;
		if (c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < len &&
		    (unsigned char)text[i + 1] < 0xa0))
			return false;
	}
	return true;
}

static bool
take_text(struct request *r, const char *name, bool needed, size_t least,
    size_t most, bool lines, const char **text_r)
{
	struct json_object *o;
	size_t len;

	*text_r = NULL;
	if (!json_object_object_get_ex(r->json, name, &o)) {
		if (needed)
			answer_problem(r, 400, "missing_member", name,
			    "The member is missing.");
		return !needed;
	}
	if (!json_object_is_type(o, json_type_string)) {
		answer_problem(r, 400, "bad_member", name,
		    "A string is wanted.");
		return false;
	}
	*text_r = json_object_get_string(o);
	len = (size_t)json_object_get_string_len(o);
	if (len >= least && len <= most && strlen(*text_r) == len &&
	    is_printable(*text_r, len, lines))
		return true;
	answer_problem(r, 400, "bad_member", name,
	    "Wanted are %zu to %zu bytes of printable UTF-8.", least, most);
	return false;
}

static bool
take_texts(struct request *r, const char *name, struct json_object *o,
    size_t most, const char **texts)
{
	size_t n = json_object_array_length(o), len;

	for (size_t i = 0; i < n; i++) {
		struct json_object *e = json_object_array_get_idx(o, i);

		if (!json_object_is_type(e, json_type_string)) {
			answer_problem(r, 400, "bad_member", name,
			    "An array of strings is wanted.");
			return false;
		}
		texts[i] = json_object_get_string(e);
		len = (size_t)json_object_get_string_len(e);
		if (len < 1 || len > most || strlen(texts[i]) != len ||
		    !is_printable(texts[i], len, false)) {
			answer_problem(r, 400, "bad_member", name, "Wanted "
			    "are strings of 1 to %zu bytes of printable "
			    "UTF-8.", most);
			return false;
		}
	}
	return true;
}

bool
body_texts(struct request *r, const char *name, size_t most_n, size_t most,
    const char ***texts_r, size_t *n_r)
{
	struct json_object *o;

	*texts_r = NULL;
	*n_r = 0;
	if (!json_object_object_get_ex(r->json, name, &o))
		return true;
	if (!json_object_is_type(o, json_type_array) ||
	    json_object_array_length(o) > most_n) {
		answer_problem(r, 400, "bad_member", name,
		    "An array of at most %zu strings is wanted.", most_n);
		return false;
	}
	*n_r = json_object_array_length(o);
	*texts_r = calloc(*n_r + 1, sizeof(**texts_r));
	if (*texts_r == NULL) {
		answer_database(r, DB_AWAY);
		return false;
	}
	if (take_texts(r, name, o, most, *texts_r))
		return true;
	free(*texts_r);
	*texts_r = NULL;
	return false;
}

bool
body_number(struct request *r, const char *name, int64_t least, int64_t most,
    int64_t *number_r)
{
	struct json_object *o;
	int64_t n;

	if (!json_object_object_get_ex(r->json, name, &o))
		return true;
	n = json_object_get_int64(o);
	if (json_object_is_type(o, json_type_int) && n >= least && n <= most) {
		*number_r = n;
		return true;
	}
	answer_problem(r, 400, "bad_member", name,
	    "An integer from %lld to %lld is wanted.", (long long)least,
	    (long long)most);
	return false;
}

bool
body_text(struct request *r, const char *name, bool needed, size_t least,
    size_t most, const char **text_r)
{
	return take_text(r, name, needed, least, most, false, text_r);
}

bool
body_lines(struct request *r, const char *name, bool needed, size_t least,
    size_t most, const char **text_r)
{
	return take_text(r, name, needed, least, most, true, text_r);
}

bool
body_amount(struct request *r, const char *name, int64_t *nano_r)
{
	enum money_result result;
	const char *text;
	int64_t nano;

	if (body_is_null(r, name))
		*nano_r = 0;
	if (!body_has(r, name) || body_is_null(r, name))
		return true;
	if (!body_text(r, name, true, 1, MONEY_TEXT_BYTES, &text))
		return false;
	result = money_parse(text, &nano);
	if (result == MONEY_OK && nano >= 0) {
		*nano_r = nano;
		return true;
	}
	answer_problem(r, 400, "bad_member", name, "%s.",
	    result != MONEY_OK ? money_explain(result) :
	    "An amount of at least zero is wanted");
	return false;
}

bool
body_time(struct request *r, const char *name, int64_t *us_r)
{
	const char *text;

	*us_r = 0;
	if (!body_has(r, name) || body_is_null(r, name))
		return true;
	if (!body_text(r, name, true, 1, 40, &text))
		return false;
	if (!time_parse(text, us_r))
		answer_problem(r, 400, "bad_member", name, "%s",
		    TIME_ALLOWED);
	else if (*us_r <= clock_wall().us)
		answer_problem(r, 400, "bad_member", name,
		    "That is in the past.");
	else
		return true;
	return false;
}

bool
body_language(struct request *r, const char **language_r)
{
	if (!body_text(r, "language", false, 1, 16, language_r))
		return false;
	if (*language_r == NULL || strcmp(*language_r, "en") == 0 ||
	    strcmp(*language_r, "zh") == 0 || strcmp(*language_r, "de") == 0)
		return true;
	answer_problem(r, 400, "bad_member", "language",
	    "Allowed are en, zh and de.");
	return false;
}
