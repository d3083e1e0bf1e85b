"""Turns the word lists, which people read, into constants of C, which need no work at the start.

`words_make.py KIND FILE...` prints the maps of one kind while the program is built. A file has
sections, "[NAME]" and its words, and lines with a comment after "#". Words are case folded. Of a
language's file (core/text/languages), [function] has the function words, for scripts without spaces
the pairs of characters that text_words() gives; [forms] has families of words that the stemmer
leaves apart, separated by commas, the head first; each other section has a name of the WORD_* in
core/learn/words.h, and "x'y" counts as the words "x" and "y", except "don't".
"""

import json
import pathlib
import re
import sys

MASK = (1 << 64) - 1


def word_hash(word):
    """As core/base/word_map.c has it."""
    result = 0xCBF29CE484222325
    for byte in word.encode():
        result = (result ^ byte) * 0x100000001B3 & MASK
    result = (result ^ result >> 33) * 0xFF51AFD7ED558CCD & MASK
    result = (result ^ result >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return result ^ result >> 33


def sections(files):
    """(language, section, its text) of all files, in their order."""
    for file in files:
        text = re.sub(r"^#.*\n", "", pathlib.Path(file).read_text("utf-8"), flags=re.M)
        _, *parts = re.split(r"^\[(.+)\]\n", text, flags=re.M)
        for name, body in zip(parts[::2], parts[1::2]):
            yield pathlib.Path(file).stem, name, body


def slots(rows):
    """The slots of a word_map: a word in several rows has the bits of all of them."""
    bits_of = {}
    for bits, words in rows:
        for word in words.split():
            bits_of.setdefault(word_hash(word), {})[bits] = None
    capacity = 2
    while capacity < 2 * len(bits_of):
        capacity *= 2
    taken = [None] * capacity
    for key, bits in bits_of.items():
        at = key % capacity
        while taken[at]:
            at = (at + 1) % capacity
        taken[at] = f"{{{key:#x}, {' | '.join(bits)}}}"
    return taken


def slice_of(text):
    """A text as C."""
    return 'SLICE("' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '")'


def strings_of(texts):
    """An array of C strings that ends with NULL."""
    return "{" + ", ".join([f'"{text}"' for text in texts] + ["NULL"]) + "}"


def print_slices(name, texts):
    print(f"static const struct slice {name}[] = {{{', '.join(map(slice_of, texts))}}};")


def print_maps(name, maps):
    """`maps`: the rows (bits, words) of each map by its index; indexes and bits are C."""
    for number, rows in enumerate(maps.values()):
        taken = slots(rows)
        print(f"static const struct word_slot {name}_slots_{number}[{len(taken)}] = {{")
        for at, slot in enumerate(taken):
            if slot:
                print(f"\t[{at}] = {slot},")
        print("};")
    print(f"static const struct word_map {name}_maps[] = {{")
    for number, index in enumerate(maps):
        print(f"\t[{index}] = {{{name}_slots_{number}, sizeof({name}_slots_{number}) / sizeof(struct word_slot)}},")
    print("};")


def lexicon(files):
    """One bit for each language in which a word is a function word, and for its other properties."""
    rows = []
    for language, name, words in sections(files):
        if name in ("function", "light", "self"):
            of = language if name == "function" else name
            rows.append((f"UINT32_C(1) << LEXICON_{of.upper()}", words))
    print_maps("lexicon", {0: rows})


def words(files):
    """One map for each language, and one that tells in which of them a word is."""
    maps = {}
    everywhere = []
    for language, name, listed in sections(files):
        if name.isupper():
            index = f"LEXICON_{language.upper()}"
            maps.setdefault(index, []).append((f"WORD_{name}", listed))
            everywhere.append((f"UINT32_C(1) << {index}", listed))
    print_maps("words", {**maps, "LEXICON_OTHER + 1": everywhere})


def form_rows(files):
    """For forms_make.c, which has the stemmers."""
    print("static const struct {\n\tconst char *stemmer;\n\tconst char *families;\n} form_rows[] = {")
    for language, name, families in sections(files):
        if name == "forms":
            print(f'\t{{"{language}", "{" ".join(families.split())}"}},')
    print("};")


def pii_words(files):
    parts = [(*name.split(), body) for _, name, body in sections(files)]
    print_maps("pii_words", {0: [(f"PII_WORD_{part[0]}", part[1]) for part in parts if part[0].isupper()]})
    print_slices("street_ends", dict(part for part in parts if len(part) == 2)["street_ends"].split())
    print("static const struct {\n\tstruct slice sign;\n\tunsigned bits;\n} signs[] = {")
    for _, bit, listed in [part for part in parts if len(part) == 3]:
        for sign in listed.split():
            print(f"\t{{{slice_of(sign)}, PII_WORD_{bit}}},")
    print("};")


def date_words(files):
    """The map gives the number of a word's row, from 1."""
    rows = []
    print("static const struct date_token date_rows[] = {")
    for number, (_, name, listed) in enumerate(sections(files), 1):
        kind, _, value = name.partition(" ")
        print(f"\t{{DATE_{kind}, {value if value.isdigit() else 'UNIT_' + value if value else 0}}},")
        rows.append((str(number), listed))
    print("};\n/* The first bytes of words that may go on. */\nstatic const bool date_words_open[256] = {")
    for byte in sorted({word.encode()[0] for _, listed in rows for word in listed.split() if "*" in word}):
        print(f"\t[{byte}] = true,")
    print("};")
    print_maps("date_words", {0: rows})


def signs(files):
    print("static const struct {\n\tunsigned bits;\n\tconst char *signs;\n} signs[] = {")
    texts = {name: body for _, name, body in sections(files)}
    for name, body in texts.items():
        if name.isupper():
            bits = " | ".join(f"WORD_{bit}" for bit in name.split())
            print(f'\t{{{bits}, "{" ".join(body.split())}"}},')
    print(f'}};\nstatic const char other_signs[] = "{" ".join(texts["other"].split())}";')
    print("static const char *const numbers[] = {")
    for row in texts["numbers"].strip().split("\n"):
        print(f'\t"{row}",')
    print("};")


def lists(files):
    """The arrays of lists.h."""
    print('#include "lists.h"\n\n#include <stddef.h>\n')
    for _, name, body in sections(files):
        texts = [text.strip().replace('"', '\\"') for text in body.split("|")]
        print(f"const char *const list_{name}[] = {strings_of(texts)};")


def list_names(files):
    for _, name, _ in sections(files):
        print(f"extern const char *const list_{name}[];")


def keys(files):
    """The map gives the number of a name's row, from 1; a row begins with the common key."""
    rows = [" ".join([name, *listed.split()]) for _, name, listed in sections(files)]
    print("static const char *const synonyms[] = {")
    for row in rows:
        print(f'\t"{row}",')
    print("};")
    print_maps("keys", {0: [(str(number), row) for number, row in enumerate(rows, 1)]})


def core_keys(files):
    """The maps give a bit for each rank."""
    maps = {}
    for _, name, listed in sections(files):
        kind, rank = name.split()
        maps.setdefault(f"CORE_KEY_{kind}", []).append((f"1 << {rank}", listed))
    print_maps("core_keys", maps)


def phrases(files):
    """Phrases that begin alike share a chain, so that few are compared where a word begins."""
    chains = [0] * 256
    number = 0
    print("static const struct phrase phrases[] = {")
    for _, name, listed in sections(files):
        for text in re.split(r",\s*", listed.strip()):
            first, second = text.encode()[:2]
            chain = (first * 7 + second) % len(chains)
            is_open = int(text.endswith("*"))
            print(f'\t{{SLICE("{text.rstrip("*")}"), {is_open}, RECALL_{name}, {chains[chain]}}},')
            number += 1
            chains[chain] = number
    print(f"}};\nstatic const uint8_t phrase_chains[] = {{{', '.join(map(str, chains))}}};")


def words_of(listed):
    """Commas separate them; "_" stands for a space at a word's beginning or end."""
    return [re.sub("^_|_$", " ", word) for word in re.split(r",\s*", listed.strip())]


def mail_words(files):
    for _, name, listed in sections(files):
        if name.endswith("_names"):  # compared whole
            print(f"static const char *const {name}[] = {strings_of(words_of(listed))};")
        else:
            print_slices(name, words_of(listed))


def secret_names(files):
    endings = []
    for _, name, listed in sections(files):
        name, _, kind = name.partition(" ")
        if name == "names":
            endings += [f'\t{{{slice_of(ending)}, "{kind}"}},' for ending in words_of(listed)]
        elif name == "schemes":
            print(f"static const char *const {name}[] = {strings_of(words_of(listed))};")
        elif name != "tokens":
            print_slices(name, words_of(listed))
    print("static const struct {\n\tstruct slice ending;\n\tconst char *kind;\n} names[] = {")
    print("\n".join(endings) + "\n};")


def tokens(files):
    print("static const struct {\n\tstruct slice prefix;\n\tbool (*is_class)(char c);")
    print("\tsize_t least;\n\tsize_t most;\n\tconst char *kind;\n} tokens[] = {")
    rows = {name: body for _, name, body in sections(files)}["tokens"]
    for prefix, of, least, most, kind in re.findall(r"^(\S+) (\w+) (\d+) (\w+) ([^(\n]*\w)", rows, re.M):
        most = "SIZE_MAX" if most == "any" else most
        print(f'\t{{{slice_of(prefix)}, secret_is_{of}, {least}, {most}, "{kind}"}},')
    print("};")


def programs(files):
    """The tables of core/clients/table.h."""
    parts = [(name, re.findall(r"^(\w+): (.*(?:\n .*)*)", body, re.M)) for _, name, body in sections(files)]
    value = r'"(?:[^"\\]|\\.)*"|[A-Z_]+'
    for source, seen in parts[0][1]:
        print(f"static const struct client_source {source} = {{{', '.join(re.findall(value, seen))}}};")
    print("const struct client_form client_forms[] = {")
    for kind, rows in parts:
        for source, row in rows if kind.isupper() else []:
            members = re.findall(rf"(\w+)(?: ({value}))?", row)
            shown = [f".{name} = {f'SLICE({text})' if text else 'true'}" for name, text in members]
            print(f"\t{{FORM_{kind}, &{source}, {', '.join(shown)}}},")
    print("};\nconst struct client_element client_elements[] = {")
    for kind, rows in parts:
        for source, listed in rows if kind.startswith("elements ") else []:
            for element in listed.split():
                print(f'\t{{ELEMENT_{kind.split()[1]}, &{source}, SLICE("{element}")}},')
    print("};\nconst struct client_header client_side_headers[] = {")
    for source, field in dict(parts)["headers"]:
        print(f'\t{{&{source}, "{field}"}},')
    print("};")


def entry(line, is_wish):
    quote, entity, key, value, *rest = [part.strip() for part in line.split("|")]
    told = {"quote": quote, "entity": entity, "key": key, "value": value}
    told |= {"forget": True} if is_wish else {"op": rest[0]}
    more = "," + rest[1] if len(rest) > 1 else ""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))[:-1] + more + "}"


