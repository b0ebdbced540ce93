/*
 * key.h: a customer's key, by its number or its looks.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_KEY_H
#define ADMIN_KEY_H

#include <stdint.h>

#include "admin/admin.h"

/* admin_database() first.  A whole key is refused: others can read it. */
enum admin_exit	admin_key(struct admin *admin, const char *word,
	    int64_t *id_r) __attribute__((warn_unused_result));

#endif
