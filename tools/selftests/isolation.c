// SPDX-License-Identifier: GPL-2.0
/*
 * Isolation: no heap ever shows what another heap held, nor what was to be
 * wiped in its own.
 */
#include "calls.h"

#define KIB	(1ULL << 10)
#define SECRET	0x5ec2e7a55e7ec0deULL
#define MOST	20001

static unsigned char buffer[1 << 20];
static __u64 handles[MOST];

/* True if the aligned word of the secret is anywhere in @bytes. */
static bool secret_shows(size_t bytes)
{
	__u64 word;

	for (size_t i = 0; i + sizeof(word) <= bytes; i += sizeof(word)) {
		memcpy(&word, buffer + i, sizeof(word));
		if (word == SECRET)
			return true;
	}
	return false;
}

static void secret_fill(int heap, __u32 type, __u64 bytes, size_t count)
{
	__u64 word = SECRET;

	REQUIRE(bytes <= sizeof(buffer) && count <= MOST);
	for (size_t i = 0; i + sizeof(word) <= bytes; i += sizeof(word))
		memcpy(buffer + i, &word, sizeof(word));
	heap_fill(heap, type, bytes, handles, count);
	for (size_t i = 0; i < count; i++)
		REQUIRE_OK(heap_write(heap, handles[i], 0, buffer, bytes));
}

/* Allocates and looks; the number of objects that show the secret. */
static size_t secret_seek(int heap, __u32 type, __u64 bytes, size_t count)
{
	size_t shows = 0;

	heap_fill(heap, type, bytes, handles, count);
	for (size_t i = 0; i < count; i++) {
		memset(buffer, 0, bytes);
		REQUIRE_OK(heap_read(heap, handles[i], 0, buffer, bytes));
		shows += secret_shows(bytes);
	}
	return shows;
}

/* Sizes that fill about 2 MiB: the second heap looks all over the first's. */
struct look {
	__u32 type;
	__u64 bytes;
	size_t count;
};

static const struct look looks[] = {
	{ PRIVHEAP_TYPE_FLOAT, 24, 20000 },
	{ PRIVHEAP_TYPE_STR, 64, 20000 },
	{ PRIVHEAP_TYPE_LIST, 1000, 2000 },
	{ PRIVHEAP_TYPE_OBJECT, 4096, 500 },
	{ PRIVHEAP_TYPE_BYTES, 6000, 350 },
	{ PRIVHEAP_TYPE_BYTES, 20000, 100 },
	{ PRIVHEAP_TYPE_BYTES, 1 << 20, 2 },
};

static size_t some(const struct look *l)
{
	return l->count < 10 ? l->count : scaled(l->count) + 1;
}

static void new_heap_shows_nothing_of_a_closed_one(int heap, const void *arg)
{
	const struct look *l = arg;
	int other;

	(void)heap;
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		other = heap_open();
		secret_fill(other, looks[i].type, looks[i].bytes, some(&looks[i]));
		close(other);
		other = heap_open();
		EXPECT_EQ(secret_seek(other, l->type, l->bytes, some(l)), 0);
		close(other);
	}
}

static void heap_shows_nothing_of_a_trimmed_one(int heap, const void *arg)
{
	const struct look *l = arg;
	int other = heap_open();

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		secret_fill(other, looks[i].type, looks[i].bytes, some(&looks[i]));
		heap_drain(other, handles, some(&looks[i]));
	}
	heap_trim(other);
	EXPECT_EQ(secret_seek(heap, l->type, l->bytes, some(l)), 0);
	close(other);
}

static void usable_tail_shows_nothing_of_another_heap(int heap, const void *arg)
{
	struct privheap_object_info info;
	int other = heap_open();
	__u64 handle;

	(void)arg;
	secret_fill(other, PRIVHEAP_TYPE_OBJECT, 4096, 500);
	close(other);
	for (__u64 bytes = 1; bytes < 100 * KIB; bytes += 1 + bytes / 5) {
		handle = heap_new(heap, PRIVHEAP_TYPE_LIST, bytes);
		info = heap_info(heap, handle);
		REQUIRE(info.usable_bytes <= sizeof(buffer));
		REQUIRE_OK(heap_resize(heap, &handle, info.usable_bytes));
		REQUIRE_OK(heap_read(heap, handle, 0, buffer, info.usable_bytes));
		EXPECT(!secret_shows(info.usable_bytes));
	}
}

static void another_type_shows_nothing_when_zeroed(int heap, const void *arg)
{
	struct privheap_alloc a = {
		.size = sizeof(a), .flags = PRIVHEAP_ZERO,
		.type = PRIVHEAP_TYPE_TUPLE, .count = 1, .object_bytes = 1000,
		.handles = user_ptr(handles),
	};

	(void)arg;
	secret_fill(heap, PRIVHEAP_TYPE_OBJECT, 1000, 1000);
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + 4096));
	heap_drain(heap, handles, 1000);
	for (int i = 0; i < 500; i++) {
		REQUIRE_OK(heap_call(heap, PRIVHEAP_ALLOC, &a));
		REQUIRE_OK(heap_read(heap, handles[0], 0, buffer, 1000));
		EXPECT_EQ(zero_check(buffer, 1000), -1);
	}
}

