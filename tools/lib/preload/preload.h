/* SPDX-License-Identifier: MIT */
/* The files of the preload library. */
#ifndef PRIVHEAP_PRELOAD_H
#define PRIVHEAP_PRELOAD_H

#define PUBLIC	__attribute__((visibility("default")))

/* The one heap that the process's malloc() is of. */
extern struct privheap ph_process_heap;

/* fork.c: from now on children of a fork find the heap's content. */
void ph_keep_in_child(void);

/* fault.c: from here to there, a SIGSEGV in the child is one of the heap's. */
void ph_fault_watch(const struct privheap *heap, bool (*saves)(void));
void ph_fault_unwatch(void);

/* completion.c: a parent waits for its child. */
void ph_completion_begin(void);
void ph_completion_wait(bool forked);
void ph_completion_step(void);
bool ph_completion_end(void);

/* files.c: a file that the program does not get to close; or -1. */
void ph_file_keep(int fd);

#endif
