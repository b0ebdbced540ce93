/*
 * money.pml: shm/PROTOCOL for spin.  What is modelled and what isn't: README.
 *
 * The bounds are WORKERS, HOLDS (a seat), CALLS (a worker), CRASHES (of all
 * together), GRANTS, RING (slots) and EXTENDS; BREAK_... takes one mechanism
 * away.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef HOLDS
#define HOLDS 1
#endif
#ifndef CALLS
#define CALLS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef GRANTS
#define GRANTS 1
#endif
#ifndef RING
#define RING 2
#endif
#ifndef EXTENDS
#define EXTENDS 1
#endif
#ifndef PROGRESSES
#define PROGRESSES 1
#endif

/* Amounts.  All calls together want more than there is at first. */
#ifndef START
#define START 3
#endif
#define RESERVED 2
#define EXTENSION 1
#define TARGET(i) (i == 0 -> START + 2 : START + 1)

#define NONE 0
#define FREE 1
#define RESERVE 2
#define EXTEND 3
#define SETTLE 4
#define GRANT 5

#define SEAT_LIVE 0
#define SEAT_DEAD 1
#define SEAT_FREE 2
#define SEAT_LEFT 3			/* its worker has no more to do */

#define APPLIED 0
#define SHORT 1
#define CONTENDED 2

/* Who may die: the workers, and the flusher's two threads, together. */
#define READER WORKERS
#define GRANTER (WORKERS + 1)

/* Hold 0 is the granter's; the rest are the seats' in order. */
#define ALL_HOLDS (1 + WORKERS * HOLDS)
#define HOLD(w, k) (1 + (w) * HOLDS + (k))
#define ALL_CALLS (1 + WORKERS * CALLS)	/* call 0 is no call */

#ifdef BREAK_ONE_COPY
#define COPY(h, s) (2 * (h))
#else
#define COPY(h, s) (2 * (h) + ((s) & 1))
#endif
#ifdef BREAK_PROGRESS_ONE_COPY
#define PROGRESS(h, s) (2 * (h))
#else
#define PROGRESS(h, s) (2 * (h) + ((s) & 1))
#endif
#define SLOT(w, at) ((w) * RING + (at) % RING)

/* The segment.  What the initialisers leave out is 0. */
short available = START;		/* the cell: these three together */
byte op_hold, op_sequence;		/* hold + 1; 0 is nobody */
short granted = START;
byte word_sequence[ALL_HOLDS], word_kind[ALL_HOLDS];
byte done[ALL_HOLDS];
short i_delta[2 * ALL_HOLDS];
byte i_before[2 * ALL_HOLDS], i_after[2 * ALL_HOLDS];
byte i_granted[2 * ALL_HOLDS], i_position[2 * ALL_HOLDS];
byte draft[ALL_HOLDS], terms[ALL_HOLDS];
byte progress_sequence[ALL_HOLDS];
byte p_call[2 * ALL_HOLDS], p_usage[2 * ALL_HOLDS];
byte state[WORKERS], head[WORKERS], tail[WORKERS];
byte r_call[WORKERS * RING], r_fee[WORKERS * RING];

/* Outside the segment: the journal, the database, the master's knowledge. */
byte durable[WORKERS];			/* position after what was written */
byte journal[ALL_CALLS];		/* records */
byte journal_fee;
byte calls_begun[WORKERS];
byte grants_made;
byte crashes = CRASHES;
bool killed[WORKERS + 2];		/* is to die with its process */
bool grants_go, grants_end;
bool first_fell;			/* worker 0 died at least once */

/* What really happened, for the assertions alone. */
short given = START;
byte call_of[ALL_HOLDS], last_applied[ALL_HOLDS];
short taken[ALL_CALLS];
bool reserved[ALL_CALLS];
byte records[ALL_CALLS], fee_of[ALL_CALLS];

/*
 * Death.  Every access to what others read meanwhile is a step() of its own,
 * before which its process may end.  What only the owner writes and nobody
 * reads before its death needs no interleaving with the others, only with
 * death: such a run of stores is atomic together with the next step, and
 * last_words() says how many of the run are still made.
 */
