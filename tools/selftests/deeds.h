/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deeds: every command, and what else reaches the module from user space, each
 * in the states in which it takes different ways: first and later allocations,
 * magazines, slabs and spans, a call that needs more memory, and so on.
 */
#ifndef PRIVHEAP_SELFTESTS_DEEDS_H
#define PRIVHEAP_SELFTESTS_DEEDS_H

#include "mapping.h"
#include "scene.h"

#include <sys/syscall.h>

#define MANY		300	/* more than the kernel has room for on its stack */
#define MANY_TYPES	20
#define KEPT		5
#define DEBUGFS_DIR	"/sys/kernel/debug/privheap/"

/* A heap, what the call is about, and objects that it is not about. */
struct stage {
	int heap;
	int other;		/* what the call opens */
	void *mapped;		/* what the call maps */
	size_t mapped_bytes;
	unsigned char *base;	/* a mapping that the call is about */
	__u32 fixed;		/* 40 bytes */
	__u32 counted;		/* 8 to 200000 bytes */
	__u32 spare;		/* no objects, but memory */
	union call call;
	union call asked;	/* the call as it was before it was made */
	__u64 kept[KEPT];
	__u64 victim;		/* with content, for as many bytes */
	size_t victim_bytes;
	__u64 handles[MANY];
	__u64 given[MANY];
	__u64 sizes[MANY];
	struct privheap_io ios[MANY];
	struct privheap_run runs[MANY];
	struct privheap_object_info infos[MANY];
	struct privheap_type types[MANY_TYPES];
	unsigned char bytes[256 << 10];
	char text[64 << 10];
	char path[64];
};

struct deed {
	const char *name;
	unsigned long number;	/* a command; or 0 and: */
	int (*run)(struct stage *s);
	void (*prepare)(struct stage *s);
	int also;		/* an errno that the rest of the kernel gives */
};

/* The types that the calls are about, those of stage_make() among them. */
static const __u32 stage_types[] = {
	PRIVHEAP_TYPE_INT, PRIVHEAP_TYPE_STR, PRIVHEAP_TYPE_TUPLE, PRIVHEAP_TYPE_LIST,
	PRIVHEAP_TYPE_DICT, PRIVHEAP_TYPE_SET, PRIVHEAP_TYPE_OBJECT,
	PRIVHEAP_TYPE_USER, PRIVHEAP_TYPE_USER + 1, PRIVHEAP_TYPE_USER + 2,
	PRIVHEAP_TYPE_USER + 3,
};

static const size_t kept_bytes[KEPT] = { 100, 100, 40, 1000, 20000 };

static inline void stage_make(struct stage *s)
{
	memset(s, 0, offsetof(struct stage, bytes));
	s->other = -1;
	s->mapped = MAP_FAILED;
	s->base = NULL;
	s->heap = heap_open();
	s->fixed = type_make(s->heap, "fixed", 40, 0, 0);
	s->counted = type_make(s->heap, "counted", 8, 200000, PRIVHEAP_TYPE_COUNTED);
	s->spare = type_make(s->heap, "spare", 64, 0, 0);
	REQUIRE_OK(heap_free_one(s->heap, heap_new(s->heap, s->spare, 0)));
	for (int i = 0; i < KEPT; i++) {
		s->kept[i] = heap_new(s->heap, i % 2 ? s->counted : PRIVHEAP_TYPE_LIST,
				      kept_bytes[i]);
		object_fill(s->heap, s->kept[i], kept_bytes[i], i);
	}
	REQUIRE_OK(heap_get(s->heap, s->kept[1]));
}

/* What the call was not about is as it was, whatever came of it. */
static inline void stage_check(struct stage *s)
{
	if (!s->heap)
		return;
	for (int i = 0; i < KEPT; i++) {
		object_check(s->heap, s->kept[i], kept_bytes[i], i);
		EXPECT_EQ(heap_info(s->heap, s->kept[i]).refs, i == 1 ? 2 : 1);
	}
}

static inline void stage_check_victim(struct stage *s)
{
	if (!s->victim)
		return;
	EXPECT_EQ(heap_info(s->heap, s->victim).requested_bytes, s->victim_bytes);
	object_check(s->heap, s->victim, s->victim_bytes, 77);
}

/* Where munmap() had no memory the mapping is still there, and keeps the heap. */
static inline void stage_unmap(struct stage *s)
{
	if (s->mapped != MAP_FAILED)
		REQUIRE_OK(munmap(s->mapped, s->mapped_bytes) ? errno : 0);
	s->mapped = MAP_FAILED;
}

