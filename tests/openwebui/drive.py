"""The steps of tests/openwebui/run. What holds is read from what a scripted upstream and memory model
were sent, from recalld's admin address, and from the page."""

import json
import re
import sys
import threading
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

from browser import Application, Page, until  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.memory_model import MemoryModel, fact  # noqa: E402
from harness.upstream import Upstream, completion, json_reply, sse_reply, text_events  # noqa: E402

MODELS = [{"id": name, "object": "model", "created": 1, "owned_by": "test"} for name in ("alpha", "beta")]
FORWARDED = ("X-OpenWebUI-User-Name", "X-OpenWebUI-User-Email", "X-OpenWebUI-User-Role")
HARBOUR = "I live in Lisbon, beside the harbour."


class World:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.upstream, self.memory_model = Upstream(), MemoryModel()
        self.upstream.answer = self.answer
        self.gate = None  # the next streamed answer waits for it in its middle
        self.said = 0
        self.lock = threading.Lock()
        config = {
            "upstream": {"base_url": self.upstream.base_url},
            "model": {"base_url": self.memory_model.base_url, "api_key": "k", "name": "memory"},
            "memory": {"summarize_after": "6"},
        }
        self.daemon = Daemon((self.folder / "recalld").resolve(), config).start()
        self.application = Application(folder, self.daemon.base_url)
        self.page = None

    def answer(self, request):
        if request.target.endswith("/models"):
            return json_reply({"object": "list", "data": MODELS})
        body = request.json
        if not body.get("stream"):
            return json_reply(completion(json.dumps({"title": "A title", "tags": ["one"], "follow_ups": [], "operations": []})))
        with self.lock:
            self.said += 1
            text = f"This is answer-{self.said} by {body['model']}."
        gate, self.gate = self.gate, None
        return sse_reply(text_events(text), gates={} if gate is None else {2: gate})

    # ---- who chats ----

    def begin(self, **settings):
        """A new user with a page."""
        self.upstream.requests.clear()
        self.memory_model.reset()
        self.user, token = self.application.new_user(**settings)
        self.page = Page(self.application, token)
        self.memory_model.answers[HARBOUR] = [fact("home_harbour", "Lisbon", "I live in Lisbon")]

    def end(self):
        if self.page is not None:
            self.page.close()
        self.page = None

    def chat(self, question, models="alpha", **options):
        self.page.open(question, models=models, **options)
        return self.ask(count=len(models.split(",")))

    def more(self, question, count=1):
        self.page.type(question)
        return self.ask(count)

    def ask(self, count=1):
        """Sends what is in the input; the streamed requests that came of it."""
        before, first = len(self.turns()), self.said
        self.page.send()
        until(lambda: self.said >= first + count, "an answer")
        for number in range(first + 1, first + count + 1):
            self.page.until_shown(f"answer-{number} by")
        self.settle()
        return self.turns()[before:]

    def settle(self):
        if self.daemon.knows(self.user):
            self.daemon.settle(self.user)

    # ---- what came of it ----

    def turns(self):
        return [r for r in self.upstream.chats() if r.json.get("stream")]

    def side_requests(self):
        return [r for r in self.upstream.chats() if not r.json.get("stream")]

    def side_request(self, marker):
        return until(lambda: next((r for r in self.side_requests() if marker in r.body), None), f"a request with {marker}")

    def own_turns(self):
        return [text for role, text in self.daemon.messages(self.user) if role == "user"]


STEPS = {}


def step(function):
    STEPS[function.__name__.replace("_", " ")] = function
    return function


@step
def a_temporary_chat_is_not_remembered(world):
    world.chat("My parrot is called Kiwi.", temporary_chat="true")
    (asked,) = world.chat("What is my parrot called?", temporary_chat="true")
    assert re.match("temporary:|local:", asked.field("X-OpenWebUI-Chat-Id") or "temporary:")
    assert b"Kiwi" not in asked.body and not world.daemon.knows(world.user)


@step
def titles_tags_and_memory_reviews_are_side_requests(world):
    world.chat(HARBOUR)
    (asked,) = world.chat("Where do I live?")
    assert b"home_harbour" in asked.body, "memory is given to a chat"
    for marker in (b"Generate a concise title", b"broad tags", b"private memory reviewer"):
        world.side_request(marker)
    world.settle()
    assert not [r.body[:200] for r in world.side_requests() if b"home_harbour" in r.body]
    assert sorted(world.own_turns()) == sorted([HARBOUR, "Where do I live?"])


@step
def a_legacy_tool_choice_is_a_side_request(world):
    for question in (HARBOUR, "When is high tide there?"):
        world.page.open(question, models="alpha", tools="tide")
        world.ask()
    world.more("And in Porto?")
    world.side_request(b"Available Tools")
    world.settle()
    assert not [r.body[:200] for r in world.side_requests() if b"home_harbour" in r.body]
    assert sorted(world.own_turns()) == sorted([HARBOUR, "When is high tide there?", "And in Porto?"])


@step
def two_models_at_once_are_one_turn(world):
    boat, length = "My boat is called Wanda.", "She is nine metres long."
    world.chat(boat, models="alpha,beta")
    world.more(length, count=2)
    world.more("What is she called?", count=2)
    assert world.own_turns() == [boat, length, "What is she called?"], world.own_turns()
    for text in (boat, length):
        assert len(world.memory_model.fact_calls(text)) >= 1
    newest = [c for c in world.memory_model.fact_calls() if c.asked.rfind(boat) >= 0]
    assert len({c.prompt for c in newest}) == len(newest), "the same turn is paid for once"
    for request in world.turns()[2:]:
        # Both go on from the answer that the user chose; the other one is no part of this chat.
        assert json.dumps(request.messages).count(boat) == 1, "the other's pair went up"
        roles = [m["role"] for m in request.messages if m["role"] != "system"]
        assert roles == (["user", "assistant"] * len(roles))[: len(roles)], roles


