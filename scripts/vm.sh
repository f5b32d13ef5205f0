#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a kernel in QEMU with an initramfs made on the spot, runs one command
# there and ends with its exit status. `vm.sh --help` lists the options.
set -eu
. "$(dirname "$0")/lib.sh"

usage() {
	cat <<'END'
usage: vm.sh [option]... --run COMMAND | --script FILE

  --kernel LINE|RELEASE  6.1 (default), 6.12, or a release such as 6.1.0-56-amd64
  --flavour NAME         amd64 (default), cloud, rt
  --kernel-image FILE    boot this image instead, e.g. of the debug kernel
  --module NAME          take a module of the stock image along, by name
  --smp N                CPUs (2)
  --mem MB               memory (1024)
  --append "..."         more kernel parameters
  --qemu "..."           more arguments for QEMU
  --icount               one CPU whose clock counts instructions, for figures
                         that are the same on every machine
  --timeout S            end the guest after this many seconds (600)
  --add FILE[:PATH]      take a file, program or folder along; without PATH
                         a .ko goes to /modules, a program to /bin, else /data
  --env NAME=VALUE       set in the guest's environment
  --run COMMAND          run this by the guest's shell
  --script FILE          run this file by the guest's shell
  --get PATH:FILE        bring a file or folder of the guest out afterwards
  --log FILE             keep the console here
  --quiet                do not show the console

Exit status: the command's own; 124 timeout, 125 the guest died, 126 the
console shows a kernel report, 127 the guest could not be started.
END
}

kernel=6.1 flavour=amd64 image='' smp=2 mem=1024 append='' icount='' timeout=600
script='' command='' log='' quiet='' release=''
adds=() gets=() envs=() modules=() more_qemu=()

fail_setup() {
	say "vm.sh: $*"
	exit "$VM_SETUP"
}

parse() {
	while [ $# -gt 0 ]; do
		case $1 in
		--icount) icount=1; shift; continue ;;
		--quiet) quiet=1; shift; continue ;;
		-h | --help) usage; exit 0 ;;
		esac
		[ $# -ge 2 ] || fail_setup "$1: unknown option, or its value is missing"
		case $1 in
		--kernel) kernel=$2 ;;
		--flavour) flavour=$2 ;;
		--kernel-image) image=$2 ;;
		--module) modules+=("$2") ;;
		--smp) smp=$2 ;;
		--mem) mem=$2 ;;
		--append) append=$2 ;;
		--qemu) read -ra more_qemu <<<"$2" ;;
		--timeout) timeout=$2 ;;
		--add) adds+=("$2") ;;
		--env) envs+=("$2") ;;
		--run) command=$2 ;;
		--script) script=$2 ;;
		--get) gets+=("$2") ;;
		--log) log=$2 ;;
		*) fail_setup "unknown option $1" ;;
		esac
		shift 2
	done
	[ -n "$command$script" ] || fail_setup "--run or --script is needed; see --help"
}

choose_kernel() {
	local root

	[ -z "$image" ] || return 0
	case $kernel in
	*-amd64) root=$("$top/scripts/image.sh" "$kernel") ;;
	*) root=$("$top/scripts/image.sh" "$kernel" "$flavour") ;;
	esac || fail_setup "no kernel to boot"
	release=${root##*/}
	image=$root/boot/vmlinux
	[ -e "$image" ] || image=$root/boot/vmlinuz-$release
	modules_root=$root/lib/modules/$release
}

# The module by its file name, whatever folder of the image it is in; unpacked, which
# the guest would not do.
add_stock_modules() {
	local module file

	for module in "${modules[@]}"; do
		file=$(find "$modules_root" \( -name "$module.ko" -o -name "$module.ko.xz" \) \
			2>/dev/null | head -n 1)
		[ -n "$file" ] || fail_setup "the image has no module $module"
		case $file in
		*.xz)
			xz -dc "$file" >"$work/$module.ko"
			file=$work/$module.ko ;;
		esac
		adds+=("$file")
	done
}

