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

#include <stddef.h>
#include <stdint.h>

#include "admin/admin.h"

struct args;

/* From 1 to most; INT64_MAX: any number above zero. */
enum admin_exit	option_number(const struct args *args, const char *name,
	    int64_t most, int64_t *number_r)
	    __attribute__((warn_unused_result));
/* As check_time() has it. */
enum admin_exit	option_time(const struct args *args, const char *name,
	    int64_t *us_r) __attribute__((warn_unused_result));
/* An amount from 0 on; -1: it wasn't given. */
enum admin_exit	option_cap(const struct args *args, const char *name,
	    int64_t *nano_r) __attribute__((warn_unused_result));
/* One line, as check_text() has it; several, as check_lines() has it. */
enum admin_exit	option_text(const struct args *args, const char *name,
	    const char **text_r) __attribute__((warn_unused_result));
enum admin_exit	option_lines(const struct args *args, const char *name,
	    size_t most, const char **text_r)
	    __attribute__((warn_unused_result));
/* One of the words, which end with NULL. */
enum admin_exit	option_word(const struct args *args, const char *name,
	    const char *const *words, const char **word_r)
	    __attribute__((warn_unused_result));
/* Says that it must be given. */
enum admin_exit	option_missing(const char *name);
/* --customer; opens the database, whether it was given or not. */
enum admin_exit	option_customer(struct admin *admin, const struct args *args,
	    int64_t *id_r) __attribute__((warn_unused_result));

#endif
