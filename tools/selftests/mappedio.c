// SPDX-License-Identifier: GPL-2.0
/*
 * Objects in a mapping are ordinary memory to the rest of the kernel; and pages
 * that it still has when the heap gave them up are nobody else's before it
 * lets them go.
 */
#include "mapping.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE		4096
#define BYTES		(20 * PAGE)

/* An object of @bytes, mapped, with the pattern of @seed in it. */
static unsigned char *object_make(int heap, unsigned char *base, __u64 bytes,
				  __u64 seed, __u64 *at)
{
	*at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, bytes);
	pattern_fill(base + *at, bytes, seed);
	return base + *at;
}

static void read_and_write_reach_objects(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *from, *to;
	int file = memfd_create("plain", MFD_CLOEXEC), pair[2];
	__u64 at[2];

	(void)arg;
	REQUIRE(file >= 0 && !pipe2(pair, O_CLOEXEC));
	from = object_make(heap, base, BYTES, 1, &at[0]);
	to = object_make(heap, base, BYTES, 2, &at[1]);
	/* Without a page in place yet, which then the kernel's copy faults in. */
	REQUIRE(!madvise(from, BYTES, MADV_DONTNEED));
	REQUIRE(!madvise(to, BYTES, MADV_DONTNEED));
	EXPECT_EQ(write(file, from, BYTES), BYTES);
	EXPECT_EQ(pread(file, to, BYTES, 0), BYTES);
	EXPECT_EQ(pattern_check(to, BYTES, 1), -1);
	from = object_make(heap, base, 100, 3, &at[0]);
	to = object_make(heap, base, 100, 4, &at[1]);
	EXPECT_EQ(write(pair[1], from, 100), 100);
	EXPECT_EQ(read(pair[0], to, 100), 100);
	EXPECT_EQ(pattern_check(to, 100, 3), -1);
	/* Where nothing is, it is EFAULT and no signal. */
	REQUIRE_OK(heap_give_one(heap, at[0]));
	EXPECT_EQ(write(file, base + REGION_BYTES - PAGE, 1), -1);
	EXPECT_EQ(errno, EFAULT);
}

/* Of a stock kernel, if it was taken along. */
static void module_load(const char *path, const char *parameters)
{
	int module = open(path, O_RDONLY | O_CLOEXEC);

	if (module < 0)
		return;
	syscall(SYS_finit_module, module, parameters, 0);
	close(module);
}

static int disk_open(const char *path)
{
	int disk = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);

	if (disk < 0)
		test_skip("no %s: its module was not taken along", path);
	return disk;
}

/* A disk in memory. */
static int fast_disk_open(void)
{
	module_load("/modules/brd.ko", "rd_nr=1 rd_size=4096");
	return disk_open("/dev/ram0");
}

static void direct_io_reaches_objects(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *from, *to;
	int disk = fast_disk_open();
	__u64 at[2];

	(void)arg;
	from = object_make(heap, base, BYTES, 5, &at[0]);
	to = object_make(heap, base, BYTES, 6, &at[1]);
	EXPECT_EQ(pwrite(disk, from, BYTES, 0), BYTES);
	REQUIRE(!madvise(to, BYTES, MADV_DONTNEED));
	EXPECT_EQ(pread(disk, to, BYTES, 0), BYTES);
	EXPECT_EQ(pattern_check(to, BYTES, 5), -1);
	close(disk);
}

/* Just enough of a ring: one request at a time. */
struct ring {
	int fd;
	unsigned char *sq, *cq;
	struct io_uring_params params;
	struct io_uring_sqe *sqes;
};

static void ring_make(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		test_skip("no io_uring: %s", strerror(errno));
	ring->sq = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			  IORING_OFF_SQES);
	REQUIRE(ring->sq != MAP_FAILED && ring->cq != MAP_FAILED &&
		ring->sqes != MAP_FAILED);
}

static void ring_begin(struct ring *ring, int op, int file, void *buffer, __u32 bytes)
{
	__u32 *tail = (void *)(ring->sq + ring->params.sq_off.tail);
	__u32 *array = (void *)(ring->sq + ring->params.sq_off.array);
	__u32 index = *tail & (ring->params.sq_entries - 1);

	ring->sqes[index] = (struct io_uring_sqe){
		.opcode = (__u8)op, .fd = file, .addr = user_ptr(buffer), .len = bytes,
	};
	array[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	REQUIRE(syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) == 1);
}

static bool ring_is_pending(const struct ring *ring)
{
	const __u32 *tail = (void *)(ring->cq + ring->params.cq_off.tail);
	const __u32 *head = (void *)(ring->cq + ring->params.cq_off.head);

	return __atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head;
}

