// SPDX-License-Identifier: GPL-2.0
/* What the kernel log says of mistakes that other modules make; see report.h. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pid.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <kunit/visibility.h>

#include "check.h"
#include "door.h"
#include "report.h"

/* Rows of bytes that are shown, and those before the first wrong one. */
#define PH_ROW		16
#define PH_ROWS		5
#define PH_ROWS_BEFORE	2

static const char * const ph_mistakes[] = {
	[PH_DOUBLE_FREE]	= "an object was freed that is free already",
	[PH_FOREIGN_FREE]	= "an object of another cache was freed",
	[PH_INTERIOR_FREE]	= "an address was freed that no object begins at",
	[PH_WILD_FREE]		= "an address was freed that is of no cache",
	[PH_WRITE_BEHIND]	= "somebody wrote behind the end of an object",
	[PH_WRITE_BEFORE]	= "somebody wrote before the begin of an object",
	[PH_WRITE_FREED]	= "somebody wrote to an object after it was freed",
	[PH_WRITE_LINK]		= "somebody wrote to an object after it was freed",
	[PH_OBJECTS_LEFT]	= "it was to end, but has objects",
};

/* A storm of mistakes must not drown everything else. */
static DEFINE_RATELIMIT_STATE(ph_report_rate, 5 * HZ, 10);

/* Keeps the lines of a report together; nothing is taken inside. */
static DEFINE_SPINLOCK(ph_report_lock);

#if IS_ENABLED(CONFIG_KUNIT)
ph_report_fn ph_report_hook;
EXPORT_SYMBOL_IF_KUNIT(ph_report_hook);

static bool ph_report_is_taken(const struct ph_report *report)
{
	ph_report_fn hook = READ_ONCE(ph_report_hook);

	return hook && hook(report);
}
#else
static bool ph_report_is_taken(const struct ph_report *report)
{
	return false;
}
#endif

static void ph_report_stack(const struct ph_stack *stack)
{
	u32 i;

	for (i = 0; i < stack->nr; i++)
		pr_err("    %pS\n", (void *)stack->entry[i]);
}

static void ph_report_track(const char *event, const struct ph_track *track,
			    u64 now)
{
	u64 age = max(now, track->time) - track->time;
	u32 ns = do_div(age, NSEC_PER_SEC);
	struct ph_stack stack;

	pr_err("  %s %llu.%06u s ago by pid %d on CPU %u%s, from %pS:\n",
	       event, age, ns / 1000, track->pid, track->cpu,
	       track->in_irq ? " in an interrupt" : "",
	       (void *)track->caller);
	ph_stack_of(&stack, track);
	ph_report_stack(&stack);
}

/* An event in the life of an object, if the cache remembers it. */
static void ph_report_event(const struct ph_report *report,
			    const void *obj, int which, const char *event)
{
	struct privheap_cache *door = ph_door_of(report->slab->cache);
	const struct ph_track *place = ph_check_track(door, obj, which);
	enum ph_track_state state;
	struct ph_track track;
	struct ph_slab *now;

	if (!place)
		return;
	state = ph_track_get(place, &track);
	/* Memory of a free object may have gone; its mark goes before it does. */
	smp_rmb();
	if (!ph_slab_owns(obj, &now) || now != report->slab)
		return;
	switch (state) {
	case PH_TRACK_GOOD:
		ph_report_track(event, &track, report->now);
		break;
	case PH_TRACK_BAD:
		pr_err("  %s: that record was overwritten\n", event);
		break;
	case PH_TRACK_NONE:
		break;
	}
}

static void ph_report_history(const struct ph_report *report, const void *obj)
{
	ph_report_event(report, obj, PH_TRACK_ALLOC, "allocated");
	ph_report_event(report, obj, PH_TRACK_FREE, "last freed");
}

static void ph_report_now(const struct ph_report *report)
{
	struct ph_stack stack;

	pr_err("  found by pid %d on CPU %u%s, called from %pS:\n",
	       task_pid_nr(current), raw_smp_processor_id(),
	       in_task() ? "" : " in an interrupt", (void *)report->caller);
	ph_stack_here(&stack, report->caller);
	ph_report_stack(&stack);
}

