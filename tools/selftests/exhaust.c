// SPDX-License-Identifier: GPL-2.0
/*
 * A user without privileges takes all that he can get, in a cgroup of 64 MiB:
 * whatever it is, it is charged to him. He gets ENOMEM, his process lives, and
 * the rest of the machine notices nothing.
 */
#include "calls.h"
#include "group.h"
#include "memory.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MIB	(1ULL << 20)
#define NOBODY	65534

/* What the machine may lose beyond the limit: books of the group itself. */
#define SLACK	(12 * MIB)

#define BATCH	1000

/* 64 MiB, or 8 where time is dear. */
static __u64 limit(void)
{
	return (scaled(64) < 64 ? 8 : 64) * MIB;
}

/* What the greedy one tells, and what the others do meanwhile. */
static struct {
	atomic_ulong taken;
	atomic_int err;
	atomic_bool full, stop;
	atomic_ulong rounds;
} *board;

static __u64 handles[BATCH];
static unsigned char bytes[MIB];

static void fill_with_heaps(int heap)
{
	(void)heap;
	while (open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC) >= 0)
		board->taken++;
	board->err = errno;
}

/* A heap has room for a thousand types: then the next one. */
static void fill_with_types(int heap)
{
	struct privheap_type t;
	unsigned int n = 0;
	char name[16];
	int err;

	while (heap >= 0) {
		snprintf(name, sizeof(name), "t%u", n++);
		t = type_named(name, 1, 4096);
		err = type_create(heap, &t);
		if (err == ENOSPC)
			heap = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
		else if (err)
			break;
		board->taken += !err;
	}
	board->err = heap < 0 ? errno : err;
}

/* One object of each size class of each type: books more than objects. */
static void fill_with_caches(int heap)
{
	__u64 size;
	__u32 type;
	int err = 0;

	while (!err && heap >= 0) {
		for (type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT && !err; type++)
			for (size = 8; size <= 8192 && !err; size += 8 + size / 16) {
				err = heap_alloc(heap, type, size, handles, 1);
				board->taken += !err;
			}
		if (!err)
			heap = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	}
	board->err = err ? err : errno;
}

static void fill_with_objects(int heap, __u32 type, __u64 size, __u32 count)
{
	int err;

	while (!(err = heap_alloc(heap, type, size, handles, count)))
		board->taken += count;
	board->err = err;
}

static void fill_with_counted_words(int heap)
{
	fill_with_objects(heap, type_make(heap, "word", 8, 0, PRIVHEAP_TYPE_COUNTED),
			  0, 64);
}

static void fill_with_strings(int heap)
{
	fill_with_objects(heap, PRIVHEAP_TYPE_STR, 300, 64);
}

static void fill_with_large_objects(int heap)
{
	fill_with_objects(heap, PRIVHEAP_TYPE_BYTES, MIB, 1);
}

static void fill_with_batches(int heap)
{
	fill_with_objects(heap, PRIVHEAP_TYPE_STR, 300, BATCH);
}

static void fill_with_reserve(int heap)
{
	__u64 size = 0;
	int err;

	while (!(err = heap_setup(heap, size += MIB, 0, 0)))
		board->taken++;
	board->err = err;
}

static void fill_with_promises(int heap)
{
	int err;

	while (!(err = heap_reserve(heap, PRIVHEAP_TYPE_TUPLE, 200, 1000, NULL)))
		board->taken++;
	board->err = err;
}

/*
 * At the limit every command may fail for want of memory, but none may have the
 * process killed for it: those that need room for a while do not insist.
 */
static void use_what_is_there(int heap)
{
	struct privheap_io io = { .bytes = sizeof(bytes), .buffer = user_ptr(bytes) };
	struct privheap_rw rw = { .size = sizeof(rw), .count = 1, .ios = user_ptr(&io) };

	for (int i = 0; i < 20; i++) {
		io.handle = handles[0];
		heap_call(heap, PRIVHEAP_WRITE, &rw);
		heap_call(heap, PRIVHEAP_READ, &rw);
		heap_alloc(heap, PRIVHEAP_TYPE_INT, 0, handles, BATCH);
		heap_free(heap, handles, BATCH);
		heap_resize(heap, &handles[0], 3 * MIB);
	}
}

