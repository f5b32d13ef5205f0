/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index that the demonstration builds: where each word of a text is.
 *
 * Everything is an object of the heap: the words are str, how often each one
 * comes is an int, at which positions a list, and a dict finds these three.
 */
#ifndef DEMO_INDEX_H
#define DEMO_INDEX_H

#include "dict.h"
#include "heap.h"
#include "words.h"

struct index {
	const struct heap *heap;
	struct dict dict;
};

void index_create(struct index *index, const struct heap *heap);
void index_add(struct index *index, const struct text *text);
uint64_t index_drop_half(struct index *index);

#endif /* DEMO_INDEX_H */
