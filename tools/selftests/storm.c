// SPDX-License-Identifier: GPL-2.0
/*
 * A storm: threads do everything to the same objects of one heap at once, with
 * handles that may be stale by the time they are used. Each call must end in a
 * documented way, and when the storm is over the books must balance.
 */
#include "threads.h"

#define SHARED	64

/* What may come of using an object that another thread is at, too. */
#define LOST	0, ESTALE, EREMCHG

struct storm {
	__u32 counted;
	_Atomic __u64 handles[SHARED];
};

static struct storm storm;

static __u32 storm_type(__u64 random)
{
	return random % 8 ? PRIVHEAP_TYPE_STR + random % 7 : storm.counted;
}

/* New objects; whose place in the table they take are freed. */
static void storm_alloc(int heap, __u64 random)
{
	__u64 handles[8], old;
	__u64 bytes = 1 + (random >> 16) % (40000 >> (random >> 40) % 13);
	__u32 nr = 1 + (random >> 8) % 8;

	if (!EXPECT_OK(heap_alloc(heap, storm_type(random), bytes, handles, nr)))
		return;
	for (__u32 i = 0; i < nr; i++) {
		old = atomic_exchange(&storm.handles[(random >> 32) % SHARED],
				      handles[i]);
		random = random_next(&random);
		if (old)
			EXPECT_ERR(heap_free_one(heap, old), LOST, EBUSY);
	}
}

static void storm_free(int heap, __u64 random)
{
	__u64 handles[4];

	for (int i = 0; i < 4; i++)
		handles[i] = storm.handles[(random >> 8 * i) % SHARED] ?: ~0ULL;
	EXPECT_ERR(heap_free(heap, handles, 1 + random % 4), HANDLE_ERRNOS, EBUSY, 0);
}

static void storm_resize(int heap, __u64 random)
{
	_Atomic __u64 *shared = &storm.handles[random % SHARED];
	__u64 handle = *shared, old = handle;

	if (!handle || !EXPECT_ERR(heap_resize(heap, &handle, 1 + (random >> 8) %
					       (60000 >> (random >> 40) % 12)), LOST))
		return;
	if (handle != old)
		atomic_compare_exchange_strong(shared, &old, handle);
}

static void storm_rw(int heap, __u64 random)
{
	unsigned char buffer[512];
	__u64 handle = storm.handles[random % SHARED];

	memset(buffer, random, sizeof(buffer));
	EXPECT_ERR(heap_rw(heap, random & 1 << 20 ? PRIVHEAP_READ : PRIVHEAP_WRITE,
			   handle ?: ~0ULL, (random >> 8) % 600, buffer,
			   (random >> 24) % sizeof(buffer)),
		   HANDLE_ERRNOS, ERANGE, 0);
}

static void storm_count(int heap, __u64 random)
{
	__u64 handle = storm.handles[random % SHARED];

	if (!handle)
		return;
	if (EXPECT_ERR(heap_get(heap, handle), LOST, EOPNOTSUPP))
		EXPECT_ERR(heap_put(heap, handle), LOST, EOPNOTSUPP);
}

static void storm_look(int heap, __u64 random)
{
	struct privheap_object_info info;
	__u64 handles[32];
	struct privheap_walk w = {
		.size = sizeof(w), .count = 32, .handles = user_ptr(handles),
	};

	EXPECT_OK(heap_call(heap, PRIVHEAP_WALK, &w));
	for (__u32 i = 0; i < w.done; i++)
		EXPECT_ERR(heap_infos(heap, &handles[i], &info, 1),
			   HANDLE_ERRNOS, 0);
	heap_stat(heap);
	type_stat(heap, storm_type(random));
}

static void storm_types(int heap, __u64 random)
{
	struct privheap_type t = type_named("", 40, 0);
	__u64 handle;
	int err;

	snprintf(t.name, sizeof(t.name), "brief%u", (unsigned int)(random % 4));
	err = type_create(heap, &t);
	if (!EXPECT_ERR(err, 0, EEXIST) || err)
		return;
	if (EXPECT_OK(heap_alloc(heap, t.type, 0, &handle, 1))) {
		EXPECT_ERR(type_destroy(heap, t.type), EBUSY);
		EXPECT_OK(heap_free_one(heap, handle));
	}
	EXPECT_OK(type_destroy(heap, t.type));
}

