/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The user interface of /dev/privheap.
 *
 * Every open of the device is one private heap; it dies with the last close.
 */
#ifndef _UAPI_LINUX_PRIVHEAP_H
#define _UAPI_LINUX_PRIVHEAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Calling convention
 *
 * Every command takes a pointer to one struct. Its first member, ``size``, is
 * the size in bytes of the struct as the caller was compiled with. A kernel
 * with a longer struct reads the missing tail as zero; a kernel with a shorter
 * one accepts the call when the tail that it does not know is zero. Members
 * that a comment marks (out) are written by the kernel and ignored on entry.
 * Flags without a meaning and members named ``reserved`` must be zero.
 *
 * Arrays are passed as a 64-bit user address and a count of elements, at least
 * 1 and at most &privheap_query.max_batch. A batch is all or nothing: when
 * any element fails, no element has taken effect. With %PRIVHEAP_PARTIAL the
 * call stops at the first element that fails instead, keeps what was done
 * before it, and succeeds if that is at least one element; ``done`` tells how
 * many. ``done`` is valid whenever the call returns 0.
 *
 * All structs have the same layout for 32 and 64 bit callers.
 */

/**
 * DOC: The mapped door
 *
 * A program may map its heap, and then has its objects in its own memory. All
 * mappings are of the kind MAP_SHARED, never executable, and cannot be split,
 * moved or enlarged: what was mapped by one call is unmapped by one call. The
 * child of a fork has none of them; where madvise(MADV_DOFORK) was called, which
 * the slab map refuses, it has the addresses, and every access gives SIGBUS.
 * Closing the file leaves them in place; the heap dies with the last of file and
 * mappings. MAP_POPULATE puts in place what there is of the region behind the first
 * page that is not there, too.
 *
 * ============================ ===============================================
 * offset of mmap               what is there
 * ============================ ===============================================
 * %PRIVHEAP_MAP_REGION         the region: the object at offset N of the heap
 *                              is at byte N. As long as the heap may ever
 *                              become, or any part of it
 * %PRIVHEAP_MAP_SLABS          (read only) the slab map: one &struct
 *                              privheap_map_entry for each page of the region.
 *                              The program's own accesses put its pages in
 *                              place, and nothing else: not mlockall()
 * %PRIVHEAP_MAP_STAT           (read only) the statistics page: &struct
 *                              privheap_stat_page
 * ============================ ===============================================
 *
 * A page of the region is there while it belongs to a slab that is in use. An
 * access elsewhere gives SIGBUS, and is counted. A page is zero when it first
 * appears, and when its slab has changed its type.
 *
 * Objects come and go by PRIVHEAP_TAKE and PRIVHEAP_GIVE, many by a call, and
 * are named by their offsets. Between the two an object is *handed out*: the
 * kernel does not know whether the program uses it or has it in a magazine of
 * its own. No handle names it, so that only PRIVHEAP_GIVE, PRIVHEAP_RESIZE with
 * %PRIVHEAP_BY_OFFSET, and PRIVHEAP_TO_HANDLES reach it. PRIVHEAP_TO_OFFSETS
 * turns a live object with a handle into one that is handed out.
 */

/**
 * DOC: Errors
 *
 * On every error the heap is as it was before the call.
 *
 * Form of the call:
 *
 * ======================= ====================================================
 * ``ENOTTY``              no such command
 * ``EINVAL``              ``size`` below the first version of the struct; a
 *                         count of 0 or above max_batch; a value outside the
 *                         range documented at its member
 * ``E2BIG``               a tail that this kernel does not know is not zero
 * ``EOPNOTSUPP``          an unknown flag, a reserved member that is not
 *                         zero, or a command that the type does not offer
 * ``EFAULT``              the struct or an array is not accessible memory
 * ``EOVERFLOW``           sizes or offsets overflow when they are added up
 * ``EINTR``               the process is being killed
 * ======================= ====================================================
 *
 * Types and limits:
 *
 * ======================= ====================================================
 * ``ENOENT``              no type with this id or name
 * ``EEXIST``              the type's name is taken
 * ``EPERM``               a built-in type cannot be destroyed
 * ``EBUSY``               the type still has objects; the object is referenced
 *                         more than once; the heap has been used already
 * ``ERANGE``              the object size is outside the type's range
 * ``ENOSPC``              no more types fit
 * ``EDQUOT``              a quota or maximum is exhausted: the type's, the
 *                         heap's or the module's
 * ``ENOMEM``              the machine, or the opener's cgroup, is out of memory
 * ======================= ====================================================
 *
 * Handles, each of which is checked at every use:
 *
 * ======================= ====================================================
 * ``EXDEV``               the handle was given out by another heap
 * ``ESTALE``              the object was freed
 * ``EREMCHG``             the object was freed and its place serves another
 * ``EPROTOTYPE``          the object is of another type than the caller named
 * ``EBADSLT``             the handle points into the interior of an object
 * ``ENXIO``               made up: this heap never gave out such a handle
 * ======================= ====================================================
 *
 * The same for objects by offset: ``ENXIO`` where no slab is, ``EBADSLT`` in the
 * interior of one, ``ESTALE`` where none is handed out: it was given back, or
 * has a handle, or never was taken.
 *
 * Of an object that another thread frees at the same moment, or is about to in
 * a batch that then fails, it may be either of ``ESTALE`` and ``EREMCHG``.
 */

