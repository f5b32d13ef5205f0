// SPDX-License-Identifier: GPL-2.0
/* The bytes of objects. */

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <kunit/visibility.h>

#include "content.h"

/*
 * Slack of an object that has ended: more than any object can have. A span's
 * object has ended when it asks for no bytes.
 */
#define PH_SLACK_ENDED		U8_MAX
#define PH_WIDE_SLACK_ENDED	U16_MAX

static u8 *ph_content_slack(struct ph_slab *slab, u32 slot)
{
	return (u8 *)slab->slack + slot;
}

static u16 *ph_content_wide_slack(struct ph_slab *slab, u32 slot)
{
	return (u16 *)slab->slack + slot;
}

/**
 * ph_content_requested() - the size that the user asked for
 * @slab: the object's slab
 * @slot: its slot
 *
 * Context: any in which the slab stays.
 * Return: bytes; 0 for an object that has ended.
 */
u64 ph_content_requested(struct ph_slab *slab, u32 slot)
{
	u32 keep = slab->cache->geo.keep, size = slab->cache->size;
	u32 slack;

	if (ph_slab_is_span(slab))
		return READ_ONCE(slab->requested);
	if (keep & PH_KEEP_WIDE_SLACK) {
		slack = READ_ONCE(*ph_content_wide_slack(slab, slot));
		return slack == PH_WIDE_SLACK_ENDED ? 0 : size - slack;
	}
	if (keep & PH_KEEP_SLACK) {
		slack = READ_ONCE(*ph_content_slack(slab, slot));
		return slack == PH_SLACK_ENDED ? 0 : size - slack;
	}
	return size;
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_requested);

/**
 * ph_content_usable() - the size that an object could have where it is
 * @slab: its slab
 *
 * Context: any in which the slab stays.
 * Return: bytes.
 */
