"""OpenAI's Responses API: memory goes in and comes back, byte for byte as the contract has it, without
the provider keeping anything."""

import itertools
import json

import openai
import pytest

from conftest import KNOWN_VALUE, MODES, make_known
from harness.chat import Chat
from harness.memory_model import fact
from harness.responses import Keeper, events, function_call, message, reasoning, response, texts
from harness.talk import Talk, events_of
from harness.upstream import completion, error_reply, json_reply, sse_reply
from harness.wire import insertions
from test_section6 import QUESTION, TURNS

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
STORE = "I'm using ChromaDB for the vector store."


def knows_the_store(seen, body):
    """A model that knows nothing but what it is sent."""
    asks = QUESTION in seen.rsplit("\n", 1)[-1]
    said = "You said that you use ChromaDB." if asks and "ChromaDB" in seen else f"I see: {len(seen)} characters."
    return [reasoning(), message(said)]


class Both(Keeper):
    """Answers chat completions with the same words."""

    def __call__(self, request):
        if not request.target.endswith("/chat/completions"):
            return super().__call__(request)
        seen = "\n".join(texts(request.messages))
        return json_reply(completion(self.output(seen, {})[-1]["content"][0]["text"]))


@pytest.fixture
def provider(upstream):
    upstream.answer = Both(knows_the_store)
    return upstream.answer


def learn_the_store(memory_model):
    memory_model.answers[STORE] = [fact("vector_store", "ChromaDB", "I'm using ChromaDB for the vector store")]


# ---- the conversation that everyone tries first (CONTRACT section 6) ----

STYLES = {
    "all items": {},
    "newest message with a session header": {"newest_only": True, "session": "s-1"},
    "instructions": {"instructions": "Be brief."},
}


@streamed
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
@pytest.mark.parametrize("mode", MODES)
def test_the_vector_store_is_still_known_at_the_sixth_turn(daemon, provider, memory_model, mode_user, mode, style, stream):
    learn_the_store(memory_model)
    user = mode_user(mode)
    talk = Talk(daemon, user, stream=stream, **style)
    for turn in TURNS:
        talk.say(turn)
    daemon.settle(user)
    fresh = Talk(daemon, user, stream=stream, instructions="Be kind.")
    for asking in (talk, fresh):
        answer = asking.say(QUESTION)
        assert "ChromaDB" in answer.text and answer.headers["X-Memory-Mode"] == mode
    assert [m for m in daemon.messages(user) if m[0] == "user"] == [("user", t) for t in [*TURNS, QUESTION, QUESTION]]


@pytest.mark.parametrize("told", [Chat, Talk])
@pytest.mark.parametrize("mode", MODES)
def test_what_was_told_over_one_api_is_known_over_the_other(daemon, provider, memory_model, mode_user, mode, told):
    learn_the_store(memory_model)
    user = mode_user(mode)
    for turn in TURNS:
        told(daemon, user, session="told", newest_only=True).say(turn)
    daemon.settle(user)
    for asked in (Chat, Talk):
        assert "ChromaDB" in asked(daemon, user, session=asked.__name__).say(QUESTION).text


def test_one_session_goes_on_over_both_apis(daemon, provider, memory_model, mode_user):
    user = mode_user("buffer")
    for number, turn in enumerate(TURNS):
        (Chat, Talk)[number % 2](daemon, user, session="one", newest_only=True).say(turn)
    answer = Talk(daemon, user, session="one", newest_only=True).say(QUESTION)
    assert "ChromaDB" in answer.text
    sessions = {m["session"] for m in daemon.memory(user)["messages"]}
    assert sessions == {"one"}


# ---- bytes ----

BODIES = {
    "a string": b'{"model":"m","input":"Hello"}',
    "instructions": b'{"instructions":"Be brief.","input":[{"role":"user","content":"Hello"}],"model":"m"}',
    "null instructions, odd spaces": b' { "input" : "Hello" , "instructions" : null , "temperature":1.00 } ',
    "developer items": json.dumps({"model": "m", "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "A coding agent."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
    ]}).encode(),
    "escapes and items of its own kind": b'{"inp\\u0075t":[{"role":"us\\u0065r","content":"Hell\\u00f6 \\ud83d\\ude00"},'
    b'{"type":"made_up","x":[1e400]}],"model":"m","unknown":{"a":[null]}}',
}
bodies = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())


@bodies
def test_with_nothing_to_remember_the_bytes_are_the_clients(daemon, provider, upstream, user, body):
    reply = daemon.post_chat(body, {"X-User-Id": user}, "/v1/responses")
    assert reply.headers["X-Memory-Status"] == "empty" and upstream.last.body == body


