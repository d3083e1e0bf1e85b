"""Anthropic's own clients, only their base URL and headers changed: the SDKs and Claude Code itself."""

import json
import socket

import anthropic
import pytest

from conftest import KNOWN_VALUE, make_known
from harness.clients import ClaudeCode
from harness.memory_model import fact
from harness.provider import Said, message_events, messages_error
from harness.upstream import json_reply, sse_reply
from test_clients import node

QUESTION = "Where do I live?"
ASKED = [{"role": "user", "content": QUESTION}]
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def known(provider_daemon, memory_model, user):
    return make_known(provider_daemon, memory_model, user)


def python_sdk(origin, headers, stream):
    with anthropic.Anthropic(api_key="sk-ant-test", base_url=origin, default_headers=headers, max_retries=0) as client:
        asked = {"model": "claude-test", "max_tokens": 64, "messages": ASKED}
        if not stream:
            return client.messages.create(**asked).content[0].text
        with client.messages.stream(**asked) as events:
            return events.get_final_message().content[0].text


def node_sdk(origin, headers, stream):
    said = node("anthropic.mjs", baseURL=origin, headers=headers, question=QUESTION, stream=stream)
    if "error" in said:
        raise RuntimeError(f"{said['error']} {said['status']} {said['message']}")
    assert said["finish"] == "end_turn"
    return said["text"]


sdks = pytest.mark.parametrize("ask", [python_sdk, node_sdk], ids=["python", "node"])


@streamed
@sdks
def test_an_sdk_needs_no_change(provider_daemon, provider, known, ask, stream):
    headers = {"X-User-Id": known, "X-Memory-Mode": "entity"}
    text = ask(provider_daemon.origin, headers, stream)
    assert text == f"Understood, this is answer {provider.last.number}."
    assert KNOWN_VALUE in str(provider.last.json["system"])
    assert provider_daemon.messages(known)[-2:] == [("user", QUESTION), ("assistant", text)]
    # By its path alone.
    ask(f"{provider_daemon.origin}/u/{known}", {"X-Memory-Mode": "entity"}, stream)
    assert KNOWN_VALUE in str(provider.last.json["system"])


# ---- what they make of our errors ----


def broken_stream():
    events = message_events(Said("abcdefgh"))[:5]
    return sse_reply(events, break_after=len(events))


@sdks
def test_a_broken_stream_is_an_error(provider_daemon, provider, user, ask):
    provider.script(broken_stream())
    with pytest.raises((anthropic.APIError, RuntimeError), match="broke off"):
        ask(provider_daemon.origin, {"X-User-Id": user}, True)


@streamed
@sdks
def test_a_wrong_mode_is_a_bad_request(provider_daemon, user, ask, stream):
    with pytest.raises((anthropic.BadRequestError, RuntimeError), match="X-Memory-Mode must be") as caught:
        ask(provider_daemon.origin, {"X-User-Id": user, "X-Memory-Mode": "sideways"}, stream)
    assert ask is python_sdk or "BadRequestError 400" in str(caught.value)


@streamed
@sdks
def test_an_unreachable_provider_is_an_internal_error(make_daemon, user, ask, stream):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        daemon = make_daemon({"upstream": {"base_url": f"http://127.0.0.1:{taken.getsockname()[1]}/v1"}})
        with pytest.raises((anthropic.InternalServerError, RuntimeError), match="cannot be reached") as caught:
            ask(daemon.origin, {"X-User-Id": user}, stream)
    assert ask is python_sdk or "InternalServerError 502" in str(caught.value)


def test_a_silent_provider_is_an_error_with_its_type(make_daemon, provider, user):
    daemon = make_daemon({"upstream": {"base_url": provider.base_url, "first_byte_timeout": "300ms"}})
    provider.script(json_reply({}, first_byte_delay=5))
    with pytest.raises(anthropic.APIStatusError) as caught:
        python_sdk(daemon.origin, {"X-User-Id": user}, False)
    assert caught.value.body["error"]["type"] == "timeout_error" and caught.value.status_code == 504
    assert caught.value.response.headers["x-should-retry"] == "false"


@sdks
def test_the_providers_own_errors_pass(provider_daemon, provider, user, ask):
    provider.script(messages_error(529, "overloaded_error", "Overloaded"))
    with pytest.raises((anthropic.APIStatusError, RuntimeError), match="Overloaded"):
        ask(provider_daemon.origin, {"X-User-Id": user}, True)


