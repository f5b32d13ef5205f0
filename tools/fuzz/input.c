// SPDX-License-Identifier: GPL-2.0
/* Inputs and their text: a step per line, values that are not as usual named. */
#include "input.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

unsigned int op_nr_fields(const struct op *op)
{
	unsigned int nr = 0;

	while (op->fields[nr].name)
		nr++;
	return nr;
}

struct value field_usual(const struct field *field)
{
	struct value value = { .kind = K_NUM, .v = field->usual };

	switch (field->meaning) {
	case M_AT:
	case M_IN_PTR:
	case M_OUT_PTR:
		value.kind = K_PTR;
		value.ref = INPUT_BUF;
		break;
	case M_HANDLE:
		value.kind = K_HANDLE;
		break;
	default:
		break;
	}
	return value;
}

bool value_is(const struct value *a, const struct value *b)
{
	return a->kind == b->kind && a->ref == b->ref && a->v == b->v;
}

bool input_flips(const struct input *input)
{
	for (unsigned int i = 0; i < input->nr; i++)
		for (unsigned int j = 0; j < op_nr_fields(&ops[input->steps[i].op]); j++)
			if (input->steps[i].values[j].kind == K_PTR &&
			    input->steps[i].values[j].ref == INPUT_RACE)
				return true;
	return false;
}

unsigned int input_prefix(const struct input *input)
{
	unsigned int i;

	for (i = 0; i < input->nr; i++)
		if (input->steps[i].actor % INPUT_ACTORS)
			break;
	return i;
}

bool input_threads(const struct input *input)
{
	return input_prefix(input) < input->nr;
}

size_t input_bytes(const struct input *input)
{
	return offsetof(struct input, steps[input->nr]);
}

void name_make(char name[32], uint64_t number)
{
	static const char *const special[] = {
		"int", "", "with blank", "\x01", "dict", "a\xff",
		"an-unterminated-name-of-32-bytes",
	};
	char text[33];

	memset(text, 0, sizeof(text));
	if (number >= 100 && number < 100 + sizeof(special) / sizeof(special[0]))
		snprintf(text, sizeof(text), "%s", special[number - 100]);
	else
		snprintf(text, sizeof(text), "n%" PRIx64, number);
	memcpy(name, text, 32);
}

static int print_value(char *text, size_t bytes, const struct value *value)
{
	static const char letters[] = { [K_HANDLE] = 'h', [K_FOREIGN] = 'f', [K_TYPE] = 't',
					[K_CURSOR] = 'c', [K_OFFSET] = 'o' };

	if (value->kind == K_NUM)
		return snprintf(text, bytes, value->v < 100 ? "%" PRIu64 : "%#" PRIx64, value->v);
	if (value->kind == K_PTR && !value->v)
		return snprintf(text, bytes, "%s", area_names[value->ref % INPUT_AREAS]);
	if (value->kind == K_PTR)
		return snprintf(text, bytes, "%s+%#" PRIx64, area_names[value->ref % INPUT_AREAS],
				value->v);
	if (!value->v)
		return snprintf(text, bytes, "%c%u", letters[value->kind], value->ref);
	return snprintf(text, bytes, "%c%u^%#" PRIx64, letters[value->kind], value->ref, value->v);
}

static size_t print_step(const struct step *step, char *text, size_t bytes)
{
	const struct op *op = &ops[step->op];
	size_t at = snprintf(text, bytes, "%u %s", step->actor % INPUT_ACTORS, op->name);

	if (step->fail)
		at += snprintf(text + at, bytes - at, " fail=%u", step->fail);
	for (unsigned int i = 0; op->fields[i].name; i++) {
		struct value usual = field_usual(&op->fields[i]);

		if (value_is(&usual, &step->values[i]))
			continue;
		at += snprintf(text + at, bytes - at, " %s=", op->fields[i].name);
		at += print_value(text + at, bytes - at, &step->values[i]);
	}
	return at + snprintf(text + at, bytes - at, "\n");
}

size_t input_print(const struct input *input, char *text, size_t bytes)
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < input->nr && at + 1024 < bytes; i++)
		at += print_step(&input->steps[i], text + at, bytes - at);
	return at;
}

static bool parse_area(struct value *value, const char *text)
{
	for (unsigned int i = 0; i < INPUT_AREAS; i++) {
		size_t len = strlen(area_names[i]);

		if (strncmp(text, area_names[i], len) || (text[len] && text[len] != '+'))
			continue;
		value->kind = K_PTR;
		value->ref = i;
		value->v = text[len] ? strtoull(text + len + 1, NULL, 0) : 0;
		return true;
	}
	return false;
}

static bool parse_value(struct value *value, const char *text)
{
	static const char letters[KINDS] = "\001hftc\001o";
	const char *letter = memchr(letters, text[0], sizeof(letters));
	char *end;

	if (letter && text[1] >= '0' && text[1] <= '9') {
		value->kind = letter - letters;
		value->ref = strtoul(text + 1, &end, 0);
		value->v = *end == '^' ? strtoull(end + 1, &end, 0) : 0;
		return !*end;
	}
	if (text[0] < '0' || text[0] > '9')
		return parse_area(value, text);
	value->kind = K_NUM;
	value->ref = 0;
	value->v = strtoull(text, &end, 0);
	return !*end;
}

static bool parse_named(struct step *step, char *word)
{
	const struct op *op = &ops[step->op];
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (!strcmp(word, "fail")) {
		step->fail = strtoul(value, NULL, 0);
		return true;
	}
	for (unsigned int i = 0; op->fields[i].name; i++)
		if (!strcmp(word, op->fields[i].name))
			return parse_value(&step->values[i], value);
	return false;
}

static bool parse_step(struct step *step, char *line)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);

	*step = (struct step){ .actor = strtoul(word, NULL, 0) % INPUT_ACTORS };
	word = strtok_r(NULL, " ", &save);
	for (step->op = 0; word && step->op < nr_ops; step->op++)
		if (!strcmp(word, ops[step->op].name))
			break;
	if (!word || step->op == nr_ops)
		return false;
	for (unsigned int i = 0; ops[step->op].fields[i].name; i++)
		step->values[i] = field_usual(&ops[step->op].fields[i]);
	while ((word = strtok_r(NULL, " ", &save)))
		if (!parse_named(step, word))
			return false;
	return true;
}

bool input_parse(struct input *input, const char *text)
{
	char copy[MAX_TEXT], *save = NULL, *line;

	snprintf(copy, sizeof(copy), "%s", text);
	input->nr = 0;
	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		if (input->nr == MAX_STEPS || !parse_step(&input->steps[input->nr], line))
			return false;
		input->nr++;
	}
	return input->nr;
}

bool input_load(struct input *input, const char *path)
{
	char text[MAX_TEXT];
	FILE *file = fopen(path, "re");
	size_t bytes;

	if (!file)
		return false;
	bytes = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[bytes] = '\0';
	return input_parse(input, text);
}
