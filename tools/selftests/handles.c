// SPDX-License-Identifier: GPL-2.0
/*
 * Bad handles of every kind to every command that takes one: each kind has
 * its errno, and nothing changes.
 */
#include "calls.h"

#define BYTES	64

static const struct {
	const char *name;
	unsigned long number;
} users[] = {
	{ "FREE", PRIVHEAP_FREE }, { "RESIZE", PRIVHEAP_RESIZE },
	{ "READ", PRIVHEAP_READ }, { "WRITE", PRIVHEAP_WRITE },
	{ "INFO", PRIVHEAP_INFO }, { "GET", PRIVHEAP_GET },
	{ "PUT", PRIVHEAP_PUT },
};

/* One call of @number with @handle, of an object that should be of @type. */
static int handle_use(int heap, unsigned long number, __u32 type, __u64 handle)
{
	unsigned char buffer[8] = { 0 };
	struct privheap_object_info info;
	struct privheap_io io = {
		.handle = handle, .bytes = 8, .buffer = user_ptr(buffer),
	};
	struct privheap_rw rw = {
		.size = sizeof(rw), .type = type, .count = 1, .ios = user_ptr(&io),
	};
	struct privheap_resize resize = {
		.size = sizeof(resize), .type = type, .handle = handle,
		.object_bytes = BYTES,
	};
	struct privheap_info i = {
		.size = sizeof(i), .type = type, .count = 1,
		.handles = user_ptr(&handle), .infos = user_ptr(&info),
	};

	switch (number) {
	case PRIVHEAP_RESIZE:
		return heap_call(heap, number, &resize);
	case PRIVHEAP_READ:
	case PRIVHEAP_WRITE:
		return heap_call(heap, number, &rw);
	case PRIVHEAP_INFO:
		return heap_call(heap, number, &i);
	default:
		return heap_batch(heap, number, type, &handle, 1);
	}
}

/* The objects around a bad handle: two live ones that must stay as they are. */
struct stage {
	int heap;
	__u32 type;
	__u64 live[2];
};

static void stage_make(struct stage *s, int heap)
{
	s->heap = heap;
	s->type = type_make(heap, "staged", 8, 4096, PRIVHEAP_TYPE_COUNTED);
	for (int i = 0; i < 2; i++) {
		s->live[i] = heap_new(heap, s->type, BYTES);
		object_fill(heap, s->live[i], BYTES, i);
	}
}

static void stage_check(const struct stage *s, unsigned int live)
{
	EXPECT_EQ(heap_stat(s->heap).live_objects, live);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(heap_info(s->heap, s->live[i]).refs, 1);
		EXPECT_EQ(heap_info(s->heap, s->live[i]).requested_bytes, BYTES);
		object_check(s->heap, s->live[i], BYTES, i);
	}
	EXPECT_OK(heap_free_one(s->heap, heap_new(s->heap, s->type, 8)));
}

static void of_another_heap(struct stage *s, unsigned long number)
{
	int other = heap_open();
	__u32 type = type_make(other, "staged", 8, 4096, PRIVHEAP_TYPE_COUNTED);
	__u64 theirs = heap_new(other, type, BYTES);

	object_fill(other, theirs, BYTES, 7);
	EXPECT_ROW(handle_use(s->heap, number, 0, theirs), EXDEV);
	EXPECT_ROW(handle_use(other, number, 0, s->live[0]), EXDEV);
	object_check(other, theirs, BYTES, 7);
	stage_check(s, 2);
	close(other);
}

static void of_a_closed_heap(struct stage *s, unsigned long number)
{
	int other = heap_open();
	__u64 theirs = heap_new(other, PRIVHEAP_TYPE_OBJECT, BYTES);

	close(other);
	EXPECT_ROW(handle_use(s->heap, number, 0, theirs), EXDEV);
	stage_check(s, 2);
}

static void freed(struct stage *s, unsigned long number)
{
	__u64 handle = heap_new(s->heap, s->type, BYTES);

	REQUIRE_OK(heap_free_one(s->heap, handle));
	EXPECT_ROW(handle_use(s->heap, number, 0, handle), ESTALE);
	EXPECT_ROW(handle_use(s->heap, number, s->type, handle), ESTALE);
	stage_check(s, 2);
}

static void freed_and_reused(struct stage *s, unsigned long number)
{
	__u64 old = heap_new(s->heap, s->type, BYTES), now = 0;
	__u64 offset = heap_info(s->heap, old).offset;
	unsigned int live = 2;

	REQUIRE_OK(heap_free_one(s->heap, old));
	/* Sooner or later its place serves another. */
	do
		now = heap_new(s->heap, s->type, BYTES);
	while (++live < 5000 && heap_info(s->heap, now).offset != offset);
	REQUIRE_EQ(heap_info(s->heap, now).offset, offset);
	EXPECT(now != old);
	EXPECT_ROW(handle_use(s->heap, number, 0, old), EREMCHG);
	EXPECT_EQ(heap_info(s->heap, now).refs, 1);
	stage_check(s, live);
}

