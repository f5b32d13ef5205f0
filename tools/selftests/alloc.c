// SPDX-License-Identifier: GPL-2.0
/*
 * ALLOC and FREE: sizes, batches, zeroing, reuse.
 */
#include "calls.h"

static void alloc_one_and_free_it(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);

	(void)arg;
	EXPECT(handle != 0);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	EXPECT_EQ(heap_stat(heap).live_bytes, 28);
	EXPECT_OK(heap_free_one(heap, handle));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	EXPECT_EQ(heap_stat(heap).live_bytes, 0);
}

static void alloc_takes_size_of_the_range(int heap, const void *arg)
{
	__u64 bytes = *(const __u64 *)arg;
	struct privheap_object_info info;
	__u64 handle;

	for (__u32 type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		handle = heap_new(heap, type, bytes);
		info = heap_info(heap, handle);
		EXPECT_EQ(info.type, type);
		EXPECT_EQ(info.requested_bytes, bytes);
		EXPECT(info.usable_bytes >= bytes);
		EXPECT_EQ(info.refs, 1);
		object_fill(heap, handle, bytes, type);
		object_check(heap, handle, bytes, type);
		EXPECT_OK(heap_free_one(heap, handle));
	}
	EXPECT_EQ(heap_stat(heap).live_bytes, 0);
}

static const __u64 sizes[] = {
	1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 255, 256, 257,
	511, 513, 1000, 1024, 1025, 2047, 2049, 4095, 4096, 4097, 8191, 8192,
	8193, 12288, 16385, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 3 << 20,
};

/* What ALLOC must refuse; the last argument is the type. */
struct refused_size {
	const char *what;
	__u64 bytes;
	__u32 type;
};

static const struct refused_size refused_sizes[] = {
	{ "int_of_27", 27, PRIVHEAP_TYPE_INT },
	{ "int_of_29", 29, PRIVHEAP_TYPE_INT },
	{ "float_of_28", 28, PRIVHEAP_TYPE_FLOAT },
	{ "str_of_2_62", 1ULL << 62, PRIVHEAP_TYPE_STR },
	{ "str_of_2_63", 1ULL << 63, PRIVHEAP_TYPE_STR },
	{ "str_of_2_63_less_1", (1ULL << 63) - 1, PRIVHEAP_TYPE_STR },
	{ "object_of_2_64_less_1", ~0ULL, PRIVHEAP_TYPE_OBJECT },
	{ "object_of_2_64_less_4096", ~4095ULL, PRIVHEAP_TYPE_OBJECT },
	{ "list_of_2_64_less_16", ~15ULL, PRIVHEAP_TYPE_LIST },
};

static void alloc_refuses_size(int heap, const void *arg)
{
	const struct refused_size *r = arg;
	__u64 handle = 0x1234, bytes[3] = { 0, r->bytes, 0 };
	struct privheap_alloc a = {
		.size = sizeof(a), .type = r->type, .count = 3,
		.sizes = user_ptr(bytes),
	};
	__u64 handles[3];

	EXPECT_ERR(heap_alloc(heap, r->type, r->bytes, &handle, 1), ERANGE);
	a.handles = user_ptr(handles);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), ERANGE);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	EXPECT_EQ(heap_stat(heap).live_bytes, 0);
}

static void alloc_above_the_largest_object(int heap, const void *arg)
{
	__u64 most = heap_query(heap).max_object_bytes, handle;

	(void)arg;
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_STR, most + 1, &handle, 1), ERANGE);
	/* In the range, whether or not this machine has as much. */
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_STR, most, &handle, 1),
		   0, EDQUOT, ENOMEM);
}

static void alloc_of_a_full_batch(int heap, const void *arg)
{
	__u32 most = heap_query(heap).max_batch;
	__u64 *handles = calloc(most, sizeof(*handles));

	(void)arg;
	REQUIRE(handles);
	REQUIRE_OK(heap_alloc(heap, PRIVHEAP_TYPE_INT, 0, handles, most));
	EXPECT_EQ(heap_stat(heap).live_objects, most);
	EXPECT_OK(heap_free(heap, handles, most));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	free(handles);
}

