// SPDX-License-Identifier: GPL-2.0
/*
 * The mapped door: TAKE and GIVE, what is reached through the mapping, and the
 * rules of mmap.
 */
#include "mapping.h"

#include <sys/wait.h>

#define MANY	5000

static const __u32 takers[] = {
	PRIVHEAP_TYPE_INT, PRIVHEAP_TYPE_FLOAT, PRIVHEAP_TYPE_STR,
	PRIVHEAP_TYPE_LIST, PRIVHEAP_TYPE_OBJECT,
};

static __u64 size_for(__u32 type, __u64 bytes)
{
	return type == PRIVHEAP_TYPE_INT || type == PRIVHEAP_TYPE_FLOAT ? 0 : bytes;
}

static void objects_taken_are_apart_and_keep_content(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	static __u64 at[MANY];

	(void)arg;
	for (size_t t = 0; t < ARRAY_SIZE(takers); t++) {
		REQUIRE_OK(heap_take(heap, takers[t], size_for(takers[t], 24), at, MANY));
		for (int i = 0; i < MANY; i++)
			pattern_fill(base + at[i], 24, i);
		for (int i = 0; i < MANY; i++)
			REQUIRE_EQ(pattern_check(base + at[i], 24, i), -1);
		EXPECT_EQ(heap_stat(heap).handed_objects, MANY);
		EXPECT_EQ(heap_stat(heap).live_objects, 0);
		REQUIRE_OK(heap_give(heap, takers[t], at, MANY));
		EXPECT_EQ(heap_stat(heap).handed_objects, 0);
		EXPECT_EQ(heap_stat(heap).handed_bytes, 0);
	}
	EXPECT_EQ(heap_stat(heap).taken, heap_stat(heap).given);
}

static void both_doors_see_the_same_bytes(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 1000);
	__u64 offset = heap_info(heap, handle).offset;
	char buffer[1000];

	(void)arg;
	object_fill(heap, handle, 1000, 5);
	EXPECT_EQ(pattern_check(base + offset, 1000, 5), -1);
	pattern_fill(base + offset, 1000, 6);
	REQUIRE_OK(heap_read(heap, handle, 0, buffer, 1000));
	EXPECT_EQ(pattern_check(buffer, 1000, 6), -1);
}

static void an_object_given_twice_is_refused(int heap, const void *arg)
{
	__u64 at[3];

	(void)arg;
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_INT, 0, at, 3));
	REQUIRE_OK(heap_give_one(heap, at[1]));
	EXPECT_ERR(heap_give_one(heap, at[1]), ESTALE);
	/* All or nothing: the two others stay out. */
	EXPECT_ERR(heap_give(heap, 0, at, 3), ESTALE);
	EXPECT_EQ(heap_stat(heap).handed_objects, 2);
	EXPECT_OK(heap_give_one(heap, at[0]));
	EXPECT_OK(heap_give_one(heap, at[2]));
}

static void what_is_not_out_is_refused(int heap, const void *arg)
{
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_INT, 0);
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_FLOAT, 0);
	__u64 live = heap_info(heap, handle).offset;
	__u64 span = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 100000);

	(void)arg;
	EXPECT_ERR(heap_give_one(heap, live), ESTALE);
	EXPECT_ERR(heap_give_one(heap, at + 1), EBADSLT);
	EXPECT_ERR(heap_give_one(heap, span + 4096), EBADSLT);
	EXPECT_ERR(heap_give_one(heap, REGION_BYTES), ENXIO);
	EXPECT_ERR(heap_give_one(heap, ~0ULL), ENXIO);
	EXPECT_ERR(heap_give_one(heap, handle), ENXIO);
	EXPECT_ERR(heap_give(heap, PRIVHEAP_TYPE_FLOAT, &at, 1), EPROTOTYPE);
	EXPECT_ERR(heap_give_runs(heap, 0, &(struct privheap_run){ at, 0 }, 1), EINVAL);
	EXPECT_ERR(heap_give_runs(heap, 0, &(struct privheap_run){ at, ~0ULL }, 1),
		   ESTALE, ENXIO);
	EXPECT_ERR(heap_give_runs(heap, 0, &(struct privheap_run){ span, 3 }, 1), ENXIO);
	EXPECT_EQ(heap_stat(heap).handed_objects, 2);
	EXPECT_OK(heap_give_one(heap, at));
	EXPECT_OK(heap_give_one(heap, span));
	EXPECT_OK(heap_free_one(heap, handle));
}

