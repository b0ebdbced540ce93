/* youyun.conf: what is taken, and every mistake at once. */
#include "conf/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/table.h"
#include "tests/unit/run.h"

static struct settings settings;
static struct conf_report report;
static char text[65536];

static void
set_up(void)
{
	conf_report_init(&report);
}

static void
tear_down(void)
{
	conf_report_free(&report);
}

static bool
parse(const char *conf)
{
	return settings_parse("y.conf", conf, strlen(conf), &settings,
	    &report);
}

/* All of the report, as one string. */
static const char *
said(void)
{
	snprintf(text, sizeof(text), "%.*s", (int)report.text.len,
	    report.text.len > 0 ? buf_head(&report.text) : "");
	return text;
}

static void
refuses(const char *conf, const char *message)
{
	conf_report_free(&report);
	conf_report_init(&report);
	ck_assert_msg(!parse(conf), "taken: %s", conf);
	ck_assert_str_eq(said(), message);
}

START_TEST(test_empty_file_gives_the_defaults)
{
	ck_assert_msg(parse(""), "%s", said());
	ck_assert_uint_eq(settings.max_connections, 4096);
	ck_assert_uint_eq(settings.max_body_bytes, 32 << 20);
	ck_assert_uint_eq(settings.head_timeout_ms, 10000);
	ck_assert_uint_eq(settings.listen.count, 1);
	ck_assert_str_eq(settings.listen.address[0].text, "127.0.0.1:8443");
	ck_assert_str_eq(settings.database, "embedded");
	ck_assert_uint_eq(settings.log_level, LOG_LEVEL_NOTICE);
	ck_assert_uint_eq(settings.on_client_abort, CLIENT_ABORT_CANCEL);
}
END_TEST

START_TEST(test_every_default_is_taken_by_its_own_setting)
{
	const char *why;

	settings_default(&settings);
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];
		char value[2 * SETTING_TEXT_BYTES];

		setting_format(s, &settings, value, sizeof(value));
		ck_assert_msg(setting_set(s, value, &settings, &why),
		    "%s = %s: %s", s->name, value, why);
	}
	ck_assert_msg(parse(""), "%s", said());
}
END_TEST

START_TEST(test_blanks_comments_and_quotes)
{
	ck_assert_msg(parse("# a comment\n"
	    "\n"
	    "  \t # another\n"
	    "workers=3\n"
	    "\tmax_keys  =\t500 # behind a value\r\n"
	    "user = \"quoted\" # and behind that\n"
	    "tls_key = \"/with blank # and \\\"quote\\\" \\\\\"\n"
	    "tls_certificate = /a#b\n"
	    "currency = EUR"), "%s", said());
	ck_assert_uint_eq(settings.workers, 3);
	ck_assert_uint_eq(settings.max_keys, 500);
	ck_assert_str_eq(settings.user, "quoted");
	ck_assert_str_eq(settings.tls_key, "/with blank # and \"quote\" \\");
	ck_assert_str_eq(settings.tls_certificate, "/a#b");
	ck_assert_str_eq(settings.currency, "EUR");
}
END_TEST

START_TEST(test_sizes_and_times_take_their_units)
{
	ck_assert_msg(parse("max_body_bytes = 64k\n"
	    "journal_budget_bytes = 3G\n"
	    "relay_buffer_bytes = 65537\n"
	    "head_timeout = 1500ms\n"
	    "body_timeout = 5m\n"
	    "total_timeout = 1d\n"
	    "shutdown_timeout = 0s\n"), "%s", said());
	ck_assert_uint_eq(settings.max_body_bytes, 65536);
	ck_assert_uint_eq(settings.journal_budget_bytes, UINT64_C(3) << 30);
	ck_assert_uint_eq(settings.relay_buffer_bytes, 65537);
	ck_assert_uint_eq(settings.head_timeout_ms, 1500);
	ck_assert_uint_eq(settings.body_timeout_ms, 300000);
	ck_assert_uint_eq(settings.total_timeout_ms, 86400000);
	ck_assert_uint_eq(settings.shutdown_timeout_ms, 0);
}
END_TEST

START_TEST(test_paths_follow_the_state_directory)
{
	ck_assert_msg(parse("journal_dir = /fast/journal\n"
	    "state_dir = /srv/y\n"), "%s", said());
	ck_assert_str_eq(settings.run_dir, "/srv/y/run");
	ck_assert_str_eq(settings.secrets_file, "/srv/y/secrets");
	ck_assert_str_eq(settings.journal_dir, "/fast/journal");
}
END_TEST

