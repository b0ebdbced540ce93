#include "admin/attest_calls.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/attest_fixture.h"
#include "admin/attest_upstream.h"
#include "base/bytes.h"
#include "conf/settings.h"

#define CALL_MS 8000
#define READY_MS 15000
#define POLL_NS 50000000
#define BODY_MAX_BYTES (UINT32_C(1) << 20)
#define PROMPT_BYTES 2000
#define LARGE_BYTES 200000

static_assert(sizeof(((struct attest_client *)0)->why) ==
    sizeof(((struct attest_path_result *)0)->why), "copied as a whole");

/* How each path looks from the client. */
struct way {
	enum canary_path path;
	bool streamed, translated;
	int status;		/* 0: any error of the gateway's */
	const char *wanted;	/* read until this has come; NULL: the end */
};

static const struct way ways[CANARY_PATHS] = {
	{ PATH_ANSWERED, false, false, 200, NULL },
	{ PATH_STREAMED, true, false, 200, NULL },
	{ PATH_LARGE, false, false, 200, NULL },
	{ PATH_TRANSLATED, false, true, 200, NULL },
	{ PATH_TRANSLATED_STREAMED, true, true, 200, NULL },
	{ PATH_REFUSED, false, false, 400, NULL },
	{ PATH_UNKNOWN_MODEL, false, false, 404, NULL },
	{ PATH_UPSTREAM_4XX, false, false, 400, NULL },
	{ PATH_DISCONNECT, true, false, 200, "data:" },
	{ PATH_UPSTREAM_5XX, false, false, 0, NULL },
	{ PATH_TIMEOUT, false, false, 0, NULL },
	{ PATH_STALLED, true, false, 200, "event: error" },
	{ PATH_BROKEN, true, false, 200, "event: error" },
	{ PATH_KILLED, true, false, 200, "data:" }
};

static const char *
model_of(const struct way *w, const char *canary)
{
	return w->path == PATH_UNKNOWN_MODEL ? canary :
	    w->translated ? FIXTURE_MODEL_TRANSLATED : FIXTURE_MODEL;
}

static bool
put_body(struct buf *b, const struct way *w, const char *canary)
{
	if (!buf_printf(b, "{\"model\":\"%s\",\"max_tokens\":64,%s"
	    "\"messages\":[{\"role\":\"user\",\"content\":\"",
	    model_of(w, canary), w->streamed ? "\"stream\":true," : "") ||
	    !canary_text(b, canary,
	    w->path == PATH_LARGE ? LARGE_BYTES : PROMPT_BYTES))
		return false;
	/* What is no JSON is refused. */
	return w->path == PATH_REFUSED ? buf_printf(b, "\"") :
	    buf_printf(b, "\"}]}");
}

static bool
put_head(struct buf *b, const struct attest_calls *calls, const struct way *w,
    size_t body_bytes)
{
	const char *canary = calls->canaries->text[canary_of(w->path,
	    PLACE_HEADER)];

	return buf_printf(b, "POST /v1/chat/completions HTTP/1.1\r\n"
	    "Host: localhost\r\nAuthorization: Bearer %s\r\n"
	    "Content-Type: application/json\r\nUser-Agent: youyunctl\r\n"
	    "X-Attest: %s\r\nCookie: attest=%s\r\nContent-Length: %zu\r\n"
	    "\r\n", calls->key, canary, canary, body_bytes);
}

/* The body in two pieces, the first of which ends within a canary. */
static bool
send_request(struct attest_calls *calls, const struct way *w,
    struct attest_client *client)
{
	const char *canary = calls->canaries->text[canary_of(w->path,
	    PLACE_PROMPT)];
	const struct timespec pause = { 0, POLL_NS / 5 };
	struct buf head, body;
	const char *p;
	size_t first;
	bool ok;

	buf_init(&head, 4096);
	buf_init(&body, BODY_MAX_BYTES);
	ok = put_body(&body, w, canary) &&
	    put_head(&head, calls, w, body.len);
	if (ok) {
		p = memmem(buf_head(&body), body.len, canary, CANARY_BYTES);
		first = p == NULL ? body.len / 2 :
		    (size_t)(p - buf_head(&body)) + CANARY_BYTES / 2;
		ok = attest_client_send(client, buf_head(&head), head.len) &&
		    attest_client_send(client, buf_head(&body), first);
		nanosleep(&pause, NULL);
		ok = ok && attest_client_send(client, buf_head(&body) + first,
		    body.len - first);
	}
	buf_free(&head);
	buf_free(&body);
	return ok;
}

