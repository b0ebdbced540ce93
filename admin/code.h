/*
 * code.h: "code create", which has a file of its own.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_CODE_H
#define ADMIN_CODE_H

#include "admin/admin.h"
#include "admin/args.h"

extern const struct opt code_create_options[];
enum admin_exit	code_create(struct admin *admin, const struct args *args);

#endif
