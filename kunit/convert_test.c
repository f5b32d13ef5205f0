// SPDX-License-Identifier: GPL-2.0
/* Handles become offsets and offsets handles; resize by offset. */

#include <linux/mm.h>

#include "convert.h"
#include "lend.h"
#include "objects.h"
#include "stat.h"

/* Types and sizes of each kind of place that an object can have. */
static const struct ph_kind {
	const char *name;
	u32 type;
	u64 bytes;
} ph_kinds[] = {
	{ "plain slot", PRIVHEAP_TYPE_INT, 28 },
	{ "compact slot", PRIVHEAP_TYPE_STR, 100 },
	{ "growable slot", PRIVHEAP_TYPE_LIST, 1000 },
	{ "aligned slot", PRIVHEAP_TYPE_OBJECT, 48 },
	{ "compact span", PRIVHEAP_TYPE_BYTES, 40000 },
	{ "growable span", PRIVHEAP_TYPE_DICT, 100000 },
};

static void ph_kind_name(const struct ph_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_kind, ph_kinds, ph_kind_name);

static u8 *ph_at(struct kunit *test, u64 offset, u64 byte)
{
	struct ph_slab *slab;

	offset += byte;
	slab = ph_fixture_slab(&ph_test_heap(test)->region, offset);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	offset -= slab->start;
	if (!ph_slab_is_span(slab))
		return slab->addr + offset;
	return page_address(slab->pages[offset >> PAGE_SHIFT]) +
	       offset_in_page(offset);
}

static void ph_scribble(struct kunit *test, u64 offset, u64 bytes, u8 seed)
{
	u64 i;

	for (i = 0; i < bytes; i++)
		*ph_at(test, offset, i) = seed + i % 251;
}

static bool ph_is_scribbled(struct kunit *test, u64 offset, u64 bytes, u8 seed)
{
	u64 i;

	for (i = 0; i < bytes; i++)
		if (*ph_at(test, offset, i) != (u8)(seed + i % 251))
			return false;
	return true;
}

static u64 ph_out_one(struct kunit *test, u32 type, u64 bytes)
{
	struct privheap_run run = ph_test_take(test, type, bytes, 1);
	struct ph_slab *slab = ph_fixture_slab(&ph_test_heap(test)->region,
					       run.offset);

	if (ph_slab_is_span(slab))
		return run.offset;
	return run.offset + __ffs64(run.mask) * (u64)slab->stride;
}

static int ph_give_one(struct kunit *test, u64 offset)
{
	struct privheap_run run = { .offset = offset, .mask = 1 };
	u32 done;

	return ph_hand_back(ph_test_heap(test), 0, &run, 1, false, &done);
}

static int ph_to_handle(struct kunit *test, u64 *word)
{
	return ph_convert_to_handles(ph_test_heap(test), 0, word, 1, NULL, NULL);
}

static int ph_to_offset(struct kunit *test, u64 *word)
{
	return ph_convert_to_offsets(ph_test_heap(test), 0, word, 1, NULL, NULL);
}

static void ph_expect(struct kunit *test, u64 live, u64 handed)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_heap_stat stat;

	down_read(&heap->sem);
	ph_stat_heap(heap, &stat);
	up_read(&heap->sem);
	KUNIT_EXPECT_EQ(test, stat.live_objects, live);
	KUNIT_EXPECT_EQ(test, stat.handed_objects, handed);
	KUNIT_EXPECT_EQ(test, !stat.live_bytes, !live);
	KUNIT_EXPECT_EQ(test, !stat.handed_bytes, !handed);
	ph_test_expect_sound(test);
}

