// SPDX-License-Identifier: GPL-2.0
/*
 * What programs may do with a mapping besides using it, and what of it they get
 * to see: never a byte from outside of the heap, nor an address of the kernel's.
 */
#include "mapping.h"
#include "memory.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PAGE		4096
#define SPAN		(64 * PAGE)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLD
#define MADV_COLD	20
#endif

static int err_of(int ret)
{
	return ret < 0 ? errno : 0;
}

/* Advice about one object of a mapping, which is a part of it. */
struct advice {
	const char *name;
	int advice;
	int part[2];		/* what it may give for a part */
	int whole[2];		/* and for all of a mapping that has no hole */
};

static const struct advice advices[] = {
	{ "NORMAL", MADV_NORMAL, { 0, 0 }, { 0, 0 } },
	{ "RANDOM", MADV_RANDOM, { EINVAL, EINVAL }, { 0, 0 } },
	{ "SEQUENTIAL", MADV_SEQUENTIAL, { EINVAL, EINVAL }, { 0, 0 } },
	{ "WILLNEED", MADV_WILLNEED, { 0, EINVAL }, { 0, EINVAL } },
	{ "DONTNEED", MADV_DONTNEED, { 0, 0 }, { 0, 0 } },
	{ "FREE", MADV_FREE, { EINVAL, EINVAL }, { EINVAL, EINVAL } },
	{ "REMOVE", MADV_REMOVE, { ENODEV, EOPNOTSUPP }, { ENODEV, EOPNOTSUPP } },
	{ "DONTFORK", MADV_DONTFORK, { 0, 0 }, { 0, 0 } },
	{ "DODUMP", MADV_DODUMP, { EINVAL, EINVAL }, { EINVAL, EINVAL } },
	{ "MERGEABLE", MADV_MERGEABLE, { 0, EINVAL }, { 0, EINVAL } },
	{ "HUGEPAGE", MADV_HUGEPAGE, { EINVAL, EINVAL }, { 0, EINVAL } },
	{ "WIPEONFORK", MADV_WIPEONFORK, { EINVAL, EINVAL }, { EINVAL, EINVAL } },
	{ "COLD", MADV_COLD, { 0, EINVAL }, { 0, EINVAL } },
	{ "PAGEOUT", MADV_PAGEOUT, { 0, EINVAL }, { 0, EINVAL } },
	{ "POPULATE_WRITE", MADV_POPULATE_WRITE, { 0, 0 }, { 0, 0 } },
};

/* Whatever the kernel says to it: the object and its content stay. */
static void advice_is_harmless(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *own;
	const struct advice *a = arg;
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, SPAN);

	pattern_fill(base + at, SPAN, 1);
	EXPECT_ERR(err_of(madvise(base + at + PAGE, SPAN - 2 * PAGE, a->advice)),
		   a->part[0], a->part[1]);
	EXPECT_EQ(pattern_check(base + at, SPAN, 1), -1);
	own = map_at(heap, at, SPAN, PROT_READ | PROT_WRITE, MAP_SHARED);
	REQUIRE(own != MAP_FAILED);
	EXPECT_ERR(err_of(madvise(own, SPAN, a->advice)), a->whole[0], a->whole[1]);
	EXPECT_EQ(pattern_check(own, SPAN, 1), -1);
	pattern_fill(own, SPAN, 2);
	EXPECT_EQ(pattern_check(base + at, SPAN, 2), -1);
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
	EXPECT_EQ(touch(own, false), SIGBUS);
	EXPECT_EQ(munmap(own, SPAN), 0);
}

/*
 * What a child that was to have the mappings, and its child, find there. Of the slab
 * map none may be asked for.
 */
static void nothing_expect(unsigned char *const mapping[3])
{
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(touch(mapping[i], false), i == 1 ? SIGSEGV : SIGBUS);
	EXPECT_EQ(touch(mapping[0], true), SIGBUS);
	EXPECT_ERR(err_of(madvise(mapping[0], PAGE, MADV_POPULATE_READ)), EFAULT);
}

