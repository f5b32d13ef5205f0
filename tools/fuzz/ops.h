/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ops: what an input can do, and what their values are for. For exec.c
 * alone, which has the functions that they name.
 */
const char *const area_names[AREAS] = {
	"null", "buf", "edge", "ro", "none", "kern", "race", "high",
	"map0", "map1", "map2", "map3",
};

/* A value that is no member of the struct; and one that is. */
#define V(_name, _meaning, _usual) \
	{ .name = _name, .meaning = _meaning, .at = -1, .usual = (_usual) }
#define M(_type, _member, _meaning, _usual) \
	{ .name = #_member, .meaning = _meaning, .at = offsetof(struct _type, _member), \
	  .bytes = sizeof(((struct _type *)0)->_member), .usual = (_usual) }

#define HEAD(_type) \
	V("fd", M_SLOT, 0), V("at", M_AT, 0), V("cmd", M_CMD, 0), V("compat", M_BOOL, 0), \
	V("tail", M_TAIL, 0), M(_type, size, M_SIZE, sizeof(struct _type))
#define HANDLES \
	V("first", M_INDEX, 0), V("stride", M_STRIDE, 1), V("bad_at", M_PLACE, 0), V("bad", M_BAD, 0)

#define COMMAND(_name, _cmd, _type, _weight) \
	.name = _name, .cmd_name = #_cmd, .cmd = _cmd, .type = "privheap_" #_type, \
	.bytes = sizeof(struct privheap_##_type), .may_fail = true, .weight = _weight
#define BEFORE(_fn)	.before = _fn, .before_name = #_fn
#define AFTER(_fn)	.after = _fn, .after_name = #_fn
#define STEP(_name, _weight) .name = #_name, .run = do_##_name, .weight = _weight

#define BATCH_OP(_name, _cmd, _weight) { \
	COMMAND(_name, _cmd, batch, _weight), BEFORE(before_batch), .fields = { \
	HEAD(privheap_batch), M(privheap_batch, flags, M_FLAGS, 0), \
	M(privheap_batch, type, M_TYPE, 0), M(privheap_batch, count, M_COUNT, 1), \
	M(privheap_batch, handles, M_IN_PTR, 0x1000), M(privheap_batch, done, M_OUT, 0), \
	M(privheap_batch, freed, M_OUT, 0), HANDLES } }

#define RW_OP(_name, _cmd, _before, _after, _weight) { \
	COMMAND(_name, _cmd, rw, _weight), BEFORE(_before), AFTER(_after), .fields = { \
	HEAD(privheap_rw), M(privheap_rw, flags, M_FLAGS, 0), \
	M(privheap_rw, type, M_TYPE, 0), M(privheap_rw, count, M_COUNT, 1), \
	M(privheap_rw, ios, M_IN_PTR, 0x1000), M(privheap_rw, done, M_OUT, 0), \
	M(privheap_rw, reserved, M_ZERO, 0), HANDLES, \
	V("a", M_OFFSET, 0), V("b", M_BYTES, 8), V("buffer", M_OUT_PTR, 0x200000) } }

#define CONVERT_OP(_name, _cmd, _before, _after, _weight) { \
	COMMAND(_name, _cmd, convert, _weight), BEFORE(_before), AFTER(_after), .fields = { \
	HEAD(privheap_convert), M(privheap_convert, flags, M_ZERO, 0), \
	M(privheap_convert, type, M_TYPE, 0), M(privheap_convert, count, M_COUNT, 1), \
	M(privheap_convert, from, M_IN_PTR, 0x1000), M(privheap_convert, to, M_OUT_PTR, 0x80000), \
	HANDLES } }

