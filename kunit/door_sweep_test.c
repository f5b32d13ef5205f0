// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel door: each allocation that a call makes fails in turn, alone and with
 * all that follow. The call says so, changes nothing, and then succeeds.
 */

#include "door_fixture.h"
#include "faults.h"

/* A call that has more than that does not end. */
#define PH_MOST_POINTS	2000

/* Of all calls, in both ways. */
static u32 ph_points;

/**
 * struct ph_sweep - what a call works with
 * @test: the test
 * @heap: a heap of its own, with @cache
 * @cache: it has @nr objects
 * @made: what the call made: a heap or a cache
 * @objs: the objects, those that the call allocates behind them
 * @nr: how many there are
 */
struct ph_sweep {
	struct kunit *test;
	struct privheap *heap;
	struct privheap_cache *cache;
	void *made;
	void **objs;
	u32 nr;
};

/**
 * struct ph_call - a call of the kernel door
 * @name: for people
 * @flags: of the cache
 * @nr: objects that there are
 * @run: the call; 0 or an errno
 * @end: ends what it made
 */
struct ph_call {
	const char *name;
	u32 flags;
	u32 nr;
	int (*run)(struct ph_sweep *s);
	void (*end)(struct ph_sweep *s);
};

static int ph_run_create(struct ph_sweep *s)
{
	static const struct privheap_attr attr = { .name = "made" };

	s->made = privheap_create(&attr);
	return PTR_ERR_OR_ZERO(s->made);
}

static int ph_run_create_reserved(struct ph_sweep *s)
{
	static const struct privheap_attr attr = {
		.name = "made", .reserve_bytes = SZ_1M,
	};

	s->made = privheap_create(&attr);
	return PTR_ERR_OR_ZERO(s->made);
}

static void ph_end_create(struct ph_sweep *s)
{
	KUNIT_EXPECT_EQ(s->test, privheap_destroy(s->made), 0);
}

static int ph_make_cache(struct ph_sweep *s,
			 const struct privheap_cache_args *args)
{
	s->made = privheap_cache_create(s->heap, "made", 200, args);
	return PTR_ERR_OR_ZERO(s->made);
}

static int ph_run_cache(struct ph_sweep *s)
{
	return ph_make_cache(s, NULL);
}

static int ph_run_cache_prealloc(struct ph_sweep *s)
{
	static const struct privheap_cache_args args = { .prealloc = 100 };

	return ph_make_cache(s, &args);
}

static int ph_run_cache_quota(struct ph_sweep *s)
{
	static const struct privheap_cache_args args = { .quota = 100 };

	return ph_make_cache(s, &args);
}

static int ph_run_cache_checked(struct ph_sweep *s)
{
	static const struct privheap_cache_args args = {
		.flags = PRIVHEAP_CACHE_CHECK,
	};

	return ph_make_cache(s, &args);
}

static void ph_end_cache(struct ph_sweep *s)
{
	KUNIT_EXPECT_EQ(s->test, privheap_cache_destroy(s->made, 0), 0);
}

static int ph_alloc_with(struct ph_sweep *s, gfp_t gfp)
{
	s->objs[s->nr] = privheap_cache_alloc(s->cache, gfp);
	return s->objs[s->nr] ? 0 : -ENOMEM;
}

static int ph_run_alloc(struct ph_sweep *s)
{
	return ph_alloc_with(s, GFP_KERNEL);
}

static int ph_run_alloc_zero(struct ph_sweep *s)
{
	return ph_alloc_with(s, GFP_KERNEL | __GFP_ZERO);
}

static int ph_run_alloc_atomic(struct ph_sweep *s)
{
	return ph_alloc_with(s, GFP_ATOMIC);
}

static void ph_end_alloc(struct ph_sweep *s)
{
	privheap_cache_free(s->cache, s->objs[s->nr]);
}

#define PH_BULK	300

static int ph_run_bulk(struct ph_sweep *s)
{
	return privheap_cache_alloc_bulk(s->cache, GFP_KERNEL, PH_BULK,
					 s->objs + s->nr) ? 0 : -ENOMEM;
}

static void ph_end_bulk(struct ph_sweep *s)
{
	privheap_cache_free_bulk(s->cache, PH_BULK, s->objs + s->nr);
}

