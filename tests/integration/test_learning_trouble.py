"""What the memory model does wrong, and what learning makes of it."""

import json
import subprocess
import threading
import time

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import clean_environment, fast_clock, free_port, program
from harness.memory_model import asks_to_learn, fact, one_server
from harness.upstream import completion, error_reply, json_reply
from test_learning import facts_of, teach


@pytest.mark.parametrize(
    "failures",
    [
        [error_reply(429)],
        [error_reply(500), error_reply(503)],
        [json_reply(completion("I am sorry, I cannot do that."))],
        [json_reply(b"<html>gateway</html>"), json_reply(b"{}")],
        [json_reply(completion('{"entities":'))],
        [json_reply({"choices": []})],
        [json_reply(completion(None))],
    ],
    ids=["429", "500 and 503", "a refusal in prose", "no JSON", "half a JSON", "no choices", "no content"],
)
def test_a_failed_call_is_tried_again(daemon, memory_model, user, failures):
    turn = "I grow tomatoes."
    memory_model.fail(turn, *failures)
    teach(daemon, memory_model, user, turn, [fact("grows", "tomatoes", "I grow tomatoes")])
    assert facts_of(daemon, user) == {("user", "grows", "tomatoes")}
    assert len(memory_model.fact_calls(turn)) == len(failures) + 1


def test_an_answer_without_entities_is_an_answer(daemon, memory_model, user):
    teach(daemon, memory_model, user, "Hello!", [])
    assert len(memory_model.fact_calls("Hello!")) == 1
    assert facts_of(daemon, user) == set()


def rejecting(name, param_named=True, status=400):
    def refuse(body):
        if name in body:
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            return error_reply(status, message, param=name if param_named else None, code="unsupported_parameter")
        return None

    return refuse


@pytest.mark.parametrize("param_named", [True, False], ids=["named as param", "named in the message"])
@pytest.mark.parametrize("name", ["temperature", "max_tokens", "response_format"])
def test_a_parameter_that_is_rejected_is_given_up_and_that_is_remembered(
    make_daemon, memory_model, user, name, param_named
):
    daemon = make_daemon()
    memory_model.refuse = rejecting(name, param_named)
    for i in range(3):
        turn = f"I own boat number {i}."
        memory_model.answers[turn] = [fact("boat", f"number {i}", f"I own boat number {i}", op="add")]
        Chat(daemon, user).say(turn)
        daemon.settle(user)
    assert len(facts_of(daemon, user)) == 3
    bodies = [c.body for c in memory_model.fact_calls()]
    forms = 2 if name == "response_format" else 1  # json_object, then json_schema
    assert sum(name in body for body in bodies) <= forms, "asked so again after it had been refused"
    assert len(bodies) <= 5
    if name == "max_tokens":
        assert "max_completion_tokens" in bodies[-1]


def test_an_exchange_is_parked_after_10_unusable_answers_and_set_going_by_recallctl(
    make_daemon, memory_model, user, tmp_path
):
    daemon = make_daemon(environment=fast_clock(tmp_path, 60))
    turn = "I repair clocks."
    memory_model.answers[turn] = [fact("repairs", "clocks", "I repair clocks")]
    memory_model.fail(turn, *[json_reply(completion("no"))] * 20)
    Chat(daemon, user).say(turn)
    daemon.wait_known(user)  # its reply waits for the commit two seconds at most, of a clock that runs fast
    assert daemon.memory(user)["pending"] == 1
    until(lambda: len(memory_model.fact_calls(turn)) >= 4, "four tries")
    daemon.kill_and_restart()
    until(lambda: daemon.memory(user)["pending"] == 0, "parking", 60)
    tries = len(memory_model.fact_calls(turn))
    assert tries in (10, 11), "the tries before the restart count, but for one that it may have cut off"
    memory_model.failures.clear()
    assert facts_of(daemon, user) == set()
    daemon.wait_log("its answer is unusable (status 200)")
    daemon.wait_log("gave up on an exchange after 10 unusable answers")
    parked = [l for l in daemon.metrics().splitlines() if "parked" in l and not l.startswith("#")]
    assert any(float(l.split()[-1]) == 1 for l in parked)
    done = recallctl(daemon, "unpark", user)
    assert (done.returncode, done.stdout) == (0, "set going again: 1 job\n"), done.stderr
    daemon.settle(user)
    until(lambda: facts_of(daemon, user) == {("user", "repairs", "clocks")}, "learning after all")