static void a_child_has_none_of_it_even_so(int heap, const void *arg)
{
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, SPAN), refused;
	unsigned char *const mapping[3] = {
		map_at(heap, at, SPAN, PROT_READ | PROT_WRITE, MAP_SHARED),
		map_at(heap, PRIVHEAP_MAP_SLABS, PAGE, PROT_READ, MAP_SHARED),
		map_at(heap, PRIVHEAP_MAP_STAT, PAGE, PROT_READ, MAP_SHARED),
	};
	const size_t bytes[3] = { SPAN, PAGE, PAGE };
	int status;
	pid_t pid;

	(void)arg;
	pattern_fill(mapping[0], SPAN, 1);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(touch(mapping[i], false), 0);
		EXPECT_ERR(err_of(madvise(mapping[i], bytes[i], MADV_DOFORK)),
			   i == 1 ? EINVAL : 0);
	}
	refused = heap_stat(heap).refused_faults;
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		nothing_expect(mapping);
		/* Nor can it be had back. */
		madvise(mapping[0], SPAN, MADV_KEEPONFORK);
		pid = fork();
		REQUIRE(pid >= 0);
		nothing_expect(mapping);
		if (pid) {
			REQUIRE(waitpid(pid, &status, 0) == pid);
			EXPECT_EQ(status, 0);
			REQUIRE(!munmap(mapping[0], SPAN));
		}
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
	EXPECT(heap_stat(heap).refused_faults >= refused + 3 * 4);
	EXPECT_EQ(pattern_check(mapping[0], SPAN, 1), -1);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(touch(mapping[i], false), 0);
}

static void locking_is_harmless(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *own;
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, SPAN);
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const size_t map_bytes = REGION_BYTES / PAGE * sizeof(struct privheap_map_entry);
	void *slabs = map_at(heap, PRIVHEAP_MAP_SLABS, map_bytes, PROT_READ, MAP_SHARED);

	(void)arg;
	EXPECT(slabs != MAP_FAILED);
	if (setrlimit(RLIMIT_MEMLOCK, &all))
		test_skip("this user may not lock so much");
	pattern_fill(base + at, SPAN, 1);
	EXPECT_ERR(err_of(mlock(base + at, SPAN)), 0, EINVAL);
	EXPECT_ERR(err_of(mlock(base, REGION_BYTES)), 0, EINVAL, ENOMEM);
	EXPECT_OK(err_of(mlockall(MCL_CURRENT | MCL_FUTURE)));
	/* Of the slab map, which is much larger, nobody has asked for a page. */
	EXPECT(heap_stat(heap).metadata_bytes < 1 << 20);
	own = map_at(heap, 0, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED);
	EXPECT(own != MAP_FAILED);
	EXPECT_EQ(pattern_check(own + at, SPAN, 1), -1);
	/* Locked or not, it goes with its object. */
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
	EXPECT_EQ(touch(base + at, false), SIGBUS);
	EXPECT_EQ(touch(own + at, false), SIGBUS);
	EXPECT_OK(err_of(munlockall()));
	EXPECT_OK(err_of(munmap(own, REGION_BYTES)));
}

static void sync_and_incore(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), incore[SPAN / PAGE];
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, SPAN);

	(void)arg;
	pattern_fill(base + at, SPAN, 1);
	EXPECT_ERR(err_of(msync(base + at, SPAN, MS_ASYNC)), 0);
	EXPECT_ERR(err_of(msync(base + at, SPAN, MS_SYNC)), 0, EINVAL);
	EXPECT_ERR(err_of(msync(base + at, SPAN, MS_SYNC | MS_INVALIDATE)), 0, EINVAL);
	REQUIRE_OK(err_of(mincore(base + at, SPAN, incore)));
	for (size_t i = 0; i < ARRAY_SIZE(incore); i++)
		EXPECT_EQ(incore[i] & 1, 1);
	REQUIRE_OK(heap_give_one(heap, at));
	REQUIRE_OK(err_of(mincore(base + at, SPAN, incore)));
	for (size_t i = 0; i < ARRAY_SIZE(incore); i++)
		EXPECT_EQ(incore[i] & 1, 0);
}