/** define PRIVHEAP_ABI_VERSION - version of this interface; grows when it does */
#define PRIVHEAP_ABI_VERSION	1

/** define PRIVHEAP_DEVICE - path of the device node */
#define PRIVHEAP_DEVICE		"/dev/privheap"

/** define PRIVHEAP_NAME_LEN - bytes of a type name, terminating NUL included */
#define PRIVHEAP_NAME_LEN	32

/**
 * enum privheap_builtin - ids of the types that every heap starts with
 * @PRIVHEAP_TYPE_INT: 28 bytes, 8-byte aligned; policy speed
 * @PRIVHEAP_TYPE_FLOAT: 24 bytes, 8-byte aligned; policy speed
 * @PRIVHEAP_TYPE_STR: any size, 8-byte aligned; policy compact
 * @PRIVHEAP_TYPE_BYTES: any size, 8-byte aligned; policy compact
 * @PRIVHEAP_TYPE_TUPLE: any size, 8-byte aligned; policy compact
 * @PRIVHEAP_TYPE_LIST: any size, 8-byte aligned; policy growable
 * @PRIVHEAP_TYPE_DICT: any size, 8-byte aligned; policy growable
 * @PRIVHEAP_TYPE_SET: any size, 8-byte aligned; policy growable
 * @PRIVHEAP_TYPE_OBJECT: untyped, any size, 16-byte aligned; policy speed
 * @PRIVHEAP_TYPE_USER: the lowest id that a program's own type can get
 *
 * Id 0 is never a type.
 */
enum privheap_builtin {
	PRIVHEAP_TYPE_INT	= 1,
	PRIVHEAP_TYPE_FLOAT	= 2,
	PRIVHEAP_TYPE_STR	= 3,
	PRIVHEAP_TYPE_BYTES	= 4,
	PRIVHEAP_TYPE_TUPLE	= 5,
	PRIVHEAP_TYPE_LIST	= 6,
	PRIVHEAP_TYPE_DICT	= 7,
	PRIVHEAP_TYPE_SET	= 8,
	PRIVHEAP_TYPE_OBJECT	= 9,
	PRIVHEAP_TYPE_USER	= 16
};

/**
 * enum privheap_policy - what a type's allocator is good at
 * @PRIVHEAP_POLICY_SPEED: fewest instructions: few size classes, large
 *	magazines, empty slabs kept for the working set
 * @PRIVHEAP_POLICY_COMPACT: least waste: close size classes, the fullest slab
 *	first, small magazines, idle memory given back at once
 * @PRIVHEAP_POLICY_GROWABLE: cheap resize: a resized object gets room to grow
 *	in place, and large ones grow by moving pages instead of bytes
 */
enum privheap_policy {
	PRIVHEAP_POLICY_SPEED		= 0,
	PRIVHEAP_POLICY_COMPACT		= 1,
	PRIVHEAP_POLICY_GROWABLE	= 2
};

/* Flags of a type (&privheap_type.flags). */
/** define PRIVHEAP_TYPE_ZERO_ALLOC - objects, and what resize adds, are zero */
#define PRIVHEAP_TYPE_ZERO_ALLOC	(1U << 0)
/** define PRIVHEAP_TYPE_ZERO_FREE - an object is overwritten when it is freed */
#define PRIVHEAP_TYPE_ZERO_FREE		(1U << 1)
/** define PRIVHEAP_TYPE_COUNTED - the kernel keeps a reference count per object */
#define PRIVHEAP_TYPE_COUNTED		(1U << 2)

/* Flags of a batched command. */
/** define PRIVHEAP_PARTIAL - keep what was done before the element that failed */
#define PRIVHEAP_PARTIAL		(1U << 0)
/** define PRIVHEAP_ZERO - PRIVHEAP_ALLOC and _TAKE: these objects are zero */
#define PRIVHEAP_ZERO			(1U << 1)

/* Features (&privheap_query.features). */
/** define PRIVHEAP_FEATURE_COUNTED - types may ask for reference counts */
#define PRIVHEAP_FEATURE_COUNTED	(1ULL << 0)
/** define PRIVHEAP_FEATURE_MAPPED - the heap can be mapped */
#define PRIVHEAP_FEATURE_MAPPED		(1ULL << 1)
/** define PRIVHEAP_FEATURE_HARDENED - the heap can be hardened */
#define PRIVHEAP_FEATURE_HARDENED	(1ULL << 2)

