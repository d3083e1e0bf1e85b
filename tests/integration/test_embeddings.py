"""Embeddings: stored turns get their vectors beside the traffic, a question waits for its own only so
long, and whatever the server does, the chat goes on."""

import socket
import threading
import time

import httpx
import pytest

from harness.chat import Chat
from harness.clock import next_second, until
from harness.daemon import fast_clock, free_port, rfc3339
from harness.embeddings import EmbeddingServer, ScriptedEmbeddings
from harness.upstream import error_reply, json_reply

STORED = 'recalld_turns_embedded_total{outcome="stored"}'
NONE = 'recalld_turns_embedded_total{outcome="none"}'
ONE_WORKER = {"listen": {"workers": "1"}}  # each has its own idea of whether the server keeps up
QUESTIONS = "recalld_questions_embedded_total"


@pytest.fixture
def embeddings():
    server = ScriptedEmbeddings()
    yield server
    server.close()


@pytest.fixture(scope="module")
def real_embeddings():
    server = EmbeddingServer()
    yield server
    server.stop()


@pytest.fixture
def embedding_daemon(make_daemon):
    """A daemon that embeds by this server, for which a question waits however slow the machine is."""

    def make(server, changes=None, environment=None, **model):
        section = {"base_url": server.base_url, "embedding": server.model, "embedding_timeout": "10s"}
        return make_daemon({"model": section | model} | (changes or {}), environment)

    return make


def messages(texts, session="past"):
    roles = ["user", "assistant"]
    return [
        {"role": roles[i % 2], "content": text, "session": session, "created_at": f"2026-01-05T10:{i // 60:02}:{i % 60:02}Z"}
        for i, text in enumerate(texts)
    ]


def remember(daemon, user, texts, session="past"):
    daemon.import_messages(user, messages(texts, session), learn=False)


def wait_metric(daemon, name, value, timeout=60):
    until(lambda: daemon.metric(name) >= value, name, timeout)
    assert daemon.metric(name) == value


# ---- what is stored ----


