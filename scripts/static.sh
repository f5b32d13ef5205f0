#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make static`: everything that can be found without running. Each check is
# silent when it finds nothing; one finding fails the whole.
set -eu
. "$(dirname "$0")/lib.sh"

cd "$top"
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check NAME COMMAND...: a check fails by its status or by printing anything.
check() {
	local name=$1

	shift
	if "$@" >"$work/findings" 2>&1 && [ ! -s "$work/findings" ]; then
		printf '%-34s ok\n' "$name"
		passed=$((passed + 1))
	else
		printf '%-34s FAILED\n' "$name"
		sed 's/^/  /' "$work/findings"
		failed=$((failed + 1))
	fi
}

sources() {
	find module include kunit -name '*.[ch]' | sort
}

# An unchanged object would not repeat its warnings.
warnings() {
	local kdir

	kdir=$(headers_dir "$1" amd64) || return
	find build/kernels/"${kdir##*/linux-headers-}" -name '*.o' -delete 2>/dev/null
	scripts/module.sh "$kdir" >"$work/build" 2>&1 || { tail -n 30 "$work/build"; return 1; }
	! grep -iE 'warning:' "$work/build"
}

# The kernel's headers have findings of their own: only ours count.
sparse_findings() {
	local kdir

	kdir=$(headers_dir "$1" amd64) || return
	scripts/module.sh "$kdir" C=2 CHECK=sparse >"$work/build" 2>&1 ||
		{ tail -n 30 "$work/build"; return 1; }
	! grep -E 'build/kernels/[^:]*:[0-9]+:[0-9]+: (warning|error)' "$work/build"
}

checkpatch() {
	local ignore status=0

	ignore=$(sed -n 's/^checkpatch //p' scripts/static.exceptions | paste -sd, -)
	sources | xargs perl "$kernel/scripts/checkpatch.pl" --no-tree --strict --terse \
		--show-types --no-summary --quiet --ignore "$ignore" -f || status=1
	# It leaves a cache of names in the folder that it is called in.
	rm -f .checkpatch-camelcase.*
	return $status
}

kernel_doc() {
	find include module -name '*.h' -print0 |
		xargs -0 perl "$kernel/scripts/kernel-doc" -none -Werror
}

# Included twice, and before anything else: it has to stand alone.
uapi_header() {
	printf '#include <linux/privheap.h>\n#include <linux/privheap.h>\nint main(void);\n' |
		"$@" -Wall -Wextra -Werror -pedantic -Iinclude/uapi -fsyntax-only -
}

# The kernel's own semantic patches. What they say of themselves is not ours.
semantic_patches() {
	local patch

	for patch in "$kernel"/scripts/coccinelle/*/*.cocci; do
		grep -q 'virtual report' "$patch" || continue
		spatch -D report --very-quiet --no-show-diff --cocci-file "$patch" \
			-I include -I include/uapi -I module --dir "$1" 2>&1 |
			grep -vE '^warning: line [0-9]+: should' || true
	done
}

# analyze FILE FLAG...: what clang's analyzer finds, as "FILE MESSAGE".
analyze() {
	local file=$1

	shift
	clang --analyze -Xclang -analyzer-output=text "$@" "$file" 2>&1 |
		sed -nE "s#^([^ ]*/build/kernels/[^/]*/)?([^ :]*):[0-9]+:[0-9]+: (warning|error): (.*)#\2 \4#p" |
		sed -E 's/ +/ /g; s/ (upon returning.*)?\[[a-zA-Z.]*\]$//'
}

# As Kbuild compiles it, but for the options that are gcc's alone. Of what is in
# line in the kernel's headers, which have findings of their own, only ours counts.
analyze_module() {
	local command flags=() kdir=$2

	command=$(sed -n '1s/^[^=]*:= *\(.*\) -c -o .*/\1/p' "${1%/*}/.${1##*/}.cmd")
	eval "flags=($command)"
	mapfile -t flags < <(printf '%s\n' "${flags[@]}" |
		grep -E '^(-I|-D|-include$|/.*\.h$|-nostdinc$|-std=|-m64$|-fshort-wchar$)')
	(cd "$kdir" && analyze "${1%.o}.c" -Wno-everything "${flags[@]}") | grep -v '^/' || true
}

analyze_program() {
	local flags=()

	case $1 in
	tools/fuzz/pure/* | tools/fuzz/shim/*)
		flags=(-include shim.h -Itools/fuzz/shim -Ibuild/fuzz-pure/include
			-Iinclude -Imodule -Wno-everything) ;;
	*/peer.c) flags=('-DPEER="peer"' '-DPEER_LIBRARY="library"') ;;
	esac
	analyze "$1" -std=gnu11 -D_GNU_SOURCE "${flags[@]}" -Iinclude/uapi -Itools/lib \
		-I"${1%/*}"
}

