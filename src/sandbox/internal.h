/*
 * internal.h: the parts that have a file of their own.
 * Layer: sandbox (private).
 */
#ifndef SANDBOX_INTERNAL_H
#define SANDBOX_INTERNAL_H

#include <stdbool.h>

#include "sandbox/sandbox.h"

/* False with errno when the kernel doesn't have it or refuses. */
bool	filter_install(enum sandbox_role role)
	    __attribute__((warn_unused_result));
bool	filter_supported(void);
/* What may be read: nothing, what libraries read, or everything. */
enum landlock_reads {
	LANDLOCK_READS_NOTHING,
	LANDLOCK_READS_LIBRARIES,
	LANDLOCK_READS_ALL
};
/* writable_dir NULL: nothing may be written. */
bool	landlock_restrict(const char *writable_dir, enum landlock_reads reads)
	    __attribute__((warn_unused_result));
bool	landlock_supported(void);

#endif
