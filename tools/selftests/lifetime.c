// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a heap: fork, dup, passing, exec, and the last close.
 */
#include "calls.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Number of heaps on the machine, this test's own included. */
static __u64 heaps_now(void)
{
	struct counters c;

	REQUIRE_OK(counters_read(&c));
	return c.heaps;
}

/* Ends a child of the test; its failures are in the shared verdict already. */
static void child_end(void)
{
	fflush(stdout);
	_exit(0);
}

static void child_wait(pid_t child)
{
	int status = 0;

	REQUIRE(waitpid(child, &status, 0) == child);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void close_ends_the_heap(int heap, const void *arg)
{
	__u64 was = heaps_now(), handles[100];
	struct counters before, after;
	int other;

	(void)arg;
	(void)heap;
	REQUIRE_OK(counters_read(&before));
	other = heap_open();
	heap_fill(other, PRIVHEAP_TYPE_BYTES, 10000, handles, 100);
	REQUIRE_OK(heap_setup(other, 1 << 20, 0, 0));
	REQUIRE_OK(heap_reserve(other, PRIVHEAP_TYPE_INT, 0, 10000, NULL));
	EXPECT_EQ(heaps_now(), was + 1);
	close(other);
	EXPECT_EQ(heaps_now(), was);
	REQUIRE_OK(counters_read(&after));
	counters_equal(&before, &after);
}

static void open_and_close_many_times(int heap, const void *arg)
{
	__u64 was = heaps_now();

	(void)arg;
	(void)heap;
	for (unsigned long i = 0; i < scaled(2000); i++) {
		int other = heap_open();

		if (i % 2)
			heap_new(other, PRIVHEAP_TYPE_INT, 0);
		close(other);
	}
	EXPECT_EQ(heaps_now(), was);
}

static void many_heaps_at_once(int heap, const void *arg)
{
	enum { HEAPS = 300 };
	static int others[HEAPS];
	static __u64 handles[HEAPS];
	__u64 was = heaps_now();

	(void)arg;
	(void)heap;
	for (int i = 0; i < HEAPS; i++) {
		others[i] = heap_open();
		handles[i] = heap_new(others[i], PRIVHEAP_TYPE_STR, 100);
		object_fill(others[i], handles[i], 100, i);
	}
	EXPECT_EQ(heaps_now(), was + HEAPS);
	for (int i = 0; i < HEAPS; i++)
		object_check(others[i], handles[i], 100, i);
	for (int i = 0; i < HEAPS; i++)
		close(others[i]);
	EXPECT_EQ(heaps_now(), was);
}

static void dup_is_the_same_heap(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 50);
	int copy = dup(heap);

	(void)arg;
	REQUIRE(copy >= 0);
	EXPECT_EQ(heap_query(copy).heap_id, heap_query(heap).heap_id);
	object_fill(heap, handle, 50, 1);
	object_check(copy, handle, 50, 1);
	close(heap);
	object_check(copy, handle, 50, 1);
	EXPECT_OK(heap_free_one(copy, handle));
}

static void fork_shares_the_heap(int heap, const void *arg)
{
	__u64 *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	(void)arg;
	REQUIRE(shared != MAP_FAILED);
	shared[0] = heap_new(heap, PRIVHEAP_TYPE_STR, 64);
	object_fill(heap, shared[0], 64, 1);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		object_check(heap, shared[0], 64, 1);
		EXPECT_OK(heap_free_one(heap, shared[0]));
		shared[1] = heap_new(heap, PRIVHEAP_TYPE_STR, 64);
		object_fill(heap, shared[1], 64, 2);
		child_end();
	}
	child_wait(child);
	EXPECT_ERR(heap_free_one(heap, shared[0]), ESTALE, EREMCHG);
	object_check(heap, shared[1], 64, 2);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
}

static void heap_dies_with_the_last_of_parent_and_child(int heap, const void *arg)
{
	__u64 was = heaps_now();
	int go[2], other = heap_open();
	__u64 handle = heap_new(other, PRIVHEAP_TYPE_STR, 64);
	pid_t child;
	char byte;

	(void)arg;
	(void)heap;
	object_fill(other, handle, 64, 3);
	REQUIRE(!pipe(go));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		close(go[1]);
		/* Until the parent has closed its own. */
		REQUIRE(read(go[0], &byte, 1) == 0);
		object_check(other, handle, 64, 3);
		EXPECT_EQ(heaps_now(), was + 1);
		child_end();
	}
	close(other);
	EXPECT_EQ(heaps_now(), was + 1);
	close(go[1]);
	child_wait(child);
	EXPECT_EQ(heaps_now(), was);
}

static void fd_send(int sock, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	char byte = 'x';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	REQUIRE(sendmsg(sock, &msg, 0) == 1);
}

static int fd_receive(int sock)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *head;
	int fd;

	REQUIRE(recvmsg(sock, &msg, 0) == 1);
	head = CMSG_FIRSTHDR(&msg);
	if (!head)
		test_abort();
	memcpy(&fd, CMSG_DATA(head), sizeof(int));
	return fd;
}