static const struct filling {
	const char *name;
	void (*run)(int heap);
	bool files;		/* the kernel's own memory for them is most of it */
} fillings[] = {
	{ "heaps", fill_with_heaps, true },
	{ "types", fill_with_types, false },
	{ "caches", fill_with_caches, false },
	{ "counted_words", fill_with_counted_words, false },
	{ "strings", fill_with_strings, false },
	{ "batches", fill_with_batches, false },
	{ "large_objects", fill_with_large_objects, false },
	{ "reserve", fill_with_reserve, false },
	{ "promises", fill_with_promises, false },
};

static void become_nobody(void)
{
	REQUIRE(!setgroups(0, NULL));
	REQUIRE(!setgid(NOBODY) && !setuid(NOBODY));
}

/* All that it will touch of its own it has before it takes the first byte. */
static void be_greedy(const struct filling *f)
{
	struct rlimit many = { 30000, 30000 };
	int heap;

	setrlimit(RLIMIT_NOFILE, &many);
	group_enter();
	REQUIRE(!mlockall(MCL_CURRENT | MCL_FUTURE));
	become_nobody();
	heap = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	REQUIRE(heap >= 0);
	f->run(heap);
	if (!f->files)
		use_what_is_there(heap);
	board->full = true;
	while (!board->stop)
		usleep(10000);
	_exit(0);
}

/* Another one on the machine, who is not to notice. */
static void be_modest(void)
{
	unsigned char *own;
	__u64 mine[64];
	int heap;

	while (!board->stop) {
		own = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		REQUIRE(own != MAP_FAILED);
		memset(own, 1, 8 * MIB);
		heap = heap_open();
		heap_fill(heap, PRIVHEAP_TYPE_STR, 4000, mine, 64);
		heap_drain(heap, mine, 64);
		close(heap);
		munmap(own, 8 * MIB);
		board->rounds++;
	}
	fflush(stdout);
	_exit(test_failed());
}

static void wait_until_full(pid_t greedy, bool files)
{
	int status;

	while (!board->full) {
		if (waitpid(greedy, &status, WNOHANG) == greedy) {
			/* Of open files the kernel kills for, as for any memory. */
			EXPECT(files && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
			board->err = ENOMEM;
			return;
		}
		usleep(20000);
	}
}

static void user_takes_all(int heap, const void *arg)
{
	const struct filling *f = arg;
	pid_t greedy, modest;
	unsigned long rounds;
	__u64 was, is;
	int status;

	(void)heap;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(board != MAP_FAILED);
	group_make(limit());
	was = memory_free_kb();
	modest = fork();
	if (!modest)
		be_modest();
	greedy = fork();
	if (!greedy)
		be_greedy(f);
	REQUIRE(modest > 0 && greedy > 0);
	wait_until_full(greedy, f->files);
	EXPECT_ERR(board->err, ENOMEM, EDQUOT);
	EXPECT(board->taken > 0);
	is = memory_free_kb();
	test_note("%lu taken, group %llu kB, machine %lld kB less, %lu rounds beside it",
		  board->taken, (unsigned long long)group_number("memory.current") / 1024,
		  (long long)(was - is), board->rounds);
	/* Beside it the modest one has 8 MiB and a bit now and then. */
	EXPECT(is * 1024 + limit() + SLACK + 10 * MIB >= was * 1024);
	/* However slow the machine is, while nothing is left in the group. */
	rounds = board->rounds;
	while (board->rounds == rounds) {
		REQUIRE(!waitpid(modest, &status, WNOHANG));
		usleep(10000);
	}
	board->stop = true;
	REQUIRE(waitpid(modest, &status, 0) == modest);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	kill(greedy, SIGKILL);
	waitpid(greedy, NULL, 0);
	memory_expect_back(was, 4096);
	while (rmdir(group) && errno == EBUSY)
		usleep(10000);
}

int main(void)
{
	struct stat node;
	int status;

	/* As a group would be given it; here it is for everyone for a while. */
	if (!stat(PRIVHEAP_DEVICE, &node))
		chmod(PRIVHEAP_DEVICE, 0666);
	for (size_t i = 0; i < ARRAY_SIZE(fillings); i++)
		TEST_ARG(user_takes_all, &fillings[i], "user_takes_all_in_%s",
			 fillings[i].name);
	status = tests_run();
	chmod(PRIVHEAP_DEVICE, node.st_mode & 07777);
	return status;
}
