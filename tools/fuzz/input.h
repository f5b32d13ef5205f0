/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Input: a short program of calls, each a step with values. A value is a
 * number, an address, or what an earlier step returned, perhaps corrupted, so
 * that an input means the same on every run and survives being cut.
 */
#ifndef PRIVHEAP_FUZZ_INPUT_H
#define PRIVHEAP_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_STEPS	24
#define MAX_VALUES	28
#define MAX_TEXT	16384

/* As runtime.h has them. */
enum { INPUT_SLOTS = 6, INPUT_ACTORS = 3, INPUT_AREAS = 12, INPUT_BUF = 1, INPUT_RACE = 6,
       INPUT_MAP = 8 };

/* What a value is; all but numbers are mixed with @v: xor; PTR: plus. */
enum kind { K_NUM, K_HANDLE, K_FOREIGN, K_TYPE, K_CURSOR, K_PTR, K_OFFSET, KINDS };

/**
 * struct value - one value of a step
 * @kind: enum kind
 * @ref: which of what earlier steps returned; PTR: which area
 * @v: the number; or what the rest is mixed with
 */
struct value {
	uint8_t kind;
	uint8_t ref;
	uint64_t v;
};

/**
 * struct step - one call
 * @op: index into ops[]
 * @actor: the thread that makes it
 * @fail: this memory allocation of the call fails; 0: none
 * @values: as the op lists them
 */
struct step {
	uint8_t op;
	uint8_t actor;
	uint8_t fail;
	struct value values[MAX_VALUES];
};

struct input {
	uint32_t nr;
	struct step steps[MAX_STEPS];
};

/* What a value is for, which decides what is worth trying. */
enum meaning {
	M_SLOT, M_AT, M_CMD, M_BOOL, M_TAIL, M_SIZE, M_FLAGS, M_TYPE, M_COUNT,
	M_BYTES, M_LARGE, M_OUT, M_ZERO, M_IN_PTR, M_OUT_PTR, M_OPT_PTR, M_HANDLE,
	M_NAME, M_POLICY, M_ALIGN, M_CURSOR, M_INDEX, M_STRIDE, M_PLACE, M_BAD,
	M_OFFSET, M_MAP, M_WHERE, M_MASK, M_PAGES, M_PROT, M_MODE,
	M_ADVICE, M_STEPS
};

/**
 * struct field - one value of an op
 * @name: in the text and, for a member of the struct, in C
 * @meaning: enum meaning
 * @at: where in the struct; or -1
 * @bytes: how long there; a name has more than 8
 * @usual: the number that it has unless the text says otherwise
 */
struct field {
	const char *name;
	enum meaning meaning;
	int at;
	unsigned int bytes;
	uint64_t usual;
};

struct fill;

/**
 * struct op - a kind of step
 * @name: in the text; an op without @cmd is the function do_NAME
 * @cmd: the command, as C, and as a number; 0: none
 * @type: of its struct, as C
 * @bytes: its size
 * @before: fills the arrays that the struct points to
 * @before_name: as C
 * @after: keeps what came back
 * @after_name: as C
 * @run: for an op without command
 * @may_fail: an allocation of its may be made to fail: it is one system call,
 *	and no page fault of the fuzzer's own comes in between
 * @weight: how often it is chosen
 * @fields: ends with a NULL name
 */
struct op {
	const char *name;
	const char *cmd_name;
	unsigned long cmd;
	const char *type;
	size_t bytes;
	void (*before)(unsigned int slot, const void *args, const struct fill *fill);
	const char *before_name;
	void (*after)(unsigned int slot, const void *args);
	const char *after_name;
	void (*run)(const uint64_t *v);
	bool may_fail;
	unsigned int weight;
	struct field fields[MAX_VALUES + 1];
};

extern const struct op ops[];
extern const unsigned int nr_ops;
extern const char *const area_names[];

/* The first values of every command. */
enum { V_SLOT, V_AT, V_CMD, V_COMPAT, V_TAIL, V_ARGS };

unsigned int op_nr_fields(const struct op *op);
struct value field_usual(const struct field *field);
bool value_is(const struct value *a, const struct value *b);
/* Whether an input uses the area that changes all the time; whether threads. */
bool input_flips(const struct input *input);
bool input_threads(const struct input *input);
/* How many first steps are done before the actors start. */
unsigned int input_prefix(const struct input *input);
size_t input_bytes(const struct input *input);
/* A number's C name for a type, or a made-up one, in 32 bytes. */
void name_make(char name[32], uint64_t number);

/* Text: a step per line. Return false for what is no input. */
size_t input_print(const struct input *input, char *text, size_t bytes);
bool input_parse(struct input *input, const char *text);
bool input_load(struct input *input, const char *path);

/* exec.c: run one input, as number @number. */
void input_run(const struct input *input, uint64_t number);
void exec_setup(void);

/* print.c: as a program in C. */
void input_print_c(const struct input *input, FILE *out);

/* mutate.c */
uint64_t rnd(uint64_t bound);
void rnd_seed(uint64_t seed);
void input_generate(struct input *input);
void input_mutate(struct input *input, const struct input *other);
void input_remove(struct input *input, unsigned int at);

#endif
