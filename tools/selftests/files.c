// SPDX-License-Identifier: GPL-2.0
/*
 * Heaps are files: passed to another user, duplicated and forked while they are
 * in use; files of another kind where a heap is expected; and a heap where
 * another kind is.
 */
#include "scene.h"

#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define NOBODY	65534

static int kind_null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int kind_zero(void)
{
	return open("/dev/zero", O_RDWR | O_CLOEXEC);
}

static int kind_pipe(void)
{
	int fds[2];

	return pipe(fds) ? -1 : fds[0];
}

static int kind_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int kind_event(void)
{
	return eventfd(0, EFD_CLOEXEC);
}

static int kind_timer(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
}

static int kind_epoll(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static int kind_memory(void)
{
	return memfd_create("other", MFD_CLOEXEC);
}

static int kind_folder(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int kind_path(void)
{
	return open(PRIVHEAP_DEVICE, O_PATH | O_CLOEXEC);
}

static int kind_debugfs(void)
{
	return open("/sys/kernel/debug/privheap/module", O_RDONLY | O_CLOEXEC);
}

static int kind_closed(void)
{
	return 777;
}

static const struct kind {
	const char *name;
	int (*open)(void);
	int errs[2];
} kinds[] = {
	{ "null", kind_null, { ENOTTY, EINVAL } }, { "zero", kind_zero, { ENOTTY, EINVAL } },
	{ "pipe", kind_pipe, { ENOTTY, EINVAL } },
	{ "socket", kind_socket, { ENOTTY, EINVAL } },
	{ "eventfd", kind_event, { ENOTTY, EINVAL } },
	{ "timerfd", kind_timer, { ENOTTY, EINVAL } },
	{ "epoll", kind_epoll, { ENOTTY, EINVAL } },
	{ "memfd", kind_memory, { ENOTTY, EINVAL } },
	{ "folder", kind_folder, { ENOTTY, EINVAL } },
	{ "path_of_the_device", kind_path, { EBADF, EBADF } },
	{ "debugfs_file", kind_debugfs, { ENOTTY, EINVAL } },
	{ "closed_file", kind_closed, { EBADF, EBADF } },
};

static void every_command_to_another_kind(int heap, const void *arg)
{
	const struct kind *kind = arg;
	struct scene scene;
	union call call;
	int fd = kind->open();

	REQUIRE(fd >= 0);
	scene_make(&scene, heap);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		scene_call(&scene, &commands[i], &call);
		EXPECT_ROW(heap_call(fd, commands[i].number, &call), kind->errs[0],
			   kind->errs[1]);
	}
	scene_check(&scene);
	close(fd);
}

/* What other system calls do with a heap is nothing. */
static void heap_where_another_kind_is_expected(int heap, const void *arg)
{
	int null = kind_null(), other = kind_memory(), epoll = kind_epoll(), fds[2];
	struct epoll_event event = { .events = EPOLLIN };
	struct scene scene;
	off_t offset = 0;
	char byte = 0;

	(void)arg;
	scene_make(&scene, heap);
	REQUIRE(null >= 0 && other >= 0 && epoll >= 0 && !pipe(fds));
	REQUIRE(write(other, &byte, 1) == 1);
	EXPECT(read(heap, &byte, 1) < 0 && write(heap, &byte, 1) < 0);
	EXPECT(pread(heap, &byte, 1, 0) < 0 && pwrite(heap, &byte, 1, 0) < 0);
	EXPECT(sendfile(null, heap, NULL, 1) < 0);
	EXPECT(sendfile(heap, other, &offset, 1) < 0);
	EXPECT(splice(heap, NULL, fds[1], NULL, 1, 0) < 0);
	EXPECT(copy_file_range(other, NULL, heap, NULL, 1, 0) < 0);
	EXPECT(ftruncate(heap, 0) < 0 && fallocate(heap, 0, 0, 4096) < 0);
	EXPECT(epoll_ctl(epoll, EPOLL_CTL_ADD, heap, &event) < 0);
	EXPECT(fcntl(heap, F_ADD_SEALS, F_SEAL_WRITE) < 0);
	scene_check(&scene);
}

static void fd_send(int socket, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	REQUIRE(sendmsg(socket, &msg, 0) == 1);
}

static int fd_receive(int socket)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	int fd = -1;

	REQUIRE(recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) == 1);
	REQUIRE(CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static void become_nobody(void)
{
	if (geteuid())
		return;
	REQUIRE(!setgroups(0, NULL));
	REQUIRE(!setgid(NOBODY) && !setuid(NOBODY));
}

/* The right to a heap is its file, whoever has it; and no other heap. */
static void heap_passed_to_another_user(int heap, const void *arg)
{
	int pair[2], mine = heap_open(), theirs;
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_STR, 100);
	__u64 hidden = heap_new(mine, PRIVHEAP_TYPE_STR, 100);
	pid_t child;

	(void)arg;
	object_fill(heap, handle, 100, 9);
	object_fill(mine, hidden, 100, 8);
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		/* It has inherited both; it gives both up, and gets one back. */
		close(heap);
		close(mine);
		become_nobody();
		theirs = fd_receive(pair[1]);
		object_check(theirs, handle, 100, 9);
		EXPECT_ERR(heap_free_one(theirs, hidden), EXDEV);
		EXPECT_OK(heap_setup(theirs, 0, 0, 32 << 20));
		EXPECT_OK(heap_free_one(theirs, handle));
		heap_new(theirs, PRIVHEAP_TYPE_INT, 0);
		fflush(stdout);
		_exit(0);
	}
	fd_send(pair[0], heap);
	REQUIRE(waitpid(child, NULL, 0) == child);
	EXPECT_ERR(heap_free_one(heap, handle), ESTALE);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
	object_check(mine, hidden, 100, 8);
	close(mine);
}

