/* SPDX-License-Identifier: GPL-2.0 */
/* Ioctl: the user door. */
#ifndef _PH_IOCTL_H
#define _PH_IOCTL_H

#include "heap.h"

long ph_ioctl(struct ph_heap *heap, unsigned int cmd, void __user *arg);

#endif /* _PH_IOCTL_H */
