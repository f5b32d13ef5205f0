/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctls as functions that cannot fail: a benchmark whose call fails has
 * nothing to measure and ends.
 */
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include <stdint.h>

#include <linux/privheap.h>

/* The batch that all figures are asked for. */
#define BATCH		64

/* Another heap; closing the file ends it. */
int heap_open(void);

/* A type of policy @policy; @max_bytes 0: all objects are of @min_bytes. */
uint32_t heap_type(int heap, const char *name, uint32_t policy,
		   uint64_t min_bytes, uint64_t max_bytes);

/* One command with everything filled in, to be repeated as it is. */
struct privheap_alloc heap_alloc_command(uint32_t type, uint64_t *handles,
					 uint32_t count);
struct privheap_batch heap_free_command(uint32_t type, uint64_t *handles,
					uint32_t count);
void heap_do_alloc(int heap, struct privheap_alloc *command);
void heap_do_free(int heap, struct privheap_batch *command);

/* As many batches as @count needs; @sizes may be NULL for the type's own. */
void heap_alloc(int heap, uint32_t type, uint64_t *handles,
		const uint64_t *sizes, uint32_t count);
void heap_free(int heap, uint32_t type, uint64_t *handles, uint32_t count);

/* Updates the handle; returns the size up to which it need not move. */
uint64_t heap_resize(int heap, uint32_t type, uint64_t *handle, uint64_t bytes);

struct privheap_heap_stat heap_stat(int heap);

/*
 * Memory for @count handles, which stays the benchmark's: not an object, and
 * touched before anything is measured.
 */
uint64_t *heap_handles(uint32_t count);

#endif /* BENCH_HEAP_H */
