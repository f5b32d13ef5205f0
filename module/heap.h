/* SPDX-License-Identifier: GPL-2.0 */
/* Heap: a region, its types, and who owns it. The theory is in heap.c. */
#ifndef _PH_HEAP_H
#define _PH_HEAP_H

#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "type.h"

#define PH_MAX_TYPES	1024

/**
 * struct ph_types - the types of a heap by id
 * @rcu: to free it
 * @nr: length of @type
 * @type: NULL where there is none
 */
struct ph_types {
	struct rcu_head rcu;
	u32 nr;
	struct ph_type __rcu *type[];
};

/**
 * struct ph_heap - one private heap
 * @region: its memory
 * @builtins: the types that every heap of a program has, in one piece of memory
 * @types: read under RCU, changed under @sem held for writing
 * @id: its number, for people
 * @tag: what its handles begin with
 * @sem: held for reading by whoever makes memory or looks at all caches, for
 *	writing by whoever changes types or limits
 * @max_bytes: the most that its hard maximum can be set to
 * @charged: its own struct is among what it holds
 * @used: a type was created or a cache made: too late to say what they are like
 * @dump: mappings go into core dumps
 * @trim_all: @trim is to give all of it
 * @type_flags: flags that every type has
 * @nr_types: how many
 * @retyped: empty slabs that were given to another type
 * @reclaims: times that idle memory was taken back under pressure
 * @moved_bytes: bytes copied by resize
 * @moved_pages: pages moved by resize
 * @written_after_free: (hardened) objects that were
 * @node: on the list of all heaps
 * @trim: gives its idle memory back, see reclaim.c
 * @visits: who looks at it from outside; guarded by the list's lock
 * @pid: of the opener
 * @comm: name of the opener
 * @rcu: to free it
 */
struct ph_heap {
	struct ph_region region;
	struct ph_type *builtins;
	struct ph_types __rcu *types;
	u32 id;
	u8 tag;
	struct rw_semaphore sem;
	u64 max_bytes;
	bool charged;
	bool used;
	bool dump;
	bool trim_all;
	u32 type_flags;
	u32 nr_types;
	atomic64_t retyped;
	atomic64_t reclaims;
	atomic64_t moved_bytes;
	atomic64_t moved_pages;
	atomic64_t written_after_free;
	struct list_head node;
	struct work_struct trim;
	u32 visits;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct rcu_head rcu;
};

struct ph_heap *ph_heap_create(u64 max_bytes);
struct ph_heap *ph_heap_create_kernel(const char *name, u64 max_bytes);
void ph_heap_destroy(struct ph_heap *heap);
typedef void (*ph_heap_fn)(struct ph_heap *heap, void *data);
typedef void (*ph_type_fn)(struct ph_type *type, void *data);

void ph_heap_for_each(ph_heap_fn fn, void *data);
bool ph_heap_try_for_each(ph_heap_fn fn, void *data);
void ph_heap_visit(struct ph_heap *heap);
void ph_heap_leave(struct ph_heap *heap);

void ph_heap_for_each_type(struct ph_heap *heap, ph_type_fn fn, void *data);
void ph_heap_for_each_cache(struct ph_heap *heap, ph_cache_fn fn, void *data);
u64 ph_heap_max_object(const struct ph_heap *heap);

/**
 * ph_heap_type() - a type by its id
 * @heap: the heap
 * @id: any number
 *
 * Context: RCU read side, or @heap->sem held.
 * Return: the type or NULL.
 */
static inline struct ph_type *ph_heap_type(struct ph_heap *heap, u32 id)
{
	struct ph_types *types = rcu_dereference_check(heap->types,
					lockdep_is_held(&heap->sem));

	if (unlikely(id >= types->nr))
		return NULL;
	id = array_index_nospec(id, types->nr);
	return rcu_dereference_check(types->type[id],
				     lockdep_is_held(&heap->sem));
}

#endif /* _PH_HEAP_H */
