/*
 * A scripted upstream provider: a real process that speaks HTTP/1.1 over TLS,
 * answers OpenAI chat completions and Anthropic messages, and misbehaves as
 * the model's name asks (scenario.h).  One thread a connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/peer/answer.h"
#include "tests/peer/kinds.h"
#include "tests/peer/speak.h"
#include "tests/peer/tally.h"

#define THREAD_STACK_BYTES (128 * 1024)

struct options {
	int port;
	bool plain;
	bool log_bodies;
	bool with_parent;
	const char *cert;
	const char *key;
	const char *log;
	const char *require_key;
};

struct guest {
	int fd;
	SSL_CTX *ctx;
};

static const char *require_key;

static enum peer_after
answer_stats(struct peer_answer *answer)
{
	struct peer_buf body = { 0 };
	enum peer_after after;

	peer_tally_stats(&body);
	after = peer_answer_whole(answer, 200, "application/json", &body);
	peer_buf_reset(&body);
	return after;
}

static enum peer_after
answer_error(struct peer_answer *answer, int status)
{
	struct peer_buf body = { 0 };
	enum peer_after after;

	if (answer->request->protocol == PEER_ANTHROPIC)
		peer_voice_anthropic.error(status, &body);
	else
		peer_voice_openai.error(status, &body);
	after = peer_answer_whole(answer, status, "application/json", &body);
	peer_buf_reset(&body);
	return after;
}

static bool
is_path(const struct peer_request *request, const char *path)
{
	size_t len = strlen(path);

	return strncmp(request->target, path, len) == 0 &&
	    (request->target[len] == '\0' || request->target[len] == '?');
}

/* The operator's credential, in the place where each protocol has it. */
static bool
is_authorized(const struct peer_request *request)
{
	const char *bearer = peer_request_header(request, "Authorization");
	const char *plain = peer_request_header(request, "x-api-key");

	if (require_key == NULL)
		return true;
	if (bearer != NULL && strncmp(bearer, "Bearer ", 7) == 0 &&
	    strcmp(bearer + 7, require_key) == 0)
		return true;
	if (plain == NULL)
		plain = peer_request_header(request, "x-goog-api-key");
	return plain != NULL && strcmp(plain, require_key) == 0;
}

static enum peer_after
answer_request(struct peer_answer *answer, struct peer_scenario *scenario)
{
	const struct peer_request *request = answer->request;
	bool is_post = strcmp(request->method, "POST") == 0;
	enum peer_after after;

	if (is_path(request, "/__stats"))
		return answer_stats(answer);
	if (!is_authorized(request))
		return answer_error(answer, 401);
	if (!is_post && is_path(request, "/v1/models"))
		return peer_speak_models(answer);
	if (peer_scenario_find(request->model, scenario) &&
	    scenario->status == 0 && peer_speak_kind(answer, &after))
		return after;
	if (request->model[0] == '\0' && peer_speak_kind(answer, &after))
		return after;
	if (scenario->status != 0)
		return answer_error(answer, scenario->status);
	if (!is_path(request, "/v1/chat/completions") &&
	    !is_path(request, "/v1/messages") &&
	    !is_path(request, "/v1/moderations"))
		return answer_error(answer, 404);
	if (!is_post)
		return answer_error(answer, 405);
	if (!peer_scenario_find(request->model, scenario))
		return answer_error(answer, 404);
	answer->conn->one_byte = scenario->one_byte;
	return peer_speak(answer);
}

static enum peer_after
serve_one(struct peer_conn *conn, const struct peer_request *request)
{
	struct peer_scenario scenario = { 0 };
	struct peer_answer answer = {
		.conn = conn,
		.request = request,
		.scenario = &scenario,
	};
	enum peer_after after;

	answer.serial = atomic_fetch_add(&peer_tally.requests, 1) + 1;
	peer_tally_log(request, answer.serial);
	after = answer_request(&answer, &scenario);
	conn->one_byte = false;
	atomic_fetch_add(conn->broken ? &peer_tally.left :
	    &peer_tally.answered, 1);
	return after;
}

static enum peer_after
serve(struct peer_conn *conn)
{
	struct peer_request request;
	enum peer_after after;

	do {
		switch (peer_request_read(&request, conn)) {
		case PEER_REQUEST_OK:
			after = serve_one(conn, &request);
			break;
		case PEER_REQUEST_BAD:
			atomic_fetch_add(&peer_tally.bad_requests, 1);
			after = PEER_AFTER_CLOSE;
			break;
		case PEER_REQUEST_END:
			after = PEER_AFTER_CLOSE;
			break;
		}
		peer_request_free(&request);
	} while (after == PEER_AFTER_KEEP);
	return after;
}

