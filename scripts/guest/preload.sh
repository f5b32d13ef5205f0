#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: each program below runs twice in the host's files, and has to
# say the same. One KTAP stream, on the console and in /tmp/preload.ktap.

stream=/tmp/preload.ktap
number=0
failed=0

emit() {
	echo "$*" | tee -a $stream
}

judge() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		emit "ok $number - $2"
	else
		emit "not ok $number - $2"
		failed=1
	fi
}

# in_host COMMAND [NAME=VALUE]...: by the host's shell, in an empty folder.
in_host() {
	command=$1

	shift
	rm -rf /host/tmp/work
	mkdir /host/tmp/work
	chroot /host /usr/bin/env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C "$@" \
		/bin/sh -c "cd /tmp/work; $command" 2>&1
	echo "status $?"
}

# same NAME COMMAND: both runs say the same, and that is more than a status.
same() {
	[ -z "$ONLY" ] || [ "$ONLY" = "$1" ] || return 0
	in_host "$2" >/tmp/without
	in_host "$2" LD_PRELOAD="$LIBRARY" >/tmp/with
	cmp -s /tmp/without /tmp/with && [ "$(wc -l </tmp/with)" -gt 1 ] &&
		grep -q '^status 0$' /tmp/with
	result=$?
	[ $result = 0 ] || diff /tmp/without /tmp/with | head -n 20 | sed 's/^/# /' | tee -a $stream
	judge $result "$1"
}

mount_host() {
	for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev \
		virtio_pci netfs fscache 9pnet 9pnet_virtio 9p; do
		insmod /modules/$module.ko || return
	done
	mkdir /host
	mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose host /host &&
		mount -t tmpfs tmpfs /host/tmp &&
		mount --bind /dev /host/dev &&
		mount --bind /proc /host/proc
}

# The host's files may be anywhere, also where the guest has its own.
LIBRARY=/tmp/libprivheap-preload.so
text=/usr/share/common-licenses/GPL-3

emit "KTAP version 1"
mount_host || exit
cp /library.so "/host$LIBRARY" || exit
insmod /modules/privheap.ko || exit

# That the library does what it is there for, else the rest says nothing.
in_host "grep -c /dev/privheap /proc/self/maps" LD_PRELOAD="$LIBRARY" >/tmp/with
grep -q '^[1-9]' /tmp/with
judge $? "a program has its heap mapped"

same sort "sort $text | md5sum; sort -S 64k $text $text $text | uniq -c | sort -rn | head -n 50"
same sort_threads "seq 1 20000 | sort --parallel=2 -S 8M -R --random-source=$text | md5sum"
same gzip "gzip -9 -n <$text | tee x.gz | md5sum; gunzip <x.gz | md5sum"
same awk "awk '{ for (i = 1; i <= NF; i++) n[\$i]++ } END { for (w in n) print n[w], w }' $text | sort | md5sum"
same perl "perl -e 'while (<>) { push @{\$at{lc \$_}}, \$. for split } \
	print map { \"\$_ @{\$at{\$_}}\\n\" } sort keys %at; \$s .= \"x\" x \$_ for 1 .. 2000; \
	print length \$s, \"\\n\"; print qx(echo child)' $text"
same sqlite3 "sqlite3 x.db 'create table t (a integer primary key, b text); \
	with recursive c(n) as (select 1 union all select n + 1 from c where n < 5000) \
	insert into t select n, hex(n * 7919) from c; create index i on t (b); \
	select count(*), sum(a), max(b) from t; select b, a from t order by b limit 20;'"
