// SPDX-License-Identifier: GPL-2.0
/*
 * TYPE_CREATE: names, ranges, alignment, policies and preallocation.
 */
#include "calls.h"

/* A name that CREATE takes or refuses; given by its bytes. */
struct name {
	const char *what;
	char bytes[PRIVHEAP_NAME_LEN];
	int err;
};

static const struct name names[] = {
	{ "of_one_letter", "x", 0 },
	{ "of_31_letters", "abcdefghijklmnopqrstuvwxyzABCDE", 0 },
	{ "of_signs", "!\"#$%&'()*+,-./:;<=>?@[]^_{|}~", 0 },
	{ "like_a_builtin_but_longer", "integer", 0 },
	{ "in_capitals", "INT", 0 },
	{ "empty", "", EINVAL },
	{ "without_nul", "abcdefghijklmnopqrstuvwxyzABCDEF", EINVAL },
	{ "with_blank", "two words", EINVAL },
	{ "with_tab", "two\twords", EINVAL },
	{ "with_newline", "line\n", EINVAL },
	{ "with_escape", "\033[2J", EINVAL },
	{ "with_delete", "x\177", EINVAL },
	{ "beyond_ascii", "caf\303\251", EINVAL },
	{ "of_builtin", "int", EEXIST },
};

static void create_judges_name(int heap, const void *arg)
{
	struct privheap_type t = type_named("", 8, 0), found;
	const struct name *n = arg;
	__u32 types = heap_stat(heap).types;

	memcpy(t.name, n->bytes, sizeof(t.name));
	EXPECT_ERR(type_create(heap, &t), n->err);
	EXPECT_EQ(heap_stat(heap).types, types + !n->err);
	if (n->err)
		return;
	REQUIRE_OK(type_lookup(heap, n->bytes, &found));
	EXPECT_EQ(found.type, t.type);
}

/* A description that differs in one member from one that is taken. */
struct description {
	const char *what;
	__u64 min, max;
	__u32 align, policy, keep;
	__u64 quota;
	int err;
};

#define HUGE	(1ULL << 63)

static const struct description descriptions[] = {
	{ "size_of_1", 1, 0, 0, 0, 0, 0, 0 },
	{ "range_of_one_size", 64, 64, 0, 0, 0, 0, 0 },
	{ "align_of_1", 8, 0, 1, 0, 0, 0, 0 },
	{ "keep_1024_slabs", 8, 0, 0, 0, 1024, 0, 0 },
	{ "quota_2_64_less_1", 8, 0, 0, 0, 0, ~0ULL, 0 },
	{ "min_0", 0, 64, 0, 0, 0, 0, EINVAL },
	{ "min_above_max", 65, 64, 0, 0, 0, 0, EINVAL },
	{ "min_2_63", HUGE, 0, 0, 0, 0, 0, EINVAL },
	{ "min_2_64_less_1", ~0ULL, 0, 0, 0, 0, 0, EINVAL },
	{ "max_2_63", 8, HUGE, 0, 0, 0, 0, EINVAL },
	{ "max_2_64_less_1", 8, ~0ULL, 0, 0, 0, 0, EINVAL },
	{ "align_of_3", 8, 0, 3, 0, 0, 0, EINVAL },
	{ "align_of_24", 8, 0, 24, 0, 0, 0, EINVAL },
	{ "align_2_31", 8, 0, 1U << 31, 0, 0, 0, EINVAL },
	{ "align_2_32_less_1", 8, 0, ~0U, 0, 0, 0, EINVAL },
	{ "policy_3", 8, 0, 0, 3, 0, 0, EINVAL },
	{ "policy_2_32_less_1", 8, 0, 0, ~0U, 0, 0, EINVAL },
	{ "keep_1025_slabs", 8, 0, 0, 0, 1025, 0, EINVAL },
	{ "keep_2_32_less_1_slabs", 8, 0, 0, 0, ~0U, 0, EINVAL },
};

static void create_judges_description(int heap, const void *arg)
{
	const struct description *d = arg;
	struct privheap_type t = type_named("judged", d->min, d->max), found;
	struct privheap_heap_stat was = heap_stat(heap), is;

	t.align = d->align;
	t.policy = d->policy;
	t.keep_slabs = d->keep;
	t.quota_objects = d->quota;
	EXPECT_ERR(type_create(heap, &t), d->err);
	is = heap_stat(heap);
	EXPECT_EQ(is.types, was.types + !d->err);
	EXPECT_ERR(type_lookup(heap, "judged", &found), d->err ? ENOENT : 0);
	if (!d->err)
		heap_new(heap, t.type, 0);
	else
		EXPECT_EQ(is.live_objects, was.live_objects);
}

/* More than any machine has: the type must not come into being. */
static const __u64 preallocs[] = { 1ULL << 40, HUGE, HUGE + 1, ~0ULL };

static void create_refuses_prealloc(int heap, const void *arg)
{
	struct privheap_type t = type_named("early", 8, 0), found;
	struct privheap_heap_stat was = heap_stat(heap), is;

	t.prealloc_objects = *(const __u64 *)arg;
	EXPECT_ERR(type_create(heap, &t), EDQUOT, ENOMEM, EOVERFLOW);
	EXPECT_ERR(type_lookup(heap, "early", &found), ENOENT);
	is = heap_stat(heap);
	EXPECT_EQ(is.types, was.types);
	EXPECT_EQ(is.live_objects, was.live_objects);
	/* Of what was tried only a table of types may have grown. */
	heap_trim(heap);
	EXPECT(heap_stat(heap).held_bytes < was.held_bytes + 4096);
}

