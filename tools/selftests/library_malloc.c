// SPDX-License-Identifier: GPL-2.0
/* libprivheap: the malloc family, as the C standard and the C library have it. */
#include "library.h"

static void sizes_and_alignment(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);

	(void)unused;
	for (size_t bytes = 0; bytes < 40000; bytes += 1 + bytes / 16) {
		unsigned char *objects[5];

		for (int i = 0; i < 5; i++) {
			objects[i] = privheap_malloc(heap, bytes);
			REQUIRE(objects[i]);
			REQUIRE_EQ((uintptr_t)objects[i] % 16, 0);
			REQUIRE(privheap_usable_size(heap, objects[i]) >= bytes);
			pattern_fill(objects[i], privheap_usable_size(heap, objects[i]), i);
		}
		for (int i = 0; i < 5; i++) {
			REQUIRE_EQ(pattern_check(objects[i],
						 privheap_usable_size(heap, objects[i]), i), -1);
			if (i % 2)
				privheap_free(heap, objects[i]);
			else
				privheap_free_sized(heap, objects[i], bytes);
		}
	}
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void nothing_is_something(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	void *one = privheap_malloc(heap, 0), *two = privheap_malloc(heap, 0);

	(void)unused;
	EXPECT(one && two && one != two);
	EXPECT(privheap_calloc(heap, 0, 8));
	EXPECT(privheap_calloc(heap, 8, 0));
	errno = 77;
	privheap_free(heap, NULL);
	privheap_free(heap, one);
	EXPECT_EQ(errno, 77);
	EXPECT_EQ(privheap_usable_size(heap, NULL), 0);
	EXPECT(!privheap_realloc(heap, two, 0));
	two = privheap_realloc(heap, NULL, 10);
	EXPECT(two);
	privheap_free(heap, two);
	privheap_delete(heap);
}

static void too_much_is_enomem(int unused, const void *arg)
{
	static const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 15, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX, PTRDIFF_MAX / 2,
	};
	struct privheap *heap = library_heap(arg);
	char *kept = privheap_malloc(heap, 100);
	void *out = &kept;

	(void)unused;
	strcpy(kept, "kept");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		errno = 0;
		EXPECT(!privheap_malloc(heap, sizes[i]));
		EXPECT_EQ(errno, ENOMEM);
		errno = 0;
		EXPECT(!privheap_calloc(heap, 1, sizes[i]));
		EXPECT_EQ(errno, ENOMEM);
		errno = 0;
		EXPECT(!privheap_realloc(heap, kept, sizes[i]));
		EXPECT_EQ(errno, ENOMEM);
		errno = 0;
		EXPECT(!privheap_aligned_alloc(heap, 64, sizes[i]));
		EXPECT_EQ(errno, ENOMEM);
		errno = 77;
		EXPECT_EQ(privheap_posix_memalign(heap, &out, 64, sizes[i]), ENOMEM);
		EXPECT(errno == 77 && out == &kept);
	}
	/* Also where it is alignment and size together. */
	for (size_t align = 32; align; align *= 2) {
		EXPECT_EQ(privheap_posix_memalign(heap, &out, align, PTRDIFF_MAX), ENOMEM);
		EXPECT_EQ(privheap_posix_memalign(heap, &out, align, (size_t)-align), ENOMEM);
		errno = 0;
		EXPECT(align < SIZE_MAX / 4 || !privheap_aligned_alloc(heap, align, 1));
		EXPECT(errno == ENOMEM || align < SIZE_MAX / 4);
	}
	errno = 0;
	EXPECT(!privheap_calloc(heap, SIZE_MAX / 2 + 1, 2));
	EXPECT_EQ(errno, ENOMEM);
	EXPECT(!strcmp(kept, "kept"));
	privheap_delete(heap);
}