static atomic_bool stop;
static atomic_int current_heap;

/* Allocates and frees by whatever number the heap has just now. */
static void *use_heap(void *arg)
{
	__u64 handles[20];
	unsigned long *done = arg;
	int err;

	while (!stop) {
		struct privheap_alloc a = {
			.size = sizeof(a), .type = PRIVHEAP_TYPE_STR, .count = 20,
			.object_bytes = 50, .handles = user_ptr(handles),
		};
		struct privheap_batch b = {
			.size = sizeof(b), .count = 20, .handles = user_ptr(handles),
		};

		err = heap_call(current_heap, PRIVHEAP_ALLOC, &a);
		if (err == EBADF || err == ENOTTY)
			continue;
		EXPECT_OK(err);
		do
			err = heap_call(current_heap, PRIVHEAP_FREE, &b);
		while (err == EBADF || err == ENOTTY);
		EXPECT_OK(err);
		++*done;
	}
	return NULL;
}

/* Its number changes all the time, copies come and go, and so do children. */
static void heap_duplicated_while_in_use(int heap, const void *arg)
{
	int fds[64], pair[2], n = 0;
	unsigned long done[2] = { 0 };
	pthread_t threads[2];
	pid_t child;

	(void)arg;
	memset(fds, -1, sizeof(fds));
	current_heap = heap;
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	for (int i = 0; i < 2; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, use_heap, &done[i]));
	for (unsigned long i = 0; i < scaled(3000) + 100; i++) {
		int next = dup(current_heap), was = current_heap;

		REQUIRE(next >= 0);
		current_heap = next;
		if (fds[n] >= 0)
			close(fds[n]);
		fds[n] = was;
		n = (n + 1) % 64;
		if (i % 16 == 0) {
			fd_send(pair[0], next);
			close(fd_receive(pair[1]));
		}
		if (i % 64 == 0) {
			child = fork();
			REQUIRE(child >= 0);
			if (!child)
				_exit(0);
			REQUIRE(waitpid(child, NULL, 0) == child);
		}
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		REQUIRE(!pthread_join(threads[i], NULL));
	EXPECT(done[0] > 0 && done[1] > 0);
	EXPECT_EQ(heap_stat(current_heap).live_objects, 0);
}

/* Many heaps in flight, in a socket that is in flight itself, and then dropped. */
static void heaps_in_flight_when_their_socket_closes(int heap, const void *arg)
{
	int inner[2], outer[2];

	(void)heap;
	(void)arg;
	for (unsigned long i = 0; i < scaled(200) + 10; i++) {
		REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, inner));
		REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, outer));
		for (int k = 0; k < 8; k++) {
			int other = heap_open();

			heap_new(other, PRIVHEAP_TYPE_STR, 3000);
			fd_send(inner[0], other);
			close(other);
		}
		fd_send(outer[0], inner[1]);
		/* A ring: only the collector of sockets finds it. */
		if (i % 2)
			fd_send(inner[0], outer[1]);
		close(inner[0]);
		close(inner[1]);
		close(outer[0]);
		close(outer[1]);
	}
	/* The collector runs when sockets close: until it has found them all. */
	for (int looks = 0; looks < 100; looks++) {
		struct counters c;

		REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, inner));
		fd_send(inner[0], inner[1]);
		close(inner[0]);
		close(inner[1]);
		if (counters_read(&c) || c.heaps <= 1)
			break;
		usleep(20000);
	}
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		TEST_ARG(every_command_to_another_kind, &kinds[i],
			 "every_command_to_a_%s_is_refused", kinds[i].name);
	TEST(heap_where_another_kind_is_expected);
	TEST(heap_passed_to_another_user);
	TEST(heap_duplicated_while_in_use);
	TEST(heaps_in_flight_when_their_socket_closes);
	return tests_run();
}
