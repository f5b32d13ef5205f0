# SPDX-License-Identifier: GPL-2.0
"""
Prints what scripts/profile.sh counted.

  profile-report.py FOLDER MODULE ROW-PREFIX FUNCTION

A row's counts are scaled so that they add up to the row's figure: a function
with 12.5 beside it takes 12.5 of the instructions that the row reports.
Counts are those of all rounds, so a timer tick shows as a small share.
"""
import bisect
import re
import subprocess
import sys

SHOWN = 28


def read_rows(path):
    """The measure lines, in the order of the plugin's blocks."""
    with open(path, encoding="ascii") as lines:
        fields = [line.rstrip("\n").split("\t") for line in lines]
    return [(field[1], float(field[3])) for field in fields if field[0] == "measure"]


def read_counts(path):
    """One dictionary address -> count per row; rows begin with 1."""
    blocks = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            first, second = line.split()
            if first == "row":
                block = blocks.setdefault(int(second), {})
            else:
                block[int(first, 16)] = int(second)
    return blocks


class Symbols:
    """Names of addresses, by /proc/kallsyms of the guest."""

    def __init__(self, path):
        table = []
        with open(path, encoding="ascii") as lines:
            for line in lines:
                address, kind, name = line.split(maxsplit=2)
                if kind in "tTwW":
                    table.append((int(address, 16), "".join(name.split())))
        table.sort()
        self.starts = [address for address, _ in table]
        self.names = [name for _, name in table]

    def name(self, address):
        if address < 1 << 63:
            return "(user program)"
        index = bisect.bisect_right(self.starts, address) - 1
        return self.names[index] if index >= 0 else "(unknown)"

    def start(self, function):
        for address, name in zip(self.starts, self.names):
            if name.split("[")[0] == function:
                return address
        sys.exit(f"the guest's kernel has no function {function}")


def print_functions(name, figure, counts, symbols):
    total = sum(counts.values())
    functions = {}
    for address, count in counts.items():
        function = symbols.name(address)
        functions[function] = functions.get(function, 0) + count
    print(f"\n{name}: {figure:.1f}")
    ordered = sorted(functions.items(), key=lambda item: -item[1])
    for function, count in ordered[:SHOWN]:
        print(f"  {count * figure / total:10.2f} {100 * count / total:5.1f} %  {function}")


def print_instructions(module, function, figure, counts, symbols):
    """The function's disassembly, each instruction with its share."""
    total = sum(counts.values())
    start = symbols.start(function)
    text = subprocess.run(
        ["objdump", "-dlr", "--no-show-raw-insn", f"--disassemble={function}", module],
        check=True, capture_output=True, text=True).stdout
    base = None
    for line in text.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\t(.*)", line)
        if not match:
            if re.search(r"\.[ch]:\d+", line):
                print(f"{'':10}  {line.rsplit('/', 1)[-1]}")
            continue
        offset = int(match[1], 16)
        if ": R_X86" in line or match[2].startswith("R_X86"):
            print(f"{'':10}    {match[2]}")
            continue
        base = offset if base is None else base
        count = counts.get(start + offset - base, 0)
        share = f"{count * figure / total:10.2f}" if count else f"{'':10}"
        print(f"{share}    {match[2]}")


def main():
    folder, module, prefix, function = sys.argv[1:5]
    rows = read_rows(f"{folder}/profile-rows")
    blocks = read_counts(f"{folder}/profile")
    symbols = Symbols(f"{folder}/profile-symbols")
    for number, (name, figure) in enumerate(rows, 1):
        counts = blocks.get(number)
        if not counts or not name.startswith(prefix):
            continue
        print_functions(name, figure, counts, symbols)
        if function:
            print_instructions(module, function, figure, counts, symbols)


main()
