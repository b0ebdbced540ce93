/*
 * policy.h: what the key and the account allow, where it is less than all.
 * Layer: worker (private).
 * Written by: nobody; reads the view.
 *
 * A call may do what its key's policy and its account's both allow.  A policy
 * that the view doesn't know allows nothing.
 */
#ifndef WORKER_POLICY_H
#define WORKER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue_channel;
struct catalogue_view;

struct policy_pair {
	uint32_t id[2];		/* the key's, the account's; 0: none */
};

/* address: IPv6, or IPv4 mapped into it. */
bool	policy_address(const struct catalogue_view *view,
	    const struct policy_pair *pair, const uint8_t address[16]);
/* The name that the customer calls the model by. */
bool	policy_model(const struct catalogue_view *view,
	    const struct policy_pair *pair, const char *name, size_t len);
/* A channel that says no region is in none. */
bool	policy_region(const struct catalogue_view *view,
	    const struct policy_pair *pair,
	    const struct catalogue_channel *channel);

#endif
