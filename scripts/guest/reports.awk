# SPDX-License-Identifier: GPL-2.0
#
# Prints the lines of a kernel log that report a fault; no such line may be
# there while our code runs. Used on the host and in the guest.

# The OOM killer prints a trace as well. What it did is no fault of a kernel:
# whoever was not to be killed fails by that.
/invoked oom-killer/ { oom = 1 }
/Call Trace/ && oom { oom = 0; next }

/BUG:|WARNING:|Oops|Call Trace|KASAN|UBSAN|possible recursive|inconsistent lock/
