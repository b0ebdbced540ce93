/*
 * spent.h: what was spent today, this month and in all, in SQL.
 * Layer: db.
 * Written by: nobody.
 *
 * SELECT SPENT_COLUMNS FROM SPENT_DAYS(time) … with usage_day, or the customers'
 * view of it, as u: that day's fees, its month's, all, and all tokens, bigint
 * each.  Days and months are UTC's.
 */
#ifndef DB_SPENT_H
#define DB_SPENT_H

#define SPENT_DAYS(at) " (SELECT (" at " AT TIME ZONE 'UTC')::date AS day," \
	"  youyun.month_of((" at " AT TIME ZONE 'UTC')::date) AS month) t"
#define SPENT_COLUMNS \
	" coalesce(sum(u.fee_nano) FILTER (WHERE u.day = t.day), 0)::bigint," \
	" coalesce(sum(u.fee_nano) FILTER (WHERE u.day >= t.month)," \
	"  0)::bigint, coalesce(sum(u.fee_nano), 0)::bigint," \
	" coalesce(youyun.saturated(sum(u.input_tokens::numeric" \
	"  + u.output_tokens)), 0)"

#endif