#if WORKERS > 1
/* The two are alike, so we call 0 the one that dies first. */
#define MORTAL (killed[me] || (crashes > 0 && (me != 1 || first_fell)))
#else
#define MORTAL (killed[me] || crashes > 0)
#endif
#define FALL crashes = crashes - (killed[me] -> 0 : 1)
#define step(x) \
	if \
	:: atomic { !killed[me]; x } \
	:: atomic { MORTAL; FALL; goto dead } \
	fi
#define ALIVE 255

inline cut()
{
	if
	:: !killed[me]
	:: MORTAL -> FALL; goto dead
	fi
}

inline last_words(stores)
{
	if
	:: !killed[me] ->
		life = ALIVE
	:: MORTAL ->
		FALL;
		do
		:: life < stores - 1 -> life++
		:: break
		od
	fi
}

#define put(i, where, what) where = (life > i -> what : where)

inline survive()
{
	if
	:: life == ALIVE -> life = 0
	:: else -> goto dead
	fi
}

#ifdef BREAK_WORD_FIRST
#define WORD_AT 0
#define FIELDS_AT 1
#else
#define WORD_AT 5
#define FIELDS_AT 0
#endif

inline publish(h, s, kind, delta, before, after, grant, position)
{
	last_words(6);
	put(FIELDS_AT, i_delta[COPY(h, s)], delta);
	put(FIELDS_AT + 1, i_before[COPY(h, s)], before);
	put(FIELDS_AT + 2, i_after[COPY(h, s)], after);
	put(FIELDS_AT + 3, i_granted[COPY(h, s)], grant);
	put(FIELDS_AT + 4, i_position[COPY(h, s)], position);
	put(WORD_AT, word_sequence[h], s);
	put(WORD_AT, word_kind[h], kind);
	survive()
}

/* The loop around its compare-and-swap is as good as one step. */
inline mark()
{
	if
	:: last_hold != 0 ->
#ifdef BREAK_DONE_LOWERED
		step(seen = done[last_hold - 1]);
		if
		:: seen < last_sequence ->
			step(done[last_hold - 1] = last_sequence)
		:: else
		fi;
		seen = 0
#else
		step(done[last_hold - 1] =
		    (done[last_hold - 1] < last_sequence -> last_sequence :
		    done[last_hold - 1]))
#endif
	:: else
	fi
}

/* Atomic with the swap that succeeded. */
inline witness(h, s, delta)
{
	assert(available >= 0);
	assert(s > last_applied[h]);	/* no step twice, none after a later */
	last_applied[h] = s;
	if
	:: h == 0 ->
		given = given + (delta)
	:: else ->
		taken[call_of[h]] = taken[call_of[h]] - (delta);
		assert(taken[call_of[h]] >= 0);
		if
		:: word_kind[h] == RESERVE -> reserved[call_of[h]] = true
		:: else
		fi
	fi
}

#ifdef BREAK_SWAP_AMOUNT_ONLY
#define UNCHANGED (available == amount)
#else
#define UNCHANGED (available == amount && op_hold == last_hold && \
	op_sequence == last_sequence)
#endif

#define LOAD_OP last_hold = op_hold; last_sequence = op_sequence

/*
 * The cell's op was loaded in the step before.  A swap that fails is one step
 * with the next load of op: it would fail later as well.
 */
inline cell_add(h, s, delta)
{
	result = CONTENDED;
	do
	:: result == CONTENDED ->
		step(
		    amount = available;
		    result = (amount + (delta) < 0 -> SHORT : CONTENDED)
		);
		if
		:: result == SHORT
		:: else ->
#if !defined(BREAK_NO_DONE) && !defined(BREAK_DONE_AFTER)
			mark();
#endif
			step(
			    if
			    :: UNCHANGED ->
				available = amount + (delta);
				op_hold = h + 1;
				op_sequence = s;
				result = APPLIED;
				witness(h, s, delta)
			    :: else ->
#ifdef BREAK_STALE_RETRY
				skip
#else
				LOAD_OP
#endif
			    fi
			);
#ifdef BREAK_DONE_AFTER
			if
			:: result == APPLIED -> mark()
			:: else
			fi
#endif
		fi
	:: else ->
		break
	od;
	last_hold = 0;
	last_sequence = 0;
	amount = 0
}

