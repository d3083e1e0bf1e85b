"""SDKs and frameworks over the APIs that they speak unless told otherwise, only their base URL and headers
changed: each talks in its own way, with a tool on the way, and gets its memory."""

import json

import pytest

from conftest import KNOWN_VALUE, make_known
from harness import frameworks
from harness.ollama import lines_reply, lines_that_say
from harness.provider import Said, elements, message_events, response_events, texts_of
from harness.upstream import sse_reply
from test_clients import node

ASKED = "Where do I live?"
TURNS = ["Hi! My name is Alex.", 'Use the tool weather with {"city": "Oslo"}, please.', ASKED]
REQUESTS = len(TURNS) + 1  # what the tool gave is one
LAST = f"You live in {KNOWN_VALUE}."

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def in_node(script, **options):
    """A script of tests/integration/node that talks, as a client."""

    def talk(base_url, headers, turns, stream):
        said = node(script, baseURL=base_url, headers=headers, turns=turns, stream=stream, **options)
        if "error" in said:
            raise RuntimeError(f"{said['error']} {said['status']} {said['message']}")
        return said["answers"]

    return talk


RESPONSES = {
    "openai-python": frameworks.openai_sdk,
    "openai-node": in_node("openai_talk.mjs"),
    "openai-agents": frameworks.agents,
    "pydantic-ai": frameworks.pydantic_openai,
    "langchain": frameworks.langchain_openai,
    "ai-sdk": in_node("ai_sdk_talk.mjs", api="openai", providerOptions={"openai": {"store": False}}),
}
MESSAGES = {
    "pydantic-ai anthropic": frameworks.pydantic_anthropic,
    "langchain anthropic": frameworks.langchain_anthropic,
    "ai-sdk anthropic": in_node("ai_sdk_talk.mjs", api="anthropic"),
}
OLLAMA = {"ollama-python": frameworks.ollama_sdk, "ollama-node": in_node("ollama_talk.mjs")}
CLIENTS = RESPONSES | MESSAGES | OLLAMA

clients = pytest.mark.parametrize("talk", CLIENTS.values(), ids=CLIENTS.keys())


@pytest.fixture
def known(provider_daemon, memory_model, user):
    return make_known(provider_daemon, memory_model, user)


# ---- what the model is shown ----


def own_text(asked):
    """The text in a request beside its messages."""
    return texts_of(asked.get("instructions")) + texts_of(asked.get("system"))


def shown(provider, request):
    """All that the model sees of a request, with what the provider keeps of its chain."""
    listed = own_text(request.json)
    for element in provider.seen[request.number]:
        listed += texts_of(element.get("content"))
    return "\n".join(listed)


def remembering(provider):
    """A model that knows nothing but what it is shown, and calls the tool that it is asked to call."""

    def say(asked, number):
        said = provider.usual_words(asked, number)
        if said.calls or ASKED not in "\n".join(texts_of(elements(asked)[-1].get("content"))):
            return said
        texts = own_text(asked) + [text for e in provider.before(asked) + elements(asked) for text in texts_of(e.get("content"))]
        return Said(LAST if KNOWN_VALUE in "\n".join(texts) else "I do not know.")

    return say


# ---- a conversation ----


def field_bytes(body, name):
    """The bytes of a field's value in a JSON object; empty: it has none."""
    text, at = body.decode(), 1
    while text[at] != "}":
        at += text[at] == ","
        field, at = json.JSONDecoder().raw_decode(text, at)
        begin = at + 1
        _, at = json.JSONDecoder().raw_decode(text, begin)
        if field == name:
            return text[begin:at].encode()
    return b""


BREAKPOINT = b',"cache_control":{"type":"ephemeral"}'  # a client moves them, and no prompt has them


def check_prefix(requests):
    """The prompt of each begins with the bytes of the one before."""
    listed = "input" if requests[0].target.endswith("/responses") else "messages"
    for name in ("instructions", "system", "tools"):
        assert len({field_bytes(r.body, name) for r in requests}) == 1, f"{name} changed"
    arrays = [field_bytes(r.body, listed).replace(BREAKPOINT, b"") for r in requests]
    for before, after in zip(arrays, arrays[1:]):
        assert after.startswith(before[:-1]), f"{before}\n{after}"


def conversations(daemon, user):
    return daemon.admin("GET", f"/v1/users?prefix={user}").json()["users"][0]["conversations"]


def talk_over(daemon, provider, talk, user, stream):
    """The requests that came of the talk, which was remembered as it was said."""
    provider.say = remembering(provider)
    before = len(daemon.messages(user))
    answers = talk(daemon.base_url, {"X-User-Id": user, "X-Memory-Mode": "hybrid"}, TURNS, stream)
    requests = provider.of_dialect()
    assert answers[:-1] == [f"Understood, this is answer {n}." for n in (requests[0].number, requests[2].number)]
    assert answers[-1] == LAST and len(requests) == REQUESTS
    said = [text for pair in zip(TURNS, answers) for text in pair]
    assert [text for _, text in daemon.messages(user)[before:]] == said, "each turn is learned once"
    return requests


@streamed
@clients
def test_a_talk_with_a_tool_has_its_memory_and_keeps_its_prefix(provider_daemon, provider, known, talk, stream):
    before = conversations(provider_daemon, known)
    requests = talk_over(provider_daemon, provider, talk, known, stream)
    assert all(KNOWN_VALUE in shown(provider, r) for r in requests)
    assert conversations(provider_daemon, known) == before + 1
    check_prefix(requests)


@streamed
def test_answers_that_are_sent_as_references_are_known_again(provider_daemon, provider, known, stream):
    """The AI SDK names what the provider stored by its id alone, unless told that nothing is stored."""
    before = conversations(provider_daemon, known)
    requests = talk_over(provider_daemon, provider, in_node("ai_sdk_talk.mjs", api="openai"), known, stream)
    assert any(e.get("type") == "item_reference" for e in requests[-1].json["input"])
    assert all(KNOWN_VALUE in shown(provider, r) for r in requests)
    assert conversations(provider_daemon, known) == before + 1
    check_prefix(requests)


# ---- errors ----


def broken_stream(talk):
    if talk in OLLAMA.values():
        return lines_reply(lines_that_say("abcdefghijkl")[:1], break_after=1)
    events = message_events if talk in MESSAGES.values() else response_events
    begun = events(Said("abcdefghijkl"))[:5]
    return sse_reply(begun, break_after=len(begun))


@clients
def test_a_stream_that_breaks_off_is_an_error(provider_daemon, provider, user, talk):
    provider.script(broken_stream(talk))
    with pytest.raises(Exception, match="broke off"):
        talk(provider_daemon.base_url, {"X-User-Id": user}, TURNS[:1], True)


@clients
def test_a_refusal_of_ours_is_an_error_with_its_words(provider_daemon, user, talk):
    with pytest.raises(Exception, match="X-Memory-Mode must be"):
        talk(provider_daemon.base_url, {"X-User-Id": user, "X-Memory-Mode": "sideways"}, TURNS[:1], False)
