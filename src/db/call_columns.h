/*
 * call_columns.h: a call record as a row of youyun.call, and back.
 * Layer: db.
 * Written by: the flusher (rows in), query files (rows out).
 */
#ifndef DB_CALL_COLUMNS_H
#define DB_CALL_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "db/value.h"
#include "shm/record.h"

/* The columns, in the order of everything here. */
#define CALL_COLUMNS \
	"started_at, request_id, journal_id, journal_seq," \
	" ledger_transaction_id, customer_id, key_id, group_id, model_id," \
	" channel_id, price_version, fee_nano, uncollected_nano, held_nano," \
	" input_tokens, output_tokens, cache_read_tokens," \
	" cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens," \
	" request_bytes, answer_bytes, multiplier_ppm, flags, queue_ms," \
	" first_byte_ms, total_ms, route, protocol, status, error," \
	" upstream_status, node_id, attempts, credential_id," \
	" input_audio_tokens, output_audio_tokens," \
	" input_image_tokens, output_image_tokens, images, calls," \
	" milliseconds, characters, tool_calls, cache_read_audio_tokens," \
	" other_model_id, other_price_version, other_input_tokens," \
	" other_output_tokens, other_cache_read_tokens," \
	" other_cache_write_5m_tokens, other_cache_write_1h_tokens," \
	" image_width, image_height, tier, speed, region, image_quality," \
	" screen_list_id, moderation," \
	" address, agent"
#define CALL_COLUMN_COUNT 62

/* COPY binary: before the first row, a row, after the last. */
#define CALL_COPY_HEADER_BYTES 19
#define CALL_COPY_ROW_MAX_BYTES 1024
#define CALL_COPY_TRAILER_BYTES 2
size_t	call_copy_header(uint8_t *p);
size_t	call_copy_trailer(uint8_t *p);

/*
 * Writes one row at p and returns its size.  The record was in memory that
 * workers write: what no column can hold (a time outside of 2000 to 2200, a
 * count above 2^63-1, bytes that are not printable ASCII) is made to fit, so
 * that no record can hold up those behind it.  transaction_id 0: none.
 */
size_t	call_copy_row(const struct call_record *record, uint64_t journal_id,
	    uint64_t journal_seq, int64_t transaction_id, uint8_t *p);

/* Reads CALL_COLUMNS from column 0 on. */
void	call_columns_read(const struct db_rows *rows, size_t row,
	    struct call_record *record_r, uint64_t *journal_id_r,
	    uint64_t *journal_seq_r, int64_t *transaction_id_r);

#endif
