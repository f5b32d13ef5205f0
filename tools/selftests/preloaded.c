// SPDX-License-Identifier: GPL-2.0
/*
 * fork() and cancellation in programs whose malloc() is of the preloaded library:
 * on the module, and on plain memory. Each case is this program once more, with
 * the library, which lies in the folder above, and two arguments: the place and the
 * number of the case.
 */
#include "common.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>

#define SKIPPED	4
#define MIB	((size_t)1 << 20)

/* What the harness has no part in: the process is another one. */
#define CHECK(cond)	check(HERE, #cond, (cond))

static void check(struct place at, const char *what, bool is)
{
	if (is)
		return;
	dprintf(STDOUT_FILENO, "# %s:%d: expected %s\n", at.file, at.line, what);
	_exit(1);
}

static bool on_module;

/* In a way that the compiler does not see through. */
static void use_heap(void)
{
	for (int i = 0; i < 15; i++) {
		void *volatile object = malloc(100 << i);

		CHECK(object);
		free(object);
	}
}

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* The C library locks open streams around the fork of a process with threads. */
static void stream_and_thread(void)
{
	pthread_t thread;

	CHECK(fopen("/dev/null", "r"));
	CHECK(!pthread_create(&thread, NULL, waits, NULL));
}

static void is_signal_state(const sigset_t *blocked, const stack_t *stack, int err)
{
	struct sigaction action;
	sigset_t now;
	stack_t now_on;

	CHECK(errno == err);
	CHECK(!sigaction(SIGSEGV, NULL, &action) && action.sa_handler == SIG_DFL);
	CHECK(!pthread_sigmask(SIG_SETMASK, NULL, &now));
	for (int number = 1; number < NSIG; number++)
		CHECK(sigismember(&now, number) == sigismember(blocked, number));
	CHECK(!sigaltstack(NULL, &now_on));
	CHECK(now_on.ss_sp == stack->ss_sp && now_on.ss_flags == stack->ss_flags);
}

static void child_ends_well(pid_t child)
{
	int status = 0;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(status == 0);
}

/* The child has what the parent had, and may allocate and fork. */
static void fork_is_well(void)
{
	char *kept = strdup("kept");
	sigset_t blocked;
	stack_t stack;
	pid_t child;

	CHECK(!pthread_sigmask(SIG_SETMASK, NULL, &blocked) && !sigaltstack(NULL, &stack));
	errno = EXDEV;
	child = fork();
	is_signal_state(&blocked, &stack, EXDEV);
	if (!child) {
		pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

		CHECK(!strcmp(kept, "kept"));
		CHECK((kept = realloc(kept, 100000)) && !strcmp(kept, "kept"));
		/* The C library's number of the thread. */
		CHECK(!pthread_mutex_lock(&lock) && lock.__data.__owner == gettid());
		child = fork();
		if (!child)
			_exit(strcmp(kept, "kept"));
		child_ends_well(child);
		_exit(0);
	}
	child_ends_well(child);
	CHECK(!strcmp(kept, "kept"));
	free(kept);
}

static void signals_blocked(void)
{
	sigset_t all;

	stream_and_thread();
	sigfillset(&all);
	CHECK(!pthread_sigmask(SIG_SETMASK, &all, NULL));
	fork_is_well();
}

static void alternate_stack(void)
{
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };

	stream_and_thread();
	CHECK(!sigaltstack(&stack, NULL));
	fork_is_well();
}

static void forks(int number)
{
	(void)number;
	fork_is_well();
}

static void on_alternate_stack(void)
{
	stack_t stack = { .ss_sp = malloc(262144), .ss_size = 262144 };
	struct sigaction action = { .sa_handler = forks, .sa_flags = SA_ONSTACK };

	stream_and_thread();
	CHECK(!sigaltstack(&stack, NULL) && !sigaction(SIGUSR1, &action, NULL));
	CHECK(!raise(SIGUSR1));
	fork_is_well();
}

static unsigned int handled;

static void handle(void)
{
	handled++;
}

/* More than the C library has room for without malloc(). */
static void many_handlers(void)
{
	for (int i = 0; i < 100; i++)
		CHECK(!pthread_atfork(handle, handle, handle));
	fork_is_well();
	CHECK(handled == 200);
}

