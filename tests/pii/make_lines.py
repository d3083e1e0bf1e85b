#!/usr/bin/env python3
"""Writes tests/fixtures/pii/lines.tsv: personal data of each class in twelve languages, and lines without any.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install Faker Babel
    /tmp/venv/bin/python tests/pii/make_lines.py >tests/fixtures/pii/lines.tsv

Nobody's data: Faker and Babel make the values, with check digits computed here, apart from the rules in core/pii.
A line is HALF, LANGUAGE, CLASS and the text, tab-separated; what must be found stands between \u27e6 and \u27e7, and
CLASS is "none" where nothing may be found. The rules may be tuned on the half "tune"; "hold" has other sentences
and other values, and is what the table reports."""
import random
import sys

from babel.dates import format_date
from faker import Faker

import sentences as words

LINES = 12  # of each class and language, half of them held out

LOCALES = {"en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "pt": "pt_BR", "it": "it_IT", "nl": "nl_NL",
           "tr": "tr_TR", "ru": "ru_RU", "ar": "en_US", "zh": "zh_CN", "ja": "ja_JP"}


def digits(rng, count):
    return "".join(rng.choice("0123456789") for _ in range(count))


# ---- check digits, from the published rules ----

def mod97_iban(country, account):
    moved = account + country + "00"
    return "%02d" % (98 - int("".join(str(int(c, 36)) for c in moved)) % 97)


# Country: what its account number is made of (n digits, a letters, c either), by the SWIFT registry.
IBANS = {"de": ("DE", "18n"), "fr": ("FR", "10n11c2n"), "es": ("ES", "20n"), "it": ("IT", "1a10n12c"),
         "nl": ("NL", "4a10n"), "tr": ("TR", "5n1n16c"), "pt": ("PT", "21n"), "en": ("GB", "4a14n"),
         "ru": ("CY", "8n16c"), "ar": ("SA", "2n18c"), "zh": ("CH", "5n12c"), "ja": ("PL", "24n")}


def iban(rng, lang):
    country, form = IBANS[lang]
    account, count = "", ""
    for c in form:
        if c.isdigit():
            count += c
        else:
            pool = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}[c]
            account += "".join(rng.choice(pool) for _ in range(int(count)))
            count = ""
    text = country + mod97_iban(country, account) + account
    return text if rng.random() < 0.5 else " ".join(text[i:i + 4] for i in range(0, len(text), 4))


def card(rng):
    prefix, length = rng.choice([("4", 16), ("51", 16), ("55", 16), ("37", 15), ("34", 15), ("6011", 16), ("2720", 16)])
    body = prefix + digits(rng, length - 1 - len(prefix))
    total = sum(sum(divmod(2 * int(c), 10)) if i % 2 == 0 else int(c) for i, c in enumerate(reversed(body)))
    text = body + str(-total % 10)
    if length == 15:
        return rng.choice([text, "%s %s %s" % (text[:4], text[4:10], text[10:])])
    join = rng.choice(["", " ", "-"])
    return join.join(text[i:i + 4] for i in range(0, 16, 4))


def steuer_id(rng):
    while True:
        first = digits(rng, 10)
        counts = sorted(first.count(d) for d in set(first))
        if first[0] != "0" and len(counts) == 9 and counts[-1] == 2:
            break
    product = 10
    for c in first:
        total = (int(c) + product) % 10 or 10
        product = 2 * total % 11
    text = first + str((11 - product) % 10)
    return rng.choice([text, "%s %s %s %s" % (text[:2], text[2:5], text[5:8], text[8:])])


def ssn(rng):
    area = rng.choice([rng.randint(1, 665), rng.randint(667, 899)])
    return "%03d-%02d-%04d" % (area, rng.randint(1, 99), rng.randint(1, 9999))


