/* SPDX-License-Identifier: GPL-2.0 */
/* Refs: reference counts of counted objects. */
#ifndef _PH_REFS_H
#define _PH_REFS_H

#include "heap.h"

int ph_refs_get(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		bool partial, u32 *done);
int ph_refs_put(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		bool partial, u32 *done, u32 *freed);

#endif /* _PH_REFS_H */
