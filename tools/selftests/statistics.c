// SPDX-License-Identifier: GPL-2.0
/*
 * HEAP_STAT and TYPE_STAT: equations that hold after whatever was done.
 */
#include "calls.h"

#define MIB	(1ULL << 20)

/* Trimming goes on in the background: two looks that agree are one moment. */
static struct privheap_heap_stat heap_stat_still(int heap)
{
	struct privheap_heap_stat last = heap_stat(heap), is;

	for (;;) {
		is = heap_stat(heap);
		if (!memcmp(&is, &last, sizeof(is)))
			return is;
		last = is;
	}
}

/* The equations within one heap's statistics. */
static void heap_equations(int heap)
{
	struct privheap_heap_stat s = heap_stat_still(heap);
	__u64 page = heap_query(heap).page_size;

	EXPECT_EQ(s.allocs - s.frees, s.live_objects);
	EXPECT_EQ(s.magazine_hits + s.depot_hits + s.slab_allocs, s.allocs);
	EXPECT(s.fresh_allocs <= s.slab_allocs);
	EXPECT(s.empty_slabs <= s.slabs);
	EXPECT(s.metadata_bytes <= s.held_bytes);
	EXPECT(s.held_bytes <= s.peak_bytes);
	EXPECT(s.held_bytes <= s.hard_max_bytes);
	EXPECT(s.soft_max_bytes <= s.hard_max_bytes);
	EXPECT(s.reserve_bytes + s.metadata_bytes + s.live_bytes <= s.held_bytes);
	EXPECT_EQ((s.pages_from_reserve + s.pages_from_system - s.pages_returned) *
		  page, s.held_bytes - s.metadata_bytes);
	EXPECT(s.system_requests <= s.pages_from_system);
}

/* The equations within one type's statistics. */
static void type_equations(const struct privheap_type_stat *s)
{
	EXPECT_EQ(s->allocs - s->frees, s->live_objects);
	EXPECT_EQ(s->magazine_hits + s->depot_hits + s->slab_allocs, s->allocs);
	EXPECT(s->fresh_allocs <= s->slab_allocs);
	EXPECT(s->empty_slabs <= s->slabs);
	EXPECT(s->metadata_bytes <= s->held_bytes);
	EXPECT(s->live_objects + s->magazine_objects <= s->slots);
	EXPECT(s->promised_objects <= s->slots);
	EXPECT(s->live_bytes + s->metadata_bytes <= s->held_bytes);
}

/* The sum of what all types tell. */
static struct privheap_heap_stat types_sum(int heap)
{
	struct privheap_type_list l = { .size = sizeof(l) };
	struct privheap_heap_stat sum = { .size = 0 };
	struct privheap_type types[64];
	struct privheap_type_stat s;

	l.types = user_ptr(types);
	l.count = ARRAY_SIZE(types);
	REQUIRE_OK(heap_call(heap, PRIVHEAP_LIST_TYPES, &l));
	for (__u32 i = 0; i < l.done; i++) {
		s = type_stat(heap, types[i].type);
		type_equations(&s);
		sum.types++;
		sum.held_bytes += s.held_bytes;
		sum.slabs += s.slabs;
		sum.empty_slabs += s.empty_slabs;
		sum.live_objects += s.live_objects;
		sum.live_bytes += s.live_bytes;
		sum.allocs += s.allocs;
		sum.frees += s.frees;
		sum.magazine_hits += s.magazine_hits;
		sum.slab_allocs += s.slab_allocs;
		sum.fresh_allocs += s.fresh_allocs;
	}
	return sum;
}

/* What the types tell must add up to what the heap tells. */
static void sum_equations(int heap)
{
	struct privheap_heap_stat h, again, sum;

	do {
		h = heap_stat(heap);
		sum = types_sum(heap);
		again = heap_stat(heap);
	} while (memcmp(&h, &again, sizeof(h)));
	EXPECT_EQ(sum.types, h.types);
	EXPECT_EQ(sum.slabs, h.slabs);
	EXPECT_EQ(sum.empty_slabs, h.empty_slabs);
	EXPECT_EQ(sum.live_objects, h.live_objects);
	EXPECT_EQ(sum.live_bytes, h.live_bytes);
	EXPECT_EQ(sum.allocs, h.allocs);
	EXPECT_EQ(sum.frees, h.frees);
	EXPECT_EQ(sum.magazine_hits, h.magazine_hits);
	EXPECT_EQ(sum.slab_allocs, h.slab_allocs);
	EXPECT_EQ(sum.fresh_allocs, h.fresh_allocs);
	EXPECT(sum.held_bytes + h.reserve_bytes <= h.held_bytes);
}

