// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once: processes with threads that allocate, free, resize, write
 * and fork until they are killed; heaps under tight limits; caches dropped; a CPU
 * that comes and goes; attempts to unload; a suspend that is only tried. In the
 * end what survives is what was written, and what died has left nothing.
 */
#include "calls.h"
#include "group.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define MIB		(1ULL << 20)
#define WORKERS		6
#define WORKER_THREADS	2
#define OBJECTS		400	/* of each thread */
#define KEPT		300
#define MOST_BYTES	40000

static struct {
	atomic_bool stop;
	atomic_ulong operations, refused, checked, kills, hotplugs, drops, unloads,
		suspends;
} *board;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

struct object {
	__u64 handle;
	__u32 bytes;		/* 0: there is none */
	__u32 seed;
};

struct thread {
	pthread_t id;
	int heap;
	__u32 counted;
	__u64 random;
	struct object objects[OBJECTS];
	unsigned char buffer[MOST_BYTES];
};

/* Limits are tight: a call may fail for want of memory, and for nothing else. */
static bool done(int err)
{
	board->operations++;
	board->refused += err != 0;
	return !EXPECT_ERR(err, 0, ENOMEM, EDQUOT) ? false : !err;
}

static __u32 random_bytes(struct thread *t)
{
	__u64 r = random_next(&t->random);

	return r % 100 < 90 ? 8 + (r >> 8) % 600 : 8 + (r >> 8) % (MOST_BYTES - 8);
}

static void object_write(struct thread *t, struct object *o, __u32 from)
{
	int err;

	pattern_fill(t->buffer, o->bytes, o->seed);
	err = heap_write(t->heap, o->handle, from, t->buffer + from, o->bytes - from);
	while (err == ENOMEM)
		err = heap_write(t->heap, o->handle, from, t->buffer + from,
				 o->bytes - from);
	EXPECT_OK(err);
}

static void object_verify(struct thread *t, struct object *o, __u32 bytes)
{
	int err = heap_read(t->heap, o->handle, 0, t->buffer, bytes);

	if (err == ENOMEM || !EXPECT_OK(err))
		return;
	EXPECT_EQ(pattern_check(t->buffer, bytes, o->seed), -1);
	board->checked++;
}

static void do_alloc(struct thread *t, struct object *o)
{
	static const __u32 types[] = {
		PRIVHEAP_TYPE_STR, PRIVHEAP_TYPE_LIST, PRIVHEAP_TYPE_OBJECT,
	};
	__u64 r = random_next(&t->random);
	__u32 type = r % 4 < 3 ? types[r % 4] : t->counted, bytes = random_bytes(t);

	if (!done(heap_alloc(t->heap, type, bytes, &o->handle, 1)))
		return;
	o->bytes = bytes;
	o->seed = r >> 16;
	object_write(t, o, 0);
}

static void do_free(struct thread *t, struct object *o)
{
	object_verify(t, o, o->bytes);
	if (done(heap_free_one(t->heap, o->handle)))
		o->bytes = 0;
}

static void do_resize(struct thread *t, struct object *o)
{
	__u32 bytes = random_bytes(t), kept = MIN(bytes, o->bytes);

	if (!done(heap_resize(t->heap, &o->handle, bytes)))
		return;
	o->bytes = bytes;
	object_verify(t, o, kept);
	object_write(t, o, kept);
}

/* Many that nobody remembers but the batch. */
static void do_batch(struct thread *t)
{
	__u64 handles[256];
	__u32 nr = 1 + random_next(&t->random) % 256;

	if (done(heap_alloc(t->heap, PRIVHEAP_TYPE_INT, 0, handles, nr)))
		EXPECT_ERR(heap_free(t->heap, handles, nr), 0, ENOMEM);
}

static void do_memory(struct thread *t)
{
	__u64 promised;

	if (done(heap_reserve(t->heap, PRIVHEAP_TYPE_TUPLE, 100, 200, &promised)))
		done(heap_reserve(t->heap, PRIVHEAP_TYPE_TUPLE, 100, 0, NULL));
	heap_trim(t->heap);
}

static void do_type(struct thread *t)
{
	struct privheap_type type = type_named("", 48, 0);
	__u64 handle;

	snprintf(type.name, sizeof(type.name), "t%llx",
		 (unsigned long long)random_next(&t->random));
	if (!done(type_create(t->heap, &type)))
		return;
	if (done(heap_alloc(t->heap, type.type, 0, &handle, 1)))
		EXPECT_OK(heap_free_one(t->heap, handle));
	EXPECT_OK(type_destroy(t->heap, type.type));
}

