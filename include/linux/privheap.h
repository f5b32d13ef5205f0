/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel door of privheap: typed object caches for other modules.
 *
 * It reads like kmem_cache and behaves like it wherever kmem_cache does the
 * same. A heap is memory with a limit of its own; a cache serves objects of one
 * size out of it. The fast paths are in line: they take no lock and execute no
 * atomic instruction.
 *
 *	static const struct privheap_attr attr = { .name = "mine" };
 *	struct privheap *heap = privheap_create(&attr);
 *	struct privheap_cache *cache;
 *
 *	cache = privheap_cache_create(heap, "node", sizeof(struct node), NULL);
 *	node = privheap_cache_alloc(cache, GFP_KERNEL);
 *	privheap_cache_free(cache, node);
 *	privheap_cache_destroy(cache, 0);
 *	privheap_destroy(heap);
 */
#ifndef _LINUX_PRIVHEAP_H
#define _LINUX_PRIVHEAP_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/types.h>
#include <uapi/linux/privheap.h>

struct ph_cache;
struct privheap;

/** define PRIVHEAP_CACHE_ZERO - every object is zero when it is handed out */
#define PRIVHEAP_CACHE_ZERO		BIT(0)
/** define PRIVHEAP_CACHE_POISON - write into freed objects, and look for writes */
#define PRIVHEAP_CACHE_POISON		BIT(1)
/** define PRIVHEAP_CACHE_RED_ZONE - guard bytes behind each object */
#define PRIVHEAP_CACHE_RED_ZONE		BIT(2)
/** define PRIVHEAP_CACHE_TRACK - remember who allocated and freed each object */
#define PRIVHEAP_CACHE_TRACK		BIT(3)
/**
 * define PRIVHEAP_CACHE_TYPESAFE_BY_RCU - memory of freed objects stays of this
 * cache until the end of a grace period; an object can serve again at once
 */
#define PRIVHEAP_CACHE_TYPESAFE_BY_RCU	BIT(4)
/**
 * define PRIVHEAP_CACHE_NO_REUSE - memory of this cache serves no other one as
 * long as this one exists
 */
#define PRIVHEAP_CACHE_NO_REUSE		BIT(5)
/**
 * define PRIVHEAP_CACHE_CHECK - all of the flags that look for mistakes
 *
 * Any of them makes a cache slow: it has no magazines then. In return each double
 * free is found at once. The module parameter check_caches sets them for caches
 * whose owners did not. Those that would make an object longer than the two pages
 * that it may have are left out.
 */
#define PRIVHEAP_CACHE_CHECK		(PRIVHEAP_CACHE_POISON |	\
					 PRIVHEAP_CACHE_RED_ZONE |	\
					 PRIVHEAP_CACHE_TRACK)

/** define PRIVHEAP_DESTROY_FORCE - end a cache that has objects, too */
#define PRIVHEAP_DESTROY_FORCE		BIT(0)

/**
 * struct privheap_attr - what a heap is to be
 * @name: for people, up to 15 characters; copied
 * @max_bytes: the most that it may ever hold, pages and metadata; 0: no limit
 *	but the module's
 * @reserve_bytes: memory to take at once and keep
 */
struct privheap_attr {
	const char *name;
	u64 max_bytes;
	u64 reserve_bytes;
};

/**
 * struct privheap_cache_args - what a cache is to be; all zero is a good one
 * @align: alignment of objects in bytes, a power of two up to a page; 0: 8
 * @flags: PRIVHEAP_CACHE_* bits
 * @policy: PRIVHEAP_POLICY_*; 0: speed
 * @keep_slabs: empty slabs that stay when idle memory is given back
 * @quota: the most objects that there may be at a time; 0: no limit
 * @prealloc: objects to reserve, see privheap_cache_reserve()
 * @ctor: called once for each object when its memory comes to the cache; what
 *	it leaves survives free and alloc. May run in atomic context. Excludes
 *	PRIVHEAP_CACHE_ZERO and PRIVHEAP_CACHE_POISON
 */
struct privheap_cache_args {
	unsigned int align;
	unsigned int flags;
	unsigned int policy;
	unsigned int keep_slabs;
	u64 quota;
	u64 prealloc;
	void (*ctor)(void *obj);
};

/**
 * struct privheap_cache_stat - a cache in numbers
 * @objects: objects in use
 * @slots: objects that its memory has room for
 * @promised: allocations that are promised
 * @slabs: slabs
 * @empty_slabs: of which without objects
 * @bytes: memory of the slabs
 * @metadata_bytes: memory beside it, magazines excepted
 * @allocs: allocations so far; while others allocate, about
 * @frees: frees so far; while others free, about
 * @depot_loads: objects that came with a magazine from the depot, about
 * @slab_loads: objects that came from slabs, about
 * @errors: wrong frees and corruptions that were reported
 */
