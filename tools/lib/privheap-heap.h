/* SPDX-License-Identifier: MIT */
/*
 * A heap in the program's own memory: typed objects and a malloc family.
 *
 * Between the program and the module stand magazines, one for each thread and
 * kind of object; a system call moves a whole magazine. Any thread may free
 * what another has allocated. A thread that ends leaves its magazines to others.
 *
 * The child of a fork has no part of a mapped heap: what it allocates from it
 * fails with ENOMEM, what it frees is ignored, and touching an object of it is
 * a SIGSEGV. Heaps of plain memory go on working in both.
 */
#ifndef PRIVHEAP_HEAP_H
#define PRIVHEAP_HEAP_H

#include <stddef.h>

#include <linux/privheap.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct privheap;

/* Flags of a heap (&privheap_options.flags). */
/** define PRIVHEAP_FALLBACK - plain memory where there is no module */
#define PRIVHEAP_FALLBACK	(1U << 0)
/** define PRIVHEAP_HARDENED - check each free at once; PRIVHEAP_HARDENED=1 does it, too */
#define PRIVHEAP_HARDENED	(1U << 1)

/**
 * struct privheap_options - what a heap shall be like; zero means the default
 * @flags: PRIVHEAP_* bits above
 * @hard_max_bytes: as in &struct privheap_setup; not kept by plain memory
 * @reserve_bytes: the same
 * @address_bytes: address space to take for it; the default is all that a
 *	region has, or half of what the process may still have
 */
struct privheap_options {
	unsigned int flags;
	__u64 hard_max_bytes;
	__u64 reserve_bytes;
	__u64 address_bytes;
};

struct privheap *privheap_new(const struct privheap_options *options);
void privheap_delete(struct privheap *heap);
int privheap_fd(const struct privheap *heap);
int privheap_type(struct privheap *heap, struct privheap_type *type);
int privheap_trim(struct privheap *heap);
const struct privheap_stat_page *privheap_stat_page(struct privheap *heap);

/*
 * Kinds: a kind is a heap, a type of it, and a size. Its number is good in the
 * whole process until the heap is deleted. All heaps of a process share somewhat
 * less than %PRIVHEAP_KINDS; where there is none left privheap_kind() fails with
 * ``ENOSPC``, and the untyped family needs a call for each object.
 */
int privheap_kind(struct privheap *heap, __u32 type, size_t bytes);
size_t privheap_kind_bytes(int kind);

/*
 * Objects of a kind, and what the two inline functions need. They take the number as
 * it is, without a check: it has to be one that privheap_kind() returned, of a heap
 * that is still there, and not the -1 that it returns where it fails.
 */
static inline void *privheap_object_alloc(int kind);
static inline void privheap_object_free(int kind, void *object);
void *privheap_object_refill(int kind);
void privheap_object_spill(int kind, void *object);

/* Untyped: as malloc(3) and its kin have it, objects of the type `object`. */
void *privheap_malloc(struct privheap *heap, size_t bytes);
void *privheap_calloc(struct privheap *heap, size_t count, size_t bytes);
void *privheap_realloc(struct privheap *heap, void *object, size_t bytes);
void *privheap_aligned_alloc(struct privheap *heap, size_t align, size_t bytes);
int privheap_posix_memalign(struct privheap *heap, void **object, size_t align,
			    size_t bytes);
void privheap_free(struct privheap *heap, void *object);
void privheap_free_sized(struct privheap *heap, void *object, size_t bytes);
size_t privheap_usable_size(struct privheap *heap, void *object);

/* Handles and pointers: each call checks, and ends the life of the other. */
int privheap_to_handle(struct privheap *heap, void *object, __u64 *handle);
void *privheap_to_pointer(struct privheap *heap, __u64 handle);

/*
 * What happens when an object comes back that is not out: a line on stderr and
 * abort(), or the function given here. The object is left alone if that returns.
 */
typedef void (*privheap_corruption_fn)(const void *object, const char *message);
privheap_corruption_fn privheap_on_corruption(privheap_corruption_fn fn);

/* The rest is for the two inline functions alone. */

#define PRIVHEAP_KINDS	2048

struct privheap_box;

/* A thread's objects of one kind: from base to top, and room up to limit. */
struct privheap_magazine {
	void **top;
	void **base;
	void **limit;
	struct privheap_box *spare;
};

struct privheap_thread {
	struct privheap_magazine magazine[PRIVHEAP_KINDS];
};

/* Never NULL: a thread without magazines shares one that is empty and full. */
extern __thread struct privheap_thread *privheap_self
	__attribute__((tls_model("initial-exec")));

/**
 * privheap_object_alloc - allocate an object
 * @kind: what privheap_kind() said, which was not -1: that is not checked here
 *
 * Return: the object, or NULL with errno set
 */
static inline void *privheap_object_alloc(int kind)
{
	struct privheap_magazine *magazine = &privheap_self->magazine[(unsigned int)kind];

	if (__builtin_expect(magazine->top == magazine->base, 0))
		return privheap_object_refill(kind);
	return *--magazine->top;
}

/**
 * privheap_object_free - free an object, from whatever thread it is
 * @kind: the kind that it was allocated by; not checked either
 * @object: the object; NULL does nothing
 */
static inline void privheap_object_free(int kind, void *object)
{
	struct privheap_magazine *magazine = &privheap_self->magazine[(unsigned int)kind];

	if (__builtin_expect(magazine->top == magazine->limit || !object, 0))
		privheap_object_spill(kind, object);
	else
		*magazine->top++ = object;
}

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* PRIVHEAP_HEAP_H */
