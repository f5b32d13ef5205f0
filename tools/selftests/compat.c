// SPDX-License-Identifier: GPL-2.0
/*
 * The interface as a 32-bit program sees it; built for 64 and for 32 bits.
 *
 * The layout is fixed here in numbers, so that both builds are held to it.
 */
/* The slab map lies far out, for programs of 32 bits, too. */
#define _FILE_OFFSET_BITS 64

#include "mapping.h"

#define SIZE(kind, bytes)	{ "struct privheap_" #kind, \
				  sizeof(struct privheap_##kind), bytes }
#define AT(kind, member, at)	{ "privheap_" #kind "." #member, \
				  offsetof(struct privheap_##kind, member), at }

static const struct layout {
	const char *what;
	size_t is, should_be;
} layouts[] = {
	SIZE(query, 64), SIZE(setup, 40), SIZE(type, 104), SIZE(type_list, 32),
	SIZE(type_destroy, 16), SIZE(alloc, 48), SIZE(batch, 32),
	SIZE(resize, 40), SIZE(io, 32), SIZE(rw, 32), SIZE(object_info, 32),
	SIZE(info, 40), SIZE(reserve, 40), SIZE(trim, 16), SIZE(heap_stat, 288),
	SIZE(type_stat, 160), SIZE(walk, 40), SIZE(run, 16), SIZE(take, 56),
	SIZE(give, 32), SIZE(convert, 32), SIZE(map_entry, 16),
	SIZE(stat_entry, 32), SIZE(stat_page, 64 + 1024 * 32),
	AT(query, features, 16), AT(query, max_batch, 48),
	AT(setup, reserve_bytes, 8), AT(setup, type_flags, 32),
	AT(type, name, 8), AT(type, type, 40), AT(type, min_bytes, 48),
	AT(type, align, 64), AT(type, quota_objects, 72), AT(type, slots, 96),
	AT(type_list, types, 8), AT(type_list, cursor, 24),
	AT(alloc, handles, 16), AT(alloc, sizes, 32), AT(alloc, done, 40),
	AT(batch, handles, 16), AT(batch, freed, 28),
	AT(resize, handle, 8), AT(resize, type, 32),
	AT(io, buffer, 24), AT(rw, ios, 16), AT(rw, done, 24),
	AT(object_info, offset, 24), AT(info, infos, 24),
	AT(reserve, object_bytes, 16), AT(reserve, promised, 32),
	AT(trim, released_bytes, 8), AT(heap_stat, held_bytes, 16),
	AT(heap_stat, moved_pages, 200), AT(type_stat, held_bytes, 16),
	AT(heap_stat, handed_objects, 208), AT(heap_stat, refused_faults, 256),
	AT(heap_stat, written_after_free, 264), AT(heap_stat, mapped_units, 272),
	AT(heap_stat, unit_bytes, 280),
	AT(type_stat, fresh_allocs, 136), AT(type_stat, handed_bytes, 152),
	AT(walk, cursor, 24), AT(run, mask, 8), AT(take, object_bytes, 16),
	AT(take, done, 40), AT(take, size_class, 48), AT(give, runs, 16),
	AT(give, done, 24), AT(convert, from, 16), AT(convert, to, 24),
	AT(map_entry, stride, 8), AT(map_entry, type, 14),
	AT(map_entry, size_class, 12), AT(map_entry, state, 13),
	AT(stat_page, held_bytes, 16), AT(stat_page, type, 64),
};

static void layout_is_fixed(int heap, const void *arg)
{
	(void)arg;
	(void)heap;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (!EXPECT_EQ(layouts[i].is, layouts[i].should_be))
			test_note("that was %s", layouts[i].what);
}

static void query(int heap, const void *arg)
{
	(void)arg;
	EXPECT_EQ(heap_query(heap).abi_version, PRIVHEAP_ABI_VERSION);
	EXPECT(heap_query(heap).max_heap_bytes >= 1 << 20);
}

static void setup(int heap, const void *arg)
{
	(void)arg;
	EXPECT_OK(heap_setup(heap, 1 << 20, 4 << 20, 8 << 20));
	EXPECT_EQ(heap_stat(heap).hard_max_bytes, 8 << 20);
	EXPECT_EQ(heap_stat(heap).soft_max_bytes, 4 << 20);
	EXPECT(heap_stat(heap).reserve_bytes >= 1 << 20);
}

static void type_commands(int heap, const void *arg)
{
	struct privheap_type t = type_named("node", 40, 4000), list[16];
	struct privheap_type_list l = {
		.size = sizeof(l), .types = user_ptr(list),
		.count = ARRAY_SIZE(list),
	};
	__u32 type;

	(void)arg;
	t.quota_objects = 1ULL << 40;
	REQUIRE_OK(type_create(heap, &t));
	type = t.type;
	REQUIRE_OK(type_lookup(heap, "node", &t));
	EXPECT_EQ(t.type, type);
	EXPECT_EQ(t.min_bytes, 40);
	EXPECT_EQ(t.max_bytes, 4000);
	EXPECT_EQ(t.quota_objects, 1ULL << 40);
	REQUIRE_OK(heap_call(heap, PRIVHEAP_LIST_TYPES, &l));
	EXPECT_EQ(l.done, 10);
	EXPECT_EQ(strcmp(list[9].name, "node"), 0);
	EXPECT_OK(type_destroy(heap, type));
}

static void alloc_and_free(int heap, const void *arg)
{
	__u64 handles[200], sizes[200];
	struct privheap_alloc a = {
		.size = sizeof(a), .type = PRIVHEAP_TYPE_STR, .count = 200,
		.handles = user_ptr(handles), .sizes = user_ptr(sizes),
	};

	(void)arg;
	for (int i = 0; i < 200; i++)
		sizes[i] = 1 + i * 50;
	REQUIRE_OK(heap_call(heap, PRIVHEAP_ALLOC, &a));
	EXPECT_EQ(a.done, 200);
	for (int i = 0; i < 200; i++)
		EXPECT_EQ(heap_info(heap, handles[i]).requested_bytes, sizes[i]);
	EXPECT_OK(heap_free(heap, handles, 200));
	EXPECT_ERR(heap_free(heap, handles, 200), ESTALE);
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static void content_and_resize(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_LIST, 5000);

	(void)arg;
	object_fill(heap, handle, 5000, 1);
	object_check(heap, handle, 5000, 1);
	REQUIRE_OK(heap_resize(heap, &handle, 1 << 20));
	object_check(heap, handle, 5000, 1);
	EXPECT_ERR(heap_read(heap, handle, 1ULL << 32, &handle, 1), ERANGE);
	EXPECT_ERR(heap_read(heap, handle, ~0ULL, &handle, 2), EOVERFLOW);
}

static void references(int heap, const void *arg)
{
	__u32 type = type_make(heap, "counted", 8, 0, PRIVHEAP_TYPE_COUNTED);
	__u64 handle = heap_new(heap, type, 0);

	(void)arg;
	EXPECT_OK(heap_get(heap, handle));
	EXPECT_EQ(heap_info(heap, handle).refs, 2);
	EXPECT_OK(heap_put(heap, handle));
	EXPECT_OK(heap_put(heap, handle));
	EXPECT_EQ(heap_stat(heap).live_objects, 0);
}

static void reserve_and_trim(int heap, const void *arg)
{
	__u64 promised;

	(void)arg;
	EXPECT_OK(heap_reserve(heap, PRIVHEAP_TYPE_STR, 1000, 1000, &promised));
	EXPECT(promised >= 1000);
	EXPECT_OK(heap_reserve(heap, PRIVHEAP_TYPE_STR, 1000, 0, &promised));
	EXPECT_EQ(promised, 0);
	EXPECT(heap_trim(heap) >= 500000);
}

static void statistics_and_walk(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0), seen[2];
	struct privheap_walk w = {
		.size = sizeof(w), .count = 2, .handles = user_ptr(seen),
	};
	size_t n = 0;

	(void)arg;
	EXPECT_EQ(type_stat(heap, PRIVHEAP_TYPE_INT).live_bytes, 28);
	EXPECT_EQ(heap_stat(heap).live_bytes, 28);
	do {
		REQUIRE_OK(heap_call(heap, PRIVHEAP_WALK, &w));
		if (w.done)
			EXPECT_EQ(seen[0], handle);
		n += w.done;
	} while (w.cursor);
	EXPECT_EQ(n, 1);
}

/* An address is 64 bits wide for everyone: no half of it is dropped. */
static void pointer_with_high_bits_is_efault(int heap, const void *arg)
{
	__u64 handle = heap_new(heap, PRIVHEAP_TYPE_INT, 0), out;
	char buffer[28];
	struct privheap_batch b = {
		.size = sizeof(b), .count = 1,
		.handles = user_ptr(&handle) | 1ULL << 63,
	};
	struct privheap_alloc a = {
		.size = sizeof(a), .type = PRIVHEAP_TYPE_INT, .count = 1,
		.handles = user_ptr(&out) | 1ULL << 63,
	};
	struct privheap_io io = {
		.handle = handle, .bytes = 28,
		.buffer = user_ptr(buffer) | 1ULL << 63,
	};
	struct privheap_rw rw = {
		.size = sizeof(rw), .count = 1, .ios = user_ptr(&io),
	};

	(void)arg;
	EXPECT_ERR(heap_call(heap, PRIVHEAP_FREE, &b), EFAULT);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_ALLOC, &a), EFAULT);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_READ, &rw), EFAULT);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_WRITE, &rw), EFAULT);
	EXPECT_EQ(heap_stat(heap).live_objects, 1);
}

