/* SPDX-License-Identifier: GPL-2.0 */
/* Content: the bytes of objects. */
#ifndef _PH_CONTENT_H
#define _PH_CONTENT_H

#include "handle.h"

/* The most bytes that one write carries. */
#define PH_MAX_IO	0x100000U

u64 ph_content_requested(struct ph_slab *slab, u32 slot);
u64 ph_content_usable(const struct ph_slab *slab);
void ph_content_set_requested(struct ph_slab *slab, u32 slot, u64 bytes);
bool ph_content_resize(struct ph_slab *slab, u32 slot, u64 from, u64 to);
u64 ph_content_end(struct ph_slab *slab, u32 slot);

void ph_content_zero(struct ph_slab *slab, u32 slot, u64 from, u64 to);
void ph_content_copy(struct ph_slab *to, u32 to_slot, struct ph_slab *from,
		     u32 from_slot, u64 bytes);

int ph_content_check(struct ph_heap *heap, u32 type,
		     const struct privheap_io *io);
int ph_content_read(struct ph_heap *heap, u32 type,
		    const struct privheap_io *io);
void ph_content_write(struct ph_heap *heap, const struct privheap_io *io,
		      const void *from);

#endif /* _PH_CONTENT_H */
