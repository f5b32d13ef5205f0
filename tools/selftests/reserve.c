// SPDX-License-Identifier: GPL-2.0
/*
 * RESERVE and TRIM: promised memory stays, idle memory goes.
 */
#include "calls.h"

#define KIB	(1ULL << 10)
#define MIB	(1ULL << 20)

struct promise {
	__u32 type;
	__u64 bytes, count;
};

static const struct promise promises[] = {
	{ PRIVHEAP_TYPE_INT, 28, 1 },
	{ PRIVHEAP_TYPE_INT, 28, 10000 },
	{ PRIVHEAP_TYPE_STR, 100, 1000 },
	{ PRIVHEAP_TYPE_LIST, 3000, 200 },
	{ PRIVHEAP_TYPE_OBJECT, 5000, 100 },
	{ PRIVHEAP_TYPE_OBJECT, 9000, 50 },
	{ PRIVHEAP_TYPE_BYTES, MIB, 3 },
};

/* No byte more is allowed, and still every promised object comes. */
static void promised_objects_cannot_fail(int heap, const void *arg)
{
	const struct promise *p = arg;
	__u64 *handles = calloc(p->count, sizeof(*handles)), promised = 0;
	struct privheap_heap_stat s;

	REQUIRE(handles);
	REQUIRE_OK(heap_reserve(heap, p->type, p->bytes, p->count, &promised));
	EXPECT(promised >= p->count);
	EXPECT(type_stat(heap, p->type).promised_objects >= p->count);
	s = heap_stat(heap);
	EXPECT(s.held_bytes >= p->bytes * p->count);
	EXPECT_EQ(s.live_objects, 0);
	REQUIRE_OK(heap_setup(heap, 0, 0, s.held_bytes));
	heap_fill(heap, p->type, p->bytes, handles, p->count);
	EXPECT(heap_stat(heap).held_bytes <= s.held_bytes);
	for (__u64 i = 0; i < p->count; i += 1 + p->count / 20) {
		object_fill(heap, handles[i], p->bytes, i);
		object_check(heap, handles[i], p->bytes, i);
	}
	free(handles);
}

static void promise_is_used_up(int heap, const void *arg)
{
	__u64 handles[500], promised;

	(void)arg;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_STR, 200, 500, &promised));
	heap_fill(heap, PRIVHEAP_TYPE_STR, 200, handles, 500);
	EXPECT(type_stat(heap, PRIVHEAP_TYPE_STR).promised_objects <= promised - 500);
}

static void promises_add_up(int heap, const void *arg)
{
	__u64 first, second;

	(void)arg;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_INT, 0, 1000, &first));
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_INT, 0, 1000, &second));
	EXPECT(second >= first + 1000);
}

static void promise_of_0_takes_back(int heap, const void *arg)
{
	__u64 promised = 77, held;

	(void)arg;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_BYTES, 4000, 500, NULL));
	held = heap_stat(heap).held_bytes;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_BYTES, 4000, 0, &promised));
	EXPECT_EQ(promised, 0);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_BYTES).promised_objects, 0);
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes < held - MIB);
}

static void promise_outlives_trim(int heap, const void *arg)
{
	__u64 handles[500], promised;

	(void)arg;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_BYTES, 4000, 500, &promised));
	heap_trim(heap);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_BYTES).promised_objects, promised);
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes));
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 4000, handles, 500);
}

static void promise_outlives_other_types(int heap, const void *arg)
{
	__u64 handles[500], other;
	int err;

	(void)arg;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_BYTES, 4000, 500, NULL));
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + 256 * KIB));
	do
		err = heap_alloc(heap, PRIVHEAP_TYPE_LIST, 1000, &other, 1);
	while (!err);
	EXPECT_ERR(err, EDQUOT);
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 4000, handles, 500);
}

/* Slabs may be cut otherwise the second time: one of them is the allowance. */
static void memory_of_a_promise_serves_again_and_again(int heap, const void *arg)
{
	__u64 handles[300];

	(void)arg;
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_STR, 500, 300, NULL));
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + 64 * KIB));
	for (int i = 0; i < 20; i++) {
		heap_fill(heap, PRIVHEAP_TYPE_STR, 500, handles, 300);
		heap_drain(heap, handles, 300);
	}
}

