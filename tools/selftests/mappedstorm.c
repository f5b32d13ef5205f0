// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that come and go while other threads touch them. Each test takes
 * some seconds; with PRIVHEAP_SCALE=full, ten minutes.
 */
#include "mapping.h"
#include "threads.h"

#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#define SPAN		(16 * 4096)

/* What the threads of a test share. */
static struct {
	int heap;
	unsigned char *base;
	__u64 shared[16];	/* objects that one thread has and others touch */
	atomic_bool stop;
	atomic_ulong rounds, buses;
} storm;

static __thread sigjmp_buf bus_back;
static __thread volatile bool touching;

/* Only where a thread says that it may happen. */
static void bus_caught(int signal)
{
	if (!touching)
		_exit(99);
	siglongjmp(bus_back, signal);
}

/* Reads or writes a byte. Returns whether there was one. */
static bool bus_touch(unsigned char *at, bool write)
{
	bool there = true;

	if (sigsetjmp(bus_back, 1)) {
		atomic_fetch_add(&storm.buses, 1);
		there = false;
	} else {
		touching = true;
		if (write)
			*(volatile unsigned char *)at = 0xa5;
		else
			(void)*(volatile unsigned char *)at;
	}
	touching = false;
	return there;
}

static void storm_begin(int heap)
{
	struct sigaction action = { .sa_handler = bus_caught };

	storm.heap = heap;
	storm.base = region_map(heap);
	storm.stop = false;
	storm.rounds = 0;
	storm.buses = 0;
	REQUIRE(!sigaction(SIGBUS, &action, NULL));
}

/* One round of the thread that counts; and whether there is another. */
static bool storm_goes_on(void)
{
	atomic_fetch_add(&storm.rounds, 1);
	return !storm.stop && !test_failed();
}

static void storm_run(void *(*const *run)(void *), unsigned int nr)
{
	unsigned int seconds = scaled_to(4, 600);
	pthread_t threads[8];

	for (unsigned int i = 0; i < nr; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, run[i],
					(void *)(uintptr_t)i));
	for (unsigned int i = 0; i < seconds * 4 && !test_failed(); i++)
		usleep(250 * 1000);
	storm.stop = true;
	for (unsigned int i = 0; i < nr; i++)
		REQUIRE(!pthread_join(threads[i], NULL));
	test_note("%lu rounds, %lu accesses refused", storm.rounds, storm.buses);
	EXPECT(storm.rounds > 10);
}

/*
 * A span that the other owner has just given back may be had before it goes, with
 * what is in it: so it is asked to be zero, which costs nothing where it is new.
 */
static __u64 take_clean(__u32 type, __u64 bytes)
{
	struct privheap_run run = { 0 };
	struct privheap_take t = {
		.type = type, .count = 1, .flags = PRIVHEAP_ZERO,
		.object_bytes = bytes, .runs = user_ptr(&run), .max_runs = 1,
	};

	REQUIRE_OK(heap_take_runs(storm.heap, &t));
	return run.offset;
}

/* Has objects of its own, all the time, that nobody else may show up in. */
static void *owner_of_spans(void *arg)
{
	__u64 seed = (uintptr_t)arg, at, bytes, mark;

	do {
		bytes = SPAN + random_next(&seed) % 4 * 4096;
		at = take_clean(random_next(&seed) & 1 ? PRIVHEAP_TYPE_OBJECT :
							 PRIVHEAP_TYPE_LIST, bytes);
		REQUIRE_EQ(zero_check(storm.base + at, bytes), -1);
		mark = random_next(&seed);
		for (__u64 b = 0; b < bytes; b += 4096)
			pattern_fill(storm.base + at + b, 64, mark + b);
		if (random_next(&seed) & 1)
			sched_yield();
		for (__u64 b = 0; b < bytes; b += 4096)
			REQUIRE_EQ(pattern_check(storm.base + at + b, 64, mark + b), -1);
		REQUIRE_OK(heap_give_one(storm.heap, at));
	} while (storm_goes_on());
	return NULL;
}

/* Slots of two types in turn, trimmed in between: slabs change their type. */
static void *owner_of_slots(void *arg)
{
	__u32 type = PRIVHEAP_TYPE_STR;
	__u64 seed = 77 + (uintptr_t)arg, at[40];

	do {
		type = type == PRIVHEAP_TYPE_STR ? PRIVHEAP_TYPE_OBJECT :
						   PRIVHEAP_TYPE_STR;
		REQUIRE_OK(heap_take(storm.heap, type, 1000, at, ARRAY_SIZE(at)));
		for (size_t i = 0; i < ARRAY_SIZE(at); i++)
			pattern_fill(storm.base + at[i], 1000, seed + i);
		sched_yield();
		for (size_t i = 0; i < ARRAY_SIZE(at); i++)
			REQUIRE_EQ(pattern_check(storm.base + at[i], 1000, seed + i),
				   -1);
		REQUIRE_OK(heap_give(storm.heap, type, at, ARRAY_SIZE(at)));
		random_next(&seed);
	} while (storm_goes_on());
	return NULL;
}

