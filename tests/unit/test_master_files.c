/* What the master reads and opens before it forks: PEM files, sockets, log. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "conf/address.h"
#include "conf/settings.h"
#include "master/logfile.h"
#include "master/pem.h"
#include "master/sockets.h"
#include "tests/unit/run.h"

static char dir[] = "/tmp/youyun-master-XXXXXX";
static struct settings settings;
static struct conf_report report;
static char text[65536];

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	conf_report_init(&report);
	memset(&settings, 0, sizeof(settings));
	snprintf(settings.tls_certificate, sizeof(settings.tls_certificate),
	    "%s/crt", dir);
	snprintf(settings.tls_key, sizeof(settings.tls_key), "%s/key", dir);
	snprintf(settings.log_file, sizeof(settings.log_file), "%s/log", dir);
}

static void
tear_down(void)
{
	char old[sizeof(settings.log_file) + 8];

	snprintf(old, sizeof(old), "%s.1", settings.log_file);
	unlink(settings.tls_certificate);
	unlink(settings.tls_key);
	unlink(settings.log_file);
	unlink(old);
	rmdir(dir);
	conf_report_free(&report);
}

static bool
said(const char *what)
{
	snprintf(text, sizeof(text), "%.*s", (int)report.text.len,
	    report.text.len > 0 ? buf_head(&report.text) : "");
	return strstr(text, what) != NULL;
}

static EVP_PKEY *
write_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fopen(settings.tls_key, "w");

	ck_assert(key != NULL && f != NULL);
	ck_assert_int_eq(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL,
	    NULL), 1);
	fclose(f);
	ck_assert_int_eq(chmod(settings.tls_key, 0600), 0);
	return key;
}

static void
write_certificate(EVP_PKEY *key)
{
	FILE *f = fopen(settings.tls_certificate, "w");
	X509 *x = X509_new();

	ck_assert(x != NULL && f != NULL);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	ck_assert_int_eq(X509_set_pubkey(x, key), 1);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_X509(f, x), 1);
	fclose(f);
	X509_free(x);
}

START_TEST(test_certificate_and_its_key_are_read)
{
	struct pem_pair pair, again;
	EVP_PKEY *key = write_key();

	write_certificate(key);
	ck_assert(pem_read(&settings, "y.conf", &pair, &report));
	ck_assert_ptr_nonnull(strstr(pair.certificate, "BEGIN CERTIFICATE"));
	ck_assert_ptr_nonnull(strstr(pair.key, "PRIVATE KEY"));
	ck_assert(pem_read(&settings, "y.conf", &again, &report));
	ck_assert(pem_equal(&pair, &again));
	pem_free(&again);
	write_certificate(key);
	ck_assert(pem_read(&settings, "y.conf", &again, &report));
	ck_assert(!pem_equal(&pair, &again));
	pem_free(&pair);
	pem_free(&again);
	ck_assert_ptr_null(pair.key);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(test_key_of_another_certificate_is_refused)
{
	struct pem_pair pair;
	EVP_PKEY *first = write_key(), *second;

	write_certificate(first);
	second = write_key();
	ck_assert(!pem_read(&settings, "y.conf", &pair, &report));
	ck_assert(said("y.conf: tls_key: "));
	ck_assert(said("not the key of the first certificate"));
	ck_assert_ptr_null(pair.key);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
}
END_TEST

START_TEST(test_key_that_others_read_is_refused)
{
	struct pem_pair pair;
	EVP_PKEY *key = write_key();

	write_certificate(key);
	ck_assert_int_eq(chmod(settings.tls_key, 0644), 0);
	ck_assert(!pem_read(&settings, "y.conf", &pair, &report));
	ck_assert(said("others may read it"));
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(test_key_with_a_passphrase_is_refused_without_a_question)
{
	char phrase[] = "phrase";
	struct pem_pair pair;
	EVP_PKEY *key = write_key();
	FILE *f = fopen(settings.tls_key, "w");

	write_certificate(key);
	ck_assert_int_eq(PEM_write_PrivateKey(f, key, EVP_aes_256_cbc(),
	    (unsigned char *)phrase, 6, NULL, NULL), 1);
	fclose(f);
	ck_assert(!pem_read(&settings, "y.conf", &pair, &report));
	ck_assert(said("no PEM key without a passphrase"));
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(test_both_missing_files_are_named)
{
	struct pem_pair pair;

	ck_assert(!pem_read(&settings, "y.conf", &pair, &report));
	ck_assert_uint_eq(report.mistakes, 2);
	ck_assert(said("tls_certificate"));
	ck_assert(said("tls_key"));
	ck_assert(said("No such file or directory"));
}
END_TEST

/* A port that is free now, by having had it. */
static void
free_address(struct listen_address *a)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char name[64];
	const char *why;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	close(fd);
	snprintf(name, sizeof(name), "127.0.0.1:%u", ntohs(sin.sin_port));
	ck_assert(address_parse(name, a, &why));
}