static int ph_run_reserve(struct ph_sweep *s)
{
	return privheap_cache_reserve(s->cache, 1000);
}

static void ph_end_reserve(struct ph_sweep *s)
{
	KUNIT_EXPECT_EQ(s->test, privheap_cache_reserve(s->cache, 0), 0);
}

/* These have to get by without memory. */

static int ph_run_free(struct ph_sweep *s)
{
	while (s->nr)
		privheap_cache_free(s->cache, s->objs[--s->nr]);
	return 0;
}

static int ph_run_free_bulk(struct ph_sweep *s)
{
	privheap_cache_free_bulk(s->cache, s->nr, s->objs);
	s->nr = 0;
	return 0;
}

static int ph_run_unreserve(struct ph_sweep *s)
{
	return privheap_cache_reserve(s->cache, 0);
}

static int ph_run_shrink(struct ph_sweep *s)
{
	return privheap_cache_shrink(s->cache) == !!s->nr ? 0 : -EIO;
}

static int ph_run_stat(struct ph_sweep *s)
{
	struct privheap_cache_stat stat;

	privheap_cache_stat(s->cache, &stat);
	return stat.objects == s->nr ? 0 : -EIO;
}

static int ph_run_owns(struct ph_sweep *s)
{
	return privheap_owns(s->objs[0]) ? 0 : -EIO;
}

static int ph_run_destroy(struct ph_sweep *s)
{
	int err = privheap_cache_destroy(s->cache, 0);

	s->cache = NULL;
	return err ?: privheap_destroy(s->heap);
}

static int ph_run_destroy_forced(struct ph_sweep *s)
{
	s->nr = 0;
	privheap_cache_destroy(s->cache, PRIVHEAP_DESTROY_FORCE);
	s->cache = NULL;
	return privheap_destroy(s->heap);
}

#define PH_RUN(_run, _nr, _flags) \
	{ .name = #_run, .run = ph_run_ ## _run, .nr = (_nr), .flags = (_flags) }
#define PH_RUN_END(_run, _nr, _flags, _end) \
	{ .name = #_run, .run = ph_run_ ## _run, .nr = (_nr), \
	  .flags = (_flags), .end = ph_end_ ## _end }

static const struct ph_call ph_calls[] = {
	PH_RUN_END(create, 1, 0, create),
	PH_RUN_END(create_reserved, 1, 0, create),
	PH_RUN_END(cache, 1, 0, cache),
	PH_RUN_END(cache_prealloc, 1, 0, cache),
	PH_RUN_END(cache_quota, 1, 0, cache),
	PH_RUN_END(cache_checked, 1, 0, cache),
	PH_RUN_END(alloc, 0, 0, alloc),
	PH_RUN_END(alloc, 1024, 0, alloc),
	PH_RUN_END(alloc, 0, PRIVHEAP_CACHE_CHECK, alloc),
	PH_RUN_END(alloc_zero, 0, 0, alloc),
	PH_RUN_END(alloc_atomic, 0, 0, alloc),
	PH_RUN_END(alloc_atomic, 1024, 0, alloc),
	PH_RUN_END(bulk, 0, 0, bulk),
	PH_RUN_END(bulk, 1000, 0, bulk),
	PH_RUN_END(bulk, 10, PRIVHEAP_CACHE_CHECK, bulk),
	PH_RUN_END(reserve, 0, 0, reserve),
	PH_RUN_END(reserve, 100, 0, reserve),
	PH_RUN(free, 1000, 0),
	PH_RUN(free, 100, PRIVHEAP_CACHE_CHECK),
	PH_RUN(free, 1000, PRIVHEAP_CACHE_TYPESAFE_BY_RCU),
	PH_RUN(free_bulk, 1000, 0),
	PH_RUN(unreserve, 10, 0),
	PH_RUN(shrink, 100, 0),
	PH_RUN(stat, 100, 0),
	PH_RUN(owns, 1, 0),
	PH_RUN(destroy, 0, 0),
	PH_RUN(destroy, 0, PRIVHEAP_CACHE_TYPESAFE_BY_RCU),
	PH_RUN(destroy_forced, 1000, 0),
};

static void ph_call_name(const struct ph_call *call, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s beside %u objects, flags %x",
		 call->name, call->nr, call->flags);
}

KUNIT_ARRAY_PARAM(ph_call, ph_calls, ph_call_name);

static void ph_sweep_make(struct kunit *test, const struct ph_call *call,
			  struct ph_sweep *s)
{
	static const struct privheap_attr attr = { .name = "sweep" };
	const struct privheap_cache_args args = { .flags = call->flags };

	memset(s, 0, sizeof(*s));
	s->test = test;
	s->objs = ph_door_objects();
	s->heap = privheap_create(&attr);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->heap);
	s->cache = privheap_cache_create(s->heap, "swept", 64, &args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->cache);
	s->nr = ph_door_alloc_all(s->cache, GFP_KERNEL, s->objs, call->nr);
	KUNIT_ASSERT_EQ(test, s->nr, call->nr);
}

