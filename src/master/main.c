/*
 * youyund: the master.  Reads what only root may read, opens what only root
 * may open, and then starts, watches and stops the processes that do the work.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/table.h"
#include "master/lock.h"
#include "master/master.h"
#include "master/run.h"
#include "master/segment.h"
#include "master/start.h"
#include "master/title.h"

struct options {
	const char *conf_path;
	bool foreground;
	bool test;
	bool show;
};

static void
usage(FILE *to)
{
	fprintf(to,
	    "usage: youyund [-fhTtV] [-c file]\n"
	    "  -c file  configuration (%s)\n"
	    "  -f       stay in the foreground\n"
	    "  -h       show this\n"
	    "  -t       test the configuration and what it names, then exit\n"
	    "  -T       show every setting as it is in effect, then exit\n"
	    "  -V       show the version and how it was configured\n",
	    YOUYUN_CONFDIR "/youyun.conf");
}

static void
read_options(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){ .conf_path = YOUYUN_CONFDIR "/youyun.conf" };
	while ((c = getopt(argc, argv, "c:fhtTV")) != -1) {
		switch (c) {
		case 'c':
			o->conf_path = optarg;
			break;
		case 'f':
			o->foreground = true;
			break;
		case 't':
			o->test = true;
			break;
		case 'T':
			o->show = true;
			break;
		case 'V':
			printf("youyund %s\n%s", PACKAGE_VERSION,
			    CONFIGURE_SUMMARY);
			exit(EXIT_SUCCESS);
		case 'h':
			usage(stdout);
			exit(EXIT_SUCCESS);
		default:
			usage(stderr);
			exit(EX_USAGE);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(EX_USAGE);
	}
}

/* SIGHUP reads it again, from "/". */
static const char *
absolute(const char *path)
{
	static char full[PATH_MAX];

	return realpath(path, full) != NULL ? full : path;
}

static void
print_report(struct conf_report *report)
{
	if (report->text.len > 0)
		fwrite(buf_head(&report->text), 1, report->text.len, stderr);
	conf_report_free(report);
}

static int
show_settings(struct master *m)
{
	struct conf_report report;
	char text[2 * SETTING_TEXT_BYTES];
	bool ok;

	conf_report_init(&report);
	ok = settings_read(m->conf_path, &m->settings, &report);
	for (size_t i = 0; ok && i < settings_count; i++) {
		setting_format(&settings_table[i], &m->settings, text,
		    sizeof(text));
		printf("%s = %s\n", settings_table[i].name,
		    text[0] != '\0' ? text : "\"\"");
	}
	print_report(&report);
	return ok ? EXIT_SUCCESS : EX_CONFIG;
}

static int
serve(struct master *m)
{
	int ready_fd = -1;
	bool ok;

	if (!start_prepare(m))
		return EXIT_FAILURE;
	if (!m->foreground && !start_daemonise(m, &ready_fd)) {
		log_error("could not go into the background: why=%s",
		    strerror(errno));
		return EXIT_FAILURE;
	}
	start_log(m);
	title_set("youyund", "master");
	if (!lock_write_pid(m)) {
		log_error("could not write the pid file: why=%s",
		    strerror(errno));
		return EXIT_FAILURE;
	}
	if (ready_fd >= 0) {
		if (write(ready_fd, "", 1) != 1)
			log_debug("nobody waited for the start");
		close(ready_fd);
	}
	ok = run(m);
	segment_finish(m);
	lock_remove_pid(m);
	log_notice("stopped");
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static struct master master;
	struct master *m = &master;
	struct conf_report report;
	struct options options;
	int status;
	bool ok;

	read_options(argc, argv, &options);
	umask(027);
	log_open("youyund", LOG_TARGET_STDERR, LOG_LEVEL_NOTICE);
	m->conf_path = absolute(options.conf_path);
	m->foreground = options.foreground;
	m->lock_fd = m->pid_fd = m->life_read = m->life_write = -1;
	m->wake.flusher_fd = -1;
	m->portal_fd = m->portal_end = -1;
	if (options.show)
		return show_settings(m);
	conf_report_init(&report);
	ok = start_check(m, &report);
	print_report(&report);
	if (options.test && ok)
		printf("%s: the configuration is right\n", m->conf_path);
	if (options.test || !ok) {
		pem_free(&m->pem);
		secrets_scrub(&m->secrets);
		return ok ? EXIT_SUCCESS : EX_CONFIG;
	}
	log_set_level((enum log_level)m->settings.log_level);
	title_init(argc, argv);
	status = serve(m);
	sockets_close(&m->sockets, NULL);
	wake_close(&m->wake);
	pem_free(&m->pem);
	secrets_scrub(&m->secrets);
	return status;
}