def test_while_the_model_cannot_be_reached_nothing_is_given_up(make_daemon, memory_model, user, tmp_path):
    daemon = make_daemon(environment=fast_clock(tmp_path, 240))
    turn = "I bind books."
    memory_model.answers[turn] = [fact("binds", "books", "I bind books")]
    memory_model.fail(turn, *[error_reply(429), error_reply(503)] * 6)
    Chat(daemon, user).say(turn)
    until(lambda: len(memory_model.fact_calls(turn)) >= 11, "eleven tries", 60)
    assert daemon.memory(user)["pending"] == 1
    daemon.settle(user, timeout=60)
    assert facts_of(daemon, user) == {("user", "binds", "books")}


def fill(daemon):
    """Until the store has no room for more."""
    daemon.hold("filler")
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x y z " * 5000}]}
    for _ in range(400):
        reply = daemon.request(
            "POST", "/v1/chat/completions", json=body, headers={"X-User-Id": "filler", "X-Memory-Mode": "buffer"}
        )
        if reply.headers["X-Memory-Status"] == "bypassed":
            return
    raise AssertionError("the store never filled up")


def test_the_model_is_not_asked_again_while_there_is_no_room_for_its_answer(make_daemon, memory_model, user, tmp_path):
    daemon = make_daemon({"storage": {"map_size": "2M"}}, environment=fast_clock(tmp_path, 200))
    turn = "I shoe horses."
    memory_model.answers[turn] = [fact("shoes", "horses", "I shoe horses")]
    memory_model.fail(turn, *[error_reply(503)] * 400)
    Chat(daemon, user).say(turn)
    daemon.hold(user)
    fill(daemon)
    memory_model.failures.clear()
    refused = len(memory_model.fact_calls(turn))
    daemon.wait_log("learned facts or summary not stored: full")
    time.sleep(5)  # sixteen minutes to the daemon, in which it would ask again
    assert len(memory_model.fact_calls(turn)) <= refused + 2, "once, and perhaps once just before"
    assert daemon.memory(user)["pending"] == 1
    daemon.hold("filler", until=None)
    assert daemon.admin("DELETE", daemon.memory_path("filler")).status_code == 200
    until(lambda: facts_of(daemon, user) == {("user", "shoes", "horses")}, "learning", 30)