@bodies
def test_what_is_injected_is_inserted_and_nothing_else(daemon, provider, upstream, known_user, body):
    reply = daemon.post_chat(body, {"X-User-Id": known_user}, "/responses")
    sent = upstream.last.body
    assert reply.headers["X-Memory-Status"] == "injected" and KNOWN_VALUE in sent.decode()
    if b"null , " in body:  # which is replaced
        begin, end = sent.index(b"instructions") + 16, sent.index(b' , "temperature')
        sent = sent[:begin] + b"null" + sent[end:]
        assert sent == body
    else:
        assert insertions(body, sent)


@pytest.mark.parametrize("body", [b"[]", b'{"input":7}', b'{"input":"a","input":"b"}', b"{", b'{"input":[1]}'])
def test_what_is_no_request_is_the_providers_business(daemon, upstream, known_user, body):
    reply = daemon.post_chat(body, {"X-User-Id": known_user}, "/v1/responses")
    assert reply.headers["X-Memory-Status"] == "bypassed" and upstream.last.body == body


@pytest.mark.parametrize("fields", [{"generate": False}])
def test_a_side_request_is_left_alone(daemon, provider, upstream, known_user, fields):
    before = daemon.memory(known_user)
    talk = Talk(daemon, known_user, **fields)
    reply = talk.send("Hello")
    assert reply.headers["X-Memory-Status"] == "side" and KNOWN_VALUE not in upstream.last.body.decode()
    assert daemon.memory(known_user) == before


# ---- loops of tool calls, and prompt caches ----


def loop_items(number):
    return [reasoning(number), function_call(f"call_{number}")], [
        {"type": "function_call_output", "call_id": f"call_{number}", "output": "It rains."}
    ]


@streamed
def test_ten_turns_with_a_tool_loop_each_share_their_prefix(daemon, upstream, memory_model, mode_user, stream):
    user = make_known(daemon, memory_model, mode_user("hybrid"))
    numbers = itertools.count(1)

    def output(seen, body):
        n = next(numbers)
        return loop_items(n)[0] if n % 2 else [reasoning(n), message(f"It rains, {n} says.", "final_answer", n)]

    upstream.answer = Keeper(output)
    talk = Talk(daemon, user, stream=stream, instructions="Be brief.")
    for turn in range(10):
        talk.say(f"Where is my favourite city, part {turn}?")
        call = talk.items[-1]["call_id"]
        talk.say([{"type": "function_call_output", "call_id": call, "output": "It rains."}])
    prompts = [(r.json["instructions"], r.json["input"]) for r in upstream.requests]
    for (before, items), (behind, more) in itertools.pairwise(prompts):
        assert before == behind and KNOWN_VALUE in before
        assert more[: len(items)] == items
    said = [m for m in daemon.messages(user) if "part" in m[1] or "says" in m[1]]
    assert [m[0] for m in said] == ["user", "assistant"] * 10


def test_of_a_turn_with_commentary_the_answer_is_kept(daemon, upstream, user):
    whole = [message("Let me see.", "commentary", 1), message("It is Rex.", "final_answer", 2)]
    upstream.answer = Keeper(lambda seen, body: whole)
    talk = Talk(daemon, user)
    talk.say("Who is my dog?")
    talk.say("And again?")
    assert daemon.messages(user) == [
        ("user", "Who is my dog?"), ("assistant", "It is Rex."), ("user", "And again?"), ("assistant", "It is Rex."),
    ]
    assert len({m["session"] for m in daemon.memory(user)["messages"]}) == 1


def test_a_history_that_is_too_long_is_cut(make_daemon, provider, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "hybrid", "history": "trim", "history_tokens": "1000"}})
    talk = Talk(daemon, user)
    for number in range(12):
        talk.say(f"Part {number} of a long story: " + "it went on and on. " * 20)
        daemon.settle(user)
    items = upstream.last.json["input"]
    assert 1 < len(items) < len(talk.items) - 4
    assert items[0]["role"] == "user" and talk.items[-3]["content"] in items[-1]["content"]
    kinds = [item.get("type", "message") for item in items]
    assert kinds.count("reasoning") == kinds.count("message") // 2


# ---- what the client is told ----


def test_a_reply_has_its_fields_receipt_and_dry_run(daemon, provider, upstream, known_user):
    talk = Talk(daemon, known_user)
    shown = talk.send("Hello", {"X-Memory-Dry-Run": "1"})
    answer = talk.say("Hello")
    assert shown.content == upstream.last.body
    assert shown.headers["X-Memory-Tokens"] == answer.headers["X-Memory-Tokens"]
    receipt = daemon.receipt(answer.headers["X-Memory-Receipt"])
    assert receipt["user"] == known_user and receipt["tokens"] == int(answer.headers["X-Memory-Tokens"])


