// SPDX-License-Identifier: GPL-2.0
/*
 * The module itself: unloading, loading again and again, its parameters.
 *
 * It takes the module out and puts it back as it was.
 */
#include "loading.h"
#include "mapping.h"
#include "memory.h"

#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define MIB		(1ULL << 20)

/*
 * The module's part is to be referenced by its open files; the kernel then
 * says EWOULDBLOCK to a caller that does not want to wait (EBUSY is for a
 * module that is half loaded).
 */
static void removal_with_an_open_heap_is_refused(int heap, const void *arg)
{
	int other = heap_open();
	__u64 handle = heap_new(other, PRIVHEAP_TYPE_STR, 100);

	(void)arg;
	(void)heap;
	object_fill(other, handle, 100, 1);
	EXPECT_ERR(module_remove(), EBUSY, EWOULDBLOCK);
	object_check(other, handle, 100, 1);
	EXPECT_OK(heap_free_one(other, handle));
	close(other);
}

/* A mapping alone is enough to be in use. */
static void removal_with_a_mapping_is_refused(int heap, const void *arg)
{
	int other = heap_open();
	unsigned char *base = region_map(other);
	__u64 at = heap_take_one(other, PRIVHEAP_TYPE_STR, 100);

	(void)arg;
	(void)heap;
	pattern_fill(base + at, 100, 1);
	close(other);
	EXPECT_ERR(module_remove(), EBUSY, EWOULDBLOCK);
	EXPECT_EQ(pattern_check(base + at, 100, 1), -1);
	REQUIRE(!munmap(base, REGION_BYTES));
	REQUIRE_OK(module_remove());
	EXPECT_OK(module_insert(as_it_was));
}

static void removal_with_an_open_debugfs_file(int heap, const void *arg)
{
	int fd = open("/sys/kernel/debug/privheap/module", O_RDONLY | O_CLOEXEC);
	char buffer[256];
	int err;

	(void)arg;
	(void)heap;
	REQUIRE(fd >= 0);
	err = module_remove();
	EXPECT_ERR(err, 0, EBUSY, EWOULDBLOCK);
	/* Whichever it is, what is open must stay harmless. */
	if (read(fd, buffer, sizeof(buffer)) < 0)
		EXPECT_ERR(errno, EIO, ENOENT, ENODEV);
	close(fd);
	if (!err)
		EXPECT_OK(module_insert(as_it_was));
}

/* Load with a reserve, use a heap, close it, unload. */
static void cycle(const char *parameters)
{
	__u64 handles[64];
	int heap;

	REQUIRE_OK(module_insert(parameters));
	heap = heap_open();
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 20000, handles, 64);
	heap_drain(heap, handles, 32);
	close(heap);
	REQUIRE_OK(module_remove());
}

/*
 * Tolerance: a reserve that is lost now and then would be 8 MiB each, a heap's
 * memory 1 MiB per cycle; loading any module costs the kernel some 20 KiB for
 * names in sysfs and the like.
 */
static void cycles(const void *arg)
{
	unsigned long n = scaled(50) + 1;
	__u64 was;

	(void)arg;
	REQUIRE_OK(module_remove());
	cycle("reserve_mb=8");
	cycle("");
	was = memory_free_kb();
	for (unsigned long i = 0; i < n; i++)
		cycle(i % 2 ? "reserve_mb=8" : "");
	memory_expect_back(was, 1024 + n * 20);
}

static void cycles_bring_every_page_back(int heap, const void *arg)
{
	(void)heap;
	restored_after(cycles, arg);
}

/* Opens, uses and closes heaps as long as there is a device; holds none for long. */
static void be_opener(unsigned int seed)
{
	__u64 handles[16], state = seed;
	char byte;
	int fd;

	for (;;) {
		fd = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			EXPECT_ERR(errno, ENOENT, ENODEV, ENXIO);
		} else {
			heap_fill(fd, PRIVHEAP_TYPE_STR, 500, handles, 16);
			heap_drain(fd, handles, 8);
			close(fd);
		}
		fd = open("/sys/kernel/debug/privheap/heaps", O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, &byte, 1) < 0)
			EXPECT_ERR(errno, EIO, ENOENT, ENODEV);
		close(fd);
		usleep(random_next(&state) % 3000);
	}
}

#define OPENERS	3