static void calloc_is_zero(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);

	(void)unused;
	for (int round = 0; round < 3; round++) {
		for (size_t bytes = 1; bytes < 300000; bytes = bytes * 3 / 2 + 1) {
			unsigned char *a = privheap_calloc(heap, 1, bytes);
			unsigned char *b = privheap_calloc(heap, bytes, 3);

			REQUIRE(a && b);
			REQUIRE_EQ(zero_check(a, bytes), -1);
			REQUIRE_EQ(zero_check(b, 3 * bytes), -1);
			memset(a, 1, bytes);
			memset(b, 1, 3 * bytes);
			privheap_free(heap, a);
			privheap_free(heap, b);
		}
	}
	privheap_delete(heap);
}

static void alignments_hold(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);

	(void)unused;
	for (size_t align = 1; align <= 4 * MIB; align *= 2) {
		for (size_t bytes = 1; bytes < 100000; bytes = bytes * 7 + 3) {
			unsigned char *objects[4];

			for (int i = 0; i < 4; i++) {
				objects[i] = privheap_aligned_alloc(heap, align, bytes);
				REQUIRE(objects[i]);
				REQUIRE_EQ((uintptr_t)objects[i] % align, 0);
				REQUIRE(privheap_usable_size(heap, objects[i]) >= bytes);
				pattern_fill(objects[i], bytes, i);
			}
			for (int i = 0; i < 3; i++) {
				REQUIRE_EQ(pattern_check(objects[i], bytes, i), -1);
				privheap_free(heap, objects[i]);
			}
			objects[3] = privheap_realloc(heap, objects[3], 2 * bytes);
			REQUIRE(objects[3]);
			REQUIRE_EQ(pattern_check(objects[3], bytes, 3), -1);
			privheap_free(heap, objects[3]);
		}
	}
	EXPECT(!privheap_aligned_alloc(heap, 24, 100));
	EXPECT_EQ(errno, EINVAL);
	EXPECT(!privheap_aligned_alloc(heap, 0, 100));
	EXPECT_EQ(errno, EINVAL);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void posix_memalign_is_posix(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	void *object = NULL;

	(void)unused;
	EXPECT_EQ(privheap_posix_memalign(heap, &object, 2, 10), EINVAL);
	EXPECT_EQ(privheap_posix_memalign(heap, &object, 48, 10), EINVAL);
	EXPECT_EQ(privheap_posix_memalign(heap, &object, 0, 10), EINVAL);
	EXPECT(!object);
	EXPECT_EQ(privheap_posix_memalign(heap, &object, 4096, 0), 0);
	EXPECT(object && (uintptr_t)object % 4096 == 0);
	privheap_free(heap, object);
	privheap_delete(heap);
}

