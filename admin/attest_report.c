/* What a run showed, for people or as JSON, with a signature. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE		/* memfd_create */
#endif
#include "admin/attest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "admin/report.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "conf/table.h"
#include "sandbox/sandbox.h"

#define DIGEST_BYTES 32
#define DIGEST_TEXT_BYTES (2 * DIGEST_BYTES + 1)
#define READ_BYTES 65536
#define VALUE_BYTES 4096

static const char *const cannot_show[] = {
	"That nothing is kept: it shows that canaries weren't found, on the "
	    "paths listed, at one moment.",
	"What other customers' calls left; their texts aren't known, and only "
	    "what these calls left was searched for.",
	"Copies in other forms: compressed, encrypted, or in pieces of less "
	    "than 16 characters.",
	"The kernel's own memory: socket buffers, pages that were given back, "
	    "blocks of removed files.",
	"Other programs on the machine, whoever is root on it, what a "
	    "hypervisor sees, snapshots and hibernation.",
	"What providers keep, and who reads the network at their side.",
	"A program that behaves otherwise when it is being attested: the "
	    "digests say which one ran.",
	"What an earlier or later program, or another node, does."
};

static void
sum_descriptor(int fd, char text[DIGEST_TEXT_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[DIGEST_BYTES];
	char buffer[READ_BYTES];
	unsigned len = 0;
	ssize_t n;

	text[0] = '\0';
	if (ctx != NULL &&
	    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1) {
		while ((n = read(fd, buffer, sizeof(buffer))) > 0)
			EVP_DigestUpdate(ctx, buffer, (size_t)n);
		if (n == 0 && EVP_DigestFinal_ex(ctx, digest, &len) == 1)
			hex_encode(digest, DIGEST_BYTES, text);
	}
	EVP_MD_CTX_free(ctx);
}

/* The program that runs, whatever is in its file by now. */
static void
sum_program(pid_t pid, char text[DIGEST_TEXT_BYTES])
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	text[0] = '\0';
	if (fd < 0)
		return;
	sum_descriptor(fd, text);
	close(fd);
}

static void
sum_filter(enum sandbox_role role, char text[DIGEST_TEXT_BYTES])
{
	int fd = memfd_create("filter", MFD_CLOEXEC);

	text[0] = '\0';
	if (fd < 0)
		return;
	if (sandbox_filter_write(role, fd) && lseek(fd, 0, SEEK_SET) == 0)
		sum_descriptor(fd, text);
	close(fd);
}

/* "name = value" lines in the table's order.  A connection string and a
 * command can hold a password, so of them only their being set counts. */
static void
sum_settings(const struct settings *settings, char text[DIGEST_TEXT_BYTES])
{
	static const char *const hidden[] = { "database", "mail_command" };
	char value[VALUE_BYTES], line[VALUE_BYTES + 128];
	int fd = memfd_create("settings", MFD_CLOEXEC);

	text[0] = '\0';
	if (fd < 0)
		return;
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		setting_format(s, settings, value, sizeof(value));
		for (size_t j = 0; j < sizeof(hidden) / sizeof(hidden[0]); j++)
			if (strcmp(s->name, hidden[j]) == 0 &&
			    strcmp(value, s->initial) != 0)
				snprintf(value, sizeof(value), "set");
		snprintf(line, sizeof(line), "%s = %s\n", s->name, value);
		if (write(fd, line, strlen(line)) < 0)
			break;
	}
	bytes_scrub(value, sizeof(value));
	if (lseek(fd, 0, SEEK_SET) == 0)
		sum_descriptor(fd, text);
	close(fd);
}

static void
add_identity(const struct attest *a, struct record *r)
{
	static const char *const results[] = { "clean", "found", "unable" };
	char text[DIGEST_TEXT_BYTES], kernel[512];
	struct utsname name;

	record_text(r, "attestation", "Attestation of", "youyun "
	    PACKAGE_VERSION);
	record_text(r, "result", "Result", results[attest_result(a)]);
	record_time(r, "begun", "Begun (UTC)", a->begun_us);
	record_time(r, "ended", "Ended (UTC)", a->ended_us);
	record_text(r, "version", NULL, PACKAGE_VERSION);
	sum_program(a->master, text);
	record_text(r, "build", "Program, SHA-256", text);
	sum_settings(a->admin->settings, text);
	record_text(r, "settings", "Settings, SHA-256", text);
	sum_filter(SANDBOX_WORKER, text);
	record_text(r, "worker_filter", "Workers' filter, SHA-256", text);
	sum_filter(SANDBOX_FLUSHER, text);
	record_text(r, "flusher_filter", "Flusher's filter, SHA-256", text);
	if (uname(&name) != 0)
		return;
	snprintf(kernel, sizeof(kernel), "%s %s %s %s", name.sysname,
	    name.release, name.version, name.machine);
	record_text(r, "kernel", "Kernel", kernel);
}

