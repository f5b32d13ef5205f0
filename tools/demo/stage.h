/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the heap looks like after each step of the story, as tables.
 */
#ifndef DEMO_STAGE_H
#define DEMO_STAGE_H

#include "heap.h"

#define STAGE_TYPES	4

/* Statistics as they were at one moment. */
struct stage {
	struct privheap_heap_stat heap;
	struct privheap_type_stat types[STAGE_TYPES];
};

void stage_take(struct stage *stage, const struct heap *heap);
void stage_print(const struct stage *before, const struct stage *now);

#endif /* DEMO_STAGE_H */