def aadhaar(rng):
    d = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
         [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
         [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
         [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]
    p = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
    for _ in range(7):
        p.append([p[-1][[1, 5, 7, 6, 2, 8, 3, 0, 9, 4][i]] for i in range(10)])
    body = rng.choice("23456789") + digits(rng, 10)
    for check in "0123456789":
        c = 0
        for i, n in enumerate(reversed(body + check)):
            c = d[c][p[i % 8][int(n)]]
        if c == 0:
            text = body + check
    return " ".join(text[i:i + 4] for i in range(0, 12, 4))


def nir(rng):
    body = "%d%02d%02d%02d%03d%03d" % (rng.randint(1, 2), rng.randint(30, 99), rng.randint(1, 12),
                                       rng.choice([13, 33, 59, 69, 75, 92]), rng.randint(1, 400), rng.randint(1, 900))
    key = "%02d" % (97 - int(body) % 97)
    if rng.random() < 0.5:
        return body + key
    return " ".join([body[0], body[1:3], body[3:5], body[5:7], body[7:10], body[10:], key])


def dni(rng):
    letters = "TRWAGMYFPDXBNJZSQVHLCKE"
    if rng.random() < 0.4:
        first, number = rng.choice([("X", "0"), ("Y", "1"), ("Z", "2")]), digits(rng, 7)
        return first[0] + number + letters[int(first[1] + number) % 23]
    number = digits(rng, 8)
    return number + rng.choice(["", "-"]) + letters[int(number) % 23]


def bsn(rng):
    while True:
        body = digits(rng, 8)
        check = sum(int(c) * (9 - i) for i, c in enumerate(body)) % 11
        if check < 10 and body[0] != "0":
            return body + str(check)


def cpf(rng):
    text = digits(rng, 9)
    for length in (9, 10):
        rest = sum(int(c) * (length + 1 - i) for i, c in enumerate(text)) * 10 % 11
        text += str(rest % 10)
    return rng.choice([text, "%s.%s.%s-%s" % (text[:3], text[3:6], text[6:9], text[9:])])


def resident_id(rng):
    body = rng.choice(["110101", "310115", "440106", "510104", "130127"]) + "%04d%02d%02d" % (
        rng.randint(1940, 2010), rng.randint(1, 12), rng.randint(1, 28)) + digits(rng, 3)
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights)) % 11]


def pesel(rng):
    body = "%02d%02d%02d" % (rng.randint(40, 99), rng.randint(1, 12), rng.randint(1, 28)) + digits(rng, 4)
    return body + str(-sum(int(c) * w for c, w in zip(body, [1, 3, 7, 9] * 3)) % 10)


def national_id(rng, lang, fake):
    made = {"en": [ssn, aadhaar], "de": [steuer_id], "fr": [nir], "es": [dni], "pt": [cpf], "nl": [bsn],
            "zh": [resident_id], "pl": [pesel]}
    return fake.ssn() if lang == "it" else rng.choice(made[lang])(rng)


# ---- other values ----

def ip(rng, fake):
    return fake.ipv6() if rng.random() < 0.3 else "%d.%d.%d.%d" % (rng.randint(1, 126), rng.randint(0, 255),
                                                                   rng.randint(0, 255), rng.randint(1, 254))


def mac(rng):
    pairs = ["%02x" % rng.randint(1, 254) for _ in range(6)]
    text = rng.choice([":", "-"]).join(pairs)
    return text.upper() if rng.random() < 0.5 else text


def geo(rng):
    lat, lon = rng.uniform(-75, 75), rng.uniform(-175, 175)
    places = rng.randint(4, 7)
    return rng.choice([f"{lat:.{places}f}, {lon:.{places}f}", f"{lat:.{places}f},{lon:.{places}f}",
                       f"{abs(lat):.4f}° N, {abs(lon):.4f}° E"])


def birth_date(rng, lang):
    import datetime
    day = datetime.date(rng.randint(1935, 2012), rng.randint(1, 12), rng.randint(1, 28))
    locale = {"zh": "zh_CN", "pt": "pt_BR"}.get(lang, lang)
    forms = [format_date(day, "long", locale=locale), day.isoformat()]
    if lang == "en":
        forms += [day.strftime("%m/%d/%Y"), format_date(day, "MMM d, y", locale="en"), format_date(day, "d MMMM y", locale="en")]
    elif lang in ("zh", "ja"):
        forms += [day.strftime("%Y/%m/%d"), "%d年%d月%d日" % (day.year, day.month, day.day)]
    else:
        forms += [day.strftime("%d.%m.%Y" if lang in ("de", "ru", "tr") else "%d/%m/%Y")]
    return rng.choice(forms)


def phone(rng, lang, fake):
    if rng.random() < 0.35:
        code = {"en": "1", "de": "49", "fr": "33", "es": "34", "pt": "55", "it": "39", "nl": "31", "tr": "90",
                "ru": "7", "ar": "966", "zh": "86", "ja": "81"}[lang]
        rest = rng.choice("23456789") + digits(rng, 8)
        return "+" + code + rng.choice([rest, " " + rest[:2] + " " + rest[2:5] + " " + rest[5:],
                                        " " + rest[:3] + "-" + rest[3:6] + "-" + rest[6:]])
    if lang == "ar":
        text = "05" + digits(rng, 8)
        return text if rng.random() < 0.7 else "".join(chr(0x660 + int(c)) for c in text)
    return fake.phone_number()


