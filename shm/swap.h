/*
 * swap.h: the 16-byte compare-and-swap.  Private to shm/.
 * Layer: shm.
 * Written by: nobody; it is a function.
 */
#ifndef SHM_SWAP_H
#define SHM_SWAP_H

#include <stdbool.h>
#include <stdint.h>

/* 16 bytes, swapped as a whole. */
__extension__ typedef unsigned __int128 swap_word;

/*
 * Swaps two words of 8 bytes, the first of which is 16-aligned.  The __sync
 * built-in, not the __atomic one: gcc compiles it to cmpxchg16b or CASP in
 * line, where the other may call libatomic, whose lock a killed process would
 * hold for ever.  A full barrier.
 */
static inline bool
swap_wide(void *at, uint64_t old_first, uint64_t old_second,
    uint64_t new_first, uint64_t new_second)
{
	union {
		swap_word whole;
		uint64_t half[2];
	} old, new;

	old.half[0] = old_first;
	old.half[1] = old_second;
	new.half[0] = new_first;
	new.half[1] = new_second;
	return __sync_bool_compare_and_swap((swap_word *)at, old.whole,
	    new.whole);
}

#endif
