/*
 * step_kill.c: a process is single-stepped through the life of holds and
 * killed at an instruction; then the reclaimer runs, and all must be as if the
 * step that was cut short had happened, or had not.
 *
 *	step_kill [--all | --kills N] [--seed N]
 *
 * Each act is killed at its every k-th instruction, from a seeded offset on;
 * at every one with --all.  A death is recovered from in four ways: at once;
 * after another worker used the account, so that the dead one's name is gone
 * from the cell; and, in turns, with another's call between two instructions
 * of the one that then goes on and dies later or not at all, or with another
 * stopped in the middle of a step of its own, which goes on afterwards or dies
 * as well.  The reclaimer itself is killed, its successor too, and the third
 * ends it.
 *
 * An act tells in a page beside the segment which operations have returned, so
 * that what must be there is known: see expect().
 */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "shm/layout.h"
#include "tests/crash/tracer.h"
#include "tests/unit/shm_fixture.h"

#define GRANTED (5 * UNIT)
#define SEAT 1
#define OTHER_SEAT 2
#define HOLDS 4
#define RING 8
#define OTHERS_FEE 7

#if defined(__SANITIZE_ADDRESS__)
#define KILLS_USUAL 12		/* an act has ten times the instructions */
#else
#define KILLS_USUAL 60
#endif

static const struct shm_sizes sizes = {
	.seats = 3, .holds_per_seat = HOLDS, .ring_records = RING,
	.accounts = 2, .keys = 1, .channels = 1, .catalogue_bytes = 4096
};

enum op_kind {
	OP_RESERVE,
	OP_BUSY,		/* a reservation that finds no room */
	OP_EXTEND,
	OP_EXTEND_SHORT,
	OP_PROGRESS,		/* nano: what it makes the call cost */
	OP_SETTLE,
	OP_REFUSAL,
	OP_REFUSAL_DROPPED
};

struct op {
	enum op_kind kind;
	uint32_t call;
	int64_t nano;
};

/* Refused on the way, and charged a part. */
static const struct op one_call[] = {
	{ OP_RESERVE, 0, 1000 }, { OP_EXTEND, 0, 500 },
	{ OP_EXTEND_SHORT, 0, 100 * UNIT }, { OP_PROGRESS, 0, 220 },
	{ OP_SETTLE, 0, 420 }
};

/* Open at once, ended out of order: for all, for nothing, for a part; and a
 * hold that is used again. */
static const struct op several[] = {
	{ OP_RESERVE, 0, 1000 }, { OP_RESERVE, 1, 700 },
	{ OP_PROGRESS, 1, 280 }, { OP_SETTLE, 1, 700 },
	{ OP_RESERVE, 2, 300 }, { OP_EXTEND, 0, 50 }, { OP_SETTLE, 0, 0 },
	{ OP_PROGRESS, 2, 240 }, { OP_PROGRESS, 2, 250 },
	{ OP_SETTLE, 2, 260 }
};

/* With two places left in the ring. */
static const struct op full_ring[] = {
	{ OP_RESERVE, 0, 1000 }, { OP_REFUSAL, 1, 0 },
	{ OP_REFUSAL_DROPPED, 2, 0 }, { OP_BUSY, 3, 10 },
	{ OP_PROGRESS, 0, 220 }, { OP_SETTLE, 0, 220 },
	{ OP_REFUSAL_DROPPED, 4, 0 }
};

static const struct op refusal[] = { { OP_REFUSAL, 0, 0 } };

#define CALLS_MAX 5

struct act {
	const char *name;
	const struct op *ops;	/* NULL: a grant */
	uint32_t count;
	int64_t target;		/* of the grant */
	uint32_t unread;	/* records in the ring before it begins */
};

#define SCRIPT(ops) ops, sizeof(ops) / sizeof(ops[0])
static const struct act acts[] = {
	{ "call", SCRIPT(one_call), GRANTED, 0 },
	{ "several", SCRIPT(several), GRANTED, 0 },
	{ "full", SCRIPT(full_ring), GRANTED, RING - 2 },
	{ "refusal", SCRIPT(refusal), GRANTED, 0 },
	{ "grant", NULL, 0, GRANTED + UNIT, 0 },
	{ "take", NULL, 0, GRANTED - UNIT, 0 }
};

