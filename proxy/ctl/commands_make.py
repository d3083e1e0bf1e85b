"""Turns commands.txt into the tables of recallctl: commands_make.py PAGE HEADER SOURCE."""

import pathlib
import re
import sys

TAG_SIZE = 256  # of text.c
OPTION_COLUMNS, LINE_COLUMNS = 19, 80
COMMON = [("help", None, "'h'"), ("version", None, "'v'"), ("complete", None, "'l'")]  # answered without a command
ENDING = """\
Address and token come from the configuration FILE, or from
RECALLD_LISTEN_ADMIN and RECALLD_LISTEN_ADMIN_TOKEN; default: 127.0.0.1:8081."""


def c_string(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"' if text else "NULL"


def read(page):
    """(options, commands, the snippet "unknown"): rows as the page has them; a command is a dict."""
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
    return options, commands, snippets["unknown"][0]


def option_words(option):
    _, name, value, _ = option
    return ("--" if len(name) > 1 else "-") + name + (f" {value}" if value else "")


def explained(options):
    return [f"  {option_words(option):<{OPTION_COLUMNS}}  {option[3]}" for option in options]


def as_text(lines):
    return "".join(line + "\n" for line in lines)


def usage(options, commands):
    return as_text(
        ["Usage: recallctl [OPTION...] COMMAND [ARGUMENT...]", ""]
        + [f"  {command['name']:<8} {command['arguments']:<13}  {command['help']}" for command in commands]
        + ["", "See recallctl COMMAND --help for details. Options of every command:"]
        + explained(option for option in options if option[0])
        + [f"  {'--version':<{OPTION_COLUMNS}}  print the version", "", ENDING]
    )


def manual(command, options):
    """A command's help; its synopsis breaks between options."""
    lines = [f"Usage: recallctl {command['name']}"]
    indent = " " * len(lines[0])
    for word in [f"[{option_words(option)}]" for option in options] + [command["arguments"]]:
        if word and len(lines[-1]) + 1 + len(word) > LINE_COLUMNS:
            lines += [indent]
        lines[-1] += f" {word}" if word else ""
    lines += ["", command["help"][0].upper() + command["help"][1:] + "."]
    lines += command.get("details", "").splitlines()
    if options:
        lines += ["", "Options, besides those of every command (recallctl --help):", *explained(options)]
    lines += ["", "Example:"] + [f"  {line}" for line in command["example"].splitlines()]
    failure = f"{command['failure']}, or " if "failure" in command else ""
    lines += ["", "Exit status:", f"  0  {command['success']}", f"  1  {failure}an error (on standard error)"]
    return as_text(lines)


def own_options(command, options):
    takes = command.get("takes", "").split()
    own = [option for option in options if option[1] in takes and not option[0]]
    if len(own) < len(takes):
        sys.exit(f"{command['name']}: an option is unknown")
    return own


def completions(options, commands):
    """A line with the options of every command, then one for each command: its name and its options."""
    flags = lambda some: [option_words(option).split()[0] for option in some]
    lines = [["--help", "--version", *flags(option for option in options if option[0])]]
    lines += [[command["name"], *flags(own_options(command, options))] for command in commands]
    return as_text(map(" ".join, lines))


def command_row(command, options):
    get = lambda name: command.get(name, "")
    words = [word for word in get("arguments").split() if word[0] not in "<>"]
    needed = [word for word in words if word[0] != "["]
    own = own_options(command, options)
    bits = sum(1 << i for i, option in enumerate(options) if option[0] or option in own)
    method, _, path = get("call").partition(" ")
    list_name, usual = (get("list") or " 0").split(" ")
    strings = {key: get(key) for key in ("name", "body", "fact", "needs", "unknown", "text")}
    strings |= {"method": method, "path": path, "list": list_name, "manual": manual(command, own)}
    rows = [f"\t\t.{key} = {c_string(value)}," for key, value in strings.items()]
    rows += [
        f'\t\t.arguments = "{get("arguments")}",',
        f"\t\t.least = {len(needed)}, .most = {'INT_MAX' if '...' in get('arguments') else len(words)}, .takes = {bits:#x},",
        f"\t\t.usual = {usual}, .status = {get('status') or 200},",
        f"\t\t.fill = {'ctl_fill_' + get('fill') if get('fill') else 'NULL'},",
        f"\t\t.run = ctl_{get('run') or 'run'},",
    ]
    return "\t{\n" + "\n".join(rows) + "\n\t},\n"


def main(page, header, source):
    options, commands, unknown = read(pathlib.Path(page).read_text("utf-8"))
    store = [name for _, name, *_ in options].index("store")
    given = ", *".join(name.replace("-", "_") for _, name, *_ in options)
    fills = sorted({command["fill"] for command in commands if "fill" in command})
    runs = sorted({command.get("run", "run") for command in commands})
    pathlib.Path(header).write_text(
        "/* Made from proxy/ctl/commands.txt. */\n"
        "#include <getopt.h>\n#include <jansson.h>\n#include <stdbool.h>\n\nstruct ctl;\n\n"
        f"enum {{ CTL_OPTIONS = {len(options)}, CTL_COMMANDS = {len(commands)}, CTL_STORE = {store}, CTL_TAG_SIZE = {TAG_SIZE} }};\n\n"
        "/* The options' values; NULL: not given. */\n"
        f"union ctl_given {{\n\tstruct {{\n\t\tconst char *{given};\n\t}};\n\tconst char *values[CTL_OPTIONS];\n}};\n\n"
        f"extern const struct option ctl_options[CTL_OPTIONS + {len(COMMON)} + 1];\n"
        "extern const char ctl_usage[], ctl_completions[], ctl_unknown[];\n"
        + "".join(f"bool ctl_{name}(struct ctl *ctl);\n" for name in runs)
        + "".join(f"void ctl_fill_{name}(struct ctl *ctl, json_t *answer);\n" for name in fills),
        "utf-8",
    )
    rows = COMMON + [(name, value, i) for i, (_, name, value, _) in enumerate(options)]
    rows = [f'\t{{"{name}", {"required" if value else "no"}_argument, NULL, {i}}},\n' for name, value, i in rows]
    texts = {"usage": usage(options, commands), "completions": completions(options, commands), "unknown": unknown}
    pathlib.Path(source).write_text(
        '#include "proxy/ctl/ctl.h"\n\n#include <limits.h>\n\n'
        + "".join(f"const char ctl_{name}[] = {c_string(text)};\n" for name, text in texts.items())
        + f"\nconst struct option ctl_options[] = {{\n{''.join(rows)}\t{{NULL, 0, NULL, 0}},\n}};\n\n"
        "const struct ctl_command ctl_commands[CTL_COMMANDS] = {\n" + "".join(command_row(c, options) for c in commands) + "};\n",
        "utf-8",
    )


main(*sys.argv[1:])
