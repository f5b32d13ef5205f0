/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shim: as much of the kernel as the module's pure layers use, for a program
 * with one thread. It stands in for every kernel header that they include: the
 * Makefile makes a file of each name that includes this one.
 *
 * Locks and RCU are nothing: one thread does one thing after the other. What is
 * freed is freed at once, so that a use after it shows. Memory fails when the
 * fuzzer wants it to, see shim_fails.
 */
#ifndef _SHIM_H
#define _SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types, and what the compiler is told. */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s32 __s32;
typedef s64 __s64;
typedef unsigned int gfp_t;
typedef unsigned int vm_fault_t;
typedef int pid_t;

#define __aligned_u64		u64 __attribute__((aligned(8)))
#define __rcu
#define __user
#define __percpu
#define __force
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define noinline		__attribute__((noinline))
#define ____cacheline_aligned_in_smp
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ volatile("" ::: "memory")
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define data_race(x)		(x)
#define smp_rmb()		barrier()
#define smp_wmb()		barrier()
#define smp_mb()		barrier()
#define smp_mb__before_atomic()	barrier()
#define smp_mb__after_atomic()	barrier()
#define cpu_relax()		barrier()
#define EXPORT_SYMBOL_IF_KUNIT(name)	extern int shim_nothing
#define EXPORT_SYMBOL_GPL(name)		extern int shim_nothing
#define _IO(magic, nr)		((magic) << 8 | (nr))

#define U8_MAX			UINT8_MAX
#define U16_MAX			UINT16_MAX
#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define S32_MAX			INT32_MAX
#ifndef EDQUOT
#define EDQUOT			122
#endif

/* Large objects lie where units can be mapped; no page here is one. */

#define CONFIG_TRANSPARENT_HUGEPAGE	1
#define IS_ENABLED(option)		(option)
#define has_transparent_hugepage()	true
#define PageCompound(page)		((void)(page), false)
#define PMD_SHIFT			21
#define PMD_SIZE			(1UL << PMD_SHIFT)

/* Numbers. */

#define BITS_PER_LONG		64
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define BITS_TO_LONGS(n)	(((n) + 63UL) / 64)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((u64)(n), (u64)(d))
#define ALIGN(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define round_up(x, a)		ALIGN(x, a)
#define roundup(x, y)		(((x) + (y) - 1) / (y) * (y))
#define round_down(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(t, a, b)		((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define max_t(t, a, b)		((t)(a) > (t)(b) ? (t)(a) : (t)(b))
#define swap(a, b)		do { __typeof__(a) t_ = (a); (a) = (b); (b) = t_; } while (0)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ilog2(n)		(63 - __builtin_clzll(n))
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define roundup_pow_of_two(n)	((n) < 2 ? 1UL : 1UL << (64 - __builtin_clzl((unsigned long)(n) - 1)))
#define div_u64(a, b)		((u64)(a) / (u32)(b))
#define hweight64(x)		((unsigned int)__builtin_popcountll(x))
#define hweight_long(x)		hweight64(x)
#define __ffs(x)		((unsigned int)__builtin_ctzl(x))
#define __fls(x)		((unsigned int)(63 - __builtin_clzl(x)))
#define GOLDEN_RATIO_64		0x61C8864680B583EBull
#define array_size(a, b)	((size_t)(a) * (b))
#define struct_size(p, m, n)	(offsetof(__typeof__(*(p)), m) + sizeof((p)->m[0]) * (size_t)(n))
#define offsetofend(t, m)	(offsetof(t, m) + sizeof(((t *)0)->m))
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))
#define array_index_nospec(i, n) ((i) < (n) ? (i) : 0)

#define MAX_ERRNO		4095
#define ERR_PTR(e)		((void *)(long)(e))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= -(unsigned long)MAX_ERRNO)
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)

/* A warning is a failure. */
#define WARN_ON_ONCE(x)		(shim_check(!(x), #x, __FILE__, __LINE__), 0)
#define static_assert(x)	_Static_assert(x, #x)
#define BUILD_BUG_ON(x)		_Static_assert(!(x), #x)

