/*
 * One booking: are its postings those that follow from what it books, and
 * from what was in the customer's pots before it?
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/verify.h"

#define ORDER_WHY "not what the order of spending takes from this pot"

static void
say_booking(struct verify_state *v, const char *rule, const struct booking *b,
    __int128 found, __int128 expected, const char *why)
{
	char object[40];

	snprintf(object, sizeof(object), "transaction:%" PRId64, b->id);
	verify_say(v, rule, object, found, expected, why);
}

static struct posting *
posting_of(struct verify_state *v, int64_t account_id)
{
	uint32_t i;

	for (i = 0; i < v->postings; i++)
		if (v->posting[i].account_id == account_id)
			return &v->posting[i];
	return NULL;
}

/* True when there is this posting, or rightly none. */
static bool
expect(struct verify_state *v, const struct booking *b, int64_t account_id,
    __int128 expected, const char *why)
{
	struct posting *p = posting_of(v, account_id);
	int64_t found = p != NULL ? p->nano : 0;

	if (p != NULL)
		p->seen = true;
	if (found == expected)
		return true;
	verify_say_posting(v, b, account_id, found, expected,
	    p == NULL ? "this posting is missing" : why);
	return false;
}

static bool
expect_kind(struct verify_state *v, const struct booking *b,
    enum account_kind kind, __int128 expected, const char *why)
{
	return expect(v, b, v->of_kind[kind], expected, why);
}

/* What the booking moves on its customer's accounts, all of it. */
static __int128
moved(struct verify_state *v)
{
	const struct account *a;
	__int128 sum = 0;
	uint32_t i;

	for (i = 0; i < v->postings; i++) {
		a = verify_account(v, v->posting[i].account_id);
		if (a != NULL && a->customer_id != 0)
			sum += v->posting[i].nano;
	}
	return sum;
}

static __int128
sum_of(const struct verify_state *v)
{
	__int128 sum = 0;
	uint32_t i;

	for (i = 0; i < v->postings; i++)
		sum += v->posting[i].nano;
	return sum;
}

/* The customer's postings pass for seen. */
static void
pass_pots(struct verify_state *v)
{
	const struct account *a;
	uint32_t i;

	for (i = 0; i < v->postings; i++) {
		a = verify_account(v, v->posting[i].account_id);
		if (a != NULL && a->customer_id != 0)
			v->posting[i].seen = true;
	}
}

/*
 * An amount goes out of the pots, in the order of spending or in the reverse
 * one; `expired_by` leaves out pots that hadn't expired by then (INT64_MAX:
 * none).
 */
static void
expect_out(struct verify_state *v, const struct booking *b, struct owner *o,
    __int128 amount, bool reverse, int64_t expired_by)
{
	struct account *a;
	__int128 out;
	uint32_t i;

	if (o == NULL || o->muddled) {
		pass_pots(v);
		return;
	}
	for (i = 0; i < o->pots; i++) {
		a = &v->account[v->order[o->first +
		    (reverse ? o->pots - 1 - i : i)]];
		out = a->nano < amount ? a->nano : amount;
		if (out < 0 || (expired_by != INT64_MAX &&
		    a->expires_us > expired_by))
			out = 0;
		amount -= out;
		if (!expect(v, b, a->id, -out, ORDER_WHY))
			o->muddled = true;
	}
}

static void
check_calls(struct verify_state *v, const struct booking *b, struct owner *o,
    const struct call_sums *s)
{
	__int128 fee = s->fee, owed = s->owed, booked = -moved(v);
	const struct posting *p = posting_of(v, v->of_kind[KIND_UNCOLLECTED]);

	if (s->named || s->calls != b->calls) {
		if (!s->named)
			say_booking(v, "batch", b, booked, fee, s->calls <
			    b->calls ? "a call of it is missing" :
			    "there are more calls than it books");
		/* Its postings must agree with each other all the same. */
		fee = booked;
		owed = p != NULL ? -(__int128)p->nano : 0;
	} else if (sum_of(v) == 0 && booked != fee) {
		say_booking(v, "batch", b, booked, fee,
		    "not the sum of its calls' fees");
		fee = booked;
	}
	expect_out(v, b, o, fee, false, INT64_MAX);
	(void)expect_kind(v, b, KIND_UNCOLLECTED, -owed,
	    "not what its calls could not collect");
	(void)expect_kind(v, b, KIND_REVENUE, fee + owed,
	    "not what its calls cost");
}

