"""Which job the learner takes next: nothing that waits may keep the rest from being learned, and no
failure may have the model asked again without a pause."""

import signal
import threading
import time

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import stalled_calls, write_config
from harness.memory_model import fact, one_server
from harness.upstream import error_reply, sse_reply, text_events


def talk(count):
    """`count` exchanges of the past."""
    turns = []
    for i in range(count):
        turns.append({"role": "user", "content": f"Turn {i} of many.", "session": "past"})
        turns.append({"role": "assistant", "content": f"Answer {i}.", "session": "past"})
    return turns


def test_jobs_that_another_mode_would_do_do_not_hide_the_summarys(make_daemon, user):
    daemon = make_daemon({"memory": {"mode": "summary"}})
    daemon.import_messages(user, talk(300))
    until(lambda: daemon.memory(user)["summary"], "there is no summary")
    assert daemon.memory(user)["deferred"] == 300


def test_jobs_that_another_mode_would_do_do_not_hide_a_new_turn(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    daemon.import_messages(user, talk(300))
    memory_model.answers["I live in Lisbon."] = [fact("home_city", "Lisbon", "I live in Lisbon")]
    Chat(daemon, user, mode="entity").say("I live in Lisbon.")
    until(lambda: daemon.values(user) == ["Lisbon"], "the new turn was not learned from")


def test_what_an_exchange_releases_is_learned_at_once_though_its_own_mode_learns_nothing(
    make_daemon, memory_model, user
):
    daemon = make_daemon({"memory model=plain-*": {"mode": "buffer"}})
    memory_model.answers["I live in Lisbon."] = [fact("home_city", "Lisbon", "I live in Lisbon")]
    Chat(daemon, user, mode="buffer").say("I live in Lisbon.")
    assert daemon.memory(user)["deferred"] == 1
    Chat(daemon, user).say("And now for something else.", model="plain-1")
    until(lambda: daemon.values(user) == ["Lisbon"], "what was released waits for the scan")


def test_the_summary_does_not_wait_for_facts_that_fail(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"summarize_after": "4"}})
    memory_model._facts = lambda call: "not JSON"
    try:
        chat = Chat(daemon, user)
        for i in range(3):
            chat.say(f"Turn {i}.")
        until(lambda: daemon.memory(user)["summary"], "there is no summary", timeout=60)
        assert daemon.memory(user)["pending"] >= 3
    finally:
        del memory_model._facts


def test_a_full_store_does_not_have_the_model_asked_without_a_pause(make_daemon, memory_model, user):
    daemon = make_daemon({"storage": {"map_size": "1M"}, "log": {"level": "warn"}})
    full = threading.Event()
    answer = memory_model.answer

    def wait_for_it(request):
        full.wait(120)
        return answer(request)

    memory_model.answer = wait_for_it
    memory_model.otherwise = [fact("home_city", "Lisbon", "Lisbon")]
    Chat(daemon, f"{user}-first").say("I live in Lisbon, as you know.")
    for name in ("first", "filler"):
        daemon.hold(f"{user}-{name}")
    for _ in range(400):
        reply = Chat(daemon, f"{user}-filler", mode="buffer").send("Words that fill a store. " * 800)
        if reply.headers["X-Memory-Status"] == "bypassed":
            break
    else:
        raise AssertionError("the store never filled up")
    full.set()
    time.sleep(3)  # in which it would ask again and again
    asked = len(memory_model.fact_calls("as you know"))
    assert 1 <= asked <= 4, f"the model was asked {asked} times for what cannot be stored"
    assert daemon.memory(f"{user}-first")["pending"] == 1


