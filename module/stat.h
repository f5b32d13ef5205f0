/* SPDX-License-Identifier: GPL-2.0 */
/* Stat: what heaps and types hold, in numbers. */
#ifndef _PH_STAT_H
#define _PH_STAT_H

#include "heap.h"

void ph_stat_heap(struct ph_heap *heap, struct privheap_heap_stat *stat);
void ph_stat_type(struct ph_type *type, struct privheap_type_stat *stat);
int ph_stat_type_by_id(struct ph_heap *heap, struct privheap_type_stat *stat);

#endif /* _PH_STAT_H */
