// SPDX-License-Identifier: GPL-2.0
/*
 * Futexes in objects that processes share: each has mapped the heap for itself,
 * and where an object lies in the region is what its futexes are called by.
 */
#include "mapping.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE	4096
#define BYTES	(20 * PAGE)

static long futex(__u32 *word, int op, __u32 value, long ms)
{
	const struct timespec limit = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000,
	};

	return syscall(SYS_futex, word, op, value, &limit, NULL, 0);
}

static long futex_wake(__u32 *word)
{
	return syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Wait until it is no longer @value, for 60 s at most. */
static void futex_await(__u32 *word, __u32 value)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value)
		if (futex(word, FUTEX_WAIT, value, 60000))
			REQUIRE(errno == EAGAIN || errno == EINTR);
}

/* Wait until somebody waits there, who goes on waiting. */
static void waiter_await(__u32 *word)
{
	while (syscall(SYS_futex, word, FUTEX_REQUEUE, 0, 1, word, 0) != 1)
		usleep(1000);
}

static __u32 *word_make(int heap, unsigned char *base, __u64 *at)
{
	*at = heap_take_one(heap, PRIVHEAP_TYPE_INT, 0);
	memset(base + *at, 0, sizeof(__u32));
	return (void *)(base + *at);
}

/* A process that maps the heap for itself and calls a function. */
static pid_t process_start(int heap, void (*run)(unsigned char *base, __u64 at),
			   __u64 at)
{
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (!pid) {
		run(region_map(heap), at);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

static void process_end(pid_t pid)
{
	int status;

	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
}

#define ROUNDS	500

static void pong(unsigned char *base, __u64 at)
{
	__u32 *word = (void *)(base + at);

	for (__u32 i = 0; i < ROUNDS; i++) {
		futex_await(word, 2 * i);
		__atomic_store_n(word, 2 * i + 2, __ATOMIC_SEQ_CST);
		EXPECT(futex_wake(word) >= 0);
	}
}

static void processes_wait_and_wake(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at;
	__u32 *word = word_make(heap, base, &at);
	pid_t pid = process_start(heap, pong, at);

	(void)arg;
	for (__u32 i = 0; i < ROUNDS; i++) {
		__atomic_store_n(word, 2 * i + 1, __ATOMIC_SEQ_CST);
		EXPECT(futex_wake(word) >= 0);
		futex_await(word, 2 * i + 1);
	}
	process_end(pid);
}

static void wait_once(unsigned char *base, __u64 at)
{
	__u32 *word = (void *)(base + at);

	EXPECT_EQ(futex(word, FUTEX_WAIT, 0, 60000), 0);
}

static void heaps_are_told_apart(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *others;
	int other = heap_open();
	__u64 at, others_at;
	__u32 *word = word_make(heap, base, &at), *others_word;
	pid_t pid;

	(void)arg;
	others = region_map(other);
	others_word = word_make(other, others, &others_at);
	REQUIRE_EQ(at, others_at);
	pid = process_start(heap, wait_once, at);
	waiter_await(word);
	EXPECT_EQ(futex_wake(others_word), 0);
	EXPECT_EQ(futex_wake(word), 1);
	process_end(pid);
	close(other);
	REQUIRE(!munmap(others, REGION_BYTES));
}

static void places_are_told_apart(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, BYTES);
	pid_t pid;

	(void)arg;
	pid = process_start(heap, wait_once, at + 7 * PAGE);
	waiter_await((void *)(base + at + 7 * PAGE));
	for (int page = 0; page < 20; page++)
		if (page != 7)
			EXPECT_EQ(futex_wake((void *)(base + at + page * PAGE)), 0);
	EXPECT_EQ(futex_wake((void *)(base + at + 7 * PAGE + 4)), 0);
	EXPECT_EQ(futex_wake((void *)(base + at + 7 * PAGE)), 1);
	process_end(pid);
}

/* The pages are the same, and are called differently. */
static void a_moved_object_is_called_by_its_new_place(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 was = heap_take_one(heap, PRIVHEAP_TYPE_LIST, BYTES), at = was, usable;
	__u64 moved = heap_stat(heap).moved_pages;
	pid_t pid;

	(void)arg;
	memset(base + at, 0, BYTES);
	EXPECT_EQ(futex_wake((void *)(base + at + 19 * PAGE)), 0);
	REQUIRE_OK(heap_regrow(heap, &at, 1 << 20, &usable));
	REQUIRE(at != was && heap_stat(heap).moved_pages == moved + 20);
	was = heap_take_one(heap, PRIVHEAP_TYPE_BYTES, BYTES);
	pid = process_start(heap, wait_once, at + 19 * PAGE);
	waiter_await((void *)(base + at + 19 * PAGE));
	EXPECT_EQ(futex_wake((void *)(base + was + 19 * PAGE)), 0);
	EXPECT_EQ(futex_wake((void *)(base + at + 19 * PAGE)), 1);
	process_end(pid);
}

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	unsigned int turn;
	unsigned int sum;
};