static __s32 ring_end(struct ring *ring)
{
	__u32 *head = (void *)(ring->cq + ring->params.cq_off.head);
	struct io_uring_cqe *cqes = (void *)(ring->cq + ring->params.cq_off.cqes);
	__u32 at = *head & (ring->params.cq_entries - 1);

	while (ring_is_pending(ring))
		REQUIRE(!syscall(SYS_io_uring_enter, ring->fd, 0, 1,
				 IORING_ENTER_GETEVENTS, NULL, 0) || errno == EINTR);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return cqes[at].res;
}

static __s32 ring_rw(struct ring *ring, int op, int file, void *buffer, __u32 bytes)
{
	ring_begin(ring, op, file, buffer, bytes);
	return ring_end(ring);
}

static void io_uring_reaches_objects(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *from, *to;
	int file = memfd_create("plain", MFD_CLOEXEC);
	struct ring ring;
	__u64 at[2];

	(void)arg;
	REQUIRE(file >= 0);
	ring_make(&ring);
	from = object_make(heap, base, BYTES, 7, &at[0]);
	to = object_make(heap, base, BYTES, 8, &at[1]);
	EXPECT_EQ(ring_rw(&ring, IORING_OP_WRITE, file, from, BYTES), BYTES);
	EXPECT_EQ(ring_rw(&ring, IORING_OP_READ, file, to, BYTES), BYTES);
	EXPECT_EQ(pattern_check(to, BYTES, 7), -1);
	close(ring.fd);
}

/*
 * Linux before 6.5 registers no memory of files, whatever the file. Elsewhere the
 * buffer's pages outlive the object, and what is written there reaches nobody.
 */
static void registered_buffers_hold_pages(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *object;
	int file = memfd_create("plain", MFD_CLOEXEC);
	struct iovec vec;
	struct ring ring;
	__u64 at, again;

	(void)arg;
	REQUIRE(file >= 0);
	ring_make(&ring);
	object = object_make(heap, base, BYTES, 9, &at);
	vec = (struct iovec){ object, BYTES };
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &vec, 1)) {
		EXPECT_EQ(errno, EOPNOTSUPP);
		test_skip("this kernel registers no memory of files");
	}
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
	EXPECT_EQ(ring_rw(&ring, IORING_OP_WRITE_FIXED, file, object, BYTES), BYTES);
	again = heap_take_one(heap, PRIVHEAP_TYPE_LIST, BYTES);
	EXPECT_EQ(zero_check(base + again, BYTES), -1);
	EXPECT_EQ(ring_rw(&ring, IORING_OP_READ_FIXED, file, object, BYTES), BYTES);
	EXPECT_EQ(zero_check(base + again, BYTES), -1);
	close(ring.fd);
}

static void another_process_reaches_objects(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *object, buffer[BYTES];
	struct iovec local = { buffer, BYTES }, remote;
	int status, ready[2];
	__u64 at;
	pid_t pid;

	(void)arg;
	REQUIRE(!pipe2(ready, O_CLOEXEC));
	object = object_make(heap, base, BYTES, 10, &at);
	remote = (struct iovec){ object, BYTES };
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		pid_t owner = getppid();

		EXPECT_EQ(process_vm_readv(owner, &local, 1, &remote, 1, 0), BYTES);
		EXPECT_EQ(pattern_check(buffer, BYTES, 10), -1);
		pattern_fill(buffer, BYTES, 11);
		EXPECT_EQ(process_vm_writev(owner, &local, 1, &remote, 1, 0), BYTES);
		/* Where nothing is there is an error, not a signal. */
		remote.iov_base = base + REGION_BYTES - PAGE;
		EXPECT_EQ(process_vm_readv(owner, &local, 1, &remote, 1, 0), -1);
		EXPECT_EQ(errno, EFAULT);
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(pattern_check(object, BYTES, 11), -1);
}

static void a_debugger_reaches_objects(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *object, buffer[BYTES];
	int status;
	__u64 at;
	pid_t pid;

	(void)arg;
	/* The child maps the heap itself: it has the file, but no mapping. */
	object = object_make(heap, base, BYTES, 12, &at);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		REQUIRE(mmap(base, REGION_BYTES, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED_NOREPLACE, heap, 0) == base);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(object[0] != 0x42);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	errno = 0;
	EXPECT_EQ((unsigned long)ptrace(PTRACE_PEEKDATA, pid, object, NULL),
		  *(unsigned long *)object);
	EXPECT_EQ(errno, 0);
	EXPECT_EQ(ptrace(PTRACE_POKEDATA, pid, object, (void *)0x4242424242424242UL), 0);
	EXPECT_EQ(object[3], 0x42);
	errno = 0;
	EXPECT_EQ(ptrace(PTRACE_PEEKDATA, pid, base + REGION_BYTES - PAGE, NULL), -1);
	EXPECT_EQ(errno, EIO);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
	/* And nothing else has changed. */
	pattern_fill(buffer, BYTES, 12);
	EXPECT_EQ(memcmp(object + sizeof(long), buffer + sizeof(long),
			 BYTES - sizeof(long)), 0);
}

