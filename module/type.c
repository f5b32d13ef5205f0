// SPDX-License-Identifier: GPL-2.0
/* What the user names, and the caches of its size classes; see type.h. */

#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "count.h"
#include "type.h"

#define PH_TYPE_FLAGS	(PRIVHEAP_TYPE_ZERO_ALLOC | PRIVHEAP_TYPE_ZERO_FREE | \
			 PRIVHEAP_TYPE_COUNTED)

static bool ph_type_name_ok(const char *name)
{
	size_t i, len = strnlen(name, PRIVHEAP_NAME_LEN);

	if (!len || len == PRIVHEAP_NAME_LEN)
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || !isgraph(name[i]))
			return false;
	/* Nothing may hide behind the end of the name. */
	return !memchr_inv(name + len, 0, PRIVHEAP_NAME_LEN - len);
}

/**
 * ph_type_check() - whether a declaration makes sense
 * @desc: from the user
 * @max_object: bytes of the largest object that the heap can hold
 *
 * Context: any.
 * Return: 0, -EOPNOTSUPP or -EINVAL.
 */
int ph_type_check(const struct privheap_type *desc, u64 max_object)
{
	u64 max = desc->max_bytes ?: desc->min_bytes;
	u32 align = desc->align ?: PH_ALIGN_DEFAULT;

	if ((desc->flags & ~PH_TYPE_FLAGS) || desc->nr_slots ||
	    desc->slots || desc->reserved)
		return -EOPNOTSUPP;
	if (!ph_type_name_ok(desc->name) || !ph_policy(desc->policy))
		return -EINVAL;
	if (!desc->min_bytes || max < desc->min_bytes || max > max_object)
		return -EINVAL;
	if (!is_power_of_2(align) || align > PAGE_SIZE)
		return -EINVAL;
	if (desc->keep_slabs > PH_KEEP_SLABS_MAX)
		return -EINVAL;
	if (desc->quota_objects && desc->prealloc_objects > desc->quota_objects)
		return -EINVAL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_check);

/* Which size classes the range of a type uses. */
static void ph_type_init_classes(struct ph_type *type)
{
	u32 first, last;

	if (ph_type_is_fixed(type) || ph_type_is_span(type, type->min_bytes)) {
		type->nr_classes = 1;
		return;
	}
	first = ph_policy_class_index(type->policy,
				      ALIGN(type->min_bytes, type->align));
	last = ph_policy_class_index(type->policy,
				     min_t(u64, ALIGN(type->max_bytes,
						      type->align),
					   PH_SLOT_MAX));
	type->first_class = first;
	type->nr_classes = last - first + 1;
}

/**
 * ph_type_init() - a type without caches
 * @type: zeroed memory
 * @region: where its objects will be
 * @desc: passed by ph_type_check(), and its id
 *
 * Context: any.
 */
void ph_type_init(struct ph_type *type, struct ph_region *region,
		  const struct privheap_type *desc)
{
	type->region = region;
	type->policy = ph_policy(desc->policy);
	type->policy_id = desc->policy;
	type->id = desc->type;
	/* After so many types the numbers begin anew. */
	ph_tenant_init(region, &type->tenant,
		       region->tenants++ % PH_TENANT_MAX + 1);
	type->flags = desc->flags;
	type->align = desc->align ?: PH_ALIGN_DEFAULT;
	type->min_bytes = desc->min_bytes;
	type->max_bytes = desc->max_bytes ?: desc->min_bytes;
	type->keep_slabs = desc->keep_slabs;
	type->quota = desc->quota_objects;
	mutex_init(&type->lock);
	memcpy(type->name, desc->name, sizeof(type->name));
	ph_type_init_classes(type);
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_init);

/**
 * ph_type_create() - memory for a type, and the type
 * @region: where its objects will be
 * @desc: passed by ph_type_check(), and its id
 *
 * Context: process, may sleep.
 * Return: the type, or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_type *ph_type_create(struct ph_region *region,
			       const struct privheap_type *desc)
{
	struct ph_type *type = ph_region_meta_alloc(region, sizeof(*type));

	if (!IS_ERR(type))
		ph_type_init(type, region, desc);
	return type;
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_create);

static void ph_type_destroy_cache(struct ph_cache *cache, void *data)
{
	ph_cache_destroy(cache);
}

/**
 * ph_type_exit() - free the caches of a type, whose slabs are gone
 * @type: the type, unpublished for a grace period
 *
 * Context: process.
 */
void ph_type_exit(struct ph_type *type)
{
	ph_type_for_each_cache(type, ph_type_destroy_cache, NULL);
	if (type->classes && type->classes != &type->one)
		ph_region_meta_free(type->region, type->classes,
				    type->nr_classes * sizeof(*type->classes));
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_exit);

