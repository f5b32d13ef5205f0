// SPDX-License-Identifier: GPL-2.0
/*
 * Private heaps: the theory
 *
 * A heap is memory that only its manager, this module, controls. Programs name
 * objects by handles; nothing that the manager believes lies in memory that a
 * program can write. It is no way to share memory, and no replacement for a
 * program's stack or files.
 *
 * The nouns, from the machine to the user:
 *
 *   reserve	pages of the whole module: set aside at load, else the system's
 *   region	one heap's memory: ranges of offsets, pages, and their count
 *   view		what programs have mapped of a region
 *   host		the inode that stands for a region which is mapped
 *   unit	a compound page, part of a large object, mapped as a whole
 *   slab	a run of the region, cut into slots of one size
 *   magazine	a stack of free slots that one CPU has to itself
 *   cache	the slabs of one type and size class; magazines; the depot
 *   type	what the user names: sizes, alignment, policy; its caches
 *   handle	names one object: heap tag, generation, offset
 *   heap	a region and its types; dies with its last file
 *
 *   region   0         16K       28K          60K         offset ->
 *            +---------+---------+------------+------------------
 *   slabs    | int     | str 56  |   free     | one large object
 *            +---------+---------+------------+------------------
 *              |
 *              |  metadata, elsewhere: free 1 bit, live 1 bit,
 *              |  generation 16 bits per slot; slack, references if asked
 *              v
 *            |int|int|   |int|...|tail|		slots of 32 bytes
 *
 * An allocation is served by the first of these that can:
 *
 *   1. this CPU's magazines	no lock, no atomic instruction
 *   2. a full magazine of the depot
 *   3. a slab with free slots; the fullest first where the policy is compact
 *   4. a new slab, whose pages come from the heap's own stock,
 *   5. an empty slab of another type, zeroed,
 *   6. the module's reserve, or the page allocator, in steps that grow with
 *	the heap
 *   7. what the heap itself can give up: drained magazines, empty slabs
 *
 * and then fails, -EDQUOT or -ENOMEM, with the batch undone.
 *
 * A slot is in one of these states; the arrows name who may move it:
 *
 *   free --take--> claimed --enliven--> live --claim--> claimed --give--> free
 *
 *   free	its bit in slab->free is set, or it is in the chain, see chain.h;
 *		guarded by the cache's lock
 *   claimed	neither bit is set: in a magazine, or in somebody's hands
 *   live	its bit in slab->live is set and its generation is in a handle
 *   out		claimed, and handed out: its bit in slab->out is set, the program
 *		names it by its offset; who clears the bit has claimed it
 *
 * live -> claimed is decided by the live bit, so that of all who free an object at
 * once exactly one does. The generation counts the lives of a slot. It outlives
 * the slab: the region remembers for each page where the next slab there has to go
 * on.
 *
 * A slab is empty (on cache->empty, or on cache->reserved if it is a promised
 * span), partial (on cache->partial[fullness], or on cache->bare[fullness] where
 * no object of its can have a handle yet) or full (on no list), as slab->taken
 * says. Only an empty one that nobody has pinned is ever destroyed, so a live
 * object keeps its slab, and whoever found a live object under RCU can read the
 * slab until the end of the grace period.
 *
 * Locks, each taken only inside those above it:
 *
 *   registry	list of all heaps; nobody waits for one of them under it
 *   heap->sem	read: make memory, visit caches. write: types and limits
 *   type->lock	making caches
 *   region->grow	growing the offset tables
 *   view->sem	read: a page fault puts pages in place. write: waiting for them
 *   cache->lock	slab lists, free bitmaps, depot
 *   region->lock	taken offsets
 *   view->lock	content of the slab map
 *   stock_lock	stock of pages
 *
 * None is held while user memory is touched. The fast path holds none: it runs
 * in RCU read sections, with preemption off while it has the magazines.
 *
 * A slab goes in this order: no look-up finds it any more; page faults that did
 * are through (view->sem); its pages are in no mapping; they belong to no view
 * any more, and go back; its range of offsets is free. What I/O still holds of
 * them is not used again before it ends.
 *
 * The end of things. Close: the last reference of file and mappings is gone, so
 * nobody is in a call; all slabs, caches, and types go without looking at
 * objects. Fork: the child shares the file and so the heap, but has no mapping.
 * Unload: each file holds the module.
 */

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <kunit/visibility.h>

#include "handle.h"
#include "heap.h"
#include "reserve.h"

static LIST_HEAD(ph_heaps);
static DEFINE_MUTEX(ph_heaps_lock);
static DECLARE_WAIT_QUEUE_HEAD(ph_heaps_left);
static u32 ph_heap_ids;

