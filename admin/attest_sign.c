#ifndef _GNU_SOURCE
#define _GNU_SOURCE		/* memmem */
#endif
#include "admin/attest_sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

/* "ed25519 HEX\n" */
#define FILE_WORD "ed25519 "
#define FILE_BYTES (sizeof(FILE_WORD) - 1 + 2 * ATTEST_KEY_BYTES + 1)
#define PREFIX "youyun attestation, version 1\n"
#define REPORT_MAX_BYTES (UINT32_C(8) << 20)

#define TEXT_KEY "\nPublic key: "
#define TEXT_SIGNATURE "\nSignature: "
#define JSON_KEY ",\n\"public_key\":\""
#define JSON_SIGNATURE "\",\n\"signature\":\""

static bool
public_of(struct attest_key *key)
{
	size_t len = ATTEST_KEY_BYTES;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    key->private_key, ATTEST_KEY_BYTES);
	bool ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey,
	    key->public_key, &len) == 1;

	EVP_PKEY_free(pkey);
	return ok;
}

static enum attest_key_result
make(const char *path, struct attest_key *key)
{
	char text[FILE_BYTES + 1];
	enum attest_key_result result = ATTEST_KEY_IO;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return ATTEST_KEY_IO;
	bytes_random(key->private_key, ATTEST_KEY_BYTES);
	memcpy(text, FILE_WORD, sizeof(FILE_WORD) - 1);
	hex_encode(key->private_key, ATTEST_KEY_BYTES,
	    text + sizeof(FILE_WORD) - 1);
	text[FILE_BYTES - 1] = '\n';
	if (write(fd, text, FILE_BYTES) == (ssize_t)FILE_BYTES &&
	    fsync(fd) == 0)
		result = public_of(key) ? ATTEST_KEY_OK : ATTEST_KEY_BAD;
	bytes_scrub(text, sizeof(text));
	close(fd);
	if (result != ATTEST_KEY_OK)
		(void)unlink(path);
	return result;
}

static enum attest_key_result
read_from(int fd, uid_t owner, struct attest_key *key)
{
	char text[FILE_BYTES + 1];
	enum attest_key_result result = ATTEST_KEY_BAD;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return ATTEST_KEY_IO;
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    (st.st_uid != 0 && st.st_uid != owner))
		return ATTEST_KEY_OPEN_TO_OTHERS;
	n = read(fd, text, sizeof(text));
	if (n == (ssize_t)FILE_BYTES && text[FILE_BYTES - 1] == '\n' &&
	    memcmp(text, FILE_WORD, sizeof(FILE_WORD) - 1) == 0) {
		text[FILE_BYTES - 1] = '\0';
		if (hex_decode(text + sizeof(FILE_WORD) - 1, key->private_key,
		    ATTEST_KEY_BYTES) && public_of(key))
			result = ATTEST_KEY_OK;
	}
	bytes_scrub(text, sizeof(text));
	return result;
}

enum attest_key_result
attest_key_open(const char *path, uid_t owner, struct attest_key *key)
{
	enum attest_key_result result;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? make(path, key) : ATTEST_KEY_IO;
	result = read_from(fd, owner, key);
	close(fd);
	return result;
}

void
attest_key_scrub(struct attest_key *key)
{
	bytes_scrub(key, sizeof(*key));
}

/* What is signed, for one call of Ed25519. */
static bool
message_of(const char *report, size_t len, struct buf *b)
{
	buf_init(b, REPORT_MAX_BYTES + sizeof(PREFIX));
	return buf_append(b, PREFIX, sizeof(PREFIX) - 1) &&
	    buf_append(b, report, len);
}

static bool
sign_bytes(const struct buf *message, const struct attest_key *key,
    uint8_t signature[ATTEST_SIGNATURE_BYTES])
{
	size_t len = ATTEST_SIGNATURE_BYTES;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    key->private_key, ATTEST_KEY_BYTES);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey != NULL && ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestSign(ctx, signature, &len,
	    (const unsigned char *)buf_head(message), message->len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

bool
attest_sign(struct buf *report, const struct attest_key *key, bool json)
{
	uint8_t signature[ATTEST_SIGNATURE_BYTES];
	char key_hex[2 * ATTEST_KEY_BYTES + 1];
	char signature_hex[2 * ATTEST_SIGNATURE_BYTES + 1];
	struct buf message;
	bool ok;

	ok = message_of(buf_head(report), report->len, &message) &&
	    sign_bytes(&message, key, signature);
	buf_free(&message);
	if (!ok)
		return false;
	hex_encode(key->public_key, ATTEST_KEY_BYTES, key_hex);
	hex_encode(signature, ATTEST_SIGNATURE_BYTES, signature_hex);
	return json ? buf_printf(report, JSON_KEY "%s" JSON_SIGNATURE
	    "%s\"}\n", key_hex, signature_hex) :
	    buf_printf(report, TEXT_KEY "%s" TEXT_SIGNATURE "%s\n", key_hex,
	    signature_hex);
}

static bool
is_signed(const struct buf *message, const uint8_t *public_key,
    const uint8_t *signature)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    public_key, ATTEST_KEY_BYTES);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, signature, ATTEST_SIGNATURE_BYTES,
	    (const unsigned char *)buf_head(message), message->len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

/* The end of a report in one of its two shapes, to the last byte; *len_r is
 * what comes before it. */
static bool
parse_end(const char *report, size_t len, bool json, size_t *len_r,
    uint8_t *public_key, uint8_t *signature)
{
	const char *key_mark = json ? JSON_KEY : TEXT_KEY;
	const char *signature_mark = json ? JSON_SIGNATURE : TEXT_SIGNATURE;
	const char *last = json ? "\"}\n" : "\n";
	char key_hex[2 * ATTEST_KEY_BYTES + 1];
	char signature_hex[2 * ATTEST_SIGNATURE_BYTES + 1];
	size_t key_len = strlen(key_mark), mark_len = strlen(signature_mark);
	size_t last_len = strlen(last), end = key_len + sizeof(key_hex) - 1 +
	    mark_len + sizeof(signature_hex) - 1 + last_len;
	const char *p = report + len - end;

	if (len < end || memcmp(p, key_mark, key_len) != 0)
		return false;
	*len_r = len - end;
	p += key_len;
	snprintf(key_hex, sizeof(key_hex), "%s", p);
	p += sizeof(key_hex) - 1;
	if (memcmp(p, signature_mark, mark_len) != 0)
		return false;
	p += mark_len;
	snprintf(signature_hex, sizeof(signature_hex), "%s", p);
	p += sizeof(signature_hex) - 1;
	return memcmp(p, last, last_len) == 0 &&
	    hex_decode(key_hex, public_key, ATTEST_KEY_BYTES) &&
	    hex_decode(signature_hex, signature, ATTEST_SIGNATURE_BYTES);
}

enum attest_verdict
attest_check(const char *report, size_t len,
    uint8_t public_key[ATTEST_KEY_BYTES])
{
	uint8_t signature[ATTEST_SIGNATURE_BYTES];
	struct buf message;
	size_t signed_len;
	bool ok;

	if (len > REPORT_MAX_BYTES || (!parse_end(report, len, false,
	    &signed_len, public_key, signature) && !parse_end(report, len,
	    true, &signed_len, public_key, signature)))
		return ATTEST_NO_REPORT;
	ok = message_of(report, signed_len, &message) &&
	    is_signed(&message, public_key, signature);
	buf_free(&message);
	return ok ? ATTEST_VALID : ATTEST_FORGED;
}
