// SPDX-License-Identifier: GPL-2.0
/* Which types a heap has. */

#include <linux/slab.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "board.h"
#include "catalog.h"
#include "supply.h"

static struct ph_types *ph_catalog_table(struct ph_heap *heap)
{
	return rcu_dereference_protected(heap->types,
					 lockdep_is_held(&heap->sem));
}

static size_t ph_catalog_bytes(u32 nr)
{
	struct ph_types *types;

	return struct_size(types, type, nr);
}

static struct ph_type *ph_catalog_by_name(struct ph_heap *heap,
					  const char *name)
{
	struct ph_types *types = ph_catalog_table(heap);
	struct ph_type *type;
	u32 i;

	for (i = 0; i < types->nr; i++) {
		type = ph_heap_type(heap, i);
		if (type && !strncmp(type->name, name, sizeof(type->name)))
			return type;
	}
	return NULL;
}

/* Double the table. Caller holds @heap->sem for writing. */
static int ph_catalog_grow(struct ph_heap *heap)
{
	struct ph_types *old = ph_catalog_table(heap), *types;
	u32 nr = old->nr * 2;

	if (nr > PH_MAX_TYPES)
		return -ENOSPC;
	types = ph_region_meta_alloc(&heap->region, ph_catalog_bytes(nr));
	if (IS_ERR(types))
		return PTR_ERR(types);
	types->nr = nr;
	memcpy(types->type, old->type, old->nr * sizeof(old->type[0]));
	rcu_assign_pointer(heap->types, types);
	ph_region_meta_forget(&heap->region, ph_catalog_bytes(old->nr));
	kvfree_rcu(old, rcu);
	return 0;
}

/* A free id; the table grows where there is none. */
static int ph_catalog_new_id(struct ph_heap *heap, u32 *id)
{
	u32 nr = ph_catalog_table(heap)->nr;
	int err;

	for (*id = PRIVHEAP_TYPE_USER; *id < nr; ++*id)
		if (!ph_heap_type(heap, *id))
			return 0;
	err = ph_catalog_grow(heap);
	if (!err)
		*id = nr;
	return err;
}

static void ph_catalog_free_type(struct ph_heap *heap, struct ph_type *type)
{
	RCU_INIT_POINTER(ph_catalog_table(heap)->type[type->id], NULL);
	heap->nr_types--;
	ph_board_forget(heap, type->id);
	synchronize_rcu();
	ph_type_destroy(type);
}

static int ph_catalog_prealloc(struct ph_heap *heap, struct ph_type *type,
			       u64 nr)
{
	struct privheap_reserve req = {
		.object_bytes	= type->min_bytes,
		.count		= nr,
	};

	if (!nr)
		return 0;
	return ph_supply_reserve(heap, type, &req);
}

static int ph_catalog_add_locked(struct ph_heap *heap,
				 struct privheap_type *desc,
				 ph_catalog_tell_fn tell, void *data)
{
	bool used = heap->used;
	struct ph_type *type;
	int err;

	lockdep_assert_held_write(&heap->sem);
	if (ph_catalog_by_name(heap, desc->name))
		return -EEXIST;
	err = ph_catalog_new_id(heap, &desc->type);
	if (err)
		return err;
	type = ph_type_create(&heap->region, desc);
	if (IS_ERR(type))
		return PTR_ERR(type);
	type->flags |= heap->type_flags;
	err = ph_catalog_prealloc(heap, type, desc->prealloc_objects);
	if (!err && tell)
		err = tell(data, type->id);
	if (err) {
		ph_supply_release_type(type);
		/* Look-ups by offset may have met its slabs. */
		synchronize_rcu();
		ph_type_destroy(type);
		/* With it went the caches that made it used. */
		heap->used = used;
		return err;
	}
	rcu_assign_pointer(ph_catalog_table(heap)->type[type->id], type);
	heap->nr_types++;
	heap->used = true;
	return 0;
}

/**
 * ph_catalog_add() - a new type
 * @heap: the heap
 * @desc: what it is to be; (out) its id
 * @tell: told the id before anybody can know it; or NULL
 * @data: handed to it
 *
 * Context: process, may sleep.
 * Return: 0; or what @tell returned, -EINVAL, -EOPNOTSUPP, -EEXIST, -ENOSPC,
 * -EDQUOT, -ENOMEM, -EINTR with nothing changed.
 */
