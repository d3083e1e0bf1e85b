"""What plain rankings would give in the place of recalld's, for quality --never-worse: BM25 over the words as
they stand (k1 1.2, b 0.75; overlapping pairs in scripts without spaces), and the cosine of an embedding
model's vectors. Each takes its best turns, as many as fit into the characters that recalld gave for the same
question: what differs is the order alone."""

import json
import math
import re
import urllib.request
from collections import Counter
from datetime import datetime

K1, B = 1.2, 0.75
AT_ONCE = 64
UNSPACED = "\u0e00-\u0eff\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff"


def words(text):
    found = []
    for run in re.findall(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+", text.casefold()):
        unspaced = re.match(rf"[{UNSPACED}]", run) and len(run) > 1
        found += [run[i : i + 2] for i in range(len(run) - 1)] if unspaced else [run]
    return found


class Bm25:
    def __init__(self, texts):
        self.counts = [Counter(words(text)) for text in texts]
        self.sizes = [sum(counts.values()) for counts in self.counts]
        self.mean = sum(self.sizes) / len(self.sizes)
        self.holders = Counter(word for counts in self.counts for word in counts)

    def weight(self, word):
        holders = self.holders[word]
        return math.log(1 + (len(self.counts) - holders + 0.5) / (holders + 0.5))

    def scores(self, question):
        wanted = [(word, self.weight(word)) for word in set(words(question)) if word in self.holders]
        for counts, size in zip(self.counts, self.sizes):
            norm = K1 * (1 - B + B * size / self.mean)
            yield sum(weight * counts[word] * (K1 + 1) / (counts[word] + norm) for word, weight in wanted)


class Cosine:
    """Vectors have the length 1."""

    def __init__(self, texts, base_url):
        self.base_url = base_url
        self.vectors = [v for i in range(0, len(texts), AT_ONCE) for v in self.embed(texts[i : i + AT_ONCE])]

    def embed(self, texts):
        request = urllib.request.Request(
            self.base_url + "/embeddings",
            json.dumps({"model": "any", "input": texts}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=600) as reply:
            return [entry["embedding"] for entry in json.load(reply)["data"]]

    def scores(self, question):
        wanted = self.embed([question])[0]
        return [sum(a * b for a, b in zip(wanted, vector)) for vector in self.vectors]


def best_within(texts, scores, room):
    """The texts with the highest scores above 0, as many as fit."""
    taken = []
    for score, text in sorted(zip(scores, texts), key=lambda pair: -pair[0]):
        if score > 0 and len(text) <= room:
            taken.append(text)
            room -= len(text)
    return " ".join(taken)


# ---- LoCoMo, in the form of dialogue_set.py ----


def locomo_turn(turn, number):
    picture = f" [shared {turn['blip_caption']}]" if turn.get("blip_caption") else ""
    return {"id": turn["dia_id"], "role": "assistant" if number % 2 else "user", "text": f"{turn['speaker']}: {turn['text']}{picture}"}


def locomo_people(path):
    """(language, person) of each conversation; the questions of categories 1 to 4 with known evidence."""
    for conversation in json.loads(open(path, encoding="utf-8").read()):
        talk, sessions = conversation["conversation"], []
        for number in range(1, 100):
            if f"session_{number}" not in talk:
                continue
            at = datetime.strptime(talk[f"session_{number}_date_time"].strip(), "%I:%M %p on %d %B, %Y")
            turns = [locomo_turn(t, int(t["speaker"] != talk["speaker_a"])) for t in talk[f"session_{number}"]]
            sessions.append({"at": at.isoformat() + "+00:00", "turns": turns})
        known = {turn["id"] for session in sessions for turn in session["turns"]}
        questions = []
        for asked in conversation["qa"]:
            evidence = [i for i in dict.fromkeys(asked.get("evidence", [])) if i in known]
            if evidence and asked["category"] != 5:
                questions.append({"kind": "locomo", "ask": asked["question"], "evidence": evidence, "answer": ["?"]})
        yield "en", {"name": conversation["sample_id"], "sessions": sessions, "questions": questions}