/* RESERVE that must fail and leave the heap as it was. */
struct refused_promise {
	const char *what;
	__u32 type;
	__u64 bytes, count;
	int errs[3];
};

static const struct refused_promise refused[] = {
	{ "of_no_type", 0, 0, 1, { ENOENT, ENOENT, ENOENT } },
	{ "of_unknown_type", 99999, 0, 1, { ENOENT, ENOENT, ENOENT } },
	{ "of_wrong_size", PRIVHEAP_TYPE_INT, 29, 1, { ERANGE, ERANGE, ERANGE } },
	{ "of_size_2_63", PRIVHEAP_TYPE_STR, 1ULL << 63, 1, { ERANGE, ERANGE, ERANGE } },
	{ "above_hard_maximum", PRIVHEAP_TYPE_STR, 1000, 8000, { EDQUOT, EDQUOT, EDQUOT } },
	{ "of_2_40", PRIVHEAP_TYPE_INT, 0, 1ULL << 40, { EDQUOT, ENOMEM, EOVERFLOW } },
	{ "of_2_61", PRIVHEAP_TYPE_STR, 8, 1ULL << 61, { EDQUOT, ENOMEM, EOVERFLOW } },
	{ "of_2_63", PRIVHEAP_TYPE_INT, 0, 1ULL << 63, { EDQUOT, ENOMEM, EOVERFLOW } },
	{ "of_2_64_less_1", PRIVHEAP_TYPE_INT, 0, ~0ULL, { EDQUOT, ENOMEM, EOVERFLOW } },
	{ "of_product_above_2_64", PRIVHEAP_TYPE_STR, 1 << 20, 1ULL << 44,
	  { EDQUOT, ENOMEM, EOVERFLOW } },
	{ "of_large_objects_above_hard_maximum", PRIVHEAP_TYPE_BYTES, MIB, 9,
	  { EDQUOT, EDQUOT, EDQUOT } },
};

static void reserve_refuses(int heap, const void *arg)
{
	const struct refused_promise *r = arg;
	__u64 promised = 0;

	REQUIRE_OK(heap_setup(heap, 0, 0, 4 * MIB));
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_FLOAT, 0, 10, &promised));
	EXPECT_ERR(heap_reserve(heap, r->type, r->bytes, r->count, NULL),
		   r->errs[0], r->errs[1], r->errs[2]);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_FLOAT).promised_objects, promised);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_STR).promised_objects, 0);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_INT).promised_objects, 0);
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_BYTES).promised_objects, 0);
	EXPECT(heap_stat(heap).held_bytes <= 4 * MIB);
	/* Nothing of the failed attempt may linger. */
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes < MIB);
	heap_new(heap, PRIVHEAP_TYPE_STR, 1000);
}

static void trim_gives_back_what_it_says(int heap, const void *arg)
{
	__u64 handles[1000], held, released;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_LIST, 4000, handles, 1000);
	heap_drain(heap, handles, 1000);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	held = heap_stat(heap).held_bytes;
	released = heap_trim(heap);
	/* At least: the background may have trimmed, too. */
	EXPECT(heap_stat(heap).held_bytes <= held - released);
	EXPECT(heap_stat(heap).held_bytes < MIB);
}

static void trim_of_a_speed_type_releases(int heap, const void *arg)
{
	static __u64 handles[40000];
	__u64 held;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 40000);
	held = heap_stat(heap).held_bytes;
	EXPECT(held >= 40000 * 28);
	heap_drain(heap, handles, 40000);
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes < held / 4);
}

static void trim_again_finds_nothing(int heap, const void *arg)
{
	__u64 handles[100];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_LIST, 4000, handles, 100);
	heap_drain(heap, handles, 100);
	heap_trim(heap);
	EXPECT_EQ(heap_trim(heap), 0);
}

