/*
 * accounts.h: which slot of the segment a customer has.
 * Layer: flusher.
 * Written by: the directory thread; private memory.
 */
#ifndef FLUSHER_ACCOUNTS_H
#define FLUSHER_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

struct accounts;

/* Returned, caller closes; NULL: no memory. */
struct accounts *accounts_open(void);
void	accounts_close(struct accounts **accounts);

/* ACCOUNT_NONE when the customer has none. */
uint32_t accounts_find(const struct accounts *accounts, uint64_t customer_id);
bool	accounts_add(struct accounts *accounts, uint64_t customer_id,
	    uint32_t slot) __attribute__((warn_unused_result));

#endif
