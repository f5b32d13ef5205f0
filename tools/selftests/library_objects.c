// SPDX-License-Identifier: GPL-2.0
/*
 * libprivheap: objects by kind, on one thread. None is handed out twice, content
 * stays, and all comes back.
 */
#include "library.h"

#define OBJECTS	20000

struct object {
	unsigned char *at;
	__u64 seed;
};

static void fill_all(struct object *objects, size_t count, int kind, __u64 seed)
{
	size_t bytes = privheap_kind_bytes(kind);

	for (size_t i = 0; i < count; i++) {
		objects[i].at = privheap_object_alloc(kind);
		REQUIRE(objects[i].at);
		objects[i].seed = seed + i;
		pattern_fill(objects[i].at, bytes, seed + i);
	}
}

static void check_and_free(struct object *objects, size_t count, int kind)
{
	size_t bytes = privheap_kind_bytes(kind);

	for (size_t i = 0; i < count; i++) {
		REQUIRE_EQ(pattern_check(objects[i].at, bytes, objects[i].seed), -1);
		privheap_object_free(kind, objects[i].at);
	}
}

/* All the built-in types, and sizes around the ends of size classes. */
static void objects_keep_their_content(int unused, const void *arg)
{
	static const size_t sizes[] = { 1, 8, 16, 17, 100, 128, 129, 1000, 4096, 5000, 8192 };
	struct object *objects = calloc(OBJECTS, sizeof(*objects));
	struct privheap *heap = library_heap(arg);

	(void)unused;
	REQUIRE(objects);
	for (__u32 type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			int kind = library_kind(heap, type, sizes[i]);
			size_t count = scaled(1 + 100000 / sizes[i] / 8 % OBJECTS);

			EXPECT(privheap_kind_bytes(kind) >= sizes[i]);
			fill_all(objects, count, kind, type);
			check_and_free(objects, count, kind);
			fill_all(objects, count, kind, type + 7);
			check_and_free(objects, count, kind);
		}
	}
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
	free(objects);
}

static void fixed_types_have_their_size(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);

	(void)unused;
	EXPECT(privheap_kind_bytes(library_kind(heap, PRIVHEAP_TYPE_INT, 0)) >= 28);
	EXPECT(privheap_kind_bytes(library_kind(heap, PRIVHEAP_TYPE_FLOAT, 24)) >= 24);
	EXPECT_EQ(privheap_kind(heap, PRIVHEAP_TYPE_INT, 100), -1);
	EXPECT_EQ(errno, ERANGE);
	EXPECT_EQ(privheap_kind(heap, 900, 0), -1);
	EXPECT_EQ(errno, ENOENT);
	EXPECT_EQ(library_kind(heap, PRIVHEAP_TYPE_INT, 0),
		  library_kind(heap, PRIVHEAP_TYPE_INT, 28));
	EXPECT(library_kind(heap, PRIVHEAP_TYPE_INT, 0) !=
	       library_kind(heap, PRIVHEAP_TYPE_FLOAT, 0));
	privheap_delete(heap);
}

/* Random order both ways: the runs that come back are full of holes. */
static void random_frees_come_back(int unused, const void *arg)
{
	size_t count = scaled(OBJECTS);
	struct object *objects = calloc(count, sizeof(*objects)), swap;
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_OBJECT, 48);
	__u64 state = 42;

	(void)unused;
	REQUIRE(objects);
	for (int round = 0; round < 3; round++) {
		fill_all(objects, count, kind, round);
		for (size_t i = count - 1; i; i--) {
			size_t j = random_next(&state) % (i + 1);

			swap = objects[i];
			objects[i] = objects[j];
			objects[j] = swap;
		}
		check_and_free(objects, count, kind);
	}
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
	free(objects);
}

/* The cards of one hand, every second one in reverse. */
static void hand_free(struct object *objects, size_t count, int kind, size_t hand,
		      size_t hands)
{
	size_t last = hand + (count - 1 - hand) / hands * hands;

	for (size_t i = hand; i <= last; i += hands)
		privheap_object_free(kind, objects[hand % 2 ? hand + last - i : i].at);
}

/*
 * Shared out as cards are, up or down: what a depot folds are rows with steps of
 * several objects, and some with steps that no row can have.
 */
static void shared_out_objects_come_back(int unused, const void *arg)
{
	size_t count = scaled(OBJECTS);
	struct object *objects = calloc(count, sizeof(*objects));
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_OBJECT, 16);

	(void)unused;
	REQUIRE(objects);
	for (size_t hands = 1; hands <= 5; hands++) {
		fill_all(objects, count, kind, hands);
		for (size_t i = 0; i < count; i++)
			REQUIRE_EQ(pattern_check(objects[i].at, 16, objects[i].seed), -1);
		for (size_t hand = 0; hand < hands; hand++)
			hand_free(objects, count, kind, hand, hands);
	}
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
	free(objects);
}

