#include "upstream_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "upstream/request_head.h"
#include "upstream/trust.h"

#define PATIENCE_MS 20000

struct catalogue_address
address_v4(int a, int b, int c, int d)
{
	return (struct catalogue_address){ .ip = { [10] = 0xff, [11] = 0xff,
	    (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d } };
}

static void
prepare_tls(struct fixture *f)
{
	EVP_PKEY *key;
	X509 *cert;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	authority_issue(&f->ca, "DNS:" UPSTREAM_HOST ",IP:127.0.0.1", &key,
	    &cert);
	ck_assert_int_eq(SSL_CTX_use_certificate(ctx, cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
	EVP_PKEY_free(key);
	X509_free(cert);
	f->server.ctx = ctx;
	f->config.ca = f->ca.pem;
	f->config.ca_bytes = f->ca.pem_bytes;
}

void
fixture_init(struct fixture *f, bool tls, void (*serve)(struct peer *))
{
	memset(f, 0, sizeof(*f));
	f->server.serve = serve;
	f->address[0] = address_v4(127, 0, 0, 1);
	f->config = (struct upstream_config){
		.host = UPSTREAM_HOST, .tls = tls, .base_path = "",
		.address = f->address, .addresses = 1,
		.timeouts = { .connect_ms = 10000, .first_byte_ms = 10000,
		    .idle_ms = 10000, .total_ms = 15000 },
		.idle_max = 4, .idle_keep_ms = 10000,
	};
	authority_make(&f->ca, "test authority");
	if (tls)
		prepare_tls(f);
}

void
fixture_open(struct fixture *f)
{
	server_start(&f->server);
	f->config.port = f->server.port;
	f->loop = loop_open();
	f->client = upstream_client_open(f->loop, NULL);
	ck_assert_ptr_nonnull(f->client);
	f->stats = upstream_client_stats(f->client);
	ck_assert_int_eq(upstream_open(f->client, &f->config, &f->upstream),
	    UPSTREAM_OPEN_OK);
}

void
fixture_close(struct fixture *f)
{
	upstream_retire(&f->upstream);
	ck_assert_uint_eq(f->stats->active, 0);
	ck_assert_uint_eq(f->stats->idle, 0);
	upstream_client_close(&f->client);
	ck_assert_ptr_null(f->client);
	loop_close(&f->loop);
	server_stop(&f->server);
	SSL_CTX_free(f->server.ctx);
	authority_free(&f->ca);
}

static void
on_sent(void *arg)
{
	struct call *c = arg;

	c->sents++;
	if (c->cancel_at == CANCEL_ON_SENT)
		exchange_cancel(&c->x);
}

static void
on_head(void *arg, int status, const struct response_head *head)
{
	struct call *c = arg;

	ck_assert_int_eq(head->status, status);
	c->heads++;
	c->status = status;
	c->retried = exchange_retried(c->x);
	if (c->cancel_at == CANCEL_ON_HEAD)
		exchange_cancel(&c->x);
}

static size_t
on_body(void *arg, const char *p, size_t len)
{
	struct call *c = arg;

	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(c->heads, 1);
	c->bodies++;
	c->offered_bytes = len;
	if (c->take_max > 0 && len > c->take_max)
		len = c->take_max;
	if (!c->discard)
		ck_assert(buf_append(&c->answer, p, len));
	if (c->cancel_at == CANCEL_ON_BODY)
		exchange_cancel(&c->x);
	return len;
}

static void
on_end(void *arg)
{
	struct call *c = arg;

	c->ends++;
	if (c->cancel_at == CANCEL_ON_END)
		exchange_cancel(&c->x);
	c->x = NULL;
}

static void
on_fail(void *arg, enum upstream_failure failure)
{
	struct call *c = arg;

	c->fails++;
	c->failure = failure;
	c->retried = exchange_retried(c->x);
	c->x = NULL;
}

static void
on_room(void *arg)
{
	struct call *c = arg;

	ck_assert_uint_ge(exchange_room(c->x), EXCHANGE_WINDOW_BYTES / 2);
	c->rooms++;
}

static const struct exchange_handlers handlers = {
	.on_room = on_room,
	.on_sent = on_sent, .on_head = on_head, .on_body = on_body,
	.on_end = on_end, .on_fail = on_fail,
};

void
call_start(struct fixture *f, struct call *c)
{
	const char *method = c->method != NULL ? c->method : "POST";
	const char *target = c->target != NULL ? c->target : "/call";
	struct exchange_request request = { .spans = c->spans,
	    .is_head = strcmp(method, "HEAD") == 0,
	    .open = c->more_bytes > 0 };
	uint64_t bytes = c->more_bytes;

	for (size_t i = 0; i < c->spans; i++) {
		request.body[i] = c->body[i];
		bytes += c->body[i].len;
	}
	c->fixture = f;
	buf_init(&c->head, 65536);
	buf_init(&c->answer, 64 << 20);
	ck_assert(request_head_render(&c->head, f->upstream, method,
	    (struct span){ target, strlen(target) }, NULL, 0, bytes));
	request.head = (struct span){ buf_head(&c->head), c->head.len };
	c->x = exchange_start(f->upstream, &request, &handlers, c);
	ck_assert_ptr_nonnull(c->x);
	/* No handler may have been called. */
	ck_assert_int_eq(c->sents + c->heads + c->ends + c->fails, 0);
}

void
call_finish(struct call *c)
{
	struct mono_time end = mono_add_ms(clock_mono(), PATIENCE_MS);

	while (c->ends + c->fails == 0) {
		loop_turn(c->fixture->loop, 100);
		if (c->take_max > 0 && c->x != NULL)
			exchange_resume(c->x);
		ck_assert_msg(clock_mono().ns < end.ns, "call never ended");
	}
	ck_assert_int_eq(c->ends + c->fails, 1);
}

void
call_free(struct call *c)
{
	buf_free(&c->head);
	buf_free(&c->answer);
}

void
call_expect(struct fixture *f, int status, const char *answer)
{
	struct call c = { 0 };

	call_start(f, &c);
	call_finish(&c);
	ck_assert_msg(c.fails == 0, "failed: %s",
	    upstream_failure_name(c.failure));
	ck_assert_int_eq(c.status, status);
	ck_assert_int_eq(c.sents, 1);
	ck_assert_uint_eq(c.answer.len, strlen(answer));
	if (c.answer.len > 0)
		ck_assert_mem_eq(buf_head(&c.answer), answer, c.answer.len);
	call_free(&c);
}

void
call_expect_failure(struct fixture *f, enum upstream_failure failure)
{
	struct call c = { 0 };

	call_start(f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.fails, 1);
	ck_assert_str_eq(upstream_failure_name(c.failure),
	    upstream_failure_name(failure));
	call_free(&c);
}

void
turn_for(struct fixture *f, int ms)
{
	struct mono_time end = mono_add_ms(clock_mono(), ms);

	while (clock_mono().ns < end.ns)
		loop_turn(f->loop, 5);
}

void
turn_until_told(struct fixture *f)
{
	struct mono_time end = mono_add_ms(clock_mono(), PATIENCE_MS);

	while (sem_trywait(&f->server.news) != 0) {
		loop_turn(f->loop, 5);
		ck_assert_msg(clock_mono().ns < end.ns, "server never told");
	}
}
