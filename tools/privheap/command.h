/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of the program privheap. Each returns its exit status.
 */
#ifndef PRIVHEAP_COMMAND_H
#define PRIVHEAP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#define HEAP_ANY	UINT64_MAX

int command_list(void);
int command_stat(uint64_t heap, bool json);
int command_map(uint64_t heap, const char *output);

int no_such_heap(uint64_t heap);

#endif /* PRIVHEAP_COMMAND_H */
