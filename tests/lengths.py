"""Measures the functions of core/, storage/ and proxy/. It fails, in TAP, on

    1  a floor whose functions have a median of more than MEDIAN lines, or whose longest tenth begins
       above NINE_IN_TEN
    2  a function of more than LONGEST lines

A function's lines are those between its braces. clang-format puts both braces of a function, and
nothing else that opens a function, at the start of a line; it also checks that this is so.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
FLOORS = ("core", "storage", "proxy")
MEDIAN, NINE_IN_TEN, LONGEST = 12, 25, 80
NAME = re.compile(r"(\w+)\s*\(")


def functions(text):
    """(name, lines) of each function defined in a text."""
    lines = text.split("\n")
    begun = None
    for at, line in enumerate(lines):
        if line == "{":
            begun = at
        elif line == "}" and begun is not None:
            head = begun - 1
            while head > 0 and lines[head][:1] in ("\t", " "):  # a parameter list of several lines
                head -= 1
            name = NAME.search(lines[head])
            yield name.group(1) if name else lines[head], at - begun - 1
            begun = None


def main():
    files = {
        floor: {path.relative_to(TOP): path.read_text() for path in sorted((TOP / floor).rglob("*.[ch]"))}
        for floor in FLOORS
    }
    measured = {
        floor: [(lines, f"{path}: {name}") for path, text in texts.items() for name, lines in functions(text)]
        for floor, texts in files.items()
    }
    spread, figures = [], []
    for floor, found in measured.items():
        lengths = sorted(lines for lines, _ in found)
        median, nine = lengths[len(lengths) // 2], lengths[len(lengths) * 9 // 10]
        figures.append(f"{floor}: {len(lengths)} functions, median {median}, nine in ten within {nine}")
        if median > MEDIAN or nine > NINE_IN_TEN:
            spread.append(figures[-1])
    claims = [
        (f"half of the functions have at most {MEDIAN} lines, nine in ten at most {NINE_IN_TEN}", spread),
        (f"no function has more than {LONGEST} lines", [
            f"{name}: {lines} lines" for found in measured.values() for lines, name in found if lines > LONGEST
        ]),
    ]
    print(f"1..{len(claims)}")
    for line in figures:
        print(f"# {line}")
    failed = 0
    for number, (claim, breaches) in enumerate(claims, 1):
        print(f"{'not ok' if breaches else 'ok'} {number} {claim}")
        for breach in breaches:
            print(f"# {breach}")
        failed += bool(breaches)
    return failed


if __name__ == "__main__":
    sys.exit(main())