static inline void shim_check(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* Bits. */

#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]

static inline bool test_bit(unsigned long n, const unsigned long *map)
{
	return map[n / 64] >> n % 64 & 1;
}

static inline void __set_bit(unsigned long n, unsigned long *map)
{
	map[n / 64] |= BIT(n % 64);
}

static inline void __clear_bit(unsigned long n, unsigned long *map)
{
	map[n / 64] &= ~BIT(n % 64);
}

static inline bool __test_and_set_bit(unsigned long n, unsigned long *map)
{
	bool was = test_bit(n, map);

	__set_bit(n, map);
	return was;
}

static inline bool test_and_clear_bit(unsigned long n, unsigned long *map)
{
	bool was = test_bit(n, map);

	__clear_bit(n, map);
	return was;
}

#define set_bit(n, map)		__set_bit(n, map)
#define clear_bit(n, map)	__clear_bit(n, map)
#define test_and_set_bit(n, map) __test_and_set_bit(n, map)

static inline void bitmap_set(unsigned long *map, unsigned int at, unsigned int nr)
{
	while (nr--)
		__set_bit(at++, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int at, unsigned int nr)
{
	while (nr--)
		__clear_bit(at++, map);
}

static inline void bitmap_zero(unsigned long *map, unsigned int nr)
{
	memset(map, 0, BITS_TO_LONGS(nr) * sizeof(long));
}

static inline unsigned int bitmap_weight(const unsigned long *map, unsigned int nr)
{
	unsigned int weight = 0;

	for (unsigned int i = 0; i < nr; i++)
		weight += test_bit(i, map);
	return weight;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long nr,
					  unsigned long at)
{
	while (at < nr && !test_bit(at, map))
		at++;
	return at;
}

#define find_first_bit(map, nr)	find_next_bit(map, nr, 0)

#define for_each_set_bit(i, map, nr) \
	for ((i) = find_next_bit(map, nr, 0); (i) < (nr); (i) = find_next_bit(map, nr, (i) + 1))

/* The first @nr zero bits in a row at or after @at; more than @size: none. */
static inline unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
						       unsigned long at, unsigned int nr,
						       unsigned long align)
{
	unsigned int run = 0;

	(void)align;
	for (; at < size; at++) {
		run = test_bit(at, map) ? 0 : run + 1;
		if (run == nr)
			return at + 1 - nr;
	}
	return size + 1;
}

static inline void memset16(u16 *to, u16 v, size_t nr)
{
	while (nr--)
		*to++ = v;
}

static inline void memset32(u32 *to, u32 v, size_t nr)
{
	while (nr--)
		*to++ = v;
}

static inline void memset64(u64 *to, u64 v, size_t nr)
{
	while (nr--)
		*to++ = v;
}

/* Atomic operations of a program with one thread. */

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { long counter; } atomic_long_t;

#define atomic_read(v)		((v)->counter)
#define atomic_inc(v)		((void)((v)->counter++))
#define atomic_dec(v)		((void)((v)->counter--))
#define atomic64_read(v)	((v)->counter)
#define atomic64_set(v, i)	((void)((v)->counter = (i)))
#define atomic64_add(i, v)	((void)((v)->counter += (i)))
#define atomic64_sub(i, v)	((void)((v)->counter -= (i)))
#define atomic64_inc(v)		((void)((v)->counter++))
#define atomic_long_or(i, v)	((void)((v)->counter |= (i)))
#define try_cmpxchg(p, old, new) \
	(*(p) == *(old) ? (*(p) = (new), true) : (*(old) = *(p), false))

static inline bool atomic64_try_cmpxchg(atomic64_t *v, s64 *old, s64 new)
{
	return try_cmpxchg(&v->counter, old, new);
}

/* Of these no more is needed than that there are some. */
struct rb_node {
	unsigned long parent_color;
	struct rb_node *right, *left;
};

struct rb_root {
	struct rb_node *node;
};

struct work_struct {
	void (*func)(struct work_struct *work);
};

/* Lists. */

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline void list_add_tail(struct list_head *node, struct list_head *list)
{
	node->prev = list->prev;
	node->next = list;
	list->prev->next = node;
	list->prev = node;
}

static inline void list_del(struct list_head *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

/* Locks, RCU and CPUs. */

struct mutex { int unused; };
struct rw_semaphore { int unused; };
struct rcu_head { void *unused[2]; };
typedef struct { int unused; } spinlock_t;

#define mutex_init(l)			((void)(l))
#define mutex_lock(l)			((void)(l))
#define mutex_unlock(l)			((void)(l))
#define spin_lock_init(l)		((void)(l))
#define spin_lock(l)			((void)(l))
#define spin_unlock(l)			((void)(l))
#define spin_lock_irqsave(l, f)		((void)(l), (f) = 0)
#define spin_unlock_irqrestore(l, f)	((void)(l), (void)(f))
#define lockdep_assert_held(l)		((void)(l))
#define lockdep_is_held(l)		1
#define rcu_read_lock()			((void)0)
#define rcu_read_unlock()		((void)0)
#define rcu_barrier()			((void)0)
#define rcu_dereference(p)		(p)
#define rcu_dereference_check(p, c)	(p)
#define rcu_dereference_protected(p, c)	(p)
#define rcu_assign_pointer(p, v)	((p) = (v))
#define RCU_INIT_POINTER(p, v)		((p) = (v))
#define call_rcu(head, fn)		fn(head)
#define kvfree_rcu(p, head)		free(p)
#define preempt_disable()		((void)0)
#define preempt_enable()		((void)0)
#define cond_resched()			((void)0)
#define DECLARE_PER_CPU(t, name)	extern t name
#define raw_cpu_read(v)			(v)

/* Memory. */

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define GFP_KERNEL		1u
#define GFP_KERNEL_ACCOUNT	1u
#define GFP_NOWAIT		2u
#define __GFP_RETRY_MAYFAIL	0u
#define __GFP_NOWARN		0u
#define __GFP_ZERO		4u
#define KMALLOC_MAX_CACHE_SIZE	8192UL
#define TASK_COMM_LEN		16

struct mem_cgroup;
struct file;
struct address_space { int unused; };
struct xarray { int unused; };
struct page {
	unsigned long private;
	struct list_head lru;
};

/* How many allocations succeed until one fails; below 0: all succeed. */
extern int shim_fails;
/* Bytes that the module's code holds and has not freed. */
bool shim_may_allocate(void);

static inline void *kvzalloc(size_t bytes, gfp_t gfp)
{
	(void)gfp;
	return shim_may_allocate() ? calloc(1, bytes) : NULL;
}

#define kvfree(p)		free(p)
#define kfree(p)		free(p)
#define set_active_memcg(m)	((void)(m), (struct mem_cgroup *)NULL)
#define mem_cgroup_put(m)	((void)(m))

static inline size_t kmalloc_size_roundup(size_t bytes)
{
	return bytes <= 64 ? ALIGN(bytes, (size_t)8) : roundup_pow_of_two(bytes);
}

/* The random numbers of one run are the same on every run. */
u64 get_random_u64(void);
#define get_random_u32()	((u32)get_random_u64())

/* Pages lie in one arena, whose struct pages are found by their address. */
struct page *virt_to_page(const void *addr);
bool virt_addr_valid(const void *addr);
#define page_private(p)		((p)->private)
#define set_page_private(p, v)	((p)->private = (v))

#endif /* _SHIM_H */