START_TEST(test_log_takes_a_file)
{
	ck_assert_msg(parse("log = file /var/log/y.log\nlog_level = debug\n"),
	    "%s", said());
	ck_assert_uint_eq(settings.log, LOG_SETTING_FILE);
	ck_assert_str_eq(settings.log_file, "/var/log/y.log");
	ck_assert_uint_eq(settings.log_level, LOG_LEVEL_DEBUG);
	refuses("log = file\n", "y.conf:1: log: not an absolute path; "
	    "allowed auto, stderr, syslog or file PATH\n");
}
END_TEST

START_TEST(test_all_mistakes_are_collected_with_what_is_allowed)
{
	refuses("workers = 501\n"
	    "worker = 1\n"
	    "head_timeout = 30\n"
	    "max_body_bytes = 3X\n"
	    "on_client_abort = wait\n"
	    "nonsense\n"
	    "xyzzy = 1\n",
	    "y.conf:1: workers: too large; allowed 0 to 500\n"
	    "y.conf:2: worker: there is no such setting; did you mean "
	    "workers?\n"
	    "y.conf:3: head_timeout: a time needs its unit: ms, s, m, h or "
	    "d; allowed 100ms to 1h\n"
	    "y.conf:4: max_body_bytes: not a number with a unit that is "
	    "known here; allowed 1k to 1G\n"
	    "y.conf:5: on_client_abort: not one of the words; allowed cancel "
	    "or drain\n"
	    "y.conf:6: not of the form name = value\n"
	    "y.conf:7: xyzzy: there is no such setting; youyun.conf(5) lists "
	    "them\n");
	ck_assert_uint_eq(report.mistakes, 7);
}
END_TEST

START_TEST(test_a_setting_twice_is_a_mistake)
{
	refuses("workers = 1\n\nworkers = 1\n",
	    "y.conf:3: workers: set already on line 1; take one away\n");
}
END_TEST

START_TEST(test_quotes_that_are_wrong)
{
	refuses("user = \"main\n", "y.conf:1: user: the quotation "
	    "mark is not closed; allowed 1 to 63 letters, digits and -_.\n");
	refuses("user = \"a\" b\n", "y.conf:1: user: something "
	    "stands behind the quotation mark; allowed 1 to 63 letters, "
	    "digits and -_.\n");
	refuses("user = \"a\\", "y.conf:1: user: the quotation "
	    "mark is not closed; allowed 1 to 63 letters, digits and -_.\n");
}
END_TEST

START_TEST(test_values_at_their_edges)
{
	ck_assert(parse("workers = 500\n"));
	ck_assert(parse("max_keys = 4000000\n"));
	refuses("max_keys = 4000001\n", "y.conf:1: max_keys: too large; "
	    "allowed 16 to 4000000\n");
	refuses("max_keys = 15\n", "y.conf:1: max_keys: too small; "
	    "allowed 16 to 4000000\n");
	refuses("max_keys = -1\n", "y.conf:1: max_keys: not a number; "
	    "allowed 16 to 4000000\n");
	refuses("max_keys = 18446744073709551632\n", "y.conf:1: max_keys: "
	    "too large; allowed 16 to 4000000\n");
	refuses("max_keys =\n", "y.conf:1: max_keys: not a number; "
	    "allowed 16 to 4000000\n");
}
END_TEST

START_TEST(test_settings_that_contradict_each_other)
{
	refuses("holds_per_worker = 1024\nring_records = 1000\n",
	    "y.conf:2: ring_records: 1000 is not a power of two\n"
	    "y.conf:2: ring_records: 1000 records can't take those of 1024 "
	    "open calls; raise it above holds_per_worker\n");
	refuses("journal_segment_bytes = 1G\njournal_budget_bytes = 1G\n",
	    "y.conf:2: journal_budget_bytes: less than two of "
	    "journal_segment_bytes, so nothing could be freed\n");
}
END_TEST

START_TEST(test_run_directory_too_long_for_a_socket)
{
	char conf[256];

	snprintf(conf, sizeof(conf), "run_dir = /%0*d\n", 89, 0);
	ck_assert_msg(parse(conf), "%s", said());
	snprintf(conf, sizeof(conf), "run_dir = /%0*d\n", 90, 0);
	refuses(conf, "y.conf:1: run_dir: too long for a unix socket in it; "
	    "allowed up to 90 characters\n");
	snprintf(conf, sizeof(conf), "run_dir = /%0*d\n"
	    "database = host=db dbname=youyun\n", 90, 0);
	ck_assert_msg(parse(conf), "%s", said());
}
END_TEST

