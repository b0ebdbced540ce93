/*
 * replay.c: runs a fuzz target over its stored inputs, without a fuzzer.
 *
 * Usage: fuzz_<target> [file ...]; without files, all of seeds/<target>/.
 */
#include <dirent.h>
#include <limits.h>

#include "tests/fuzz/fuzz.h"

#define EXIT_ERROR 99

static void
die(const char *what, const char *name)
{
	fprintf(stderr, "%s: ", what);
	perror(name);
	exit(EXIT_ERROR);
}

static void
replay_file(const char *name)
{
	uint8_t *data = NULL;
	size_t len = 0, size = 0, n;
	FILE *file = fopen(name, "rb");

	if (file == NULL)
		die("cannot open", name);
	do {
		size = size * 2 + 4096;
		data = realloc(data, size);
		if (data == NULL)
			die("cannot hold", name);
		n = fread(data + len, 1, size - len, file);
		len += n;
	} while (n > 0);
	if (ferror(file))
		die("cannot read", name);
	fclose(file);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
}

static int
replay_folder(const char *folder)
{
	char name[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(folder);
	int n = 0;

	if (dir == NULL)
		die("cannot open", folder);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", folder,
		    entry->d_name) >= (int)sizeof(name)) {
			fprintf(stderr, "%s: the path is too long\n", folder);
			exit(EXIT_ERROR);
		}
		replay_file(name);
		n++;
	}
	closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	const char *top = getenv("YOUYUN_SRCDIR"), *target;
	char folder[PATH_MAX];
	int i;

	for (i = 1; i < argc; i++)
		replay_file(argv[i]);
	if (argc > 1)
		return 0;
	target = strrchr(argv[0], '/');
	target = target != NULL ? target + 1 : argv[0];
	if (strncmp(target, "fuzz_", 5) == 0)
		target += 5;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/seeds/%s",
	    top != NULL ? top : ".", target);
	if (replay_folder(folder) == 0) {
		fprintf(stderr, "%s: no inputs\n", folder);
		return EXIT_ERROR;
	}
	return 0;
}