struct privheap_cache_stat {
	u64 objects;
	u64 slots;
	u64 promised;
	u64 slabs;
	u64 empty_slabs;
	u64 bytes;
	u64 metadata_bytes;
	u64 allocs;
	u64 frees;
	u64 depot_loads;
	u64 slab_loads;
	u64 errors;
};

/* From here on to ph_page_of(): internals, for the functions in line alone. */

/**
 * struct ph_magazine - a stack of rounds
 * @list: in the depot
 * @rcu: to free it
 * @nr: rounds in it
 * @cap: most rounds in it
 * @round: last in, first out: free objects by address, or by handle
 */
struct ph_magazine {
	union {
		struct list_head list;
		struct rcu_head rcu;
	};
	u32 nr;
	u32 cap;
	u64 round[];
};

/**
 * struct ph_cpu_count - what happened on one CPU; only sums mean something
 * @allocs: objects handed out: in sums only, where it is the sum of the three
 *	kinds below
 * @frees: objects taken back
 * @magazine_hits: of @allocs, those served by the magazines
 * @depot_hits: of @allocs, those served by a magazine from the depot
 * @slab_allocs: of @allocs, those served by slabs
 * @fresh: slots that came from slabs for the first time
 * @requested: bytes requested by live objects, where the size varies
 */
struct ph_cpu_count {
	u64 allocs;
	u64 frees;
	u64 magazine_hits;
	u64 depot_hits;
	u64 slab_allocs;
	u64 fresh;
	s64 requested;
};

/**
 * struct ph_cpu - one CPU's magazines
 * @seq: odd while this CPU is between ph_cpu_enter() and ph_cpu_leave(); an
 *	interrupt that comes in between keeps off. Half of it counts, for caches
 *	of the kernel door, allocations and frees
 * @loaded: served first
 * @prev: full or empty when @loaded is not of use
 * @count: statistics
 *
 * An array of these, by CPU number, and not the kernel's per-CPU memory: that
 * is slow to get for who makes and ends caches all the time.
 */
struct ph_cpu {
	unsigned long seq;
	struct ph_magazine *loaded;
	struct ph_magazine *prev;
	struct ph_cpu_count count;
} ____cacheline_aligned_in_smp;

/**
 * struct privheap_cache - a cache of the kernel door
 * @cache: the layers below
 * @init_words: words of 8 bytes that every allocation clears
 * @zero_words: those that an allocation with __GFP_ZERO clears
 * @page_base: where the struct page of address 0 would be
 * @flags: PRIVHEAP_CACHE_* bits
 * @id: of its type in the heap
 * @special: there is more to do than the functions in line do
 * @quota: see struct privheap_cache_args
 * @used: (quota) objects in use
 * @errors: see struct privheap_cache_stat
 * @ctor: see struct privheap_cache_args
 * @heap: whose it is
 * @cpu: magazines; without any if @special
 */
struct privheap_cache {
	struct ph_cache *cache;
	u32 init_words;
	u32 zero_words;
	unsigned long page_base;
	u32 flags;
	u32 id;
	bool special;
	u64 quota;
	atomic64_t used;
	atomic64_t errors;
	void (*ctor)(void *obj);
	struct privheap *heap;
	struct ph_cpu cpu[];
};

/* Where each CPU finds its own in an array of struct ph_cpu, in bytes. */
DECLARE_PER_CPU(unsigned long, ph_cpu_place);

/**
 * ph_cpu_here() - the magazines of the CPU that this happens to run on
 * @cpus: the cache's
 *
 * Context: any; only a hint as long as preemption is on.
 */
static __always_inline struct ph_cpu *ph_cpu_here(struct ph_cpu *cpus)
{
	return (void *)cpus + raw_cpu_read(ph_cpu_place);
}

/**
 * ph_cpu_enter() - have this CPU's magazines to oneself
 * @cpus: the cache's
 * @cpu: (out) they
 *
 * No lock and no atomic instruction: nobody else ever touches them but a drain
 * by interrupt on this very CPU, which looks at @seq.
 *
 * Context: any. Preemption is off until ph_cpu_leave().
 * Return: false when this came in the middle of just that.
 */
static __always_inline bool ph_cpu_enter(struct ph_cpu *cpus,
					 struct ph_cpu **cpu)
{
	preempt_disable();
	*cpu = ph_cpu_here(cpus);
	/*
	 * One instruction where there is one for it, but it need not be: nobody
	 * but this CPU writes it, and an interrupt leaves the bit as it was. Where
	 * it is several, one that allocates or frees between them goes uncounted.
	 * data_race(): the other side is such an interrupt, or somebody who reads
	 * a figure.
	 */
	if (unlikely(data_race(__test_and_set_bit(0, &(*cpu)->seq)))) {
		preempt_enable();
		return false;
	}
	barrier();
	return true;
}