static ucontext_t back, coroutine;

static void coroutine_stack(void)
{
	CHECK(!getcontext(&coroutine));
	coroutine.uc_stack.ss_sp = malloc(262144);
	coroutine.uc_stack.ss_size = 262144;
	coroutine.uc_link = &back;
	makecontext(&coroutine, fork_is_well, 0);
	CHECK(!swapcontext(&back, &coroutine));
}

static void *thread_forks(void *arg)
{
	for (int i = 0; i < 5; i++)
		fork_is_well();
	return arg;
}

static void thread_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int *number;
	void *stack;

	/* A kernel without CHECKPOINT_RESTORE, which Debian's are not, cannot tell. */
	if (prctl(PR_GET_TID_ADDRESS, &number))
		_exit(SKIPPED);
	CHECK(!posix_memalign(&stack, 4096, MIB));
	CHECK(!pthread_attr_init(&attr) && !pthread_attr_setstack(&attr, stack, MIB));
	CHECK(!pthread_create(&thread, &attr, thread_forks, NULL));
	CHECK(!pthread_join(thread, NULL));
}

/* Both are the first one, each of its own name space. */
static void same_number(void)
{
	pid_t child;

	use_heap();
	if (unshare(CLONE_NEWPID))
		_exit(SKIPPED);
	child = fork();
	if (!child) {
		stream_and_thread();
		CHECK(!unshare(CLONE_NEWPID));
		child = fork();
		if (!child)
			_exit(getpid() != 1);
		child_ends_well(child);
		_exit(0);
	}
	child_ends_well(child);
}

static void no_files_left(void)
{
	struct rlimit limit = { 1100, 1100 };
	char *blocks[4];
	pid_t child;

	use_heap();
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		;
	for (unsigned long n = 0; n < scaled(20); n++) {
		for (int i = 0; i < 4; i++)
			CHECK(blocks[i] = memset(malloc(3 * MIB), 'A', 3 * MIB));
		child = fork();
		if (!child) {
			for (int i = 0; i < 4; i++)
				for (size_t at = 0; at < 3 * MIB; at += 64)
					CHECK(blocks[i][at] == 'A');
			_exit(0);
		}
		for (int i = 0; i < 4; i++)
			free(memset(blocks[i], 'B', 3 * MIB));
		child_ends_well(child);
	}
	fork_is_well();
}

/* A fork that fails is one that nobody waits for. */
static void no_child_to_be_had(void)
{
	struct rlimit files = { 3, 3 }, none = { 0, 0 };

	use_heap();
	CHECK(!setrlimit(RLIMIT_NOFILE, &files));
	if (!geteuid())
		CHECK(!setgid(65534) && !setuid(65534) && !prctl(PR_SET_DUMPABLE, 1));
	CHECK(!setrlimit(RLIMIT_NPROC, &none));
	for (int i = 0; i < 1000; i++) {
		errno = 0;
		CHECK(fork() == -1 && errno == EAGAIN);
	}
}

static pid_t forked;

static void *forks_cancelled(void *arg)
{
	pthread_cancel(pthread_self());
	forked = fork();
	if (!forked)
		_exit(0);
	use_heap();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	child_ends_well(forked);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	return arg;
}

static void cancelled(void)
{
	pthread_t thread;
	void *result;

	CHECK(!pthread_create(&thread, NULL, forks_cancelled, NULL));
	CHECK(!pthread_join(thread, &result));
	CHECK(forked > 0 && result == PTHREAD_CANCELED);
	fork_is_well();
}

#ifdef __x86_64__
static volatile unsigned long steps;
static volatile pid_t interrupted;

static void step(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)number;
	(void)info;
	if (steps++ % (on_module ? 397 : 97))
		return;
	interrupted = fork();
	if (interrupted > 0)
		child_ends_well(interrupted);
	else if (on_module)
		_exit(0);
	else
		at->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
}

static void trap(unsigned long set)
{
	__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp)\n\t"
			 "orq %0, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
			 :: "r"(set) : "memory", "cc");
}

