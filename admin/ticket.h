/*
 * ticket.h: what the commands about tickets share.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_TICKET_H
#define ADMIN_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/args.h"
#include "shm/record.h"

/* A ticket, as far as it is needed beyond its row. */
struct ticket {
	int64_t id;
	int64_t customer_id;
	char customer[130];
	char subject[256];
	int64_t state;
	int64_t created_us, changed_us;
	int64_t call_started_us;
	bool has_call;
	uint8_t request_id[RECORD_ID_BYTES];
	int found;
};

/* Opens the database.  ADMIN_USAGE, ADMIN_NOT_FOUND: said already. */
enum admin_exit	ticket_find(struct admin *admin, const char *word,
	    struct ticket *ticket_r) __attribute__((warn_unused_result));
/* "open", "answered", "closed". */
const char *ticket_state_name(int64_t state);

extern const struct opt ticket_show_options[];	/* ticket_show.c */
enum admin_exit	ticket_show(struct admin *admin, const struct args *args);
extern const struct opt ticket_refund_options[];	/* ticket_refund.c */
enum admin_exit	ticket_refund(struct admin *admin, const struct args *args);

#endif
