// SPDX-License-Identifier: GPL-2.0
/* An input as a program in C: the runtime, then the calls with their values. */
#include "input.h"

#include <inttypes.h>
#include <string.h>

/* Where runtime.h is: rules.mk knows. */
#ifndef RUNTIME
#define RUNTIME "runtime.h"
#endif
__asm__(".section .rodata\n"
	"runtime_text: .incbin \"" RUNTIME "\"\n"
	".byte 0\n"
	".previous\n");
extern const char runtime_text[];

static const char *const area_constants[INPUT_AREAS] = {
	"A_NULL", "A_BUF", "A_EDGE", "A_RO", "A_NONE", "A_KERN", "A_RACE", "A_HIGH",
	"A_MAP0", "A_MAP1", "A_MAP2", "A_MAP3",
};

static void print_value(FILE *out, unsigned int slot, const struct value *value)
{
	static const char *const pools[] = { [K_HANDLE] = "handle", [K_FOREIGN] = "handle",
					     [K_TYPE] = "type", [K_CURSOR] = "cursor",
					     [K_OFFSET] = "offset" };

	if (value->kind == K_NUM) {
		fprintf(out, "%#" PRIx64, value->v);
	} else if (value->kind == K_PTR) {
		fprintf(out, "ptr(%s, %#" PRIx64 ")", area_constants[value->ref % INPUT_AREAS],
			value->v);
	} else {
		fprintf(out, "%s(%u, %u)", pools[value->kind],
			slot + (value->kind == K_FOREIGN), value->ref);
		if (value->v)
			fprintf(out, " ^ %#" PRIx64, value->v);
	}
}

static bool is_default(const struct field *field, const struct value *value)
{
	return value->kind == K_NUM && !value->v && strcmp(field->name, "stride");
}

static void print_members(FILE *out, const struct op *op, const struct step *step,
			  unsigned int slot, bool in_struct)
{
	for (unsigned int i = V_ARGS; op->fields[i].name; i++) {
		const struct field *field = &op->fields[i];

		if ((field->at >= 0) != in_struct || field->bytes > 8 ||
		    is_default(field, &step->values[i]))
			continue;
		fprintf(out, "\t\t\t.%s = ", field->name);
		print_value(out, slot, &step->values[i]);
		fprintf(out, ",\n");
	}
}

static void print_name(FILE *out, const struct op *op, const struct step *step)
{
	char name[32];

	for (unsigned int i = V_ARGS; op->fields[i].name; i++) {
		if (op->fields[i].bytes <= 8)
			continue;
		name_make(name, step->values[i].v);
		fprintf(out, "\t\tmemcpy(args.name, \"");
		for (unsigned int j = 0; j < sizeof(name); j++)
			fprintf(out, name[j] >= 'a' && name[j] <= 'z' ? "%c" : "\\%03o",
				(unsigned char)name[j]);
		fprintf(out, "\", sizeof(args.name));\n");
	}
}

static void print_command(FILE *out, const struct op *op, const struct step *step)
{
	unsigned int slot = step->values[V_SLOT].v % INPUT_SLOTS;

	fprintf(out, "\t{\n\t\tstruct %s args = {\n", op->type);
	print_members(out, op, step, slot, true);
	fprintf(out, "\t\t};\n\t\tstruct call c = {\n\t\t\t.slot = %u, .cmd = %s", slot,
		op->cmd_name);
	if (step->values[V_CMD].v)
		fprintf(out, " ^ %#" PRIx64, step->values[V_CMD].v);
	fprintf(out, ", .at = ");
	print_value(out, slot, &step->values[V_AT]);
	fprintf(out, ",\n\t\t\t.compat = %u, .tail = %#" PRIx64 ", .fail = %u,\n\t\t};\n",
		(unsigned int)step->values[V_COMPAT].v & 1, step->values[V_TAIL].v, step->fail);
	if (op->before) {
		fprintf(out, "\t\tstruct fill fill = {\n");
		print_members(out, op, step, slot, false);
		fprintf(out, "\t\t};\n");
	}
	print_name(out, op, step);
	if (op->before)
		fprintf(out, "\t\t%s(c.slot, &args, &fill);\n", op->before_name);
	if (op->after && !step->values[V_CMD].v)
		fprintf(out, "\t\tif (!call(&c, \"%s\", &args, sizeof(args)))\n"
			"\t\t\t%s(c.slot, &args);\n\t}\n", op->name, op->after_name);
	else
		fprintf(out, "\t\tcall(&c, \"%s\", &args, sizeof(args));\n\t}\n", op->name);
}

