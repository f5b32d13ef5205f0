// SPDX-License-Identifier: GPL-2.0
/*
 * QUERY and SETUP: what a heap tells of itself, and its limits and reserve.
 */
#include "calls.h"

#include <sys/mman.h>

#define MIB	(1ULL << 20)

static void query_tells_limits(int heap, const void *arg)
{
	struct privheap_query q;

	(void)arg;
	memset(&q, 0, sizeof(q));
	q.size = sizeof(q);
	REQUIRE_OK(heap_call(heap, PRIVHEAP_QUERY, &q));
	EXPECT_EQ(q.abi_version, PRIVHEAP_ABI_VERSION);
	EXPECT_EQ(q.page_size, sysconf(_SC_PAGESIZE));
	EXPECT(q.features & PRIVHEAP_FEATURE_COUNTED);
	EXPECT(q.max_object_bytes > 0 && q.max_object_bytes <= q.max_heap_bytes);
	EXPECT(q.max_io_bytes >= q.page_size);
	EXPECT(q.max_batch >= 64);
	EXPECT(q.max_types >= PRIVHEAP_TYPE_USER);
	EXPECT(q.max_align >= 64 && q.max_align <= q.page_size);
	EXPECT_EQ(q.max_align & (q.max_align - 1), 0);
}

static void query_overwrites_all_out_members(int heap, const void *arg)
{
	struct privheap_query a, b;

	(void)arg;
	memset(&a, 0x00, sizeof(a));
	memset(&b, 0xff, sizeof(b));
	a.size = b.size = sizeof(a);
	a.flags = b.flags = 0;
	REQUIRE_OK(heap_call(heap, PRIVHEAP_QUERY, &a));
	REQUIRE_OK(heap_call(heap, PRIVHEAP_QUERY, &b));
	EXPECT_EQ(memcmp(&a, &b, sizeof(a)), 0);
}

static void query_heap_ids_differ(int heap, const void *arg)
{
	int other = heap_open();

	(void)arg;
	EXPECT(heap_query(heap).heap_id != heap_query(other).heap_id);
	close(other);
}

static void query_heap_id_is_that_of_the_statistics(int heap, const void *arg)
{
	(void)arg;
	EXPECT_EQ(heap_query(heap).heap_id, heap_stat(heap).heap_id);
}

static void open_adds_one_heap_to_the_module(int heap, const void *arg)
{
	struct counters before, after;
	int other;

	(void)arg;
	(void)heap;
	REQUIRE_OK(counters_read(&before));
	other = heap_open();
	REQUIRE_OK(counters_read(&after));
	EXPECT_EQ(after.heaps, before.heaps + 1);
	close(other);
	REQUIRE_OK(counters_read(&after));
	EXPECT_EQ(after.heaps, before.heaps);
}

static void setup_of_nothing_changes_nothing(int heap, const void *arg)
{
	struct privheap_heap_stat was = heap_stat(heap), is;

	(void)arg;
	EXPECT_OK(heap_setup(heap, 0, 0, 0));
	is = heap_stat(heap);
	EXPECT_EQ(is.soft_max_bytes, was.soft_max_bytes);
	EXPECT_EQ(is.hard_max_bytes, was.hard_max_bytes);
	EXPECT_EQ(is.reserve_bytes, was.reserve_bytes);
	EXPECT_EQ(is.held_bytes, was.held_bytes);
}

static void setup_sets_both_maxima(int heap, const void *arg)
{
	struct privheap_heap_stat s;

	(void)arg;
	EXPECT_OK(heap_setup(heap, 0, 4 * MIB, 8 * MIB));
	s = heap_stat(heap);
	EXPECT_EQ(s.soft_max_bytes, 4 * MIB);
	EXPECT_EQ(s.hard_max_bytes, 8 * MIB);
}

static void setup_again_leaves_what_is_zero(int heap, const void *arg)
{
	(void)arg;
	EXPECT_OK(heap_setup(heap, 0, 4 * MIB, 8 * MIB));
	EXPECT_OK(heap_setup(heap, 0, 2 * MIB, 0));
	EXPECT_EQ(heap_stat(heap).soft_max_bytes, 2 * MIB);
	EXPECT_EQ(heap_stat(heap).hard_max_bytes, 8 * MIB);
}

static void setup_takes_the_greatest_hard_maximum(int heap, const void *arg)
{
	(void)arg;
	EXPECT_OK(heap_setup(heap, 0, 0, heap_query(heap).max_heap_bytes));
	EXPECT_EQ(heap_stat(heap).hard_max_bytes, heap_query(heap).max_heap_bytes);
}

static void setup_reserve_is_held_at_once(int heap, const void *arg)
{
	struct counters before, after;
	struct privheap_heap_stat s;

	(void)arg;
	REQUIRE_OK(counters_read(&before));
	REQUIRE_OK(heap_setup(heap, 2 * MIB, 0, 0));
	s = heap_stat(heap);
	EXPECT(s.reserve_bytes >= 2 * MIB);
	EXPECT(s.held_bytes >= s.reserve_bytes);
	REQUIRE_OK(counters_read(&after));
	EXPECT(after.pages - before.pages >=
	       2 * MIB / (unsigned long)sysconf(_SC_PAGESIZE));
}

