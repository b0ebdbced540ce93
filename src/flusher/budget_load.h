/*
 * budget_load.h: caps of spending into the segment, with what was spent before
 * they were set.
 * Layer: flusher; the directory thread.
 * Written by: the directory thread.
 *
 * Where there was no cap nothing was counted, so a slot that gets its first,
 * and any slot of a new segment, begins with the sums of usage_day.  Calls
 * that are open, or whose records are on their way, when a cap is set on a
 * running segment are not among them.
 */
#ifndef FLUSHER_BUDGET_LOAD_H
#define FLUSHER_BUDGET_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "db/connection.h"
#include "shm/budget.h"

struct shm;

/* Those whose use isn't known yet; zero at first. */
struct budget_news {
	struct budget_new {
		enum limit_level level;
		uint32_t slot;
		int64_t id;		/* key, customer or group */
		struct budget_caps caps;
	} *item;
	uint32_t n, max;
	bool full_said;
};

/* Takes a slot's caps over, at once or with budget_load(). */
void	budget_note(struct budget_news *news, struct shm *shm,
	    const struct budget_new *item);
/* Asks what was used, and makes the noted caps hold. */
enum db_result budget_load(struct budget_news *news, struct shm *shm,
	    struct db *db, uint16_t node) __attribute__((warn_unused_result));
void	budget_news_free(struct budget_news *news);

#endif
