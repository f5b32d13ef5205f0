// SPDX-License-Identifier: GPL-2.0
/*
 * Large objects whose memory is mapped in units, 2 MiB say: nothing but figures
 * tells the difference, whatever is done to them, and a unit that somebody still
 * has is nobody else's before he lets it go.
 */
#include "mapping.h"
#include "faults.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE	4096
#define MIB	(1UL << 20)

/* Bytes of a unit. */
static __u64 unit;

static __u64 units_mapped(int heap)
{
	return heap_stat(heap).mapped_units;
}

/* The machine's free memory in pieces as large as can be. */
static void units_expect(int heap)
{
	unit = heap_stat(heap).unit_bytes;
	if (!unit)
		test_skip("this machine has none");
	file_write("/proc/sys/vm/compact_memory", "1");
}

/*
 * An object of @units, with the pattern of @seed in it, and mapped as a whole; or
 * the memory is in pieces.
 */
static unsigned char *object_make(int heap, unsigned char *base, __u64 units,
				  __u64 seed, __u64 *at)
{
	__u64 before = units_mapped(heap);

	*at = heap_take_one(heap, PRIVHEAP_TYPE_LIST, units * unit);
	REQUIRE_EQ(*at % unit, 0);
	pattern_fill(base + *at, units * unit, seed);
	if (units_mapped(heap) - before != units)
		test_skip("of %llu units there were %llu", (unsigned long long)units,
			  (unsigned long long)(units_mapped(heap) - before));
	return base + *at;
}

static void one_fault_maps_a_unit(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	struct privheap_heap_stat before, after;
	__u64 at;

	(void)arg;
	units_expect(heap);
	EXPECT_EQ((uintptr_t)base % unit, 0);
	before = heap_stat(heap);
	object_make(heap, base, 4, 1, &at);
	after = heap_stat(heap);
	EXPECT_EQ(after.faults - before.faults, 4);
	EXPECT_EQ(after.mapped_pages - before.mapped_pages, 4 * unit / PAGE);
	EXPECT_EQ(pattern_check(base + at, 4 * unit, 1), -1);
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
	EXPECT_EQ(heap_stat(heap).held_bytes - heap_stat(heap).metadata_bytes,
		  before.held_bytes - before.metadata_bytes);
	for (__u64 byte = 0; byte < 4 * unit; byte += unit / 8)
		EXPECT_EQ(touch(base + at + byte, byte & unit), SIGBUS);
	object_make(heap, base, 4, 2, &at);
	EXPECT_EQ(pattern_check(base + at, 4 * unit, 2), -1);
}

/* The part of an object that is no unit, and the object that is none at all. */
static void the_rest_is_mapped_by_pages(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 before, at, small;

	(void)arg;
	units_expect(heap);
	small = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, unit - PAGE);
	before = units_mapped(heap);
	pattern_fill(base + small, unit - PAGE, 3);
	EXPECT_EQ(units_mapped(heap), before);
	at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 2 * unit + 5 * PAGE);
	pattern_fill(base + at, 2 * unit + 5 * PAGE, 4);
	EXPECT(units_mapped(heap) <= before + 2);
	EXPECT_EQ(touch(base + at + 2 * unit + 5 * PAGE, true), SIGBUS);
	EXPECT_EQ(pattern_check(base + small, unit - PAGE, 3), -1);
	EXPECT_EQ(pattern_check(base + at, 2 * unit + 5 * PAGE, 4), -1);
}

static void what_is_taken_is_zero(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at;

	(void)arg;
	units_expect(heap);
	for (int i = 0; i < 4; i++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 4 * unit);
		EXPECT_EQ(zero_check(base + at, 4 * unit), -1);
		memset(base + at, 0xee, 4 * unit);
		REQUIRE_OK(heap_give_one(heap, at));
		heap_trim(heap);
	}
}