static void ph_sweep_end(struct ph_sweep *s)
{
	if (!s->cache)
		return;
	PH_DOOR_EXPECT_SOUND(s->test, s->cache);
	PH_DOOR_EXPECT_OBJECTS(s->test, s->cache, s->nr);
	ph_door_free_all(s->cache, s->objs, s->nr);
	KUNIT_EXPECT_EQ(s->test, privheap_cache_destroy(s->cache, 0), 0);
	KUNIT_EXPECT_EQ(s->test, privheap_destroy(s->heap), 0);
}

/* One point. Returns false when there are no more. */
static bool ph_sweep_try(struct kunit *test, const struct ph_call *call,
			 u32 nth, bool and_on)
{
	struct ph_sweep s;
	bool hit;
	int err;

	ph_sweep_make(test, call, &s);
	ph_faults_begin(nth, and_on);
	err = call->run(&s);
	hit = ph_faults_end();
	if (err) {
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_TRUE(test, hit && call->end);
		PH_DOOR_EXPECT_SOUND(test, s.cache);
		PH_DOOR_EXPECT_OBJECTS(test, s.cache, s.nr);
		KUNIT_EXPECT_EQ(test, ph_door_stat(s.cache).promised, 0);
		err = call->run(&s);
		KUNIT_EXPECT_EQ(test, err, 0);
	}
	if (!err && call->end)
		call->end(&s);
	ph_sweep_end(&s);
	ph_points += hit;
	return hit;
}

static void door_call_fails_at_each_point(struct kunit *test)
{
	const struct ph_call *call = test->param_value;
	u32 nth = 0;

	if (!ph_faults_work(false))
		kunit_skip(test, "allocations cannot be made to fail");
	do {
		KUNIT_ASSERT_LT(test, ++nth, PH_MOST_POINTS);
	} while (ph_sweep_try(test, call, nth, false));
}

static void door_call_fails_from_each_point_on(struct kunit *test)
{
	const struct ph_call *call = test->param_value;
	u32 nth = 0;

	if (!ph_faults_work(true))
		kunit_skip(test, "allocations cannot be made to fail for good");
	do {
		KUNIT_ASSERT_LT(test, ++nth, PH_MOST_POINTS);
	} while (ph_sweep_try(test, call, nth, true));
}

static void door_sweep_has_points(struct kunit *test)
{
	if (!ph_faults_work(true))
		kunit_skip(test, "allocations cannot be made to fail for good");
	kunit_info(test, "sweep: %u points of %zu calls", ph_points,
		   2 * ARRAY_SIZE(ph_calls));
	KUNIT_EXPECT_GT(test, ph_points, 100);
}

static struct kunit_case ph_door_sweep_cases[] = {
	KUNIT_CASE_PARAM(door_call_fails_at_each_point, ph_call_gen_params),
	KUNIT_CASE_PARAM(door_call_fails_from_each_point_on,
			 ph_call_gen_params),
	KUNIT_CASE(door_sweep_has_points),
	{}
};

static struct kunit_suite ph_door_sweep_suite = {
	.name		= "privheap_sweep",
	.init		= ph_door_init,
	.exit		= ph_door_exit,
	.test_cases	= ph_door_sweep_cases,
};

kunit_test_suite(ph_door_sweep_suite);
