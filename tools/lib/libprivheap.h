/* SPDX-License-Identifier: MIT */
/*
 * libprivheap: what a program needs to use /dev/privheap.
 *
 * Every open of the device is one private heap. There is one privheap_cmd_*()
 * for each command of include/uapi/linux/privheap.h, which documents their
 * structs and errors. The caller fills in a struct zeroed before, the size
 * member excepted; every call returns 0, or -1 with errno set.
 *
 * Programs that want their objects as memory of their own, without a call for
 * each, use privheap-heap.h, which is included below.
 *
 * All of it may be called from several threads at once.
 */
#ifndef LIBPRIVHEAP_H
#define LIBPRIVHEAP_H

#include <stddef.h>

#include <linux/privheap.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** define PRIVHEAP_MESSAGE_BYTES - room that any message of this library needs */
#define PRIVHEAP_MESSAGE_BYTES	160

int privheap_open(void);
char *privheap_open_message(int err, char *buffer, size_t bytes);
const char *privheap_strerror(int err);

int privheap_cmd_query(int fd, struct privheap_query *cmd);
int privheap_cmd_setup(int fd, struct privheap_setup *cmd);

int privheap_cmd_type_create(int fd, struct privheap_type *cmd);
int privheap_cmd_type_lookup(int fd, struct privheap_type *cmd);
int privheap_cmd_type_list(int fd, struct privheap_type_list *cmd);
int privheap_cmd_type_destroy(int fd, struct privheap_type_destroy *cmd);

int privheap_cmd_alloc(int fd, struct privheap_alloc *cmd);
int privheap_cmd_free(int fd, struct privheap_batch *cmd);
int privheap_cmd_resize(int fd, struct privheap_resize *cmd);

int privheap_cmd_read(int fd, struct privheap_rw *cmd);
int privheap_cmd_write(int fd, struct privheap_rw *cmd);
int privheap_cmd_info(int fd, struct privheap_info *cmd);

int privheap_cmd_get(int fd, struct privheap_batch *cmd);
int privheap_cmd_put(int fd, struct privheap_batch *cmd);

int privheap_cmd_reserve(int fd, struct privheap_reserve *cmd);
int privheap_cmd_trim(int fd, struct privheap_trim *cmd);

int privheap_cmd_heap_stat(int fd, struct privheap_heap_stat *cmd);
int privheap_cmd_type_stat(int fd, struct privheap_type_stat *cmd);
int privheap_cmd_walk(int fd, struct privheap_walk *cmd);

int privheap_cmd_take(int fd, struct privheap_take *cmd);
int privheap_cmd_give(int fd, struct privheap_give *cmd);
int privheap_cmd_to_handles(int fd, struct privheap_convert *cmd);
int privheap_cmd_to_offsets(int fd, struct privheap_convert *cmd);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#include "privheap-heap.h"

#endif /* LIBPRIVHEAP_H */