static void all_equations(int heap)
{
	heap_equations(heap);
	sum_equations(heap);
}

static void do_nothing(int heap)
{
	(void)heap;
}

static void do_ints(int heap)
{
	__u64 handles[5000];

	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 5000);
	all_equations(heap);
	heap_drain(heap, handles, 2500);
}

static void do_strings(int heap)
{
	__u64 handle;

	for (int i = 1; i < 1000; i++) {
		handle = heap_new(heap, PRIVHEAP_TYPE_STR, 1 + i * 7919 % 3000);
		if (i % 3 == 0)
			REQUIRE_OK(heap_free_one(heap, handle));
	}
}

static void do_large(int heap)
{
	__u64 handles[10];

	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 100000, handles, 10);
	all_equations(heap);
	heap_drain(heap, handles, 5);
}

static void do_resizes(int heap)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 8);

	for (__u64 bytes = 8; bytes < 1 << 21; bytes += bytes / 2)
		REQUIRE_OK(heap_resize(heap, &handle, bytes));
	all_equations(heap);
	for (__u64 bytes = 1 << 20; bytes > 8; bytes /= 3)
		REQUIRE_OK(heap_resize(heap, &handle, bytes));
}

static void do_counted(int heap)
{
	__u32 type = type_make(heap, "counted", 8, 0, PRIVHEAP_TYPE_COUNTED);
	__u64 handles[64];

	heap_fill(heap, type, 0, handles, 64);
	REQUIRE_OK(heap_batch(heap, PRIVHEAP_GET, 0, handles, 32));
	REQUIRE_OK(heap_batch(heap, PRIVHEAP_PUT, 0, handles, 64));
}

static void do_promise(int heap)
{
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_TUPLE, 100, 1000, NULL));
	all_equations(heap);
	heap_new(heap, PRIVHEAP_TYPE_TUPLE, 100);
}

static void do_reserve(int heap)
{
	REQUIRE_OK(heap_setup(heap, 1 << 20, 0, 0));
	heap_new(heap, PRIVHEAP_TYPE_SET, 10000);
}

static void do_trim(int heap)
{
	__u64 handles[2000];

	heap_fill(heap, PRIVHEAP_TYPE_DICT, 300, handles, 2000);
	heap_drain(heap, handles, 1900);
	all_equations(heap);
	heap_trim(heap);
}

static void do_types(int heap)
{
	__u32 type = type_make(heap, "brief", 100, 0, 0);
	__u64 handles[64];

	heap_fill(heap, type, 0, handles, 64);
	heap_drain(heap, handles, 64);
	type_make(heap, "kept", 100, 0, 0);
}

static void do_failures(int heap)
{
	__u64 handles[65];

	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 64);
	handles[64] = handles[0];
	EXPECT_ERR(heap_free(heap, handles, 65), ESTALE, EREMCHG);
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + MIB));
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_STR, 100000, handles, 64), EDQUOT);
}

static void do_partial(int heap)
{
	__u64 handles[64];
	struct privheap_alloc a = {
		.size = sizeof(a), .flags = PRIVHEAP_PARTIAL, .count = 64,
		.type = PRIVHEAP_TYPE_STR, .object_bytes = 50000,
		.handles = user_ptr(handles),
	};
	__u64 live = heap_stat(heap).live_objects;

	heap_trim(heap);
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + MIB));
	REQUIRE_OK(heap_call(heap, PRIVHEAP_ALLOC, &a));
	EXPECT(a.done > 0 && a.done < 64);
	EXPECT_EQ(heap_stat(heap).live_objects, live + a.done);
}

static const struct phase {
	const char *name;
	void (*run)(int heap);
} phases[] = {
	{ "nothing", do_nothing }, { "ints", do_ints }, { "strings", do_strings },
	{ "large_objects", do_large }, { "resizes", do_resizes },
	{ "counting", do_counted }, { "promise", do_promise },
	{ "reserve", do_reserve }, { "trim", do_trim }, { "types", do_types },
	{ "failures", do_failures }, { "partial_batch", do_partial },
};

static void equations_after(int heap, const void *arg)
{
	const struct phase *phase = arg;

	phase->run(heap);
	all_equations(heap);
}

static void equations_after_everything(int heap, const void *arg)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		phases[i].run(heap);
		all_equations(heap);
	}
}

