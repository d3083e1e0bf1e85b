"""Turns keys.txt into the table of the configuration's keys: keys_make.py PAGE."""

import pathlib
import re
import sys

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
# The sections of struct config_memory, and how a key's member is called there.
IN_MEMORY = {"memory": "{name}", "retention": "retention.{name}", "pii": "pii[PII_{upper}]"}
FLAGS = {"required", "fixed", "shortest", "nowhere"}


def number(text):
    value, unit = re.fullmatch(r"([\d.]+)([A-Za-z]*)", text).groups()
    return f"UINT64_C({int(value) * UNITS[unit]})" if unit else value


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def type_of(kind, rest):
    """The members that a type has beside its flags."""
    row = {"type": f"CONFIG_{kind.upper()}"}
    if kind in ("text", "list") and rest:
        row["check"] = f"config_check_{rest}"
    elif kind in ("word", "switch"):
        row["words"] = c_string(rest or "off|on")
    elif kind in ("number", "fraction", "size", "duration"):
        row["least"], row["most"] = map(number, rest.split())
    return row


def row_of(section, name, initial, kept, help_text):
    kind, *flags = kept.split(", ")
    row = {"section": c_string(section), "name": c_string(name), "initial": c_string(initial)}
    row |= type_of(*kind.partition(" ")[::2])
    member = IN_MEMORY.get(section, "{section}.{name}").format(section=section, name=name, upper=name.upper())
    for flag in flags:
        word, _, value = flag.partition(" ")
        if word == "or":
            row["words"] = c_string(value)
        elif word == "in":
            member = value
        elif flag not in FLAGS:
            sys.exit(f"[{section}] {name}: {flag} is unknown")
    for flag in ("required", "shortest"):
        row[flag] = str(flag in flags).lower()
    row["reloadable"] = str("fixed" not in flags).lower()
    base = "struct config_memory" if section in IN_MEMORY else "struct config"
    row["offset"] = "CONFIG_NOT_STORED" if "nowhere" in flags else f"offsetof({base}, {member})"
    row["help"] = c_string(help_text)
    return "\t{" + ", ".join(f".{key} = {value}" for key, value in row.items()) + "},\n"


def rows(page):
    section = None
    for block in re.sub(r"^#.*\n", "", page, flags=re.M).strip().split("\n\n"):
        first, *lines = block.splitlines()
        if match := re.fullmatch(r"\[(\w+)\]", first):
            section = match[1]
            continue
        name, initial = re.fullmatch(r"([\w.]+) = ?(.*)", first).groups()
        kept, *words = (line.removeprefix("\t") for line in lines)
        yield row_of(section, name, initial, kept, " ".join(words))


made = list(rows(pathlib.Path(sys.argv[1]).read_text("utf-8")))
print('#include "proxy/config/reader.h"\n\n#include <assert.h>\n#include <stddef.h>\n')
print("const struct config_key config_keys[] = {\n" + "".join(made) + "};\n")
print(f"const size_t config_key_count = {len(made)};")
print(f'static_assert({len(made)} <= CONFIG_MAX_KEYS, "the arrays that the table indexes are large enough");')
