/* SPDX-License-Identifier: GPL-2.0 */
/* Resize: changing the size of an object. */
#ifndef _PH_RESIZE_H
#define _PH_RESIZE_H

#include "heap.h"

/**
 * typedef ph_tell_fn - tell who asked what the object's handle will be
 * @data: his
 * @handle: the object's from now on
 * @usable: the size up to which it can grow without moving
 *
 * Called before the object changes, because afterwards it is too late to fail;
 * may be called again, with something else, when somebody else was faster. No
 * lock is held.
 *
 * Return: 0, or an error for which the object stays as it is.
 */
typedef int (*ph_tell_fn)(void *data, u64 handle, u64 usable);

int ph_object_resize(struct ph_heap *heap, u32 id, u64 handle, u64 bytes,
		     ph_tell_fn tell, void *data);

#endif /* _PH_RESIZE_H */