static void setup_reserve_is_rounded_up_to_pages(int heap, const void *arg)
{
	__u32 page = heap_query(heap).page_size;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, page + 1, 0, 0));
	EXPECT(heap_stat(heap).reserve_bytes >= 2 * page);
	EXPECT_EQ(heap_stat(heap).reserve_bytes % page, 0);
}

static void setup_reserve_serves_objects(int heap, const void *arg)
{
	__u64 handles[256], reserve;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 4 * MIB, 0, 0));
	reserve = heap_stat(heap).reserve_bytes;
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 4000, handles, 256);
	EXPECT(heap_stat(heap).reserve_bytes < reserve);
	EXPECT(heap_stat(heap).held_bytes < reserve + MIB);
}

static void setup_reserve_outlives_trim(int heap, const void *arg)
{
	__u64 handles[256];

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 2 * MIB, 0, 0));
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 4000, handles, 256);
	heap_drain(heap, handles, 256);
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes >= 2 * MIB);
}

static void setup_reserve_above_hard_maximum_is_refused(int heap, const void *arg)
{
	struct privheap_heap_stat was, is;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, 2 * MIB));
	was = heap_stat(heap);
	EXPECT_ERR(heap_setup(heap, 4 * MIB, 0, 0), EDQUOT);
	is = heap_stat(heap);
	EXPECT_EQ(is.held_bytes, was.held_bytes);
	EXPECT_EQ(is.reserve_bytes, was.reserve_bytes);
}

static void setup_refused_changes_no_member(int heap, const void *arg)
{
	struct privheap_heap_stat was = heap_stat(heap), is;

	(void)arg;
	/* The soft maximum is right; the hard one in the same call is not. */
	EXPECT_ERR(heap_setup(heap, 0, MIB, ~0ULL), EINVAL);
	/* The maxima are right; the reserve exceeds them. */
	EXPECT_ERR(heap_setup(heap, 4 * MIB, MIB, 2 * MIB), EDQUOT);
	is = heap_stat(heap);
	EXPECT_EQ(is.soft_max_bytes, was.soft_max_bytes);
	EXPECT_EQ(is.hard_max_bytes, was.hard_max_bytes);
	EXPECT_EQ(is.held_bytes, was.held_bytes);
}

/* One refused SETUP; a value of 1 stands for one above the heap's greatest. */
struct refusal {
	const char *name;
	__u64 reserve, soft, hard;
	int err;
};

static const struct refusal refusals[] = {
	{ "hard_max_one_above_greatest", 0, 0, 1, EINVAL },
	{ "hard_max_2_63", 0, 0, 1ULL << 63, EINVAL },
	{ "hard_max_2_64_less_1", 0, 0, ~0ULL, EINVAL },
	{ "soft_max_above_hard_max", 0, 3 * MIB, 2 * MIB, EINVAL },
	{ "soft_max_one_above_greatest", 0, 1, 0, EINVAL },
	{ "soft_max_2_64_less_1", 0, ~0ULL, 0, EINVAL },
	{ "reserve_one_above_greatest", 1, 0, 0, EINVAL },
	{ "reserve_2_63", 1ULL << 63, 0, 0, EINVAL },
	{ "reserve_2_64_less_1", ~0ULL, 0, 0, EINVAL },
};

static __u64 refused_value(__u64 value, __u64 greatest)
{
	return value == 1 ? greatest + 1 : value;
}

static void setup_refuses(int heap, const void *arg)
{
	__u64 greatest = heap_query(heap).max_heap_bytes;
	struct privheap_heap_stat was = heap_stat(heap), is;
	const struct refusal *r = arg;

	EXPECT_ERR(heap_setup(heap, refused_value(r->reserve, greatest),
			      refused_value(r->soft, greatest),
			      refused_value(r->hard, greatest)), r->err);
	is = heap_stat(heap);
	EXPECT_EQ(is.soft_max_bytes, was.soft_max_bytes);
	EXPECT_EQ(is.hard_max_bytes, was.hard_max_bytes);
	EXPECT_EQ(is.reserve_bytes, was.reserve_bytes);
	EXPECT_EQ(is.held_bytes, was.held_bytes);
	EXPECT_OK(heap_free_one(heap, heap_new(heap, PRIVHEAP_TYPE_INT, 0)));
}

static void setup_hard_maximum_below_held_is_busy(int heap, const void *arg)
{
	__u64 handles[256];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 4000, handles, 256);
	EXPECT_ERR(heap_setup(heap, 0, 0, 256 * 4000 / 2), EBUSY);
	EXPECT(heap_stat(heap).hard_max_bytes > 256 * 4000);
}

static int setup_flags(int heap, __u32 flags)
{
	struct privheap_setup s = { .size = sizeof(s), .type_flags = flags };

	return heap_call(heap, PRIVHEAP_SETUP, &s);
}

