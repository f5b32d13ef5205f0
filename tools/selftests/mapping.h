/* SPDX-License-Identifier: GPL-2.0 */
/* The mapped door in the form that its tests want. */
#ifndef PRIVHEAP_SELFTESTS_MAPPING_H
#define PRIVHEAP_SELFTESTS_MAPPING_H

#include "calls.h"

#include <setjmp.h>
#include <signal.h>

/* What the tests map: enough for all that they allocate. */
#define REGION_BYTES	(256ULL << 20)

static inline unsigned char *map_at(int heap, __u64 offset, size_t bytes,
				    int prot, int flags)
{
	return mmap(NULL, bytes, prot, flags, heap, (off_t)offset);
}

static inline unsigned char *region_map(int heap)
{
	unsigned char *base = map_at(heap, PRIVHEAP_MAP_REGION, REGION_BYTES,
				     PROT_READ | PROT_WRITE, MAP_SHARED);

	REQUIRE(base != MAP_FAILED);
	return base;
}

static inline const struct privheap_map_entry *slab_map(int heap)
{
	size_t page = heap_query(heap).page_size;
	void *map = map_at(heap, PRIVHEAP_MAP_SLABS, REGION_BYTES / page *
			   sizeof(struct privheap_map_entry), PROT_READ,
			   MAP_SHARED);

	REQUIRE(map != MAP_FAILED);
	return map;
}

static inline int heap_take_runs(int heap, struct privheap_take *t)
{
	t->size = sizeof(*t);
	return heap_call(heap, PRIVHEAP_TAKE, t);
}

/* All of @count objects; their offsets. */
static inline int heap_take(int heap, __u32 type, __u64 bytes, __u64 *offsets,
			    __u32 count)
{
	struct privheap_run runs[64];
	__u32 got = 0;
	int err;

	while (got < count) {
		struct privheap_take t = {
			.type = type, .count = count - got,
			.object_bytes = bytes, .runs = user_ptr(runs),
			.max_runs = ARRAY_SIZE(runs),
		};

		err = heap_take_runs(heap, &t);
		if (err)
			return err;
		for (__u32 i = 0; i < t.nr_runs; i++)
			for (unsigned int bit = 0; bit < 64; bit++)
				if (runs[i].mask >> bit & 1)
					offsets[got++] = runs[i].offset +
						(__u64)bit * t.stride;
	}
	return 0;
}

static inline __u64 heap_take_one(int heap, __u32 type, __u64 bytes)
{
	__u64 offset = 0;

	REQUIRE_OK(heap_take(heap, type, bytes, &offset, 1));
	return offset;
}

static inline int heap_give_runs(int heap, __u32 type,
				 const struct privheap_run *runs, __u32 count)
{
	struct privheap_give g = {
		.size = sizeof(g), .type = type, .count = count,
		.runs = user_ptr(runs),
	};

	return heap_call(heap, PRIVHEAP_GIVE, &g);
}

static inline int heap_give(int heap, __u32 type, const __u64 *offsets,
			    __u32 count)
{
	struct privheap_run *runs = calloc(count, sizeof(*runs));
	int err;

	REQUIRE(runs);
	for (__u32 i = 0; i < count; i++)
		runs[i] = (struct privheap_run){ offsets[i], 1 };
	err = heap_give_runs(heap, type, runs, count);
	free(runs);
	return err;
}

static inline int heap_give_one(int heap, __u64 offset)
{
	return heap_give(heap, 0, &offset, 1);
}

static inline int heap_convert(int heap, unsigned long command, __u32 type,
			       const __u64 *from, __u64 *to, __u32 count)
{
	struct privheap_convert c = {
		.size = sizeof(c), .type = type, .count = count,
		.from = user_ptr(from), .to = user_ptr(to),
	};

	return heap_call(heap, command, &c);
}

static inline int heap_regrow(int heap, __u64 *offset, __u64 bytes,
			      __u64 *usable)
{
	struct privheap_resize r = {
		.size = sizeof(r), .flags = PRIVHEAP_BY_OFFSET,
		.handle = *offset, .object_bytes = bytes,
	};
	int err = heap_call(heap, PRIVHEAP_RESIZE, &r);

	if (!err) {
		*offset = r.handle;
		if (usable)
			*usable = r.usable_bytes;
	}
	return err;
}

static sigjmp_buf touch_back;

static void touch_caught(int signal)
{
	siglongjmp(touch_back, signal);
}

/* The signal that an access gives; 0: none. */
static inline int touch(volatile unsigned char *at, bool write)
{
	struct sigaction action = { .sa_handler = touch_caught }, was[2];
	int signal;

	sigaction(SIGBUS, &action, &was[0]);
	sigaction(SIGSEGV, &action, &was[1]);
	signal = sigsetjmp(touch_back, 1);
	if (!signal) {
		if (write)
			*at = 1;
		else
			(void)*at;
	}
	sigaction(SIGBUS, &was[0], NULL);
	sigaction(SIGSEGV, &was[1], NULL);
	return signal;
}

#endif
