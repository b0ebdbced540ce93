#include "base/topup_code.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define GROUP 5
#define DATA (TOPUP_CODE_SYMBOLS - 2)
#define TEXT_LEN (TOPUP_CODE_TEXT_BYTES - 1)
/* x^5 + x^2 + 1, of which x generates all of the field of 32. */
#define FIELD 0x25
#define ALPHA 2

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

_Static_assert(sizeof(symbols) == 32 + 1, "five bits a symbol");
_Static_assert(TOPUP_CODE_SYMBOLS <= 31, "the powers of x must differ");

static unsigned
times(unsigned a, unsigned b)
{
	unsigned product = 0;

	for (; b > 0; b >>= 1, a <<= 1) {
		if ((a & 32) != 0)
			a ^= FIELD;
		if ((b & 1) != 0)
			product ^= a;
	}
	return product;
}

static unsigned
divided(unsigned a, unsigned b)
{
	/* b^30 is 1 / b. */
	for (int i = 0; i < 30; i++)
		a = times(a, b);
	return a;
}

/*
 * A word of a Reed-Solomon code of distance three: the sum of its symbols is
 * 0, and so is the sum of each times its power of x.
 */
static void
sums(const unsigned *word, int n, unsigned *plain_r, unsigned *weighted_r,
    unsigned *power_r)
{
	*plain_r = *weighted_r = 0;
	*power_r = 1;
	for (int i = 0; i < n; i++) {
		*plain_r ^= word[i];
		*weighted_r ^= times(word[i], *power_r);
		*power_r = times(*power_r, ALPHA);
	}
}

static void
complete(unsigned word[TOPUP_CODE_SYMBOLS])
{
	unsigned plain, weighted, power;

	sums(word, DATA, &plain, &weighted, &power);
	word[DATA + 1] = divided(weighted ^ times(power, plain),
	    power ^ times(power, ALPHA));
	word[DATA] = plain ^ word[DATA + 1];
}

static bool
is_complete(const unsigned word[TOPUP_CODE_SYMBOLS])
{
	unsigned plain, weighted, power;

	sums(word, TOPUP_CODE_SYMBOLS, &plain, &weighted, &power);
	return plain == 0 && weighted == 0;
}

static void
write_text(const unsigned word[TOPUP_CODE_SYMBOLS],
    char text_r[TOPUP_CODE_TEXT_BYTES])
{
	char *p = text_r;

	for (int i = 0; i < TOPUP_CODE_SYMBOLS; i++) {
		if (i > 0 && i % GROUP == 0)
			*p++ = '-';
		*p++ = symbols[word[i]];
	}
	*p = '\0';
	assert(p - text_r == TEXT_LEN);
}

void
topup_code_make(char text_r[TOPUP_CODE_TEXT_BYTES])
{
	unsigned word[TOPUP_CODE_SYMBOLS];
	uint8_t random[DATA];

	bytes_random(random, sizeof(random));
	for (int i = 0; i < DATA; i++)
		word[i] = random[i] % 32;
	complete(word);
	write_text(word, text_r);
	bytes_scrub(random, sizeof(random));
	bytes_scrub(word, sizeof(word));
}

/* -1: no symbol. */
static int
value_of(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'I' || c == 'L')
		c = '1';
	if (c == 'O')
		c = '0';
	at = c != '\0' ? strchr(symbols, c) : NULL;
	return at != NULL ? (int)(at - symbols) : -1;
}

bool
topup_code_read(const char *text, char text_r[TOPUP_CODE_TEXT_BYTES])
{
	unsigned word[TOPUP_CODE_SYMBOLS];
	int n = 0, value;

	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == ' ')
			continue;
		value = value_of(*text);
		if (value < 0 || n == TOPUP_CODE_SYMBOLS)
			return false;
		word[n++] = (unsigned)value;
	}
	if (n != TOPUP_CODE_SYMBOLS || !is_complete(word))
		return false;
	write_text(word, text_r);
	bytes_scrub(word, sizeof(word));
	return true;
}

void
topup_code_hint(const char *code, char hint_r[TOPUP_CODE_HINT_BYTES])
{
	assert(strlen(code) == TEXT_LEN);
	snprintf(hint_r, TOPUP_CODE_HINT_BYTES, "\xe2\x80\xa6%s",
	    code + TEXT_LEN - GROUP);
}

void
topup_code_digest(struct key_hasher *hasher, const char *code,
    uint8_t digest_r[KEY_DIGEST_BYTES])
{
	key_hasher_digest_of(hasher, "topup", code, digest_r);
}
