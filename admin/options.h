/*
 * options.h: values of options that many commands have.
 * Layer: admin.
 * Written by: nobody.
 *
 * Where the option wasn't given the value stays as it is; what can't be has
 * been said, and is ADMIN_USAGE.
 */
#ifndef ADMIN_OPTIONS_H
#define ADMIN_OPTIONS_H

#include <stdint.h>

#include "admin/admin.h"

struct args;

/* From 1 to most; INT64_MAX: any number above zero. */
enum admin_exit	option_number(const struct args *args, const char *name,
	    int64_t most, int64_t *number_r) __attribute__((warn_unused_result));
/* As check_time() has it. */
enum admin_exit	option_time(const struct args *args, const char *name,
	    int64_t *us_r) __attribute__((warn_unused_result));
/* An amount from 0 on; -1: it wasn't given. */
enum admin_exit	option_cap(const struct args *args, const char *name,
	    int64_t *nano_r) __attribute__((warn_unused_result));
/* --customer; opens the database, whether it was given or not. */
enum admin_exit	option_customer(struct admin *admin, const struct args *args,
	    int64_t *id_r) __attribute__((warn_unused_result));

#endif
