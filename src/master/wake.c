#include "master/wake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "conf/settings.h"

uint32_t
wake_count(const struct settings *settings, uint32_t seats)
{
	return settings->durability == DURABILITY_STRICT ? seats + 1 : 0;
}

static int
make(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

bool
wake_open(struct wake *wake, const struct settings *settings, uint32_t seats)
{
	int saved;

	*wake = (struct wake){ .flusher_fd = -1 };
	if (wake_count(settings, seats) == 0)
		return true;
	wake->seat_fd = calloc(seats, sizeof(*wake->seat_fd));
	if (wake->seat_fd == NULL)
		return false;
	wake->flusher_fd = make();
	if (wake->flusher_fd < 0)
		goto failed;
	while (wake->seats < seats) {
		wake->seat_fd[wake->seats] = make();
		if (wake->seat_fd[wake->seats] < 0)
			goto failed;
		wake->seats++;
	}
	return true;
failed:
	saved = errno;
	wake_close(wake);
	errno = saved;
	return false;
}

void
wake_keep(struct wake *wake, uint32_t seat)
{
	for (uint32_t i = 0; i < wake->seats; i++)
		if (i != seat && wake->seat_fd[i] >= 0) {
			close(wake->seat_fd[i]);
			wake->seat_fd[i] = -1;
		}
}

void
wake_close(struct wake *wake)
{
	wake_keep(wake, wake->seats);
	if (wake->flusher_fd >= 0)
		close(wake->flusher_fd);
	free(wake->seat_fd);
	*wake = (struct wake){ .flusher_fd = -1 };
}