static struct shm *shm;
static uint8_t *pristine, *scene;
static const struct act *act;
static _Atomic uint32_t *returned;	/* operations that have, of the act */
static uint64_t checks, random_state, now_at;
static const char *now_how = "";

/* Says where it was. */
_Noreturn void
fail(const char *what, int64_t is)
{
	fprintf(stderr, "step_kill: %s, instruction %llu, %s, %u operations "
	    "returned: %s: %lld\n", act == NULL ? "" : act->name,
	    (unsigned long long)now_at, now_how, atomic_load(returned), what,
	    (long long)is);
	exit(EXIT_FAILURE);
}

static uint64_t
next_random(uint64_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d) % below;
}

/* Made beforehand: what is traced shall be steps of the protocol. */
static struct call_record drafts[CALLS_MAX];
static struct hold_terms terms;

static void
make_drafts(void)
{
	uint32_t call;

	terms = fixture_terms();
	for (call = 0; call < CALLS_MAX; call++) {
		struct call_record *draft = &drafts[call];

		/* Every byte that a torn copy would show. */
		*draft = fixture_draft(100 + call);
		memset(draft->agent, 'a' + (int)call, sizeof(draft->agent));
		memset(draft->address, 1 + (int)call, sizeof(draft->address));
		draft->key_id = draft->model_id = 1000 + call;
	}
}

static void
do_progress(struct hold_book *book, uint32_t hold, int64_t fee)
{
	static struct hold_progress progress = { .billable = true };

	progress.usage.count[USAGE_INPUT] = (uint64_t)(fee - 20);
	progress.usage.count[USAGE_OUTPUT] = 10;
	hold_progress(book, hold, &progress);
}

static bool
do_op(struct hold_book *book, const struct op *op, uint32_t *hold)
{
	const struct call_record *record = &drafts[op->call];

	switch (op->kind) {
	case OP_RESERVE:
		return hold_reserve(book, 0, op->nano, record, &terms,
		    hold) == HOLD_OK;
	case OP_BUSY:
		return hold_reserve(book, 0, op->nano, record, &terms,
		    hold) == HOLD_BUSY;
	case OP_EXTEND:
		return hold_extend(book, *hold, op->nano) == HOLD_OK;
	case OP_EXTEND_SHORT:
		return hold_extend(book, *hold, op->nano) == HOLD_SHORT;
	case OP_PROGRESS:
		do_progress(book, *hold, op->nano);
		return true;
	case OP_SETTLE:
		hold_settle(book, *hold, op->nano, record);
		return true;
	case OP_REFUSAL:
		return hold_publish_refusal(book, record);
	case OP_REFUSAL_DROPPED:
		return !hold_publish_refusal(book, record);
	}
	return false;
}

/* What is traced begins after its SIGSTOP. */
static void
perform_act(void)
{
	struct hold_book *book;
	uint32_t hold[CALLS_MAX], i;

	if (act->ops == NULL) {
		(void)raise(SIGSTOP);
		if (hold_grant(shm, 0, act->target) != HOLD_OK)
			_exit(98);
		atomic_store(returned, 1);
		_exit(0);
	}
	book = hold_book_open(shm, SEAT);
	if (book == NULL)
		_exit(99);
	(void)raise(SIGSTOP);
	for (i = 0; i < act->count; i++) {
		if (!do_op(book, &act->ops[i], &hold[act->ops[i].call]))
			_exit(98);
		atomic_store(returned, i + 1);
	}
	_exit(0);
}

static void
perform_reclaim(void)
{
	(void)raise(SIGSTOP);
	(void)hold_reclaim(shm, SEAT, NULL);
	_exit(0);
}

/* Another worker's whole call on the same account. */
static bool
others_call(struct hold_book *book, int64_t fee)
{
	uint32_t hold;

	if (hold_reserve(book, 0, 50, &drafts[0], &terms, &hold) != HOLD_OK)
		return false;
	hold_settle(book, hold, fee, &drafts[0]);
	return true;
}

