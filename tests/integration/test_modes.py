"""Modes and what a request may say of them, what a reply says, dry runs, side requests, tool loops,
and what happens when the upstream refuses an injected request."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import KNOWN_VALUE, make_known
from harness.chat import Chat
from harness.daemon import plain_client
from harness.memory_model import fact, plain
from harness.upstream import completion, error_reply, json_reply, tool_call
from harness.wire import RawClient, insertions

QUESTION = b'{"model":"m","messages":[{"role":"user","content":"Where do I live?"}]}'
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def ask(daemon, user, body=QUESTION, **headers):
    fields = {"X-User-Id": user} | {name.replace("_", "-"): value for name, value in headers.items()}
    return daemon.post_chat(body, fields)


# ---- X-Memory-Mode ----


@pytest.mark.parametrize("mode", ["buffer", "summary", "entity", "vector", "hybrid", "auto"])
def test_a_mode_of_the_request_injects_and_is_given_back(daemon, upstream, known_user, mode):
    reply = ask(daemon, known_user, X_Memory_Mode=mode)
    assert reply.headers["X-Memory-Mode"] == mode
    assert reply.headers["X-Memory-Status"] == "injected"
    assert KNOWN_VALUE.encode() in upstream.last.body


@pytest.mark.parametrize("word", ["on", "Hybrid", "buffer,entity", "full", "vectors", "0"])
def test_an_unknown_mode_is_400(daemon, upstream, known_user, word):
    reply = ask(daemon, known_user, X_Memory_Mode=word)
    assert reply.status_code == 400 and "X-Memory-Mode" in reply.json()["error"]["message"]
    assert not upstream.requests


def ask_twice(daemon, user, *modes):
    with RawClient(daemon.port) as raw:
        raw.post_chat(QUESTION, fields=[("X-User-Id", user), *(("X-Memory-Mode", mode) for mode in modes)])
        return raw.read_reply()


def test_two_modes_that_differ_are_400(daemon, upstream, user):
    reply = ask_twice(daemon, user, "off", "buffer")
    assert reply.status == 400 and b"X-Memory-Mode must be one of" in reply.body
    assert not upstream.requests
    for modes in (["buffer", "buffer"], ["", "buffer"]):
        assert ask_twice(daemon, user, *modes).field("X-Memory-Mode") == "buffer"


@pytest.mark.parametrize("name", ["X-OpenWebUI-Chat-Id", "X-Session-Id"])
@pytest.mark.parametrize("session", ["temporary:Zx81", "local:Zx81"])
@pytest.mark.parametrize("mode", ["", "hybrid", "readonly"])
def test_a_temporary_chat_is_off(daemon, upstream, known_user, name, session, mode):
    before = daemon.memory(known_user)
    reply = daemon.post_chat(QUESTION, {"X-User-Id": known_user, name: session, "X-Memory-Mode": mode})
    assert (reply.headers["X-Memory-Status"], reply.headers["X-Memory-Mode"]) == ("off", "off")
    assert upstream.last.body == QUESTION
    assert daemon.memory(known_user) == before


def test_a_chat_that_only_speaks_of_temporary_is_none(daemon, known_user):
    for session in ("my temporary:1", "temporary", "localhost:1", "Local:x"):
        assert ask(daemon, known_user, X_Session_Id=session).headers["X-Memory-Mode"] == "hybrid"


def test_an_empty_mode_equals_an_absent_one(daemon, known_user):
    assert ask(daemon, known_user, X_Memory_Mode="").headers["X-Memory-Mode"] == "hybrid"


def test_off_neither_injects_nor_learns(daemon, upstream, memory_model, user):
    body = QUESTION.replace(b"I live", b"the herons of the park live")
    reply = ask(daemon, user, body, X_Memory_Mode="off")
    assert reply.headers["X-Memory-Status"] == "off"
    assert upstream.last.body == body
    assert not daemon.knows(user)
    assert not any(c.holds("herons of the park") for c in memory_model.calls())


def test_readonly_injects_and_learns_nothing(daemon, upstream, memory_model, known_user):
    before = daemon.memory(known_user)
    reply = ask(daemon, known_user, X_Memory_Mode="readonly")
    assert reply.headers["X-Memory-Status"] == "injected"
    assert reply.headers["X-Memory-Mode"] == "readonly"
    assert KNOWN_VALUE.encode() in upstream.last.body
    assert daemon.memory(known_user) == before


def test_inject_off_learns_and_injects_nothing(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"inject": "off"}})
    make_known(daemon, memory_model, user)
    reply = ask(daemon, user)
    assert reply.headers["X-Memory-Status"] == "empty"
    assert upstream.last.body == QUESTION
    daemon.settle(user)
    assert memory_model.fact_calls("Where do I live?")
    assert ("user", "Where do I live?") in daemon.messages(user)


def test_learn_off_injects_and_learns_nothing(make_daemon, upstream, memory_model, user):
    daemon = make_daemon()
    make_known(daemon, memory_model, user)
    daemon.config["memory"] = {"learn": "off"}
    daemon.restart()
    before = daemon.memory(user)
    reply = ask(daemon, user)
    assert reply.headers["X-Memory-Status"] == "injected"
    assert KNOWN_VALUE.encode() in upstream.last.body
    assert daemon.memory(user) == before


def test_mode_header_off_leaves_the_choice_to_the_configuration(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode_header": "off"}})
    make_known(daemon, memory_model, user)
    for word in ("off", "nonsense"):
        reply = ask(daemon, user, X_Memory_Mode=word)
        assert reply.headers["X-Memory-Status"] == "injected"
        assert reply.headers["X-Memory-Mode"] == "hybrid"
    assert ask_twice(daemon, user, "off", "buffer").field("X-Memory-Mode") == "hybrid"
    assert upstream.last.field("X-Memory-Mode") is None


def test_sections_choose_by_model_user_and_the_last_wins(make_daemon, upstream, memory_model, user):
    daemon = make_daemon(
        {
            "memory model=gemma-2*": {"role": "user"},
            f"memory user={user}": {"mode": "entity"},
            "memory model=tiny": {"mode": "off"},
        }
    )
    make_known(daemon, memory_model, user)
    assert ask(daemon, user).headers["X-Memory-Mode"] == "entity"
    tiny = QUESTION.replace(b'"m"', b'"tiny"')
    assert ask(daemon, user, tiny).headers["X-Memory-Status"] == "off"
    gemma = QUESTION.replace(b'"m"', b'"gemma-2-9b"')
    ask(daemon, user, gemma)
    assert [m["role"] for m in upstream.last.messages] == ["user"]
    assert KNOWN_VALUE in upstream.last.messages[0]["content"]


# ---- what a reply says ----


def test_a_reply_says_what_memory_did(daemon, upstream, known_user):
    reply = ask(daemon, known_user)
    assert reply.headers["X-Memory-Status"] == "injected"
    assert int(reply.headers["X-Memory-Tokens"]) > 0
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert receipt["id"] == reply.headers["X-Memory-Receipt"]
    assert (receipt["user"], receipt["mode"], receipt["status"]) == (known_user, "hybrid", "injected")
    assert receipt["tokens"] == int(reply.headers["X-Memory-Tokens"]) <= receipt["budget"]
    assert receipt["bytes_in"] == len(QUESTION)
    assert receipt["bytes_out"] == len(upstream.last.body)
    assert receipt["elapsed_us"] >= 0
    facts = [i for i in receipt["items"] if i["kind"] == "fact"]
    assert any(KNOWN_VALUE in i["text"] for i in facts)
    for item in receipt["items"] + receipt["dropped"]:
        assert item["kind"] in ("fact", "summary", "turn") and {"id", "text", "score", "source", "tokens"} <= set(item)


def test_a_small_budget_drops_and_says_so(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"context_tokens": "90", "mode": "entity"}})
    turn = "I like tea, chess, ferns, opera, kites, soup, maps, clay, ink, moss, silk and jazz."
    things = turn[7:-1].replace(" and ", ", ").split(", ")
    memory_model.answers[turn] = [fact("likes", f"{t} " * 8 + t, t, op="add") for t in things]
    daemon.import_messages(user, [{"role": "user", "content": turn}, {"role": "assistant", "content": "Nice."}])
    daemon.settle(user)
    reply = ask(daemon, user)
    assert 0 < int(reply.headers["X-Memory-Tokens"]) <= 90
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert receipt["dropped"] and receipt["items"]


def test_two_conversations_begun_alike_are_given_the_same_bytes(daemon, upstream, known_user):
    for session in ("one", "two"):
        ask(daemon, known_user, X_Session_Id=session, X_Memory_Mode="entity")
    first, second = upstream.chats()
    assert first.body == second.body != QUESTION


# ---- dry run ----


def test_a_dry_run_shows_what_then_goes_upstream(daemon, upstream, memory_model, known_user):
    before = daemon.memory(known_user)
    dry = ask(daemon, known_user, X_Memory_Dry_Run="1")
    assert dry.status_code == 200 and not upstream.requests
    assert dry.headers["X-Memory-Status"] == "injected"
    assert daemon.memory(known_user) == before
    ask(daemon, known_user)
    assert upstream.last.body == dry.content != QUESTION


def test_a_dry_run_of_what_is_not_injected_is_the_clients_own_body(daemon, upstream, user):
    assert ask(daemon, user, X_Memory_Dry_Run="1").content == QUESTION
    assert daemon.post_chat(QUESTION, {"X-Memory-Dry-Run": "1"}).content == QUESTION
    assert not upstream.requests and not daemon.knows(user)


def test_a_dry_run_freezes_nothing(daemon, upstream, memory_model, known_user):
    ask(daemon, known_user, X_Memory_Dry_Run="1", X_Session_Id="s")
    turn = "I play the oboe."
    memory_model.answers[turn] = [fact("instrument", "oboe", turn)]
    daemon.import_messages(known_user, [{"role": "user", "content": turn}, {"role": "assistant", "content": "Ok."}])
    daemon.settle(known_user)
    ask(daemon, known_user, X_Session_Id="s", X_Memory_Mode="entity")
    assert b"oboe" in upstream.last.body


@pytest.mark.parametrize("body", [b"no json", b'{"prompt":"x"}', b"[]"])
def test_a_dry_run_of_no_chat_request_is_400(daemon, upstream, user, body):
    assert ask(daemon, user, body, X_Memory_Dry_Run="1").status_code == 400
    assert not upstream.requests


def other_address():
    """An address of this machine that is not the loopback interface's, or None."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks the routing table only
            return probe.getsockname()[0]
        except OSError:
            return None


