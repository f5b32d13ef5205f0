// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU that counts every instruction of the guest by its address
 * while a benchmark has its clock running, and writes one block of counts per
 * row of the benchmark. scripts/profile.sh uses it.
 *
 * The benchmark speaks to it by NOPs that no compiler emits, see bench.h.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/*
 * The part of QEMU's plugin interface that is used here; Debian ships the
 * interface in the program and no header for it.
 */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

#define VISIBLE	__attribute__((visibility("default")))

VISIBLE extern const int qemu_plugin_version;
const int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
		void (*callback)(plugin_id id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
		void (*callback)(unsigned int cpu, void *data), int flags,
		void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
		int operation, void *counter, uint64_t by);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
VISIBLE int qemu_plugin_install(plugin_id id, const void *info, int argc,
				char **argv);

#define CALLBACK_NO_REGISTERS	0
#define INLINE_ADD		0

/* One instruction of the guest; found by address, never removed. */
struct place {
	struct place *next;
	uint64_t address;
	uint64_t ticks;		/* counts always */
	uint64_t since;		/* ticks when the clock was started */
	uint64_t counted;	/* while the clock was running, in this row */
};

#define BUCKETS	(1 << 16)

static struct place *places[BUCKETS];
static FILE *output;
static bool running;
static unsigned int row;

static struct place *place_of(uint64_t address)
{
	struct place **bucket = &places[(address >> 1 ^ address >> 17) % BUCKETS];
	struct place *place;

	for (place = *bucket; place; place = place->next) {
		if (place->address == address)
			return place;
	}
	place = calloc(1, sizeof(*place));
	if (!place)
		abort();
	place->address = address;
	place->next = *bucket;
	*bucket = place;
	return place;
}

static void for_all(void (*what)(struct place *place))
{
	for (unsigned int i = 0; i < BUCKETS; i++) {
		for (struct place *place = places[i]; place; place = place->next)
			what(place);
	}
}

static void begin(struct place *place)
{
	place->since = place->ticks;
}

static void end(struct place *place)
{
	place->counted += place->ticks - place->since;
}

static void write_out(struct place *place)
{
	if (place->counted && row)
		fprintf(output, "%016" PRIx64 " %" PRIu64 "\n", place->address,
			place->counted);
	place->counted = 0;
}

/* Clocks nest nowhere, but a start may follow a start that was not used. */
static void on_mark(unsigned int cpu, void *data)
{
	uintptr_t mark = (uintptr_t)data;

	(void)cpu;
	if (mark == BENCH_MARK_START) {
		for_all(begin);
		running = true;
	} else if (mark == BENCH_MARK_STOP && running) {
		for_all(end);
		running = false;
	} else if (mark == BENCH_MARK_ROW) {
		if (row)
			fprintf(output, "row %u\n", row);
		for_all(write_out);
		fflush(output);
		row++;
	}
}

/* nopl disp32(%rax), with our displacement; 0 for any other instruction. */
static uint32_t mark_of(const struct qemu_plugin_insn *insn)
{
	static const unsigned char opcode[] = { 0x0f, 0x1f, 0x80 };
	const unsigned char *bytes = qemu_plugin_insn_data(insn);
	uint32_t mark;

	if (qemu_plugin_insn_size(insn) != sizeof(opcode) + sizeof(mark) ||
	    memcmp(bytes, opcode, sizeof(opcode)))
		return 0;
	memcpy(&mark, bytes + sizeof(opcode), sizeof(mark));
	return mark >= BENCH_MARK_START && mark <= BENCH_MARK_ROW ? mark : 0;
}

static void on_translate(plugin_id id, struct qemu_plugin_tb *block)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
		struct place *place = place_of(qemu_plugin_insn_vaddr(insn));
		uintptr_t mark = mark_of(insn);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD,
							   &place->ticks, 1);
		if (mark)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
					CALLBACK_NO_REGISTERS, (void *)mark);
	}
}

/* The one argument is out=FILE. */
VISIBLE int qemu_plugin_install(plugin_id id, const void *info, int argc,
				char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	output = fopen(argv[0] + 4, "w");
	if (!output)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
