// SPDX-License-Identifier: GPL-2.0
/* The memory of one heap: how much of it there is; see region.h. */

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "count.h"
#include "region.h"
#include "reserve.h"

/**
 * ph_region_init() - an empty region
 * @region: to initialise
 * @memcg: memory cgroup to charge, or NULL; the caller's reference passes over
 * @hard_max: the most bytes that it may ever hold
 *
 * Context: any.
 */
void ph_region_init(struct ph_region *region, struct mem_cgroup *memcg,
		    u64 hard_max)
{
	int i;

	memset(region, 0, sizeof(*region));
	region->memcg = memcg;
	region->gfp = PH_GFP;
	region->gen_first = 1;
	region->soft_max = hard_max;
	region->hard_max = hard_max;
	mutex_init(&region->grow);
	spin_lock_init(&region->lock);
	spin_lock_init(&region->stock_lock);
	for (i = 0; i < PH_STOCK_CLASSES; i++)
		INIT_LIST_HEAD(&region->stock[i]);
	ph_offsets_init(region);
	ph_view_init(&region->view);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_init);

/**
 * ph_region_exit() - give back all that is left; all slabs must be gone
 * @region: the region; nobody else may use it any more
 *
 * Context: process, may sleep.
 */
void ph_region_exit(struct ph_region *region)
{
	region->stock_target = 0;
	ph_region_trim(region);
	ph_offsets_exit(region);
	ph_view_exit(region);
	WARN_ON_ONCE(atomic64_read(&region->held));
	mem_cgroup_put(region->memcg);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_exit);

/**
 * ph_region_charge() - count bytes against the heap's and the module's maximum
 * @region: the region
 * @bytes: how many
 *
 * Context: any.
 * Return: 0 or -EDQUOT.
 */
int ph_region_charge(struct ph_region *region, u64 bytes)
{
	u64 held;
	int err = ph_count_charge(&region->held, bytes,
				  READ_ONCE(region->hard_max), &held);

	if (err)
		return err;
	err = ph_reserve_charge(bytes);
	if (err) {
		atomic64_sub(bytes, &region->held);
		return err;
	}
	if (held > READ_ONCE(region->peak))
		WRITE_ONCE(region->peak, held);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_charge);

/**
 * ph_region_uncharge() - undo ph_region_charge()
 * @region: the region
 * @bytes: how many
 *
 * Context: any.
 */
void ph_region_uncharge(struct ph_region *region, u64 bytes)
{
	atomic64_sub(bytes, &region->held);
	ph_reserve_uncharge(bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_uncharge);

/**
 * ph_region_above_soft() - whether nothing idle should be kept
 * @region: the region
 *
 * Context: any.
 */
bool ph_region_above_soft(struct ph_region *region)
{
	return atomic64_read(&region->held) > READ_ONCE(region->soft_max);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_above_soft);

/**
 * ph_region_meta_cost() - what a metadata allocation really takes
 * @bytes: its size
 *
 * Context: any.
 * Return: bytes.
 */
size_t ph_region_meta_cost(size_t bytes)
{
	if (bytes > KMALLOC_MAX_CACHE_SIZE)
		return PAGE_ALIGN(bytes);
	return kmalloc_size_roundup(bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_meta_cost);

/**
 * ph_region_charge_meta() - count metadata that is allocated by other means
 * @region: who pays
 * @bytes: its size
 *
 * Context: any.
 * Return: 0 or -EDQUOT.
 */
int ph_region_charge_meta(struct ph_region *region, size_t bytes)
{
	size_t cost = ph_region_meta_cost(bytes);
	int err = ph_region_charge(region, cost);

	if (err)
		return err;
	atomic64_add(cost, &region->metadata);
	ph_reserve_add_metadata(cost);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_charge_meta);

/**
 * ph_region_meta_alloc_gfp() - zeroed memory for the manager's own books
 * @region: who pays
 * @bytes: size
 * @gfp: as for kmalloc()
 *
 * Context: as @gfp says.
 * Return: memory for ph_region_meta_free(), or an ERR_PTR: -ENOMEM, -EDQUOT.
 */
void *ph_region_meta_alloc_gfp(struct ph_region *region, size_t bytes,
			       gfp_t gfp)
{
	struct mem_cgroup *old;
	void *p;
	int err = ph_region_charge_meta(region, bytes);

	if (err)
		return ERR_PTR(err);
	old = set_active_memcg(region->memcg);
	p = kvzalloc(bytes, gfp);
	set_active_memcg(old);
	if (p)
		return p;
	ph_region_meta_forget(region, bytes);
	return ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_meta_alloc_gfp);

/**
 * ph_region_meta_forget() - uncharge metadata that is freed by other means
 * @region: who paid
 * @bytes: size as it was allocated
 *
 * Context: any.
 */
void ph_region_meta_forget(struct ph_region *region, size_t bytes)
{
	size_t cost = ph_region_meta_cost(bytes);

	atomic64_sub(cost, &region->metadata);
	ph_reserve_add_metadata(-(s64)cost);
	ph_region_uncharge(region, cost);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_meta_forget);

/**
 * ph_region_meta_free() - free what ph_region_meta_alloc() returned
 * @region: who paid
 * @p: the memory
 * @bytes: size as it was allocated
 *
 * Context: process.
 */
void ph_region_meta_free(struct ph_region *region, void *p, size_t bytes)
{
	kvfree(p);
	ph_region_meta_forget(region, bytes);
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_meta_free);

/**
 * ph_region_validate() - whether the region's books balance
 * @region: the region, at rest
 *
 * Context: any.
 * Return: 0 or -EUCLEAN.
 */
int ph_region_validate(struct ph_region *region)
{
	u64 pages = atomic64_read(&region->pages_from_reserve) +
		    atomic64_read(&region->pages_from_system) -
		    atomic64_read(&region->pages_returned);
	u64 bytes = (pages << PAGE_SHIFT) + atomic64_read(&region->metadata);

	if (bytes != atomic64_read(&region->held))
		return -EUCLEAN;
	return ph_stock_is_sound(region) ? 0 : -EUCLEAN;
}
EXPORT_SYMBOL_IF_KUNIT(ph_region_validate);
