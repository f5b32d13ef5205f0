// SPDX-License-Identifier: GPL-2.0
/*
 * The user door: a row per command, a dispatcher, and handlers that check the
 * form of a call, call one function of the layers below, and answer. When the
 * answer cannot be written, what was done is undone.
 */

#include <linux/build_bug.h>
#include <linux/compat.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "catalog.h"
#include "content.h"
#include "convert.h"
#include "inspect.h"
#include "ioctl.h"
#include "map.h"
#include "mapped.h"
#include "object.h"
#include "refs.h"
#include "resize.h"
#include "stat.h"
#include "supply.h"
#include "transfer.h"
#include "uargs.h"

/* A struct longer than that is no version of ours. */
#define PH_UARGS_MAX	PAGE_SIZE

/**
 * ph_uargs_get_slow() - the struct of a command, in another version than ours
 * @args: (out)
 * @size: its size
 * @min_size: size of its first version
 * @from: the user's
 *
 * Context: process, may sleep.
 * Return: 0, -EFAULT, -EINVAL or -E2BIG.
 */
int ph_uargs_get_slow(void *args, u32 size, u32 min_size, void __user *from)
{
	u32 user_size;

	if (get_user(user_size, (u32 __user *)from))
		return -EFAULT;
	if (user_size < min_size)
		return -EINVAL;
	if (user_size > PH_UARGS_MAX)
		return -E2BIG;
	return copy_struct_from_user(args, size, from, user_size);
}

/**
 * ph_uargs_put() - answer with as much of a struct as the caller knows
 * @to: the user's
 * @args: the answer
 * @size: its size
 *
 * Context: process, may sleep.
 * Return: 0 or -EFAULT.
 */
int ph_uargs_put(void __user *to, void *args, u32 size)
{
	u32 user_size;

	if (get_user(user_size, (u32 __user *)to))
		return -EFAULT;
	/* It may have changed since it was checked. */
	user_size = min(user_size, size);
	*(u32 *)args = user_size;
	return copy_to_user(to, args, user_size) ? -EFAULT : 0;
}

/*
 * An answer that has to be there before a lock is dropped, which page faults may
 * need. Where the page is not in place the command undoes what it has done, has
 * it put there, and starts again; a program can take it away each time.
 */
#define PH_ANSWER_TRIES	16

static int ph_answer_locked(void __user *to, const void *from, u32 size)
{
	unsigned long left = size;

	pagefault_disable();
	if (access_ok(to, size))
		left = __copy_to_user_inatomic(to, from, size);
	pagefault_enable();
	return left ? -EAGAIN : 0;
}

static int ph_ioctl_query(struct ph_heap *heap, void __user *arg)
{
	struct privheap_query args;
	int err = PH_UARGS_GET(args, heap_id, arg);

	if (err)
		return err;
	if (args.flags)
		return -EOPNOTSUPP;
	args.abi_version = PRIVHEAP_ABI_VERSION;
	args.page_size = PAGE_SIZE;
	args.features = PRIVHEAP_FEATURE_COUNTED | PRIVHEAP_FEATURE_MAPPED |
			PRIVHEAP_FEATURE_HARDENED;
	args.max_heap_bytes = heap->max_bytes;
	args.max_object_bytes = ph_heap_max_object(heap);
	args.max_io_bytes = PH_MAX_IO;
	args.max_batch = PH_MAX_BATCH;
	/* No type has an id between the built-in ones and the first user's. */
	args.max_types = PH_MAX_TYPES - PRIVHEAP_TYPE_USER +
			 PRIVHEAP_TYPE_OBJECT;
	args.max_align = PAGE_SIZE;
	args.heap_id = heap->id;
	return PH_UARGS_PUT(args, arg);
}

static int ph_ioctl_setup(struct ph_heap *heap, void __user *arg)
{
	struct privheap_setup args;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (err)
		return err;
	if ((args.flags & ~(PRIVHEAP_SETUP_DUMP | PRIVHEAP_SETUP_HARDENED)) ||
	    args.reserved ||
	    (args.type_flags & ~(PRIVHEAP_TYPE_ZERO_ALLOC |
				 PRIVHEAP_TYPE_ZERO_FREE)))
		return -EOPNOTSUPP;
	return ph_supply_setup(heap, &args);
}

static int ph_type_create_tell(void *data, u32 id)
{
	return ph_answer_locked((u32 __force __user *)data, &id, sizeof(id));
}