/* Where mmap() finds what. */
/** define PRIVHEAP_MAP_REGION - offset of the region */
#define PRIVHEAP_MAP_REGION		0ULL
/**
 * define PRIVHEAP_REGION_BYTES - the most of it that can be mapped
 *
 * Offsets have gaps, so an object may lie beyond &privheap_query.max_heap_bytes.
 */
#define PRIVHEAP_REGION_BYTES		(1ULL << 40)
/** define PRIVHEAP_MAP_SLABS - offset of the slab map */
#define PRIVHEAP_MAP_SLABS		(1ULL << 41)
/** define PRIVHEAP_MAP_STAT - offset of the statistics page */
#define PRIVHEAP_MAP_STAT		(1ULL << 42)

/* Flags of PRIVHEAP_SETUP. */
/** define PRIVHEAP_SETUP_DUMP - mappings of the region go into core dumps */
#define PRIVHEAP_SETUP_DUMP		(1U << 0)
/** define PRIVHEAP_SETUP_HARDENED - mistakes and attacks find less to work with */
#define PRIVHEAP_SETUP_HARDENED		(1U << 1)

/* Flags of PRIVHEAP_RESIZE. */
/** define PRIVHEAP_BY_OFFSET - the object is handed out, and named by its offset */
#define PRIVHEAP_BY_OFFSET		(1U << 0)

#define PRIVHEAP_IOC_MAGIC	0xBE

#define PRIVHEAP_QUERY		_IO(PRIVHEAP_IOC_MAGIC, 0x00)
#define PRIVHEAP_SETUP		_IO(PRIVHEAP_IOC_MAGIC, 0x01)
#define PRIVHEAP_TYPE_CREATE	_IO(PRIVHEAP_IOC_MAGIC, 0x02)
#define PRIVHEAP_TYPE_LOOKUP	_IO(PRIVHEAP_IOC_MAGIC, 0x03)
#define PRIVHEAP_LIST_TYPES	_IO(PRIVHEAP_IOC_MAGIC, 0x04)
#define PRIVHEAP_TYPE_DESTROY	_IO(PRIVHEAP_IOC_MAGIC, 0x05)
#define PRIVHEAP_ALLOC		_IO(PRIVHEAP_IOC_MAGIC, 0x06)
#define PRIVHEAP_FREE		_IO(PRIVHEAP_IOC_MAGIC, 0x07)
#define PRIVHEAP_RESIZE		_IO(PRIVHEAP_IOC_MAGIC, 0x08)
#define PRIVHEAP_READ		_IO(PRIVHEAP_IOC_MAGIC, 0x09)
#define PRIVHEAP_WRITE		_IO(PRIVHEAP_IOC_MAGIC, 0x0a)
#define PRIVHEAP_INFO		_IO(PRIVHEAP_IOC_MAGIC, 0x0b)
#define PRIVHEAP_GET		_IO(PRIVHEAP_IOC_MAGIC, 0x0c)
#define PRIVHEAP_PUT		_IO(PRIVHEAP_IOC_MAGIC, 0x0d)
#define PRIVHEAP_RESERVE	_IO(PRIVHEAP_IOC_MAGIC, 0x0e)
#define PRIVHEAP_TRIM		_IO(PRIVHEAP_IOC_MAGIC, 0x0f)
#define PRIVHEAP_HEAP_STAT	_IO(PRIVHEAP_IOC_MAGIC, 0x10)
#define PRIVHEAP_TYPE_STAT	_IO(PRIVHEAP_IOC_MAGIC, 0x11)
#define PRIVHEAP_WALK		_IO(PRIVHEAP_IOC_MAGIC, 0x12)
#define PRIVHEAP_TAKE		_IO(PRIVHEAP_IOC_MAGIC, 0x13)
#define PRIVHEAP_GIVE		_IO(PRIVHEAP_IOC_MAGIC, 0x14)
#define PRIVHEAP_TO_HANDLES	_IO(PRIVHEAP_IOC_MAGIC, 0x15)
#define PRIVHEAP_TO_OFFSETS	_IO(PRIVHEAP_IOC_MAGIC, 0x16)

/**
 * struct privheap_query - PRIVHEAP_QUERY: version, limits and features
 * @size: sizeof(struct privheap_query)
 * @flags: must be 0
 * @abi_version: (out) %PRIVHEAP_ABI_VERSION of the module
 * @page_size: (out) bytes of a page of the region
 * @features: (out) PRIVHEAP_FEATURE_* bits
 * @max_heap_bytes: (out) the most that this heap can ever hold, in bytes
 * @max_object_bytes: (out) the largest object, in bytes
 * @max_io_bytes: (out) the most that one PRIVHEAP_WRITE can carry, in bytes
 * @max_batch: (out) the most elements of one batch
 * @max_types: (out) the most types of one heap, built-in ones included
 * @max_align: (out) the largest alignment of a type, in bytes
 * @heap_id: (out) the number of this heap in debugfs and fdinfo
 */
