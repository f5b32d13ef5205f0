/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lists of positions, which grow while the text is read.
 */
#ifndef DEMO_LISTS_H
#define DEMO_LISTS_H

#include <stddef.h>

#include "chunk.h"
#include "heap.h"

void lists_create(const struct heap *heap, struct group **groups, size_t count);
void lists_extend(const struct heap *heap, struct group **groups, size_t count);

#endif /* DEMO_LISTS_H */