/* Back and forth: the place and its bytes stay, each handle is another. */
static void convert_back_and_forth(struct kunit *test)
{
	const struct ph_kind *kind = test->param_value;
	u64 handles[10], at = ph_out_one(test, kind->type, kind->bytes), word;
	u32 i, j;

	ph_scribble(test, at, kind->bytes, 7);
	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		handles[i] = at;
		KUNIT_ASSERT_EQ(test, 0, ph_to_handle(test, &handles[i]));
		ph_expect(test, 1, 0);
		KUNIT_EXPECT_EQ(test, handles[i] & PH_OFFSET_MASK, at);
		KUNIT_EXPECT_EQ(test, 0, ph_test_lookup(ph_test_heap(test),
							kind->type, handles[i]));
		KUNIT_EXPECT_EQ(test, -ESTALE, ph_give_one(test, at));
		word = at;
		KUNIT_EXPECT_EQ(test, -ESTALE, ph_to_handle(test, &word));
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_EQ(test, -EREMCHG,
					ph_test_lookup(ph_test_heap(test), 0,
						       handles[j]));
		word = handles[i];
		KUNIT_ASSERT_EQ(test, 0, ph_to_offset(test, &word));
		KUNIT_EXPECT_EQ(test, word, at);
		ph_expect(test, 0, 1);
		for (j = 0; j <= i; j++)
			KUNIT_EXPECT_EQ(test, -ESTALE,
					ph_test_lookup(ph_test_heap(test), 0,
						       handles[j]));
		KUNIT_EXPECT_TRUE(test, ph_is_scribbled(test, at, kind->bytes,
							7));
	}
	KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, at));
	ph_expect(test, 0, 0);
}

/* Handles freed, offsets given: neither way is a slot lost or used twice. */
static void converted_objects_end_as_what_they_are(struct kunit *test)
{
	const struct ph_kind *kind = test->param_value;
	u64 first, at, handle, i;

	first = ph_test_alloc(test, kind->type, kind->bytes);
	for (i = 0; i < 200; i++) {
		at = ph_out_one(test, kind->type, kind->bytes);
		KUNIT_ASSERT_EQ(test, 0, ph_to_handle(test, &at));
		KUNIT_EXPECT_EQ(test, 0, ph_test_free(ph_test_heap(test), at));
		handle = ph_test_alloc(test, kind->type, kind->bytes);
		KUNIT_ASSERT_EQ(test, 0, ph_to_offset(test, &handle));
		KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, handle));
		ph_expect(test, 1, 0);
	}
	KUNIT_EXPECT_EQ(test, 0, ph_test_lookup(ph_test_heap(test), 0, first));
	KUNIT_EXPECT_EQ(test, 0, ph_test_free(ph_test_heap(test), first));
	ph_expect(test, 0, 0);
}

struct ph_told {
	struct kunit *test;
	int err;
	u32 calls;
	u64 words[5];
	u64 mask;
};

static int ph_tell(void *data, const u64 *words, u32 nr, u64 mask)
{
	struct ph_told *told = data;
	u32 i;

	told->calls++;
	told->mask = mask;
	for (i = 0; i < nr && i < ARRAY_SIZE(told->words); i++)
		told->words[i] = words[i];
	return told->err;
}

/* Each of five is bad in turn, each way of being bad. */
static void to_handles_is_all_or_nothing(struct kunit *test)
{
	const struct ph_kind *kind = test->param_value;
	struct ph_told told = { .test = test };
	u64 at[5], words[5], bad[4];
	u32 i, j;

	for (i = 0; i < 5; i++)
		at[i] = ph_out_one(test, kind->type, kind->bytes);
	for (i = 0; i < 5; i++) {
		bad[0] = at[i] + 4;
		bad[1] = 1ULL << 39;
		bad[2] = at[(i + 1) % 5];
		bad[3] = U64_MAX;
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			memcpy(words, at, sizeof(words));
			words[i] = bad[j];
			KUNIT_EXPECT_EQ(test, j ? j == 2 ? -ESTALE : -ENXIO :
					-EBADSLT,
					ph_convert_to_handles(ph_test_heap(test),
							      0, words, 5,
							      ph_tell, &told));
			ph_expect(test, 0, 5);
		}
	}
	memcpy(words, at, sizeof(words));
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_convert_to_handles(ph_test_heap(test), 999, words, 5,
					      ph_tell, &told));
	KUNIT_EXPECT_EQ(test, told.calls, 0);
	told.err = -EFAULT;
	memcpy(words, at, sizeof(words));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			ph_convert_to_handles(ph_test_heap(test), kind->type,
					      words, 5, ph_tell, &told));
	ph_expect(test, 0, 5);
	told.err = 0;
	memcpy(words, at, sizeof(words));
	KUNIT_EXPECT_EQ(test, 0,
			ph_convert_to_handles(ph_test_heap(test), kind->type,
					      words, 5, ph_tell, &told));
	ph_expect(test, 5, 0);
	KUNIT_EXPECT_EQ(test, told.calls, 2);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, told.words[i] & told.mask, words[i]);
}

