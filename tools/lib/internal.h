/* SPDX-License-Identifier: MIT */
/*
 * What the files of the library know of each other.
 *
 *   heap      a mapped heap, or one of plain memory (plain.c)
 *   kind      heap, type and size; has a depot of full boxes
 *   box       an array of free objects; in a depot it may be folded (fold.c)
 *   magazine  what a thread has of one kind: a box in use, and a spare one
 *   thread    magazines of all kinds
 *
 * An allocation is served by the thread's box, its spare box, the kind's depot,
 * and then by one TAKE, which fills a box; a free goes the other way, and ends
 * with one GIVE of a whole box. Boxes start small and double while the thread
 * comes back for more.
 *
 * None of the library's own memory comes from malloc(), which may be this.
 *
 * Locks: kinds (kind.c), threads (thread.c), each kind's depot, the memory
 * below all (arena.c), kept spans (span.c), plain memory's (plain.c), types of
 * alignments (malloc.c). None is held while another is taken, but that of the
 * teardown (kind.c), which comes before all, and those of the orphans (thread.c),
 * of kept spans and of alignments, which come next. fork.c visits them all.
 *
 * A heap goes when no thread uses it, but threads that do not still meet what it
 * leaves: in depots that they age, and in their own magazines when they end. The
 * teardown's lock is for them and for who deletes. What ages only tries to have it,
 * for it may have the orphans'.
 */
#ifndef PRIVHEAP_INTERNAL_H
#define PRIVHEAP_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "libprivheap.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define cold		__attribute__((cold, noinline))

/* The most objects of a box, and runs of one call. */
#define PH_BOX_MAX	512
#define PH_BOX_FIRST	16
#define PH_BOX_LEAST	4
#define PH_BOX_BYTES	(8 << 10)	/* the most memory in a full box */
#define PH_BOX_LARGE	256		/* of objects from this size on the most is this: */
#define PH_BOX_LARGE_BYTES (32 << 10)
#define PH_DEPOT_BYTES	(8 << 20)	/* the most in all depots */

/*
 * Shelves of a depot. A thread puts its boxes on one and looks there first: what
 * it has freed is in the caches of its CPU, and not in those of another.
 */
#define PH_SHELVES	8

/* Sizes that may be served by slabs; the module knows where spans begin. */
#define PH_SMALL_MAX	(16 << 10)
#define PH_STEP		16
#define PH_SIZES	(PH_SMALL_MAX / PH_STEP + 1)
#define PH_ALIGNS	9		/* 16, 32, ... 4096 */
#define PH_SPAN_CLASS	255
#define PH_TYPES	1024

struct privheap_box {
	struct privheap_box *next;
	uint32_t room;			/* a power of two */
	uint16_t count;			/* as long as no magazine uses it */
	uint16_t rows;			/* in a depot: folded to so many, see fold.c */
	void *object[];
};

/* A kind as the distance of its magazine from the thread's first, in bytes. */
typedef uint16_t ph_place_t;

_Static_assert(PRIVHEAP_KINDS * sizeof(struct privheap_magazine) <= UINT16_MAX + 1,
	       "places are 16 bits");

/* Sizes of one type -> kind, by steps; 0 where nobody asked yet. */
struct ph_sizes {
	uint32_t type;
	uint32_t most;			/* what is larger is a span, as far as known */
	ph_place_t place[PH_SIZES];
};

struct ph_plain;

/*
 * Spans that were freed and may be wanted again, the oldest first: a call of the
 * module's takes their pages out of the mapping, and the next one zeroes others.
 */
#define PH_SPANS_KEPT	128
#define PH_SPANS_BYTES	((size_t)8 << 20)	/* of all that are kept */
#define PH_SPAN_KEPT	((size_t)2 << 20)	/* the largest that is */
#define PH_SPAN_AGE	256			/* frees until a kept one goes */

struct ph_spans {
	pthread_mutex_t lock;
	unsigned int count, now;
	size_t bytes;
	struct ph_kept {
		void *at;
		size_t bytes;
		unsigned int since;
	} kept[PH_SPANS_KEPT];
};

struct privheap {
	char *base;			/* of the region, or what takes its place */
	size_t bytes;			/* of plain memory: those that are open so far */
	const struct privheap_map_entry *slabs;
	unsigned int page_shift;
	ph_place_t object_place[256];	/* size class of type object -> kind, or 0 */
	struct ph_sizes sizes;		/* of type object */