static inline void stage_end(struct stage *s)
{
	if (s->other >= 0)
		close(s->other);
	stage_unmap(s);
	if (s->base)
		munmap(s->base, REGION_BYTES);
	if (s->heap)
		close(s->heap);
}

static inline int deed_do(const struct deed *deed, struct stage *s)
{
	if (!deed->number)
		return deed->run(s);
	/* What the last try left in it is not to be asked for. */
	s->call = s->asked;
	return heap_call(s->heap, deed->number, &s->call);
}

static inline void ask_nothing(struct stage *s, size_t bytes)
{
	memset(&s->asked, 0, sizeof(s->asked));
	s->asked.size = bytes;
}

#define ASK(s, kind)	ask_nothing(s, sizeof((s)->asked.kind))

static void do_plainly(struct stage *s)
{
	ASK(s, query);
}

/* A struct that is longer than the kernel knows is read another way. */
static void do_in_a_later_version(struct stage *s)
{
	ask_nothing(s, sizeof(s->asked.query) + 8);
}

static void do_limits(struct stage *s)
{
	ASK(s, setup);
	s->asked.setup.soft_max_bytes = 4 << 20;
	s->asked.setup.hard_max_bytes = 8 << 20;
}

static void do_reserve(struct stage *s)
{
	ASK(s, setup);
	s->asked.setup.reserve_bytes = 200 << 10;
}

static void do_large_reserve(struct stage *s)
{
	do_limits(s);
	s->asked.setup.reserve_bytes = 3 << 20;
}

static void ask_type(struct stage *s, __u64 bytes, __u64 prealloc)
{
	ASK(s, type);
	strcpy(s->asked.type.name, "fresh");
	s->asked.type.min_bytes = bytes;
	s->asked.type.max_bytes = 200000;
	s->asked.type.prealloc_objects = prealloc;
}

static void do_of_a_range(struct stage *s)
{
	ask_type(s, 100, 0);
}

static void do_in_full_table(struct stage *s)
{
	char name[16];

	for (int i = 0; i < 13; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		type_make(s->heap, name, 8, 0, 0);
	}
	ask_type(s, 100, 0);
}

static void do_with_prealloc(struct stage *s)
{
	ask_type(s, 100, MANY);
}

static void do_with_large_prealloc(struct stage *s)
{
	ask_type(s, 100000, 3);
}

static void do_by_name(struct stage *s)
{
	ASK(s, type);
	strcpy(s->asked.type.name, "dict");
}

static void do_all(struct stage *s)
{
	ASK(s, list);
	s->asked.list.types = user_ptr(s->types);
	s->asked.list.count = MANY_TYPES;
}

static void do_with_memory(struct stage *s)
{
	ASK(s, destroy);
	s->asked.destroy.type = s->spare;
}

static void ask_alloc(struct stage *s, __u32 type, __u64 bytes, __u32 count)
{
	ASK(s, alloc);
	s->asked.alloc.type = type;
	s->asked.alloc.object_bytes = bytes;
	s->asked.alloc.count = count;
	s->asked.alloc.handles = user_ptr(s->handles);
}

static void do_first_one(struct stage *s)
{
	ask_alloc(s, PRIVHEAP_TYPE_INT, 0, 1);
}

static void do_first_64(struct stage *s)
{
	ask_alloc(s, PRIVHEAP_TYPE_STR, 100, 64);
}

static void do_again(struct stage *s)
{
	heap_new(s->heap, s->fixed, 0);
	ask_alloc(s, s->fixed, 0, 20);
}

static void do_many(struct stage *s)
{
	ask_alloc(s, s->fixed, 0, MANY);
}

static void do_beyond_a_slab(struct stage *s)
{
	heap_fill(s->heap, s->fixed, 0, s->handles, MANY);
	heap_drain(s->heap, s->handles, MANY / 2);
	ask_alloc(s, s->fixed, 0, MANY);
}

static void do_many_counted(struct stage *s)
{
	ask_alloc(s, s->counted, 500, MANY);
	s->asked.alloc.flags = PRIVHEAP_ZERO;
}

static void do_partially(struct stage *s)
{
	ask_alloc(s, PRIVHEAP_TYPE_TUPLE, 2000, MANY);
	s->asked.alloc.flags = PRIVHEAP_PARTIAL;
}