static int ph_ioctl_type_create(struct ph_heap *heap, void __user *arg)
{
	u32 __user *answer = &((struct privheap_type __user *)arg)->type;
	struct privheap_type args;
	int err = PH_UARGS_GET(args, slots, arg), tries = PH_ANSWER_TRIES;
	u32 was;

	if (err)
		return err;
	was = args.type;
	do {
		err = ph_catalog_add(heap, &args, ph_type_create_tell,
				     (void __force *)answer);
		if (err != -EAGAIN)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
	} while (tries-- && !put_user(was, answer));
	return -EFAULT;
}

static int ph_ioctl_type_lookup(struct ph_heap *heap, void __user *arg)
{
	struct privheap_type args;
	int err = PH_UARGS_GET(args, slots, arg);
	size_t at = offsetofend(typeof(args), name);

	if (err)
		return err;
	if (args.flags || memchr_inv((void *)&args + at, 0, sizeof(args) - at))
		return -EOPNOTSUPP;
	if (strnlen(args.name, sizeof(args.name)) == sizeof(args.name))
		return -EINVAL;
	err = ph_catalog_find(heap, &args);
	if (err)
		return err;
	return PH_UARGS_PUT(args, arg);
}

/* Types that are described in one go. */
#define PH_LIST_CHUNK	4U

static int ph_list_types(struct ph_heap *heap,
			 struct privheap_type_list *args)
{
	struct privheap_type descs[PH_LIST_CHUNK];
	struct privheap_type __user *to = u64_to_user_ptr(args->types);
	u32 i, nr;

	do {
		nr = min(args->count - args->done, PH_LIST_CHUNK);
		nr = ph_catalog_list(heap, descs, nr, &args->cursor);
		for (i = 0; i < nr; i++)
			descs[i].size = sizeof(descs[i]);
		if (copy_to_user(to + args->done, descs, nr * sizeof(*descs)))
			return -EFAULT;
		args->done += nr;
	} while (args->cursor && args->done < args->count);
	return 0;
}

static int ph_ioctl_type_list(struct ph_heap *heap, void __user *arg)
{
	struct privheap_type_list args;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (err)
		return err;
	if (args.flags || args.reserved)
		return -EOPNOTSUPP;
	if (!args.count || args.count > PH_MAX_BATCH)
		return -EINVAL;
	args.done = 0;
	err = ph_list_types(heap, &args);
	if (err)
		return err;
	return PH_UARGS_PUT(args, arg);
}

static int ph_ioctl_type_destroy(struct ph_heap *heap, void __user *arg)
{
	struct privheap_type_destroy args;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (err)
		return err;
	if (args.flags || args.reserved)
		return -EOPNOTSUPP;
	return ph_catalog_remove(heap, args.type);
}

static int ph_alloc_answer(struct ph_heap *heap, struct ph_batch *batch,
			   const struct privheap_alloc *args, u32 done,
			   void __user *arg)
{
	struct privheap_alloc __user *uargs = arg;

	if (likely(!ph_batch_put(batch, args->handles, done) &&
		   !put_user(done, &uargs->done)))
		return 0;
	ph_object_alloc_undo(heap, batch->words, done);
	return -EFAULT;
}

static __always_inline int ph_alloc_batch(struct ph_heap *heap,
					  const struct privheap_alloc *args,
					  const u64 *sizes, void __user *arg)
{
	struct ph_alloc req = {
		.type	= args->type,
		.zero	= args->flags & PRIVHEAP_ZERO,
		.bytes	= args->object_bytes,
		.sizes	= sizes,
	};
	struct ph_batch handles __uninitialized;
	int err = ph_batch_init(&handles, args->count);
	u32 done;

	if (unlikely(err))
		return err;
	err = ph_object_alloc(heap, &req, handles.words, args->count,
			      args->flags & PRIVHEAP_PARTIAL, &done);
	if (likely(!err))
		err = ph_alloc_answer(heap, &handles, args, done, arg);
	ph_batch_exit(&handles);
	return err;
}

static noinline int ph_alloc_with_sizes(struct ph_heap *heap,
					const struct privheap_alloc *args,
					void __user *arg)
{
	struct ph_batch sizes __uninitialized;
	int err;

	if (args->object_bytes)
		return -EINVAL;
	err = ph_batch_init(&sizes, args->count);
	if (err)
		return err;
	err = ph_batch_get(&sizes, args->sizes, args->count);
	if (!err)
		err = ph_alloc_batch(heap, args, sizes.words, arg);
	ph_batch_exit(&sizes);
	return err;
}

