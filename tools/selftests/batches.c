// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: all or nothing, and the prefix with PRIVHEAP_PARTIAL.
 */
#include "calls.h"

#define N	200

enum where { FIRST, MIDDLE, LAST, NOWHERE };

static const struct {
	const char *name;
	unsigned int index;
} places[] = {
	[FIRST] = { "first", 0 },
	[MIDDLE] = { "middle", N / 2 },
	[LAST] = { "last", N - 1 },
};

/* A batch of N live handles, of which one is bad. */
struct batch {
	__u64 handles[N];
	struct privheap_io ios[N];
	unsigned char buffers[N][24];
	struct privheap_object_info infos[N];
	unsigned int bad;
};

static struct batch *batch_make(int heap, unsigned int bad)
{
	struct batch *b = calloc(1, sizeof(*b));

	REQUIRE(b);
	b->bad = bad;
	heap_fill(heap, PRIVHEAP_TYPE_FLOAT, 0, b->handles, N);
	for (int i = 0; i < N; i++) {
		object_fill(heap, b->handles[i], 24, i);
		memset(b->buffers[i], 0xaa, 24);
		b->ios[i] = (struct privheap_io){
			.handle = b->handles[i], .bytes = 24,
			.buffer = user_ptr(b->buffers[i]),
		};
	}
	REQUIRE_OK(heap_free_one(heap, b->handles[bad]));
	return b;
}

/* All but the bad one live and unchanged, from @from on. */
static void batch_check(int heap, const struct batch *b, unsigned int from)
{
	for (unsigned int i = from; i < N; i++)
		if (i != b->bad)
			object_check(heap, b->handles[i], 24, i);
}

static void free_with_a_bad_handle(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);

	EXPECT_ERR(heap_free(heap, b->handles, N), ESTALE);
	EXPECT_EQ(heap_stat(heap).live_objects, N - 1);
	batch_check(heap, b, 0);
	free(b);
}

static void partial_free_with_a_bad_handle(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	struct privheap_batch call = {
		.size = sizeof(call), .flags = PRIVHEAP_PARTIAL, .count = N,
		.handles = user_ptr(b->handles),
	};

	EXPECT_ERR(heap_call(heap, PRIVHEAP_FREE, &call), b->bad ? 0 : ESTALE);
	if (b->bad)
		EXPECT_EQ(call.done, b->bad);
	EXPECT_EQ(heap_stat(heap).live_objects, N - 1 - b->bad);
	batch_check(heap, b, b->bad + 1);
	for (unsigned int i = 0; i < b->bad; i++)
		EXPECT_ERR(heap_free_one(heap, b->handles[i]), ESTALE);
	free(b);
}

static int batch_rw(int heap, unsigned long command, struct batch *b, __u32 flags,
		    __u32 *done)
{
	struct privheap_rw rw = {
		.size = sizeof(rw), .flags = flags, .count = N,
		.ios = user_ptr(b->ios),
	};
	int err = heap_call(heap, command, &rw);

	*done = rw.done;
	return err;
}

static void write_with_a_bad_handle(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	__u32 done;

	EXPECT_ERR(batch_rw(heap, PRIVHEAP_WRITE, b, 0, &done), ESTALE);
	batch_check(heap, b, 0);
	free(b);
}

static void partial_write_with_a_bad_handle(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	unsigned char is[24];
	__u32 done;

	EXPECT_ERR(batch_rw(heap, PRIVHEAP_WRITE, b, PRIVHEAP_PARTIAL, &done),
		   b->bad ? 0 : ESTALE);
	if (b->bad)
		EXPECT_EQ(done, b->bad);
	for (unsigned int i = 0; i < b->bad; i++) {
		REQUIRE_OK(heap_read(heap, b->handles[i], 0, is, 24));
		EXPECT_EQ(memcmp(is, b->buffers[i], 24), 0);
	}
	batch_check(heap, b, b->bad + 1);
	free(b);
}

static void write_with_a_bad_range(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	__u32 done;

	/* Make the one live again; it is its range that is bad. */
	b->handles[b->bad] = heap_new(heap, PRIVHEAP_TYPE_FLOAT, 0);
	b->ios[b->bad].handle = b->handles[b->bad];
	b->ios[b->bad].offset = 1;
	EXPECT_ERR(batch_rw(heap, PRIVHEAP_WRITE, b, 0, &done), ERANGE);
	batch_check(heap, b, 0);
	free(b);
}

static void write_with_a_bad_buffer(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	__u32 done;

	b->handles[b->bad] = heap_new(heap, PRIVHEAP_TYPE_FLOAT, 0);
	b->ios[b->bad].handle = b->handles[b->bad];
	b->ios[b->bad].buffer = 8;
	EXPECT_ERR(batch_rw(heap, PRIVHEAP_WRITE, b, 0, &done), EFAULT);
	batch_check(heap, b, 0);
	free(b);
}

static void read_with_a_bad_handle(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	__u32 done;

	EXPECT_ERR(batch_rw(heap, PRIVHEAP_READ, b, 0, &done), ESTALE);
	batch_check(heap, b, 0);
	free(b);
}

static void partial_read_with_a_bad_handle(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	__u32 done;

	EXPECT_ERR(batch_rw(heap, PRIVHEAP_READ, b, PRIVHEAP_PARTIAL, &done),
		   b->bad ? 0 : ESTALE);
	if (b->bad)
		EXPECT_EQ(done, b->bad);
	for (unsigned int i = 0; i < b->bad; i++)
		EXPECT_EQ(pattern_check(b->buffers[i], 24, i), -1);
	batch_check(heap, b, 0);
	free(b);
}