def test_a_dry_run_from_elsewhere_needs_the_admin_token(make_daemon, upstream, user):
    address = other_address()
    if address is None or address.startswith("127."):
        pytest.skip("this machine has only its loopback address")
    daemon = make_daemon({"listen": {"admin_token": "t-1"}}, start=False)
    daemon.config["listen"]["address"] = f"{address}:{daemon.port}"
    daemon.start()
    url = f"http://{address}:{daemon.port}/v1/chat/completions"
    headers = {"X-User-Id": user, "X-Memory-Dry-Run": "1"}
    with plain_client() as client:
        assert client.post(url, content=QUESTION, headers=headers).status_code == 403
        wrong = headers | {"Authorization": "Bearer t-2"}
        assert client.post(url, content=QUESTION, headers=wrong).status_code == 403
        right = headers | {"Authorization": "Bearer t-1"}
        assert client.post(url, content=QUESTION, headers=right).status_code == 200
    assert not upstream.requests


# ---- side requests ----


def check_side(daemon, upstream, memory_model, user, body, **headers):
    before = daemon.memory(user)
    reply = ask(daemon, user, body, **headers)
    assert reply.headers["X-Memory-Status"] == "side"
    assert upstream.last.body == body
    assert daemon.memory(user) == before
    content = json.loads(body)["messages"][-1]["content"]
    newest = plain(content if isinstance(content, str) else content[-1]["text"])[:80]
    assert not memory_model.fact_calls(newest)


