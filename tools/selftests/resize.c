// SPDX-License-Identifier: GPL-2.0
/*
 * RESIZE: content, moves, zero tails, large objects.
 */
#include "calls.h"

#define KIB	(1ULL << 10)
#define MIB	(1ULL << 20)

/* One change of size of an object of one type. */
struct change {
	__u64 from, to;
};

static const struct change changes[] = {
	{ 1, 2 }, { 8, 8 }, { 16, 17 }, { 24, 4000 }, { 100, 100000 },
	{ 4000, 4096 }, { 4096, 4097 }, { 5000, 9000 }, { 8192, 8193 },
	{ 10000, 3 * MIB }, { 64 * KIB, MIB }, { MIB, 2 * MIB + 1 },
	{ 2, 1 }, { 4000, 24 }, { 4097, 4096 }, { 100000, 100 },
	{ 8193, 8192 }, { MIB, 64 * KIB }, { 3 * MIB, 10000 }, { 2 * MIB + 1, 8 },
};

static const __u32 movers[] = {
	PRIVHEAP_TYPE_STR, PRIVHEAP_TYPE_LIST, PRIVHEAP_TYPE_OBJECT,
};

static void resize_keeps_content(int heap, const void *arg)
{
	const struct change *c = arg;
	struct privheap_object_info info;
	__u64 handle, old;

	for (size_t i = 0; i < ARRAY_SIZE(movers); i++) {
		handle = old = heap_new(heap, movers[i], c->from);
		object_fill(heap, handle, c->from, i);
		REQUIRE_OK(heap_resize(heap, &handle, c->to));
		object_check(heap, handle, MIN(c->from, c->to), i);
		info = heap_info(heap, handle);
		EXPECT_EQ(info.type, movers[i]);
		EXPECT_EQ(info.requested_bytes, c->to);
		EXPECT_EQ(heap_stat(heap).live_objects, 1);
		EXPECT_EQ(heap_stat(heap).live_bytes, c->to);
		if (handle != old)
			EXPECT_ERR(heap_free_one(heap, old), ESTALE, EREMCHG);
		EXPECT_OK(heap_free_one(heap, handle));
	}
}

/* Dirty, shrink, grow: what came back must not be what was there. */
static void resize_zeroes_the_tail(int heap, const void *arg)
{
	__u32 type = type_make(heap, "zeroed", 1, 8 * MIB, PRIVHEAP_TYPE_ZERO_ALLOC);
	const struct change *c = arg;
	__u64 low = MIN(c->from, c->to), high = c->from + c->to - low;
	char *buffer = malloc(high);
	__u64 handle = heap_new(heap, type, high);

	REQUIRE(buffer);
	object_fill(heap, handle, high, 7);
	REQUIRE_OK(heap_resize(heap, &handle, low));
	REQUIRE_OK(heap_resize(heap, &handle, high));
	REQUIRE_OK(heap_read(heap, handle, 0, buffer, high));
	EXPECT_EQ(pattern_check(buffer, low, 7), -1);
	EXPECT_EQ(zero_check(buffer + low, high - low), -1);
	free(buffer);
}

/* The same from what an object freed before left in the slot. */
static void resize_zeroes_a_fresh_tail(int heap, const void *arg)
{
	__u32 type = type_make(heap, "zeroed", 1, 8 * MIB, PRIVHEAP_TYPE_ZERO_ALLOC);
	char buffer[4096];
	__u64 handle;

	(void)arg;
	for (__u64 bytes = 1; bytes < 2000; bytes += 13) {
		handle = heap_new(heap, type, 2 * bytes + 40);
		object_fill(heap, handle, 2 * bytes + 40, 1);
		REQUIRE_OK(heap_free_one(heap, handle));
		handle = heap_new(heap, type, bytes);
		REQUIRE_OK(heap_resize(heap, &handle, 2 * bytes + 40));
		REQUIRE_OK(heap_read(heap, handle, 0, buffer, 2 * bytes + 40));
		EXPECT_EQ(zero_check(buffer, 2 * bytes + 40), -1);
	}
}

static void resize_within_usable_stays(int heap, const void *arg)
{
	struct privheap_object_info info, now;
	__u64 handle, old;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(movers); i++) {
		for (__u64 bytes = 3; bytes < 200000; bytes = bytes * 5 / 2) {
			handle = old = heap_new(heap, movers[i], bytes);
			info = heap_info(heap, handle);
			REQUIRE_OK(heap_resize(heap, &handle, info.usable_bytes));
			EXPECT_EQ(handle, old);
			now = heap_info(heap, handle);
			EXPECT_EQ(now.offset, info.offset);
			EXPECT_EQ(now.usable_bytes, info.usable_bytes);
		}
	}
}

