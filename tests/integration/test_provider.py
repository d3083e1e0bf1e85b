"""The mock provider: the SDKs take what it says in each API for real, without a daemon between."""

import json

import anthropic
import httpx
import openai
import pytest

from harness.provider import Call, Provider, Said

WORDS = "Grüße, 世界, understood"
ASKED = 'Use the tool weather with {"city": "Oslo"}, please.'
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
USER = [{"role": "user", "content": "Hello"}]

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def provider():
    provider = Provider(WORDS)
    yield provider
    provider.close()
    assert not provider.faults


@pytest.fixture
def openai_client(provider):
    with openai.OpenAI(api_key="k", base_url=provider.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(provider):
    with anthropic.Anthropic(api_key="k", base_url=provider.origin, max_retries=0) as client:
        yield client


def ask_responses(client, stream, **more):
    asked = {"model": "m", "input": "Hello"} | more
    if not stream:
        return client.responses.create(**asked)
    with client.responses.stream(**asked) as events:
        for _ in events:
            pass
        return events.get_final_response()


def ask_messages(client, stream, **more):
    asked = {"model": "m", "max_tokens": 64, "messages": USER} | more
    if not stream:
        return client.messages.create(**asked)
    with client.messages.stream(**asked) as events:
        return events.get_final_message()


@streamed
def test_responses(provider, openai_client, stream):
    reply = ask_responses(openai_client, stream)
    assert reply.output_text == f"{WORDS} 1." and reply.status == "completed"
    tools = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]
    calling = ask_responses(openai_client, stream, input=ASKED, tools=tools)
    call = calling.output[-1]
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "weather", {"city": "Oslo"})
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    final = ask_responses(openai_client, stream, input=[result], previous_response_id=calling.id, tools=tools)
    assert final.output_text == f"{WORDS} 3."
    assert [e.get("type", e.get("role")) for e in provider.seen[3]] == [
        "user",
        "reasoning",
        "message",
        "function_call",
        "function_call_output",
    ]


def test_responses_of_an_unknown_chain(openai_client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask_responses(openai_client, False, previous_response_id="resp_none")
    assert caught.value.code == "previous_response_not_found"


@streamed
def test_messages(anthropic_client, stream):
    reply = ask_messages(anthropic_client, stream)
    assert [b.text for b in reply.content] == [f"{WORDS} 1."] and reply.stop_reason == "end_turn"
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    asked = [{"role": "user", "content": ASKED}]
    calling = ask_messages(anthropic_client, stream, messages=asked, tools=tools)
    assert [b.type for b in calling.content] == ["thinking", "text", "tool_use"] and calling.stop_reason == "tool_use"
    call = calling.content[-1]
    assert (call.name, call.input) == ("weather", {"city": "Oslo"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    asked += [{"role": "assistant", "content": calling.content}, {"role": "user", "content": [result]}]
    assert ask_messages(anthropic_client, stream, messages=asked, tools=tools).content[0].text == f"{WORDS} 3."


def test_messages_of_a_thread(provider, anthropic_client):
    """The SDK's own loop of tools, in which the provider keeps what was said."""

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"It rains in {city}."

    runner = anthropic_client.beta.messages.tool_runner(
        model="m", max_tokens=64, tools=[weather], messages=[{"role": "user", "content": ASKED}]
    )
    assert runner.until_done().content[0].text == f"{WORDS} 2."
    create, proceed = (r.json for r in provider.requests)
    assert create["thread"] == {"type": "create"}
    assert proceed["thread"] == {"type": "continue", "previous_message_id": "msg_0001"}
    assert [e["role"] for e in provider.seen[2]] == ["user", "assistant", "user"]


@streamed
def test_chat(openai_client, stream):
    reply = openai_client.chat.completions.create(model="m", messages=USER, stream=stream)
    text = "".join(c.choices[0].delta.content or "" for c in reply if c.choices) if stream else reply.choices[0].message.content
    assert text == f"{WORDS} 1."


@streamed
def test_ollama(provider, stream):
    provider.say = lambda asked, number: Said(WORDS, [Call("", "weather", {"city": "Oslo"})])
    asked = {"model": "m", "messages": USER} | ({} if stream else {"stream": False})
    with httpx.Client(trust_env=False, timeout=60) as client:
        body = client.post(provider.origin + "/api/chat", json=asked).content
    lines = [json.loads(line) for line in body.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == WORDS
    calls = [call for line in lines for call in line["message"].get("tool_calls", [])]
    assert calls == [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