def address(rng, lang, fake):
    if lang == "en":
        if rng.random() < 0.4:
            number = rng.randint(1, 200)
            street = rng.choice(["Baker Street", "Church Lane", "Station Road", "Victoria Avenue", "Mill Close"])
            return "%d %s, %s %s" % (number, street, rng.choice(["London", "Leeds", "Bath", "York"]),
                                     Faker("en_GB").postcode())
        return "%d %s, %s, %s %s" % (rng.randint(1, 9999), rng.choice(
            ["Maple Street", "Oak Ave", "Pine Rd", "Sunset Blvd", "Cedar Lane", "5th Avenue", "Lincoln Drive"]),
            fake.city(), fake.state_abbr(), fake.postcode())
    if lang in ("de", "nl", "fr", "es", "it"):
        return fake.address().replace("\n", ", ").replace("  ", " ")
    if lang == "pt":
        return fake.address().replace("\n", ", ")
    if lang == "tr":
        return "%s %s No:%d, %s %s" % (rng.choice(["Atatürk", "Lale", "İnönü", "Menekşe", "Barış"]), rng.choice(
            ["Caddesi", "Sokak", "Cad.", "Sok.", "Mahallesi", "Bulvarı"]), rng.randint(1, 200),
            rng.choice(["34", "06", "35"]) + digits(rng, 3), rng.choice(["İstanbul", "Ankara", "İzmir"]))
    if lang == "ru":
        street = rng.choice(["ул. Ленина", "улица Гагарина", "пр. Мира", "проспект Победы", "пер. Садовый", "ш. Энтузиастов"])
        if rng.random() < 0.5:
            return "%s, г. Москва, %s, д. %d, кв. %d" % (digits(rng, 6), street, rng.randint(1, 99), rng.randint(1, 200))
        return "%s, %d, Казань, %s" % (street, rng.randint(1, 99), "42" + digits(rng, 4))
    if lang == "ar":
        return "%d %s %s، %s %s" % (rng.randint(1, 99), rng.choice(["شارع", "طريق", "حي"]), rng.choice(
            ["الملك فهد", "التحرير", "العليا", "النيل"]), rng.choice(["الرياض", "القاهرة", "جدة"]), "1" + digits(rng, 4))
    if lang == "zh":
        return "%s%s%s%d号%s" % (rng.choice(["北京市朝阳区", "上海市徐汇区", "广州市天河区", "成都市武侯区"]), rng.choice(
            ["建国", "中山", "人民", "解放"]), rng.choice(["路", "街", "大道", "胡同"]), rng.randint(1, 300),
            rng.choice([" ", "，邮编"]) + rng.choice("123456") + digits(rng, 5))
    return "〒%s %s%s%d-%d-%d" % (fake.postcode(), rng.choice(["東京都千代田区", "大阪府大阪市北区", "京都府京都市中京区"]), rng.choice(
        ["丸の内", "梅田", "河原町"]), rng.randint(1, 9), rng.randint(1, 30), rng.randint(1, 20))


def value(rng, name, lang, fake):
    made = {"email": lambda: fake.email(), "phone": lambda: phone(rng, lang, fake), "iban": lambda: iban(rng, lang),
            "card": lambda: card(rng), "national_id": lambda: national_id(rng, lang, fake), "ip": lambda: ip(rng, fake),
            "mac": lambda: mac(rng), "geo": lambda: geo(rng), "birth_date": lambda: birth_date(rng, lang),
            "address": lambda: address(rng, lang, fake)}
    return made[name]()


def fill(rng, text):
    """Replaces # by a digit, % by a digit that is not 0, and ^ by a hexadecimal one."""
    out = "".join({"#": lambda: rng.choice("0123456789"), "%": lambda: rng.choice("123456789"),
                   "^": lambda: rng.choice("0123456789abcdef")}.get(c, lambda: c)() for c in text)
    return out


def main():
    rng = random.Random(20261123)
    rows = []
    Faker.seed(20261123)
    for name in words.CLASSES:
        languages = words.ID_LANGUAGES if name == "national_id" else list(LOCALES)
        for lang in languages:
            fake = Faker("pl_PL" if lang == "pl" else LOCALES[lang])
            for i in range(LINES):
                carriers = words.carriers(name, lang)
                half = "hold" if i % 2 else "tune"
                carrier = carriers[i % len(carriers)]
                rows.append((half, lang, name, carrier.replace("{}", "\u27e6%s\u27e7" % value(rng, name, lang, fake))))
    for lang in LOCALES:
        for i, text in enumerate(words.NOTHING[lang] + words.NOTHING_ANYWHERE):
            for again in range(2 if "#" in text or "^" in text else 1):
                rows.append(("hold" if i % 2 else "tune", lang, "none", fill(rng, text)))
    for row in rows:
        assert "\t" not in row[3] and "\n" not in row[3], row
        sys.stdout.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
