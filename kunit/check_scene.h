/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scene of checks: a heap of the kernel door, caches in it, and an ear at the
 * reports, which keeps them out of the kernel log.
 */
#ifndef _PH_KUNIT_CHECK_SCENE_H
#define _PH_KUNIT_CHECK_SCENE_H

#include "check.h"
#include "door.h"
#include "fixture.h"
#include "report.h"

/**
 * struct ph_seen - what was reported since the last look
 * @all: reports
 * @of: of which each kind
 * @last: the last one
 * @left: what it said of objects left
 */
struct ph_seen {
	u32 all;
	u32 of[PH_OBJECTS_LEFT + 1];
	struct ph_report last;
	struct ph_left left;
};

/**
 * struct ph_check_case - a test's parameter
 * @size: of objects
 * @align: of objects
 */
struct ph_check_case {
	u32 size;
	u32 align;
};

/* Every set of checks that is not empty. */
#define ph_for_each_check(flags)					\
	for ((flags) = PRIVHEAP_CACHE_POISON;				\
	     (flags) <= PRIVHEAP_CACHE_CHECK; (flags) += PRIVHEAP_CACHE_POISON)

extern struct privheap *ph_scene_heap;

int ph_scene_init(struct kunit *test);
void ph_scene_exit(struct kunit *test);
void ph_scene_listen(bool on);
void ph_scene_seen(struct ph_seen *seen);
struct privheap_cache *
ph_scene_cache(struct kunit *test, u32 size,
	       const struct privheap_cache_args *args);
struct privheap_cache *ph_scene_cache_of(struct kunit *test, u32 flags);
void ph_scene_end_cache(struct kunit *test, struct privheap_cache *cache);
void *ph_scene_alloc(struct kunit *test, struct privheap_cache *cache);
void ph_scene_layout(struct ph_check_layout *lay,
		     const struct privheap_cache *cache);

const void *ph_check_case_gen_params(const void *prev, char *desc);

/* Nothing was reported since the last look. */
#define ph_expect_silence(test)						\
do {									\
	struct ph_seen _seen;						\
									\
	ph_scene_seen(&_seen);						\
	KUNIT_EXPECT_EQ(test, _seen.all, 0);				\
} while (0)

/* Just one report since the last look, of this kind, about this address. */
#define ph_expect_one(test, _mistake, _addr)				\
do {									\
	struct ph_seen _seen;						\
									\
	ph_scene_seen(&_seen);						\
	KUNIT_EXPECT_EQ(test, _seen.all, 1);				\
	KUNIT_EXPECT_EQ(test, _seen.of[_mistake], 1);			\
	KUNIT_EXPECT_PTR_EQ(test, _seen.last.addr, (const void *)(_addr)); \
} while (0)

#endif /* _PH_KUNIT_CHECK_SCENE_H */