/**
 * ph_type_destroy() - end a type that ph_type_create() made
 * @type: as for ph_type_exit()
 *
 * Context: process.
 */
void ph_type_destroy(struct ph_type *type)
{
	ph_type_exit(type);
	ph_region_meta_free(type->region, type, sizeof(*type));
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_destroy);

/**
 * ph_type_describe() - a type in the user's words
 * @type: the type
 * @desc: (out) all but its size member
 *
 * Context: any.
 */
void ph_type_describe(const struct ph_type *type, struct privheap_type *desc)
{
	memset(desc, 0, sizeof(*desc));
	memcpy(desc->name, type->name, sizeof(desc->name));
	desc->flags = type->flags;
	desc->type = type->id;
	desc->policy = type->policy_id;
	desc->min_bytes = type->min_bytes;
	desc->max_bytes = type->max_bytes;
	desc->align = type->align;
	desc->keep_slabs = type->keep_slabs;
	desc->quota_objects = type->quota;
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_describe);

/* Bytes that an object of a class can use. */
static u32 ph_type_class_bytes(const struct ph_type *type, u32 class)
{
	u32 bytes;

	if (ph_type_is_fixed(type))
		return type->max_bytes;
	bytes = ph_policy_class_size(type->policy, type->first_class + class);
	return ALIGN(bytes, type->align);
}

/*
 * What the slabs of a class keep per slot. The slack of a compact object is
 * less than a step of its classes, unless its alignment is wider than that;
 * another may shrink to half of its slot, or to nothing in the smallest. Objects
 * of type object mostly come and go by address, and need no generations: theirs
 * are as late as those of compact types. In a type of many sizes the small
 * classes would get slabs of one page, and each slab costs time as well, or in a
 * hardened heap a page of offsets behind it; compact types have to save memory.
 */
static u32 ph_type_keep(const struct ph_type *type, u32 bytes, u32 class)
{
	bool compact = type->policy_id == PRIVHEAP_POLICY_COMPACT;
	u32 keep = 0, step = bytes;

	if (type->region->hardened)
		keep |= type->tenant.id << PH_TENANT_SHIFT;
	else if (bytes && (compact || type->id == PRIVHEAP_TYPE_OBJECT))
		keep |= PH_LATE_GENS;
	if (type->flags & PRIVHEAP_TYPE_COUNTED)
		keep |= PH_KEEP_REFS;
	if (ph_type_is_fixed(type) || !bytes)
		return keep;
	if (!compact || type->region->hardened)
		keep |= PH_LONG;
	if (class && compact && type->align <= type->policy->class_unit)
		step = bytes - ph_type_class_bytes(type, class - 1);
	return keep | (step > U8_MAX ? PH_KEEP_WIDE_SLACK : PH_KEEP_SLACK);
}

static struct ph_cache *ph_type_new_cache(struct ph_type *type, u32 bytes,
					  u32 class)
{
	struct ph_cache *cache;

	cache = ph_cache_create(type->region, type, type->policy, bytes,
				type->align, ph_type_keep(type, bytes, class),
				NULL);
	if (IS_ERR(cache))
		return cache;
	cache->keep_slabs = type->keep_slabs;
	cache->entry.type = type->id;
	cache->entry.stride = bytes ? cache->geo.stride : 0;
	cache->entry.size_class = bytes ? class : U8_MAX;
	cache->entry.state = bytes ? PRIVHEAP_STATE_SLAB : PRIVHEAP_STATE_SPAN;
	cache->plain = bytes && !cache->geo.keep && !type->quota &&
		       !(type->flags & (PRIVHEAP_TYPE_ZERO_ALLOC |
					PRIVHEAP_TYPE_ZERO_FREE));
	return cache;
}

static struct ph_cache *ph_type_make_spans(struct ph_type *type)
{
	struct ph_cache *cache = type->spans;

	if (!cache)
		cache = ph_type_new_cache(type, 0, 0);
	if (!IS_ERR(cache))
		ph_make(type->spans, cache);
	return cache;
}

static struct ph_cache **ph_type_make_classes(struct ph_type *type)
{
	struct ph_cache **classes = type->classes;

	if (classes)
		return classes;
	classes = type->nr_classes == 1 ? &type->one :
		ph_region_meta_alloc(type->region,
				     type->nr_classes * sizeof(*classes));
	if (!IS_ERR(classes))
		ph_make(type->classes, classes);
	return classes;
}

static struct ph_cache *ph_type_make_class(struct ph_type *type, u32 class)
{
	struct ph_cache **classes = ph_type_make_classes(type);
	struct ph_cache *cache;