/* An empty slab is zeroed when it is given to another type. */
static void another_type_shows_nothing_of_the_first(int heap, const void *arg)
{
	(void)arg;
	secret_fill(heap, PRIVHEAP_TYPE_OBJECT, 1000, 1000);
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + 4096));
	heap_drain(heap, handles, 1000);
	EXPECT_EQ(secret_seek(heap, PRIVHEAP_TYPE_TUPLE, 1000, 500), 0);
}

static void zero_free_wipes(int heap, const void *arg)
{
	__u64 bytes = *(const __u64 *)arg;
	__u32 type = type_make(heap, "wiped", 8, 1 << 20, PRIVHEAP_TYPE_ZERO_FREE);

	secret_fill(heap, type, bytes, 50);
	heap_drain(heap, handles, 50);
	EXPECT_EQ(secret_seek(heap, type, bytes, 50), 0);
}

static void zero_free_wipes_by_the_last_put(int heap, const void *arg)
{
	__u64 bytes = *(const __u64 *)arg;
	__u32 type = type_make(heap, "wiped", 8, 1 << 20,
			       PRIVHEAP_TYPE_ZERO_FREE | PRIVHEAP_TYPE_COUNTED);

	secret_fill(heap, type, bytes, 50);
	REQUIRE_OK(heap_batch(heap, PRIVHEAP_PUT, 0, handles, 50));
	EXPECT_EQ(secret_seek(heap, type, bytes, 50), 0);
}

/* A resize that moves or shrinks frees the old place or the tail. */
static void zero_free_wipes_what_resize_leaves(int heap, const void *arg)
{
	__u64 bytes = *(const __u64 *)arg;
	__u32 type = type_make(heap, "wiped", 8, 2 << 20, PRIVHEAP_TYPE_ZERO_FREE);

	secret_fill(heap, type, bytes, 50);
	for (int i = 0; i < 50; i++) {
		REQUIRE_OK(heap_resize(heap, &handles[i], 2 * bytes));
		REQUIRE_OK(heap_resize(heap, &handles[i], 8));
		memset(buffer, 0, 8);
		REQUIRE_OK(heap_write(heap, handles[i], 0, buffer, 8));
	}
	EXPECT_EQ(secret_seek(heap, type, bytes, 50), 0);
}

static void zero_free_for_all_types_wipes(int heap, const void *arg)
{
	struct privheap_setup s = {
		.size = sizeof(s), .type_flags = PRIVHEAP_TYPE_ZERO_FREE,
	};
	__u64 bytes = *(const __u64 *)arg;

	REQUIRE_OK(heap_call(heap, PRIVHEAP_SETUP, &s));
	secret_fill(heap, PRIVHEAP_TYPE_STR, bytes, 50);
	heap_drain(heap, handles, 50);
	EXPECT_EQ(secret_seek(heap, PRIVHEAP_TYPE_STR, bytes, 50), 0);
}

static const __u64 wiped_sizes[] = { 8, 24, 100, 1000, 4096, 9000, 20000 };

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		TEST_ARG(new_heap_shows_nothing_of_a_closed_one, &looks[i],
			 "objects_of_%llu_show_nothing_of_a_closed_heap",
			 (long long)looks[i].bytes);
		TEST_ARG(heap_shows_nothing_of_a_trimmed_one, &looks[i],
			 "objects_of_%llu_show_nothing_of_a_trimmed_heap",
			 (long long)looks[i].bytes);
	}
	TEST(usable_tail_shows_nothing_of_another_heap);
	TEST(another_type_shows_nothing_when_zeroed);
	TEST(another_type_shows_nothing_of_the_first);
	for (size_t i = 0; i < ARRAY_SIZE(wiped_sizes); i++) {
		const __u64 *bytes = &wiped_sizes[i];

		TEST_ARG(zero_free_wipes, bytes, "zero_free_wipes_%llu_bytes",
			 (long long)*bytes);
		TEST_ARG(zero_free_wipes_by_the_last_put, bytes,
			 "zero_free_wipes_%llu_bytes_by_the_last_put",
			 (long long)*bytes);
		TEST_ARG(zero_free_wipes_what_resize_leaves, bytes,
			 "zero_free_wipes_%llu_bytes_that_resize_leaves",
			 (long long)*bytes);
		TEST_ARG(zero_free_for_all_types_wipes, bytes,
			 "zero_free_for_all_types_wipes_%llu_bytes",
			 (long long)*bytes);
	}
	return tests_run();
}