static void *
guest_thread(void *arg)
{
	struct guest guest = *(struct guest *)arg;
	struct peer_conn *conn;

	free(arg);
	atomic_fetch_add(&peer_tally.connections, 1);
	conn = peer_conn_open(guest.fd, guest.ctx);
	if (conn == NULL) {
		atomic_fetch_add(&peer_tally.handshakes_failed, 1);
		return NULL;
	}
	if (peer_conn_resumed(conn))
		atomic_fetch_add(&peer_tally.resumed, 1);
	atomic_fetch_add(&peer_tally.open, 1);
	switch (serve(conn)) {
	case PEER_AFTER_KEEP:
	case PEER_AFTER_CLOSE:
		peer_conn_close(conn);
		break;
	case PEER_AFTER_TRUNCATE:
		peer_conn_truncate(conn);
		break;
	case PEER_AFTER_ABORT:
		peer_conn_abort(conn);
		break;
	}
	atomic_fetch_sub(&peer_tally.open, 1);
	return NULL;
}

static SSL_CTX *
make_tls(const struct options *options)
{
	static const unsigned char id[] = "peer";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	if (SSL_CTX_use_certificate_chain_file(ctx, options->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, options->key,
	    SSL_FILETYPE_PEM) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* Listens on 127.0.0.1 and prints where. */
static int
make_listener(int port)
{
	struct sockaddr_in where = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(where);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&where, len) == -1 ||
	    listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)&where, &len) == -1) {
		close(fd);
		return -1;
	}
	printf("listening 127.0.0.1:%d\n", ntohs(where.sin_port));
	fflush(stdout);
	return fd;
}

static void
accept_forever(int listener, SSL_CTX *ctx)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	for (;;) {
		struct guest *guest;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd == -1)
			continue;
		guest = malloc(sizeof(*guest));
		if (guest == NULL)
			abort();
		guest->fd = fd;
		guest->ctx = ctx;
		if (pthread_create(&thread, &attr, guest_thread, guest) != 0) {
			close(fd);
			free(guest);
		}
	}
}

static void
print_scenario(const char *name, void *arg)
{
	(void)arg;
	puts(name);
}

static int
usage(FILE *out, int status)
{
	fputs("usage: upstream --cert FILE --key FILE [options]\n"
	    "  --port N         listen on 127.0.0.1:N (0, the default: any)\n"
	    "  --plain          no TLS; --cert and --key are not needed\n"
	    "  --require-key K  answer 401 to any other credential\n"
	    "  --log FILE       a JSON line for each request\n"
	    "  --log-bodies     with the body in base64 (test data only)\n"
	    "  --with-parent    end when the process that started it ends\n"
	    "  --list           print the models it plays, and end\n", out);
	return status;
}

enum {
	OPTION_PORT = 256, OPTION_PLAIN, OPTION_CERT, OPTION_KEY, OPTION_LOG,
	OPTION_LOG_BODIES, OPTION_WITH_PARENT, OPTION_REQUIRE_KEY, OPTION_LIST,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "port", required_argument, NULL, OPTION_PORT },
	{ "plain", no_argument, NULL, OPTION_PLAIN },
	{ "cert", required_argument, NULL, OPTION_CERT },
	{ "key", required_argument, NULL, OPTION_KEY },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "log-bodies", no_argument, NULL, OPTION_LOG_BODIES },
	{ "with-parent", no_argument, NULL, OPTION_WITH_PARENT },
	{ "require-key", required_argument, NULL, OPTION_REQUIRE_KEY },
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static void
read_options(int argc, char **argv, struct options *options)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case OPTION_PORT:
			options->port = atoi(optarg);
			break;
		case OPTION_PLAIN:
			options->plain = true;
			break;
		case OPTION_CERT:
			options->cert = optarg;
			break;
		case OPTION_KEY:
			options->key = optarg;
			break;
		case OPTION_LOG:
			options->log = optarg;
			break;
		case OPTION_LOG_BODIES:
			options->log_bodies = true;
			break;
		case OPTION_WITH_PARENT:
			options->with_parent = true;
			break;
		case OPTION_REQUIRE_KEY:
			options->require_key = optarg;
			break;
		case OPTION_LIST:
			peer_scenario_list(print_scenario, NULL);
			exit(0);
		case OPTION_HELP:
			exit(usage(stdout, 0));
		default:
			exit(usage(stderr, 2));
		}
	}
	if (!options->plain && (options->cert == NULL || options->key == NULL))
		exit(usage(stderr, 2));
}

int
main(int argc, char **argv)
{
	struct options options = { 0 };
	SSL_CTX *ctx = NULL;
	int listener;

	read_options(argc, argv, &options);
	signal(SIGPIPE, SIG_IGN);
	if (options.with_parent)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	require_key = options.require_key;
	if (options.log != NULL &&
	    !peer_tally_log_open(options.log, options.log_bodies)) {
		fprintf(stderr, "upstream: could not open log file \"%s\": "
		    "%s\n", options.log, strerror(errno));
		return 1;
	}
	if (!options.plain && (ctx = make_tls(&options)) == NULL) {
		fprintf(stderr, "upstream: could not use certificate \"%s\" "
		    "with key \"%s\"\n", options.cert, options.key);
		return 1;
	}
	listener = make_listener(options.port);
	if (listener == -1) {
		fprintf(stderr, "upstream: could not listen on port %d: %s\n",
		    options.port, strerror(errno));
		return 1;
	}
	accept_forever(listener, ctx);
	return 0;
}