/* "100 from external until ever": what was asked for with the key. */
static void
check_credit(struct verify_state *v, const struct booking *b,
    const struct owner *o)
{
	static const char why[] = "not what was credited";
	char source[16] = "";
	long long amount = 0;
	enum account_kind from;
	uint32_t i;
	bool paid, fine = true;
	const struct account *a;

	if (b->has_receipt) {
		(void)expect_kind(v, b, KIND_EXTERNAL, -b->amount_nano, why);
		(void)expect_kind(v, b, KIND_GIVEN, -b->bonus_nano, why);
	} else if (sscanf(b->asked, "%lld from %15s", &amount, source) == 2) {
		from = strcmp(source, "external") == 0 ? KIND_EXTERNAL :
		    strcmp(source, "promotional") == 0 ? KIND_GIVEN :
		    KIND_ADJUSTMENT;
		(void)expect_kind(v, b, from, -(__int128)amount, why);
	} else {
		say_booking(v, "content", b, 0, 0,
		    "a credit that doesn't say what was asked for");
		pass_pots(v);
		return;
	}
	for (i = 0; i < v->postings; i++) {
		a = verify_account(v, v->posting[i].account_id);
		if (a == NULL || o == NULL ||
		    a->customer_id != o->customer_id)
			continue;
		paid = a->kind == KIND_PREPAID;
		if (!expect(v, b, a->id, b->has_receipt ?
		    (paid ? b->amount_nano : b->bonus_nano) :
		    paid == (strcmp(source, "promotional") != 0) ? amount : 0,
		    why))
			fine = false;
	}
	if (b->has_receipt)
		amount = b->amount_nano + b->bonus_nano;
	if (fine && moved(v) != amount)
		say_booking(v, "content", b, moved(v), amount, why);
}

static void
check_adjustment(struct verify_state *v, const struct booking *b,
    struct owner *o)
{
	static const char why[] = "not what it was adjusted by";
	long long amount = strtoll(b->asked, NULL, 10);
	const struct account *last;

	if (amount > 0 && o != NULL && o->pots != 0) {
		last = &v->account[v->order[o->first + o->pots - 1]];
		(void)expect(v, b, last->id, amount, why);
	} else {
		expect_out(v, b, o, -(__int128)amount, true, INT64_MAX);
	}
	(void)expect_kind(v, b, KIND_ADJUSTMENT, -(__int128)amount, why);
}

/* To which pots it goes is looked at by a query of its own. */
static void
check_refund(struct verify_state *v, const struct booking *b)
{
	if (!b->has_refund) {
		say_booking(v, "refund", b, moved(v), 0,
		    "a refund that names no call");
		pass_pots(v);
		return;
	}
	(void)expect_kind(v, b, KIND_REVENUE, -(__int128)b->refund_nano,
	    "not what was given back");
	if (moved(v) != b->refund_nano)
		say_booking(v, "refund", b, moved(v), b->refund_nano,
		    "not what was given back");
	pass_pots(v);
}

static __int128
expired_then(const struct verify_state *v, const struct owner *o,
    int64_t at_us)
{
	const struct account *a;
	__int128 sum = 0;
	uint32_t i;

	for (i = 0; o != NULL && i < o->pots; i++) {
		a = &v->account[v->order[o->first + i]];
		if (a->expires_us <= at_us)
			sum += a->nano;
	}
	return sum;
}

