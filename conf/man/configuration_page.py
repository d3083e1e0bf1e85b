"""Makes recalld.conf(5) from the annotated conf/recalld.conf: configuration_page.py HEAD CONF KEYS > PAGE.

A comment belongs to the keys that follow it. An indented comment line is shown as it stands. HEAD is mdoc
and ends where the list of keys begins. KEYS is what build/tests/config-reference prints; it gives each key's
values, and the words for a key without a comment. The unit test config_rules compares CONF and KEYS with
the program."""

import re
import sys
import textwrap


def mdoc(text):
    """Text as mdoc takes it: no line begins with a control character, backslashes are escaped."""
    text = text.replace("\\", "\\e").replace("--", "\\-\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def sentences(lines):
    """Paragraph text, each sentence on a line of its own, as mdoc wants it."""
    text = " ".join(" ".join(lines).split())
    parts = re.split(r"(?<=[.?!]) (?=[A-Z0-9\"/])", text)
    return mdoc("\n".join(textwrap.fill(part, 78, break_on_hyphens=False, break_long_words=False) for part in parts))


def describe(comment):
    out, paragraph = [], []

    def close():
        if paragraph:
            out.append(sentences(paragraph))
            paragraph.clear()

    literal = False
    for line in comment + [""]:
        indented = line.startswith("    ")
        if indented != literal:
            close()
            out.append(".Bd -literal -offset indent" if indented else ".Ed")
            literal = indented
        if indented:
            out.append(mdoc(line[4:]))
        elif line:
            paragraph.append(line)
        else:
            close()
    close()
    return out


def read(path):
    """Yields (section or None, comment lines, keys with their defaults)."""
    section, comment, keys = None, [], []
    for line in open(path).read().splitlines() + ["[end]"]:
        head = re.fullmatch(r"\[(\w+)\]", line)
        if not re.match(r"[\w.]+ *=", line) and keys:
            yield section, comment, keys
            comment, keys = [], []
        if head:
            if section and any(comment):
                yield section, comment, []
            section, comment = head[1], []
        elif line.startswith("#"):
            comment.append(line[2:])
        elif "=" in line:
            name, _, value = line.partition("=")
            keys.append((name.strip(), value.strip()))
        elif comment:
            comment.append("")


def reference(path):
    """(section, key): (values, description) from the tables in KEYS."""
    section, rows = None, {}
    for line in open(path).read().splitlines():
        head = re.fullmatch(r"\*\*\[(\w+)\]\*\*", line)
        row = re.fullmatch(r"\| `([\w.]+)` \| .*? \| (.*?) \| (.*) \|", line)
        if head:
            section = head[1]
        elif row:
            rows[section, row[1]] = (row[2].strip(), row[3])
    return rows


def item(name, value, values):
    return f".It Ic {name} No = {mdoc(value) or 'Pq empty'}" + (f" Pq {mdoc(values)}" if values else "")


def main(head, conf, keys_page):
    rows = reference(keys_page)
    print(open(head).read(), end="")
    current = None
    for section, comment, keys in read(conf):
        if section is None:
            continue
        if section != current:
            if current:
                print(".El")
            print(f".Ss [{section}] keys\n.Bl -tag -width Ds")
            current = section
        if keys:
            print("\n".join(item(name, value, rows[section, name][0]) for name, value in keys))
            comment = comment if any(comment) else [rows[section, keys[0][0]][1]]
        else:
            print(".It More sections")
        text = "\n".join(describe(comment)).strip()
        if text:
            print(text)
    print(".El")
    print('.Sh SEE ALSO\n.Xr recallctl 1 ,\n.Xr recalld 8')


if __name__ == "__main__":
    main(*sys.argv[1:])