/* Load and unload while others are at the door. */
static void race_with_openers(const void *arg)
{
	unsigned long removed = 0, refused = 0, n = scaled_to(100, 10000) + 10;
	pid_t openers[OPENERS];
	int err;

	(void)arg;
	for (int i = 0; i < OPENERS; i++) {
		openers[i] = fork();
		REQUIRE(openers[i] >= 0);
		if (!openers[i])
			be_opener(i + 1);
	}
	while (removed < n && refused < 1000 * n && !test_failed()) {
		err = module_remove();
		EXPECT_ERR(err, 0, EBUSY, EWOULDBLOCK);
		refused += err != 0;
		if (err) {
			usleep(100);
			continue;
		}
		removed++;
		REQUIRE_OK(module_insert(as_it_was));
	}
	test_note("unloaded and loaded %lu times, refused %lu times", removed, refused);
	EXPECT_EQ(removed, n);
	for (int i = 0; i < OPENERS; i++) {
		kill(openers[i], SIGKILL);
		waitpid(openers[i], NULL, 0);
	}
}

static void unload_races_with_openers(int heap, const void *arg)
{
	(void)heap;
	restored_after(race_with_openers, arg);
}

/* A parameter that insmod must refuse, with a message that names it. */
static const struct bad {
	const char *what, *parameter, *value;
} bads[] = {
	{ "negative_reserve", "reserve_mb", "-1" },
	{ "huge_reserve", "reserve_mb", "1000000000" },
	{ "reserve_beyond_32_bits", "reserve_mb", "4294967297" },
	{ "reserve_beyond_64_bits", "reserve_mb", "99999999999999999999" },
	{ "reserve_in_words", "reserve_mb", "many" },
	{ "reserve_of_1_tib", "reserve_mb", "1048576" },
	{ "negative_max_heap", "max_heap_mb", "-1" },
	{ "huge_max_heap", "max_heap_mb", "4294967295" },
	{ "max_heap_in_words", "max_heap_mb", "all" },
	{ "negative_max_total", "max_total_mb", "-1" },
	{ "max_total_in_words", "max_total_mb", "x" },
	{ "empty_reserve", "reserve_mb", "" },
	{ "no_trim_interval", "trim_interval_ms", "0" },
	{ "negative_trim_interval", "trim_interval_ms", "-5" },
	{ "huge_trim_interval", "trim_interval_ms", "4000000000" },
};

/* True if the kernel's log from @kmsg's position on has @word. */
static bool log_names(int kmsg, const char *word)
{
	char record[4096];
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return false;
		record[n] = 0;
		if (strstr(record, word))
			return true;
	}
}

static void insert_bad(const void *arg)
{
	const struct bad *bad = arg;
	char parameters[128];
	int kmsg, err;

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	REQUIRE(kmsg >= 0);
	REQUIRE_OK(module_remove());
	lseek(kmsg, 0, SEEK_END);
	snprintf(parameters, sizeof(parameters), "%s=%s", bad->parameter, bad->value);
	err = module_insert(parameters);
	EXPECT_ERR(err, EINVAL, ERANGE, ENOMEM);
	EXPECT(log_names(kmsg, bad->parameter));
	EXPECT(access("/sys/module/privheap", F_OK) < 0);
	EXPECT(access(PRIVHEAP_DEVICE, F_OK) < 0);
	close(kmsg);
}

static void insertion_is_refused(int heap, const void *arg)
{
	(void)heap;
	restored_after(insert_bad, arg);
}

