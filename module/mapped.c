// SPDX-License-Identifier: GPL-2.0
/* The commands of the mapped door; see ioctl.c for how handlers work. */

#include <kunit/visibility.h>

#include "convert.h"
#include "mapped.h"
#include "uargs.h"

/* A run is two words to those who move it. */
#define PH_RUN_WORDS	((u32)(sizeof(struct privheap_run) / sizeof(u64)))

static int ph_take_answer(struct ph_heap *heap, struct privheap_take *args,
			  const struct privheap_run *runs, void __user *arg)
{
	if (likely(ph_uargs_put_words(u64_to_user_ptr(args->runs),
				      (const u64 *)runs,
				      args->nr_runs * PH_RUN_WORDS) &&
		   !PH_UARGS_PUT(*args, arg)))
		return 0;
	ph_hand_undo(heap, runs, args->nr_runs);
	return -EFAULT;
}

/**
 * ph_mapped_take() - PRIVHEAP_TAKE
 * @heap: the heap of the file
 * @arg: struct privheap_take
 *
 * Context: process, may sleep.
 * Return: 0 or one of the errors in the user header.
 */
int ph_mapped_take(struct ph_heap *heap, void __user *arg)
{
	struct privheap_run runs[PH_TAKE_RUNS] __uninitialized;
	struct privheap_take args __uninitialized;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (unlikely(err))
		return err;
	if (unlikely((args.flags & ~PRIVHEAP_ZERO) || args.reserved))
		return -EOPNOTSUPP;
	if (unlikely(!args.count || args.count > PH_MAX_BATCH ||
		     !args.max_runs || args.max_runs > PH_MAX_BATCH))
		return -EINVAL;
	err = ph_hand_out(heap, &args, runs);
	if (likely(!err))
		err = ph_take_answer(heap, &args, runs, arg);
	return err;
}

/**
 * ph_mapped_give() - PRIVHEAP_GIVE
 * @heap: the heap of the file
 * @arg: struct privheap_give
 *
 * Context: process, may sleep.
 * Return: 0 or one of the errors in the user header.
 */
int ph_mapped_give(struct ph_heap *heap, void __user *arg)
{
	struct privheap_give __user *uargs = arg;
	struct privheap_give args __uninitialized;
	struct ph_batch runs __uninitialized;
	int err = PH_UARGS_GET(args, reserved, arg);
	u32 done;

	if (unlikely(err))
		return err;
	if (unlikely((args.flags & ~PRIVHEAP_PARTIAL) || args.reserved))
		return -EOPNOTSUPP;
	err = ph_batch_init_wide(&runs, args.count, PH_RUN_WORDS);
	if (unlikely(err))
		return err;
	err = ph_batch_get(&runs, args.runs, args.count * PH_RUN_WORDS);
	/* Objects do not come back: the answer is written before. */
	if (likely(!err))
		err = put_user(args.count, &uargs->done);
	if (likely(!err))
		err = ph_hand_back(heap, args.type, (void *)runs.words,
				   args.count, args.flags & PRIVHEAP_PARTIAL,
				   &done);
	ph_batch_exit(&runs);
	if (!err && unlikely(done != args.count) &&
	    put_user(done, &uargs->done))
		return 0;
	return err;
}

static int ph_convert_tell(void *data, const u64 *words, u32 nr, u64 mask)
{
	u64 __user *to = (u64 __force __user *)data;
	u32 i;

	if (!user_access_begin(to, nr * sizeof(*to)))
		return -EFAULT;
	for (i = 0; i < nr; i++)
		unsafe_put_user(words[i] & mask, to + i, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

typedef int (*ph_convert_fn)(struct ph_heap *heap, u32 type, u64 *words,
			     u32 nr, ph_convert_tell_fn tell, void *data);

static int ph_mapped_convert(struct ph_heap *heap, void __user *arg,
			     ph_convert_fn fn)
{
	struct privheap_convert args;
	struct ph_batch words __uninitialized;
	int err = PH_UARGS_GET(args, to, arg);

	if (err)
		return err;
	if (args.flags)
		return -EOPNOTSUPP;
	err = ph_batch_init(&words, args.count);
	if (err)
		return err;
	err = ph_batch_get(&words, args.from, args.count);
	if (!err)
		err = fn(heap, args.type, words.words, args.count,
			 ph_convert_tell, (void __force *)u64_to_user_ptr(args.to));
	ph_batch_exit(&words);
	return err;
}

/**
 * ph_mapped_to_handles() - PRIVHEAP_TO_HANDLES
 * @heap: the heap of the file
 * @arg: struct privheap_convert
 *
 * Context: process, may sleep.
 * Return: 0 or one of the errors in the user header.
 */
int ph_mapped_to_handles(struct ph_heap *heap, void __user *arg)
{
	return ph_mapped_convert(heap, arg, ph_convert_to_handles);
}

/**
 * ph_mapped_to_offsets() - PRIVHEAP_TO_OFFSETS
 * @heap: the heap of the file
 * @arg: struct privheap_convert
 *
 * Context: process, may sleep.
 * Return: 0 or one of the errors in the user header.
 */
int ph_mapped_to_offsets(struct ph_heap *heap, void __user *arg)
{
	return ph_mapped_convert(heap, arg, ph_convert_to_offsets);
}