static void
perform_other(void)
{
	struct hold_book *book = hold_book_open(shm, OTHER_SEAT);

	if (book == NULL)
		_exit(99);
	(void)raise(SIGSTOP);
	_exit(others_call(book, OTHERS_FEE) ? 0 : 98);
}

static void
somebody_else(void)
{
	struct hold_book *book = hold_book_open(shm, OTHER_SEAT);

	if (book == NULL || !others_call(book, 0))
		fail("another worker's call", 0);
	hold_book_close(&book);
}

/* What must be there. */

struct expected {
	uint32_t least, most;		/* records */
	int64_t held_least, held_most;
	int64_t fee[3];			/* any of them */
	uint32_t fees;
	bool own;			/* settled by its worker for certain */
};

static void
expect_fee(struct expected *e, int64_t fee, bool sure)
{
	if (sure)
		e->fees = 0;
	e->fee[e->fees++] = fee;
}

/*
 * What the act's operations say of a call: those that returned are done, the
 * next one may have been, the others are not.
 */
static void
expect(uint32_t call, struct expected *e)
{
	uint32_t done = atomic_load(returned), i;

	memset(e, 0, sizeof(*e));
	for (i = 0; i <= done && i < act->count; i++) {
		const struct op *op = &act->ops[i];
		bool sure = i < done;

		if (op->call != call)
			continue;
		switch (op->kind) {
		case OP_RESERVE:
			e->held_least = e->held_most = op->nano;
			/* FALLTHROUGH */
		case OP_REFUSAL:
			e->least = sure;
			e->most = 1;
			expect_fee(e, 0, true);
			break;
		case OP_EXTEND:
			e->held_most += op->nano;
			e->held_least += sure ? op->nano : 0;
			break;
		case OP_SETTLE:
			e->own = sure;
			/* FALLTHROUGH */
		case OP_PROGRESS:
			expect_fee(e, op->nano, sure);
			break;
		case OP_BUSY:
		case OP_EXTEND_SHORT:
		case OP_REFUSAL_DROPPED:
			break;
		}
	}
}

static void
check_record(const struct call_record *r, const struct expected *e,
    uint32_t call)
{
	struct call_record want = drafts[call];
	uint32_t i;

	for (i = 0; i < e->fees && r->fee_nano != e->fee[i]; i++)
		continue;
	if (i == e->fees)
		fail("fee", r->fee_nano);
	if (r->held_nano < e->held_least || r->held_nano > e->held_most)
		fail("held", r->held_nano);
	if (e->own && (r->flags & RECORD_RECLAIMED) != 0)
		fail("reclaimed after it was settled", r->flags);
	/* The rest is the draft's, byte for byte. */
	want.fee_nano = r->fee_nano;
	want.held_nano = r->held_nano;
	if ((r->flags & RECORD_RECLAIMED) != 0) {
		want.flags = RECORD_RECLAIMED;
		want.total_ms = r->total_ms;
		memcpy(want.count, r->count, sizeof(want.count));
	}
	if (memcmp(r, &want, sizeof(want)) != 0)
		fail("a record that nobody wrote, of call", call);
}

static int64_t
check_records(void)
{
	struct call_record seen[RING];
	uint32_t count[CALLS_MAX] = { 0 }, call, i, n;
	uint64_t number;
	struct expected e;
	int64_t fees = 0;

	n = ring_read(shm, SEAT, act->unread, seen, RING);
	for (i = 0; i < n; i++) {
		memcpy(&number, seen[i].request_id, sizeof(number));
		if (number < 100 || number >= 100 + CALLS_MAX)
			fail("a record of nobody", (int64_t)number);
		call = (uint32_t)number - 100;
		expect(call, &e);
		check_record(&seen[i], &e, call);
		count[call]++;
		fees += seen[i].fee_nano;
	}
	for (call = 0; call < CALLS_MAX; call++) {
		expect(call, &e);
		if (count[call] < e.least || count[call] > e.most)
			fail("records of one call", count[call]);
	}
	n = ring_read(shm, OTHER_SEAT, 0, seen, RING);
	for (i = 0; i < n; i++)
		fees += seen[i].fee_nano;
	return fees;
}