def test_a_preview_is_of_the_dialect_that_is_asked_for(daemon, known_user):
    path = daemon.memory_path(known_user, "/preview")
    preview = daemon.admin("POST", path + "?dialect=responses", json={"question": "Where do I live?"}).json()
    body = json.loads(preview["body"])
    assert "Where do I live?" in str(body["input"]) and KNOWN_VALUE in str(body)
    assert "messages" in json.loads(daemon.admin("POST", path, json={"question": "Hello?"}).json()["body"])
    assert daemon.admin("POST", path + "?dialect=latin", json={"question": "Hello?"}).status_code == 400


@pytest.mark.parametrize("status", [400, 413, 422])
@streamed
def test_a_refused_injection_is_sent_once_more_without(daemon, upstream, known_user, status, stream):
    talk = Talk(daemon, known_user, stream=stream)
    upstream.script(error_reply(status))
    upstream.answer = Keeper()
    answer = talk.say("Hello")
    assert answer.status == "bypassed" and len(upstream.requests) == 2
    assert upstream.last.body == Talk(daemon, known_user, stream=stream).body([{"role": "user", "content": "Hello"}])


def test_a_refusal_for_what_the_provider_keeps_is_not_tried_again(daemon, upstream, known_user):
    upstream.script(error_reply(400, "gone", "previous_response_id", "previous_response_not_found"))
    reply = Talk(daemon, known_user).send("Hello", previous_response_id="resp_0")
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "previous_response_not_found"
    assert len(upstream.requests) == 1


# ---- streams ----

STREAMS = {
    "as OpenAI streams": b"".join(events(response([message("Hi Alex")]))),
    "without lines that name the events": b"".join(events(response([message("Hi Alex")]), line=False)),
    "CRLF": b"".join(events(response([message("Hi Alex")]))).replace(b"\n", b"\r\n"),
    "CR": b"".join(events(response([message("Hi Alex")]))).replace(b"\n", b"\r"),
    "DONE behind": b"".join(events(response([message("Hi Alex")]))) + b"data: [DONE]\n\n",
}


@pytest.mark.parametrize("body", STREAMS.values(), ids=STREAMS.keys())
def test_byte_by_byte_a_stream_arrives_identical_and_is_learned(daemon, upstream, user, body):
    upstream.script(sse_reply([body[i : i + 1] for i in range(len(body))]))
    assert Talk(daemon, user, stream=True).send("Hello").content == body
    assert daemon.messages(user) == [("user", "Hello"), ("assistant", "Hi Alex")]


def test_a_huge_last_event_comes_whole_and_its_exchange_is_kept(daemon, upstream, user):
    picture = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "A" * (6 << 20)}
    told = events(response([message("Here it is."), picture]))
    upstream.script(sse_reply(told))
    assert Talk(daemon, user, stream=True).send("Draw a cat.").content == b"".join(told)
    assert daemon.messages(user) == [("user", "Draw a cat."), ("assistant", "Here it is.")]


def test_ends_beyond_their_share_of_what_is_held_go_on_and_are_counted(make_daemon, upstream, user):
    daemon = make_daemon({"listen": {"max_body": "512K", "max_in_flight": "1M"}})
    picture = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "A" * (1 << 20)}
    talk = Talk(daemon, user, stream=True)
    for told, unheld in ((events(response([message("Small.")])), 0), (events(response([message("Large."), picture])), 1)):
        upstream.script(sse_reply(told))
        assert talk.say("Draw a cat.").body == b"".join(told)
        assert daemon.metric('recalld_bypassed_total{cause="held"}') == unheld
        assert daemon.metric("recalld_held_bytes") == 0
    daemon.stop()  # once what was not waited for is on the disk
    assert [m[1] for m in daemon.start().messages(user)] == ["Draw a cat.", "Small.", "Draw a cat.", "Large."]


BROKEN = events(response([message("Hello Alex")]))[:5]


def openai_client(daemon, user):
    return openai.OpenAI(base_url=daemon.base_url, api_key="k", max_retries=0, default_headers={"X-User-Id": user})


def test_a_break_off_is_told_with_the_next_number(daemon, upstream, user):
    upstream.script(sse_reply(BROKEN, break_after=len(BROKEN)))
    told = events_of(Talk(daemon, user, stream=True).send("Hello").content)
    assert told[-1]["type"] == "error" and told[-1]["sequence_number"] == told[-2]["sequence_number"] + 1
    assert told[-1]["code"] == told[-1]["error"]["code"] == "upstream_broken"
    assert [(m["content"], m["complete"]) for m in daemon.memory(user)["messages"]] == [("Hello", True), ("Hello ", False)]


