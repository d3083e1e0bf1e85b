"""The contract's promises on edits, regenerations and forks."""

import pytest

from harness.chat import Chat
from harness.memory_model import fact
from harness.upstream import json_reply
from test_contract_recall import newest, sent_text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_edit_in_the_middle_takes_back_all_that_followed(daemon, upstream, memory_model, user, stream):
    memory_model.answers |= {
        "My dog is called Rex.": [fact("dog", "Rex", "My dog is called Rex")],
        "I work at Nordbank.": [fact("employer", "Nordbank", "I work at Nordbank")],
        "My dog is called Bruno.": [fact("dog", "Bruno", "My dog is called Bruno")],
    }
    chat = Chat(daemon, user, session="e", stream=stream)
    for text in ("Hello.", "My dog is called Rex.", "I work at Nordbank."):
        chat.say(text)
        daemon.settle(user)
    assert daemon.values(user) == ["Nordbank", "Rex"]
    chat.messages = chat.messages[:2]
    chat.say("My dog is called Bruno.")
    daemon.settle(user)
    assert daemon.values(user) == ["Bruno"]
    assert [t for r, t in daemon.messages(user) if r == "user"] == ["Hello.", "My dog is called Bruno."]
    Chat(daemon, user, mode="hybrid").say("What is my dog called, and where do I work?")
    assert "Rex" not in sent_text(upstream.last) and "Nordbank" not in sent_text(upstream.last)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_turn_asked_again_is_learned_once_and_its_last_answer_stands(daemon, upstream, memory_model, user, stream):
    memory_model.answers["I keep two goats."] = [fact("goats", "two", "I keep two goats")]
    chat = Chat(daemon, user, session="r", stream=stream)
    chat.say("Good morning.")
    before = list(chat.messages)
    answers = []
    for _ in range(3):
        chat.messages = list(before)
        answers.append(chat.say("I keep two goats.").text)
        daemon.settle(user)
    assert len(memory_model.fact_calls("I keep two goats.")) == 1
    assert daemon.values(user) == ["two"]
    said = daemon.messages(user)
    assert said[2:] == [("user", "I keep two goats."), ("assistant", answers[-1])]


def test_a_fork_that_is_left_again_brings_the_first_branch_back(daemon, upstream, memory_model, user):
    memory_model.answers |= {
        "I booked the ferry to Oban.": [fact("booking", "ferry to Oban", "I booked the ferry to Oban")],
        "I booked the flight to Cork.": [fact("booking", "flight to Cork", "I booked the flight to Cork")],
    }
    chat = Chat(daemon, user, session="f", stream=True)
    chat.say("Let us plan.")
    trunk = list(chat.messages)
    chat.say("I booked the ferry to Oban.")
    first = list(chat.messages)
    daemon.settle(user)
    chat.messages = list(trunk)
    chat.say("I booked the flight to Cork.")
    daemon.settle(user)
    assert daemon.values(user) == ["flight to Cork"]
    chat.messages = list(first)
    chat.say("So, where do we go?")
    daemon.settle(user)
    assert daemon.values(user) == ["ferry to Oban"]
    assert [t for r, t in daemon.messages(user) if r == "user"] == [
        "Let us plan.",
        "I booked the ferry to Oban.",
        "So, where do we go?",
    ]
    assert len(memory_model.fact_calls("I booked the ferry to Oban.")) <= 2
    Chat(daemon, user, mode="vector").say("What did I book?")
    assert "Oban" in newest(upstream.last) and "Cork" not in newest(upstream.last)


def test_a_summary_keeps_nothing_of_what_was_taken_back(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "4"}})
    chat = Chat(daemon, user, session="s")
    chat.say("Hello.")
    trunk = list(chat.messages)
    for text in ("I love zeppelins.", "Zeppelins are grand.", "The zeppelin museum is near."):
        chat.say(text)
        daemon.settle(user)
    summary = daemon.memory(user)["summary"]
    assert summary and "eppelin" in summary["text"]
    chat.messages = trunk
    chat.say("I love bicycles.")
    daemon.settle(user)
    for text in ("Bicycles are grand.", "The bicycle museum is near.", "Bicycles for ever."):
        chat.say(text)
        daemon.settle(user)
    summary = daemon.memory(user)["summary"]
    assert summary and "eppelin" not in summary["text"]
    assert "eppelin" not in sent_text(upstream.last)


def test_an_edit_after_a_restart_and_before_it_was_learned(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "hybrid"}})
    memory_model.otherwise = [fact("toy", "kite", "kite")]
    memory_model.refuse = lambda body: json_reply({"error": {}}, status=503)
    chat = Chat(daemon, user, session="s")
    chat.say("Good morning.")
    trunk = list(chat.messages)
    chat.say("I fly a kite.")
    daemon.kill_and_restart()
    chat.messages = trunk
    memory_model.refuse = None
    memory_model.otherwise = []
    chat.say("I fly a drone.")
    daemon.settle(user)
    assert not memory_model.fact_calls("I fly a kite.") or daemon.values(user) == []
    assert [t for r, t in daemon.messages(user) if r == "user"] == ["Good morning.", "I fly a drone."]