static void remapping_is_refused_in_part(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, SPAN);

	(void)arg;
	pattern_fill(base + at, SPAN, 1);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	EXPECT_EQ(remap_file_pages(base + at, PAGE, 0, 0, 0), -1);
#pragma GCC diagnostic pop
	EXPECT(mmap(base + at, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    heap, 0) == MAP_FAILED);
	EXPECT(mremap(base + at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) ==
	       MAP_FAILED);
	EXPECT(mremap(base, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	EXPECT_EQ(pattern_check(base + at, SPAN, 1), -1);
	/* All of it may make room for another. */
	EXPECT(mmap(base, REGION_BYTES, PROT_READ, MAP_SHARED | MAP_FIXED, heap, 0) ==
	       base);
	EXPECT_EQ(pattern_check(base + at, SPAN, 1), -1);
	EXPECT_EQ(touch(base + at, true), SIGSEGV);
}

static void protection_of_all_of_it_can_change(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, SPAN);

	(void)arg;
	pattern_fill(base + at, SPAN / 2, 1);
	REQUIRE_OK(err_of(mprotect(base, REGION_BYTES, PROT_READ)));
	EXPECT_EQ(pattern_check(base + at, SPAN / 2, 1), -1);
	EXPECT_EQ(touch(base + at, true), SIGSEGV);
	EXPECT_EQ(touch(base + at + SPAN - 1, true), SIGSEGV);
	REQUIRE_OK(err_of(mprotect(base, REGION_BYTES, PROT_NONE)));
	EXPECT_EQ(touch(base + at, false), SIGSEGV);
	REQUIRE_OK(err_of(mprotect(base, REGION_BYTES, PROT_READ | PROT_WRITE)));
	EXPECT_EQ(pattern_check(base + at, SPAN / 2, 1), -1);
	EXPECT_EQ(touch(base + at, true), 0);
	EXPECT_EQ(touch(base + at + SPAN - 1, true), 0);
}

static void what_is_read_is_not_executed(int heap, const void *arg)
{
	(void)arg;
	REQUIRE(personality(READ_IMPLIES_EXEC) >= 0);
	EXPECT(map_at(heap, 0, PAGE, PROT_READ, MAP_SHARED) == MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	REQUIRE(personality(0) >= 0);
	EXPECT(map_at(heap, 0, PAGE, PROT_READ, MAP_SHARED) != MAP_FAILED);
}

static void populate_puts_all_in_place(int heap, const void *arg)
{
	static __u64 at[3000];
	unsigned char *base;
	__u64 faults;

	(void)arg;
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_INT, 0, at, ARRAY_SIZE(at)));
	base = map_at(heap, 0, REGION_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE);
	REQUIRE(base != MAP_FAILED);
	faults = heap_stat(heap).faults;
	EXPECT(heap_stat(heap).mapped_pages >= sizeof(at) / 8 * 28 / PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		base[at[i]] = 1;
	EXPECT_EQ(heap_stat(heap).faults, faults);
}

