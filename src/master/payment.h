/*
 * payment.h: the keys of payment notifications, read as root, handed on to the
 * portal, which can open no file.
 * Layer: master.
 * Written by: the master at its start and at each reload.
 */
#ifndef MASTER_PAYMENT_H
#define MASTER_PAYMENT_H

#include <stdbool.h>

#include "base/payment.h"

struct conf_report;
struct settings;

/*
 * What the settings payment_secret_file and payment_public_key name; without
 * them *keys_r is all zero.  False: *report says what is wrong; *keys_r is
 * zero.  The caller scrubs.
 */
bool	payment_read(const struct settings *settings, const char *file,
	    struct payment_keys *keys_r, struct conf_report *report)
	    __attribute__((warn_unused_result));

#endif