/* How many open heaps have each tag; 0 is none. */
#define PH_TAGS		(1U << (64 - PH_TAG_SHIFT))
static u32 ph_tag_users[PH_TAGS];

/* Room for the built-in types; grows when the user makes more. */
#define PH_TYPES_INITIAL	PRIVHEAP_TYPE_USER

#define PH_RANGE(_id, _name, _policy, _align) \
	{ .type = (_id), .name = (_name), .policy = (_policy), \
	  .min_bytes = 1, .max_bytes = U64_MAX, .align = (_align) }

static const struct privheap_type ph_builtins[] = {
	{ .type = PRIVHEAP_TYPE_INT, .name = "int", .min_bytes = 28,
	  .policy = PRIVHEAP_POLICY_SPEED },
	{ .type = PRIVHEAP_TYPE_FLOAT, .name = "float", .min_bytes = 24,
	  .policy = PRIVHEAP_POLICY_SPEED },
	PH_RANGE(PRIVHEAP_TYPE_STR, "str", PRIVHEAP_POLICY_COMPACT, 8),
	PH_RANGE(PRIVHEAP_TYPE_BYTES, "bytes", PRIVHEAP_POLICY_COMPACT, 8),
	PH_RANGE(PRIVHEAP_TYPE_TUPLE, "tuple", PRIVHEAP_POLICY_COMPACT, 8),
	PH_RANGE(PRIVHEAP_TYPE_LIST, "list", PRIVHEAP_POLICY_GROWABLE, 8),
	PH_RANGE(PRIVHEAP_TYPE_DICT, "dict", PRIVHEAP_POLICY_GROWABLE, 8),
	PH_RANGE(PRIVHEAP_TYPE_SET, "set", PRIVHEAP_POLICY_GROWABLE, 8),
	PH_RANGE(PRIVHEAP_TYPE_OBJECT, "object", PRIVHEAP_POLICY_SPEED, 16),
};

#define PH_BUILTINS_BYTES	\
	(ARRAY_SIZE(ph_builtins) * sizeof(struct ph_type))

static size_t ph_types_bytes(u32 nr)
{
	struct ph_types *types;

	return struct_size(types, type, nr);
}

static struct ph_types *ph_heap_types(struct ph_heap *heap)
{
	return rcu_dereference_protected(heap->types,
					 lockdep_is_held(&heap->sem));
}

/**
 * ph_heap_max_object() - the largest object that a heap could ever hold
 * @heap: the heap
 *
 * Context: any.
 * Return: bytes.
 */
u64 ph_heap_max_object(const struct ph_heap *heap)
{
	return min_t(u64, round_down(heap->max_bytes, PAGE_SIZE),
		     (u64)S32_MAX << PAGE_SHIFT);
}
EXPORT_SYMBOL_IF_KUNIT(ph_heap_max_object);

static int ph_heap_add_builtins(struct ph_heap *heap, struct ph_types *types)
{
	struct privheap_type desc;
	struct ph_type *type;
	int i;

	type = ph_region_meta_alloc(&heap->region, PH_BUILTINS_BYTES);
	if (IS_ERR(type))
		return PTR_ERR(type);
	heap->builtins = type;
	heap->nr_types = ARRAY_SIZE(ph_builtins);
	for (i = 0; i < ARRAY_SIZE(ph_builtins); i++, type++) {
		desc = ph_builtins[i];
		desc.max_bytes = min(desc.max_bytes, ph_heap_max_object(heap));
		ph_type_init(type, &heap->region, &desc);
		RCU_INIT_POINTER(types->type[desc.type], type);
	}
	return 0;
}

/* One that no open heap has, if there is one; used again as late as can be. */
static u8 ph_heap_new_tag(u32 id)
{
	u32 i, tag;

	lockdep_assert_held(&ph_heaps_lock);
	for (i = 0; i < PH_TAGS - 1; i++) {
		tag = (id - 1 + i) % (PH_TAGS - 1) + 1;
		if (!ph_tag_users[tag])
			return tag;
	}
	return (id - 1) % (PH_TAGS - 1) + 1;
}

static void ph_heap_register(struct ph_heap *heap)
{
	mutex_lock(&ph_heaps_lock);
	heap->id = ++ph_heap_ids;
	/* In a kernel heap there are no handles to tell apart. */
	heap->tag = heap->builtins ? ph_heap_new_tag(heap->id) : 0;
	ph_tag_users[heap->tag]++;
	heap->region.tag = (u64)heap->tag << PH_TAG_SHIFT;
	list_add_tail(&heap->node, &ph_heaps);
	mutex_unlock(&ph_heaps_lock);
}