static void to_offsets_is_all_or_nothing(struct kunit *test)
{
	const struct ph_kind *kind = test->param_value;
	struct ph_told told = { .test = test };
	u64 handles[5], words[5], bad[4];
	u32 i, j;

	ph_test_alloc_batch(test, kind->type, kind->bytes, handles, 5);
	for (i = 0; i < 5; i++) {
		bad[0] = handles[i] + 1;
		bad[1] = handles[i] & PH_OFFSET_MASK;
		bad[2] = handles[(i + 1) % 5];
		bad[3] = handles[i] ^ 1ULL << 63;
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			memcpy(words, handles, sizeof(words));
			words[i] = bad[j];
			KUNIT_EXPECT_NE(test, 0,
					ph_convert_to_offsets(ph_test_heap(test),
							      0, words, 5,
							      ph_tell, &told));
			ph_expect(test, 5, 0);
		}
	}
	told.err = -EFAULT;
	memcpy(words, handles, sizeof(words));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			ph_convert_to_offsets(ph_test_heap(test), kind->type,
					      words, 5, ph_tell, &told));
	ph_expect(test, 5, 0);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, 0, ph_test_lookup(ph_test_heap(test), 0,
							handles[i]));
	told.err = 0;
	memcpy(words, handles, sizeof(words));
	KUNIT_EXPECT_EQ(test, 0,
			ph_convert_to_offsets(ph_test_heap(test), kind->type,
					      words, 5, ph_tell, &told));
	ph_expect(test, 0, 5);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, words[i], handles[i] & PH_OFFSET_MASK);
		KUNIT_EXPECT_EQ(test, told.words[i] & told.mask, words[i]);
	}
}

/* More than are done in one go, of several slabs; a bad one comes last. */
static void convert_a_long_array(struct kunit *test)
{
	const u32 nr = 10 * PH_CHUNK + 3;
	struct ph_heap *heap = ph_test_heap(test);
	u64 *handles, *words, freed;
	u32 i, done;

	handles = kunit_kcalloc(test, 2 * nr, sizeof(*handles), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, handles);
	words = handles + nr;
	ph_test_alloc_batch(test, PRIVHEAP_TYPE_STR, 100, handles, nr);
	freed = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, freed));
	memcpy(words, handles, nr * sizeof(*words));
	words[nr - 1] = freed;
	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_convert_to_offsets(heap, 0, words, nr, NULL, NULL));
	ph_expect(test, nr, 0);
	memcpy(words, handles, nr * sizeof(*words));
	KUNIT_ASSERT_EQ(test, 0,
			ph_convert_to_offsets(heap, 0, words, nr, NULL, NULL));
	ph_expect(test, 0, nr);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, words[i], handles[i] & PH_OFFSET_MASK);
	memcpy(handles, words, nr * sizeof(*words));
	words[nr - 1] = words[0];
	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_convert_to_handles(heap, 0, words, nr, NULL, NULL));
	ph_expect(test, 0, nr);
	KUNIT_ASSERT_EQ(test, 0,
			ph_convert_to_handles(heap, 0, handles, nr, NULL, NULL));
	ph_expect(test, nr, 0);
	KUNIT_EXPECT_EQ(test, 0, ph_object_free(heap, 0, handles, nr, false,
						&done));
	ph_expect(test, 0, 0);
}

static void counted_objects_have_no_offsets(struct kunit *test)
{
	struct privheap_type desc = {
		.name = "counted", .min_bytes = 8, .max_bytes = 100000,
		.flags = PRIVHEAP_TYPE_COUNTED,
	};
	u32 type = ph_test_type(test, &desc);
	u64 slot = ph_test_alloc(test, type, 8), word = slot;
	u64 span = ph_test_alloc(test, type, 100000);

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ph_to_offset(test, &word));
	word = span;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, ph_to_offset(test, &word));
	KUNIT_EXPECT_EQ(test, ph_test_refs(test, slot), (u32)1);
	ph_expect(test, 2, 0);
}

