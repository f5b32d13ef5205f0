#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make fuzz`: fuzzes the module, TIME seconds in all (300), on the debug
# kernel with two CPUs.
#
#   TIME=n     seconds
#   SEED=n     where the random numbers start; the time of day if not given
#   DISTIL=1   afterwards replace tools/fuzz/corpus by the few inputs that
#              reach what all did
#
# All that was found and the corpus are in build/fuzz. A guest that died is
# started again: what it ran last is in the box, see tools/fuzz/box.h.
set -eu
. "$(dirname "$0")/lib.sh"

time=${TIME:-300}
seed=${SEED:-$(date +%s)}
results=$top/build/fuzz
box=$results/box
corpus=$top/tools/fuzz/corpus
fuzz=$top/build/tools/fuzz
problems=0 retried=0

# How many branches of ours the compiler has marked.
sites() {
	objdump -dr "$1" | grep -c 'R_X86_64_PLT32.*__sanitizer_cov_trace_pc' || true
}

# guest TIMEOUT OPTIONS [VM OPTION]...
guest() {
	local timeout=$1 options=$2

	shift 2
	"$top/scripts/vm.sh" --smp 2 --mem 1024 --timeout "$timeout" \
		--kernel-image "$kdir/arch/x86/boot/bzImage" \
		--append "panic_on_warn=1 rcupdate.rcu_cpu_stall_suppress=1" \
		--qemu "-object memory-backend-file,id=box,size=8M,share=on,mem-path=$box -device ivshmem-plain,memdev=box" \
		--script "$top/scripts/guest/fuzz.sh" --env "OPTIONS=$options" --env "PARAMS=${PARAMS:-}" \
		--add "$out/privheap.ko" --add "$fuzz" --add "$corpus:/corpus" \
		--log "$results/console-$round.log" "$@"
}

# A guest that did not end by itself: the input that it ran last, as C. One that
# did not come as far as that, once, is a busy machine's.
died() {
	if ! "$fuzz" --state "$box" >/dev/null && [ $retried = 0 ]; then
		say "fuzz: the guest did not start; once more"
		retried=1
		return
	fi
	problems=$((problems + 1))
	say "fuzz: the guest ended with status $1; the last input:"
	"$fuzz" --state "$box" >&2 || true
	"$fuzz" --print-c "$box" >"$results/died-$round.c"
	say "as a program: $results/died-$round.c; the console: $results/console-$round.log"
}

# The time that is left, in as many guests as it takes.
run() {
	local end=$((SECONDS + time)) status

	round=0
	while [ $((end - SECONDS)) -gt 5 ] && [ $problems -lt 5 ]; do
		status=0
		guest $((end - SECONDS + 300)) \
			"--seconds $((end - SECONDS)) --sites $there --seed $((seed + round)) /corpus" ||
			status=$?
		[ $status -lt 124 ] || died $status
		[ $status != 127 ] || break
		round=$((round + 1))
	done
}

distil() {
	round=distil
	rm -rf "$results/corpus"
	guest 3600 "--distil /tmp/corpus" --get "/tmp/corpus:$results/corpus"
	rm -rf "$corpus"
	cp -r "$results/corpus" "$corpus"
}

# Every finding as text and as a program.
findings() {
	local file

	"$fuzz" --findings "$box" "$results/findings" || true
	for file in "$results"/findings/finding-???; do
		[ -e "$file" ] || return 0
		problems=$((problems + 1))
		"$fuzz" --print-c "$file" >"$file.c"
		say "as a program: $file.c"
	done
}

"$top/scripts/setup.sh" build vm debug
kdir=$("$top/scripts/kernel.sh" debug)
out=$("$top/scripts/module.sh" "$kdir")
make -s -C "$top/tools"
rm -rf "$results"
mkdir -p "$results"
truncate -s 8M "$box"
there=$(sites "$out/privheap.ko")
run
findings
[ -z "${DISTIL:-}" ] || distil
[ $problems = 0 ]