# ---- threads, which the provider keeps ----


def weather_loop(origin, headers, asked):
    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"It rains in {city}."

    with anthropic.Anthropic(api_key="sk-ant-test", base_url=origin, default_headers=headers, max_retries=0) as client:
        messages = [{"role": "user", "content": asked}]
        runner = client.beta.messages.tool_runner(model="m", max_tokens=64, tools=[weather], messages=messages)
        return runner.until_done()


def test_the_sdks_loop_of_tools_is_one_turn_of_a_thread(provider_daemon, provider, known):
    asked = 'Where do I live? Use the tool weather with {"city": "Oslo"}, please.'
    before = provider_daemon.messages(known)
    final = weather_loop(provider_daemon.origin, {"X-User-Id": known, "X-Memory-Mode": "hybrid"}, asked)
    create, proceed = provider.of_dialect("messages")
    assert create.json["thread"] == {"type": "create"} and KNOWN_VALUE in create.json["system"]
    assert sorted(proceed.json) == ["max_tokens", "messages", "model", "thread"], "a continue takes no system text"
    assert KNOWN_VALUE not in proceed.body.decode()
    assert provider_daemon.messages(known)[len(before) :] == [("user", asked), ("assistant", final.content[0].text)]


def test_a_thread_that_goes_on_is_one_conversation_given_each_thing_once(provider_daemon, provider, known):
    headers = {"X-User-Id": known, "X-Memory-Mode": "hybrid"}
    before = provider_daemon.messages(known)
    answers, thread = [], {"type": "create"}
    for asked in ("Where do I live?", "And which colour do I like?", "Where was it that I live?"):
        body = {"model": "m", "max_tokens": 9, "thread": thread, "messages": [{"role": "user", "content": asked}]}
        reply = provider_daemon.post_chat(json.dumps(body).encode(), headers, path="/v1/messages").json()
        answers += [("user", asked), ("assistant", reply["content"][0]["text"])]
        thread = {"type": "continue", "previous_message_id": reply["id"]}
        provider_daemon.settle(known)
    assert provider_daemon.messages(known)[len(before) :] == answers
    assert ["system" in request.json for request in provider.of_dialect("messages")] == [True, False, False]
    seen = json.dumps(provider.seen[provider.last.number]) + json.dumps(provider.of_dialect("messages")[0].json["system"])
    assert seen.count("My favourite colour is teal and I live in Lisbon.") <= 1, "the model sees a turn twice"
    assert seen.count("<user_memory>\\n") - seen.count("\\n[2026-01-05]") <= 1, "it sees the block twice"


def test_what_changes_in_a_thread_rides_with_the_next_turn(provider_daemon, provider, memory_model, known):
    headers = {"X-User-Id": known, "X-Memory-Mode": "entity"}
    thread = {"type": "create"}

    def ask(text):
        nonlocal thread
        body = {"model": "m", "max_tokens": 9, "thread": thread, "messages": [{"role": "user", "content": text}]}
        reply = provider_daemon.post_chat(json.dumps(body).encode(), headers, path="/v1/messages").json()
        thread = {"type": "continue", "previous_message_id": reply["id"]}
        provider_daemon.settle(known)
        return provider.last.json

    assert KNOWN_VALUE in ask("Where do I live?")["system"]
    moved = "I moved, I live in Porto now."
    memory_model.answers[moved] = [fact("home_city", "Porto", "I live in Porto now")]
    assert ask(moved)["messages"][0]["content"] == moved, "the block stands in the thread"
    told = ask("Where do I live, then?")
    assert "system" not in told
    assert "Porto" in told["messages"][0]["content"] and told["messages"][0]["content"].endswith("\n\nWhere do I live, then?")


# ---- Claude Code ----


@pytest.fixture
def claude(provider_daemon, known, tmp_path):
    return ClaudeCode(f"{provider_daemon.origin}/u/{known}", tmp_path, {"X-Memory-Mode": "hybrid"})


def tool_turn(tool, **arguments):
    return f"Use the tool {tool} with {json.dumps(arguments)}", "--continue", f"--allowedTools={tool}"