int ph_catalog_add(struct ph_heap *heap, struct privheap_type *desc,
		   ph_catalog_tell_fn tell, void *data)
{
	int err = ph_type_check(desc, ph_heap_max_object(heap));

	if (err)
		return err;
	down_write(&heap->sem);
	err = ph_catalog_add_locked(heap, desc, tell, data);
	if (ph_supply_short(err)) {
		ph_supply_reclaim(heap, true);
		err = ph_catalog_add_locked(heap, desc, tell, data);
	}
	up_write(&heap->sem);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_catalog_add);

/*
 * With the type out of the table, and a grace period over, nobody starts to use
 * its caches; what magazines hold comes back to the slabs. If that is not all
 * there is, somebody still has objects.
 */
static int ph_catalog_remove_locked(struct ph_heap *heap, u32 id)
{
	struct ph_type *type = ph_heap_type(heap, id);
	struct ph_types *types = ph_catalog_table(heap);
	struct ph_cache_stat stat = {};

	lockdep_assert_held_write(&heap->sem);
	if (!type)
		return -ENOENT;
	if (id < PRIVHEAP_TYPE_USER)
		return -EPERM;
	ph_type_stat(type, &stat);
	if (stat.count.allocs != stat.count.frees || stat.handed)
		return -EBUSY;
	RCU_INIT_POINTER(types->type[id], NULL);
	synchronize_rcu();
	if (!ph_supply_release_type(type)) {
		rcu_assign_pointer(types->type[id], type);
		return -EBUSY;
	}
	ph_catalog_free_type(heap, type);
	return 0;
}

/**
 * ph_catalog_remove() - end a type that has no objects
 * @heap: the heap
 * @id: the type
 *
 * Context: process, may sleep.
 * Return: 0, -ENOENT, -EPERM or -EBUSY.
 */
int ph_catalog_remove(struct ph_heap *heap, u32 id)
{
	int err;

	down_write(&heap->sem);
	err = ph_catalog_remove_locked(heap, id);
	up_write(&heap->sem);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_catalog_remove);

/**
 * ph_catalog_drop() - end a type whose slabs are gone
 * @heap: the heap
 * @id: the type
 *
 * Context: process, may sleep; @heap->sem held for writing.
 */
void ph_catalog_drop(struct ph_heap *heap, u32 id)
{
	ph_catalog_free_type(heap, ph_heap_type(heap, id));
}
EXPORT_SYMBOL_IF_KUNIT(ph_catalog_drop);

/**
 * ph_catalog_find() - a type by its name
 * @heap: the heap
 * @desc: its name; (out) all of it
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOENT.
 */
int ph_catalog_find(struct ph_heap *heap, struct privheap_type *desc)
{
	struct ph_type *type;

	down_read(&heap->sem);
	type = ph_catalog_by_name(heap, desc->name);
	if (type)
		ph_type_describe(type, desc);
	up_read(&heap->sem);
	return type ? 0 : -ENOENT;
}
EXPORT_SYMBOL_IF_KUNIT(ph_catalog_find);

/**
 * ph_catalog_list() - the types in the order of their ids
 * @heap: the heap
 * @descs: (out) array
 * @nr: its length
 * @cursor: id to begin with; (out) id to go on with, 0 at the end
 *
 * Context: process, may sleep.
 * Return: how many were filled in.
 */
u32 ph_catalog_list(struct ph_heap *heap, struct privheap_type *descs, u32 nr,
		    u32 *cursor)
{
	struct ph_type *type;
	u32 done = 0, id, end;

	down_read(&heap->sem);
	end = ph_catalog_table(heap)->nr;
	for (id = *cursor; id < end; id++) {
		type = ph_heap_type(heap, id);
		if (!type)
			continue;
		if (done == nr)
			break;
		ph_type_describe(type, &descs[done++]);
	}
	*cursor = id < end ? id : 0;
	up_read(&heap->sem);
	return done;
}
EXPORT_SYMBOL_IF_KUNIT(ph_catalog_list);