static void ask_alloc_of_sizes(struct stage *s, __u32 count)
{
	ask_alloc(s, PRIVHEAP_TYPE_OBJECT, 0, count);
	for (__u32 i = 0; i < count; i++)
		s->sizes[i] = i % 16 == 15 ? 30000 : 1 + i * 37 % 5000;
	s->asked.alloc.sizes = user_ptr(s->sizes);
}

static void do_of_sizes(struct stage *s)
{
	ask_alloc_of_sizes(s, 20);
}

static void do_of_many_sizes(struct stage *s)
{
	ask_alloc_of_sizes(s, 80);
}

static void do_with_quota(struct stage *s)
{
	struct privheap_type t = type_named("few", 300, 0);

	t.quota_objects = 100;
	REQUIRE_OK(type_create(s->heap, &t));
	ask_alloc(s, t.type, 0, 100);
}

static void do_large(struct stage *s)
{
	ask_alloc(s, PRIVHEAP_TYPE_DICT, 100000, 1);
}

static void do_larger(struct stage *s)
{
	ask_alloc(s, PRIVHEAP_TYPE_DICT, 1 << 20, 2);
}

static void ask_batch(struct stage *s, __u32 type, __u64 bytes, __u32 count)
{
	heap_fill(s->heap, type, bytes, s->handles, count);
	memcpy(s->given, s->handles, sizeof(s->given));
	ASK(s, batch);
	s->asked.batch.count = count;
	s->asked.batch.handles = user_ptr(s->given);
}

static void do_one(struct stage *s)
{
	ask_batch(s, s->fixed, 0, 1);
}

static void do_those_64(struct stage *s)
{
	ask_batch(s, PRIVHEAP_TYPE_STR, 100, 64);
}

static void do_many_plain(struct stage *s)
{
	ask_batch(s, s->fixed, 0, MANY);
}

static void do_large_ones(struct stage *s)
{
	ask_batch(s, PRIVHEAP_TYPE_DICT, 50000, 4);
}

static void do_refs_of_few(struct stage *s)
{
	ask_batch(s, s->counted, 60, 4);
}

static void do_refs_of_many(struct stage *s)
{
	ask_batch(s, s->counted, 60, MANY);
}

static void ask_resize(struct stage *s, __u32 type, __u64 from, __u64 to)
{
	s->victim = heap_new(s->heap, type, from);
	s->victim_bytes = from;
	object_fill(s->heap, s->victim, from, 77);
	ASK(s, resize);
	s->asked.resize.handle = s->victim;
	s->asked.resize.object_bytes = to;
}

static void do_in_place(struct stage *s)
{
	ask_resize(s, PRIVHEAP_TYPE_DICT, 110, 111);
}

static void do_to_another_class(struct stage *s)
{
	ask_resize(s, PRIVHEAP_TYPE_SET, 100, 1500);
}

static void do_of_counted(struct stage *s)
{
	ask_resize(s, s->counted, 150, 2000);
}

static void do_to_large(struct stage *s)
{
	ask_resize(s, PRIVHEAP_TYPE_DICT, 3000, 50000);
}

static void do_of_large(struct stage *s)
{
	ask_resize(s, PRIVHEAP_TYPE_DICT, 50000, 300000);
}

static void do_of_large_compact(struct stage *s)
{
	ask_resize(s, PRIVHEAP_TYPE_STR, 50000, 300000);
}

static void do_to_less(struct stage *s)
{
	ask_resize(s, PRIVHEAP_TYPE_DICT, 300000, 50000);
}

static void do_to_little(struct stage *s)
{
	ask_resize(s, PRIVHEAP_TYPE_DICT, 50000, 500);
}

static void ask_rw(struct stage *s, __u32 count, __u64 bytes)
{
	heap_fill(s->heap, PRIVHEAP_TYPE_OBJECT, bytes, s->handles, count);
	for (__u32 i = 0; i < count; i++)
		s->ios[i] = (struct privheap_io){
			.handle = s->handles[i], .bytes = bytes,
			.buffer = user_ptr(s->bytes),
		};
	s->victim = s->handles[0];
	s->victim_bytes = bytes;
	object_fill(s->heap, s->victim, bytes, 77);
	ASK(s, rw);
	s->asked.rw.count = count;
	s->asked.rw.ios = user_ptr(s->ios);
}

static void do_few_bytes(struct stage *s)
{
	ask_rw(s, 4, 50);
}

static void do_many_objects(struct stage *s)
{
	ask_rw(s, 80, 50);
}

static void do_many_bytes(struct stage *s)
{
	ask_rw(s, 1, sizeof(s->bytes));
}