static void zeroing_types_zero(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	struct privheap_type type = {
		.name = "zeroed", .min_bytes = 1, .max_bytes = MIB,
		.flags = PRIVHEAP_TYPE_ZERO_ALLOC | PRIVHEAP_TYPE_ZERO_FREE,
	};
	unsigned char *object, *last = NULL;
	int kind;

	(void)unused;
	REQUIRE(!privheap_type(heap, &type));
	for (size_t bytes = 24; bytes < 200000; bytes *= 3) {
		kind = library_kind(heap, type.type, bytes);
		for (int i = 0; i < 200; i++) {
			object = privheap_object_alloc(kind);
			REQUIRE(object);
			REQUIRE_EQ(zero_check(object, bytes), -1);
			memset(object, 1, bytes);
			privheap_object_free(kind, object);
			/* Freed objects of slabs are wiped where they lie. */
			if (bytes < 4096)
				REQUIRE_EQ(zero_check(object, bytes), -1);
			last = object;
		}
	}
	EXPECT(last);
	privheap_delete(heap);
}

static void large_kinds_work(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_BYTES, 100000);
	struct object objects[50];

	(void)unused;
	fill_all(objects, 50, kind, 3);
	check_and_free(objects, 50, kind);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

/* A kind's number serves another heap later, with nothing left of the first. */
static void heaps_come_and_go(int unused, const void *arg)
{
	(void)unused;
	for (int i = 0; i < 40; i++) {
		struct privheap *one = library_heap(arg), *two = library_heap(arg);
		int first = library_kind(one, PRIVHEAP_TYPE_INT, 0);
		int second = library_kind(two, PRIVHEAP_TYPE_INT, 0);
		char *a = privheap_object_alloc(first), *b = privheap_object_alloc(second);

		REQUIRE(first != second && a && b && a != b);
		*a = *b = 1;
		privheap_delete(one);
		*b = 2;
		privheap_object_free(second, b);
		privheap_delete(two);
	}
	privheap_delete(NULL);
}

static void handles_and_pointers_convert(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_INT, 0);
	char *object = privheap_object_alloc(kind), *again;
	__u64 handle;

	(void)unused;
	REQUIRE(object);
	pattern_fill(object, 28, 5);
	if (privheap_fd(heap) < 0) {
		EXPECT_EQ(privheap_to_handle(heap, object, &handle), -1);
		EXPECT_EQ(errno, EOPNOTSUPP);
		return;
	}
	REQUIRE(!privheap_to_handle(heap, object, &handle));
	again = privheap_to_pointer(heap, handle);
	EXPECT(again == object);
	EXPECT_EQ(pattern_check(again, 28, 5), -1);
	EXPECT(!privheap_to_pointer(heap, handle));
	EXPECT_EQ(errno, ESTALE);
	privheap_object_free(kind, again);
	EXPECT(!privheap_trim(heap));
	EXPECT_EQ(library_handed(heap), 0);
	privheap_delete(heap);
}

static void a_hard_maximum_is_enomem(int unused, const void *arg)
{
	struct privheap_options options = { .hard_max_bytes = 4 * MIB };
	struct privheap *heap = privheap_new(&options);
	int kind;
	size_t count = 0;

	(void)unused;
	(void)arg;
	REQUIRE(heap);
	kind = library_kind(heap, PRIVHEAP_TYPE_OBJECT, 1024);
	while (privheap_object_alloc(kind))
		count++;
	EXPECT_EQ(errno, ENOMEM);
	EXPECT(count > 2000 && count < 4096);
	EXPECT(!privheap_malloc(heap, 8 * MIB));
	EXPECT_EQ(errno, ENOMEM);
	privheap_delete(heap);
}

static void absent_module_is_said(int unused, const void *arg)
{
	char line[PRIVHEAP_MESSAGE_BYTES];

	(void)unused;
	(void)arg;
	setenv("PRIVHEAP_DEVICE", "/dev/privheap-is-not-here", 1);
	EXPECT(!privheap_new(NULL));
	EXPECT_EQ(errno, ENOENT);
	privheap_open_message(errno, line, sizeof(line));
	EXPECT(!strcmp(line, "/dev/privheap-is-not-here: No such file or directory: "
			     "load the module with insmod privheap.ko"));
}

/* Asked for late, it knows what went out before. */
static void the_statistics_page_is_there_when_asked_for(int unused, const void *arg)
{
	struct privheap *heap = library_heap(arg);
	int kind = library_kind(heap, PRIVHEAP_TYPE_INT, 0);
	const struct privheap_stat_page *page;

	(void)unused;
	REQUIRE(privheap_object_alloc(kind));
	page = privheap_stat_page(heap);
	EXPECT(privheap_stat_page(heap) == page);
	if (privheap_fd(heap) < 0) {
		EXPECT(!page);
	} else {
		REQUIRE(page);
		EXPECT(page->type[PRIVHEAP_TYPE_INT].handed_objects >= 1);
		EXPECT_EQ(page->type[PRIVHEAP_TYPE_INT].handed_objects,
			  library_handed(heap));
	}
	privheap_delete(heap);
}

int main(void)
{
	TEST_PLACES(objects_keep_their_content);
	TEST_PLACES(fixed_types_have_their_size);
	TEST_PLACES(random_frees_come_back);
	TEST_PLACES(shared_out_objects_come_back);
	TEST_PLACES(zeroing_types_zero);
	TEST_PLACES(large_kinds_work);
	TEST_PLACES(heaps_come_and_go);
	TEST_PLACES(the_statistics_page_is_there_when_asked_for);
	TEST_PLACES(handles_and_pointers_convert);
	TEST_BARE(a_hard_maximum_is_enomem);
	TEST_BARE(absent_module_is_said);
	return tests_run();
}
