// SPDX-License-Identifier: GPL-2.0
/*
 * READ, WRITE and INFO: parts, bounds, batches.
 */
#include "calls.h"

#define MIB	(1ULL << 20)

static int rw_call(int heap, unsigned long command, struct privheap_io *ios,
		   __u32 count, __u32 flags, __u32 *done)
{
	struct privheap_rw rw = {
		.size = sizeof(rw), .flags = flags, .count = count,
		.ios = user_ptr(ios),
	};
	int err = heap_call(heap, command, &rw);

	if (!err && done)
		*done = rw.done;
	return err;
}

static void parts_of_an_object_follow_a_model(int heap, const void *arg)
{
	enum { LARGEST = 50000 };
	static unsigned char model[LARGEST], buffer[LARGEST];
	__u64 state = 0x123456789abcdefULL;
	__u64 bytes = *(const __u64 *)arg;
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_OBJECT, bytes);

	memset(model, 0, sizeof(model));
	REQUIRE_OK(heap_write(heap, handle, 0, model, bytes));
	for (unsigned long n = 0; n < scaled(2000); n++) {
		__u64 from = random_next(&state) % (bytes + 1);
		__u64 part = random_next(&state) % (bytes - from + 1);

		pattern_fill(model + from, part, n);
		REQUIRE_OK(heap_write(heap, handle, from, model + from, part));
		from = random_next(&state) % (bytes + 1);
		part = random_next(&state) % (bytes - from + 1);
		REQUIRE_OK(heap_read(heap, handle, from, buffer, part));
		REQUIRE_EQ(memcmp(buffer, model + from, part), 0);
	}
	REQUIRE_OK(heap_read(heap, handle, 0, buffer, bytes));
	EXPECT_EQ(memcmp(buffer, model, bytes), 0);
}

static const __u64 model_sizes[] = { 1, 8, 61, 1000, 4096, 9001, 50000 };

static void read_writes_nothing_beyond_its_bytes(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 100);
	unsigned char buffer[102];

	(void)arg;
	object_fill(heap, handle, 100, 1);
	memset(buffer, 0x5a, sizeof(buffer));
	REQUIRE_OK(heap_read(heap, handle, 0, buffer + 1, 100));
	EXPECT_EQ(pattern_check(buffer + 1, 100, 1), -1);
	EXPECT_EQ(buffer[0], 0x5a);
	EXPECT_EQ(buffer[101], 0x5a);
}

static void write_leaves_the_neighbours(int heap, const void *arg)
{
	__u64 handles[128];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, handles, 128);
	for (int i = 0; i < 128; i++)
		object_fill(heap, handles[i], 24, i);
	for (int i = 0; i < 128; i += 3)
		object_fill(heap, handles[i], 24, 1000 + i);
	for (int i = 0; i < 128; i++)
		object_check(heap, handles[i], 24, i % 3 ? i : 1000 + i);
}

/* A part of an object of 100 bytes, and what comes of asking for it. */
struct part {
	const char *what;
	__u64 offset, bytes;
	int errs[2];
};

static const struct part parts[] = {
	{ "the_whole", 0, 100, { 0, 0 } },
	{ "the_last_byte", 99, 1, { 0, 0 } },
	{ "nothing_at_the_end", 100, 0, { 0, 0 } },
	{ "nothing_at_the_start", 0, 0, { 0, 0 } },
	{ "one_byte_too_many", 0, 101, { ERANGE, ERANGE } },
	{ "the_byte_behind", 100, 1, { ERANGE, ERANGE } },
	{ "nothing_behind_the_end", 101, 0, { ERANGE, ERANGE } },
	{ "offset_2_32", 1ULL << 32, 1, { ERANGE, ERANGE } },
	{ "offset_2_63", 1ULL << 63, 1, { ERANGE, ERANGE } },
	{ "offset_2_64_less_1", ~0ULL, 0, { ERANGE, ERANGE } },
	/* The sum wraps to 1 and to 50. */
	{ "sum_2_64_plus_1", ~0ULL, 2, { EOVERFLOW, EOVERFLOW } },
	{ "sum_2_64_plus_50", 100, ~0ULL - 49, { EOVERFLOW, EINVAL } },
	{ "sum_2_64", 1ULL << 63, 1ULL << 63, { EOVERFLOW, EINVAL } },
	{ "bytes_2_63", 0, 1ULL << 63, { ERANGE, EINVAL } },
	{ "bytes_2_64_less_1", 0, ~0ULL, { ERANGE, EINVAL } },
};