def test_the_task_header_marks_a_side_request(daemon, upstream, memory_model, known_user):
    body = QUESTION.replace(b"live", b"keep my kayak")
    check_side(daemon, upstream, memory_model, known_user, body, X_Memory_Task="title")


def test_an_empty_task_header_marks_nothing(daemon, known_user):
    assert ask(daemon, known_user, X_Memory_Task="").headers["X-Memory-Status"] == "injected"


def test_a_request_that_quotes_an_answer_at_length_is_a_side_request(daemon, upstream, memory_model, known_user):
    answer = " ".join(f"Step {i}: turn the {i}th screw of the frame by {i * 7} degrees." for i in range(1, 9))
    upstream.script(json_reply(completion(answer)))
    Chat(daemon, known_user).say("How do I mount the frame?")
    daemon.settle(known_user)
    quoting = f"Give this chat a title.\n\nUser: How do I mount the frame?\n\nAssistant: {answer[:200]}"
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": quoting}]}).encode()
    check_side(daemon, upstream, memory_model, known_user, body)


OWN_TEXT = "And how far apart should I plant them?"  # the newest turn of every fixture that has one
BODIES = {f"{p.parent.name}-{p.stem}": p.read_bytes() for p in sorted(FIXTURES.glob("*/*.json"))}
TURNS = {name: body for name, body in BODIES.items() if name.split("-")[1].startswith(("chat", "rag_turn", "files_"))}
SIDE = {name: body for name, body in BODIES.items() if name not in TURNS}


