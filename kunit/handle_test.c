// SPDX-License-Identifier: GPL-2.0
/* Handles: a wrong one is refused, and for the right reason. */

#include "objects.h"

#define PH_INT	PRIVHEAP_TYPE_INT
#define PH_STR	PRIVHEAP_TYPE_STR

/* The errors that say what is wrong with a handle. */
static bool ph_is_handle_error(int err)
{
	return err == -EXDEV || err == -ESTALE || err == -EREMCHG ||
	       err == -EBADSLT || err == -ENXIO;
}

static bool ph_is_past_error(int err)
{
	return err == -ESTALE || err == -EREMCHG;
}

static const struct ph_object_case {
	const char *name;
	u32 type;
	u64 bytes;
	/* Lives of the slot before this one. */
	u32 lives;
} ph_object_cases[] = {
	{ "int", PH_INT, 0, 0 },
	{ "int, sixth life", PH_INT, 0, 5 },
	{ "int, life 1000", PH_INT, 0, 999 },
	{ "str of 2 bytes", PH_STR, 2, 0 },
	{ "str of 100 bytes, second life", PH_STR, 100, 1 },
	{ "str of 5000 bytes", PH_STR, 5000, 2 },
	{ "list of 8192 bytes", PRIVHEAP_TYPE_LIST, 8192, 0 },
	{ "span of 3 pages", PH_STR, 3 * PAGE_SIZE, 0 },
	{ "span of 700 pages, third life", PH_STR, 700 * PAGE_SIZE, 2 },
};

static void ph_object_case_name(const struct ph_object_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ph_object, ph_object_cases, ph_object_case_name);

static u64 ph_object_of(struct kunit *test, const struct ph_object_case *c)
{
	u64 handle = ph_test_alloc(test, c->type, c->bytes);
	u32 i;

	for (i = 0; i < c->lives; i++) {
		KUNIT_ASSERT_EQ(test, ph_test_free(ph_test_heap(test), handle),
				0);
		handle = ph_test_alloc(test, c->type, c->bytes);
	}
	return handle;
}

static void handle_of_live_object_is_found(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_object_of(test, c);

	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, handle), 0);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, c->type, handle), 0);
	KUNIT_EXPECT_EQ(test, handle & ~0ULL << PH_TAG_SHIFT, heap->region.tag);
	KUNIT_EXPECT_NE(test, handle >> PH_TAG_SHIFT, 0);
}

static void handle_with_any_bit_flipped_is_refused(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	u64 handle = ph_object_of(test, c);
	u32 bit, tried = 0;
	int err;

	for (bit = 0; bit < 64; bit++, tried++) {
		err = ph_test_lookup(ph_test_heap(test), 0,
				     handle ^ 1ULL << bit);
		KUNIT_EXPECT_TRUE_MSG(test, ph_is_handle_error(err),
				      "bit %u: error %d", bit, err);
	}
	KUNIT_EXPECT_EQ(test, tried, 64);
}

static void handle_with_any_two_bits_flipped_is_refused(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	u64 handle = ph_object_of(test, c), wrong;
	u32 one, two, tried = 0;
	int err;

	for (one = 0; one < 64; one++) {
		for (two = one + 1; two < 64; two++, tried++) {
			wrong = handle ^ 1ULL << one ^ 1ULL << two;
			err = ph_test_lookup(ph_test_heap(test), 0, wrong);
			KUNIT_EXPECT_TRUE_MSG(test, ph_is_handle_error(err),
					      "bits %u, %u: error %d", one, two,
					      err);
		}
	}
	KUNIT_EXPECT_EQ(test, tried, 64 * 63 / 2);
}

static void handle_when_freed(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_object_of(test, c);

	KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, handle), -ESTALE);
	KUNIT_EXPECT_EQ(test, ph_test_free(heap, handle), -ESTALE);
	ph_test_expect_sound(test);
}

static void handle_when_freed_and_memory_given_back(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_object_of(test, c), again;

	KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	ph_test_reclaim(heap);
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(&heap->region,
						handle & PH_OFFSET_MASK));
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, handle), -ESTALE);
	again = ph_test_alloc(test, c->type, c->bytes);
	KUNIT_EXPECT_NE(test, again, handle);
	KUNIT_EXPECT_TRUE(test,
			  ph_is_past_error(ph_test_lookup(heap, 0, handle)));
}

static void handle_when_place_serves_another(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_object_of(test, c), next;
	int err;

	KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	next = ph_test_alloc(test, c->type, c->bytes);
	KUNIT_ASSERT_EQ(test, next & PH_OFFSET_MASK, handle & PH_OFFSET_MASK);
	err = ph_test_lookup(heap, 0, handle);
	/* A span's memory went back in between: that it was freed is known. */
	if (c->bytes > PH_SLOT_MAX)
		KUNIT_EXPECT_TRUE(test, ph_is_past_error(err));
	else
		KUNIT_EXPECT_EQ(test, err, -EREMCHG);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, next), 0);
}

