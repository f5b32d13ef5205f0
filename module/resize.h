/* SPDX-License-Identifier: GPL-2.0 */
/* Resize: changing the size of an object. */
#ifndef _PH_RESIZE_H
#define _PH_RESIZE_H

#include "heap.h"

int ph_object_resize(struct ph_heap *heap, u32 id, u64 *handle, u64 bytes,
		     u64 *usable);

#endif /* _PH_RESIZE_H */