/* Where a unit does not lie as it should, its pages are mapped one by one. */
static void a_crooked_mapping_has_pages(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *where, *crooked;
	size_t bytes = 64 * MIB;
	__u64 at, before;

	(void)arg;
	units_expect(heap);
	where = mmap(NULL, bytes + 2 * unit, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(where != MAP_FAILED);
	where += unit - (uintptr_t)where % unit + PAGE;
	crooked = mmap(where, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		       heap, 0);
	REQUIRE(crooked == where);
	object_make(heap, base, 4, 5, &at);
	before = units_mapped(heap);
	EXPECT_EQ(pattern_check(crooked + at, 4 * unit, 5), -1);
	pattern_fill(crooked + at, 4 * unit, 6);
	EXPECT_EQ(units_mapped(heap), before);
	EXPECT_EQ(pattern_check(base + at, 4 * unit, 6), -1);
	REQUIRE_OK(heap_give_one(heap, at));
	EXPECT_EQ(touch(crooked + at + unit, false), SIGBUS);
	EXPECT_EQ(touch(base + at + unit, false), SIGBUS);
	REQUIRE(!munmap(crooked, bytes));
}

/* And where the mapping begins, or ends, in the middle of a unit. */
static void a_window_into_a_unit_has_pages(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *where, *window;
	__u64 at, before;
	size_t bytes;

	(void)arg;
	units_expect(heap);
	bytes = unit;
	where = mmap(NULL, 3 * bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(where != MAP_FAILED);
	object_make(heap, base, 3, 15, &at);
	/* As it should lie, but for what is missing at both ends. */
	where += bytes - (uintptr_t)where % bytes + PAGE;
	window = mmap(where, bytes + 3 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_FIXED, heap, (off_t)(at + PAGE));
	REQUIRE(window == where);
	before = units_mapped(heap);
	EXPECT_EQ(memcmp(window, base + at + PAGE, bytes + 3 * PAGE), 0);
	memset(window, 0x55, bytes + 3 * PAGE);
	EXPECT_EQ(base[at + PAGE], 0x55);
	EXPECT_EQ(base[at + bytes + 4 * PAGE - 1], 0x55);
	EXPECT_EQ(units_mapped(heap), before);
	REQUIRE(!munmap(window, bytes + 3 * PAGE));
}

static void who_wants_pages_has_pages(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at, before;

	(void)arg;
	units_expect(heap);
	object_make(heap, base, 2, 7, &at);
	REQUIRE(!madvise(base, REGION_BYTES, MADV_NOHUGEPAGE));
	REQUIRE(!madvise(base, REGION_BYTES, MADV_DONTNEED));
	before = units_mapped(heap);
	EXPECT_EQ(pattern_check(base + at, 2 * unit, 7), -1);
	pattern_fill(base + at, 2 * unit, 8);
	EXPECT_EQ(units_mapped(heap), before);
	/* Page tables that are there stay there. */
	REQUIRE(!madvise(base, REGION_BYTES, MADV_HUGEPAGE) || errno == EINVAL);
	EXPECT_EQ(pattern_check(base + at, 2 * unit, 8), -1);
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
}

/* Small objects come to lie where units were, and the other way round. */
static void units_and_pages_take_turns(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	static __u64 small[2000];
	__u64 at;

	(void)arg;
	units_expect(heap);
	for (int round = 0; round < 3; round++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_LIST, 3 * unit);
		pattern_fill(base + at, 3 * unit, 9);
		EXPECT_EQ(pattern_check(base + at, 3 * unit, 9), -1);
		REQUIRE_OK(heap_give_one(heap, at));
		REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_STR, 3000, small,
				     ARRAY_SIZE(small)));
		for (size_t i = 0; i < ARRAY_SIZE(small); i++)
			pattern_fill(base + small[i], 3000, i);
		for (size_t i = 0; i < ARRAY_SIZE(small); i++)
			REQUIRE_EQ(pattern_check(base + small[i], 3000, i), -1);
		REQUIRE_OK(heap_give(heap, 0, small, ARRAY_SIZE(small)));
		heap_trim(heap);
	}
}