static void a_free_page_is_out_of_reach(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 span = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 1 << 20);

	(void)arg;
	EXPECT_EQ(zero_check(base + span, 1 << 20), -1);
	memset(base + span, 0xee, 1 << 20);
	REQUIRE_OK(heap_give_one(heap, span));
	EXPECT_EQ(touch(base + span, false), SIGBUS);
	EXPECT_EQ(touch(base + span + (1 << 20) - 1, true), SIGBUS);
	EXPECT_EQ(touch(base + REGION_BYTES - 1, true), SIGBUS);
	EXPECT_EQ(heap_stat(heap).refused_faults, 3);
	/* And has nothing in it when it is back. */
	span = heap_take_one(heap, PRIVHEAP_TYPE_LIST, 1 << 20);
	EXPECT_EQ(zero_check(base + span, 1 << 20), -1);
}

static void a_trimmed_slab_is_out_of_reach(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	static __u64 at[MANY];

	(void)arg;
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_INT, 0, at, MANY));
	for (int i = 0; i < MANY; i++)
		memset(base + at[i], 0xdd, 28);
	REQUIRE_OK(heap_give(heap, 0, at, MANY));
	heap_trim(heap);
	EXPECT_EQ(touch(base + at[MANY / 2], false), SIGBUS);
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_FLOAT, 0, at, MANY));
	for (int i = 0; i < MANY; i++)
		REQUIRE_EQ(zero_check(base + at[i], 24), -1);
}

static void handles_and_offsets_convert(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	static __u64 at[MANY], handles[MANY], again[MANY];

	(void)arg;
	for (size_t t = 0; t < ARRAY_SIZE(takers); t++) {
		REQUIRE_OK(heap_take(heap, takers[t], size_for(takers[t], 40), at, MANY));
		for (int i = 0; i < MANY; i++)
			pattern_fill(base + at[i], 24, i);
		REQUIRE_OK(heap_convert(heap, PRIVHEAP_TO_HANDLES, takers[t], at,
					handles, MANY));
		EXPECT_EQ(heap_stat(heap).live_objects, MANY);
		EXPECT_EQ(heap_stat(heap).handed_objects, 0);
		EXPECT_ERR(heap_give_one(heap, at[0]), ESTALE);
		object_check(heap, handles[MANY - 1], 24, MANY - 1);
		REQUIRE_OK(heap_convert(heap, PRIVHEAP_TO_OFFSETS, takers[t], handles,
					again, MANY));
		EXPECT_EQ(memcmp(at, again, sizeof(at)), 0);
		EXPECT_EQ(heap_stat(heap).live_objects, 0);
		EXPECT_ERR(heap_free_one(heap, handles[7]), ESTALE);
		/* The next handle of the same place is another. */
		REQUIRE_OK(heap_convert(heap, PRIVHEAP_TO_HANDLES, 0, at, again, MANY));
		EXPECT_ERR(heap_free_one(heap, handles[9]), EREMCHG);
		REQUIRE_OK(heap_free(heap, again, MANY));
		EXPECT_EQ(heap_stat(heap).live_objects, 0);
	}
}

static void conversions_are_all_or_nothing(int heap, const void *arg)
{
	__u64 at[4], handles[4], out[4];

	(void)arg;
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_STR, 64, at, 4));
	at[3] = at[0];
	EXPECT_ERR(heap_convert(heap, PRIVHEAP_TO_HANDLES, 0, at, handles, 4), ESTALE);
	EXPECT_ERR(heap_convert(heap, PRIVHEAP_TO_HANDLES, 0, at, NULL, 3), EFAULT);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	REQUIRE_OK(heap_convert(heap, PRIVHEAP_TO_HANDLES, 0, at, handles, 3));
	handles[3] = handles[2] + 1;
	EXPECT_ERR(heap_convert(heap, PRIVHEAP_TO_OFFSETS, 0, handles, out, 4), EBADSLT);
	EXPECT_ERR(heap_convert(heap, PRIVHEAP_TO_OFFSETS, 0, handles, NULL, 3), EFAULT);
	EXPECT_EQ(heap_stat(heap).live_objects, 3);
	REQUIRE_OK(heap_free(heap, handles, 3));
}

static void counted_types_are_not_handed_out(int heap, const void *arg)
{
	__u32 type = type_make(heap, "counted", 32, 0, PRIVHEAP_TYPE_COUNTED);
	__u64 handle = heap_new(heap, type, 0), offset;

	(void)arg;
	EXPECT_ERR(heap_take(heap, type, 0, &offset, 1), EOPNOTSUPP);
	EXPECT_ERR(heap_convert(heap, PRIVHEAP_TO_OFFSETS, 0, &handle, &offset, 1),
		   EOPNOTSUPP);
}

