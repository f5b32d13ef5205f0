#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sums up a trace of lcov: coverage.py TOP TRACE EXCEPTIONS.

Prints the share of lines and branches that ran, for each file and for all, and
every line that did not run and that EXCEPTIONS does not explain. An exception
is a line `FILE: FUNCTION: REASON`; one that no longer explains anything is
printed as well.

Ends with 1 if fewer lines or branches ran than are asked for.
"""
import collections
import os
import re
import sys

LINES, BRANCHES = 95.0, 85.0
FUNCTION = re.compile(r"^(?!EXPORT_)(?=[A-Za-z_])[^(;=]*?(\w+)\(")


class Source:
    """What lcov knows of one file."""

    def __init__(self):
        self.lines = {}
        self.branches = collections.Counter()


def read_trace(path, top):
    sources = {}
    source = None
    with open(path, encoding="utf-8") as file:
        for line in file:
            kind, _, rest = line.rstrip().partition(":")
            fields = rest.split(",")
            if kind == "SF":
                source = sources.setdefault(os.path.relpath(rest, top), Source())
            elif kind == "DA":
                source.lines[int(fields[0])] = int(fields[1])
            elif kind == "BRDA":
                source.branches[fields[3] not in ("-", "0")] += 1
    return sources


def function_at(text, line):
    """The function that a line is in, by the text: lcov forgets those in line."""
    for head in reversed(text[:line]):
        match = FUNCTION.match(head)
        if match:
            return match[1]
    return "?"


def read_exceptions(path):
    reasons = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, function, reason = line.rstrip().split(": ", 2)
                reasons[name, function] = reason
    return reasons


def share(part, whole):
    return 100.0 * part / whole if whole else 100.0


def row(name, ran, lines, taken, branches):
    print(f"{name:<32} {ran:>6} of {lines:<6} {share(ran, lines):5.1f} %"
          f" {taken:>6} of {branches:<6} {share(taken, branches):5.1f} %")


def print_table(sources):
    """Returns the shares of all."""
    total = [0, 0, 0, 0]
    print(f"{'file':<32} {'lines that ran':>24} {'branches taken':>24}")
    for name, source in sorted(sources.items()):
        part = [sum(1 for count in source.lines.values() if count), len(source.lines),
                source.branches[True], sum(source.branches.values())]
        row(name, *part)
        total = [a + b for a, b in zip(total, part)]
    row("all", *total)
    return share(*total[:2]), share(*total[2:])


def print_unexplained(sources, reasons):
    used = set()
    missing = explained = 0
    for name, source in sorted(sources.items()):
        with open(name, encoding="utf-8") as file:
            text = file.read().split("\n")
        for line, count in sorted(source.lines.items()):
            if count:
                continue
            missing += 1
            key = name, function_at(text, line)
            if key in reasons:
                used.add(key)
                explained += 1
                continue
            print(f"{name}:{line}: {key[1]}: {text[line - 1].strip()}")
    for name, function in sorted(set(reasons) - used):
        print(f"exception without use: {name}: {function}")
    print(f"{missing} lines did not run, {explained} of them with a reason in coverage.exceptions")


def main():
    top, trace, exceptions = sys.argv[1:]
    os.chdir(top)
    sources = read_trace(trace, top)
    lines, branches = print_table(sources)
    print_unexplained(sources, read_exceptions(exceptions))
    print(f"coverage: {lines:.1f} % of lines (at least {LINES:.0f}),"
          f" {branches:.1f} % of branches (at least {BRANCHES:.0f})")
    return 0 if lines >= LINES and branches >= BRANCHES else 1


if __name__ == "__main__":
    sys.exit(main())
