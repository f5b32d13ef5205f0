#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judges KTAP: counts the test cases and distrusts what is missing.

  ktap.py [--suites N] [--fail REASON] [--add FILE] [--save FILE] [INPUT]

A test case is a result line without results nested below it. Every level
has to announce its plan and to keep it; a stream without plan or without
results is a failure. Modules print their suites without a plan for the
whole, so --suites says how many there have to be. A parameterised case of
KUnit has no plan for its parameters: they are counted all the same.

--fail REASON is what the caller saw go wrong outside the stream: the result
is a failure even if every case passed.

--save FILE writes the sums to FILE, --add FILE (repeatable) adds earlier
sums. Prints `N passed, N failed`, with skipped ones if any, and ends with 1
if anything failed.
"""
import argparse
import re
import sys

# The kernel's time stamp, perhaps with the caller (PRINTK_CALLER), before a line.
STAMP = re.compile(r"^(<\d+>)?\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?")
PLAN = re.compile(r"^( *)1\.\.(\d+)(\s+#.*)?$")
RESULT = re.compile(r"^( *)(not ok|ok) (\d+)(?: -)?(?: (.*))?$")
SKIP = re.compile(r"# *skip", re.IGNORECASE)
INDENT = 4


class Level:
    """The results of one level of nesting, until their parent's line ends it."""

    def __init__(self):
        self.plan = None
        self.numbers = []
        self.failed_leaves = 0

    def problem(self, need_plan):
        if self.plan is None:
            return "no plan" if need_plan else None
        if len(self.numbers) != self.plan:
            return f"{self.plan} tests planned, {len(self.numbers)} reported"
        if self.numbers != list(range(1, self.plan + 1)):
            return "test numbers out of order"
        return None


class Judge:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.levels = [Level()]
        self.errors = []

    def error(self, text):
        self.errors.append(text)

    def level(self, depth):
        while len(self.levels) <= depth:
            self.levels.append(Level())
        return self.levels[depth]

    def take(self, line):
        line = STAMP.sub("", line.rstrip())
        match = PLAN.match(line)
        if match:
            self.take_plan(len(match[1]) // INDENT, int(match[2]))
            return
        match = RESULT.match(line)
        if match:
            self.take_result(len(match[1]) // INDENT, match)

    def take_plan(self, depth, count):
        level = self.level(depth)
        if level.plan is not None:
            self.error(f"a second plan (1..{count}) at depth {depth}")
        level.plan = count

    def take_result(self, depth, match):
        ok, name = match[2] == "ok", match[4] or "?"
        level = self.level(depth)
        level.numbers.append(int(match[3]))
        skip = bool(SKIP.search(name))
        if len(self.levels) > depth + 1:
            self.close_children(depth, ok, skip, name)
        else:
            self.count(ok, skip, name)

    def count(self, ok, skip, name):
        if skip:
            self.skipped += 1
        elif ok:
            self.passed += 1
        else:
            self.failed += 1
            self.error(f"failed: {name}")

    def close_children(self, depth, ok, skip, name):
        """The line at `depth` is the parent of all that was nested deeper."""
        if len(self.levels) > depth + 2:
            self.error(f"{name}: nested results without a parent line")
        child = self.levels[depth + 1]
        del self.levels[depth + 1:]
        # Below a case (depth 1) are only KUnit's parameters, without a plan.
        problem = child.problem(need_plan=depth == 0)
        if problem:
            self.error(f"{name}: {problem}")
        if not child.numbers and not problem:
            self.count(ok, skip, name)
        elif not ok and not skip:
            self.error(f"failed: {name}")

    def finish(self, suites):
        if len(self.levels) > 1:
            self.error("the stream ends inside a suite")
        top = self.levels[0]
        if suites is not None:
            # The plan there is (1..0) is of the suites built into the kernel.
            if len(top.numbers) != suites:
                self.error(f"{suites} suites expected, {len(top.numbers)} reported")
        else:
            problem = top.problem(need_plan=True)
            if problem:
                self.error(problem)
        if not self.passed and not self.skipped:
            self.error("not one test case passed")
        # What failed without a failing case (a plan, a crash) counts as one.
        if self.errors and not self.failed:
            self.failed = 1


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--suites", type=int)
    parser.add_argument("--fail", action="append", default=[])
    parser.add_argument("--add", action="append", default=[])
    parser.add_argument("--save")
    parser.add_argument("input", nargs="?")
    return parser.parse_args()


def read_sums(path):
    try:
        with open(path, encoding="ascii") as file:
            passed, failed, skipped = map(int, file.read().split())
    except (OSError, ValueError):
        print(f"ktap: no result in {path}", file=sys.stderr)
        return 0, 1, 0
    return passed, failed, skipped


def judge(args):
    judged = Judge()
    for reason in args.fail:
        judged.error(reason)
    if args.input:
        with open(args.input, encoding="utf-8", errors="replace") as file:
            for line in file:
                judged.take(line)
        judged.finish(args.suites)
    for error in judged.errors:
        print(f"ktap: {error}", file=sys.stderr)
    return judged.passed, judged.failed, judged.skipped


def main():
    args = arguments()
    sums = [judge(args)] + [read_sums(path) for path in args.add]
    passed, failed, skipped = (sum(column) for column in zip(*sums))
    if args.save:
        with open(args.save, "w", encoding="ascii") as file:
            file.write(f"{passed} {failed} {skipped}\n")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