struct privheap_query {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 page_size;
	__aligned_u64 features;
	__aligned_u64 max_heap_bytes;
	__aligned_u64 max_object_bytes;
	__aligned_u64 max_io_bytes;
	__u32 max_batch;
	__u32 max_types;
	__u32 max_align;
	__u32 heap_id;
};

/**
 * struct privheap_setup - PRIVHEAP_SETUP: limits and reserve of the heap
 * @size: sizeof(struct privheap_setup)
 * @flags: %PRIVHEAP_SETUP_DUMP: for mappings made from now on.
 *	%PRIVHEAP_SETUP_HARDENED: see below; refused with ``EBUSY`` after the first
 *	allocation or type creation
 * @reserve_bytes: memory to take for the heap now and to keep for it, in
 *	bytes, rounded up to pages; 0 leaves the reserve as it is
 * @soft_max_bytes: above this many bytes the heap gives idle memory back before
 *	it asks for more, and keeps none; 0 leaves it as it is
 * @hard_max_bytes: above this many bytes calls fail with ``EDQUOT``; 0 leaves it
 *	as it is
 * @type_flags: %PRIVHEAP_TYPE_ZERO_ALLOC and %PRIVHEAP_TYPE_ZERO_FREE: added to
 *	the flags of every type, built-in ones included. Refused with ``EBUSY``
 *	after the first allocation or type creation
 * @reserved: must be 0
 *
 * All bytes of a heap count: objects, free slots, reserve and metadata.
 * ``EBUSY``: hard_max_bytes is below what the heap holds now. ``EINVAL``:
 * hard_max_bytes or reserve_bytes is above &privheap_query.max_heap_bytes, or
 * soft_max_bytes above the hard maximum. ``EDQUOT``, ``ENOMEM``: the reserve
 * cannot be had.
 *
 * In a hardened heap freed objects are zeroed, wait in a queue before their
 * places are used again, and have to be zero still when that happens; if not,
 * somebody wrote to one after it was freed, which the kernel's log and
 * &privheap_heap_stat.written_after_free tell. Nobody may write to what was only
 * promised, either. The place of a new object is chosen at random. Behind each
 * slab lies a page that cannot be reached, and offsets that one type had serve
 * no other.
 */
struct privheap_setup {
	__u32 size;
	__u32 flags;
	__aligned_u64 reserve_bytes;
	__aligned_u64 soft_max_bytes;
	__aligned_u64 hard_max_bytes;
	__u32 type_flags;
	__u32 reserved;
};

/**
 * struct privheap_type - PRIVHEAP_TYPE_CREATE, _TYPE_LOOKUP, _LIST_TYPES: one type
 * @size: sizeof(struct privheap_type)
 * @flags: PRIVHEAP_TYPE_* bits
 * @name: NUL-terminated, not empty, printable ASCII without blanks
 * @type: (out) id of the type
 * @policy: enum privheap_policy
 * @min_bytes: smallest object, in bytes; at least 1
 * @max_bytes: largest object, in bytes; 0 stands for min_bytes, that is, a
 *	fixed size; at most &privheap_query.max_object_bytes
 * @align: power of two up to &privheap_query.max_align; 0 stands for 8
 * @keep_slabs: this many empty slabs of each size class stay cached however
 *	idle they are; at most 1024
 * @quota_objects: the most live objects; 0: no quota
 * @prealloc_objects: objects to reserve at creation, as PRIVHEAP_RESERVE with
 *	min_bytes does
 * @nr_slots: must be 0 (number of declared reference slots)
 * @reserved: must be 0
 * @slots: must be 0 (array of declared reference slots)
 *
 * CREATE reads all but @type and writes @type. LOOKUP reads @name alone, all
 * else must be zero, and fills in the rest. The array of LIST is output only.
 */
struct privheap_type {
	__u32 size;
	__u32 flags;
	char name[PRIVHEAP_NAME_LEN];
	__u32 type;
	__u32 policy;
	__aligned_u64 min_bytes;
	__aligned_u64 max_bytes;
	__u32 align;
	__u32 keep_slabs;
	__aligned_u64 quota_objects;
	__aligned_u64 prealloc_objects;
	__u32 nr_slots;
	__u32 reserved;
	__aligned_u64 slots;
};

/**
 * struct privheap_type_list - PRIVHEAP_LIST_TYPES: the types of the heap
 * @size: sizeof(struct privheap_type_list)
 * @flags: must be 0
 * @types: user array of @count struct privheap_type
 * @count: elements of @types
 * @done: (out) elements filled in
 * @cursor: 0 to begin; (out) where the next call goes on; 0 after the last type
 * @reserved: must be 0
 */
struct privheap_type_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 types;
	__u32 count;
	__u32 done;
	__u32 cursor;
	__u32 reserved;
};

