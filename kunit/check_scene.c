// SPDX-License-Identifier: GPL-2.0
/* A heap of the kernel door and an ear at its reports; see check_scene.h. */

#include <linux/spinlock.h>

#include "check_scene.h"

#define PH_SCENE_CACHES	64

struct privheap *ph_scene_heap;

static struct privheap_cache *ph_scene_caches[PH_SCENE_CACHES];
static u32 ph_scene_names;
static DEFINE_SPINLOCK(ph_scene_lock);
static struct ph_seen ph_scene_heard;
static char ph_scene_list[PH_CHECKLIST_LEN];

/* Other modules' caches are no business of a test. */
static bool ph_scene_hear(const struct ph_report *report)
{
	unsigned long flags;

	if (report->door->heap != ph_scene_heap)
		return false;
	spin_lock_irqsave(&ph_scene_lock, flags);
	ph_scene_heard.all++;
	ph_scene_heard.of[report->mistake]++;
	ph_scene_heard.last = *report;
	if (report->left)
		ph_scene_heard.left = *report->left;
	spin_unlock_irqrestore(&ph_scene_lock, flags);
	return true;
}

/**
 * ph_scene_listen() - keep reports out of the log, or let them in
 * @on: which
 */
void ph_scene_listen(bool on)
{
	WRITE_ONCE(ph_report_hook, on ? ph_scene_hear : NULL);
}

/**
 * ph_scene_seen() - look at what was reported, and forget it
 * @seen: (out)
 */
void ph_scene_seen(struct ph_seen *seen)
{
	unsigned long flags;

	spin_lock_irqsave(&ph_scene_lock, flags);
	*seen = ph_scene_heard;
	memset(&ph_scene_heard, 0, sizeof(ph_scene_heard));
	spin_unlock_irqrestore(&ph_scene_lock, flags);
}

/**
 * ph_scene_init() - for suites of checks
 * @test: the test
 *
 * Return: 0 or an error.
 */
int ph_scene_init(struct kunit *test)
{
	static const struct privheap_attr attr = {
		.name = "check", .max_bytes = PH_TEST_MAX_BYTES,
	};
	struct ph_seen seen;
	int err = ph_fixture_init(test);

	if (err)
		return err;
	ph_checklist_get(ph_scene_list, sizeof(ph_scene_list));
	err = ph_checklist_set("");
	if (err)
		return err;
	ph_scene_heap = privheap_create(&attr);
	if (IS_ERR(ph_scene_heap)) {
		err = PTR_ERR(ph_scene_heap);
		ph_scene_heap = NULL;
		return err;
	}
	memset(ph_scene_caches, 0, sizeof(ph_scene_caches));
	ph_scene_seen(&seen);
	ph_scene_listen(true);
	return 0;
}

/**
 * ph_scene_exit() - end all caches, whatever is left in them, and the heap
 * @test: the test
 */
void ph_scene_exit(struct kunit *test)
{
	int i;

	for (i = 0; i < PH_SCENE_CACHES; i++)
		privheap_cache_destroy(ph_scene_caches[i],
				       PRIVHEAP_DESTROY_FORCE);
	memset(ph_scene_caches, 0, sizeof(ph_scene_caches));
	KUNIT_EXPECT_EQ(test, privheap_destroy(ph_scene_heap), 0);
	ph_scene_heap = NULL;
	ph_scene_listen(false);
	ph_checklist_set(ph_scene_list);
	ph_fixture_exit(test);
}

/**
 * ph_scene_cache() - a cache, ended by the scene's exit at the latest
 * @test: the test, aborted where there is none
 * @size: of its objects
 * @args: what else there is to say, or NULL
 */
struct privheap_cache *
ph_scene_cache(struct kunit *test, u32 size,
	       const struct privheap_cache_args *args)
{
	struct privheap_cache *cache;
	char name[PRIVHEAP_NAME_LEN];
	int i;

	for (i = 0; i < PH_SCENE_CACHES && ph_scene_caches[i]; i++)
		;
	KUNIT_ASSERT_LT(test, i, PH_SCENE_CACHES);
	snprintf(name, sizeof(name), "check%u", ph_scene_names++);
	cache = privheap_cache_create(ph_scene_heap, name, size, args);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cache);
	ph_scene_caches[i] = cache;
	return cache;
}

/* A cache as the test's parameter says, which keeps what memory it has. */
struct privheap_cache *ph_scene_cache_of(struct kunit *test, u32 flags)
{
	const struct ph_check_case *c = test->param_value;
	struct privheap_cache_args args = {
		.align = c->align, .flags = flags, .keep_slabs = 64,
	};

	return ph_scene_cache(test, c->size, &args);
}

/**
 * ph_scene_end_cache() - end a cache that has no objects, its books balanced
 * @test: the test
 * @cache: from ph_scene_cache()
 */
void ph_scene_end_cache(struct kunit *test, struct privheap_cache *cache)
{
	int i;

	KUNIT_EXPECT_EQ(test, ph_cache_validate(cache->cache), 0);
	KUNIT_ASSERT_EQ(test, privheap_cache_destroy(cache, 0), 0);
	for (i = 0; i < PH_SCENE_CACHES; i++)
		if (ph_scene_caches[i] == cache)
			ph_scene_caches[i] = NULL;
}

/**
 * ph_scene_alloc() - an object
 * @test: the test, aborted where there is none
 * @cache: whose
 */
void *ph_scene_alloc(struct kunit *test, struct privheap_cache *cache)
{
	void *obj = privheap_cache_alloc(cache, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	return obj;
}

void ph_scene_layout(struct ph_check_layout *lay,
		     const struct privheap_cache *cache)
{
	ph_check_layout(lay, cache->flags, privheap_cache_size(cache),
			max_t(u32, cache->cache->type->align, 8));
}

static const u32 ph_case_sizes[] = { 1, 7, 8, 9, 40, 63, 64, 200, 1000, 4096 };
static const u32 ph_case_aligns[] = { 0, 64, 4096 };

/* Every size with every alignment; the tests go through all sets of checks. */
const void *ph_check_case_gen_params(const void *prev, char *desc)
{
	static struct ph_check_case c;
	static u32 nr;
	u32 size, align;

	nr = prev ? nr + 1 : 0;
	size = nr / ARRAY_SIZE(ph_case_aligns);
	align = nr % ARRAY_SIZE(ph_case_aligns);
	if (size == ARRAY_SIZE(ph_case_sizes))
		return NULL;
	c.size = ph_case_sizes[size];
	c.align = ph_case_aligns[align];
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "size %u align %u", c.size,
		 c.align);
	return &c;
}