static void handle_when_type_is_another(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_object_of(test, c);
	u32 type, tried = 0;

	for (type = 1; type < 40; type++, tried++)
		KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, type, handle),
				type == c->type ? 0 : -EPROTOTYPE);
	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_test_lookup(heap, U32_MAX, handle));
	KUNIT_EXPECT_EQ(test, tried, 39);
}

static void handle_when_it_points_inside(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	u64 handle = ph_object_of(test, c), at, end = c->bytes ?: 28;
	u32 tried = 0, wrong = 0;

	for (at = 1; at < end; at += 1 + at / 512, tried++)
		wrong += ph_test_lookup(ph_test_heap(test), 0, handle + at) !=
			 -EBADSLT;
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, tried, 0);
}

/* However many heaps have come and gone, an open one has a tag of its own. */
static void handle_of_other_heap_after_many_heaps(struct kunit *test)
{
	u64 handle = ph_test_alloc(test, PH_INT, 0);
	struct ph_heap *other;
	u32 i, wrong = 0;

	for (i = 0; i < 600; i++) {
		other = ph_heap_create(PH_TEST_MAX_BYTES);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
		wrong += ph_test_lookup(other, 0, handle) != -EXDEV;
		ph_heap_destroy(other);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void handle_when_of_another_heap(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	struct ph_fixture *fix = test->priv;
	u64 handle = ph_object_of(test, c);
	struct ph_heap *other;

	other = ph_heap_create(PH_TEST_MAX_BYTES);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	fix->other = other;
	KUNIT_EXPECT_EQ(test, ph_test_lookup(other, 0, handle), -EXDEV);
	KUNIT_EXPECT_EQ(test, ph_test_free(other, handle), -EXDEV);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(fix->heap, 0, handle), 0);
}

static void handle_with_every_other_tag(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PH_INT, 0), rest;
	u32 tag, wrong = 0;

	rest = handle & ((1ULL << PH_TAG_SHIFT) - 1);
	for (tag = 1; tag <= U8_MAX; tag++)
		wrong += ph_test_lookup(heap, 0, rest |
					(u64)tag << PH_TAG_SHIFT) !=
			 (tag == handle >> PH_TAG_SHIFT ? 0 : -EXDEV);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, rest), -ENXIO);
}

static void handle_with_every_other_generation(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PH_INT, 0), other;
	u32 gen, live = 0, wrong = 0;
	int err;

	for (gen = 0; gen <= U16_MAX; gen++) {
		other = ph_handle(heap, gen, handle & PH_OFFSET_MASK);
		err = ph_test_lookup(heap, 0, other);
		live += !err;
		wrong += err && !ph_is_handle_error(err);
	}
	KUNIT_EXPECT_EQ(test, live, 1);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void handle_when_made_up(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PH_INT, 0);
	u64 offset = handle & PH_OFFSET_MASK, end;
	u16 gen = ph_handle_gen(handle);
	u32 slot, i;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);
	u64 made_up[] = {
		0, 1, U64_MAX >> 8, ph_handle(heap, gen + 1, offset),
		ph_handle(heap, gen + 0x4000, offset),
		/* A slot that was never used, and the tail behind the last. */
		ph_handle(heap, gen, offset + slab->stride),
		ph_handle(heap, gen, slab->start + slab->nr * slab->stride),
		ph_handle(heap, gen, slab->start + slab->reach),
		ph_handle(heap, gen, PH_OFFSET_MASK),
	};

	rcu_read_lock();
	end = ph_region_end(&heap->region);
	rcu_read_unlock();
	for (i = 0; i < ARRAY_SIZE(made_up); i++)
		KUNIT_EXPECT_EQ_MSG(test, -ENXIO,
				    ph_test_lookup(heap, 0, made_up[i]),
				    "number %u", i);
	KUNIT_EXPECT_EQ(test, -ENXIO,
			ph_test_lookup(heap, 0, ph_handle(heap, gen, end)));
}

static void handle_when_heap_is_new(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);

	KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, 0), -ENXIO);
	KUNIT_EXPECT_EQ(test, -ENXIO,
			ph_test_lookup(heap, 0, ph_handle(heap, 1, 0)));
	KUNIT_EXPECT_EQ(test, -ENXIO,
			ph_test_lookup(heap, 0,
				       ph_handle(heap, 1, PH_OFFSET_MASK)));
}

/*
 * 16 bits do not tell a generation of long ago from one to come: which error it
 * is may change when they wrap, but dead is dead.
 */