def test_an_import_returns_when_its_turns_are_embedded(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    texts = [f"turn {i} of this import" for i in range(75)]
    remember(daemon, user, texts)
    assert daemon.metric(STORED) == 75
    assert embeddings.given == texts
    assert [len(call) for call in embeddings.calls()] == [32, 32, 11]


def test_a_call_names_the_model_and_carries_the_key(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings, api_key="embedding-key")
    remember(daemon, user, ["hello", "hello yourself"])
    call = embeddings.requests[0]
    assert (call.method, call.target) == ("POST", "/v1/embeddings")
    assert call.field("Authorization") == "Bearer embedding-key"
    assert call.json == {"model": "scripted", "input": ["hello", "hello yourself"]}


def test_an_exchange_is_embedded_after_it(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    Chat(daemon, user).say("I keep bees on the roof.")
    wait_metric(daemon, STORED, 2)
    assert "I keep bees on the roof." in embeddings.given


def test_nothing_is_embedded_twice(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    remember(daemon, user, ["first", "second"])
    remember(daemon, user, ["third", "fourth"], session="later")
    daemon.restart()
    remember(daemon, user, ["fifth", "sixth"], session="last")
    assert embeddings.given == ["first", "second", "third", "fourth", "fifth", "sixth"]


def test_another_model_embeds_all_anew(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    remember(daemon, user, ["first", "second"])
    daemon.stop()
    daemon.config["model"]["embedding"] = "another"
    daemon.start()
    remember(daemon, user, ["third", "fourth"], session="later")
    assert embeddings.given == ["first", "second", "first", "second", "third", "fourth"]


def test_long_turns_are_cut_and_many_of_them_go_in_several_calls(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    remember(daemon, user, [f"{i} " + "ä" * 20000 for i in range(20)])
    assert daemon.metric(STORED) == 20
    for call in embeddings.calls():
        assert sum(len(text.encode()) for text in call) <= 100 * 1024
        assert all(8190 <= len(text.encode()) <= 8192 for text in call)


# ---- a server that fails ----


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again(embedding_daemon, embeddings, user, status):
    daemon = embedding_daemon(embeddings)
    trouble = [True]
    embeddings.refuse_texts = lambda texts: status if trouble else None
    remember(daemon, user, ["first", "second"])  # which does not wait: the trouble ends only after it
    daemon.wait_log("embedding call failed")
    trouble.clear()
    wait_metric(daemon, STORED, 2)
    assert daemon.metric(NONE) == 0


def test_a_server_that_is_away_is_asked_again(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    embeddings.script(*[json_reply({}, break_after=0)] * 2, json_reply(b"nonsense"))
    remember(daemon, user, ["first"])
    wait_metric(daemon, STORED, 1)
    assert embeddings.given == ["first"]


def test_a_refused_text_is_found_out_and_left_without(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    embeddings.refuse_texts = lambda texts: 400 if any("poison" in text for text in texts) else None
    texts = [f"turn {i}" + (" poison" if i in (0, 7, 31) else "") for i in range(40)]
    remember(daemon, user, texts)
    assert daemon.metric(STORED) == 37
    assert daemon.metric(NONE) == 3
    assert sorted(embeddings.given) == sorted(t for t in texts if "poison" not in t)
    asked = len(embeddings.calls())
    remember(daemon, user, ["one more"], session="later")
    assert len(embeddings.calls()) == asked + 1, "a refused text is not asked for again"


@pytest.mark.parametrize("status", [400, 413, 500])
def test_a_text_too_long_for_the_server_is_cut_further(embedding_daemon, embeddings, user, status):
    daemon = embedding_daemon(embeddings)
    embeddings.refuse_texts = lambda texts: status if any(len(text) > 2500 for text in texts) else None
    remember(daemon, user, ["short", "long " * 1000, "short too"])
    assert daemon.metric(STORED) == 3
    assert [len(text) for text in embeddings.given] == [5, 2500, 9]


def test_a_server_that_refuses_everything_leaves_nothing_marked(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    wrong = [True]
    embeddings.refuse_texts = lambda texts: 400 if wrong else None
    remember(daemon, user, ["first", "second"])
    daemon.wait_log("embedding call failed")
    wrong.clear()
    wait_metric(daemon, STORED, 2)
    assert daemon.metric(NONE) == 0


def test_a_server_that_takes_one_text_at_a_time_is_met_half_way(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    embeddings.refuse_texts = lambda texts: 422 if len(texts) > 1 else None
    remember(daemon, user, [f"turn {i}" for i in range(10)])
    assert daemon.metric(STORED) == 10
    assert embeddings.given == [f"turn {i}" for i in range(10)]


def test_one_users_trouble_is_not_anothers(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    embeddings.refuse_texts = lambda texts: 503 if "unlucky" in texts else None
    remember(daemon, user + "-a", ["unlucky"])
    remember(daemon, user + "-b", ["lucky"])
    assert embeddings.given == ["lucky"]


def test_the_status_tells_that_embedding_fails_until_it_goes_on(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)

    def trouble():
        return daemon.admin("GET", "/v1/status").json()["embedding_trouble"]

    embeddings.embed = lambda request: error_reply(401, "wrong key")
    remember(daemon, user, ["first"])
    until(lambda: "(status 401)" in trouble())
    embeddings.embed = embeddings.give
    until(lambda: trouble() == "", timeout=60)
    assert "first" in embeddings.given


# ---- keys ----


def test_the_clients_own_key_serves_and_a_new_one_is_tried_at_once(embedding_daemon, embeddings, user, tmp_path):
    """By a clock that runs slowly: the pause after a refusal takes minutes."""
    slow = fast_clock(tmp_path, 0.01)
    daemon = embedding_daemon(embeddings, {"upstream": {"base_url": embeddings.base_url}}, environment=slow, api_key="")
    keys = []

    def answer(request):
        keys.append(request.field("Authorization"))
        return error_reply(401, "wrong key") if keys[-1] != "Bearer good" else embeddings.give(request)

    embeddings.embed = answer
    remember(daemon, user, ["first"])  # without a key, as a server of one's own needs none
    for _ in range(3):
        Chat(daemon, user, headers={"Authorization": "Bearer bad"}).say("hello")
    assert daemon.metric(STORED) == 0
    Chat(daemon, user, headers={"Authorization": "Bearer good"}).say("hello again")
    until(lambda: "first" in embeddings.given, timeout=60)
    assert keys[0] is None and "Bearer bad" in keys


# ---- a question ----


def test_a_question_is_embedded(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings, api_key="embedding-key")
    remember(daemon, user, ["first", "second"])
    Chat(daemon, user).say("What was first?")
    assert ["What was first?"] in embeddings.calls()
    assert daemon.metric(QUESTIONS + '{outcome="given"}') == 1


def test_a_secret_in_a_question_is_not_shown_to_the_embedding_model(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    remember(daemon, user, ["my boat is called Petrel"])
    key = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT1vX4zC7fR0wY" * 2
    Chat(daemon, user, mode="vector").say(f"Does {key} open my boat?")
    assert any("open my boat?" in text for text in embeddings.given)
    assert not any(key in text for text in embeddings.given)


def test_a_long_question_is_cut(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    Chat(daemon, user).say("ü" * 10000)
    assert ["ü" * 4096] in embeddings.calls()


def test_a_late_vector_is_not_waited_for(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings, ONE_WORKER, embedding_timeout="300ms")
    gate = threading.Event()
    embeddings.embed = json_reply({}, gates={0: gate})
    chat = Chat(daemon, user)
    times = []
    for i in range(6):
        begun = time.monotonic()
        assert chat.say(f"question {i}").status != "bypassed"
        times.append(time.monotonic() - begun)
    gate.set()
    assert all(0.3 <= t for t in times[:3]), times
    assert daemon.metric(QUESTIONS + '{outcome="late"}') == 3
    assert daemon.metric(QUESTIONS + '{outcome="skipped"}') == 3


def test_a_server_that_keeps_up_again_is_waited_for_again(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings, ONE_WORKER)
    begun = time.monotonic()
    embeddings.refuse_texts = lambda texts: 503 if texts[0].startswith("question") else None
    for i in range(4):
        Chat(daemon, user).say(f"question {i}")
    daemon.wait_log("no longer wait")
    embeddings.refuse_texts = lambda texts: None
    given = QUESTIONS + '{outcome="given"}'

    def asks_again():
        Chat(daemon, user).say("question again")
        return daemon.metric(given) > 0

    until(asks_again, timeout=60)
    assert time.monotonic() - begun > 3, "the first probe is after a pause"
    daemon.wait_log("wait for embeddings again")


@pytest.mark.parametrize(
    "reply",
    [
        error_reply(401, "wrong key"),
        error_reply(500, "broken"),
        json_reply(b"nonsense"),
        json_reply({"data": []}),
        json_reply({"data": [{"index": 0, "embedding": [0.0, 0.0]}]}),
        json_reply({}, break_after=0),
        json_reply({"data": [{"index": 0, "embedding": [0.5] * 5000}]}),
    ],
)
def test_no_answer_of_the_server_reaches_the_chat(embedding_daemon, embeddings, user, reply):
    daemon = embedding_daemon(embeddings)
    embeddings.embed = reply
    chat = Chat(daemon, user)
    for i in range(2):
        assert chat.say(f"question {i}").status != "bypassed"


def test_nothing_listens_there(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings, ONE_WORKER, base_url=f"http://127.0.0.1:{free_port()}/v1")
    remember(daemon, user, ["first"])
    for i in range(4):
        assert Chat(daemon, user).say("What was first?").status == "injected"
    for told in ("embedding call failed: Failed to connect", "no longer wait for embeddings: Failed to connect"):
        daemon.wait_log(told)
    assert "(status" not in daemon.stderr


def test_a_client_that_leaves_while_its_question_waits(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings, embedding_timeout="5s")
    embeddings.embed = json_reply({}, first_byte_delay=2)
    body = Chat(daemon, user).body("question")
    with socket.create_connection(("127.0.0.1", daemon.port)) as client:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-User-Id: {user}\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        embeddings.wait(1)
    embeddings.wait_left(1)


# ---- its end ----


def test_it_ends_while_an_import_waits(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    gate = threading.Event()
    embeddings.embed = json_reply({}, gates={0: gate})

    def import_until_the_end():
        with pytest.raises(httpx.RemoteProtocolError):
            remember(daemon, user, ["first"])

    thread = threading.Thread(target=import_until_the_end, daemon=True)
    thread.start()
    embeddings.wait(1)
    daemon.stop()
    thread.join(60)
    gate.set()


def test_a_user_is_forgotten_while_turns_are_embedded(embedding_daemon, embeddings, user):
    daemon = embedding_daemon(embeddings)
    gate = threading.Event()

    def answer(request):
        reply = embeddings.give(request)
        reply.gates = {0: gate}
        return reply

    embeddings.embed = answer
    thread = threading.Thread(target=lambda: remember(daemon, user, ["first", "second"]), daemon=True)
    thread.start()
    embeddings.wait(1)
    daemon.forget(user)
    gate.set()
    thread.join(60)
    embeddings.embed = embeddings.give
    # Without a time, or in the second in which the user was forgotten, it could have been said before.
    next_second()
    third = {"role": "user", "content": "third", "created_at": rfc3339(time.time())}
    daemon.import_messages(user, [third], learn=False)
    until(lambda: embeddings.given[-1] == "third")


# ---- a real model ----

FACTS = [
    "We adopted a beagle puppy called Bruno last spring.",
    "My flight to Oslo leaves at seven in the morning.",
    "I cannot stand cilantro, it tastes like soap to me.",
    "The roof of our barn was torn off by the storm.",
    "I play the cello in an amateur orchestra on Thursdays.",
]
QUESTIONS_BY_MEANING = [
    ("Do I have any pets?", "Bruno"),
    ("Which herb should the cook leave out of my dinner?", "cilantro"),
    ("Do I make music?", "cello"),
]


def test_what_no_word_of_the_question_names_is_found_by_its_meaning(embedding_daemon, real_embeddings, user):
    """Needs recall with vectors: exchange.c hands the question's vector to store_recall()."""
    daemon = embedding_daemon(real_embeddings, {"memory": {"mode": "vector", "context_tokens": "120"}}, embedding_timeout="10s")
    remember(daemon, user, [text for fact in FACTS for text in (fact, "I see.")])
    for question, word in QUESTIONS_BY_MEANING:
        given = Chat(daemon, user).send(question, {"X-Memory-Dry-Run": "1"}).text
        assert word in given, (question, given)


def test_the_real_model_embeds_turns_and_questions(embedding_daemon, real_embeddings, user):
    daemon = embedding_daemon(real_embeddings, embedding_timeout="10s")
    remember(daemon, user, FACTS)
    assert daemon.metric(STORED) == len(FACTS)
    Chat(daemon, user).say("Do I have any pets?")
    assert daemon.metric(QUESTIONS + '{outcome="given"}') == 1