same python3 "/usr/bin/python3 -c '
import json, re, collections
words = re.findall(r\"\\w+\", open(\"$text\").read())
count = collections.Counter(words)
print(json.dumps(sorted(count.items()), indent=1))
big = list(range(200000)); big.sort(key=lambda n: -n % 1001); print(sum(big[:1000]))
'"
same python3_fork "/usr/bin/python3 -c '
import os, subprocess, sys
kept = [str(n) * 3 for n in range(5000)]
for n in range(3):
    child = os.fork()
    if not child:
        kept += [str(m) for m in range(5000)]
        del kept[::2]
        print(\"child\", n, len(kept), hash(tuple(map(len, kept))), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    kept = kept[::-1]
print(subprocess.run([\"/bin/echo\", \"spawned\"], capture_output=True).stdout)
print(subprocess.run(\"echo shell | tr a-z A-Z\", shell=True, capture_output=True).stdout)
'"
same python3_threads "/usr/bin/python3 -c '
import threading, zlib
def work(n):
    text = (str(n) * 5000).encode()
    for _ in range(20):
        text = zlib.decompress(zlib.compress(text))
    done[n] = zlib.crc32(text)
done = {}
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(done.items()))
'"
same xz_threads "xz -T2 --block-size=16KiB -c <$text | tee x.xz | md5sum; xz -dc -T2 x.xz | md5sum"
same gcc "printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { char *p = malloc(20); snprintf(p, 20, \"%%d\", 42); puts(p); free(p); return 0; }\n' >x.c;
	gcc -O2 -Wall -c -o x.o x.c && md5sum x.o && gcc -o x x.o && ./x"
same fork_with_threads "cat >x.c <<'EOF'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *arg)
{
	for (;;)
		free(malloc(100));
	return arg;
}
int main(void)
{
	FILE *file = fopen(\"x.c\", \"r\");
	char *kept[1000], line[100];
	pthread_t thread;
	int status;

	pthread_create(&thread, NULL, work, NULL);
	for (int i = 0; i < 1000; i++)
		kept[i] = strdup(\"kept\");
	for (int n = 0; n < 5; n++) {
		if (!fork()) {
			for (int i = 0; i < 1000; i++) {
				if (strcmp(kept[i], \"kept\"))
					abort();
				kept[i] = realloc(kept[i], 10 + i);
				free(malloc(i));
			}
			if (!fork())
				exit(strcmp(kept[999], \"kept\") || !fgets(line, 100, file));
			wait(&status);
			exit(status != 0);
		}
		wait(&status);
		printf(\"child %d: %d\\n\", n, status);
	}
	return 0;
}
EOF
	gcc -pthread -o x x.c && ./x"
# A program that has the library by itself, and is done with it before its thread is.
same library_closed "cat >x.c <<'EOF'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
static pthread_barrier_t barrier;
static void *work(void *arg)
{
	void *(*allocate)(size_t) = (void *(*)(size_t))arg;

	*(char *)allocate(100) = 1;
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}
int main(void)
{
	void *library = dlopen(\"$LIBRARY\", RTLD_NOW | RTLD_LOCAL), *end;
	pthread_t thread;

	if (!library)
		return puts(dlerror());
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, work, dlsym(library, \"malloc\"));
	pthread_barrier_wait(&barrier);
	printf(\"closed: %d\\n\", dlclose(library));
	pthread_barrier_wait(&barrier);
	printf(\"ended: %d\\n\", pthread_join(thread, &end));
	return 0;
}
EOF
	gcc -pthread -o x x.c && ./x"
same sh "i=0; while [ \$i -lt 40 ]; do i=\$((i + 1)); echo \$(echo \$i | sed s/1/one/); done;
	(cd /; ls -d /usr) | cat; f() { local x=\$1; [ \$x = 0 ] || echo \$x \$(f \$((x - 1))); }; f 8"
same low_files "bash -c 'exec 3>x 4>&3; (echo hi >&3); x=\$(seq 1 30000); exec 3>&- 4>&-; echo \${#x} \$(cat x)'"
same all_files_closed "/usr/bin/python3 -c '
import os
kept = [str(n) * 3 for n in range(5000)]
for n in range(3, 3000):
    try: os.close(n)
    except OSError: pass
kept += [str(n) * 300 for n in range(5000)]
os.closerange(3, 100000)
kept += [str(n) * 300 for n in range(5000)]
print(len(kept), hash(tuple(map(len, kept))), os.open(\"/dev/null\", os.O_RDONLY))
os.dup2(1, 990), os.dup2(1, 5, False)
if not os.fork():
    os.closerange(3, 100000)
    print(sum(len(str(n) * 300) for n in range(20000)))
    os._exit(0)
os.wait()
'; cat >x.c <<'EOF'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
	int wrong = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (unsigned int n = 3; n < 1100; n++)
		wrong += close_range(n, n, 0) != 0;
	wrong += close_range(5, 4, 0) != -1 || errno != EINVAL;
	wrong += close_range(1000, 1000, 1 << 20) != -1 || errno != EINVAL;
	wrong += dup3(1, 1, 0) != -1 || errno != EINVAL;
	wrong += dup3(1, 900, O_CLOEXEC) != 900 || close_range(900, ~0U, 0);
	wrong += close(900) != -1 || errno != EBADF;
	for (int n = 0; n < 3; n++) {
		wrong += dup2(1, 7) != 7 || dup2(1, 1010) != 1010;
		closefrom(n ? 1000 : 3);
		wrong += close(1010) != -1 || close(7) != (n ? 0 : -1);
		for (int i = 0; i < 100000; i++)
			wrong += !malloc(50);
	}
	printf(\"%d\n\", wrong);
	return wrong;
}
EOF
	gcc -o x x.c && ./x"
same few_files "ulimit -n 200; bash -c 'exec 3>x 4>&3; (echo hi >&3); x=\$(seq 1 30000); exec 3>&- 4>&-; echo \${#x} \$(cat x)'"
same fork_in_little_space "ulimit -v 1000000; perl -e 'print \"child\\n\", exit 0 if !fork; wait; print \"ended \$?\\n\"'"
same bash "bash -c 'declare -A a; for i in {1..2000}; do a[\$i]=\$((i * i)); done;
	echo \${#a[@]} \${a[77]}; for i in {1..20}; do (a[x]=\$i; echo \${#a[@]} \${a[x]}) & wait; done'"

rmmod privheap
judge $? "no heap is left"
[ -z "$(dmesg | awk -f /reports.awk)" ]
judge $? "the kernel reports nothing"
emit "1..$number"
exit $failed
