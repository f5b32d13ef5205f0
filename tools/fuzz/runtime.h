/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the steps of an input do, and what has to hold after them. The fuzzer
 * is built on it, and every program that it prints begins with a copy of it,
 * so both do the same.
 *
 * Memory that is handed to the kernel lies in areas at fixed addresses below
 * 4 GiB, where the compat door reaches it, too. An area may be missing, read
 * only, changed by another thread all the time, or the kernel's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#pragma GCC diagnostic ignored "-Wunused-function"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/privheap.h>

/* Where programs that are printed say what they found; the fuzzer keeps it. */
#ifndef RT_FOUND
#define RT_FOUND(text)	(fprintf(stderr, "found: %s\n", text), rt_findings++)
static atomic_uint rt_findings;
#endif

#define SLOTS		6	/* files that an input may have open */
#define ACTORS		3	/* threads of an input */
#define CHILDREN	4
#define POOL		64	/* what earlier steps returned, per file */
#define MODULE_FILE	"/sys/kernel/debug/privheap/module"
#define VALIDATE_FILE	"/sys/kernel/debug/privheap/validate"

enum area { A_NULL, A_BUF, A_EDGE, A_RO, A_NONE, A_KERN, A_RACE, A_HIGH,
	    A_MAP0, A_MAP1, A_MAP2, A_MAP3, AREAS };

#define MAPS		4
#define BUF_BYTES	0x400000UL
#define ARENA		0x20000000UL
#define BUF_AT		ARENA				/* one for each actor */
#define RO_AT		(ARENA + ACTORS * BUF_BYTES)
#define RO_BYTES	0x10000UL
#define RACE_AT		(RO_AT + RO_BYTES)
#define RACE_BYTES	0x1000UL
#define EDGE_BYTES	0x10000UL
#define EDGE_END	(RACE_AT + 0x10000UL + EDGE_BYTES)
#define NONE_AT		EDGE_END
#define NONE_BYTES	0x100000UL
#define MAP_AT		0x30000000UL
#define MAP_BYTES	0x2000000UL			/* each of MAPS */
/* Free memory of the first MiBs, in the kernel's direct mapping. */
#define KERN_AT		0xffff888000200000UL
#define KERN_BYTES	0x100000UL

/**
 * struct pool - what a file's earlier steps returned, for later ones to use
 * @handles: the newest ones
 * @types: the same
 * @cursors: the same
 * @offsets: the same, of objects that are handed out
 * @runs: the same, as runs
 * @nr_handles: how many there ever were
 * @nr_types: the same
 * @nr_cursors: the same
 * @nr_offsets: the same
 * @nr_runs: the same
 */
struct pool {
	uint64_t handles[POOL];
	uint32_t types[POOL];
	uint64_t cursors[POOL];
	uint64_t offsets[POOL];
	struct privheap_run runs[POOL];
	unsigned int nr_handles;
	unsigned int nr_types;
	unsigned int nr_cursors;
	unsigned int nr_offsets;
	unsigned int nr_runs;
};

/* What an array, to which a struct points, is filled with before the call. */
struct fill {
	uint64_t first;		/* index of the first handle */
	uint64_t stride;	/* from one to the next */
	uint64_t bad_at;	/* this element is @bad instead, if not 0 */
	uint64_t bad;
	uint64_t a;		/* sizes: first; IO: offset; runs: xor of the mask */
	uint64_t b;		/* sizes: increment; IO: bytes */
	uint64_t buffer;	/* IO: of the first element */
};

static struct {
	_Atomic int fd[SLOTS];	/* below 0: closed */
	struct pool pool[SLOTS];
	int pair[2];
	_Atomic pid_t child[CHILDREN];
	_Atomic unsigned int children;
	_Atomic bool maps;	/* a window was used */
	void *stray[MAPS];	/* mappings that are elsewhere */
	uint64_t stray_len[MAPS];
	_Atomic bool strays[MAPS];	/* taken */
	uint64_t secret;	/* in all content that this run writes */
	pthread_t flipper;
	bool flips;
	_Atomic bool stop;
	unsigned long page;
} rt;

static _Thread_local unsigned int rt_actor;
static _Thread_local sigjmp_buf rt_fault;
static _Thread_local volatile bool rt_guarded;
/* An allocation is to fail, which may be one for a page fault of our own. */
static _Thread_local volatile int rt_failing;

