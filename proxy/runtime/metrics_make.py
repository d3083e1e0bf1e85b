"""Turns metrics.txt into the names and the tables of metrics: metrics_make.py PAGE NAMES TABLES."""

import pathlib
import re
import sys


def read(page):
    """(kind, name, family, help, label, note) of each metric; a family's first has the family."""
    family = None
    for number, line in enumerate(page.splitlines(), 1):
        if match := re.fullmatch(r"(counter|gauge|histogram) (\w+): (.+)", line):
            kind, *family = match.groups()
        elif match := re.fullmatch(r'\t([A-Z_]+)(?: (\w+)=([^\s":]+))?(?:: (.+))?', line):
            name, label, value, note = match.groups()
            text = f'{{{label}="{value}"}}' if label else None
            yield kind, name, *(family or (None, None)), text, note
            family = None
        elif line and line[0] != "#":
            sys.exit(f"line {number} is neither a family nor a metric: {line}")


def quoted(text):
    return '"' + text.replace('"', '\\"') + '"' if text else "NULL"


def main(page, names, tables):
    metrics = list(read(pathlib.Path(page).read_text("utf-8")))
    header = source = "/* Made from proxy/runtime/metrics.txt. */\n"
    for kind in ("counter", "gauge", "histogram"):
        own = [metric for metric in metrics if metric[0] == kind]
        header += f"\nenum metric_{kind} {{\n"
        header += "".join(f"\tMETRIC_{name},{f' /* {note} */' if note else ''}\n" for _, name, _, _, _, note in own)
        header += f"\tMETRIC_{kind.upper()}_COUNT,\n}};\n"
        source += f"\nstatic const struct sample {kind}s[METRIC_{kind.upper()}_COUNT] = {{\n"
        source += "".join(f"\t{{{quoted(family)}, {quoted(help)}, {quoted(label)}}},\n" for _, _, family, help, label, _ in own)
        source += "};\n"
    pathlib.Path(names).write_text(header, "utf-8")
    pathlib.Path(tables).write_text(source, "utf-8")


main(*sys.argv[1:])
