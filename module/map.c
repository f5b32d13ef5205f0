// SPDX-License-Identifier: GPL-2.0
/*
 * What mmap() of a heap gives: the region, the slab map, the statistics page.
 *
 * The fault handler is the only place that puts pages of the region in place.
 * It does so for a slab that is in use, as a whole, and holds the view's
 * semaphore meanwhile; whoever takes a slab away makes it unfit for that first,
 * then waits for the semaphore, then takes the pages out of all mappings. They
 * are ordinary pages with a reference of each mapping: I/O that goes on in one
 * keeps it until it is through.
 *
 * A unit of a large object, see unit.h, is mapped as a whole where that can be, by
 * an entry that holds no reference. Where that cannot be, its pages are mapped one
 * by one like others. In a mapping where it can be, no page table is ever put
 * where such an entry is, and the other way round: the entry is put where nothing
 * is, and tables stay. An entry without a reference must not be copied by a fork,
 * and nothing is: see ph_map_open().
 */

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "board.h"
#include "compat.h"
#include "content.h"
#include "map.h"
#include "reclaim.h"
#include "unit.h"

/* Pages of a span that a fault puts in place at once. */
#define PH_AROUND	64UL

/* All types; only where objects are, then. */
#define PH_MAP_ANY	U32_MAX

static u64 ph_map_offset(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
}

/* Whether a slab has the pages that it was made with, and keeps them for now. */
static bool ph_map_has_pages(const struct ph_slab *slab)
{
	return !ph_slab_is_span(slab) || !test_bit(PH_SPAN_GOES, slab->live);
}

/*
 * Whether objects of the program's may be in a slab. One that is claimed may yet
 * turn out to stay, and another thread be at it meanwhile.
 */
static bool ph_map_in_use(const struct ph_slab *slab)
{
	return READ_ONCE(slab->taken) && ph_map_has_pages(slab);
}

static struct page *ph_map_page(const struct ph_slab *slab, u64 offset)
{
	unsigned long nr = (offset - slab->start) >> PAGE_SHIFT;

	return ph_slab_is_span(slab) ? slab->pages[nr] :
				       virt_to_page(slab->addr) + nr;
}

/* The part of a slab around an offset that goes in place with it. */
static void ph_map_window(const struct vm_area_struct *vma,
			  const struct ph_slab *slab, u64 offset, u64 *from,
			  u64 *to)
{
	u64 first = ph_map_offset(vma, vma->vm_start);

	*from = slab->start;
	*to = slab->start + ph_slab_bytes(slab);
	if (ph_slab_is_span(slab)) {
		offset = round_down(offset - slab->start,
				    PH_AROUND << PAGE_SHIFT) + slab->start;
		*from = max(*from, offset);
		*to = min_t(u64, *to, offset + (PH_AROUND << PAGE_SHIFT));
	}
	*from = max(*from, first);
	*to = min_t(u64, *to, first + (vma->vm_end - vma->vm_start));
}

/*
 * The pages of a unit may be mapped one by one while its lock is held. Returns what
 * vm_insert_page() does.
 */
static int ph_map_insert_page(struct ph_view *view, struct vm_area_struct *vma,
			      unsigned long addr, struct page *page, u64 offset)
{
	struct page *head = compound_head(page);
	int err;

	ph_view_adopt(view, head, offset - ((u64)(page - head) << PAGE_SHIFT));
	if (!PageCompound(page))
		return vm_insert_page(vma, addr, page);
	lock_page(head);
	err = vm_insert_page(vma, addr, page);
	unlock_page(head);
	return err;
}

/* Returns 0, or why the page at @offset itself could not be put in place. */
static int ph_map_insert(struct ph_view *view, struct vm_area_struct *vma,
			 const struct ph_slab *slab, u64 offset)
{
	u64 first = ph_map_offset(vma, vma->vm_start), from, to, pages = 0;
	int err = 0;

	ph_map_window(vma, slab, offset, &from, &to);
	for (; from < to; from += PAGE_SIZE) {
		err = ph_map_insert_page(view, vma,
					 vma->vm_start + (from - first),
					 ph_map_page(slab, from), from);
		pages += !err;
		/* Where it is busy, another thread was first. */
		if (err && err != -EBUSY)
			break;
	}
	atomic64_add(pages, &view->pages);
	return from > offset ? 0 : err;
}

/*
 * The unit that lies around an offset in such a way that one entry of this
 * mapping's page tables can map it; or NULL.
 */