static void a_quota_counts_what_is_out(int heap, const void *arg)
{
	struct privheap_type t = type_named("few", 16, 0);
	__u64 at[10];

	(void)arg;
	t.quota_objects = 10;
	REQUIRE_OK(type_create(heap, &t));
	REQUIRE_OK(heap_take(heap, t.type, 0, at, 10));
	EXPECT_ERR(heap_take(heap, t.type, 0, at, 1), EDQUOT);
	REQUIRE_OK(heap_give(heap, t.type, at, 10));
	EXPECT_OK(heap_take(heap, t.type, 0, at, 10));
	EXPECT_ERR(type_destroy(heap, t.type), EBUSY);
	REQUIRE_OK(heap_give(heap, t.type, at, 10));
	EXPECT_OK(type_destroy(heap, t.type));
}

static void the_slab_map_tells_of_each_object(int heap, const void *arg)
{
	const struct privheap_map_entry *map = slab_map(heap), *e;
	__u64 page = heap_query(heap).page_size, at[600], span;

	(void)arg;
	for (size_t t = 0; t < ARRAY_SIZE(takers); t++) {
		REQUIRE_OK(heap_take(heap, takers[t], size_for(takers[t], 200), at, 600));
		for (int i = 0; i < 600; i++) {
			e = &map[at[i] / page];
			REQUIRE_EQ(e->type, takers[t]);
			REQUIRE_EQ(e->state, PRIVHEAP_STATE_SLAB);
			REQUIRE_EQ((at[i] - e->first_page * page) % e->stride, 0);
			REQUIRE(at[i] / page < (__u64)e->first_page + e->pages);
		}
	}
	span = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 50 * page);
	for (int i = 0; i < 50; i++) {
		e = &map[span / page + i];
		EXPECT_EQ(e->state, PRIVHEAP_STATE_SPAN);
		EXPECT_EQ(e->first_page, span / page);
		EXPECT_EQ(e->pages, 50);
	}
	REQUIRE_OK(heap_give_one(heap, span));
	EXPECT_EQ(map[span / page].state, PRIVHEAP_STATE_FREE);
}

static void the_statistics_page_counts_without_a_call(int heap, const void *arg)
{
	const struct privheap_stat_page *page = (void *)map_at(heap, PRIVHEAP_MAP_STAT,
		sizeof(*page), PROT_READ, MAP_SHARED);
	__u64 at[100];

	(void)arg;
	REQUIRE(page != MAP_FAILED);
	EXPECT_EQ(page->types, PRIVHEAP_STAT_TYPES);
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_INT, 0, at, 100));
	EXPECT_EQ(page->type[PRIVHEAP_TYPE_INT].handed_objects, 100);
	REQUIRE_OK(heap_give(heap, 0, at, 40));
	EXPECT_EQ(page->type[PRIVHEAP_TYPE_INT].handed_objects, 60);
	EXPECT_EQ(page->type[PRIVHEAP_TYPE_INT].handed_bytes,
		  heap_stat(heap).handed_bytes);
	REQUIRE(heap_new(heap, PRIVHEAP_TYPE_STR, 10));
	for (int i = 0; i < 200 && !page->type[PRIVHEAP_TYPE_STR].live_objects; i++)
		usleep(50 * 1000);
	EXPECT_EQ(page->type[PRIVHEAP_TYPE_STR].live_objects, 1);
	EXPECT_EQ(page->type[PRIVHEAP_TYPE_STR].live_bytes, 10);
}

static void a_large_object_grows_by_moving_pages(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 bytes = 100000, usable = 0, old;
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, bytes);

	(void)arg;
	pattern_fill(base + at, bytes, 3);
	while (bytes < 20 << 20) {
		old = at;
		REQUIRE_OK(heap_regrow(heap, &at, bytes + bytes / 2, &usable));
		bytes += bytes / 2;
		REQUIRE(usable >= bytes);
		if (at != old)
			EXPECT_EQ(touch(base + old, false), SIGBUS);
		REQUIRE_EQ(pattern_check(base + at, 100000, 3), -1);
	}
	EXPECT_EQ(heap_stat(heap).moved_bytes, 0);
	EXPECT(heap_stat(heap).moved_pages > 0);
	/* Down to a slot, where bytes have to be copied. */
	REQUIRE_OK(heap_regrow(heap, &at, 1000, &usable));
	EXPECT_EQ(pattern_check(base + at, 1000, 3), -1);
	REQUIRE_OK(heap_regrow(heap, &at, 100000, &usable));
	EXPECT_EQ(pattern_check(base + at, 1000, 3), -1);
	EXPECT_EQ(heap_stat(heap).handed_objects, 1);
	EXPECT_OK(heap_give_one(heap, at));
	EXPECT_ERR(heap_regrow(heap, &at, 10, NULL), ENXIO, ESTALE);
}