static void print_other(FILE *out, const struct op *op, const struct step *step)
{
	if (step->fail && op->may_fail)
		fprintf(out, "\tfail_nth(%u);\n", step->fail);
	fprintf(out, "\tdo_%s((uint64_t[]){ ", op->name);
	for (unsigned int i = 0; op->fields[i].name; i++) {
		print_value(out, 0, &step->values[i]);
		fprintf(out, ", ");
	}
	fprintf(out, "});\n");
	if (step->fail && op->may_fail)
		fprintf(out, "\tfail_nth(0);\n");
}

/* The steps of an actor as one function. A fork takes the next ones inside. */
static unsigned int print_actor(FILE *out, const struct input *input, const char *name,
				unsigned int actor, unsigned int from, unsigned int to)
{
	unsigned int left = 0, nr = 0;

	fprintf(out, "\nstatic void *%s(void *number)\n{\n\trt_enter(number);\n", name);
	for (unsigned int i = from; i < to; i++) {
		const struct step *step = &input->steps[i];
		const struct op *op = &ops[step->op];

		if (step->actor % INPUT_ACTORS != actor)
			continue;
		nr++;
		if (op->cmd_name) {
			print_command(out, op, step);
		} else if (op->run) {
			print_other(out, op, step);
		} else if (!left) {
			fprintf(out, "\tif (do_fork(%#" PRIx64 ") == 0) {\n", step->values[0].v);
			left = 1 + step->values[1].v % 8 + 1;
		}
		if (left && !--left)
			fprintf(out, "\t_exit(0);\n\t}\n");
	}
	if (left)
		fprintf(out, "\t_exit(0);\n\t}\n");
	fprintf(out, "\treturn NULL;\n}\n");
	return nr;
}

void input_print_c(const struct input *input, FILE *out)
{
	unsigned int prefix = input_prefix(input), nr[INPUT_ACTORS];
	char text[MAX_TEXT], name[16];

	input_print(input, text, sizeof(text));
	fprintf(out, "%s\n/*\n%s */\n", runtime_text, text);
	print_actor(out, input, "first", 0, 0, prefix);
	for (unsigned int i = 0; i < INPUT_ACTORS; i++) {
		snprintf(name, sizeof(name), "actor%u", i);
		nr[i] = print_actor(out, input, name, i, prefix, input->nr);
	}
	fprintf(out, "\nint main(int argc, char **argv)\n{\n"
		"\tunsigned long times = argc > 1 ? strtoul(argv[1], NULL, 0) : %u;\n"
		"\tconst actor_fn fn[ACTORS] = { ", input_threads(input) ? 1000 : 1);
	for (unsigned int i = 0; i < INPUT_ACTORS; i++)
		nr[i] ? fprintf(out, "actor%u, ", i) : fprintf(out, "NULL, ");
	fprintf(out, "};\n\n\trt_setup();\n\tfor (unsigned long i = 0; i < times; i++) {\n"
		"\t\trt_begin(i, %s);\n\t\trt_go = true;\n\t\tfirst(NULL);\n\t\trt_act(fn);\n"
		"\t\trt_end();\n\t}\n\treturn rt_findings != 0;\n}\n",
		input_flips(input) ? "true" : "false");
}
