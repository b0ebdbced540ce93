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
/* writable_dir NULL: nothing at all may be opened. */
bool	landlock_restrict(const char *writable_dir, bool reads_anywhere)
	    __attribute__((warn_unused_result));
bool	landlock_supported(void);

#endif
