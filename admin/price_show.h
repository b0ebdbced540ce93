/*
 * price_show.h: "price show".
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_PRICE_SHOW_H
#define ADMIN_PRICE_SHOW_H

#include "admin/admin.h"
#include "admin/args.h"

extern const struct opt price_show_options[];
enum admin_exit	price_show_run(struct admin *admin, const struct args *args);

/* Says that a model has no price, and suggests another; ADMIN_NOT_FOUND. */
enum admin_exit	price_no_model(struct admin *admin, const char *model);

#endif