static void freed_and_trimmed(struct stage *s, unsigned long number)
{
	__u64 handles[200];

	heap_fill(s->heap, s->type, 4000, handles, 200);
	heap_drain(s->heap, handles, 200);
	heap_trim(s->heap);
	for (int i = 0; i < 200; i++)
		EXPECT_ROW(handle_use(s->heap, number, 0, handles[i]),
			   ESTALE, EREMCHG);
	stage_check(s, 2);
}

static void freed_large(struct stage *s, unsigned long number)
{
	__u64 handle = heap_new(s->heap, PRIVHEAP_TYPE_BYTES, 1 << 20);

	REQUIRE_OK(heap_free_one(s->heap, handle));
	EXPECT_ROW(handle_use(s->heap, number, 0, handle), ESTALE, EREMCHG);
	heap_trim(s->heap);
	EXPECT_ROW(handle_use(s->heap, number, 0, handle), ESTALE, EREMCHG);
	stage_check(s, 2);
}

static void of_another_type(struct stage *s, unsigned long number)
{
	__u32 other = type_make(s->heap, "other", BYTES, 0, PRIVHEAP_TYPE_COUNTED);

	EXPECT_ROW(handle_use(s->heap, number, other, s->live[0]), EPROTOTYPE);
	EXPECT_ROW(handle_use(s->heap, number, PRIVHEAP_TYPE_INT, s->live[0]),
		   EPROTOTYPE);
	stage_check(s, 2);
}

static void of_unknown_type(struct stage *s, unsigned long number)
{
	EXPECT_ROW(handle_use(s->heap, number, 12345, s->live[0]),
		   EPROTOTYPE, ENOENT);
	EXPECT_ROW(handle_use(s->heap, number, ~0U, s->live[0]),
		   EPROTOTYPE, ENOENT);
	stage_check(s, 2);
}

static void of_zero(struct stage *s, unsigned long number)
{
	EXPECT_ROW(handle_use(s->heap, number, 0, 0), ENXIO);
	stage_check(s, 2);
}

static void of_all_ones(struct stage *s, unsigned long number)
{
	EXPECT_ROW(handle_use(s->heap, number, 0, ~0ULL), HANDLE_ERRNOS);
	stage_check(s, 2);
}

/* A single bit may turn a handle only into the other one that was given out. */
static void with_one_bit_flipped(struct stage *s, unsigned long number)
{
	__u64 handle;

	for (int bit = 0; bit < 64; bit++) {
		handle = s->live[0] ^ 1ULL << bit;
		if (handle != s->live[1])
			EXPECT_ROW(handle_use(s->heap, number, 0, handle),
				   HANDLE_ERRNOS);
	}
	stage_check(s, 2);
}

static void at_random(struct stage *s, unsigned long number)
{
	__u64 state = 0xfeedfacecafebeefULL;

	for (unsigned long i = 0; i < scaled(2000); i++)
		EXPECT_ROW(handle_use(s->heap, number, 0, random_next(&state)),
			   HANDLE_ERRNOS);
	stage_check(s, 2);
}

/* The low bits of a live handle kept, the high ones random, and vice versa. */
static void half_at_random(struct stage *s, unsigned long number)
{
	__u64 state = 0x0123456789abcdefULL, low = (1ULL << 40) - 1, handle;

	for (unsigned long i = 0; i < scaled(2000); i++) {
		handle = random_next(&state);
		handle = i % 2 ? (handle & low) | (s->live[0] & ~low) :
			 (handle & ~low) | (s->live[0] & low);
		if (handle == s->live[0] || handle == s->live[1])
			continue;
		EXPECT_ROW(handle_use(s->heap, number, 0, handle), HANDLE_ERRNOS);
	}
	stage_check(s, 2);
}

static const struct kind {
	const char *name;
	void (*run)(struct stage *s, unsigned long number);
} kinds[] = {
	{ "of_another_heap", of_another_heap },
	{ "of_a_closed_heap", of_a_closed_heap },
	{ "freed", freed },
	{ "freed_and_reused", freed_and_reused },
	{ "freed_and_trimmed", freed_and_trimmed },
	{ "freed_large", freed_large },
	{ "of_another_type", of_another_type },
	{ "of_unknown_type", of_unknown_type },
	{ "of_zero", of_zero },
	{ "of_all_ones", of_all_ones },
	{ "with_one_bit_flipped", with_one_bit_flipped },
	{ "at_random", at_random },
	{ "half_at_random", half_at_random },
};

