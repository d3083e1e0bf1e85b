"""Reads the programs that are installed for what makes a memory error hard to exploit. One TAP line
for each property of each program: python3 tests/hardening.py PROGRAM..."""

import os
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}).stdout


class Program:
    def __init__(self, path):
        self.header = output("readelf", "-hW", path)
        self.segments = output("readelf", "-lW", path)
        self.dynamic = output("readelf", "-dW", path)
        self.symbols = output("readelf", "-sW", "--dyn-syms", path)
        self.code = output("objdump", "-d", "--no-show-raw-insn", path)
        self.machine = re.search(r"Machine: +(.*)", self.header)[1]

    def is_position_independent(self):
        return "Type:                              DYN" in self.header and "PIE" in self.dynamic

    def binds_before_it_runs(self):
        """Full RELRO: the table of foreign functions is filled in, then made read-only."""
        return "GNU_RELRO" in self.segments and "(FLAGS_1)" in self.dynamic and "BIND_NOW" in self.dynamic

    def checks_calls_of_the_library(self):
        return bool(re.search(r" __\w+_chk@", self.symbols))

    def checks_return_addresses(self):
        return " __stack_chk_fail@" in self.symbols

    def touches_each_page_of_a_large_frame(self):
        if "X86-64" not in self.machine:
            return None
        return bool(re.search(r"sub +\$0x1000,%rsp\n.*\borq +\$0x0,(?:0x[0-9a-f]+)?\(%rsp\)", self.code))

    def marks_where_a_call_may_land(self):
        marks = {"Advanced Micro Devices X86-64": "endbr64", "AArch64": r"(?:bti|paciasp)"}
        if self.machine not in marks:
            return None
        return bool(re.search(rf"<main>:\n +[0-9a-f]+:\s+{marks[self.machine]}", self.code))

    def has_no_executable_stack(self):
        stack = re.search(r"GNU_STACK.*", self.segments)
        return stack is not None and "E" not in stack[0].split()[-2]


def main():
    checks = [(name, check) for name, check in vars(Program).items() if not name.startswith("_")]
    programs = sys.argv[1:]
    print(f"1..{len(checks) * len(programs)}")
    number = failed = 0
    for path in programs:
        program = Program(path)
        for name, check in checks:
            number += 1
            good = check(program)
            failed += good is not None and not good
            word = "ok" if good or good is None else "not ok"
            reason = "" if good is not None else f" # SKIP unknown on {program.machine}"
            print(f"{word} {number} {os.path.basename(path)} {name.replace('_', ' ')}{reason}")
    sys.exit(failed > 0)


main()