/* The seat's next worker has all of its holds, and the cell takes steps. */
static void
check_nothing_is_blocked(void)
{
	struct hold_book *book = hold_book_open(shm, SEAT);
	int64_t before = fixture_available(shm, 0);
	uint32_t hold[HOLDS], i;

	ring_release(shm, SEAT, ring_head(shm, SEAT));
	for (i = 0; i < HOLDS; i++)
		if (book == NULL || hold_reserve(book, 0, 1, &drafts[0],
		    &terms, &hold[i]) != HOLD_OK)
			fail("the next worker's holds", i);
	for (i = 0; i < HOLDS; i++)
		hold_settle(book, hold[i], 0, &drafts[0]);
	hold_book_close(&book);
	if (fixture_available(shm, 0) != before)
		fail("available after the next worker",
		    fixture_available(shm, 0));
}

static void
recover(void)
{
	if (act->ops == NULL) {
		hold_grant_recover(shm);
		if (hold_grant(shm, 0, act->target) != HOLD_OK)
			fail("grant after recovery", 0);
		return;
	}
	(void)hold_reclaim(shm, SEAT, NULL);
	if (hold_reclaim(shm, SEAT, NULL) != 0)
		fail("something was left to reclaim", 1);
}

static void
check(void)
{
	struct account_view view;
	int64_t fees = check_records();

	if (!account_read(shm, 0, &view) ||
	    view.available_nano + fees != act->target)
		fail("available + charged", view.available_nano + fees);
	if (view.granted_nano != act->target)
		fail("granted", view.granted_nano);
	if (hold_open_total(shm) != 0 || hold_sum(shm, 0) != 0)
		fail("held at the end", hold_sum(shm, 0));
	check_nothing_is_blocked();
	checks++;
}

/* The ways to die. */

static void
prepare(void)
{
	memcpy(shm->base, pristine, shm->bytes);
	atomic_store(returned, 0);
	/* As if so many had been read; the others are there to be read. */
	atomic_store(&shm_seat(shm, SEAT)->head, act->unread);
}

static void
die_and_recover(uint64_t at)
{
	prepare();
	now_how = "killed";
	(void)tracer_run(perform_act, at);
	memcpy(scene, shm->base, shm->bytes);
	recover();
	check();
	memcpy(shm->base, scene, shm->bytes);
	now_how = "killed, then another's call";
	somebody_else();
	recover();
	check();
}

static void
go_on_after_another(uint64_t at)
{
	bool to_the_end = next_random(4) == 0;
	pid_t pid;

	prepare();
	now_how = "another's call between";
	pid = tracer_start(perform_act);
	(void)tracer_step(&pid, at);
	somebody_else();
	if (to_the_end) {
		tracer_let_go(pid);
	} else if (pid != 0) {
		(void)tracer_step(&pid, next_random(300));
		tracer_kill(pid);
	}
	recover();
	check();
}

static uint64_t length_of_other;

static void
die_amid_another(uint64_t at)
{
	pid_t pid, other;

	prepare();
	now_how = "killed amid another's step";
	other = tracer_start(perform_other);
	(void)tracer_step(&other, next_random(length_of_other));
	pid = tracer_start(perform_act);
	(void)tracer_step(&pid, at);
	tracer_kill(pid);
	if (next_random(2) == 0) {
		recover();
		tracer_let_go(other);
	} else {
		tracer_kill(other);
		(void)hold_reclaim(shm, OTHER_SEAT, NULL);
		recover();
	}
	check();
}

static void
one_instruction(uint64_t at)
{
	now_at = at;
	die_and_recover(at);
	if (next_random(2) == 0)
		go_on_after_another(at);
	else
		die_amid_another(at);
}

static uint64_t
stride_for(uint64_t length, uint64_t want)
{
	return want == 0 || length <= want ? 1 : length / want;
}