static bool
check(const struct way *w, struct attest_client *client,
    struct attest_path_result *r)
{
	if (client->answer.len > 12 && sscanf(buf_head(&client->answer),
	    "HTTP/1.%*1[01] %3d", &r->status) != 1)
		r->status = 0;
	if (w->status != 0 ? r->status == w->status : r->status >= 400)
		return true;
	snprintf(r->why, sizeof(r->why), "the gateway answered with %d",
	    r->status);
	return false;
}

/* The worker that has the client's connection; what it leaves behind is none
 * of its own doing. */
static bool
kill_worker(struct attest_calls *calls, struct attest_client *client,
    struct attest_path_result *r)
{
	struct processes *ps = malloc(sizeof(*ps));
	int own, peer;
	pid_t pid = 0;

	if (ps != NULL && processes_find(calls->master, ps) &&
	    attest_client_ports(client, &own, &peer))
		pid = process_of_connection(ps, peer, own);
	free(ps);
	/* With a signal that would leave a core, if there could be one. */
	if (pid > 0 && kill(pid, SIGABRT) == 0)
		return true;
	snprintf(r->why, sizeof(r->why), "the worker can't be told");
	return false;
}

static bool
run_way(struct attest_calls *calls, const struct way *w)
{
	struct attest_client *client = &calls->client[w->path];
	struct attest_path_result *r = &calls->result[w->path];
	const struct timespec pause = { 0, POLL_NS };
	bool ok;

	ok = attest_client_open(client, calls->admin->settings, CALL_MS) &&
	    send_request(calls, w, client);
	if (ok && w->path == PATH_TIMEOUT) {
		nanosleep(&pause, NULL);
		calls->in_call(calls->arg, w->path);
	}
	ok = ok && attest_client_read(client, w->wanted);
	if (!ok)
		memcpy(r->why, client->why, sizeof(r->why));
	ok = ok && check(w, client, r);
	if (ok && w->path == PATH_KILLED)
		ok = kill_worker(calls, client, r);
	if (w->path == PATH_DISCONNECT || w->path == PATH_KILLED)
		attest_client_close(client);
	r->done = ok;
	return ok;
}

/* Whether the models are served to the key by now. */
static bool
is_ready(struct attest_calls *calls)
{
	struct attest_client client;
	struct buf request;
	bool ok;

	buf_init(&request, 4096);
	ok = buf_printf(&request, "GET /v1/models HTTP/1.1\r\nHost: localhost"
	    "\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n",
	    calls->key);
	ok = attest_client_open(&client, calls->admin->settings, CALL_MS) &&
	    ok && attest_client_send(&client, buf_head(&request),
	    request.len) && attest_client_read(&client, NULL) &&
	    client.status == 200 &&
	    memmem(buf_head(&client.answer), client.answer.len,
	    FIXTURE_MODEL "\"", strlen(FIXTURE_MODEL) + 1) != NULL &&
	    memmem(buf_head(&client.answer), client.answer.len,
	    FIXTURE_MODEL_TRANSLATED, strlen(FIXTURE_MODEL_TRANSLATED)) !=
	    NULL;
	attest_client_close(&client);
	buf_free(&request);
	return ok;
}

static bool
wait_ready(struct attest_calls *calls)
{
	const struct timespec pause = { 0, POLL_NS };
	struct mono_time until = mono_add_ms(clock_mono(), READY_MS);

	while (!is_ready(calls)) {
		if (calls->stopped() ||
		    mono_diff_ms(until, clock_mono()) < 0)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

bool
attest_calls(struct attest_calls *calls)
{
	bool ok = true;

	for (int i = 0; i < CANARY_PATHS; i++)
		calls->client[i].fd = -1;
	if (!wait_ready(calls)) {
		if (!calls->stopped())
			complain("attest's key is not served within %d "
			    "seconds", READY_MS / 1000);
		return false;
	}
	for (size_t i = 0; i < CANARY_PATHS && !calls->stopped(); i++) {
		const struct way *w = &ways[i];

		if (w->path == PATH_KILLED && !calls->kill_worker)
			continue;
		/* Failures in a row must not have closed the channel. */
		if (w->path == PATH_KILLED &&
		    fixture_reset(calls->admin, calls->fixture) != ADMIN_OK)
			return false;
		ok = run_way(calls, w) && ok;
		calls->recorded++;
	}
	return ok && !calls->stopped();
}

void
attest_calls_end(struct attest_calls *calls)
{
	for (int i = 0; i < CANARY_PATHS; i++)
		attest_client_close(&calls->client[i]);
}