static void storm_memory(int heap, __u64 random)
{
	__u32 type = storm_type(random);

	switch (random >> 20 & 3) {
	case 0:
		heap_trim(heap);
		break;
	case 1:
		EXPECT_OK(heap_reserve(heap, type, 100, random % 200, NULL));
		break;
	case 2:
		EXPECT_OK(heap_reserve(heap, type, 100, 0, NULL));
		break;
	default:
		EXPECT_OK(heap_setup(heap, (random % 64) << 12, 0, 0));
	}
}

static void *storm_worker(void *arg)
{
	/* The more often a deed stands here, the more often it is done. */
	static void (*const deeds[])(int heap, __u64 random) = {
		storm_alloc, storm_alloc, storm_alloc, storm_alloc, storm_free,
		storm_resize, storm_resize, storm_rw, storm_rw, storm_rw,
		storm_count, storm_look,
	};
	struct worker *w = arg;
	__u64 state = 0x2545f4914f6cdd1dULL * (w->number + 3), random;

	for (unsigned long n = 0; n < scaled(4000) && !test_failed(); n++) {
		random = random_next(&state);
		if (n % 100 == 50)
			storm_memory(w->heap, random);
		else if (n % 400 == 200)
			storm_types(w->heap, random);
		else
			deeds[(random >> 56) % ARRAY_SIZE(deeds)](w->heap, random);
	}
	return NULL;
}

/* An object that moved between GET and PUT has kept that reference. */
static void storm_end(int heap, __u64 handle)
{
	int err = heap_free_one(heap, handle);

	while (err == EBUSY) {
		REQUIRE_OK(heap_put(heap, handle));
		err = heap_free_one(heap, handle);
	}
	REQUIRE_OK(err);
}

/* Everything that still lives, whoever lost its handle. */
static void storm_clear(int heap)
{
	__u64 handles[64];
	struct privheap_walk w = {
		.size = sizeof(w), .count = 64, .handles = user_ptr(handles),
	};

	do {
		REQUIRE_OK(heap_call(heap, PRIVHEAP_WALK, &w));
		for (__u32 i = 0; i < w.done; i++)
			storm_end(heap, handles[i]);
	} while (w.cursor);
}

static void books_balance_after_a_storm(int heap, const void *arg)
{
	struct worker workers[THREADS];
	struct privheap_heap_stat s;

	(void)arg;
	storm.counted = type_make(heap, "counted", 1, 1 << 20, PRIVHEAP_TYPE_COUNTED);
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .heap = heap };
	workers_run(workers, storm_worker);
	workers_join(workers);
	storm_clear(heap);
	s = heap_stat(heap);
	EXPECT_EQ(s.live_objects, 0);
	EXPECT_EQ(s.live_bytes, 0);
	EXPECT_EQ(s.allocs, s.frees);
	for (__u32 type = PRIVHEAP_TYPE_INT; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		EXPECT_EQ(type_stat(heap, type).live_objects, 0);
		EXPECT_EQ(type_stat(heap, type).live_bytes, 0);
	}
}

static void close_in_the_middle_of_a_storm(int heap, const void *arg)
{
	struct worker workers[THREADS];

	(void)arg;
	storm.counted = type_make(heap, "counted", 1, 1 << 20, PRIVHEAP_TYPE_COUNTED);
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .heap = heap };
	workers_run(workers, storm_worker);
	/* With all objects, threads and promises: the process just ends. */
	while (heap_stat(heap).allocs < 500 && !test_failed())
		;
	fflush(stdout);
	_exit(0);
}

int main(void)
{
	TEST(books_balance_after_a_storm);
	TEST(close_in_the_middle_of_a_storm);
	return tests_run();
}
