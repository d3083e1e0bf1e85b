"""A user's exchanges are learned from together: [memory] learn_idle and learn_batch."""

import pytest

from harness.chat import Chat
from harness.memory_model import fact
from harness.upstream import completion, error_reply, json_reply

ISLANDS = [f"I own island {i}." for i in range(1, 8)]


@pytest.fixture
def batching(make_daemon, memory_model):
    """A daemon whose users' exchanges wait long for each other."""

    def make(idle="60s", most=3):
        for i, turn in enumerate(ISLANDS, 1):
            memory_model.answers[turn] = [fact("island", f"island {i}", f"I own island {i}", op="add")]
        return make_daemon({"memory": {"learn_idle": idle, "learn_batch": str(most)}})

    return make


def say_all(daemon, user, turns):
    talk = Chat(daemon, user)
    for turn in turns:
        talk.say(turn)


def islands(daemon, user):
    return sorted(daemon.values(user))


def test_enough_exchanges_take_one_call(batching, memory_model, user):
    daemon = batching()
    talk = Chat(daemon, user)
    talk.say(ISLANDS[0])
    talk.say(ISLANDS[1])
    assert daemon.memory(user)["pending"] == 2 and memory_model.fact_calls() == []
    talk.say(ISLANDS[2])
    daemon.settle(user)
    assert islands(daemon, user) == ["island 1", "island 2", "island 3"]
    assert len(memory_model.fact_calls()) == 1
    facts = daemon.memory(user)["facts"]
    assert len({f["source"]["exchange"] for f in facts}) == 3, "each belongs to its own turn"
    assert {f["source"]["quote"] for f in facts} == {t.rstrip(".") for t in ISLANDS[:3]}
    assert daemon.metric('recalld_learned_total{kind="facts"}') == 3
    assert daemon.metric('recalld_facts_total{outcome="rejected"}') == 0


def test_a_quiet_user_is_learned_from(batching, memory_model, user):
    daemon = batching(idle="300ms", most=16)
    say_all(daemon, user, ISLANDS[:2])
    daemon.settle(user)
    assert islands(daemon, user) == ["island 1", "island 2"]


@pytest.mark.parametrize(
    "said", ["Please forget that I own island 1.", "Actually, I own island 5.", "Nein, das ist falsch."]
)
def test_what_forgets_or_corrects_does_not_wait(batching, memory_model, user, said):
    daemon = batching()
    say_all(daemon, user, [ISLANDS[0], said])
    daemon.settle(user)
    assert memory_model.fact_calls(said)


def test_what_a_batch_tells_and_then_forgets_stays_forgotten(batching, memory_model, user):
    daemon = batching(most=6)
    wish = "Please forget about island 1."
    memory_model.answers[wish] = [fact("island", "island 1", "forget about island 1", forget=True)]
    say_all(daemon, user, [ISLANDS[0], ISLANDS[1], wish])
    daemon.settle(user)
    assert islands(daemon, user) == ["island 2"]


def test_later_turns_of_a_batch_win(batching, memory_model, user):
    daemon = batching(most=2)
    first, second = "I live in Rome.", "I live in Oslo."
    memory_model.answers[first] = [fact("city", "Rome", "I live in Rome")]
    memory_model.answers[second] = [fact("city", "Oslo", "I live in Oslo")]
    say_all(daemon, user, [first, second])
    daemon.settle(user)
    assert len(memory_model.fact_calls()) == 1
    assert daemon.facts(user) == {("user", "city"): ["Oslo"]}


def test_a_poisoned_batch_is_learned_from_one_by_one(batching, memory_model, user):
    daemon = batching()
    memory_model.fail(ISLANDS[1], *[json_reply(completion("no"))] * 2)
    say_all(daemon, user, ISLANDS[:3])
    daemon.settle(user)
    assert islands(daemon, user) == ["island 1", "island 2", "island 3"]


def test_what_waits_outlives_a_kill(batching, memory_model, user):
    daemon = batching(most=6)
    memory_model.fail(ISLANDS[0], *[error_reply(503)] * 2)
    say_all(daemon, user, ISLANDS[:4])
    assert daemon.memory(user)["pending"] == 4
    daemon.kill_and_restart()
    say_all(daemon, user, ISLANDS[4:6])
    daemon.settle(user)
    assert islands(daemon, user) == [f"island {i}" for i in range(1, 7)]


def test_what_a_start_finds_waits_no_longer_than_what_it_sees(batching, memory_model, user):
    daemon = batching(idle="2s", most=6)
    say_all(daemon, user, ISLANDS[:2])
    daemon.kill_and_restart()
    daemon.settle(user)
    assert islands(daemon, user) == ["island 1", "island 2"]
    assert len(memory_model.fact_calls()) <= 2


def test_who_is_forgotten_while_exchanges_wait_is_not_learned_from(batching, memory_model, user):
    daemon = batching(idle="500ms")
    say_all(daemon, user, ISLANDS[:2])
    daemon.forget(user)
    say_all(daemon, user + "-other", ISLANDS[2:4])
    daemon.settle(user + "-other")
    assert not memory_model.fact_calls(ISLANDS[0]) and not daemon.knows(user)


def test_an_import_is_learned_from_in_batches(batching, memory_model, user):
    daemon = batching()
    answer = {"role": "assistant", "content": "Fine."}
    daemon.import_messages(user, [m for t in ISLANDS[:6] for m in ({"role": "user", "content": t}, answer)])
    daemon.settle(user)
    assert islands(daemon, user) == [f"island {i}" for i in range(1, 7)]
    assert len(memory_model.fact_calls()) == 2