static void part_is_bounded(int heap, unsigned long command, const struct part *p)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 100);
	unsigned char buffer[128];

	/* What lies behind it must be another object's, not free space. */
	heap_new(heap, PRIVHEAP_TYPE_STR, 100);
	object_fill(heap, handle, 100, 2);
	memset(buffer, 0, sizeof(buffer));
	EXPECT_ERR(heap_rw(heap, command, handle, p->offset, buffer, p->bytes),
		   p->errs[0], p->errs[1]);
	if (p->errs[0] || command == PRIVHEAP_READ)
		object_check(heap, handle, 100, 2);
}

static void read_part(int heap, const void *arg)
{
	part_is_bounded(heap, PRIVHEAP_READ, arg);
}

static void write_part(int heap, const void *arg)
{
	part_is_bounded(heap, PRIVHEAP_WRITE, arg);
}

static void read_is_bounded_by_the_requested_not_the_usable(int heap, const void *arg)
{
	char buffer[64];

	(void)arg;
	for (__u64 bytes = 1; bytes < 60; bytes++) {
		__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, bytes);

		EXPECT_OK(heap_read(heap, handle, 0, buffer, bytes));
		EXPECT_ERR(heap_read(heap, handle, 0, buffer, bytes + 1), ERANGE);
	}
}

static void bytes_of_0_check_the_handle(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);

	(void)arg;
	EXPECT_OK(heap_read(heap, handle, 0, NULL, 0));
	EXPECT_OK(heap_write(heap, handle, 0, NULL, 0));
	REQUIRE_OK(heap_free_one(heap, handle));
	EXPECT_ERR(heap_read(heap, handle, 0, NULL, 0), ESTALE);
	EXPECT_ERR(heap_write(heap, handle, 0, NULL, 0), ESTALE);
}

static void batch_of_writes_and_reads(int heap, const void *arg)
{
	enum { N = 200 };
	static unsigned char out[N][64], in[N][64];
	struct privheap_io ios[N];
	__u64 handles[N];
	__u32 done = 0;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 64, handles, N);
	for (int i = 0; i < N; i++) {
		pattern_fill(out[i], 64, i);
		ios[i] = (struct privheap_io){
			.handle = handles[i], .bytes = 64,
			.buffer = user_ptr(out[i]),
		};
	}
	REQUIRE_OK(rw_call(heap, PRIVHEAP_WRITE, ios, N, 0, &done));
	EXPECT_EQ(done, N);
	for (int i = 0; i < N; i++)
		ios[i].buffer = user_ptr(in[i]);
	REQUIRE_OK(rw_call(heap, PRIVHEAP_READ, ios, N, 0, &done));
	EXPECT_EQ(done, N);
	EXPECT_EQ(memcmp(in, out, sizeof(in)), 0);
}

static void batch_may_name_parts_of_one_object(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_BYTES, 40);
	unsigned char out[40], in[40];
	struct privheap_io ios[5];

	(void)arg;
	pattern_fill(out, 40, 3);
	for (int i = 0; i < 5; i++)
		ios[i] = (struct privheap_io){
			.handle = handle, .offset = 8 * i, .bytes = 8,
			.buffer = user_ptr(out + 8 * i),
		};
	REQUIRE_OK(rw_call(heap, PRIVHEAP_WRITE, ios, 5, 0, NULL));
	REQUIRE_OK(heap_read(heap, handle, 0, in, 40));
	EXPECT_EQ(memcmp(in, out, 40), 0);
}

static void write_carries_max_io_bytes_and_no_more(int heap, const void *arg)
{
	__u64 most = heap_query(heap).max_io_bytes;
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_BYTES, most + 1);
	unsigned char *buffer = malloc(most + 1);

	(void)arg;
	REQUIRE(buffer);
	pattern_fill(buffer, most, 6);
	EXPECT_OK(heap_write(heap, handle, 0, buffer, most));
	object_check(heap, handle, most, 6);
	memset(buffer, 0, most + 1);
	EXPECT_ERR(heap_write(heap, handle, 0, buffer, most + 1), EINVAL);
	object_check(heap, handle, most, 6);
	free(buffer);
}

static void write_of_two_halves_above_max_io_bytes(int heap, const void *arg)
{
	__u64 most = heap_query(heap).max_io_bytes, half = most / 2 + 1;
	unsigned char *buffer = calloc(1, half);
	struct privheap_io ios[2];

	(void)arg;
	REQUIRE(buffer);
	for (int i = 0; i < 2; i++) {
		ios[i] = (struct privheap_io){
			.handle = heap_new(heap, PRIVHEAP_TYPE_BYTES, half),
			.bytes = half, .buffer = user_ptr(buffer),
		};
		object_fill(heap, ios[i].handle, half, i);
	}
	EXPECT_ERR(rw_call(heap, PRIVHEAP_WRITE, ios, 2, 0, NULL), EINVAL);
	for (int i = 0; i < 2; i++)
		object_check(heap, ios[i].handle, half, i);
	free(buffer);
}