/**
 * struct privheap_type_destroy - PRIVHEAP_TYPE_DESTROY
 * @size: sizeof(struct privheap_type_destroy)
 * @flags: must be 0
 * @type: id of a type without objects
 * @reserved: must be 0
 */
struct privheap_type_destroy {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 reserved;
};

/**
 * struct privheap_alloc - PRIVHEAP_ALLOC: allocate objects of one type
 * @size: sizeof(struct privheap_alloc)
 * @flags: %PRIVHEAP_PARTIAL, %PRIVHEAP_ZERO
 * @type: id of the type
 * @count: how many objects
 * @handles: user array of @count __u64 that receives the handles
 * @object_bytes: size of each object, in bytes; 0 stands for the type's
 *	smallest. Must be 0 when @sizes is given
 * @sizes: user array of @count __u64, the size in bytes of each object; or 0
 * @done: (out) objects allocated
 * @reserved: must be 0
 *
 * A new object's content is zero where the type or the call says so; otherwise
 * it is unspecified, and never anything from outside this heap. Objects of a
 * counted type start with one reference.
 */
struct privheap_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 handles;
	__aligned_u64 object_bytes;
	__aligned_u64 sizes;
	__u32 done;
	__u32 reserved;
};

/**
 * struct privheap_batch - PRIVHEAP_FREE, _GET and _PUT: objects by handle
 * @size: sizeof(struct privheap_batch)
 * @flags: %PRIVHEAP_PARTIAL
 * @type: the type that every object must have; 0 for any
 * @count: how many handles
 * @handles: user array of @count __u64
 * @done: (out) elements done
 * @freed: (out) PRIVHEAP_PUT: how many objects lost their last reference and
 *	were freed
 *
 * FREE of a counted object needs it to have one reference (else ``EBUSY``).
 * GET and PUT need a counted type (else ``EOPNOTSUPP``). A count that reaches
 * %PRIVHEAP_REFS_SATURATED stays there: GET and PUT succeed and change nothing,
 * FREE is ``EBUSY``, and the object lives as long as its heap.
 */
struct privheap_batch {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 handles;
	__u32 done;
	__u32 freed;
};

/** define PRIVHEAP_REFS_SATURATED - the largest reference count */
#define PRIVHEAP_REFS_SATURATED		0x7fffffffU

/**
 * struct privheap_resize - PRIVHEAP_RESIZE: change the size of one object
 * @size: sizeof(struct privheap_resize)
 * @flags: %PRIVHEAP_BY_OFFSET
 * @handle: the object; (out) its handle from now on, which differs where the
 *	object had to move. The old handle is then ``ESTALE``. With
 *	%PRIVHEAP_BY_OFFSET, its offset in the region
 * @object_bytes: new size, in bytes, within the type's range
 * @usable_bytes: (out) size up to which it can be resized without moving
 * @type: the type that the object must have; 0 for any
 * @reserved: must be 0
 *
 * Content is kept up to the smaller of both sizes. What is added is zero where
 * the type says so, else unspecified. A counted object keeps its count.
 */
struct privheap_resize {
	__u32 size;
	__u32 flags;
	__aligned_u64 handle;
	__aligned_u64 object_bytes;
	__aligned_u64 usable_bytes;
	__u32 type;
	__u32 reserved;
};

/**
 * struct privheap_io - one element of PRIVHEAP_READ and PRIVHEAP_WRITE
 * @handle: the object
 * @offset: first byte within the object
 * @bytes: how many bytes; @offset + @bytes at most the object's size (else
 *	``ERANGE``); 0 only checks the handle
 * @buffer: user memory to copy to (READ) or from (WRITE)
 */
struct privheap_io {
	__aligned_u64 handle;
	__aligned_u64 offset;
	__aligned_u64 bytes;
	__aligned_u64 buffer;
};

/**
 * struct privheap_rw - PRIVHEAP_READ, PRIVHEAP_WRITE: content of objects
 * @size: sizeof(struct privheap_rw)
 * @flags: %PRIVHEAP_PARTIAL
 * @type: the type that every object must have; 0 for any
 * @count: how many elements
 * @ios: user array of @count struct privheap_io
 * @done: (out) elements done
 * @reserved: must be 0
 *
 * The bytes of one WRITE add up to at most &privheap_query.max_io_bytes (else
 * ``EINVAL``). A READ that fails may have written to the caller's buffers. A
 * WRITE writes all or nothing; of an object that another thread frees or resizes
 * at the same moment, what it wrote may be lost.
 */
struct privheap_rw {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 ios;
	__u32 done;
	__u32 reserved;
};

/**
 * struct privheap_object_info - what PRIVHEAP_INFO tells of one object
 * @type: id of its type
 * @refs: reference count; 1 for objects that are not counted
 * @requested_bytes: the size that the caller asked for
 * @usable_bytes: the size up to which it can be resized in place
 * @offset: where it lies in the region, in bytes
 */
