// SPDX-License-Identifier: GPL-2.0
/*
 * The harness of the selftests: KTAP, isolation, and what a test left behind.
 */
#include "common.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define DEBUGFS		"/sys/kernel/debug"
#define COUNTERS	DEBUGFS "/privheap/module"

/* A test that runs longer hangs; no test's verdict depends on the value. */
#define HANG_SECONDS	900

struct test {
	test_fn run;
	const void *arg;
	bool on_heap;
	char name[120];
};

/* Shared by all processes of the running test. */
struct verdict {
	atomic_uint failures;
	atomic_bool skipped;
	char why[160];
};

/* Shared by all tests. */
struct totals {
	atomic_uint rows;
};

static struct test *tests;
static size_t nr_tests;
static struct verdict *verdict;
static struct totals *totals;

void test_add(test_fn run, const void *arg, bool on_heap, const char *name, ...)
{
	struct test *t;
	va_list args;

	tests = realloc(tests, (nr_tests + 1) * sizeof(*tests));
	if (!tests)
		abort();
	t = &tests[nr_tests++];
	*t = (struct test){ .run = run, .arg = arg, .on_heap = on_heap };
	va_start(args, name);
	vsnprintf(t->name, sizeof(t->name), name, args);
	va_end(args);
}

void test_abort(void)
{
	fflush(stdout);
	_exit(1);
}

void test_skip(const char *why, ...)
{
	va_list args;

	va_start(args, why);
	vsnprintf(verdict->why, sizeof(verdict->why), why, args);
	va_end(args);
	verdict->skipped = true;
	fflush(stdout);
	_exit(0);
}

void test_needs_root(void)
{
	if (geteuid())
		test_skip("needs root");
}

void test_in_a_child(void (*work)(const void *), const void *arg)
{
	int status = 0;
	pid_t child = fork();

	REQUIRE(child >= 0);
	if (!child) {
		work(arg);
		fflush(stdout);
		_exit(0);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	EXPECT(WIFEXITED(status));
}

void test_note(const char *what, ...)
{
	char line[320];
	va_list args;

	va_start(args, what);
	vsnprintf(line, sizeof(line), what, args);
	va_end(args);
	printf("# %s\n", line);
	fflush(stdout);
}

void test_row(void)
{
	totals->rows++;
}

bool test_failed(void)
{
	return verdict->failures > 0;
}

/* A broken loop would drown its own first, telling line. */
static bool failure_is_told(void)
{
	return atomic_fetch_add(&verdict->failures, 1) < 10;
}

static const char *errno_name(int err)
{
	const char *name = err > 0 ? strerrorname_np(err) : NULL;

	return err == 0 ? "success" : name ? name : "not an errno";
}

bool expect_failed(struct place at, const char *what)
{
	if (failure_is_told())
		test_note("%s:%d: expected %s", at.file, at.line, what);
	return false;
}

bool expect_eq(struct place at, const char *left, const char *right,
	       unsigned long long a, unsigned long long b)
{
	if (a != b && failure_is_told())
		test_note("%s:%d: expected %s == %s, but %llu (%#llx) != %llu (%#llx)",
			  at.file, at.line, left, right, a, a, b, b);
	return a == b;
}

bool expect_errno(struct place at, const char *call, int got, const int *want)
{
	char wanted[160] = "";
	const int *w;

	for (w = want; *w >= 0; w++) {
		if (got == *w)
			return true;
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted),
			 "%s%s", w == want ? "" : " or ", errno_name(*w));
	}
	if (failure_is_told())
		test_note("%s:%d: expected %s from %s, got %s", at.file, at.line,
			  wanted, call, errno_name(got));
	return false;
}

static bool scale_is(const char *name)
{
	const char *scale = getenv("PRIVHEAP_SCALE");

	return scale && !strcmp(scale, name);
}

unsigned long scaled(unsigned long loops)
{
	if (!scale_is("small"))
		return loops;
	return loops < 20 ? 1 : loops / 20;
}

unsigned long scaled_to(unsigned long loops, unsigned long full)
{
	return scale_is("full") ? full : scaled(loops);
}

__u64 file_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t len = strlen(name);
	__u64 value = ~0ULL;
	char line[256];

	if (!file)
		return value;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, len) || !strchr(": \t", line[len]))
			continue;
		value = strtoull(line + len + strspn(line + len, ": \t"), NULL, 0);
		break;
	}
	fclose(file);
	return value;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t wrote;
	int err;

	if (fd < 0)
		return errno;
	wrote = write(fd, text, strlen(text));
	err = wrote < 0 ? errno : 0;
	close(fd);
	return err;
}