static void rt_found(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void rt_found(const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	RT_FOUND(text);
}

/* Memory and its addresses. */

static uint64_t ptr(enum area area, uint64_t offset)
{
	switch (area) {
	case A_NULL: return 0;
	case A_BUF: return BUF_AT + rt_actor * BUF_BYTES + offset % BUF_BYTES;
	case A_EDGE: return EDGE_END - offset % EDGE_BYTES;
	case A_RO: return RO_AT + offset % RO_BYTES;
	case A_NONE: return NONE_AT + offset % NONE_BYTES;
	case A_KERN: return KERN_AT + offset % KERN_BYTES;
	case A_RACE: return RACE_AT + offset % RACE_BYTES;
	case A_HIGH: return 0x00007ffffffff000UL + offset;
	default: return MAP_AT + (area - A_MAP0) * MAP_BYTES + offset % MAP_BYTES;
	}
}

static void rt_on_fault(int signal)
{
	if (rt_guarded)
		siglongjmp(rt_fault, 1);
	/* It fails once: the second try has its page. */
	if (rt_failing && rt_failing++ < 10)
		return;
	rt_found("signal %d outside of any access that may fail", signal);
	_exit(1);
}

/* Copies between our memory and an area, as far as that is accessible. */
static bool rt_copy(void *to, const void *from, size_t bytes)
{
	if (sigsetjmp(rt_fault, 0)) {
		rt_guarded = false;
		return false;
	}
	rt_guarded = true;
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(to, from, bytes);
	atomic_signal_fence(memory_order_seq_cst);
	rt_guarded = false;
	return true;
}

static bool rt_ours(uint64_t at, uint64_t bytes)
{
	return bytes <= BUF_BYTES && at >= ARENA && at + bytes <= MAP_AT + MAPS * MAP_BYTES;
}

/* Where another thread changes it, it may be anything. */
static bool rt_races(uint64_t at)
{
	return at + BUF_BYTES > RACE_AT && at < RACE_AT + RACE_BYTES;
}

static bool rt_put(uint64_t at, const void *from, size_t bytes)
{
	return rt_ours(at, bytes) && rt_copy((void *)at, from, bytes);
}

static bool rt_get(void *to, uint64_t at, size_t bytes)
{
	return rt_ours(at, bytes) && rt_copy(to, (const void *)at, bytes);
}

/* What earlier steps returned. */

static uint64_t handle(unsigned int slot, unsigned int i)
{
	struct pool *pool = &rt.pool[slot % SLOTS];
	unsigned int nr = pool->nr_handles < POOL ? pool->nr_handles : POOL;

	return nr ? pool->handles[i % nr] : 0;
}

static uint64_t type(unsigned int slot, unsigned int i)
{
	struct pool *pool = &rt.pool[slot % SLOTS];
	unsigned int nr = pool->nr_types < POOL ? pool->nr_types : POOL;

	return nr ? pool->types[i % nr] : 1 + i % 9;
}

static uint64_t cursor(unsigned int slot, unsigned int i)
{
	struct pool *pool = &rt.pool[slot % SLOTS];
	unsigned int nr = pool->nr_cursors < POOL ? pool->nr_cursors : POOL;

	return nr ? pool->cursors[i % nr] : 0;
}

static uint64_t offset(unsigned int slot, unsigned int i)
{
	struct pool *pool = &rt.pool[slot % SLOTS];
	unsigned int nr = pool->nr_offsets < POOL ? pool->nr_offsets : POOL;

	return nr ? pool->offsets[i % nr] : 0;
}

static struct privheap_run run(unsigned int slot, unsigned int i)
{
	struct pool *pool = &rt.pool[slot % SLOTS];
	unsigned int nr = pool->nr_runs < POOL ? pool->nr_runs : POOL;

	return nr ? pool->runs[i % nr] : (struct privheap_run){ .mask = 1 };
}

static void keep_handle(unsigned int slot, uint64_t value)
{
	struct pool *pool = &rt.pool[slot % SLOTS];

	pool->handles[pool->nr_handles++ % POOL] = value;
}

static void keep_handles(unsigned int slot, uint64_t at, uint32_t nr)
{
	uint64_t values[POOL];

	nr = nr < POOL ? nr : POOL;
	if (!rt_get(values, at, nr * sizeof(*values)))
		return;
	for (uint32_t i = 0; i < nr; i++)
		keep_handle(slot, values[i]);
}

static void keep_type(unsigned int slot, uint32_t value)
{
	struct pool *pool = &rt.pool[slot % SLOTS];

	pool->types[pool->nr_types++ % POOL] = value;
}

static void keep_cursor(unsigned int slot, uint64_t value)
{
	struct pool *pool = &rt.pool[slot % SLOTS];

	pool->cursors[pool->nr_cursors++ % POOL] = value;
}

static void keep_offset(unsigned int slot, uint64_t value)
{
	struct pool *pool = &rt.pool[slot % SLOTS];

	pool->offsets[pool->nr_offsets++ % POOL] = value;
}

static void keep_run(unsigned int slot, const struct privheap_run *value)
{
	struct pool *pool = &rt.pool[slot % SLOTS];

	pool->runs[pool->nr_runs++ % POOL] = *value;
}

/* Of several actors one gets an empty slot, for rt_set(). */
static bool rt_claim(unsigned int slot)
{
	int empty = -1;

	return atomic_compare_exchange_strong(&rt.fd[slot], &empty, -2);
}

/* The pool is of the one heap that a slot has. */
static void rt_set(unsigned int slot, int fd, const struct pool *pool)
{
	if (pool)
		rt.pool[slot] = *pool;
	else
		memset(&rt.pool[slot], 0, sizeof(rt.pool[slot]));
	rt.fd[slot] = fd < 0 ? -1 : fd;
}

/* What the kernel may answer. */

static bool rt_errno_known(int err)
{
	static const int known[] = {
		0, ENOTTY, EINVAL, E2BIG, EOPNOTSUPP, EFAULT, EOVERFLOW, EINTR,
		ENOENT, EEXIST, EPERM, EBUSY, ERANGE, ENOSPC, EDQUOT, ENOMEM,
		EXDEV, ESTALE, EREMCHG, EPROTOTYPE, EBADSLT, ENXIO,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (err == known[i])
			return true;
	return false;
}

/*
 * Whether a word looks like an address of the kernel. Handles are
 * numbers of many forms, so that only what none can be counts: the direct
 * mapping of a small machine, and text.
 */
static bool rt_is_kernel(uint64_t word)
{
	if (word >= KERN_AT && word < KERN_AT + BUF_BYTES)
		return false;
	return (word >= 0xffff888000000000UL && word < 0xffff888400000000UL) ||
	       (word >= 0xffffffff80000000UL && word < 0xffffffffff000000UL);
}

/* A struct that came back: no word that was not there before is an address. */
static void rt_scan(const char *what, const void *before, const void *after, size_t bytes)
{
	uint64_t was, is;

	for (size_t i = 0; i + sizeof(is) <= bytes; i += sizeof(is)) {
		memcpy(&was, (const char *)before + i, sizeof(was));
		memcpy(&is, (const char *)after + i, sizeof(is));
		if (was != is && rt_is_kernel(is))
			rt_found("%s: a kernel address at byte %zu of the answer", what, i);
	}
}

#define SECRET_MARK	0x5ec2e70000000000UL
#define SECRET_MASK	0xffffff0000000000UL

/* Content that came back: nothing of another run, and nothing of the kernel. */
static void rt_scan_content(const void *at, size_t bytes)
{
	const unsigned char *p = at;
	uint64_t w[2];

	for (size_t i = 0; i + sizeof(w) <= bytes; i++) {
		memcpy(w, p + i, sizeof(w));
		if ((w[0] & SECRET_MASK) == SECRET_MARK && w[0] == w[1] && w[0] != rt.secret)
			rt_found("content of another heap in an object");
		if (i % sizeof(w[0]) == 0 && rt_is_kernel(w[0]))
			rt_found("a kernel address in an object");
	}
}

/* The calls. */

static void fail_nth(unsigned int nth)
{
	char text[16];
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return;
	rt_failing = 1;
	done = write(fd, text, snprintf(text, sizeof(text), "%u", nth));
	(void)done;
	close(fd);
	rt_failing = nth != 0;
}

static long rt_ioctl32(int fd, unsigned long cmd, uint64_t arg)
{
#ifdef __x86_64__
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret)
			 : "a"(54L), "b"((long)fd), "c"(cmd), "d"(arg)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	ret = (int)ret;
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
#else
	return ioctl(fd, cmd, arg);
#endif
}

struct call {
	unsigned int slot;
	unsigned long cmd;
	uint64_t at;		/* where the struct lies */
	bool compat;
	uint64_t tail;		/* the word behind it */
	unsigned int fail;	/* this allocation fails; 0: none */
};

/* Returns 0 or an errno; @args holds what came back. */
static int call(const struct call *c, const char *name, void *args, size_t bytes)
{
	char was[512];
	int fd = rt.fd[c->slot % SLOTS], err;
	long ret;

	memcpy(was, args, bytes);
	rt_put(c->at + bytes, &c->tail, sizeof(c->tail));
	rt_put(c->at, args, bytes);
	if (c->fail)
		fail_nth(c->fail);
	ret = c->compat ? rt_ioctl32(fd, c->cmd, c->at) : ioctl(fd, c->cmd, c->at);
	err = ret < 0 ? errno : 0;
	if (c->fail)
		fail_nth(0);
	if (ret > 0)
		rt_found("%s returned %ld", name, ret);
	/* A slot may be closed, and its number another file's, meanwhile. */
	if (fd >= 0 && rt.fd[c->slot % SLOTS] == fd && !rt_errno_known(err) && err != EBADF)
		rt_found("%s returned an errno that is not documented: %d", name, err);
	if (rt_get(args, c->at, bytes) && !err && !rt_races(c->at))
		rt_scan(name, was, args, bytes);
	return err;
}

/* Before and after certain calls: the arrays that their structs point to. */

static uint64_t rt_pick(unsigned int slot, const struct fill *fill, uint32_t i)
{
	if (fill->bad_at && i + 1 == fill->bad_at)
		return fill->bad;
	return handle(slot, fill->first + i * fill->stride);
}

static void put_handles(unsigned int slot, uint64_t at, uint32_t nr, const struct fill *fill)
{
	uint64_t word;

	for (uint32_t i = 0; i < nr && i < 70000; i++) {
		word = rt_pick(slot, fill, i);
		if (!rt_put(at + i * sizeof(word), &word, sizeof(word)))
			return;
	}
}

static void before_batch(unsigned int slot, const void *args, const struct fill *fill)
{
	const struct privheap_batch *batch = args;

	put_handles(slot, batch->handles, batch->count, fill);
}

static void before_info(unsigned int slot, const void *args, const struct fill *fill)
{
	const struct privheap_info *info = args;

	put_handles(slot, info->handles, info->count, fill);
}

static void before_give(unsigned int slot, const void *args, const struct fill *fill)
{
	const struct privheap_give *give = args;
	struct privheap_run word;

	for (uint32_t i = 0; i < give->count && i < 70000; i++) {
		word = run(slot, fill->first + i * fill->stride);
		word.mask ^= fill->a;
		if (fill->bad_at && i + 1 == fill->bad_at)
			word.offset = fill->bad;
		if (!rt_put(give->runs + i * sizeof(word), &word, sizeof(word)))
			return;
	}
}

static void before_to_offsets(unsigned int slot, const void *args, const struct fill *fill)
{
	const struct privheap_convert *convert = args;

	put_handles(slot, convert->from, convert->count, fill);
}

static void before_to_handles(unsigned int slot, const void *args, const struct fill *fill)
{
	const struct privheap_convert *convert = args;
	uint64_t word;

	for (uint32_t i = 0; i < convert->count && i < 70000; i++) {
		word = fill->bad_at && i + 1 == fill->bad_at ? fill->bad :
		       offset(slot, fill->first + i * fill->stride);
		if (!rt_put(convert->from + i * sizeof(word), &word, sizeof(word)))
			return;
	}
}

static void before_alloc(unsigned int slot, const void *args, const struct fill *fill)
{
	const struct privheap_alloc *alloc = args;
	uint64_t word;

	(void)slot;
	for (uint32_t i = 0; alloc->sizes && i < alloc->count && i < 70000; i++) {
		word = fill->bad_at && i + 1 == fill->bad_at ? fill->bad : fill->a + i * fill->b;
		if (!rt_put(alloc->sizes + i * sizeof(word), &word, sizeof(word)))
			return;
	}
}

/* Content that is written shows whose it is; where it is read, that it was. */
static void put_content(uint64_t at, uint64_t bytes, uint64_t word)
{
	uint64_t page[64];

	for (int i = 0; i < 64; i++)
		page[i] = word;
	bytes = bytes < 0x40000 ? bytes : 0x40000;
	for (uint64_t i = 0; i < bytes; i += sizeof(page))
		if (!rt_put(at + i, page, bytes - i < sizeof(page) ? bytes - i : sizeof(page)))
			return;
}

static void rt_put_ios(unsigned int slot, const struct privheap_rw *rw,
		       const struct fill *fill, uint64_t word)
{
	struct privheap_io io = { .offset = fill->a, .bytes = fill->b, .buffer = fill->buffer };

	for (uint32_t i = 0; i < rw->count && i < 4096; i++) {
		io.handle = rt_pick(slot, fill, i);
		if (i < 16)
			put_content(io.buffer, io.bytes, word);
		if (!rt_put(rw->ios + i * sizeof(io), &io, sizeof(io)))
			return;
		io.buffer += io.bytes < 0x10000 ? io.bytes : 0;
	}
}

static void before_read(unsigned int slot, const void *args, const struct fill *fill)
{
	rt_put_ios(slot, args, fill, 0);
}

static void before_write(unsigned int slot, const void *args, const struct fill *fill)
{
	rt_put_ios(slot, args, fill, rt.secret);
}

static void after_alloc(unsigned int slot, const void *args)
{
	const struct privheap_alloc *alloc = args;

	keep_handles(slot, alloc->handles, alloc->done);
}

/* Of each run some of the objects by themselves, too. */
static void after_take(unsigned int slot, const void *args)
{
	const struct privheap_take *take = args;
	struct privheap_run word;

	for (uint32_t i = 0; i < take->nr_runs && i < POOL; i++) {
		if (!rt_get(&word, take->runs + i * sizeof(word), sizeof(word)))
			return;
		keep_run(slot, &word);
		for (unsigned int bit = 0; bit < 64; bit += 5)
			if (word.mask >> bit & 1)
				keep_offset(slot, word.offset + bit * take->stride);
	}
}

static void after_to_handles(unsigned int slot, const void *args)
{
	const struct privheap_convert *convert = args;

	keep_handles(slot, convert->to, convert->count);
}

static void after_to_offsets(unsigned int slot, const void *args)
{
	const struct privheap_convert *convert = args;
	struct privheap_run word = { .mask = 1 };

	for (uint32_t i = 0; i < convert->count && i < POOL; i++) {
		if (!rt_get(&word.offset, convert->to + i * 8, 8))
			return;
		keep_offset(slot, word.offset);
		keep_run(slot, &word);
	}
}

static void after_resize(unsigned int slot, const void *args)
{
	const struct privheap_resize *resize = args;
	struct privheap_run word = { .offset = resize->handle, .mask = 1 };

	if (!(resize->flags & PRIVHEAP_BY_OFFSET)) {
		keep_handle(slot, resize->handle);
		return;
	}
	keep_offset(slot, word.offset);
	keep_run(slot, &word);
}

static void after_type(unsigned int slot, const void *args)
{
	keep_type(slot, ((const struct privheap_type *)args)->type);
}

static void after_walk(unsigned int slot, const void *args)
{
	const struct privheap_walk *walk = args;

	keep_handles(slot, walk->handles, walk->done);
	keep_cursor(slot, walk->cursor);
}

static void after_list(unsigned int slot, const void *args)
{
	const struct privheap_type_list *list = args;
	struct privheap_type desc;

	keep_cursor(slot, list->cursor);
	for (uint32_t i = 0; i < list->done && i < 32; i++) {
		if (!rt_get(&desc, list->types + i * sizeof(desc), sizeof(desc)))
			return;
		rt_scan_content(&desc, sizeof(desc));
		keep_type(slot, desc.type);
	}
}

static void after_info(unsigned int slot, const void *args)
{
	const struct privheap_info *info = args;
	struct privheap_object_info object;

	(void)slot;
	for (uint32_t i = 0; i < info->done && i < 32; i++) {
		if (!rt_get(&object, info->infos + i * sizeof(object), sizeof(object)))
			return;
		rt_scan_content(&object, sizeof(object));
	}
}

static void after_read(unsigned int slot, const void *args)
{
	const struct privheap_rw *rw = args;
	struct privheap_io io;
	char content[1024];

	(void)slot;
	for (uint32_t i = 0; i < rw->done && i < 16; i++) {
		if (!rt_get(&io, rw->ios + i * sizeof(io), sizeof(io)))
			return;
		if (io.bytes > sizeof(content))
			io.bytes = sizeof(content);
		if (!rt_races(io.buffer) && rt_get(content, io.buffer, io.bytes))
			rt_scan_content(content, io.bytes);
	}
}

/* Steps that are no command: each takes its values in order. */

static void do_open(const uint64_t *v)
{
	unsigned int slot = v[0] % SLOTS;

	if (rt_claim(slot))
		rt_set(slot, open(PRIVHEAP_DEVICE, (v[1] & O_ACCMODE) | O_CLOEXEC), NULL);
}

/* A file of another kind, where a heap is expected. */
static void do_other(const uint64_t *v)
{
	unsigned int slot = v[0] % SLOTS;

	if (rt_claim(slot))
		rt_set(slot, v[1] & 1 ? eventfd(0, EFD_CLOEXEC) :
		       open("/dev/zero", O_RDWR | O_CLOEXEC), NULL);
}

static void do_close(const uint64_t *v)
{
	unsigned int slot = v[0] % SLOTS;
	int fd = rt.fd[slot];

	if (fd >= 0 && atomic_compare_exchange_strong(&rt.fd[slot], &fd, -1))
		close(fd);
}

static void do_dup(const uint64_t *v)
{
	unsigned int from = v[0] % SLOTS, to = v[1] % SLOTS;

	if (rt_claim(to))
		rt_set(to, fcntl(rt.fd[from], F_DUPFD_CLOEXEC, 10), &rt.pool[from]);
}

union rt_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static void do_send(const uint64_t *v)
{
	int fd = rt.fd[v[0] % SLOTS];
	union rt_control control = { .space = { 0 } };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	if (fd < 0 || rt.pair[0] < 0)
		return;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	sendmsg(rt.pair[0], &msg, MSG_DONTWAIT);
}

static void do_receive(const uint64_t *v)
{
	unsigned int slot = v[0] % SLOTS;
	union rt_control control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (!rt_claim(slot))
		return;
	if (recvmsg(rt.pair[1], &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1 &&
	    msg.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	rt_set(slot, fd, NULL);
}

/* Mappings: each has a window of its own, so that all can be taken away. */

static uint64_t rt_window(uint64_t map, uint64_t offset)
{
	rt.maps = true;
	return MAP_AT + map % MAPS * MAP_BYTES + offset % MAP_BYTES;
}

/* As much of a length as is left of the window. */
static uint64_t rt_within(uint64_t offset, uint64_t bytes)
{
	uint64_t left = MAP_BYTES - offset % MAP_BYTES;

	return bytes < left ? bytes : left;
}

/* The system has errnos of its own, for files that cannot be mapped, too. */
static void rt_judge_map(const void *at)
{
	int err = at == MAP_FAILED ? errno : 0;

	if (err && err != EINVAL && err != EACCES && err != ENOMEM && err != EBADF &&
	    err != EAGAIN && err != EOVERFLOW && err != ENODEV && err != EPERM)
		rt_found("mmap returned an errno that is not documented: %d", err);
}

static void do_map(const uint64_t *v)
{
	int fd = rt.fd[v[0] % SLOTS];
	int flags = v[4] & 1 ? MAP_PRIVATE : MAP_SHARED;

	if (v[4] & 2)
		flags |= MAP_POPULATE;
	if (v[4] & 4)
		flags |= MAP_NORESERVE;
	rt_judge_map(mmap((void *)rt_window(v[1], 0), rt_within(0, v[2]), v[3] & 7,
			  flags | MAP_FIXED, fd, v[5]));
}

/* Anywhere, at any length: only the kernel bounds it. */
static void do_mapany(const uint64_t *v)
{
	unsigned int map = v[1] % MAPS;
	void *at;

	if (atomic_exchange(&rt.strays[map], true))
		return;
	at = mmap(NULL, v[2], v[3] & 7, v[4] & 1 ? MAP_PRIVATE : MAP_SHARED,
		  rt.fd[v[0] % SLOTS], v[5]);
	rt_judge_map(at);
	if (at == MAP_FAILED)
		return;
	rt.stray[map] = at;
	rt.stray_len[map] = v[2];
}

static void do_unmap(const uint64_t *v)
{
	munmap((void *)rt_window(v[0], v[1]), rt_within(v[1], v[2]));
}

static void do_protect(const uint64_t *v)
{
	mprotect((void *)rt_window(v[0], v[1]), rt_within(v[1], v[2]), v[3] & 7);
}

/* Not MADV_HWPOISON nor MADV_SOFT_OFFLINE, which are root's own harm. */
static void do_advise(const uint64_t *v)
{
	if (v[3] < 100)
		madvise((void *)rt_window(v[0], v[1]), rt_within(v[1], v[2]), v[3]);
}

static void do_remap(const uint64_t *v)
{
	uint64_t to = rt_window(v[4], 0);
	int flags = v[5] & (MREMAP_MAYMOVE | MREMAP_DONTUNMAP);

	if (v[5] & 1)
		flags |= MREMAP_FIXED | MREMAP_MAYMOVE;
	else
		flags = 0;
	syscall(SYS_mremap, rt_window(v[0], v[1]), rt_within(v[1], v[2]), rt_within(0, v[3]),
		flags, to);
}

static void do_remapfile(const uint64_t *v)
{
	syscall(SYS_remap_file_pages, rt_window(v[0], v[1]), rt_within(v[1], v[2]), 0, v[3], 0);
}

/* Reads or writes through a mapping, some of each page. */
static void do_touch(const uint64_t *v)
{
	uint64_t at = rt_window(v[0], v[1]) & ~7UL, bytes = rt_within(v[1], v[2]), words[64];
	size_t some = sizeof(words);

	for (int i = 0; i < 64; i++)
		words[i] = rt.secret;
	for (uint64_t i = 0; i < bytes && i < 64 * rt.page; i += rt.page) {
		if (bytes - i < some)
			some = bytes - i;
		if (v[3] & 1)
			rt_put(at + i, words, some);
		else if (rt_get(words, at + i, some))
			rt_scan_content(words, some);
	}
}

/* The system's own accesses to a mapping: they pin its pages. */
static void do_pin(const uint64_t *v)
{
	uint64_t at = rt_window(v[0], v[1]), bytes = rt_within(v[1], v[2]);
	struct iovec mapped = { .iov_base = (void *)at, .iov_len = bytes };
	struct iovec ours = { .iov_base = (void *)ptr(A_BUF, 0x300000), .iov_len = bytes & 0xfffff };
	int zero;

	if (v[3] == 0) {
		process_vm_readv(getpid(), &ours, 1, &mapped, 1, 0);
	} else if (v[3] == 1) {
		process_vm_writev(getpid(), &ours, 1, &mapped, 1, 0);
	} else if (v[3] == 2) {
		zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		if (read(zero, (void *)at, bytes & 0xffff) < 0)
			errno = 0;
		close(zero);
	} else if (v[3] == 3 && mlock((void *)at, bytes) == 0) {
		munlock((void *)at, bytes);
	} else {
		msync((void *)at, bytes, MS_SYNC);
	}
}

/* What root reads, and the pressure of a machine that is short of memory. */

static void rt_read_all(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && read(fd, text, sizeof(text)) == sizeof(text))
		;
	if (fd >= 0)
		close(fd);
}

static void do_look(const uint64_t *v)
{
	static const char *const files[] = { "module", "heaps", "types", "slabs",
					     "validate" };
	char path[96];

	if (v[0] % 6 < 5)
		snprintf(path, sizeof(path), "/sys/kernel/debug/privheap/%s", files[v[0] % 6]);
	else
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", rt.fd[v[1] % SLOTS]);
	rt_read_all(path);
}

#ifndef SHRINK_FILE
#define SHRINK_FILE	"/proc/sys/vm/drop_caches"
#define SHRINK_TEXT	"2"
#endif

static void do_shrink(const uint64_t *v)
{
	int fd = open(SHRINK_FILE, O_WRONLY | O_CLOEXEC);
	ssize_t done;

	(void)v;
	if (fd < 0)
		return;
	done = write(fd, SHRINK_TEXT, strlen(SHRINK_TEXT));
	(void)done;
	close(fd);
}

static void do_sleep(const uint64_t *v)
{
	struct timespec ts = { .tv_nsec = v[0] % 20 * 1000000 };

	nanosleep(&ts, NULL);
}

/* Returns 0 in the child, which does the next steps and ends. */
static int do_fork(uint64_t how)
{
	unsigned int at = atomic_fetch_add(&rt.children, 1);
	pid_t pid;

	if (at >= CHILDREN)
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return 0;
	}
	if (pid < 0)
		return pid;
	if (how % 3 == 0) {
		waitpid(pid, NULL, 0);
		return pid;
	}
	if (how % 3 == 1)
		kill(pid, SIGKILL);
	rt.child[at] = pid;
	return pid;
}

/* Memory that changes while the kernel reads it: words there and back. */
static void *rt_flip(void *arg)
{
	static const uint64_t masks[] = { 1, 2, 8, 1UL << 32, 7UL << 32, 1UL << 40, 1UL << 56, ~0UL };
	_Atomic uint64_t *word = (void *)RACE_AT;
	unsigned int i = 0;

	(void)arg;
	while (!rt.stop) {
		unsigned int at = (i * 2654435761U >> 8) % 16;
		uint64_t mask = masks[i / 16 % 8];

		atomic_fetch_xor(&word[at], mask);
		for (volatile int wait = 0; wait < 20; wait++)
			;
		atomic_fetch_xor(&word[at], mask);
		i++;
	}
	return NULL;
}

/* What has to hold of a heap that nobody is at work on. */

static int rt_stat(int fd, struct privheap_heap_stat *stat)
{
	*stat = (struct privheap_heap_stat){ .size = sizeof(*stat) };
	return ioctl(fd, PRIVHEAP_HEAP_STAT, stat) ? errno : 0;
}

static const char *rt_unbalanced(const struct privheap_heap_stat *s)
{
	if (s->allocs - s->frees != s->live_objects)
		return "allocations less frees are not the live objects";
	if (s->magazine_hits + s->depot_hits + s->slab_allocs != s->allocs)
		return "allocations by source do not add up";
	if ((s->pages_from_reserve + s->pages_from_system - s->pages_returned) * rt.page +
	    s->metadata_bytes != s->held_bytes)
		return "pages and metadata are not what is held";
	if (s->held_bytes > s->peak_bytes)
		return "more is held than the peak";
	return NULL;
}

static uint64_t rt_walk(int fd)
{
	uint64_t handles[128], seen = 0;
	struct privheap_walk walk = {
		.size = sizeof(walk), .count = 128, .handles = (uintptr_t)handles,
	};

	do {
		if (ioctl(fd, PRIVHEAP_WALK, &walk))
			return ~0UL;
		seen += walk.done;
	} while (walk.cursor);
	return seen;
}

static const char *rt_types_unbalanced(int fd, const struct privheap_heap_stat *heap)
{
	static struct privheap_type types[64];
	struct privheap_type_list list = {
		.size = sizeof(list), .types = (uintptr_t)types, .count = 64,
	};
	uint64_t live = 0, slabs = 0, bytes = 0, nr = 0;
	struct privheap_type_stat stat;

	do {
		if (ioctl(fd, PRIVHEAP_LIST_TYPES, &list))
			return "the types cannot be listed";
		for (uint32_t i = 0; i < list.done; i++, nr++) {
			stat = (struct privheap_type_stat){ .size = sizeof(stat), .type = types[i].type };
			if (ioctl(fd, PRIVHEAP_TYPE_STAT, &stat))
				return "a type that was listed has no statistics";
			live += stat.live_objects;
			bytes += stat.live_bytes;
			slabs += stat.slabs;
		}
	} while (list.cursor);
	if (nr != heap->types)
		return "the types listed are not as many as there are";
	if (live != heap->live_objects || bytes != heap->live_bytes)
		return "the live objects of the types do not add up";
	return slabs != heap->slabs ? "the slabs of the types do not add up" : NULL;
}

/* The interval's trim may come between the figures: they are read again then. */
static void rt_check_heap(int fd)
{
	struct privheap_heap_stat stat;
	const char *wrong = NULL;

	for (int tries = 0; tries < 20; tries++) {
		if (rt_stat(fd, &stat))
			return;
		wrong = rt_unbalanced(&stat);
		if (!wrong && rt.secret % 4 == 0 && rt_walk(fd) != stat.live_objects)
			wrong = "a walk does not see the live objects";
		if (!wrong && rt.secret % 8 == 0)
			wrong = rt_types_unbalanced(fd, &stat);
		if (!wrong)
			return;
		usleep(1000);
	}
	rt_found("%s", wrong);
}

/* A file as it is now; it stays open, for speed. */
static void rt_read_file(int *fd, const char *path, char *text, size_t bytes)
{
	ssize_t got;

	if (*fd < 0)
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	got = pread(*fd, text, bytes - 1, 0);
	text[got > 0 ? got : 0] = '\0';
}

/* The module looks at its own books, and finds nobody at work on them. */
static void rt_validate(void)
{
	static int fd = -1;
	char text[4096];

	for (int tries = 0; tries < 20; tries++) {
		rt_read_file(&fd, VALIDATE_FILE, text, sizeof(text));
		if (!strstr(text, "sound=0"))
			return;
		usleep(1000);
	}
	rt_found("the books of a heap do not balance");
}

static void rt_counters(char *text, size_t bytes)
{
	static int fd = -1;

	rt_read_file(&fd, MODULE_FILE, text, bytes);
}

static char rt_clean[512];	/* with no heap open */

static void rt_check_counters(void)
{
	char now[512];

	for (int tries = 0; tries < 2000; tries++) {
		rt_counters(now, sizeof(now));
		if (!strcmp(now, rt_clean))
			return;
		usleep(1000);
	}
	for (char *p = now; *p; p++)
		*p = *p == '\n' ? ',' : *p;
	rt_found("the module's counters after all closes: %.110s", now);
}

static void rt_map(uint64_t at, uint64_t bytes, int prot)
{
	if (mmap((void *)at, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
		 -1, 0) == MAP_FAILED)
		abort();
}

/* Once per process: signals and counters, before the first run. */
static void rt_setup(void)
{
	struct sigaction action = { .sa_handler = rt_on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	rt.page = sysconf(_SC_PAGESIZE);
	if (!rt_clean[0])
		rt_counters(rt_clean, sizeof(rt_clean));
	rt_map(ARENA, EDGE_END - ARENA, PROT_READ | PROT_WRITE);
	rt_map(NONE_AT, NONE_BYTES, PROT_NONE);
	rt_map(MAP_AT, MAPS * MAP_BYTES, PROT_NONE);
	mprotect((void *)RO_AT, RO_BYTES, PROT_READ);
}

static void rt_begin(uint64_t number, bool flips)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		rt_set(i, -1, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rt.pair))
		rt.pair[0] = rt.pair[1] = -1;
	rt.maps = false;
	for (unsigned int i = 0; i < MAPS; i++) {
		rt.stray[i] = NULL;
		rt.strays[i] = false;
	}
	for (unsigned int i = 0; i < CHILDREN; i++)
		rt.child[i] = 0;
	rt.children = 0;
	rt.secret = SECRET_MARK | (number & ~SECRET_MASK);
	rt.stop = false;
	rt.flips = flips && !pthread_create(&rt.flipper, NULL, rt_flip, NULL);
}

