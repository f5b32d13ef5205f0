/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lend: slots that a program has by their addresses.
 *
 * A slot is handed out from its slab and comes back to it, past magazines and
 * depot: the program has magazines of its own. It goes out and comes in with
 * its neighbours, a word of the bitmaps at a time. In between it is claimed: it
 * is not live, no handle names it, and its generation stays as it is, so that
 * the next handle there fits no object before.
 */
#ifndef _PH_LEND_H
#define _PH_LEND_H

#include "cache.h"

/**
 * struct ph_lend - slots on their way out
 * @runs: (out) array
 * @max_runs: its length
 * @nr_runs: (in, out) how many there are
 * @want: how many slots are wanted
 * @done: (in, out) how many there are
 * @moves: whether it is the new place of an object that there is
 * @spare: books for a slab that has never lent; taken and set to NULL if needed
 */
struct ph_lend {
	struct privheap_run *runs;
	u32 max_runs;
	u32 nr_runs;
	u32 want;
	u32 done;
	bool moves;
	struct ph_out *spare;
};

struct ph_out *ph_out_alloc(struct ph_cache *cache);
void ph_out_free(struct ph_cache *cache, struct ph_out *out);
int ph_slab_make_lendable(struct ph_slab *slab);
int ph_slab_make_nameable(struct ph_slab *slab);

int ph_cache_lend(struct ph_cache *cache, struct ph_lend *lend);
void ph_cache_regain(struct ph_cache *cache, const struct privheap_run *runs,
		     u32 nr);
void ph_cache_count_handed(struct ph_cache *cache, s32 nr, s64 bytes);

bool ph_slab_claim_out(struct ph_slab *slab, u32 slot, u64 mask);
void ph_slab_set_out(struct ph_slab *slab, u32 slot, u64 mask);

#endif /* _PH_LEND_H */