static int compare_u64(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static void handles_of_many_objects_differ(int heap, const void *arg)
{
	size_t n = scaled(20000);
	__u64 *handles = calloc(n, sizeof(*handles));

	(void)arg;
	REQUIRE(handles);
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, handles, n);
	qsort(handles, n, sizeof(*handles), compare_u64);
	EXPECT(handles[0] != 0);
	for (size_t i = 1; i < n; i++)
		EXPECT(handles[i] != handles[i - 1]);
	heap_drain(heap, handles, n);
	free(handles);
}

static void objects_do_not_overlap(int heap, const void *arg)
{
	__u32 type = *(const unsigned int *)arg;
	struct privheap_object_info info;
	__u64 handles[300], spans[300];

	for (int i = 0; i < 300; i++)
		handles[i] = heap_new(heap, type, 1 + (i * 397) % 5000);
	for (int i = 0; i < 300; i++) {
		info = heap_info(heap, handles[i]);
		/* Offsets are below 2^40 here; the length rides along. */
		REQUIRE(info.offset < 1ULL << 40 && info.usable_bytes < 1 << 24);
		spans[i] = info.offset << 24 | info.usable_bytes;
	}
	qsort(spans, 300, sizeof(*spans), compare_u64);
	for (int i = 1; i < 300; i++)
		EXPECT((spans[i - 1] >> 24) + (spans[i - 1] & 0xffffff) <=
		       spans[i] >> 24);
}

static const unsigned int ranged_types[] = {
	PRIVHEAP_TYPE_STR, PRIVHEAP_TYPE_LIST, PRIVHEAP_TYPE_OBJECT,
};

static void content_of_many_objects_is_kept(int heap, const void *arg)
{
	size_t n = scaled(2000);
	__u64 *handles = calloc(n, sizeof(*handles));
	__u32 type = *(const unsigned int *)arg;

	REQUIRE(handles);
	for (size_t i = 0; i < n; i++) {
		handles[i] = heap_new(heap, type, 1 + i % 700);
		object_fill(heap, handles[i], 1 + i % 700, i);
	}
	for (size_t i = 0; i < n; i += 2)
		REQUIRE_OK(heap_free_one(heap, handles[i]));
	for (size_t i = 0; i < n; i += 2)
		handles[i] = heap_new(heap, type, 1 + i % 700);
	for (size_t i = 1; i < n; i += 2)
		object_check(heap, handles[i], 1 + i % 700, i);
	free(handles);
}

static void sizes_array_gives_each_its_size(int heap, const void *arg)
{
	__u64 handles[ARRAY_SIZE(sizes)], total = 0;
	struct privheap_object_info infos[ARRAY_SIZE(sizes)];
	struct privheap_alloc a = {
		.size = sizeof(a), .type = PRIVHEAP_TYPE_BYTES,
		.count = ARRAY_SIZE(sizes), .handles = user_ptr(handles),
		.sizes = user_ptr(sizes),
	};

	(void)arg;
	REQUIRE_OK(heap_call(heap, PRIVHEAP_ALLOC, &a));
	EXPECT_EQ(a.done, ARRAY_SIZE(sizes));
	REQUIRE_OK(heap_infos(heap, handles, infos, ARRAY_SIZE(sizes)));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(infos[i].requested_bytes, sizes[i]);
		total += sizes[i];
	}
	EXPECT_EQ(heap_stat(heap).live_bytes, total);
}

static void sizes_array_of_zeros_gives_the_smallest(int heap, const void *arg)
{
	__u32 type = type_make(heap, "ranged", 11, 99, 0);
	__u64 zeros[5] = { 0 }, handles[5];
	struct privheap_alloc a = {
		.size = sizeof(a), .type = type, .count = 5,
		.handles = user_ptr(handles), .sizes = user_ptr(zeros),
	};

	(void)arg;
	/* Of the array's elements only object_bytes says what 0 stands for. */
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), 0, ERANGE);
	EXPECT_EQ(heap_stat(heap).live_objects % 5, 0);
	EXPECT_EQ(heap_stat(heap).live_bytes, heap_stat(heap).live_objects * 11);
}