	int fd;
	bool hardened;
	bool gone;			/* the parent's, after a fork */
	size_t high;			/* nothing was handed out from here on */
	struct ph_plain *plain;		/* or NULL */
	const struct privheap_stat_page *stat;
	uint64_t *allocated;		/* hardened: a bit for each 8 bytes */
	size_t guarded;			/* the bits of so many bytes are open */
	struct ph_sizes *aligned[PH_ALIGNS];
	struct ph_frozen *frozen;
	struct privheap *next;		/* list of all heaps */
	struct ph_spans spans;
	ph_place_t *type_place[PH_TYPES]; /* size class of other types -> kind, or 0 */
};

/* What a fork left the child: objects in plain memory that nobody reuses. */
struct ph_frozen {
	char *base;
	size_t bytes;
	const struct privheap_map_entry *slabs;
	struct ph_frozen *next;
};

/*
 * Large tables of which little is used come last, by the order of names, so that
 * the small variables of all files share the page that the loader writes to.
 */
#define PH_SPARSE	__attribute__((section(".bss.~sparse")))

/* Flags of a kind. */
#define PH_KIND_USED	1u
#define PH_KIND_GUARDED	2u	/* never by the fast path; the next kind has the magazines */
#define PH_KIND_SPAN	4u	/* pages of its own for each object */
#define PH_KIND_ZERO	8u	/* zeroed by alloc */
#define PH_KIND_WIPE	16u	/* zeroed by free */

struct ph_kind {
	struct privheap *heap;
	uint32_t type;
	uint32_t flags;
	uint32_t stride;
	uint32_t size_class;
	size_t asked;			/* a size that is of this class */
	size_t bytes;			/* that an object can use */
	unsigned int shift;		/* stride = odd << shift */
	size_t inverse;			/* of odd, modulo the word */
	uint32_t room_max;

	pthread_mutex_t lock;		/* for what follows; outlives the kind */
	struct privheap_box *depot[PH_SHELVES];
	uint32_t boxes;			/* on all shelves */
	uint32_t idle;			/* the fewest boxes since the last look */
	uint32_t uses;			/* since then */
};

/*
 * A thread that needs few runs, and magazines of small sizes, touches one page: few
 * runs are the last ones, and with what is not used in front of all they end in its
 * middle.
 */
struct ph_thread {
	char unused[2048];
	struct privheap_run run[PH_BOX_MAX];
	struct ph_thread *next;
	bool used;
	unsigned int shelf;		/* of each depot */
	unsigned int rounds;		/* of destructors */
	unsigned int kinds;		/* no magazine from this one on was used */
	struct privheap_thread own;
};

/* Room for @count runs. */
static inline struct privheap_run *ph_runs(struct ph_thread *thread, unsigned int count)
{
	return thread->run + PH_BOX_MAX - count;
}

/* Those that the module has answered. */
static inline struct privheap_run *ph_taken(const struct privheap_take *take)
{
	return (struct privheap_run *)(uintptr_t)take->runs;
}

/* arena.c: memory of the library itself, zeroed; never given back. */
void *ph_arena(size_t bytes);
void *ph_pages(size_t bytes);
void *ph_reserve(size_t bytes);
bool ph_open(void *space, size_t from, size_t to);
struct privheap_box *ph_box_new(uint32_t room);
void ph_box_put(struct privheap_box *box);
extern pthread_mutex_t ph_arena_lock;

/* thread.c */
struct ph_thread *ph_thread_enter(void);
void ph_thread_leave(struct ph_thread *thread);
void ph_thread_drop_kind(unsigned int kind);
void ph_threads_forked(void);
typedef int (*ph_lock_fn)(pthread_mutex_t *lock);
void ph_threads_locks(ph_lock_fn visit);

/* magazine.c: kinds that are not guarded. */
void *ph_magazine_alloc(struct ph_thread *thread, unsigned int kind);
bool ph_magazine_free(struct ph_thread *thread, unsigned int kind, void *object);
void ph_magazine_flush(struct ph_thread *thread, unsigned int kind);
void ph_magazine_leave(struct ph_thread *thread, unsigned int kind);
void ph_depot_flush(struct ph_thread *thread, unsigned int kind);
void ph_depot_drop(unsigned int kind);