START_TEST(test_database_is_embedded_or_a_connection_string)
{
	ck_assert(parse("database = \"host=db dbname='you yun'\"\n"));
	ck_assert_str_eq(settings.database, "host=db dbname='you yun'");
	refuses("database = sqlite\n", "y.conf:1: database: neither embedded "
	    "nor a connection string such as \"host=db.example.com "
	    "dbname=youyun\"\n");
	refuses("database = postgresql://db/youyun\n", "y.conf:1: database: "
	    "a URI is not taken here, because each process adds its own "
	    "user; write \"host=… dbname=…\"\n");
}
END_TEST

START_TEST(test_zero_bytes_and_endless_lines)
{
	char conf[8192];

	ck_assert(!settings_parse("y.conf", "workers\0= 1\n", 12, &settings,
	    &report));
	ck_assert_str_eq(said(), "y.conf:1: the line has a zero byte\n");
	memset(conf, 'x', sizeof(conf) - 1);
	conf[sizeof(conf) - 1] = '\0';
	refuses(conf, "y.conf:1: the line is too long; allowed up to 4096 "
	    "bytes\n");
}
END_TEST

START_TEST(test_no_bytes_whatever_crash_the_parser)
{
	char conf[512];
	unsigned seed = 11;

	for (int round = 0; round < 2000; round++) {
		static const char alphabet[] = "= \"\\#\n\t[]:,.0159kMmsabe_/";
		size_t len = (seed >> 9) % sizeof(conf);

		memcpy(conf, "listen = ", 9);
		for (size_t i = 9; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			conf[i] = alphabet[(seed >> 16) %
			    (sizeof(alphabet) - 1)];
		}
		seed = seed * 1103515245 + 12345;
		conf_report_free(&report);
		conf_report_init(&report);
		if (!settings_parse("y.conf", conf, len > 9 ? len : 9,
		    &settings, &report))
			ck_assert_uint_gt(report.mistakes, 0);
	}
}
END_TEST

START_TEST(test_files_that_cannot_be_read)
{
	ck_assert(!settings_read("/nonexistent/y.conf", &settings, &report));
	ck_assert_str_eq(said(),
	    "/nonexistent/y.conf: No such file or directory\n");
	conf_report_free(&report);
	conf_report_init(&report);
	ck_assert(!settings_read("/", &settings, &report));
	ck_assert_str_eq(said(), "/: is a directory\n");
}
END_TEST

START_TEST(test_file_is_read_like_memory)
{
	char path[] = "/tmp/youyun-conf-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "workers = 7\n", 12), 12);
	close(fd);
	ck_assert_msg(settings_read(path, &settings, &report), "%s", said());
	unlink(path);
	ck_assert_uint_eq(settings.workers, 7);
	ck_assert_uint_eq(settings_workers(&settings), 7);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf/parse");
	TCase *t = tcase_create("parse");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_empty_file_gives_the_defaults);
	tcase_add_test(t, test_every_default_is_taken_by_its_own_setting);
	tcase_add_test(t, test_blanks_comments_and_quotes);
	tcase_add_test(t, test_sizes_and_times_take_their_units);
	tcase_add_test(t, test_paths_follow_the_state_directory);
	tcase_add_test(t, test_log_takes_a_file);
	tcase_add_test(t,
	    test_all_mistakes_are_collected_with_what_is_allowed);
	tcase_add_test(t, test_a_setting_twice_is_a_mistake);
	tcase_add_test(t, test_quotes_that_are_wrong);
	tcase_add_test(t, test_values_at_their_edges);
	tcase_add_test(t, test_settings_that_contradict_each_other);
	tcase_add_test(t, test_run_directory_too_long_for_a_socket);
	tcase_add_test(t, test_database_is_embedded_or_a_connection_string);
	tcase_add_test(t, test_zero_bytes_and_endless_lines);
	tcase_add_test(t, test_no_bytes_whatever_crash_the_parser);
	tcase_add_test(t, test_files_that_cannot_be_read);
	tcase_add_test(t, test_file_is_read_like_memory);
	suite_add_tcase(s, t);
	return run_suite(s);
}
