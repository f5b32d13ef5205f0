/* SPDX-License-Identifier: GPL-2.0 */
/* Board: the statistics page, which a program reads without a call. */
#ifndef _PH_BOARD_H
#define _PH_BOARD_H

#include "heap.h"

int ph_board_make(struct ph_heap *heap);
void ph_board_forget(struct ph_heap *heap, u32 id);
void ph_board_update(struct ph_heap *heap);

#endif /* _PH_BOARD_H */
