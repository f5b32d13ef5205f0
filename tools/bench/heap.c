// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "heap.h"

int heap_open(void)
{
	int heap = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (heap < 0)
		bench_die("open " PRIVHEAP_DEVICE);
	return heap;
}

uint32_t heap_type(int heap, const char *name, uint32_t policy,
		   uint64_t min_bytes, uint64_t max_bytes)
{
	struct privheap_type type = {
		.size = sizeof(type),
		.policy = policy,
		.min_bytes = min_bytes,
		.max_bytes = max_bytes,
	};

	strncpy(type.name, name, sizeof(type.name) - 1);
	if (ioctl(heap, PRIVHEAP_TYPE_CREATE, &type))
		bench_die("PRIVHEAP_TYPE_CREATE");
	return type.type;
}

struct privheap_alloc heap_alloc_command(uint32_t type, uint64_t *handles,
					 uint32_t count)
{
	return (struct privheap_alloc) {
		.size = sizeof(struct privheap_alloc),
		.type = type,
		.count = count,
		.handles = (uintptr_t)handles,
	};
}

struct privheap_batch heap_free_command(uint32_t type, uint64_t *handles,
					uint32_t count)
{
	return (struct privheap_batch) {
		.size = sizeof(struct privheap_batch),
		.type = type,
		.count = count,
		.handles = (uintptr_t)handles,
	};
}

void heap_do_alloc(int heap, struct privheap_alloc *command)
{
	if (ioctl(heap, PRIVHEAP_ALLOC, command))
		bench_die("PRIVHEAP_ALLOC");
}

void heap_do_free(int heap, struct privheap_batch *command)
{
	if (ioctl(heap, PRIVHEAP_FREE, command))
		bench_die("PRIVHEAP_FREE");
}

static uint32_t batch_at(uint32_t at, uint32_t count)
{
	return count - at < BATCH ? count - at : BATCH;
}

void heap_alloc(int heap, uint32_t type, uint64_t *handles,
		const uint64_t *sizes, uint32_t count)
{
	for (uint32_t at = 0; at < count; at += BATCH) {
		struct privheap_alloc command = heap_alloc_command(type,
				handles + at, batch_at(at, count));

		if (sizes)
			command.sizes = (uintptr_t)(sizes + at);
		heap_do_alloc(heap, &command);
	}
}

void heap_free(int heap, uint32_t type, uint64_t *handles, uint32_t count)
{
	for (uint32_t at = 0; at < count; at += BATCH) {
		struct privheap_batch command = heap_free_command(type,
				handles + at, batch_at(at, count));

		heap_do_free(heap, &command);
	}
}

uint64_t heap_resize(int heap, uint32_t type, uint64_t *handle, uint64_t bytes)
{
	struct privheap_resize resize = {
		.size = sizeof(resize),
		.handle = *handle,
		.object_bytes = bytes,
		.type = type,
	};

	if (ioctl(heap, PRIVHEAP_RESIZE, &resize))
		bench_die("PRIVHEAP_RESIZE");
	*handle = resize.handle;
	return resize.usable_bytes;
}

struct privheap_heap_stat heap_stat(int heap)
{
	struct privheap_heap_stat stat = { .size = sizeof(stat) };

	if (ioctl(heap, PRIVHEAP_HEAP_STAT, &stat))
		bench_die("PRIVHEAP_HEAP_STAT");
	return stat;
}

uint64_t *heap_handles(uint32_t count)
{
	return bench_memory(count * sizeof(uint64_t));
}
