/* SPDX-License-Identifier: GPL-2.0 */
/* Object: making and ending objects, in batches. */
#ifndef _PH_OBJECT_H
#define _PH_OBJECT_H

#include "handle.h"

/* Objects that are worked on in one go, without a rescheduling point. */
#define PH_CHUNK	64U

/* The slab of a round that this caller holds; @slab is a guess. */
static __always_inline struct ph_slab *
ph_object_slab(struct ph_heap *heap, struct ph_slab *slab, u64 round)
{
	if (likely(ph_round_key(round) - slab->key < slab->reach))
		return slab;
	return ph_region_lookup(&heap->region, ph_round_offset(round));
}

/**
 * struct ph_alloc - what is asked for
 * @type: id of the type
 * @zero: whether the objects have to be zero whatever their type says
 * @bytes: size of each; 0: the type's smallest
 * @sizes: array, the size of each; or NULL
 */
struct ph_alloc {
	u32 type;
	bool zero;
	u64 bytes;
	const u64 *sizes;
};

int ph_object_alloc(struct ph_heap *heap, const struct ph_alloc *req,
		    u64 *handles, u32 nr, bool partial, u32 *done);
void ph_object_alloc_undo(struct ph_heap *heap, u64 *handles, u32 nr);
int ph_object_claim_new(struct ph_heap *heap, u32 id, u64 bytes, u64 *round);
int ph_object_free(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		   bool partial, u32 *done);
int ph_object_claim_chunk(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
			  u32 *done);
void ph_object_unclaim(struct ph_heap *heap, const u64 *rounds, u32 nr);
void ph_object_adopt(struct ph_slab *slab, u32 slot);
u64 ph_object_disown(struct ph_slab *slab, u32 slot);
void ph_object_free_claimed(struct ph_heap *heap, u64 *rounds, u32 nr);

#endif /* _PH_OBJECT_H */
