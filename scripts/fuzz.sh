#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make fuzz`: the module's pure layers under libFuzzer, for a sixth of the time;
# then the whole user interface, on the debug kernel with two CPUs.
#
#   TIME=n     seconds in all (300), after the seeds of tools/fuzz/corpus
#   SEED=n     where the random numbers start; the time of day if not given
#   ONLY=name  pure or user: one of the two
#   PARAMS=... parameters of the module
#   DISTIL=1   afterwards replace tools/fuzz/corpus by the few inputs that
#              reach what all did
#
# All that was found and the corpus are in build/fuzz. A guest that died is
# started again: what it ran last is in the box, see tools/fuzz/box.h.
set -eu
. "$(dirname "$0")/lib.sh"

time=${TIME:-300}
pure_time=$((time / 6 + 5))
seed=${SEED:-$(date +%s)}
results=$top/build/fuzz
ktap=$top/build/check/fuzz.ktap
box=$results/box
corpus=$top/tools/fuzz/corpus
fuzz=$top/build/tools/fuzz
pure=$top/build/fuzz-pure/pure
deaths=0 retried=0 number=0

# Of the module's branches, the kernel door's among them, the seeds reach more.
least_percent=50

only() {
	[ "${ONLY:-$1}" = "$1" ]
}

# judge STATUS WHAT: one test case.
judge() {
	local result=ok

	number=$((number + 1))
	[ "$1" = 0 ] || result="not ok"
	echo "$result $number - $2" | tee -a "$ktap"
}

# How many branches of ours the compiler has marked; not those that run when the
# module is loaded or unloaded.
sites() {
	objdump -dr -j .text -j .text.unlikely "$1" | grep -c 'R_X86_64_PLT32.*__sanitizer_cov_trace_pc' || true
}

# One process; what it cannot bear is in the folder, as libFuzzer writes it.
run_pure() {
	local status=0

	mkdir -p "$results/pure"
	"$pure" -max_total_time="$pure_time" -max_len=1024 -seed="$seed" -timeout=60 \
		-artifact_prefix="$results/pure-" "$results/pure" \
		>"$results/pure.log" 2>&1 || status=$?
	tail -n 1 "$results/pure.log" >&2
	[ $status = 0 ] || grep -E 'ERROR|\.c:[0-9]+' "$results/pure.log" | head -n 5 >&2
	return $status
}

# Every seed as a program in C compiles; the guest runs some of them.
build_programs() {
	local seed name status=0

	mkdir -p "$results/programs"
	for seed in "$corpus"/*[05]; do
		name=$results/programs/${seed##*/}
		"$fuzz" --print-c "$seed" >"$name.c" &&
			gcc -std=c11 -Wall -Wextra -Werror -O1 -pthread -I"$top/include/uapi" \
				-o "$name" "$name.c" || status=1
	done
	rm -f "$results"/programs/*.c
	return $status
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
		--add "$results/programs:/programs" --get "/tmp/programs:$results/programs.txt" \
		--log "$results/console-$round.log" "$@"
}

# A guest that did not end by itself: the input that it ran last, as C. One that
# did not come as far as that, once, is a busy machine's.
died() {
	local status=0

	"$fuzz" --state "$box" >"$results/died-$round.txt" || status=$?
	if [ $status = 2 ] && [ $retried = 0 ]; then
		say "fuzz: the guest did not start; once more"
		retried=1
		return
	fi
	deaths=$((deaths + 1))
	say "fuzz: the guest ended with status $1"
	cat "$results/died-$round.txt" >&2
	"$fuzz" --print-c "$box" >"$results/died-$round.c" || true
	say "as a program: $results/died-$round.c; the console: $results/console-$round.log"
}

# The time that is left, in as many guests as it takes.
run_guests() {
	local end=$((SECONDS + time - pure_time)) status left

	for round in 0 1 2 3 4 5; do
		left=$((end - SECONDS))
		if [ "$round" -gt 0 ] && [ $left -lt 10 ]; then
			break
		fi
		status=0
		guest $((left + 1200)) "--seconds $left --sites $there --seed $((seed + round)) /corpus" ||
			status=$?
		[ $status -ge 124 ] || break
		died $status
		[ $status != "$VM_SETUP" ] || break
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

	"$fuzz" --findings "$box" "$results/findings" >&2 || return 1
	for file in "$results"/findings/finding-???; do
		[ -e "$file" ] || return 0
		"$fuzz" --print-c "$file" >"$file.c"
		say "as a program: $file.c"
	done
	return 1
}

coverage() {
	"$fuzz" --edges "$box" >"$results/edges" || return 0
	"$top/scripts/fuzz-coverage.py" "$out" "$results/edges" >"$results/coverage.txt"
	sed -n '/^all/p; /^for users/p' "$results/coverage.txt" >&2
}

reached_enough() {
	[ -n "$1" ] && [ $(($1 * 100)) -ge $((there * least_percent)) ]
}

fuzz_pure() {
	local status=0

	say "The pure layers (libFuzzer, ASan, UBSan):"
	make -s -C "$top/tools/fuzz/pure"
	run_pure || status=$?
	judge $status "pure layers"
}

fuzz_user() {
	local status=0 reached

	kdir=$("$top/scripts/kernel.sh" debug)
	# Without the suites: nobody runs them here.
	out=$("$top/scripts/module.sh" "$kdir" suites=)
	make -s -C "$top/tools" "$fuzz"
	truncate -s 8M "$box"
	there=$(sites "$out/privheap.ko")
	build_programs || status=1
	judge $status "seeds are programs in C"
	say "The user interface (debug kernel, two CPUs):"
	run_guests
	judge $deaths "no guest dies"
	status=0
	[ ! -s "$results/programs.txt" ] || status=1
	judge $status "those programs find nothing"
	status=0
	findings || status=1
	judge $status "no finding"
	coverage
	reached=$("$fuzz" --state "$box" | sed -n 's/.* edges \([0-9]*\) .*/\1/p')
	status=0
	reached_enough "$reached" || status=1
	judge $status "edges: ${reached:-0} of $there"
	[ -z "${DISTIL:-}" ] || distil
}

"$top/scripts/setup.sh" build vm debug fuzz
mkdir -p "$results" "${ktap%/*}"
rm -rf "${results:?}"/* "$ktap" "${ktap%.ktap}.sums"
echo "KTAP version 1" >"$ktap"
if only pure; then
	fuzz_pure
else
	pure_time=0
fi
if only user; then
	fuzz_user
fi
echo "1..$number" >>"$ktap"
"$top/scripts/ktap.py" --save "${ktap%.ktap}.sums" "$ktap"
