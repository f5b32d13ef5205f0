/* SPDX-License-Identifier: GPL-2.0 */
/* Catalog: which types a heap has. */
#ifndef _PH_CATALOG_H
#define _PH_CATALOG_H

#include "heap.h"

/**
 * typedef ph_catalog_tell_fn - tell who asked for a type what its id is
 * @data: as given to ph_catalog_add()
 * @id: the id
 *
 * Nobody can use the type, or end it, before.
 *
 * Context: process, the heap's semaphore held.
 * Return: 0, or an error, which ends the type.
 */
typedef int (*ph_catalog_tell_fn)(void *data, u32 id);

int ph_catalog_add(struct ph_heap *heap, struct privheap_type *desc,
		   ph_catalog_tell_fn tell, void *data);
void ph_catalog_drop(struct ph_heap *heap, u32 id);
int ph_catalog_remove(struct ph_heap *heap, u32 id);
int ph_catalog_find(struct ph_heap *heap, struct privheap_type *desc);
u32 ph_catalog_list(struct ph_heap *heap, struct privheap_type *descs, u32 nr,
		    u32 *cursor);

#endif /* _PH_CATALOG_H */