static struct page *ph_map_unit(const struct vm_area_struct *vma,
				const struct ph_slab *slab, u64 offset)
{
	u64 start = round_down(offset, PH_UNIT_BYTES);
	u64 first = ph_map_offset(vma, vma->vm_start);
	struct page *page;

	if (!ph_slab_is_span(slab) || start < slab->start || start < first ||
	    start + PH_UNIT_BYTES > first + (vma->vm_end - vma->vm_start) ||
	    !IS_ALIGNED(vma->vm_start + (start - first), PH_UNIT_BYTES))
		return NULL;
	page = ph_map_page(slab, start);
	return PageHead(page) ? page : NULL;
}

/*
 * The unit is locked: nobody else puts it in place here. Returns VM_FAULT_FALLBACK
 * where its pages have to be mapped one by one: there is a page table already, or
 * the program does not want it otherwise.
 */
static vm_fault_t ph_map_insert_unit(struct ph_view *view,
				     struct vm_fault *vmf, struct page *unit)
{
	pmd_t now = READ_ONCE(*vmf->pmd);
	vm_fault_t ret;

	/* Another thread was first. */
	if (pmd_trans_huge(now))
		return VM_FAULT_NOPAGE;
	if (!pmd_none(now) || (vmf->vma->vm_flags & VM_NOHUGEPAGE))
		return VM_FAULT_FALLBACK;
	ret = vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(page_to_pfn(unit)),
				 vmf->flags & FAULT_FLAG_WRITE);
	if (ret == VM_FAULT_NOPAGE) {
		atomic64_inc(&view->units);
		atomic64_add(PH_UNIT_PAGES, &view->pages);
	}
	return ret;
}

static vm_fault_t ph_map_fault_unit(struct ph_view *view, struct vm_fault *vmf,
				    const struct ph_slab *slab, u64 offset)
{
	struct page *unit;
	vm_fault_t ret;

	if (!ph_unit_any())
		return VM_FAULT_FALLBACK;
	unit = ph_map_unit(vmf->vma, slab, offset);
	if (!unit)
		return VM_FAULT_FALLBACK;
	ph_view_adopt(view, unit, round_down(offset, PH_UNIT_BYTES));
	lock_page(unit);
	ret = ph_map_insert_unit(view, vmf, unit);
	unlock_page(unit);
	return ret;
}

/* Under the view's semaphore: a slab that the region knows stays. */
static vm_fault_t ph_map_fault_locked(struct ph_heap *heap,
				      struct vm_fault *vmf)
{
	u64 offset = ph_map_offset(vmf->vma, vmf->address);
	struct ph_view *view = &heap->region.view;
	struct ph_slab *slab;
	vm_fault_t ret;
	int err;

	lockdep_assert_held(&view->sem);
	rcu_read_lock();
	slab = ph_region_slab(&heap->region, offset);
	rcu_read_unlock();
	if (!slab || !ph_map_in_use(slab)) {
		atomic64_inc(&view->refused);
		return VM_FAULT_SIGBUS;
	}
	ret = ph_map_fault_unit(view, vmf, slab, offset);
	if (ret == VM_FAULT_FALLBACK) {
		err = ph_map_insert(view, vmf->vma, slab, offset);
		if (err)
			return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
		ret = VM_FAULT_NOPAGE;
	}
	if (ret == VM_FAULT_NOPAGE)
		atomic64_inc(&view->faults);
	return ret;
}

/*
 * Puts the part of a slab that begins at an offset in place if it is to be there.
 * Returns where the next part may begin, U64_MAX if there is no memory for the page
 * tables; *@unit says that there was a unit, which only a fault can put in place.
 */
static u64 ph_map_populate_at(struct ph_heap *heap, struct vm_area_struct *vma,
			      u32 type, u64 offset, bool *unit)
{
	struct ph_view *view = &heap->region.view;
	struct ph_slab *slab;
	u64 end;

	rcu_read_lock();
	slab = ph_region_slab(&heap->region, offset);
	rcu_read_unlock();
	if (!slab)
		return offset + PAGE_SIZE;
	end = slab->start + ph_slab_bytes(slab);
	if (type == PH_MAP_ANY ? !ph_map_in_use(slab) :
	    slab->cache->type->id != type || !ph_map_has_pages(slab))
		return end;
	if (ph_map_unit(vma, slab, offset))
		*unit = ph_map_in_use(slab);
	else if (ph_map_insert(view, vma, slab, offset))
		return U64_MAX;
	/* Of a unit, too: where it cannot be mapped as one, a fault does no more. */
	ph_map_window(vma, slab, offset, &offset, &end);
	return end;
}

/*
 * From an offset on. The address space's lock is held for reading. Its own faults
 * are of the kind that ph_map_is_request() says no to: where the unit has gone they
 * do not start all over again.
 */