static void sizes_array_beside_object_bytes_is_refused(int heap, const void *arg)
{
	__u64 two[2] = { 16, 16 }, handles[2];
	struct privheap_alloc a = {
		.size = sizeof(a), .type = PRIVHEAP_TYPE_STR, .count = 2,
		.handles = user_ptr(handles), .sizes = user_ptr(two),
		.object_bytes = 16,
	};

	(void)arg;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), EINVAL);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

/* Objects of the size *arg, first dirtied and freed, then asked for as zero. */
static void zeroed_objects_are_zero(int heap, __u32 type, __u64 bytes, __u32 flags)
{
	char *buffer = malloc(bytes);
	__u64 handles[64];
	struct privheap_alloc a = {
		.size = sizeof(a), .flags = flags, .type = type,
		.count = 64, .object_bytes = bytes,
		.handles = user_ptr(handles),
	};

	REQUIRE(buffer);
	for (int round = 0; round < 3; round++) {
		REQUIRE_OK(heap_call(heap, PRIVHEAP_ALLOC, &a));
		for (int i = 0; i < 64; i++) {
			REQUIRE_OK(heap_read(heap, handles[i], 0, buffer, bytes));
			EXPECT_EQ(zero_check(buffer, bytes), -1);
			object_fill(heap, handles[i], bytes, i);
		}
		heap_drain(heap, handles, 64);
	}
	free(buffer);
}

static void alloc_zero_flag_zeroes(int heap, const void *arg)
{
	zeroed_objects_are_zero(heap, PRIVHEAP_TYPE_BYTES, *(const __u64 *)arg,
				PRIVHEAP_ZERO);
}

static void type_zero_alloc_zeroes(int heap, const void *arg)
{
	__u32 type = type_make(heap, "zeroed", 1, 1 << 20,
			       PRIVHEAP_TYPE_ZERO_ALLOC);

	zeroed_objects_are_zero(heap, type, *(const __u64 *)arg, 0);
}

static const __u64 zeroed_sizes[] = { 1, 30, 64, 1000, 4096, 8200, 20000 };

static void freed_slot_serves_the_next_object(int heap, const void *arg)
{
	__u64 handles[1000], held;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 1000);
	held = heap_stat(heap).held_bytes;
	for (unsigned long i = 0; i < scaled(100); i++) {
		heap_drain(heap, handles, 1000);
		heap_fill(heap, PRIVHEAP_TYPE_INT, 0, handles, 1000);
	}
	EXPECT(heap_stat(heap).held_bytes <= held + held / 4);
}

static void reuse_gives_a_new_handle_each_time(int heap, const void *arg)
{
	size_t n = scaled(32768);
	__u64 *handles = calloc(n, sizeof(*handles));

	(void)arg;
	REQUIRE(handles);
	for (size_t i = 0; i < n; i++) {
		handles[i] = heap_new(heap, PRIVHEAP_TYPE_FLOAT, 0);
		REQUIRE_OK(heap_free_one(heap, handles[i]));
	}
	qsort(handles, n, sizeof(*handles), compare_u64);
	for (size_t i = 1; i < n; i++)
		EXPECT(handles[i] != handles[i - 1]);
	free(handles);
}

static void free_by_type(int heap, const void *arg)
{
	__u64 a = heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	__u64 b = heap_new(heap, PRIVHEAP_TYPE_FLOAT, 0);

	(void)arg;
	EXPECT_ERR(heap_batch(heap, PRIVHEAP_FREE, PRIVHEAP_TYPE_FLOAT, &a, 1),
		   EPROTOTYPE);
	EXPECT_OK(heap_batch(heap, PRIVHEAP_FREE, PRIVHEAP_TYPE_INT, &a, 1));
	EXPECT_OK(heap_batch(heap, PRIVHEAP_FREE, PRIVHEAP_TYPE_FLOAT, &b, 1));
}

