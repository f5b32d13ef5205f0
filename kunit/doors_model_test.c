// SPDX-License-Identifier: GPL-2.0
/*
 * Both doors to the same objects against a model: an array of what is live, by
 * handle, and what is handed out, by offset, with the byte that fills it. The
 * slab map and the statistics page have to agree with both after each step.
 */

#include <linux/mm.h>

#include "board.h"
#include "convert.h"
#include "objects.h"
#include "resize.h"
#include "stat.h"
#include "supply.h"

#define PH_DOORS_OBJECTS	400
#define PH_DOORS_STEPS		12000
#define PH_DOORS_TYPES		5
#define PH_DOORS_MAP_PAGES	16
#define PH_DOORS_BATCH		9

struct ph_doors_object {
	u64 name;	/* handle, or offset */
	u64 bytes;
	u32 type;
	bool out;
	u8 fill;
};

struct ph_doors {
	struct kunit *test;
	struct ph_fixture *fix;
	struct ph_heap *heap;
	u32 type[PH_DOORS_TYPES];
	struct ph_doors_object object[PH_DOORS_OBJECTS];
	u32 nr;
	u8 next_fill;
	u64 ended[64];
	u32 nr_ended;
	u32 refused;
	struct page *map[PH_DOORS_MAP_PAGES];
};

static const struct privheap_type ph_doors_types[PH_DOORS_TYPES] = {
	{ .name = "speed", .policy = PRIVHEAP_POLICY_SPEED,
	  .min_bytes = 1, .max_bytes = 1 << 18 },
	{ .name = "compact", .policy = PRIVHEAP_POLICY_COMPACT,
	  .min_bytes = 1, .max_bytes = 1 << 18 },
	{ .name = "growable", .policy = PRIVHEAP_POLICY_GROWABLE,
	  .min_bytes = 1, .max_bytes = 1 << 18,
	  .flags = PRIVHEAP_TYPE_ZERO_FREE },
	{ .name = "fixed", .policy = PRIVHEAP_POLICY_SPEED, .min_bytes = 40 },
	{ .name = "few", .policy = PRIVHEAP_POLICY_COMPACT, .min_bytes = 100,
	  .quota_objects = 15 },
};

/* The bytes from an offset on that lie together. */
static u8 *ph_doors_at(struct ph_doors *d, u64 offset, u64 *bytes)
{
	struct ph_slab *slab = ph_fixture_slab(&d->heap->region, offset);

	KUNIT_ASSERT_NOT_NULL(d->test, slab);
	offset -= slab->start;
	if (!ph_slab_is_span(slab))
		return slab->addr + offset;
	*bytes = min_t(u64, *bytes, PAGE_SIZE - offset_in_page(offset));
	return page_address(slab->pages[offset >> PAGE_SHIFT]) +
	       offset_in_page(offset);
}

static void ph_doors_fill(struct ph_doors *d, struct ph_doors_object *object)
{
	u64 at = object->name & PH_OFFSET_MASK, left, part;
	u8 *to;

	object->fill = ++d->next_fill;
	for (left = object->bytes; left; left -= part, at += part) {
		part = left;
		to = ph_doors_at(d, at, &part);
		memset(to, object->fill, part);
	}
}

static void ph_doors_check(struct ph_doors *d,
			   const struct ph_doors_object *object, u64 bytes)
{
	u64 at = object->name & PH_OFFSET_MASK, left, part;
	u8 *from;

	for (left = bytes; left; left -= part, at += part) {
		part = left;
		from = ph_doors_at(d, at, &part);
		KUNIT_ASSERT_NULL(d->test, memchr_inv(from, object->fill, part));
	}
}

static u64 ph_doors_size(struct ph_doors *d, u32 which)
{
	const struct privheap_type *type = &ph_doors_types[which];

	if (!type->max_bytes)
		return type->min_bytes;
	return 1 + ph_fixture_random(d->fix,
				     16U << ph_fixture_random(d->fix, 12));
}

static void ph_doors_add(struct ph_doors *d, u32 which, u64 name, u64 bytes,
			 bool out)
{
	struct ph_doors_object *object = &d->object[d->nr++];

	object->name = name;
	object->bytes = bytes;
	object->type = which;
	object->out = out;
	ph_doors_fill(d, object);
}

static void ph_doors_end(struct ph_doors *d, u32 at)
{
	if (!d->object[at].out)
		d->ended[d->nr_ended++ % ARRAY_SIZE(d->ended)] =
			d->object[at].name;
	d->object[at] = d->object[--d->nr];
}

static bool ph_doors_refused(struct ph_doors *d, int err)
{
	if (!err)
		return false;
	KUNIT_ASSERT_EQ(d->test, err, -EDQUOT);
	d->refused++;
	return true;
}