static void ph_map_populate_vma(struct ph_heap *heap,
				struct vm_area_struct *vma, u32 type, u64 offset)
{
	u64 first = ph_map_offset(vma, vma->vm_start), at;
	u64 end = ph_map_offset(vma, vma->vm_end);
	unsigned int nofs = memalloc_nofs_save();
	bool unit;

	rcu_read_lock();
	end = min(end, ph_region_end(&heap->region));
	rcu_read_unlock();
	while (offset < end && !fatal_signal_pending(current)) {
		at = offset;
		unit = false;
		down_read(&heap->region.view.sem);
		offset = ph_map_populate_at(heap, vma, type, at, &unit);
		up_read(&heap->region.view.sem);
		if (unit)
			fixup_user_fault(vma->vm_mm, vma->vm_start + (at - first),
					 FAULT_FLAG_INTERRUPTIBLE, NULL);
		cond_resched();
	}
	memalloc_nofs_restore(nofs);
}

/*
 * Neither the program nor a copy of the kernel's to or from it: somebody asks for
 * pages, MAP_POPULATE for instance.
 */
static bool ph_map_is_request(const struct vm_fault *vmf)
{
	return !(vmf->flags & (FAULT_FLAG_USER | FAULT_FLAG_REMOTE |
			       FAULT_FLAG_INTERRUPTIBLE |
			       FAULT_FLAG_RETRY_NOWAIT));
}

/*
 * Whether that is the first time in a mapping: MAP_POPULATE comes before all others,
 * for whom, a futex or a core dump for instance, all of it would be too much.
 */
static bool ph_map_is_first(struct vm_area_struct *vma)
{
	return !xchg(&vma->vm_private_data, vma);
}

static vm_fault_t ph_map_region_fault(struct vm_fault *vmf)
{
	struct ph_heap *heap = vmf->vma->vm_file->private_data;
	unsigned int nofs;
	vm_fault_t ret;

	/* For page tables nobody reclaims slabs, which waits for us. */
	nofs = memalloc_nofs_save();
	down_read(&heap->region.view.sem);
	ret = ph_map_fault_locked(heap, vmf);
	up_read(&heap->region.view.sem);
	memalloc_nofs_restore(nofs);
	/* Whoever wanted all the mapping has gives up here, and is not to want. */
	if (ret == VM_FAULT_SIGBUS && ph_map_is_request(vmf) &&
	    ph_map_is_first(vmf->vma))
		ph_map_populate_vma(heap, vmf->vma, PH_MAP_ANY,
				    ph_map_offset(vmf->vma, vmf->address));
	return ret;
}

static void ph_map_fill(struct ph_region *region, u64 page,
			struct privheap_map_entry *entry)
{
	struct ph_slab *slab;

	rcu_read_lock();
	slab = ph_region_slab(region, page << PAGE_SHIFT);
	if (slab)
		ph_cache_map_entry(slab, entry);
	else
		memset(entry, 0, sizeof(*entry));
	rcu_read_unlock();
}

static vm_fault_t ph_map_slabs_fault(struct vm_fault *vmf)
{
	struct ph_heap *heap = vmf->vma->vm_file->private_data;
	unsigned long index = vmf->pgoff - (PRIVHEAP_MAP_SLABS >> PAGE_SHIFT);
	struct page *page;
	int err;

	page = ph_view_slab_map_page(&heap->region, index, ph_map_fill);
	/* Nobody was killed for want of memory: to try again is no use. */
	if (IS_ERR(page))
		return VM_FAULT_SIGBUS;
	err = vm_insert_page(vmf->vma, vmf->address, page);
	if (err && err != -EBUSY)
		return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	return VM_FAULT_NOPAGE;
}

