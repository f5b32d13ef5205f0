// SPDX-License-Identifier: GPL-2.0
/* The inodes that stand for heaps; see host.h. */

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "host.h"

#define PH_HOST_MAGIC	0x70686561

static struct vfsmount *ph_host_mount;

static int ph_host_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, PH_HOST_MAGIC) ? 0 : -ENOMEM;
}

/*
 * Nobody but us can mount it. With the module as its owner our mount would keep
 * the module from ever being unloaded.
 */
static struct file_system_type ph_host_fs = {
	.name			= "privheap",
	.init_fs_context	= ph_host_init_fs_context,
	.kill_sb		= kill_anon_super,
};

/**
 * ph_host_init() - where the inodes are
 *
 * Context: process, may sleep.
 * Return: 0 or an error.
 */
int ph_host_init(void)
{
	ph_host_mount = kern_mount(&ph_host_fs);
	return PTR_ERR_OR_ZERO(ph_host_mount);
}

/**
 * ph_host_exit() - all of them are gone
 *
 * Context: process, may sleep.
 */
void ph_host_exit(void)
{
	kern_unmount(ph_host_mount);
}

/**
 * ph_host_new() - an inode for one heap
 *
 * It is charged to the active memory cgroup.
 *
 * Context: process, may sleep.
 * Return: an inode for iput(), freed after a grace period; or an ERR_PTR.
 */
struct inode *ph_host_new(void)
{
	return alloc_anon_inode(ph_host_mount->mnt_sb);
}