#define TYPE_FIELDS \
	HEAD(privheap_type), M(privheap_type, flags, M_FLAGS, 0), \
	M(privheap_type, name, M_NAME, 0), M(privheap_type, type, M_OUT, 0), \
	M(privheap_type, policy, M_POLICY, 0), M(privheap_type, min_bytes, M_BYTES, 0), \
	M(privheap_type, max_bytes, M_BYTES, 0), M(privheap_type, align, M_ALIGN, 0), \
	M(privheap_type, keep_slabs, M_COUNT, 0), M(privheap_type, quota_objects, M_COUNT, 0), \
	M(privheap_type, prealloc_objects, M_COUNT, 0), M(privheap_type, nr_slots, M_ZERO, 0), \
	M(privheap_type, reserved, M_ZERO, 0), M(privheap_type, slots, M_ZERO, 0)

/* The name alone: all else has to be zero. */
#define LOOKUP_FIELDS \
	HEAD(privheap_type), M(privheap_type, flags, M_ZERO, 0), \
	M(privheap_type, name, M_NAME, 0), M(privheap_type, type, M_ZERO, 0), \
	M(privheap_type, policy, M_ZERO, 0), M(privheap_type, min_bytes, M_ZERO, 0), \
	M(privheap_type, slots, M_ZERO, 0)