@pytest.mark.parametrize("body", SIDE.values(), ids=SIDE.keys())
def test_the_side_requests_of_chat_applications_are_known_by_their_shape(daemon, upstream, memory_model, known_user, body):
    check_side(daemon, upstream, memory_model, known_user, body)


@pytest.mark.parametrize("body", SIDE.values(), ids=SIDE.keys())
def test_a_side_request_is_one_in_its_chats_session_too(daemon, upstream, memory_model, known_user, body):
    check_side(daemon, upstream, memory_model, known_user, body, X_Session_Id="chat")


@pytest.mark.parametrize("name", ["X_Claude_Code_Agent_Id", "X_OpenAI_Subagent", "X_OpenAI_Memgen_Request"])
def test_what_an_agent_asks_another_is_a_side_request(daemon, upstream, memory_model, known_user, name):
    body = QUESTION.replace(b"live", b"keep my kayak")
    before = daemon.memory(known_user)
    assert ask(daemon, known_user, body, **{name: "1"}).headers["X-Memory-Status"] == "side"
    assert upstream.last.body == body and daemon.memory(known_user) == before


@pytest.mark.parametrize(
    "asked",
    [
        "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\nSummarize.",
        "Create a new anchored summary from the conversation history.\n\n## Goal",
    ],
)
def test_a_compaction_is_given_what_stands_and_nothing_else(daemon, upstream, memory_model, known_user, asked):
    chat = Chat(daemon, known_user)
    chat.say("Where do I live?")
    daemon.settle(known_user)
    before, given = daemon.messages(known_user), upstream.last.messages
    chat.say(asked)
    assert upstream.last.messages[: len(given)] == given
    assert upstream.last.messages[-1]["content"] == asked
    daemon.settle(known_user)
    assert daemon.messages(known_user) == before and not memory_model.fact_calls(asked[:40])


@pytest.mark.parametrize("body", TURNS.values(), ids=TURNS.keys())
def test_of_a_chat_applications_turn_only_the_users_own_text_is_learned(daemon, upstream, memory_model, known_user, body):
    reply = ask(daemon, known_user, body)
    assert reply.headers["X-Memory-Status"] == "injected"
    assert insertions(body, upstream.last.body)
    daemon.settle(known_user)
    assert ("user", OWN_TEXT) in daemon.messages(known_user)
    (call,) = memory_model.fact_calls(OWN_TEXT)
    assert call.asked.endswith(OWN_TEXT)


def test_documents_that_a_client_wraps_teach_nothing(daemon, upstream, memory_model, user):
    document = "<context>\n<source id=\"1\">The tenant's name is Bartholomew.</source>\n</context>"
    text = f"{document}\n\nWhat is the rent in Aachen?"
    memory_model.answers["Bartholomew"] = [fact("name", "Bartholomew", "The tenant's name is Bartholomew.")]
    Chat(daemon, user).say(text)
    daemon.settle(user)
    assert text in upstream.last.messages[-1]["content"]
    assert not any(c.holds("Bartholomew") for c in memory_model.calls())
    assert daemon.facts(user) == {}
    said = daemon.messages(user)[0][1]
    assert "What is the rent in Aachen?" in said and "Bartholomew" not in said


# ---- tools ----