static void *trimmer(void *arg)
{
	(void)arg;
	do
		heap_trim(storm.heap);
	while (storm_goes_on());
	return NULL;
}

/* What the machine does when memory is short. */
static void *shrinker(void *arg)
{
	(void)arg;
	do {
		file_write("/proc/sys/vm/drop_caches", "2");
		usleep(1000);
	} while (storm_goes_on());
	return NULL;
}

/* Reads wherever there may be something, or nothing. */
static void *toucher(void *arg)
{
	__u64 seed = 99 + (uintptr_t)arg, at;

	do {
		at = random_next(&seed) % (8 << 20);
		bus_touch(storm.base + at, false);
	} while (storm_goes_on());
	return NULL;
}

static void new_slabs_do_not_meet_old_pages(int heap, const void *arg)
{
	static void *(*const run[])(void *) = {
		owner_of_spans, owner_of_spans, owner_of_slots, toucher, trimmer,
	};

	(void)arg;
	storm_begin(heap);
	storm_run(run, ARRAY_SIZE(run));
}

static void the_shrinker_takes_what_is_idle(int heap, const void *arg)
{
	static void *(*const run[])(void *) = {
		owner_of_spans, owner_of_slots, toucher, shrinker, trimmer,
	};

	(void)arg;
	storm_begin(heap);
	storm_run(run, ARRAY_SIZE(run));
}

/* The slab map is right for what its reader has, whatever goes on beside. */
static void *owner_who_looks(void *arg)
{
	const struct privheap_map_entry *map = slab_map(storm.heap), *e;
	__u64 seed = 5 + (uintptr_t)arg, page = 4096, at, pages;

	do {
		pages = 5 + random_next(&seed) % 8;
		at = heap_take_one(storm.heap, PRIVHEAP_TYPE_OBJECT, pages * page);
		for (__u64 i = 0; i < pages; i++) {
			e = &map[at / page + i];
			REQUIRE_EQ(e->state, PRIVHEAP_STATE_SPAN);
			REQUIRE_EQ(e->first_page, at / page);
			REQUIRE_EQ(e->pages, pages);
			REQUIRE_EQ(e->type, PRIVHEAP_TYPE_OBJECT);
		}
		REQUIRE_OK(heap_give_one(storm.heap, at));
	} while (storm_goes_on());
	return NULL;
}

static void the_slab_map_is_right_under_load(int heap, const void *arg)
{
	static void *(*const run[])(void *) = {
		owner_who_looks, owner_who_looks, owner_who_looks, trimmer,
	};

	(void)arg;
	storm_begin(heap);
	storm_run(run, ARRAY_SIZE(run));
}

/* Touches what is never gone, only converted, though not always in place. */
static void *toucher_of_shared(void *arg)
{
	__u64 seed = (uintptr_t)arg, at;

	do {
		at = storm.shared[random_next(&seed) % ARRAY_SIZE(storm.shared)];
		madvise(storm.base + at, SPAN, MADV_DONTNEED);
		if (!EXPECT(bus_touch(storm.base + at + random_next(&seed) % SPAN,
				      random_next(&seed) & 1)))
			break;
	} while (storm_goes_on());
	return NULL;
}

static void *converter(void *arg)
{
	size_t nr = ARRAY_SIZE(storm.shared);
	__u64 handles[ARRAY_SIZE(storm.shared)], back[ARRAY_SIZE(storm.shared)];
	struct privheap_run bad[2] = { { storm.shared[0], 1 }, { 1ULL << 40, 1 } };

	(void)arg;
	do {
		/* A batch that is refused claims what is good about it, too. */
		EXPECT_ERR(heap_give_runs(storm.heap, 0, bad, 2), ENXIO);
		REQUIRE_OK(heap_convert(storm.heap, PRIVHEAP_TO_HANDLES, 0,
					storm.shared, handles, nr));
		REQUIRE_OK(heap_convert(storm.heap, PRIVHEAP_TO_OFFSETS, 0, handles,
					back, nr));
	} while (storm_goes_on());
	return NULL;
}

static void conversion_keeps_objects_within_reach(int heap, const void *arg)
{
	static void *(*const run[])(void *) = {
		converter, toucher_of_shared, toucher_of_shared,
	};

	(void)arg;
	storm_begin(heap);
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_OBJECT, SPAN, storm.shared,
			     ARRAY_SIZE(storm.shared)));
	storm_run(run, ARRAY_SIZE(run));
	EXPECT_EQ(storm.buses, 0);
}

static void *resizer(void *arg)
{
	__u64 seed = (uintptr_t)arg, bytes = SPAN, at, usable;

	at = heap_take_one(storm.heap, PRIVHEAP_TYPE_OBJECT, SPAN);
	pattern_fill(storm.base + at, SPAN, seed);
	do {
		bytes = bytes > 40 * SPAN ? SPAN : bytes * 3;
		REQUIRE_OK(heap_regrow(storm.heap, &at, bytes, &usable));
		REQUIRE_EQ(pattern_check(storm.base + at, SPAN, seed), -1);
		if (bytes > SPAN)
			storm.base[at + bytes - 1] = 1;
	} while (storm_goes_on());
	REQUIRE_OK(heap_give_one(storm.heap, at));
	return NULL;
}