static void realloc_keeps_content(int unused, const void *arg)
{
	static const size_t sizes[] = {
		1, 16, 17, 200, 100, 4000, 24, 8192, 8193, 9000, 16384, 16385, 70000, 30000,
		MIB, 3 * MIB, MIB, 5000, 100000, 10, 2 * MIB, 4096,
	};
	struct privheap *heap = library_heap(arg);
	unsigned char *object = privheap_malloc(heap, 8), *other[ARRAY_SIZE(sizes)];
	size_t had = 8;

	(void)unused;
	pattern_fill(object, 8, 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		object = privheap_realloc(heap, object, sizes[i]);
		REQUIRE(object);
		REQUIRE_EQ(pattern_check(object, MIN(had, sizes[i]), i), -1);
		REQUIRE(privheap_usable_size(heap, object) >= sizes[i]);
		had = sizes[i];
		pattern_fill(object, had, i + 1);
		/* A neighbour, so that growing in place is not for free. */
		other[i] = privheap_malloc(heap, sizes[i]);
		pattern_fill(other[i], sizes[i], i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		REQUIRE_EQ(pattern_check(other[i], sizes[i], i), -1);
		privheap_free(heap, other[i]);
	}
	privheap_free(heap, object);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void realloc_stays_in_its_class(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	char *object = privheap_malloc(heap, 33), *again;

	(void)unused;
	again = privheap_realloc(heap, object, 48);
	EXPECT(again == object);
	again = privheap_realloc(heap, object, 40);
	EXPECT(again == object);
	privheap_free(heap, again);
	privheap_delete(heap);
}

/*
 * C lets a free name the size that realloc was asked for, whatever the object was
 * before. Enough of them, so that magazines go back and are checked.
 */
static void realloc_then_free_sized(int unused, const void *arg)
{
	static const size_t sizes[] = { 1, 50, 64, 100, 500, 2000, 4096, 8000, 12000, 16384 };
	struct privheap *heap = library_heap(arg);
	void *objects[700], *first = privheap_malloc(heap, 100000);

	(void)unused;
	/* What comes behind it is not aligned to more than a page by chance. */
	REQUIRE(first);
	privheap_on_corruption(library_note);
	for (size_t align = 64 * KIB; align >= 16; align /= 4) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			/* Of whom many are in pages of their own there are few. */
			size_t count = align * sizes[i] < 100000 ? ARRAY_SIZE(objects) : 12;

			for (size_t n = 0; n < count; n++) {
				objects[n] = privheap_aligned_alloc(heap, align, sizes[n % (i + 1)]);
				objects[n] = privheap_realloc(heap, objects[n], sizes[i]);
				REQUIRE(objects[n]);
				memset(objects[n], (int)n, sizes[i]);
			}
			privheap_free(heap, privheap_malloc(heap, sizes[i]));
			for (size_t n = 0; n < count; n++)
				privheap_free_sized(heap, objects[n], sizes[i]);
		}
	}
	privheap_free(heap, first);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_reports, 0);
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void use_kinds_up(struct privheap *heap, size_t bytes, size_t step)
{
	while (privheap_kind(heap, PRIVHEAP_TYPE_STR, bytes) > 0) {
		bytes += step;
		REQUIRE(bytes < 16 * MIB);
	}
	EXPECT_EQ(errno, ENOSPC);
}

static void allocate_all_sizes(struct privheap *heap, char **objects, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		objects[i] = i % 5 ? privheap_calloc(heap, 1, 40 * i) :
				     privheap_aligned_alloc(heap, 256, 40 * i);
		REQUIRE(objects[i]);
		REQUIRE(privheap_usable_size(heap, objects[i]) >= 40 * i);
		if (i % 5)
			REQUIRE_EQ(zero_check((unsigned char *)objects[i], 40 * i), -1);
		else
			REQUIRE_EQ((uintptr_t)objects[i] % 256, 0);
		pattern_fill((unsigned char *)objects[i], 40 * i, i);
	}
}

/* Kinds are the process's; memory is the heap's, and what it has it gives. */
static void without_a_kind_malloc_goes_on(int unused, const void *arg)
{
	struct privheap *many = library_heap(arg), *heap = library_heap(arg);
	char *before[450], *after[450];

	(void)unused;
	privheap_on_corruption(library_note);
	/* Those of large objects use two numbers each, and no memory. */
	use_kinds_up(many, 32 * KIB, 4096);
	use_kinds_up(many, 8, 256);
	allocate_all_sizes(heap, before, ARRAY_SIZE(before));
	before[7] = privheap_realloc(heap, before[7], 900);
	REQUIRE(before[7]);
	before[7] = privheap_realloc(heap, before[7], 40 * 7);
	REQUIRE(before[7]);
	privheap_free(heap, before[8]);
	before[8] = privheap_malloc(heap, 40 * 8);
	pattern_fill((unsigned char *)before[8], 40 * 8, 8);
	privheap_delete(many);
	allocate_all_sizes(heap, after, ARRAY_SIZE(after));
	/* What came without a kind goes by one. */
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		REQUIRE_EQ(pattern_check((unsigned char *)before[i], 40 * i, i), -1);
		REQUIRE_EQ(pattern_check((unsigned char *)after[i], 40 * i, i), -1);
		if (i % 2 && i % 5)
			privheap_free_sized(heap, before[i], 40 * i);
		else
			privheap_free(heap, before[i]);
		privheap_free(heap, after[i]);
	}
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_reports, 0);
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static __u64 moved_bytes(struct privheap *heap)
{
	struct privheap_heap_stat stat = { .size = sizeof(stat) };

	REQUIRE(!privheap_cmd_heap_stat(privheap_fd(heap), &stat));
	return stat.moved_bytes;
}

