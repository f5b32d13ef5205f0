/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host: the inode that stands for a heap's memory.
 *
 * What the kernel wants to tell apart by file it tells apart by inode, such as
 * futexes between processes; and all heaps are open files of one device.
 */
#ifndef _PH_HOST_H
#define _PH_HOST_H

struct inode;

int ph_host_init(void);
void ph_host_exit(void);
struct inode *ph_host_new(void);

#endif /* _PH_HOST_H */
