// SPDX-License-Identifier: GPL-2.0
/* /dev/privheap, one heap per open file. */

#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "dev.h"
#include "ioctl.h"
#include "map.h"
#include "reclaim.h"
#include "stat.h"

static u64 ph_max_heap_bytes = PH_REGION_MAX_BYTES;

/**
 * ph_dev_set_max_heap() - the most that heaps opened from now on can hold
 * @bytes: new maximum
 *
 * Context: any.
 */
void ph_dev_set_max_heap(u64 bytes)
{
	WRITE_ONCE(ph_max_heap_bytes, min_t(u64, bytes, PH_REGION_MAX_BYTES));
}

/**
 * ph_dev_max_heap() - the most that a new heap can hold
 *
 * Context: any.
 * Return: bytes.
 */
u64 ph_dev_max_heap(void)
{
	return READ_ONCE(ph_max_heap_bytes);
}

static int ph_dev_open(struct inode *inode, struct file *file)
{
	struct ph_heap *heap = ph_heap_create(ph_dev_max_heap());

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	file->private_data = heap;
	ph_view_bind(&heap->region.view, file);
	ph_reclaim_kick(false);
	return nonseekable_open(inode, file);
}

static int ph_dev_release(struct inode *inode, struct file *file)
{
	ph_heap_destroy(file->private_data);
	return 0;
}

static long ph_dev_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	return ph_ioctl(file->private_data, cmd, (void __user *)arg);
}

static int ph_dev_mmap(struct file *file, struct vm_area_struct *vma)
{
	return ph_map(file->private_data, vma);
}

static void ph_dev_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ph_heap *heap = file->private_data;
	struct privheap_heap_stat stat;

	down_read(&heap->sem);
	ph_stat_heap(heap, &stat);
	up_read(&heap->sem);
	seq_printf(m, "privheap-heap:\t%u\n", stat.heap_id);
	seq_printf(m, "privheap-held:\t%llu kB\n", stat.held_bytes >> 10);
	seq_printf(m, "privheap-metadata:\t%llu kB\n",
		   stat.metadata_bytes >> 10);
	seq_printf(m, "privheap-peak:\t%llu kB\n", stat.peak_bytes >> 10);
	seq_printf(m, "privheap-reserve:\t%llu kB\n", stat.reserve_bytes >> 10);
	seq_printf(m, "privheap-types:\t%u\n", stat.types);
	seq_printf(m, "privheap-slabs:\t%llu\n", stat.slabs);
	seq_printf(m, "privheap-live-objects:\t%llu\n", stat.live_objects);
	seq_printf(m, "privheap-live-bytes:\t%llu\n", stat.live_bytes);
	seq_printf(m, "privheap-handed-objects:\t%llu\n",
		   stat.handed_objects);
	seq_printf(m, "privheap-handed-bytes:\t%llu\n", stat.handed_bytes);
}

static const struct file_operations ph_dev_fops = {
	.owner		= THIS_MODULE,
	.open		= ph_dev_open,
	.release	= ph_dev_release,
	.unlocked_ioctl	= ph_dev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= ph_dev_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.llseek		= noop_llseek,
	.show_fdinfo	= ph_dev_show_fdinfo,
};

static struct miscdevice ph_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "privheap",
	.fops	= &ph_dev_fops,
	.mode	= 0660,
};

/**
 * ph_dev_init() - let programs open heaps
 *
 * Context: process, may sleep.
 * Return: 0 or an error.
 */
int ph_dev_init(void)
{
	return misc_register(&ph_dev);
}

/**
 * ph_dev_exit() - let programs open no more heaps
 *
 * Context: process, may sleep.
 */
void ph_dev_exit(void)
{
	misc_deregister(&ph_dev);
}