int counters_read(struct counters *c)
{
	*c = (struct counters){
		.heaps = file_number(COUNTERS, "heaps"),
		.pages = file_number(COUNTERS, "pages"),
		.metadata_bytes = file_number(COUNTERS, "metadata_bytes"),
		.reserve_pages = file_number(COUNTERS, "reserve_pages"),
		.reserve_free_pages = file_number(COUNTERS, "reserve_free_pages"),
	};
	if (c->heaps == ~0ULL || c->pages == ~0ULL || c->metadata_bytes == ~0ULL ||
	    c->reserve_pages == ~0ULL || c->reserve_free_pages == ~0ULL)
		return ENODATA;
	return 0;
}

static bool counter_equal(const char *name, __u64 was, __u64 is)
{
	if (was != is && failure_is_told())
		test_note("left behind: %s is %llu and was %llu", name,
			  (unsigned long long)is, (unsigned long long)was);
	return was == is;
}

bool counters_equal(const struct counters *was, const struct counters *is)
{
	bool same = true;

	same &= counter_equal("heaps", was->heaps, is->heaps);
	same &= counter_equal("pages", was->pages, is->pages);
	same &= counter_equal("metadata_bytes", was->metadata_bytes,
			      is->metadata_bytes);
	same &= counter_equal("reserve_pages", was->reserve_pages,
			      is->reserve_pages);
	same &= counter_equal("reserve_free_pages", was->reserve_free_pages,
			      is->reserve_free_pages);
	return same;
}

__u64 random_next(__u64 *state)
{
	__u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

static unsigned char pattern_byte(size_t i, __u64 seed)
{
	__u64 word = (seed + i / 8 + 1) * 0x9e3779b97f4a7c15ULL;

	return word >> (8 * (i % 8));
}

void pattern_fill(void *to, size_t bytes, __u64 seed)
{
	unsigned char *p = to;

	for (size_t i = 0; i < bytes; i++)
		p[i] = pattern_byte(i, seed);
}

long pattern_check(const void *from, size_t bytes, __u64 seed)
{
	const unsigned char *p = from;

	for (size_t i = 0; i < bytes; i++)
		if (p[i] != pattern_byte(i, seed))
			return i;
	return -1;
}

long zero_check(const void *from, size_t bytes)
{
	const unsigned char *p = from;

	for (size_t i = 0; i < bytes; i++)
		if (p[i])
			return i;
	return -1;
}

static void child_run(const struct test *t)
{
	int heap = -1;

	setpgid(0, 0);
	alarm(scale_is("full") ? 20 * HANG_SECONDS : HANG_SECONDS);
	if (t->on_heap) {
		heap = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
		REQUIRE(heap >= 0);
	}
	t->run(heap, t->arg);
	fflush(stdout);
	_exit(0);
}

/* The test and whatever it forked: a survivor would keep its heap alive. */
static void child_reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	kill(-child, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	if (WIFSIGNALED(status) && failure_is_told())
		test_note("the test was killed by signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	if (WIFEXITED(status) && WEXITSTATUS(status) && !test_failed() &&
	    failure_is_told())
		test_note("the test ended with status %d", WEXITSTATUS(status));
}

static bool test_run(const struct test *t, size_t number)
{
	struct counters before, after;
	bool check;
	pid_t child;

	*verdict = (struct verdict){ .failures = 0 };
	check = t->on_heap && !counters_read(&before);
	fflush(stdout);
	child = fork();
	if (child < 0)
		abort();
	if (!child)
		child_run(t);
	child_reap(child);
	if (check && EXPECT_OK(counters_read(&after)))
		counters_equal(&before, &after);

	printf("%s %zu - %s", test_failed() ? "not ok" : "ok", number, t->name);
	if (verdict->skipped && !test_failed())
		printf(" # SKIP %s", verdict->why);
	printf("\n");
	fflush(stdout);
	return !test_failed();
}

/* True if the module is loaded, its device opens and its counters are seen. */
static bool module_present(void)
{
	int fd = open(PRIVHEAP_DEVICE, O_RDWR | O_CLOEXEC);
	struct counters c;

	if (fd < 0) {
		printf("Bail out! cannot open %s: %s; insmod privheap.ko first\n",
		       PRIVHEAP_DEVICE, strerror(errno));
		return false;
	}
	close(fd);
	if (!counters_read(&c))
		return true;
	mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	if (!counters_read(&c))
		return true;
	printf("Bail out! cannot read the counters of %s; run as root\n", COUNTERS);
	return false;
}

static void *shared_make(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

int tests_run(void)
{
	size_t failed = 0;

	printf("KTAP version 1\n1..%zu\n", nr_tests);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	verdict = shared_make(sizeof(*verdict));
	totals = shared_make(sizeof(*totals));
	if (!module_present())
		return 1;
	for (size_t i = 0; i < nr_tests; i++)
		failed += !test_run(&tests[i], i + 1);
	if (totals->rows)
		printf("# rows: %u\n", totals->rows);
	printf("# %zu passed, %zu failed\n", nr_tests - failed, failed);
	return failed ? 1 : 0;
}