static __always_inline void ph_cpu_leave(struct ph_cpu *cpu)
{
	barrier();
	/* data_race(): see ph_cpu_enter(); WRITE_ONCE() takes three instructions. */
	data_race(cpu->seq++);
	preempt_enable();
}

/* The same for who neither allocated nor freed: @seq / 2 counts just that. */
static __always_inline void ph_cpu_leave_uncounted(struct ph_cpu *cpu)
{
	barrier();
	/* data_race(): see ph_cpu_enter(). */
	data_race(cpu->seq--);
	preempt_enable();
}

/*
 * Whether an object, or whatever else of the direct mapping, lies in a page of
 * the cache. Where struct pages lie in a row, theirs is found without regard to
 * addresses of the kernel image.
 */
static __always_inline bool ph_page_is_of(const struct privheap_cache *cache,
					  const void *obj)
{
	const struct page *page;

#if defined(CONFIG_SPARSEMEM) && !defined(CONFIG_SPARSEMEM_VMEMMAP)
	page = virt_to_page(obj);
#else
	page = (void *)(cache->page_base + ((unsigned long)obj >> PAGE_SHIFT) *
					   sizeof(*page));
#endif
	return page_private(page) == (unsigned long)cache;
}

void *ph_door_alloc_slow(struct privheap_cache *cache, gfp_t gfp);
void ph_door_free_slow(struct privheap_cache *cache, void *obj);

struct privheap *privheap_create(const struct privheap_attr *attr);
int privheap_destroy(struct privheap *heap);

struct privheap_cache *
privheap_cache_create(struct privheap *heap, const char *name,
		      unsigned int size,
		      const struct privheap_cache_args *args);
int privheap_cache_destroy(struct privheap_cache *cache, unsigned int flags);

int privheap_cache_alloc_bulk(struct privheap_cache *cache, gfp_t gfp,
			      size_t nr, void **objs);
void privheap_cache_free_bulk(struct privheap_cache *cache, size_t nr,
			      void **objs);
int privheap_cache_reserve(struct privheap_cache *cache, u64 nr);
int privheap_cache_shrink(struct privheap_cache *cache);
unsigned int privheap_cache_size(const struct privheap_cache *cache);
void privheap_cache_stat(struct privheap_cache *cache,
			 struct privheap_cache_stat *stat);
bool privheap_owns(const void *obj);

/**
 * privheap_cache_alloc() - allocate an object
 * @cache: the cache
 * @gfp: as for kmem_cache_alloc(); __GFP_ZERO clears the object unless the
 *	cache has a constructor
 *
 * Context: any where kmem_cache_alloc() can be called; sleeps only if @gfp
 * allows it.
 * Return: the object, or NULL. The caller owns it until
 * privheap_cache_free().
 */
static __always_inline void *privheap_cache_alloc(struct privheap_cache *cache,
						  gfp_t gfp)
{
	struct ph_magazine *mag;
	struct ph_cpu *cpu;
	unsigned long nr;
	void *obj;

	if (unlikely(!ph_cpu_enter(cache->cpu, &cpu)))
		return ph_door_alloc_slow(cache, gfp);
	mag = cpu->loaded;
	nr = mag->nr;
	if (unlikely(!nr)) {
		ph_cpu_leave(cpu);
		return ph_door_alloc_slow(cache, gfp);
	}
	obj = (void *)(uintptr_t)mag->round[nr - 1];
	barrier();
	mag->nr--;
	ph_cpu_leave(cpu);
	/* So that the caller's look whether there is one is for nothing. */
	if (!obj)
		__builtin_unreachable();
	if (gfp & __GFP_ZERO)
		memset64(obj, 0, cache->zero_words);
	else if (cache->init_words)
		memset64(obj, 0, cache->init_words);
	return obj;
}

/**
 * privheap_cache_free() - free an object
 * @cache: the cache that it came from; the object of another one is refused,
 *	and reported
 * @obj: the object
 *
 * Context: any where kmem_cache_free() can be called.
 */
static __always_inline void privheap_cache_free(struct privheap_cache *cache,
						void *obj)
{
	struct ph_magazine *mag;
	struct ph_cpu *cpu;
	unsigned long nr;

	if (unlikely(!ph_cpu_enter(cache->cpu, &cpu)))
		goto slow;
	mag = cpu->loaded;
	nr = mag->nr;
	if (unlikely(nr >= mag->cap || !ph_page_is_of(cache, obj))) {
		ph_cpu_leave(cpu);
		goto slow;
	}
	mag->round[nr] = (uintptr_t)obj;
	barrier();
	mag->nr++;
	ph_cpu_leave(cpu);
	return;
slow:
	ph_door_free_slow(cache, obj);
}

#endif /* _LINUX_PRIVHEAP_H */
