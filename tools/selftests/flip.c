// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that changes while the kernel reads it, and that comes and goes while
 * the kernel writes to it: whatever the calls make of it, the heap's books
 * balance, no object is lost, and a call that fails has done nothing.
 */
#include "group.h"
#include "scene.h"

#include <pthread.h>
#include <stdatomic.h>

#define ROUNDS		400
#define VALIDATE	"/sys/kernel/debug/privheap/validate"

/* What the calls read and write, all of it in pages that the other one spoils. */
static struct {
	union call call;
	struct scene scene;
} *shared;

static atomic_bool stop;
static atomic_ulong flips;

static size_t shared_bytes(void)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (sizeof(*shared) + page - 1) / page * page;
}

static void shared_make(void)
{
	shared = mmap(NULL, shared_bytes(), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(shared != MAP_FAILED);
}

/* Bits, bytes and whole words, small and huge, anywhere in the call. */
static void *flip_call(void *arg)
{
	volatile __u32 *words = (void *)&shared->call;
	__u64 state = 0xf11f, r;

	(void)arg;
	while (!stop) {
		r = random_next(&state);
		words[r % (sizeof(shared->call) / 4)] ^= 1U << (r >> 32 & 31);
		if (r >> 40 & 1)
			words[r >> 16 & 15] = r >> 41 & 1 ? 0 : ~0U;
		flips++;
	}
	return NULL;
}

/* Handles, sizes, and elements of arrays, by others that exist. */
static void *flip_arrays(void *arg)
{
	struct scene *s = &shared->scene;
	volatile __u64 *given = s->given, *sizes = s->sizes;
	__u64 state = 0xa11a, r;
	int i;

	(void)arg;
	while (!stop) {
		r = random_next(&state);
		i = r % SCENE_OBJECTS;
		given[i] = r >> 8 & 3 ? s->handles[r >> 16 & 3] : r;
		sizes[i] = r >> 10 & 7 ? 8 + (r >> 20 & 4095) : r;
		((volatile __u64 *)&s->ios[i])[r >> 12 & 3] ^= 1ULL << (r >> 40 & 63);
		((volatile struct privheap_run *)s->runs)[i].mask ^= r >> 30 & 3;
		((volatile __u64 *)s->lives)[i] ^= r >> 33 & 1;
		s->ios[i].handle = s->handles[i];
		s->ios[i].buffer = user_ptr(s->buffers[i]);
		flips++;
	}
	return NULL;
}

/* All of it is there, read-only, or not at all. */
static void *flip_protection(void *arg)
{
	static const int protections[] = { PROT_READ, PROT_NONE, PROT_READ };
	unsigned int n = 0;

	(void)arg;
	while (!stop) {
		mprotect(shared, shared_bytes(), protections[n++ % 3]);
		sched_yield();
		mprotect(shared, shared_bytes(), PROT_READ | PROT_WRITE);
		for (volatile int i = n % 512; i; i--)
			;
		flips++;
	}
	mprotect(shared, shared_bytes(), PROT_READ | PROT_WRITE);
	return NULL;
}

static bool errno_is_known(int err)
{
	static const int known[] = {
		0, EINVAL, E2BIG, EOPNOTSUPP, EFAULT, EOVERFLOW, ENOENT, EEXIST, EPERM,
		EBUSY, ERANGE, ENOSPC, EDQUOT, ENOMEM, HANDLE_ERRNOS,
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (err == known[i])
			return true;
	return false;
}

/* What a walk finds is what the figures say; and the kernel's own check. */
static void heap_expect_sound(int heap)
{
	static __u64 found[65536];
	struct privheap_walk w = {
		.size = sizeof(w), .count = ARRAY_SIZE(found), .handles = user_ptr(found),
	};
	__u64 live = 0, bytes = 0;
	unsigned int id, sound;
	FILE *file;

	do {
		REQUIRE_OK(heap_call(heap, PRIVHEAP_WALK, &w));
		for (__u32 i = 0; i < w.done; i++)
			bytes += heap_info(heap, found[i]).requested_bytes;
		live += w.done;
	} while (w.cursor);
	EXPECT_EQ(heap_stat(heap).live_objects, live);
	EXPECT_EQ(heap_stat(heap).live_bytes, bytes);
	file = fopen(VALIDATE, "re");
	while (file && fscanf(file, "heap=%u sound=%u\n", &id, &sound) == 2)
		EXPECT_EQ(sound, 1);
	if (file)
		fclose(file);
}

static const struct flipper {
	const char *name;
	void *(*run)(void *);
} flippers[] = {
	{ "the_struct", flip_call }, { "the_arrays", flip_arrays },
};

/* Not what might make a later round run out of what this machine has. */
static bool command_is_harmless(const struct command *cmd)
{
	return cmd->number != PRIVHEAP_SETUP;
}

static void commands_while_it_flips(int heap, const void *arg)
{
	const struct flipper *f = arg;
	pthread_t thread;
	union call call;

	shared_make();
	REQUIRE_OK(heap_setup(heap, 0, 0, 16 << 20));
	scene_make(&shared->scene, heap);
	REQUIRE(!pthread_create(&thread, NULL, f->run, NULL));
	for (unsigned long n = 0; n < scaled(ROUNDS) + 20; n++)
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
			if (!command_is_harmless(&commands[i]))
				continue;
			scene_call(&shared->scene, &commands[i], &call);
			memcpy(&shared->call, &call, sizeof(call));
			EXPECT(errno_is_known(heap_call(heap, commands[i].number,
							&shared->call)));
		}
	stop = true;
	REQUIRE(!pthread_join(thread, NULL));
	test_note("%lu flips", flips);
	EXPECT(flips > 0);
	heap_expect_sound(heap);
}

/* Flips may ask for all memory that there is: here that is a cgroup's. */
static void setup_while_it_flips(int heap, const void *arg)
{
	struct privheap_heap_stat is;
	pthread_t thread;

	(void)arg;
	(void)heap;
	shared_make();
	group_make(64 << 20);
	group_enter();
	heap = heap_open();
	group_leave();
	heap_new(heap, PRIVHEAP_TYPE_STR, 1000);
	REQUIRE(!pthread_create(&thread, NULL, flip_call, NULL));
	for (unsigned long n = 0; n < scaled(20000); n++) {
		shared->call.setup = (struct privheap_setup){
			.size = sizeof(struct privheap_setup), .hard_max_bytes = 16 << 20,
			.soft_max_bytes = 8 << 20,
		};
		EXPECT(errno_is_known(heap_call(heap, PRIVHEAP_SETUP, &shared->call)));
		is = heap_stat(heap);
		if (!EXPECT(is.held_bytes <= is.hard_max_bytes) ||
		    !EXPECT(is.soft_max_bytes <= is.hard_max_bytes))
			break;
	}
	stop = true;
	REQUIRE(!pthread_join(thread, NULL));
	heap_expect_sound(heap);
	close(heap);
	while (rmdir(group) && errno == EBUSY)
		usleep(10000);
}

/* A call on a struct that comes and goes; @call is what it asks. */
static int call_shared(int heap, unsigned long number, union call *call)
{
	/* Writing to it may find it gone: the kernel says so, and does no harm. */
	int fd[2], err;

	REQUIRE(!pipe(fd));
	REQUIRE(write(fd[1], call, sizeof(*call)) == sizeof(*call));
	while (read(fd[0], &shared->call, sizeof(*call)) != sizeof(*call))
		;
	err = heap_call(heap, number, &shared->call);
	close(fd[0]);
	close(fd[1]);
	return err;
}

/* The struct as the kernel left it. */
static void answer_fetch(union call *call)
{
	int fd[2];

	REQUIRE(!pipe(fd));
	while (write(fd[1], &shared->call, sizeof(*call)) != sizeof(*call))
		;
	REQUIRE(read(fd[0], call, sizeof(*call)) == sizeof(*call));
	close(fd[0]);
	close(fd[1]);
}

static const __u64 resizes[] = { 100, 105, 900, 7000, 30000, 90000, 20000, 300, 40 };

/* The object is either as it was or as it was asked for, and known by a handle. */
static void resize_that_may_not_be_told(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_DICT, 100), bytes = 100;
	unsigned long failed = 0, rounds = scaled(20000) + 500;
	union call call;
	pthread_t thread;
	int err;

	(void)arg;
	shared_make();
	object_fill(heap, handle, 40, 5);
	REQUIRE(!pthread_create(&thread, NULL, flip_protection, NULL));
	for (unsigned long n = 0; n < rounds && !test_failed(); n++) {
		memset(&call, 0, sizeof(call));
		call.resize.size = sizeof(call.resize);
		call.resize.handle = handle;
		call.resize.object_bytes = resizes[n % ARRAY_SIZE(resizes)];
		err = call_shared(heap, PRIVHEAP_RESIZE, &call);
		EXPECT_ERR(err, 0, EFAULT);
		failed += err == EFAULT;
		if (!err) {
			answer_fetch(&call);
			handle = call.resize.handle;
			bytes = resizes[n % ARRAY_SIZE(resizes)];
		}
		EXPECT_EQ(heap_info(heap, handle).requested_bytes, bytes);
	}
	stop = true;
	REQUIRE(!pthread_join(thread, NULL));
	test_note("%lu of %lu failed", failed, rounds);
	object_check(heap, handle, 40, 5);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	heap_expect_sound(heap);
}