static bool
connects(const struct listen_address *a)
{
	int fd = socket(a->sockaddr.ss_family, SOCK_STREAM, 0);
	bool ok = connect(fd, (const struct sockaddr *)&a->sockaddr,
	    a->sockaddr_len) == 0;

	close(fd);
	return ok;
}

START_TEST(test_sockets_listen_and_are_not_inherited_by_programs)
{
	struct listen_list list = { .count = 1 };
	struct sockets sockets;

	free_address(&list.address[0]);
	ck_assert(sockets_open(&list, NULL, "y.conf", &sockets, &report));
	ck_assert(connects(&list.address[0]));
	ck_assert_int_ne(fcntl(sockets.fd[0], F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(sockets.fd[0], F_GETFL) & O_NONBLOCK, 0);
	sockets_close(&sockets, NULL);
	ck_assert(!connects(&list.address[0]));
}
END_TEST

START_TEST(test_sockets_that_stay_are_the_same_ones)
{
	struct listen_list list = { .count = 1 };
	struct sockets first, second;
	int kept;

	free_address(&list.address[0]);
	ck_assert(sockets_open(&list, NULL, "y.conf", &first, &report));
	kept = first.fd[0];
	list.count = 2;
	free_address(&list.address[1]);
	ck_assert(sockets_open(&list, &first, "y.conf", &second, &report));
	ck_assert_int_eq(second.fd[0], kept);
	sockets_close(&first, &second);
	ck_assert(connects(&list.address[0]));
	ck_assert(connects(&list.address[1]));
	sockets_close(&second, NULL);
}
END_TEST

START_TEST(test_sockets_in_use_are_named_and_nothing_is_left_open)
{
	struct listen_list list = { .count = 1 };
	struct sockets have, more;

	free_address(&list.address[0]);
	ck_assert(sockets_open(&list, NULL, "y.conf", &have, &report));
	list.address[1] = list.address[0];
	free_address(&list.address[0]);
	list.count = 2;
	ck_assert(!sockets_open(&list, NULL, "y.conf", &more, &report));
	ck_assert(said("y.conf: listen: "));
	ck_assert(said("Address already in use"));
	ck_assert(!connects(&list.address[0]));
	ck_assert(connects(&list.address[1]));
	sockets_close(&have, NULL);
}
END_TEST

static size_t
file_length(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

START_TEST(test_log_file_takes_the_childrens_lines_and_is_begun_anew)
{
	char old[sizeof(settings.log_file) + 8];
	struct loop *loop = loop_open();
	struct logfile lf;

	memset(&lf, 0, sizeof(lf));
	ck_assert(logfile_open(&lf, settings.log_file));
	ck_assert(logfile_start(&lf, loop));
	ck_assert_int_eq(write(lf.pipe_write, "a line\n", 7), 7);
	loop_turn(loop, 0);
	ck_assert_uint_eq(file_length(settings.log_file), 7);
	snprintf(old, sizeof(old), "%s.1", settings.log_file);
	ck_assert_int_eq(rename(settings.log_file, old), 0);
	ck_assert_int_eq(write(lf.pipe_write, "more\n", 5), 5);
	logfile_drain(&lf);
	logfile_reopen(&lf);
	ck_assert_int_eq(write(lf.pipe_write, "new\n", 4), 4);
	logfile_drain(&lf);
	ck_assert_uint_eq(file_length(old), 12);
	ck_assert_uint_eq(file_length(settings.log_file), 4);
	loop_unwatch(loop, &lf.watch);
	loop_close(&loop);
	close(lf.fd);
	close(lf.pipe_read);
	close(lf.pipe_write);
}
END_TEST

START_TEST(test_log_file_is_never_a_link)
{
	struct logfile lf;

	memset(&lf, 0, sizeof(lf));
	ck_assert_int_eq(symlink("/nonexistent", settings.log_file), 0);
	ck_assert(!logfile_open(&lf, settings.log_file));
	ck_assert_int_eq(errno, ELOOP);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("master/files");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_certificate_and_its_key_are_read);
	tcase_add_test(t, test_key_of_another_certificate_is_refused);
	tcase_add_test(t, test_key_that_others_read_is_refused);
	tcase_add_test(t,
	    test_key_with_a_passphrase_is_refused_without_a_question);
	tcase_add_test(t, test_both_missing_files_are_named);
	tcase_add_test(t,
	    test_sockets_listen_and_are_not_inherited_by_programs);
	tcase_add_test(t, test_sockets_that_stay_are_the_same_ones);
	tcase_add_test(t,
	    test_sockets_in_use_are_named_and_nothing_is_left_open);
	tcase_add_test(t,
	    test_log_file_takes_the_childrens_lines_and_is_begun_anew);
	tcase_add_test(t, test_log_file_is_never_a_link);
	suite_add_tcase(s, t);
	return run_suite(s);
}