struct privheap_object_info {
	__u32 type;
	__u32 refs;
	__aligned_u64 requested_bytes;
	__aligned_u64 usable_bytes;
	__aligned_u64 offset;
};

/**
 * struct privheap_info - PRIVHEAP_INFO: facts about objects
 * @size: sizeof(struct privheap_info)
 * @flags: %PRIVHEAP_PARTIAL
 * @type: the type that every object must have; 0 for any
 * @count: how many handles
 * @handles: user array of @count __u64
 * @infos: user array of @count struct privheap_object_info
 * @done: (out) elements done
 * @reserved: must be 0
 */
struct privheap_info {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 handles;
	__aligned_u64 infos;
	__u32 done;
	__u32 reserved;
};

/**
 * struct privheap_reserve - PRIVHEAP_RESERVE: promise of allocations
 * @size: sizeof(struct privheap_reserve)
 * @flags: must be 0
 * @type: id of the type
 * @reserved: must be 0
 * @object_bytes: size of the objects, in bytes; 0 stands for the type's smallest
 * @count: objects to add to the promise; 0 takes all that is left of it back
 * @promised: (out) the promise as it stands now, in objects of this size class
 *
 * After it the next @promised allocations of this type and size cannot fail for
 * want of memory: their memory is taken, zeroed and counted now. No trim and
 * no pressure takes it back. Allocations that reach the promised slabs use the
 * promise up; those that reuse an object just freed may leave it standing.
 */
struct privheap_reserve {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 reserved;
	__aligned_u64 object_bytes;
	__aligned_u64 count;
	__aligned_u64 promised;
};

/**
 * struct privheap_trim - PRIVHEAP_TRIM: give idle memory back now
 * @size: sizeof(struct privheap_trim)
 * @flags: must be 0
 * @released_bytes: (out) memory given back, in bytes
 *
 * Reserves that were promised, and keep_slabs, stay.
 */
struct privheap_trim {
	__u32 size;
	__u32 flags;
	__aligned_u64 released_bytes;
};

/**
 * struct privheap_heap_stat - PRIVHEAP_HEAP_STAT
 * @size: sizeof(struct privheap_heap_stat)
 * @flags: must be 0
 * @heap_id: (out) number of the heap
 * @types: (out) types, built-in ones included
 * @held_bytes: (out) all memory of the heap: pages and metadata
 * @metadata_bytes: (out) of which metadata
 * @peak_bytes: (out) most that held_bytes has been
 * @reserve_bytes: (out) of which pages that no slab uses: the heap's reserve
 * @soft_max_bytes: (out) soft maximum
 * @hard_max_bytes: (out) hard maximum
 * @slabs: (out) slabs, those of large objects included
 * @empty_slabs: (out) of which hold no object
 * @live_objects: (out) objects allocated and not freed
 * @live_bytes: (out) bytes requested for them
 * @allocs: (out) objects allocated so far
 * @frees: (out) objects freed so far
 * @magazine_hits: (out) allocations served by this CPU's magazines
 * @depot_hits: (out) allocations served by a full magazine of the depot
 * @slab_allocs: (out) allocations served by slabs
 * @fresh_allocs: (out) slots that slabs gave out for the first time, to an
 *	allocation or to a magazine
 * @pages_from_reserve: (out) pages taken from the module's reserve so far
 * @pages_from_system: (out) pages taken from the page allocator so far
 * @pages_returned: (out) pages given back so far
 * @system_requests: (out) calls to the page allocator so far
 * @retyped_slabs: (out) empty slabs that were zeroed and given to another type
 * @reclaims: (out) times that idle memory was taken back under pressure
 * @moved_bytes: (out) bytes copied by resize
 * @moved_pages: (out) pages moved by resize instead of being copied
 * @handed_objects: (out) objects handed out by PRIVHEAP_TAKE, whether in use or
 *	not; live_objects does not have them
 * @handed_bytes: (out) bytes that they can use
 * @taken: (out) objects handed out so far
 * @given: (out) of which given back
 * @faults: (out) page faults that the mappings of the region have served
 * @mapped_pages: (out) pages that they put in place
 * @refused_faults: (out) accesses to where no page may be, each a SIGBUS
 * @written_after_free: (out) objects of a hardened heap that were written to
 *	after they were freed, as far as their places were used again since
 * @mapped_units: (out) units that page faults put in place as a whole: parts of
 *	large objects that one entry of the page tables maps; mapped_pages has
 *	their pages, too
 * @unit_bytes: (out) bytes of one, 2 MiB say; 0: this machine has none
 */
