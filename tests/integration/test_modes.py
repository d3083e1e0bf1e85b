"""Modes and what a request may say of them, what a reply says, dry runs, side requests, tool loops,
and what happens when the upstream refuses an injected request."""

from pathlib import Path

import pytest
from conftest import KNOWN_VALUE, make_known

from harness.daemon import plain_client
from harness.memory_model import fact
from harness.wire import RawClient

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
    assert reply.status == 400 and b"X-Memory-Mode must be exactly one of" in reply.body
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


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings", "/v1/messages/count_tokens", "/u/ann/v1/responses/r/cancel"])
def test_a_dry_run_where_there_is_no_memory_is_not_sent_either(daemon, upstream, user, path):
    reply = daemon.post_chat(b'{"input":"x"}', {"X-User-Id": user, "X-Memory-Dry-Run": "1"}, path)
    assert reply.status_code == 400 and "/v1/chat/completions" in reply.json()["error"]["message"]
    assert daemon.request("GET", "/v1/responses/r1", headers={"X-Memory-Dry-Run": "1"}).status_code == 400
    assert not upstream.requests
    assert daemon.post_chat(b'{"input":"x"}', {"X-User-Id": user, "X-Memory-Dry-Run": "0"}, path).status_code == 200


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