/* A child that shares the heap, takes from it, and dies in the middle of it. */
static void do_fork(struct thread *t)
{
	pid_t child = fork();
	__u64 handle;

	if (child < 0)
		return;
	if (!child) {
		for (int i = 0; i < 50; i++)
			if (!heap_alloc(t->heap, PRIVHEAP_TYPE_FLOAT, 0, &handle, 1))
				heap_free_one(t->heap, handle);
		raise(SIGKILL);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static void *thread_work(void *arg)
{
	struct thread *t = arg;

	while (!board->stop && !test_failed()) {
		__u64 r = random_next(&t->random);
		struct object *o = &t->objects[(r >> 16) % OBJECTS];

		if (r % 1000 == 0)
			do_fork(t);
		else if (r % 1000 < 4)
			do_type(t);
		else if (r % 1000 < 10)
			do_memory(t);
		else if (r % 1000 < 100)
			do_batch(t);
		else if (!o->bytes)
			do_alloc(t, o);
		else if (r >> 10 & 1)
			do_resize(t, o);
		else
			do_free(t, o);
	}
	return NULL;
}

/* Its heap is charged to the group if it is to be tight. */
static void worker_run(unsigned int seed, bool tight)
{
	static struct thread threads[WORKER_THREADS];
	struct privheap_type type = type_named("counted", 8, MOST_BYTES);
	int heap;

	if (tight)
		group_enter();
	heap = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	if (tight)
		group_leave();
	if (heap < 0)
		_exit(0);
	if (seed % 3 == 0)
		heap_setup(heap, 0, MIB / 2, MIB);
	type.flags = PRIVHEAP_TYPE_COUNTED;
	if (type_create(heap, &type))
		_exit(0);
	for (int i = 0; i < WORKER_THREADS; i++) {
		threads[i].heap = heap;
		threads[i].counted = type.type;
		threads[i].random = seed * 2 + i + 1;
		if (pthread_create(&threads[i].id, NULL, thread_work, &threads[i]))
			_exit(0);
	}
	for (int i = 0; i < WORKER_THREADS; i++)
		pthread_join(threads[i].id, NULL);
	fflush(stdout);
	_exit(0);
}

static pid_t worker_start(unsigned int seed, bool grouped)
{
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (!pid)
		worker_run(seed, grouped && seed % 3 == 1);
	return pid;
}

/* The module is in use: it stays, whoever asks. */
static void try_to_unload(void)
{
	EXPECT(syscall(SYS_delete_module, "privheap", O_NONBLOCK) < 0);
	board->unloads++;
}

/*
 * Everything is suspended and resumed, one step deeper each time, as far as the
 * kernel offers to try it; only "mem" goes as deep as the last ones.
 */
static void try_to_suspend(unsigned int level)
{
	static const char *const levels[] = {
		"freezer", "devices", "platform", "processors", "core",
	};

	if (level >= ARRAY_SIZE(levels))
		return;
	file_write("/sys/module/suspend/parameters/pm_test_delay", "1");
	if (!file_write("/sys/power/pm_test", levels[level]) &&
	    (!file_write("/sys/power/state", "mem") ||
	     !file_write("/sys/power/state", "freeze")))
		board->suspends++;
	file_write("/sys/power/pm_test", "none");
}

static void disturb(void)
{
	static const char cpu[] = "/sys/devices/system/cpu/cpu1/online";

	for (unsigned int n = 0; !board->stop; n++) {
		if (!file_write(cpu, "0")) {
			usleep(30000);
			board->hotplugs += !file_write(cpu, "1");
		}
		board->drops += !file_write("/proc/sys/vm/drop_caches", "3");
		try_to_unload();
		/* From the first time on: where all is slow there are few. */
		try_to_suspend(n);
		usleep(50000);
	}
	file_write(cpu, "1");
	fflush(stdout);
	_exit(0);
}

static double seconds(void)
{
	return scaled_to(30, 600) < 20 ? 12 : scaled_to(30, 600);
}

static __u64 kept[KEPT];

static void kept_make(int heap)
{
	for (int i = 0; i < KEPT; i++) {
		kept[i] = heap_new(heap, PRIVHEAP_TYPE_STR, 50 + i * 7);
		object_fill(heap, kept[i], 50 + i * 7, i);
	}
}

static void kept_check(int heap)
{
	for (int i = 0; i < KEPT; i++)
		object_check(heap, kept[i], 50 + i * 7, i);
	EXPECT_EQ(heap_stat(heap).live_objects, KEPT);
}

/* Kills whoever it meets, and starts another, until time is up. */
static void workers_kill(pid_t *workers, bool grouped)
{
	double end = now() + seconds();
	__u64 state = 0x57e55;
	unsigned int seed = WORKERS;

	while (now() < end && !test_failed()) {
		int i = random_next(&state) % WORKERS;

		usleep(20000 + random_next(&state) % 200000);
		kill(workers[i], SIGKILL);
		REQUIRE(waitpid(workers[i], NULL, 0) == workers[i]);
		board->kills++;
		workers[i] = worker_start(seed++, grouped);
	}
	board->stop = true;
	for (int i = 0; i < WORKERS; i++)
		REQUIRE(waitpid(workers[i], NULL, 0) == workers[i]);
}

static void everything_at_once(int heap, const void *arg)
{
	bool grouped = !geteuid();
	pid_t workers[WORKERS], other;

	(void)arg;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(board != MAP_FAILED);
	if (grouped)
		group_make(3 * MIB);
	kept_make(heap);
	for (int i = 0; i < WORKERS; i++)
		workers[i] = worker_start(i, grouped);
	other = fork();
	REQUIRE(other >= 0);
	if (!other)
		disturb();
	workers_kill(workers, grouped);
	REQUIRE(waitpid(other, NULL, 0) == other);
	kept_check(heap);
	test_note("%lu operations, %lu refused, %lu objects checked, %lu workers killed",
		  board->operations, board->refused, board->checked, board->kills);
	test_note("%lu times a CPU went, %lu caches dropped, %lu unloads refused, %lu suspends tried",
		  board->hotplugs, board->drops, board->unloads, board->suspends);
	EXPECT(board->operations > 0 && board->checked > 0 && board->kills > 0);
	EXPECT(board->unloads > 0);
	/* What the kernel has, root has done; others may not. */
	if (!geteuid()) {
		EXPECT(board->drops > 0);
		EXPECT(board->hotplugs > 0 || access("/sys/devices/system/cpu/cpu1/online", W_OK));
		EXPECT(board->suspends > 0 || access("/sys/power/pm_test", W_OK));
	}
	while (grouped && rmdir(group) && errno == EBUSY)
		usleep(10000);
}

int main(void)
{
	TEST(everything_at_once);
	return tests_run();
}