inline applied(h, s)
{
#ifdef BREAK_DONE_FIRST
	step(yes = (done[h] >= s));
	if
	:: !yes -> step(yes = (op_hold == h + 1 && op_sequence == s))
	:: else
	fi
#else
	step(yes = (op_hold == h + 1 && op_sequence == s));
	if
	:: !yes -> step(yes = (done[h] >= s))
	:: else
	fi
#endif
}

/* The record at the ring's head; no consumer reads there. */
inline write_record(w, call, charged)
{
	assert(head[w] - tail[w] < RING);
	last_words(3);
	put(0, r_call[SLOT(w, head[w])], call);
	put(1, r_fee[SLOT(w, head[w])], charged);
	survive()
}

inline publish_record(w)
{
	cut();
	assert(r_call[SLOT(w, head[w])] != 0);
	records[r_call[SLOT(w, head[w])]]++;
	assert(records[r_call[SLOT(w, head[w])]] == 1);
	fee_of[r_call[SLOT(w, head[w])]] = r_fee[SLOT(w, head[w])];
	head[w]++
}

#ifdef BREAK_NO_POSITION
#define POSITION_IS(w, at) true
#else
#define POSITION_IS(w, at) (head[w] == at)
#endif

/* A settlement, from its record to the load before its swap. */
inline begin_settlement(w, h, s, call, held, fee)
{
#ifndef BREAK_RECORD_LATE
	write_record(w, call, fee);
#endif
	at = head[w];
	publish(h, s, SETTLE, (held) - (fee), held, 0, 0, at);
#ifdef BREAK_RECORD_LATE
	write_record(w, call, fee);
#endif
	/* Here it is asked whether the step was applied.  Nobody took it. */
	assert(!(op_hold == h + 1 && op_sequence == s) && done[h] < s);
	cut();
	LOAD_OP
}

/* And after the swap. */
inline end_settlement(w, h, s, at)
{
#ifdef BREAK_FREE_EARLY
	publish(h, s + 1, FREE, 0, 0, 0, 0, 0);
#endif
	if
	:: POSITION_IS(w, at) -> publish_record(w)
	:: else
	fi;
#ifndef BREAK_FREE_EARLY
	publish(h, s + 1, FREE, 0, 0, 0, 0, 0)
#endif
}

/* Sets k to one of the worker's holds that CAN. */
#if HOLDS > 1
#define pick(CAN) \
	(CAN(0) || CAN(1)); \
	if \
	:: CAN(0) -> k = 0 \
	:: CAN(1) -> k = 1 \
	fi
#else
#define pick(CAN) CAN(0); k = 0
#endif
#define IS_OPEN(k) (held[k] != 0)
#define CAN_EXTEND(k) (held[k] != 0 && !extended[k])

/* Usage is seen, and something reached the client. */
inline progress()
{
	do
	:: progress_sequence[h] < PROGRESSES ->
		last_words(3);
		put(0, p_call[PROGRESS(h, progress_sequence[h] + 1)],
		    call_of[h]);
		put(1, p_usage[PROGRESS(h, progress_sequence[h] + 1)],
		    progress_sequence[h] + 1);
		survive();
		progress_sequence[h]++
	:: true ->
		break
	od
}

/*
 * A worker: at most HOLDS calls at a time, in any order.  Its seat's next
 * worker is the same process, with nothing remembered.
 */
