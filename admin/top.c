/* Two looks at a segment, and what happened between them. */
#include "admin/top.h"

#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/channel_health.h"
#include "base/clock.h"
#include "shm/catalogue.h"
#include "shm/channel.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/ring.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define READ_MAX 256
#define FIRST_ROOM 64

struct top {
	const struct shm *shm;
	uint64_t *position;		/* by seat: records seen so far */
	struct mono_time last;
	struct top_look look;
};

struct top *
top_open(const struct shm *shm)
{
	struct top *top = calloc(1, sizeof(*top));
	uint32_t seat;

	if (top == NULL)
		return NULL;
	top->shm = shm;
	top->position = calloc(seat_count(shm), sizeof(*top->position));
	if (top->position == NULL) {
		free(top);
		return NULL;
	}
	for (seat = 0; seat < seat_count(shm); seat++)
		top->position[seat] = ring_head(shm, seat);
	top->last = clock_mono();
	return top;
}

void
top_close(struct top **top)
{
	if (*top == NULL)
		return;
	free((*top)->look.customers.line);
	free((*top)->look.channels.line);
	free((*top)->position);
	free(*top);
	*top = NULL;
}

/*
 * Sorted by id while they grow: a node has few customers that are at it
 * within a second or two.
 */
static bool
find_line(const struct top_lines *lines, uint64_t id, size_t *at_r)
{
	size_t low = 0, high = lines->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (lines->line[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	*at_r = low;
	return low < lines->n && lines->line[low].id == id;
}

static void
make_room(struct top_lines *lines)
{
	struct top_line *grown;

	if (lines->n < lines->room)
		return;
	lines->room = lines->room != 0 ? 2 * lines->room : FIRST_ROOM;
	grown = realloc(lines->line, lines->room * sizeof(*lines->line));
	if (grown == NULL) {
		complain("out of memory");
		exit(ADMIN_FAILED);
	}
	lines->line = grown;
}

static struct top_line *
line_of(struct top_lines *lines, uint64_t id)
{
	size_t at;

	if (find_line(lines, id, &at))
		return &lines->line[at];
	make_room(lines);
	memmove(&lines->line[at + 1], &lines->line[at],
	    (lines->n - at) * sizeof(*lines->line));
	lines->n++;
	memset(&lines->line[at], 0, sizeof(lines->line[at]));
	lines->line[at].id = id;
	return &lines->line[at];
}

static void
add_record(struct top_line *line, const struct call_record *record,
    int64_t tokens)
{
	line->calls++;
	if (record->error != 0)
		line->failed++;
	line->tokens += tokens;
	line->fee_nano += record->fee_nano;
}

static void
count_record(struct top_look *look, const struct call_record *record)
{
	int64_t tokens = 0;

	for (int i = 0; i < USAGE_DIMS; i++)
		if (usage_dim_is_tokens((enum usage_dim)i))
			tokens += (int64_t)record->count[i];
	add_record(&look->total, record, tokens);
	if (record->account_id != 0)
		add_record(line_of(&look->customers, record->account_id),
		    record, tokens);
	if (record->channel_id != 0)
		add_record(line_of(&look->channels, record->channel_id),
		    record, tokens);
}

/* What a worker may write over while we copy is not looked at: its place is
 * taken again only a whole ring later. */
static void
read_ring(struct top *top, uint32_t seat)
{
	struct call_record record[READ_MAX];
	uint64_t head = ring_head(top->shm, seat);
	uint64_t room = shm_sizes(top->shm)->ring_records;
	uint64_t from = top->position[seat];
	uint32_t i, n;

	if (head < from || head - from > room) {
		top->look.missed += head < from ? 0 :
		    (int64_t)(head - from - room);
		from = head < from ? head : head - room;
	}
	while (from < head && (n = ring_read(top->shm, seat, from, record,
	    READ_MAX)) != 0) {
		uint64_t lost = 0, now = ring_head(top->shm, seat);

		if (now - from > room)
			lost = now - from - room;
		for (i = lost < n ? (uint32_t)lost : n; i < n; i++)
			count_record(&top->look, &record[i]);
		top->look.missed += (int64_t)(lost < n ? lost : n);
		from += n;
	}
	top->position[seat] = from;
}

static bool
add_hold(uint32_t account, int64_t held_nano, void *arg)
{
	struct top *top = arg;
	struct account_view view;
	struct top_line *line;

	top->look.total.open++;
	top->look.total.held_nano += held_nano;
	if (!account_read(top->shm, account, &view))
		return true;
	line = line_of(&top->look.customers, view.account_id);
	line->open++;
	line->held_nano += held_nano;
	return true;
}

static void
look_at_seats(struct top *top)
{
	struct top_look *look = &top->look;
	uint32_t seat;
	int64_t waiting;

	for (seat = 0; seat < seat_count(top->shm); seat++) {
		read_ring(top, seat);
		waiting = (int64_t)(ring_head(top->shm, seat) -
		    ring_tail(top->shm, seat));
		if (waiting > look->ring_most)
			look->ring_most = waiting;
		if (seat == SEAT_FLUSHER ||
		    seat_state(top->shm, seat) != SEAT_LIVE)
			continue;
		look->workers++;
		look->connections += (int64_t)seat_get(top->shm, seat,
		    SEAT_CONNECTIONS);
	}
}

static void
look_at_channels(struct top *top)
{
	struct channel_view view;
	uint32_t slot;

	for (slot = 0; slot < shm_sizes(top->shm)->channels; slot++)
		if (channel_read(top->shm, slot, clock_mono().ns / 1000000,
		    &view) && view.channel_id != 0 && view.open != 0)
			line_of(&top->look.channels, view.channel_id)->open =
			    view.open;
}

static void
look_at_accounts(struct top *top)
{
	struct top_lines *lines = &top->look.customers;
	size_t left = lines->n, at;
	struct account_view view;
	uint32_t i;

	for (i = 0; left > 0 && i < account_count(top->shm); i++)
		if (account_read(top->shm, i, &view) &&
		    find_line(lines, view.account_id, &at)) {
			lines->line[at].available_nano = view.available_nano;
			left--;
		}
}

static int
by_weight(const void *a, const void *b)
{
	const struct top_line *x = a, *y = b;

	if (x->fee_nano != y->fee_nano)
		return x->fee_nano < y->fee_nano ? 1 : -1;
	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	if (x->open != y->open)
		return x->open < y->open ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
sort(struct top_lines *lines)
{
	if (lines->n > 1)
		qsort(lines->line, lines->n, sizeof(*lines->line), by_weight);
}

static void
look_at_gauges(struct top *top)
{
	const struct shm *shm = top->shm;
	struct top_look *look = &top->look;
	uint64_t durable = shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ);
	uint64_t applied = shm_gauge(shm, SHM_GAUGE_APPLIED_SEQ);

	look->ring_records = shm_sizes(shm)->ring_records;
	look->journal_waiting = durable > applied ?
	    (int64_t)(durable - applied) : 0;
	look->journal_bytes = (int64_t)shm_gauge(shm,
	    SHM_GAUGE_JOURNAL_BYTES);
	look->database_up = shm_gauge(shm, SHM_GAUGE_DATABASE_UP) != 0;
	look->flusher_beats = health_beats(shm_gauge(shm,
	    SHM_GAUGE_FLUSHER_BEAT_NS));
	look->stops = shm_stops(shm);
}

const struct top_look *
top_look(struct top *top)
{
	struct top_look *look = &top->look;
	struct top_lines customers = look->customers;
	struct top_lines channels = look->channels;
	struct mono_time now = clock_mono();

	customers.n = channels.n = 0;
	*look = (struct top_look){ .customers = customers,
		.channels = channels };
	look->interval_ms = mono_diff_ms(now, top->last);
	if (look->interval_ms < 1)
		look->interval_ms = 1;
	top->last = now;
	look_at_seats(top);
	hold_each_open(top->shm, add_hold, top);
	look_at_channels(top);
	look_at_accounts(top);
	look_at_gauges(top);
	sort(&look->customers);
	sort(&look->channels);
	return look;
}

int64_t
top_rate_tenths(int64_t n, int64_t interval_ms)
{
	return n / interval_ms * 10000 + n % interval_ms * 10000 / interval_ms;
}

int64_t
top_rate_nano(int64_t nano, int64_t interval_ms)
{
	return nano / interval_ms * 1000 + nano % interval_ms * 1000 /
	    interval_ms;
}
