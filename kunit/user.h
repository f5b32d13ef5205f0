/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User: memory of a process, for the suites of the user door.
 *
 * A test runs in a kernel thread, which has none. It borrows the address space
 * of the process that loads this module, and maps a few pages there.
 */
#ifndef _PH_KUNIT_USER_H
#define _PH_KUNIT_USER_H

#include "objects.h"

/* Pages that can be read and written; the one behind them is not mapped. */
#define PH_USER_PAGES	16

/* Where the struct of a command goes; arrays come behind its page. */
union ph_user_args {
	u32 size;
	struct privheap_query query;
	struct privheap_setup setup;
	struct privheap_type type;
	struct privheap_type_list list;
	struct privheap_type_destroy destroy;
	struct privheap_alloc alloc;
	struct privheap_batch batch;
	struct privheap_resize resize;
	struct privheap_rw rw;
	struct privheap_info info;
	struct privheap_reserve reserve;
	struct privheap_trim trim;
	struct privheap_heap_stat heap_stat;
	struct privheap_type_stat type_stat;
	struct privheap_walk walk;
	struct privheap_take take;
	struct privheap_give give;
	struct privheap_convert convert;
	u8 bytes[512];
};

int ph_user_suite_init(struct kunit_suite *suite);
void ph_user_suite_exit(struct kunit_suite *suite);
int ph_user_init(struct kunit *test);
void ph_user_exit(struct kunit *test);

u64 ph_user_array(u32 page);
u64 ph_user_end(void);
u64 ph_user_buffer(void);
u64 ph_user_read_only(void);
u64 ph_user_unmapped(void);
u64 ph_user_kernel(void);

void ph_user_put(struct kunit *test, u64 to, const void *from, size_t bytes);
void ph_user_get(struct kunit *test, void *to, u64 from, size_t bytes);

long ph_user_call_at(struct kunit *test, unsigned int cmd, u64 at);
long ph_user_call(struct kunit *test, unsigned int cmd, void *args,
		  size_t bytes);

#define PH_USER_CALL(test, cmd, args) \
	ph_user_call(test, cmd, &(args), sizeof(args))

long ph_call_alloc(struct kunit *test, u32 flags, u32 type, u64 bytes,
		   u32 count, u32 *done);
u64 ph_call_alloc_one(struct kunit *test, u32 type, u64 bytes);
long ph_call_batch(struct kunit *test, unsigned int cmd, u32 type, u64 handle);
long ph_call_resize(struct kunit *test, u32 type, u64 handle, u64 bytes);
long ph_call_info(struct kunit *test, u32 type, u64 handle);
long ph_call_io(struct kunit *test, unsigned int cmd, u32 type, u64 handle,
		u64 offset, u64 bytes, u64 buffer);

#endif /* _PH_KUNIT_USER_H */