static void ph_doors_alloc(struct ph_doors *d)
{
	u32 which = ph_fixture_random(d->fix, PH_DOORS_TYPES);
	u64 bytes = ph_doors_size(d, which), handle;

	if (!ph_doors_refused(d, ph_test_try_alloc(d->heap, d->type[which],
						   bytes, &handle)))
		ph_doors_add(d, which, handle, bytes, false);
}

static void ph_doors_take(struct ph_doors *d)
{
	u32 which = ph_fixture_random(d->fix, PH_DOORS_TYPES), i, bit;
	struct privheap_run runs[PH_DOORS_BATCH];
	struct privheap_take args = {
		.type = d->type[which], .object_bytes = ph_doors_size(d, which),
		.count = 1 + ph_fixture_random(d->fix, PH_DOORS_BATCH),
		.max_runs = 1 + ph_fixture_random(d->fix, PH_DOORS_BATCH),
	};

	if (ph_doors_refused(d, ph_hand_out(d->heap, &args, runs)))
		return;
	KUNIT_ASSERT_TRUE(d->test, args.done && args.done <= args.count);
	for (i = 0; i < args.nr_runs; i++)
		for (bit = 0; bit < 64; bit++)
			if (runs[i].mask >> bit & 1)
				ph_doors_add(d, which, runs[i].offset +
					     (u64)bit * args.stride,
					     args.object_bytes, true);
}

static void ph_doors_free(struct ph_doors *d, u32 at)
{
	struct ph_doors_object *object = &d->object[at];
	struct privheap_run run = { .offset = object->name, .mask = 1 };
	u32 done;

	ph_doors_check(d, object, object->bytes);
	if (object->out)
		KUNIT_ASSERT_EQ(d->test, 0,
				ph_hand_back(d->heap, d->type[object->type],
					     &run, 1, false, &done));
	else
		KUNIT_ASSERT_EQ(d->test, 0, ph_test_free(d->heap,
							 object->name));
	ph_doors_end(d, at);
}

static void ph_doors_convert(struct ph_doors *d, u32 at)
{
	struct ph_doors_object *object = &d->object[at];
	u64 word = object->name;
	int err;

	err = object->out ?
		ph_convert_to_handles(d->heap, 0, &word, 1, NULL, NULL) :
		ph_convert_to_offsets(d->heap, 0, &word, 1, NULL, NULL);
	/* It may need books, and generations. */
	if (ph_doors_refused(d, err))
		return;
	if (!object->out)
		d->ended[d->nr_ended++ % ARRAY_SIZE(d->ended)] = object->name;
	ph_doors_check(d, object, object->bytes);
	object->name = word;
	object->out = !object->out;
	object->bytes = ph_content_usable(ph_fixture_slab(&d->heap->region, word &
							  PH_OFFSET_MASK));
	ph_doors_fill(d, object);
}

static void ph_doors_resize(struct ph_doors *d, u32 at)
{
	struct ph_doors_object *object = &d->object[at];
	u64 bytes = ph_doors_size(d, object->type), usable, was = object->name;
	u32 id = d->type[object->type];
	int err;

	err = object->out ?
		ph_test_resize_out(d->heap, id, &object->name, bytes, &usable) :
		ph_test_resize(d->heap, id, &object->name, bytes, &usable);
	if (ph_doors_refused(d, err)) {
		KUNIT_ASSERT_EQ(d->test, was, object->name);
		ph_doors_check(d, object, object->bytes);
		return;
	}
	ph_doors_check(d, object, min(bytes, object->bytes));
	object->bytes = object->out ? usable : bytes;
	ph_doors_fill(d, object);
}

static void ph_doors_stale(struct ph_doors *d)
{
	u32 i, nr = min_t(u32, d->nr_ended, ARRAY_SIZE(d->ended));

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NE(d->test, 0,
				ph_test_lookup(d->heap, 0, d->ended[i]));
}

static void ph_doors_seldom(struct ph_doors *d)
{
	struct privheap_reserve req = {
		.object_bytes = 64, .count = ph_fixture_random(d->fix, 100),
	};

	switch (ph_fixture_random(d->fix, 5)) {
	case 0:
		ph_test_reclaim(d->heap);
		break;
	case 1:
		down_read(&d->heap->sem);
		ph_supply_tick(d->heap);
		up_read(&d->heap->sem);
		break;
	case 2:
		down_write(&d->heap->sem);
		ph_supply_reserve(d->heap, ph_heap_type(d->heap, d->type[1]),
				  &req);
		up_write(&d->heap->sem);
		break;
	case 3:
		d->heap->region.hard_max = PH_TEST_MAX_BYTES;
		if (ph_fixture_random(d->fix, 2))
			d->heap->region.hard_max =
				ph_fixture_held(&d->heap->region);
		break;
	case 4:
		ph_doors_stale(d);
		break;
	}
}

