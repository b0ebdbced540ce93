/*
 * suggest.h: "did you mean …?"
 * Layer: admin.
 * Written by: one caller, on its own stack.
 */
#ifndef ADMIN_SUGGEST_H
#define ADMIN_SUGGEST_H

#define SUGGEST_BYTES 80

struct suggest {
	char typed[SUGGEST_BYTES];
	char best[SUGGEST_BYTES];
	unsigned int distance;	/* of best */
};

void	suggest_start(struct suggest *s, const char *typed);
/* Candidates are copied; long ones are passed over. */
void	suggest_try(struct suggest *s, const char *candidate);
/* NULL when nothing is near enough. */
const char *suggest_best(const struct suggest *s);

#endif