/* Who unmaps a part, or changes what may be done with it, would split it. */
static int ph_map_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int ph_map_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static vm_fault_t ph_map_gone_fault(struct vm_fault *vmf)
{
	struct ph_heap *heap = vmf->vma->vm_file->private_data;

	atomic64_inc(&heap->region.view.refused);
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct ph_map_gone_ops = {
	.fault		= ph_map_gone_fault,
	.may_split	= ph_map_may_split,
	.mremap		= ph_map_mremap,
};

/*
 * A fork is about to copy a mapping, as madvise() can allow it to. The child gets
 * its addresses and nothing else: none of the entries, and no fault is served.
 */
static void ph_map_open(struct vm_area_struct *vma)
{
	struct ph_heap *heap = vma->vm_file->private_data;

	ph_compat_vm_flags(vma, VM_WIPEONFORK, 0);
	vma->vm_ops = &ph_map_gone_ops;
	/* But for the statistics page, which comes by no fault. */
	if (ph_compat_fork_copies_first())
		unmap_mapping_range(&heap->region.view.mapping, 0,
				    PRIVHEAP_MAP_STAT, 1);
}

static const struct vm_operations_struct ph_map_region_ops = {
	.open		= ph_map_open,
	.fault		= ph_map_region_fault,
	.may_split	= ph_map_may_split,
	.mremap		= ph_map_mremap,
};

static const struct vm_operations_struct ph_map_slabs_ops = {
	.open		= ph_map_open,
	.fault		= ph_map_slabs_fault,
	.may_split	= ph_map_may_split,
	.mremap		= ph_map_mremap,
};

static const struct vm_operations_struct ph_map_stat_ops = {
	.open		= ph_map_open,
	.may_split	= ph_map_may_split,
	.mremap		= ph_map_mremap,
};

/**
 * ph_map_populate() - put the pages of a type in place in the caller's mappings
 * @heap: the heap
 * @type: which type
 *
 * As far as that can be done; what is missing comes by page faults.
 *
 * Context: process, may sleep; no lock held.
 */
void ph_map_populate(struct ph_heap *heap, u32 type)
{
	VMA_ITERATOR(vmi, current->mm, 0);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (!mm || !READ_ONCE(heap->region.view.active) ||
	    mmap_read_lock_killable(mm))
		return;
	for_each_vma(vmi, vma)
		if (vma->vm_ops == &ph_map_region_ops &&
		    vma->vm_file->private_data == heap)
			ph_map_populate_vma(heap, vma, type,
					    ph_map_offset(vma, vma->vm_start));
	mmap_read_unlock(mm);
}

static int ph_map_region(struct ph_heap *heap, struct vm_area_struct *vma,
			 u64 end)
{
	bool dump = READ_ONCE(heap->dump);
	int err;

	/* Not what the heap may hold: offsets have gaps. */
	if (end > PRIVHEAP_REGION_BYTES)
		return -EINVAL;
	err = ph_view_activate(&heap->region);
	if (err)
		return err == -EDQUOT ? -ENOMEM : err;
	ph_compat_vm_flags(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTCOPY |
			   (dump ? 0 : VM_DONTDUMP), VM_MAYEXEC);
	vma->vm_ops = &ph_map_region_ops;
	return 0;
}

/* What the program may only read. */
static int ph_map_read_only(struct vm_area_struct *vma,
			    const struct vm_operations_struct *ops,
			    vm_flags_t flags)
{
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	ph_compat_vm_flags(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTCOPY |
			   VM_DONTDUMP | flags, VM_MAYEXEC | VM_MAYWRITE);
	vma->vm_ops = ops;
	return 0;
}

static int ph_map_slabs(struct vm_area_struct *vma, u64 end)
{
	u64 pages = PRIVHEAP_REGION_BYTES >> PAGE_SHIFT;
	u64 bytes = pages * sizeof(struct privheap_map_entry);

	if (end - PRIVHEAP_MAP_SLABS > round_up(bytes, PAGE_SIZE))
		return -EINVAL;
	/* Whoever wants all that there is, mlockall() for one, does not want this. */
	return ph_map_read_only(vma, &ph_map_slabs_ops, VM_IO);
}

static int ph_map_stat(struct ph_heap *heap, struct vm_area_struct *vma,
		       u64 start, u64 end)
{
	void *from;
	unsigned long addr;
	int err;

	if (start != PRIVHEAP_MAP_STAT ||
	    end - start > PAGE_ALIGN(sizeof(struct privheap_stat_page)))
		return -EINVAL;
	err = ph_map_read_only(vma, &ph_map_stat_ops, 0);
	if (!err)
		err = ph_board_make(heap);
	if (err)
		return err == -EDQUOT ? -ENOMEM : err;
	from = ph_view_stat(&heap->region.view);
	for (addr = vma->vm_start; addr < vma->vm_end && !err;
	     addr += PAGE_SIZE, from += PAGE_SIZE)
		err = vm_insert_page(vma, addr, vmalloc_to_page(from));
	if (!err)
		ph_reclaim_kick(true);
	return err;
}

/**
 * ph_map() - map a heap
 * @heap: the heap of the file
 * @vma: where to, and what
 *
 * Context: process, may sleep; the address space's lock held for writing.
 * Return: 0; or -EINVAL, -EACCES, -ENOMEM.
 */
int ph_map(struct ph_heap *heap, struct vm_area_struct *vma)
{
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 end = start + (vma->vm_end - vma->vm_start);

	/* VM_SHARED says that it can be written, too. */
	if (!(vma->vm_flags & VM_MAYSHARE) || end < start)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	if (start >= PRIVHEAP_MAP_STAT)
		return ph_map_stat(heap, vma, start, end);
	if (start >= PRIVHEAP_MAP_SLABS)
		return ph_map_slabs(vma, end);
	return ph_map_region(heap, vma, end);
}