static void ph_heap_free_types(struct ph_heap *heap)
{
	struct ph_types *types = rcu_dereference_protected(heap->types, 1);
	struct ph_type *type;
	u32 i;

	if (!types)
		return;
	for (i = 0; i < types->nr; i++) {
		type = rcu_dereference_protected(types->type[i], 1);
		if (type && i < PRIVHEAP_TYPE_USER)
			ph_type_exit(type);
		else if (type)
			ph_type_destroy(type);
	}
	if (heap->builtins)
		ph_region_meta_free(&heap->region, heap->builtins,
				    PH_BUILTINS_BYTES);
	ph_region_meta_free(&heap->region, types, ph_types_bytes(types->nr));
}

static void ph_heap_free(struct ph_heap *heap)
{
	ph_heap_free_types(heap);
	if (heap->charged)
		ph_region_meta_forget(&heap->region, sizeof(*heap));
	ph_region_exit(&heap->region);
	/* Who found the view by one of its pages may be looking at it yet. */
	if (heap->region.view.inode)
		kfree_rcu(heap, rcu);
	else
		kfree(heap);
}

static int ph_heap_init(struct ph_heap *heap, bool builtins)
{
	int err = ph_region_charge_meta(&heap->region, sizeof(*heap));
	struct ph_types *types;

	heap->charged = !err;
	if (err)
		return err;
	types = ph_region_meta_alloc(&heap->region,
				     ph_types_bytes(PH_TYPES_INITIAL));
	if (IS_ERR(types))
		return PTR_ERR(types);
	types->nr = PH_TYPES_INITIAL;
	RCU_INIT_POINTER(heap->types, types);
	return builtins ? ph_heap_add_builtins(heap, types) : 0;
}

static struct ph_heap *ph_heap_new(u64 max_bytes, struct mem_cgroup *memcg,
				   gfp_t gfp)
{
	struct ph_heap *heap = kzalloc(sizeof(*heap), gfp);

	if (!heap) {
		mem_cgroup_put(memcg);
		return NULL;
	}
	heap->max_bytes = min_t(u64, max_bytes, PH_REGION_MAX_BYTES);
	ph_region_init(&heap->region, memcg, heap->max_bytes);
	heap->region.gfp = gfp;
	/* Tags come round: no heap's handles shall fit another by habit. */
	heap->region.gen_first = get_random_u32();
	init_rwsem(&heap->sem);
	return heap;
}

/**
 * ph_heap_create() - a heap for the calling process
 * @max_bytes: the most that it may ever hold
 *
 * Context: process, may sleep.
 * Return: the heap, or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_heap *ph_heap_create(u64 max_bytes)
{
	struct ph_heap *heap;
	int err;

	heap = ph_heap_new(max_bytes, get_mem_cgroup_from_mm(current->mm),
			   PH_GFP);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	heap->pid = task_tgid_nr(current);
	get_task_comm(heap->comm, current);
	err = ph_heap_init(heap, true);
	if (err) {
		ph_heap_free(heap);
		return ERR_PTR(err);
	}
	ph_heap_register(heap);
	return heap;
}
EXPORT_SYMBOL_IF_KUNIT(ph_heap_create);

/**
 * ph_heap_create_kernel() - a heap for a kernel module
 * @name: for people
 * @max_bytes: the most that it may ever hold
 *
 * Nobody's cgroup pays for it, and it has no types to begin with.
 *
 * Context: process, may sleep.
 * Return: the heap, or an ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct ph_heap *ph_heap_create_kernel(const char *name, u64 max_bytes)
{
	struct ph_heap *heap = ph_heap_new(max_bytes, NULL, PH_GFP_KERNEL);
	int err;

	if (!heap)
		return ERR_PTR(-ENOMEM);
	strscpy(heap->comm, name, sizeof(heap->comm));
	err = ph_heap_init(heap, false);
	if (err) {
		ph_heap_free(heap);
		return ERR_PTR(err);
	}
	ph_heap_register(heap);
	return heap;
}
EXPORT_SYMBOL_IF_KUNIT(ph_heap_create_kernel);

/* All slabs go, whatever lives in them. */
static void ph_heap_destroy_slabs(struct ph_heap *heap)
{
	struct ph_slab *slab;
	u64 offset = 0, end;

	rcu_read_lock();
	end = ph_region_end(&heap->region);
	rcu_read_unlock();
	while (offset < end) {
		rcu_read_lock();
		slab = ph_region_next_slab(&heap->region, &offset);
		rcu_read_unlock();
		if (slab) {
			offset = slab->start + ph_slab_bytes(slab);
			ph_slab_destroy(&heap->region, slab, false);
		}
		cond_resched();
	}
}