# /run.sh is a wrapper: the guest's shell exits with the wish's status.
write_guest_command() {
	local env get

	{
		for env in "${envs[@]}"; do
			printf 'export %s=%q\n' "${env%%=*}" "${env#*=}"
		done
		if [ -n "$script" ]; then echo 'exec sh /script.sh'; else echo "$command"; fi
	} >"$work/run.sh"
	for get in "${gets[@]}"; do
		echo "${get%%:*}"
	done >"$work/get"
	adds+=("$work/run.sh:/run.sh" "$work/get:/get")
	[ -z "$script" ] || adds+=("$script:/script.sh")
}

qemu_command() {
	local accel=tcg,thread=multi machine=pc params

	# A /dev/kvm without hardware behind it does not boot a stock kernel.
	if [ -z "$icount" ] && [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
		accel=kvm
	fi
	# Errors of the boot show; the guest's init then lets warnings through too.
	# After an oops nothing that a guest says is worth anything.
	# The check whether timer interrupts come takes a slow machine for a broken one,
	# and so does that for interrupts which nobody handles, a serial port's in a thread.
	params="console=ttyS0 panic=-1 oops=panic loglevel=4 random.trust_cpu=on no_timer_check noirqdebug"
	qemu=(qemu-system-x86_64 -M "$machine" -m "$mem" -nodefaults -no-reboot
		-display none -serial stdio -serial "file:$work/out.tar"
		-kernel "$image" -initrd "$work/initramfs")
	if [ -n "$icount" ]; then
		# More CPUs than one hang under icount.
		qemu+=(-cpu max -smp 1 -accel "tcg,thread=single" -icount "shift=0,sleep=off")
		params+=" tsc=reliable clocksource=tsc"
	elif [ $accel = kvm ]; then
		qemu+=(-cpu host -smp "$smp" -accel kvm)
	else
		qemu+=(-cpu max -smp "$smp" -accel "$accel")
	fi
	qemu+=(-append "$params $append" "${more_qemu[@]}")
}

boot() {
	: >"$log"
	exec 3>&1
	[ -z "$quiet" ] || exec 3>/dev/null
	set +e
	timeout -k 5 "$timeout" "${qemu[@]}" </dev/null 2>"$work/stderr" |
		tr -d '\r' | tee "$log" >&3
	qemu_status=${PIPESTATUS[0]}
	set -e
	[ ! -s "$work/stderr" ] || cat "$work/stderr" >&2
}

# The files leave as one tar with flattened names (/ became _).
bring_out() {
	local get

	mkdir -p "$work/out"
	tar -C "$work/out" -xf "$work/out.tar" 2>/dev/null || true
	for get in "${gets[@]}"; do
		[ -e "$work/out/$(echo "${get%%:*}" | tr / _)" ] || continue
		mkdir -p "$(dirname "${get#*:}")"
		rm -rf "${get#*:}"
		cp -r "$work/out/$(echo "${get%%:*}" | tr / _)" "${get#*:}"
	done
}

verdict() {
	local found

	found=$(reports "$log")
	if [ -n "$found" ]; then
		say "vm.sh: the console shows a kernel report:"
		say "$found"
		exit "$VM_REPORT"
	fi
	if [ "$qemu_status" = 124 ] || [ "$qemu_status" = 137 ]; then
		say "vm.sh: the guest was ended after $timeout s"
		exit "$VM_TIMEOUT"
	fi
	if [ ! -s "$work/out/status" ]; then
		say "vm.sh: the guest died (QEMU status $qemu_status)"
		exit "$VM_DIED"
	fi
	exit "$(cat "$work/out/status")"
}

parse "$@"
command -v qemu-system-x86_64 >/dev/null || fail_setup "no QEMU: run scripts/setup.sh vm"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "$log" ] || log=$work/console
mkdir -p "$(dirname "$log")"
choose_kernel
add_stock_modules
write_guest_command
"$top/scripts/initramfs.sh" "$work/initramfs" "${adds[@]}" || fail_setup "no initramfs"
qemu_command
boot
bring_out
verdict
