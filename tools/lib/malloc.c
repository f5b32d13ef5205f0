// SPDX-License-Identifier: MIT
/*
 * The untyped family: objects of the type `object`, and of one type for each
 * alignment above its 16 bytes. What an address belongs to, the slab map says.
 */
#include "internal.h"

#include <stdio.h>

pthread_mutex_t ph_aligned_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t page_bytes(const struct privheap *heap)
{
	return (size_t)1 << heap->page_shift;
}

/*
 * All kinds are in use: each object is a call then. It is of the class that it would
 * be of anyway, so that it may be freed by a kind that there is later.
 */
static cold void *alloc_without_kind(struct privheap *heap, uint32_t type, size_t bytes)
{
	void *object = ph_take_one(heap, type, bytes, 0);

	if (object)
		ph_guard_take(heap, object);
	return object;
}

static void *sized_alloc(struct privheap *heap, struct ph_sizes *sizes, size_t bytes,
			 bool zero)
{
	bool small = bytes <= sizes->most;
	unsigned int kind = small ? ph_kind_sized(heap, sizes, bytes) : 0;
	void *object;

	if (!small || (!kind && errno == ERANGE))
		return ph_span_alloc(heap, PRIVHEAP_TYPE_OBJECT, bytes, zero);
	if (!kind && errno != ENOSPC)
		return NULL;
	object = kind ? privheap_object_refill((int)kind) :
			alloc_without_kind(heap, sizes->type, bytes);
	if (object && zero)
		memset(object, 0, bytes);
	return object;
}

static void *allocate(struct privheap *heap, size_t bytes, bool zero)
{
	void *object = NULL;

	if (likely(bytes <= PTRDIFF_MAX))
		object = sized_alloc(heap, &heap->sizes, bytes, zero);
	if (!object)
		errno = ENOMEM;
	return object;
}

void *ph_malloc_slow(struct privheap *heap, size_t bytes)
{
	return allocate(heap, bytes, false);
}

/* The objects of a type that is aligned to @align, up to a page. */
static struct ph_sizes *aligned_sizes(struct privheap *heap, size_t align)
{
	struct ph_sizes **place = &heap->aligned[__builtin_ctzl(align) - 4], *sizes;
	struct privheap_type type = {
		.policy = PRIVHEAP_POLICY_SPEED, .min_bytes = 1,
		.max_bytes = PH_SMALL_MAX, .align = (uint32_t)align,
	};

	sizes = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	if (sizes)
		return sizes;
	snprintf(type.name, sizeof(type.name), "object-align-%zu", align);
	pthread_mutex_lock(&ph_aligned_lock);
	sizes = *place;
	if (!sizes && !privheap_type(heap, &type)) {
		sizes = ph_arena(sizeof(*sizes));
		if (sizes) {
			sizes->type = type.type;
			sizes->most = PH_SMALL_MAX;
			__atomic_store_n(place, sizes, __ATOMIC_RELEASE);
		}
	}
	pthread_mutex_unlock(&ph_aligned_lock);
	return sizes;
}

/* At the start of a span whose object lies further in: which one that is. */
struct ph_wide {
	void *object;
	uintptr_t seal;
};

static uintptr_t wide_seal(const struct privheap *heap, const void *object)
{
	return (uintptr_t)object ^ (uintptr_t)heap->base ^ (uintptr_t)0x9e3779b97f4a7c15ULL;
}

/* Somewhere in a span that is larger by the alignment. */
static void *aligned_widely(struct privheap *heap, size_t align, size_t bytes)
{
	struct ph_wide *wide;
	char *start, *object;

	if (align > PTRDIFF_MAX || bytes > PTRDIFF_MAX - align)
		return NULL;
	start = ph_span_alloc(heap, PRIVHEAP_TYPE_OBJECT, bytes + align, false);
	if (!start)
		return NULL;
	object = start + (-(uintptr_t)start & (align - 1));
	if (object != start) {
		wide = (struct ph_wide *)(void *)start;
		wide->object = object;
		wide->seal = wide_seal(heap, object);
	}
	return object;
}

