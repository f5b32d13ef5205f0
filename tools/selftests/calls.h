/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One function for each command, in the form that most tests want.
 *
 * Every function returns 0 or an errno. Tests of the form of a call fill in
 * the struct themselves and use heap_call().
 */
#ifndef PRIVHEAP_SELFTESTS_CALLS_H
#define PRIVHEAP_SELFTESTS_CALLS_H

#include "common.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static inline int heap_call(int heap, unsigned long command, void *arg)
{
	int ret = ioctl(heap, command, arg);

	/* A positive result is none that the interface knows. */
	return ret < 0 ? errno : ret ? EPROTO : 0;
}

static inline int heap_open(void)
{
	int heap = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);

	REQUIRE(heap >= 0);
	return heap;
}

static inline struct privheap_query heap_query(int heap)
{
	struct privheap_query q = { .size = sizeof(q) };

	REQUIRE_OK(heap_call(heap, PRIVHEAP_QUERY, &q));
	return q;
}

static inline int heap_setup(int heap, __u64 reserve, __u64 soft, __u64 hard)
{
	struct privheap_setup s = {
		.size = sizeof(s), .reserve_bytes = reserve,
		.soft_max_bytes = soft, .hard_max_bytes = hard,
	};

	return heap_call(heap, PRIVHEAP_SETUP, &s);
}

static inline struct privheap_type type_named(const char *name, __u64 min, __u64 max)
{
	struct privheap_type t = {
		.size = sizeof(t), .min_bytes = min, .max_bytes = max,
	};

	snprintf(t.name, sizeof(t.name), "%s", name);
	return t;
}

static inline int type_create(int heap, struct privheap_type *t)
{
	return heap_call(heap, PRIVHEAP_TYPE_CREATE, t);
}

/* A type that must come into being: its id. */
static inline __u32 type_make(int heap, const char *name, __u64 min, __u64 max,
			      __u32 flags)
{
	struct privheap_type t = type_named(name, min, max);

	t.flags = flags;
	REQUIRE_OK(type_create(heap, &t));
	return t.type;
}

static inline int type_lookup(int heap, const char *name, struct privheap_type *t)
{
	*t = type_named(name, 0, 0);
	return heap_call(heap, PRIVHEAP_TYPE_LOOKUP, t);
}

static inline int type_destroy(int heap, __u32 type)
{
	struct privheap_type_destroy d = { .size = sizeof(d), .type = type };

	return heap_call(heap, PRIVHEAP_TYPE_DESTROY, &d);
}

static inline int heap_alloc(int heap, __u32 type, __u64 bytes, __u64 *handles,
			     __u32 count)
{
	struct privheap_alloc a = {
		.size = sizeof(a), .type = type, .count = count,
		.handles = user_ptr(handles), .object_bytes = bytes,
	};
	int err = heap_call(heap, PRIVHEAP_ALLOC, &a);

	if (!err)
		EXPECT_EQ(a.done, count);
	return err;
}

/* An object that must come into being: its handle. */
static inline __u64 heap_new(int heap, __u32 type, __u64 bytes)
{
	__u64 handle = 0;

	REQUIRE_OK(heap_alloc(heap, type, bytes, &handle, 1));
	return handle;
}

static inline int heap_batch(int heap, unsigned long command, __u32 type,
			     const __u64 *handles, __u32 count)
{
	struct privheap_batch b = {
		.size = sizeof(b), .type = type, .count = count,
		.handles = user_ptr(handles),
	};
	int err = heap_call(heap, command, &b);

	if (!err)
		EXPECT_EQ(b.done, count);
	return err;
}

static inline int heap_free(int heap, const __u64 *handles, __u32 count)
{
	return heap_batch(heap, PRIVHEAP_FREE, 0, handles, count);
}

static inline int heap_free_one(int heap, __u64 handle)
{
	return heap_free(heap, &handle, 1);
}

/* Any number of objects of one size, in batches of at most 64. */
static inline void heap_fill(int heap, __u32 type, __u64 bytes, __u64 *handles,
			     size_t count)
{
	for (size_t i = 0; i < count; i += 64)
		REQUIRE_OK(heap_alloc(heap, type, bytes, handles + i,
				      MIN(count - i, 64)));
}

static inline void heap_drain(int heap, const __u64 *handles, size_t count)
{
	for (size_t i = 0; i < count; i += 64)
		REQUIRE_OK(heap_free(heap, handles + i, MIN(count - i, 64)));
}