static void a_part_can_be_unmapped(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at;

	(void)arg;
	units_expect(heap);
	object_make(heap, base, 2, 10, &at);
	REQUIRE(!madvise(base + at + 7 * PAGE, 3 * PAGE, MADV_DONTNEED));
	REQUIRE(!madvise(base + at + unit - PAGE, 2 * PAGE, MADV_DONTNEED));
	EXPECT_EQ(pattern_check(base + at, 2 * unit, 10), -1);
	REQUIRE(!mprotect(base, REGION_BYTES, PROT_READ));
	EXPECT_EQ(touch(base + at + unit, true), SIGSEGV);
	EXPECT_EQ(pattern_check(base + at, 2 * unit, 10), -1);
	REQUIRE(!mprotect(base, REGION_BYTES, PROT_NONE));
	EXPECT_EQ(touch(base + at, false), SIGSEGV);
	REQUIRE(!mprotect(base, REGION_BYTES, PROT_READ | PROT_WRITE));
	pattern_fill(base + at, 2 * unit, 11);
	EXPECT_EQ(pattern_check(base + at, 2 * unit, 11), -1);
}

static void a_moving_object_takes_its_units_along(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at, usable, was, before;
	struct privheap_heap_stat stat;

	(void)arg;
	units_expect(heap);
	object_make(heap, base, 4, 12, &at);
	was = at;
	stat = heap_stat(heap);
	REQUIRE_OK(heap_regrow(heap, &at, 16 * unit, &usable));
	REQUIRE(at != was && at % unit == 0);
	EXPECT_EQ(heap_stat(heap).moved_pages - stat.moved_pages, 4 * unit / PAGE);
	EXPECT_EQ(heap_stat(heap).moved_bytes, stat.moved_bytes);
	EXPECT_EQ(touch(base + was, true), SIGBUS);
	before = units_mapped(heap);
	EXPECT_EQ(pattern_check(base + at, 4 * unit, 12), -1);
	EXPECT_EQ(units_mapped(heap) - before, 4);
	EXPECT_EQ(zero_check(base + at + 4 * unit, 12 * unit), -1);
	/* What it grows by begins in the middle of where a unit would be. */
	REQUIRE_OK(heap_regrow(heap, &at, 5 * unit + 3 * PAGE, &usable));
	pattern_fill(base + at, 5 * unit + 3 * PAGE, 13);
	REQUIRE_OK(heap_regrow(heap, &at, 16 * unit + PAGE, &usable));
	EXPECT_EQ(pattern_check(base + at, 5 * unit + 3 * PAGE, 13), -1);
	memset(base + at, 0xee, 16 * unit + PAGE);
}

/* A unit of which but a part stays is given back, and its part copied. */
static void a_unit_can_be_cut(int heap, const void *arg)
{
	static const struct cut {
		__u64 units, bytes;
	} cuts[] = {
		{ 1, PAGE }, { 0, 5 * PAGE + 1 }, { 2, 0 }, { 1, 2 * MIB - PAGE },
		{ 0, 20000 },
	};
	unsigned char *base = region_map(heap);
	__u64 at, usable, bytes, pages;
	struct privheap_heap_stat stat;

	(void)arg;
	units_expect(heap);
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		object_make(heap, base, 6, 14 + i, &at);
		bytes = cuts[i].units * unit + cuts[i].bytes;
		REQUIRE_OK(heap_regrow(heap, &at, bytes, &usable));
		EXPECT_EQ(pattern_check(base + at, bytes, 14 + i), -1);
		stat = heap_stat(heap);
		pages = stat.held_bytes - stat.metadata_bytes - stat.reserve_bytes;
		EXPECT_EQ(pages, (bytes + PAGE - 1) / PAGE * PAGE);
		REQUIRE_OK(heap_give_one(heap, at));
		heap_trim(heap);
	}
}