static void trim_of_an_unused_heap(int heap, const void *arg)
{
	(void)arg;
	heap_trim(heap);
	EXPECT_EQ(heap_trim(heap), 0);
	heap_new(heap, PRIVHEAP_TYPE_INT, 0);
}

static void trim_keeps_live_objects(int heap, const void *arg)
{
	__u64 handles[400];

	(void)arg;
	for (int i = 0; i < 400; i++) {
		handles[i] = heap_new(heap, PRIVHEAP_TYPE_DICT, 900);
		object_fill(heap, handles[i], 900, i);
	}
	for (int i = 0; i < 400; i++)
		if (i % 8)
			REQUIRE_OK(heap_free_one(heap, handles[i]));
	heap_trim(heap);
	for (int i = 0; i < 400; i += 8)
		object_check(heap, handles[i], 900, i);
	EXPECT_EQ(heap_stat(heap).live_objects, 50);
}

static void trimmed_heap_serves_again(int heap, const void *arg)
{
	__u64 handles[200];

	(void)arg;
	for (unsigned long i = 0; i < scaled(40); i++) {
		heap_fill(heap, PRIVHEAP_TYPE_STR, 3000, handles, 200);
		object_fill(heap, handles[i % 200], 3000, i);
		object_check(heap, handles[i % 200], 3000, i);
		heap_drain(heap, handles, 200);
		heap_trim(heap);
	}
	EXPECT(heap_stat(heap).held_bytes < MIB);
}

static void trim_leaves_keep_slabs(int heap, const void *arg)
{
	struct privheap_type t = type_named("kept", 2000, 0);
	__u64 handles[200];

	(void)arg;
	t.keep_slabs = 3;
	REQUIRE_OK(type_create(heap, &t));
	heap_fill(heap, t.type, 0, handles, 200);
	REQUIRE(type_stat(heap, t.type).slabs > 3);
	heap_drain(heap, handles, 200);
	heap_trim(heap);
	EXPECT_EQ(type_stat(heap, t.type).slabs, 3);
	EXPECT_EQ(type_stat(heap, t.type).empty_slabs, 3);
}

static void handle_of_a_trimmed_object_is_refused(int heap, const void *arg)
{
	__u64 handles[200];
	char byte;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_LIST, 4000, handles, 200);
	heap_drain(heap, handles, 200);
	heap_trim(heap);
	for (int i = 0; i < 200; i++)
		EXPECT_ERR(heap_read(heap, handles[i], 0, &byte, 1), ESTALE, EREMCHG);
}

static void soft_maximum_keeps_no_idle_memory(int heap, const void *arg)
{
	__u64 handles[2000];

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, MIB, 64 * MIB));
	heap_fill(heap, PRIVHEAP_TYPE_STR, 4000, handles, 2000);
	EXPECT(heap_stat(heap).held_bytes >= 2000 * 4000);
	heap_drain(heap, handles, 2000);
	/* Whole slabs only can go, and magazines hold on to a few. */
	EXPECT(heap_stat(heap).held_bytes < 2 * MIB);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(promises); i++)
		TEST_ARG(promised_objects_cannot_fail, &promises[i],
			 "promised_%llu_objects_of_%llu_cannot_fail",
			 (long long)promises[i].count, (long long)promises[i].bytes);
	TEST(promise_is_used_up);
	TEST(promises_add_up);
	TEST(promise_of_0_takes_back);
	TEST(promise_outlives_trim);
	TEST(promise_outlives_other_types);
	TEST(memory_of_a_promise_serves_again_and_again);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		TEST_ARG(reserve_refuses, &refused[i], "reserve_refuses_promise_%s",
			 refused[i].what);
	TEST(trim_gives_back_what_it_says);
	TEST(trim_of_a_speed_type_releases);
	TEST(trim_again_finds_nothing);
	TEST(trim_of_an_unused_heap);
	TEST(trim_keeps_live_objects);
	TEST(trimmed_heap_serves_again);
	TEST(trim_leaves_keep_slabs);
	TEST(handle_of_a_trimmed_object_is_refused);
	TEST(soft_maximum_keeps_no_idle_memory);
	return tests_run();
}
