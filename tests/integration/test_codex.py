"""Codex itself, only its base URL and headers changed."""

import time

import pytest

from conftest import KNOWN_VALUE, make_known
from harness.clients import Codex
from harness.clock import quickest
from harness.provider import Said, response_events
from harness.upstream import sse_reply
from test_frameworks import LAST, check_prefix, conversations, remembering, shown

HELLO, RUN = "Hi! My name is Alex.", 'Use the tool exec_command with {"cmd":"echo hi"}, please.'
TURNS = [HELLO, RUN, "My lucky number is 7412.", "Where do I live?", RUN, "And my cat is Momo.", RUN, "Good.", RUN, "Where do I live?"]


@pytest.fixture
def known(provider_daemon, memory_model, user):
    return make_known(provider_daemon, memory_model, user)


def test_codex_remembers_over_ten_turns(provider_daemon, provider, known, tmp_path):
    """With a loop of tools in every other, in a session that is resumed for each."""
    provider.say = remembering(provider)
    before = conversations(provider_daemon, known)
    codex = Codex(provider_daemon.base_url, tmp_path, {"X-User-Id": known, "X-Memory-Mode": "hybrid"})
    answers = [codex.say(TURNS[0]), *(codex.say(turn, "resume", "--last") for turn in TURNS[1:])]
    requests = provider.of_dialect()
    assert len(requests) == len(TURNS) + TURNS.count(RUN) and answers[-1] == LAST
    assert all(KNOWN_VALUE in shown(provider, r) for r in requests)
    said = [text for pair in zip(TURNS, answers) for text in pair]
    assert [text for _, text in provider_daemon.messages(known)][2:] == said
    assert conversations(provider_daemon, known) == before + 1
    check_prefix(requests)


def test_codexs_built_in_provider_goes_on_over_http_at_once(provider_daemon, provider, known, tmp_path):
    """It is told that there are no WebSockets; other refusals it tries seven times, which takes six seconds."""
    codex = Codex(f"{provider_daemon.origin}/u/{known}/v1", tmp_path, built_in=True)
    done = codex.run(HELLO)
    assert done.stderr.count("failed to connect to Responses WebSocket") == 1, done.stderr
    requests = provider.of_dialect()
    assert len(requests) == 1 and KNOWN_VALUE in shown(provider, requests[0])
    assert provider_daemon.messages(known)[2:] == [("user", HELLO), ("assistant", done.stdout.strip())]

    def take():
        begun = time.monotonic()
        codex.run(HELLO)
        return time.monotonic() - begun

    assert quickest(take, 2) < 2


def test_codex_tells_our_errors(provider_daemon, provider, user, tmp_path):
    refused = Codex(provider_daemon.base_url, tmp_path, {"X-User-Id": user, "X-Memory-Mode": "sideways"}).run(HELLO)
    assert refused.returncode != 0 and "X-Memory-Mode must be" in refused.stderr
    begun = response_events(Said("abcdefghijkl"))[:5]
    provider.script(sse_reply(begun, break_after=len(begun)))
    broken = Codex(provider_daemon.base_url, tmp_path, {"X-User-Id": user}).run(HELLO)
    assert broken.returncode != 0 and "stream disconnected before completion" in broken.stderr
