// SPDX-License-Identifier: GPL-2.0
/* Stacks of free slots, two for each CPU; see magazine.h. */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <kunit/visibility.h>

#include "count.h"
#include "magazine.h"

struct ph_magazine ph_no_magazine;
EXPORT_SYMBOL_IF_KUNIT(ph_no_magazine);

/* How often a drain comes back to a CPU that it met in the middle of a use. */
#define PH_DRAIN_TRIES	20

static size_t ph_magazine_bytes(u32 cap)
{
	struct ph_magazine *mag;

	return struct_size(mag, round, cap);
}

/**
 * ph_magazine_cap() - rounds of a magazine that takes @bytes of memory
 * @bytes: a power of two
 *
 * Context: any.
 */
u32 ph_magazine_cap(u32 bytes)
{
	return (bytes - sizeof(struct ph_magazine)) / sizeof(u64);
}
EXPORT_SYMBOL_IF_KUNIT(ph_magazine_cap);

/**
 * ph_magazine_create() - an empty magazine
 * @region: who pays
 * @cap: rounds that it holds
 * @gfp: as for kmalloc()
 *
 * Context: as @gfp says.
 * Return: a magazine, or NULL: its caller does without.
 */
struct ph_magazine *ph_magazine_create(struct ph_region *region, u32 cap,
				       gfp_t gfp)
{
	struct ph_magazine *mag;

	mag = ph_region_meta_alloc_gfp(region, ph_magazine_bytes(cap), gfp);
	if (IS_ERR(mag))
		return NULL;
	mag->cap = cap;
	return mag;
}
EXPORT_SYMBOL_IF_KUNIT(ph_magazine_create);

/**
 * ph_magazine_destroy() - free a magazine without its rounds
 * @region: who paid
 * @mag: the magazine, or ph_no_magazine, or NULL
 *
 * Context: any.
 */
void ph_magazine_destroy(struct ph_region *region, struct ph_magazine *mag)
{
	if (!mag || mag == &ph_no_magazine)
		return;
	ph_region_meta_forget(region, ph_magazine_bytes(mag->cap));
	/* Somebody may be counting its rounds. */
	kvfree_rcu(mag, rcu);
}
EXPORT_SYMBOL_IF_KUNIT(ph_magazine_destroy);

/**
 * ph_magazine_pop() - take rounds off a magazine
 * @mag: the magazine
 * @rounds: (out) array, the hottest first
 * @nr: most to take
 *
 * Context: whoever has the magazine to himself.
 * Return: how many were taken.
 */
u32 ph_magazine_pop(struct ph_magazine *mag, u64 *rounds, u32 nr)
{
	u64 *top = &mag->round[mag->nr];
	u32 i;

	nr = min(nr, mag->nr);
	for (i = 0; i < nr; i++)
		rounds[i] = *--top;
	/* ph_no_magazine is everybody's: not even the same is written there. */
	if (nr)
		mag->nr -= nr;
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(ph_magazine_pop);

/**
 * ph_magazine_push() - put rounds on a magazine
 * @mag: the magazine
 * @rounds: array; its end goes first, so that pop brings it back in order
 * @nr: most to put
 *
 * Context: whoever has the magazine to himself.
 * Return: how many were put.
 */
u32 ph_magazine_push(struct ph_magazine *mag, u64 *rounds, u32 nr)
{
	u64 *top = &mag->round[mag->nr];
	u32 put = min(nr, mag->cap - mag->nr);
	u64 *from = rounds + nr;
	u32 i;

	for (i = 0; i < put; i++)
		*top++ = *--from;
	if (put)
		mag->nr += put;
	return put;
}
EXPORT_SYMBOL_IF_KUNIT(ph_magazine_push);

DEFINE_PER_CPU(unsigned long, ph_cpu_place);
EXPORT_PER_CPU_SYMBOL_GPL(ph_cpu_place);

/**
 * ph_cpu_init_places() - let each CPU find its magazines
 *
 * Context: any; before there is a cache.
 */
void ph_cpu_init_places(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(ph_cpu_place, cpu) = cpu * sizeof(struct ph_cpu);
}

/**
 * ph_cpu_init() - no CPU has a magazine yet
 * @cpus: one for each possible CPU
 *
 * Context: any.
 */
void ph_cpu_init(struct ph_cpu *cpus)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		cpus[cpu].loaded = &ph_no_magazine;
		cpus[cpu].prev = &ph_no_magazine;
	}
}
EXPORT_SYMBOL_IF_KUNIT(ph_cpu_init);

/**
 * ph_cpu_pop() - take rounds from this CPU's magazines
 * @cpus: the cache's
 * @rounds: (out) array
 * @nr: most to take
 *
 * Context: any.
 * Return: how many were taken.
 */