static noinline int ph_ioctl_alloc(struct ph_heap *heap, void __user *arg)
{
	struct privheap_alloc args __uninitialized;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (unlikely(err))
		return err;
	if (unlikely((args.flags & ~(PRIVHEAP_PARTIAL | PRIVHEAP_ZERO)) ||
		     args.reserved))
		return -EOPNOTSUPP;
	if (unlikely(args.sizes))
		return ph_alloc_with_sizes(heap, &args, arg);
	return ph_alloc_batch(heap, &args, NULL, arg);
}

/* What FREE, GET and PUT do with their handles; PUT tells what it freed. */
typedef int (*ph_batch_fn)(struct ph_heap *heap, u32 type, u64 *handles,
			   u32 nr, bool partial, u32 *done, u32 *freed);

static __always_inline int ph_ioctl_batch(struct ph_heap *heap,
					  void __user *arg, ph_batch_fn fn,
					  bool tells)
{
	struct privheap_batch __user *uargs = arg;
	struct privheap_batch args __uninitialized;
	struct ph_batch handles __uninitialized;
	int err = PH_UARGS_GET(args, freed, arg);
	u32 done, freed = 0;

	if (unlikely(err))
		return err;
	if (unlikely(args.flags & ~PRIVHEAP_PARTIAL))
		return -EOPNOTSUPP;
	err = ph_batch_init(&handles, args.count);
	if (unlikely(err))
		return err;
	err = ph_batch_get(&handles, args.handles, args.count);
	/*
	 * Objects do not come back: the answer is written before, which shows
	 * that it can be, and again where it turns out to be another.
	 */
	if (likely(!err))
		err = put_user(args.count, &uargs->done);
	if (likely(!err) && tells)
		err = put_user(0, &uargs->freed);
	if (likely(!err))
		err = fn(heap, args.type, handles.words, args.count,
			 args.flags & PRIVHEAP_PARTIAL, &done, &freed);
	ph_batch_exit(&handles);
	if (likely(!err && done == args.count && !freed))
		return 0;
	if (!err && (put_user(done, &uargs->done) ||
		     (tells && put_user(freed, &uargs->freed))))
		return 0;
	return err;
}

static int ph_free_fn(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		      bool partial, u32 *done, u32 *freed)
{
	return ph_object_free(heap, type, handles, nr, partial, done);
}

static int ph_get_fn(struct ph_heap *heap, u32 type, u64 *handles, u32 nr,
		     bool partial, u32 *done, u32 *freed)
{
	return ph_refs_get(heap, type, handles, nr, partial, done);
}

static noinline int ph_ioctl_free(struct ph_heap *heap, void __user *arg)
{
	return ph_ioctl_batch(heap, arg, ph_free_fn, false);
}

static int ph_ioctl_get(struct ph_heap *heap, void __user *arg)
{
	return ph_ioctl_batch(heap, arg, ph_get_fn, false);
}

static int ph_ioctl_put(struct ph_heap *heap, void __user *arg)
{
	return ph_ioctl_batch(heap, arg, ph_refs_put, true);
}

/* The handle last: until then the caller's struct names the object. */
static int ph_resize_answer(void *data, u64 handle, u64 usable)
{
	struct privheap_resize __user *uargs =
		(struct privheap_resize __force __user *)data;

	if (put_user(usable, &uargs->usable_bytes) ||
	    put_user(handle, &uargs->handle))
		return -EFAULT;
	return 0;
}

static int ph_ioctl_resize(struct ph_heap *heap, void __user *arg)
{
	struct privheap_resize args;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (err)
		return err;
	if ((args.flags & ~PRIVHEAP_BY_OFFSET) || args.reserved)
		return -EOPNOTSUPP;
	if (args.flags & PRIVHEAP_BY_OFFSET)
		return ph_convert_resize(heap, args.type, args.handle,
					 args.object_bytes, ph_resize_answer,
					 (void __force *)arg);
	return ph_object_resize(heap, args.type, args.handle, args.object_bytes,
				ph_resize_answer, (void __force *)arg);
}

