// SPDX-License-Identifier: GPL-2.0
/*
 * libprivheap: plain memory as the kernel sees it. How much of it is writable,
 * locked, or in how many mappings; and what happens where the process may have less.
 */
#include "library.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE	4096			/* the smallest there is */

static __u64 own_kb(const char *name)
{
	__u64 kb = file_number("/proc/self/status", name);

	REQUIRE(kb != ~0ULL);
	return kb;
}

static __u64 mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	__u64 lines = 0;
	int c;

	REQUIRE(file);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

/* From now on it may have what it has, and so much more. */
static void limit_to(int resource, const char *name, __u64 more)
{
	struct rlimit limit;

	REQUIRE(!getrlimit(resource, &limit));
	limit.rlim_cur = own_kb(name) * KIB + more;
	REQUIRE(!setrlimit(resource, &limit));
}

static void unlimit(int resource)
{
	struct rlimit limit;

	REQUIRE(!getrlimit(resource, &limit));
	limit.rlim_cur = limit.rlim_max;
	REQUIRE(!setrlimit(resource, &limit));
}

/* A word of each page says whose it is, and which one. */
static void mark_pages(unsigned char *at, size_t bytes, __u64 seed)
{
	for (size_t i = 0; i + sizeof(__u64) <= bytes; i += PAGE) {
		__u64 word = seed + i + 1;

		memcpy(at + i, &word, sizeof(word));
	}
}

static bool pages_marked(const unsigned char *at, size_t bytes, __u64 seed)
{
	for (size_t i = 0; i + sizeof(__u64) <= bytes; i += PAGE) {
		__u64 word = seed + i + 1;

		if (memcmp(at + i, &word, sizeof(word)))
			return false;
	}
	return true;
}

static void locked_memory_comes_back_as_zeroes(int unused, const void *arg)
{
	static const size_t sizes[] = { 100 * KIB, 3 * MIB };
	struct privheap *heap = library_heap(arg);

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned char *object = privheap_malloc(heap, sizes[i]);

		REQUIRE(object);
		memset(object, 0xaa, sizes[i]);
		if (mlock(object, 32 * KIB))
			test_skip("may not lock memory");
		privheap_free(heap, object);
		REQUIRE(!privheap_trim(heap));
		object = privheap_calloc(heap, 1, sizes[i]);
		REQUIRE(object);
		EXPECT_EQ(zero_check(object, sizes[i]), -1);
		privheap_free(heap, object);
	}
	privheap_delete(heap);
}

/* Address space is cheap, but memory that may be written to is promised. */
static void little_is_writable_memory(int unused, const void *arg)
{
	__u64 was = own_kb("VmData");
	struct privheap *heap = library_heap(arg);

	(void)unused;
	for (int i = 0; i < 100; i++)
		REQUIRE(privheap_malloc(heap, 1 << i % 17));
	EXPECT(own_kb("VmData") < was + 32 * 1024);
	REQUIRE(privheap_malloc(heap, 64 * MIB));
	EXPECT(own_kb("VmData") >= was + 64 * 1024);
	EXPECT(own_kb("VmData") < was + 96 * 1024);
	privheap_delete(heap);
	EXPECT(own_kb("VmData") < was + 16 * 1024);
}

static void commit_little(const void *arg)
{
	__u64 was = file_number("/proc/meminfo", "Committed_AS");
	struct privheap *heap = library_heap(arg);

	REQUIRE(privheap_malloc(heap, 100));
	EXPECT(file_number("/proc/meminfo", "Committed_AS") < was + 64 * 1024);
	privheap_delete(heap);
}

/* Where the kernel promises no more than there is, MAP_NORESERVE means nothing. */
static void strict_overcommit_is_no_matter(int unused, const void *arg)
{
	static const char mode[] = "/proc/sys/vm/overcommit_memory";

	(void)unused;
	test_needs_root();
	if (file_write(mode, "2"))
		test_skip("the mode cannot be set");
	test_in_a_child(commit_little, arg);
	EXPECT(!file_write(mode, "0"));
}

