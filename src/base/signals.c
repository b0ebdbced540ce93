#include "base/signals.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

void
signals_of_child(void (*on_term)(int))
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGHUP, SIGUSR1,
		SIGXFSZ };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = on_term;
	(void)sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &sa, NULL);
	(void)sigprocmask(SIG_SETMASK, &sa.sa_mask, NULL);
}