/* Objects of two types with nothing between them. */
static void populate_goes_on_behind_gaps(int heap, const void *arg)
{
	__u64 at[3], faults;
	unsigned char *base;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		at[i] = heap_take_one(heap, i % 2 ? PRIVHEAP_TYPE_OBJECT :
				      PRIVHEAP_TYPE_LIST, SPAN);
	EXPECT(at[0] < at[1] && at[1] < at[2]);
	REQUIRE_OK(heap_give_one(heap, at[1]));
	heap_trim(heap);
	base = map_at(heap, 0, REGION_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE);
	REQUIRE(base != MAP_FAILED);
	faults = heap_stat(heap).faults;
	pattern_fill(base + at[0], SPAN, 1);
	pattern_fill(base + at[2], SPAN, 2);
	EXPECT_EQ(heap_stat(heap).faults, faults);
	EXPECT_EQ(touch(base + at[1], false), SIGBUS);
	REQUIRE(!munmap(base, REGION_BYTES));
	/* Who asks for what is not there has all the rest, but not from the program. */
	base = region_map(heap);
	EXPECT_ERR(err_of(madvise(base + at[1], PAGE, MADV_POPULATE_WRITE)), EFAULT);
	faults = heap_stat(heap).faults;
	EXPECT_EQ(pattern_check(base + at[2], SPAN, 2), -1);
	EXPECT_EQ(heap_stat(heap).faults, faults);
	EXPECT_EQ(pattern_check(base + at[0], SPAN, 1), -1);
	EXPECT(heap_stat(heap).faults > faults);
}

/* Flags of the mapping at @at, as smaps has them; "" if it is not there. */
static const char *vm_flags(const void *at)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	static char line[512];
	unsigned long start, end;
	bool here = false;

	REQUIRE(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)at;
		if (here && !strncmp(line, "VmFlags:", 8)) {
			fclose(file);
			return line;
		}
	}
	fclose(file);
	return "";
}

static void dumps_have_what_was_asked_for(int heap, const void *arg)
{
	struct privheap_setup s = { .size = sizeof(s), .flags = PRIVHEAP_SETUP_DUMP };
	unsigned char *without = region_map(heap), *with;

	(void)arg;
	if (!*vm_flags(without))
		test_skip("this kernel tells no flags of mappings");
	EXPECT(strstr(vm_flags(without), " dd "));
	EXPECT(strstr(vm_flags(without), " dc "));
	EXPECT(strstr(vm_flags(without), " de "));
	REQUIRE_OK(heap_call(heap, PRIVHEAP_SETUP, &s));
	with = region_map(heap);
	EXPECT(!strstr(vm_flags(with), " dd "));
	/* What is mapped already stays as it is. */
	EXPECT(strstr(vm_flags(without), " dd "));
	EXPECT(strstr(vm_flags(slab_map(heap)), " dd "));
}

static void send_file(int to, int file)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &vec, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &file, sizeof(int));
	REQUIRE(sendmsg(to, &msg, 0) == 1);
}

static int receive_file(int from)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &vec, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int file;

	REQUIRE(recvmsg(from, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg));
	memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return file;
}

/* Who is given the file, another user as well, maps the same heap. */
static void another_process_maps_the_same_heap(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_STR, 1000), theirs;
	int pair[2], status, other;
	unsigned char *map;
	pid_t pid;

	(void)arg;
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pattern_fill(base + at, 1000, 1);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		close(heap);
		REQUIRE(!setgid(65534) && !setuid(65534));
		other = receive_file(pair[1]);
		map = region_map(other);
		EXPECT_EQ(pattern_check(map + at, 1000, 1), -1);
		pattern_fill(map + at, 1000, 2);
		theirs = heap_take_one(other, PRIVHEAP_TYPE_INT, 0);
		memset(map + theirs, 0x42, 28);
		REQUIRE(write(pair[1], &theirs, sizeof(theirs)) == sizeof(theirs));
		fflush(stdout);
		_exit(0);
	}
	send_file(pair[0], heap);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	REQUIRE_EQ(status, 0);
	REQUIRE(read(pair[0], &theirs, sizeof(theirs)) == sizeof(theirs));
	EXPECT_EQ(pattern_check(base + at, 1000, 2), -1);
	EXPECT_EQ(base[theirs + 27], 0x42);
	REQUIRE_OK(heap_give_one(heap, theirs));
}