/* To become smaller needs no memory, not even for a part of a unit. */
static void a_full_heap_lets_objects_shrink(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at, usable = 0, bytes;

	(void)arg;
	units_expect(heap);
	bytes = unit + unit / 2;
	object_make(heap, base, 6, 20, &at);
	/* Enough for the books of where it goes, and no more. */
	REQUIRE_OK(heap_setup(heap, 0, 0, heap_stat(heap).held_bytes + 65536));
	REQUIRE_OK(heap_regrow(heap, &at, bytes, &usable));
	EXPECT_EQ(usable, 2 * unit);
	EXPECT_EQ(pattern_check(base + at, bytes, 20), -1);
	EXPECT(heap_stat(heap).held_bytes < 3 * unit);
	REQUIRE_OK(heap_give_one(heap, at));
}

/* What was promised has single pages, and comes first. */
static void the_reserve_comes_first(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	__u64 at, held;

	(void)arg;
	units_expect(heap);
	REQUIRE_OK(heap_setup(heap, 8 * unit, 0, 0));
	held = heap_stat(heap).held_bytes;
	at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 6 * unit);
	pattern_fill(base + at, 6 * unit, 21);
	EXPECT(heap_stat(heap).held_bytes < held + unit);
	EXPECT_EQ(units_mapped(heap), 0);
	EXPECT_EQ(pattern_check(base + at, 6 * unit, 21), -1);
	REQUIRE_OK(heap_give_one(heap, at));
}

/* None is to be had: it is the same, by pages. */
static void without_units_pages_do(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	struct faults f;
	__u64 at = 0;
	int err;

	(void)arg;
	units_expect(heap);
	faults_make(&f);
	faults_choose(FAIL_ON);
	file_write(fault_path(FAULT_PAGE, "min-order"), "2");
	fault_set(FAULT_SLAB, "times", 0);
	fault_set(FAULT_COPY, "times", 0);
	faults_begin(&f, 0);
	err = heap_take(heap, PRIVHEAP_TYPE_LIST, 4 * unit, &at, 1);
	faults_end(&f);
	file_write(fault_path(FAULT_PAGE, "min-order"), "0");
	REQUIRE_OK(err);
	pattern_fill(base + at, 4 * unit, 22);
	EXPECT_EQ(units_mapped(heap), 0);
	EXPECT_EQ(pattern_check(base + at, 4 * unit, 22), -1);
}

static const char *const partings[] = { "give", "trim", "move", "cut", "close" };

/* Others take and overwrite all that there is to have at once. */
static void overwrite_much(void)
{
	int heap = heap_open();
	unsigned char *base = region_map(heap);
	__u64 at;

	for (int i = 0; i < 8; i++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, 4 * unit);
		memset(base + at, 0xee, 4 * unit);
	}
	REQUIRE(!munmap(base, REGION_BYTES));
	close(heap);
}

static void a_unit_outlives_its_object(int heap, const void *arg)
{
	int how = (int)(uintptr_t)arg, pair[2], own = heap_open();
	unsigned char *base = region_map(own), buffer[8 * PAGE];
	struct iovec vec = { .iov_len = sizeof(buffer) };
	__u64 at, usable;

	(void)heap;
	units_expect(own);
	REQUIRE(!pipe2(pair, O_CLOEXEC));
	object_make(own, base, 3, 23, &at);
	pattern_fill(base + at + unit + 5 * PAGE, sizeof(buffer), 24);
	vec.iov_base = base + at + unit + 5 * PAGE;
	REQUIRE(vmsplice(pair[1], &vec, 1, 0) == sizeof(buffer));
	if (how < 2)
		REQUIRE_OK(heap_give_one(own, at));
	if (how == 1)
		heap_trim(own);
	if (how == 2 || how == 3)
		REQUIRE_OK(heap_regrow(own, &at, how == 2 ? 9 * unit :
				       unit + PAGE, &usable));
	if (how == 2)
		EXPECT_EQ(pattern_check(base + at + unit + 5 * PAGE,
					sizeof(buffer), 24), -1);
	if (how == 4) {
		close(own);
		REQUIRE(!munmap(base, REGION_BYTES));
	}
	overwrite_much();
	EXPECT_EQ(read(pair[0], buffer, sizeof(buffer)), (ssize_t)sizeof(buffer));
	EXPECT_EQ(pattern_check(buffer, sizeof(buffer), 24), -1);
	if (how < 4) {
		REQUIRE(!munmap(base, REGION_BYTES));
		close(own);
	}
}

