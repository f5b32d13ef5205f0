/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Statistics of heaps and types as text for people.
 */
#ifndef PRIVHEAP_HEAPSTAT_H
#define PRIVHEAP_HEAPSTAT_H

#include "debugfs.h"

void print_heap(const struct record *heap);
void print_types_header(void);
void print_type(const struct record *type);

#endif /* PRIVHEAP_HEAPSTAT_H */