static void ask_info(struct stage *s, __u32 count)
{
	heap_fill(s->heap, s->fixed, 0, s->handles, count);
	memcpy(s->given, s->handles, sizeof(s->given));
	ASK(s, info);
	s->asked.info.count = count;
	s->asked.info.handles = user_ptr(s->given);
	s->asked.info.infos = user_ptr(s->infos);
}

static void do_of_few(struct stage *s)
{
	ask_info(s, 4);
}

static void do_of_many(struct stage *s)
{
	ask_info(s, 70);
}

static void ask_reserve(struct stage *s, __u32 type, __u64 bytes, __u64 count)
{
	ASK(s, reserve);
	s->asked.reserve.type = type;
	s->asked.reserve.object_bytes = bytes;
	s->asked.reserve.count = count;
}

static void do_few(struct stage *s)
{
	ask_reserve(s, s->fixed, 0, 10);
}

static void do_many_slots(struct stage *s)
{
	ask_reserve(s, PRIVHEAP_TYPE_TUPLE, 200, 2000);
}

static void do_spans(struct stage *s)
{
	ask_reserve(s, PRIVHEAP_TYPE_DICT, 50000, 4);
}

static void do_no_more(struct stage *s)
{
	REQUIRE_OK(heap_reserve(s->heap, s->fixed, 0, 1000, NULL));
	ask_reserve(s, s->fixed, 0, 0);
}

static void do_idle_memory(struct stage *s)
{
	heap_fill(s->heap, s->fixed, 0, s->handles, MANY);
	heap_drain(s->heap, s->handles, MANY);
	ASK(s, trim);
}

static void do_of_all(struct stage *s)
{
	ASK(s, heap_stat);
}

static void do_of_one(struct stage *s)
{
	ASK(s, type_stat);
	s->asked.type_stat.type = s->counted;
}

static void ask_walk(struct stage *s, __u32 count)
{
	ASK(s, walk);
	s->asked.walk.count = count;
	s->asked.walk.handles = user_ptr(s->handles);
}

static void do_by_4(struct stage *s)
{
	ask_walk(s, 4);
}

static void do_to_the_end(struct stage *s)
{
	ask_walk(s, MANY);
}

static void ask_take(struct stage *s, __u32 type, __u64 bytes, __u32 count)
{
	ASK(s, take);
	s->asked.take.type = type;
	s->asked.take.object_bytes = bytes;
	s->asked.take.count = count;
	s->asked.take.runs = user_ptr(s->runs);
	s->asked.take.max_runs = MANY;
}

static void do_few_out(struct stage *s)
{
	ask_take(s, PRIVHEAP_TYPE_DICT, 80, 20);
}

static void do_many_out(struct stage *s)
{
	ask_take(s, s->fixed, 0, 2 * MANY);
	s->asked.take.flags = PRIVHEAP_ZERO;
}

static void do_large_out(struct stage *s)
{
	ask_take(s, PRIVHEAP_TYPE_DICT, 60000, 3);
}

/* Objects handed out, in @given. */
static void hand_out(struct stage *s, __u32 type, __u64 bytes, __u32 count)
{
	REQUIRE_OK(heap_take(s->heap, type, bytes, s->given, count));
	for (__u32 i = 0; i < count; i++)
		s->runs[i] = (struct privheap_run){ s->given[i], 1 };
}

static void ask_give(struct stage *s, __u64 bytes, __u32 count)
{
	hand_out(s, PRIVHEAP_TYPE_OBJECT, bytes, count);
	ASK(s, give);
	s->asked.give.count = count;
	s->asked.give.runs = user_ptr(s->runs);
}

static void do_few_back(struct stage *s)
{
	ask_give(s, 100, 20);
}

static void do_many_back(struct stage *s)
{
	ask_give(s, 100, MANY);
}

static void do_large_back(struct stage *s)
{
	ask_give(s, 60000, 3);
}

static void ask_convert(struct stage *s, __u32 count)
{
	ASK(s, convert);
	s->asked.convert.count = count;
	s->asked.convert.from = user_ptr(s->given);
	s->asked.convert.to = user_ptr(s->handles);
}

static void do_of_slots(struct stage *s)
{
	hand_out(s, s->fixed, 0, 80);
	ask_convert(s, 80);
}

static void do_of_spans(struct stage *s)
{
	hand_out(s, PRIVHEAP_TYPE_DICT, 60000, 3);
	ask_convert(s, 3);
}