/* Where in its slab the object lies, and how far into it the address is. */
static const void *ph_report_object(const struct ph_report *report)
{
	struct ph_slab *slab = report->slab;
	struct privheap_cache *owner = ph_door_of(slab->cache);
	u32 offset = report->addr - slab->addr, into;
	const void *obj = slab->addr + (size_t)report->slot * slab->stride;

	if (report->slot >= slab->nr) {
		pr_err("  address %p, at %u of a slab, behind its last object\n",
		       report->addr, offset);
		return NULL;
	}
	into = report->addr - obj;
	if (into)
		pr_err("  address %p, at %u of the slot of\n", report->addr,
		       into);
	pr_err("  object %p of %u bytes, number %u, at %u of a slab of %u of them, cache %s\n",
	       obj, privheap_cache_size(owner), report->slot, offset - into,
	       slab->nr, ph_door_name(owner));
	return obj;
}

/* What may be shown: the object, and the red zones next to it. */
static void ph_report_range(const struct ph_report *report, int *from, int *to)
{
	struct privheap_cache *door = report->door;
	struct ph_check_layout lay;

	ph_check_layout(&lay, door->flags, privheap_cache_size(door),
			max_t(u32, door->cache->type->align, sizeof(u64)));
	*from = report->mistake == PH_WRITE_BEFORE ?
		-(int)(lay.end - lay.before) : 0;
	*to = lay.guard_end;
}

static void ph_report_bytes(const struct ph_report *report)
{
	const u8 *obj = report->addr;
	int from, to, row;

	pr_err("  first wrong byte: at %d: 0x%02x instead of 0x%02x; %u wrong in all\n",
	       report->first, obj[report->first], report->want, report->wrong);
	ph_report_range(report, &from, &to);
	from = max(from, round_down(report->first, PH_ROW) -
			 PH_ROWS_BEFORE * PH_ROW);
	to = min(to, from + PH_ROWS * PH_ROW);
	for (row = from; row < to; row += PH_ROW)
		pr_err("  %+6d: %*ph\n", row, min(PH_ROW, to - row),
		       obj + row);
}

static bool ph_report_is_write(const struct ph_report *report)
{
	return report->mistake == PH_WRITE_BEHIND ||
	       report->mistake == PH_WRITE_BEFORE ||
	       report->mistake == PH_WRITE_FREED;
}

/* What was written over the link is all that there is to go by. */
static void ph_report_lost(const struct ph_report *report)
{
	if (report->slot < report->slab->nr)
		pr_err("  it begins with %*ph\n", (int)sizeof(u64),
		       report->addr);
	pr_err("  slots that were free, and are lost until the cache ends: %u\n",
	       report->nr_lost);
}

static const char *ph_report_end(const struct ph_report *report)
{
	if (report->mistake == PH_WRITE_LINK)
		return "the call goes on";
	return ph_report_is_write(report) ? "mended; the call goes on" :
					    "refused";
}

/* They are in use, and so they stay. */
static void ph_report_lefts(const struct ph_report *report)
{
	const struct ph_left *left = report->left;
	struct ph_report one = *report;
	u32 i;

	pr_err("  objects left: %llu, the first of them:\n", report->nr_left);
	for (i = 0; i < left->nr; i++) {
		one.slab = left->slab[i];
		pr_err("  object %p\n", left->obj[i]);
		ph_report_event(&one, left->obj[i], PH_TRACK_ALLOC,
				"allocated");
	}
}

static void ph_report_print(const struct ph_report *report)
{
	const void *obj;

	pr_err("cache %s: %s\n", ph_door_name(report->door),
	       ph_mistakes[report->mistake]);
	if (report->mistake == PH_OBJECTS_LEFT) {
		ph_report_lefts(report);
	} else if (!report->slab) {
		pr_err("  address %p\n", report->addr);
	} else {
		obj = ph_report_object(report);
		if (ph_report_is_write(report))
			ph_report_bytes(report);
		else if (report->mistake == PH_WRITE_LINK)
			ph_report_lost(report);
		if (obj)
			ph_report_history(report, obj);
	}
	ph_report_now(report);
	if (report->mistake != PH_OBJECTS_LEFT)
		pr_err("  %s\n", ph_report_end(report));
}