/* Other processes, pipes and files reach what is in a unit, at any place. */
/* A byte in a pipe has all of it, which does not go uncounted. */
static void a_held_unit_counts_until_it_is_free(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), byte;
	struct counters before, held, after;
	struct iovec vec = { .iov_len = 1 };
	int pair[2];
	__u64 at;

	(void)arg;
	units_expect(heap);
	if (counters_read(&before))
		test_skip("who may not read the counters cannot tell");
	vec.iov_base = object_make(heap, base, 1, 3, &at);
	REQUIRE(!pipe(pair) && vmsplice(pair[1], &vec, 1, 0) == 1);
	REQUIRE_OK(heap_give_one(heap, at));
	heap_trim(heap);
	REQUIRE_OK(counters_read(&held));
	EXPECT(held.pages >= before.pages + unit / PAGE);
	EXPECT(heap_stat(heap).held_bytes < unit);
	REQUIRE(read(pair[0], &byte, 1) == 1);
	close(pair[0]);
	close(pair[1]);
	REQUIRE_OK(counters_read(&after));
	EXPECT(after.pages + unit / PAGE <= held.pages);
}

static void the_kernel_reaches_units(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *object;
	int file = memfd_create("plain", MFD_CLOEXEC), status;
	struct iovec local, remote;
	__u64 at;
	pid_t pid;

	(void)arg;
	units_expect(heap);
	REQUIRE(file >= 0);
	object = object_make(heap, base, 3, 25, &at);
	EXPECT_EQ(write(file, object, 3 * unit), (ssize_t)(3 * unit));
	memset(object, 0, 3 * unit);
	REQUIRE(!madvise(base, REGION_BYTES, MADV_DONTNEED));
	EXPECT_EQ(pread(file, object, 3 * unit, 0), (ssize_t)(3 * unit));
	EXPECT_EQ(pattern_check(object, 3 * unit, 25), -1);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		unsigned char *copy = malloc(2 * unit), *same = malloc(2 * unit);

		REQUIRE(copy && same);
		local = (struct iovec){ copy, 2 * unit };
		remote = (struct iovec){ object + unit / 2, 2 * unit };
		EXPECT_EQ(process_vm_readv(getppid(), &local, 1, &remote, 1, 0),
			  (ssize_t)(2 * unit));
		REQUIRE(pread(file, same, 2 * unit, unit / 2) == (ssize_t)(2 * unit));
		EXPECT_EQ(memcmp(copy, same, 2 * unit), 0);
		memset(copy, 0x42, 2 * unit);
		EXPECT_EQ(process_vm_writev(getppid(), &local, 1, &remote, 1, 0),
			  (ssize_t)(2 * unit));
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(pattern_check(object, unit / 2, 25), -1);
	for (__u64 i = unit / 2; i < unit / 2 + 2 * unit; i += 509)
		REQUIRE_EQ(object[i], 0x42);
}