static void half_of_the_address_space_stays(int unused, const void *arg)
{
	struct privheap *heap;
	void *other;
	__u64 was;

	(void)unused;
	/* A power of two and a bit more: nearly all of it would be one. */
	limit_to(RLIMIT_AS, "VmSize", 1024 * MIB + 64 * MIB);
	was = own_kb("VmSize");
	heap = library_heap(arg);
	EXPECT(own_kb("VmSize") < was + 600 * 1024);
	other = mmap(NULL, 400 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(other != MAP_FAILED);
	REQUIRE(privheap_malloc(heap, 100));
	/* And the other half is the heap's. */
	EXPECT(privheap_fd(heap) >= 0 || privheap_malloc(heap, 300 * MIB));
	privheap_delete(heap);
}

/* What cannot be opened is ENOMEM, and what was there is as it was. */
static void without_memory_the_heap_is_as_before(int unused, const void *arg)
{
	enum { SPANS = 64 };
	struct privheap *heap = library_heap(arg);
	unsigned char *span[SPANS];
	unsigned int got = 0;
	int err;

	(void)unused;
	span[got] = privheap_malloc(heap, MIB);
	REQUIRE(span[got]);
	mark_pages(span[got++], MIB, 0);
	limit_to(RLIMIT_DATA, "VmData", 12 * MIB);
	for (errno = 0; got < SPANS; got++) {
		span[got] = privheap_malloc(heap, MIB);
		if (!span[got])
			break;
		mark_pages(span[got], MIB, got);
	}
	err = errno;
	EXPECT(!privheap_realloc(heap, span[0], 30 * MIB));
	unlimit(RLIMIT_DATA);
	EXPECT_EQ(err, ENOMEM);
	EXPECT(got > 4 && got < 16);
	for (unsigned int i = 0; i < got; i++)
		EXPECT(pages_marked(span[i], MIB, i));
	span[0] = privheap_realloc(heap, span[0], 30 * MIB);
	REQUIRE(span[0]);
	EXPECT(pages_marked(span[0], MIB, 0));
	privheap_delete(heap);
}

static void locking_all_locks_what_is_used(int unused, const void *arg)
{
	struct privheap *before = library_heap(arg), *after;
	unsigned char *object;

	(void)unused;
	test_needs_root();
	REQUIRE(privheap_malloc(before, 100));
	REQUIRE(!mlockall(MCL_CURRENT | MCL_FUTURE));
	after = library_heap(arg);
	for (int i = 0; i < 10; i++) {
		object = privheap_malloc(i % 2 ? before : after, 3 * MIB);
		REQUIRE(object);
		memset(object, 0xaa, 3 * MIB);
		object = privheap_realloc(i % 2 ? before : after, object, 4 * MIB);
		REQUIRE(object);
		EXPECT_EQ(object[3 * MIB - 1], 0xaa);
		privheap_free(i % 2 ? before : after, object);
	}
	object = privheap_calloc(before, 1, 3 * MIB);
	REQUIRE(object);
	EXPECT_EQ(zero_check(object, 3 * MIB), -1);
	EXPECT(own_kb("VmRSS") < 256 * 1024);
	privheap_delete(after);
	privheap_delete(before);
}

/* Each of many spans grows, with all others there: of either way to move them. */
static void growing_leaves_few_mappings(int unused, const void *arg)
{
	enum { SMALL = 1000, LARGE = 60 };
	static unsigned char *small[SMALL], *large[LARGE];
	struct privheap *heap = library_heap(arg);
	__u64 was = mappings();

	(void)unused;
	for (int i = 0; i < SMALL; i++) {
		small[i] = privheap_malloc(heap, 20000);
		REQUIRE(small[i]);
		mark_pages(small[i], 20000, i);
	}
	for (int i = 0; i < SMALL; i++) {
		small[i] = privheap_realloc(heap, small[i], 40000);
		REQUIRE(small[i] && pages_marked(small[i], 20000, i));
	}
	EXPECT(mappings() < was + 50);
	for (int i = 0; i < LARGE; i++) {
		large[i] = privheap_malloc(heap, MIB + MIB / 2);
		REQUIRE(large[i]);
		mark_pages(large[i], MIB, i);
	}
	for (int round = 2; round < 5; round++) {
		for (int i = 0; i < LARGE; i++) {
			large[i] = privheap_realloc(heap, large[i], round * 2 * MIB);
			REQUIRE(large[i] && pages_marked(large[i], MIB, i));
		}
	}
	for (int i = 0; i < LARGE; i++)
		privheap_free(heap, large[i]);
	EXPECT(!privheap_trim(heap));
	EXPECT(mappings() < was + 50);
	privheap_delete(heap);
}

/* Gaps of all sizes, in any order: what is joined again serves one span. */
static void freed_neighbours_are_one_gap(int unused, const void *arg)
{
	enum { SPANS = 3000 };
	static void *span[SPANS];
	struct privheap *heap = library_heap(arg);
	__u64 state = 11, open, other;

	(void)unused;
	for (int i = 0; i < SPANS; i++)
		REQUIRE((span[i] = privheap_malloc(heap, 12000 + i % 7 * 4096)));
	open = own_kb("VmData");
	for (int i = 0; i < SPANS; i++) {
		__u64 from = i + random_next(&state) % (SPANS - i);
		void *one = span[from];

		span[from] = span[i];
		privheap_free(heap, one);
	}
	EXPECT(!privheap_trim(heap));
	other = 0;
	for (int i = 0; i < SPANS; i++)
		other += 12000 + i % 7 * 4096;
	REQUIRE(privheap_calloc(heap, 1, other));
	EXPECT(own_kb("VmData") < open + 4 * 1024);
	privheap_delete(heap);
}

/* Large ones that grow, shrink, come zeroed and are locked, some of each. */
static void large_spans_follow_a_model(int unused, const void *arg)
{
	enum { OBJECTS = 12 };
	struct { unsigned char *at; size_t bytes; } model[OBJECTS] = { 0 };
	struct privheap *heap = library_heap(arg);
	__u64 state = 5;

	(void)unused;
	for (unsigned long n = 0; n < scaled(600); n++) {
		__u64 random = random_next(&state);
		unsigned int i = random % OBJECTS;
		size_t had = model[i].bytes, bytes = 20000 + (random >> 8) % (6 * MIB);

		if (model[i].at)
			REQUIRE(pages_marked(model[i].at, had, i));
		if (random >> 40 & 1) {
			privheap_free(heap, model[i].at);
			model[i].at = privheap_calloc(heap, 1, bytes);
			REQUIRE(model[i].at);
			for (size_t at = 0; at < bytes; at += PAGE)
				REQUIRE(!model[i].at[at]);
		} else {
			model[i].at = privheap_realloc(heap, model[i].at, bytes);
			REQUIRE(model[i].at);
			REQUIRE(!had || pages_marked(model[i].at, MIN(bytes, had), i));
		}
		model[i].bytes = bytes;
		mark_pages(model[i].at, bytes, i);
		/* Where it may not, it is one case less. */
		if (!(random >> 50 & 7))
			mlock(model[i].at + bytes / 2 / PAGE * PAGE, PAGE);
	}
	privheap_delete(heap);
}

/* Beyond what is open so far there is address space of the heap, and no object. */
static void wild_addresses_are_reported(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	char *object = privheap_malloc(heap, 100);
	int kinds[] = {
		library_kind(heap, PRIVHEAP_TYPE_STR, 100),
		library_kind(heap, PRIVHEAP_TYPE_STR, 100 * KIB),
	};

	(void)unused;
	privheap_on_corruption(library_note);
	for (size_t distance = MIB; distance <= 64 * 1024 * MIB; distance *= 4) {
		unsigned int reports = library_reports;

		EXPECT_EQ(privheap_usable_size(heap, object + distance), 0);
		privheap_free(heap, object + distance);
		EXPECT_EQ(library_reports, reports + 1);
		EXPECT(!privheap_realloc(heap, object + distance, 10));
		EXPECT_EQ(errno, EINVAL);
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			privheap_object_free(kinds[i], object + distance);
		EXPECT(!privheap_trim(heap));
		EXPECT_EQ(library_reports, reports + 4);
	}
	EXPECT(privheap_usable_size(heap, object) >= 100);
	privheap_delete(heap);
}

#define TEST_PLAIN(fn) \
	for (size_t place = 0; place < ARRAY_SIZE(places); place++) \
		if (places[place].plain) \
			TEST_BARE_ARG(fn, &places[place], #fn "_%s", places[place].name)

int main(void)
{
	TEST_PLAIN(locked_memory_comes_back_as_zeroes);
	TEST_PLAIN(little_is_writable_memory);
	TEST_PLAIN(strict_overcommit_is_no_matter);
	TEST_PLACES(half_of_the_address_space_stays);
	TEST_PLAIN(without_memory_the_heap_is_as_before);
	TEST_PLAIN(locking_all_locks_what_is_used);
	TEST_PLAIN(growing_leaves_few_mappings);
	TEST_PLAIN(freed_neighbours_are_one_gap);
	TEST_PLAIN(large_spans_follow_a_model);
	TEST_PLAIN(wild_addresses_are_reported);
	return tests_run();
}
