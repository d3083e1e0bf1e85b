"""Makes tables of C of the lists that people read, so that recalld has no work with them at its start.

`words_make.py DIRECTORY FILE...` writes them into the directory while recalld is built. A file has
sections, "[NAME]" and what belongs to it, and lines with a comment after "#". Each file in
core/text/languages is a language; languages in Latin script get a number in their order here. The
comments in english.txt say what each section is for, those in turkish.txt and chinese.txt what
English does not have. Words are case folded, and "x'y" counts as the words "x" and "y", except
"don't". Space separates words, and "|" the phrases of PHRASES and PHRASE_LISTS. In a row of ROWS,
which goes on in indented lines, the first word is the row's name. Of [FUNCTION], [LIGHT] and [SELF],
scripts without spaces have the pairs of characters that text_words() gives; of [NOT] and its like and
of [pii ...], signs that may stand anywhere.
"""

import contextlib
import json
import pathlib
import re
import sys

MASK = (1 << 64) - 1
FIRST_SIGN = "\u3000"  # words with such characters are signs

LEXICON = {"function", "light", "self"}
ROLES = set(
    "NOT IF MAY_IF UNREAL FIRST SECOND THIRD KIN SAY FORGET ALL SPLIT AND TIME MOMENT POINT ONE TAKE"
    " THAT LOVE OPENER ASK SUBJECT KEEP SOFT DID TASK MY WRONG".split()
)
LISTS = set(
    "about_me also before_no_request behind_no_request behind_once beside_no_request command_signs"
    " commands commas conversations date_signs denying_key_parts dislike_keys forget_signs form_keys"
    " had_keys linking my_ends name_ends note_keys once once_signs ordinals personal_keys right"
    " self_phrases short_months task_key_parts third_signs this turkish_aorists turkish_ends"
    " turkish_letters turkish_please turkish_refusals turkish_wishes turkish_would_you vague".split()
)
PHRASE_LISTS = set(
    "and certain conversation_signs dislikes echoes no_longer unmeant used_to mail_farewells mail_from mail_greetings mail_marks"
    " mail_own mail_subject mail_to mail_wrote month_joints refusal_signs secret_said secret_signs uncertain".split()
)
PHRASES = {"asks_wording": "WANTS_WORDS", "asks_past": "ABOUT_PAST", "asks_all": "ABOUT_ALL", "says_i": "SAYS_I"}
DATE_ROWS = {
    "months": "MONTH",
    "months_or_words": "MODAL_MONTH",
    "weekdays": "WEEKDAY",
    "units": "UNIT",
    "days_ago": "DAYS_AGO",
    "last_unit": "LAST_UNIT",
    "this_unit": "THIS_UNIT",
}
DATE_WORDS = {
    "date_last": "LAST",
    "date_this": "THIS",
    "date_ago": "AGO",
    "date_joint": "JOINT",
    "year_sign": "YEAR_SIGN",
    "month_sign": "MONTH_SIGN",
}
CORE_KEYS = {"core_keys": "WHOLE", "core_words": "WORDS"}
LIST_ROWS = {"describes", "introduces"}  # "_" stands for a space
LISTS_HERE = {"and_here"}  # each language has its own
ROWS = {"numbers", "keys", *CORE_KEYS, *DATE_ROWS, *LIST_ROWS}
OTHERS = {"stemmer", "forms", "not_signs", "street_ends", "secret_endings"}
WORDS = {*LEXICON, *LISTS, *PHRASE_LISTS, *PHRASES, *DATE_WORDS, *ROWS, *LISTS_HERE, *OTHERS}


