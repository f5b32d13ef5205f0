#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make coverage`: which lines and branches of the module the KUnit suites, the
# selftests and the stress of the kernel door run, on an x86_64 kernel with
# gcov's counters and two CPUs. Prints a line for each file and the sum, then
# what no test runs and scripts/coverage.exceptions does not explain. Leaves
# build/coverage/index.html, with every line of the module.
#
# RUNS="kunit selftests door" names some of the runs; those before are kept, as
# long as the module is the same.
set -eu
. "$(dirname "$0")/lib.sh"

results=$top/build/coverage
branches=(--rc lcov_branch_coverage=1)

# run NAME: one kind of test; what it ran comes out of the guest as a folder.
run() {
	local get=(--get "/tmp/gcov:$results/$1.gcov")

	say "Coverage of the $1:"
	rm -rf "$results/$1.gcov"
	case $1 in
	kunit) "$top/scripts/kunit-vm.sh" kunit-gcov "$kdir" "${vm[@]}" "${get[@]}" ;;
	selftests)
		"$top/scripts/selftests.sh" selftests-gcov "$out/privheap.ko" "${vm[@]}" \
			"${get[@]}" --env PRIVHEAP_SCALE=small
		;;
	door)
		# As where the kernel clears what it allocates and frees.
		OPS=3000 "$top/scripts/door.sh" door-gcov "$kdir" "${vm[@]}" "${get[@]}" \
			--append "init_on_alloc=1 init_on_free=1"
		;;
	*) die "no such run: $1" ;;
	esac || say "  some of the $1 failed; what they ran counts all the same"
	[ -d "$results/$1.gcov" ] || die "the guest's counters are missing"
	capture "$1"
}

# The counters know the path of the build; the reader shall see the sources.
capture() {
	local data=$results/$1.data

	rm -rf "$data"
	mkdir -p "$data"
	find "$results/$1.gcov" -path '*/module/*.gcda' -exec cp -t "$data" {} +
	cp -t "$data" "$out"/module/*.gcno
	lcov "${branches[@]}" --quiet --capture --directory "$data" \
		--output-file "$results/$1.raw" >"$results/$1.log" 2>&1 ||
		{ tail -n 20 "$results/$1.log" >&2; die "lcov failed"; }
	sed "s|^SF:$out/|SF:$top/|" "$results/$1.raw" >"$results/$1.info"
}

merge() {
	local info traces=()

	for info in "$results"/{kunit,selftests,door}.info; do
		# Those of other sources than ours are of no use.
		[ ! "$info" -nt "$out/privheap.ko" ] || traces+=(--add-tracefile "$info")
	done
	lcov "${branches[@]}" --quiet "${traces[@]}" --output-file "$results/all.raw"
	lcov "${branches[@]}" --quiet --extract "$results/all.raw" "$top/module/*" \
		"$top/include/*" --output-file "$results/all.info"
	genhtml "${branches[@]}" --quiet --prefix "$top" --title privheap \
		--output-directory "$results" "$results/all.info"
}

"$top/scripts/setup.sh" build vm debug coverage
kdir=$("$top/scripts/kernel.sh" gcov)
out=$("$top/scripts/module.sh" "$kdir")
make -s -C "$top/tools"
mkdir -p "$results"
vm=(--kernel-image "$kdir/arch/x86/boot/bzImage" --append "kunit.enable=1")
for name in ${RUNS:-kunit selftests door}; do
	run "$name"
done
merge
"$top/scripts/coverage.py" "$top" "$results/all.info" "$top/scripts/coverage.exceptions"