def test_claude_code_remembers_over_ten_turns(provider_daemon, provider, claude, known):
    turns = [
        ("Hi! My name is Alex, and where do I live?",),
        ("And which colour do I like?", "--continue"),
        tool_turn("Bash", command="echo hi", description="Says hi"),
        ("Where was it that I live?", "--continue"),
        tool_turn("Agent", description="Looks", prompt="I am the agent and I live in Oslo.", subagent_type="general-purpose"),
        ("Which colour did I say?", "--continue"),
        tool_turn("Bash", command="echo ho", description="Says ho"),
        ("My lucky number is 7412.", "--continue"),
        ("And which city was it?", "--continue"),
        tool_turn("Bash", command="echo hum", description="Hums"),
    ]
    before = len(provider_daemon.memory(known)["messages"])
    answers = [claude.say(*turn) for turn in turns]
    said = provider_daemon.memory(known)["messages"][before:]
    # What an agent in the background then says is told behind the answer, and begins no turn.
    kept = [text for turn, answer in zip(turns, answers) for text in (turn[0], answer.split("\n\n")[0])]
    assert [m["content"] for m in said] == kept
    session = provider.of_dialect()[0].field("X-Claude-Code-Session-Id")
    assert {m["session"] for m in said} == {session}, "one session is one conversation"
    check_requests(provider.of_dialect("messages"), turns)


def check_requests(requests, turns):
    agents = [r for r in requests if r.field("x-claude-code-agent-id")]
    chats = [r for r in requests if r not in agents]
    assert len(agents) == 1 and len(chats) >= len(turns) + 4, "four turns have a second request"
    assert all(KNOWN_VALUE in str(r.json["system"][-1]) for r in chats)
    assert len({str(r.json["system"][-1]) for r in chats}) == 1, "the block stands"
    assert all(r.body.count(b'"cache_control":') <= 4 for r in requests)
    assert all(KNOWN_VALUE not in r.body.decode() for r in agents), "a subagent got memory"
    for before, after in zip(chats, chats[1:]):
        shared = [plain(m) for m in before.json["messages"]]
        assert [plain(m) for m in after.json["messages"]][: len(shared)] == shared
    signed = [block for m in chats[-1].json["messages"] for block in plain(m)[1] if "signature" in block]
    assert [block | {"signature": ""} for block in signed] == [SIGNED] * 4
    assert len({block["signature"] for block in signed}) == 4


SIGNED = {"type": "thinking", "thinking": "Let me think.", "signature": ""}


def plain(element):
    """A message as the model sees it: a string is one block, and a breakpoint is none."""
    content = element["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return element["role"], [{name: value for name, value in b.items() if name != "cache_control"} for b in blocks]


def test_claude_code_tells_our_errors(provider_daemon, provider, user, tmp_path):
    refused = ClaudeCode(f"{provider_daemon.origin}/u/{user}", tmp_path, {"X-Memory-Mode": "sideways"}).run("Hi!")
    assert refused.returncode != 0 and "API Error: 400 X-Memory-Mode must be" in refused.stdout
    provider.answer = lambda request: broken_stream()
    broken = ClaudeCode(f"{provider_daemon.origin}/u/{user}", tmp_path).run("Hi!")
    assert broken.returncode != 0 and "abcdefgh\nAPI Error: Server error mid-response" in broken.stdout
    assert not [m for m in provider_daemon.memory(user)["messages"] if m["role"] == "assistant" and m["complete"]]


def test_claude_codes_session_header_passes_and_its_device_is_no_session(make_daemon, provider, memory_model, tmp_path):
    """Without a header of ours the body's user id tells people apart, not their sessions."""
    daemon = make_daemon({"upstream": {"base_url": provider.base_url}, "identity": {"user_body": "metadata.user_id"}})
    client = ClaudeCode(daemon.origin, tmp_path)
    client.say("My cat is called Momo.")
    client.say("And my dog Rex.")
    assert provider.last.field("X-Claude-Code-Session-Id")
    first, second = (json_of(r)["device_id"] for r in provider.of_dialect("messages"))
    assert first == second
    assert [m[1] for m in daemon.messages(first) if m[0] == "user"] == ["My cat is called Momo.", "And my dog Rex."]


def json_of(request):
    return json.loads(request.json["metadata"]["user_id"])