static void
check_expiry(struct verify_state *v, const struct booking *b, struct owner *o)
{
	const struct posting *p = posting_of(v, v->of_kind[KIND_EXPIRED]);
	__int128 amount = -moved(v);
	const struct account *a;
	uint32_t i;

	for (i = 0; i < v->postings; i++) {
		a = verify_account(v, v->posting[i].account_id);
		if (a == NULL || a->customer_id == 0 ||
		    a->expires_us <= b->at_us)
			continue;
		verify_say_posting(v, b, a->id, v->posting[i].nano, 0,
		    "it had not expired then");
		v->posting[i].seen = true;
		if (o != NULL)
			o->muddled = true;
	}
	/* One of two sides was changed; usually all there is goes. */
	if (sum_of(v) != 0 && p != NULL && p->nano > 0 &&
	    expired_then(v, o, b->at_us) != amount)
		amount = p->nano;
	expect_out(v, b, o, amount, true, b->at_us);
	(void)expect_kind(v, b, KIND_EXPIRED, amount, "not what expired");
}

/* Everything that is left: what was paid for goes out, the rest lapses. */
static void
check_payout(struct verify_state *v, const struct booking *b, struct owner *o)
{
	__int128 paid = 0, lapsed = 0;
	const struct account *a;
	uint32_t i;

	if (o == NULL || o->muddled) {
		for (i = 0; i < v->postings; i++)
			v->posting[i].seen = true;
		return;
	}
	for (i = 0; i < o->pots; i++) {
		a = &v->account[v->order[o->first + i]];
		if (a->kind == KIND_PREPAID && a->expires_us > b->at_us)
			paid += a->nano;
		else
			lapsed += a->nano;
	}
	expect_out(v, b, o, paid + lapsed, false, INT64_MAX);
	(void)expect_kind(v, b, KIND_EXTERNAL, paid,
	    "not what was left of payments");
	(void)expect_kind(v, b, KIND_EXPIRED, lapsed,
	    "not what was left of other credit");
}

/* The pots after it, whatever they should be. */
static void
apply(struct verify_state *v, const struct booking *b, struct owner *o)
{
	bool calls = strcmp(b->kind, "calls") == 0;
	struct account *a;
	uint32_t i;

	for (i = 0; i < v->postings; i++) {
		a = verify_account(v, v->posting[i].account_id);
		if (a == NULL) {
			verify_say_posting(v, b, v->posting[i].account_id,
			    v->posting[i].nano, 0, "there is no such account");
			continue;
		}
		a->nano += v->posting[i].nano;
		if (a->customer_id == 0)
			continue;
		if (a->customer_id != b->customer_id)
			verify_say_posting(v, b, a->id, v->posting[i].nano, 0,
			    "it is another customer's account");
		else if (!calls && o != NULL)
			o->in += v->posting[i].nano;
		if (a->nano < 0 && !a->overdrawn) {
			char object[64];

			snprintf(object, sizeof(object), "posting:%" PRId64
			    ":%" PRId64, b->id, a->id);
			verify_say(v, "below-zero", object, a->nano, 0,
			    "less than nothing is left after it");
			a->overdrawn = true;
		}
	}
}

void
verify_booking(struct verify_state *v, const struct booking *b,
    const struct call_sums *s)
{
	struct owner *o = verify_owner(v, b->customer_id);
	bool known = true;
	uint32_t i;

	if (v->postings == 0) {
		say_booking(v, "empty", b, 0, 0, "a booking without postings");
		return;
	}
	if (strcmp(b->kind, "calls") == 0)
		check_calls(v, b, o, s);
	else if (strcmp(b->kind, "credit") == 0)
		check_credit(v, b, o);
	else if (strcmp(b->kind, "adjustment") == 0)
		check_adjustment(v, b, o);
	else if (strcmp(b->kind, "refund") == 0)
		check_refund(v, b);
	else if (strcmp(b->kind, "expiry") == 0)
		check_expiry(v, b, o);
	else if (strcmp(b->kind, "payout") == 0)
		check_payout(v, b, o);
	else
		known = false;
	for (i = 0; known && i < v->postings; i++)
		if (!v->posting[i].seen)
			verify_say_posting(v, b, v->posting[i].account_id,
			    v->posting[i].nano, 0,
			    "nothing of it is to be booked there");
	if (sum_of(v) != 0)
		say_booking(v, "zero-sum", b, sum_of(v), 0,
		    "its postings don't sum to zero");
	apply(v, b, o);
}