static void reserve_that_may_not_be_told(int heap, const void *arg)
{
	unsigned long failed = 0, rounds = scaled(5000) + 200;
	__u64 promised = 0;
	union call call;
	pthread_t thread;
	int err;

	(void)arg;
	shared_make();
	REQUIRE(!pthread_create(&thread, NULL, flip_protection, NULL));
	for (unsigned long n = 0; n < rounds && !test_failed(); n++) {
		memset(&call, 0, sizeof(call));
		call.reserve.size = sizeof(call.reserve);
		call.reserve.type = PRIVHEAP_TYPE_INT;
		call.reserve.count = n % 50 ? 3 : 0;
		err = call_shared(heap, PRIVHEAP_RESERVE, &call);
		EXPECT_ERR(err, 0, EFAULT);
		failed += err == EFAULT;
		if (!err)
			promised = call.reserve.count ? promised + 3 : 0;
		EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_INT).promised_objects, promised);
	}
	stop = true;
	REQUIRE(!pthread_join(thread, NULL));
	test_note("%lu of %lu failed", failed, rounds);
	heap_expect_sound(heap);
}

static void alloc_that_may_not_be_told(int heap, const void *arg)
{
	unsigned long failed = 0, rounds = scaled(10000) + 500;
	__u64 live = 0;
	union call call;
	pthread_t thread;
	int err;

	(void)arg;
	shared_make();
	REQUIRE(!pthread_create(&thread, NULL, flip_protection, NULL));
	for (unsigned long n = 0; n < rounds && !test_failed(); n++) {
		memset(&call, 0, sizeof(call));
		call.alloc.size = sizeof(call.alloc);
		call.alloc.type = PRIVHEAP_TYPE_STR;
		call.alloc.object_bytes = 10;
		call.alloc.count = SCENE_OBJECTS;
		call.alloc.handles = user_ptr(shared->scene.out);
		err = call_shared(heap, PRIVHEAP_ALLOC, &call);
		EXPECT_ERR(err, 0, EFAULT);
		failed += err == EFAULT;
		live += err ? 0 : SCENE_OBJECTS;
		EXPECT_EQ(heap_stat(heap).live_objects, live);
	}
	stop = true;
	REQUIRE(!pthread_join(thread, NULL));
	test_note("%lu of %lu failed", failed, rounds);
	heap_expect_sound(heap);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(flippers); i++)
		TEST_ARG(commands_while_it_flips, &flippers[i],
			 "commands_while_%s_flip", flippers[i].name);
	TEST(setup_while_it_flips);
	TEST(resize_that_may_not_be_told);
	TEST(reserve_that_may_not_be_told);
	TEST(alloc_that_may_not_be_told);
	return tests_run();
}
