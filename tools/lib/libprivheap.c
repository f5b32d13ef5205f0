// SPDX-License-Identifier: MIT
/*
 * The thin part of libprivheap: open, one call per command, error texts.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "libprivheap.h"

/* Another device node, for whoever has it elsewhere. */
static const char *device(void)
{
	const char *path = secure_getenv("PRIVHEAP_DEVICE");

	return path ? path : PRIVHEAP_DEVICE;
}

/*
 * A signal handler that returns is nothing the caller should notice, so one
 * EINTR is taken to be that. A second one is somebody who insists.
 */
static int command(int fd, unsigned long request, void *cmd)
{
	int ret = ioctl(fd, request, cmd);

	if (ret < 0 && errno == EINTR)
		ret = ioctl(fd, request, cmd);
	return ret < 0 ? -1 : 0;
}

/**
 * privheap_open - open a new private heap
 *
 * The file is closed on exec. A heap dies with the last close of its file. The
 * environment's PRIVHEAP_DEVICE names another path than /dev/privheap, but not
 * to programs that run with more rights than their caller's.
 *
 * Return: the file descriptor, or -1 with errno set; privheap_open_message()
 * then tells what to do.
 */
int privheap_open(void)
{
	return open(device(), O_RDWR | O_CLOEXEC);
}

/* Never translated, unlike what strerror() says. */
static const char *plain_text(int err)
{
	const char *text = strerrordesc_np(err);

	return text ? text : "unknown error";
}

static const char *open_advice(int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "load the module with insmod privheap.ko";
	case EACCES:
	case EPERM:
		return "become root or a member of the group privheap";
	case EMFILE:
	case ENFILE:
		return "close files or raise the limit of open files";
	case ENOMEM:
	case EDQUOT:
		return "close other heaps or raise the module's max_total_mb";
	default:
		return NULL;
	}
}

/**
 * privheap_open_message - say in one line why privheap_open() failed
 * @err: errno as privheap_open() left it
 * @buffer: where the line goes; NUL-terminated, without a newline
 * @bytes: size of @buffer; %PRIVHEAP_MESSAGE_BYTES is enough
 *
 * For example "/dev/privheap: No such file or directory: load the module with
 * insmod privheap.ko". errno is kept.
 *
 * Return: @buffer
 */
char *privheap_open_message(int err, char *buffer, size_t bytes)
{
	const char *advice = open_advice(err);
	int saved = errno;

	/*
	 * Not strerror(), nor %m: the first allocation of a program may be one that
	 * setlocale() makes, with the lock that translating takes.
	 */
	snprintf(buffer, bytes, "%s: %s%s%s", device(), plain_text(err),
		 advice ? ": " : "", advice ? advice : "");
	errno = saved;
	return buffer;
}

/**
 * privheap_strerror - what an errno of a command means
 * @err: errno as the command left it
 *
 * The errnos that speak of handles carry names that were made for networks
 * and streams; strerror() would mislead about them.
 *
 * Return: a constant text, for errnos without a meaning of their own here the
 * one of strerror().
 */
const char *privheap_strerror(int err)
{
	switch (err) {
	case EXDEV:
		return "the handle was given out by another heap";
	case ESTALE:
		return "the object was freed";
	case EREMCHG:
		return "the object was freed and its place serves another";
	case EPROTOTYPE:
		return "the object is of another type";
	case EBADSLT:
		return "the handle points into the interior of an object";
	case ENXIO:
		return "this heap never gave out such a handle";
	case ENOTTY:
		return "not a command of this module";
	case E2BIG:
		return "the struct is newer than the module";
	case EOPNOTSUPP:
		return "unknown flag, or not offered by this type";
	case ERANGE:
		return "outside the range of the type or of the object";
	case EDQUOT:
		return "a quota or maximum of the type, heap or module is exhausted";
	default:
		return plain_text(err);
	}
}

