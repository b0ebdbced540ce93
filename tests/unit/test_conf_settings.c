/* Addresses, the table, the difference for a reload, the database's paths. */
#include "conf/settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/address.h"
#include "conf/embedded.h"
#include "conf/service.h"
#include "conf/table.h"
#include "tests/unit/run.h"

static struct settings now, next;
static struct conf_report report;

static void
set_up(void)
{
	conf_report_init(&report);
	settings_default(&now);
	settings_default(&next);
}

static void
tear_down(void)
{
	conf_report_free(&report);
}

static void
set(struct settings *s, const char *name, const char *value)
{
	const char *why = "";

	ck_assert_msg(setting_set(setting_find(name), value, s, &why),
	    "%s = %s: %s", name, value, why);
}

START_TEST(test_addresses_become_what_bind_takes)
{
	struct listen_address a;
	const struct sockaddr_in *sin =
	    (const struct sockaddr_in *)&a.sockaddr;
	const struct sockaddr_in6 *sin6 =
	    (const struct sockaddr_in6 *)&a.sockaddr;
	const char *why;

	ck_assert(address_parse("10.1.2.3:8443", &a, &why));
	ck_assert_int_eq(sin->sin_family, AF_INET);
	ck_assert_uint_eq(ntohs(sin->sin_port), 8443);
	ck_assert_uint_eq(ntohl(sin->sin_addr.s_addr), 0x0a010203);
	ck_assert_uint_eq(a.sockaddr_len, sizeof(*sin));
	ck_assert(address_parse("*:1", &a, &why));
	ck_assert_str_eq(a.text, "0.0.0.0:1");
	ck_assert(address_parse("[0:0::0:1]:65535", &a, &why));
	ck_assert_str_eq(a.text, "[::1]:65535");
	ck_assert_int_eq(sin6->sin6_family, AF_INET6);
	ck_assert_uint_eq(a.sockaddr_len, sizeof(*sin6));
}
END_TEST

START_TEST(test_addresses_that_are_none_are_refused)
{
	static const char *const bad[] = { "", ":", "8443", "1.2.3.4",
		"1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:80x",
		"1.2.3.4:-1", "1.2.3:80", "::1:80", "[::1]", "[::1:80",
		"[]:80", "localhost:80", "[1.2.3.4]:80", NULL };
	struct listen_address a;
	const char *why;

	for (int i = 0; bad[i] != NULL; i++) {
		why = NULL;
		ck_assert_msg(!address_parse(bad[i], &a, &why), "%s", bad[i]);
		ck_assert_ptr_nonnull(why);
	}
}
END_TEST

START_TEST(test_address_lists_take_commas_and_blanks)
{
	struct listen_list list;
	const char *why;

	ck_assert(address_list_parse(" 1.1.1.1:1,2.2.2.2:2  [::]:3,",
	    &list, &why));
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.address[2].text, "[::]:3");
	ck_assert(!address_list_parse("1.1.1.1:1 1.1.1.1:1", &list, &why));
	ck_assert_str_eq(why, "an address stands twice");
	ck_assert(!address_list_parse(" , ", &list, &why));
	ck_assert(!address_list_parse("*:1 *:2 *:3 *:4 *:5 *:6 *:7 *:8 *:9 "
	    "*:10 *:11 *:12 *:13 *:14 *:15 *:16 *:17", &list, &why));
}
END_TEST

START_TEST(test_table_has_each_name_once_with_a_text)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		ck_assert_ptr_eq(setting_find(s->name), s);
		ck_assert_uint_gt(strlen(s->text), 0);
		ck_assert_uint_lt(strlen(s->name), SETTING_NAME_BYTES);
	}
	ck_assert_ptr_null(setting_find("no_such_setting"));
}
END_TEST

START_TEST(test_guess_finds_the_nearest_name_or_none)
{
	ck_assert_str_eq(setting_guess("max_conections"), "max_connections");
	ck_assert_str_eq(setting_guess("lisen"), "listen");
	ck_assert_ptr_null(setting_guess("telephone"));
	ck_assert_ptr_null(setting_guess(""));
}
END_TEST

START_TEST(test_reload_counts_what_changes_live)
{
	set(&next, "idle_timeout", "5s");
	set(&next, "listen", "127.0.0.1:9443");
	ck_assert_uint_eq(settings_diff(&now, &next, &report), 2);
	ck_assert_uint_eq(report.notes, 0);
	ck_assert_uint_eq(next.idle_timeout_ms, 5000);
}
END_TEST

START_TEST(test_reload_names_what_cannot_change_and_keeps_it)
{
	char text[1024];

	set(&next, "max_keys", "50000");
	set(&next, "log", "file /x");
	set(&next, "database", "host=db password=secret");
	ck_assert_uint_eq(settings_diff(&now, &next, &report), 0);
	ck_assert_mem_eq(&now, &next, sizeof(now));
	snprintf(text, sizeof(text), "%.*s", (int)report.text.len,
	    buf_head(&report.text));
	ck_assert_str_eq(text,
	    "log: can't change in a running service and stays auto; restart "
	    "youyund to make it file /x\n"
	    "max_keys: can't change in a running service and stays 100000; "
	    "restart youyund to make it 50000\n"
	    "database: can't change in a running service and stays as it "
	    "was; restart youyund to apply it\n");
	ck_assert_uint_eq(report.notes, 3);
	ck_assert_uint_eq(report.mistakes, 0);
}
END_TEST