u32 ph_cpu_pop(struct ph_cpu *cpus, u64 *rounds, u32 nr)
{
	struct ph_cpu *cpu;
	u32 got;

	if (unlikely(!ph_cpu_enter(cpus, &cpu)))
		return 0;
	got = ph_magazine_pop(cpu->loaded, rounds, nr);
	if (got < nr && cpu->prev->nr) {
		ph_cpu_swap(cpu);
		got += ph_magazine_pop(cpu->loaded, rounds + got, nr - got);
	}
	ph_count_add(&cpu->count.magazine_hits, got);
	ph_cpu_leave_uncounted(cpu);
	return got;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cpu_pop);

/**
 * ph_cpu_push() - put rounds on this CPU's magazines
 * @cpus: the cache's
 * @rounds: array, served from its end
 * @nr: most to put
 *
 * Context: any.
 * Return: how many were put; the others are still the first of @rounds.
 */
u32 ph_cpu_push(struct ph_cpu *cpus, u64 *rounds, u32 nr)
{
	struct ph_cpu *cpu;
	u32 put;

	if (unlikely(!ph_cpu_enter(cpus, &cpu)))
		return 0;
	put = ph_magazine_push(cpu->loaded, rounds, nr);
	if (put < nr && cpu->prev->nr < cpu->prev->cap) {
		ph_cpu_swap(cpu);
		put += ph_magazine_push(cpu->loaded, rounds, nr - put);
	}
	ph_cpu_leave_uncounted(cpu);
	return put;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cpu_push);

/**
 * ph_cpu_load() - load a magazine from the depot
 * @cpus: the cache's
 * @mag: becomes the loaded one; what was loaded becomes the previous one
 *
 * Context: any.
 * Return: the magazine that has no place any more; @mag itself when this CPU's
 * magazines were in use; or ph_no_magazine.
 */
struct ph_magazine *ph_cpu_load(struct ph_cpu *cpus,
				struct ph_magazine *mag)
{
	struct ph_cpu *cpu;
	struct ph_magazine *old;

	if (unlikely(!ph_cpu_enter(cpus, &cpu)))
		return mag;
	old = cpu->prev;
	cpu->prev = cpu->loaded;
	WRITE_ONCE(cpu->loaded, mag);
	ph_cpu_leave_uncounted(cpu);
	return old;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cpu_load);

struct ph_drain {
	struct ph_cpu *cpus;
	struct list_head *mags;
	bool missed;
};

static void ph_drain_one(struct ph_cpu *cpu, struct list_head *mags)
{
	if (cpu->loaded != &ph_no_magazine)
		list_add(&cpu->loaded->list, mags);
	if (cpu->prev != &ph_no_magazine)
		list_add(&cpu->prev->list, mags);
	WRITE_ONCE(cpu->loaded, &ph_no_magazine);
	cpu->prev = &ph_no_magazine;
}

/* Runs on the CPU whose magazines are wanted, interrupts off. */
static void ph_drain_this_cpu(void *data)
{
	struct ph_drain *drain = data;
	struct ph_cpu *cpu = ph_cpu_here(drain->cpus);

	drain->missed = READ_ONCE(cpu->seq) & 1;
	if (!drain->missed)
		ph_drain_one(cpu, drain->mags);
}

static bool ph_drain_cpu(struct ph_drain *drain, int nr, bool may_wait)
{
	struct ph_cpu *cpu = &drain->cpus[nr];
	int tries;

	if (ph_count_peek(cpu->loaded) == &ph_no_magazine &&
	    ph_count_peek(cpu->prev) == &ph_no_magazine)
		return true;
	for (tries = 0; tries < PH_DRAIN_TRIES; tries++) {
		/* A CPU that is offline uses nothing. */
		if (smp_call_function_single(nr, ph_drain_this_cpu, drain, 1)) {
			ph_drain_one(cpu, drain->mags);
			return true;
		}
		if (!drain->missed)
			return true;
		if (!may_wait)
			return false;
		usleep_range(20, 100);
	}
	return false;
}

/**
 * ph_cpu_drain() - take all magazines from all CPUs
 * @cpus: the cache's
 * @mags: the magazines are added here
 * @may_wait: whether it may sleep, and wait for CPU hotplug
 *
 * Context: process, interrupts on.
 * Return: whether no CPU was missed.
 */
bool ph_cpu_drain(struct ph_cpu *cpus, struct list_head *mags,
		  bool may_wait)
{
	struct ph_drain drain = { .cpus = cpus, .mags = mags };
	bool all = true;
	int cpu;

	if (may_wait)
		cpus_read_lock();
	else if (!cpus_read_trylock())
		return false;
	for_each_possible_cpu(cpu)
		all &= ph_drain_cpu(&drain, cpu, may_wait);
	cpus_read_unlock();
	return all;
}
EXPORT_SYMBOL_IF_KUNIT(ph_cpu_drain);

/**
 * ph_cpu_drain_offline() - take the magazines of CPUs that are offline
 * @cpus: the cache's
 * @mags: the magazines are added here
 *
 * Context: process, may sleep.
 */
void ph_cpu_drain_offline(struct ph_cpu *cpus, struct list_head *mags)
{
	int cpu;

	cpus_read_lock();
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			ph_drain_one(&cpus[cpu], mags);
	cpus_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(ph_cpu_drain_offline);