static void heap_passed_over_a_socket_works(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 64);
	int pair[2], got;
	pid_t child;

	(void)arg;
	object_fill(heap, handle, 64, 4);
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		close(heap);
		got = fd_receive(pair[1]);
		object_check(got, handle, 64, 4);
		object_fill(got, handle, 64, 5);
		child_end();
	}
	fd_send(pair[0], heap);
	child_wait(child);
	object_check(heap, handle, 64, 5);
}

static void heap_in_flight_lives_and_dies_with_the_socket(int heap, const void *arg)
{
	__u64 was = heaps_now(), handle;
	int pair[2], other = heap_open();

	(void)arg;
	(void)heap;
	handle = heap_new(other, PRIVHEAP_TYPE_STR, 64);
	object_fill(other, handle, 64, 6);
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	fd_send(pair[0], other);
	close(other);
	EXPECT_EQ(heaps_now(), was + 1);
	other = fd_receive(pair[1]);
	object_check(other, handle, 64, 6);
	fd_send(pair[0], other);
	close(other);
	close(pair[0]);
	EXPECT_EQ(heaps_now(), was + 1);
	close(pair[1]);
	EXPECT_EQ(heaps_now(), was);
}

/* Each process tries the other's handles: never once with success. */
static void stranger_tries(int mine, const __u64 *theirs, size_t n)
{
	unsigned char buffer[32];
	__u64 handle;

	for (size_t i = 0; i < n; i++) {
		handle = theirs[i];
		EXPECT_ERR(heap_read(mine, handle, 0, buffer, 32), HANDLE_ERRNOS);
		EXPECT_ERR(heap_write(mine, handle, 0, buffer, 32), HANDLE_ERRNOS);
		EXPECT_ERR(heap_resize(mine, &handle, 64), HANDLE_ERRNOS);
		EXPECT_ERR(heap_get(mine, handle), HANDLE_ERRNOS);
		EXPECT_ERR(heap_put(mine, handle), HANDLE_ERRNOS);
		EXPECT_ERR(heap_free_one(mine, handle), HANDLE_ERRNOS);
	}
}

static void two_processes_cannot_use_each_others_handles(int heap, const void *arg)
{
	enum { N = 500 };
	__u64 (*shared)[N] = mmap(NULL, 2 * N * sizeof(__u64),
				  PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ready[2][2], mine;
	char byte = 0;
	pid_t child;

	(void)arg;
	REQUIRE(shared != MAP_FAILED && !pipe(ready[0]) && !pipe(ready[1]));
	child = fork();
	REQUIRE(child >= 0);
	mine = child ? heap : heap_open();
	heap_fill(mine, PRIVHEAP_TYPE_STR, 32, shared[!child], N);
	for (int i = 0; i < N; i++)
		object_fill(mine, shared[!child][i], 32, i + !child);
	REQUIRE(write(ready[!child][1], &byte, 1) == 1);
	REQUIRE(read(ready[!!child][0], &byte, 1) == 1);
	stranger_tries(mine, shared[!!child], N);
	EXPECT_EQ(heap_stat(mine).live_objects, N);
	for (int i = 0; i < N; i++)
		object_check(mine, shared[!child][i], 32, i + !child);
	if (!child)
		child_end();
	child_wait(child);
}

static void exec_closes_the_heap(int heap, const void *arg)
{
	__u64 was = heaps_now();
	int held[2];
	pid_t child;
	char byte;

	(void)arg;
	(void)heap;
	REQUIRE(!pipe(held));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		heap_new(heap_open(), PRIVHEAP_TYPE_INT, 0);
		close(held[0]);
		dup2(held[1], STDOUT_FILENO);
		/* Says that it runs, then waits to be killed. */
		execl("/proc/self/exe", "lifetime", "--executed", NULL);
		_exit(1);
	}
	close(held[1]);
	REQUIRE(read(held[0], &byte, 1) == 1);
	EXPECT_EQ(heaps_now(), was);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void heap_without_cloexec_survives_exec(int heap, const void *arg)
{
	__u64 was = heaps_now();
	int held[2], other;
	pid_t child;
	char byte;

	(void)arg;
	(void)heap;
	REQUIRE(!pipe(held));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		other = heap_open();
		REQUIRE(dup(other) >= 0);
		dup2(held[1], STDOUT_FILENO);
		execl("/proc/self/exe", "lifetime", "--executed", NULL);
		_exit(1);
	}
	close(held[1]);
	REQUIRE(read(held[0], &byte, 1) == 1);
	EXPECT_EQ(heaps_now(), was + 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_EQ(heaps_now(), was);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--executed")) {
		if (write(STDOUT_FILENO, "x", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	TEST(close_ends_the_heap);
	TEST(open_and_close_many_times);
	TEST(many_heaps_at_once);
	TEST(dup_is_the_same_heap);
	TEST(fork_shares_the_heap);
	TEST(heap_dies_with_the_last_of_parent_and_child);
	TEST(heap_passed_over_a_socket_works);
	TEST(heap_in_flight_lives_and_dies_with_the_socket);
	TEST(two_processes_cannot_use_each_others_handles);
	TEST(exec_closes_the_heap);
	TEST(heap_without_cloexec_survives_exec);
	return tests_run();
}
