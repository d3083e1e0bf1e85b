"""What must hold of a person's memory after each thing that a wanderer does (harness/wanderer.py)."""

import json
import re
from dataclasses import dataclass, field, replace

from .wire import common_prefix

SAID = re.compile(r"\bt[a-z]\d+\b")
ANSWER = re.compile(r"\br[a-z]\d+v\d+\b")
VALUE = re.compile(r"\bv[a-z]\d+\b")
TOLD = re.compile(r"\bs[a-z]\d+\b")  # by a summary
FACT = re.compile(r"^- .*$", re.M)
ANY = re.compile(r"\b(?:[tsv]([a-z])\d+|r([a-z])\d+v\d+)\b")


@dataclass(eq=False)
class Exchange:
    tag: str
    text: str
    topic: str
    fact: tuple  # (key, value), or None
    forgets: str = None  # a value
    stored: bool = False
    order: int = 0  # when it was said first
    hidden: bool = False  # forgotten, or a request to forget
    gone: bool = False  # deleted: not even its place is known
    current: str = None  # the tag of the answer that stands
    versions: list = field(default_factory=list)

    def may_be_asked_again(self):
        return not self.hidden and self.stored

    def is_there(self):
        return self.stored and not self.gone


@dataclass(frozen=True)
class Pair:
    """A turn and its answer as the client has it."""

    exchange: Exchange
    answer: str
    answer_tag: str  # None: the client wrote it
    complete: bool = True

    def is_genuine(self):
        return self.answer_tag is not None

    def is_known(self):
        """Whether memory can tell by it where in the conversation a request stands."""
        return self.exchange.is_there() and self.is_genuine()

    def edited(self, answer):
        return replace(self, answer=answer, answer_tag=None)


@dataclass(eq=False)
class Conversation:
    session: str
    manner: str
    pairs: list = field(default_factory=list)  # as the client has it
    left: list = field(default_factory=list)  # branches
    standing: list = field(default_factory=list)  # exchanges that memory has
    carried: bool = False  # a request carried history
    prompt: bytes = None  # of the last request that memory took part in
    shown: tuple = ()  # its messages as the client sent them
    given: set = field(default_factory=set)  # numbers of the turns that it was given
    given_facts: set = field(default_factory=set)  # their values
    changed: set = field(default_factory=set)  # numbers of the turns that changed since


def number(tag):
    return int(re.search(r"\d+", tag)[0])


