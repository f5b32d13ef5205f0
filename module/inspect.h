/* SPDX-License-Identifier: GPL-2.0 */
/* Inspect: which objects there are, and what is known of them. */
#ifndef _PH_INSPECT_H
#define _PH_INSPECT_H

#include "heap.h"

int ph_inspect_object(struct ph_heap *heap, u32 type, u64 handle,
		      struct privheap_object_info *info);
int ph_inspect_walk(struct ph_heap *heap, u32 type, u64 *cursor, u64 *handles,
		    u32 nr, u32 *done);

#endif /* _PH_INSPECT_H */