def word_hash(word):
    """As core/base/word_map.c has it."""
    result = 0xCBF29CE484222325
    for byte in word.encode():
        result = (result ^ byte) * 0x100000001B3 & MASK
    result = (result ^ result >> 33) * 0xFF51AFD7ED558CCD & MASK
    result = (result ^ result >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return result ^ result >> 33


def sections(file):
    """Each section's name and text, in their order."""
    text = re.sub(r"^#.*\n", "", file.read_text("utf-8"), flags=re.M)
    _, *parts = re.split(r"^\[(.+)\]\n", text, flags=re.M)
    return list(zip(parts[::2], parts[1::2]))


def phrases_of(body, separator="|"):
    """What separators part; "_" stands for a space at a phrase's beginning or end."""
    parts = [" ".join(part.split()) for part in body.split(separator)]
    return [re.sub("^_|_$", " ", part) for part in parts if part]


def rows_of(body):
    """Each row's name and its words."""
    return [(name, words) for name, *words in map(str.split, re.findall(r"^\S.*(?:\n .*)*", body, re.M))]


def is_sign(word):
    return max(word) >= FIRST_SIGN


class Language:
    """A file of core/text/languages."""

    def __init__(self, file):
        self.name = file.stem
        self.sections = dict(sections(file))
        for name in self.sections:
            if name not in WORDS and not name.startswith("pii ") and not ROLES.issuperset(name.split()):
                sys.exit(f"{file}: [{name}] is no section")
        self.is_latin = all(letter < "\u0250" or "\u1e00" <= letter < "\u1f00" for letter in self.text("function"))
        self.number = f"LEXICON_{self.name.upper() if self.is_latin and self.words('function') else 'OTHER'}"

    def text(self, name):
        return self.sections.get(name, "")

    def stemmer(self):
        """As lexicon_stemmer() names it; None: neither Snowball nor the file knows a word's forms."""
        return self.text("stemmer").strip() or (f"no {self.name}" if "forms" in self.sections else None)

    def words(self, name):
        return phrases_of(self.text(name)) if name in PHRASE_LISTS or name in PHRASES else self.text(name).split()

    def rows(self, name):
        return rows_of(self.text(name))


def of_all(languages, name):
    return [word for language in languages for word in language.words(name)]


def names_of_all(languages, is_wanted):
    """The sections' names that any language has, in their order."""
    return dict.fromkeys(name for language in languages for name in language.sections if is_wanted(name))


def slots(rows):
    """The slots of a word_map: a word in several rows has the bits of all of them."""
    bits_of = {}
    for bits, words in rows:
        for word in words:
            bits_of.setdefault(word, {})[bits] = None
    capacity = 2
    while capacity < 2 * len(bits_of):
        capacity *= 2
    taken = [None] * capacity
    for word, bits in bits_of.items():
        if len(bits) > 1 and next(iter(bits)).isdigit():
            sys.exit(f"words_make.py: {word} stands in two rows of a table")
        key = word_hash(word)
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
    escaped = (text.replace('"', '\\"') for text in texts)
    return "{" + ", ".join([f'"{text}"' for text in dict.fromkeys(escaped)] + ["NULL"]) + "}"


def first_bytes(name, words):
    print(f"static const bool {name}[256] = {{")
    for byte in sorted({byte for word in words for byte in (word.encode()[0], word.upper().encode()[0])}):
        print(f"\t[{byte}] = true,")
    print("};")


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


def numbered_rows(rows):
    """The rows of a map whose bits are a row's number, from 1."""
    return [(str(number), words) for number, words in enumerate(rows, 1)]


# ---- the tables of the languages ----


def language_numbers(languages, _):
    latin = [language for language in languages if language.number != "LEXICON_OTHER"]
    for number, language in enumerate(latin):
        print(f"\t{language.number} = {number},")
    print(f"\tLEXICON_LATIN_COUNT = {len(latin)},")


def lexicon(languages, _):
    """One bit for each language in which a word is a function word, and for its other properties."""
    rows = [(f"UINT32_C(1) << {language.number}", language.words("function")) for language in languages]
    rows += [(f"UINT32_C(1) << LEXICON_{name.upper()}", of_all(languages, name)) for name in ("light", "self")]
    print_maps("lexicon", {0: rows})
    print("static const char *const latin_stemmers[LEXICON_LATIN_COUNT] = {")
    for language in languages:
        if language.is_latin and language.stemmer():
            print(f'\t[{language.number}] = "{language.stemmer()}",')
    print("};")


def form_rows(languages, _):
    """For forms_make.c, which has the stemmers."""
    print("static const struct {\n\tconst char *stemmer;\n\tconst char *families;\n} form_rows[] = {")
    for language in languages:
        if "forms" in language.sections:
            print(f'\t{{"{language.stemmer()}", "{" ".join(language.words("forms"))}"}},')
    print("};")


def roles(languages, _):
    """One map for each language, one that tells in which of them a word is; and the signs and numbers."""
    maps = {}
    everywhere = []
    for language in languages:
        for name in filter(ROLES.issuperset, map(str.split, language.sections)):
            words = [word for word in language.words(" ".join(name)) if not is_sign(word)]
            if words:
                maps.setdefault(language.number, []).append((f"WORD_{name[0]}", words))
                everywhere.append((f"UINT32_C(1) << {language.number}", words))
    print_maps("words", {**maps, "LEXICON_OTHER + 1": everywhere})
    print("static const struct {\n\tunsigned bits;\n\tconst char *signs;\n} signs[] = {")
    for name in names_of_all(languages, lambda name: ROLES.issuperset(name.split())):
        bits = " | ".join(f"WORD_{bit}" for bit in name.split())
        listed = " ".join(filter(is_sign, of_all(languages, name)))
        if listed:
            print(f'\t{{{bits}, "{listed}"}},')
    print(f'}};\nstatic const char other_signs[] = "{" ".join(of_all(languages, "not_signs"))}";')
    numbers = {str(number): [] for number in range(13)}
    for language in languages:
        for number, words in language.rows("numbers"):
            numbers[number] += words
    print("static const char *const numbers[] = {")
    for number, words in numbers.items():
        print(f'\t"{" ".join([number, *words])}",')
    print("};")


def list_names(languages, _):
    for name in sorted(LISTS | PHRASE_LISTS):
        print(f"extern const char *const list_{name}[];")
    print("/* By LEXICON_*, to LEXICON_OTHER; NULL: the language has none. */")
    for name in sorted(LISTS_HERE):
        print(f"extern const char *const *const list_{name}[];")
    print("/* By a key; the last row has none. */")
    print("struct list_row {\n\tconst char *key;\n\tconst char *const *words;\n};")
    for name in sorted(LIST_ROWS):
        print(f"extern const struct list_row list_{name}[];")


def lists(languages, _):
    """The arrays of lists.h."""
    print('#include "lists.h"\n\n#include "core/text/lexicon.h"\n')
    for name in sorted(LISTS | PHRASE_LISTS):
        print(f"const char *const list_{name}[] = {strings_of(of_all(languages, name))};")
    for name in sorted(LISTS_HERE):
        print(f"const char *const *const list_{name}[LEXICON_OTHER + 1] = {{")
        for number in dict.fromkeys(language.number for language in languages if name in language.sections):
            words = of_all([language for language in languages if language.number == number], name)
            print(f"\t[{number}] = (const char *const[]){strings_of(words)},")
        print("};")
    for name in sorted(LIST_ROWS):
        rows = {}
        for key, words in (row for language in languages for row in language.rows(name)):
            rows.setdefault(key, []).extend(word.replace("_", " ") for word in words)
        print(f"const struct list_row list_{name}[] = {{")
        for key, words in rows.items():
            print(f'\t{{"{key}", (const char *const[]){strings_of(words)}}},')
        print("\t{NULL, NULL},\n};")


def phrases(languages, _):
    """Phrases that begin alike share a chain, so that few are compared where a word begins."""
    chains = [0] * 256
    number = 0
    print("static const struct phrase phrases[] = {")
    for name, meaning in PHRASES.items():
        for text in dict.fromkeys(of_all(languages, name)):
            first, second = text.encode()[:2]
            chain = (first * 7 + second) % len(chains)
            is_open = int(text.endswith("*"))
            print(f"\t{{{slice_of(text.rstrip('*'))}, {is_open}, RECALL_{meaning}, {chains[chain]}}},")
            number += 1
            chains[chain] = number
    print(f"}};\nstatic const uint8_t phrase_chains[] = {{{', '.join(map(str, chains))}}};")


def date_words(languages, _):
    rows = {(kind, "0"): of_all(languages, name) for name, kind in DATE_WORDS.items()}
    for language in languages:
        for name, kind in DATE_ROWS.items():
            for value, words in language.rows(name):
                value = value if value.isdigit() else f"UNIT_{value.upper()}"
                rows.setdefault((kind, value), []).extend(words)
    print("static const struct date_token date_rows[] = {")
    for kind, value in rows:
        print(f"\t{{DATE_{kind}, {value}}},")
    print("};\n/* The first bytes of words that may go on. */")
    first_bytes("date_words_open", [word for words in rows.values() for word in words if "*" in word])
    print_maps("date_words", {0: numbered_rows(rows.values())})


def keys(languages, _):
    """A row begins with the common key."""
    rows = {}
    for language in languages:
        for name, words in language.rows("keys"):
            rows.setdefault(name, [name]).extend(words)
    rows = [dict.fromkeys(words) for words in rows.values()]
    print("static const char *const synonyms[] = {")
    for words in rows:
        print(f'\t"{" ".join(words)}",')
    print("};")
    print_maps("keys", {0: numbered_rows(rows)})


def core_keys(languages, _):
    """The maps give a bit for each rank."""
    maps = {}
    for name, kind in CORE_KEYS.items():
        ranks = [row for language in languages for row in language.rows(name)]
        maps[f"CORE_KEY_{kind}"] = [(f"1 << {rank}", words) for rank, words in ranks]
    print_maps("core_keys", maps)


def pii_words(languages, _):
    rows = {
        f"PII_WORD_{name.split()[1]}": of_all(languages, name)
        for name in names_of_all(languages, lambda name: name.startswith("pii "))
    }
    print_maps("pii_words", {0: [(bit, [word for word in words if not is_sign(word)]) for bit, words in rows.items()]})
    ends = map(slice_of, dict.fromkeys(of_all(languages, "street_ends")))
    print(f"static const struct slice street_ends[] = {{{', '.join(ends)}}};")
    print("static const struct {\n\tstruct slice sign;\n\tunsigned bits;\n} signs[] = {")
    for bit, words in rows.items():
        for sign in dict.fromkeys(filter(is_sign, words)):
            print(f"\t{{{slice_of(sign)}, {bit}}},")
    print("};")


# ---- other tables ----


def secret_names(languages, files):
    """The names in programs, and behind them those of people."""
    kinds = [(name.partition(" "), body) for name, body in sections(files["secrets"])]
    rows = [(kind, phrases_of(body, ",")) for (name, _, kind), body in kinds if name == "names"]
    rows += [("password", of_all(languages, "secret_endings"))]
    print("static const struct {\n\tstruct slice ending;\n\tconst char *kind;\n} names[] = {")
    for kind, endings in rows:
        for ending in dict.fromkeys(endings):
            print(f'\t{{{slice_of(ending)}, "{kind}"}},')
    schemes = dict(sections(files["secrets"]))["schemes"]
    print(f"}};\nstatic const char *const schemes[] = {strings_of(phrases_of(schemes, ','))};")
    print("/* The first bytes of what people name a secret. */")
    first_bytes("secret_may_begin", of_all(languages, "secret_said"))


def tokens(_, files):
    print("static const struct {\n\tstruct slice prefix;\n\tbool (*is_class)(char c);")
    print("\tsize_t least;\n\tsize_t most;\n\tconst char *kind;\n} tokens[] = {")
    rows = dict(sections(files["secrets"]))["tokens"]
    for prefix, of, least, most, kind in re.findall(r"^(\S+) (\w+) (\d+) (\w+) ([^(\n]*\w)", rows, re.M):
        most = "SIZE_MAX" if most == "any" else most
        print(f'\t{{{slice_of(prefix)}, secret_is_{of}, {least}, {most}, "{kind}"}},')
    print("};")


def programs(_, files):
    """The tables of core/clients/table.h."""
    parts = [(name, re.findall(r"^(\w+): (.*(?:\n .*)*)", body, re.M)) for name, body in sections(files["programs"])]
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


def prompts(_, files):
    """The instructions and examples of core/learn/prompt.c."""
    turns, examples = {}, {"facts": [], "several": [], "forget": []}
    for name, body in sections(files["prompts"]):
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


TABLES = {
    "language_numbers.h": language_numbers,
    "form_rows.h": form_rows,
    "lists.c": lists,
    "lists.h": list_names,
    "core_keys_map.h": core_keys,
    "date_words_map.h": date_words,
    "keys_map.h": keys,
    "lexicon_map.h": lexicon,
    "phrases_map.h": phrases,
    "pii_words_map.h": pii_words,
    "programs_map.h": programs,
    "prompts_map.h": prompts,
    "roles_map.h": roles,
    "secret_names_map.h": secret_names,
    "tokens_map.h": tokens,
}


def main():
    files = [pathlib.Path(name) for name in sys.argv[2:]]
    languages = [Language(file) for file in files if file.parent.name == "languages"]
    others = {file.stem: file for file in files if file.parent.name != "languages"}
    for name, make in TABLES.items():
        with open(pathlib.Path(sys.argv[1], name), "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
            print("/* Made of the word lists while building. */")
            make(languages, others)


if __name__ == "__main__":
    main()
