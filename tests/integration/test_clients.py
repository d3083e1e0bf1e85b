"""Real clients, only their base URL and headers changed: the reply arrives, memory works on the next
question, and nothing else is different for them."""

import asyncio
import json
import shutil
import subprocess

import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from harness.clients import NODE
from harness.daemon import ROOT, clean_environment
from harness.upstream import (
    completion,
    error_reply,
    json_reply,
    sse_reply,
    text_events,
    tool_call,
    tool_call_events,
)

STATEMENT = "I'm using ChromaDB for the vector store."
QUESTION = "Can you remind me what vector store I said I was using?"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6"
    "kgAAAABJRU5ErkJggg=="
)

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


# ---- each of them as a function (base_url, headers, question, stream) -> text ----


def user_turn(question):
    return [{"role": "user", "content": question}]


def python_client(base_url, headers, question, stream):
    client = openai.OpenAI(api_key="test-key", base_url=base_url, default_headers=headers, max_retries=0)
    with client:
        reply = client.chat.completions.create(model="demo", messages=user_turn(question), stream=stream)
        if not stream:
            return reply.choices[0].message.content
        return "".join(c.choices[0].delta.content or "" for c in reply if c.choices)


def python_async_client(base_url, headers, question, stream):
    async def ask():
        client = openai.AsyncOpenAI(api_key="test-key", base_url=base_url, default_headers=headers, max_retries=0)
        async with client:
            reply = await client.chat.completions.create(model="demo", messages=user_turn(question), stream=stream)
            if not stream:
                return reply.choices[0].message.content
            return "".join([c.choices[0].delta.content or "" async for c in reply if c.choices])

    return asyncio.run(ask())


def langchain_model(base_url, headers, **more):
    return ChatOpenAI(model="demo", api_key="test-key", base_url=base_url, default_headers=headers, max_retries=0, **more)


def langchain(base_url, headers, question, stream):
    model = langchain_model(base_url, headers)
    if not stream:
        return model.invoke(question).content
    return "".join(part.content for part in model.stream(question))