/* Every stride-th instruction, from a random offset on. */
static void
run_act(uint64_t want)
{
	uint64_t length, stride, at, before = tracer_kills;

	prepare();
	length = tracer_run(perform_act, UINT64_MAX);
	if (length == 0 || atomic_load(returned) == 0)
		fail("an act of no instructions", 0);
	recover();
	check();
	stride = stride_for(length, want);
	for (at = next_random(stride); at < length; at += stride)
		one_instruction(at);
	printf("step_kill: %-8s %6llu instructions, every %llu., %llu kills\n",
	    act->name, (unsigned long long)length, (unsigned long long)stride,
	    (unsigned long long)(tracer_kills - before));
	(void)fflush(stdout);
}

/* The reclaimer is killed, and its successor somewhere. */
static void
run_reclaim(uint64_t want, uint64_t points)
{
	uint64_t length, at, stride, i, call_length, before = tracer_kills;

	prepare();
	call_length = tracer_run(perform_act, UINT64_MAX);
	for (i = 0; i < points; i++) {
		prepare();
		now_at = (i + 1) * call_length / points -
		    next_random(call_length / points + 1);
		now_how = "and then its reclaimers";
		(void)tracer_run(perform_act, now_at);
		memcpy(scene, shm->base, shm->bytes);
		length = tracer_run(perform_reclaim, UINT64_MAX);
		stride = stride_for(length, want);
		for (at = next_random(stride); at < length; at += stride) {
			memcpy(shm->base, scene, shm->bytes);
			(void)tracer_run(perform_reclaim, at);
			if (next_random(2) == 0)
				somebody_else();
			(void)tracer_run(perform_reclaim, next_random(length));
			recover();
			check();
		}
	}
	printf("step_kill: %-8s after %llu deaths of \"%s\", %llu kills\n",
	    "reclaim", (unsigned long long)points, act->name,
	    (unsigned long long)(tracer_kills - before));
	(void)fflush(stdout);
}

/* Tracer and traced take turns; moving between processors only costs. */
static void
stay_on_one_processor(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : (unsigned)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void
set_the_scene(void)
{
	shm = fixture_segment(&sizes);
	(void)fixture_account(shm, 1, GRANTED);
	make_drafts();
	pristine = malloc(shm->bytes);
	scene = malloc(shm->bytes);
	returned = mmap(NULL, sizeof(*returned), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pristine == NULL || scene == NULL || returned == MAP_FAILED)
		exit(99);
	memcpy(pristine, shm->base, shm->bytes);
}

int
main(int argc, char **argv)
{
	uint64_t seed, want = KILLS_USUAL;
	size_t i;
	int a;

	bytes_random(&seed, sizeof(seed));
	for (a = 1; a < argc; a++)
		if (strcmp(argv[a], "--all") == 0)
			want = 0;
		else if (a + 1 < argc && strcmp(argv[a], "--kills") == 0)
			want = strtoull(argv[++a], NULL, 0);
		else if (a + 1 < argc && strcmp(argv[a], "--seed") == 0)
			seed = strtoull(argv[++a], NULL, 0);
		else
			return 2;
	stay_on_one_processor();
	printf("step_kill: seed %llu\n", (unsigned long long)seed);
	(void)fflush(stdout);
	random_state = seed | 1;
	set_the_scene();
	act = &acts[0];
	prepare();
	length_of_other = tracer_run(perform_other, UINT64_MAX);
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		act = &acts[i];
		run_act(want);
	}
	for (i = 0; i < 3; i++) {
		act = &acts[i];
		run_reclaim(want == 0 ? 0 : want / 10, want == 0 ? 6 : 4);
	}
	printf("step_kill: %llu kills, %llu that went on to their end; %llu "
	    "times checked: total to the nano, records by number and content, "
	    "nothing held, nothing blocked; 0 discrepancies\n",
	    (unsigned long long)tracer_kills,
	    (unsigned long long)tracer_let_go_on,
	    (unsigned long long)checks);
	free(pristine);
	free(scene);
	shm_close(&shm);
	return EXIT_SUCCESS;
}
