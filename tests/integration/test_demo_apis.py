"""The demo model speaks all four APIs as their SDKs read them, and remembers over each of them through
recalld what was told over another."""

import anthropic
import ollama
import openai
import pytest

from test_clients import QUESTION, STATEMENT, python_client

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def user_turn(text):
    return [{"role": "user", "content": text}]


def responses(origin, headers, text, stream):
    with openai.OpenAI(api_key="k", base_url=origin + "/v1", default_headers=headers, max_retries=0) as client:
        if not stream:
            return client.responses.create(model="demo", input=text).output_text
        with client.responses.stream(model="demo", input=text) as events:
            pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
            final = events.get_final_response()
    assert final.status == "completed" and final.output_text == "".join(pieces)
    return final.output_text


def messages(origin, headers, text, stream):
    asked = {"model": "demo", "max_tokens": 512, "messages": user_turn(text)}
    with anthropic.Anthropic(api_key="k", base_url=origin, default_headers=headers, max_retries=0) as client:
        if not stream:
            return client.messages.create(**asked).content[0].text
        with client.messages.stream(**asked) as events:
            pieces = list(events.text_stream)
            final = events.get_final_message()
    assert final.stop_reason == "end_turn" and final.content[0].text == "".join(pieces)
    return final.content[0].text


def ollama_chat(origin, headers, text, stream):
    reply = ollama.Client(host=origin, headers=headers).chat("demo", user_turn(text), stream=stream)
    if not stream:
        assert reply.done and reply.done_reason == "stop"
        return reply.message.content
    parts = list(reply)
    assert parts[-1].done and not any(part.done for part in parts[:-1])
    return "".join(part.message.content for part in parts)


def chat(origin, headers, text, stream):
    return python_client(origin + "/v1", headers, text, stream)


APIS = {"chat": chat, "responses": responses, "messages": messages, "ollama": ollama_chat}
apis = pytest.mark.parametrize("ask", APIS.values(), ids=APIS.keys())


def origin_of(model):
    return model.base_url.removesuffix("/v1")


@apis
@streamed
def test_the_same_is_said_in_each_api(demo_model, ask, stream):
    origin = origin_of(demo_model)
    assert ask(origin, {}, STATEMENT, stream) == chat(origin, {}, STATEMENT, False) != ""


@apis
@streamed
def test_what_was_told_over_any_api_is_known_over_each(demo_daemon, user, ask, stream):
    headers = {"X-User-Id": user}
    told = ask(demo_daemon.origin, headers | {"X-Session-Id": "told"}, STATEMENT, stream)
    demo_daemon.settle(user)
    assert demo_daemon.messages(user) == [("user", STATEMENT), ("assistant", told)]
    for name, other in APIS.items():
        assert "ChromaDB" in other(demo_daemon.origin, headers | {"X-Session-Id": name}, QUESTION, stream)


# ---- calls for tools, and errors ----

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}
WEATHER = "What is the weather in Lisbon"


@streamed
def test_responses_calls_a_tool_and_says_what_it_gave(demo_model, stream):
    items = user_turn(WEATHER)
    asked = {"model": "demo", "input": items, "tools": [{"type": "function"} | FUNCTION]}
    with openai.OpenAI(api_key="k", base_url=demo_model.base_url, max_retries=0) as client:
        if stream:
            with client.responses.stream(**asked) as events:
                events.until_done()
                reply = events.get_final_response()
        else:
            reply = client.responses.create(**asked)
        [call] = reply.output
        assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", '{"city":"Lisbon"}')
        items += [call.model_dump(), {"type": "function_call_output", "call_id": call.call_id, "output": "It rains."}]
        assert client.responses.create(**asked).output_text == "It rains."


@streamed
def test_messages_calls_a_tool_and_says_what_it_gave(demo_model, stream):
    turns = user_turn(WEATHER)
    tool = {"name": FUNCTION["name"], "input_schema": PARAMETERS}
    asked = {"model": "demo", "max_tokens": 512, "messages": turns, "tools": [tool]}
    with anthropic.Anthropic(api_key="k", base_url=origin_of(demo_model), max_retries=0) as client:
        if stream:
            with client.messages.stream(**asked) as events:
                reply = events.get_final_message()
        else:
            reply = client.messages.create(**asked)
        [call] = reply.content
        assert (reply.stop_reason, call.name, call.input) == ("tool_use", "get_weather", {"city": "Lisbon"})
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "It rains."}
        turns += [{"role": "assistant", "content": [call.model_dump()]}, {"role": "user", "content": [result]}]
        assert client.messages.create(**asked).content[0].text == "It rains."


@streamed
def test_ollama_calls_a_tool_and_says_what_it_gave(demo_model, stream):
    client = ollama.Client(host=origin_of(demo_model))
    turns = user_turn(WEATHER)
    tools = [{"type": "function", "function": FUNCTION}]
    reply = client.chat("demo", turns, tools=tools, stream=stream)
    [called] = [r.message for r in (reply if stream else [reply]) if r.message.tool_calls]
    [call] = called.tool_calls
    assert (call.function.name, call.function.arguments) == ("get_weather", {"city": "Lisbon"})
    turns += [called, {"role": "tool", "tool_name": "get_weather", "content": "It rains."}]
    assert client.chat("demo", turns, tools=tools).message.content == "It rains."


def test_a_limit_is_told_in_each_apis_words(demo_model):
    origin = origin_of(demo_model)
    with openai.OpenAI(api_key="k", base_url=demo_model.base_url) as client:
        cut = client.responses.create(model="demo", input=STATEMENT, max_output_tokens=1)
        assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    with anthropic.Anthropic(api_key="k", base_url=origin) as client:
        assert client.messages.create(model="demo", max_tokens=1, messages=user_turn(STATEMENT)).stop_reason == "max_tokens"
    assert ollama.Client(host=origin).chat("demo", user_turn(STATEMENT), options={"num_predict": 1}).done_reason == "length"


def test_the_sdks_read_its_errors(demo_model):
    origin = origin_of(demo_model)
    with openai.OpenAI(api_key="k", base_url=demo_model.base_url, max_retries=0) as client:
        with pytest.raises(openai.BadRequestError, match="nothing is stored"):
            client.responses.create(model="demo", input="Hi", previous_response_id="resp_1")
    with anthropic.Anthropic(api_key="k", base_url=origin, max_retries=0) as client:
        with pytest.raises(anthropic.BadRequestError, match="messages"):
            client.messages.create(model="demo", max_tokens=9, messages=[])
    with pytest.raises(ollama.ResponseError, match="messages"):
        ollama.Client(host=origin).chat("demo", [])
