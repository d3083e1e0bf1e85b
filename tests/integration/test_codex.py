"""Codex itself, only its base URL and headers changed."""

import json

import pytest

from conftest import KNOWN_VALUE, make_known
from harness.clients import Codex
from harness.provider import Said, Usage, body_of, dialect_of, named_event, render, response, response_events
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
    """It is told that there are no WebSockets: a refusal that says anything else it tries seven times, and says so each time."""
    codex = Codex(f"{provider_daemon.origin}/u/{known}/v1", tmp_path, built_in=True)
    done = codex.run(HELLO)
    assert done.stderr.count("failed to connect to Responses WebSocket") == 1, done.stderr
    requests = provider.of_dialect()
    assert len(requests) == 1 and KNOWN_VALUE in shown(provider, requests[0])
    assert provider_daemon.messages(known)[2:] == [("user", HELLO), ("assistant", done.stdout.strip())]


COMPACTS = "model_context_window = 20000\nmodel_auto_compact_token_limit = 9000\n"
COMPACTED = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAAA"}


def filling(provider, window):
    """A provider that says of each reply while `window` is not empty that the context is full. It compacts, too."""

    def answer(request):
        asked = body_of(request) if dialect_of(request) == "responses" else None
        if asked is None:
            return provider.default_answer(request)
        usage = Usage(fresh=9500) if window else Usage()
        if asked["input"][-1] != {"type": "compaction_trigger"}:
            return render(provider.say(asked, request.number), "responses", asked, request.number, usage)
        whole = response(Said(), asked, request.number) | {"output": [COMPACTED]}
        ends = {"type": "response.output_item.done", "output_index": 0, "item": COMPACTED}, {"type": "response.completed", "response": whole}
        return sse_reply([named_event(value | {"sequence_number": number}) for number, value in enumerate(ends)])

    return answer


def compacts(daemon, provider, known, folder, built_in):
    """What Codex sent until its context was full, to compact it, and since."""
    provider.say, window = remembering(provider), []
    provider.answer = filling(provider, window)
    settings = {"built_in": built_in, "settings": COMPACTS}
    codex = Codex(f"{daemon.origin}/u/{known}/v1", folder, **settings)
    codex.say(HELLO)
    window.append("full")
    codex.say("And my cat is Momo.", "resume", "--last")
    window.clear()
    told = codex.run("Where do I live?", "resume", "--last")
    assert "context compacted" in told.stderr and told.stdout.strip() == LAST, told.stderr
    codex.say("Thank you.", "resume", "--last")
    requests = provider.of_dialect()
    assert len(requests) == 5
    kinds = [json.loads(r.field("x-codex-turn-metadata"))["request_kind"] for r in requests]
    assert kinds == ["turn", "turn", "compaction", "turn", "turn"]
    return requests[:2], requests[2], requests[3:]


def test_a_compaction_by_codex_keeps_the_talk_and_its_prefix(provider_daemon, provider, known, tmp_path):
    """OpenAI's models compact by themselves, which Codex asks for with a compaction_trigger."""
    before = conversations(provider_daemon, known)
    until, compaction, since = compacts(provider_daemon, provider, known, tmp_path, built_in=True)
    assert compaction.json["input"][-1]["type"] == "compaction_trigger" and COMPACTED in since[0].json["input"]
    check_prefix([*until, compaction])
    check_prefix(since)
    assert all(KNOWN_VALUE.encode() in r.body for r in [*until, compaction, *since])
    said = [text for role, text in provider_daemon.messages(known)[2:] if role == "user"]
    assert said == [HELLO, "And my cat is Momo.", "Where do I live?", "Thank you."]
    assert conversations(provider_daemon, known) == before + 1


def test_what_codex_says_to_compact_a_talk_is_nobodys_turn(provider_daemon, provider, known, tmp_path):
    """With another provider, it asks for a summary in the user's place, and sends that from then on."""
    before = conversations(provider_daemon, known)
    until, compaction, since = compacts(provider_daemon, provider, known, tmp_path, built_in=False)
    assert b"CONTEXT CHECKPOINT COMPACTION" in compaction.body and b"Another language model" in since[0].body
    sent = until[-1].json["input"]
    assert compaction.json["input"][: len(sent)] == sent, "Codex sends it without its tools, but with the same talk"
    assert all(KNOWN_VALUE.encode() in r.body for r in [*until, compaction, *since])
    said = str(provider_daemon.memory(known))
    assert "CHECKPOINT" not in said and "language model" not in said
    assert conversations(provider_daemon, known) == before + 1


def test_codex_tells_our_errors(provider_daemon, provider, user, tmp_path):
    refused = Codex(provider_daemon.base_url, tmp_path, {"X-User-Id": user, "X-Memory-Mode": "sideways"}).run(HELLO)
    assert refused.returncode != 0 and "X-Memory-Mode must be" in refused.stderr
    begun = response_events(Said("abcdefghijkl"))[:5]
    provider.script(sse_reply(begun, break_after=len(begun)))
    broken = Codex(provider_daemon.base_url, tmp_path, {"X-User-Id": user}).run(HELLO)
    assert broken.returncode != 0 and "stream disconnected before completion" in broken.stderr