def test_a_tool_loop_teaches_once_at_its_final_reply_and_its_context_is_frozen(daemon, upstream, memory_model, known_user):
    call = tool_call("call_7", "lookup", {"q": "x"})
    calling = completion(None, finish_reason="tool_calls", tool_calls=[call])
    upstream.script(json_reply(calling), json_reply(calling), json_reply(completion("Found it.")))
    asked = {"role": "user", "content": "Look up my flat's rent."}
    messages = [asked]
    blocks = []
    before = daemon.messages(known_user)
    for round_number in range(3):
        body = json.dumps({"model": "m", "messages": messages}).encode()
        reply = ask(daemon, known_user, body, X_Memory_Mode="hybrid")
        assert reply.status_code == 200
        inserted = insertions(body, upstream.last.body)
        blocks.append([text for _, text in inserted])
        assert upstream.last.messages[-1] == messages[-1], "nothing comes after a tool result"
        if round_number < 2:
            assert daemon.messages(known_user) == before
            assert not memory_model.fact_calls("Look up my flat's rent.")
            messages = messages + [
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_7", "content": f"result {round_number}"},
            ]
    assert blocks[0] == blocks[1] == blocks[2] and blocks[0]
    daemon.settle(known_user)
    assert daemon.messages(known_user) == before + [("user", asked["content"]), ("assistant", "Found it.")]
    assert len(memory_model.fact_calls("Look up my flat's rent.")) == 1
    assert not any(c.holds("result 0") for c in memory_model.calls())


def test_a_request_that_ends_in_a_tool_result_gets_no_turn_of_ours(daemon, upstream, known_user):
    messages = [
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": None, "tool_calls": [tool_call("c1", "f", {})]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    ask(daemon, known_user, body)
    roles = [m["role"] for m in upstream.last.messages]
    assert roles in (["user", "assistant", "tool"], ["system", "user", "assistant", "tool"])


# ---- when the upstream will not have it ----


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_injection_is_sent_once_more_as_the_client_wrote_it(daemon, upstream, known_user, status):
    upstream.script(error_reply(status, "no"), json_reply(completion("Fine.")))
    reply = ask(daemon, known_user)
    assert reply.status_code == 200 and reply.json() == completion("Fine.")
    assert reply.headers["X-Memory-Status"] == "bypassed"
    first, second = upstream.chats()
    assert KNOWN_VALUE.encode() in first.body
    assert second.body == QUESTION


def test_when_both_are_refused_the_second_answer_stands(daemon, upstream, known_user):
    upstream.script(error_reply(400, "with memory"), error_reply(422, "the client's own fault"))
    reply = ask(daemon, known_user)
    assert reply.status_code == 422
    assert reply.json()["error"]["message"] == "the client's own fault"
    assert len(upstream.chats()) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 503])
def test_other_refusals_are_not_tried_again(daemon, upstream, known_user, status):
    upstream.script(error_reply(status, "no"))
    assert ask(daemon, known_user).status_code == status
    assert len(upstream.chats()) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_was_not_injected_is_not_tried_again(daemon, upstream, user, status):
    upstream.script(error_reply(status, "no"))
    assert ask(daemon, user).status_code == status
    assert len(upstream.chats()) == 1


def refuses_system(request):
    roles = [m["role"] for m in request.json["messages"]]
    if "system" in roles:
        return error_reply(400, "System role not supported")
    return json_reply(completion("As you wish."))


def test_a_model_that_refuses_the_system_role_gets_memory_in_the_user_turn_from_then_on(
    make_daemon, upstream, memory_model, user
):
    daemon = make_daemon()
    make_known(daemon, memory_model, user)
    upstream.answer = refuses_system
    first = ask(daemon, user, X_Session_Id="a")
    assert first.headers["X-Memory-Status"] == "bypassed"
    second = ask(daemon, user, X_Session_Id="b")
    assert second.headers["X-Memory-Status"] == "injected"
    assert [m["role"] for m in upstream.last.messages] == ["user"]
    assert KNOWN_VALUE in upstream.last.messages[0]["content"]
    other = QUESTION.replace(b'"m"', b'"another"')
    ask(daemon, user, other, X_Session_Id="c")
    assert [r.messages[0]["role"] for r in upstream.chats()] == ["system", "user", "user", "system", "user"]


