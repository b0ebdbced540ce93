/*
 * record.h: the record of one call; all that is ever kept about it.
 * Layer: shm.  Fixed size and little-endian, the same bytes in the ring, in
 * the journal and (field by field) in the database.
 * Written by: the call's worker; after its death, once, by the reclaimer.
 */
#ifndef SHM_RECORD_H
#define SHM_RECORD_H

#include <assert.h>
#include <stdint.h>

#include "base/usage.h"

#define RECORD_BYTES 512
#define RECORD_AGENT_BYTES 96
#define RECORD_ID_BYTES 16

/* flags; stored: append, never renumber */
#define RECORD_STREAMED		0x0001u	/* the answer was a stream */
#define RECORD_ESTIMATED	0x0002u	/* usage is our estimate */
#define RECORD_CLAMPED		0x0004u	/* usage was impossible and was cut */
#define RECORD_CUT_SHORT	0x0008u	/* the money ran out on the way */
#define RECORD_CLIENT_GONE	0x0010u	/* the client left before the end */
#define RECORD_UPSTREAM_CUT	0x0020u	/* the upstream broke off */
#define RECORD_RECLAIMED	0x0040u	/* settled after its worker's death */
#define RECORD_RETRIED		0x0080u	/* a second upstream connection */
#define RECORD_UNKNOWN_USAGE	0x0100u	/* a usage field that no meter knows */
#define RECORD_UNPRICED		0x0200u	/* something used had no price of its
					 * own; base/fee.h says what then */
#define RECORD_FLAGGED		0x0400u	/* something of a list was found, or
					 * moderation said so */
#define RECORD_BLOCKED		0x0800u	/* … and it was refused for that */
#define RECORD_ADDRESS_NETWORK	0x1000u	/* of the address its network is kept */
#define RECORD_ADDRESS_NONE	0x2000u	/* … nothing */
#define RECORD_AGENT_NONE	0x4000u	/* of the user agent nothing */
#define RECORD_LATE		0x00010000u /* booked after its node was fenced */

/* What became of asking about the request; stored: append, never renumber. */
enum moderation_status {
	MODERATION_NONE = 0,		/* nobody was asked */
	MODERATION_PASSED = 1,
	MODERATION_FLAGGED = 2,		/* and forwarded */
	MODERATION_BLOCKED = 3,
	MODERATION_OPEN = 4,		/* no answer, and forwarded */
	MODERATION_CLOSED = 5		/* no answer, and refused */
};

/*
 * Amounts in nano-units; counts by enum usage_dim, disjoint.  What has no
 * value is 0: a refused call has no model_id if its model is unknown, and
 * neither account_id nor key_id if its key is.
 */
struct call_record {
	uint8_t request_id[RECORD_ID_BYTES]; /* RFC 9562 version 7 */
	int64_t started_us;		/* wall clock, microseconds */
	uint64_t account_id;		/* database ids from here … */
	uint64_t key_id;
	uint64_t group_id;
	uint64_t model_id;
	uint64_t channel_id;
	uint64_t price_version;		/* … to here */
	int64_t fee_nano;		/* charged */
	int64_t uncollected_nano;	/* owed above what was held */
	int64_t held_nano;		/* at the end, before settling */
	uint64_t count[USAGE_SLOTS];
	uint64_t reasoning;
	uint64_t request_bytes;		/* the client's body */
	uint64_t answer_bytes;		/* body bytes taken from upstream */
	uint32_t multiplier_ppm;
	uint32_t flags;			/* RECORD_… */
	uint32_t queue_ms;		/* start until upstream had the call */
	uint32_t first_byte_ms;		/* start until the first body byte */
	uint32_t total_ms;
	uint16_t route;			/* enum wire_route */
	uint16_t protocol;		/* enum wire_protocol */
	uint16_t status;		/* HTTP status given to the client */
	uint16_t error;			/* enum wire_error; 0: none */
	uint16_t upstream_status;	/* 0: no answer */
	uint16_t node;
	uint8_t address[16];		/* IPv6, or IPv4 mapped into it */
	uint8_t agent[RECORD_AGENT_BYTES]; /* printable ASCII, cut, 0-filled */
	uint64_t credential_id;		/* of the channel's; a database id */
	/* What another model did within the call; 0: none did. */
	uint64_t other_model_id;	/* 0, with counts: one we don't sell */
	uint64_t other_price_version;	/* then price_version */
	uint32_t other_count[USAGE_OTHER_DIMS];
	uint16_t attempts;		/* sent to so many; 0: to none */
	uint16_t image_width;
	uint16_t image_height;
	uint8_t tier;			/* enum usage_tier */
	uint8_t speed;			/* enum usage_speed */
	uint8_t region;			/* enum usage_region */
	uint8_t image_quality;		/* enum image_quality */
	uint16_t screen_list_id;	/* what was found is of this list */
	uint8_t moderation;		/* enum moderation_status */
	uint8_t spare[63];		/* 0 */
};

static_assert(USAGE_COUNT_MAX <= UINT32_MAX, "other_count holds any count");
static_assert(sizeof(struct call_record) == RECORD_BYTES,
    "a call record's size is part of the journal's format");

/* As customers see it in x-request-id: "req_" and 32 hexadecimal digits. */
#define RECORD_ID_TEXT_BYTES 37
void	record_id_format(const uint8_t id[RECORD_ID_BYTES],
	    char text_r[RECORD_ID_TEXT_BYTES]);

/* When it was made, to the millisecond, in microseconds since 1970. */
int64_t	record_id_us(const uint8_t id[RECORD_ID_BYTES]);

/* Forgets of who called what its flags say is not kept.  Limits by address
 * need the whole of it in the segment; nothing writes it anywhere before. */
void	record_minimise(struct call_record *record);

/* What of a usage is recorded, and what fees are computed from again.
 * usage.other.model is not kept: its id and price version are set apart. */
void	record_put_usage(struct call_record *record,
	    const struct usage *usage);
void	record_get_usage(const struct call_record *record,
	    struct usage *usage_r);

#endif
