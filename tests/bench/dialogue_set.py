"""The dialogues of dialogues/LANGUAGE.json: what people said to an assistant over months, and questions
with the turns that answer them. Written by hand for this bench; all people in it are invented.

    language   ISO 639-1
    people     [{name, part, asked_at, sessions, questions}]; each has a memory of their own
    part       "choose": for choosing weights and thresholds; "report": for figures that are quoted
    sessions   [{at, turns: [{id, role, text}]}]; the turns of one alternate, the user's first, and an
               id is SESSION.TURN, both counted from 1
    questions  [{kind, ask, evidence, answer, before?, outdated?}]: the turns that answer it, the
               content words of the answer as they stand there, the turns of the talk before it, and
               the turns that once would have answered it and no longer hold

The kinds: `direct` shares words with its evidence, `vocabulary` hardly any, `multi` needs several turns,
`temporal` asks when or names a date, `followup` is understood only with the talk before it, `switch`
changes the topic of the talk, `correction` asks for what has changed, `namesake` is about one of two
people of one name, and nothing that was ever said bears on `nothing`.

Run as a program it checks the set, in TAP."""

import json
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).with_name("dialogues")
KINDS = ("direct", "vocabulary", "multi", "temporal", "followup", "switch", "correction", "namesake", "nothing")
PARTS = ("choose", "report")
PAUSE = timedelta(minutes=1)  # between the turns of a session


def read_set():
    """{language: [person]}"""
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json")))
    return {dialogues["language"]: dialogues["people"] for dialogues in found}


def people_of(dialogues, part):
    """(language, person) of those in the part, or in all with None."""
    return [(l, p) for l, people in dialogues.items() for p in people if part in (None, p["part"])]


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def dated_turns(person):
    """(session number, turn's place in it, when, turn)"""
    for number, session in enumerate(person["sessions"], 1):
        for place, turn in enumerate(session["turns"]):
            yield number, place, instant(session["at"]) + place * PAUSE, turn


def texts(person):
    return {turn["id"]: turn["text"] for *_, turn in dated_turns(person)}


# ---- for an evaluator without a daemon ----


def milliseconds(when):
    return int(when.timestamp() * 1000)


def one_line(text):
    return " ".join(text.split())


def tsv_lines(language, person):
    """A memory as `C name` and `T id conversation ordinal ms u|a text`, then its questions as
    `Q now_ms kind evidence,... text earlier-user-turn...`, the newest first; kinds count from 1."""
    yield "C", f"{language}-{person['name']}"
    for number, place, when, turn in dated_turns(person):
        yield "T", turn["id"], number, place // 2, milliseconds(when), turn["role"][0], one_line(turn["text"])
    now = milliseconds(instant(person["asked_at"]))
    for question in person["questions"]:
        earlier = [one_line(t["text"]) for t in reversed(question.get("before", [])) if t["role"] == "user"]
        evidence = ",".join(question["evidence"]) or "none"
        yield "Q", now, KINDS.index(question["kind"]) + 1, evidence, one_line(question["ask"]), *earlier


def write_tsv(path, dialogues, part):
    with open(path, "w", encoding="utf-8") as file:
        for language, person in people_of(dialogues, part):
            for fields in tsv_lines(language, person):
                print(*fields, sep="\t", file=file)


# ---- what must hold of it ----


def faults_of_question(question, known):
    if question["kind"] not in KINDS:
        yield f"no kind {question['kind']}"
    if bool(question["evidence"]) == (question["kind"] == "nothing"):
        yield "evidence belongs to all kinds but nothing"
    if missing := [i for i in question["evidence"] + question.get("outdated", []) if i not in known]:
        yield f"no turns {missing}"
        return
    if question["kind"] == "multi" and len(question["evidence"]) < 2:
        yield "one turn answers it"
    if (question["kind"] == "correction") != ("outdated" in question):
        yield "a correction, and nothing else, has outdated turns"
    if question["kind"] in ("followup", "switch") and not question.get("before"):
        yield "no talk before it"
    evidence = " ".join(known[i] for i in question["evidence"]).casefold()
    for words in question["answer"]:
        if words.casefold() not in evidence:
            yield f"{words!r} is not in the evidence"


def faults_of_person(person):
    if person["part"] not in PARTS:
        yield f"no part {person['part']}"
    dates = [when for *_, when, _ in dated_turns(person)]
    if dates != sorted(dates) or dates[-1] > instant(person["asked_at"]):
        yield "its dates are not in order"
    for number, place, _, turn in dated_turns(person):
        if turn["id"] != f"{number}.{place + 1}" or turn["role"] != ("assistant" if place % 2 else "user"):
            yield f"turn {turn['id']} has the wrong id or role"
    for question in person["questions"]:
        yield from (f"{question['ask']}: {fault}" for fault in faults_of_question(question, texts(person)))


def faults_of_language(people):
    if {person["part"] for person in people} != set(PARTS):
        yield "not both parts have people"
    if sum(q["kind"] != "nothing" for p in people for q in p["questions"]) < 25:
        yield "fewer than 25 questions"
    for person in people:
        yield from (f"{person['name']}: {fault}" for fault in faults_of_person(person))


def main():
    dialogues = read_set()
    print(f"1..{len(dialogues)}")
    for number, (language, people) in enumerate(dialogues.items(), 1):
        faults = list(faults_of_language(people))
        print(f"{'not ' if faults else ''}ok {number} - the dialogues of {language} are well made")
        for fault in faults:
            print(f"# {fault}")


if __name__ == "__main__":
    main()
