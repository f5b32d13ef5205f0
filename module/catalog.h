/* SPDX-License-Identifier: GPL-2.0 */
/* Catalog: which types a heap has. */
#ifndef _PH_CATALOG_H
#define _PH_CATALOG_H

#include "heap.h"

int ph_catalog_add(struct ph_heap *heap, struct privheap_type *desc);
void ph_catalog_drop(struct ph_heap *heap, u32 id);
int ph_catalog_remove(struct ph_heap *heap, u32 id);
int ph_catalog_find(struct ph_heap *heap, struct privheap_type *desc);
u32 ph_catalog_list(struct ph_heap *heap, struct privheap_type *descs, u32 nr,
		    u32 *cursor);

#endif /* _PH_CATALOG_H */
