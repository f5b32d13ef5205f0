// SPDX-License-Identifier: GPL-2.0
/*
 * Makes inputs up, and others of those that are there. Most values make sense,
 * so that calls get past the first check; some are off by one or absurd.
 */
#include "input.h"

#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static uint64_t state = 1;

void rnd_seed(uint64_t seed)
{
	state = seed * 2 + 1;
}

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dUL;
}

uint64_t rnd(uint64_t bound)
{
	return bound ? (next() >> 20) % bound : 0;
}

static bool chance(unsigned int percent)
{
	return rnd(100) < percent;
}

static uint64_t odd_number(void)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 28, 31, 32, 33, 40, 63, 64, 65, 127,
		128, 129, 255, 256, 257, 511, 512, 1023, 1024, 1025, 2047, 4095, 4096, 4097,
		8191, 8192, 8193, 16383, 16384, 16385, 32767, 32768, 32769, 65535, 65536, 65537,
		0x80000, 0x100000, 0x1fffff, 0x200000, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0xffffffffff, 0x10000000000, 0x10000000001, 0x7fffffffffff,
		0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, 0xfffffffffffffff8,
		0xffffffffffffffff,
	};

	if (chance(10))
		return next();
	return odd[rnd(COUNT(odd))];
}

static uint64_t size_of_object(void)
{
	switch (rnd(10)) {
	case 0: return odd_number();
	case 1: return rnd(chance(20) ? 1 << 20 : 1 << 17);
	case 2: return rnd(5) * 4096 + rnd(3) - 1;
	case 3: return rnd(40000);
	case 4:
	case 5: return rnd(3000);
	case 6: return rnd(32) * 8 + 8;
	default: return 1 + rnd(128);
	}
}

static uint64_t count_of_objects(void)
{
	switch (rnd(12)) {
	case 0: return odd_number();
	case 1: return rnd(chance(20) ? 5000 : 1000);
	case 2:
	case 3: return 64 + rnd(300);
	case 4:
	case 5: return 60 + rnd(10);
	default: return 1 + rnd(20);
	}
}

static struct value number(uint64_t v)
{
	return (struct value){ .kind = K_NUM, .v = v };
}

static struct value pool(enum kind kind, unsigned int corrupt)
{
	static const uint64_t masks[] = {
		1, 8, 16, 32, 64, 4096, 0x10000, 1UL << 39, 1UL << 40, 3UL << 40, 1UL << 55,
		1UL << 56, 1UL << 63, ~0UL,
	};
	struct value value = { .kind = kind, .ref = chance(50) ? rnd(4) : rnd(64) };

	if (chance(corrupt))
		value.v = masks[rnd(COUNT(masks))];
	return value;
}

static struct value handle(void)
{
	if (chance(4))
		return number(odd_number());
	if (chance(25))
		return pool(K_OFFSET, 10);
	return pool(chance(95) ? K_HANDLE : K_FOREIGN, 10);
}

/* An address where there should be one; @usual is where it is safe. */
static struct value address(uint64_t usual)
{
	struct value value = { .kind = K_PTR, .ref = INPUT_BUF, .v = usual };

	if (chance(80))
		return value;
	if (chance(10))
		return number(odd_number());
	value.ref = chance(40) ? INPUT_RACE : chance(30) ? INPUT_MAP + rnd(4) : rnd(INPUT_AREAS);
	value.v = chance(60) ? rnd(8) * 8 : chance(50) ? rnd(200) : usual + rnd(4096);
	return value;
}

static struct value type_id(void)
{
	if (chance(5))
		return number(odd_number());
	return chance(60) ? number(1 + rnd(9)) : pool(K_TYPE, 3);
}

static struct value map_bytes(void)
{
	static const uint64_t bytes[] = { 0, 1, 4096, 8192, 0x10000, 0x200000, 0x1000000, 4095,
					  4097, 0x3000 };

	return number(chance(40) ? rnd(40) * 4096 : bytes[rnd(COUNT(bytes))]);
}

