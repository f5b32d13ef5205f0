/* SPDX-License-Identifier: GPL-2.0 */
/* Mapped: the commands of the mapped door. */
#ifndef _PH_MAPPED_H
#define _PH_MAPPED_H

#include "heap.h"

int ph_mapped_take(struct ph_heap *heap, void __user *arg);
int ph_mapped_give(struct ph_heap *heap, void __user *arg);
int ph_mapped_to_handles(struct ph_heap *heap, void __user *arg);
int ph_mapped_to_offsets(struct ph_heap *heap, void __user *arg);

#endif /* _PH_MAPPED_H */