static long futex(__u32 *word, int op, __u32 value)
{
	const struct timespec soon = { .tv_sec = 20 };

	return syscall(SYS_futex, word, op, value,
		       op & FUTEX_WAKE ? NULL : &soon, NULL, 0);
}

static void *futex_waker(void *arg)
{
	__u32 *word = arg;

	usleep(10000);
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	while (futex(word, FUTEX_WAKE_PRIVATE, 1) == 0 &&
	       __atomic_load_n(word, __ATOMIC_SEQ_CST) != 2)
		usleep(1000);
	return NULL;
}

static void private_futexes_work(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u32 *word = (void *)(base + heap_take_one(heap, PRIVHEAP_TYPE_INT, 0));
	pthread_t thread;

	(void)arg;
	*word = 0;
	REQUIRE(!pthread_create(&thread, NULL, futex_waker, word));
	while (!__atomic_load_n(word, __ATOMIC_SEQ_CST))
		if (futex(word, FUTEX_WAIT_PRIVATE, 0) && errno != EAGAIN &&
		    !EXPECT(errno == EINTR))
			break;
	__atomic_store_n(word, 2, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
}

static void mutexes_and_conditions_work(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	struct both {
		pthread_mutex_t mutex;
		pthread_cond_t cond;
	} *both = (void *)(base + heap_take_one(heap, PRIVHEAP_TYPE_OBJECT,
						sizeof(*both)));

	(void)arg;
	REQUIRE(!pthread_mutex_init(&both->mutex, NULL));
	REQUIRE(!pthread_cond_init(&both->cond, NULL));
	EXPECT_EQ(pthread_mutex_lock(&both->mutex), 0);
	EXPECT_EQ(pthread_mutex_trylock(&both->mutex), EBUSY);
	EXPECT_EQ(pthread_cond_signal(&both->cond), 0);
	EXPECT_EQ(pthread_mutex_unlock(&both->mutex), 0);
}

/* How an owner may let go of pages that a pipe still has. */
static const char *const partings[] = { "give", "trim", "close", "unmap" };

static void part(int heap, unsigned char *base, __u64 at, int how)
{
	if (how < 2)
		REQUIRE_OK(heap_give_one(heap, at));
	if (how == 1)
		heap_trim(heap);
	if (how >= 2)
		close(heap);
	if (how >= 3)
		REQUIRE(!munmap(base, REGION_BYTES));
}

/*
 * Others take and overwrite all the memory that there is to have at once: none
 * of it is what the pipe has.
 */
static void overwrite_much(void)
{
	int heap = heap_open();
	unsigned char *base = region_map(heap);
	__u64 at;

	for (int i = 0; i < 16; i++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 1 << 20);
		memset(base + at, 0xee, 1 << 20);
	}
	REQUIRE(!munmap(base, REGION_BYTES));
	close(heap);
}

static void spliced_pages_keep_their_content(int heap, const void *arg)
{
	int how = (int)(uintptr_t)arg, pair[2], own = heap_open();
	unsigned char *base = region_map(own), buffer[8 * PAGE];
	struct iovec vec = { .iov_len = sizeof(buffer) };
	__u64 at;

	(void)heap;
	REQUIRE(!pipe2(pair, O_CLOEXEC));
	vec.iov_base = object_make(own, base, sizeof(buffer), 20, &at);
	REQUIRE(vmsplice(pair[1], &vec, 1, 0) == sizeof(buffer));
	part(own, base, at, how);
	overwrite_much();
	EXPECT_EQ(read(pair[0], buffer, sizeof(buffer)), (ssize_t)sizeof(buffer));
	EXPECT_EQ(pattern_check(buffer, sizeof(buffer), 20), -1);
	if (how < 3) {
		REQUIRE(!munmap(base, REGION_BYTES));
		if (how < 2)
			close(own);
	}
}

/* One that takes its time. */
static int slow_disk_open(void)
{
	module_load("/modules/configfs.ko", "");
	module_load("/modules/null_blk.ko", "gb=1 nr_devices=1 irqmode=2 "
		    "completion_nsec=300000000 memory_backed=1 blocking=1");
	return disk_open("/dev/nullb0");
}

