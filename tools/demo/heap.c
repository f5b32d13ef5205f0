// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"
#include "libprivheap.h"

/* errno, as the heap's commands set it, says why. */
_Noreturn void fail(const char *what)
{
	int err = errno;

	fflush(stdout);
	fprintf(stderr, "privheap-demo: %s: %s\n", what, privheap_strerror(err));
	exit(EXIT_FAILURE);
}

/* Zeroed memory of this process, for what is no object of the heap. */
void *take(size_t count, size_t bytes)
{
	void *memory = calloc(count ? count : 1, bytes);

	if (!memory)
		fail("memory of the program itself");
	return memory;
}

void heap_open(struct heap *heap)
{
	char message[PRIVHEAP_MESSAGE_BYTES];

	memset(heap, 0, sizeof(*heap));
	heap->fd = privheap_open();
	if (heap->fd < 0) {
		privheap_open_message(errno, message, sizeof(message));
		fprintf(stderr, "privheap-demo: %s\n", message);
		exit(EXIT_FAILURE);
	}
	if (privheap_cmd_query(heap->fd, &heap->limits) < 0)
		fail("query");
}

void heap_close(struct heap *heap)
{
	close(heap->fd);
	heap->fd = -1;
}

static uint32_t batch_of(const struct heap *heap, size_t count)
{
	return count < heap->limits.max_batch ? (uint32_t)count : heap->limits.max_batch;
}

void heap_alloc(const struct heap *heap, uint32_t type, size_t count, const uint64_t *sizes,
		uint64_t *handles)
{
	while (count) {
		struct privheap_alloc alloc = {
			.type = type,
			.count = batch_of(heap, count),
			.handles = (uintptr_t)handles,
			.sizes = (uintptr_t)sizes,
		};

		if (privheap_cmd_alloc(heap->fd, &alloc) < 0)
			fail("allocation");
		count -= alloc.count;
		sizes += alloc.count;
		handles += alloc.count;
	}
}

void heap_free(const struct heap *heap, uint32_t type, size_t count, const uint64_t *handles)
{
	while (count) {
		struct privheap_batch batch = {
			.type = type,
			.count = batch_of(heap, count),
			.handles = (uintptr_t)handles,
		};

		if (privheap_cmd_free(heap->fd, &batch) < 0)
			fail("free");
		count -= batch.count;
		handles += batch.count;
	}
}

/* Returns the size up to which the object can now grow in place. */
uint64_t heap_resize(const struct heap *heap, uint32_t type, uint64_t *handle, uint64_t bytes)
{
	struct privheap_resize resize = {
		.handle = *handle,
		.object_bytes = bytes,
		.type = type,
	};

	if (privheap_cmd_resize(heap->fd, &resize) < 0)
		fail("resize");
	*handle = resize.handle;
	return resize.usable_bytes;
}

uint64_t heap_trim(const struct heap *heap)
{
	struct privheap_trim trim = { 0 };

	if (privheap_cmd_trim(heap->fd, &trim) < 0)
		fail("trim");
	return trim.released_bytes;
}

void transfer_begin(struct transfer *transfer, const struct heap *heap, uint32_t type, bool write)
{
	transfer->heap = heap;
	transfer->type = type;
	transfer->write = write;
	transfer->count = 0;
	transfer->bytes = 0;
}

/* Does what is waiting. */
void transfer_end(struct transfer *transfer)
{
	struct privheap_rw rw = {
		.type = transfer->type,
		.count = transfer->count,
		.ios = (uintptr_t)transfer->ios,
	};

	if (!transfer->count)
		return;
	if (transfer->write ? privheap_cmd_write(transfer->heap->fd, &rw) < 0 :
			      privheap_cmd_read(transfer->heap->fd, &rw) < 0)
		fail(transfer->write ? "write" : "read");
	transfer->count = 0;
	transfer->bytes = 0;
}

/* The buffer must stay until transfer_end(). It is only read by a write. */
void transfer_add(struct transfer *transfer, uint64_t handle, uint64_t offset,
		  const void *buffer, uint64_t bytes)
{
	const uint64_t most = transfer->heap->limits.max_io_bytes;
	const uint32_t ios = batch_of(transfer->heap, TRANSFER_IOS);

	while (bytes) {
		uint64_t room = most - transfer->bytes;
		uint64_t part = bytes < room ? bytes : room;

		transfer->ios[transfer->count++] = (struct privheap_io) {
			.handle = handle,
			.offset = offset,
			.bytes = part,
			.buffer = (uintptr_t)buffer,
		};
		transfer->bytes += part;
		if (transfer->count == ios || transfer->bytes == most)
			transfer_end(transfer);
		buffer = (const char *)buffer + part;
		offset += part;
		bytes -= part;
	}
}

void heap_read(const struct heap *heap, uint32_t type, uint64_t handle, uint64_t offset,
	       void *buffer, uint64_t bytes)
{
	struct transfer transfer;

	transfer_begin(&transfer, heap, type, false);
	transfer_add(&transfer, handle, offset, buffer, bytes);
	transfer_end(&transfer);
}

void heap_write(const struct heap *heap, uint32_t type, uint64_t handle, uint64_t offset,
		const void *buffer, uint64_t bytes)
{
	struct transfer transfer;

	transfer_begin(&transfer, heap, type, true);
	transfer_add(&transfer, handle, offset, buffer, bytes);
	transfer_end(&transfer);
}