static void free_mixed_types_in_one_batch(int heap, const void *arg)
{
	__u64 handles[9];

	(void)arg;
	for (__u32 i = 0; i < 9; i++)
		handles[i] = heap_new(heap, PRIVHEAP_TYPE_INT + i, 0);
	EXPECT_OK(heap_free(heap, handles, 9));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static void alloc_writes_no_handle_beyond_count(int heap, const void *arg)
{
	__u64 handles[66];

	(void)arg;
	memset(handles, 0x5a, sizeof(handles));
	REQUIRE_OK(heap_alloc(heap, PRIVHEAP_TYPE_INT, 0, handles + 1, 64));
	EXPECT_EQ(handles[0], 0x5a5a5a5a5a5a5a5aULL);
	EXPECT_EQ(handles[65], 0x5a5a5a5a5a5a5a5aULL);
}

static void quota_is_the_most_live_objects(int heap, const void *arg)
{
	struct privheap_type t = type_named("few", 32, 0);
	__u64 handles[10], one;

	(void)arg;
	t.quota_objects = 10;
	REQUIRE_OK(type_create(heap, &t));
	REQUIRE_OK(heap_alloc(heap, t.type, 0, handles, 10));
	EXPECT_ERR(heap_alloc(heap, t.type, 0, &one, 1), EDQUOT);
	EXPECT_EQ(type_stat(heap, t.type).quota_objects, 10);
	REQUIRE_OK(heap_free_one(heap, handles[3]));
	EXPECT_OK(heap_alloc(heap, t.type, 0, &one, 1));
	EXPECT_ERR(heap_alloc(heap, t.type, 0, &handles[3], 1), EDQUOT);
	EXPECT_EQ(type_stat(heap, t.type).live_objects, 10);
}

int main(void)
{
	TEST(alloc_one_and_free_it);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		TEST_ARG(alloc_takes_size_of_the_range, &sizes[i],
			 "alloc_takes_size_%llu", (unsigned long long)sizes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(refused_sizes); i++)
		TEST_ARG(alloc_refuses_size, &refused_sizes[i], "alloc_refuses_%s",
			 refused_sizes[i].what);
	TEST(alloc_above_the_largest_object);
	TEST(alloc_of_a_full_batch);
	TEST(handles_of_many_objects_differ);
	for (size_t i = 0; i < ARRAY_SIZE(ranged_types); i++) {
		TEST_ARG(objects_do_not_overlap, &ranged_types[i],
			 "objects_of_type_%u_do_not_overlap", ranged_types[i]);
		TEST_ARG(content_of_many_objects_is_kept, &ranged_types[i],
			 "content_of_many_objects_of_type_%u_is_kept",
			 ranged_types[i]);
	}
	TEST(sizes_array_gives_each_its_size);
	TEST(sizes_array_of_zeros_gives_the_smallest);
	TEST(sizes_array_beside_object_bytes_is_refused);
	for (size_t i = 0; i < ARRAY_SIZE(zeroed_sizes); i++) {
		TEST_ARG(alloc_zero_flag_zeroes, &zeroed_sizes[i],
			 "alloc_zero_flag_zeroes_%llu_bytes",
			 (unsigned long long)zeroed_sizes[i]);
		TEST_ARG(type_zero_alloc_zeroes, &zeroed_sizes[i],
			 "type_zero_alloc_zeroes_%llu_bytes",
			 (unsigned long long)zeroed_sizes[i]);
	}
	TEST(freed_slot_serves_the_next_object);
	TEST(reuse_gives_a_new_handle_each_time);
	TEST(free_by_type);
	TEST(free_mixed_types_in_one_batch);
	TEST(alloc_writes_no_handle_beyond_count);
	TEST(quota_is_the_most_live_objects);
	return tests_run();
}
