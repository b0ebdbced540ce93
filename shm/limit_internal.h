/*
 * limit_internal.h: where a slot's limits stand.  Private to shm/.
 * Layer: shm.
 * Written by: see limit.h and budget.h.
 */
#ifndef SHM_LIMIT_INTERNAL_H
#define SHM_LIMIT_INTERNAL_H

#include "shm/layout.h"
#include "shm/limit.h"

/* NULL: there is no such slot; it may come from another process. */
struct shm_limit *limit_line(const struct shm *shm, enum limit_level level,
	    uint32_t slot);

#endif
