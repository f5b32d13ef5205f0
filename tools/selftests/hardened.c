// SPDX-License-Identifier: GPL-2.0
/* Hardened heaps: what they find, and what they keep apart. */
#include "mapping.h"

#define MANY	2000

static int harden(int heap)
{
	struct privheap_setup s = {
		.size = sizeof(s), .flags = PRIVHEAP_SETUP_HARDENED,
	};

	return heap_call(heap, PRIVHEAP_SETUP, &s);
}

/* Objects come and go until the place of one has served again. */
static void churn(int heap, __u32 type, __u64 bytes)
{
	static __u64 handles[MANY];

	REQUIRE_OK(heap_alloc(heap, type, bytes, handles, MANY));
	REQUIRE_OK(heap_free(heap, handles, MANY));
}

static void a_used_heap_cannot_be_hardened(int heap, const void *arg)
{
	(void)arg;
	heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	EXPECT_ERR(harden(heap), EBUSY);
}

static void a_write_after_free_is_found(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 handle, offset;

	(void)arg;
	REQUIRE_OK(harden(heap));
	handle = heap_new(heap, PRIVHEAP_TYPE_OBJECT, 200);
	offset = heap_info(heap, handle).offset;
	base[offset + 150] = 1;
	REQUIRE_OK(heap_free_one(heap, handle));
	churn(heap, PRIVHEAP_TYPE_OBJECT, 200);
	EXPECT_EQ(heap_stat(heap).written_after_free, 0);
	handle = heap_new(heap, PRIVHEAP_TYPE_OBJECT, 200);
	offset = heap_info(heap, handle).offset;
	REQUIRE_OK(heap_free_one(heap, handle));
	base[offset + 150] = 1;
	churn(heap, PRIVHEAP_TYPE_OBJECT, 200);
	churn(heap, PRIVHEAP_TYPE_OBJECT, 200);
	EXPECT_EQ(heap_stat(heap).written_after_free, 1);
}

static void a_write_after_give_is_found(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	static __u64 at[MANY];
	__u64 offset;

	(void)arg;
	REQUIRE_OK(harden(heap));
	offset = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 48);
	memset(base + offset, 0xff, 48);
	REQUIRE_OK(heap_give_one(heap, offset));
	base[offset + 47] = 0x80;
	for (int i = 0; i < 3; i++) {
		REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_OBJECT, 48, at, MANY));
		for (int n = 0; n < MANY; n++)
			REQUIRE_EQ(zero_check(base + at[n], 48), -1);
		REQUIRE_OK(heap_give(heap, 0, at, MANY));
	}
	EXPECT_EQ(heap_stat(heap).written_after_free, 1);
}

/* Of a type whose last object keeps its pages: the next one has the same. */
static __u32 kept_type(int heap)
{
	struct privheap_type t = {
		.size = sizeof(t), .min_bytes = 20000, .keep_slabs = 1, .name = "kept",
	};

	REQUIRE_OK(heap_call(heap, PRIVHEAP_TYPE_CREATE, &t));
	return t.type;
}

static void a_write_to_a_freed_large_object_is_found(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 handle, offset, again;
	__u32 type;

	(void)arg;
	REQUIRE_OK(harden(heap));
	type = kept_type(heap);
	handle = heap_new(heap, type, 0);
	offset = heap_info(heap, handle).offset;
	memset(base + offset, 0xff, 20000);
	REQUIRE_OK(heap_free_one(heap, handle));
	EXPECT_EQ(zero_check(base + offset, 20000), -1);
	base[offset + 12345] = 1;
	again = heap_take_one(heap, type, 0);
	REQUIRE_EQ(again, offset);
	EXPECT_EQ(zero_check(base + offset, 20000), -1);
	EXPECT_EQ(heap_stat(heap).written_after_free, 1);
	memset(base + offset, 0xff, 20000);
	REQUIRE_OK(heap_give_one(heap, offset));
	base[offset + 19999] = 1;
	handle = heap_new(heap, type, 0);
	REQUIRE_EQ(heap_info(heap, handle).offset, offset);
	EXPECT_EQ(zero_check(base + offset, 20000), -1);
	EXPECT_EQ(heap_stat(heap).written_after_free, 2);
}

static void a_place_rests_before_it_serves_again(int heap, const void *arg)
{
	__u64 handle, offset;

	(void)arg;
	REQUIRE_OK(harden(heap));
	handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	offset = heap_info(heap, handle).offset;
	REQUIRE_OK(heap_free_one(heap, handle));
	for (int i = 0; i < 100; i++) {
		handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);
		EXPECT(heap_info(heap, handle).offset != offset);
		REQUIRE_OK(heap_free_one(heap, handle));
	}
}

static void places_come_in_no_order(int heap, const void *arg)
{
	static __u64 handles[MANY];
	int rising = 0;

	(void)arg;
	REQUIRE_OK(harden(heap));
	REQUIRE_OK(heap_alloc(heap, PRIVHEAP_TYPE_FLOAT, 0, handles, MANY));
	for (int i = 1; i < MANY; i++)
		rising += heap_info(heap, handles[i]).offset >
			  heap_info(heap, handles[i - 1]).offset;
	/* In order it would be nearly all of them. */
	EXPECT(rising < MANY * 3 / 4);
}

