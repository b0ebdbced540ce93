/* The customer's key: its shape and its checksum. */
#include "base/secret.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define PREFIX "sk-yy-"
#define PREFIX_LEN 6
#define RANDOM_LEN 36
#define CHECK_LEN 6
#define BASE 62

_Static_assert(PREFIX_LEN + RANDOM_LEN + CHECK_LEN == API_KEY_LEN, "key");

static const char base62[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* CRC-32 (ISO 3309, as in zlib and PNG), bit by bit: 42 bytes of input. */
static uint32_t
crc32_of(const char *p, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (UINT32_C(0xedb88320) & -(crc & 1));
	}
	return ~crc;
}

/* 62^6 > 2^32: six digits hold all of it, most significant first. */
static void
checksum(const char *key, char digits_r[CHECK_LEN])
{
	uint32_t crc = crc32_of(key, PREFIX_LEN + RANDOM_LEN);

	for (int i = CHECK_LEN - 1; i >= 0; i--) {
		digits_r[i] = base62[crc % BASE];
		crc /= BASE;
	}
}

void
api_key_make(char key_r[API_KEY_LEN + 1])
{
	uint8_t pool[64];
	size_t left = 0;

	memcpy(key_r, PREFIX, PREFIX_LEN);
	for (int i = 0; i < RANDOM_LEN;) {
		if (left == 0) {
			bytes_random(pool, sizeof(pool));
			left = sizeof(pool);
		}
		left--;
		/* 248 is the last multiple of 62: no digit is likelier. */
		if (pool[left] < 248)
			key_r[PREFIX_LEN + i++] = base62[pool[left] % BASE];
	}
	bytes_scrub(pool, sizeof(pool));
	checksum(key_r, key_r + PREFIX_LEN + RANDOM_LEN);
	key_r[API_KEY_LEN] = '\0';
	assert(api_key_plausible(key_r, API_KEY_LEN));
}

static bool
is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

bool
api_key_plausible(const char *key, size_t len)
{
	char digits[CHECK_LEN];

	if (len != API_KEY_LEN || memcmp(key, PREFIX, PREFIX_LEN) != 0)
		return false;
	for (size_t i = PREFIX_LEN; i < len; i++)
		if (!is_base62(key[i]))
			return false;
	checksum(key, digits);
	return memcmp(digits, key + PREFIX_LEN + RANDOM_LEN, CHECK_LEN) == 0;
}

void
api_key_hint(const char *key, char hint_r[API_KEY_HINT_BYTES])
{
	assert(strlen(key) == API_KEY_LEN);
	snprintf(hint_r, API_KEY_HINT_BYTES, "%.*s\xe2\x80\xa6%s",
	    PREFIX_LEN + 4, key, key + API_KEY_LEN - 4);
}