proctype worker(byte me)
{
	byte sequence[HOLDS], held[HOLDS], open, k, h, fee, call, at;
	bool extended[HOLDS];
	byte last_hold, last_sequence, seen, result, life;
	short amount;

birth:
	atomic {
		do
		:: k < HOLDS ->
			assert(word_kind[HOLD(me, k)] == NONE ||
			    word_kind[HOLD(me, k)] == FREE);
			sequence[k] = word_sequence[HOLD(me, k)];
			k++
		:: else ->
			break
		od;
		k = 0
	}
	do
	/* A call begins, where its record will have a place. */
	:: atomic {
		calls_begun[me] < CALLS && open < HOLDS &&
#ifdef BREAK_NO_ROOM
		    head[me] - tail[me] < RING;
#else
		    head[me] - tail[me] + open < RING;
#endif
		calls_begun[me]++;
		call = me * CALLS + calls_begun[me];
		do
		:: held[k] != 0 -> k++
		:: else -> break
		od;
		h = HOLD(me, k);
		call_of[h] = call;
		last_words(3);
		put(0, draft[h], call);
		put(1, terms[h], call);
#ifndef BREAK_PROGRESS_KEPT
		put(2, progress_sequence[h], 0);
#endif
		survive();
		sequence[k]++;
		publish(h, sequence[k], RESERVE, -RESERVED, 0, RESERVED, 0,
		    0);
		cut();
		LOAD_OP
	   }
	   cell_add(h, sequence[k], -RESERVED);
	   atomic {
		if
		:: result == APPLIED ->
			held[k] = RESERVED;
			open++
		:: else ->
			sequence[k]++;
			publish(h, sequence[k], FREE, 0, 0, 0, 0, 0);
			/* A refusal has a record if there is room for it. */
			if
			:: head[me] - tail[me] + open < RING ->
				write_record(me, call, 0);
				publish_record(me)
			:: else
			fi
		fi;
		result = 0; call = 0; k = 0; h = 0
	   }
#if EXTENDS
	:: atomic {
		pick(CAN_EXTEND);
		h = HOLD(me, k);
		progress();
		extended[k] = true;
		sequence[k]++;
		publish(h, sequence[k], EXTEND, -EXTENSION, held[k],
		    held[k] + EXTENSION, 0, 0);
		cut();
		LOAD_OP
	   }
	   cell_add(h, sequence[k], -EXTENSION);
	   atomic {
		held[k] = held[k] + (result == APPLIED -> EXTENSION : 0);
		result = 0; k = 0; h = 0
	   }
#endif
	/* It ends: for nothing, for a part, or for all that is held. */
	:: atomic {
		pick(IS_OPEN);
		h = HOLD(me, k);
		call = call_of[h];
		progress();
		if
		:: progress_sequence[h] == 0 -> fee = 0
		:: progress_sequence[h] > 0 -> fee = progress_sequence[h]
		:: progress_sequence[h] > 0 -> fee = held[k]
		fi;
		sequence[k]++;
		begin_settlement(me, h, sequence[k], call, held[k], fee)
	   }
	   if
	   :: fee != held[k] ->
		cell_add(h, sequence[k], held[k] - fee)
	   :: else
	   fi;
	   atomic {
		end_settlement(me, h, sequence[k], at);
		sequence[k]++;
		held[k] = 0;
		extended[k] = false;
		open--;
		call = 0; fee = 0; at = 0; k = 0; h = 0; result = 0;
		last_hold = 0; last_sequence = 0
	   }
	:: atomic {
		calls_begun[me] == CALLS && open == 0;
		state[me] = SEAT_LEFT;
		goto gone
	   }
	od;
dead:
	atomic {
		first_fell = (first_fell || me == 0);
		state[me] = SEAT_DEAD;
		k = 0;
		do
		:: k < HOLDS ->
			sequence[k] = 0;
			held[k] = 0;
			extended[k] = false;
			k++
		:: else ->
			break
		od;
		open = 0; k = 0; h = 0; fee = 0; call = 0; at = 0; life = 0;
		last_hold = 0; last_sequence = 0; seen = 0; result = 0;
		amount = 0
	}
	atomic {
		state[me] == SEAT_FREE;
		state[me] = SEAT_LIVE;
		goto birth
	}
gone:
	skip
}

inline read_step(h)
{
	s = word_sequence[h];
	kind = word_kind[h];
	delta = i_delta[COPY(h, s)];
	before = i_before[COPY(h, s)];
	after = i_after[COPY(h, s)];
	grant = i_granted[COPY(h, s)];
	at = i_position[COPY(h, s)]
}

inline forget_step()
{
	s = 0; kind = 0; delta = 0; before = 0; after = 0; grant = 0; at = 0;
	held = 0; fee = 0; call = 0; result = 0; yes = false;
	last_hold = 0; last_sequence = 0
}