static void reserve_work(const void *arg)
{
	struct counters empty, used, after;
	__u64 page = sysconf(_SC_PAGESIZE), handles[100], from;
	int heap;

	(void)arg;
	module_reload("reserve_mb=16");
	REQUIRE_OK(counters_read(&empty));
	EXPECT_EQ(empty.reserve_pages, 16 * MIB / page);
	EXPECT_EQ(empty.reserve_free_pages, empty.reserve_pages);
	heap = heap_open();
	heap_fill(heap, PRIVHEAP_TYPE_BYTES, 40000, handles, 100);
	REQUIRE_OK(counters_read(&used));
	EXPECT(used.reserve_free_pages <= empty.reserve_pages - 4000000 / page);
	EXPECT(heap_stat(heap).pages_from_reserve > 0);
	/* Of large objects as well, as long as it has pages. */
	from = heap_stat(heap).pages_from_reserve;
	heap_take_one(heap, PRIVHEAP_TYPE_LIST, 4 * MIB);
	EXPECT_EQ(heap_stat(heap).pages_from_reserve - from, 4 * MIB / page);
	heap_take_one(heap, PRIVHEAP_TYPE_LIST, 16 * MIB);
	/* And what is too short for a run of those, to the last one. */
	do {
		heap_take_one(heap, PRIVHEAP_TYPE_LIST, 40000);
		REQUIRE_OK(counters_read(&used));
	} while (used.reserve_free_pages);
	from = heap_stat(heap).pages_from_reserve;
	heap_take_one(heap, PRIVHEAP_TYPE_LIST, 4 * MIB);
	EXPECT_EQ(heap_stat(heap).pages_from_reserve, from);
	close(heap);
	REQUIRE_OK(counters_read(&after));
	EXPECT_EQ(after.reserve_free_pages, empty.reserve_pages);
}

static void reserve_serves_heaps_and_gets_it_back(int heap, const void *arg)
{
	(void)heap;
	restored_after(reserve_work, arg);
}

static void max_heap_work(const void *arg)
{
	__u64 handle;
	int heap;

	(void)arg;
	module_reload("max_heap_mb=4");
	heap = heap_open();
	EXPECT_EQ(heap_query(heap).max_heap_bytes, 4 * MIB);
	EXPECT_EQ(heap_stat(heap).hard_max_bytes, 4 * MIB);
	EXPECT_ERR(heap_setup(heap, 0, 0, 4 * MIB + 4096), EINVAL);
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_STR, 5 * MIB, &handle, 1),
		   EDQUOT, ERANGE);
	EXPECT_OK(heap_alloc(heap, PRIVHEAP_TYPE_STR, 3 * MIB, &handle, 1));
	EXPECT_ERR(heap_alloc(heap, PRIVHEAP_TYPE_LIST, 2 * MIB, &handle, 1),
		   EDQUOT);
}

static void max_heap_of_0_work(const void *arg)
{
	(void)arg;
	module_reload("max_heap_mb=0 max_total_mb=0");
	/* As documented: no limit; a heap must at least hold what is usual. */
	EXPECT(heap_query(heap_open()).max_heap_bytes >= 1ULL << 30);
}

static void max_heap_of_0_is_no_limit(int heap, const void *arg)
{
	(void)heap;
	restored_after(max_heap_of_0_work, arg);
}

static void max_heap_bounds_each_heap(int heap, const void *arg)
{
	(void)heap;
	restored_after(max_heap_work, arg);
}

static void max_total_work(const void *arg)
{
	int heaps[3], err;
	__u64 handle;

	(void)arg;
	module_reload("max_total_mb=8");
	for (int i = 0; i < 3; i++)
		heaps[i] = heap_open();
	EXPECT_OK(heap_alloc(heaps[0], PRIVHEAP_TYPE_STR, 3 * MIB, &handle, 1));
	EXPECT_OK(heap_alloc(heaps[1], PRIVHEAP_TYPE_STR, 3 * MIB, &handle, 1));
	err = heap_alloc(heaps[2], PRIVHEAP_TYPE_STR, 3 * MIB, &handle, 1);
	EXPECT_ERR(err, EDQUOT);
	EXPECT_EQ(heap_stat(heaps[2]).live_objects, 0);
	/* What one heap gives back another can have. */
	close(heaps[0]);
	EXPECT_OK(heap_alloc(heaps[2], PRIVHEAP_TYPE_STR, 3 * MIB, &handle, 1));
}

#define PIPES		8
#define PIPE_BYTES	(16 * 4096)

/* Pages of a heap, given back, that pipes still have. */
static void pipes_fill(int (*pipes)[2])
{
	int heap = heap_open();
	unsigned char *base = region_map(heap);
	struct iovec vec = { .iov_len = PIPE_BYTES };
	__u64 at;

	for (int i = 0; i < PIPES; i++) {
		REQUIRE(!pipe2(pipes[i], O_CLOEXEC));
		at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, PIPE_BYTES);
		pattern_fill(base + at, PIPE_BYTES, i);
		vec.iov_base = base + at;
		REQUIRE(vmsplice(pipes[i][1], &vec, 1, 0) == PIPE_BYTES);
		REQUIRE_OK(heap_give_one(heap, at));
	}
	REQUIRE(!munmap(base, REGION_BYTES));
	close(heap);
}