/* What the program sees in the slab map, beside what there is. */
static void ph_doors_check_map(struct ph_doors *d)
{
	u32 per = PAGE_SIZE / sizeof(struct privheap_map_entry), page;
	const struct privheap_map_entry *entry;
	struct privheap_map_entry want;
	struct ph_slab *slab;
	u32 wrong = 0;

	for (page = 0; page < per * PH_DOORS_MAP_PAGES; page++) {
		entry = page_address(d->map[page / per]);
		entry += page % per;
		memset(&want, 0, sizeof(want));
		slab = ph_fixture_slab(&d->heap->region,
				       (u64)page << PAGE_SHIFT);
		if (slab)
			ph_cache_map_entry(slab, &want);
		wrong += !!memcmp(entry, &want, sizeof(want));
	}
	KUNIT_ASSERT_EQ(d->test, wrong, 0);
}

static void ph_doors_check_types(struct ph_doors *d)
{
	const struct privheap_stat_page *page;
	u64 out[PH_DOORS_TYPES] = {}, live[PH_DOORS_TYPES] = {};
	u32 i;

	for (i = 0; i < d->nr; i++)
		if (d->object[i].out)
			out[d->object[i].type]++;
		else
			live[d->object[i].type]++;
	page = ph_view_stat(&d->heap->region.view);
	/* What the trimmer carries from a magazine to a slab is counted nowhere. */
	down_write(&d->heap->sem);
	ph_board_update(d->heap);
	KUNIT_EXPECT_EQ(d->test, ph_supply_validate(d->heap), 0);
	for (i = 0; i < PH_DOORS_TYPES; i++) {
		KUNIT_EXPECT_EQ(d->test, out[i],
				page->type[d->type[i]].handed_objects);
		KUNIT_EXPECT_EQ(d->test, live[i],
				page->type[d->type[i]].live_objects);
	}
	up_write(&d->heap->sem);
}

static void ph_doors_step(struct ph_doors *d, u32 step)
{
	u32 what = ph_fixture_random(d->fix, 100), at = 0;
	u32 bias = step / 500 % 2 ? 20 : 36;

	if (d->nr)
		at = ph_fixture_random(d->fix, d->nr);
	if ((what < bias || !d->nr) &&
	    d->nr + PH_DOORS_BATCH <= PH_DOORS_OBJECTS)
		what % 3 ? ph_doors_alloc(d) : ph_doors_take(d);
	else if (what < 65 && d->nr)
		ph_doors_free(d, at);
	else if (what < 80 && d->nr)
		ph_doors_convert(d, at);
	else if (what < 96 && d->nr)
		ph_doors_resize(d, at);
	else
		ph_doors_seldom(d);
	ph_doors_check_types(d);
	if (!(step % 16))
		ph_doors_check_map(d);
}

static void ph_doors_fill_entry(struct ph_region *region, u64 page,
				struct privheap_map_entry *entry)
{
	struct ph_slab *slab = ph_fixture_slab(region, page << PAGE_SHIFT);

	if (slab)
		ph_cache_map_entry(slab, entry);
}

static void ph_doors_open(struct ph_doors *d)
{
	u32 i;

	for (i = 0; i < PH_DOORS_TYPES; i++)
		d->type[i] = ph_test_type(d->test, &ph_doors_types[i]);
	KUNIT_ASSERT_EQ(d->test, 0, ph_board_make(d->heap));
	for (i = 0; i < PH_DOORS_MAP_PAGES; i++) {
		d->map[i] = ph_view_slab_map_page(&d->heap->region, i,
						  ph_doors_fill_entry);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(d->test, d->map[i]);
	}
}

static void doors_agree_with_model_in_long_run(struct kunit *test)
{
	u32 step, steps = ph_long_run(PH_DOORS_STEPS);
	struct ph_doors *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->test = test;
	d->fix = test->priv;
	d->heap = ph_test_heap(test);
	prandom_seed_state(&d->fix->rnd, *(const u32 *)test->param_value);
	ph_doors_open(d);
	for (step = 0; step < steps; step++)
		ph_doors_step(d, step);
	ph_doors_check_map(d);
	ph_doors_stale(d);
	KUNIT_EXPECT_GT(test, d->refused, 0);
	KUNIT_EXPECT_LT(test, d->refused, steps / 2);
	d->heap->region.hard_max = PH_TEST_MAX_BYTES;
	while (d->nr)
		ph_doors_free(d, d->nr - 1);
	ph_doors_check_types(d);
	ph_test_reclaim(d->heap);
	ph_doors_check_map(d);
}

static const u32 ph_doors_seeds[] = { 2, 19880229, 2718281 };

static void ph_doors_seed_name(const u32 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %u", *seed);
}

KUNIT_ARRAY_PARAM(ph_doors_seed, ph_doors_seeds, ph_doors_seed_name);

static struct kunit_case ph_doors_model_test_cases[] = {
	KUNIT_CASE_PARAM(doors_agree_with_model_in_long_run,
			 ph_doors_seed_gen_params),
	{}
};

static struct kunit_suite ph_doors_model_suite = {
	.name = "privheap_doors_model",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_doors_model_test_cases,
};

kunit_test_suite(ph_doors_model_suite);