struct privheap_heap_stat {
	__u32 size;
	__u32 flags;
	__u32 heap_id;
	__u32 types;
	__aligned_u64 held_bytes;
	__aligned_u64 metadata_bytes;
	__aligned_u64 peak_bytes;
	__aligned_u64 reserve_bytes;
	__aligned_u64 soft_max_bytes;
	__aligned_u64 hard_max_bytes;
	__aligned_u64 slabs;
	__aligned_u64 empty_slabs;
	__aligned_u64 live_objects;
	__aligned_u64 live_bytes;
	__aligned_u64 allocs;
	__aligned_u64 frees;
	__aligned_u64 magazine_hits;
	__aligned_u64 depot_hits;
	__aligned_u64 slab_allocs;
	__aligned_u64 fresh_allocs;
	__aligned_u64 pages_from_reserve;
	__aligned_u64 pages_from_system;
	__aligned_u64 pages_returned;
	__aligned_u64 system_requests;
	__aligned_u64 retyped_slabs;
	__aligned_u64 reclaims;
	__aligned_u64 moved_bytes;
	__aligned_u64 moved_pages;
	__aligned_u64 handed_objects;
	__aligned_u64 handed_bytes;
	__aligned_u64 taken;
	__aligned_u64 given;
	__aligned_u64 faults;
	__aligned_u64 mapped_pages;
	__aligned_u64 refused_faults;
	__aligned_u64 written_after_free;
	__aligned_u64 mapped_units;
	__aligned_u64 unit_bytes;
};

/**
 * struct privheap_type_stat - PRIVHEAP_TYPE_STAT
 * @size: sizeof(struct privheap_type_stat)
 * @flags: must be 0
 * @type: id of the type
 * @size_classes: (out) size classes in use
 * @held_bytes: (out) memory of its slabs and caches: pages and metadata
 * @metadata_bytes: (out) of which metadata
 * @slabs: (out) slabs
 * @empty_slabs: (out) of which hold no object
 * @live_objects: (out) objects allocated and not freed
 * @live_bytes: (out) bytes requested for them
 * @slots: (out) objects that the slabs have room for
 * @magazine_objects: (out) free objects in magazines and the depot
 * @promised_objects: (out) what is left of PRIVHEAP_RESERVE
 * @quota_objects: (out) most live objects; 0: no quota
 * @allocs: (out) objects allocated so far
 * @frees: (out) objects freed so far
 * @magazine_hits: (out) allocations served by this CPU's magazines
 * @depot_hits: (out) allocations served by a full magazine of the depot
 * @slab_allocs: (out) allocations served by slabs
 * @fresh_allocs: (out) slots that slabs gave out for the first time, to an
 *	allocation or to a magazine
 * @handed_objects: (out) objects handed out by PRIVHEAP_TAKE, whether in use or
 *	not; live_objects does not have them
 * @handed_bytes: (out) bytes that they can use
 */
struct privheap_type_stat {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 size_classes;
	__aligned_u64 held_bytes;
	__aligned_u64 metadata_bytes;
	__aligned_u64 slabs;
	__aligned_u64 empty_slabs;
	__aligned_u64 live_objects;
	__aligned_u64 live_bytes;
	__aligned_u64 slots;
	__aligned_u64 magazine_objects;
	__aligned_u64 promised_objects;
	__aligned_u64 quota_objects;
	__aligned_u64 allocs;
	__aligned_u64 frees;
	__aligned_u64 magazine_hits;
	__aligned_u64 depot_hits;
	__aligned_u64 slab_allocs;
	__aligned_u64 fresh_allocs;
	__aligned_u64 handed_objects;
	__aligned_u64 handed_bytes;
};

/**
 * struct privheap_walk - PRIVHEAP_WALK: the live objects of a type
 * @size: sizeof(struct privheap_walk)
 * @flags: must be 0
 * @type: id of the type; 0 for all types
 * @count: elements of @handles
 * @handles: user array of @count __u64 that receives handles
 * @cursor: 0 to begin; (out) where the next call goes on; 0 at the end
 * @done: (out) handles written; may be 0 before the end
 * @reserved: must be 0
 *
 * One call looks at a bounded number of slabs. An object that is live during
 * the whole walk is seen once; one that comes or goes meanwhile may be seen, by
 * a handle that is good no more or not yet.
 */
struct privheap_walk {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 handles;
	__aligned_u64 cursor;
	__u32 done;
	__u32 reserved;
};

/**
 * struct privheap_run - up to 64 objects of one slab
 * @offset: where in the region the first of 64 neighbours begins, in bytes
 * @mask: which of them are meant: bit N stands for the object at @offset + N
 *	times the distance of the slab's objects
 */
struct privheap_run {
	__aligned_u64 offset;
	__aligned_u64 mask;
};