def test_the_sdk_raises_on_a_break_off(daemon, upstream, user):
    upstream.script(sse_reply(BROKEN, break_after=len(BROKEN)), sse_reply(BROKEN, break_after=len(BROKEN)))
    with openai_client(daemon, user) as client:
        with pytest.raises(openai.APIError, match="broke off"):
            list(client.responses.create(model="m", input="Hello", stream=True))
        with pytest.raises(openai.APIError, match="broke off"), client.responses.stream(model="m", input="Hi") as stream:
            list(stream)


def test_the_sdk_reads_our_errors(make_daemon, user):
    daemon = make_daemon({"upstream": {"base_url": "http://127.0.0.1:1/v1"}})
    with openai_client(daemon, user) as client:
        with pytest.raises(openai.InternalServerError, match="cannot be reached") as raised:
            client.responses.create(model="m", input="Hello")
        assert raised.value.code == "upstream_unreachable"
        with pytest.raises(openai.BadRequestError, match="X-Memory-Mode"):
            client.responses.create(model="m", input="Hello", extra_headers={"X-Memory-Mode": "loud"})


@streamed
def test_the_sdk_gets_its_answer(daemon, provider, memory_model, user, stream):
    learn_the_store(memory_model)
    with openai_client(daemon, user) as client:
        client.responses.create(model="m", input=STORE)
        daemon.settle(user)
        if not stream:
            assert "ChromaDB" in client.responses.create(model="m", input=QUESTION).output_text
            return
        with client.responses.stream(model="m", input=QUESTION) as stream:
            stream.until_done()
            assert "ChromaDB" in stream.get_final_response().output_text


# ---- replies that are no answer ----


@pytest.mark.parametrize(
    ("whole", "kept"),
    [
        (response([message("Half")], status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
         [("user", "Hello"), ("assistant", "Half")]),
        (response([message("Half")], status="incomplete", incomplete_details={"reason": "content_filter"}), []),
        (response([], status="failed", error={"code": "server_error", "message": "x"}), []),
        (response([], status="completed"), []),
    ],
    ids=["cut short", "filtered", "failed", "empty"],
)
@streamed
def test_what_a_reply_leaves_behind(daemon, upstream, known_user, whole, kept, stream):
    before = daemon.messages(known_user)
    upstream.script(sse_reply(events(whole)) if stream else json_reply(whole))
    Talk(daemon, known_user, stream=stream).send("Hello")
    assert daemon.messages(known_user) == before + kept


# ---- compaction ----


@pytest.mark.parametrize("mode", ["vector", "hybrid"])
def test_a_compaction_by_the_last_item_gets_all_that_its_chat_got(daemon, upstream, provider, memory_model, mode_user, mode):
    user = mode_user(mode)
    for said in ("I keep my canoe in Bremen.", "My bicycle is a green Kettler."):
        Talk(daemon, user).say(said)
    talk = Talk(daemon, user)
    for asked in ("Where is my canoe?", "Which bicycle is mine?", "Thank you."):
        talk.say(asked)
    daemon.settle(user)
    given, before = upstream.last.json["input"], daemon.messages(user)
    assert any("Kettler" in item["content"] for item in given[1:] if item.get("role") == "user")
    talk.say([{"type": "compaction_trigger"}])
    assert upstream.last.json["input"][: len(given)] == given
    daemon.settle(user)
    assert daemon.messages(user) == before


@pytest.mark.parametrize("named", [True, False], ids=["session", "no session"])
def test_a_talk_goes_on_behind_a_compacted_window(daemon, upstream, provider, memory_model, mode_user, named):
    """Of which only the user's messages stand, and an item that nobody but the provider can read."""
    user = mode_user("hybrid")
    Talk(daemon, user).say("My bicycle is a green Kettler.")
    talk = Talk(daemon, user, session="s-1" if named else None)
    for asked in ("Where is my canoe?", "Thank you.", "Which day is it?", "Thank you."):
        talk.say(asked)
    Talk(daemon, user).say("Thank you.")
    before = daemon.admin("GET", f"/v1/users?prefix={user}").json()["users"][0]["conversations"]
    window = [item for item in talk.items if item.get("role") == "user"]
    talk.items = [*window, {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAAA"}]
    prompts = []
    for asked in ("Which bicycle is mine?", "And its colour?"):
        talk.say(asked)
        prompts.append((upstream.last.json.get("instructions"), upstream.last.json["input"]))
    assert prompts[0][1][: len(window)] == window and prompts[0][0] == prompts[1][0]
    assert "Kettler" in prompts[0][1][-1]["content"] and prompts[1][1][: len(prompts[0][1])] == prompts[0][1]
    daemon.settle(user)
    after = daemon.admin("GET", f"/v1/users?prefix={user}").json()["users"][0]
    assert (after["conversations"], after["turns"]) == (before, 2 * 8)
