# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the kernel has to say about a run: lines of its log that report, and the
# reasons for which it calls itself tainted. Sourced, in the guest.

# To be expected: a module from outside of the tree (4096), without a signature
# (8192), and tests of KUnit (262144).
expected_taint=$((4096 | 8192 | 262144))

# watch_mark NAME: a line in the log that watch_since finds again.
watch_mark() {
	echo "<6>privheap watch: $1" >/dev/kmsg
}

# watch_since NAME: the log since the mark; all of it if the mark is lost.
watch_since() {
	if dmesg | grep -q "privheap watch: $1\$"; then
		dmesg | sed -n "/privheap watch: $1\$/,\$p"
	else
		dmesg
	fi
}

# unexpected_taint: the other reasons, as one number.
unexpected_taint() {
	echo $(($(cat /proc/sys/kernel/tainted) & ~expected_taint))
}

# watch_findings <LOG: prints what is wrong in a log, and with the kernel.
watch_findings() {
	awk -f /reports.awk
	[ "$(unexpected_taint)" = 0 ] || echo "the kernel is tainted: $(unexpected_taint)"
}
