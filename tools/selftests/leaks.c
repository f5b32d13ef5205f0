// SPDX-License-Identifier: GPL-2.0
/*
 * What comes out of the kernel: no address of its own, nothing that another
 * heap wrote, no byte beyond what an answer is.
 */
#include "scene.h"

#include <ctype.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define SECRET		0x5ec2e7a5c0dedeadULL
#define FILLER		0xa5
#define ROOM		(1 << 16)

static unsigned char out[ROOM] __attribute__((aligned(8)));

/* In any of the kernel's halves: linear mapping, vmalloc, image, modules. */
static bool is_kernel_address(__u64 word)
{
	return word >> 47 == 0x1ffff && word != ~0ULL;
}

/* No word of it, at any offset, is a kernel's address or the secret. */
static void expect_clean(const void *from, size_t bytes, const char *what)
{
	const unsigned char *p = from;
	__u64 word;

	for (size_t i = 0; i + sizeof(word) <= bytes; i++) {
		memcpy(&word, p + i, sizeof(word));
		if (EXPECT(!is_kernel_address(word)) && EXPECT(word != SECRET))
			continue;
		test_note("%s: %#llx at byte %zu", what, (unsigned long long)word, i);
		return;
	}
}

/* Pages full of addresses come and go, so that some are free for heaps. */
static void kernel_litter(void)
{
	int pair[40][2];
	pid_t child;

	for (int i = 0; i < 40; i++) {
		REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]));
		if (write(pair[i][0], out, 4096) < 0)
			break;
	}
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 40; i++) {
		close(pair[i][0]);
		close(pair[i][1]);
	}
}

static const __u64 sizes[] = {
	1, 8, 24, 28, 40, 100, 300, 900, 2000, 4000, 8000, 20000, 60000,
};

/* A heap that had a secret in objects of all sizes and types, and ended. */
static void heap_with_a_secret(void)
{
	static __u64 words[60000 / 8 + 1];
	int heap = heap_open();
	__u64 handles[32];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = SECRET;
	for (__u32 type = PRIVHEAP_TYPE_STR; type <= PRIVHEAP_TYPE_OBJECT; type++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			heap_fill(heap, type, sizes[i], handles, 32);
			for (int k = 0; k < 32; k++)
				REQUIRE_OK(heap_write(heap, handles[k], 0, words, sizes[i]));
			heap_drain(heap, handles, 16);
		}
	heap_trim(heap);
	close(heap);
}

/* Whole objects as they come, and all that a resize adds to them. */
static void fresh_objects_are_clean(int heap, const void *arg)
{
	const __u32 *flags = arg;
	__u64 handles[8], usable;
	__u32 type;

	heap_with_a_secret();
	kernel_litter();
	for (__u32 policy = 0; policy < 3; policy++) {
		struct privheap_type t = type_named("all", 1, 100000);

		snprintf(t.name, sizeof(t.name), "all%u", policy);
		t.policy = policy;
		t.flags = *flags;
		REQUIRE_OK(type_create(heap, &t));
		type = t.type;
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			heap_fill(heap, type, sizes[i], handles, 8);
			for (int k = 0; k < 8; k++) {
				REQUIRE_OK(heap_read(heap, handles[k], 0, out, sizes[i]));
				expect_clean(out, sizes[i], "a fresh object");
				usable = heap_info(heap, handles[k]).usable_bytes;
				REQUIRE_OK(heap_resize(heap, &handles[k], usable));
				REQUIRE_OK(heap_read(heap, handles[k], 0, out,
						     MIN(usable, ROOM)));
				expect_clean(out, MIN(usable, ROOM), "its usable tail");
				REQUIRE_OK(heap_resize(heap, &handles[k], usable + 500));
				REQUIRE_OK(heap_read(heap, handles[k], 0, out,
						     MIN(usable + 500, ROOM)));
				expect_clean(out, MIN(usable + 500, ROOM), "what it grew by");
			}
			heap_drain(heap, handles, 4);
		}
	}
}

/* Those whose array of answers is words: handles, offsets, runs. */
static bool command_fills_words(const struct command *cmd)
{
	return cmd->number == PRIVHEAP_ALLOC || cmd->number == PRIVHEAP_WALK ||
	       cmd->number == PRIVHEAP_TAKE || cmd->number == PRIVHEAP_TO_HANDLES ||
	       cmd->number == PRIVHEAP_TO_OFFSETS;
}

/* The caller's own pointers come back, and the end of one may look like 0xffff. */
static void blank_what_was_sent(unsigned char *answer, const void *sent, size_t bytes)
{
	const unsigned char *was = sent;

	for (size_t i = 0; i < bytes; i++)
		if (answer[i] == was[i])
			answer[i] = 0;
}