def test_a_key_that_never_comes_does_not_hold_up_turns_that_need_none(make_daemon, memory_model, user):
    daemon = make_daemon(one_server(memory_model))
    memory_model.answers["I like tea."] = [fact("drink", "tea", "I like tea")]
    memory_model.refuse = lambda body: error_reply(503) if body["model"] == "memory-model" else None
    Chat(daemon, user).say("I like coffee.")
    daemon.restart()  # and with it the key is gone
    memory_model.refuse = None
    Chat(daemon, user, headers={"Authorization": ""}).say("I like tea.")
    until(lambda: daemon.values(user) == ["tea"], "what needs no key was not learned")
    assert daemon.memory(user)["pending"] == 1


def test_while_the_disk_is_slow_others_turns_are_learned(make_daemon, memory_model, user, tmp_path):
    """What the model has answered is on its way to the disk, and no longer a call to the model."""
    environment = stalled_calls(tmp_path, disk=60)
    config = {"memory": {"mode": "buffer"}, "model": {"concurrency": "1"}}
    daemon = make_daemon(config, environment=environment)
    memory_model.otherwise = [fact("home_city", "Lisbon", "I live in Lisbon")]
    for i in range(5):
        Chat(daemon, f"{user}-{i}").say(f"I live in Lisbon, as user {i}.")
    assert not memory_model.calls()
    (tmp_path / "stalled").touch()
    daemon.config["memory"]["mode"] = "entity"
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)
    until(lambda: len(memory_model.fact_calls()) == 5, "a slow disk keeps the learner from its model", 30)
    assert not any(daemon.values(f"{user}-{i}") for i in range(5))
    (tmp_path / "stalled").unlink()
    for i in range(5):
        daemon.settle(f"{user}-{i}")
        assert daemon.values(f"{user}-{i}") == ["Lisbon"]


@pytest.mark.parametrize("mode", [None, "buffer"])
@pytest.mark.parametrize("breaks", [False, True], ids=["whole", "broken off"])
def test_what_an_edit_uncovers_does_not_stay_pending(make_daemon, memory_model, upstream, user, breaks, mode):
    """Nothing but the edit wakes the learner: its scan comes later."""
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "4"}})
    chat = Chat(daemon, user, session="s", stream=True)
    for i in range(8):
        chat.say(f"Turn {i} tells of thing {i}.")
    daemon.settle(user)
    calls = len(memory_model.summary_calls())
    chat.messages = chat.messages[:8]
    upstream.script(sse_reply(text_events("There is more to say of it."), break_after=3 if breaks else -1))
    answer = chat.send("Turn 4, put in other words.", headers={} if mode is None else {"X-Memory-Mode": mode})
    assert (b"[DONE]" in answer.content) != breaks
    in_other_words = lambda: any("in other words" in m["content"] for m in daemon.memory(user)["messages"])
    until(in_other_words, "the edit was not journalled")
    until(lambda: daemon.memory(user)["pending"] == 0, "the summary is still pending", 10)
    summarized = len(memory_model.summary_calls()) > calls
    assert summarized == (mode is None), "the summary was not written anew, or where nobody asked for it"


def test_a_long_conversation_takes_few_calls_after_an_edit_and_each_once(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "summary"}})
    pairs = talk(200)
    daemon.import_messages(user, pairs)
    daemon.settle(user)
    chat = Chat(daemon, user, session="past")
    chat.messages = [{"role": m["role"], "content": m["content"]} for m in pairs]
    chat.say("This is the newest turn.")
    daemon.settle(user)
    chat.messages = chat.messages[:380]
    before = len(memory_model.summary_calls())
    chat.say("Turn 190, put in other words.")
    daemon.settle(user)
    calls = [call.prompt for call in memory_model.summary_calls()[before:]]
    assert 1 <= len(calls) <= 2, f"one edit took {len(calls)} calls"
    for again in ("Turn 190, put in yet other words.", "Turn 190, once more."):
        chat.messages = chat.messages[:380]
        chat.say(again)
        daemon.settle(user)
    calls = [call.prompt for call in memory_model.summary_calls()]
    assert len(calls) == len(set(calls)), "the same call was made twice"
