"""What asks on a chat's behalf is no turn of it: side requests, quoted documents, tools."""

import json

import pytest

from harness.chat import Chat
from harness.memory_model import fact, plain
from harness.upstream import completion, json_reply, tool_call
from harness.wire import insertions
from test_modes import FIXTURES, QUESTION, ask

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
CLIENTS = ("librechat", "openwebui", "opencode")
BODIES = {f"{name}-{p.stem}": p.read_bytes() for name in CLIENTS for p in sorted(FIXTURES.glob(f"{name}/*.json"))}
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