/* Each page of a unit is a place of its own; two mappings agree on it. */
static void futexes_in_units(int heap, const void *arg)
{
	unsigned char *base = region_map(heap), *theirs;
	int status;
	__u64 at;
	pid_t pid;

	(void)arg;
	units_expect(heap);
	object_make(heap, base, 2, 26, &at);
	memset(base + at + unit, 0, unit);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		const struct timespec limit = { .tv_sec = 60 };

		theirs = region_map(heap);
		EXPECT_EQ(syscall(SYS_futex, theirs + at + unit + 9 * PAGE,
				  FUTEX_WAIT, 0, &limit, NULL, 0), 0);
		fflush(stdout);
		_exit(0);
	}
	while (syscall(SYS_futex, base + at + unit + 9 * PAGE, FUTEX_REQUEUE, 0, 1,
		       base + at + unit + 9 * PAGE, 0) != 1)
		usleep(1000);
	EXPECT_EQ(syscall(SYS_futex, base + at + unit + 8 * PAGE, FUTEX_WAKE, 1), 0);
	EXPECT_EQ(syscall(SYS_futex, base + at + 9 * PAGE, FUTEX_WAKE, 1), 0);
	EXPECT_EQ(syscall(SYS_futex, base + at + unit, FUTEX_WAKE, 1), 0);
	EXPECT_EQ(syscall(SYS_futex, base + at + unit + 9 * PAGE, FUTEX_WAKE, 1), 1);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
}

/* An entry of a unit counts nothing: a child that had one could keep it. */
static void a_child_has_no_units(int heap, const void *arg)
{
	unsigned char *base = region_map(heap);
	int status;
	__u64 at;
	pid_t pid;

	(void)arg;
	units_expect(heap);
	object_make(heap, base, 2, 27, &at);
	REQUIRE(!madvise(base, REGION_BYTES, MADV_DOFORK));
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		EXPECT_EQ(touch(base + at + unit, true), SIGBUS);
		REQUIRE_OK(heap_give_one(heap, at));
		EXPECT_EQ(touch(base + at + unit, true), SIGBUS);
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(touch(base + at + unit, true), SIGBUS);
}

static void populate_maps_units_behind_gaps(int heap, const void *arg)
{
	unsigned char *base;
	__u64 at, faults;

	(void)arg;
	units_expect(heap);
	base = region_map(heap);
	heap_take_one(heap, PRIVHEAP_TYPE_INT, 0);
	object_make(heap, base, 3, 29, &at);
	EXPECT(at);
	REQUIRE(!munmap(base, REGION_BYTES));
	base = map_at(heap, 0, REGION_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE);
	REQUIRE(base != MAP_FAILED);
	faults = heap_stat(heap).faults;
	EXPECT_EQ(pattern_check(base + at, 3 * unit, 29), -1);
	pattern_fill(base + at, 3 * unit, 30);
	EXPECT_EQ(heap_stat(heap).faults, faults);
}

/* What comes and goes meanwhile. */
static struct {
	int heap;
	unsigned char *base;
	__u64 at;
	bool stop;
} storm;

static bool storm_goes_on(void)
{
	return !__atomic_load_n(&storm.stop, __ATOMIC_RELAXED);
}

/* The kernel's copies fail where nothing is, and do not end the process. */
static void *storm_write(void *arg)
{
	static unsigned char bytes[64 * PAGE];
	struct iovec local = { bytes, sizeof(bytes) }, remote = local;

	for (unsigned int i = 0; storm_goes_on(); i++) {
		remote.iov_base = storm.base + i % 61 * 16 * PAGE +
			__atomic_load_n(&storm.at, __ATOMIC_RELAXED);
		process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
	}
	return arg;
}

/* Pages are held for as long as it takes to read them again. */
static void *storm_splice(void *arg)
{
	struct iovec vec = { .iov_len = 8 * PAGE };
	unsigned char buffer[8 * PAGE];
	int pair[2];

	REQUIRE(!pipe2(pair, O_CLOEXEC));
	for (unsigned int i = 0; storm_goes_on(); i++) {
		vec.iov_base = storm.base + i % 61 * 16 * PAGE +
			__atomic_load_n(&storm.at, __ATOMIC_RELAXED);
		if (vmsplice(pair[1], &vec, 1, SPLICE_F_NONBLOCK) > 0)
			REQUIRE(read(pair[0], buffer, sizeof(buffer)) > 0);
	}
	close(pair[0]);
	close(pair[1]);
	return arg;
}