static struct shared *shared_make(int heap, unsigned char *base, __u64 *at,
				  int protocol)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	struct shared *shared;

	*at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, sizeof(*shared));
	shared = (void *)(base + *at);
	memset(shared, 0, sizeof(*shared));
	REQUIRE(!pthread_mutexattr_init(&mutex) &&
		!pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED) &&
		!pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST) &&
		!pthread_mutexattr_setprotocol(&mutex, protocol) &&
		!pthread_mutex_init(&shared->mutex, &mutex));
	REQUIRE(!pthread_condattr_init(&cond) &&
		!pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED) &&
		!pthread_cond_init(&shared->cond, &cond));
	return shared;
}

/* Take turns, odd and even. */
static void turns_take(struct shared *shared, unsigned int mine)
{
	for (int i = 0; i < ROUNDS; i++) {
		REQUIRE(!pthread_mutex_lock(&shared->mutex));
		while (shared->turn % 2 != mine)
			REQUIRE(!pthread_cond_wait(&shared->cond, &shared->mutex));
		shared->turn++;
		shared->sum++;
		REQUIRE(!pthread_cond_signal(&shared->cond));
		REQUIRE(!pthread_mutex_unlock(&shared->mutex));
	}
}

static void turns_take_odd(unsigned char *base, __u64 at)
{
	turns_take((void *)(base + at), 1);
}

static const struct protocol {
	const char *name;
	int protocol;
} protocols[] = {
	{ "plain", PTHREAD_PRIO_NONE },
	{ "inheriting", PTHREAD_PRIO_INHERIT },
};

static void processes_take_turns(int heap, const void *arg)
{
	const struct protocol *protocol = arg;
	unsigned char *base = region_map(heap);
	__u64 at;
	struct shared *shared = shared_make(heap, base, &at, protocol->protocol);
	pid_t pid = process_start(heap, turns_take_odd, at);

	turns_take(shared, 0);
	process_end(pid);
	EXPECT_EQ(shared->sum, 2 * ROUNDS);
}

static void lock_and_die(unsigned char *base, __u64 at)
{
	struct shared *shared = (void *)(base + at);

	REQUIRE(!pthread_mutex_lock(&shared->mutex));
	shared->turn = 1;
	/* The other one waits by now, or is about to. */
	usleep(50000);
	_exit(0);
}