def prompts(files):
    """The instructions and examples of core/learn/prompt.c."""
    turns, examples = {}, {"facts": [], "several": [], "forget": []}
    for _, name, body in sections(files):
        kind, _, name = name.partition(" ")
        name, _, day = name.partition(" ")
        text, *lines = body.strip().split("\n")
        if kind == "instructions":
            paragraphs = "\n".join(" ".join(part.split("\n")) for part in body.strip().split("\n\n"))
            paragraphs = "\n" * (name == "class") + paragraphs  # stands behind others
            print(f"static const struct slice {name}_instructions = {slice_of(paragraphs)};")
        elif kind == "several":
            for row in [text, *lines]:
                told = [turns[turn] for turn in row.split()]
                asked = "There are several new user turns. List the entries of all of them, each with a quote from its own turn.\n"
                for number, (of_day, said, _) in enumerate(told, 1):
                    asked += f"\n=== New user turn {number} of {len(told)}, said on {of_day}, 10:00 UTC ===\n{said}\n"
                examples["several"].append((asked, [one for turn in told for one in turn[2]]))
        else:
            entries = [entry(line, kind == "forget") for line in lines]
            turns[name] = turns.get(name, (day, text, entries))
            asked = f"Date of the new turn: {day}, 10:00 UTC\n\n=== New user turn, from here to the end ===\n{text}"
            examples["facts" if kind == "turn" else kind].append((asked, entries))
    for kind, rows in examples.items():
        print(f"static const struct learn_example {kind}_examples[] = {{")
        for asked, entries in rows:
            listed = '{"entities":[' + ",".join(entries) + "]}"
            print(f"\t{{{slice_of(asked)}, {slice_of(listed)}}},")
        print("};")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    print("/* Made while building, of the word lists. */")
    kinds = (
        core_keys, date_words, form_rows, keys, lexicon, list_names, lists, mail_words, phrases, pii_words, programs,
        prompts, secret_names, signs, tokens, words,
    )
    {kind.__name__: kind for kind in kinds}[sys.argv[1]](sys.argv[2:])
