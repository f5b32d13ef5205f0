// SPDX-License-Identifier: MIT
/*
 * The heap's file among those of the program, which does not know of it: daemons
 * close all numbers that there may be. To the program that one is not open.
 *
 * What the C library closes by itself it has opened.
 */
#include <unistd.h>
#include <sys/syscall.h>

#include "../internal.h"
#include "preload.h"

/* The C library's own names of what is replaced here; points of cancellation, too. */
int __close(int fd);
int __dup2(int from, int to);

static int kept_file = -1;

void ph_file_keep(int fd)
{
	__atomic_store_n(&kept_file, fd, __ATOMIC_RELAXED);
}

static int kept(void)
{
	return __atomic_load_n(&kept_file, __ATOMIC_RELAXED);
}

static bool is_kept(int fd)
{
	if (fd < 0 || fd != kept())
		return false;
	errno = EBADF;
	return true;
}

PUBLIC int close(int fd)
{
	return is_kept(fd) ? -1 : __close(fd);
}

static int range(unsigned int first, unsigned int last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

PUBLIC int close_range(unsigned int first, unsigned int last, int flags)
{
	int heap = kept();
	unsigned int fd = (unsigned int)heap;

	if (heap < 0 || first > fd || last < fd)
		return range(first, last, flags);
	if (first < fd && range(first, fd - 1, flags))
		return -1;
	if (last > fd)
		return range(fd + 1, last, flags);
	/* Flags may be wrong, or want more than to close. */
	return first < fd ? 0 : range(~0U, ~0U, flags);
}

PUBLIC void closefrom(int first)
{
	int saved = errno;

	if (first < 0)
		first = 0;
	if (close_range((unsigned int)first, ~0U, 0))
		for (int fd = (int)sysconf(_SC_OPEN_MAX); fd-- > first;)
			close(fd);
	errno = saved;
}

PUBLIC int dup2(int from, int to)
{
	return is_kept(to) ? -1 : __dup2(from, to);
}

PUBLIC int dup3(int from, int to, int flags)
{
	return is_kept(to) ? -1 : (int)syscall(SYS_dup3, from, to, flags);
}
