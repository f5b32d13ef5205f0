/* SPDX-License-Identifier: GPL-2.0 */
/* Commands: a right call of each, to be spoiled in one place. */
#ifndef _PH_KUNIT_COMMANDS_H
#define _PH_KUNIT_COMMANDS_H

#include "user.h"

/* An offset of what a command's struct does not have. */
#define PH_NONE	0xffff

#define PH_NR_COMMANDS	23

/**
 * struct ph_command - a command, and where its struct has what can be wrong
 * @name: for people
 * @cmd: its number
 * @size: size of its struct
 * @min_size: size of the first version of it
 * @flags_ok: flags that it knows
 * @reserved: offset of the reserved member
 * @count: offset of the number of elements
 * @in: offset of the address of the array to read
 * @out: offset of the address of the array to write
 * @fill: makes it a right call, the size excepted
 */
struct ph_command {
	const char *name;
	unsigned int cmd;
	u32 size;
	u32 min_size;
	u32 flags_ok;
	u16 reserved;
	u16 count;
	u16 in;
	u16 out;
	void (*fill)(struct kunit *test, union ph_user_args *args);
};

extern const struct ph_command ph_commands[PH_NR_COMMANDS];

#endif /* _PH_KUNIT_COMMANDS_H */
