"""An upstream that refuses what memory put in."""

import pytest
from conftest import KNOWN_VALUE, make_known

from harness.chat import Chat
from harness.upstream import completion, error_reply, json_reply
from test_modes import QUESTION, ask


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_injection_is_sent_once_more_as_the_client_wrote_it(daemon, upstream, known_user, status):
    upstream.script(error_reply(status, "no"), json_reply(completion("Fine.")))
    reply = ask(daemon, known_user)
    assert reply.status_code == 200 and reply.json() == completion("Fine.")
    assert reply.headers["X-Memory-Status"] == "bypassed"
    first, second = upstream.chats()
    assert KNOWN_VALUE.encode() in first.body
    assert second.body == QUESTION


def test_a_server_that_recognizes_a_key_answers_the_plain_request_anew(daemon, upstream, known_user):
    """It gives what it answered under the same key before."""
    answered = {}

    def answer(request):
        knows = KNOWN_VALUE.encode() in request.body
        return answered.setdefault(request.field("Idempotency-Key"), error_reply(400, "no") if knows else json_reply(completion("Fine.")))

    upstream.answer = answer
    for _ in range(2):
        reply = daemon.post_chat(QUESTION, {"X-User-Id": known_user, "Idempotency-Key": "k-9"})
        assert (reply.status_code, reply.headers["X-Memory-Status"]) == (200, "bypassed")
    assert len(answered) == 2 and "k-9" in answered


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
