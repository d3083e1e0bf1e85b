"""Turns commands.txt into the tables of recallctl: commands_make.py PAGE HEADER SOURCE."""

import pathlib
import re
import sys

TAG_SIZE = 256  # of text.c


def c_string(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"' if text else "NULL"


def read(page):
    """(options, commands): rows as the page has them; a command is a dict."""
    options, commands, snippets, fields, last = [], [], {}, None, None
    for number, line in enumerate(page.splitlines(), 1):
        if re.match("#|$", line):
            continue
        if match := re.fullmatch(r"(every )?option ([\w-]+)(?: ([A-Z]+))?: (.+)", line):
            options.append(match.groups())
        elif match := re.fullmatch(r"snippet (\w+)", line):
            fields, last = snippets, match[1]
            snippets[last] = []
        elif match := re.fullmatch(r"command ([\w-]+) ?(.*)", line):
            fields = {"name": [match[1]], "arguments": [match[2]]}
            commands.append(fields)
        elif fields is snippets and line[0] == "\t":
            snippets[last].append(line[1:])
        elif line.startswith("\t\t") and last:
            fields[last].append(line[2:])
        elif match := re.fullmatch(r"\t(\w+):(?: (.+))?", line):
            last = match[1]
            fields[last] = [match[2]] if match[2] else []
        else:
            sys.exit(f"line {number} is neither an option, a snippet nor of a command: {line}")
    for command in commands:
        text = command.get("text", [])
        ending = "" if not text or re.search(r"\{/\}$|\\$", text[-1]) else "\n"
        for name, lines in command.items():
            command[name] = re.sub(r"\{>(\w+)\}", lambda m: "\n".join(snippets[m[1]]), "\n".join(lines).removesuffix("\\"))
        command["text"] = command.get("text", "") + ending
        if max(map(len, re.findall(r"\{[^}]*\}", command["text"])), default=0) >= TAG_SIZE:
            sys.exit(f"{command['name']}: a tag is too long")
    return options, commands


def command_row(command, options):
    get = lambda name: command.get(name, "")
    words = [word for word in get("arguments").split() if word[0] not in "<>"]
    needed = [word for word in words if word[0] != "["]
    takes = get("takes").split()
    if unknown := set(takes) - {name for every, name, *_ in options if not every}:
        sys.exit(f"{get('name')}: no such option: {unknown}")
    bits = sum(1 << i for i, (_, name, *_) in enumerate(options) if name in takes)
    method, path = (get("call") + " ").split(" ", 1)
    name, usual = (get("list") or " 0").split(" ")
    function = get("name").replace("-", "_")
    strings = {key: get(key) for key in ("name", "help", "details", "example", "success", "failure", "body", "needs", "unknown", "text")}
    strings |= {"method": method, "path": path.strip(), "list": name}
    rows = [f"\t\t.{key} = {c_string(value)}," for key, value in strings.items()]
    rows += [
        f'\t\t.arguments = "{get("arguments")}",',
        f"\t\t.least = {len(needed)}, .most = {'INT_MAX' if '...' in get('arguments') else len(words)}, .takes = {bits:#x},",
        f"\t\t.usual = {usual}, .status = {get('status') or 200},",
        f"\t\t.fill = {'ctl_fill_' + get('fill') if get('fill') else 'NULL'},",
        f"\t\t.run = {'ctl_run' if method else 'ctl_' + function},",
    ]
    return "\t{\n" + "\n".join(rows) + "\n\t},\n"


def main(page, header, source):
    options, commands = read(pathlib.Path(page).read_text("utf-8"))
    members = {name: name.replace("-", "_") for _, name, _, _ in options}
    given = "".join(f"\t{'const char *' if value else 'bool '}{members[name]};\n" for _, name, value, _ in options)
    fills = sorted({command["fill"] for command in commands if "fill" in command})
    own = [command["name"].replace("-", "_") for command in commands if "call" not in command]
    pathlib.Path(header).write_text(
        "/* Made from proxy/ctl/commands.txt. */\n"
        "#include <jansson.h>\n#include <stdbool.h>\n\nstruct ctl;\n\n"
        f"enum {{ CTL_OPTIONS = {len(options)}, CTL_COMMANDS = {len(commands)}, CTL_TAG_SIZE = {TAG_SIZE} }};\n\n"
        f"/* The options, as they were given. */\nstruct ctl_given {{\n{given}}};\n\n"
        + "".join(f"int ctl_{name}(struct ctl *ctl);\n" for name in own)
        + "".join(f"void ctl_fill_{name}(const struct ctl *ctl, json_t *answer);\n" for name in fills),
        "utf-8",
    )
    rows = "".join(
        f'\t{{"{name}", {c_string(value or "")}, {c_string(text)}, {"true" if every else "false"}, offsetof(struct ctl_given, {members[name]})}},\n'
        for every, name, value, text in options
    )
    pathlib.Path(source).write_text(
        '#include "proxy/ctl/ctl.h"\n\n#include <limits.h>\n#include <stddef.h>\n\n'
        f"const struct ctl_option ctl_options[CTL_OPTIONS] = {{\n{rows}}};\n\n"
        "const struct ctl_command ctl_commands[CTL_COMMANDS] = {\n" + "".join(command_row(c, options) for c in commands) + "};\n",
        "utf-8",
    )


main(*sys.argv[1:])
