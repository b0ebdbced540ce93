/*
 * attest_files.h: searching files, and where cores and swap would be.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_ATTEST_FILES_H
#define ADMIN_ATTEST_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/attest_scan.h"

struct processes;

/*
 * Regular files at or below a path that were changed since (seconds since
 * 1970; 0: all); skip: a folder to be left out, or NULL.  Links aren't
 * followed.  What isn't there is no mistake.
 */
void	files_scan(struct scan *scan, enum scan_area area, const char *path,
	    int64_t since_s, const char *skip);
/* Files without a name any more that the processes have open. */
void	files_scan_nameless(struct scan *scan,
	    const struct processes *processes);
/* Cores, wherever the kernel's pattern and the usual services put them. */
void	files_scan_cores(struct scan *scan, int64_t since_s);

struct swap_state {
	bool known;
	bool on;
	char core_pattern[SCAN_WHERE_BYTES];
};
void	swap_look(struct swap_state *state_r);

#endif