/* Puts in place all that its type has. */
static void *reserver(void *arg)
{
	(void)arg;
	do {
		REQUIRE_OK(heap_reserve(storm.heap, PRIVHEAP_TYPE_OBJECT, SPAN, 2, NULL));
		REQUIRE_OK(heap_reserve(storm.heap, PRIVHEAP_TYPE_OBJECT, SPAN, 0, NULL));
	} while (storm_goes_on());
	return NULL;
}

static void populating_while_pages_move(int heap, const void *arg)
{
	static void *(*const run[])(void *) = {
		resizer, resizer, reserver, reserver, toucher,
	};

	(void)arg;
	storm_begin(heap);
	storm_run(run, ARRAY_SIZE(run));
}

/* Mappings of its own, of any part. */
static void *mapper(void *arg)
{
	__u64 seed = (uintptr_t)arg;
	unsigned char *map;
	size_t bytes;

	do {
		bytes = (1 + random_next(&seed) % 512) * 4096;
		map = map_at(storm.heap, random_next(&seed) % 512 * 4096, bytes,
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | (random_next(&seed) & 1 ? MAP_POPULATE : 0));
		REQUIRE(map != MAP_FAILED);
		for (int i = 0; i < 20; i++)
			bus_touch(map + random_next(&seed) % bytes, false);
		REQUIRE(!munmap(map, bytes));
	} while (storm_goes_on());
	return NULL;
}

static void mappings_come_and_go(int heap, const void *arg)
{
	static void *(*const run[])(void *) = {
		mapper, mapper, owner_of_spans, owner_of_slots, shrinker, trimmer,
	};

	(void)arg;
	storm_begin(heap);
	storm_run(run, ARRAY_SIZE(run));
}

/* A type that cannot end because of one object does not hide from others. */
static void *taker_of_a_type(void *arg)
{
	__u32 type = (__u32)storm.shared[1];
	__u64 at;

	(void)arg;
	do {
		REQUIRE_OK(heap_take(storm.heap, type, 0, &at, 1));
		REQUIRE_OK(heap_give(storm.heap, type, &at, 1));
	} while (storm_goes_on());
	return NULL;
}

static void *ender_of_a_type(void *arg)
{
	__u32 type = (__u32)storm.shared[1];

	(void)arg;
	do
		REQUIRE(type_destroy(storm.heap, type) == EBUSY);
	while (storm_goes_on());
	return NULL;
}

static void a_type_in_use_stays_in_sight(int heap, const void *arg)
{
	static void *(*const run[])(void *) = { taker_of_a_type, ender_of_a_type };

	(void)arg;
	storm_begin(heap);
	storm.shared[1] = type_make(heap, "stays", 64, 0, 0);
	storm.shared[0] = heap_take_one(heap, (__u32)storm.shared[1], 0);
	storm_run(run, ARRAY_SIZE(run));
}

/* Faults, conversions, resizes, until it is killed in the middle of one. */
static void victim(int heap)
{
	unsigned char *base = region_map(heap);
	__u64 at[8], handles[8], usable;

	for (;;) {
		REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_OBJECT, SPAN, at, 8));
		for (int i = 0; i < 8; i++)
			base[at[i] + 4096 * i] = 1;
		heap_convert(heap, PRIVHEAP_TO_HANDLES, 0, at, handles, 8);
		heap_convert(heap, PRIVHEAP_TO_OFFSETS, 0, handles, at, 8);
		heap_regrow(heap, &at[0], 10 * SPAN, &usable);
		heap_reserve(heap, PRIVHEAP_TYPE_STR, 100, 1000, NULL);
		heap_give(heap, 0, at, 8);
		heap_trim(heap);
	}
}

static void killed_in_the_middle(int heap, const void *arg)
{
	unsigned long kills = scaled_to(300, 10000) + 1;
	struct counters before, after;
	__u64 seed = 1;

	(void)heap;
	(void)arg;
	REQUIRE_OK(counters_read(&before));
	for (unsigned long i = 0; i < kills; i++) {
		pid_t pid = fork();

		REQUIRE(pid >= 0);
		if (!pid)
			victim(heap_open());
		usleep(random_next(&seed) % 20000);
		kill(pid, SIGKILL);
		REQUIRE(waitpid(pid, NULL, 0) == pid);
	}
	REQUIRE_OK(counters_read(&after));
	counters_equal(&before, &after);
}

int main(void)
{
	TEST(new_slabs_do_not_meet_old_pages);
	TEST(the_shrinker_takes_what_is_idle);
	TEST(the_slab_map_is_right_under_load);
	TEST(conversion_keeps_objects_within_reach);
	TEST(populating_while_pages_move);
	TEST(mappings_come_and_go);
	TEST(a_type_in_use_stays_in_sight);
	TEST(killed_in_the_middle);
	return tests_run();
}
