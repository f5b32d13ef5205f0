/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Uargs: structs and arrays between user and kernel memory.
 *
 * Words are moved one by one: for the sizes that matter here that is less work
 * than a call of the general copy, and no size is left to check.
 */
#ifndef _PH_UARGS_H
#define _PH_UARGS_H

#include <linux/slab.h>
#include <linux/uaccess.h>

#include "object.h"

/* The most elements of one batch. */
#define PH_MAX_BATCH	65536U

int ph_uargs_get_slow(void *args, u32 size, u32 min_size, void __user *from);
int ph_uargs_put(void __user *to, void *args, u32 size);

static __always_inline bool ph_uargs_get_words(u64 *to,
					       const u64 __user *from, u32 nr)
{
	u32 i;

	if (!user_access_begin(from, nr * sizeof(*to)))
		return false;
#pragma GCC unroll 8
	for (i = 0; i < nr; i++)
		unsafe_get_user(to[i], from + i, fault);
	user_access_end();
	return true;
fault:
	user_access_end();
	return false;
}

static __always_inline bool ph_uargs_put_words(u64 __user *to,
					       const u64 *from, u32 nr)
{
	u32 i;

	if (!user_access_begin(to, nr * sizeof(*to)))
		return false;
#pragma GCC unroll 8
	for (i = 0; i < nr; i++)
		unsafe_put_user(from[i], to + i, fault);
	user_access_end();
	return true;
fault:
	user_access_end();
	return false;
}

/**
 * ph_uargs_get() - the struct of a command
 * @args: (out) a multiple of 8 bytes, with a u32 size first
 * @size: its size, a constant
 * @min_size: size of its first version
 * @from: the user's, of whatever version
 *
 * Context: process, may sleep.
 * Return: 0, -EFAULT, -EINVAL or -E2BIG.
 */
static __always_inline int ph_uargs_get(void *args, u32 size, u32 min_size,
					void __user *from)
{
	if (likely(ph_uargs_get_words(args, from, size / sizeof(u64)) &&
		   *(u32 *)args == size))
		return 0;
	return ph_uargs_get_slow(args, size, min_size, from);
}

/**
 * struct ph_batch - an array of words on its way
 * @words: in kernel memory
 * @small: used for the usual case
 */
struct ph_batch {
	u64 *words;
	u64 small[PH_CHUNK];
};

/* For @nr elements of @width words each. */
static __always_inline int ph_batch_init_wide(struct ph_batch *batch, u32 nr,
					      u32 width)
{
	batch->words = batch->small;
	if (likely(nr && nr <= PH_CHUNK / width))
		return 0;
	if (!nr || nr > PH_MAX_BATCH)
		return -EINVAL;
	batch->words = kvmalloc_array(nr * width, sizeof(u64), PH_GFP);
	return batch->words ? 0 : -ENOMEM;
}

static __always_inline int ph_batch_init(struct ph_batch *batch, u32 nr)
{
	return ph_batch_init_wide(batch, nr, 1);
}

static __always_inline void ph_batch_exit(struct ph_batch *batch)
{
	if (unlikely(batch->words != batch->small))
		kvfree(batch->words);
}

static __always_inline int ph_batch_get(struct ph_batch *batch, u64 from,
					u32 nr)
{
	return likely(ph_uargs_get_words(batch->words, u64_to_user_ptr(from),
					 nr)) ? 0 : -EFAULT;
}

static __always_inline int ph_batch_put(struct ph_batch *batch, u64 to, u32 nr)
{
	return likely(ph_uargs_put_words(u64_to_user_ptr(to), batch->words,
					 nr)) ? 0 : -EFAULT;
}

/* The struct of a command; @last is the last member of its first version. */
#define PH_UARGS_GET(args, last, arg) \
	ph_uargs_get(&(args), sizeof(args), \
		     offsetofend(typeof(args), last), arg)

/* The answer. */
#define PH_UARGS_PUT(args, arg) \
	ph_uargs_put(arg, &(args), sizeof(args))

#endif /* _PH_UARGS_H */