/* A disk is at it still when the owner lets go; and then it ends well. */
static void pending_io_outlives_its_object(int heap, const void *arg)
{
	int how = (int)(uintptr_t)arg, disk = slow_disk_open(), own = heap_open();
	unsigned char *base = region_map(own), *object;
	struct ring ring;
	__u64 at;

	ring_make(&ring);
	object = object_make(own, base, BYTES, 23, &at);
	EXPECT_EQ(ring_rw(&ring, IORING_OP_WRITE, disk, object, BYTES), BYTES);
	memset(object, 0, BYTES);
	ring_begin(&ring, IORING_OP_READ, disk, object, BYTES);
	EXPECT(ring_is_pending(&ring));
	part(own, base, at, how);
	EXPECT(ring_is_pending(&ring));
	overwrite_much();
	EXPECT_EQ(ring_end(&ring), BYTES);
	overwrite_much();
	/* Nobody else has what the disk had: that is for the pages of the next one. */
	at = heap_take_one(heap, PRIVHEAP_TYPE_LIST, BYTES);
	base = region_map(heap);
	EXPECT_EQ(zero_check(base + at, BYTES), -1);
	close(ring.fd);
	close(disk);
}

/* Content of slots: their slab's pages are held as well. */
static void spliced_slots_keep_their_content(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), buffer[100];
	struct iovec vec = { .iov_len = sizeof(buffer) };
	int pair[2];
	__u64 at;

	(void)arg;
	REQUIRE(!pipe2(pair, O_CLOEXEC));
	at = heap_take_one(heap, PRIVHEAP_TYPE_STR, sizeof(buffer));
	pattern_fill(base + at, sizeof(buffer), 21);
	vec.iov_base = base + at;
	REQUIRE(vmsplice(pair[1], &vec, 1, 0) == sizeof(buffer));
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
	/* The next slab there, of another type, is zero; and not the pipe's. */
	at = heap_take_one(heap, PRIVHEAP_TYPE_LIST, sizeof(buffer));
	EXPECT_EQ(zero_check(base + at, sizeof(buffer)), -1);
	memset(base + at, 0xee, sizeof(buffer));
	overwrite_much();
	EXPECT_EQ(read(pair[0], buffer, sizeof(buffer)), (ssize_t)sizeof(buffer));
	EXPECT_EQ(pattern_check(buffer, sizeof(buffer), 21), -1);
}

/* The same for pages that move with an object that grows. */
static void spliced_pages_of_a_moving_object(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), buffer[8 * PAGE];
	struct iovec vec = { .iov_len = sizeof(buffer) };
	__u64 at, usable;
	int pair[2];

	(void)arg;
	REQUIRE(!pipe2(pair, O_CLOEXEC));
	vec.iov_base = object_make(heap, base, sizeof(buffer), 22, &at);
	REQUIRE(vmsplice(pair[1], &vec, 1, 0) == sizeof(buffer));
	REQUIRE_OK(heap_regrow(heap, &at, 1 << 20, &usable));
	EXPECT_EQ(pattern_check(base + at, sizeof(buffer), 22), -1);
	REQUIRE_OK(heap_regrow(heap, &at, 100, &usable));
	EXPECT_EQ(pattern_check(base + at, 100, 22), -1);
	overwrite_much();
	EXPECT_EQ(read(pair[0], buffer, sizeof(buffer)), (ssize_t)sizeof(buffer));
	EXPECT_EQ(pattern_check(buffer, sizeof(buffer), 22), -1);
}

int main(void)
{
	TEST(read_and_write_reach_objects);
	TEST(direct_io_reaches_objects);
	TEST(io_uring_reaches_objects);
	TEST(registered_buffers_hold_pages);
	TEST(another_process_reaches_objects);
	TEST(a_debugger_reaches_objects);
	TEST(private_futexes_work);
	TEST(mutexes_and_conditions_work);
	for (size_t i = 0; i < ARRAY_SIZE(partings); i++)
		TEST_ARG(spliced_pages_keep_their_content, (void *)(uintptr_t)i,
			 "spliced_pages_keep_their_content_after_%s", partings[i]);
	for (size_t i = 0; i < ARRAY_SIZE(partings); i++)
		TEST_ARG(pending_io_outlives_its_object, (void *)(uintptr_t)i,
			 "pending_io_outlives_its_object_after_%s", partings[i]);
	TEST(spliced_slots_keep_their_content);
	TEST(spliced_pages_of_a_moving_object);
	return tests_run();
}