/* fold.c */
struct privheap_box *ph_box_fold(struct privheap_box *box);
void ph_box_unfold(const struct privheap_box *folded, void **to);

/* run.c: objects from the module and back. */
int ph_take(struct privheap *heap, struct ph_thread *thread,
	    struct privheap_take *take);
unsigned int ph_unpack(struct privheap *heap, const struct privheap_take *take,
		       void **objects);
void *ph_take_one(struct privheap *heap, uint32_t type, size_t bytes, uint32_t flags);
void ph_give(struct ph_thread *thread, unsigned int kind, void **objects,
	     unsigned int count);
int ph_give_run(struct privheap *heap, uint32_t type, struct privheap_run *run,
		unsigned int count);

/*
 * kind.c. Of one heap, the process's own if there is one, the kinds of type object
 * have the numbers of their classes, from 1 on: no table has to be read for them.
 */
#define PH_DIRECT_KINDS	64
extern struct privheap *ph_direct_heap;
extern struct ph_kind ph_kinds[PRIVHEAP_KINDS];
extern unsigned int ph_kinds_end;
extern pthread_mutex_t ph_kinds_lock;
extern pthread_mutex_t ph_teardown_lock;
unsigned int ph_kind_sized(struct privheap *heap, struct ph_sizes *sizes,
			   size_t bytes);
unsigned int ph_kind_at(struct privheap *heap,
			const struct privheap_map_entry *entry);
void ph_kinds_forget(struct privheap *heap);
void ph_kinds_drop(struct privheap *heap);

/* heap.c */
int ph_heap_init(struct privheap *heap, const struct privheap_options *options);
int ph_heap_start(struct privheap *heap, const struct privheap_options *options);
extern struct privheap *ph_heaps;
extern pthread_mutex_t ph_heaps_lock;
int ph_heap_type(struct privheap *heap, struct privheap_type *type);
uint32_t ph_heap_type_flags(struct privheap *heap, uint32_t type);

/* span.c: objects that have pages of their own. */
void *ph_span_alloc(struct privheap *heap, uint32_t type, size_t bytes, bool zero);
void ph_span_free(struct privheap *heap, void *object);
void ph_spans_flush(struct privheap *heap);
void *ph_span_resize(struct privheap *heap, void *object, size_t bytes);

/* guard.c: the hardened mode, and types that zero. */
bool ph_guard_init(struct privheap *heap, size_t bytes);
void ph_guard_exit(struct privheap *heap, size_t bytes);
bool ph_guard_reach(struct privheap *heap, size_t end);
void *ph_guarded_alloc(struct ph_thread *thread, unsigned int kind);
void ph_guarded_free(struct ph_thread *thread, unsigned int kind, void *object);
bool ph_guard_take(struct privheap *heap, void *object);
bool ph_guard_give(struct privheap *heap, void *object);

/* report.c */
cold void ph_report(struct privheap *heap, const void *object, const char *what);
cold void ph_report_errno(struct privheap *heap, const void *object, int err);

/* plain.c: what the module does, in anonymous memory. */
int ph_plain_init(struct privheap *heap, size_t bytes);
void ph_plain_exit(struct privheap *heap);
int ph_plain_take(struct ph_plain *plain, struct privheap_take *take);
int ph_plain_give(struct ph_plain *plain, uint32_t type,
		  const struct privheap_run *run, unsigned int count);
int ph_plain_resize(struct ph_plain *plain, struct privheap_resize *resize);
int ph_plain_type(struct ph_plain *plain, struct privheap_type *type);
uint32_t ph_plain_type_flags(struct ph_plain *plain, uint32_t type);
pthread_mutex_t *ph_plain_lock(struct ph_plain *plain);

/*
 * fork.c: what becomes of heaps in the child. The preload library keeps its
 * heap's content there. Hooks run with all signals blocked, and may be in a
 * handler that interrupted anything of the library: they take no lock before the
 * child's.
 */
struct ph_fork_hooks {
	void (*prepare)(void);
	void (*parent)(bool forked);
	void (*child)(void);
};

extern struct ph_fork_hooks ph_fork_hooks;
void ph_fork_init(void);

/* malloc.c, for the preload library as well. */
extern pthread_mutex_t ph_aligned_lock;
void *ph_malloc_slow(struct privheap *heap, size_t bytes);
void ph_free_slow(struct privheap *heap, void *object);
void *ph_aligned(struct privheap *heap, size_t align, size_t bytes);

