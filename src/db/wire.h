/*
 * wire.h: PostgreSQL's binary format: type numbers and byte order.
 * Layer: db; also for the flusher's COPY.  Source: pg_type.dat, and the send
 * and receive functions of each type (int8send, timestamptz_send, inet_send).
 * Written by: pure functions.
 */
#ifndef DB_WIRE_H
#define DB_WIRE_H

#include <stdint.h>
#include <string.h>

enum pg_type {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_NAME = 19,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_INET = 869,
	PG_TEXT_ARRAY = 1009,
	PG_INT8_ARRAY = 1016,
	PG_TIMESTAMPTZ = 1184,
	PG_UUID = 2950
};

/* 2000-01-01 in microseconds since 1970: the zero of timestamptz. */
#define PG_EPOCH_US INT64_C(946684800000000)

/* First byte of an inet. */
#define PG_INET_V4 2
#define PG_INET_V6 3

static inline void
wire_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
wire_put32(uint8_t *p, uint32_t v)
{
	wire_put16(p, (uint16_t)(v >> 16));
	wire_put16(p + 2, (uint16_t)v);
}

static inline void
wire_put64(uint8_t *p, uint64_t v)
{
	wire_put32(p, (uint32_t)(v >> 32));
	wire_put32(p + 4, (uint32_t)v);
}

static inline uint16_t
wire_get16(const uint8_t *p)
{
	return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}

static inline uint32_t
wire_get32(const uint8_t *p)
{
	return (uint32_t)wire_get16(p) << 16 | wire_get16(p + 2);
}

static inline uint64_t
wire_get64(const uint8_t *p)
{
	return (uint64_t)wire_get32(p) << 32 | wire_get32(p + 4);
}

#endif