static int ph_info_all(struct ph_heap *heap, const struct privheap_info *args,
		       const u64 *handles, u32 *done)
{
	struct privheap_object_info __user *to = u64_to_user_ptr(args->infos);
	struct privheap_object_info info;
	int err = 0;

	for (*done = 0; *done < args->count; ++*done) {
		err = ph_inspect_object(heap, args->type, handles[*done],
					&info);
		if (!err && copy_to_user(to + *done, &info, sizeof(info)))
			err = -EFAULT;
		if (err)
			break;
	}
	if (err && (args->flags & PRIVHEAP_PARTIAL) && *done)
		err = 0;
	return err;
}

static int ph_ioctl_info(struct ph_heap *heap, void __user *arg)
{
	struct privheap_info __user *uargs = arg;
	struct privheap_info args;
	struct ph_batch handles __uninitialized;
	int err = PH_UARGS_GET(args, reserved, arg);
	u32 done;

	if (err)
		return err;
	if ((args.flags & ~PRIVHEAP_PARTIAL) || args.reserved)
		return -EOPNOTSUPP;
	err = ph_batch_init(&handles, args.count);
	if (err)
		return err;
	err = ph_batch_get(&handles, args.handles, args.count);
	if (!err)
		err = ph_info_all(heap, &args, handles.words, &done);
	if (!err)
		err = put_user(done, &uargs->done);
	ph_batch_exit(&handles);
	return err;
}

/* Make a promise and tell it, or neither. */
static int ph_reserve_locked(struct ph_heap *heap,
			     struct privheap_reserve *args,
			     struct privheap_reserve __user *uargs)
{
	struct ph_type *type = ph_heap_type(heap, args->type);
	int err;

	if (!type)
		return -ENOENT;
	err = ph_supply_reserve(heap, type, args);
	if (err || !args->promised)
		return err;
	err = ph_answer_locked(&uargs->promised, &args->promised,
			       sizeof(args->promised));
	if (err)
		ph_supply_unreserve(type, args);
	return err;
}

static int ph_reserve(struct ph_heap *heap, struct privheap_reserve *args,
		      struct privheap_reserve __user *uargs)
{
	int err = down_write_killable(&heap->sem);

	if (err)
		return err;
	err = ph_reserve_locked(heap, args, uargs);
	up_write(&heap->sem);
	return err;
}

static int ph_ioctl_reserve(struct ph_heap *heap, void __user *arg)
{
	struct privheap_reserve __user *uargs = arg;
	struct privheap_reserve args;
	int err = PH_UARGS_GET(args, promised, arg), tries = PH_ANSWER_TRIES;

	if (err)
		return err;
	if (args.flags || args.reserved)
		return -EOPNOTSUPP;
	do {
		/* The end of all promises is not undone: tell it before. */
		if (!tries-- || put_user(0ULL, &uargs->promised))
			return -EFAULT;
		err = ph_reserve(heap, &args, uargs);
	} while (err == -EAGAIN && !fatal_signal_pending(current));
	if (err)
		return err == -EAGAIN ? -EINTR : err;
	ph_map_populate(heap, args.type);
	return 0;
}

static int ph_ioctl_trim(struct ph_heap *heap, void __user *arg)
{
	struct privheap_trim args;
	int err = PH_UARGS_GET(args, released_bytes, arg);

	if (err)
		return err;
	if (args.flags)
		return -EOPNOTSUPP;
	down_read(&heap->sem);
	args.released_bytes = ph_supply_reclaim(heap, true);
	up_read(&heap->sem);
	return PH_UARGS_PUT(args, arg);
}

static int ph_ioctl_heap_stat(struct ph_heap *heap, void __user *arg)
{
	struct privheap_heap_stat args;
	int err = PH_UARGS_GET(args, moved_pages, arg);

	if (err)
		return err;
	if (args.flags)
		return -EOPNOTSUPP;
	down_read(&heap->sem);
	ph_stat_heap(heap, &args);
	up_read(&heap->sem);
	return PH_UARGS_PUT(args, arg);
}

static int ph_ioctl_type_stat(struct ph_heap *heap, void __user *arg)
{
	struct privheap_type_stat args;
	int err = PH_UARGS_GET(args, fresh_allocs, arg);

	if (err)
		return err;
	if (args.flags)
		return -EOPNOTSUPP;
	err = ph_stat_type_by_id(heap, &args);
	if (err)
		return err;
	return PH_UARGS_PUT(args, arg);
}