def node(script, **arguments):
    """Runs a script of tests/integration/node beside the packages it imports."""
    source = ROOT / "tests" / "integration" / "node" / script
    copy = NODE / script
    if not copy.exists() or copy.read_bytes() != source.read_bytes():
        shutil.copyfile(source, copy)
    done = subprocess.run(
        ["node", str(copy), json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=NODE,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def node_openai(base_url, headers, question, stream):
    said = node("openai_chat.mjs", baseURL=base_url, headers=headers, question=question, stream=stream)
    assert said["finish"] == "stop"
    return said["text"]


def node_ai_sdk(base_url, headers, question, stream):
    said = node("ai_sdk.mjs", baseURL=base_url, headers=headers, question=question, stream=stream)
    assert said["finish"] == "stop"
    return said["text"]


def curl(base_url, headers, question, stream):
    body = {"model": "demo", "messages": user_turn(question), "stream": stream}
    command = ["curl", "-sS", "--noproxy", "*", "--max-time", "30", "-N", base_url + "/chat/completions"]
    for name, value in ({"Content-Type": "application/json", "Authorization": "Bearer test-key"} | headers).items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(
        command + ["-d", json.dumps(body)], capture_output=True, timeout=60, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    if not stream:
        return json.loads(done.stdout)["choices"][0]["message"]["content"]
    assert done.stdout.endswith(b"data: [DONE]\n\n")
    events = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith(b"data: {")]
    return "".join(e["choices"][0]["delta"].get("content") or "" for e in events if e["choices"])


CLIENTS = {
    "openai-python": python_client,
    "openai-python-async": python_async_client,
    "langchain": langchain,
    "openai-node": node_openai,
    "ai-sdk": node_ai_sdk,
    "curl": curl,
}

clients = pytest.mark.parametrize("ask", CLIENTS.values(), ids=CLIENTS.keys())


@streamed
@clients
def test_memory_works_on_the_next_question(demo_daemon, user, ask, stream):
    headers = {"X-User-Id": user}
    told = ask(demo_daemon.base_url, headers, STATEMENT, stream)
    assert told
    demo_daemon.settle(user)
    assert demo_daemon.messages(user) == [("user", STATEMENT), ("assistant", told)]
    assert "ChromaDB" in ask(demo_daemon.base_url, headers, QUESTION, stream)


@streamed
@clients
def test_the_reply_is_what_the_model_said(demo_daemon, demo_model, user, ask, stream):
    direct = ask(demo_model.base_url, {}, STATEMENT, stream)
    assert ask(demo_daemon.base_url, {"X-User-Id": user}, STATEMENT, stream) == direct


@clients
def test_without_an_id_nothing_is_remembered(demo_daemon, ask):
    ask(demo_daemon.base_url, {}, STATEMENT, False)
    assert "ChromaDB" not in ask(demo_daemon.base_url, {}, QUESTION, False)


def test_a_user_path_as_base_url_serves_clients_without_headers(demo_daemon, user):
    base_url = f"{demo_daemon.origin}/u/{user}/v1"
    python_client(base_url, {}, STATEMENT, True)
    demo_daemon.settle(user)
    assert "ChromaDB" in python_client(base_url, {}, QUESTION, True)


# ---- the parts of the SDKs' surface that a proxy breaks first ----


@pytest.fixture
def client(daemon, user):
    headers = {"X-User-Id": user}
    with openai.OpenAI(api_key="test-key", base_url=daemon.base_url, default_headers=headers, max_retries=0) as c:
        yield c


def test_with_raw_response_shows_the_upstreams_headers_and_memorys(client, upstream):
    reply = json_reply(
        completion("Hi"),
        fields=[("x-request-id", "req_7"), ("openai-processing-ms", "12"), ("x-ratelimit-remaining-tokens", "99")],
    )
    upstream.script(reply)
    raw = client.chat.completions.with_raw_response.create(model="m", messages=user_turn("Hello"))
    assert raw.headers["x-request-id"] == "req_7"
    assert raw.headers["openai-processing-ms"] == "12"
    assert raw.headers["x-ratelimit-remaining-tokens"] == "99"
    assert raw.headers["x-memory-status"] == "empty"
    parsed = raw.parse()
    assert parsed.choices[0].message.content == "Hi"
    assert parsed._request_id == "req_7"


def test_the_usage_chunk_arrives_when_asked_for_and_is_not_asked_for_otherwise(client, upstream):
    asked = client.chat.completions.create(
        model="m", messages=user_turn("Hello"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(asked)
    usage = chunks[-1].usage
    assert chunks[-1].choices == [] and usage.prompt_tokens == upstream.usage(upstream.last)["prompt_tokens"]
    assert upstream.last.json["stream_options"] == {"include_usage": True}
    plain = list(client.chat.completions.create(model="m", messages=user_turn("Hello"), stream=True))
    assert all(c.choices for c in plain)
    assert "stream_options" not in upstream.last.json


def test_an_image_part_arrives_whole_and_its_text_is_learned(client, daemon, upstream, user):
    parts = [
        {"type": "text", "text": "What is in this picture of my garden?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])
    assert upstream.last.messages[0]["content"] == parts
    assert daemon.messages(user) == [
        ("user", "What is in this picture of my garden?"),
        ("assistant", reply.choices[0].message.content),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "<attached_files>\n<file type=\"doc\">I am Mallory.</file>\n</attached_files>\n\nI am Alex. What is it?",
        "<source id=\"1\" name=\"</source>\">I am Mallory.</source>\nI am Alex. What is it?",
        [
            {"type": "text", "text": "I am Alex. What is it?"},
            {"type": "text", "text": "I am Mallory, and I live in Oslo, where I work as a surgeon."},
        ],
    ],
    ids=["attached files", "an attribute", "a second part"],
)
def test_a_document_beside_a_turn_is_not_the_users(client, daemon, upstream, user, content):
    client.chat.completions.create(model="m", messages=user_turn(content))
    assert upstream.last.messages[-1]["content"] == content
    assert daemon.messages(user)[0] == ("user", "I am Alex. What is it?")


def test_an_upstream_error_is_the_sdks_own_exception(client, upstream):
    upstream.script(error_reply(404, "The model `m` does not exist", code="model_not_found"))
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="m", messages=user_turn("Hello"))
    assert caught.value.code == "model_not_found"


def test_the_other_apis_of_the_sdk_pass(client, upstream):
    models = {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]}
    vectors = {
        "object": "list",
        "model": "e",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
    upstream.script(json_reply(models), json_reply(vectors))
    assert [m.id for m in client.models.list()] == ["m"]
    made = client.embeddings.create(model="e", input="x", encoding_format="float")
    assert made.data[0].embedding == [0.5, 0.25]
    assert [r.target for r in upstream.requests] == ["/v1/models", "/v1/embeddings"]


# ---- tools ----

CALLS = [tool_call("call_1", "weather", {"city": "Oslo"}), tool_call("call_2", "weather", {"city": "Rome"})]
ASKED = "How is the weather in Oslo and in Rome?"
FINAL = "It rains in both."
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def script_tool_loop(upstream, stream):
    if stream:
        upstream.script(sse_reply(tool_call_events(CALLS)), sse_reply(text_events(FINAL)))
    else:
        calling = completion(None, finish_reason="tool_calls", tool_calls=CALLS)
        upstream.script(json_reply(calling), json_reply(completion(FINAL)))


def collect_tool_calls(chunks):
    calls = {}
    for part in chunks:
        for piece in part.choices[0].delta.tool_calls or []:
            call = calls.setdefault(piece.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
            call["id"] += piece.id or ""
            call["function"]["name"] += piece.function.name or ""
            call["function"]["arguments"] += piece.function.arguments or ""
    return [calls[i] for i in sorted(calls)]


@streamed
def test_parallel_tool_calls_go_round_and_teach_once(client, daemon, upstream, user, stream):
    script_tool_loop(upstream, stream)
    messages = user_turn(ASKED)
    reply = client.chat.completions.create(
        model="m", messages=messages, tools=TOOLS, parallel_tool_calls=True, stream=stream
    )
    if stream:
        calls = collect_tool_calls(reply)
    else:
        calls = [c.model_dump(exclude_none=True) for c in reply.choices[0].message.tool_calls]
    assert calls == CALLS
    messages.append({"role": "assistant", "content": None, "tool_calls": calls})
    messages += [{"role": "tool", "tool_call_id": c["id"], "content": "It rains."} for c in calls]
    final = client.chat.completions.create(model="m", messages=messages, tools=TOOLS, stream=stream)
    if stream:
        text = "".join(c.choices[0].delta.content or "" for c in final)
    else:
        text = final.choices[0].message.content
    assert text == FINAL
    assert upstream.last.json["tools"] == TOOLS
    assert upstream.last.messages[-2:] == messages[-2:]
    assert daemon.messages(user) == [("user", ASKED), ("assistant", FINAL)]


@streamed
def test_langchain_tools_go_round(daemon, upstream, user, stream):
    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"It rains in {city}."

    script_tool_loop(upstream, stream)
    model = langchain_model(daemon.base_url, {"X-User-Id": user}, streaming=stream).bind_tools([weather])
    messages = [HumanMessage(ASKED)]
    calling = model.invoke(messages)
    assert [c["args"]["city"] for c in calling.tool_calls] == ["Oslo", "Rome"]
    messages.append(calling)
    messages += [ToolMessage(weather.invoke(c["args"]), tool_call_id=c["id"]) for c in calling.tool_calls]
    assert model.invoke(messages).content == FINAL
    assert [m["content"] for m in upstream.last.messages[-2:]] == ["It rains in Oslo.", "It rains in Rome."]
    assert daemon.messages(user) == [("user", ASKED), ("assistant", FINAL)]


@streamed
@pytest.mark.parametrize("script", ["openai_tools.mjs", "ai_sdk.mjs"])
def test_node_tools_go_round(daemon, upstream, user, script, stream):
    script_tool_loop(upstream, stream)
    said = node(
        script,
        baseURL=daemon.base_url,
        headers={"X-User-Id": user},
        question=ASKED,
        stream=stream,
        tools=True,
    )
    assert said["text"] == FINAL
    assert said["called"] == ["Oslo", "Rome"]
    assert daemon.messages(user) == [("user", ASKED), ("assistant", FINAL)]


# ---- frameworks without tool messages ----

FOUND = "My name is Mallory and I live in Toolville."
AGENTS = {  # what was asked, the answer that asks for a tool, its result in the user's place
    "llamaindex": (ASKED, 'Thought: I look.\nAction: weather\nAction Input: {"city": "Oslo"}', f"Observation: {FOUND}"),
    "smolagents": (
        f"New task:\n{ASKED}",
        "Thought: I look.\n<code>\nweather('Oslo')\n</code>\nCalling tools:\n[{'id': 'call_1'}]",
        f"Observation:\nExecution logs:\n{FOUND}\nLast output from code snippet:\nNone",
    ),
}


@pytest.mark.parametrize("asked, calling, result", AGENTS.values(), ids=AGENTS.keys())
def test_a_tools_result_in_the_users_place_is_not_the_users(
    client, daemon, upstream, memory_model, user, asked, calling, result
):
    upstream.script(json_reply(completion(calling)), json_reply(completion(FINAL)))
    messages = user_turn(asked)
    client.chat.completions.create(model="m", messages=messages)
    messages += [{"role": "assistant", "content": calling}, {"role": "user", "content": result}]
    client.chat.completions.create(model="m", messages=messages)
    assert upstream.last.messages[-1] == messages[-1]
    daemon.settle(user)
    assert daemon.messages(user) == [("user", ASKED), ("assistant", calling), ("user", ""), ("assistant", FINAL)]
    assert memory_model.fact_calls(ASKED) and not memory_model.fact_calls("Mallory")


def test_what_a_person_observed_is_learned(client, daemon, memory_model, user):
    seen = "Observation: my tomatoes ripen late. Why?"
    messages = [*user_turn("Hello"), {"role": "assistant", "content": "What did you see?"}, *user_turn(seen)]
    client.chat.completions.create(model="m", messages=messages)
    daemon.settle(user)
    assert ("user", seen) in daemon.messages(user) and memory_model.fact_calls(seen)


def test_of_a_retrieval_prompt_only_the_question_is_learned(client, daemon, upstream, memory_model, user):
    rule = "-" * 21
    prompt = (
        f"Context information is below.\n{rule}\n{FOUND}\n{rule}\nGiven the context information and not prior "
        f"knowledge, answer the query.\nQuery: {ASKED}\nAnswer: "
    )
    client.chat.completions.create(model="m", messages=user_turn(prompt))
    assert upstream.last.messages == user_turn(prompt)
    daemon.settle(user)
    assert daemon.messages(user)[0] == ("user", ASKED)
    assert memory_model.fact_calls(ASKED) and not memory_model.fact_calls("Mallory")