static void resize_tells_the_usable_bytes_of_info(int heap, const void *arg)
{
	struct privheap_resize r = { .size = sizeof(r) };

	(void)arg;
	r.handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 56);
	for (__u64 bytes = 100; bytes < 100000; bytes *= 3) {
		r.object_bytes = bytes;
		REQUIRE_OK(heap_call(heap, PRIVHEAP_RESIZE, &r));
		EXPECT_EQ(heap_info(heap, r.handle).usable_bytes, r.usable_bytes);
	}
}

static void resize_to_the_same_size_changes_nothing(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 100), old = handle;

	(void)arg;
	object_fill(heap, handle, 100, 5);
	REQUIRE_OK(heap_resize(heap, &handle, 100));
	EXPECT_EQ(handle, old);
	object_check(heap, handle, 100, 5);
}

static void resize_leaves_the_neighbours(int heap, const void *arg)
{
	__u64 handles[200];

	(void)arg;
	for (int i = 0; i < 200; i++) {
		handles[i] = heap_new(heap, PRIVHEAP_TYPE_LIST, 50);
		object_fill(heap, handles[i], 50, i);
	}
	for (int i = 0; i < 200; i += 2) {
		REQUIRE_OK(heap_resize(heap, &handles[i], 50 + i * 10));
		object_fill(heap, handles[i], 50 + i * 10, 1000 + i);
	}
	for (int i = 0; i < 200; i += 2)
		object_check(heap, handles[i], 50 + i * 10, 1000 + i);
	for (int i = 1; i < 200; i += 2)
		object_check(heap, handles[i], 50, i);
}

/* Every way to refuse a resize: object and heap stay as they were. */
struct refused_resize {
	const char *what;
	__u64 bytes;
	__u32 named;	/* the type that the caller names */
	int err;
};

static const struct refused_resize refused[] = {
	{ "above_range", 201, 0, ERANGE },
	{ "below_range", 19, 0, ERANGE },
	{ "to_0", 0, 0, ERANGE },
	{ "to_2_63", 1ULL << 63, 0, ERANGE },
	{ "to_2_64_less_1", ~0ULL, 0, ERANGE },
	{ "of_another_type", 100, PRIVHEAP_TYPE_STR, EPROTOTYPE },
};

static void resize_refuses(int heap, const void *arg)
{
	__u32 type = type_make(heap, "ranged", 20, 200, 0);
	const struct refused_resize *r = arg;
	__u64 handle = heap_new(heap, type, 50);
	struct privheap_resize call = {
		.size = sizeof(call), .handle = handle,
		.object_bytes = r->bytes, .type = r->named,
	};

	object_fill(heap, handle, 50, 3);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_RESIZE, &call), r->err);
	EXPECT_EQ(call.handle, handle);
	EXPECT_EQ(heap_info(heap, handle).requested_bytes, 50);
	EXPECT_EQ(heap_stat(heap).live_bytes, 50);
	object_check(heap, handle, 50, 3);
	EXPECT_OK(heap_resize(heap, &handle, 200));
}

static void resize_of_a_fixed_size_is_refused(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);

	(void)arg;
	EXPECT_ERR(heap_resize(heap, &handle, 29), ERANGE);
	EXPECT_ERR(heap_resize(heap, &handle, 27), ERANGE);
	EXPECT_OK(heap_resize(heap, &handle, 28));
}

static void resize_above_hard_maximum_leaves_the_object(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 100 * KIB), old = handle;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, MIB));
	object_fill(heap, handle, 100 * KIB, 9);
	EXPECT_ERR(heap_resize(heap, &handle, 4 * MIB), EDQUOT);
	EXPECT_EQ(handle, old);
	EXPECT_EQ(heap_stat(heap).live_bytes, 100 * KIB);
	object_check(heap, handle, 100 * KIB, 9);
	EXPECT_OK(heap_free_one(heap, handle));
}

static void resize_of_counted_keeps_the_count(int heap, const void *arg)
{
	__u32 type = type_make(heap, "counted", 1, 4 * MIB, PRIVHEAP_TYPE_COUNTED);
	__u64 handle = heap_new(heap, type, 10);

	(void)arg;
	REQUIRE_OK(heap_get(heap, handle));
	REQUIRE_OK(heap_get(heap, handle));
	for (__u64 bytes = 10; bytes < 4 * MIB; bytes *= 4) {
		REQUIRE_OK(heap_resize(heap, &handle, bytes));
		EXPECT_EQ(heap_info(heap, handle).refs, 3);
	}
	REQUIRE_OK(heap_resize(heap, &handle, 1));
	EXPECT_EQ(heap_info(heap, handle).refs, 3);
}