static struct value large(void)
{
	switch (rnd(4)) {
	case 0: return number(odd_number());
	case 1: return number(rnd(64) << 12);
	case 2: return number(rnd(32) << 20);
	default: return number(0);
	}
}

static struct value bad_element(void)
{
	return chance(40) ? number(odd_number()) : pool(chance(50) ? K_HANDLE : K_OFFSET, 60);
}

/* Of the struct's own head. */
static struct value head_value(const struct field *field)
{
	switch (field->meaning) {
	case M_CMD: return number(chance(99) ? 0 : 1UL << rnd(32));
	case M_TAIL: return number(chance(95) ? 0 : odd_number());
	case M_BOOL: return number(chance(15));
	case M_SIZE:
		if (chance(96))
			return number(field->usual);
		return number(chance(60) ? field->usual + (rnd(5) - 2) * 8 : odd_number());
	default: return address(field->usual);
	}
}

static struct value map_value(const struct field *field)
{
	static const uint64_t offsets[] = { 0, 1UL << 39, 1UL << 40, 1UL << 41, 1UL << 41,
					    1UL << 42, 1UL << 42, 3UL << 41, 1UL << 62 };

	switch (field->meaning) {
	case M_MAP: return number(rnd(4));
	case M_PAGES: return map_bytes();
	case M_PROT: return number(chance(60) ? 3 : rnd(8));
	case M_ADVICE: return number(rnd(26));
	case M_STEPS: return number(rnd(6));
	case M_LARGE: return large();
	case M_WHERE:
		return chance(60) ? number(rnd(4) / 3 * 4096) :
				    number(offsets[rnd(COUNT(offsets))] + rnd(4) / 3 * 4096);
	default: return number(rnd(8));
	}
}

static struct value array_value(const struct field *field)
{
	switch (field->meaning) {
	case M_IN_PTR:
	case M_OUT_PTR: return address(field->usual);
	case M_OPT_PTR: return chance(75) ? number(0) : address(0x80000);
	case M_INDEX: return number(chance(60) ? rnd(4) : rnd(64));
	case M_STRIDE: return number(chance(85) ? 1 : rnd(4));
	case M_MASK: return number(chance(80) ? 0 : chance(50) ? 1UL << rnd(64) : odd_number());
	case M_PLACE: return number(chance(80) ? 0 : 1 + rnd(64));
	case M_BAD: return bad_element();
	default: return number(chance(60) ? 0 : chance(80) ? rnd(200) : odd_number());
	}
}

static struct value any_value(const struct field *field)
{
	switch (field->meaning) {
	case M_SLOT: return number(chance(85) ? 0 : rnd(INPUT_SLOTS));
	case M_AT:
	case M_CMD:
	case M_BOOL:
	case M_TAIL:
	case M_SIZE: return head_value(field);
	case M_FLAGS: return number(chance(50) ? 0 : chance(95) ? rnd(8) : 1UL << rnd(32));
	case M_TYPE: return chance(20) ? number(field->usual) : type_id();
	case M_COUNT: return number(chance(25) ? field->usual : count_of_objects());
	case M_BYTES: return number(chance(20) ? field->usual : size_of_object());
	case M_OUT: return number(chance(95) ? 0 : odd_number());
	case M_ZERO: return number(chance(98) ? 0 : odd_number());
	case M_HANDLE: return handle();
	case M_NAME: return number(chance(95) ? rnd(8) : 100 + rnd(7));
	case M_POLICY: return number(chance(97) ? rnd(3) : odd_number());
	case M_ALIGN: return number(chance(95) ? (chance(50) ? 0 : 1UL << rnd(14)) : odd_number());
	case M_CURSOR: return chance(70) ? number(0) : pool(K_CURSOR, 10);
	case M_MAP:
	case M_PAGES:
	case M_PROT:
	case M_ADVICE:
	case M_STEPS:
	case M_MODE:
	case M_WHERE:
	case M_LARGE: return map_value(field);
	default: return array_value(field);
	}
}

static unsigned int any_op(void)
{
	unsigned int sum = 0, at, i;

	for (i = 0; i < nr_ops; i++)
		sum += ops[i].weight;
	at = rnd(sum);
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return i;
}