static int batch_info(int heap, struct batch *b, __u32 flags, __u32 *done)
{
	struct privheap_info i = {
		.size = sizeof(i), .flags = flags, .count = N,
		.handles = user_ptr(b->handles), .infos = user_ptr(b->infos),
	};
	int err = heap_call(heap, PRIVHEAP_INFO, &i);

	*done = i.done;
	return err;
}

static void info_with_a_bad_handle(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, *(const unsigned int *)arg);
	__u32 done;

	EXPECT_ERR(batch_info(heap, b, 0, &done), ESTALE);
	EXPECT_ERR(batch_info(heap, b, PRIVHEAP_PARTIAL, &done),
		   b->bad ? 0 : ESTALE);
	if (b->bad)
		EXPECT_EQ(done, b->bad);
	for (unsigned int i = 0; i < b->bad; i++)
		EXPECT_EQ(b->infos[i].requested_bytes, 24);
	batch_check(heap, b, 0);
	free(b);
}

static void free_of_the_same_handle_twice_in_a_batch(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, N - 1);

	(void)arg;
	b->handles[N - 1] = b->handles[0];
	EXPECT_ERR(heap_free(heap, b->handles, N), ESTALE, EREMCHG);
	EXPECT_EQ(heap_stat(heap).live_objects, N - 1);
	batch_check(heap, b, 0);
	EXPECT_OK(heap_free(heap, b->handles, N - 1));
	free(b);
}

static void free_of_the_same_large_handle_twice_in_a_batch(int heap, const void *arg)
{
	__u64 twice[2] = { heap_new(heap, PRIVHEAP_TYPE_BYTES, 1 << 20) };

	(void)arg;
	twice[1] = twice[0];
	EXPECT_ERR(heap_free(heap, twice, 2), ESTALE, EREMCHG);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	EXPECT_OK(heap_free_one(heap, twice[0]));
}

static void partial_free_of_the_same_handle_twice(int heap, const void *arg)
{
	struct batch *b = batch_make(heap, N - 1);
	struct privheap_batch call = {
		.size = sizeof(call), .flags = PRIVHEAP_PARTIAL, .count = N,
		.handles = user_ptr(b->handles),
	};

	(void)arg;
	b->handles[N - 1] = b->handles[0];
	EXPECT_OK(heap_call(heap, PRIVHEAP_FREE, &call));
	EXPECT_EQ(call.done, N - 1);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	free(b);
}

/* ALLOC with one size of the array out of the type's range. */
static void alloc_with_a_bad_size(int heap, const void *arg)
{
	unsigned int bad = *(const unsigned int *)arg;
	__u32 type = type_make(heap, "ranged", 10, 500, 0);
	__u64 handles[N], bytes[N];
	struct privheap_alloc a = {
		.size = sizeof(a), .type = type, .count = N,
		.handles = user_ptr(handles), .sizes = user_ptr(bytes),
	};

	for (unsigned int i = 0; i < N; i++)
		bytes[i] = i == bad ? 501 : 10 + i;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), ERANGE);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
	EXPECT_EQ(heap_stat(heap).live_bytes, 0);

	a.flags = PRIVHEAP_PARTIAL;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), bad ? 0 : ERANGE);
	if (bad)
		EXPECT_EQ(a.done, bad);
	EXPECT_EQ(heap_stat(heap).live_objects, bad);
	for (unsigned int i = 0; i < bad; i++)
		EXPECT_EQ(heap_info(heap, handles[i]).requested_bytes, 10 + i);
}

static void alloc_beyond_quota(int heap, const void *arg)
{
	unsigned int quota = *(const unsigned int *)arg;
	struct privheap_type t = type_named("few", 64, 0);
	__u64 handles[N];
	struct privheap_alloc a = {
		.size = sizeof(a), .count = N, .handles = user_ptr(handles),
	};

	/* A quota of 0 would be none. */
	t.quota_objects = quota + 1;
	REQUIRE_OK(type_create(heap, &t));
	a.type = t.type;
	heap_new(heap, t.type, 0);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), EDQUOT);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	a.flags = PRIVHEAP_PARTIAL;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), quota ? 0 : EDQUOT);
	if (quota)
		EXPECT_EQ(a.done, quota);
	EXPECT_EQ(heap_stat(heap).live_objects, quota + 1);
}

int main(void)
{
	static const struct {
		test_fn run;
		const char *name;
	} each[] = {
		{ free_with_a_bad_handle, "free_with_a_bad_handle" },
		{ partial_free_with_a_bad_handle, "partial_free_with_a_bad_handle" },
		{ write_with_a_bad_handle, "write_with_a_bad_handle" },
		{ partial_write_with_a_bad_handle, "partial_write_with_a_bad_handle" },
		{ write_with_a_bad_range, "write_with_a_bad_range" },
		{ write_with_a_bad_buffer, "write_with_a_bad_buffer" },
		{ read_with_a_bad_handle, "read_with_a_bad_handle" },
		{ partial_read_with_a_bad_handle, "partial_read_with_a_bad_handle" },
		{ info_with_a_bad_handle, "info_with_a_bad_handle" },
		{ alloc_with_a_bad_size, "alloc_with_a_bad_size" },
		{ alloc_beyond_quota, "alloc_beyond_quota" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(each); i++)
		for (int p = FIRST; p < NOWHERE; p++)
			TEST_ARG(each[i].run, &places[p].index, "%s_%s",
				 each[i].name, places[p].name);
	TEST(free_of_the_same_handle_twice_in_a_batch);
	TEST(free_of_the_same_large_handle_twice_in_a_batch);
	TEST(partial_free_of_the_same_handle_twice);
	return tests_run();
}