struct row {
	unsigned long number;
	const struct kind *kind;
};

static void bad_handle(int heap, const void *arg)
{
	const struct row *row = arg;
	struct stage stage;

	stage_make(&stage, heap);
	row->kind->run(&stage, row->number);
}

/*
 * Two live objects whose handles differ as their offsets do show that a handle
 * counts bytes in its low bits; then one into an object can be made up.
 */
static bool handle_counts_bytes(int heap, __u64 a, __u64 b)
{
	return a - b == heap_info(heap, a).offset - heap_info(heap, b).offset;
}

static void interior_handle(int heap, __u64 first, __u64 second, __u64 bytes)
{
	static const __u64 inside[] = { 1, 7, 8, 16, 31, 32, 4096 };

	if (!handle_counts_bytes(heap, first, second))
		test_skip("a handle does not show its offset");
	for (size_t u = 0; u < ARRAY_SIZE(users); u++)
		for (size_t i = 0; i < ARRAY_SIZE(inside) && inside[i] < bytes; i++)
			EXPECT_ROW(handle_use(heap, users[u].number, 0,
					      first + inside[i]), EBADSLT);
	object_check(heap, first, bytes, 1);
	EXPECT_EQ(heap_stat(heap).live_objects, 2);
}

static void interior_of_small_object(int heap, const void *arg)
{
	__u64 handles[2];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_OBJECT, BYTES, handles, 2);
	object_fill(heap, handles[0], BYTES, 1);
	interior_handle(heap, handles[0], handles[1], BYTES);
}

static void interior_of_large_object(int heap, const void *arg)
{
	__u64 handles[2];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_OBJECT, 100000, handles, 2);
	object_fill(heap, handles[0], 100000, 1);
	interior_handle(heap, handles[0], handles[1], 100000);
}

static void offset_that_no_slab_covers(int heap, const void *arg)
{
	__u64 handles[2];

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_OBJECT, BYTES, handles, 2);
	if (!handle_counts_bytes(heap, handles[0], handles[1]))
		test_skip("a handle does not show its offset");
	for (size_t u = 0; u < ARRAY_SIZE(users); u++)
		for (int bit = 30; bit < 40; bit++)
			EXPECT_ROW(handle_use(heap, users[u].number, 0,
					      handles[0] ^ 1ULL << bit), ENXIO);
	EXPECT_EQ(heap_stat(heap).live_objects, 2);
}

/* A slot that was never handed out has no handle that works. */
static void neighbouring_slots(int heap, const void *arg)
{
	__u64 handles[2], step;

	(void)arg;
	heap_fill(heap, PRIVHEAP_TYPE_OBJECT, BYTES, handles, 2);
	step = heap_info(heap, handles[0]).usable_bytes;
	for (__u64 i = 1; i < 2000; i++) {
		if (handles[0] + i * step == handles[1])
			continue;
		EXPECT_ROW(handle_use(heap, PRIVHEAP_READ, 0, handles[0] + i * step),
			   HANDLE_ERRNOS);
		EXPECT_ROW(handle_use(heap, PRIVHEAP_FREE, 0, handles[0] + i * step),
			   HANDLE_ERRNOS);
	}
	EXPECT_EQ(heap_stat(heap).live_objects, 2);
}

/* Also when so many heaps came and went that numbers begin again. */
static void handle_of_one_heap_in_hundreds_of_others(int heap, const void *arg)
{
	__u64 mine = heap_new(heap, PRIVHEAP_TYPE_OBJECT, BYTES), theirs;
	char byte;

	(void)arg;
	for (int i = 0; i < 600; i++) {
		int other = heap_open();

		theirs = heap_new(other, PRIVHEAP_TYPE_OBJECT, BYTES);
		EXPECT_ERR(heap_read(other, mine, 0, &byte, 1), HANDLE_ERRNOS);
		EXPECT_ERR(heap_read(heap, theirs, 0, &byte, 1), HANDLE_ERRNOS);
		close(other);
	}
}

int main(void)
{
	static struct row rows[ARRAY_SIZE(users)][ARRAY_SIZE(kinds)];

	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		for (size_t j = 0; j < ARRAY_SIZE(kinds); j++) {
			rows[i][j] = (struct row){ users[i].number, &kinds[j] };
			TEST_ARG(bad_handle, &rows[i][j], "%s_by_handle_%s",
				 users[i].name, kinds[j].name);
		}
	TEST(interior_of_small_object);
	TEST(interior_of_large_object);
	TEST(offset_that_no_slab_covers);
	TEST(neighbouring_slots);
	TEST(handle_of_one_heap_in_hundreds_of_others);
	return tests_run();
}