def recallctl(daemon, *arguments):
    return subprocess.run(
        [program("proxy/recallctl"), "-c", str(daemon.config_file), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(),
    )


def test_check_tells_that_learning_fails_until_it_goes_on(make_daemon, memory_model, user):
    daemon = make_daemon()
    turn = "I carve spoons."
    memory_model.answers[turn] = [fact("carves", "spoons", turn)]
    memory_model.fail(turn, *[error_reply(401, "no such key as sk-secret")] * 400)
    Chat(daemon, user).say(turn)
    told = "  trouble     the memory model: it refused (status 401); see the log\n"
    until(lambda: told in recallctl(daemon, "check").stdout, "the trouble")
    assert recallctl(daemon, "check").returncode == 1
    assert daemon.metric('recalld_model_failures_total{cause="refused"}') > 0
    assert daemon.metric('recalld_model_failures_total{cause="unreachable"}') == 0
    memory_model.failures.clear()
    daemon.settle(user)
    assert daemon.admin("GET", "/v1/status").json()["learning_trouble"] == ""
    check = recallctl(daemon, "check").stdout
    assert "trouble" not in check and " of 256 MB\n" in check, "which the map_size of tests is"


def test_learning_goes_on_after_kill_9(make_daemon, memory_model, user):
    daemon = make_daemon()
    turns = [f"I have visited island {i}." for i in range(6)]
    memory_model.answers |= {t: [fact("visited", f"island {i}", t[:-1], op="add")] for i, t in enumerate(turns)}
    original = memory_model.answer
    memory_model.answer = lambda request: error_reply(503)
    talk = Chat(daemon, user, session="s", newest_only=True)
    for turn in turns:
        talk.say(turn)
    assert daemon.memory(user)["pending"] == len(turns)
    daemon.kill()
    memory_model.answer = original
    daemon.start()
    daemon.settle(user, timeout=60)
    assert sorted(daemon.values(user)) == [f"island {i}" for i in range(6)]


def test_the_clients_own_key_learns_and_is_held_in_memory_only(make_daemon, upstream, memory_model, user):
    daemon = make_daemon(one_server(memory_model))
    key = {"Authorization": "Bearer the-clients-own-key"}
    turn = "I sail a dinghy."
    memory_model.answers[turn] = [fact("boat", "dinghy", "I sail a dinghy")]
    original = memory_model.answer
    memory_model.answer = lambda request: error_reply(503) if asks_to_learn(request) else original(request)
    Chat(daemon, user, headers=key).say(turn)
    until(lambda: memory_model.fact_calls(turn), "a call")
    assert memory_model.fact_calls(turn)[0].authorization == "Bearer the-clients-own-key"
    daemon.kill()
    for path in (daemon.directory / "store").rglob("*"):
        assert not path.is_file() or b"the-clients-own-key" not in path.read_bytes(), path
    memory_model.answer = original
    memory_model.requests.clear()
    daemon.start()
    time.sleep(1.5)  # the learner would ask soon after its start
    assert not memory_model.fact_calls(turn), "there is no key to ask with"
    assert daemon.memory(user)["pending"] == 1
    Chat(daemon, user, headers=key).say("I am back.")
    daemon.settle(user)
    assert facts_of(daemon, user) == {("user", "boat", "dinghy")}


KEY_HEADERS = {"api-key": ("api-key", "k-own"), "x-api-key": ("Authorization", "Bearer k-own")}


@pytest.mark.parametrize("name", KEY_HEADERS)
def test_a_key_that_comes_in_a_header_of_its_own_is_learned_with(make_daemon, upstream, memory_model, user, name):
    """Azure's server takes it in no other header; Anthropic's takes its own as a Bearer, in OpenAI's form."""
    daemon = make_daemon(one_server(memory_model))
    turn = "I sail a dinghy."
    header, value = KEY_HEADERS[name]
    memory_model.answers[turn] = [fact("boat", "dinghy", "I sail a dinghy")]
    answer = memory_model.answer
    memory_model.answer = lambda request: (
        error_reply(401) if asks_to_learn(request) and request.field(header) != value else answer(request)
    )
    Chat(daemon, user, headers={"Authorization": "", name: "k-own"}).say(turn)
    daemon.settle(user)
    assert facts_of(daemon, user) == {("user", "boat", "dinghy")}
    expected = value if header == "Authorization" else None
    assert memory_model.fact_calls(turn)[0].authorization == expected


def test_a_login_that_only_its_product_may_use_is_not_learned_with(make_daemon, memory_model, user):
    daemon = make_daemon(one_server(memory_model))
    turn = "I sail a dinghy."
    memory_model.answers[turn] = [fact("boat", "dinghy", "I sail a dinghy")]
    for _ in range(2):
        Chat(daemon, user, headers={"Authorization": "Bearer sk-ant-oat01-login"}).say(turn)
    assert daemon.memory(user)["pending"] > 0
    Chat(daemon, user, headers={"Authorization": "Bearer a-key"}).say("Hello.")
    daemon.settle(user)
    assert facts_of(daemon, user) == {("user", "boat", "dinghy")}
    assert {call.authorization for call in memory_model.fact_calls()} == {"Bearer a-key"}
    daemon.wait_log("set [model] base_url and api_key")
    assert daemon.stderr.count("set [model] base_url and api_key") == 1


def test_a_key_for_another_server_is_not_learned_with(make_daemon, upstream, memory_model, user):
    """The provider's key is none of the memory model's business; it gets what needs none."""
    daemon = make_daemon({"model": {"api_key": ""}})
    turn = "I sail a dinghy."
    memory_model.answers[turn] = [fact("boat", "dinghy", "I sail a dinghy")]
    for _ in range(2):
        Chat(daemon, user, headers={"Authorization": "Bearer the-providers"}).say(turn)
    Chat(daemon, f"{user}-2", headers={"Authorization": ""}).say(turn)
    daemon.settle(f"{user}-2")
    assert facts_of(daemon, f"{user}-2") == {("user", "boat", "dinghy")}
    assert {call.authorization for call in memory_model.calls()} == {None}
    assert daemon.memory(user)["pending"] > 0 and not facts_of(daemon, user)
    daemon.wait_log("has a key for another")
    assert daemon.stderr.count("has a key for another server than the memory model's; set [model] base_url and api_key") == 1


def test_a_new_client_key_is_tried_at_once_on_what_the_old_one_could_not_learn(
    make_daemon, upstream, memory_model, user, tmp_path
):
    """By a clock that runs slowly: the pause after the first try takes minutes."""
    daemon = make_daemon(one_server(memory_model), environment=fast_clock(tmp_path, 0.01))
    answer = memory_model.answer
    memory_model.answer = lambda request: (
        error_reply(401) if asks_to_learn(request) and request.field("Authorization") != "Bearer good" else answer(request)
    )

    turn = "I sail a dinghy."
    memory_model.answers[turn] = [fact("boat", "dinghy", "I sail a dinghy")]
    Chat(daemon, user, headers={"Authorization": "Bearer bad"}).say(turn)
    until(lambda: memory_model.fact_calls(turn), "it is tried", 60)
    Chat(daemon, user, headers={"Authorization": "Bearer good"}).say("Hello.")
    until(lambda: facts_of(daemon, user) == {("user", "boat", "dinghy")}, "learned with the new key", 60)


def test_a_memory_model_that_refuses_is_told_of_in_the_log_once(make_daemon, memory_model, user):
    daemon = make_daemon()
    memory_model.answer = lambda request: error_reply(401)
    Chat(daemon, user).say("I sail a dinghy.")
    until(lambda: len(memory_model.fact_calls("I sail a dinghy.")) >= 3, "three calls")
    daemon.wait_log("memory model call failed: it refused (status 401); ")
    assert daemon.stderr.count("memory model call failed") == 1


def test_a_memory_model_that_cannot_be_reached_has_no_status(make_daemon, user):
    daemon = make_daemon({"model": {"base_url": f"http://127.0.0.1:{free_port()}/v1"}})
    Chat(daemon, user).say("I sail a dinghy.")
    daemon.wait_log("memory model call failed: Failed to connect")
    assert "(status" not in daemon.stderr


def test_a_memory_model_that_never_answers_is_told_of_in_the_log(make_daemon, memory_model, user):
    daemon = make_daemon({"model": {"timeout": "50ms"}})
    held = threading.Event()
    memory_model.answer = lambda request: held.wait(60) and error_reply(500)
    Chat(daemon, user).say("I sail a dinghy.")
    try:
        daemon.wait_log("it did not answer in time; exchanges wait")
    finally:
        held.set()


def test_the_exchanges_own_model_learns_where_none_is_named(make_daemon, upstream, memory_model, user):
    daemon = make_daemon(one_server(memory_model, name=""))
    Chat(daemon, user).say("I have a loom.", model="their-model")
    daemon.settle(user)
    assert memory_model.fact_calls("I have a loom.")[0].body["model"] == "their-model"


def test_the_upstreams_address_and_key_serve_where_the_model_has_none(make_daemon, upstream, user):
    changes = {
        "model": {"base_url": "", "name": "learner", "api_key": ""},
        "upstream": {"api_key": "house-key", "base_url": upstream.base_url},
    }
    daemon = make_daemon(changes)
    upstream.script(json_reply(completion("A hot one.")), json_reply(completion('{"entities":[]}')))
    Chat(daemon, user).say("I have a kiln.")
    daemon.settle(user)
    _, asked = upstream.chats()
    assert asked.json["model"] == "learner"
    assert asked.field("Authorization") == "Bearer house-key"


def test_chat_never_waits_for_learning(daemon, memory_model, user):
    original, held = memory_model.answer, threading.Event()

    def slow(request):
        assert held.wait(60)
        return original(request)

    memory_model.answer = slow
    talk = Chat(daemon, user)
    for i in range(4):
        talk.say(f"Quick question {i}?")
    held.set()  # none of them could wait for it
    memory_model.answer = original
    daemon.settle(user)


def test_a_memory_model_that_is_too_slow_is_asked_more_rarely(make_daemon, memory_model, user):
    daemon = make_daemon({"model": {"timeout": "50ms"}})
    original, held = memory_model.answer, threading.Event()
    memory_model.answer = lambda request: held.wait(60) and error_reply(500)
    users = [f"{user}-{i}" for i in range(12)]
    for who in users:
        Chat(daemon, who).say("I sail a dinghy.")
    try:
        daemon.wait_log("the memory model is too slow: 3 calls in a row")
        late = daemon.metric('recalld_model_failures_total{cause="late"}')
        assert late <= 3 + 4, "those that were under way by then"
        assert daemon.stderr.count("the memory model is too slow") == 1
    finally:
        held.set()
        memory_model.answer = original
    for who in users:
        daemon.settle(who, timeout=60)


def test_a_hanging_memory_model_is_given_up_and_asked_again(make_daemon, memory_model, user):
    daemon = make_daemon({"model": {"base_url": memory_model.base_url, "timeout": "500ms"}})
    turn = "I juggle clubs."
    memory_model.answers[turn] = [fact("juggles", "clubs", "I juggle clubs")]
    memory_model.fail(turn, json_reply(completion("late"), first_byte_delay=3))
    Chat(daemon, user).say(turn)
    daemon.settle(user)
    assert facts_of(daemon, user) == {("user", "juggles", "clubs")}


def test_memory_is_exact_to_the_json(daemon, user):
    """Texts of any kind come out of the store as they went in."""
    odd = 'Tab\there, quote ", backslash \\, newline\nnext, emoji 🙂, zero-width \u200b, end.'
    Chat(daemon, user).say(odd)
    assert daemon.messages(user)[0] == ("user", odd)
    assert json.dumps(daemon.memory(user))


def test_what_was_said_twice_is_forgotten_in_both_turns_and_can_be_told_anew(
    daemon, upstream, memory_model, user
):
    said = ["My salary is 90000 euros.", "As I said, my salary is 90000 euros.", "I like tea."]
    for text in said[:2]:
        memory_model.answers[text] = [fact("salary", "90000 euros", "salary is 90000 euros")]
    memory_model.answers["Forget my salary."] = [
        fact("salary", "90000 euros", "Forget my salary", forget=True)
    ]
    talk = Chat(daemon, user)
    for text in [*said, "Forget my salary."]:
        talk.say(text)
        daemon.settle(user)
    assert [c for r, c in daemon.messages(user) if r == "user"] == ["I like tea."]
    Chat(daemon, user).say("What is my salary in euros?")
    assert b"90000" not in upstream.last.body
    Chat(daemon, user).say(said[0])
    daemon.settle(user)
    assert daemon.values(user) == ["90000 euros"]