/**
 * struct privheap_take - PRIVHEAP_TAKE: objects to be handed out
 * @size: sizeof(struct privheap_take)
 * @flags: %PRIVHEAP_ZERO
 * @type: id of the type; not a counted one (else ``EOPNOTSUPP``)
 * @count: the most objects, 1 to &privheap_query.max_batch
 * @object_bytes: size of each object, in bytes; 0 stands for the type's
 *	smallest; (out) what each of them can use: the size of its class
 * @runs: user array of @max_runs struct privheap_run that receives the objects
 * @max_runs: length of @runs, 1 to &privheap_query.max_batch
 * @nr_runs: (out) how many runs there are
 * @done: (out) how many objects: at least 1, at most @count
 * @stride: (out) bytes from one object of a run to the next; 0 where the object
 *	has pages of its own, and then is the only one of its run
 * @size_class: (out) number of the size class, from 0 within the type; as in
 *	&privheap_map_entry.size_class
 * @reserved: must be 0
 *
 * There may be fewer objects than asked for: when @runs is full, a quota near,
 * or more memory not to be had; an error means that there are none. Without
 * %PRIVHEAP_ZERO what is in them is unspecified, whatever the type says, but
 * never anything from outside this heap. They use promises of PRIVHEAP_RESERVE up.
 */
struct privheap_take {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 object_bytes;
	__aligned_u64 runs;
	__u32 max_runs;
	__u32 nr_runs;
	__u32 done;
	__u32 stride;
	__u32 size_class;
	__u32 reserved;
};

/**
 * struct privheap_give - PRIVHEAP_GIVE: objects come back
 * @size: sizeof(struct privheap_give)
 * @flags: %PRIVHEAP_PARTIAL
 * @type: the type that every object must have; 0 for any
 * @count: how many runs
 * @runs: user array of @count struct privheap_run; no mask is 0
 * @done: (out) runs that came back
 * @reserved: must be 0
 *
 * Objects of types with %PRIVHEAP_TYPE_ZERO_FREE are overwritten.
 */
struct privheap_give {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 runs;
	__u32 done;
	__u32 reserved;
};

/**
 * struct privheap_convert - PRIVHEAP_TO_HANDLES, PRIVHEAP_TO_OFFSETS
 * @size: sizeof(struct privheap_convert)
 * @flags: must be 0
 * @type: the type that every object must have; 0 for any
 * @count: how many objects
 * @from: user array of @count __u64: offsets of objects that are handed out
 *	(TO_HANDLES), or handles (TO_OFFSETS)
 * @to: user array of @count __u64 that receives handles or offsets
 *
 * TO_HANDLES: the objects are live from now on, all that they can use is
 * requested, and PRIVHEAP_GIVE does not know them any more. TO_OFFSETS: they
 * are handed out from now on, and their handles are ``ESTALE``; a counted type
 * is ``EOPNOTSUPP``. Both may need memory for the heap's books: ``EDQUOT``,
 * ``ENOMEM``.
 */
struct privheap_convert {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 from;
	__aligned_u64 to;
};

/**
 * enum privheap_state - what covers a page of the region
 * @PRIVHEAP_STATE_FREE: nothing
 * @PRIVHEAP_STATE_SLAB: a slab of objects of one size
 * @PRIVHEAP_STATE_SPAN: one object that has pages of its own
 */
enum privheap_state {
	PRIVHEAP_STATE_FREE	= 0,
	PRIVHEAP_STATE_SLAB	= 1,
	PRIVHEAP_STATE_SPAN	= 2
};

/**
 * struct privheap_map_entry - the slab map: what covers a page of the region
 * @first_page: number of the slab's first page; its offset is that times
 *	&privheap_query.page_size
 * @pages: length of the slab in pages
 * @stride: bytes from one object to the next; 0 for a span
 * @size_class: number of the size class within the type; 255 for a span
 * @state: enum privheap_state
 * @type: id of the type
 *
 * The object that an offset lies in begins at the largest multiple of @stride
 * from the slab's offset on.
 */
struct privheap_map_entry {
	__u32 first_page;
	__u32 pages;
	__u32 stride;
	__u8 size_class;
	__u8 state;
	__u16 type;
};

/**
 * struct privheap_stat_entry - the statistics page: one type
 * @handed_objects: objects handed out, in use or not, as of now
 * @handed_bytes: bytes that they can use
 * @live_objects: objects with handles, as of the last update
 * @live_bytes: bytes requested for them
 */
struct privheap_stat_entry {
	__aligned_u64 handed_objects;
	__aligned_u64 handed_bytes;
	__aligned_u64 live_objects;
	__aligned_u64 live_bytes;
};

/** define PRIVHEAP_STAT_TYPES - entries of the statistics page */
#define PRIVHEAP_STAT_TYPES		1024

/**
 * struct privheap_stat_page - the statistics page
 * @version: 1
 * @types: length of @type
 * @updates: how often the kernel has brought it up to date as a whole, which it
 *	does at intervals (trim_interval_ms); what is handed out is exact at any
 *	time
 * @held_bytes: all memory of the heap, as of the last update
 * @reserved: 0
 * @type: by id of the type
 */
struct privheap_stat_page {
	__u32 version;
	__u32 types;
	__aligned_u64 updates;
	__aligned_u64 held_bytes;
	__aligned_u64 reserved[5];
	struct privheap_stat_entry type[PRIVHEAP_STAT_TYPES];
};

#endif /* _UAPI_LINUX_PRIVHEAP_H */