START_TEST(test_equal_values_by_other_texts_are_no_change)
{
	set(&next, "idle_timeout", "75000ms");
	set(&next, "max_body_bytes", "32768k");
	set(&next, "listen", " 127.0.0.1:8443 ,");
	ck_assert_uint_eq(settings_diff(&now, &next, &report), 0);
}
END_TEST

START_TEST(test_conninfo_of_the_embedded_cluster_is_complete)
{
	char text[EMBEDDED_TEXT_BYTES];

	set(&now, "run_dir", "/run/it's");
	ck_assert(database_conninfo(&now, DB_ROLE_FLUSHER, "flusher", text,
	    sizeof(text)));
	ck_assert_str_eq(text, "host='/run/it\\'s/pg' port=5432 "
	    "dbname=youyun user=youyun_flusher application_name=flusher");
	ck_assert(!database_conninfo(&now, DB_ROLE_FLUSHER, "flusher", text,
	    20));
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_conninfo_of_a_server_gets_our_user_last)
{
	char text[EMBEDDED_TEXT_BYTES];

	set(&now, "database", "host=db user=somebody");
	ck_assert(!database_is_embedded(&now));
	ck_assert(database_conninfo(&now, DB_ROLE_ADMIN, "youyunctl", text,
	    sizeof(text)));
	ck_assert_str_eq(text, "host=db user=somebody user=youyun_admin "
	    "application_name=youyunctl");
}
END_TEST

START_TEST(test_programs_are_looked_for_where_the_operator_says)
{
	char path[EMBEDDED_TEXT_BYTES];

	set(&now, "postgres_bin", "/bin");
	ck_assert(embedded_find_program(&now, "sh", path, sizeof(path)));
	ck_assert_str_eq(path, "/bin/sh");
	ck_assert(!embedded_find_program(&now, "no-such-program", path,
	    sizeof(path)));
	ck_assert_str_eq(path, "in postgres_bin, /bin");
}
END_TEST

START_TEST(test_cluster_is_initialised_when_initdb_has_finished)
{
	char dir[] = "/tmp/youyun-cluster-XXXXXX", path[128];
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	set(&now, "state_dir", dir);
	ck_assert(!embedded_initialised(&now));
	snprintf(path, sizeof(path), "%s/postgres", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/postgres/global", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert(!embedded_initialised(&now));
	snprintf(path, sizeof(path), "%s/postgres/global/pg_control", dir);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert(embedded_initialised(&now));
	unlink(path);
	snprintf(path, sizeof(path), "%s/postgres/global", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/postgres", dir);
	rmdir(path);
	rmdir(dir);
}
END_TEST

START_TEST(test_segment_names_differ_by_state_directory)
{
	char a[SEGMENT_NAME_BYTES], b[SEGMENT_NAME_BYTES];

	settings_segment_name(&now, a);
	ck_assert_int_eq(strncmp(a, "/youyun-", 8), 0);
	settings_segment_name(&now, b);
	ck_assert_str_eq(a, b);
	set(&now, "state_dir", "/elsewhere");
	settings_segment_name(&now, b);
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(test_service_user_is_never_root)
{
	struct service_user user;

	set(&now, "user", "root");
	if (geteuid() == 0) {
		ck_assert_int_eq(service_user_find(&now, &user),
		    SERVICE_IS_ROOT);
		set(&now, "user", "no-such-user-here");
		ck_assert_int_eq(service_user_find(&now, &user),
		    SERVICE_NO_SUCH_USER);
		return;
	}
	ck_assert_int_eq(service_user_find(&now, &user), SERVICE_OK);
	ck_assert_uint_eq(user.uid, geteuid());
	ck_assert(!user.drop);
}
END_TEST

START_TEST(test_service_folder_is_made_and_never_a_link)
{
	char dir[] = "/tmp/youyun-service-XXXXXX", path[64], link[64];
	struct service_user user = { .uid = geteuid(), .gid = getegid() };
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/made", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	ck_assert(service_dir_make(&user, path, 0750));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	ck_assert(service_dir_make(&user, path, 0700));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert(!service_dir_make(&user, link, 0700));
	unlink(link);
	rmdir(path);
	rmdir(dir);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf/settings");
	TCase *t = tcase_create("settings");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_addresses_become_what_bind_takes);
	tcase_add_test(t, test_addresses_that_are_none_are_refused);
	tcase_add_test(t, test_address_lists_take_commas_and_blanks);
	tcase_add_test(t, test_table_has_each_name_once_with_a_text);
	tcase_add_test(t, test_guess_finds_the_nearest_name_or_none);
	tcase_add_test(t, test_reload_counts_what_changes_live);
	tcase_add_test(t, test_reload_names_what_cannot_change_and_keeps_it);
	tcase_add_test(t, test_equal_values_by_other_texts_are_no_change);
	tcase_add_test(t,
	    test_conninfo_of_the_embedded_cluster_is_complete);
	tcase_add_test(t, test_conninfo_of_a_server_gets_our_user_last);
	tcase_add_test(t,
	    test_programs_are_looked_for_where_the_operator_says);
	tcase_add_test(t,
	    test_cluster_is_initialised_when_initdb_has_finished);
	tcase_add_test(t, test_segment_names_differ_by_state_directory);
	tcase_add_test(t, test_service_user_is_never_root);
	tcase_add_test(t, test_service_folder_is_made_and_never_a_link);
	suite_add_tcase(s, t);
	return run_suite(s);
}