/*
 * While user memory is written the object ends, its slab goes, and another
 * object comes to have the same handle, in a slab that never lent.
 */
static int ph_come_round(void *data, const u64 *words, u32 nr, u64 mask)
{
	struct ph_told *told = data;
	struct ph_heap *heap = ph_test_heap(told->test);
	u64 handle = 0;

	if (ph_test_free(heap, words[0]))
		return -EIO;
	ph_test_reclaim(heap);
	for (told->calls = 0; told->calls < 1 << 17; told->calls++) {
		handle = ph_test_alloc(told->test, PRIVHEAP_TYPE_INT, 0);
		if (handle == words[0])
			return 0;
		ph_test_free(heap, handle);
	}
	return -EIO;
}

static void to_offsets_when_the_handle_comes_round(struct kunit *test)
{
	struct ph_told told = { .test = test };
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_INT, 0), word = handle;

	KUNIT_EXPECT_EQ(test, -ESTALE,
			ph_convert_to_offsets(ph_test_heap(test), 0, &word, 1,
					      ph_come_round, &told));
	KUNIT_EXPECT_EQ(test, told.calls, 65535);
	ph_expect(test, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, ph_test_lookup(ph_test_heap(test), 0, handle));
}

/* Places that never had an object: handles there are made up, and stay so. */
static void made_up_handles_beside_a_converted_object(struct kunit *test)
{
	u64 handle = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100), word = handle;
	struct ph_slab *slab;
	u32 slot, i, wrong = 0;

	slab = ph_test_slab(test, handle, &slot);
	ph_test_reclaim(ph_test_heap(test));
	KUNIT_ASSERT_EQ(test, 0, ph_to_offset(test, &word));
	for (i = slab->used_to; i < slab->nr; i++)
		wrong += ph_test_lookup(ph_test_heap(test), 0, handle +
					(u64)(i - slot) * slab->stride) != -ENXIO;
	KUNIT_EXPECT_LT(test, slab->used_to, slab->nr);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void resize_what_is_not_out(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct privheap_type desc = {
		.name = "ranged", .min_bytes = 100, .max_bytes = 60000,
	};
	u32 type = ph_test_type(test, &desc);
	u64 at = ph_out_one(test, type, 1000), usable, word = at;
	u64 span = ph_out_one(test, type, 50000);
	u64 live = ph_test_alloc(test, type, 1000) & PH_OFFSET_MASK;

	KUNIT_EXPECT_EQ(test, -ERANGE, ph_test_resize_out(heap, 0, &word, 0, &usable));
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_test_resize_out(heap, 0, &word, 99, &usable));
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_test_resize_out(heap, 0, &word, 60001, &usable));
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_test_resize_out(heap, PRIVHEAP_TYPE_STR, &word, 200, &usable));
	KUNIT_EXPECT_EQ(test, word, at);
	word = at + 1;
	KUNIT_EXPECT_EQ(test, -EBADSLT, ph_test_resize_out(heap, 0, &word, 1000, &usable));
	KUNIT_EXPECT_EQ(test, -EBADSLT, ph_test_resize_out(heap, 0, &word, 200, &usable));
	word = live;
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_test_resize_out(heap, 0, &word, 1000, &usable));
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_test_resize_out(heap, 0, &word, 9000, &usable));
	word = 1ULL << 39;
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_test_resize_out(heap, 0, &word, 1000, &usable));
	word = U64_MAX;
	KUNIT_EXPECT_EQ(test, -ENXIO, ph_test_resize_out(heap, 0, &word, 1000, &usable));
	word = span;
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_test_resize_out(heap, 0, &word, 60001, &usable));
	KUNIT_EXPECT_EQ(test, -ERANGE, ph_test_resize_out(heap, 0, &word, 1, &usable));
	word = span + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -EBADSLT, ph_test_resize_out(heap, 0, &word, 55000, &usable));
	ph_expect(test, 1, 2);
}