inline finish_half_done(w, h)
{
	step(read_step(h));
	if
	:: kind == SETTLE ->
		if
		:: delta != 0 ->
#ifndef BREAK_NOT_ASKED
			applied(h, s);
#endif
			if
			:: !yes ->
				step(LOAD_OP);
				cell_add(h, s, delta)
			:: else
			fi
		:: else
		fi;
		atomic {
			end_settlement(w, h, s, at);
			ended++;
			forget_step()
		}
	:: else ->
		atomic { forget_step() }
	fi
}

/* The fee is that of the usage seen, cut to what is held. */
inline price(h)
{
	assert(draft[h] == call_of[h] && terms[h] == call_of[h]);
	call = draft[h];
	if
	:: progress_sequence[h] == 0 ->
		fee = 0
	:: else ->
		assert(p_call[PROGRESS(h, progress_sequence[h])] == call);
		assert(p_usage[PROGRESS(h, progress_sequence[h])] ==
		    progress_sequence[h]);
		fee = p_usage[PROGRESS(h, progress_sequence[h])];
		fee = (fee > held -> held : fee)
	fi
}

inline reclaim_one(w, h)
{
	step(read_step(h));
	if
	:: kind == RESERVE || kind == EXTEND ->
		applied(h, s);
		atomic {
			held = (yes -> after : before);
			yes = false;
			if
			:: kind == RESERVE && held != after ->
				publish(h, s + 1, FREE, 0, 0, 0, 0, 0);
				kind = FREE
			:: else ->
				price(h);
				s++;
				begin_settlement(w, h, s, call, held, fee);
				kind = SETTLE
			fi
		}
		if
		:: kind == SETTLE ->
			if
			:: fee != held -> cell_add(h, s, held - fee)
			:: else
			fi;
			atomic {
				end_settlement(w, h, s, at);
				ended++;
				forget_step()
			}
		:: else ->
			atomic { forget_step() }
		fi
	:: else ->
		atomic { forget_step() }
	fi
}

/* The seat's ring is read; then its holds are ended, then it is given away. */
inline reclaim(w)
{
#ifdef BREAK_SEAT_EARLY
	step(state[w] = SEAT_FREE);
#endif
#ifndef BREAK_NOT_FINISHED
	finish_half_done(w, HOLD(w, 0));
#if HOLDS > 1
	finish_half_done(w, HOLD(w, 1));
#endif
#endif
	reclaim_one(w, HOLD(w, 0));
#if HOLDS > 1
	reclaim_one(w, HOLD(w, 1));
#endif
#ifdef BREAK_NOT_FINISHED
	/* It is finished, but not first. */
	finish_half_done(w, HOLD(w, 0));
#if HOLDS > 1
	finish_half_done(w, HOLD(w, 1));
#endif
#endif
	if
	:: ended == 0 -> step(state[w] = SEAT_FREE)
	:: else
	fi;
	ended = 0
}

inline enter_in_journal(w)
{
	cut();
	assert(records[call] == 1 && fee_of[call] == fee);
	journal[call]++;
	journal_fee = journal_fee + fee;
	durable[w]++
}

/*
 * What was read is in the journal before its room is given back.  Where the
 * rings can't fill it matters not when they are read: late, in one step.
 */
#ifdef READ_RINGS
#define UNREAD(w) (head[w] > durable[w])
inline consume(w)
{
#ifdef BREAK_TAIL_EARLY
	step(tail[w] = durable[w] + 1);
#endif
	step(call = r_call[SLOT(w, durable[w])]);
	step(fee = r_fee[SLOT(w, durable[w])]);
	atomic {
		enter_in_journal(w);
		call = 0;
		fee = 0
	}
}
#else
#define UNREAD(w) (head[w] > durable[w] && state[w] != SEAT_LIVE)
inline consume(w)
{
	atomic {
		call = r_call[SLOT(w, durable[w])];
		fee = r_fee[SLOT(w, durable[w])];
		enter_in_journal(w);
		tail[w] = durable[w];
		call = 0;
		fee = 0
	}
}
#endif