/* At one instruction of malloc() and free() after the other. */
static void in_a_handler(void)
{
	static const size_t sizes[] = { 40, 700, 9000, 100000 };
	struct sigaction action = { .sa_sigaction = step, .sa_flags = SA_SIGINFO };
	void *objects[ARRAY_SIZE(sizes)];

	use_heap();
	CHECK(!sigaction(SIGTRAP, &action, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		interrupted = 1;
		trap(0x100);
		objects[i] = malloc(sizes[i]);
		free(objects[i]);
		objects[i] = malloc(sizes[i]);
		trap(0);
		CHECK(objects[i]);
		/* A child, which went on with what it was in. */
		if (!interrupted) {
			memset(objects[i], 1, sizes[i]);
			use_heap();
			_exit(0);
		}
		memset(objects[i], 2, sizes[i]);
	}
	CHECK(steps > 1000);
	fork_is_well();
}
#else
static void in_a_handler(void)
{
	_exit(SKIPPED);
}
#endif

/* The first allocation of all, and with the lock that translating takes. */
static void first_in_setlocale(void)
{
	alarm(30);
	for (int i = 0; i < 3; i++) {
		setlocale(LC_ALL, i % 2 ? "C" : "C.UTF-8");
		use_heap();
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "first_in_setlocale", first_in_setlocale },
	{ "many_handlers", many_handlers },
	{ "signals_blocked", signals_blocked },
	{ "alternate_stack_on_the_heap", alternate_stack },
	{ "on_an_alternate_stack_on_the_heap", on_alternate_stack },
	{ "coroutine_stack_on_the_heap", coroutine_stack },
	{ "thread_stack_on_the_heap", thread_stack },
	{ "parent_and_child_of_the_same_number", same_number },
	{ "no_files_left", no_files_left },
	{ "no_child_to_be_had", no_child_to_be_had },
	{ "cancelled", cancelled },
	{ "in_a_handler", in_a_handler },
};

/* Without stdio, for the first allocation is to be the case's. */
static bool module_mapped(void)
{
	static char maps[1 << 16];
	size_t length = 0;
	ssize_t got;
	int fd;

	/* It may be that all are in use. */
	close(STDIN_FILENO);
	fd = open("/proc/self/maps", O_RDONLY);
	while ((got = read(fd, maps + length, sizeof(maps) - 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	return strstr(maps, PRIVHEAP_DEVICE);
}

static int run_case(const char *place, const char *number)
{
	on_module = !strcmp(place, "module");
	alarm(300);
	cases[atoi(number)].run();
	/* It ran on what it was to run on. */
	CHECK(module_mapped() == on_module);
	return 0;
}

struct where {
	const char *place;
	unsigned int number;
};

static char library[512];

static void in_a_program(int unused, const void *arg)
{
	const struct where *where = arg;
	char number[12];
	int status;
	pid_t child;

	(void)unused;
	snprintf(number, sizeof(number), "%u", where->number);
	fflush(stdout);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		setenv("LD_PRELOAD", library, 1);
		if (strcmp(where->place, "module"))
			setenv("PRIVHEAP_DEVICE", "/dev/privheap-is-not-here", 1);
		execl("/proc/self/exe", "preloaded", where->place, number, NULL);
		_exit(1);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		test_skip("not here");
	EXPECT_EQ(status, 0);
}

static void find_library(void)
{
	ssize_t length = readlink("/proc/self/exe", library, sizeof(library) / 2);

	if (length < 0)
		abort();
	library[length] = 0;
	*strrchr(library, '/') = 0;
	strcpy(strrchr(library, '/') + 1, "libprivheap-preload.so");
	if (access(library, R_OK)) {
		printf("Bail out! no %s\n", library);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static struct where places[2 * ARRAY_SIZE(cases)];
	struct where *where = places;

	if (argc == 3)
		return run_case(argv[1], argv[2]);
	find_library();
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int plain = 0; plain < 2; plain++, where++) {
			*where = (struct where){ plain ? "plain" : "module", i };
			TEST_BARE_ARG(in_a_program, where, "%s_%s", cases[i].name, where->place);
		}
	}
	return tests_run();
}
