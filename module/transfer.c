// SPDX-License-Identifier: GPL-2.0
/* The two commands that carry bytes between user memory and objects. */

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>

#include "content.h"
#include "transfer.h"
#include "uargs.h"

/* The elements of a READ or WRITE. */
static struct privheap_io *ph_transfer_ios(const struct privheap_rw *args)
{
	struct privheap_io *ios;
	size_t bytes;

	if ((args->flags & ~PRIVHEAP_PARTIAL) || args->reserved)
		return ERR_PTR(-EOPNOTSUPP);
	if (!args->count || args->count > PH_MAX_BATCH)
		return ERR_PTR(-EINVAL);
	bytes = array_size(args->count, sizeof(*ios));
	ios = kvmalloc(bytes, PH_GFP);
	if (!ios)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(ios, u64_to_user_ptr(args->ios), bytes)) {
		kvfree(ios);
		return ERR_PTR(-EFAULT);
	}
	return ios;
}

static int ph_transfer_answer(u32 done, void __user *arg)
{
	struct privheap_rw __user *uargs = arg;

	return put_user(done, &uargs->done);
}

static int ph_transfer_read(struct ph_heap *heap, const struct privheap_rw *args,
			    const struct privheap_io *ios, u32 *done)
{
	int err = 0;

	for (*done = 0; *done < args->count; ++*done) {
		err = ph_content_read(heap, args->type, &ios[*done]);
		if (err)
			break;
	}
	if (err && (args->flags & PRIVHEAP_PARTIAL) && *done)
		err = 0;
	return err;
}

/**
 * ph_transfer_out() - PRIVHEAP_READ
 * @heap: the heap
 * @arg: struct privheap_rw
 *
 * Context: process, may sleep.
 * Return: 0 or one of the errors in the user header.
 */
int ph_transfer_out(struct ph_heap *heap, void __user *arg)
{
	struct privheap_rw args;
	struct privheap_io *ios;
	int err = PH_UARGS_GET(args, reserved, arg);
	u32 done;

	if (err)
		return err;
	ios = ph_transfer_ios(&args);
	if (IS_ERR(ios))
		return PTR_ERR(ios);
	err = ph_transfer_read(heap, &args, ios, &done);
	if (!err)
		err = ph_transfer_answer(done, arg);
	kvfree(ios);
	return err;
}

static int ph_transfer_total(const struct privheap_io *ios, u32 nr, u64 *bytes)
{
	u32 i;

	*bytes = 0;
	for (i = 0; i < nr; i++)
		if (check_add_overflow(*bytes, ios[i].bytes, bytes))
			return -EOVERFLOW;
	return *bytes > PH_MAX_IO ? -EINVAL : 0;
}

/* How many elements can be written: all of them checked, their bytes here. */
static int ph_transfer_collect(struct ph_heap *heap,
			       const struct privheap_rw *args,
			       const struct privheap_io *ios, u8 *bytes,
			       u32 *nr)
{
	int err = 0;

	for (*nr = 0; *nr < args->count; ++*nr) {
		const struct privheap_io *io = &ios[*nr];

		err = ph_content_check(heap, args->type, io);
		if (!err && copy_from_user(bytes, u64_to_user_ptr(io->buffer),
					   io->bytes))
			err = -EFAULT;
		if (err)
			break;
		bytes += io->bytes;
	}
	if (err && (args->flags & PRIVHEAP_PARTIAL) && *nr)
		err = 0;
	return err;
}

static void ph_transfer_commit(struct ph_heap *heap, const struct privheap_io *ios,
			       const u8 *bytes, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		ph_content_write(heap, &ios[i], bytes);
		bytes += ios[i].bytes;
		cond_resched();
	}
}

/*
 * All bytes are here before the first object changes: a fault in the middle of
 * the user's memory leaves no half of a write.
 */
static int ph_transfer_write(struct ph_heap *heap, const struct privheap_rw *args,
			     const struct privheap_io *ios, void __user *arg)
{
	u64 total;
	u8 *bytes;
	u32 nr;
	int err = ph_transfer_total(ios, args->count, &total);

	if (err)
		return err;
	bytes = kvmalloc(max(total, 1ULL), PH_GFP);
	if (!bytes)
		return -ENOMEM;
	err = ph_transfer_collect(heap, args, ios, bytes, &nr);
	if (!err)
		err = ph_transfer_answer(nr, arg);
	if (!err)
		ph_transfer_commit(heap, ios, bytes, nr);
	kvfree(bytes);
	return err;
}

/**
 * ph_transfer_in() - PRIVHEAP_WRITE
 * @heap: the heap
 * @arg: struct privheap_rw
 *
 * Context: process, may sleep.
 * Return: 0 or one of the errors in the user header.
 */
int ph_transfer_in(struct ph_heap *heap, void __user *arg)
{
	struct privheap_rw args;
	struct privheap_io *ios;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (err)
		return err;
	ios = ph_transfer_ios(&args);
	if (IS_ERR(ios))
		return PTR_ERR(ios);
	err = ph_transfer_write(heap, &args, ios, arg);
	kvfree(ios);
	return err;
}
