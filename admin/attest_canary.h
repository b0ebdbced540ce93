/*
 * attest_canary.h: texts that are made for one run and nowhere else, and the
 * forms in which one could come to stand in memory or in a file.
 * Layer: admin.
 * Written by: canaries_make(), before anything else.
 *
 * A canary is random; that it is found by chance is out of the question (16
 * characters of 62 are 95 bits).  Each path that a call can take has its own
 * for the prompt, the answer and a header, so that what is found says where it
 * came from.
 */
#ifndef ADMIN_ATTEST_CANARY_H
#define ADMIN_ATTEST_CANARY_H

#include <stddef.h>
#include <stdint.h>

/* How a call can go. */
enum canary_path {
	PATH_ANSWERED,		/* whole, with 200 */
	PATH_STREAMED,		/* events, the answer split across chunks */
	PATH_LARGE,		/* a prompt and an answer of some 100 KB */
	PATH_UPSTREAM_4XX,
	PATH_UPSTREAM_5XX,
	PATH_TRANSLATED,	/* to the protocol of another provider */
	PATH_TRANSLATED_STREAMED,
	PATH_TIMEOUT,		/* the upstream says nothing */
	PATH_STALLED,		/* it stops in mid-stream */
	PATH_BROKEN,		/* it closes in mid-stream */
	PATH_DISCONNECT,	/* the client does */
	PATH_REFUSED,		/* by the gateway itself: no JSON */
	PATH_UNKNOWN_MODEL,	/* likewise; the error repeats the name */
	PATH_KILLED		/* the worker dies in mid-stream */
};
#define CANARY_PATHS 14

enum canary_place {
	PLACE_PROMPT,
	PLACE_ANSWER,
	PLACE_HEADER		/* one that isn't recorded */
};
#define CANARY_PLACES 3

/* What else is looked for: the key, and what is planted to be found. */
enum canary_other {
	CANARY_KEY = CANARY_PATHS * CANARY_PLACES,
	CANARY_CONTROL_MEMORY,
	CANARY_CONTROL_FILE,
	CANARY_CONTROL_TABLE
};
#define CANARIES (CANARY_CONTROL_TABLE + 1)

#define CANARY_BYTES 32
/* The key's random digits are some more. */
#define CANARY_MAX_BYTES 40

struct canaries {
	char text[CANARIES][CANARY_MAX_BYTES + 1];
};

enum canary_form {
	FORM_RAW,
	FORM_BASE64,		/* as the first of three bytes, */
	FORM_BASE64_1,		/* as the second, */
	FORM_BASE64_2,		/* as the third */
	FORM_JSON,		/* \u escapes, hex digits in lower case */
	FORM_JSON_UPPER,
	FORM_UTF16LE,
	FORM_UTF16BE,
	FORM_HEX,
	FORM_HEX_UPPER
};
#define CANARY_FORMS 10
#define CANARY_FORM_BYTES (6 * CANARY_MAX_BYTES + 1)

void	canaries_make(struct canaries *canaries_r);
/* The key that calls are made with: what of it is random. */
void	canaries_take_key(struct canaries *canaries, const char *key);

/*
 * The text in a form, as it always is whatever stands before and after it;
 * 0-terminated, returns the bytes.
 */
size_t	canary_form(const char *text, enum canary_form form,
	    char bytes_r[CANARY_FORM_BYTES]);

/* Its number: those of paths, else an enum canary_other. */
int	canary_of(enum canary_path path, enum canary_place place);

/* "streamed", "prompt", "base64", for reports; static texts. */
const char *canary_path_name(enum canary_path path);
const char *canary_form_name(enum canary_form form);
/* "prompt of streamed"; text_r takes CANARY_NAME_BYTES. */
#define CANARY_NAME_BYTES 64
void	canary_name(int canary, char text_r[CANARY_NAME_BYTES]);

#endif
