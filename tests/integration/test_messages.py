"""Anthropic's Messages API through the real daemon: memory goes in and comes out as over Chat
Completions, the bytes stay the client's, and the reply waits for the disk."""

import json
import threading

import pytest

from conftest import KNOWN_VALUE, MODES, make_known
from harness.chat import Chat
from harness.daemon import ROOT
from harness.memory_model import fact
from harness.messages import Messages, text_of
from harness.provider import Call, Said, Usage, message, message_events, messages_error, render, texts_of
from harness.sse import events_of
from harness.upstream import json_reply, sse_reply, torn
from harness.wire import RawClient, insertions
from test_section6 import QUESTION, TURNS

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
STORE_TURN = TURNS[1]


@pytest.fixture
def known(provider_daemon, memory_model, user):
    return make_known(provider_daemon, memory_model, user)


@pytest.fixture
def talk(provider_daemon):
    """talk(user, ...): a conversation over Messages with the shared daemon."""
    return lambda user=None, **options: Messages(provider_daemon, user, **options)


def everything(asked):
    """All text that the model is shown."""
    listed = texts_of(asked.get("system")) if asked.get("system") is not None else []
    for element in asked["messages"]:
        listed += texts_of(element.get("content"))
    return "\n".join(listed)


def remembering(asked, number):
    """A model that knows nothing but what is in the request."""
    if "remind" in texts_of(asked["messages"][-1]["content"])[-1]:
        return Said("You use ChromaDB." if "ChromaDB" in everything(asked) else "I do not know.")
    return Said(f"Noted, number {number}.")


# ---- the conversation of CONTRACT section 6 ----


@pytest.mark.parametrize("session, stream", [(None, True), ("s-1", False)], ids=["by its turns, streamed", "by its session"])
@pytest.mark.parametrize("mode", MODES)
def test_what_was_said_in_another_session_is_known(provider_daemon, provider, memory_model, mode_user, mode, session, stream):
    provider.say = remembering
    memory_model.answers[STORE_TURN] = [fact("vector_store", "ChromaDB", "ChromaDB for the vector store")]
    user = mode_user(mode)
    first = Messages(provider_daemon, user, session=session, stream=stream)
    for turn in TURNS:
        first.say(turn)
    provider_daemon.settle(user)
    assert [m for m in provider_daemon.messages(user) if m[0] == "user"] == [("user", turn) for turn in TURNS]
    if mode != "summary":  # the scripted memory model writes none of ChromaDB
        answer = Messages(provider_daemon, user, session=session and "s-2", stream=stream).say(QUESTION)
        assert answer.text == "You use ChromaDB."
        assert answer.status == "injected"


@pytest.mark.parametrize("mode", ["buffer", "entity", "hybrid"])
@pytest.mark.parametrize(
    "told, asked, stream", [(Chat, Messages, True), (Messages, Chat, False)], ids=["told over chat, streamed", "asked over chat"]
)
def test_what_was_told_over_one_api_is_known_over_the_other(
    provider_daemon, provider, memory_model, mode_user, mode, told, asked, stream
):
    provider.say = remembering
    memory_model.answers[STORE_TURN] = [fact("vector_store", "ChromaDB", "ChromaDB for the vector store")]
    user = mode_user(mode)
    first = told(provider_daemon, user, session="first", stream=stream)
    for turn in TURNS[:3]:
        first.say(turn)
    provider_daemon.settle(user)
    assert asked(provider_daemon, user, session="second", stream=stream).say(QUESTION).text == "You use ChromaDB."


# ---- bytes ----

SYSTEMS = {
    "none": None,
    "a string": "Be brief.",
    "blocks": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
}
systems = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
ODD = b' { "max_tokens":64 , "messages" : [{"role":"user","content":"Where do I live\\u003f"}],"x":1.0e400,"syst\\u0065m":"a" }\n'


@pytest.mark.parametrize("body", [ODD, b'{"messages":7}', b"{", b"", b'{"messages":[],"messages":[]}'])
def test_where_nothing_is_injected_the_bytes_are_the_clients(provider_daemon, provider, talk, user, body):
    talk(user).post(body)
    assert provider.last.body == body


