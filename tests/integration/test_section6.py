"""The conversation that everyone tries first (CONTRACT section 6), in all its variants, with the demo
model, which knows nothing but what is in the request."""

import time

import pytest

from conftest import MODES, in_front_of
from harness.chat import Chat
from harness.clock import until
from harness.daemon import Daemon, rfc3339

TURNS = [
    "Hi! My name is Alex and I'm building a RAG system in Python.",
    "I'm using ChromaDB for the vector store.",
    "My main challenge is chunking strategy for long PDFs.",
    "I think 512 tokens with 50-token overlap is working well.",
    "Now I want to add entity extraction from the retrieved chunks.",
]
QUESTION = "Can you remind me what vector store I said I was using?"

LEARNING = ["summary", "entity", "hybrid"]
SUMMARIZING = ["summary", "hybrid"]
STYLES = {
    "newest message with a session header": {"newest_only": True, "session": "s-1"},
    "whole history with a session header": {"session": "s-1"},
    "whole history alone": {},
}

styles = pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def settle(daemon, user, mode):
    if mode in LEARNING:
        daemon.settle(user)


def wait_for_summary(daemon, user):
    return until(lambda: daemon.memory(user)["summary"], "there is no summary")["text"]


@streamed
@styles
@pytest.mark.parametrize("mode", MODES)
def test_the_vector_store_is_still_known_at_the_sixth_turn(demo_daemon, mode_user, mode, style, stream):
    user = mode_user(mode)
    chat = Chat(demo_daemon, user, stream=stream, **style)
    for turn in TURNS:
        chat.say(turn)
        settle(demo_daemon, user, mode)
    if mode in SUMMARIZING:
        assert wait_for_summary(demo_daemon, user)
    answer = chat.say(QUESTION)
    assert "ChromaDB" in answer.text
    assert answer.headers["X-Memory-Mode"] == mode


@styles
@pytest.mark.parametrize("mode", MODES)
def test_kill_9_between_turns_loses_nothing(demo_model, tmp_path, mode, style):
    daemon = Daemon(tmp_path / "recalld", in_front_of(demo_model)).start()
    user = f"{mode}-killed"
    chat = Chat(daemon, user, stream=True, **style)
    for number, turn in enumerate(TURNS):
        chat.say(turn)
        if number in (1, 3):
            daemon.kill_and_restart()  # at once: learning is under way
    settle(daemon, user, mode)
    daemon.kill_and_restart()
    assert [m for m in daemon.messages(user) if m[0] == "user"] == [("user", turn) for turn in TURNS]
    assert "ChromaDB" in chat.say(QUESTION).text
    daemon.stop()


@pytest.mark.parametrize("session", [None, "today"])
@pytest.mark.parametrize("mode", MODES)
def test_a_new_session_a_day_later_knows_it(demo_daemon, mode_user, mode, session):
    user = mode_user(mode)
    yesterday = time.time() - 86400
    messages = []
    for number, turn in enumerate(TURNS):
        at = rfc3339(yesterday + 60 * number)
        messages.append({"role": "user", "content": turn, "created_at": at, "session": "yesterday"})
        messages.append({"role": "assistant", "content": "Noted.", "created_at": at, "session": "yesterday"})
    demo_daemon.import_messages(user, messages)
    settle(demo_daemon, user, mode)
    answer = Chat(demo_daemon, user, session=session, newest_only=session is not None).say(QUESTION)
    assert "ChromaDB" in answer.text
    assert answer.status == "injected"


@streamed
@pytest.mark.parametrize("mode", MODES)
def test_a_new_session_right_away_knows_it(demo_daemon, mode_user, mode, stream):
    user = mode_user(mode)
    first = Chat(demo_daemon, user, session="first", stream=stream)
    for turn in TURNS:
        first.say(turn)
    settle(demo_daemon, user, mode)
    answer = Chat(demo_daemon, user, session="second", stream=stream).say(QUESTION)
    assert "ChromaDB" in answer.text


@pytest.mark.parametrize("mode", MODES)
def test_two_users_at_once_are_never_mixed_up(demo_daemon, mode_user, mode):
    one, two = mode_user(mode), mode_user(mode) + "-other"
    first = Chat(demo_daemon, one, session="s", newest_only=True)
    second = Chat(demo_daemon, two, session="s", newest_only=True)
    for number, turn in enumerate(TURNS):
        first.say(turn)
        second.say(f"I like the number {number + 40}.")
    settle(demo_daemon, one, mode)
    settle(demo_daemon, two, mode)
    answer = second.say(QUESTION)
    assert "ChromaDB" not in answer.text
    assert "ChromaDB" in first.say(QUESTION).text
    assert "ChromaDB" not in str(demo_daemon.memory(two))


def test_a_user_never_seen_is_told_nothing(demo_daemon, user):
    answer = Chat(demo_daemon, user).say(QUESTION)
    assert "ChromaDB" not in answer.text
    assert answer.status == "empty"