static void *storm_unmap(void *arg)
{
	unsigned char *own;

	for (unsigned int i = 0; storm_goes_on(); i++) {
		madvise(storm.base + __atomic_load_n(&storm.at, __ATOMIC_RELAXED) +
			i % 61 * 16 * PAGE, 5 * PAGE, MADV_DONTNEED);
		if (i % 64)
			continue;
		own = region_map(storm.heap);
		madvise(own + __atomic_load_n(&storm.at, __ATOMIC_RELAXED),
			16 * PAGE, MADV_POPULATE_WRITE);
		REQUIRE(!munmap(own, REGION_BYTES));
	}
	return arg;
}

static void *storm_fork(void *arg)
{
	int status;
	pid_t pid;

	while (storm_goes_on()) {
		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			for (int i = 0; i < 8; i++)
				madvise(storm.base + __atomic_load_n(&storm.at,
					__ATOMIC_RELAXED) + i * MIB / 2, PAGE,
					MADV_POPULATE_WRITE);
			_exit(0);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		EXPECT_EQ(status, 0);
	}
	return arg;
}

static void units_come_and_go_in_a_storm(int heap, const void *arg)
{
	void *(*const runs[])(void *) = {
		storm_write, storm_splice, storm_unmap, storm_fork,
	};
	pthread_t thread[ARRAY_SIZE(runs)];
	__u64 usable, at;

	(void)arg;
	units_expect(heap);
	storm.heap = heap;
	storm.base = region_map(heap);
	REQUIRE(!madvise(storm.base, REGION_BYTES, MADV_DOFORK));
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		REQUIRE(!pthread_create(&thread[i], NULL, runs[i], NULL));
	for (__u64 i = 0; i < 100; i++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_LIST, 2 * unit);
		__atomic_store_n(&storm.at, at, __ATOMIC_RELAXED);
		usleep(1000);
		REQUIRE_OK(heap_regrow(heap, &at, i % 2 ? 4 * unit + i * PAGE :
				       unit / 2 + i * PAGE, &usable));
		__atomic_store_n(&storm.at, at, __ATOMIC_RELAXED);
		usleep(1000);
		REQUIRE_OK(heap_give_one(heap, at));
		if (i % 4 == 0)
			heap_trim(heap);
	}
	__atomic_store_n(&storm.stop, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		REQUIRE(!pthread_join(thread[i], NULL));
	test_note("%llu units were mapped", (unsigned long long)units_mapped(heap));
}

int main(void)
{
	TEST(one_fault_maps_a_unit);
	TEST(the_rest_is_mapped_by_pages);
	TEST(what_is_taken_is_zero);
	TEST(a_crooked_mapping_has_pages);
	TEST(a_window_into_a_unit_has_pages);
	TEST(who_wants_pages_has_pages);
	TEST(units_and_pages_take_turns);
	TEST(a_part_can_be_unmapped);
	TEST(a_moving_object_takes_its_units_along);
	TEST(a_unit_can_be_cut);
	TEST(a_full_heap_lets_objects_shrink);
	TEST(the_reserve_comes_first);
	TEST(without_units_pages_do);
	for (size_t i = 0; i < ARRAY_SIZE(partings); i++)
		TEST_ARG(a_unit_outlives_its_object, (void *)(uintptr_t)i,
			 "a_unit_outlives_its_object_after_%s", partings[i]);
	TEST(a_held_unit_counts_until_it_is_free);
	TEST(the_kernel_reaches_units);
	TEST(futexes_in_units);
	TEST(a_child_has_no_units);
	TEST(populate_maps_units_behind_gaps);
	TEST(units_come_and_go_in_a_storm);
	return tests_run();
}