/* What a resize tells, and what then is done behind its back. */
struct ph_meddler {
	struct kunit *test;
	u64 offset;		/* of what is resized */
	u32 bytes;		/* of what is there afterwards */
	bool to;		/* it is the new place that is meddled with */
	bool done;
	u64 told;
};

/* Where one object is given back, its slab goes and smaller ones come. */
static int ph_meddle(void *data, u64 offset, u64 usable)
{
	struct ph_meddler *m = data;
	struct privheap_run runs[PH_TAKE_RUNS];
	struct privheap_take args = {
		.type = PRIVHEAP_TYPE_OBJECT, .object_bytes = m->bytes,
		.count = 4096, .max_runs = PH_TAKE_RUNS,
	};
	u64 at = m->to ? offset : m->offset;

	if (m->done)
		return 0;
	m->done = true;
	m->told = at;
	KUNIT_ASSERT_EQ(m->test, 0, ph_give_one(m->test, at));
	ph_test_reclaim(ph_test_heap(m->test));
	KUNIT_ASSERT_NULL(m->test, ph_fixture_slab(&ph_test_heap(m->test)->region,
						   at));
	while (!ph_fixture_slab(&ph_test_heap(m->test)->region, at))
		KUNIT_ASSERT_EQ(m->test, 0, ph_hand_out(ph_test_heap(m->test),
							&args, runs));
	return 0;
}

static const bool ph_places[] = { false, true };

static void ph_place_name(const bool *to, char *desc)
{
	strscpy(desc, *to ? "the new one" : "the old one",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_place, ph_places, ph_place_name);

/* Neither is more read than is there now, nor more written. */
static void resize_when_its_places_are_replaced(struct kunit *test)
{
	const bool *to = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	struct ph_meddler m = {
		.test = test, .bytes = 16, .to = *to,
		.offset = ph_out_one(test, PRIVHEAP_TYPE_OBJECT, 16000),
	};

	KUNIT_EXPECT_EQ(test, *to ? -ESTALE : 0,
			ph_convert_resize(heap, 0, m.offset, 8000, ph_meddle,
					  &m));
	KUNIT_EXPECT_EQ(test, atomic64_read(&heap->moved_bytes), *to ? 0 : 16);
	ph_test_expect_sound(test);
	KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, *to ? m.offset : m.told + 16));
}

/* From and to slots and spans. */
static const struct ph_way {
	const char *name;
	u64 from;
	u64 to;
} ph_ways[] = {
	{ "slot to slot", 1000, 3000 },
	{ "slot to smaller slot", 3000, 300 },
	{ "slot to span", 1000, 70000 },
	{ "span to slot", 70000, 1000 },
	{ "span to span", 70000, 300000 },
	{ "span to smaller span", 300000, 70000 },
};

static void ph_way_name(const struct ph_way *way, char *desc)
{
	strscpy(desc, way->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_way, ph_ways, ph_way_name);

/* With more and more memory to be had, in some dozens of steps, until it is enough. */
static void resize_when_hard_max_is_in_the_way(struct kunit *test)
{
	const struct ph_way *way = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 at = ph_out_one(test, PRIVHEAP_TYPE_OBJECT, way->from), word = at;
	u64 kept = min(way->from, way->to), usable = 0, steps, held, fails = 0;
	u64 step = max_t(u64, way->to / 64, 256);
	int err = -EDQUOT;

	ph_scribble(test, at, way->from, 3);
	for (steps = 0; err && steps < 10000; steps++) {
		ph_test_reclaim(heap);
		held = ph_fixture_held(&heap->region);
		heap->region.hard_max = held + steps * step;
		err = ph_test_resize_out(heap, 0, &word, way->to, &usable);
		if (!err)
			break;
		fails++;
		KUNIT_ASSERT_EQ(test, err, -EDQUOT);
		KUNIT_ASSERT_EQ(test, word, at);
		KUNIT_ASSERT_TRUE(test, ph_is_scribbled(test, at, way->from, 3));
		ph_expect(test, 0, 1);
	}
	heap->region.hard_max = PH_TEST_MAX_BYTES;
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_GE(test, usable, way->to);
	KUNIT_EXPECT_TRUE(test, ph_is_scribbled(test, word, kept, 3));
	ph_expect(test, 0, 1);
	if (way->from < way->to)
		KUNIT_EXPECT_GT(test, fails, 0);
	if (word != at)
		KUNIT_EXPECT_NE(test, 0, ph_give_one(test, at));
	KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, word));
	ph_expect(test, 0, 0);
}