static void do_of_live_slots(struct stage *s)
{
	heap_fill(s->heap, PRIVHEAP_TYPE_STR, 100, s->given, 80);
	ask_convert(s, 80);
}

static void do_of_live_spans(struct stage *s)
{
	heap_fill(s->heap, PRIVHEAP_TYPE_DICT, 60000, s->given, 3);
	ask_convert(s, 3);
}

static void ask_regrow(struct stage *s, __u64 from, __u64 to)
{
	hand_out(s, PRIVHEAP_TYPE_SET, from, 1);
	ASK(s, resize);
	s->asked.resize.flags = PRIVHEAP_BY_OFFSET;
	s->asked.resize.handle = s->given[0];
	s->asked.resize.object_bytes = to;
}

static void do_by_offset_to_another_class(struct stage *s)
{
	ask_regrow(s, 100, 1500);
}

static void do_by_offset_to_large(struct stage *s)
{
	ask_regrow(s, 100, 50000);
}

static void do_by_offset_of_large(struct stage *s)
{
	ask_regrow(s, 50000, 300000);
}

/* Maps and unmaps; what is mapped is touched in mapped.c. */
static int map_and_unmap(struct stage *s, size_t bytes, int prot, __u64 offset)
{
	/* The second try of one that failed. */
	stage_unmap(s);
	s->mapped_bytes = bytes;
	s->mapped = mmap(NULL, bytes, prot, MAP_SHARED, s->heap, (off_t)offset);
	if (s->mapped == MAP_FAILED || munmap(s->mapped, bytes))
		return errno;
	s->mapped = MAP_FAILED;
	return 0;
}

static int run_map(struct stage *s)
{
	return map_and_unmap(s, 1 << 20, PROT_READ | PROT_WRITE, PRIVHEAP_MAP_REGION);
}

static int run_map_slabs(struct stage *s)
{
	return map_and_unmap(s, 1 << 16, PROT_READ, PRIVHEAP_MAP_SLABS);
}

/* What is mapped from here on is not put in place before it is asked for. */
static void leave_unlocked(void)
{
	REQUIRE(!mlockall(MCL_CURRENT));
}

/* Page faults, of the kernel's own: those of a program would come again. */
static int run_populate(struct stage *s)
{
	return madvise(s->base + s->given[0], 4096, MADV_POPULATE_WRITE) ? errno : 0;
}

static void do_fault_of_a_slab(struct stage *s)
{
	hand_out(s, PRIVHEAP_TYPE_DICT, 80, 1);
	s->given[0] &= ~4095ULL;
	leave_unlocked();
	s->base = region_map(s->heap);
}

static void do_fault_of_a_span(struct stage *s)
{
	hand_out(s, PRIVHEAP_TYPE_DICT, 8 << 20, 1);
	/* Far from all else, and no unit, so that the page needs a page table. */
	s->given[0] += 4 << 20;
	leave_unlocked();
	s->base = region_map(s->heap);
	madvise(s->base, REGION_BYTES, MADV_NOHUGEPAGE);
}

/*
 * The slab map cannot be populated, so the kernel reads it: a set of signals to
 * block, none. The C library would look at it first.
 */
static int run_read_slabs(struct stage *s)
{
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, s->base + REGION_BYTES / 2, NULL,
		       8) ? errno : 0;
}

static void do_fault_of_the_slab_map(struct stage *s)
{
	leave_unlocked();
	s->base = map_at(s->heap, PRIVHEAP_MAP_SLABS, REGION_BYTES, PROT_READ, MAP_SHARED);
	REQUIRE(s->base != MAP_FAILED);
}

static int run_open(struct stage *s)
{
	s->other = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	return s->other < 0 ? errno : 0;
}

/* A close cannot fail; it may only leave something. */
static int run_close(struct stage *s)
{
	int err = close(s->heap) ? errno : 0;

	s->heap = 0;
	return err;
}

static int run_read(struct stage *s)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t got;

	if (fd < 0)
		return errno;
	do {
		got = read(fd, s->text, sizeof(s->text));
		if (got < 0)
			err = errno;
	} while (got > 0);
	close(fd);
	return err;
}

static void do_fdinfo(struct stage *s)
{
	snprintf(s->path, sizeof(s->path), "/proc/self/fdinfo/%d", s->heap);
}

static void do_module(struct stage *s)
{
	strcpy(s->path, DEBUGFS_DIR "module");
}

static void do_heaps(struct stage *s)
{
	strcpy(s->path, DEBUGFS_DIR "heaps");
}