static void fill_step(struct step *step, unsigned int op)
{
	memset(step, 0, sizeof(*step));
	step->op = op;
	for (unsigned int i = 0; ops[op].fields[i].name; i++)
		step->values[i] = any_value(&ops[op].fields[i]);
	if (ops[op].may_fail && chance(6))
		step->fail = 1 + rnd(chance(70) ? 4 : 40);
}

static void opening_step(struct step *step)
{
	memset(step, 0, sizeof(*step));
	step->values[1].v = 2;
}

void input_generate(struct input *input)
{
	bool threads = chance(35);

	input->nr = 2 + rnd(chance(70) ? 8 : MAX_STEPS - 2);
	opening_step(&input->steps[0]);
	for (unsigned int i = 1; i < input->nr; i++) {
		fill_step(&input->steps[i], any_op());
		if (threads && i > 2)
			input->steps[i].actor = rnd(INPUT_ACTORS);
	}
}

void input_remove(struct input *input, unsigned int at)
{
	memmove(&input->steps[at], &input->steps[at + 1],
		(input->nr - at - 1) * sizeof(input->steps[0]));
	input->nr--;
}

static void insert(struct input *input, const struct step *step)
{
	unsigned int at = input->nr ? 1 + rnd(input->nr) : 0;

	if (input->nr == MAX_STEPS)
		input_remove(input, rnd(input->nr));
	if (at > input->nr)
		at = input->nr;
	memmove(&input->steps[at + 1], &input->steps[at],
		(input->nr - at) * sizeof(input->steps[0]));
	input->steps[at] = *step;
	input->nr++;
}

static void change_value(struct input *input)
{
	struct step *step = &input->steps[rnd(input->nr)];
	unsigned int nr = op_nr_fields(&ops[step->op]), at;
	struct value *value;

	if (!nr)
		return;
	at = rnd(nr);
	value = &step->values[at];
	switch (rnd(8)) {
	case 0: value->v += 1 + rnd(8); break;
	case 1: value->v -= 1 + rnd(8); break;
	case 2: value->v ^= 1UL << rnd(chance(60) ? 16 : 64); break;
	case 3: value->ref += 1 + rnd(3); break;
	case 4: value->v = odd_number(); break;
	default: *value = any_value(&ops[step->op].fields[at]);
	}
	if (value->kind == K_NUM)
		value->ref = 0;
	if (value->kind == K_PTR)
		value->ref %= INPUT_AREAS;
}

static void splice(struct input *input, const struct input *other)
{
	unsigned int from = rnd(other->nr), nr = 1 + rnd(other->nr - from);

	for (unsigned int i = 0; i < nr; i++)
		insert(input, &other->steps[from + i]);
}

static void spread(struct input *input)
{
	bool apart = chance(70);

	for (unsigned int i = 1; i < input->nr; i++)
		input->steps[i].actor = apart && i > 1 ? rnd(INPUT_ACTORS) : 0;
}

static void change_failure(struct step *step)
{
	step->fail = !ops[step->op].may_fail || chance(30) ? 0 : 1 + rnd(12);
}

static void mutate_once(struct input *input, const struct input *other)
{
	struct step step;

	switch (rnd(16)) {
	case 0:
	case 1:
	case 2:
		fill_step(&step, any_op());
		insert(input, &step);
		break;
	case 3:
		if (input->nr > 2)
			input_remove(input, 1 + rnd(input->nr - 1));
		break;
	case 4:
		step = input->steps[rnd(input->nr)];
		insert(input, &step);
		break;
	case 5: splice(input, other); break;
	case 6: spread(input); break;
	case 7: input->steps[rnd(input->nr)].actor = rnd(INPUT_ACTORS); break;
	case 8: change_failure(&input->steps[rnd(input->nr)]); break;
	default: change_value(input);
	}
}

void input_mutate(struct input *input, const struct input *other)
{
	unsigned int times = 1 + rnd(chance(70) ? 3 : 12);

	while (times--)
		mutate_once(input, other);
	if (!input->nr)
		input_generate(input);
}