static void a_heap_opened_for_reading_is_mapped_for_reading(int heap, const void *arg)
{
	int own = open(PRIVHEAP_DEVICE, O_RDONLY | O_CLOEXEC);
	unsigned char *base;
	__u64 at;

	(void)heap;
	(void)arg;
	REQUIRE(own >= 0);
	EXPECT(map_at(own, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED);
	base = map_at(own, 0, REGION_BYTES, PROT_READ, MAP_SHARED);
	REQUIRE(base != MAP_FAILED);
	at = heap_take_one(own, PRIVHEAP_TYPE_INT, 0);
	EXPECT_EQ(zero_check(base + at, 28), -1);
	EXPECT_EQ(mprotect(base, REGION_BYTES, PROT_READ | PROT_WRITE), -1);
	REQUIRE_OK(heap_give_one(own, at));
	heap_trim(own);
	EXPECT_EQ(touch(base + at, false), SIGBUS);
	close(own);
}

/* The books of a mapping count, too. */
static void a_full_heap_is_not_mapped(int heap, const void *arg)
{
	unsigned char *base;

	(void)arg;
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes));
	errno = 0;
	EXPECT(map_at(heap, 0, PAGE, PROT_READ, MAP_SHARED) == MAP_FAILED);
	EXPECT_EQ(errno, ENOMEM);
	REQUIRE_OK(heap_setup(heap, 0, 0, 64 << 20));
	base = map_at(heap, 0, PAGE, PROT_READ, MAP_SHARED);
	REQUIRE(base != MAP_FAILED);
	EXPECT_EQ(touch(base, false), SIGBUS);
}

#define SECRET	0x5ec2e75ec2e75ec2ULL

/* All the machine's free memory has it, and so has what heaps gave back. */
static void secrets_write(size_t bytes)
{
	int heap = heap_open();
	unsigned char *base = region_map(heap);
	__u64 *plain = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 at, word = SECRET;

	REQUIRE(plain != MAP_FAILED);
	for (size_t i = 0; i < bytes / 8; i++)
		plain[i] = word;
	munmap(plain, bytes);
	for (size_t i = 0; i < bytes >> 20; i++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 1 << 20);
		for (size_t b = 0; b < 1 << 20; b += 8)
			memcpy(base + at + b, &word, 8);
	}
	munmap(base, REGION_BYTES);
	close(heap);
}

/* Every page of every kind, objects that were never written to. */
static void nothing_of_others_is_seen(int heap, const void *arg)
{
	static __u64 at[2000];
	unsigned char *base = region_map(heap);
	size_t bytes = 64 << 20;

	(void)arg;
	secrets_write(bytes);
	for (__u32 type = PRIVHEAP_TYPE_INT; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		__u64 size = type <= PRIVHEAP_TYPE_FLOAT ? 0 : 200U * type;

		REQUIRE_OK(heap_take(heap, type, size, at, ARRAY_SIZE(at)));
		/* With what is beside them in their pages. */
		for (size_t i = 0; i < ARRAY_SIZE(at); i++)
			REQUIRE_EQ(zero_check(base + at[i] / PAGE * PAGE, PAGE), -1);
		REQUIRE_OK(heap_give(heap, type, at, ARRAY_SIZE(at)));
	}
	for (int i = 0; i < 24; i++) {
		at[i] = heap_take_one(heap, PRIVHEAP_TYPE_BYTES, 1 << 20);
		REQUIRE_EQ(zero_check(base + at[i], 1 << 20), -1);
	}
}

/* A slab that changes its type takes nothing along. */
static void nothing_of_another_type_is_seen(int heap, const void *arg)
{
	static __u64 at[2000];
	unsigned char *base = region_map(heap);
	__u64 word = SECRET;

	(void)arg;
	for (int round = 0; round < 5; round++) {
		REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_INT, 0, at, ARRAY_SIZE(at)));
		for (size_t i = 0; i < ARRAY_SIZE(at); i++)
			memcpy(base + at[i], &word, 8);
		REQUIRE_OK(heap_give(heap, 0, at, ARRAY_SIZE(at)));
		/* Little that is new is to be had: slabs have to serve again. */
		REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + 65536));
		REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_FLOAT, 0, at, ARRAY_SIZE(at)));
		for (size_t i = 0; i < ARRAY_SIZE(at); i++)
			REQUIRE_EQ(zero_check(base + at[i] / PAGE * PAGE, PAGE), -1);
		REQUIRE_OK(heap_give(heap, 0, at, ARRAY_SIZE(at)));
	}
	EXPECT(heap_stat(heap).retyped_slabs > 0);
}

