#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/peer/tally.h"

struct peer_tally peer_tally;

static FILE *log_file;
static bool log_bodies;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

bool
peer_tally_log_open(const char *path, bool with_bodies)
{
	log_bodies = with_bodies;
	log_file = fopen(path, "ae");
	return log_file != NULL;
}

static void
put_sha256(struct peer_buf *out, const struct peer_buf *body)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (EVP_Digest(body->data, body->len, digest, &len, EVP_sha256(),
	    NULL) != 1)
		abort();
	for (unsigned int i = 0; i < len; i++)
		peer_buf_printf(out, "%02x", digest[i]);
}

static void
put_base64(struct peer_buf *out, const struct peer_buf *body)
{
	unsigned char *text = malloc(body->len / 3 * 4 + 8);

	if (text == NULL)
		abort();
	EVP_EncodeBlock(text, (unsigned char *)body->data, (int)body->len);
	peer_buf_text(out, (char *)text);
	free(text);
}

void
peer_tally_describe(struct peer_buf *out, const struct peer_request *request,
    bool with_body)
{
	peer_buf_printf(out, "{\"method\":\"%s\",\"target\":\"",
	    request->method);
	peer_buf_json(out, request->target, strlen(request->target));
	peer_buf_text(out, "\",\"headers\":[");
	for (unsigned i = 0; i < request->headers; i++) {
		const struct peer_header *header = &request->header[i];

		peer_buf_text(out, i > 0 ? ",[\"" : "[\"");
		peer_buf_json(out, header->name, strlen(header->name));
		peer_buf_text(out, "\",\"");
		peer_buf_json(out, header->value, strlen(header->value));
		peer_buf_text(out, "\"]");
	}
	peer_buf_printf(out, "],\"bytes\":%zu,\"sha256\":\"",
	    request->body.len);
	put_sha256(out, &request->body);
	if (with_body && request->body.len > 0) {
		peer_buf_text(out, "\",\"body\":\"");
		put_base64(out, &request->body);
	}
	peer_buf_text(out, "\"}");
}

void
peer_tally_log(const struct peer_request *request, unsigned long serial)
{
	struct peer_buf line = { 0 };

	if (log_file == NULL)
		return;
	peer_buf_printf(&line, "{\"serial\":%lu,\"request\":", serial);
	peer_tally_describe(&line, request, log_bodies);
	peer_buf_text(&line, "}\n");
	pthread_mutex_lock(&log_lock);
	fwrite(line.data, 1, line.len, log_file);
	fflush(log_file);
	pthread_mutex_unlock(&log_lock);
	peer_buf_reset(&line);
}

void
peer_tally_stats(struct peer_buf *out)
{
	peer_buf_printf(out, "{\"connections\":%lu,\"open\":%lu,"
	    "\"handshakes_failed\":%lu,\"resumed\":%lu,\"requests\":%lu,"
	    "\"bad_requests\":%lu,\"events\":%lu,\"answered\":%lu,"
	    "\"left\":%lu}",
	    peer_tally.connections, peer_tally.open,
	    peer_tally.handshakes_failed, peer_tally.resumed,
	    peer_tally.requests, peer_tally.bad_requests, peer_tally.events,
	    peer_tally.answered, peer_tally.left);
}