static void unknown_command_is_enotty(int heap, const void *arg)
{
	struct privheap_query q = { .size = sizeof(q) };

	(void)arg;
	EXPECT_ERR(heap_call(heap, _IO(PRIVHEAP_IOC_MAGIC, 0x80), &q), ENOTTY);
	EXPECT_ERR(heap_call(heap, PRIVHEAP_QUERY, NULL), EFAULT);
}

static void mapped(int heap, const void *arg)
{
	const struct privheap_stat_page *page = (void *)map_at(heap, PRIVHEAP_MAP_STAT,
		sizeof(*page), PROT_READ, MAP_SHARED);
	const struct privheap_map_entry *map = slab_map(heap);
	unsigned char *base = region_map(heap);
	__u64 at[200], handles[200], usable;

	(void)arg;
	REQUIRE(page != MAP_FAILED);
	REQUIRE_OK(heap_take(heap, PRIVHEAP_TYPE_STR, 100, at, 200));
	for (int i = 0; i < 200; i++)
		pattern_fill(base + at[i], 100, i);
	EXPECT_EQ(page->type[PRIVHEAP_TYPE_STR].handed_objects, 200);
	EXPECT_EQ(map[at[7] / heap_query(heap).page_size].type, PRIVHEAP_TYPE_STR);
	REQUIRE_OK(heap_convert(heap, PRIVHEAP_TO_HANDLES, 0, at, handles, 200));
	object_check(heap, handles[150], 100, 150);
	REQUIRE_OK(heap_convert(heap, PRIVHEAP_TO_OFFSETS, 0, handles, at, 200));
	REQUIRE_OK(heap_regrow(heap, &at[9], 50000, &usable));
	EXPECT_EQ(pattern_check(base + at[9], 100, 9), -1);
	REQUIRE_OK(heap_give(heap, 0, at, 200));
	EXPECT_EQ(heap_stat(heap).handed_objects, 0);
}

int main(void)
{
	TEST(layout_is_fixed);
	TEST(query);
	TEST(setup);
	TEST(type_commands);
	TEST(alloc_and_free);
	TEST(content_and_resize);
	TEST(references);
	TEST(reserve_and_trim);
	TEST(statistics_and_walk);
	TEST(pointer_with_high_bits_is_efault);
	TEST(unknown_command_is_enotty);
	TEST(mapped);
	return tests_run();
}