static void mmap_refuses(int heap, const void *arg)
{
	size_t page = heap_query(heap).page_size;

	(void)arg;
	EXPECT(map_at(heap, 0, page, PROT_READ, MAP_PRIVATE) == MAP_FAILED);
	EXPECT(map_at(heap, 0, page, PROT_READ | PROT_EXEC, MAP_SHARED) == MAP_FAILED);
	EXPECT(map_at(heap, PRIVHEAP_MAP_SLABS, page, PROT_READ | PROT_WRITE,
		      MAP_SHARED) == MAP_FAILED);
	EXPECT(map_at(heap, PRIVHEAP_MAP_STAT, page, PROT_READ | PROT_WRITE,
		      MAP_SHARED) == MAP_FAILED);
	EXPECT(map_at(heap, PRIVHEAP_MAP_STAT, 1024 * page, PROT_READ,
		      MAP_SHARED) == MAP_FAILED);
	EXPECT(map_at(heap, PRIVHEAP_MAP_STAT + page, page, PROT_READ,
		      MAP_SHARED) == MAP_FAILED);
	EXPECT(map_at(heap, PRIVHEAP_REGION_BYTES, page, PROT_READ, MAP_SHARED) ==
	       MAP_FAILED);
	EXPECT(map_at(heap, PRIVHEAP_MAP_SLABS, PRIVHEAP_REGION_BYTES / page *
		      sizeof(struct privheap_map_entry) + page, PROT_READ,
		      MAP_SHARED) == MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
}

/* The page of statistics is the heap's to pay for, like everything else. */
static void mmap_when_hard_max_is_in_the_way(int heap, const void *arg)
{
	size_t page = heap_query(heap).page_size;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + page / 2));
	EXPECT(map_at(heap, PRIVHEAP_MAP_STAT, page, PROT_READ, MAP_SHARED) ==
	       MAP_FAILED);
	EXPECT_EQ(errno, ENOMEM);
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_query(heap).max_heap_bytes));
	EXPECT(map_at(heap, PRIVHEAP_MAP_STAT, page, PROT_READ, MAP_SHARED) !=
	       MAP_FAILED);
}

static void a_mapping_cannot_be_cut_moved_or_executed(int heap, const void *arg)
{
	size_t page = heap_query(heap).page_size;
	unsigned char *base = region_map(heap), *map = (void *)(uintptr_t)slab_map(heap);

	(void)arg;
	EXPECT_EQ(munmap(base + page, page), -1);
	EXPECT_EQ(mprotect(base, page, PROT_READ), -1);
	EXPECT_EQ(mprotect(base, REGION_BYTES, PROT_READ | PROT_EXEC), -1);
	EXPECT_EQ(mprotect(map, REGION_BYTES / page * 16, PROT_READ | PROT_WRITE), -1);
	EXPECT(mremap(base, REGION_BYTES, REGION_BYTES + page, MREMAP_MAYMOVE) == MAP_FAILED);
	EXPECT(mremap(base, REGION_BYTES, page, 0) == MAP_FAILED);
	EXPECT(mremap(base, REGION_BYTES, REGION_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
		      base + 2 * REGION_BYTES) == MAP_FAILED);
	EXPECT(mmap(base + page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0) == MAP_FAILED);
	EXPECT_EQ(munmap(base, REGION_BYTES), 0);
}

static void the_child_of_a_fork_has_no_mapping(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_INT, 0);
	int status;
	pid_t pid;

	(void)arg;
	base[at] = 1;
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid)
		_exit(touch(base + at, false) == SIGSEGV ? 0 : 1);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(base[at], 1);
}

static void a_mapping_outlives_the_file(int heap, const void *arg)
{
	int own = heap_open();
	unsigned char *base = region_map(own);
	__u64 at = heap_take_one(own, PRIVHEAP_TYPE_STR, 100);

	(void)heap;
	(void)arg;
	pattern_fill(base + at, 100, 1);
	close(own);
	EXPECT_EQ(pattern_check(base + at, 100, 1), -1);
	pattern_fill(base + at, 100, 2);
	EXPECT_EQ(pattern_check(base + at, 100, 2), -1);
	EXPECT_EQ(munmap(base, REGION_BYTES), 0);
}

