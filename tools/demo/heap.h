/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A private heap as this program uses it: batches of any length, and no way
 * back from an error. Whatever fails ends the program with one line; that the
 * heap is then gone too is the kernel's business.
 */
#ifndef DEMO_HEAP_H
#define DEMO_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/privheap.h>

struct heap {
	int fd;
	struct privheap_query limits;
};

#define TRANSFER_IOS	1024

/* Reads or writes that wait until there are enough of them for a call. */
struct transfer {
	const struct heap *heap;
	uint32_t type;
	bool write;
	uint32_t count;
	uint64_t bytes;
	struct privheap_io ios[TRANSFER_IOS];
};

void heap_open(struct heap *heap);
void heap_close(struct heap *heap);

void heap_alloc(const struct heap *heap, uint32_t type, size_t count, const uint64_t *sizes,
		uint64_t *handles);
void heap_free(const struct heap *heap, uint32_t type, size_t count, const uint64_t *handles);
uint64_t heap_resize(const struct heap *heap, uint32_t type, uint64_t *handle, uint64_t bytes);
uint64_t heap_trim(const struct heap *heap);

void transfer_begin(struct transfer *transfer, const struct heap *heap, uint32_t type, bool write);
void transfer_add(struct transfer *transfer, uint64_t handle, uint64_t offset,
		  const void *buffer, uint64_t bytes);
void transfer_end(struct transfer *transfer);

void heap_read(const struct heap *heap, uint32_t type, uint64_t handle, uint64_t offset,
	       void *buffer, uint64_t bytes);
void heap_write(const struct heap *heap, uint32_t type, uint64_t handle, uint64_t offset,
		const void *buffer, uint64_t bytes);

_Noreturn void fail(const char *what);
void *take(size_t count, size_t bytes);

#endif /* DEMO_HEAP_H */