/**
 * ph_heap_destroy() - end a heap and all that is in it
 * @heap: the heap; nobody else may use it any more
 *
 * Context: process, may sleep.
 */
void ph_heap_destroy(struct ph_heap *heap)
{
	mutex_lock(&ph_heaps_lock);
	while (heap->visits) {
		mutex_unlock(&ph_heaps_lock);
		wait_event(ph_heaps_left, !READ_ONCE(heap->visits));
		mutex_lock(&ph_heaps_lock);
	}
	list_del(&heap->node);
	ph_tag_users[heap->tag]--;
	mutex_unlock(&ph_heaps_lock);
	/* Nothing is kept for later any more, and nothing is mapped. */
	heap->region.stock_target = 0;
	heap->region.view.active = false;
	ph_heap_destroy_slabs(heap);
	ph_heap_free(heap);
}
EXPORT_SYMBOL_IF_KUNIT(ph_heap_destroy);

/**
 * ph_heap_visit() - see to it that a heap stays
 * @heap: the heap
 *
 * Who ends it waits until nobody visits it any more.
 *
 * Context: process; in a function that ph_heap_try_for_each() calls.
 */
void ph_heap_visit(struct ph_heap *heap)
{
	lockdep_assert_held(&ph_heaps_lock);
	heap->visits++;
}

static void ph_heap_leave_locked(struct ph_heap *heap)
{
	lockdep_assert_held(&ph_heaps_lock);
	if (!--heap->visits)
		wake_up_all(&ph_heaps_left);
}

/**
 * ph_heap_leave() - the end of a visit
 * @heap: the heap, which may be gone after this
 *
 * Context: process, may sleep.
 */
void ph_heap_leave(struct ph_heap *heap)
{
	mutex_lock(&ph_heaps_lock);
	ph_heap_leave_locked(heap);
	mutex_unlock(&ph_heaps_lock);
}

/**
 * ph_heap_for_each() - call a function for each heap of the module
 * @fn: the function; the heap stays while it runs, and may keep it waiting:
 *	nobody but who ends that heap waits for this
 * @data: handed to it
 *
 * Context: process, may sleep.
 */
void ph_heap_for_each(ph_heap_fn fn, void *data)
{
	struct ph_heap *heap;

	mutex_lock(&ph_heaps_lock);
	list_for_each_entry(heap, &ph_heaps, node) {
		ph_heap_visit(heap);
		mutex_unlock(&ph_heaps_lock);
		fn(heap, data);
		mutex_lock(&ph_heaps_lock);
		/* It is on the list still: who ends it waits for the lock. */
		ph_heap_leave_locked(heap);
	}
	mutex_unlock(&ph_heaps_lock);
}

/**
 * ph_heap_try_for_each() - the same, unless somebody else is at the list
 * @fn: the function; it waits for nobody: all who open or close heaps would wait
 *	with it
 * @data: handed to it
 *
 * Context: process; does not sleep for the list.
 * Return: whether it could.
 */
bool ph_heap_try_for_each(ph_heap_fn fn, void *data)
{
	struct ph_heap *heap;

	if (!mutex_trylock(&ph_heaps_lock))
		return false;
	list_for_each_entry(heap, &ph_heaps, node)
		fn(heap, data);
	mutex_unlock(&ph_heaps_lock);
	return true;
}

/**
 * ph_heap_for_each_type() - call a function for each type
 * @heap: the heap
 * @fn: the function
 * @data: handed to it
 *
 * Context: @heap->sem held.
 */
void ph_heap_for_each_type(struct ph_heap *heap, ph_type_fn fn, void *data)
{
	struct ph_types *types = ph_heap_types(heap);
	struct ph_type *type;
	u32 i;

	for (i = 0; i < types->nr; i++) {
		type = rcu_dereference_protected(types->type[i],
						 lockdep_is_held(&heap->sem));
		if (type)
			fn(type, data);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_heap_for_each_type);

struct ph_cache_visit {
	ph_cache_fn fn;
	void *data;
};

static void ph_heap_visit_caches(struct ph_type *type, void *data)
{
	struct ph_cache_visit *visit = data;

	ph_type_for_each_cache(type, visit->fn, visit->data);
}

/**
 * ph_heap_for_each_cache() - call a function for each cache
 * @heap: the heap
 * @fn: the function
 * @data: handed to it
 *
 * Context: @heap->sem held.
 */
void ph_heap_for_each_cache(struct ph_heap *heap, ph_cache_fn fn, void *data)
{
	struct ph_cache_visit visit = { .fn = fn, .data = data };

	ph_heap_for_each_type(heap, ph_heap_visit_caches, &visit);
}
EXPORT_SYMBOL_IF_KUNIT(ph_heap_for_each_cache);