static size_t kernel_addresses_in(const void *from, size_t bytes)
{
	const __u64 *word = from;
	size_t found = 0;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		found += word[i] >> 47 == 0x1ffff && word[i] != ~0ULL;
	return found;
}

static void no_address_of_the_kernel_is_seen(int heap, const void *arg)
{
	const struct privheap_map_entry *map = slab_map(heap);
	const void *stat = map_at(heap, PRIVHEAP_MAP_STAT, 9 * PAGE, PROT_READ,
				  MAP_SHARED);
	unsigned char *base = region_map(heap);
	static __u64 at[500];

	(void)arg;
	REQUIRE(stat != MAP_FAILED);
	for (__u32 type = PRIVHEAP_TYPE_INT; type <= PRIVHEAP_TYPE_OBJECT; type++)
		REQUIRE_OK(heap_take(heap, type, type <= PRIVHEAP_TYPE_FLOAT ? 0 :
				     40U * type, at, ARRAY_SIZE(at)));
	usleep(100 * 1000);
	EXPECT_EQ(kernel_addresses_in(map, REGION_BYTES / PAGE * sizeof(*map)), 0);
	EXPECT_EQ(kernel_addresses_in(stat, 9 * PAGE), 0);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		EXPECT_EQ(kernel_addresses_in(base + at[i] / PAGE * PAGE, PAGE), 0);
}

static void the_statistics_page_forgets_types(int heap, const void *arg)
{
	const struct privheap_stat_page *page = (void *)map_at(heap, PRIVHEAP_MAP_STAT,
		sizeof(*page), PROT_READ, MAP_SHARED);
	__u32 type = type_make(heap, "ends", 100, 0, 0);
	__u64 handle = heap_new(heap, type, 0);

	(void)arg;
	REQUIRE(page != MAP_FAILED);
	for (int i = 0; i < 200 && !page->type[type].live_objects; i++)
		usleep(50 * 1000);
	EXPECT_EQ(page->type[type].live_objects, 1);
	REQUIRE_OK(heap_free_one(heap, handle));
	REQUIRE_OK(type_destroy(heap, type));
	EXPECT_EQ(page->type[type].live_objects, 0);
	EXPECT_EQ(page->type[type].live_bytes, 0);
	EXPECT_EQ(page->type[type].handed_objects, 0);
}

static void take_leaves_what_it_reads(int heap, const void *arg)
{
	struct privheap_run runs[100];
	struct privheap_take t = {
		.type = PRIVHEAP_TYPE_INT, .count = 100, .runs = user_ptr(runs),
		.max_runs = 100,
	};

	(void)arg;
	REQUIRE_OK(heap_take_runs(heap, &t));
	EXPECT_EQ(t.size, sizeof(t));
	EXPECT_EQ(t.type, PRIVHEAP_TYPE_INT);
	EXPECT_EQ(t.count, 100);
	EXPECT_EQ(t.max_runs, 100);
	EXPECT_EQ(t.runs, user_ptr(runs));
	REQUIRE_OK(heap_give_runs(heap, 0, runs, t.nr_runs));
}

static void resize_zeroes_where_the_type_says_so(int heap, const void *arg)
{
	struct privheap_type t = type_named("zeroed", 8, 1 << 20);
	unsigned char *base = region_map(heap);
	__u64 at, usable = 0;

	(void)arg;
	t.flags = PRIVHEAP_TYPE_ZERO_ALLOC;
	REQUIRE_OK(type_create(heap, &t));
	/* Slots of the next size that have been used. */
	at = heap_take_one(heap, t.type, 2000);
	memset(base + at, 0xee, 2000);
	REQUIRE_OK(heap_give_one(heap, at));
	at = heap_take_one(heap, t.type, 100);
	REQUIRE_OK(heap_regrow(heap, &at, 2000, &usable));
	EXPECT_EQ(zero_check(base + at + 1000, usable - 1000), -1);
}