# ---- branches and wishes to forget ----

FORGET_CAT = "Please forget that my cat is called Mephisto."


@pytest.fixture
def forgetful(daemon, memory_model, user):
    """A conversation; what its turns teach. It says one turn after the other, and gives what stands."""
    memory_model.answers |= {
        "My cat is called Mephisto.": [fact("cat", "Mephisto", "My cat is called Mephisto")],
        FORGET_CAT: [fact("cat", "Mephisto", "forget that my cat is called Mephisto", forget=True)],
        "My dog is called Rex.": [fact("dog", "Rex", "My dog is called Rex")],
        "I work at Nordbank.": [fact("employer", "Nordbank", "I work at Nordbank")],
    }
    chat = Chat(daemon, user, session="w")

    def say(*texts, after=None):
        if after is not None:
            chat.messages = list(after)
        for text in texts:
            chat.say(text)
            daemon.settle(user)
        said = [t for r, t in daemon.messages(user) if r == "user"]
        return said, sorted(daemon.values(user)), list(chat.messages)

    return say


def test_a_branch_left_at_a_wish_to_forget_comes_back_without_the_other(forgetful):
    _, _, wish = forgetful("Hello.", "My cat is called Mephisto.", FORGET_CAT)
    said, values, _ = forgetful("My dog is called Rex.", after=wish[:4])
    assert (said, values) == (["Hello.", "My dog is called Rex."], ["Rex"])
    said, values, _ = forgetful("So, what now?", after=wish)
    assert (said, values) == (["Hello.", "So, what now?"], [])


def test_a_first_turn_that_asks_to_forget_takes_back_what_followed_when_it_is_asked_again(forgetful):
    _, _, bank = forgetful(FORGET_CAT, "I work at Nordbank.")
    said, values, _ = forgetful(FORGET_CAT, after=[])
    assert (said, values) == ([], [])
    said, values, _ = forgetful("So, what now?", after=bank)
    assert (said, values) == (["I work at Nordbank.", "So, what now?"], ["Nordbank"])


def test_what_a_wish_to_forget_also_taught_goes_and_comes_with_its_branch(forgetful, memory_model):
    both = "Forget that my cat is called Mephisto, my dog is called Rex."
    wish = fact("cat", "Mephisto", "Forget that my cat is called Mephisto", forget=True)
    memory_model.answers[both] = [wish, fact("dog", "Rex", "my dog is called Rex")]
    _, values, first = forgetful("Hello.", "My cat is called Mephisto.", both)
    assert values == ["Rex"]
    said, values, _ = forgetful("I work at Nordbank.", after=first[:2])
    assert (said, values) == (["Hello.", "I work at Nordbank."], ["Nordbank"])
    said, values, _ = forgetful("So, what now?", after=first)
    assert (said, values) == (["Hello.", "So, what now?"], ["Rex"]), "the wish stands, and so does what it taught"


def test_a_value_stands_again_when_the_branch_is_left_that_replaced_and_forgot_it(forgetful, memory_model):
    wish = "Please forget that I live in Bern."
    memory_model.answers |= {
        "I live in Oslo.": [fact("city", "Oslo", "I live in Oslo")],
        "I live in Bern now.": [fact("city", "Bern", "I live in Bern now")],
        wish: [fact("city", "Bern", "forget that I live in Bern", forget=True)],
    }
    _, values, bern = forgetful("I live in Oslo.", "I live in Bern now.", wish)
    assert values == []
    _, values, _ = forgetful("I work at Nordbank.", after=bern[:2])
    assert values == ["Nordbank", "Oslo"]
    said, values, _ = forgetful("So, what now?", after=bern)
    assert (said, values) == (["I live in Oslo.", "So, what now?"], []), "in that branch it had ended"


def test_only_what_a_wish_names_goes_from_a_turn_in_a_branch_that_was_left(forgetful, daemon, upstream, memory_model, user):
    both = "My cat is called Mephisto, and my dog is called Rex."
    memory_model.answers[both] = [fact("cat", "Mephisto", "My cat is called Mephisto"), fact("dog", "Rex", "my dog is called Rex")]
    _, values, first = forgetful("Hello.", both)
    export = daemon.admin("GET", daemon.memory_path(user, "/export")).json()
    assert values == ["Mephisto", "Rex"]
    _, values, _ = forgetful("Nice weather.", FORGET_CAT, after=first[:2])
    assert values == []
    assert daemon.admin("POST", daemon.memory_path(user, "/import"), json=export).status_code in (200, 202)
    daemon.settle(user)
    assert daemon.values(user) == [], "an older export brings back nothing that was taken back or forgotten"
    Chat(daemon, user, session="new").say("What is my dog called?")
    assert b"Rex" not in upstream.last.body and b"Mephisto" not in upstream.last.body
    said, values, _ = forgetful("So, what now?", after=first)
    assert values == ["Rex"] and both not in said, "its turn is erased, but nobody asked to forget the dog"