	if (IS_ERR(classes))
		return ERR_CAST(classes);
	cache = classes[class];
	if (!cache)
		cache = ph_type_new_cache(type, ph_type_class_bytes(type, class),
					  class);
	if (IS_ERR(cache))
		return cache;
	ph_make(classes[class], cache);
	if (ph_type_is_fixed(type))
		ph_make(type->only, cache);
	return cache;
}

/**
 * ph_type_make_cache() - the cache for objects of a size
 * @type: the type
 * @bytes: size in the type's range
 *
 * Context: process, may sleep.
 * Return: the cache, or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_cache *ph_type_make_cache(struct ph_type *type, u64 bytes)
{
	struct ph_cache *cache = ph_type_cache(type, bytes);

	if (cache)
		return cache;
	mutex_lock(&type->lock);
	if (ph_type_is_span(type, bytes))
		cache = ph_type_make_spans(type);
	else
		cache = ph_type_make_class(type, ph_type_class(type, bytes));
	mutex_unlock(&type->lock);
	return cache;
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_make_cache);

/**
 * ph_type_adopt() - give a type of one small size its cache
 * @type: the type, which has none yet
 * @cache: the cache; ends with the type
 *
 * Context: any.
 */
void ph_type_adopt(struct ph_type *type, struct ph_cache *cache)
{
	ph_make(type->one, cache);
	ph_make(type->classes, &type->one);
	ph_make(type->only, cache);
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_adopt);

/**
 * ph_type_for_each_cache() - call a function for each cache that was made
 * @type: the type
 * @fn: the function
 * @data: handed to it
 *
 * Context: whatever keeps the type; otherwise as @fn.
 */
void ph_type_for_each_cache(struct ph_type *type, ph_cache_fn fn, void *data)
{
	struct ph_cache **classes = ph_made(type->classes);
	struct ph_cache *cache;
	u32 i;

	for (i = 0; classes && i < type->nr_classes; i++) {
		cache = ph_made(classes[i]);
		if (cache)
			fn(cache, data);
	}
	cache = ph_made(type->spans);
	if (cache)
		fn(cache, data);
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_for_each_cache);

/**
 * ph_type_charge() - count objects against the type's quota
 * @type: the type
 * @nr: how many
 *
 * Context: any.
 * Return: 0 or -EDQUOT.
 */
int ph_type_charge(struct ph_type *type, u64 nr)
{
	u64 live;

	if (!type->quota)
		return 0;
	return ph_count_charge(&type->live, nr, type->quota, &live);
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_charge);

/*
 * Whoever changes the count tells it, and looks whether it has changed since: the
 * last to do so leaves what is true.
 */
static void ph_type_show(const atomic64_t *count, u64 *to)
{
	u64 now = atomic64_read(count), told;

	do {
		told = now;
		WRITE_ONCE(*to, told);
		/* Pairs with itself: who changes the count meanwhile tells later. */
		smp_mb();
		now = atomic64_read(count);
	} while (now != told);
}

/**
 * ph_type_count_handed() - objects became handed out, or ceased to be
 * @type: their type
 * @nr: how many more
 * @bytes: what they can use
 *
 * Context: any.
 */
void ph_type_count_handed(struct ph_type *type, s64 nr, s64 bytes)
{
	struct privheap_stat_page *stat;
	struct privheap_stat_entry *entry;

	atomic64_add(nr, &type->handed);
	atomic64_add(bytes, &type->handed_bytes);
	/* Pairs with the barrier in ph_board_make(). */
	smp_mb__after_atomic();
	stat = ph_view_stat(&type->region->view);
	if (likely(!stat))
		return;
	entry = &stat->type[type->id];
	ph_type_show(&type->handed, &entry->handed_objects);
	ph_type_show(&type->handed_bytes, &entry->handed_bytes);
}

struct ph_type_sum {
	struct ph_type *type;
	struct ph_cache_stat *stat;
	u64 caches;
};

static void ph_type_add_cache(struct ph_cache *cache, void *data)
{
	struct ph_type_sum *sum = data;
	struct ph_cache_stat one;

	ph_cache_get_stat(cache, &one);
	if (ph_type_is_fixed(sum->type))
		one.requested = (one.count.allocs - one.count.frees) *
				sum->type->max_bytes;
	ph_cache_sum_stat(sum->stat, &one);
	sum->caches++;
}

/**
 * ph_type_stat() - add all caches of a type to a sum
 * @type: the type
 * @stat: (in, out)
 *
 * Context: process; whatever keeps the type.
 * Return: how many caches there are.
 */
u64 ph_type_stat(struct ph_type *type, struct ph_cache_stat *stat)
{
	struct ph_type_sum sum = { .type = type, .stat = stat };

	ph_type_for_each_cache(type, ph_type_add_cache, &sum);
	return sum.caches;
}
EXPORT_SYMBOL_IF_KUNIT(ph_type_stat);