@pytest.mark.parametrize(("status", "words"), [(413, "system says: too large"), (400, "temperature is out of range")])
def test_a_refusal_that_is_not_about_roles_moves_no_memory(make_daemon, upstream, memory_model, user, status, words):
    daemon = make_daemon()
    make_known(daemon, memory_model, user)
    upstream.script(json_reply({"error": {"message": words}}, status=status))
    assert ask(daemon, user, X_Session_Id="a").headers["X-Memory-Status"] == "bypassed"
    assert ask(daemon, user, X_Session_Id="b").headers["X-Memory-Status"] == "injected"
    assert upstream.last.messages[0]["role"] == "system"


def test_a_reply_with_response_format_teaches_nothing_of_its_text(daemon, upstream, memory_model, user):
    upstream.script(json_reply(completion('{"city":"Lima"}')))
    turn = "Answer in JSON: which city has llamas?"
    Chat(daemon, user).say(turn, response_format={"type": "json_object"})
    daemon.settle(user)
    assert daemon.messages(user) == [("user", turn)], "without its reply, not with an empty one"


# ---- which conversation ----


def roles_sent(upstream):
    return [m["role"] for m in upstream.last.messages if m["role"] != "system"]


def test_resent_history_finds_its_conversation_whatever_the_white_space_and_reasoning(daemon, upstream, user):
    """Turns of this conversation that the request does not carry go in as turns, so that it is known."""
    headers = {"X-Memory-Mode": "buffer"}
    talk = Chat(daemon, user, headers=headers)
    talk.say("First things first.")
    second = talk.say("And the second thing.")
    spaced = "<think>Let me see.</think>\n\n  " + second.text.replace(" ", "  ") + "\n"
    carried = [
        {"role": "user", "content": "And the second thing, with a document round it."},
        {"role": "assistant", "content": spaced},
        {"role": "user", "content": "Now the third."},
    ]
    daemon.post_chat(json.dumps({"model": "m", "messages": carried}).encode(), talk.headers)
    assert roles_sent(upstream) == ["user", "assistant"] * 2 + ["user"]
    assert upstream.last.body.count(b"First things first.") == 1


@pytest.mark.parametrize("mode", ["hybrid", "vector", "summary", "buffer"])
@pytest.mark.parametrize("session", ["new", None])
def test_what_a_request_carries_is_not_given_again_whichever_conversation_it_is_of(daemon, upstream, user, mode, session):
    old = Chat(daemon, user, session="old", mode=mode)
    old.say("My kayak is called Gerda.")
    answer = old.say("Gerda is a red kayak with two seats.")
    daemon.settle(user)
    new = Chat(daemon, user, session=session, mode=mode)
    new.messages = [
        {"role": "user", "content": "Gerda is a red kayak with two seats."},
        {"role": "assistant", "content": answer.text + " And the client wrote this."},
    ]
    new.say("What is my red kayak called?")
    assert upstream.last.body.count(b"red kayak with two seats") == 1
    assert upstream.last.body.count(b"is called Gerda") == 1


def test_what_stands_before_a_deleted_exchange_is_not_given_again(daemon, upstream, user):
    talk = Chat(daemon, user, session="s", mode="buffer")
    for number in ("first", "second", "third"):
        talk.say(f"This is the {number} thing that I say.")
    del talk.messages[2:4]
    talk.say("And this is the last.")
    assert upstream.last.body.count(b"This is the first thing") == 1
    assert upstream.last.body.count(b"This is the third thing") == 1


def test_a_short_answer_stays_beside_its_question(daemon, upstream, user):
    upstream.script(json_reply(completion("Are you allergic to nuts?")))
    old = Chat(daemon, user, session="old", mode="buffer")
    old.say("Plan a dinner for me, please.")
    old.say("Yes.")
    new = Chat(daemon, user, session="new", mode="buffer")
    new.say("Is it raining?")
    new.say("Yes.")
    body = upstream.last.body
    assert body.index(b"allergic to nuts") < body.index(b"user: Yes.")


def test_a_request_that_resends_no_known_turn_begins_a_new_conversation(daemon, upstream, user):
    Chat(daemon, user, mode="buffer").say("First things first.")
    Chat(daemon, user, mode="buffer").say("A fresh start.")
    assert roles_sent(upstream) == ["user"]