# The suites of KUnit are beyond the headers of a stock kernel, which has none.
analyzer() {
	local kdir

	kdir=$(headers_dir 6.1 amd64) || return
	make -s -C tools/fuzz/pure "$top/build/fuzz-pure/include/.made" || return
	export -f analyze analyze_module analyze_program
	{
		find "$top/build/kernels/${kdir##*/linux-headers-}/module" -name '*.o' -print0 |
			xargs -0 -P 2 -I{} bash -c 'analyze_module "$@"' _ {} "$kdir"
		find tools -name '*.c' -print0 | xargs -0 -P 2 -I{} bash -c 'analyze_program "$@"' _ {}
	} | sort -u >"$work/analyzed"
	sed -n 's/^analyzer //p' scripts/static.exceptions | sort -u >"$work/excepted"
	comm -23 "$work/analyzed" "$work/excepted"
	comm -13 "$work/analyzed" "$work/excepted" | sed 's/^/exception without use: /'
}

# What bounds a user's number before it is an index has to do so for a CPU that
# runs ahead, too.
speculation() {
	local place status=0

	for place in ioctl.c:ph_ioctl heap.h:ph_heap_type region.h:ph_region_lookup \
		handle.h:ph_handle_find handle.c:ph_slab_error free.c:ph_free_claim \
		type.h:ph_type_cache policy.c:ph_policy content.c:ph_content_at \
		offsets.c:ph_region_gen; do
		sed -n "/[ *]${place#*:}(/,/^}/p" "module/${place%:*}" | grep -q array_index_nospec ||
			{ echo "module/${place%:*}: ${place#*:}() has no array_index_nospec()"; status=1; }
	done
	return $status
}

shell_scripts() {
	find scripts .ci tools -name '*.sh' -print0 | xargs -0 shellcheck -x scripts/guest/init .ci/run
}

python_scripts() {
	find scripts tools -name '*.py' -exec python3 -c '
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path, encoding="utf-8").read(), path)' {} +
}

ktap_judge() {
	python3 -B scripts/ktap_test.py >"$work/judge" 2>&1 || { cat "$work/judge"; return 1; }
}

# Outside Kbuild nothing counts on what an earlier build left.
user_programs() {
	rm -rf build/tools/obj build/tools/obj32
	make -s -C tools >"$work/build" 2>&1 || { cat "$work/build"; return 1; }
}

# What the library's files call each other by may be the names of a program's, too.
library_names() {
	nm -gP --defined-only build/tools/libprivheap.a >"$work/names" || return
	grep -q '^privheap_malloc ' "$work/names" || return
	! grep -vE '^privheap_|:$' "$work/names"
}

# What is in line in the library's header has to be C++ as well.
library_header() {
	printf '#include <libprivheap.h>\n#include <libprivheap.h>\nint main() { int *p = static_cast<int *>(privheap_object_alloc(1)); privheap_object_free(1, p); }\n' |
		"$@" -Wall -Wextra -Werror -pedantic -Iinclude/uapi -Itools/lib -fsyntax-only -
}

# Every symbol that the shared library gives to programs has a version.
library_versions() {
	nm -D --defined-only build/tools/libprivheap.so.1 | awk '$2 != "A" { print $3 }' \
		>"$work/names" || return
	grep -q '^privheap_malloc@@PRIVHEAP_1$' "$work/names" || { echo "no privheap_malloc@@PRIVHEAP_1"; return 1; }
	! grep -v '@@PRIVHEAP_[0-9]*$' "$work/names"
}

# As a program is built against the library where it was installed, both ways.
library_by_pkg_config() {
	local flags how

	DESTDIR=$work/root PREFIX=/usr KDIR=$(headers_dir 6.1 amd64) \
		scripts/install.sh install >/dev/null 2>"$work/installed" ||
		{ cat "$work/installed"; return 1; }
	export PKG_CONFIG_SYSROOT_DIR=$work/root PKG_CONFIG_LIBDIR=$work/root/usr/lib/pkgconfig
	printf '#include <libprivheap.h>\nint main(void) { return !*privheap_strerror(1); }\n' \
		>"$work/user.c"
	for how in "" --static; do
		read -ra flags < <(pkg-config $how --cflags --libs libprivheap)
		gcc -Wall -Wextra -Werror -o "$work/user" "$work/user.c" ${how:+-static} "${flags[@]}" &&
			LD_LIBRARY_PATH=$work/root/usr/lib "$work/user" || return
	done
}

scripts/setup.sh build vm static
kernel=$(kernel_source 6.1)
for line in 6.1 6.12; do
	check "compiler, W=1, Linux $line" warnings $line
	check "sparse, Linux $line" sparse_findings $line
done
check "checkpatch --strict" checkpatch
check "kernel-doc" kernel_doc
check "semantic patches, module" semantic_patches module
check "semantic patches, suites" semantic_patches kunit
check "static analysis" analyzer
check "bounds under speculation" speculation
check "user header, C90" uapi_header gcc -x c -std=c90
check "user header, C11" uapi_header gcc -x c -std=c11
check "user header, C++17" uapi_header g++ -x c++ -std=c++17
check "library header, C++11" library_header g++ -x c++ -std=c++11
check "library header, C++17" library_header g++ -x c++ -std=c++17
check "user programs, -Werror" user_programs
check "versions of the shared library" library_versions
check "names of the static library" library_names
check "the library by pkg-config" library_by_pkg_config
check "shellcheck" shell_scripts
check "python syntax" python_scripts
check "the judge of KTAP" ktap_judge
check "the judge of kernel logs" scripts/reports_test.sh
echo "static checks: $passed ok, $failed failed"
[ $failed = 0 ]
