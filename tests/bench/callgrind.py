"""Reads what callgrind wrote with --compress-strings=no --compress-pos=no: what each function took
itself, and with all that it called. Its format: valgrind.org/docs/manual/cl-format.html"""

import collections
import re
from pathlib import Path

OWN_FOLDERS = ("core", "storage", "proxy")


class Function:
    """`self` and `inclusive` are instructions; a function that calls itself is counted once."""

    def __init__(self, group, name):
        self.group, self.name = group, name
        self.self = self.inclusive = self.calls = 0


def group_of(library, source):
    """recalld's own code by its floor, everything else by its library."""
    name = re.sub(r"(-[\d.]+)?\.so.*$", "", Path(library).name.replace("???", "unknown"))
    if name != "recalld":
        return name
    floors = [folder for folder in Path(source).parts if folder in OWN_FOLDERS]
    return f"{floors[-1]}/" if floors else "recalld, start-up and system"


class Profile:
    """One thread's."""

    def __init__(self, path):
        self.functions = {}
        self.by_group = collections.Counter()
        self._read(path)
        self.total = sum(self.by_group.values())

    def _function(self, library, source, name):
        name = re.sub(r"'\d+$", "", name)  # a depth of recursion
        group = group_of(library, source)
        key = (group, name)
        if key not in self.functions:
            self.functions[key] = Function(group, name)
        return self.functions[key]

    def _read(self, path):
        library = source = called_library = called_source = ""
        function = called = None
        is_call = False
        with open(path) as file:
            for line in file:
                line = line.rstrip("\n")
                name, found, value = line.partition("=")
                if line[:1].isdigit():
                    cost = int(line.split()[1])
                    if is_call:
                        self._add_call(function, called, cost)
                        is_call = False
                    elif function:
                        function.self += cost
                        function.inclusive += cost
                        self.by_group[function.group] += cost
                elif not found:
                    continue
                elif name == "ob":
                    library = called_library = value
                elif name == "fl":
                    source = called_source = value
                elif name == "fn":
                    function = self._function(library, source, value)
                    called_library, called_source = library, source
                elif name == "cob":
                    called_library = value
                elif name in ("cfi", "cfl"):
                    called_source = value
                elif name == "cfn":
                    called = self._function(called_library, called_source, value)
                    called_library, called_source = library, source
                elif name == "calls":
                    called.calls += int(value.split()[0])
                    is_call = True

    @staticmethod
    def _add_call(function, called, cost):
        if called is not function:
            function.inclusive += cost

    def _named(self):
        """A stripped library's own functions have but an address."""
        return [f for f in self.functions.values() if not f.name.startswith("0x")]

    def costly(self, count):
        """Those that cost most with all they call, but for those that are nearly all."""
        some = [f for f in self._named() if f.inclusive < 0.9 * self.total]
        return sorted(some, key=lambda f: -f.inclusive)[:count]

    def costly_in(self, group, count):
        """Those of a group that cost most themselves."""
        some = [f for f in self._named() if f.group == group and f.self > 0]
        return sorted(some, key=lambda f: -f.self)[:count]