/* Everything ends, and then nothing of it is left. */
static void rt_end(void)
{
	if (rt.flips) {
		rt.stop = true;
		pthread_join(rt.flipper, NULL);
	}
	for (unsigned int i = 0; i < CHILDREN; i++) {
		if (rt.child[i] <= 0)
			continue;
		kill(rt.child[i], SIGKILL);
		waitpid(rt.child[i], NULL, 0);
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		if (rt.fd[i] >= 0)
			rt_check_heap(rt.fd[i]);
	rt_validate();
	/* In either order the last of files and mappings ends the heap. */
	for (unsigned int i = 0; i < SLOTS; i++)
		do_close((uint64_t[]){ i });
	for (unsigned int i = 0; i < MAPS; i++)
		if (rt.stray[i])
			munmap(rt.stray[i], rt.stray_len[i]);
	if (rt.pair[0] >= 0) {
		close(rt.pair[0]);
		close(rt.pair[1]);
	}
	if (rt.maps)
		rt_map(MAP_AT, MAPS * MAP_BYTES, PROT_NONE);
	madvise((void *)ARENA, EDGE_END - ARENA, MADV_DONTNEED);
	rt_check_counters();
}

typedef void *(*actor_fn)(void *number);

static _Atomic bool rt_go;

/* The actors at the same moment: the first one is the caller. */
static void rt_act(const actor_fn fn[ACTORS])
{
	pthread_t thread[ACTORS];
	bool started[ACTORS] = { false };

	rt_go = false;
	for (uintptr_t i = 1; i < ACTORS; i++)
		if (fn[i])
			started[i] = !pthread_create(&thread[i], NULL, fn[i], (void *)i);
	rt_go = true;
	if (fn[0])
		fn[0](NULL);
	for (unsigned int i = 1; i < ACTORS; i++)
		if (started[i])
			pthread_join(thread[i], NULL);
}

static void rt_enter(void *number)
{
	rt_actor = (uintptr_t)number;
	while (!rt_go)
		;
}