def test_a_regenerated_answer_replaces_the_first(daemon, upstream, memory_model, user):
    talk = Chat(daemon, user)
    talk.say("Hello.")
    for answer in ("The first answer.", "A better answer."):
        upstream.script(json_reply(completion(answer)))
        talk.say("Tell me something.")
        talk.messages = talk.messages[:2]
    daemon.settle(user)
    assert [c for r, c in daemon.messages(user) if r == "user"].count("Tell me something.") == 1
    assert ("assistant", "A better answer.") in daemon.messages(user)
    assert ("assistant", "The first answer.") not in daemon.messages(user)


def ask_two_at_once(chat, upstream, text):
    """Two models are asked the same, and both before either has answered."""
    together = threading.Barrier(2)

    def answer(request):
        together.wait(20)
        return json_reply(completion(f"So says {request.json['model']} of: {text}"))

    upstream.answer = answer
    with ThreadPoolExecutor(2) as pool:
        replies = [pool.submit(chat.send, text, model=model) for model in ("model-a", "model-b")]
        answers = [Chat.read(reply.result()).text for reply in replies]
    upstream.answer = upstream.default_answer
    return answers


@pytest.mark.parametrize("goes_on_from", [0, 1])
def test_a_turn_that_two_models_answer_at_once_is_one_turn(daemon, upstream, memory_model, known_user, goes_on_from):
    chat = Chat(daemon, known_user, session="arena")
    before, lessons = len(daemon.messages(known_user)), len(memory_model.fact_calls())
    asked = ["My boat is called Petrel.", "Its home port is Whitby."]
    for text in asked:
        answer = ask_two_at_once(chat, upstream, text)[goes_on_from]
        chat.messages += [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
    given = upstream.last.messages
    chat.say("Go on.")
    sent = upstream.last.messages
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert sent[: len(given)] == given, "the prefix stands"
    daemon.settle(known_user)
    users = [content for role, content in daemon.messages(known_user)[before:] if role == "user"]
    assert users == [*asked, "Go on."]
    assert len(memory_model.fact_calls()) == lessons + 3, "each turn is learned from once"


@pytest.mark.parametrize("sends", ["joined", "one by one"])
@pytest.mark.parametrize("session", [None, "tale"])
def test_an_answer_that_is_continued_is_one_turn_of_its_conversation(
    daemon, upstream, memory_model, known_user, session, sends
):
    """As "Continue" in chat applications does: the request ends with what the answer has come to."""
    asked = {"role": "user", "content": "Tell me a tale."}

    def answer_to(messages, text):
        upstream.script(json_reply(completion(text)))
        body = json.dumps({"model": "test-model", "messages": messages}).encode()
        reply = daemon.post_chat(body, Chat(daemon, known_user, session).headers)
        assert reply.headers["X-Memory-Status"] == "injected"
        return {"role": "assistant", "content": text}

    begun = answer_to([asked], "Once upon a time")
    history = [asked, begun]
    whole = begun["content"]
    for text in (" there was a king.", " He had a castle."):
        part = answer_to(history, text)
        whole += text
        daemon.settle(known_user)
        assert daemon.messages(known_user)[2:] == [("user", asked["content"]), ("assistant", whole)]
        joined = [asked, {"role": "assistant", "content": whole}]
        history = joined if sends == "joined" else [*history, part]
    answer_to([*history, {"role": "user", "content": "And then?"}], "He died.")
    first = upstream.chats()[0].prompt
    assert [request.prompt.startswith(first) for request in upstream.chats()] == [True] * 4
    daemon.settle(known_user)
    asked_for = [c for c in memory_model.fact_calls() if c.asked.endswith(asked["content"])]
    assert len(asked_for) == 1, "it was learned from twice"
    assert [m["session"] for m in daemon.memory(known_user)["messages"][2:]] == [session] * 4


@pytest.mark.parametrize("reply", [' {"name": "Kim"}', '{"people": [ {"name": "Kim"}'])
def test_an_answer_that_the_client_began_is_kept_whole(daemon, upstream, user, reply):
    """Some servers say its beginning once more."""
    messages = [{"role": "user", "content": "List them."}, {"role": "assistant", "content": '{"people": ['}]
    upstream.script(json_reply(completion(reply)))
    body = json.dumps({"model": "test-model", "messages": messages}).encode()
    daemon.post_chat(body, {"X-User-Id": user})
    assert upstream.last.body == body
    assert daemon.messages(user)[1] == ("assistant", '{"people": [ {"name": "Kim"}')