/**
 * ph_report() - count a mistake and tell of it
 * @report: what there is to say; but for the time
 *
 * Context: any; its slab, if it has one, stays.
 */
void ph_report(struct ph_report *report)
{
	unsigned long flags;

	/* One for all ages in it: printing takes its time. */
	report->now = ktime_get_mono_fast_ns();
	atomic64_inc(&report->door->errors);
	if (ph_report_is_taken(report) || !__ratelimit(&ph_report_rate))
		return;
	spin_lock_irqsave(&ph_report_lock, flags);
	ph_report_print(report);
	spin_unlock_irqrestore(&ph_report_lock, flags);
}

/* Which mistake it was to free an address that was not an object in use. */
static enum ph_mistake ph_report_analyse(struct ph_report *report)
{
	const void *addr = report->addr;
	struct ph_slab *slab;
	bool begins;

	if (!ph_slab_owns(addr, &slab))
		return PH_WILD_FREE;
	report->slab = slab;
	begins = ph_slab_slot(slab, addr - slab->addr, &report->slot);
	if (ph_door_of(slab->cache) != report->door)
		return PH_FOREIGN_FREE;
	return begins && report->slot < slab->nr ? PH_DOUBLE_FREE :
						   PH_INTERIOR_FREE;
}

/**
 * ph_report_free() - tell of a free that cannot be
 * @door: the cache that was named
 * @addr: what was to be freed
 * @caller: return address into the module that called
 *
 * Context: any.
 */
void ph_report_free(struct privheap_cache *door, const void *addr,
		    unsigned long caller)
{
	struct ph_report report = {
		.door = door, .caller = caller, .addr = addr,
	};

	rcu_read_lock();
	report.mistake = ph_report_analyse(&report);
	ph_report(&report);
	rcu_read_unlock();
}

/**
 * ph_report_link() - tell of a link between free objects that is bad
 * @door: the cache
 * @slab: where it lies
 * @slot: the object
 * @lost: slots that are lost with it
 * @caller: return address into the module that called
 *
 * Context: any; the cache's lock held.
 */
void ph_report_link(struct privheap_cache *door, struct ph_slab *slab,
		    u32 slot, u32 lost, unsigned long caller)
{
	struct ph_report report = {
		.mistake = PH_WRITE_LINK, .door = door, .caller = caller,
		.addr = slab->addr + (size_t)slot * slab->stride,
		.slab = slab, .slot = slot, .nr_lost = lost,
	};

	ph_report(&report);
}

static void ph_left_add(struct ph_left *left, struct list_head *list)
{
	struct ph_slab *slab;
	u32 slot;

	list_for_each_entry(slab, list, list)
		for (slot = 0; slot < slab->nr; slot++) {
			if (ph_slab_is_free(slab, slot))
				continue;
			if (left->nr == PH_LEFT_MAX)
				return;
			left->obj[left->nr] = slab->addr +
					      (size_t)slot * slab->stride;
			left->slab[left->nr++] = slab;
		}
}

/**
 * ph_report_left() - tell of a cache that was to end, but has objects
 * @door: the cache; idle, its magazines drained
 * @nr: how many
 * @caller: return address into the module that called
 *
 * Context: process.
 */
void ph_report_left(struct privheap_cache *door, u64 nr,
		    unsigned long caller)
{
	struct ph_cache *cache = door->cache;
	struct ph_left left = {};
	struct ph_report report = {
		.mistake = PH_OBJECTS_LEFT, .door = door, .caller = caller,
		.nr_left = nr, .left = &left,
	};
	unsigned long flags;
	int i;

	/* Not inside ph_report(), which is called with such a lock held, too. */
	spin_lock_irqsave(&cache->lock, flags);
	for (i = 0; i < PH_FULLNESS; i++)
		ph_left_add(&left, &cache->partial[i]);
	ph_left_add(&left, &cache->full);
	spin_unlock_irqrestore(&cache->lock, flags);
	ph_report(&report);
}
