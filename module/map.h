/* SPDX-License-Identifier: GPL-2.0 */
/* Map: what mmap() of a heap gives. */
#ifndef _PH_MAP_H
#define _PH_MAP_H

#include "heap.h"

struct vm_area_struct;

int ph_map(struct ph_heap *heap, struct vm_area_struct *vma);
void ph_map_populate(struct ph_heap *heap, u32 type);

#endif /* _PH_MAP_H */
