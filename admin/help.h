/*
 * help.h: what `youyunctl help` prints, made from the tables of commands.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_HELP_H
#define ADMIN_HELP_H

#include <stdio.h>

#include "admin/args.h"


struct verb;

/* Those that every command takes. */
extern const struct opt common_options[];

void	help_all(void);
void	help_noun(const char *noun, FILE *out);
void	help_verb(const struct verb *verb);
/* "usage: youyunctl …" */
void	help_usage(const struct verb *verb, FILE *out);

#endif
