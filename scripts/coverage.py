#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sums up a trace of lcov: coverage.py TOP TRACE EXCEPTIONS.

Prints the share of lines and branches that ran, for each file and for all, and
every line that did not run, and every branch that was not taken, that EXCEPTIONS
does not explain. An exception is a line

    FILE: FUNCTION: REASON
    FILE: FUNCTION: "TEXT": REASON

of which the second is for those lines of the function that have TEXT in them; * is
any file or function. One that no longer explains anything is printed as well, but
for REASONs that begin with "race", which one run has met and another has not.
Exceptions explain, they do not count: the shares are of all lines and branches.

Of the branches, gcov counts those of the compiler's code, not of the source. So
macros bring some that nobody wrote and no test can choose: a spin_lock_irqsave()
asks whether interrupts are on, a set_bit() whether the number is a constant, and
so on. They count like all others; but they need no reason where the statement
has nothing in its text that decides, which is how lcov 2 finds those that its
`--filter branch` leaves out: no if, for, while, switch, case, no loop of a list,
no first of a list or NULL, no &&, ||, !, ?, no comparison, no min, max or clamp,
no WARN_ON, no access to user memory.

Ends with 1 if fewer lines or branches ran than are asked for.
"""
import collections
import os
import re
import sys

LINES, BRANCHES = 95.0, 85.0
FUNCTION = re.compile(r"^(?!EXPORT_)(?=[A-Za-z_])[^(;=]*?(\w+)\(")
NOT_CODE = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?(?:\*/|$)|^\s* \*(?:[\s/].*)?$')
ENDS = re.compile(r"[;{}]\s*$|^\s*$|^#|^\s*(?:case\b.*|\w+):\s*$")
DECIDES = re.compile(
    r"\b(?:if|for|while|switch|case|default)\b|for_each|_or_null|&&|\|\||[!?]|[=<>]="
    r"|(?<![-<])<(?!<)|(?<![->])>(?!>)|\b(?:min|max|clamp)(?:_t)?\(|WARN_ON|_user\b")


class Source:
    """What lcov knows of one file."""

    def __init__(self):
        self.lines = {}
        self.branches = collections.defaultdict(lambda: [0, 0])

    def ran(self):
        return sum(1 for count in self.lines.values() if count)

    def taken(self):
        return sum(taken for taken, _ in self.branches.values())

    def all_branches(self):
        return sum(count for _, count in self.branches.values())


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")


def decides(code, line):
    """Whether the statement that a line is part of has to do with a choice."""
    first = last = line - 1
    while first and not ENDS.search(code[first - 1]):
        first -= 1
    while last + 1 < len(code) and not ENDS.search(code[last]):
        last += 1
    return DECIDES.search(" ".join(code[first:last + 1]))


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
                branches = source.branches[int(fields[0])]
                branches[0] += fields[3] not in ("-", "0")
                branches[1] += 1
    return sources


def function_at(text, line):
    """The function that a line is in, by the text: lcov forgets those in line."""
    for head in reversed(text[:line]):
        match = FUNCTION.match(head)
        if match:
            return match[1]
    return "?"


class Exceptions:
    """The reasons, and which of them were of use."""

    ENTRY = re.compile(r'([^:]+): (\w+|\*): (?:"((?:[^"\\]|\\.)*)": )?(.+)')

    def __init__(self, path):
        self.entries = []
        self.used = set()
        for number, line in enumerate(read_text(path), 1):
            if not line or line.startswith("#"):
                continue
            match = self.ENTRY.fullmatch(line)
            if not match:
                sys.exit(f"{path}:{number}: not an exception")
            name, function, text, reason = match.groups()
            text = (text or "").replace('\\"', '"')
            self.entries.append((name, function, text, reason))

    def explain(self, name, function, text):
        """Whether there is a reason; all that there are count as used."""
        found = False
        for entry in self.entries:
            if (entry[0] in ("*", name) and entry[1] in ("*", function) and
                    entry[2] in text):
                self.used.add(entry)
                found = True
        return found

    def print_unused(self):
        for entry in self.entries:
            if entry not in self.used and not entry[3].startswith("race"):
                print("exception without use: " + ": ".join(filter(None, entry[:3])))


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
        part = [source.ran(), len(source.lines), source.taken(), source.all_branches()]
        row(name, *part)
        total = [a + b for a, b in zip(total, part)]
    row("all", *total)
    return share(*total[:2]), share(*total[2:])


def missing_of(source):
    """Lines that did not run, and then what is missing of those that did."""
    for line, count in sorted(source.lines.items()):
        taken, branches = source.branches.get(line, (0, 0))
        if not count:
            yield line, 1, branches
        elif taken < branches:
            yield line, 0, branches - taken


def print_missing(name, line, function, what, of, code):
    kind = "not run" if what[0] else f"{what[1]} of {of} not taken"
    print(f"{name}:{line}: {function}: {kind}: {code}")


def print_unexplained(sources, exceptions):
    missing, explained, undecided = [0, 0], [0, 0], 0
    for name, source in sorted(sources.items()):
        text = read_text(name)
        bare = [NOT_CODE.sub("", row) for row in text]
        for line, *what in missing_of(source):
            row, function = text[line - 1].strip(), function_at(text, line)
            missing = [a + b for a, b in zip(missing, what)]
            if exceptions.explain(name, function, row):
                explained = [a + b for a, b in zip(explained, what)]
            elif not what[0] and not decides(bare, line):
                undecided += what[1]
            else:
                print_missing(name, line, function, what, source.branches[line][1], row)
    exceptions.print_unused()
    print(f"{missing[0]} lines did not run, {explained[0]} of them with a reason in"
          " coverage.exceptions")
    print(f"{missing[1]} branches were not taken, {explained[1]} of them with a reason"
          f" there, {undecided} of statements that decide nothing")


def main():
    top, trace, exceptions = sys.argv[1:]
    os.chdir(top)
    sources = read_trace(trace, top)
    lines, branches = print_table(sources)
    print_unexplained(sources, Exceptions(exceptions))
    print(f"coverage: {lines:.1f} % of lines (at least {LINES:.0f}),"
          f" {branches:.1f} % of branches (at least {BRANCHES:.0f})")
    return 0 if lines >= LINES and branches >= BRANCHES else 1


if __name__ == "__main__":
    sys.exit(main())