static void create_above_the_largest_object(int heap, const void *arg)
{
	__u64 most = heap_query(heap).max_object_bytes;
	struct privheap_type t = type_named("most", 8, most);

	(void)arg;
	EXPECT_OK(type_create(heap, &t));
	t = type_named("more", 8, most + 1);
	EXPECT_ERR(type_create(heap, &t), EINVAL);
}

static void create_above_the_largest_alignment(int heap, const void *arg)
{
	__u32 most = heap_query(heap).max_align;
	struct privheap_type t = type_named("most", 8, 0);

	(void)arg;
	t.align = most;
	EXPECT_OK(type_create(heap, &t));
	t = type_named("more", 8, 0);
	t.align = most * 2;
	EXPECT_ERR(type_create(heap, &t), EINVAL);
}

static const __u64 aligned_sizes[] = { 1, 8, 24, 100, 1000, 4096, 5000, 40000 };

/* Objects of all sizes, of a type with the alignment 2^*arg. */
static void alignment_is_kept(int heap, const void *arg)
{
	__u32 align = 1U << *(const unsigned int *)arg;
	struct privheap_type t = type_named("aligned", 1, 65536);
	__u64 handles[20];

	if (align > heap_query(heap).max_align)
		test_skip("the largest alignment is %u",
			  heap_query(heap).max_align);
	t.align = align;
	for (t.policy = 0; t.policy <= PRIVHEAP_POLICY_GROWABLE; t.policy++) {
		t.name[0] = 'a' + t.policy;
		REQUIRE_OK(type_create(heap, &t));
		for (size_t i = 0; i < ARRAY_SIZE(aligned_sizes); i++) {
			heap_fill(heap, t.type, aligned_sizes[i], handles, 20);
			for (int j = 0; j < 20; j++)
				EXPECT_EQ(heap_info(heap, handles[j]).offset % align, 0);
		}
	}
}

static void alignment_survives_a_move(int heap, const void *arg)
{
	struct privheap_type t = type_named("aligned", 1, 1 << 20);
	__u64 handle;

	(void)arg;
	t.align = 256;
	t.policy = PRIVHEAP_POLICY_GROWABLE;
	REQUIRE_OK(type_create(heap, &t));
	handle = heap_new(heap, t.type, 100);
	for (__u64 bytes = 100; bytes <= 1 << 20; bytes *= 3) {
		REQUIRE_OK(heap_resize(heap, &handle, bytes));
		EXPECT_EQ(heap_info(heap, handle).offset % 256, 0);
	}
}

static void policy_serves_a_range(int heap, const void *arg)
{
	struct privheap_type t = type_named("ranged", 10, 20000);
	struct privheap_object_info info;
	__u64 handle;

	t.policy = *(const unsigned int *)arg;
	REQUIRE_OK(type_create(heap, &t));
	for (__u64 bytes = 10; bytes <= 20000; bytes += bytes / 7) {
		handle = heap_new(heap, t.type, bytes);
		object_fill(heap, handle, bytes, bytes);
		object_check(heap, handle, bytes, bytes);
		info = heap_info(heap, handle);
		EXPECT_EQ(info.requested_bytes, bytes);
		EXPECT(info.usable_bytes >= bytes);
	}
	EXPECT_ERR(heap_alloc(heap, t.type, 9, &handle, 1), ERANGE);
	EXPECT_ERR(heap_alloc(heap, t.type, 20001, &handle, 1), ERANGE);
}

static void prealloc_is_promised(int heap, const void *arg)
{
	struct privheap_type t = type_named("early", 100, 0);

	(void)arg;
	t.prealloc_objects = 500;
	REQUIRE_OK(type_create(heap, &t));
	EXPECT(type_stat(heap, t.type).promised_objects >= 500);
	EXPECT(type_stat(heap, t.type).held_bytes >= 500 * 100);
	EXPECT_EQ(type_stat(heap, t.type).live_objects, 0);
}

static const unsigned int shifts[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static void create_until_no_more_fit(int heap, const void *arg)
{
	__u32 most = heap_query(heap).max_types;
	struct privheap_type t;
	char name[16];
	int err = 0;
	__u32 i;

	(void)arg;
	for (i = 0; i <= most && !err; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		t = type_named(name, 8, 0);
		err = type_create(heap, &t);
	}
	EXPECT_ERR(err, ENOSPC);
	EXPECT_EQ(heap_stat(heap).types, most);
	REQUIRE_OK(type_lookup(heap, "t0", &t));
	REQUIRE_OK(type_destroy(heap, t.type));
	type_make(heap, "fits", 8, 0, 0);
	heap_new(heap, PRIVHEAP_TYPE_INT, 0);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		TEST_ARG(create_judges_name, &names[i], "create_%s_name_%s",
			 names[i].err ? "refuses" : "takes", names[i].what);
	for (size_t i = 0; i < ARRAY_SIZE(descriptions); i++)
		TEST_ARG(create_judges_description, &descriptions[i], "create_%s_%s",
			 descriptions[i].err ? "refuses" : "takes",
			 descriptions[i].what);
	for (size_t i = 0; i < ARRAY_SIZE(preallocs); i++)
		TEST_ARG(create_refuses_prealloc, &preallocs[i],
			 "create_refuses_prealloc_of_%#llx", (long long)preallocs[i]);
	TEST(create_above_the_largest_object);
	TEST(create_above_the_largest_alignment);
	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++)
		TEST_ARG(alignment_is_kept, &shifts[i], "alignment_of_%u_is_kept",
			 1U << shifts[i]);
	TEST(alignment_survives_a_move);
	for (size_t i = 0; i < 3; i++)
		TEST_ARG(policy_serves_a_range, &shifts[i], "policy_%u_serves_a_range",
			 shifts[i]);
	TEST(prealloc_is_promised);
	TEST(create_until_no_more_fit);
	return tests_run();
}
