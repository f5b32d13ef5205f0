/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hand: objects that are handed out to the program, which names them by their
 * offsets in the region and reaches them through its mapping.
 */
#ifndef _PH_HAND_H
#define _PH_HAND_H

#include "lend.h"
#include "object.h"

/* Runs of one PRIVHEAP_TAKE. */
#define PH_TAKE_RUNS	64U

/* A flag that no user can give: no quota refuses it, the object exists already. */
#define PH_HAND_MOVES	BIT(31)

int ph_hand_out(struct ph_heap *heap, struct privheap_take *args,
		struct privheap_run *runs);
int ph_hand_back(struct ph_heap *heap, u32 type,
		 const struct privheap_run *runs, u32 nr, bool partial,
		 u32 *done);

void ph_hand_undo(struct ph_heap *heap, const struct privheap_run *runs, u32 nr);

int ph_hand_claim(struct ph_heap *heap, u32 type,
		  const struct privheap_run *run, struct ph_slab **slabp,
		  u32 *slot);
struct ph_slab *ph_hand_pause(struct ph_slab *slab, u32 done);
struct ph_slab *ph_hand_claimed(struct ph_heap *heap, struct ph_slab *slab,
				u64 offset, u32 *slot);
void ph_hand_set_out(struct ph_slab *slab, u32 slot, u64 mask);
void ph_hand_unclaim_all(struct ph_heap *heap, const struct privheap_run *runs,
			 u32 nr);
void ph_hand_give_all(struct ph_heap *heap, const struct privheap_run *runs,
		      u32 nr);

#endif /* _PH_HAND_H */