/* A group of 64 MiB; see cgroup.c. */
#define GROUP	"/sys/fs/cgroup/mapped"

static void group_make(void)
{
	mkdir("/sys/fs/cgroup", 0755);
	mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		test_skip("no groups of version 2: %s", strerror(errno));
	if (file_write(GROUP "/memory.max", "67108864"))
		test_skip("no memory limits in groups");
	file_write(GROUP "/memory.swap.max", "0");
}

/*
 * The slab map of 1 TiB has 4 GiB. An unprivileged user touches each page of it
 * until there is no more. The group pays for the heap alone: a process at its
 * group's limit would be killed for its own pages.
 */
static void touch_slab_map_of_all(int heap)
{
	size_t bytes = heap_query(heap).max_heap_bytes / PAGE * 16, touched = 0;
	const unsigned char *map;
	int signal = 0;

	REQUIRE(!setgid(65534) && !setuid(65534));
	map = map_at(heap, PRIVHEAP_MAP_SLABS, bytes, PROT_READ, MAP_SHARED);
	REQUIRE(map != MAP_FAILED);
	for (size_t at = 0; at < bytes && !signal; at += PAGE, touched++)
		signal = touch((void *)(uintptr_t)(map + at), false);
	test_note("%zu pages of %zu, then signal %d", touched, bytes / PAGE, signal);
	EXPECT_EQ(signal, SIGBUS);
	EXPECT(touched > 1000 && touched < 64 << 8);
	/* And again, and still alive. */
	for (size_t at = bytes / 2; at < bytes / 2 + 1000 * PAGE; at += PAGE)
		EXPECT_EQ(touch((void *)(uintptr_t)(map + at), false), SIGBUS);
}

static void the_slab_map_is_charged_to_its_user(int heap, const void *arg)
{
	__u64 at = heap_take_one(heap, PRIVHEAP_TYPE_INT, 0);
	unsigned char *base = region_map(heap);
	int status, own;
	pid_t pid;

	(void)arg;
	group_make();
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		REQUIRE_OK(file_write(GROUP "/cgroup.procs", "0"));
		own = heap_open();
		REQUIRE_OK(file_write("/sys/fs/cgroup/cgroup.procs", "0"));
		touch_slab_map_of_all(own);
		fflush(stdout);
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		/* Nobody else notices. */
		base[at] = 1;
		REQUIRE_OK(heap_give_one(heap, at));
		at = heap_take_one(heap, PRIVHEAP_TYPE_INT, 0);
		usleep(1000);
	}
	EXPECT_EQ(status, 0);
	EXPECT_OK(err_of(rmdir(GROUP)));
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		TEST_ARG(advice_is_harmless, &advices[i], "advice_%s_is_harmless",
			 advices[i].name);
	TEST(a_child_has_none_of_it_even_so);
	TEST(locking_is_harmless);
	TEST(sync_and_incore);
	TEST(remapping_is_refused_in_part);
	TEST(protection_of_all_of_it_can_change);
	TEST(what_is_read_is_not_executed);
	TEST(populate_puts_all_in_place);
	TEST(populate_goes_on_behind_gaps);
	TEST(dumps_have_what_was_asked_for);
	TEST(another_process_maps_the_same_heap);
	TEST(a_heap_opened_for_reading_is_mapped_for_reading);
	TEST(a_full_heap_is_not_mapped);
	TEST(nothing_of_others_is_seen);
	TEST(nothing_of_another_type_is_seen);
	TEST(no_address_of_the_kernel_is_seen);
	TEST(the_statistics_page_forgets_types);
	TEST(take_leaves_what_it_reads);
	TEST(resize_zeroes_where_the_type_says_so);
	TEST(the_slab_map_is_charged_to_its_user);
	return tests_run();
}