/**
 * privheap_cmd_query - version, limits and features of the module
 * @fd: the heap
 * @cmd: see &struct privheap_query
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_query(int fd, struct privheap_query *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_QUERY, cmd);
}

/**
 * privheap_cmd_setup - set the limits and the reserve of the heap
 * @fd: the heap
 * @cmd: see &struct privheap_setup
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_setup(int fd, struct privheap_setup *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_SETUP, cmd);
}

/**
 * privheap_cmd_type_create - define a type
 * @fd: the heap
 * @cmd: see &struct privheap_type
 *
 * cmd->type receives its id.
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_type_create(int fd, struct privheap_type *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TYPE_CREATE, cmd);
}

/**
 * privheap_cmd_type_lookup - find a type by its name
 * @fd: the heap
 * @cmd: see &struct privheap_type
 *
 * All but cmd->name must be zero.
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_type_lookup(int fd, struct privheap_type *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TYPE_LOOKUP, cmd);
}

/**
 * privheap_cmd_type_list - the types of the heap
 * @fd: the heap
 * @cmd: see &struct privheap_type_list
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_type_list(int fd, struct privheap_type_list *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_LIST_TYPES, cmd);
}

/**
 * privheap_cmd_type_destroy - remove a type that has no objects
 * @fd: the heap
 * @cmd: see &struct privheap_type_destroy
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_type_destroy(int fd, struct privheap_type_destroy *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TYPE_DESTROY, cmd);
}

/**
 * privheap_cmd_alloc - allocate objects of one type
 * @fd: the heap
 * @cmd: see &struct privheap_alloc
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_alloc(int fd, struct privheap_alloc *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_ALLOC, cmd);
}

/**
 * privheap_cmd_free - free objects
 * @fd: the heap
 * @cmd: see &struct privheap_batch
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_free(int fd, struct privheap_batch *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_FREE, cmd);
}

/**
 * privheap_cmd_resize - change the size of one object
 * @fd: the heap
 * @cmd: see &struct privheap_resize
 *
 * cmd->handle is the object from now on: it may have moved.
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_resize(int fd, struct privheap_resize *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_RESIZE, cmd);
}

/**
 * privheap_cmd_read - copy content of objects out
 * @fd: the heap
 * @cmd: see &struct privheap_rw
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_read(int fd, struct privheap_rw *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_READ, cmd);
}

/**
 * privheap_cmd_write - copy content into objects
 * @fd: the heap
 * @cmd: see &struct privheap_rw
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_write(int fd, struct privheap_rw *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_WRITE, cmd);
}

/**
 * privheap_cmd_info - facts about objects
 * @fd: the heap
 * @cmd: see &struct privheap_info
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_info(int fd, struct privheap_info *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_INFO, cmd);
}

/**
 * privheap_cmd_get - take a reference to each object of a counted type
 * @fd: the heap
 * @cmd: see &struct privheap_batch
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_get(int fd, struct privheap_batch *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_GET, cmd);
}

/**
 * privheap_cmd_put - drop a reference to each object of a counted type
 * @fd: the heap
 * @cmd: see &struct privheap_batch
 *
 * cmd->freed tells how many of them that freed.
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_put(int fd, struct privheap_batch *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_PUT, cmd);
}

/**
 * privheap_cmd_reserve - promise that the next allocations cannot fail
 * @fd: the heap
 * @cmd: see &struct privheap_reserve
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_reserve(int fd, struct privheap_reserve *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_RESERVE, cmd);
}

/**
 * privheap_cmd_trim - give idle memory back now
 * @fd: the heap
 * @cmd: see &struct privheap_trim
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_trim(int fd, struct privheap_trim *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TRIM, cmd);
}

/**
 * privheap_cmd_heap_stat - statistics of the heap
 * @fd: the heap
 * @cmd: see &struct privheap_heap_stat
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_heap_stat(int fd, struct privheap_heap_stat *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_HEAP_STAT, cmd);
}

/**
 * privheap_cmd_type_stat - statistics of one type
 * @fd: the heap
 * @cmd: see &struct privheap_type_stat
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_type_stat(int fd, struct privheap_type_stat *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TYPE_STAT, cmd);
}

/**
 * privheap_cmd_walk - handles of the live objects, in bounded steps
 * @fd: the heap
 * @cmd: see &struct privheap_walk
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_walk(int fd, struct privheap_walk *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_WALK, cmd);
}

/**
 * privheap_cmd_take - have objects handed out, by offset
 * @fd: the heap
 * @cmd: see &struct privheap_take
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_take(int fd, struct privheap_take *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TAKE, cmd);
}

/**
 * privheap_cmd_give - give objects back that were handed out
 * @fd: the heap
 * @cmd: see &struct privheap_give
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_give(int fd, struct privheap_give *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_GIVE, cmd);
}

/**
 * privheap_cmd_to_handles - turn objects that are handed out into live ones
 * @fd: the heap
 * @cmd: see &struct privheap_convert
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_to_handles(int fd, struct privheap_convert *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TO_HANDLES, cmd);
}

/**
 * privheap_cmd_to_offsets - turn live objects into ones that are handed out
 * @fd: the heap
 * @cmd: see &struct privheap_convert
 *
 * Return: 0, or -1 with errno set
 */
int privheap_cmd_to_offsets(int fd, struct privheap_convert *cmd)
{
	cmd->size = sizeof(*cmd);
	return command(fd, PRIVHEAP_TO_OFFSETS, cmd);
}