static void a_guard_follows_each_slab(int heap, const void *arg)
{
	const struct privheap_map_entry *map = slab_map(heap), *e;
	unsigned char *base = region_map(heap);
	__u64 page = heap_query(heap).page_size;
	static __u64 at[MANY];

	(void)arg;
	REQUIRE_OK(harden(heap));
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_STR, 100, at, MANY));
	for (int i = 0; i < MANY; i += 50) {
		e = &map[at[i] / page];
		EXPECT_EQ(map[e->first_page + e->pages].state, PRIVHEAP_STATE_FREE);
		EXPECT_EQ(touch(base + (e->first_page + e->pages) * page, true), SIGBUS);
	}
	at[0] = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 10 * page);
	EXPECT_EQ(touch(base + at[0] + 10 * page - 1, true), 0);
	EXPECT_EQ(touch(base + at[0] + 10 * page, true), SIGBUS);
}

static void offsets_of_one_type_serve_no_other(int heap, const void *arg)
{
	static unsigned char owner[REGION_BYTES >> 12];
	static const __u32 types[] = {
		PRIVHEAP_TYPE_STR, PRIVHEAP_TYPE_LIST, PRIVHEAP_TYPE_OBJECT,
	};
	static const __u64 sizes[] = { 40, 3000, 100000 };
	__u64 handles[64], page;

	(void)arg;
	REQUIRE_OK(harden(heap));
	for (int round = 0; round < 60; round++) {
		__u32 type = types[round % 3];
		__u64 bytes = sizes[round / 3 % 3];

		REQUIRE_OK(heap_alloc(heap, type, bytes, handles, 64));
		for (int i = 0; i < 64; i++) {
			page = heap_info(heap, handles[i]).offset >> 12;
			if (page >= sizeof(owner))
				continue;
			EXPECT(!owner[page] || owner[page] == type);
			owner[page] = type;
		}
		REQUIRE_OK(heap_free(heap, handles, 64));
		heap_trim(heap);
	}
}

/* The id comes back with the next type; the offsets do not. */
static void a_new_type_has_new_offsets(int heap, const void *arg)
{
	__u64 handle, first;
	__u32 type;

	(void)arg;
	REQUIRE_OK(harden(heap));
	type = type_make(heap, "one", 64, 0, 0);
	handle = heap_new(heap, type, 0);
	first = heap_info(heap, handle).offset;
	REQUIRE_OK(heap_free_one(heap, handle));
	REQUIRE_OK(type_destroy(heap, type));
	for (int i = 0; i < 20; i++) {
		type = type_make(heap, "other", 64, 0, 0);
		handle = heap_new(heap, type, 0);
		EXPECT(heap_info(heap, handle).offset >> 18 != first >> 18);
		REQUIRE_OK(heap_free_one(heap, handle));
		REQUIRE_OK(type_destroy(heap, type));
	}
}

static void figures_balance(int heap, const void *arg)
{
	static __u64 handles[MANY], at[MANY];
	struct privheap_type_stat s;

	(void)arg;
	REQUIRE_OK(harden(heap));
	for (int i = 0; i < 3; i++) {
		REQUIRE_OK(heap_alloc(heap, PRIVHEAP_TYPE_LIST, 64, handles, MANY));
		REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_LIST, 64, at, MANY));
		s = type_stat(heap, PRIVHEAP_TYPE_LIST);
		EXPECT_EQ(s.live_objects, MANY);
		EXPECT_EQ(s.handed_objects, MANY);
		EXPECT_EQ(s.allocs, s.magazine_hits + s.depot_hits + s.slab_allocs);
		REQUIRE_OK(heap_free(heap, handles, MANY));
		REQUIRE_OK(heap_give(heap, 0, at, MANY));
		s = type_stat(heap, PRIVHEAP_TYPE_LIST);
		EXPECT_EQ(s.live_objects, 0);
		EXPECT_EQ(s.handed_objects, 0);
		EXPECT(s.magazine_objects > 0 && s.magazine_objects <= 256);
	}
	heap_trim(heap);
	s = type_stat(heap, PRIVHEAP_TYPE_LIST);
	EXPECT_EQ(s.magazine_objects, 0);
	EXPECT_EQ(s.slabs, 0);
	EXPECT_EQ(heap_stat(heap).written_after_free, 0);
}

int main(void)
{
	TEST(a_used_heap_cannot_be_hardened);
	TEST(a_write_after_free_is_found);
	TEST(a_write_after_give_is_found);
	TEST(a_write_to_a_freed_large_object_is_found);
	TEST(a_place_rests_before_it_serves_again);
	TEST(places_come_in_no_order);
	TEST(a_guard_follows_each_slab);
	TEST(offsets_of_one_type_serve_no_other);
	TEST(a_new_type_has_new_offsets);
	TEST(figures_balance);
	return tests_run();
}
