/*
 * fuzz_typed.c: what people type and bridges send: codes, base64, secrets,
 * signatures, addresses of mail.
 */
#include "base/base64.h"
#include "base/mail_address.h"
#include "base/payment.h"
#include "base/topup_code.h"
#include "tests/fuzz/fuzz.h"

/* Base64 is one text for one content, both ways. */
static void
check_base64(const char *text, size_t len)
{
	char *bytes = malloc(BASE64_ROOM(len) + 1), *again;
	size_t n;

	if (base64_decode(text, len, bytes, &n)) {
		fuzz_check(n <= BASE64_ROOM(len), "base64: room");
		again = malloc(BASE64_TEXT_BYTES(n));
		base64_encode(bytes, n, again);
		fuzz_check(strlen(again) == len &&
		    memcmp(again, text, len) == 0, "base64: two texts");
		free(again);
	}
	free(bytes);
	again = malloc(BASE64_TEXT_BYTES(len));
	bytes = malloc(BASE64_ROOM(BASE64_TEXT_BYTES(len)) + 1);
	base64_encode(text, len, again);
	fuzz_check(base64_decode(again, strlen(again), bytes, &n) &&
	    n == len && memcmp(bytes, text, n) == 0, "base64: way back");
	free(again);
	free(bytes);
}

static void
check_code(const char *text)
{
	char code[TOPUP_CODE_TEXT_BYTES], again[TOPUP_CODE_TEXT_BYTES];

	if (!topup_code_read(text, code))
		return;
	fuzz_check(topup_code_read(code, again) && strcmp(code, again) == 0,
	    "code: not its own form");
	code[0] = code[0] == '7' ? '8' : '7';
	fuzz_check(!topup_code_read(code, again), "code: a wrong symbol");
}

/* What was not signed is believed by nobody. */
static void
check_payment(const char *text, size_t len)
{
	struct payment_keys keys;
	const char *why = NULL;

	memset(&keys, 0, sizeof(keys));
	if (payment_secrets_parse(&keys, text, len, &why))
		fuzz_check(keys.secrets >= 1 &&
		    keys.secrets <= PAYMENT_SECRETS_MAX, "secrets");
	else
		fuzz_check(why != NULL, "secrets: why not");
	keys.has_public_key = 1;
	fuzz_check(!payment_signed(&keys, text, "1700000000", text, len),
	    "signature");
	if (payment_timely(text, 1700000000, 300))
		fuzz_check(strtoll(text, NULL, 10) >= 1699999700 &&
		    strtoll(text, NULL, 10) <= 1700000300, "time");
}

static void
check_address(const char *text)
{
	if (!mail_address_ok(text))
		return;
	fuzz_check(strpbrk(text, " \t\r\n,;:<>()[]\\\"'`|&$!*?/") == NULL &&
	    text[0] != '-' && strchr(text, '@') == strrchr(text, '@') &&
	    strlen(text) < MAIL_ADDRESS_BYTES, "address");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_base64(text, size);
	check_code(text);
	check_payment(text, size);
	check_address(text);
	free(text);
	return 0;
}
