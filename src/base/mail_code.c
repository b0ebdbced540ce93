#include "base/mail_code.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

void
mail_code_digest(const char *code, uint8_t digest_r[MAIL_CODE_DIGEST_BYTES])
{
	size_t len = 0;

	/* Only memory can be short; a wrong digest must never leave. */
	if (EVP_Q_digest(NULL, "SHA256", NULL, code, strlen(code), digest_r,
	    &len) != 1 || len != MAIL_CODE_DIGEST_BYTES)
		abort();
}