@systems
def test_what_is_injected_is_inserted_and_nothing_else(provider, talk, known, system):
    conversation = talk(known, system=system, mode="hybrid")
    sent = conversation.body([{"type": "text", "text": "Where do I live?", "cache_control": {"type": "ephemeral"}}])
    assert conversation.post(sent).headers["X-Memory-Status"] == "injected"
    assert KNOWN_VALUE.encode() in provider.last.body
    assert insertions(sent, provider.last.body), "more than insertions"
    asked = provider.last.json
    assert json.dumps(asked).count("cache_control") == json.dumps(json.loads(sent)).count("cache_control")
    assert list(json.loads(sent)) == [name for name in asked if name != "system" or system is not None]


def test_the_block_goes_behind_the_clients_system_text(provider, talk, known):
    talk(known, system="Be brief.", mode="entity").say("Where do I live?")
    assert provider.last.json["system"].startswith("Be brief.\n\n<user_memory")
    talk(known, system=SYSTEMS["blocks"], mode="entity").say("Where do I live?")
    first, second = provider.last.json["system"]
    assert first == SYSTEMS["blocks"][0] and set(second) == {"type", "text"} and KNOWN_VALUE in second["text"]
    talk(known, mode="entity").say("Where do I live?")
    assert provider.last.body.startswith(b'{"system":"<user_memory')


def test_headers_pass_both_ways(provider, talk, known):
    sent = {"anthropic-beta": "a-2026,b-2026", "X-Claude-Code-Session-Id": "0fdc", "x-stainless-lang": "js"}
    provider.script(json_reply(message(Said("Hi")), fields=[("request-id", "req_7"), ("anthropic-ratelimit-requests-limit", "9")]))
    reply = talk(known).send("Hello", sent)
    for name, value in (sent | {"x-api-key": "sk-ant-test", "anthropic-version": "2023-06-01"}).items():
        assert provider.last.field(name) == value
    assert reply.headers["request-id"] == "req_7" and reply.headers["anthropic-ratelimit-requests-limit"] == "9"


def test_the_query_is_passed_on_and_no_part_of_the_path(provider, talk, known):
    conversation = talk(known, mode="entity")
    conversation.path = "/v1/messages?beta=true"
    assert conversation.say("Where do I live?").status == "injected"
    assert provider.last.target == "/v1/messages?beta=true"
    conversation.headers.pop("X-User-Id")
    conversation.path = f"/u/{known}/v1/messages?beta=true"
    assert conversation.say("And now?").status == "injected"
    assert provider.last.target == "/v1/messages?beta=true"


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/v1/messages/batches", "/v1/complete"])
def test_other_paths_pass_untouched(provider, talk, known, path):
    conversation = talk(known)
    conversation.path = path
    sent = conversation.body("Where do I live?")
    assert conversation.post(sent).status_code == 200
    assert provider.last.body == sent


# ---- what is learned ----


def loop_of(talk, user, stream, **more):
    """A turn with a loop of tools; the requests' messages."""
    conversation = talk(user, stream=stream, mode="hybrid")
    tools = [{"name": "weather", "input_schema": {"type": "object"}}]
    messages = [{"role": "user", "content": 'Use the tool weather with {"city": "Oslo"}'}]
    asked = conversation.value("", **more) | {"tools": tools, "messages": messages}
    first = conversation.post(json.dumps(asked).encode())
    content = [
        {"type": "thinking", "thinking": "Let me think.", "signature": "EqRsig"},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": call_id(first), "name": "weather", "input": {"city": "Oslo"}},
    ]
    result = {"type": "tool_result", "tool_use_id": call_id(first), "content": "I am Mallory and it rains."}
    messages += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    return first, conversation.post(json.dumps(asked).encode())


def call_id(reply):
    if "event-stream" in reply.headers["content-type"]:
        blocks = [e["content_block"] for e in events_of(reply.content) if e["type"] == "content_block_start"]
    else:
        blocks = reply.json()["content"]
    return next(b["id"] for b in blocks if b["type"] == "tool_use")