#define IDLE_SEAT(w) (state[w] == SEAT_LEFT)
#define DRAINED(w) (head[w] == durable[w] && tail[w] == durable[w])
#if WORKERS > 1
#define ALL_LEFT (IDLE_SEAT(0) && IDLE_SEAT(1))
#define ALL_DRAINED (DRAINED(0) && DRAINED(1))
#else
#define ALL_LEFT IDLE_SEAT(0)
#define ALL_DRAINED DRAINED(0)
#endif

#define tend(w) \
	:: UNREAD(w) && !killed[me] -> \
		consume(w) \
	:: tail[w] < durable[w] && !killed[me] -> \
		step(tail[w] = durable[w]) \
	:: state[w] == SEAT_DEAD && DRAINED(w) && !killed[me] -> \
		reclaim(w)

/* What the assertions on the way can't say: that all has come to an end. */
inline verdict()
{
	atomic {
		assert(granted == given);
		assert(available + journal_fee == given);
		do
		:: i < ALL_HOLDS ->
			assert(word_kind[i] == NONE || word_kind[i] == FREE);
			i++
		:: else ->
			break
		od;
		i = 1;
		do
		:: i < ALL_CALLS ->
			assert(journal[i] == records[i] && journal[i] <= 1);
			assert(!reserved[i] || journal[i] == 1);
			assert(taken[i] == fee_of[i]);
			i++
		:: else ->
			break
		od
	}
}

/* The flusher's main thread: recovers, reads rings, reclaims. */
proctype reader()
{
	byte me = READER;
	byte s, kind, before, after, grant, at, held, fee, call, ended, i;
	byte last_hold, last_sequence, seen, result, life;
	short amount, delta;
	bool yes;

birth:
	!killed[GRANTER];
	step(read_step(0));
	if
	:: kind == GRANT ->
		applied(0, s);
		atomic {
			cut();
#ifndef BREAK_NOT_RECOVERED
			granted = (yes -> grant : granted);
#endif
			publish(0, s + 1, FREE, 0, 0, 0, 0, 0)
		}
	:: else
	fi;
	atomic { forget_step() }
	step(grants_go = true);
	do
	tend(0)
#if WORKERS > 1
	tend(1)
#endif
	:: atomic { killed[me] -> goto dead }
	:: atomic {
		ALL_LEFT && ALL_DRAINED && grants_end && !killed[me];
		goto gone
	   }
	od;
dead:
	atomic {
		if
		:: killed[me] -> killed[me] = false
		:: else -> killed[GRANTER] = (grants_go && !grants_end)
		fi;
		grants_go = false;
		forget_step();
		ended = 0; i = 0; life = 0; seen = 0; amount = 0;
		goto birth
	}
gone:
	verdict()
}

/* Its other thread: loads what is granted, again after a death. */
proctype granter()
{
	byte me = GRANTER;
	byte s, last_hold, last_sequence, seen, result, life;
	short amount, delta;

birth:
	if
	:: atomic { grants_go && !killed[me] }
	:: atomic { killed[me] -> goto dead }
	fi;
	do
	:: grants_made < GRANTS ->
		atomic {
			s = word_sequence[0] + 1;
			delta = TARGET(grants_made) - granted;
			if
			:: delta != 0 ->
				publish(0, s, GRANT, delta, 0, 0,
				    TARGET(grants_made), 0);
				cut();
				LOAD_OP
			:: else
			fi
		}
		if
		:: delta != 0 -> cell_add(0, s, delta)
		:: else
		fi;
		atomic {
			if
			:: delta != 0 ->
				cut();
				granted = (result == APPLIED ->
				    TARGET(grants_made) : granted);
				publish(0, s + 1, FREE, 0, 0, 0, 0, 0)
			:: else
			fi;
			cut();
			grants_made++;
			s = 0; delta = 0; result = 0
		}
	:: else ->
		break
	od;
	step(grants_end = true);
	goto gone;
dead:
	atomic {
		if
		:: killed[me] -> killed[me] = false
		:: else -> killed[READER] = true
		fi;
		grants_go = false;
		s = 0; last_hold = 0; last_sequence = 0; seen = 0; result = 0;
		amount = 0; delta = 0; life = 0;
		goto birth
	}
gone:
	skip
}

init {
	atomic {
		run worker(0);
#if WORKERS > 1
		run worker(1);
#endif
		run reader();
		run granter()
	}
}
