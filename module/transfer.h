/* SPDX-License-Identifier: GPL-2.0 */
/* Transfer: READ and WRITE. */
#ifndef _PH_TRANSFER_H
#define _PH_TRANSFER_H

#include "heap.h"

int ph_transfer_out(struct ph_heap *heap, void __user *arg);
int ph_transfer_in(struct ph_heap *heap, void __user *arg);

#endif /* _PH_TRANSFER_H */