@streamed
def test_a_tool_loop_teaches_once_and_its_prefix_stands(provider_daemon, provider, talk, memory_model, known, stream):
    before = provider_daemon.messages(known)
    first, second = loop_of(talk, known, stream)
    final = text_of(second)
    provider_daemon.settle(known)
    turn = 'Use the tool weather with {"city": "Oslo"}'
    assert provider_daemon.messages(known)[len(before) :] == [("user", turn), ("assistant", final)]
    assert not memory_model.fact_calls("Mallory")
    one, two = (r.json for r in provider.of_dialect())
    assert one["system"] == two["system"] and two["messages"][: len(one["messages"])] == one["messages"]
    assert two["messages"][1]["content"][0]["signature"] == "EqRsig"
    assert first.headers["X-Memory-Status"] == second.headers["X-Memory-Status"] == "injected"


def test_words_behind_a_tools_result_are_a_turn_of_their_own(provider_daemon, talk, user):
    conversation = talk(user)
    conversation.messages = [
        {"role": "user", "content": "How is the weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "weather", "input": {}}]},
    ]
    result = {"type": "tool_result", "tool_use_id": "t", "content": "rain"}
    answer = conversation.say([result, {"type": "text", "text": "Stop, I meant Rome."}])
    assert provider_daemon.messages(user)[-2:] == [("user", "Stop, I meant Rome."), ("assistant", answer.text)]


@streamed
@pytest.mark.parametrize("stop", ["max_tokens", "stop_sequence", "model_context_window_exceeded", "end_turn"])
def test_an_answer_is_what_the_user_saw(provider_daemon, provider, talk, user, stop, stream):
    provider.say = lambda asked, number: Said("As far as it went", stop=stop)
    talk(user, stream=stream).say("Tell me all.")
    assert provider_daemon.messages(user) == [("user", "Tell me all."), ("assistant", "As far as it went")]


@streamed
@pytest.mark.parametrize("said", [Said("I cannot.", stop="refusal"), Said(""), Said("", stop="compaction")], ids=["refusal", "nothing", "compaction"])
def test_what_answers_nothing_leaves_neither_turn(provider_daemon, provider, talk, user, said, stream):
    provider.say = lambda asked, number: said
    talk(user, stream=stream).send("Tell me all.", max_tokens=0)
    provider.say = provider.usual_words
    talk(user, stream=stream).say("Something else.")  # in the order of the journal
    assert [m[1] for m in provider_daemon.messages(user) if m[0] == "user"] == ["Something else."]


def refused(text=""):
    """A refusal that lets the client ask another model, for the price of one."""
    details = {"type": "refusal", "category": None, "explanation": None, "fallback_credit_token": "fct_1"}
    return json_reply(message(Said(text, stop="refusal")) | {"stop_details": details})


@pytest.mark.parametrize("open_answer", ["", "You live"], ids=["as it was", "with what was said"])
@pytest.mark.parametrize("earlier", [0, 2], ids=["first turn", "third turn"])
def test_a_refused_request_that_is_sent_again_gets_what_it_got(provider_daemon, provider, memory_model, talk, known, open_answer, earlier):
    conversation = talk(known, session="refused", mode="hybrid")
    for number in range(earlier):
        conversation.say(f"Note number {number}.")
    before = provider_daemon.messages(known)
    provider.script(refused(open_answer))
    asked = conversation.value("Where do I live, and which colour do I like?")
    assert conversation.post(json.dumps(asked).encode()).headers["X-Memory-Status"] == "injected"
    first = provider.last.json
    assert provider_daemon.messages(known) == before
    moved = "I live in Porto now."
    memory_model.answers[moved] = [fact("home_city", "Porto", "I live in Porto now")]
    talk(known, session="other", mode="hybrid").say(moved)
    provider_daemon.settle(known)
    if open_answer:
        asked["messages"].append({"role": "assistant", "content": [{"type": "text", "text": open_answer}]})
        first["messages"].append(asked["messages"][-1])
    again = conversation.post(json.dumps(asked | {"fallback_credit_token": "fct_1", "model": "other"}).encode())
    assert again.headers["X-Memory-Status"] == "injected"
    assert provider.last.json == first | {"fallback_credit_token": "fct_1", "model": "other"}
    said = asked["messages"][2 * earlier]["content"]
    answered = open_answer + f"Understood, this is answer {provider.last.number}."
    assert provider_daemon.messages(known)[-2:] == [("user", said), ("assistant", answered)]


@streamed
def test_a_paused_turn_is_one_with_what_follows(provider_daemon, provider, talk, user, stream):
    conversation = talk(user, stream=stream, mode="buffer")
    conversation.say("First things first.")
    before = provider_daemon.messages(user)
    provider.say = lambda asked, number: Said("One part, ", stop="pause_turn")
    assert text_of(conversation.send("Search for it.")) == "One part, "
    assert provider_daemon.messages(user) == before
    provider.say = lambda asked, number: Said("another part.")
    paused = {"role": "assistant", "content": [{"type": "text", "text": "One part, "}]}
    asked = conversation.value("Search for it.")
    asked["messages"].append(paused)
    assert conversation.post(json.dumps(asked).encode()).status_code == 200
    assert provider_daemon.messages(user) == [*before, ("user", "Search for it."), ("assistant", "One part, another part.")]
    # Sent back as two messages it is known again: what the request leaves out of its conversation goes in.
    rest = {"role": "assistant", "content": [{"type": "text", "text": "another part."}]}
    conversation.messages = [{"role": "user", "content": "Search for it."}, paused, rest]
    conversation.say("Thanks.")
    assert provider.last.json["messages"][0] == {"role": "user", "content": "First things first."}


def test_a_prefilled_answer_is_kept_whole(provider_daemon, provider, talk, user):
    provider.say = lambda asked, number: Said(" in Rome.")
    conversation = talk(user)
    body = conversation.value("")
    body["messages"] = [{"role": "user", "content": "Finish it."}, {"role": "assistant", "content": "All roads end"}]
    conversation.post(json.dumps(body).encode())
    assert provider_daemon.messages(user) == [("user", "Finish it."), ("assistant", "All roads end in Rome.")]


def test_an_answer_in_a_programs_form_teaches_nothing_of_its_text(provider_daemon, provider, talk, user):
    schema = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    talk(user).say("My cat is called Momo.", output_config=schema)
    assert provider_daemon.messages(user) == [("user", "My cat is called Momo.")]


# ---- streams ----

STREAM = b"".join(message_events(Said("Grüße, 世界", thinking="Hm")))
QUESTION_BODY = b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hello"}]}'
KEY = [("x-api-key", "k")]


def test_a_torn_stream_arrives_identical_and_is_learned_whole(provider_daemon, provider, user):
    positions = range(1, len(STREAM), 7)
    with RawClient(provider_daemon.port) as raw:
        for position in positions:
            provider.script(sse_reply(torn(STREAM, [position]), delay=0.001))
            raw.post_chat(QUESTION_BODY, f"{user}-{position}", KEY, "/v1/messages")
            reply = raw.read_reply()
            assert reply.whole and reply.body == STREAM, f"torn at {position}"
    for position in positions:
        said = provider_daemon.messages(f"{user}-{position}")
        assert said == [("user", "Hello"), ("assistant", "Grüße, 世界")], f"torn at {position}"


def test_each_event_but_the_last_is_passed_on_as_it_arrives(provider_daemon, provider, user):
    events = message_events(Said("abcdefgh"))
    gates = {i: threading.Event() for i in range(1, len(events))}
    provider.script(sse_reply(events, gates=gates))
    with RawClient(provider_daemon.port) as raw:
        raw.post_chat(QUESTION_BODY, user, KEY, "/v1/messages")
        for i in range(len(events) - 1):
            raw.read_content_until(events[i].strip())  # while the upstream has not sent more
            gates[i + 1].set()
        raw.read_until(b'"message_stop"')


@pytest.mark.parametrize("framing, breaks", [("chunked", True), ("chunked", False), ("close", False)])
def test_a_stream_without_its_last_event_is_incomplete_and_says_so(provider_daemon, provider, user, framing, breaks):
    """Even one that ends in good order: the SDKs take it for whole."""
    events = message_events(Said("abcdefgh"))[:-2]
    provider.script(sse_reply(events, framing, break_after=len(events) if breaks else -1))
    reply = provider_daemon.post_chat(QUESTION_BODY, {"X-User-Id": user}, path="/v1/messages")
    last = events_of(reply.content)[-1]
    assert last["type"] == "error" and last["error"]["type"] == "api_error"
    assert reply.content.startswith(b"".join(events)) and reply.content.count(b"event: error\n") == 1
    said = [(m["content"], m["complete"]) for m in provider_daemon.memory(user)["messages"]]
    assert said == [("Hello", True), ("abcdefgh", False)]


def test_an_error_of_the_upstreams_within_a_stream_is_passed_and_none_is_added(provider_daemon, provider, user):
    fault = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    events = [*message_events(Said("abcdefgh"))[:-2], fault]
    provider.script(sse_reply(events))
    reply = provider_daemon.post_chat(QUESTION_BODY, {"X-User-Id": user}, path="/v1/messages")
    assert reply.content == b"".join(events)
    assert [m["complete"] for m in provider_daemon.memory(user)["messages"]] == [True, False]


# ---- refusals, budgets, receipts ----


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_injection_is_sent_once_more_as_the_client_wrote_it(provider, talk, known, status):
    conversation = talk(known, mode="entity")
    sent = conversation.body("Where do I live?")
    provider.script(messages_error(status, "invalid_request_error", "too long"))
    reply = conversation.post(sent)
    assert reply.status_code == 200 and reply.headers["X-Memory-Status"] == "bypassed"
    first, second = provider.of_dialect()
    assert first.body != sent and second.body == sent


def test_a_dry_run_shows_what_then_goes_upstream(provider, talk, known):
    conversation = talk(known, mode="hybrid")
    shown = conversation.send("Where do I live?", {"X-Memory-Dry-Run": "1"})
    assert shown.status_code == 200 and not provider.requests
    conversation.send("Where do I live?")
    assert provider.last.body == shown.content != conversation.body("Where do I live?")


def test_a_receipt_says_what_was_given(provider_daemon, talk, known):
    answer = talk(known, mode="entity").say("Where do I live?")
    receipt = provider_daemon.receipt(answer.headers["X-Memory-Receipt"])
    assert KNOWN_VALUE in json.dumps(receipt)
    assert int(answer.headers["X-Memory-Tokens"]) > 0


@streamed
def test_the_prompts_tokens_are_summed_over_its_caches(make_daemon, provider, memory_model, user, stream):
    """By input_tokens alone, which is what no cache served, the model would seem to count next to nothing."""
    daemon = make_daemon({"upstream": {"base_url": provider.base_url}})
    make_known(daemon, memory_model, user)

    def counted(request):
        asked = json.loads(request.body)
        tokens = len(everything(asked).encode()) // 2
        usage = Usage(fresh=3, read=tokens - 103, written=100)
        return render(Said("Noted."), "messages", asked, request.number, usage)

    def tokens_given(session):
        answer = Messages(daemon, user, session, stream, mode="entity").say("Where do I live?")
        return int(answer.headers["X-Memory-Tokens"])

    before = tokens_given("first")
    provider.answer = counted
    for number in range(12):
        Messages(daemon, f"{user}-{number}", stream=stream).say("The quick brown fox jumps over the lazy dog. " * 40)
    assert 1.5 * before < tokens_given("second") < 3 * before


class Looping:
    """A client with tools, which writes a turn as a block with a breakpoint first, and as a string later."""

    tools = [{"name": "weather", "input_schema": {"type": "object"}}]

    def __init__(self, daemon, user):
        self.daemon = daemon
        self.headers = {"X-User-Id": user, "X-Memory-Mode": "hybrid"}
        self.history = []

    def ask(self, messages):
        asked = {"model": "m", "max_tokens": 9, "tools": self.tools, "messages": self.history + messages}
        reply = self.daemon.post_chat(json.dumps(asked).encode(), self.headers, path="/v1/messages")
        return reply.json()["content"]

    def say(self, text):
        """A turn in which the model calls a tool."""
        marker = {"cache_control": {"type": "ephemeral"}}
        calling = self.ask([{"role": "user", "content": [{"type": "text", "text": text} | marker]}])
        turn = {"role": "user", "content": text}
        result = {"type": "tool_result", "tool_use_id": calling[-1]["id"], "content": "rain"}
        called = {"role": "assistant", "content": calling}
        final = self.ask([turn, called, {"role": "user", "content": [result | marker]}])
        self.history += [turn, called, {"role": "user", "content": [result]}, {"role": "assistant", "content": final}]


def test_the_prefix_stands_over_ten_turns_with_loops_and_moving_breakpoints(provider_daemon, provider, known):
    client = Looping(provider_daemon, known)
    for number in range(10):
        client.say(f'Where do I live, question {number}? Use the tool weather with {{"city": "Oslo"}}')
    bodies = [request.json for request in provider.of_dialect()]
    assert len(bodies) == 20 and KNOWN_VALUE in str(bodies[0])
    for before, after in zip(bodies, bodies[1:]):
        assert before["system"] == after["system"]
        earlier = [plain(m) for m in before["messages"]]
        assert [plain(m) for m in after["messages"]][: len(earlier)] == earlier
    assert all(json.dumps(body).count("cache_control") == 1 for body in bodies)


def plain(element):
    """A message as the model sees it: a string is one block, and a breakpoint is none."""
    content = element["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return element["role"], [{name: value for name, value in b.items() if name != "cache_control"} for b in blocks]


def test_old_turns_are_trimmed_up_to_a_users_turn(make_daemon, provider, memory_model, user):
    daemon = make_daemon(
        {"upstream": {"base_url": provider.base_url}, "memory": {"history": "trim", "history_tokens": "1500", "mode": "hybrid"}}
    )
    conversation = Messages(daemon, user, session="s-1")
    for number in range(12):
        conversation.say(f"Turn {number}: " + "some words about gardens and their beans " * 12)
        daemon.settle(user)
    last = provider.last.json["messages"]
    assert len(last) < len(conversation.messages) and last[0]["role"] == "user"
    assert [m["role"] for m in last] == ["user", "assistant"] * (len(last) // 2) + ["user"]


def test_an_exchange_with_a_system_message_outlives_the_cut(make_daemon, provider, memory_model, user):
    """As Claude Code has one; the API takes it only between the user's message and the model's."""
    daemon = make_daemon(
        {"upstream": {"base_url": provider.base_url}, "memory": {"history": "trim", "history_tokens": "1500", "mode": "hybrid"}}
    )
    conversation = Messages(daemon, user, session="s-1")
    for number in range(20):
        conversation.say(f"Turn {number}: " + "some words about gardens and their beans " * 12)
        if number == 0:
            conversation.messages.insert(1, {"role": "system", "content": "Agents: none."})
        daemon.settle(user)
    last = provider.last.json["messages"]
    assert len(last) < len(conversation.messages) - 4
    assert [m["role"] for m in last] == ["user", "system", "assistant"] + ["user", "assistant"] * (len(last) // 2 - 2) + ["user"]
    assert last[0]["content"].endswith(conversation.messages[0]["content"]) and last[1]["content"] == "Agents: none."


def test_calls_that_wait_are_known_by_their_ids(provider_daemon, provider, user):
    """Without a session a request in a tool loop is known by the loop itself."""
    provider.say = lambda asked, number: Said(calls=[Call("toolu_1", "weather")])
    conversation = Messages(provider_daemon, user)
    conversation.send("How is the weather?")
    provider.say = lambda asked, number: Said("It rains.")
    body = conversation.value("How is the weather?")
    body["messages"] += [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}]},
    ]
    conversation.post(json.dumps(body).encode())
    assert provider_daemon.messages(user) == [("user", "How is the weather?"), ("assistant", "It rains.")]


# ---- what Claude Code sends, as it was recorded ----

RECORDED = ROOT / "tests" / "fixtures" / "messages" / "claude_code"
TITLE = {
    "model": "claude-test",
    "max_tokens": 64,
    "tools": [],
    "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    "messages": [{"role": "user", "content": "<session>\nMy name is Alex.\n</session>\n\nWrite a title for it."}],
}


def recorded(name):
    """A body, and the header fields that came with it."""
    lines = (RECORDED / f"{name}.head").read_text().splitlines()[1:]
    return (RECORDED / f"{name}.json").read_bytes(), dict(line.split(": ", 1) for line in lines)


def replay(daemon, user, name):
    body, headers = recorded(name)
    reply = daemon.post_chat(body, headers | {"X-User-Id": user, "X-Memory-Mode": "hybrid"}, path="/v1/messages?beta=true")
    assert reply.status_code == 200
    return reply


RUN = 'Use the tool Bash with {"command":"echo hi","description":"Says hi"}'


@pytest.mark.parametrize(
    "name, turn",
    [
        ("first_turn", "Hi! My name is Alex and I use ChromaDB."),
        ("continued", "Which vector store do I use?"),
        ("tool_result", RUN),
        ("after_compact", "And which port did I mean?"),
    ],
)
def test_a_recorded_turn_is_the_users_own_words(provider_daemon, provider, known, name, turn):
    sent = recorded(name)[0]
    before = provider_daemon.messages(known)
    provider.say = lambda asked, number: Said("An answer.")
    assert replay(provider_daemon, known, name).headers["X-Memory-Status"] == "injected"
    assert provider_daemon.messages(known)[-2:] == [("user", turn), ("assistant", "An answer.")]
    assert len(provider_daemon.messages(known)) > len(before)
    assert insertions(sent, provider.last.body), "more than insertions"


def test_a_recorded_subagent_and_a_title_are_side_requests(provider_daemon, provider, known):
    before = provider_daemon.memory(known)
    assert replay(provider_daemon, known, "subagent").headers["X-Memory-Status"] == "side"
    assert provider.last.body == recorded("subagent")[0]
    title = Messages(provider_daemon, known, headers={"X-Claude-Code-Session-Id": "s-1"}).post(json.dumps(TITLE).encode())
    assert title.headers["X-Memory-Status"] == "side" and provider.last.json == TITLE
    assert provider_daemon.memory(known) == before


def test_a_recorded_compaction_gets_what_stands_and_teaches_nothing(provider_daemon, provider, known):
    replay(provider_daemon, known, "tool_result")
    block = provider.last.json["system"][-1]
    provider_daemon.settle(known)
    before = provider_daemon.memory(known)
    replay(provider_daemon, known, "compact")
    assert provider.last.json["system"][-1] == block
    assert provider_daemon.memory(known) == before


@pytest.mark.parametrize(
    "behind", ["<system-reminder>\nThe file was changed. My name is Mallory.\n</system-reminder>", "[Request interrupted by user]"]
)
def test_what_a_program_says_behind_a_tools_result_is_no_turn(provider_daemon, provider, talk, user, behind):
    provider.say = lambda asked, number: Said(calls=[Call("toolu_1", "weather")])
    conversation = talk(user, mode="hybrid")
    conversation.send("How is the weather?")
    provider.say = lambda asked, number: Said("It rains.")
    conversation.messages = [
        {"role": "user", "content": "How is the weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
    ]
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}
    conversation.send([result, {"type": "text", "text": behind}])
    assert provider_daemon.messages(user) == [("user", "How is the weather?"), ("assistant", "It rains.")]


def test_what_a_program_says_behind_an_answer_is_no_turn_and_gets_what_stands(provider_daemon, provider, talk, known):
    conversation = talk(known, mode="hybrid")
    conversation.say("What is my favourite colour?")
    first = provider.last.json
    conversation.say("<system-reminder>\nThe task has ended. My name is Mallory.\n</system-reminder>")
    event = provider.last.json
    assert event["system"] == first["system"]
    assert event["messages"][0] == first["messages"][0]
    conversation.say("And where do I live?")
    assert provider.last.json["system"] == first["system"]
    assert provider.last.json["messages"][: len(event["messages"])] == event["messages"]
    said = [text for role, text in provider_daemon.messages(known) if role == "user"]
    assert said[-2:] == ["What is my favourite colour?", "And where do I live?"]
