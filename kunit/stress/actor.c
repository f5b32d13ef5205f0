// SPDX-License-Identifier: GPL-2.0
/* Somebody who allocates and frees, and looks at what he gets. */

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "stress.h"

#define STRESS_FREE	0x6672656566726565ULL
#define STRESS_USED	0x7573656475736564ULL

static u64 stress_ids;

void stress_ctor(void *obj)
{
	*(u64 *)obj = STRESS_FREE;
}

void stress_actor_init(struct stress_actor *actor, const char *name)
{
	memset(actor, 0, sizeof(*actor));
	actor->name = name;
	actor->id = ++stress_ids;
	prandom_seed_state(&actor->rnd, actor->id);
}

u32 stress_random(struct stress_actor *actor, u32 ceiling)
{
	return prandom_u32_state(&actor->rnd) % ceiling;
}

/* In a cache with a constructor the first word is not the owner's. */
static u32 stress_words(u32 kind, void *obj, u64 **words)
{
	u32 own = kind == STRESS_CTOR;

	*words = (u64 *)obj + own;
	return privheap_cache_size(stress_cache(kind)) / sizeof(u64) - own;
}

/**
 * stress_took() - an object is the actor's now
 * @actor: whose
 * @kind: the object's cache
 * @obj: the object
 * @zero: whether it has to be zero
 * @held: (out) what stress_give() needs
 */
void stress_took(struct stress_actor *actor, u32 kind, void *obj, bool zero,
		 struct stress_held *held)
{
	u64 *words;
	u32 nr = stress_words(kind, obj, &words);

	held->obj = obj;
	held->kind = kind;
	held->tag = actor->id << 48 | ++actor->serial;
	actor->ops++;
	if (kind == STRESS_CTOR &&
	    cmpxchg((u64 *)obj, STRESS_FREE, STRESS_USED) != STRESS_FREE)
		stress_fault(actor->name, "an object in use was handed out");
	if (zero && kind != STRESS_CTOR &&
	    memchr_inv(words, 0, nr * sizeof(u64)))
		stress_fault(actor->name, "an object was not zero");
	memset64(words, held->tag, nr);
}

bool stress_take(struct stress_actor *actor, u32 kind, gfp_t gfp,
		 struct stress_held *held)
{
	void *obj = privheap_cache_alloc(stress_cache(kind), gfp);

	if (!obj) {
		actor->nulls++;
		return false;
	}
	stress_took(actor, kind, obj, kind == STRESS_COMPACT ||
		    want_init_on_alloc(gfp), held);
	return true;
}

/* Look at an object before it is freed. */
void stress_check(const char *who, const struct stress_held *held)
{
	u64 *words;
	u32 nr = stress_words(held->kind, held->obj, &words), i;

	for (i = 0; i < nr; i++)
		if (words[i] != held->tag) {
			stress_fault(who, "an object was written to");
			break;
		}
	if (held->kind == STRESS_CTOR &&
	    cmpxchg((u64 *)held->obj, STRESS_USED, STRESS_FREE) != STRESS_USED)
		stress_fault(who, "an object in use was freed");
}

void stress_give(const char *who, const struct stress_held *held)
{
	stress_check(who, held);
	privheap_cache_free(stress_cache(held->kind), held->obj);
}

/**
 * stress_step() - allocate an object, or free one
 * @actor: who; must not be interrupted by himself
 * @gfp: what his context allows
 */
void stress_step(struct stress_actor *actor, gfp_t gfp)
{
	u32 kind = stress_random(actor, STRESS_KINDS), i;

	if (actor->nr < STRESS_HELD && stress_random(actor, 100) < 55) {
		if (stress_random(actor, 4) == 0)
			gfp |= __GFP_ZERO;
		if (stress_take(actor, kind, gfp, &actor->held[actor->nr]))
			actor->nr++;
	} else if (actor->nr) {
		i = stress_random(actor, actor->nr);
		stress_give(actor->name, &actor->held[i]);
		actor->held[i] = actor->held[--actor->nr];
		actor->ops++;
	}
}

/* Free what he has, and tell what he did. */
void stress_actor_exit(struct stress_actor *actor)
{
	while (actor->nr)
		stress_give(actor->name, &actor->held[--actor->nr]);
	stress_count(actor->name, actor->ops);
}
