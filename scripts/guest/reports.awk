# SPDX-License-Identifier: GPL-2.0
#
# Prints the lines of a kernel log that report a fault; no such line may be
# there while our code runs. Used on the host and in the guest.

# Of the kernel's own data races there are many. One is ours if our own code is at a
# side that is plain, not marked as one that may race, or if it called both sides and
# both are plain; where but one is known, if it called that, and it is no variable of
# the kernel's image. What an interrupt came upon has no part in what that does. The
# lines of a report are between two lines of equals signs.
/BUG: KCSAN: / {
	report = $0
	sides = / \/ / ? 2 : 1
	ours = side = anywhere = 0
	next
}
# Of values that nobody wrote, those are ours that our code has any part in: it
# uses them, passed them on, or has the memory that they come from.
/BUG: KMSAN: / {
	report = $0
	sides = 1
	ours = / \[privheap/
	anywhere = 1
	next
}
report != "" && anywhere && / \[privheap/ { ours = 1 }

report != "" && /======/ {
	if (ours >= sides)
		print report
	report = ""
}
report != "" && / by (task|interrupt)/ {
	side = !/\(marked\)/
	first = side
	if (/race at unknown origin, .* to 0xffffffff[89]/)
		sides = 2
	next
}
report != "" && / asm_(sysvec_|common_interrupt)/ { side = 0 }
report != "" && side && / \[privheap/ { ours += first ? 2 : 1; side = 0 }
report != "" && side && /\+0x/ { first = 0 }
report != "" { next }

# The OOM killer prints a trace as well. What it did is no fault of a kernel:
# whoever was not to be killed fails by that.
/invoked oom-killer/ { oom = 1 }
/Call Trace/ && oom { oom = 0; next }

# The kernel says when it has no memory for a vmalloc(), with a trace. That is no
# fault either where the pool of the module's reserve makes it, which lets nobody
# ask for silence; elsewhere it is ours to ask.
/vmalloc error:/ { short = 1 }
/Call Trace/ && short { trace = $0; short = 0; next }
trace != "" && / gen_pool_add_owner/ { trace = "" }
trace != "" && /<\/TASK>/ { print trace; trace = "" }

/BUG:|WARNING:|Oops|Call Trace|KASAN|UBSAN|possible recursive|inconsistent lock/ ||
	/kernel BUG at|general protection fault|DEBUG_LOCKS_WARN|non-static key/

# A report that the log ends in.
END {
	if (report != "" && ours)
		print report
	if (trace != "")
		print trace
}