static void do_types(struct stage *s)
{
	strcpy(s->path, DEBUGFS_DIR "types");
}

static void do_slabs(struct stage *s)
{
	strcpy(s->path, DEBUGFS_DIR "slabs");
}

static void do_validate(struct stage *s)
{
	strcpy(s->path, DEBUGFS_DIR "validate");
}

#define DEED(NAME, how)	{ #NAME "_" #how, PRIVHEAP_##NAME, NULL, do_##how, 0 }
#define FILE_DEED(how)	{ "reading_" #how, 0, run_read, do_##how, 0 }

static const struct deed deeds[] = {
	DEED(QUERY, plainly), DEED(QUERY, in_a_later_version),
	DEED(SETUP, limits), DEED(SETUP, reserve),
	DEED(SETUP, large_reserve),
	DEED(TYPE_CREATE, of_a_range), DEED(TYPE_CREATE, in_full_table),
	DEED(TYPE_CREATE, with_prealloc),
	DEED(TYPE_CREATE, with_large_prealloc),
	DEED(TYPE_LOOKUP, by_name), DEED(LIST_TYPES, all), DEED(TYPE_DESTROY, with_memory),
	DEED(ALLOC, first_one), DEED(ALLOC, first_64), DEED(ALLOC, again),
	DEED(ALLOC, many), DEED(ALLOC, beyond_a_slab),
	DEED(ALLOC, many_counted), DEED(ALLOC, partially),
	DEED(ALLOC, of_sizes), DEED(ALLOC, of_many_sizes),
	DEED(ALLOC, with_quota), DEED(ALLOC, large),
	DEED(ALLOC, larger),
	DEED(FREE, one), DEED(FREE, those_64), DEED(FREE, many_plain),
	DEED(FREE, large_ones),
	DEED(RESIZE, in_place), DEED(RESIZE, to_another_class),
	DEED(RESIZE, of_counted), DEED(RESIZE, to_large),
	DEED(RESIZE, of_large), DEED(RESIZE, of_large_compact),
	DEED(RESIZE, to_less), DEED(RESIZE, to_little),
	DEED(READ, few_bytes), DEED(READ, many_objects), DEED(READ, many_bytes),
	DEED(WRITE, few_bytes), DEED(WRITE, many_objects), DEED(WRITE, many_bytes),
	DEED(INFO, of_few), DEED(INFO, of_many),
	DEED(GET, refs_of_few), DEED(GET, refs_of_many),
	DEED(PUT, refs_of_few), DEED(PUT, refs_of_many),
	DEED(RESERVE, few), DEED(RESERVE, many_slots),
	DEED(RESERVE, spans), DEED(RESERVE, no_more),
	DEED(TRIM, idle_memory), DEED(HEAP_STAT, of_all), DEED(TYPE_STAT, of_one),
	DEED(WALK, by_4), DEED(WALK, to_the_end),
	DEED(TAKE, few_out), DEED(TAKE, many_out), DEED(TAKE, large_out),
	DEED(GIVE, few_back), DEED(GIVE, many_back), DEED(GIVE, large_back),
	DEED(TO_HANDLES, of_slots), DEED(TO_HANDLES, of_spans),
	DEED(TO_OFFSETS, of_live_slots), DEED(TO_OFFSETS, of_live_spans),
	DEED(RESIZE, by_offset_to_another_class), DEED(RESIZE, by_offset_to_large),
	DEED(RESIZE, by_offset_of_large),
	{ "mapping_the_region", 0, run_map, do_plainly, 0 },
	{ "mapping_the_slab_map", 0, run_map_slabs, do_plainly, 0 },
	{ "faulting_a_slab_in", 0, run_populate, do_fault_of_a_slab, 0 },
	{ "faulting_a_span_in", 0, run_populate, do_fault_of_a_span, 0 },
	/* Where the map itself has no memory the access is refused. */
	{ "faulting_the_slab_map_in", 0, run_read_slabs, do_fault_of_the_slab_map,
	  EFAULT },
	{ "open", 0, run_open, do_plainly, 0 },
	{ "close", 0, run_close, do_many_plain, 0 },
	/* To /proc a file that it has no memory for is one that is not there. */
	{ "reading_fdinfo", 0, run_read, do_fdinfo, ENOENT },
	FILE_DEED(module), FILE_DEED(heaps), FILE_DEED(types), FILE_DEED(slabs),
	FILE_DEED(validate),
};

#define NR_DEEDS	ARRAY_SIZE(deeds)

#endif