static void statistics_overwrite_all_out_members(int heap, const void *arg)
{
	struct privheap_heap_stat h[2];
	struct privheap_type_stat t[2];

	(void)arg;
	for (int i = 0; i < 2; i++) {
		memset(&h[i], i ? 0xff : 0, sizeof(h[i]));
		memset(&t[i], i ? 0xff : 0, sizeof(t[i]));
		h[i].size = sizeof(h[i]);
		t[i].size = sizeof(t[i]);
		h[i].flags = t[i].flags = 0;
		t[i].type = PRIVHEAP_TYPE_INT;
		REQUIRE_OK(heap_call(heap, PRIVHEAP_HEAP_STAT, &h[i]));
		REQUIRE_OK(heap_call(heap, PRIVHEAP_TYPE_STAT, &t[i]));
	}
	EXPECT_EQ(memcmp(&h[0], &h[1], sizeof(h[0])), 0);
	EXPECT_EQ(memcmp(&t[0], &t[1], sizeof(t[0])), 0);
}

static void unused_heap_has_no_objects(int heap, const void *arg)
{
	struct privheap_heap_stat s = heap_stat(heap);

	(void)arg;
	EXPECT_EQ(s.live_objects, 0);
	EXPECT_EQ(s.live_bytes, 0);
	EXPECT_EQ(s.allocs, 0);
	EXPECT_EQ(s.frees, 0);
	EXPECT_EQ(s.slabs, 0);
	EXPECT_EQ(s.types, 9);
	EXPECT_EQ(s.hard_max_bytes, heap_query(heap).max_heap_bytes);
}

static void peak_outlives_the_objects(int heap, const void *arg)
{
	__u64 handles[500], peak;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_LIST, 4000, handles, 500);
	peak = heap_stat(heap).held_bytes;
	heap_drain(heap, handles, 500);
	heap_trim(heap);
	EXPECT(heap_stat(heap).peak_bytes >= peak);
	EXPECT(heap_stat(heap).held_bytes < peak);
}

static void pages_returned_count_the_trim(int heap, const void *arg)
{
	__u64 handles[500], page = heap_query(heap).page_size;
	struct privheap_heap_stat was, is;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_LIST, 4000, handles, 500);
	was = heap_stat(heap);
	heap_drain(heap, handles, 500);
	heap_trim(heap);
	is = heap_stat(heap);
	EXPECT((is.pages_returned - was.pages_returned) * page >= 300 * 4000);
}

static void retyped_slab_is_counted(int heap, const void *arg)
{
	__u64 handles[500];

	(void)arg;
	/* Hardly any memory but the first type's is left for the second. */
	heap_fill(heap, PRIVHEAP_TYPE_OBJECT, 1000, handles, 500);
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + 4096));
	heap_drain(heap, handles, 500);
	heap_fill(heap, PRIVHEAP_TYPE_TUPLE, 1000, handles, 300);
	EXPECT(heap_stat(heap).live_objects == 300);
	EXPECT(heap_stat(heap).retyped_slabs + heap_stat(heap).pages_returned > 0);
}

static void module_counts_the_pages_of_the_heap(int heap, const void *arg)
{
	__u64 page = heap_query(heap).page_size, handles[500];
	struct privheap_heap_stat s;
	struct counters c;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_LIST, 4000, handles, 500);
	do {
		s = heap_stat(heap);
		REQUIRE_OK(counters_read(&c));
	} while (heap_stat(heap).held_bytes != s.held_bytes);
	/* Other heaps there may be, and this one is among them. */
	EXPECT(c.pages * page >= s.held_bytes - s.metadata_bytes);
	if (c.heaps == 1) {
		EXPECT_EQ(c.pages * page, s.held_bytes - s.metadata_bytes);
		EXPECT_EQ(c.metadata_bytes, s.metadata_bytes);
	}
}

static void reuse_is_not_fresh(int heap, const void *arg)
{
	struct privheap_heap_stat was, is;
	__u64 handles[64];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 64);
	heap_drain(heap, handles, 64);
	was = heap_stat(heap);
	for (int i = 0; i < 100; i++) {
		heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 64);
		heap_drain(heap, handles, 64);
	}
	is = heap_stat(heap);
	EXPECT_EQ(is.allocs - was.allocs, 6400);
	/* Some CPUs' magazines start empty; most allocations reuse. */
	EXPECT(is.fresh_allocs - was.fresh_allocs < 3200);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		TEST_ARG(equations_after, &phases[i], "equations_hold_after_%s",
			 phases[i].name);
	TEST(equations_after_everything);
	TEST(statistics_overwrite_all_out_members);
	TEST(unused_heap_has_no_objects);
	TEST(peak_outlives_the_objects);
	TEST(pages_returned_count_the_trim);
	TEST(retyped_slab_is_counted);
	TEST(module_counts_the_pages_of_the_heap);
	TEST(reuse_is_not_fresh);
	return tests_run();
}