@step
def what_was_said_before_a_stop_is_learned(world):
    turn = "I am allergic to hazelnuts."
    world.memory_model.answers[turn] = [fact("allergy", "hazelnuts", "I am allergic to hazelnuts")]
    world.gate = threading.Event()
    gate = world.gate
    try:
        world.page.open(turn, models="alpha")
        world.page.send()
        until(lambda: world.said and world.turns(), "the request")
        world.page.click("button[aria-label='Stop'], #stop-response-button")
        until(lambda: world.daemon.knows(world.user), "the turn in the store")
    finally:
        gate.set()
    world.settle()
    assert world.own_turns() == [turn] and "hazelnuts" in world.daemon.values(world.user)
    assert len(world.memory_model.fact_calls(turn)) == 1


@step
def an_upload_is_not_the_users_own_words(world):
    file = world.folder / "harbours.txt"
    file.write_text("Telltale document: the harbour of Vigo has twelve cranes.")
    question = "How many cranes are there?"
    world.page.open(question, models="alpha")
    world.page.attach(file)
    (asked,) = world.ask()
    assert b"attached_files" in asked.body or b"Telltale" in asked.body, "the client sent the upload"
    assert world.own_turns() == [question]
    sent = " ".join(c.prompt for c in world.memory_model.calls())
    assert "attached_files" not in sent and "Telltale" not in sent


@step
def deleting_a_chat_forgets_nothing_and_readme_says_so(world):
    world.chat(HARBOUR)
    world.page.click("#delete-chat-button")
    world.page.click_text("Confirm")
    until(lambda: "/c/" not in world.page.driver.current_url, "another page")
    assert world.own_turns() == [HARBOUR] and world.daemon.values(world.user) == ["Lisbon"]
    assert "Deleting a chat, or its last message, in Open WebUI" in (ROOT / "README.md").read_text()


@step
def an_edit_of_an_old_turn_costs_few_summaries(world):
    turns = [f"Fact {i} is that pier {i} is painted in shade {i}." for i in range(7)]  # the page shows no more than sixteen messages
    world.chat(turns[0])
    for turn in turns[1:]:
        world.more(turn)
    calls = len(world.memory_model.summary_calls())
    assert calls > 0
    world.page.click(".edit-user-message-button", which=1)
    edited = "Fact 1 is that pier 1 was torn down."
    until(lambda: world.page.run("return document.querySelector('textarea[id^=message-edit-]') !== null"), "the editor")
    world.page.run("const area = document.querySelector('textarea[id^=message-edit-]'); area.value = arguments[0];"
                   " area.dispatchEvent(new Event('input', {bubbles: true}))", edited)  # fmt: skip
    first = world.said
    world.page.click("#confirm-edit-message-button")
    until(lambda: world.said > first, "an answer to the edited turn")
    world.page.until_shown(f"answer-{world.said} by")
    world.settle()
    world.more("Which pier is torn down?")
    bodies = [c.request.body for c in world.memory_model.summary_calls()]
    assert len(set(bodies)) == len(bodies), "the same summary was asked for twice"
    assert len(bodies) - calls <= 2, f"{len(bodies) - calls} calls after the edit"
    assert edited in world.own_turns() and turns[1] not in world.own_turns(), world.own_turns()


@step
def names_and_addresses_stay_here(world):
    world.chat(HARBOUR)
    for request in world.upstream.requests:
        assert not [name for name in FORWARDED if request.field(name) is not None], request.head


@step
def a_failing_upstream_is_told_without_inner_addresses(world):
    world.chat("Hello.")
    world.upstream.close()  # so this is the last step
    world.page.type("Are you there?")
    world.page.send()
    world.page.until_shown("model provider")
    assert not re.search(r"127\.0\.0\.1|localhost|Failed to connect", world.page.text)
    assert "127.0.0.1" in world.daemon.stderr, "the log has the rest"


SETTINGS = {"a legacy tool choice is a side request": {"params": {"function_calling": "legacy"}}}


def run_step(world, name):
    print(f"{name:<62} ", end="", flush=True)
    try:
        world.begin(**({"memory": True} | SETTINGS.get(name, {})))
        STEPS[name](world)
        print("ok", flush=True)
        return True
    except Exception as fault:
        print(f"FAILED: {str(fault).splitlines()[0] if str(fault) else type(fault).__name__}", flush=True)
        with open(world.folder / "failures.log", "a") as log:
            print(name, traceback.format_exc(), sep="\n", file=log)
            print(*(f"{r.target} {r.body[:3000]}" for r in world.upstream.requests), sep="\n", file=log)
        if world.page is not None:
            world.page.driver.save_screenshot(str(world.folder / f"{name.replace(' ', '-')}.png"))
        return False
    finally:
        world.end()


def main():
    folder, *wanted = sys.argv[1:]
    names = [n for n in STEPS if not wanted or any(n.startswith(w) for w in wanted)]
    (Path(folder) / "failures.log").unlink(missing_ok=True)
    world = World(folder)
    try:
        held = [run_step(world, name) for name in names]
    finally:
        world.application.stop()
        world.daemon.stop()
    print(f"{sum(held)} hold, {len(held) - sum(held)} failed")
    sys.exit(not all(held))


main()
