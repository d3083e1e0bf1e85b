"""A scripted memory model: answers what the daemon's learner asks from recorded answers, each
found by the user's turn that it belongs to, and fails first where a test wants it to."""

import json
import re

from .upstream import Upstream, completion, json_reply


def fact(key, value, quote=None, confidence=0.95, **more):
    """One entry of an answer (CONTRACT section 4)."""
    entry = {"key": key, "value": value, "confidence": confidence}
    if quote is not None:
        entry["quote"] = quote
    return entry | more


def plain(text):
    return re.sub(r"\s+", " ", text).strip()


def one_server(memory_model, **model):
    """It answers the chats too: a client's key goes to no server but the one that it is for."""
    section = {"base_url": memory_model.base_url, "name": "memory-model", "api_key": ""}
    return {"upstream": {"base_url": memory_model.base_url}, "model": section | model}


def asks_to_learn(request):
    return request.json["model"] == "memory-model"


class Call:
    def __init__(self, request):
        self.request = request
        self.body = request.json
        texts = [m["content"] for m in self.body["messages"] if isinstance(m["content"], str)]
        self.prompt = plain("\n".join(texts))
        self.asked = plain(texts[-1]) if texts else ""
        self.wants_facts = "response_format" in self.body or '"entities"' in self.prompt
        self.authorization = request.field("Authorization")

    def holds(self, text):
        return plain(text) in self.prompt


class MemoryModel(Upstream):
    """`answers` maps a user's turn to what is extracted from it: a list of fact(), or a str for
    an answer in just these bytes. Another turn teaches `otherwise`. Summaries quote the turns
    they are given, unless `summary` is set."""

    def __init__(self):
        self.clear()
        super().__init__(self._answer)

    def clear(self):
        self.answers = {}
        self.otherwise = []  # what a turn that is not in `answers` teaches
        self.summary = None
        self.failures = []  # (the turn that is to fail, reply), given before anything else
        self.refuse = None  # function of the call's body: a Reply to refuse it with, or None

    def reset(self):
        super().reset()
        self.clear()
        self.answer = self._answer

    def fail(self, turn, *replies):
        """The first calls about this turn get these replies."""
        self.failures.extend((turn, reply) for reply in replies)

    def calls(self):
        with self._changed:
            return [Call(r) for r in self.requests]

    def fact_calls(self, text=None):
        return [c for c in self.calls() if c.wants_facts and (text is None or c.holds(text))]

    def summary_calls(self, text=None):
        return [c for c in self.calls() if not c.wants_facts and (text is None or c.holds(text))]

    def _failure(self, call):
        for i, (turn, _) in enumerate(self.failures):
            if call.wants_facts and call.holds(turn):
                return self.failures.pop(i)[1]
        return None

    def _answer(self, request):
        call = Call(request)
        failure = self._failure(call) or (self.refuse(call.body) if self.refuse else None)
        if failure:
            return failure
        text = self._facts(call) if call.wants_facts else self._summary(call)
        return json_reply(completion(text))

    def _facts(self, call):
        """The turns before are in the prompt too: the answer is that of the turn that stands last in it, or
        of each that is new."""
        if "=== New user turn 1 of " in call.asked:
            return self._several(call)
        found = {turn: call.asked.rfind(plain(turn)) for turn in self.answers}
        known = [turn for turn, at in found.items() if at >= 0]
        newest = max(known, key=lambda turn: (found[turn], len(turn)), default=None)
        answer = self.otherwise if newest is None else self.answers[newest]
        return answer if isinstance(answer, str) else json.dumps({"entities": answer})

    def _several(self, call):
        entries = []
        for part in call.asked.split("=== New user turn ")[1:]:
            said = part.split("--- The answer to it")[0]
            found = max((turn for turn in self.answers if plain(turn) in said), key=len, default=None)
            answer = self.otherwise if found is None else self.answers[found]
            if isinstance(answer, str):
                return answer
            entries += answer
        return json.dumps({"entities": entries})

    def _summary(self, call):
        """With the names that it is asked to keep."""
        names = call.body["messages"][0]["content"].partition("the new one names them too: ")[2]
        return self.summary or f"The user said before: {call.asked[-600:]} {names}".strip()