static int ph_ioctl_walk(struct ph_heap *heap, void __user *arg)
{
	struct privheap_walk args;
	struct ph_batch handles __uninitialized;
	int err = PH_UARGS_GET(args, reserved, arg);

	if (err)
		return err;
	if (args.flags || args.reserved)
		return -EOPNOTSUPP;
	err = ph_batch_init(&handles, args.count);
	if (err)
		return err;
	err = ph_inspect_walk(heap, args.type, &args.cursor, handles.words,
			      args.count, &args.done);
	if (!err)
		err = ph_batch_put(&handles, args.handles, args.done);
	if (!err)
		err = PH_UARGS_PUT(args, arg);
	ph_batch_exit(&handles);
	return err;
}

struct ph_ioctl_op {
	unsigned int cmd;
	int (*handler)(struct ph_heap *heap, void __user *arg);
};

#define PH_IOCTL(_cmd, _handler) \
	[_IOC_NR(_cmd)] = { .cmd = (_cmd), .handler = (_handler) }

static const struct ph_ioctl_op ph_ioctl_ops[] = {
	PH_IOCTL(PRIVHEAP_QUERY, ph_ioctl_query),
	PH_IOCTL(PRIVHEAP_SETUP, ph_ioctl_setup),
	PH_IOCTL(PRIVHEAP_TYPE_CREATE, ph_ioctl_type_create),
	PH_IOCTL(PRIVHEAP_TYPE_LOOKUP, ph_ioctl_type_lookup),
	PH_IOCTL(PRIVHEAP_LIST_TYPES, ph_ioctl_type_list),
	PH_IOCTL(PRIVHEAP_TYPE_DESTROY, ph_ioctl_type_destroy),
	PH_IOCTL(PRIVHEAP_ALLOC, ph_ioctl_alloc),
	PH_IOCTL(PRIVHEAP_FREE, ph_ioctl_free),
	PH_IOCTL(PRIVHEAP_RESIZE, ph_ioctl_resize),
	PH_IOCTL(PRIVHEAP_READ, ph_transfer_out),
	PH_IOCTL(PRIVHEAP_WRITE, ph_transfer_in),
	PH_IOCTL(PRIVHEAP_INFO, ph_ioctl_info),
	PH_IOCTL(PRIVHEAP_GET, ph_ioctl_get),
	PH_IOCTL(PRIVHEAP_PUT, ph_ioctl_put),
	PH_IOCTL(PRIVHEAP_RESERVE, ph_ioctl_reserve),
	PH_IOCTL(PRIVHEAP_TRIM, ph_ioctl_trim),
	PH_IOCTL(PRIVHEAP_HEAP_STAT, ph_ioctl_heap_stat),
	PH_IOCTL(PRIVHEAP_TYPE_STAT, ph_ioctl_type_stat),
	PH_IOCTL(PRIVHEAP_WALK, ph_ioctl_walk),
	PH_IOCTL(PRIVHEAP_TAKE, ph_mapped_take),
	PH_IOCTL(PRIVHEAP_GIVE, ph_mapped_give),
	PH_IOCTL(PRIVHEAP_TO_HANDLES, ph_mapped_to_handles),
	PH_IOCTL(PRIVHEAP_TO_OFFSETS, ph_mapped_to_offsets),
};

/**
 * ph_ioctl() - one command
 * @heap: the heap of the file
 * @cmd: PRIVHEAP_*
 * @arg: its struct
 *
 * Context: process, may sleep.
 * Return: 0 or one of the errors in the user header.
 */
long ph_ioctl(struct ph_heap *heap, unsigned int cmd, void __user *arg)
{
	const struct ph_ioctl_op *op;
	unsigned int nr = _IOC_NR(cmd);

	/* The two that programs live on do not pay for the table. */
	if (cmd == PRIVHEAP_ALLOC)
		return ph_ioctl_alloc(heap, arg);
	if (cmd == PRIVHEAP_FREE)
		return ph_ioctl_free(heap, arg);
	if (unlikely(nr >= ARRAY_SIZE(ph_ioctl_ops)))
		return -ENOTTY;
	op = &ph_ioctl_ops[array_index_nospec(nr, ARRAY_SIZE(ph_ioctl_ops))];
	if (unlikely(op->cmd != cmd))
		return -ENOTTY;
	return op->handler(heap, arg);
}
EXPORT_SYMBOL_IF_KUNIT(ph_ioctl);
