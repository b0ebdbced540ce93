#include "db/fetch.h"
#include "db/queries.h"

#define UNLESS_BELOW_0(column, n) \
	" " column " = CASE WHEN " n " < 0 THEN " column " ELSE " n " END,"

enum db_result
q_channel_bounds_set(struct db *db, int64_t id,
    const struct channel_bounds *b)
{
	struct db_param p[] = { db_int(id), db_int(b->connect_ms),
		db_int(b->first_byte_ms), db_int(b->first_token_ms),
		db_int(b->idle_ms), db_int(b->total_ms),
		db_int(b->max_concurrent), db_int(b->max_per_minute),
		db_text(b->region), db_text(b->entity), db_text(b->headers),
		db_int(b->translates_responses), db_text(b->purpose),
		db_int(b->max_tokens), db_int(b->max_day_nano),
		db_int(b->max_month_nano) };

	return db_change(db, "UPDATE youyun.channel SET"
	    UNLESS_BELOW_0("connect_ms", "$2")
	    UNLESS_BELOW_0("first_byte_ms", "$3")
	    UNLESS_BELOW_0("first_token_ms", "$4")
	    UNLESS_BELOW_0("idle_ms", "$5")
	    UNLESS_BELOW_0("total_ms", "$6")
	    UNLESS_BELOW_0("max_concurrent", "$7")
	    UNLESS_BELOW_0("max_per_minute", "$8")
	    UNLESS_BELOW_0("max_tokens_per_minute", "$14")
	    UNLESS_BELOW_0("max_day_nano", "$15")
	    UNLESS_BELOW_0("max_month_nano", "$16")
	    " region = coalesce($9, region), entity = coalesce($10, entity),"
	    " headers = coalesce($11, headers),"
	    " purpose = coalesce($13, purpose), translates_responses ="
	    " CASE WHEN $12 < 0 THEN translates_responses ELSE $12 > 0 END"
	    " WHERE id = $1 RETURNING id", p, 16);
}
