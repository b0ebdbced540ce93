#include "admin/attest_canary.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/secret.h"

#define KEY_PREFIX 6		/* "sk-yy-" */
#define KEY_RANDOM 36

static const char digits[] = "0123456789"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void
make(char text_r[CANARY_MAX_BYTES + 1])
{
	uint8_t byte;
	size_t n = 0;

	while (n < CANARY_BYTES) {
		bytes_random(&byte, 1);
		if (byte < 248)		/* 4 * 62: each as likely */
			text_r[n++] = digits[byte % 62];
	}
	text_r[n] = '\0';
}

void
canaries_make(struct canaries *canaries)
{
	for (int i = 0; i < CANARIES; i++)
		make(canaries->text[i]);
}

void
canaries_take_key(struct canaries *canaries, const char *key)
{
	char *text = canaries->text[CANARY_KEY];

	assert(strlen(key) == API_KEY_LEN);
	memcpy(text, key + KEY_PREFIX, KEY_RANDOM);
	text[KEY_RANDOM] = '\0';
}

/*
 * Three bytes are four characters, so where the text begins among them
 * matters; characters that the bytes before or after have a part in are cut
 * off.
 */
static size_t
form_base64(const char *text, size_t before, char *bytes)
{
	/* Characters that depend on 0, 1 or 2 bytes before. */
	static const size_t cut[] = { 0, 2, 3 };
	char plain[CANARY_MAX_BYTES + 3] = "xx";
	char encoded[BASE64_TEXT_BYTES(sizeof(plain))];
	size_t len = before + strlen(text), stable = len * 8 / 6;

	memcpy(plain + before, text, strlen(text) + 1);
	base64_encode(plain, len, encoded);
	stable -= cut[before];
	memcpy(bytes, encoded + cut[before], stable);
	bytes[stable] = '\0';
	return stable;
}

/* Each character's code in two hex digits, after a prefix. */
static size_t
form_hex(const char *text, const char *prefix, const char *digits_of_16,
    char *bytes)
{
	size_t len = 0, prefix_len = strlen(prefix);

	for (; *text != '\0'; text++) {
		unsigned code = (unsigned char)*text;

		memcpy(bytes + len, prefix, prefix_len);
		len += prefix_len;
		bytes[len++] = digits_of_16[code >> 4];
		bytes[len++] = digits_of_16[code & 15];
	}
	bytes[len] = '\0';
	return len;
}

static size_t
form_utf16(const char *text, size_t low, char *bytes)
{
	size_t len = strlen(text);

	memset(bytes, 0, 2 * len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[2 * i + low] = text[i];
	return 2 * len;
}

size_t
canary_form(const char *text, enum canary_form form,
    char bytes[CANARY_FORM_BYTES])
{
	static const char lower[] = "0123456789abcdef";
	static const char upper[] = "0123456789ABCDEF";

	switch (form) {
	case FORM_RAW:
		memcpy(bytes, text, strlen(text) + 1);
		return strlen(text);
	case FORM_BASE64:
		return form_base64(text, 0, bytes);
	case FORM_BASE64_1:
		return form_base64(text, 1, bytes);
	case FORM_BASE64_2:
		return form_base64(text, 2, bytes);
	case FORM_JSON:
		return form_hex(text, "\\u00", lower, bytes);
	case FORM_JSON_UPPER:
		return form_hex(text, "\\u00", upper, bytes);
	case FORM_UTF16LE:
		return form_utf16(text, 0, bytes);
	case FORM_UTF16BE:
		return form_utf16(text, 1, bytes);
	case FORM_HEX:
		return form_hex(text, "", lower, bytes);
	case FORM_HEX_UPPER:
		return form_hex(text, "", upper, bytes);
	}
	assert(!"canary_form");
	return 0;
}

int
canary_of(enum canary_path path, enum canary_place place)
{
	return (int)path * CANARY_PLACES + (int)place;
}

const char *
canary_path_name(enum canary_path path)
{
	static const char *const names[CANARY_PATHS] = {
		[PATH_ANSWERED] = "answered", [PATH_STREAMED] = "streamed",
		[PATH_LARGE] = "large", [PATH_UPSTREAM_4XX] = "upstream_4xx",
		[PATH_UPSTREAM_5XX] = "upstream_5xx",
		[PATH_TRANSLATED] = "translated",
		[PATH_TRANSLATED_STREAMED] = "translated_streamed",
		[PATH_TIMEOUT] = "timeout", [PATH_STALLED] = "stalled",
		[PATH_BROKEN] = "broken", [PATH_DISCONNECT] = "disconnect",
		[PATH_REFUSED] = "refused",
		[PATH_UNKNOWN_MODEL] = "unknown_model",
		[PATH_KILLED] = "killed_worker"
	};

	return names[path];
}

const char *
canary_form_name(enum canary_form form)
{
	static const char *const names[CANARY_FORMS] = {
		"raw", "base64", "base64 (second byte)",
		"base64 (third byte)", "JSON escapes",
		"JSON escapes (upper case)", "UTF-16LE", "UTF-16BE", "hex",
		"hex (upper case)"
	};

	return names[form];
}

void
canary_name(int canary, char text[CANARY_NAME_BYTES])
{
	static const char *const places[CANARY_PLACES] = {
		"prompt", "answer", "header"
	};
	static const char *const others[CANARIES - CANARY_KEY] = {
		"key", "control in memory", "control in a file",
		"control in the database"
	};

	if (canary >= CANARY_KEY)
		snprintf(text, CANARY_NAME_BYTES, "%s",
		    others[canary - CANARY_KEY]);
	else
		snprintf(text, CANARY_NAME_BYTES, "%s of %s",
		    places[canary % CANARY_PLACES],
		    canary_path_name((enum canary_path)
		    (canary / CANARY_PLACES)));
}