static inline int heap_resize(int heap, __u64 *handle, __u64 bytes)
{
	struct privheap_resize r = {
		.size = sizeof(r), .handle = *handle, .object_bytes = bytes,
	};
	int err = heap_call(heap, PRIVHEAP_RESIZE, &r);

	if (!err) {
		EXPECT(r.usable_bytes >= bytes);
		*handle = r.handle;
	}
	return err;
}

static inline int heap_rw(int heap, unsigned long command, __u64 handle,
			  __u64 offset, const void *buffer, __u64 bytes)
{
	struct privheap_io io = {
		.handle = handle, .offset = offset, .bytes = bytes,
		.buffer = user_ptr(buffer),
	};
	struct privheap_rw rw = {
		.size = sizeof(rw), .count = 1, .ios = user_ptr(&io),
	};

	return heap_call(heap, command, &rw);
}

static inline int heap_read(int heap, __u64 handle, __u64 offset, void *to,
			    __u64 bytes)
{
	return heap_rw(heap, PRIVHEAP_READ, handle, offset, to, bytes);
}

static inline int heap_write(int heap, __u64 handle, __u64 offset,
			     const void *from, __u64 bytes)
{
	return heap_rw(heap, PRIVHEAP_WRITE, handle, offset, from, bytes);
}

static inline int heap_infos(int heap, const __u64 *handles,
			     struct privheap_object_info *infos, __u32 count)
{
	struct privheap_info i = {
		.size = sizeof(i), .count = count,
		.handles = user_ptr(handles), .infos = user_ptr(infos),
	};

	return heap_call(heap, PRIVHEAP_INFO, &i);
}

static inline struct privheap_object_info heap_info(int heap, __u64 handle)
{
	struct privheap_object_info info;

	memset(&info, 0xee, sizeof(info));
	REQUIRE_OK(heap_infos(heap, &handle, &info, 1));
	return info;
}

static inline int heap_get(int heap, __u64 handle)
{
	return heap_batch(heap, PRIVHEAP_GET, 0, &handle, 1);
}

static inline int heap_put(int heap, __u64 handle)
{
	return heap_batch(heap, PRIVHEAP_PUT, 0, &handle, 1);
}

static inline int heap_reserve(int heap, __u32 type, __u64 bytes, __u64 count,
			       __u64 *promised)
{
	struct privheap_reserve r = {
		.size = sizeof(r), .type = type, .object_bytes = bytes,
		.count = count,
	};
	int err = heap_call(heap, PRIVHEAP_RESERVE, &r);

	if (promised)
		*promised = err ? 0 : r.promised;
	return err;
}

static inline __u64 heap_trim(int heap)
{
	struct privheap_trim t = { .size = sizeof(t) };

	REQUIRE_OK(heap_call(heap, PRIVHEAP_TRIM, &t));
	return t.released_bytes;
}

static inline struct privheap_heap_stat heap_stat(int heap)
{
	struct privheap_heap_stat s = { .size = sizeof(s) };

	REQUIRE_OK(heap_call(heap, PRIVHEAP_HEAP_STAT, &s));
	return s;
}

static inline struct privheap_type_stat type_stat(int heap, __u32 type)
{
	struct privheap_type_stat s = { .size = sizeof(s), .type = type };

	REQUIRE_OK(heap_call(heap, PRIVHEAP_TYPE_STAT, &s));
	return s;
}

/* Content of a whole object, by the pattern of @seed. */
static inline void object_fill(int heap, __u64 handle, size_t bytes, __u64 seed)
{
	size_t step = heap_query(heap).max_io_bytes;
	char *buffer = malloc(bytes);

	REQUIRE(buffer);
	pattern_fill(buffer, bytes, seed);
	for (size_t at = 0; at < bytes; at += step)
		REQUIRE_OK(heap_write(heap, handle, at, buffer + at,
				      MIN(bytes - at, step)));
	free(buffer);
}

static inline void object_check(int heap, __u64 handle, size_t bytes, __u64 seed)
{
	void *buffer = malloc(bytes);

	REQUIRE(buffer);
	if (EXPECT_OK(heap_read(heap, handle, 0, buffer, bytes)))
		EXPECT_EQ(pattern_check(buffer, bytes, seed), -1);
	free(buffer);
}

#endif