/* The answer, and not a byte behind it; arrays up to what is done. */
static void answer_is_clean(int heap, const void *arg)
{
	const struct command *cmd = arg;
	struct scene scene, *s = &scene;
	union call call;

	heap_with_a_secret();
	scene_make(s, heap);
	memset(s->out, FILLER, sizeof(s->out));
	memset(s->infos, FILLER, sizeof(s->infos));
	memset(s->types, FILLER, sizeof(s->types));
	memset(s->buffers, 0x11, sizeof(s->buffers));
	scene_call(s, cmd, &call);
	memset(out, FILLER, sizeof(out));
	memcpy(out, &call, cmd->bytes);
	EXPECT_OK(heap_call(heap, cmd->number, out));
	blank_what_was_sent(out, &call, cmd->bytes);
	/* A handle has no address in it, whatever it looks like. */
	if (cmd->number != PRIVHEAP_RESIZE)
		expect_clean(out, cmd->bytes, "the struct");
	for (size_t i = cmd->bytes; i < cmd->bytes + 64; i++)
		EXPECT_EQ(out[i], FILLER);
	expect_clean(s->infos, sizeof(s->infos), "what INFO tells");
	expect_clean(s->types, sizeof(s->types), "what LIST_TYPES tells");
	expect_clean(s->buffers, sizeof(s->buffers), "what READ tells");
	if (!command_fills_words(cmd))
		for (int i = 0; i < SCENE_OBJECTS; i++)
			EXPECT_EQ(s->out[i], 0xa5a5a5a5a5a5a5a5ULL);
}

/* A caller of a later version gets what this one knows, and keeps the rest. */
static void answer_to_a_later_version_leaves_its_tail(int heap, const void *arg)
{
	struct privheap_query *q = (void *)out;

	(void)arg;
	memset(out, FILLER, sizeof(out));
	q->size = sizeof(*q) + 16;
	q->flags = 0;
	memset(out + sizeof(*q), 0, 16);
	EXPECT_OK(heap_call(heap, PRIVHEAP_QUERY, q));
	EXPECT_EQ(zero_check(out + sizeof(*q), 16), -1);
	for (size_t i = sizeof(*q) + 16; i < 256; i++)
		EXPECT_EQ(out[i], FILLER);
}

static void batch_is_written_up_to_done(int heap, const void *arg)
{
	struct privheap_type t = type_named("three", 8, 0);
	__u64 handles[16];
	struct privheap_alloc a = {
		.size = sizeof(a), .flags = PRIVHEAP_PARTIAL, .count = 16,
		.handles = user_ptr(handles),
	};

	(void)arg;
	t.quota_objects = 3;
	REQUIRE_OK(type_create(heap, &t));
	memset(handles, FILLER, sizeof(handles));
	a.type = t.type;
	REQUIRE_OK(heap_call(heap, PRIVHEAP_ALLOC, &a));
	EXPECT_EQ(a.done, 3);
	for (int i = 3; i < 16; i++)
		EXPECT_EQ(handles[i], 0xa5a5a5a5a5a5a5a5ULL);
}

/* Hexadecimal digits that begin like an address of the kernel. */
static void expect_no_address_in(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024], *at;
	size_t digits;

	REQUIRE(file);
	while (fgets(line, sizeof(line), file))
		for (at = line; (at = strstr(at, "ffff")); at += 4) {
			for (digits = 0; isxdigit((unsigned char)at[digits]); digits++)
				;
			if (!EXPECT(digits < 16))
				test_note("%s: %s", path, line);
		}
	fclose(file);
}

static void text_names_no_address(int heap, const void *arg)
{
	static const char *const files[] = { "module", "heaps", "types", "slabs", "validate" };
	char path[80];

	(void)arg;
	heap_new(heap, PRIVHEAP_TYPE_STR, 100);
	heap_new(heap, PRIVHEAP_TYPE_STR, 100000);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", heap);
	expect_no_address_in(path);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/privheap/%s", files[i]);
		if (!access(path, R_OK))
			expect_no_address_in(path);
	}
}

static const __u32 type_flags[] = {
	0, PRIVHEAP_TYPE_COUNTED, PRIVHEAP_TYPE_ZERO_ALLOC, PRIVHEAP_TYPE_ZERO_FREE,
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_flags); i++)
		TEST_ARG(fresh_objects_are_clean, &type_flags[i],
			 "fresh_objects_are_clean_with_flags_%u", type_flags[i]);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		TEST_ARG(answer_is_clean, &commands[i], "answer_to_%s_is_clean",
			 commands[i].name);
	TEST(answer_to_a_later_version_leaves_its_tail);
	TEST(batch_is_written_up_to_done);
	TEST(text_names_no_address);
	return tests_run();
}