/* @align is a power of two. errno is ENOMEM where that fails. */
void *ph_aligned(struct privheap *heap, size_t align, size_t bytes)
{
	struct ph_sizes *sizes;
	void *object = NULL;

	if (align <= PH_STEP)
		return ph_malloc(heap, bytes);
	if (bytes > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	if (align > page_bytes(heap) || align > (size_t)PH_STEP << (PH_ALIGNS - 1)) {
		object = aligned_widely(heap, align, bytes);
	} else {
		sizes = bytes <= PH_SMALL_MAX ? aligned_sizes(heap, align) : &heap->sizes;
		if (sizes)
			object = sized_alloc(heap, sizes, bytes < align ? align : bytes, false);
	}
	if (!object)
		errno = ENOMEM;
	return object;
}

static const struct ph_frozen *frozen_find(const struct privheap *heap, const void *object)
{
	const struct ph_frozen *frozen;

	for (frozen = heap->frozen; frozen; frozen = frozen->next)
		if ((uintptr_t)object - (uintptr_t)frozen->base < frozen->bytes)
			return frozen;
	return NULL;
}

/* What an object at an address can use, from there on; 0: no object is there. */
static size_t usable_at(const struct privheap *heap, const char *base,
			const struct privheap_map_entry *slabs, const void *object)
{
	size_t offset = (size_t)((const char *)object - base);
	const struct privheap_map_entry *entry = &slabs[offset >> heap->page_shift];

	switch (entry->state) {
	case PRIVHEAP_STATE_SLAB:
		return entry->stride;
	case PRIVHEAP_STATE_SPAN:
		return ph_entry_start(heap, entry) + ph_entry_bytes(heap, entry) - offset;
	default:
		return 0;
	}
}

static size_t usable(const struct privheap *heap, const void *object)
{
	const struct ph_frozen *frozen;

	if (likely(ph_offset(heap, object) < heap->bytes))
		return usable_at(heap, heap->base, heap->slabs, object);
	frozen = frozen_find(heap, object);
	return frozen ? usable_at(heap, frozen->base, frozen->slabs, object) : 0;
}

/* What @object is the one of that is aligned to more than a page; or NULL. */
static struct ph_wide *wide_of(const struct privheap *heap, const void *object)
{
	const struct privheap_map_entry *entry = ph_entry(heap, ph_offset(heap, object));
	char *start = heap->base + ph_entry_start(heap, entry);
	struct ph_wide *wide = (struct ph_wide *)(void *)start;

	if (entry->state != PRIVHEAP_STATE_SPAN || object == start ||
	    ((uintptr_t)object & (2 * page_bytes(heap) - 1)) ||
	    wide->object != object || wide->seal != wide_seal(heap, object))
		return NULL;
	return wide;
}

static void span_free(struct privheap *heap, void *object)
{
	struct ph_wide *wide = wide_of(heap, object);

	if (wide) {
		wide->seal = 0;
		object = wide;
	}
	ph_span_free(heap, object);
}

static void free_kept_errno(struct privheap *heap, void *object)
{
	size_t offset = ph_offset(heap, object);
	const struct privheap_map_entry *entry;
	unsigned int kind;

	if (offset >= heap->bytes) {
		if (!heap->gone && !frozen_find(heap, object))
			ph_report(heap, object, "not of this heap");
		return;
	}
	entry = ph_entry(heap, offset);
	kind = ph_kind_at(heap, entry);
	if (kind)
		privheap_object_spill((int)kind, object);
	else
		span_free(heap, object);
}

void ph_free_slow(struct privheap *heap, void *object)
{
	int saved = errno;

	if (!object)
		return;
	free_kept_errno(heap, object);
	errno = saved;
}

static void *move(struct privheap *heap, void *object, size_t had, size_t bytes)
{
	void *moved = ph_malloc(heap, bytes);

	if (moved) {
		memcpy(moved, object, had < bytes ? had : bytes);
		ph_free(heap, object);
	}
	return moved;
}

static bool is_span(const struct privheap *heap, void *object)
{
	size_t offset = ph_offset(heap, object);

	return offset < heap->bytes && ph_entry(heap, offset)->state == PRIVHEAP_STATE_SPAN &&
	       !wide_of(heap, object);
}

/*
 * Whether an object that is no span of its own can stay where it is. Its free may
 * name the new size, and nothing else: if slabs serve that it has to be of the very
 * class, and not of an aligned type or aligned in a span.
 */
static bool same_class(struct privheap *heap, void *object, size_t bytes)
{
	size_t offset = ph_offset(heap, object);
	unsigned int kind;

	if (offset >= heap->bytes || bytes > heap->sizes.most)
		return true;
	kind = ph_kind_at(heap, ph_entry(heap, offset));
	return kind && heap->sizes.place[(bytes + PH_STEP - 1) / PH_STEP] == ph_place(kind);
}

/* A hardened heap knows; elsewhere that is seen when it is freed. */
static void *still_there(struct privheap *heap, void *object)
{
	void *known;

	if (!heap->hardened || ph_offset(heap, object) >= heap->bytes)
		return object;
	known = wide_of(heap, object);
	if (!known)
		known = object;
	if (!ph_guard_give(heap, known)) {
		errno = EINVAL;
		return NULL;
	}
	ph_guard_take(heap, known);
	return object;
}

/**
 * privheap_malloc - allocate memory
 * @heap: the heap
 * @bytes: how much; with 0 it is an address that no other object has
 *
 * Return: aligned to 16 bytes, or NULL with errno ``ENOMEM``
 */
void *privheap_malloc(struct privheap *heap, size_t bytes)
{
	return ph_malloc(heap, bytes);
}

/**
 * privheap_free - free memory
 * @heap: the heap
 * @object: what a function of this family returned; NULL does nothing
 *
 * errno is kept.
 */
void privheap_free(struct privheap *heap, void *object)
{
	ph_free(heap, object);
}

/**
 * privheap_free_sized - free memory of a size that the caller knows
 * @heap: the heap
 * @object: what privheap_malloc(), _calloc() or _realloc() returned, or NULL
 * @bytes: the size that was asked for
 */
void privheap_free_sized(struct privheap *heap, void *object, size_t bytes)
{
	struct privheap_magazine *magazine;

	if (unlikely(bytes > PH_SMALL_MAX || !object))
		return ph_free(heap, object);
	magazine = ph_magazine_at(heap->sizes.place[(bytes + PH_STEP - 1) / PH_STEP]);
	if (unlikely(magazine->top == magazine->limit))
		return ph_free(heap, object);
	*magazine->top++ = object;
}

/**
 * privheap_calloc - allocate an array of zeroes
 * @heap: the heap
 * @count: elements
 * @bytes: size of each
 *
 * Return: as privheap_malloc()
 */
void *privheap_calloc(struct privheap *heap, size_t count, size_t bytes)
{
	if (__builtin_mul_overflow(count, bytes, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	if (bytes <= PH_SMALL_MAX) {
		void *object = ph_malloc(heap, bytes);

		return object ? memset(object, 0, bytes) : NULL;
	}
	return allocate(heap, bytes, true);
}

/**
 * privheap_realloc - change the size of memory
 * @heap: the heap
 * @object: as for privheap_free(); NULL allocates
 * @bytes: the new size; 0 frees it and returns NULL
 *
 * Where it has pages of its own they move, and no byte is copied; plain memory does
 * so from 1 MiB on. An alignment above 16 bytes is not kept; privheap_free_sized()
 * may take what comes of it.
 *
 * Return: where it is from now on; or NULL with errno ``ENOMEM``, and it stays
 */
void *privheap_realloc(struct privheap *heap, void *object, size_t bytes)
{
	size_t had;

	if (!object)
		return ph_malloc(heap, bytes);
	if (!bytes) {
		ph_free(heap, object);
		return NULL;
	}
	had = usable(heap, object);
	if (unlikely(heap->gone)) {
		errno = ENOMEM;
		return NULL;
	}
	if (unlikely(!had)) {
		ph_report(heap, object, "realloc where no object is");
		errno = EINVAL;
		return NULL;
	}
	if (is_span(heap, object)) {
		if (bytes > heap->sizes.most && bytes <= PTRDIFF_MAX)
			return ph_span_resize(heap, object, bytes);
	} else if (bytes <= had && same_class(heap, object, bytes)) {
		return still_there(heap, object);
	}
	return move(heap, object, had, bytes);
}

static bool power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

/**
 * privheap_aligned_alloc - allocate memory with an alignment
 * @heap: the heap
 * @align: a power of two
 * @bytes: how much
 *
 * Return: as privheap_malloc(), or NULL with errno ``EINVAL``
 */
void *privheap_aligned_alloc(struct privheap *heap, size_t align, size_t bytes)
{
	if (!power_of_two(align)) {
		errno = EINVAL;
		return NULL;
	}
	return ph_aligned(heap, align, bytes);
}

/**
 * privheap_posix_memalign - the same as POSIX has it
 * @heap: the heap
 * @object: receives the address; left alone on error
 * @align: a power of two, and a multiple of the size of a pointer
 * @bytes: how much
 *
 * Return: 0, ``EINVAL`` or ``ENOMEM``; errno is kept
 */
int privheap_posix_memalign(struct privheap *heap, void **object, size_t align,
			    size_t bytes)
{
	int saved = errno;
	void *memory;

	if (!power_of_two(align) || align % sizeof(void *))
		return EINVAL;
	memory = ph_aligned(heap, align, bytes);
	errno = saved;
	if (!memory)
		return ENOMEM;
	*object = memory;
	return 0;
}

/**
 * privheap_usable_size - what memory that was allocated can hold
 * @heap: the heap
 * @object: as for privheap_free()
 *
 * Return: bytes; 0 for NULL
 */
size_t privheap_usable_size(struct privheap *heap, void *object)
{
	return object ? usable(heap, object) : 0;
}