static void two_mappings_show_the_same(int heap, const void *arg)
{
	unsigned char *one = region_map(heap), *two = region_map(heap);
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 5000);

	(void)arg;
	pattern_fill(one + at, 5000, 9);
	EXPECT_EQ(pattern_check(two + at, 5000, 9), -1);
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
	EXPECT_EQ(touch(one + at, false), SIGBUS);
	EXPECT_EQ(touch(two + at, true), SIGBUS);
}

static void reserved_objects_are_in_place(int heap, const void *arg)
{
	struct privheap_reserve r = {
		.size = sizeof(r), .type = PRIVHEAP_TYPE_INT, .count = MANY,
	};
	unsigned char *base = region_map(heap);
	static __u64 at[MANY];
	__u64 faults;

	(void)arg;
	REQUIRE_OK(heap_call(heap, PRIVHEAP_RESERVE, &r));
	EXPECT(heap_stat(heap).mapped_pages >= MANY * 28 / 4096);
	faults = heap_stat(heap).faults;
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_INT, 0, at, MANY));
	for (int i = 0; i < MANY; i++)
		base[at[i]] = 1;
	EXPECT_EQ(heap_stat(heap).faults, faults);
}

/* In the mappings of their heap only, of whatever else the process has mapped. */
static void reserved_objects_are_in_place_in_their_heap(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *other_base;
	int other = heap_open();
	__u64 at;

	(void)arg;
	other_base = region_map(other);
	at = heap_take_one(other, PRIVHEAP_TYPE_INT, 0);
	heap_take_one(heap, PRIVHEAP_TYPE_INT, 0);
	REQUIRE_OK(heap_reserve(heap, PRIVHEAP_TYPE_INT, 0, 10, NULL));
	EXPECT(heap_stat(heap).mapped_pages > 0);
	EXPECT_EQ(heap_stat(other).mapped_pages, 0);
	other_base[at] = 1;
	EXPECT_EQ(base[at], 0);
	close(other);
}

/* Dirty ones come back clean, in slabs and as spans of a promise. */
static void objects_are_zero_where_the_call_says_so(int heap, const void *arg)
{
	static const __u64 sizes[] = { 16, 100, 5000, 100000 };
	unsigned char *base = region_map(heap);
	struct privheap_run run;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct privheap_reserve r = {
			.size = sizeof(r), .type = PRIVHEAP_TYPE_OBJECT,
			.object_bytes = sizes[i], .count = 2,
		};

		REQUIRE_OK(heap_call(heap, PRIVHEAP_RESERVE, &r));
		for (int n = 0; n < 100; n++) {
			struct privheap_take t = {
				.type = PRIVHEAP_TYPE_OBJECT, .count = 1,
				.flags = PRIVHEAP_ZERO, .object_bytes = sizes[i],
				.runs = user_ptr(&run), .max_runs = 1,
			};

			REQUIRE_OK(heap_take_runs(heap, &t));
			run.offset += (__u64)__builtin_ctzll(run.mask) * t.stride;
			REQUIRE_EQ(zero_check(base + run.offset, sizes[i]), -1);
			memset(base + run.offset, 0xaa, sizes[i]);
			REQUIRE_OK(heap_give_one(heap, run.offset));
		}
	}
}

int main(void)
{
	TEST(objects_taken_are_apart_and_keep_content);
	TEST(both_doors_see_the_same_bytes);
	TEST(an_object_given_twice_is_refused);
	TEST(what_is_not_out_is_refused);
	TEST(a_free_page_is_out_of_reach);
	TEST(a_trimmed_slab_is_out_of_reach);
	TEST(handles_and_offsets_convert);
	TEST(conversions_are_all_or_nothing);
	TEST(counted_types_are_not_handed_out);
	TEST(a_quota_counts_what_is_out);
	TEST(the_slab_map_tells_of_each_object);
	TEST(the_statistics_page_counts_without_a_call);
	TEST(a_large_object_grows_by_moving_pages);
	TEST(mmap_refuses);
	TEST(mmap_when_hard_max_is_in_the_way);
	TEST(a_mapping_cannot_be_cut_moved_or_executed);
	TEST(the_child_of_a_fork_has_no_mapping);
	TEST(a_mapping_outlives_the_file);
	TEST(two_mappings_show_the_same);
	TEST(reserved_objects_are_in_place);
	TEST(reserved_objects_are_in_place_in_their_heap);
	TEST(objects_are_zero_where_the_call_says_so);
	return tests_run();
}