static void handle_when_generation_wraps(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PH_INT, 0), old;
	u16 first = heap->region.gen_first;
	u32 slot, i;
	struct ph_slab *slab = ph_test_slab(test, handle, &slot);
	int err;

	/* Nobody but the slab may know of the slot when it is aged. */
	ph_test_alloc(test, PH_INT, 0);
	KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	ph_cache_drain(slab->cache, true);
	slab->gen[slot] = first - 1;
	old = ph_test_alloc(test, PH_INT, 0);
	KUNIT_ASSERT_EQ(test, ph_handle_gen(old), (u16)(first - 1));
	KUNIT_ASSERT_EQ(test, ph_test_free(heap, old), 0);
	for (i = 1; i < 10; i++) {
		handle = ph_test_alloc(test, PH_INT, 0);
		KUNIT_EXPECT_LT(test, (u16)(ph_handle_gen(handle) - first), 10);
		KUNIT_EXPECT_EQ(test, ph_test_lookup(heap, 0, handle), 0);
		err = ph_test_lookup(heap, 0, old);
		KUNIT_EXPECT_TRUE(test, ph_is_handle_error(err));
		KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	}
}

static void handle_is_dead_for_all_reuses_but_the_last(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 first = ph_test_alloc(test, PH_INT, 0), handle = first;
	u32 lives, end = ph_long_run(U16_MAX), alive = 0;

	for (lives = 1; lives < end; lives++) {
		KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
		handle = ph_test_alloc(test, PH_INT, 0);
		KUNIT_ASSERT_EQ(test, handle & PH_OFFSET_MASK,
				first & PH_OFFSET_MASK);
		alive += !ph_test_lookup(heap, 0, first);
	}
	KUNIT_EXPECT_EQ(test, alive, 0);
}

static void handle_pin_keeps_memory_of_freed_object(struct kunit *test)
{
	const struct ph_object_case *c = test->param_value;
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_object_of(test, c);
	u64 offset = handle & PH_OFFSET_MASK;
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;

	KUNIT_ASSERT_EQ(test, 0,
			ph_handle_pin(heap, 0, handle, &slab, &slot));
	KUNIT_ASSERT_EQ(test, ph_test_free(heap, handle), 0);
	ph_test_reclaim(heap);
	KUNIT_EXPECT_PTR_EQ(test, slab, ph_fixture_slab(&heap->region, offset));
	ph_slab_unpin(slab);
	ph_test_reclaim(heap);
	KUNIT_EXPECT_NULL(test, ph_fixture_slab(&heap->region, offset));
}

static void handle_pin_when_wrong_pins_nothing(struct kunit *test)
{
	struct ph_heap *heap = ph_test_heap(test);
	u64 handle = ph_test_alloc(test, PH_INT, 0);
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;

	KUNIT_EXPECT_EQ(test, -EPROTOTYPE,
			ph_handle_pin(heap, PH_STR, handle, &slab, &slot));
	slab = &ph_no_slab;
	KUNIT_EXPECT_EQ(test, -EBADSLT,
			ph_handle_pin(heap, 0, handle + 1, &slab, &slot));
	slab = ph_test_slab(test, handle, &slot);
	KUNIT_EXPECT_EQ(test, atomic_read(&slab->pins), 0);
}

static struct kunit_case ph_handle_test_cases[] = {
	KUNIT_CASE(handle_of_other_heap_after_many_heaps),
	KUNIT_CASE_PARAM(handle_of_live_object_is_found, ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_with_any_bit_flipped_is_refused,
			 ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_with_any_two_bits_flipped_is_refused,
			 ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_when_freed, ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_when_freed_and_memory_given_back,
			 ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_when_place_serves_another,
			 ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_when_type_is_another, ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_when_it_points_inside, ph_object_gen_params),
	KUNIT_CASE_PARAM(handle_when_of_another_heap, ph_object_gen_params),
	KUNIT_CASE(handle_with_every_other_tag),
	KUNIT_CASE(handle_with_every_other_generation),
	KUNIT_CASE(handle_when_made_up),
	KUNIT_CASE(handle_when_heap_is_new),
	KUNIT_CASE(handle_when_generation_wraps),
	KUNIT_CASE(handle_is_dead_for_all_reuses_but_the_last),
	KUNIT_CASE_PARAM(handle_pin_keeps_memory_of_freed_object,
			 ph_object_gen_params),
	KUNIT_CASE(handle_pin_when_wrong_pins_nothing),
	{}
};

static struct kunit_suite ph_handle_suite = {
	.name = "privheap_handle",
	.init = ph_fixture_init_heap,
	.exit = ph_fixture_exit,
	.test_cases = ph_handle_test_cases,
};

kunit_test_suite(ph_handle_suite);