static void
add_reasons(const struct attest *a, struct record *r)
{
	static const struct report_column columns[] = {
		{ "reason", "REASON", REPORT_TEXT, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list = report_list("reasons", columns);

	if (a->reasons > 0)
		record_line(r, "Why it shows nothing:");
	for (unsigned i = 0; i < a->reasons; i++) {
		report_text(list, a->reason[i]);
		record_line(r, "  %s", a->reason[i]);
	}
	record_list(r, &list);
}

static void
add_paths(const struct attest *a, struct record *r)
{
	static const struct report_column columns[] = {
		{ "path", "PATH", REPORT_TEXT, false },
		{ "done", "DONE", REPORT_FLAG, false },
		{ "status", "STATUS", REPORT_NUMBER, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list = report_list("paths", columns);

	record_line(r, " ");
	record_line(r, "Calls made, each with canaries of its own");
	for (int i = 0; i < CANARY_PATHS; i++) {
		const struct attest_path_result *p = &a->calls.result[i];
		const char *name = canary_path_name((enum canary_path)i);

		report_text(list, name);
		report_flag(list, p->done);
		report_number(list, p->status);
		record_line(r, "  %-20s  %s", name, p->done ? "done" :
		    i == PATH_KILLED && !a->kill_worker ?
		    "left out; --kill-worker makes it" : "not done");
	}
	record_list(r, &list);
}

static void
add_searched(const struct attest *a, struct record *r)
{
	static const struct report_column columns[] = {
		{ "area", "AREA", REPORT_TEXT, false },
		{ "targets", "TARGETS", REPORT_NUMBER, false },
		{ "bytes", "BYTES", REPORT_NUMBER, false },
		{ "unread", "UNREAD", REPORT_NUMBER, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list = report_list("searched", columns);

	record_line(r, " ");
	record_line(r, "Searched");
	for (int i = 0; i < SCAN_AREAS; i++) {
		const struct scan_total *t = &a->scan.total[i];
		const char *name = scan_area_name((enum scan_area)i);

		report_text(list, name);
		report_number(list, (int64_t)t->targets);
		report_number(list, (int64_t)t->bytes);
		report_number(list, (int64_t)t->unread);
		record_line(r, "  %-20s  %5llu, %llu bytes", name,
		    (unsigned long long)t->targets,
		    (unsigned long long)t->bytes);
	}
	record_list(r, &list);
}

static void
add_controls(const struct attest *a, struct record *r)
{
	static const struct report_column columns[] = {
		{ "control", "CONTROL", REPORT_TEXT, false },
		{ "found", "FOUND", REPORT_FLAG, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list = report_list("controls", columns);
	const char *what;
	bool found;

	record_line(r, " ");
	record_line(r, "Controls: what must be found, for the search to mean "
	    "anything");
	for (int n = 0; (what = attest_control(a, n, &found)) != NULL; n++) {
		report_text(list, what);
		report_flag(list, found);
		record_line(r, "  %-9s  %s", found ? "found" : "NOT FOUND",
		    what);
	}
	record_list(r, &list);
}

static void
add_findings(const struct attest *a, struct record *r)
{
	static const struct report_column columns[] = {
		{ "area", "AREA", REPORT_TEXT, false },
		{ "canary", "CANARY", REPORT_TEXT, false },
		{ "form", "FORM", REPORT_TEXT, false },
		{ "times", "TIMES", REPORT_NUMBER, false },
		{ "where", "WHERE", REPORT_TEXT, false },
		{ "control", "CONTROL", REPORT_FLAG, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list = report_list("findings", columns);
	char name[CANARY_NAME_BYTES];

	record_line(r, " ");
	record_line(r, "Found");
	for (size_t i = 0; i < a->scan.findings; i++) {
		const struct scan_finding *f = &a->scan.finding[i];
		uint64_t times = f->halves[0] > f->halves[1] ? f->halves[0] :
		    f->halves[1];

		canary_name(f->canary, name);
		report_text(list, scan_area_name(f->area));
		report_text(list, name);
		report_text(list, canary_form_name(f->form));
		report_number(list, (int64_t)times);
		report_text(list, f->where);
		report_flag(list, f->canary > CANARY_KEY);
		record_line(r, "  %s%s, %s, %llu times, in %s: %s",
		    f->canary > CANARY_KEY ? "" : "LEAK: ", name,
		    canary_form_name(f->form), (unsigned long long)times,
		    scan_area_name(f->area), f->where);
	}
	record_list(r, &list);
}

static void
add_workers(const struct attest *a, struct record *r)
{
	static const struct report_column columns[] = {
		{ "pid", "PID", REPORT_NUMBER, false },
		{ "confined", "CONFINED", REPORT_FLAG, false },
		{ "seccomp", "SECCOMP", REPORT_FLAG, false },
		{ "no_new_privs", "NNP", REPORT_FLAG, false },
		{ "no_capabilities", "NOCAPS", REPORT_FLAG, false },
		{ "other_user", "USER", REPORT_FLAG, false },
		{ "no_core", "NOCORE", REPORT_FLAG, false },
		{ "no_file_growth", "NOFILES", REPORT_FLAG, false },
		{ "no_processes", "NOPROCS", REPORT_FLAG, false },
		{ "landlock", "LANDLOCK", REPORT_FLAG, false },
		{ "files", "FILES", REPORT_NUMBER, false },
		{ "file", "FILE", REPORT_TEXT, false },
		{ "locked_kb", "LOCKED", REPORT_NUMBER, false },
		{ "swapped_kb", "SWAPPED", REPORT_NUMBER, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list = report_list("workers", columns);

	record_line(r, " ");
	record_line(r, "Workers, as /proc shows them (Landlock: their own "
	    "word)");
	for (size_t i = 0; i < a->workers; i++) {
		const struct confinement *c = &a->worker[i];
		const bool flags[] = { process_confined(c), c->seccomp,
			c->no_new_privs, c->no_capabilities, c->other_user,
			c->no_core, c->no_file_growth, c->no_processes,
			c->landlock };

		report_number(list, c->pid);
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
			report_flag(list, flags[j]);
		report_number(list, c->files);
		report_text(list, c->file);
		report_number(list, c->locked_kb);
		report_number(list, c->swapped_kb);
		record_line(r, "  %ld  %s%s%s%s%s%s%s%s%s", (long)c->pid,
		    process_confined(c) ? "confined" : "NOT CONFINED",
		    c->seccomp ? "" : ", no seccomp",
		    c->no_new_privs ? "" : ", may gain privileges",
		    c->no_capabilities ? "" : ", has capabilities",
		    c->other_user ? "" : ", is root",
		    c->no_core ? "" : ", may dump core",
		    c->no_file_growth ? "" : ", may write files",
		    c->no_processes ? "" : ", may make processes",
		    c->landlock || !c->landlock_known ? "" : ", no Landlock");
		record_line(r, "        %ld KB locked, %ld KB swapped, %u "
		    "files open%s%s", c->locked_kb, c->swapped_kb, c->files,
		    c->files > 0 ? ": " : "", c->file);
	}
	record_list(r, &list);
	record_flag(r, "swap", "Swap is on", a->swap.on);
	record_text(r, "core_pattern", "Core pattern", a->swap.core_pattern);
}

static void
add_limits(struct record *r)
{
	static const struct report_column columns[] = {
		{ "what", "WHAT", REPORT_TEXT, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list = report_list("cannot_show", columns);

	record_line(r, " ");
	record_line(r, "What this cannot show");
	for (size_t i = 0; i < sizeof(cannot_show) / sizeof(cannot_show[0]);
	    i++) {
		report_text(list, cannot_show[i]);
		record_line(r, "  %s", cannot_show[i]);
	}
	record_list(r, &list);
}

bool
attest_report(const struct attest *a)
{
	struct record *r = record_open();
	char *text = NULL;
	size_t len = 0;
	struct buf report;
	FILE *out;
	bool ok;

	add_identity(a, r);
	add_reasons(a, r);
	add_paths(a, r);
	add_searched(a, r);
	add_workers(a, r);
	add_controls(a, r);
	add_findings(a, r);
	add_limits(r);
	out = open_memstream(&text, &len);
	if (out == NULL) {
		record_discard(&r);
		return false;
	}
	record_write(&r, a->admin->json, out);
	if (fclose(out) != 0)
		return false;
	/* Key and signature come before the last brace. */
	while (len > 0 && (text[len - 1] == '\n' ||
	    (a->admin->json && text[len - 1] == '}')))
		if (text[--len] == '}')
			break;
	buf_init(&report, SIZE_MAX / 2);
	ok = buf_append(&report, text, len) &&
	    attest_sign(&report, &a->key, a->admin->json);
	if (ok)
		fwrite(buf_head(&report), 1, report.len, stdout);
	free(text);
	buf_free(&report);
	return ok;
}
