"""What holds over each API alike, with the same words in its own shape."""

import base64
import json
import os

import anthropic
import ollama
import openai
import pytest

from conftest import KNOWN_VALUE, make_known
from harness.provider import elements, texts_of
from harness.upstream import json_reply

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages", "ollama": "/api/chat"}
each = pytest.mark.parametrize("api", PATHS)


@pytest.fixture
def known(provider_daemon, memory_model, user):
    return make_known(provider_daemon, memory_model, user)


def ask(daemon, user, api, messages):
    """The body that was sent, and the reply."""
    body = json.dumps({"model": "m", "max_tokens": 9, "stream": False, "input" if api == "responses" else "messages": messages})
    reply = daemon.post_chat(body.encode(), {"X-User-Id": user, "X-Memory-Mode": "hybrid"}, PATHS[api])
    assert reply.status_code == 200 and reply.headers["X-Memory-Status"] == "injected"
    return body.encode(), reply


# ---- bytes ----


def picture_turn(api, data):
    """What the user says of a picture."""
    says = "What is in it?"
    if api == "ollama":
        return {"role": "user", "content": says, "images": [data]}
    url = f"data:image/png;base64,{data}"
    image = {
        "chat": {"type": "image_url", "image_url": {"url": url}},
        "responses": {"type": "input_image", "image_url": url},
        "messages": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
    }[api]
    return {"role": "user", "content": [image, {"type": "input_text" if api == "responses" else "text", "text": says}]}


@each
def test_memory_goes_in_beside_a_picture_of_60_megabytes(provider_daemon, provider, known, api):
    picture = base64.b64encode(os.urandom(45 << 20)).decode()
    body, _ = ask(provider_daemon, known, api, [picture_turn(api, picture)])
    sent = provider.last.body
    more = len(sent) - len(body)
    begin = next(i for i in range(len(body)) if body[i] != sent[i])
    assert KNOWN_VALUE.encode() in sent[begin : begin + more] and sent[:begin] + sent[begin + more :] == body
    said = [("user", "What is in it?"), ("assistant", f"Understood, this is answer {provider.last.number}.")]
    assert provider_daemon.messages(known)[-2:] == said


# ---- prompt caches ----


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_a_turn_that_is_a_list_in_one_request_and_a_string_in_the_next_keeps_what_it_was_given(provider_daemon, provider, known, api):
    part = "input_text" if api == "responses" else "text"
    ask(provider_daemon, known, api, [{"role": "user", "content": "The tandem has thirty gears and a broken bell."}])
    history = []
    for turn in ("Hello.", "How many gears has the tandem?", "And where do I live?", "Good."):
        ask(provider_daemon, known, api, [*history, {"role": "user", "content": [{"type": part, "text": turn}]}])
        answer = {"role": "assistant", "content": f"Understood, this is answer {provider.last.number}."}
        history += [{"role": "user", "content": turn}, answer]
    shown = [[(e["role"], texts_of(e["content"])) for e in elements(r.json)] for r in provider.of_dialect(api)[1:]]
    assert [sum("broken bell" in str(texts) for _, texts in prompt) for prompt in shown] == [0, 1, 1, 1]
    for before, behind in zip(shown, shown[1:]):
        assert behind[: len(before)] == before


# ---- our own errors, in the classes of each API's SDK ----


def openai_client(daemon, headers):
    return openai.OpenAI(api_key="k", base_url=daemon.base_url, default_headers=headers, max_retries=0)


def ask_chat(daemon, headers, text):
    openai_client(daemon, headers).chat.completions.create(model="m", messages=[{"role": "user", "content": text}])


def ask_responses(daemon, headers, text):
    openai_client(daemon, headers).responses.create(model="m", input=text)


def ask_messages(daemon, headers, text):
    client = anthropic.Anthropic(api_key="k", base_url=daemon.origin, default_headers=headers, max_retries=0)
    client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])


def ask_ollama(daemon, headers, text):
    ollama.Client(host=daemon.origin, headers=headers).chat("m", [{"role": "user", "content": text}])


OF_OPENAI = {400: openai.BadRequestError, 413: openai.APIStatusError, 502: openai.InternalServerError, 504: openai.InternalServerError}
SDKS = {
    "chat": (ask_chat, OF_OPENAI),
    "responses": (ask_responses, OF_OPENAI),
    "messages": (
        ask_messages,
        {
            400: anthropic.BadRequestError,
            413: anthropic.RequestTooLargeError,
            502: anthropic.InternalServerError,
            504: anthropic.DeadlineExceededError,
        },
    ),
    "ollama": (ask_ollama, dict.fromkeys((400, 413, 502, 504), ollama.ResponseError)),
}


@each
def test_our_errors_are_the_sdks_own_with_our_words(make_daemon, provider, user, api):
    base = {"upstream": {"base_url": provider.base_url, "first_byte_timeout": "300ms"}, "listen": {"max_body": "64K"}}
    daemon, alone = make_daemon(base), make_daemon({"upstream": {"base_url": "http://127.0.0.1:1/v1"}})
    say, classes = SDKS[api]
    provider.script(json_reply({}, first_byte_delay=5))
    cases = [  # in this order: the provider's silence is for the one request that reaches it
        (400, daemon, {"X-Memory-Mode": "loud"}, "Hello", "X-Memory-Mode must be"),
        (413, daemon, {}, "x" * 70_000, "max_body allows"),
        (504, daemon, {}, "Hello", "did not reply in time"),
        (502, alone, {}, "Hello", "cannot be reached"),
    ]
    for status, to, headers, text, words in cases:
        with pytest.raises(classes[status], match=words) as raised:
            say(to, {"X-User-Id": user} | headers, text)
        assert raised.value.status_code == status
