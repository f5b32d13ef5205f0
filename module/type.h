/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Type: what the user names, and the caches of its size classes.
 */
#ifndef _PH_TYPE_H
#define _PH_TYPE_H

#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <uapi/linux/privheap.h>

#include "cache.h"

/* Alignment where the user names none. */
#define PH_ALIGN_DEFAULT	8
#define PH_KEEP_SLABS_MAX	1024

/**
 * struct ph_type - see above
 * @region: where its objects are
 * @policy: how it is allocated
 * @id: the user's word for it
 * @tenant: its number among all types that the heap ever had, as an owner of
 *	offsets
 * @flags: PRIVHEAP_TYPE_* bits
 * @align: alignment of objects, bytes
 * @policy_id: number of @policy
 * @keep_slabs: see struct privheap_type
 * @min_bytes: smallest object
 * @max_bytes: largest object
 * @quota: most live objects; 0: any number
 * @only: cache of a type of one small size, once it is made; read without lock
 * @live: objects that count against @quota; not kept without one
 * @handed: objects that are handed out
 * @handed_bytes: what they can use
 * @first_class: number of the smallest size class that it uses
 * @nr_classes: how many it can use
 * @lock: serialises making caches
 * @classes: cache of each size class, or NULL; made on first use, read without
 *	lock, unchanged until the type ends
 * @one: what @classes is where there is but one
 * @spans: cache of the objects that are too large for a slab, likewise
 * @name: for the user
 *
 * All but @tenant, @only, @live, @handed, @handed_bytes, @classes, and @spans is
 * immutable once the type is published.
 */
struct ph_type {
	struct ph_region *region;
	const struct ph_policy *policy;
	u32 id;
	struct ph_tenant tenant;
	u32 flags;
	u32 align;
	u16 policy_id;
	u16 keep_slabs;
	u64 min_bytes;
	u64 max_bytes;
	u64 quota;
	struct ph_cache *only;
	atomic64_t live;
	atomic64_t handed;
	atomic64_t handed_bytes;
	u32 first_class;
	u32 nr_classes;
	struct mutex lock;
	struct ph_cache **classes;
	struct ph_cache *one;
	struct ph_cache *spans;
	char name[PRIVHEAP_NAME_LEN];
};

typedef void (*ph_cache_fn)(struct ph_cache *cache, void *data);

int ph_type_check(const struct privheap_type *desc, u64 max_object);
void ph_type_init(struct ph_type *type, struct ph_region *region,
		  const struct privheap_type *desc);
void ph_type_exit(struct ph_type *type);
struct ph_type *ph_type_create(struct ph_region *region,
			       const struct privheap_type *desc);
void ph_type_destroy(struct ph_type *type);
void ph_type_describe(const struct ph_type *type, struct privheap_type *desc);

struct ph_cache *ph_type_make_cache(struct ph_type *type, u64 bytes);
void ph_type_adopt(struct ph_type *type, struct ph_cache *cache);
void ph_type_for_each_cache(struct ph_type *type, ph_cache_fn fn, void *data);
int ph_type_charge(struct ph_type *type, u64 nr);
void ph_type_count_handed(struct ph_type *type, s64 nr, s64 bytes);
u64 ph_type_stat(struct ph_type *type, struct ph_cache_stat *stat);

/*
 * What is made once, under the type's lock, and then stays: readers need none.
 */
/* Pairs with ph_make(). */
#define ph_made(p)		smp_load_acquire(&(p))

/* Pairs with ph_made(). */
#define ph_make(p, value)	smp_store_release(&(p), value)

static inline bool ph_type_is_fixed(const struct ph_type *type)
{
	return type->min_bytes == type->max_bytes;
}

static inline bool ph_type_is_span(const struct ph_type *type, u64 bytes)
{
	return ALIGN(bytes, type->align) > PH_SLOT_MAX;
}

static inline u32 ph_type_class(const struct ph_type *type, u32 bytes)
{
	if (type->nr_classes == 1)
		return 0;
	return ph_policy_class_index(type->policy, ALIGN(bytes, type->align)) -
	       type->first_class;
}

/**
 * ph_type_cache() - the cache for objects of a size, if it has been made
 * @type: the type
 * @bytes: size in the type's range
 *
 * Context: RCU read side, or whatever keeps the type.
 * Return: the cache or NULL.
 */
static inline struct ph_cache *ph_type_cache(struct ph_type *type, u64 bytes)
{
	struct ph_cache **classes;
	u32 class;

	if (unlikely(ph_type_is_span(type, bytes)))
		return ph_made(type->spans);
	classes = ph_made(type->classes);
	if (unlikely(!classes))
		return NULL;
	class = array_index_nospec(ph_type_class(type, bytes),
				   type->nr_classes);
	return ph_made(classes[class]);
}

/* For the new place of an object that there is already: no quota refuses it. */
static inline void ph_type_charge_move(struct ph_type *type)
{
	if (type->quota)
		atomic64_inc(&type->live);
}

static inline void ph_type_uncharge(struct ph_type *type, u64 nr)
{
	if (type->quota)
		atomic64_sub(nr, &type->live);
}

#endif /* _PH_TYPE_H */