static void read_of_a_large_object_in_one_call(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_BYTES, 4 * MIB);

	(void)arg;
	object_fill(heap, handle, 4 * MIB, 8);
	object_check(heap, handle, 4 * MIB, 8);
}

static void write_by_wrong_type_changes_nothing(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	unsigned char zeros[28] = { 0 };
	struct privheap_io io = {
		.handle = handle, .bytes = 28, .buffer = user_ptr(zeros),
	};
	struct privheap_rw rw = {
		.size = sizeof(rw), .type = PRIVHEAP_TYPE_FLOAT, .count = 1,
		.ios = user_ptr(&io),
	};

	(void)arg;
	object_fill(heap, handle, 28, 4);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_WRITE, &rw), EPROTOTYPE);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_READ, &rw), EPROTOTYPE);
	object_check(heap, handle, 28, 4);
	rw.type = PRIVHEAP_TYPE_INT;
	EXPECT_OK(heap_call(heap, PRIVHEAP_READ, &rw));
	EXPECT_EQ(pattern_check(zeros, 28, 4), -1);
}

static void info_of_a_batch(int heap, const void *arg)
{
	struct privheap_object_info infos[9];
	__u64 handles[9];

	(void)arg;
	for (__u32 i = 0; i < 9; i++)
		handles[i] = heap_new(heap, PRIVHEAP_TYPE_INT + i, 0);
	memset(infos, 0xee, sizeof(infos));
	REQUIRE_OK(heap_infos(heap, handles, infos, 9));
	for (__u32 i = 0; i < 9; i++) {
		EXPECT_EQ(infos[i].type, PRIVHEAP_TYPE_INT + i);
		EXPECT_EQ(infos[i].refs, 1);
		EXPECT(infos[i].requested_bytes <= infos[i].usable_bytes);
	}
}

static void info_of_one_object_twice_agrees(int heap, const void *arg)
{
	__u64 twice[2] = { heap_new(heap, PRIVHEAP_TYPE_STR, 77) };
	struct privheap_object_info infos[2];

	(void)arg;
	twice[1] = twice[0];
	memset(&infos[0], 0x00, sizeof(infos[0]));
	memset(&infos[1], 0xff, sizeof(infos[1]));
	REQUIRE_OK(heap_infos(heap, twice, infos, 2));
	EXPECT_EQ(memcmp(&infos[0], &infos[1], sizeof(infos[0])), 0);
}

static void info_by_wrong_type(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0);
	struct privheap_object_info info;
	struct privheap_info i = {
		.size = sizeof(i), .type = PRIVHEAP_TYPE_STR, .count = 1,
		.handles = user_ptr(&handle), .infos = user_ptr(&info),
	};

	(void)arg;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_INFO, &i), EPROTOTYPE);
	i.type = PRIVHEAP_TYPE_INT;
	EXPECT_OK(heap_call(heap, PRIVHEAP_INFO, &i));
	EXPECT_EQ(i.done, 1);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(model_sizes); i++)
		TEST_ARG(parts_of_an_object_follow_a_model, &model_sizes[i],
			 "parts_of_an_object_of_%llu_follow_a_model",
			 (long long)model_sizes[i]);
	TEST(read_writes_nothing_beyond_its_bytes);
	TEST(write_leaves_the_neighbours);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		TEST_ARG(read_part, &parts[i], "read_of_%s_is_%s", parts[i].what,
			 parts[i].errs[0] ? "refused" : "done");
		TEST_ARG(write_part, &parts[i], "write_of_%s_is_%s", parts[i].what,
			 parts[i].errs[0] ? "refused" : "done");
	}
	TEST(read_is_bounded_by_the_requested_not_the_usable);
	TEST(bytes_of_0_check_the_handle);
	TEST(batch_of_writes_and_reads);
	TEST(batch_may_name_parts_of_one_object);
	TEST(write_carries_max_io_bytes_and_no_more);
	TEST(write_of_two_halves_above_max_io_bytes);
	TEST(read_of_a_large_object_in_one_call);
	TEST(write_by_wrong_type_changes_nothing);
	TEST(info_of_a_batch);
	TEST(info_of_one_object_twice_agrees);
	TEST(info_by_wrong_type);
	return tests_run();
}
