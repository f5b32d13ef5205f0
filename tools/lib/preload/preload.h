/* SPDX-License-Identifier: MIT */
/* The files of the preload library. */
#ifndef PRIVHEAP_PRELOAD_H
#define PRIVHEAP_PRELOAD_H

#define PUBLIC	__attribute__((visibility("default")))

/* The one heap that the process's malloc() is of. */
extern struct privheap ph_process_heap;

/* fork.c: from now on children of a fork find the heap's content. */
void ph_keep_in_child(void);

/* files.c: a file that the program does not get to close; or -1. */
void ph_file_keep(int fd);

#endif
