"""Reads every #include of core/, storage/ and proxy/ and holds it against tests/wings.

tests/wings has one line for each wing, the lowest first:

    core/text: core/base | text.h terms.h

the wing, the wings that it may include, and the headers that others may include; its other headers
are its own. It fails, in TAP, on

    1  a file outside every wing, or a wing without a line
    2  an include of a wing that the line does not allow, or that stands below in the list (an arrow that
       points up; the list's order makes a circle between wings impossible)
    3  an include of another wing's own header, and a public header that no other wing includes
    4  more than WINGS wings
    5  more than CIRCLES circles: files that call each other in a loop
    6  a field name of the chat API in a string outside core/dialect and those of SPEAKERS


`tests/includes.py --draft` prints the lines as the code stands, to be compared with tests/wings;
`tests/includes.py --figures` prints how large the house is, and the calls of each circle.
"""

import collections
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
FLOORS = ("core", "storage", "proxy")
WINGS, CIRCLES = 32, 2
INCLUDE = re.compile(r'^\s*#\s*include "([^"]+)"', re.M)


FIELDS = "messages|choices|delta|tool_calls|function_call|finish_reason|refusal|response_format|prompt_tokens"
FIELD = re.compile(rf'"(?:{FIELDS})"|\\"(?:{FIELDS})\\":|\[DONE\]')
# Who may say them: the dialects, the memory model's client, and what has a form of its own in which a
# word happens to be the same (ours for imports and exports, the configuration's keys, metrics' and prompts' labels).
SPEAKERS = (
    "core/dialect/", "core/learn/model_request.c", "core/text/label.c", "storage/dump/form.c",
    "proxy/admin/", "proxy/config/", "proxy/ctl/", "proxy/portable/", "proxy/runtime/metrics.c",
)


def sources():
    return sorted(
        str(path.relative_to(TOP))
        for floor in FLOORS
        for path in (TOP / floor).rglob("*.[ch]")
    )


def wing_of(file):
    return file.rsplit("/", 1)[0]


def read_wings(text):
    """The wings in their order: {wing: (allowed wings, public headers)}."""
    wings = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            wing, _, rest = line.partition(":")
            allowed, _, public = rest.partition("|")
            wings[wing.strip()] = (allowed.split(), public.split())
    return wings


def read_includes(files):
    """(file, included file) for each include of one of the files."""
    known = set(files)
    return [
        (file, included)
        for file in files
        for included in INCLUDE.findall((TOP / file).read_text())
        if included in known
    ]


COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', re.S)
# clang-format puts a function's name and parameters, and nothing else, before a brace in the first column.
DEFINITION = re.compile(r"^(\w[\w \*\n]*?)\b(\w+)\([^;{}]*\)[^;{}]*\n\{", re.M)
CALL = re.compile(r"\b([a-z_]\w+)\(")


def read_calls(files):
    """{(file, called file): names} for each function of another file that a .c calls."""
    texts = {f: COMMENT_OR_STRING.sub("", (TOP / f).read_text()) for f in files if f.endswith(".c")}
    homes, own = {}, collections.defaultdict(set)
    for file, text in texts.items():
        for before, name in DEFINITION.findall(text):
            if before.startswith("static"):
                own[file].add(name)
            else:
                homes[name] = file
    calls = collections.defaultdict(set)
    for file, text in texts.items():
        for name in set(CALL.findall(text)) - own[file]:
            if homes.get(name, file) != file:
                calls[file, homes[name]].add(name)
    return calls


def circles(edges):
    """Groups of nodes that reach each other (Tarjan's strongly connected components)."""
    graph = collections.defaultdict(set)
    for a, b in edges:
        graph[a].add(b)
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def draft(wings, files, includes):
    for wing in list(wings) + sorted({wing_of(f) for f in files} - set(wings)):
        used = {wing_of(b) for a, b in includes if wing_of(a) == wing} - {wing}
        public = {b.rsplit("/", 1)[1] for a, b in includes if wing_of(b) == wing != wing_of(a)}
        order = list(wings)
        allowed = sorted(used, key=lambda w: order.index(w) if w in order else -1)
        print(f"{wing}: {' '.join(allowed)} | {' '.join(sorted(public))}".replace(":  |", ": |"))


def check(wings, files, includes, uses):
    """Yields (what must hold, the breaches)."""
    order = {wing: at for at, wing in enumerate(wings)}
    here = {wing_of(file) for file in files}
    yield "every file lies in a wing of tests/wings", (
        [f"{w}: not in tests/wings" for w in sorted(here - set(order))]
        + [f"{w}: in tests/wings, but empty" for w in sorted(set(order) - here)]
    )
    across = [
        (a, b) for a, b in includes
        if wing_of(a) != wing_of(b) and wing_of(a) in order and wing_of(b) in order
    ]
    yield "no include points up, or at a wing that its own does not name", [
        f"{a} includes {b}" for a, b in across
        if order[wing_of(b)] > order[wing_of(a)] or wing_of(b) not in wings[wing_of(a)][0]
    ]
    public = {f"{wing}/{header}" for wing, (_, headers) in wings.items() for header in headers}
    used = {b for _, b in across}
    yield "no wing includes another's own header", (
        [f"{a} includes {b}" for a, b in across if b not in public]
        + [f"{header}: public, but no other wing uses it" for header in sorted(public - used - uses)]
    )
    yield f"no more than {WINGS} wings", [f"{len(here)} wings"] * (len(here) > WINGS)
    found = circles(read_calls(files))
    yield f"at most {CIRCLES} circles between files", [" <-> ".join(g) for g in found] * (len(found) > CIRCLES)
    yield "only the dialects and the memory model's client name fields of the chat API", [
        f"{file}: {word}"
        for file in files if not file.startswith(SPEAKERS)
        for word in FIELD.findall((TOP / file).read_text())
    ]


STRUCT = re.compile(r"^\s*(?:typedef )?(?:static )?(?:const )?struct(?: \w+)? \{", re.M)


def figures(files):
    texts = {file: (TOP / file).read_text() for file in files}
    calls = read_calls(files)
    groups = circles(calls)
    print(f"{sum(text.count(chr(10)) for text in texts.values())} lines, {len({wing_of(f) for f in files})} wings,"
          f" {sum(f.endswith('.h') for f in files)} headers,"
          f" {sum(len(STRUCT.findall(text)) for text in texts.values())} structs, {len(groups)} circles")
    for group in groups:
        print("circle:", *group)
        for a, b in sorted(calls):
            if a in group and b in group:
                print(f"    {a} calls of {b}:", *sorted(calls[a, b]))


def main():
    files = sources()
    includes = read_includes(files)
    text = (TOP / "tests/wings").read_text()
    wings = read_wings(text)
    if "--draft" in sys.argv:
        return draft(wings, files, includes)
    if "--figures" in sys.argv:
        return figures(files)
    tests = {
        included
        for path in (TOP / "tests").rglob("*.[ch]")
        for included in INCLUDE.findall(path.read_text())
    }
    print("1..6")
    failed = 0
    for number, (claim, breaches) in enumerate(check(wings, files, includes, tests), 1):
        print(f"{'not ok' if breaches else 'ok'} {number} {claim}")
        for breach in breaches:
            print(f"# {breach}")
        failed += bool(breaches)
    return failed


if __name__ == "__main__":
    sys.exit(main())