static void resize_zeroes_where_the_type_says_so(struct kunit *test)
{
	static const u64 sizes[] = { 100, 4000, 20000, 500, 90000, 400000 };
	struct privheap_type desc = {
		.name = "zeroed", .min_bytes = 8, .max_bytes = 1 << 20,
		.flags = PRIVHEAP_TYPE_ZERO_ALLOC,
		.policy = PRIVHEAP_POLICY_GROWABLE,
	};
	struct ph_heap *heap = ph_test_heap(test);
	u32 type = ph_test_type(test, &desc), i, round;
	u64 at, usable, was, byte, wrong = 0;
	int err;

	/* What others left in slots and spans does not show. */
	for (round = 0; round < 2; round++) {
		at = ph_out_one(test, type, 16);
		usable = 16;
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			was = usable;
			err = ph_test_resize_out(heap, type, &at, sizes[i],
						 &usable);
			KUNIT_ASSERT_EQ(test, 0, err);
			for (byte = was; i && byte < usable; byte++)
				wrong += !!*ph_at(test, at, byte);
			ph_scribble(test, at, usable, 0x11);
		}
		KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, at));
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* The slot has had an object, and got generations since: the next one is due. */
static void made_up_handles_of_a_freed_object(struct kunit *test)
{
	u64 freed = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
	u64 word = ph_test_alloc(test, PRIVHEAP_TYPE_STR, 100);
	struct ph_heap *heap = ph_test_heap(test);

	KUNIT_ASSERT_EQ(test, 0, ph_test_free(heap, freed));
	ph_test_reclaim(heap);
	KUNIT_ASSERT_EQ(test, 0, ph_to_offset(test, &word));
	KUNIT_EXPECT_EQ(test, -ESTALE, ph_test_lookup(heap, 0, freed));
	KUNIT_EXPECT_EQ(test, -ENXIO,
			ph_test_lookup(heap, 0, freed +
				       (1ULL << PH_OFFSET_BITS)));
}

/* Objects get handles, and that takes books for their sizes. */
static void to_handles_when_hard_max_is_in_the_way(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	struct ph_told told = { .test = test };
	u64 at[3], words[3], usable;
	struct ph_slab *slab;
	u32 slot, i;

	for (i = 0; i < 3; i++)
		at[i] = ph_out_one(test, PRIVHEAP_TYPE_OBJECT, 48);
	memcpy(words, at, sizeof(words));
	heap->region.hard_max = ph_fixture_held(&heap->region);
	KUNIT_EXPECT_EQ(test, -EDQUOT,
			ph_convert_to_handles(heap, 0, words, 3, ph_tell, &told));
	KUNIT_EXPECT_EQ(test, told.calls, 0);
	ph_expect(test, 0, 3);
	heap->region.hard_max = PH_TEST_MAX_BYTES;
	memcpy(words, at, sizeof(words));
	KUNIT_ASSERT_EQ(test, 0,
			ph_convert_to_handles(heap, 0, words, 3, ph_tell, &told));
	ph_expect(test, 3, 0);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 0, ph_test_resize(heap, 0, &words[i],
							40 + i, &usable));
		KUNIT_EXPECT_EQ(test, words[i] & PH_OFFSET_MASK, at[i]);
		slab = ph_test_slab(test, words[i], &slot);
		KUNIT_EXPECT_EQ(test, 40 + i, ph_content_requested(slab, slot));
	}
}