class Oracle:
    def __init__(self, letter, learns):
        self.letter, self.learns = letter, learns  # facts
        self.conversations = []
        self.clock = 0
        self.values = {}  # of facts, as they stood after the last step
        self.forgotten = {}  # key: when its newest forgotten value was said
        self.pinned = {}  # key: the value to which a person corrected it
        self.corrections = []  # (key, value) that a person gave
        self.outdated = set()  # values that a person corrected away
        self.erased = set()  # numbers of what was erased
        self.may_be_erased = set()  # of older values of a fact that was erased: just those that it superseded went
        self.receipts = {}  # id: its text when it was new

    def standing(self):
        return [e for c in self.conversations for e in c.standing if not e.hidden]

    def facts(self):
        """{key: the exchange of the newest that stands}."""
        newest = {}
        for exchange in sorted(self.standing(), key=lambda e: e.order):
            if exchange.fact and self.learns:
                newest[exchange.fact[0]] = exchange
        return newest

    # ---- what a request changes ----

    def asked(self, conversation, pairs, pair, mode):
        before = self.picture()
        exchange = pair.exchange
        conversation.expected = None
        if mode is not None:
            conversation.expected = (self.path(pairs), self.shown_answers(pairs))
            return
        self.clock += 1
        if not exchange.stored:
            exchange.stored, exchange.order = True, self.clock
        follows = conversation.manner in ("full", "window")
        first_edited = follows and not pairs and not conversation.carried
        if not follows or first_edited:
            if exchange not in conversation.standing:
                conversation.standing.append(exchange)
        else:
            for earlier in pairs:
                if earlier.exchange.stored and earlier.is_genuine():
                    earlier.exchange.current = earlier.answer_tag
            conversation.standing = [*self.path(pairs), exchange]
        conversation.carried |= bool(pairs) and follows
        exchange.current = pair.answer_tag
        self.note_changes(before)

    def learned(self, conversation, exchange, mode):
        """What the turn asks to forget goes once it is learned from. Other conversations, which were given
        nothing of it, keep their prefix."""
        if exchange.forgets and mode is None:
            before = self.picture()
            self.forget(exchange)
            self.note_changes(before)
            conversation.prompt = None

    # ---- what a person changes by the admin address ----

    def everything(self):
        """All exchanges that the person knows of."""
        return dict.fromkeys(e for c in self.conversations for e in self.said_in(c))

    @staticmethod
    def said_in(conversation):
        branches = [conversation.pairs, *conversation.left]
        known = [p.exchange for pairs in branches for p in pairs if p is not None]
        return list(dict.fromkeys([*known, *conversation.standing]))

    def exchange(self, tag):
        return next(e for e in self.everything() if e.tag == tag)

    def who_said(self, value):
        return [e for e in self.everything() if e.fact and e.fact[1] == value]

    def check_deletion(self, key, value, exchanges):
        """A fact takes the turns that say it, or one of its older values, and no others."""
        for exchange in exchanges:
            assert exchange.fact and exchange.fact[0] == key, f"{key} is {value} would take {exchange.tag}"
        missing = [e.tag for e in self.who_said(value) if e.is_there() and not e.hidden and e not in exchanges]
        assert not missing, f"{key} is {value} would leave {missing}, which say it"

    def deleted(self, exchanges):
        before = self.picture()
        for exchange in exchanges:
            exchange.hidden = exchange.gone = True
            self.erased.add(number(exchange.tag))
            if exchange.fact and exchange.stored:
                key = exchange.fact[0]
                self.forgotten[key] = max(self.forgotten.get(key, 0), exchange.order)
        self.note_changes(before)

    def fact_erased(self, key, value):
        """What it had taken the place of, or was said beside it, may stand again or not."""
        self.erased.add(number(value))
        values = [e.fact for e in self.everything() if e.fact] + self.corrections
        self.may_be_erased |= {number(older) for its, older in values if its == key}
        if self.pinned.get(key) == value:
            del self.pinned[key]
        self.clock += 1
        self.forgotten[key] = self.clock

    def corrected(self, key, old, new):
        self.pinned[key] = new
        self.corrections.append((key, new))
        self.outdated.add(old)
        for conversation in self.conversations:
            conversation.changed.add(number(old))

    @staticmethod
    def path(pairs):
        return [p.exchange for p in pairs if p.exchange.stored]

    @staticmethod
    def shown_answers(pairs):
        return {p.exchange.tag: p.answer_tag for p in pairs if p.is_genuine()}

    def forget(self, request):
        request.hidden = True
        self.erased |= {number(request.tag), number(request.forgets)}
        for exchange in self.who_said(request.forgets):
            exchange.hidden = True
            key = exchange.fact[0]
            self.forgotten[key] = max(self.forgotten.get(key, 0), exchange.order)
        for key in [k for k, value in self.pinned.items() if value == request.forgets]:
            self.fact_erased(key, request.forgets)

    def picture(self):
        """What stands: turns, their answers and facts."""
        return {(e.tag, e.current) for e in self.standing()} | {(e.tag, "fact") for e in self.facts().values()}

    def note_changes(self, before):
        gone = {number(tag) for tag, _ in before - self.picture()}
        for conversation in self.conversations:
            conversation.changed |= gone

    # ---- what went upstream ----

    def check_request(self, conversation, messages, pair, mode, request):
        whole = " ".join(self.texts(request.messages))
        for mine, another in ANY.findall(whole):
            assert (mine or another) == self.letter, f"another person's words went up: {whole}"
        self.check_own_messages(messages, request.messages)
        if mode == "off":
            assert request.messages == messages, "memory took part although it was off"
            return
        self.check_once(whole)
        given = self.given(messages, request.messages)
        self.check_given(conversation, given, pair)
        self.check_marks(given)
        if mode is None:  # what a readonly request is given anew is not kept
            self.check_prefix(conversation, messages, request, given)

    @staticmethod
    def texts(messages):
        return [m["content"] if isinstance(m["content"], str) else json.dumps(m["content"]) for m in messages]

    @staticmethod
    def check_own_messages(sent, received):
        """Those that the client sent stand at the end, in their order, with something before their text at most."""
        last = received[len(received) - len(sent):]
        for mine, there in zip(sent, last):
            fits = mine["role"] == there["role"] and there["content"].endswith(mine["content"])
            assert fits, f"the client's own message was changed:\n{mine}\n{there}"
        roles = [m["role"] for m in received if m["role"] != "system"]
        before = roles[: len(roles) - len(sent)]
        assert before == ["user", "assistant"] * (len(before) // 2), f"roles do not alternate: {roles}"

    @staticmethod
    def check_once(whole):
        for pattern in (SAID, ANSWER):
            tags = pattern.findall(whole)
            twice = {tag for tag in tags if tags.count(tag) > 1}
            assert not twice, f"{twice} went up twice: {whole}"

    @staticmethod
    def given(sent, received):
        """What memory put in."""
        first = len(received) - len(sent)
        riders = [there["content"][: -len(mine["content"])] for mine, there in zip(sent, received[first:])]
        return " ".join([m["content"] for m in received[:first]] + riders)

    def check_given(self, conversation, given, pair):
        stands = {}
        for other in self.conversations:
            for exchange in other.standing:
                if not exchange.hidden:
                    stands[exchange.tag] = exchange.current
        if conversation.expected:  # readonly: as if it were journalled
            exchanges, answers = conversation.expected
            if conversation.manner in ("full", "window"):
                for exchange in conversation.standing:
                    if exchange not in exchanges:
                        stands.pop(exchange.tag, None)
                for exchange in exchanges:
                    if not exchange.hidden:
                        stands[exchange.tag] = answers.get(exchange.tag, exchange.current)
        stands[pair.exchange.tag] = pair.answer_tag
        for pattern, kind in ((SAID, "said"), (VALUE, "fact"), (TOLD, "summarized")):
            for tag in pattern.findall(given):
                if tag in self.pinned.values():
                    continue
                assert f"t{tag[1:]}" in stands, f"{tag} ({kind}) does not stand any more, and was given: {given}"
        for tag in ANSWER.findall(given):
            asked = f"t{tag[1:].split('v')[0]}"
            assert stands.get(asked) == tag, f"{tag} does not stand any more, and was given: {given}"
            assert asked != pair.exchange.tag, f"{tag} was given before the same question: {given}"

    def check_marks(self, given):
        """A turn that says a value which was corrected says so, wherever it is given."""
        for line in given.splitlines():
            for value in VALUE.findall(line):
                if value in self.outdated and SAID.search(line):
                    assert "until 20" in line, f"{value} was corrected, and the turn does not tell: {line}"

    def check_prefix(self, conversation, messages, request, given):
        """Where nothing that was given has changed, the next request begins with the last one."""
        shown = tuple(m["content"] for m in messages)
        begins = conversation.prompt is not None and shown[: len(conversation.shown)] == conversation.shown
        if begins and len(shown) > len(conversation.shown) and conversation.manner in ("full", "loose"):
            holds = all(value in self.values.values() for value in conversation.given_facts)
            if holds and not conversation.changed & conversation.given:
                before = conversation.prompt.rstrip(b"] \n")
                same = common_prefix(before, request.prompt)
                assert same == len(before), (
                    f"the prefix was lost at byte {same}, though nothing changed of {conversation.given}:\n"
                    f"{conversation.prompt}\n{request.prompt}"
                )
        conversation.prompt, conversation.shown = request.prompt, shown
        conversation.given = {number(tag) for tag in re.findall(r"\b[tsrv][a-z]\d+", given)}
        conversation.given_facts = set(VALUE.findall(" ".join(FACT.findall(given))))
        conversation.changed = set()

    # ---- what is kept ----

    def check_memory(self, memory):
        if memory is None:
            assert not self.standing(), "the person is not known"
            return
        said = [SAID.search(m["content"])[0] for m in memory["messages"] if m["role"] == "user"]
        answers = [ANSWER.search(m["content"])[0] for m in memory["messages"] if m["role"] == "assistant"]
        expected = {e.tag: e.current for e in self.standing()}
        assert len(said) == len(set(said)), f"kept twice: {said}"
        assert set(said) == set(expected), (
            f"stand, and should not: {sorted(set(said) - set(expected))}; "
            f"should stand, and do not: {sorted(set(expected) - set(said))}"
        )
        assert sorted(answers) == sorted(expected.values()), (
            f"answers that stand: {sorted(answers)}, that should: {sorted(expected.values())}"
        )
        kept = {}
        for fact in memory["facts"]:
            assert fact["key"] not in kept, f"two values of {fact['key']}: {memory['facts']}"
            kept[fact["key"]] = fact["value"]
        values = self.expected_values(kept)
        assert kept == values, f"facts: {kept}, should be: {values}"
        summary = memory["summary"]["text"] if memory["summary"] else ""
        for tag in TOLD.findall(summary):
            assert f"t{tag[1:]}" in expected, f"the summary tells of {tag}, which stands no more: {summary}"
        self.note_facts(values)

    def expected_values(self, kept):
        """What a forgotten value had taken the place of need not stand again, but may."""
        values = {key: e.fact[1] for key, e in self.facts().items()} | self.pinned
        for key, exchange in self.facts().items():
            if key not in self.pinned and exchange.order < self.forgotten.get(key, 0):
                values.pop(key)
                standing = [e.fact[1] for e in self.standing() if e.fact and e.fact[0] == key]
                if kept.get(key) in standing:
                    values[key] = kept[key]
        return values

    def check_receipts(self, read):
        """Of an erasure's receipts those go that hold what goes, and no others."""
        for receipt, text in list(self.receipts.items()):
            now = read(receipt)
            tags = {number(tag) for tag in re.findall(r"\b[tsrv][a-z]\d+", text or "")}
            if not tags & (self.erased | self.may_be_erased):
                assert now is not None, f"the receipt {receipt} is gone, which held nothing that was erased: {text}"
            for tag in re.findall(r"\b[tsrv][a-z]\d+", now or ""):
                assert number(tag) not in self.erased, f"the receipt {receipt} still tells of {tag}: {now}"
            if now is None:
                del self.receipts[receipt]

    def note_facts(self, values):
        """What is learned meanwhile takes the place of facts in other conversations' blocks."""
        gone = {number(value) for key, value in self.values.items() if values.get(key) != value}
        for conversation in self.conversations:
            conversation.changed |= gone
        self.values = values