static void a_dead_owner_is_noticed(int heap, const void *arg)
{
	const struct protocol *protocol = arg;
	unsigned char *base = region_map(heap);
	__u64 at;
	struct shared *shared = shared_make(heap, base, &at, protocol->protocol);
	pid_t pid = process_start(heap, lock_and_die, at);

	while (!__atomic_load_n(&shared->turn, __ATOMIC_SEQ_CST))
		usleep(1000);
	EXPECT_EQ(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
	EXPECT_EQ(pthread_mutex_consistent(&shared->mutex), 0);
	EXPECT_EQ(pthread_mutex_unlock(&shared->mutex), 0);
	process_end(pid);
}

static void *wait_in_vain(void *word)
{
	/* Whether it still gets to wait is not said. */
	if (!futex(word, FUTEX_WAIT, 0, 300))
		return word;
	return errno == ETIMEDOUT || errno == EFAULT ? NULL : word;
}

static const char *const endings[] = { "give", "trim", "unmap", "close" };

/* Nobody wakes who waits where an object was; nothing else is harmed. */
static void a_waiter_outlives_its_object(int heap, const void *arg)
{
	int how = (int)(uintptr_t)arg, own = heap_open();
	unsigned char *base = region_map(own);
	__u64 at = heap_take_one(own, PRIVHEAP_TYPE_OBJECT, BYTES);
	pthread_t thread;
	void *woken;

	(void)heap;
	REQUIRE(!pthread_create(&thread, NULL, wait_in_vain, base + at));
	waiter_await((void *)(base + at));
	if (how <= 1)
		REQUIRE_OK(heap_give_one(own, at));
	if (how == 1)
		heap_trim(own);
	if (how <= 1) {
		EXPECT_EQ(futex_wake((void *)(base + at)), -1);
		EXPECT_EQ(errno, EFAULT);
	}
	if (how == 3)
		close(own);
	REQUIRE(!munmap(base, REGION_BYTES));
	REQUIRE(!pthread_join(thread, &woken));
	EXPECT(!woken);
	if (how < 3)
		close(own);
}

/* What comes and goes meanwhile: its offset, and whether to end. */
static struct {
	unsigned char *base;
	__u64 at;
	bool stop;
} storm;

static unsigned char *storm_place(void)
{
	return storm.base + __atomic_load_n(&storm.at, __ATOMIC_RELAXED);
}

static bool storm_goes_on(void)
{
	return !__atomic_load_n(&storm.stop, __ATOMIC_RELAXED);
}

static void *storm_wake(void *arg)
{
	while (storm_goes_on())
		futex_wake((void *)(storm_place() + PAGE));
	return arg;
}

static void *storm_wait(void *arg)
{
	while (storm_goes_on())
		futex((void *)storm_place(), FUTEX_WAIT, 0, 1);
	return arg;
}

/* Has pages, and marks them dirty when they may be the heap's no more. */
static void *storm_write(void *arg)
{
	static unsigned char bytes[BYTES];
	struct iovec local = { bytes, BYTES }, remote = { NULL, BYTES };

	while (storm_goes_on()) {
		remote.iov_base = storm_place();
		process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
	}
	return arg;
}

/* The same from a disk, without a copy in between. */
static void *storm_read(void *arg)
{
	int disk = open("/dev/ram0", O_RDONLY | O_DIRECT | O_CLOEXEC);

	while (disk >= 0 && storm_goes_on())
		if (pread(disk, storm_place(), BYTES, 0) < 0 && errno != EFAULT)
			return (void *)"read";
	if (disk >= 0)
		close(disk);
	return arg;
}

static void disk_make(void)
{
	int module = open("/modules/brd.ko", O_RDONLY | O_CLOEXEC);

	if (module >= 0) {
		syscall(SYS_finit_module, module, "rd_nr=1 rd_size=4096", 0);
		close(module);
	}
}

static void objects_come_and_go_in_a_storm(int heap, const void *arg)
{
	void *(*const runs[])(void *) = {
		storm_wake, storm_wait, storm_write, storm_read,
	};
	pthread_t thread[ARRAY_SIZE(runs)];
	__u64 usable, at;
	void *failed;

	(void)arg;
	disk_make();
	storm.base = region_map(heap);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		REQUIRE(!pthread_create(&thread[i], NULL, runs[i], NULL));
	for (int i = 0; i < ROUNDS; i++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_LIST, BYTES);
		__atomic_store_n(&storm.at, at, __ATOMIC_RELAXED);
		REQUIRE_OK(heap_regrow(heap, &at, BYTES * (i % 3 + 2) / 2, &usable));
		__atomic_store_n(&storm.at, at, __ATOMIC_RELAXED);
		REQUIRE_OK(heap_give_one(heap, at));
		if (i % 4 == 0)
			heap_trim(heap);
	}
	__atomic_store_n(&storm.stop, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		REQUIRE(!pthread_join(thread[i], &failed));
		EXPECT(!failed);
	}
}

int main(void)
{
	TEST(processes_wait_and_wake);
	TEST(heaps_are_told_apart);
	TEST(places_are_told_apart);
	TEST(a_moved_object_is_called_by_its_new_place);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		TEST_ARG(processes_take_turns, &protocols[i],
			 "processes_take_turns_%s", protocols[i].name);
		TEST_ARG(a_dead_owner_is_noticed, &protocols[i],
			 "a_dead_owner_is_noticed_%s", protocols[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		TEST_ARG(a_waiter_outlives_its_object, (void *)(uintptr_t)i,
			 "a_waiter_outlives_its_object_after_%s", endings[i]);
	TEST(objects_come_and_go_in_a_storm);
	return tests_run();
}
