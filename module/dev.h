/* SPDX-License-Identifier: GPL-2.0 */
/* Dev: /dev/privheap, one heap per open file. */
#ifndef _PH_DEV_H
#define _PH_DEV_H

#include <linux/types.h>

int ph_dev_init(void);
void ph_dev_exit(void);
void ph_dev_set_max_heap(u64 bytes);
u64 ph_dev_max_heap(void);

#endif /* _PH_DEV_H */