u64 ph_content_usable(const struct ph_slab *slab)
{
	u64 bytes = ph_slab_is_span(slab) ? ph_slab_bytes(slab) :
					    slab->cache->size;

	return min(bytes, slab->cache->type->max_bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_usable);

/**
 * ph_content_set_requested() - note the size that the user asked for
 * @slab: the object's slab
 * @slot: its slot
 * @bytes: the size, which fits
 *
 * Context: any in which the slab stays; before others know the object.
 */
void ph_content_set_requested(struct ph_slab *slab, u32 slot, u64 bytes)
{
	u32 keep = slab->cache->geo.keep, size = slab->cache->size;

	if (ph_slab_is_span(slab))
		WRITE_ONCE(slab->requested, bytes);
	else if (keep & PH_KEEP_WIDE_SLACK)
		WRITE_ONCE(*ph_content_wide_slack(slab, slot), size - bytes);
	else if (keep & PH_KEEP_SLACK)
		WRITE_ONCE(*ph_content_slack(slab, slot), size - bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_set_requested);

/**
 * ph_content_resize() - change the size that the user asked for
 * @slab: the object's slab
 * @slot: its slot
 * @from: the size as it was seen
 * @to: the new one, which fits
 *
 * So that the sum of all sizes stays right whoever else resizes or frees it.
 *
 * Context: any in which the slab stays.
 * Return: false, and nothing is changed, if it has another size by now.
 */
bool ph_content_resize(struct ph_slab *slab, u32 slot, u64 from, u64 to)
{
	u32 keep = slab->cache->geo.keep, size = slab->cache->size;
	u16 wide = size - from;
	u8 slack = size - from;

	if (ph_slab_is_span(slab))
		return cmpxchg64(&slab->requested, from, to) == from;
	if (keep & PH_KEEP_WIDE_SLACK)
		return try_cmpxchg(ph_content_wide_slack(slab, slot), &wide,
				   (u16)(size - to));
	if (keep & PH_KEEP_SLACK)
		return try_cmpxchg(ph_content_slack(slab, slot), &slack,
				   (u8)(size - to));
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_resize);

/**
 * ph_content_end() - the object has ended: it cannot be resized any more
 * @slab: its slab
 * @slot: its slot
 *
 * Context: any in which the slab stays; by who claimed the slot.
 * Return: the size that the user asked for last.
 */
u64 ph_content_end(struct ph_slab *slab, u32 slot)
{
	u32 keep = slab->cache->geo.keep, size = slab->cache->size;

	if (ph_slab_is_span(slab))
		return xchg(&slab->requested, 0);
	if (keep & PH_KEEP_WIDE_SLACK)
		return size - xchg(ph_content_wide_slack(slab, slot),
				   PH_WIDE_SLACK_ENDED);
	if (keep & PH_KEEP_SLACK)
		return size - xchg(ph_content_slack(slab, slot),
				   PH_SLACK_ENDED);
	return size;
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_end);

/* Where a byte of an object is, and how many follow it there. */
static void *ph_content_at(const struct ph_slab *slab, u32 slot, u64 offset,
			   u64 *bytes)
{
	unsigned long page = offset >> PAGE_SHIFT;

	if (!ph_slab_is_span(slab))
		return slab->addr + (size_t)slot * slab->stride + offset;
	*bytes = min_t(u64, *bytes, PAGE_SIZE - offset_in_page(offset));
	page = array_index_nospec(page, (unsigned long)slab->nr_pages);
	return page_address(slab->pages[page]) + offset_in_page(offset);
}

/**
 * ph_content_zero() - zero a part of an object
 * @slab: its slab
 * @slot: its slot
 * @from: first byte
 * @to: the byte behind the last
 *
 * Context: process, may sleep for a large object.
 */
void ph_content_zero(struct ph_slab *slab, u32 slot, u64 from, u64 to)
{
	u64 bytes;
	void *at;

	while (from < to) {
		bytes = to - from;
		at = ph_content_at(slab, slot, from, &bytes);
		memset(at, 0, bytes);
		from += bytes;
		if (ph_slab_is_span(slab))
			cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_zero);

/**
 * ph_content_copy() - copy the first bytes of an object to another
 * @to: slab of the other
 * @to_slot: its slot
 * @from: slab of the one
 * @from_slot: its slot
 * @bytes: how many; both have as many
 *
 * Context: process, may sleep for a large object.
 */
void ph_content_copy(struct ph_slab *to, u32 to_slot, struct ph_slab *from,
		     u32 from_slot, u64 bytes)
{
	u64 done = 0, part;
	void *src, *dst;

	while (done < bytes) {
		part = bytes - done;
		src = ph_content_at(from, from_slot, done, &part);
		dst = ph_content_at(to, to_slot, done, &part);
		memcpy(dst, src, part);
		done += part;
		if (ph_slab_is_span(from))
			cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_copy);

static int ph_content_check_range(struct ph_slab *slab, u32 slot,
				  const struct privheap_io *io)
{
	u64 end;

	if (check_add_overflow(io->offset, io->bytes, &end))
		return -EOVERFLOW;
	return end > ph_content_requested(slab, slot) ? -ERANGE : 0;
}

/**
 * ph_content_check() - whether an element of a read or write makes sense
 * @heap: the heap
 * @type: the type that the object must have; 0 for any
 * @io: the element
 *
 * Context: process.
 * Return: 0, -EOVERFLOW, -ERANGE, or what is wrong with the handle.
 */
int ph_content_check(struct ph_heap *heap, u32 type,
		     const struct privheap_io *io)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;
	int err;

	rcu_read_lock();
	err = ph_handle_lookup(heap, type, io->handle, &slab, &slot);
	if (!err)
		err = ph_content_check_range(slab, slot, io);
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_check);

static int ph_content_to_user(struct ph_slab *slab, u32 slot,
			      const struct privheap_io *io)
{
	void __user *buffer = u64_to_user_ptr(io->buffer);
	u64 done = 0, part;
	void *at;

	while (done < io->bytes) {
		if (fatal_signal_pending(current))
			return -EINTR;
		part = io->bytes - done;
		at = ph_content_at(slab, slot, io->offset + done, &part);
		if (copy_to_user(buffer + done, at, part))
			return -EFAULT;
		done += part;
	}
	return 0;
}

/**
 * ph_content_read() - copy from an object to user memory
 * @heap: the heap
 * @type: the type that the object must have; 0 for any
 * @io: from where to where
 *
 * Context: process, may sleep.
 * Return: 0, -EFAULT, -EINTR, or as ph_content_check().
 */
int ph_content_read(struct ph_heap *heap, u32 type,
		    const struct privheap_io *io)
{
	struct ph_slab *slab = &ph_no_slab;
	u32 slot;
	int err;

	err = ph_handle_pin(heap, type, io->handle, &slab, &slot);
	if (err)
		return err;
	err = ph_content_check_range(slab, slot, io);
	if (!err)
		err = ph_content_to_user(slab, slot, io);
	ph_slab_unpin(slab);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_read);

/**
 * ph_content_write() - copy from kernel memory to an object
 * @heap: the heap
 * @io: to where, passed by ph_content_check(); its buffer is not looked at
 * @from: the bytes
 *
 * It cannot fail, so that a batch is written whole. Where another thread has
 * ended or shrunk the object since the check, it is as if that had come after
 * the write: what has no place any more is lost.
 *
 * Context: process, may sleep.
 */
void ph_content_write(struct ph_heap *heap, const struct privheap_io *io,
		      const void *from)
{
	struct ph_slab *slab = &ph_no_slab;
	u64 done = 0, bytes, part;
	void *at;
	u32 slot;

	if (ph_handle_pin(heap, 0, io->handle, &slab, &slot))
		return;
	bytes = ph_content_requested(slab, slot);
	bytes = bytes > io->offset ? min(bytes - io->offset, io->bytes) : 0;
	while (done < bytes) {
		part = bytes - done;
		at = ph_content_at(slab, slot, io->offset + done, &part);
		memcpy(at, from + done, part);
		done += part;
	}
	ph_slab_unpin(slab);
}
EXPORT_SYMBOL_IF_KUNIT(ph_content_write);