const struct op ops[] = {
	{ .may_fail = true, STEP(open, 4), .fields = { V("fd", M_SLOT, 0), V("mode", M_MODE, 2) } },
	{ STEP(close, 3), .fields = { V("fd", M_SLOT, 0) } },
	{ STEP(dup, 2), .fields = { V("fd", M_SLOT, 0), V("to", M_SLOT, 1) } },
	{ STEP(other, 1), .fields = { V("fd", M_SLOT, 0), V("mode", M_MODE, 0) } },
	{ STEP(send, 1), .fields = { V("fd", M_SLOT, 0) } },
	{ STEP(receive, 1), .fields = { V("fd", M_SLOT, 1) } },
	{ .name = "fork", .weight = 2, .fields = {
		V("how", M_MODE, 0), V("steps", M_STEPS, 1) } },
	{ STEP(look, 1), .fields = { V("file", M_MODE, 0), V("fd", M_SLOT, 0) } },
	{ STEP(shrink, 1), .fields = { V("how", M_MODE, 0) } },
	{ STEP(sleep, 1), .fields = { V("ms", M_MODE, 1) } },
	{ .may_fail = true, STEP(map, 3), .fields = {
		V("fd", M_SLOT, 0), V("map", M_MAP, 0), V("bytes", M_PAGES, 0x10000),
		V("prot", M_PROT, 3), V("flags", M_MODE, 0), V("offset", M_WHERE, 0) } },
	{ .may_fail = true, STEP(mapany, 1), .fields = {
		V("fd", M_SLOT, 0), V("map", M_MAP, 0), V("bytes", M_LARGE, 0x10000),
		V("prot", M_PROT, 3), V("flags", M_MODE, 0), V("offset", M_WHERE, 0) } },
	{ STEP(unmap, 1), .fields = {
		V("map", M_MAP, 0), V("from", M_PAGES, 0), V("bytes", M_PAGES, 0x10000) } },
	{ STEP(protect, 1), .fields = {
		V("map", M_MAP, 0), V("from", M_PAGES, 0), V("bytes", M_PAGES, 0x10000),
		V("prot", M_PROT, 3) } },
	{ STEP(advise, 1), .fields = {
		V("map", M_MAP, 0), V("from", M_PAGES, 0), V("bytes", M_PAGES, 0x10000),
		V("advice", M_ADVICE, 4) } },
	{ STEP(remap, 1), .fields = {
		V("map", M_MAP, 0), V("from", M_PAGES, 0), V("bytes", M_PAGES, 0x10000),
		V("new", M_PAGES, 0x20000), V("to", M_MAP, 1), V("flags", M_MODE, 1) } },
	{ STEP(remapfile, 1), .fields = {
		V("map", M_MAP, 0), V("from", M_PAGES, 0), V("bytes", M_PAGES, 0x10000),
		V("page", M_MODE, 0) } },
	{ STEP(touch, 3), .fields = {
		V("map", M_MAP, 0), V("from", M_PAGES, 0), V("bytes", M_PAGES, 0x10000),
		V("write", M_BOOL, 0) } },
	{ STEP(pin, 1), .fields = {
		V("map", M_MAP, 0), V("from", M_PAGES, 0), V("bytes", M_PAGES, 0x10000),
		V("how", M_MODE, 0) } },
	{ COMMAND("query", PRIVHEAP_QUERY, query, 1), .fields = {
		HEAD(privheap_query), M(privheap_query, flags, M_FLAGS, 0) } },
	{ COMMAND("setup", PRIVHEAP_SETUP, setup, 2), .fields = {
		HEAD(privheap_setup), M(privheap_setup, flags, M_FLAGS, 0),
		M(privheap_setup, reserve_bytes, M_LARGE, 0),
		M(privheap_setup, soft_max_bytes, M_LARGE, 0),
		M(privheap_setup, hard_max_bytes, M_LARGE, 0),
		M(privheap_setup, type_flags, M_FLAGS, 0),
		M(privheap_setup, reserved, M_ZERO, 0) } },
	{ COMMAND("type_create", PRIVHEAP_TYPE_CREATE, type, 4), AFTER(after_type),
	  .fields = { TYPE_FIELDS } },
	{ COMMAND("type_lookup", PRIVHEAP_TYPE_LOOKUP, type, 1), AFTER(after_type),
	  .fields = { LOOKUP_FIELDS } },
	{ COMMAND("list_types", PRIVHEAP_LIST_TYPES, type_list, 1), AFTER(after_list), .fields = {
		HEAD(privheap_type_list), M(privheap_type_list, flags, M_ZERO, 0),
		M(privheap_type_list, types, M_OUT_PTR, 0x1000),
		M(privheap_type_list, count, M_COUNT, 1), M(privheap_type_list, done, M_OUT, 0),
		M(privheap_type_list, cursor, M_CURSOR, 0),
		M(privheap_type_list, reserved, M_ZERO, 0) } },
	{ COMMAND("type_destroy", PRIVHEAP_TYPE_DESTROY, type_destroy, 1), .fields = {
		HEAD(privheap_type_destroy), M(privheap_type_destroy, flags, M_ZERO, 0),
		M(privheap_type_destroy, type, M_TYPE, 16),
		M(privheap_type_destroy, reserved, M_ZERO, 0) } },
	{ COMMAND("alloc", PRIVHEAP_ALLOC, alloc, 14), BEFORE(before_alloc), AFTER(after_alloc),
	  .fields = {
		HEAD(privheap_alloc), M(privheap_alloc, flags, M_FLAGS, 0),
		M(privheap_alloc, type, M_TYPE, 1), M(privheap_alloc, count, M_COUNT, 1),
		M(privheap_alloc, handles, M_OUT_PTR, 0x1000),
		M(privheap_alloc, object_bytes, M_BYTES, 0),
		M(privheap_alloc, sizes, M_OPT_PTR, 0), M(privheap_alloc, done, M_OUT, 0),
		M(privheap_alloc, reserved, M_ZERO, 0),
		V("bad_at", M_PLACE, 0), V("bad", M_BAD, 0), V("a", M_BYTES, 8),
		V("b", M_BYTES, 0) } },
	{ COMMAND("take", PRIVHEAP_TAKE, take, 10), AFTER(after_take), .fields = {
		HEAD(privheap_take), M(privheap_take, flags, M_FLAGS, 0),
		M(privheap_take, type, M_TYPE, 1), M(privheap_take, count, M_COUNT, 1),
		M(privheap_take, object_bytes, M_BYTES, 0),
		M(privheap_take, runs, M_OUT_PTR, 0x1000),
		M(privheap_take, max_runs, M_COUNT, 16), M(privheap_take, nr_runs, M_OUT, 0),
		M(privheap_take, done, M_OUT, 0), M(privheap_take, stride, M_OUT, 0),
		M(privheap_take, reserved, M_ZERO, 0) } },
	{ COMMAND("give", PRIVHEAP_GIVE, give, 7), BEFORE(before_give), .fields = {
		HEAD(privheap_give), M(privheap_give, flags, M_FLAGS, 0),
		M(privheap_give, type, M_TYPE, 0), M(privheap_give, count, M_COUNT, 1),
		M(privheap_give, runs, M_IN_PTR, 0x1000), M(privheap_give, done, M_OUT, 0),
		M(privheap_give, reserved, M_ZERO, 0), HANDLES, V("a", M_MASK, 0) } },
	CONVERT_OP("to_handles", PRIVHEAP_TO_HANDLES, before_to_handles, after_to_handles, 3),
	CONVERT_OP("to_offsets", PRIVHEAP_TO_OFFSETS, before_to_offsets, after_to_offsets, 3),
	BATCH_OP("free", PRIVHEAP_FREE, 8),
	BATCH_OP("get", PRIVHEAP_GET, 2),
	BATCH_OP("put", PRIVHEAP_PUT, 3),
	{ COMMAND("resize", PRIVHEAP_RESIZE, resize, 6), AFTER(after_resize), .fields = {
		HEAD(privheap_resize), M(privheap_resize, flags, M_BOOL, 0),
		M(privheap_resize, handle, M_HANDLE, 0),
		M(privheap_resize, object_bytes, M_BYTES, 8),
		M(privheap_resize, usable_bytes, M_OUT, 0), M(privheap_resize, type, M_TYPE, 0),
		M(privheap_resize, reserved, M_ZERO, 0) } },
	RW_OP("read", PRIVHEAP_READ, before_read, after_read, 4),
	RW_OP("write", PRIVHEAP_WRITE, before_write, NULL, 4),
	{ COMMAND("info", PRIVHEAP_INFO, info, 2), BEFORE(before_info), AFTER(after_info),
	  .fields = {
		HEAD(privheap_info), M(privheap_info, flags, M_FLAGS, 0),
		M(privheap_info, type, M_TYPE, 0), M(privheap_info, count, M_COUNT, 1),
		M(privheap_info, handles, M_IN_PTR, 0x1000),
		M(privheap_info, infos, M_OUT_PTR, 0x100000),
		M(privheap_info, done, M_OUT, 0), M(privheap_info, reserved, M_ZERO, 0),
		HANDLES } },
	{ COMMAND("reserve", PRIVHEAP_RESERVE, reserve, 3), .fields = {
		HEAD(privheap_reserve), M(privheap_reserve, flags, M_ZERO, 0),
		M(privheap_reserve, type, M_TYPE, 1), M(privheap_reserve, reserved, M_ZERO, 0),
		M(privheap_reserve, object_bytes, M_BYTES, 0),
		M(privheap_reserve, count, M_COUNT, 1), M(privheap_reserve, promised, M_OUT, 0) } },
	{ COMMAND("trim", PRIVHEAP_TRIM, trim, 2), .fields = {
		HEAD(privheap_trim), M(privheap_trim, flags, M_ZERO, 0),
		M(privheap_trim, released_bytes, M_OUT, 0) } },
	{ COMMAND("heap_stat", PRIVHEAP_HEAP_STAT, heap_stat, 1), .fields = {
		HEAD(privheap_heap_stat), M(privheap_heap_stat, flags, M_ZERO, 0) } },
	{ COMMAND("type_stat", PRIVHEAP_TYPE_STAT, type_stat, 1), .fields = {
		HEAD(privheap_type_stat), M(privheap_type_stat, flags, M_ZERO, 0),
		M(privheap_type_stat, type, M_TYPE, 1) } },
	{ COMMAND("walk", PRIVHEAP_WALK, walk, 2), AFTER(after_walk), .fields = {
		HEAD(privheap_walk), M(privheap_walk, flags, M_ZERO, 0),
		M(privheap_walk, type, M_TYPE, 0), M(privheap_walk, count, M_COUNT, 1),
		M(privheap_walk, handles, M_OUT_PTR, 0x1000),
		M(privheap_walk, cursor, M_CURSOR, 0), M(privheap_walk, done, M_OUT, 0),
		M(privheap_walk, reserved, M_ZERO, 0) } },
};