/* Where a slab more cannot be had, objects with handles come out of this one. */
static void alloc_where_only_lent_slabs_have_room(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 first = ph_out_one(test, PRIVHEAP_TYPE_OBJECT, 48), handle;
	struct ph_slab *slab = ph_fixture_slab(&heap->region, first);
	u32 i, slot, got;

	KUNIT_ASSERT_TRUE(test, ph_slab_is_bare(slab));
	heap->region.hard_max = ph_fixture_held(&heap->region) + PAGE_SIZE - 1;
	for (got = 0; !ph_test_try_alloc(heap, PRIVHEAP_TYPE_OBJECT, 33 + got % 16,
					 &handle); got++) {
		KUNIT_EXPECT_PTR_EQ(test, slab, ph_test_slab(test, handle, &slot));
		KUNIT_EXPECT_EQ(test, 33 + got % 16,
				ph_content_requested(slab, slot));
	}
	heap->region.hard_max = PH_TEST_MAX_BYTES;
	KUNIT_EXPECT_EQ(test, got, slab->nr - 1);
	KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, first));
	ph_test_expect_sound(test);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, i ? -ESTALE : 0,
				ph_test_free(heap, handle));
}

/* Objects that only ever were handed out have no handles, whatever they were. */
static void made_up_handles_of_lent_slots(struct kunit *test)
{
	u64 given = ph_out_one(test, PRIVHEAP_TYPE_OBJECT, 48);
	u64 kept = ph_out_one(test, PRIVHEAP_TYPE_OBJECT, 48);
	struct ph_heap *heap = ph_test_heap(test);
	struct ph_slab *slab = ph_fixture_slab(&heap->region, kept);
	u32 pass, i, wrong = 0;

	KUNIT_ASSERT_EQ(test, 0, ph_give_one(test, given));
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < slab->nr; i++)
			wrong += ph_test_lookup(heap, 0, ph_handle(heap,
				 slab->gen_first, slab->start +
				 (u64)i * slab->stride)) != -ENXIO;
		KUNIT_EXPECT_EQ(test, 0, ph_slab_make_nameable(slab));
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, kept));
}

/* The object exists already: to move it is none more. */
static void resize_at_the_quota(struct kunit *test)
{
	static const struct privheap_type few = {
		.name = "few", .min_bytes = 8, .max_bytes = 100000,
		.quota_objects = 1,
	};
	static const u64 sizes[] = { 400, 20000, 60000, 16, 8000, 24 };
	u32 type = ph_test_type(test, &few), i;
	u64 offset = ph_out_one(test, type, 16), usable;
	struct ph_heap *heap = ph_test_heap(test);

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_EXPECT_EQ(test, 0,
				ph_test_resize_out(heap, type, &offset,
						   sizes[i], &usable));
		KUNIT_EXPECT_GE(test, usable, sizes[i]);
		ph_expect(test, 0, 1);
	}
	KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, offset));
	offset = ph_out_one(test, type, 16);
	KUNIT_EXPECT_EQ(test, 0, ph_give_one(test, offset));
	ph_expect(test, 0, 0);
}

static struct kunit_case ph_convert_test_cases[] = {
	KUNIT_CASE(to_handles_when_hard_max_is_in_the_way),
	KUNIT_CASE(alloc_where_only_lent_slabs_have_room),
	KUNIT_CASE(made_up_handles_of_lent_slots),
	KUNIT_CASE_PARAM(convert_back_and_forth, ph_kind_gen_params),
	KUNIT_CASE_PARAM(converted_objects_end_as_what_they_are,
			 ph_kind_gen_params),
	KUNIT_CASE_PARAM(to_handles_is_all_or_nothing, ph_kind_gen_params),
	KUNIT_CASE_PARAM(to_offsets_is_all_or_nothing, ph_kind_gen_params),
	KUNIT_CASE(convert_a_long_array),
	KUNIT_CASE(counted_objects_have_no_offsets),
	KUNIT_CASE(to_offsets_when_the_handle_comes_round),
	KUNIT_CASE(made_up_handles_beside_a_converted_object),
	KUNIT_CASE(made_up_handles_of_a_freed_object),
	KUNIT_CASE(resize_what_is_not_out),
	KUNIT_CASE_PARAM(resize_when_its_places_are_replaced,
			 ph_place_gen_params),
	KUNIT_CASE_PARAM(resize_when_hard_max_is_in_the_way,
			 ph_way_gen_params),
	KUNIT_CASE(resize_zeroes_where_the_type_says_so),
	KUNIT_CASE(resize_at_the_quota),
	{}
};

static struct kunit_suite ph_convert_suite = {
	.name = "privheap_convert",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_convert_test_cases,
};

kunit_test_suite(ph_convert_suite);