static void shrinking_a_large_object_gives_memory_back(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 8 * MIB);
	__u64 held = heap_stat(heap).held_bytes;

	(void)arg;
	EXPECT(held >= 8 * MIB);
	REQUIRE_OK(heap_resize(heap, &handle, 4 * KIB));
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes < 2 * MIB);
}

/* A list that grows slot by slot must not copy itself again and again. */
static void growing_a_list_is_amortised(int heap, const void *arg)
{
	__u64 last = 8 * scaled(200000), step = 64;
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 8);
	struct privheap_heap_stat s;
	__u64 slot;

	(void)arg;
	for (__u64 bytes = step; bytes <= last; bytes += step) {
		REQUIRE_OK(heap_resize(heap, &handle, bytes));
		slot = bytes * 31;
		REQUIRE_OK(heap_write(heap, handle, bytes - 8, &slot, 8));
	}
	for (__u64 bytes = step; bytes <= last; bytes += step) {
		REQUIRE_OK(heap_read(heap, handle, bytes - 8, &slot, 8));
		EXPECT_EQ(slot, bytes * 31);
	}
	s = heap_stat(heap);
	EXPECT(s.moved_bytes < 2 * last);
}

static void growing_a_large_list_moves_pages(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, MIB), other;
	struct privheap_heap_stat was = heap_stat(heap), is;

	(void)arg;
	/* Something behind it, so that growing in place does not hide a move. */
	other = heap_new(heap, PRIVHEAP_TYPE_LIST, MIB);
	object_fill(heap, handle, MIB, 4);
	object_fill(heap, other, MIB, 5);
	REQUIRE_OK(heap_resize(heap, &handle, 8 * MIB));
	object_check(heap, handle, MIB, 4);
	object_check(heap, other, MIB, 5);
	is = heap_stat(heap);
	EXPECT(is.moved_bytes - was.moved_bytes < MIB);
}

static void random_resizes_follow_a_model(int heap, const void *arg)
{
	enum { OBJECTS = 16, LARGEST = 100000 };
	static unsigned char model[OBJECTS][LARGEST], buffer[LARGEST];
	__u64 handles[OBJECTS], bytes[OBJECTS], to, state = 88172645463325252ULL;

	(void)arg;
	for (int i = 0; i < OBJECTS; i++) {
		bytes[i] = 1 + i * 100;
		handles[i] = heap_new(heap, movers[i % 3], bytes[i]);
		object_fill(heap, handles[i], bytes[i], i);
		pattern_fill(model[i], bytes[i], i);
	}
	for (unsigned long n = 0; n < scaled(3000); n++) {
		int i = random_next(&state) % OBJECTS;

		/* Small and large sizes alike. */
		to = 1 + random_next(&state) % (LARGEST >> random_next(&state) % 14);
		REQUIRE_OK(heap_resize(heap, &handles[i], to));
		if (to > bytes[i]) {
			pattern_fill(model[i] + bytes[i], to - bytes[i], n);
			REQUIRE_OK(heap_write(heap, handles[i], bytes[i],
					      model[i] + bytes[i], to - bytes[i]));
		}
		bytes[i] = to;
		i = random_next(&state) % OBJECTS;
		REQUIRE_OK(heap_read(heap, handles[i], 0, buffer, bytes[i]));
		REQUIRE_EQ(memcmp(buffer, model[i], bytes[i]), 0);
	}
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		TEST_ARG(resize_keeps_content, &changes[i],
			 "resize_from_%llu_to_%llu_keeps_content",
			 (long long)changes[i].from, (long long)changes[i].to);
		TEST_ARG(resize_zeroes_the_tail, &changes[i],
			 "resize_between_%llu_and_%llu_zeroes_the_tail",
			 (long long)changes[i].from, (long long)changes[i].to);
	}
	TEST(resize_zeroes_a_fresh_tail);
	TEST(resize_within_usable_stays);
	TEST(resize_tells_the_usable_bytes_of_info);
	TEST(resize_to_the_same_size_changes_nothing);
	TEST(resize_leaves_the_neighbours);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		TEST_ARG(resize_refuses, &refused[i], "resize_refuses_%s",
			 refused[i].what);
	TEST(resize_of_a_fixed_size_is_refused);
	TEST(resize_above_hard_maximum_leaves_the_object);
	TEST(resize_of_counted_keeps_the_count);
	TEST(shrinking_a_large_object_gives_memory_back);
	TEST(growing_a_list_is_amortised);
	TEST(growing_a_large_list_moves_pages);
	TEST(random_resizes_follow_a_model);
	return tests_run();
}