static inline size_t ph_offset(const struct privheap *heap, const void *object)
{
	return (size_t)((uintptr_t)object - (uintptr_t)heap->base);
}

/* A mark that only rises, whoever raises it. */
static inline void ph_raise(size_t *mark, size_t to)
{
	size_t is = __atomic_load_n(mark, __ATOMIC_RELAXED);

	while (is < to && !__atomic_compare_exchange_n(mark, &is, to, true, __ATOMIC_RELAXED,
						       __ATOMIC_RELAXED))
		;
}

/* Where pages have but one size, the compiler knows it. */
static inline unsigned int ph_page_shift(const struct privheap *heap)
{
#if defined(__x86_64__) || defined(__i386__)
	(void)heap;
	return 12;
#else
	return heap->page_shift;
#endif
}

static inline const struct privheap_map_entry *
ph_entry(const struct privheap *heap, size_t offset)
{
	return &heap->slabs[offset >> ph_page_shift(heap)];
}

static inline size_t ph_entry_start(const struct privheap *heap,
				    const struct privheap_map_entry *entry)
{
	return (size_t)entry->first_page << heap->page_shift;
}

static inline size_t ph_entry_bytes(const struct privheap *heap,
				    const struct privheap_map_entry *entry)
{
	return (size_t)entry->pages << heap->page_shift;
}

/* The caller's own, or those that nobody has, which serve nothing. */
static inline struct privheap_magazine *ph_magazine_at(ph_place_t place)
{
	return (struct privheap_magazine *)((char *)privheap_self + place);
}

static inline ph_place_t ph_place(unsigned int kind)
{
	return (ph_place_t)(kind * sizeof(struct privheap_magazine));
}

static inline unsigned int ph_placed(ph_place_t place)
{
	return place / sizeof(struct privheap_magazine);
}

/* Whether it is one of @heap's; others come and go meanwhile. */
static inline bool ph_kind_of(unsigned int kind, const struct privheap *heap)
{
	return __atomic_load_n(&ph_kinds[kind].heap, __ATOMIC_RELAXED) == heap;
}

/* The hot paths of malloc() and free(). */
static inline void *ph_malloc(struct privheap *heap, size_t bytes)
{
	struct privheap_magazine *magazine;

	if (unlikely(bytes > PH_SMALL_MAX))
		return ph_malloc_slow(heap, bytes);
	magazine = ph_magazine_at(heap->sizes.place[(bytes + PH_STEP - 1) / PH_STEP]);
	if (unlikely(magazine->top == magazine->base))
		return ph_malloc_slow(heap, bytes);
	return *--magazine->top;
}

/*
 * A page of a slab of type object has 00 09 01 CC there, CC the size class. The
 * result is @first for class 0, and large for other pages, but @first - 1 for a
 * word that no page has. Without a rotation, which processors do not mind and
 * emulators do.
 */
static inline unsigned int ph_object_class(const struct privheap_map_entry *entry,
					   unsigned int first)
{
	uint32_t word = (uint32_t)entry->type << 16 | (uint32_t)entry->state << 8 |
			entry->size_class;

	return word - ((PRIVHEAP_TYPE_OBJECT << 16 | PRIVHEAP_STATE_SLAB << 8) - first);
}

/* @direct: a constant, whether it is ph_direct_heap. */
static inline __attribute__((always_inline)) void
ph_free_to(struct privheap *heap, bool direct, void *object)
{
	size_t offset = ph_offset(heap, object);
	struct privheap_magazine *magazine;
	unsigned int class;

	if (unlikely(offset >= heap->bytes))
		return ph_free_slow(heap, object);
	/* Kind 0 has no magazine, and where there is none nothing fits into it. */
	class = ph_object_class(ph_entry(heap, offset), direct);
	if (unlikely(class >= (direct ? 1 + PH_DIRECT_KINDS : PH_SPAN_CLASS)))
		return ph_free_slow(heap, object);
	if (direct)
		magazine = &privheap_self->magazine[class];
	else
		magazine = ph_magazine_at(heap->object_place[class]);
	if (unlikely(magazine->top == magazine->limit))
		return ph_free_slow(heap, object);
	*magazine->top++ = object;
}

static inline void ph_free(struct privheap *heap, void *object)
{
	ph_free_to(heap, false, object);
}

#endif /* PRIVHEAP_INTERNAL_H */
