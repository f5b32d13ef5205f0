/* SPDX-License-Identifier: GPL-2.0 */
/* Debugfs: what heaps hold, read from outside, by root. */
#ifndef _PH_DEBUGFS_H
#define _PH_DEBUGFS_H

void ph_debugfs_init(void);
void ph_debugfs_exit(void);

#endif /* _PH_DEBUGFS_H */
