// SPDX-License-Identifier: GPL-2.0
/* Runs an input: evaluates the values of its steps, and makes the calls. */
#define _GNU_SOURCE

#include "cover.h"
#include "found.h"
#include "input.h"

#define RT_FOUND(text)	found(text)
/* The module's own shrinker, where the kernel lets root run one by name. */
#define SHRINK_FILE	cover_shrinker()
#define SHRINK_TEXT	"0 0 4096"

#include "runtime.h"
#include "ops.h"

const unsigned int nr_ops = sizeof(ops) / sizeof(ops[0]);

_Static_assert(INPUT_SLOTS == SLOTS && INPUT_ACTORS == ACTORS && (int)INPUT_AREAS == (int)AREAS &&
	       (int)INPUT_BUF == (int)A_BUF && (int)INPUT_RACE == (int)A_RACE &&
	       (int)INPUT_MAP == (int)A_MAP0,
	       "input.h and runtime.h differ");

/* The largest struct of a command. */
#define MAX_ARGS	512

static const struct input *running;

static uint64_t evaluate(unsigned int slot, const struct value *value)
{
	switch (value->kind) {
	case K_HANDLE: return handle(slot, value->ref) ^ value->v;
	case K_FOREIGN: return handle(slot + 1, value->ref) ^ value->v;
	case K_TYPE: return type(slot, value->ref) ^ value->v;
	case K_CURSOR: return cursor(slot, value->ref) ^ value->v;
	case K_OFFSET: return offset(slot, value->ref) ^ value->v;
	case K_PTR: return ptr(value->ref % AREAS, value->v);
	default: return value->v;
	}
}

static void put_member(char *args, const struct field *field, uint64_t v)
{
	uint32_t word = v;

	if (field->bytes == 8)
		memcpy(args + field->at, &v, 8);
	else if (field->bytes == 4)
		memcpy(args + field->at, &word, 4);
	else
		name_make(args + field->at, v);
}

static void put_fill(struct fill *fill, const char *name, uint64_t v)
{
	static const struct {
		const char *name;
		size_t at;
	} members[] = {
		{ "first", offsetof(struct fill, first) },
		{ "stride", offsetof(struct fill, stride) },
		{ "bad_at", offsetof(struct fill, bad_at) },
		{ "bad", offsetof(struct fill, bad) },
		{ "a", offsetof(struct fill, a) },
		{ "b", offsetof(struct fill, b) },
		{ "buffer", offsetof(struct fill, buffer) },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!strcmp(members[i].name, name))
			memcpy((char *)fill + members[i].at, &v, sizeof(v));
}

static void run_command(const struct op *op, const struct step *step)
{
	_Alignas(8) char args[MAX_ARGS] = { 0 };
	unsigned int slot = step->values[V_SLOT].v % SLOTS;
	struct fill fill = { .stride = 1 };
	struct call c = {
		.slot = slot,
		.cmd = op->cmd ^ step->values[V_CMD].v,
		.at = evaluate(slot, &step->values[V_AT]),
		.compat = step->values[V_COMPAT].v & 1,
		.tail = step->values[V_TAIL].v,
		.fail = step->fail,
	};

	for (unsigned int i = V_ARGS; op->fields[i].name; i++) {
		uint64_t v = evaluate(slot, &step->values[i]);

		if (op->fields[i].at >= 0)
			put_member(args, &op->fields[i], v);
		else
			put_fill(&fill, op->fields[i].name, v);
	}
	if (op->before)
		op->before(slot, args, &fill);
	if (!call(&c, op->name, args, op->bytes) && op->after && c.cmd == op->cmd)
		op->after(slot, args);
}

static void run_other(const struct op *op, const struct step *step)
{
	uint64_t v[MAX_VALUES] = { 0 };

	for (unsigned int i = 0; op->fields[i].name; i++)
		v[i] = evaluate(0, &step->values[i]);
	if (step->fail && op->may_fail)
		fail_nth(step->fail);
	op->run(v);
	if (step->fail && op->may_fail)
		fail_nth(0);
}

static void run_step(const struct step *step)
{
	const struct op *op = &ops[step->op];

	if (op->cmd_name)
		run_command(op, step);
	else if (op->run)
		run_other(op, step);
}

/* The steps of one actor from @from to @to; fork splits off the next ones. */
static void run_steps(unsigned int actor, unsigned int from, unsigned int to)
{
	unsigned int left = 0;
	bool child = false;

	for (unsigned int i = from; i < to; i++) {
		const struct step *step = &running->steps[i];

		if (step->actor % ACTORS != actor)
			continue;
		if (child && !left--)
			_exit(0);
		if (!child && left) {
			left--;
			continue;
		}
		if (ops[step->op].cmd_name || ops[step->op].run) {
			run_step(step);
			continue;
		}
		if (child)
			continue;
		left = 1 + step->values[1].v % 8;
		child = !do_fork(step->values[0].v);
		if (child)
			cover_start(ACTORS);
	}
	if (child)
		_exit(0);
}

static void *run_actor(void *number)
{
	unsigned int actor = (uintptr_t)number;

	rt_enter(number);
	/* The first one has its coverage on already. */
	if (actor)
		cover_start(actor);
	run_steps(actor, input_prefix(running), running->nr);
	if (actor)
		cover_stop();
	return NULL;
}

void input_run(const struct input *input, uint64_t number)
{
	actor_fn fn[ACTORS] = { NULL };

	running = input;
	for (unsigned int i = input_prefix(input); i < input->nr; i++)
		fn[input->steps[i].actor % ACTORS] = run_actor;
	rt_begin(number, input_flips(input));
	cover_start(0);
	run_steps(0, 0, input_prefix(input));
	rt_act(fn);
	cover_stop();
	rt_end();
}

void exec_setup(void)
{
	rt_setup();
}
