// SPDX-License-Identifier: GPL-2.0
/* Memory of a process, for the suites of the user door; see user.h. */

#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "user.h"

/* Of the process that loads the module; suites run one after the other. */
static struct mm_struct *ph_user_mm;
static unsigned long ph_user_base, ph_user_ro;

/**
 * ph_user_suite_init() - find an address space to borrow
 * @suite: the suite; this runs in the process that loads the module
 *
 * Return: 0, or -ENODEV where there is no process.
 */
int ph_user_suite_init(struct kunit_suite *suite)
{
	if (!current->mm)
		return -ENODEV;
	ph_user_mm = current->mm;
	mmget(ph_user_mm);
	return 0;
}

void ph_user_suite_exit(struct kunit_suite *suite)
{
	mmput(ph_user_mm);
}

static int ph_user_map(void)
{
	unsigned long bytes = (PH_USER_PAGES + 1) * PAGE_SIZE;

	ph_user_base = vm_mmap(NULL, 0, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(ph_user_base))
		return ph_user_base;
	ph_user_ro = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(ph_user_ro))
		return ph_user_ro;
	return vm_munmap(ph_user_base + PH_USER_PAGES * PAGE_SIZE, PAGE_SIZE);
}

/**
 * ph_user_init() - a heap, and user memory
 * @test: the test
 *
 * Should the test be aborted, its thread ends while it uses the address space,
 * and then drops a reference: this is for that one.
 *
 * Return: 0, -ENOMEM or -EINVAL.
 */
int ph_user_init(struct kunit *test)
{
	int err = ph_fixture_init_heap(test);

	if (err)
		return err;
	mmget(ph_user_mm);
	kthread_use_mm(ph_user_mm);
	return ph_user_map();
}

/**
 * ph_user_exit() - nothing may be left
 * @test: the test; where it was aborted, this runs in the process itself
 */
void ph_user_exit(struct kunit *test)
{
	vm_munmap(ph_user_base, PH_USER_PAGES * PAGE_SIZE);
	vm_munmap(ph_user_ro, PAGE_SIZE);
	if (current->flags & PF_KTHREAD) {
		kthread_unuse_mm(ph_user_mm);
		mmput(ph_user_mm);
	}
	ph_fixture_exit(test);
}

/* User memory for an array: pages 1 to PH_USER_PAGES - 1. */
u64 ph_user_array(u32 page)
{
	return ph_user_base + page * PAGE_SIZE;
}

/* Behind the arrays, for the bytes of objects. */
u64 ph_user_buffer(void)
{
	return ph_user_array(4);
}

u64 ph_user_end(void)
{
	return ph_user_base + PH_USER_PAGES * PAGE_SIZE;
}

u64 ph_user_read_only(void)
{
	return ph_user_ro;
}

u64 ph_user_unmapped(void)
{
	return ph_user_end();
}

/* An address that is the kernel's and aligned. */
u64 ph_user_kernel(void)
{
	return round_down((unsigned long)&ph_user_mm, PAGE_SIZE);
}

void ph_user_put(struct kunit *test, u64 to, const void *from, size_t bytes)
{
	KUNIT_ASSERT_EQ(test, 0,
			copy_to_user(u64_to_user_ptr(to), from, bytes));
}

void ph_user_get(struct kunit *test, void *to, u64 from, size_t bytes)
{
	KUNIT_ASSERT_EQ(test, 0,
			copy_from_user(to, u64_to_user_ptr(from), bytes));
}

long ph_user_call_at(struct kunit *test, unsigned int cmd, u64 at)
{
	return ph_ioctl(ph_test_heap(test), cmd, u64_to_user_ptr(at));
}

/**
 * ph_user_call() - call the dispatcher as a program does
 * @test: the test
 * @cmd: PRIVHEAP_*
 * @args: (in, out) the struct; its size member is filled in where it is 0
 * @bytes: how much of it there is
 *
 * Return: what the dispatcher returns.
 */
long ph_user_call(struct kunit *test, unsigned int cmd, void *args,
		  size_t bytes)
{
	long err;

	if (!*(u32 *)args)
		*(u32 *)args = bytes;
	ph_user_put(test, ph_user_base, args, bytes);
	err = ph_user_call_at(test, cmd, ph_user_base);
	ph_user_get(test, args, ph_user_base, bytes);
	return err;
}

/* One call of the dispatcher each; arrays are in the first two pages. */

long ph_call_alloc(struct kunit *test, u32 flags, u32 type, u64 bytes,
		   u32 count, u32 *done)
{
	struct privheap_alloc args = {
		.flags = flags, .type = type, .object_bytes = bytes,
		.count = count, .handles = ph_user_array(1),
	};
	long err = PH_USER_CALL(test, PRIVHEAP_ALLOC, args);

	if (done)
		*done = args.done;
	return err;
}

u64 ph_call_alloc_one(struct kunit *test, u32 type, u64 bytes)
{
	u64 handle;

	KUNIT_ASSERT_EQ(test, 0, ph_call_alloc(test, 0, type, bytes, 1, NULL));
	ph_user_get(test, &handle, ph_user_array(1), sizeof(handle));
	return handle;
}

long ph_call_batch(struct kunit *test, unsigned int cmd, u32 type,
		   u64 handle)
{
	struct privheap_batch args = {
		.type = type, .count = 1, .handles = ph_user_array(1),
	};

	ph_user_put(test, ph_user_array(1), &handle, sizeof(handle));
	return PH_USER_CALL(test, cmd, args);
}

long ph_call_resize(struct kunit *test, u32 type, u64 handle, u64 bytes)
{
	struct privheap_resize args = {
		.type = type, .handle = handle, .object_bytes = bytes,
	};

	return PH_USER_CALL(test, PRIVHEAP_RESIZE, args);
}

long ph_call_info(struct kunit *test, u32 type, u64 handle)
{
	struct privheap_info args = {
		.type = type, .count = 1, .handles = ph_user_array(1),
		.infos = ph_user_array(2),
	};

	ph_user_put(test, ph_user_array(1), &handle, sizeof(handle));
	return PH_USER_CALL(test, PRIVHEAP_INFO, args);
}

long ph_call_io(struct kunit *test, unsigned int cmd, u32 type, u64 handle,
		u64 offset, u64 bytes, u64 buffer)
{
	struct privheap_io io = {
		.handle = handle, .offset = offset, .bytes = bytes,
		.buffer = buffer,
	};
	struct privheap_rw args = {
		.type = type, .count = 1, .ios = ph_user_array(1),
	};

	ph_user_put(test, ph_user_array(1), &io, sizeof(io));
	return PH_USER_CALL(test, cmd, args);
}
