/* SPDX-License-Identifier: GPL-2.0 */
/* Convert: objects with handles become handed out, and the other way round. */
#ifndef _PH_CONVERT_H
#define _PH_CONVERT_H

#include "hand.h"
#include "resize.h"

/*
 * Tells the user what the words are going to be, less what @mask takes off,
 * before it is so. Returns 0, or an error for which nothing happens.
 */
typedef int (*ph_convert_tell_fn)(void *data, const u64 *words, u32 nr,
				  u64 mask);

int ph_convert_to_handles(struct ph_heap *heap, u32 type, u64 *words, u32 nr,
			  ph_convert_tell_fn tell, void *data);
int ph_convert_to_offsets(struct ph_heap *heap, u32 type, u64 *words, u32 nr,
			  ph_convert_tell_fn tell, void *data);
int ph_convert_resize(struct ph_heap *heap, u32 type, u64 offset, u64 bytes,
		      ph_tell_fn tell, void *data);

#endif /* _PH_CONVERT_H */
