"""People who use chat applications at random: they go on, edit, regenerate, flip between answers, go
back to a branch that they left, stop a reply, ask again, switch memory off for a turn, and ask to forget.
By the admin address they also forget a fact, a turn, a conversation or a word, correct a fact, and take in
an export of now or of before an erasure. Everything that is said has a tag of its own, so that an oracle (harness/oracle.py) finds it again:

    ta7         what person a said as the seventh thing
    ra7v2       the second answer to it
    va7         the value of the fact in it
    sa7         that a summary tells of it
"""

import http.client
import json
import random

from .clock import until
from .memory_model import Call, fact
from .oracle import SAID, TOLD, Conversation, Exchange, Oracle, Pair
from .upstream import completion, json_reply, sse_reply, text_events

TOPICS = ["boat", "bread", "piano", "garden", "novel", "train"]
PLACES = ["harbour", "bakery", "school", "market", "lighthouse", "station", "castle", "bridge"]
KEYS = ["city", "pet", "car"]
FULL, WINDOW, NEWEST, LOOSE = "full", "window", "newest", "loose"
WINDOW_PAIRS = 3
MOST_CONVERSATIONS, MOST_PAIRS = 4, 9
LATE_COMMITS = 'recalld_bypassed_total{cause="commit"}'


class Line:
    """One connection to the daemon, which is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None, headers=None):
        fields = {"Content-Type": "application/json"} | (headers or {})
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), fields)
            reply = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self.connection.close()
            self.connection.request(method, path, None if body is None else json.dumps(body), fields)
            reply = self.connection.getresponse()
        try:
            return reply, reply.read()
        except http.client.IncompleteRead as cut:
            self.connection.close()
            return reply, cut.partial


class Wanderer:
    """One person; `chance` decides."""

    def __init__(self, daemon, upstream, memory_model, chance, name, letter, learns):
        self.daemon, self.upstream, self.memory_model, self.chance = daemon, upstream, memory_model, chance
        self.name, self.letter = name, letter
        self.line, self.admin = Line(daemon.port), Line(daemon.admin_port)
        self.oracle = Oracle(letter, learns)
        self.said = self.begun = 0
        self.log = []
        self.exports = []
        self.late = daemon.metric(LATE_COMMITS)

    # ---- what is said ----

    def next_tag(self):
        self.said += 1
        return f"t{self.letter}{self.said}"

    def is_at_an_end(self, conversation):
        """A client goes on only from a place that memory can tell; what it says after turns that were
        deleted has none."""
        pairs = conversation.pairs
        if conversation.manner == NEWEST or not pairs or pairs[0] is None:
            return False
        shown = pairs[-WINDOW_PAIRS:] if conversation.manner == WINDOW else pairs
        return not any(p.is_known() for p in shown) and any(p.exchange.gone for p in pairs)

    def new_exchange(self, like=None):
        tag, chance = self.next_tag(), self.chance
        topic = like.topic if like else chance.choice(TOPICS)
        text = f"Note {tag}: I spent some time with the old {topic} near the {chance.choice(PLACES)} of our town today."
        told = None
        if chance.random() < 0.4:
            told = (chance.choice(KEYS), f"v{tag[1:]}")
            text += f" My {told[0]} is {told[1]}."
            quote = f"My {told[0]} is {told[1]}"
            self.memory_model.answers[text] = [fact(told[0], told[1], quote)]
        return Exchange(tag, text, topic, told)

    def forgetting(self, key, value):
        tag = self.next_tag()
        text = f"Note {tag}: please forget that my {key} is {value}."
        entry = fact(key, value, f"please forget that my {key} is {value}", forget=True)
        self.memory_model.answers[text] = [entry]
        return Exchange(tag, text, "forgetting", None, forgets=value)

    # ---- one request ----

    def send(self, conversation, pairs, exchange, mode=None, breaks=False):
        """The request and its reply, held against the oracle. Gives the pair that it makes."""
        history = pairs
        if conversation.manner == NEWEST:
            history = []
        elif conversation.manner == WINDOW:
            history = pairs[-WINDOW_PAIRS:]
        messages = []
        for pair in history:
            messages.append({"role": "user", "content": pair.exchange.text})
            if pair.answer is not None:
                messages.append({"role": "assistant", "content": pair.answer})
        messages.append({"role": "user", "content": exchange.text})
        version = len(exchange.versions) + 1
        answer_tag = f"r{exchange.tag[1:]}v{version}"
        answer = f"Well, {answer_tag} is what there is to say about the {exchange.topic}, and it is not little."
        exchange.versions.append(answer_tag)
        streams = breaks or self.chance.random() < 0.5
        partial = self.script(answer, streams, breaks)
        body = {"model": "test-model", "messages": messages} | ({"stream": True} if streams else {})
        headers = {"X-User-Id": self.name, "Authorization": "Bearer k"}
        if conversation.manner != LOOSE:
            headers["X-Session-Id"] = conversation.session
        if mode is not None:
            headers["X-Memory-Mode"] = mode
        before = len(self.upstream.chats())
        reply, came = self.line.ask("POST", "/v1/chat/completions", body, headers)
        assert reply.status == 200, came
        assert reply.getheader("X-Memory-Status") != "bypassed"
        requests = self.upstream.chats()
        assert len(requests) == before + 1
        pair = Pair(exchange, partial if breaks else answer, answer_tag, complete=not breaks)
        self.oracle.asked(conversation, pairs, pair, mode)
        self.oracle.check_request(conversation, messages, pair, mode, requests[-1])
        if mode is None and not breaks:
            receipt = reply.getheader("X-Memory-Receipt")
            text = self.receipt(receipt)
            if text is not None:  # a busy disk has not kept it yet
                self.oracle.receipts[receipt] = text
        self.oracle.learned(conversation, exchange, mode)
        if breaks and mode is None:
            self.wait_for(answer_tag)
        return pair

    def script(self, answer, streams, breaks):
        if not streams:
            self.upstream.script(json_reply(completion(answer)))
            return None
        events = text_events(answer)
        if not breaks:
            self.upstream.script(sse_reply(events))
            return None
        kept = self.chance.randrange(5, len(events) - 3)
        self.upstream.script(sse_reply(events, break_after=kept))
        return "".join(json.loads(e[6:])["choices"][0]["delta"]["content"] for e in events[:kept])

    def wait_for(self, tag):
        """A reply that broke off is journalled when the daemon sees it, which nobody waits for."""
        until(lambda: tag in json.dumps(self.memory()), f"{tag} was not kept", 60)

    def memory(self):
        reply, body = self.admin.ask("GET", f"/v1/users/{self.name}/memory")
        return json.loads(body) if reply.status == 200 else None

    def receipt(self, receipt):
        reply, body = self.admin.ask("GET", f"/v1/receipts/{receipt}")
        assert reply.status in (200, 404), body
        return body.decode() if reply.status == 200 else None

    def settle(self):
        memory = self.memory()
        while memory is not None and memory["pending"] > 0:
            self.daemon.check_alive()
            memory = self.memory()
        return memory

    def check_memory(self):
        """What is kept, against the oracle. A reply waits for its commit two seconds at most: where a busy disk
        took longer, which the daemon counts, the exchange comes later."""
        try:
            self.oracle.check_memory(self.settle())
        except AssertionError:
            late = self.daemon.metric(LATE_COMMITS)
            if late == self.late:
                raise
            self.late = late
            until(self.agrees, lambda: self.oracle.check_memory(self.settle()), 60)

    def agrees(self):
        try:
            self.oracle.check_memory(self.settle())
        except AssertionError:
            return False
        return True

    # ---- what people do ----

    def step(self):
        conversations = self.oracle.conversations
        if not conversations or (len(conversations) < MOST_CONVERSATIONS and self.chance.random() < 0.12):
            self.begin()
        else:
            conversation = self.chance.choice(conversations)
            if self.is_at_an_end(conversation):
                self.close(conversation)
            names = self.possible(conversation)
            name = self.chance.choices([n for n, _ in names], [w for _, w in names])[0]
            self.log.append(f"{name} in {conversation.session} ({conversation.manner})")
            getattr(self, name)(conversation)
        self.check_memory()
        self.oracle.check_receipts(self.receipt)

    def possible(self, conversation):
        ways, pairs = [], conversation.pairs
        if len(pairs) < MOST_PAIRS:
            ways += [("go_on", 10), ("go_on_without_memory", 2), ("stop_and_go_on", 1)]
            if self.oracle.values:
                ways += [("forget", 3)]
            ways += [("stop_and_ask_again", 1)]
        if conversation.standing:
            ways += [("delete_turn", 0.5), ("delete_word", 0.5), ("take_in", 0.5)]
        if self.oracle.values:
            ways += [("delete_fact", 0.5), ("correct", 1)]
        if len(self.oracle.conversations) > 1 and conversation.manner != LOOSE:
            ways += [("delete_conversation", 0.2)]
        if conversation.manner in (FULL, WINDOW) and None not in pairs:
            if len(pairs) > 1:
                ways += [("edit", 3), ("regenerate", 3), ("edit_an_answer", 1)]
            if conversation.left:
                ways += [("go_back", 4)]
        return ways or [("close", 1)]

    def close(self, conversation):
        """Its end: nobody goes on with it."""
        conversation.pairs = [None] * MOST_PAIRS

    def begin(self):
        manner = self.chance.choices([FULL, WINDOW, NEWEST, LOOSE], [6, 2, 2, 2])[0]
        self.begun += 1
        conversation = Conversation(f"{self.letter}-{self.begun}", manner)
        self.log.append(f"begin {conversation.session} ({manner})")
        self.oracle.conversations.append(conversation)
        self.go_on(conversation)

    def add(self, conversation, pairs, exchange, **how):
        pair = self.send(conversation, pairs, exchange, **how)
        self.log[-1] += f": {exchange.tag} after {[p.answer_tag for p in pairs]}"
        conversation.pairs = [*pairs, pair]
        return pair

    def go_on(self, conversation):
        self.add(conversation, conversation.pairs, self.new_exchange())

    def go_on_without_memory(self, conversation):
        if not conversation.pairs:
            return self.go_on(conversation)
        mode = self.chance.choice(["off", "readonly"])
        self.add(conversation, conversation.pairs, self.new_exchange(), mode=mode)

    def forget(self, conversation):
        key, value = self.chance.choice(list(self.oracle.values.items()))
        self.add(conversation, conversation.pairs, self.forgetting(key, value))

    def stop_and_go_on(self, conversation):
        """What came of the answer stays in the history."""
        self.add(conversation, conversation.pairs, self.new_exchange(), breaks=True)

    def stop_and_ask_again(self, conversation):
        exchange, pairs = self.new_exchange(), conversation.pairs
        self.send(conversation, pairs, exchange, breaks=True)
        self.check_memory()
        self.add(conversation, pairs, exchange)

    # ---- by the admin address ----

    def ask(self, method, path, body=None, expected=(200,)):
        reply, answer = self.admin.ask(method, f"/v1/users/{self.name}{path}", body)
        assert reply.status in expected, f"{method} {path} {body}: {reply.status} {answer}"
        return json.loads(answer)

    def delete(self, exchanges, method, path, body=None):
        """Deletes what just these said, with their answers."""
        report = self.ask(method, path, body)
        self.log[-1] += f": {path} {body or ''} {[e.tag for e in exchanges]}"
        self.oracle.deleted(exchanges)
        return report

    def facts(self):
        return {f["key"]: f for f in self.memory()["facts"]}

    def delete_fact(self, conversation):
        """With its older values, and the turns that say any of them; a trial says just which."""
        chosen = self.chance.choice(sorted(self.facts().items()))[1]
        path = f"/facts/{chosen['id']}"
        shown = self.ask("DELETE", f"{path}?dry_run=1")["turns"]
        exchanges = [self.oracle.exchange(tag) for tag in dict.fromkeys(SAID.findall(json.dumps(shown)))]
        self.oracle.check_deletion(chosen["key"], chosen["value"], exchanges)
        self.delete(exchanges, "DELETE", path)
        self.oracle.fact_erased(chosen["key"], chosen["value"])

    def delete_turn(self, conversation):
        said = [m for m in self.memory()["messages"] if m["role"] == "user"]
        if not said:
            return self.go_on(conversation) if len(conversation.pairs) < MOST_PAIRS else None
        chosen = self.chance.choice(said)
        tag = SAID.search(chosen["content"])[0]
        self.delete([self.oracle.exchange(tag)], "DELETE", f"/turns/{chosen['id']}")

    def delete_word(self, conversation):
        tags = sorted(e.tag for e in conversation.standing if not e.hidden)
        if not tags:
            return
        tag = self.chance.choice(tags)
        self.delete([self.oracle.exchange(tag)], "POST", "/forget", {"about": tag, "dry_run": False})

    def delete_conversation(self, conversation):
        if not any(not e.hidden for e in conversation.standing):
            return
        self.delete(self.oracle.said_in(conversation), "DELETE", f"/conversations?session={conversation.session}")
        self.oracle.conversations.remove(conversation)

    def correct(self, conversation):
        chosen = self.chance.choice(sorted(self.facts().items()))[1]
        value = f"v{self.next_tag()[1:]}"
        self.ask("PATCH", f"/facts/{chosen['id']}", {"value": value})
        self.log[-1] += f": {chosen['key']} {chosen['value']} to {value}"
        self.oracle.corrected(chosen["key"], chosen["value"], value)

    def take_in(self, conversation):
        """An export of now, or of before: what stands is there, and what was erased stays away."""
        self.exports.append(self.ask("GET", "/export"))
        chosen = self.chance.choice(self.exports)
        self.log[-1] += f": export {self.exports.index(chosen)} of {len(self.exports)}"
        self.ask("POST", "/import", chosen, expected=(200, 202))

    # ---- places in the history ----

    def places(self, conversation):
        """Where a client may fork so that the daemon can tell: the history up to there has an answer
        that memory knows, or it is the first turn of a conversation whose history it has seen."""
        pairs = conversation.pairs
        found = []
        for at in range(len(pairs)):
            shown = pairs[:at]
            if conversation.manner == WINDOW and at > 0:
                shown = shown[-WINDOW_PAIRS:]
                if at < len(pairs) - WINDOW_PAIRS:
                    continue
            known = any(p.is_known() for p in shown)
            if known or (at == 0 and conversation.carried and pairs[0].exchange.is_there()):
                found.append(at)
        return found

    def leave(self, conversation):
        conversation.left.append(conversation.pairs)
        del conversation.left[:-4]

    def edit(self, conversation):
        places = self.places(conversation)
        if not places:
            return self.go_on(conversation)
        at = self.chance.choice(places)
        self.leave(conversation)
        self.add(conversation, conversation.pairs[:at], self.new_exchange(conversation.pairs[at].exchange))

    def regenerate(self, conversation):
        places = [at for at in self.places(conversation) if conversation.pairs[at].exchange.may_be_asked_again()]
        if not places:
            return self.go_on(conversation)
        at = self.chance.choice(places)
        self.leave(conversation)
        self.add(conversation, conversation.pairs[:at], conversation.pairs[at].exchange)

    def edit_an_answer(self, conversation):
        """The client changes the text of the last answer in its history, and goes on."""
        pairs = list(conversation.pairs)
        if not any(p.is_known() for p in pairs[:-1][-(WINDOW_PAIRS - 1):]):
            return self.go_on(conversation)
        pairs[-1] = pairs[-1].edited("This is how I would have put it.")
        self.add(conversation, pairs, self.new_exchange())

    def go_back(self, conversation):
        """To a branch that was left, of which one answer at least is known."""
        at = self.chance.randrange(len(conversation.left))
        pairs = conversation.left[at]
        shown = pairs[-WINDOW_PAIRS:] if conversation.manner == WINDOW else pairs
        if len(pairs) >= MOST_PAIRS or not any(p.is_known() for p in shown):
            return self.go_on(conversation)
        if conversation.manner == WINDOW and len(pairs) > WINDOW_PAIRS:
            return self.go_on(conversation)
        del conversation.left[at]
        self.leave(conversation)
        self.add(conversation, pairs, self.new_exchange())


def answer_as_memory_model(memory_model):
    """Facts as registered; a summary tells which turns it was made of."""

    def answer(request):
        call = Call(request)
        if call.wants_facts:
            return json_reply(completion(memory_model._facts(call)))
        told = dict.fromkeys(TOLD.findall(call.asked) + ["s" + tag[1:] for tag in SAID.findall(call.asked)])
        return json_reply(completion("They spoke of " + ", ".join(told) + "."))

    memory_model.answer = answer


def wander(daemon, upstream, memory_model, seed, operations, learns=True, life=50, at_end=None):
    """So many operations of people who each live for `life` of them."""
    chance = random.Random(seed)
    answer_as_memory_model(memory_model)
    done = 0
    while done < operations and not (at_end and at_end()):
        people = [
            Wanderer(daemon, upstream, memory_model, chance, f"w-{seed}-{done}-{letter}", letter, learns)
            for letter in "ab"
        ]
        for _ in range(life):
            person = chance.choice(people)
            try:
                person.step()
            except AssertionError as fault:
                steps = "\n  ".join(person.log)
                raise AssertionError(f"seed {seed}, after {done} operations, {person.name}:\n  {steps}\n{fault}") from fault
            done += 1
        upstream.requests.clear()
        memory_model.requests.clear()
        memory_model.answers.clear()
    return done