/* To 256 MiB by half more each time: after the first 64 KiB no byte is copied. */
static void growing_moves_pages_not_bytes(int unused, const void *arg)
{
	struct privheap *heap = library_heap(&places[0]);
	size_t bytes = 4096, most = scaled(256) * MIB;
	unsigned char *object = privheap_malloc(heap, bytes);
	__u64 copied = 0;

	(void)unused;
	(void)arg;
	REQUIRE(object);
	for (__u64 step = 1; bytes < most; step++) {
		object[bytes - 1] = (unsigned char)step;
		if (bytes <= 64 * KIB)
			copied = moved_bytes(heap);
		object = privheap_realloc(heap, object, bytes + bytes / 2);
		REQUIRE(object);
		REQUIRE_EQ(object[bytes - 1], step);
		bytes += bytes / 2;
	}
	EXPECT_EQ(moved_bytes(heap), copied);
	privheap_free(heap, object);
	privheap_delete(heap);
}

/* Random calls against what each object has to contain. */
static void random_calls_follow_a_model(int unused, const void *arg)
{
	enum { OBJECTS = 300 };
	struct privheap *heap = library_heap(arg);
	struct { unsigned char *at; size_t bytes; } model[OBJECTS] = { 0 };
	__u64 state = 7;

	(void)unused;
	for (unsigned long n = 0; n < scaled(60000); n++) {
		__u64 random = random_next(&state);
		unsigned int i = random % OBJECTS;
		size_t bytes = (random >> 16) % (40000 >> (random >> 40) % 12);
		size_t had = model[i].bytes;

		if (model[i].at)
			REQUIRE_EQ(pattern_check(model[i].at, had, i), -1);
		if (!model[i].at) {
			model[i].at = random >> 60 & 1 ? privheap_malloc(heap, bytes) :
				      privheap_aligned_alloc(heap, 16 << (random >> 56) % 9, bytes);
		} else if (random >> 61 & 1) {
			privheap_free(heap, model[i].at);
			model[i].at = NULL;
			continue;
		} else {
			bytes += !bytes;
			model[i].at = privheap_realloc(heap, model[i].at, bytes);
			REQUIRE_EQ(pattern_check(model[i].at, MIN(bytes, had), i), -1);
		}
		REQUIRE(model[i].at);
		model[i].bytes = bytes;
		pattern_fill(model[i].at, bytes, i);
	}
	for (unsigned int i = 0; i < OBJECTS; i++)
		privheap_free(heap, model[i].at);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

/* A large one that was freed serves the next of its size, whatever that is. */
static void large_ones_are_used_again(int unused, const void *arg)
{
	static const size_t sizes[] = { 8200, 9162, 12288, 12289, 16384, 34562, 168524 };
	struct privheap *heap = library_heap(arg);
	__u64 taken;
	void *object;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		privheap_free(heap, privheap_malloc(heap, sizes[i]));
		taken = library_taken(heap);
		for (int round = 0; round < 10; round++) {
			object = privheap_malloc(heap, sizes[i]);
			REQUIRE(object);
			privheap_free(heap, object);
		}
		EXPECT_EQ(library_taken(heap), taken);
	}
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

int main(void)
{
	TEST_PLACES(sizes_and_alignment);
	TEST_PLACES(nothing_is_something);
	TEST_PLACES(too_much_is_enomem);
	TEST_PLACES(calloc_is_zero);
	TEST_PLACES(alignments_hold);
	TEST_PLACES(posix_memalign_is_posix);
	TEST_PLACES(realloc_keeps_content);
	TEST_PLACES(realloc_stays_in_its_class);
	TEST_PLACES(realloc_then_free_sized);
	TEST_PLACES(without_a_kind_malloc_goes_on);
	TEST_PLACES(large_ones_are_used_again);
	TEST_BARE(growing_moves_pages_not_bytes);
	TEST_PLACES(random_calls_follow_a_model);
	return tests_run();
}
