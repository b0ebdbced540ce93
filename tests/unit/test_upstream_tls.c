/* Verification, sessions, and the trust that is loaded at the start. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "upstream/trust.h"
#include "upstream_fixture.h"

#define CLOSE_2 "HTTP/1.1 200 OK\r\nConnection: close\r\n" \
	"Content-Length: 2\r\n\r\nok"

static struct fixture f;

static void
serve_close(struct peer *p)
{
	if (peer_request(p))
		peer_say(p, CLOSE_2);
	peer_request(p);
}

/* TLS 1.2 (0) and 1.3 (1). */
START_TEST(test_tls_resumes_sessions)
{
	fixture_init(&f, true, serve_close);
	SSL_CTX_set_max_proto_version(f.server.ctx,
	    _i ? TLS1_3_VERSION : TLS1_2_VERSION);
	fixture_open(&f);
	for (int i = 0; i < 12; i++)
		call_expect(&f, 200, "ok");
	ck_assert_uint_eq(f.stats->handshakes, 12);
	ck_assert_uint_eq(f.stats->resumed, 11);
	fixture_close(&f);
}
END_TEST

static void
serve_keep(struct peer *p)
{
	while (peer_request(p))
		peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

START_TEST(test_tls_keeps_the_session_of_an_idle_connection_that_went)
{
	fixture_init(&f, true, serve_keep);
	SSL_CTX_set_num_tickets(f.server.ctx, 1);
	f.config.idle_keep_ms = 20;
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	turn_for(&f, 60);
	ck_assert_uint_eq(f.stats->idle, 0);
	call_expect(&f, 200, "ok");
	ck_assert_uint_eq(f.stats->handshakes, 2);
	ck_assert_uint_eq(f.stats->resumed, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(test_tls_verifies_addresses_too)
{
	static const char *const good[] = { "127.0.0.1", "UPSTREAM.test" };
	static const char *const bad[] = { "127.0.0.2", "[::1]",
	    "other.test", "a.upstream.test", "test" };

	for (size_t i = 0; i < 7; i++) {
		fixture_init(&f, true, serve_close);
		f.config.host = i < 2 ? good[i] : bad[i - 2];
		fixture_open(&f);
		if (i < 2)
			call_expect(&f, 200, "ok");
		else
			call_expect_failure(&f, UPSTREAM_TLS_VERIFY);
		ck_assert_int_eq(atomic_load(&f.server.requests), i < 2);
		fixture_close(&f);
	}
}
END_TEST

/* Another authority of the same name (0), the system's (1), none (2). */
START_TEST(test_tls_refuses_an_unknown_authority)
{
	struct upstream_trust *trust = upstream_trust_load();
	struct upstream_client *client;
	struct authority other;
	struct upstream *up;

	authority_make(&other, "test authority");
	fixture_init(&f, true, serve_close);
	fixture_open(&f);
	f.config.ca = _i == 0 ? other.pem : NULL;
	f.config.ca_bytes = _i == 0 ? other.pem_bytes : 0;
	client = upstream_client_open(f.loop, _i == 1 ? trust : NULL);
	ck_assert_int_eq(upstream_open(client, &f.config, &up),
	    UPSTREAM_OPEN_OK);
	upstream_retire(&f.upstream);
	f.upstream = up;
	call_expect_failure(&f, UPSTREAM_TLS_VERIFY);
	ck_assert_int_eq(atomic_load(&f.server.requests), 0);
	upstream_retire(&f.upstream);
	upstream_client_close(&client);
	upstream_trust_free(&trust);
	ck_assert_ptr_null(trust);
	authority_free(&other);
	fixture_close(&f);
}
END_TEST

START_TEST(test_tls_refuses_old_versions)
{
	fixture_init(&f, true, serve_close);
	SSL_CTX_set_min_proto_version(f.server.ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(f.server.ctx, TLS1_1_VERSION);
	SSL_CTX_set_security_level(f.server.ctx, 0);
	fixture_open(&f);
	call_expect_failure(&f, UPSTREAM_TLS);
	fixture_close(&f);
}
END_TEST

static void
serve_greeting(struct peer *p)
{
	peer_say(p, "220 not what you think\r\n");
	peer_wait(p);
}

START_TEST(test_tls_fails_against_a_plain_server)
{
	SSL_CTX *ctx;

	fixture_init(&f, true, serve_greeting);
	ctx = f.server.ctx;
	f.server.ctx = NULL;
	fixture_open(&f);
	call_expect_failure(&f, UPSTREAM_TLS);
	fixture_close(&f);
	SSL_CTX_free(ctx);
}
END_TEST

/* In memory when it is loaded: the file may be gone afterwards. */
START_TEST(test_trust_is_read_once_from_the_file_that_the_variable_names)
{
	char path[] = "/tmp/test_upstream_trust.XXXXXX";
	struct upstream_client *client;
	struct upstream_trust *trust;
	struct upstream *up;
	FILE *file;

	fixture_init(&f, true, serve_close);
	fixture_open(&f);
	file = fdopen(mkstemp(path), "w");
	ck_assert_ptr_nonnull(file);
	fputs(f.ca.pem, file);
	fclose(file);
	setenv("SSL_CERT_FILE", path, 1);
	trust = upstream_trust_load();
	unlink(path);
	ck_assert_uint_eq(upstream_trust_count(trust), 1);
	f.config.ca = NULL;
	f.config.ca_bytes = 0;
	client = upstream_client_open(f.loop, trust);
	ck_assert_int_eq(upstream_open(client, &f.config, &up),
	    UPSTREAM_OPEN_OK);
	upstream_retire(&f.upstream);
	f.upstream = up;
	call_expect(&f, 200, "ok");
	upstream_retire(&f.upstream);
	upstream_client_close(&client);
	upstream_trust_free(&trust);
	fixture_close(&f);
}
END_TEST

START_TEST(test_trust_parse_wants_whole_certificates)
{
	struct authority ca, other;
	char both[8192];
	X509_STORE *store;

	authority_make(&ca, "one");
	authority_make(&other, "two");
	ck_assert_ptr_null(upstream_trust_parse("", 0));
	ck_assert_ptr_null(upstream_trust_parse("nothing", 7));
	ck_assert_ptr_null(upstream_trust_parse(ca.pem, ca.pem_bytes / 2));
	store = upstream_trust_parse(ca.pem, ca.pem_bytes);
	ck_assert_ptr_nonnull(store);
	X509_STORE_free(store);
	snprintf(both, sizeof(both), "# a comment\n%s\n%s", ca.pem, other.pem);
	store = upstream_trust_parse(both, strlen(both));
	ck_assert_ptr_nonnull(store);
	ck_assert_int_eq(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)),
	    2);
	X509_STORE_free(store);
	/* The second one broken: refused, not half taken. */
	memcpy(strstr(both, other.pem) + 100, "!!!!", 4);
	ck_assert_ptr_null(upstream_trust_parse(both, strlen(both)));
	authority_free(&ca);
	authority_free(&other);
}
END_TEST

START_TEST(test_upstream_open_refuses_a_bad_ca)
{
	struct upstream *up;

	fixture_init(&f, true, serve_close);
	fixture_open(&f);
	f.config.ca = "-----BEGIN CERTIFICATE-----\nAAAA\n";
	f.config.ca_bytes = strlen(f.config.ca);
	ck_assert_int_eq(upstream_open(f.client, &f.config, &up),
	    UPSTREAM_OPEN_BAD_CA);
	ck_assert_ptr_null(up);
	fixture_close(&f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("upstream tls");
	TCase *tc = tcase_create("tls");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_tls_resumes_sessions, 0, 2);
	tcase_add_test(tc,
	    test_tls_keeps_the_session_of_an_idle_connection_that_went);
	tcase_add_test(tc, test_tls_verifies_addresses_too);
	tcase_add_loop_test(tc, test_tls_refuses_an_unknown_authority, 0, 3);
	tcase_add_test(tc, test_tls_refuses_old_versions);
	tcase_add_test(tc, test_tls_fails_against_a_plain_server);
	tcase_add_test(tc,
	    test_trust_is_read_once_from_the_file_that_the_variable_names);
	tcase_add_test(tc, test_trust_parse_wants_whole_certificates);
	tcase_add_test(tc, test_upstream_open_refuses_a_bad_ca);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(suite());
}
