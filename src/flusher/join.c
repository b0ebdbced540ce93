#include "flusher/join.h"

#include <time.h>

bool
join_within(pthread_t thread, int patience_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += patience_ms / 1000 + 1;
	return pthread_timedjoin_np(thread, NULL, &t) == 0;
}