static void pipes_check(int (*pipes)[2])
{
	static unsigned char buffer[PIPE_BYTES];

	for (int i = 0; i < PIPES; i++) {
		EXPECT_EQ(read(pipes[i][0], buffer, PIPE_BYTES), PIPE_BYTES);
		EXPECT_EQ(pattern_check(buffer, PIPE_BYTES, i), -1);
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

/* Takes all of the reserve and more, and writes to it. */
static void reserve_overwrite(void)
{
	int heap = heap_open();
	unsigned char *base = region_map(heap);
	__u64 at;

	for (int i = 0; i < 8; i++) {
		at = heap_take_one(heap, PRIVHEAP_TYPE_OBJECT, MIB);
		EXPECT_EQ(zero_check(base + at, MIB), -1);
		memset(base + at, 0xee, MIB);
	}
	REQUIRE(!munmap(base, REGION_BYTES));
	close(heap);
}

static void reserve_waits_work(const void *arg)
{
	struct counters before, held, after;
	int pipes[PIPES][2];

	(void)arg;
	module_reload("reserve_mb=4");
	REQUIRE_OK(counters_read(&before));
	pipes_fill(pipes);
	REQUIRE_OK(counters_read(&held));
	EXPECT_EQ(held.pages, before.pages);
	EXPECT_EQ(held.reserve_free_pages,
		  before.reserve_free_pages - PIPES * PIPE_BYTES / 4096);
	reserve_overwrite();
	REQUIRE_OK(counters_read(&held));
	EXPECT_EQ(held.reserve_free_pages,
		  before.reserve_free_pages - PIPES * PIPE_BYTES / 4096);
	pipes_check(pipes);
	REQUIRE_OK(counters_read(&after));
	counters_equal(&before, &after);
	reserve_overwrite();
}

/* What I/O still has of the reserve is not handed out before that is over. */
static void reserve_waits_for_pages_that_others_have(int heap, const void *arg)
{
	(void)heap;
	restored_after(reserve_waits_work, arg);
}

static void reserve_ends_work(const void *arg)
{
	int pipes[PIPES][2];

	(void)arg;
	module_reload("reserve_mb=4");
	pipes_fill(pipes);
	module_reload("reserve_mb=4");
	reserve_overwrite();
	pipes_check(pipes);
}

/* And the module does not wait for it to be unloaded. */
static void removal_while_others_have_pages_of_the_reserve(int heap, const void *arg)
{
	(void)heap;
	restored_after(reserve_ends_work, arg);
}

static void max_total_bounds_all_heaps(int heap, const void *arg)
{
	(void)heap;
	restored_after(max_total_work, arg);
}

static void removal_leaves_no_file(int heap, const void *arg)
{
	(void)arg;
	(void)heap;
	REQUIRE_OK(module_remove());
	EXPECT(access(PRIVHEAP_DEVICE, F_OK) < 0);
	EXPECT(access("/sys/kernel/debug/privheap", F_OK) < 0);
	EXPECT_ERR(module_remove(), ENOENT);
	EXPECT_OK(module_insert(as_it_was));
	close(heap_open());
}

int main(void)
{
	parameters_save();
	TEST_BARE(removal_with_an_open_heap_is_refused);
	TEST_BARE(removal_with_a_mapping_is_refused);
	TEST_BARE(removal_with_an_open_debugfs_file);
	TEST_BARE(removal_leaves_no_file);
	TEST_BARE(cycles_bring_every_page_back);
	TEST_BARE(unload_races_with_openers);
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++)
		TEST_BARE_ARG(insertion_is_refused, &bads[i],
			      "insertion_with_%s_is_refused", bads[i].what);
	TEST_BARE(reserve_serves_heaps_and_gets_it_back);
	TEST_BARE(reserve_waits_for_pages_that_others_have);
	TEST_BARE(removal_while_others_have_pages_of_the_reserve);
	TEST_BARE(max_heap_of_0_is_no_limit);
	TEST_BARE(max_heap_bounds_each_heap);
	TEST_BARE(max_total_bounds_all_heaps);
	return tests_run();
}