static void setup_type_flags_reach_builtin_types(int heap, const void *arg)
{
	struct privheap_type t;

	(void)arg;
	REQUIRE_OK(setup_flags(heap, PRIVHEAP_TYPE_ZERO_ALLOC));
	REQUIRE_OK(type_lookup(heap, "int", &t));
	EXPECT(t.flags & PRIVHEAP_TYPE_ZERO_ALLOC);
}

static void setup_type_flags_reach_new_types(int heap, const void *arg)
{
	struct privheap_type t;

	(void)arg;
	REQUIRE_OK(setup_flags(heap, PRIVHEAP_TYPE_ZERO_FREE));
	type_make(heap, "later", 32, 0, 0);
	REQUIRE_OK(type_lookup(heap, "later", &t));
	EXPECT(t.flags & PRIVHEAP_TYPE_ZERO_FREE);
}

static void setup_type_flags_after_allocation_are_busy(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);

	(void)arg;
	EXPECT_ERR(setup_flags(heap, PRIVHEAP_TYPE_ZERO_ALLOC), EBUSY);
	EXPECT_OK(heap_free_one(heap, handle));
	EXPECT_ERR(setup_flags(heap, PRIVHEAP_TYPE_ZERO_ALLOC), EBUSY);
}

static void setup_type_flags_after_type_creation_are_busy(int heap, const void *arg)
{
	(void)arg;
	type_make(heap, "first", 32, 0, 0);
	EXPECT_ERR(setup_flags(heap, PRIVHEAP_TYPE_ZERO_ALLOC), EBUSY);
}

/* Calls that fail, and what they fail with: none of them uses the heap. */
static void setup_type_flags_after_what_failed_are_allowed(int heap, const void *arg)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct privheap_type *t;
	__u64 handle;

	(void)arg;
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_USER, 16, &handle, 1), ENOENT);
	EXPECT_OK(setup_flags(heap, PRIVHEAP_TYPE_ZERO_ALLOC));
	/* One that cannot be told its id has made slabs before that. */
	t = mmap(NULL, page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(t != MAP_FAILED);
	*t = type_named("early", 32, 0);
	t->prealloc_objects = 1;
	REQUIRE_OK(mprotect(t, page, PROT_READ));
	EXPECT_ERR(heap_call(heap, PRIVHEAP_TYPE_CREATE, t), EFAULT);
	EXPECT_OK(setup_flags(heap, PRIVHEAP_TYPE_ZERO_FREE));
	munmap(t, page);
}

static void setup_type_flags_after_a_take_that_failed_are_allowed(int heap, const void *arg)
{
	struct privheap_run run;
	struct privheap_take t = {
		.size = sizeof(t), .type = PRIVHEAP_TYPE_USER, .count = 1,
		.object_bytes = 16, .max_runs = 1,
		.runs = (uintptr_t)&run,
	};

	(void)arg;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_TAKE, &t), ENOENT);
	EXPECT_OK(setup_flags(heap, PRIVHEAP_TYPE_ZERO_ALLOC));
}

static void setup_limits_after_allocation_are_allowed(int heap, const void *arg)
{
	(void)arg;
	heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	EXPECT_OK(heap_setup(heap, 0, 4 * MIB, 8 * MIB));
	EXPECT_EQ(heap_stat(heap).hard_max_bytes, 8 * MIB);
}

static void setup_counted_for_all_types_is_unknown(int heap, const void *arg)
{
	(void)arg;
	EXPECT_ERR(setup_flags(heap, PRIVHEAP_TYPE_COUNTED), EOPNOTSUPP);
}

int main(void)
{
	TEST(query_tells_limits);
	TEST(query_overwrites_all_out_members);
	TEST(query_heap_ids_differ);
	TEST(query_heap_id_is_that_of_the_statistics);
	TEST(open_adds_one_heap_to_the_module);
	TEST(setup_of_nothing_changes_nothing);
	TEST(setup_sets_both_maxima);
	TEST(setup_again_leaves_what_is_zero);
	TEST(setup_takes_the_greatest_hard_maximum);
	TEST(setup_reserve_is_held_at_once);
	TEST(setup_reserve_is_rounded_up_to_pages);
	TEST(setup_reserve_serves_objects);
	TEST(setup_reserve_outlives_trim);
	TEST(setup_reserve_above_hard_maximum_is_refused);
	TEST(setup_refused_changes_no_member);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		TEST_ARG(setup_refuses, &refusals[i], "setup_refuses_%s",
			 refusals[i].name);
	TEST(setup_hard_maximum_below_held_is_busy);
	TEST(setup_type_flags_reach_builtin_types);
	TEST(setup_type_flags_reach_new_types);
	TEST(setup_type_flags_after_allocation_are_busy);
	TEST(setup_type_flags_after_type_creation_are_busy);
	TEST(setup_type_flags_after_what_failed_are_allowed);
	TEST(setup_type_flags_after_a_take_that_failed_are_allowed);
	TEST(setup_limits_after_allocation_are_allowed);
	TEST(setup_counted_for_all_types_is_unknown);
	return tests_run();
}
