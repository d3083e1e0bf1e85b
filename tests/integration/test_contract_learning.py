"""CONTRACT sections 3 to 5 from the outside: what is learned, told and forgotten, as an examiner tries it."""

import itertools
import json
import re
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from conftest import make_known
from harness.chat import Chat
from harness.clock import quickest, until
from harness.daemon import fast_clock
from harness.memory_model import fact
from harness.upstream import completion, error_reply, json_reply
from harness.wire import RawClient

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def learn(daemon, memory_model, user, text, *entries, at=None):
    """One turn of the past and what is extracted from it."""
    memory_model.answers[text] = list(entries)
    turn = {"role": "user", "content": text} | ({"created_at": at} if at else {})
    daemon.import_messages(user, [turn, {"role": "assistant", "content": "Noted."} | ({"created_at": at} if at else {})])
    daemon.settle(user)


# ---- what the memory model is asked ----


def test_the_users_turn_stands_as_plain_text_in_the_prompt(daemon, memory_model, user):
    text = 'I said "hello" to O\'Neil & Søn, 50 % off; 我住在柏林.'
    Chat(daemon, user).say(text)
    daemon.settle(user)
    (call,) = memory_model.fact_calls(text)
    assert text in "\n".join(m["content"] for m in call.body["messages"])
    assert call.body["response_format"] == {"type": "json_object"} and call.body["temperature"] == 0
    assert all(isinstance(m["content"], str) for m in call.body["messages"])
    assert not call.body.get("stream")


def test_a_summary_is_asked_for_without_a_response_format(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "4", "summary_words": "50"}})
    memory_model.summary = "Ana keeps bees."
    talk = Chat(daemon, user)
    for number in range(3):
        talk.say(f"Bees, part {number}.")
        daemon.settle(user)
    call = memory_model.summary_calls("Bees, part 0.")[0]
    assert "response_format" not in call.body and call.body["temperature"] == 0
    assert "Bees, part 0." in call.prompt and "50" in call.prompt
    memory = daemon.memory(user)
    assert memory["summary"]["text"] == "Ana keeps bees." and RFC3339.match(memory["summary"]["updated_at"])
    assert memory["facts"] == [] and not memory_model.fact_calls("Bees, part")


def test_a_summary_cut_off_by_length_is_not_stored_and_the_old_one_stays(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "2"}})
    memory_model.fail("Bees.", json_reply(completion("Half a summ", finish_reason="length")))
    memory_model.summary = "A whole summary."
    talk = Chat(daemon, user)
    talk.say("Bees.")
    daemon.settle(user)
    assert daemon.memory(user)["summary"]["text"] == "A whole summary."


@pytest.mark.parametrize("mode", ["buffer", "summary", "entity", "hybrid"])
def test_pending_becomes_0_after_each_exchange_in_every_mode(daemon, memory_model, mode_user, mode):
    user = mode_user(mode)
    talk = Chat(daemon, user)
    for number in range(3):
        talk.say(f"Turn {number}.")
        daemon.settle(user)
    assert bool(memory_model.fact_calls("Turn 2.")) == (mode in ("entity", "hybrid"))


# ---- which entries are stored ----


@pytest.mark.parametrize(
    "text, entry, stored",
    [
        ("I live in Berlin.", fact("home_city", "Berlin", "I live in Berlin", 0.7), False),
        ("I live in Berlin.", fact("home_city", "Berlin", "I live in Berlin", 0.71), True),
        ("I live in Berlin.", fact("home_city", "Berlin"), True),
        ("I live in Berlin.", fact("home_city", "Paris"), False),
        ("I live in Berlin.", fact("home_city", "Berlin", "I live in Paris"), False),
        ("I live in Berlin.", fact("country", "Germany", "I live in Berlin"), False),
        ("I live in Berlin.", fact("country", "Germany", "berlin"), False),
        ("I live  in\nBerlin.", fact("home_city", "Berlin", "I live in Berlin"), True),
        ("Ich wohne in München.", fact("home_city", "München", "wohne in München"), True),
        ("我住在柏林。", fact("home_city", "柏林", "我住在柏林"), True),
        ("我住在柏林。", fact("home_city", "柏林"), True),
        ("我住在柏林。", fact("home_city", "巴黎"), False),
        ("我住在柏林。", fact("home_city", "巴黎", "我住在巴黎"), False),
        ("I am 42.", fact("age", 42, "I am 42"), True),
        ("I live in Berlin.", fact("home_city", "Berlin", ""), True),
        ("I live in Berlin.", fact("home_city", "Berlin", None), True),
        ("I am vegan until Friday.", fact("diet", "vegan", "vegan", valid_until="2020-01-01"), False),
        ("I am vegan for long.", fact("diet", "vegan", "vegan", valid_until="2999-01-01"), True),
    ],
)
def test_an_entry_is_stored_when_the_users_words_bear_it(daemon, memory_model, user, text, entry, stored):
    learn(daemon, memory_model, user, text, entry)
    assert daemon.values(user) == ([str(entry["value"])] if stored else [])


def test_an_entry_has_its_whole_shape(daemon, memory_model, user):
    text = "My colleague Maria lives at Hauptstrasse 5."
    learn(
        daemon, memory_model, user, text,
        fact("address", "Hauptstrasse 5", "Maria lives at Hauptstrasse 5", 0.9, entity="Maria", kind="person", pii=True),
        at="2026-03-01T09:30:00+02:00",
    )
    (stored,) = daemon.memory(user)["facts"]
    assert stored["id"] and stored["entity"] == "Maria" and stored["kind"] == "person"
    assert (stored["key"], stored["value"], stored["confidence"]) == ("address", "Hauptstrasse 5", 0.9)
    assert stored["pii"] is True and stored["observed_at"] == "2026-03-01T07:30:00Z"
    assert stored["source"]["exchange"] and stored["source"]["quote"] == "Maria lives at Hauptstrasse 5"


def test_set_replaces_add_joins_remove_ends(daemon, memory_model, user):
    learn(daemon, memory_model, user, "I speak German.", fact("language", "German", "German", op="add"))
    learn(daemon, memory_model, user, "I speak Czech too.", fact("language", "Czech", "Czech", op="add"))
    assert daemon.values(user) == ["Czech", "German"]
    learn(daemon, memory_model, user, "No German any more.", fact("language", "German", "German", op="remove"))
    assert daemon.values(user) == ["Czech"]
    learn(daemon, memory_model, user, "Only Dutch now.", fact("language", "Dutch", "Dutch", op="set"))
    assert daemon.values(user) == ["Dutch"]


def test_a_removal_may_name_no_value(daemon, memory_model, user):
    learn(daemon, memory_model, user, "I have a car.", fact("vehicle", "car", "I have a car"))
    memory_model.answers["I sold the car."] = [{"key": "vehicle", "op": "remove", "confidence": 0.9, "quote": "I sold the car"}]
    Chat(daemon, user).say("I sold the car.")
    daemon.settle(user)
    assert daemon.values(user) == []


def test_a_late_old_observation_goes_behind_the_newer(daemon, memory_model, user):
    learn(daemon, memory_model, user, "I live in Rome.", fact("city", "Rome", "I live in Rome"), at="2026-05-01T00:00:00Z")
    learn(daemon, memory_model, user, "I live in Oslo.", fact("city", "Oslo", "I live in Oslo"), at="2025-05-01T00:00:00Z")
    assert daemon.values(user) == ["Rome"]
    learn(daemon, memory_model, user, "I live in Bern.", fact("city", "Bern", "I live in Bern"), at="2026-06-01T00:00:00Z")
    assert daemon.values(user) == ["Bern"]


def test_what_is_to_be_forgotten_is_found_nowhere(daemon, upstream, memory_model, user):
    talk = Chat(daemon, user)
    memory_model.answers["My cat is called Mephisto."] = [fact("cat", "Mephisto", "My cat is called Mephisto")]
    memory_model.answers["Please forget my cat Mephisto."] = [
        fact("cat", "Mephisto", "forget my cat Mephisto", forget=True)
    ]
    talk.say("My cat is called Mephisto.")
    daemon.settle(user)
    assert daemon.values(user) == ["Mephisto"]
    talk.say("Please forget my cat Mephisto.")
    daemon.settle(user)
    assert "Mephisto" not in json.dumps(daemon.memory(user))
    Chat(daemon, user).say("What do you know?")
    assert b"Mephisto" not in upstream.last.body


@pytest.mark.parametrize("more, obeyed", [({"confidence": None}, True), ({"confidence": 0.5}, False)], ids=["unsaid", "low"])
def test_a_request_to_forget_takes_the_ordinary_confidence(make_daemon, memory_model, user, more, obeyed):
    daemon = make_daemon({"memory": {"min_confidence": "0.85"}})
    learn(daemon, memory_model, user, "My cat is Mephisto.", fact("cat", "Mephisto", "My cat is Mephisto"))
    entry = {"key": "cat", "value": "Mephisto", "quote": "Forget Mephisto", "forget": True} | more
    memory_model.answers["Forget Mephisto."] = [{k: v for k, v in entry.items() if v is not None}]
    Chat(daemon, user).say("Forget Mephisto.")
    daemon.settle(user)
    assert ("Mephisto" not in json.dumps(daemon.memory(user))) is obeyed


@pytest.mark.parametrize(
    "text, entry",
    [
        ("Thanks, see you tomorrow", {"entity": "user", "forget": True, "quote": "Thanks, see you tomorrow"}),
        ("I'm allergic to peanuts, please keep that in mind", fact("cat", "Mephisto", forget=True)),
        ("Forget my address, please.", {"entity": "user", "forget": True, "quote": "Forget my address"}),
        ("Forget my address, please.", {"key": "cat", "forget": True, "quote": "Forget my address"}),
        ("I never forget my cat.", {"key": "cat", "forget": True, "quote": "forget my cat"}),
    ],
)
def test_a_stray_word_of_the_model_erases_nothing(daemon, memory_model, user, text, entry):
    learn(daemon, memory_model, user, "My cat is Mephisto.", fact("cat", "Mephisto", "My cat is Mephisto"))
    learn(daemon, memory_model, user, text, {"confidence": 0.95} | entry)
    memory = daemon.memory(user)
    assert daemon.values(user) == ["Mephisto"]
    assert "My cat is Mephisto." in [m["content"] for m in memory["messages"]]


# ---- a secret that the model puts together ----


def test_what_the_model_returns_is_masked_too(daemon, memory_model, user):
    card = "4111 1111 1111 1111"
    memory_model.summary = f"Ana pays with {card}."
    text = "My card for the hotel is 4111 1111 and then 1111 1111, thanks."
    learn(
        daemon, memory_model, user, text,
        fact("card", card, "My card for the hotel"),
        fact("hotel_card", f"the hotel is {card}"),
        {"entity": f"card {card}", "key": "use", "value": "hotel", "confidence": 0.95},
    )
    assert card not in json.dumps(daemon.memory(user))


def test_a_secret_in_a_summary_is_masked_in_the_store(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "2"}})
    card = "4111 1111 1111 1111"
    memory_model.summary = f"Ana pays her hotels with {card}, always."
    chat = Chat(daemon, user)
    for half in ("My card begins with 4111 1111.", "It ends with 1111 1111."):
        chat.say(half)
    daemon.settle(user)
    kept = daemon.memory(user)["summary"]["text"]
    assert kept.startswith("Ana pays her hotels with") and "1111 1111" not in kept
    daemon.stop()
    assert card.encode() not in (Path(daemon.config["storage"]["path"]) / "data.mdb").read_bytes()


# ---- a model in trouble ----


def test_the_first_retry_comes_within_a_second_or_so(make_daemon, memory_model, user, tmp_path):
    """By a clock that runs a fifth as fast: the pause takes 5 s, the second one would 10 s."""
    daemon = make_daemon(environment=fast_clock(tmp_path, 0.2))
    numbers = itertools.count()

    def pause():
        number = next(numbers)
        turn = f"I am Ana, who is tried twice, for the time number {number}."
        memory_model.fail(turn, error_reply(500))
        memory_model.answers[turn] = [fact("name", "Ana", "I am Ana")]
        Chat(daemon, f"{user}-{number}").say(turn)
        daemon.settle(f"{user}-{number}")
        assert daemon.values(f"{user}-{number}") == ["Ana"]
        first, second = (call.request for call in memory_model.fact_calls(turn))
        return second.at - first.at

    assert quickest(pause, 9) < 9


def test_pending_work_is_done_after_a_restart(make_daemon, memory_model, user):
    daemon = make_daemon()
    memory_model.fail("I am Ana.", *[error_reply(503)] * 2)
    memory_model.answers["I am Ana."] = [fact("name", "Ana", "I am Ana")]
    Chat(daemon, user).say("I am Ana.")
    assert daemon.memory(user)["pending"] == 1
    daemon.kill_and_restart()
    daemon.settle(user)
    assert daemon.values(user) == ["Ana"]


@pytest.mark.parametrize("word", ["temperature", "response_format", "max_tokens"])
def test_a_server_that_refuses_a_parameter_is_met_half_way(make_daemon, memory_model, user, word):
    daemon = make_daemon()
    memory_model.refuse = lambda body: (
        error_reply(400, f"Unsupported parameter: '{word}' is not supported with this model.") if word in body else None
    )
    for name in ("Ana", "Bea"):
        memory_model.answers[f"I am {name}."] = [fact("name", name, f"I am {name}")]
    talk = Chat(daemon, user)
    talk.say("I am Ana.")
    daemon.settle(user)
    asked = len(memory_model.requests)
    talk.say("I am Bea.")
    daemon.settle(user)
    assert daemon.values(user) == ["Bea"] and len(memory_model.requests) == asked + 1


@pytest.mark.parametrize(
    "answer",
    [
        "Here you are:\n```json\n{0}\n```\nAnything else?",
        "<think>Hm {{}}.</think>{0}",
        "{0}\n\n",
        "Sure! {0}",
    ],
)
def test_text_and_fences_round_the_json_are_tolerated(daemon, memory_model, user, answer):
    entities = json.dumps({"entities": [fact("name", "Ana", "I am Ana")]})
    memory_model.answers["I am Ana."] = answer.replace("{{}}", "{}").replace("{0}", entities)
    Chat(daemon, user).say("I am Ana.")
    daemon.settle(user)
    assert daemon.values(user) == ["Ana"]


# ---- the block ----


def test_a_fact_learned_here_comes_with_the_next_conversation(daemon, upstream, memory_model, user):
    memory_model.answers["I am Ana."] = [fact("name", "Ana", "I am Ana")]
    talk = Chat(daemon, user)
    talk.say("I am Ana.")
    daemon.settle(user)
    talk.say("Go on.")
    assert talk.messages and upstream.last.json["messages"][0]["role"] == "user"
    Chat(daemon, user).say("Who am I?")
    assert upstream.last.messages[0]["role"] == "system" and "Ana" in upstream.last.messages[0]["content"]


def test_a_client_that_sends_only_its_newest_message_is_told_all(daemon, upstream, memory_model, user):
    memory_model.answers["My dog is Rex."] = [fact("dog", "Rex", "My dog is Rex")]
    talk = Chat(daemon, user, session="s", newest_only=True)
    talk.say("My dog is Rex.")
    daemon.settle(user)
    talk.say("What is my dog called?")
    assert b"Rex" in upstream.last.body
    roles = [m["role"] for m in upstream.last.messages]
    assert roles.count("system") <= 1 and roles[-1] == "user"
    turns = [r for r in roles if r != "system"]
    assert all(a != b for a, b in zip(turns, turns[1:]))


@pytest.mark.parametrize("newest_only", [True, False])
def test_a_correction_makes_the_block_anew(daemon, upstream, memory_model, known_user, newest_only):
    talk = Chat(daemon, known_user, session="s", newest_only=newest_only)
    talk.say("What do you know about me?")
    assert b"Lisbon" in upstream.last.body
    memory_model.answers["I moved to Porto."] = [fact("home_city", "Porto", "I moved to Porto")]
    talk.say("I moved to Porto.")
    daemon.settle(known_user)
    talk.say("Where do I live?")
    block = upstream.last.messages[0]["content"]
    assert "home_city: Lisbon" not in block and "home_city: Porto" in block


@pytest.mark.parametrize("mode", ["buffer", "summary", "entity", "hybrid"])
def test_a_forgotten_turn_leaves_the_block_of_an_open_conversation(daemon, upstream, memory_model, mode_user, mode):
    user = make_known(daemon, memory_model, mode_user(mode))
    talk = Chat(daemon, user)
    talk.say("What do you know about me?")
    assert b"Lisbon" in upstream.last.body
    daemon.forget(user)
    talk.say("Where do I live?")
    assert b"Lisbon" not in upstream.last.body


# ---- the admin address ----


def test_memory_has_exactly_its_promised_shape(daemon, memory_model, user):
    Chat(daemon, user, session="s-1").say("Hello.")
    daemon.settle(user)
    memory = daemon.memory(user)
    assert {"user", "pending", "summary", "facts", "messages"} <= set(memory)
    assert memory["user"] == user and memory["pending"] == 0 and memory["summary"] is None and memory["facts"] == []
    assert [set(m) for m in memory["messages"]] == [{"id", "conversation", "role", "content", "created_at", "session", "complete"}] * 2
    assert all(RFC3339.match(m["created_at"]) and m["session"] == "s-1" for m in memory["messages"])


@pytest.mark.parametrize("name", ["a/b", "ü@x.org", "a%b", "a+b", "a?b#c", "用户", "a:b;c,d", "..", "."])
def test_any_user_is_found_percent_encoded(daemon, name):
    daemon.request(
        "POST", "/v1/chat/completions", headers={b"X-User-Id": name.encode(), b"Content-Type": b"application/json"},
        content=b'{"model":"m","messages":[{"role":"user","content":"Hello."}]}',
    )
    escaped = "".join(f"%{b:02X}" for b in name.encode())
    try:
        for form in (quote(name, safe="") if name.strip(".") else escaped, escaped, escaped.lower()):
            with RawClient(daemon.admin_port) as client:
                client.send("GET", f"/v1/users/{form}/memory")
                reply = client.read_reply()
            assert reply.status == 200 and json.loads(reply.body)["user"] == name
    finally:
        with RawClient(daemon.admin_port) as client:
            client.send("DELETE", f"/v1/users/{escaped}")
            assert client.read_reply().status == 200


def test_an_import_keeps_times_sessions_and_order(daemon, memory_model, user):
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": "First.", "created_at": "2025-01-01T10:00:00.5+01:00", "session": "a"},
            {"role": "assistant", "content": "One.", "created_at": "2025-01-01T09:00:05Z", "session": "a"},
            {"role": "user", "content": "Second, of which nothing is learned.", "session": "b"},
        ],
        learn=False,
    )
    messages = daemon.memory(user)["messages"]
    assert [m["content"] for m in messages] == ["First.", "One.", "Second, of which nothing is learned."]
    assert [m["session"] for m in messages] == ["a", "a", "b"]
    assert messages[0]["created_at"].startswith("2025-01-01T09:00:00")
    assert daemon.memory(user)["pending"] == 0
    assert not any(call.holds("of which nothing is learned") for call in memory_model.calls())


def test_an_imported_session_goes_on(daemon, upstream, memory_model, user):
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": "My parrot is Polly.", "session": "s"},
            {"role": "assistant", "content": "Nice bird.", "session": "s"},
        ],
        learn=False,
    )
    talk = Chat(daemon, user, session="s", newest_only=True, mode="buffer")
    talk.say("What is my parrot called?")
    assert [m["content"] for m in upstream.last.messages][-3:] == [
        "My parrot is Polly.", "Nice bird.", "What is my parrot called?",
    ]


def test_forgetting_leaves_nothing_and_a_fresh_start(daemon, upstream, memory_model, known_user):
    reply = Chat(daemon, known_user).say("Hello.")
    receipt = reply.headers["X-Memory-Receipt"]
    daemon.forget(known_user)
    assert not daemon.knows(known_user)
    assert daemon.admin("GET", f"/v1/receipts/{receipt}").status_code == 404
    assert Chat(daemon, known_user).say("Hello again.").status == "empty"


def test_a_forgotten_users_slow_lesson_teaches_nothing(daemon, memory_model, user):
    gate, turn = threading.Event(), "I am Ana, who will be forgotten."
    memory_model.answers[turn] = [fact("name", "Ana", "I am Ana")]
    slow = json.dumps({"entities": memory_model.answers[turn]})
    memory_model.fail(turn, json_reply(completion(slow), gates={0: gate}))
    Chat(daemon, user).say(turn)
    until(lambda: memory_model.fact_calls(turn), "nobody asked")
    daemon.forget(user)
    gate.set()
    time.sleep(0.5)  # the lesson is stored as soon as it comes, if it is
    assert not daemon.knows(user)


def test_metrics_name_nobody(daemon, memory_model, user):
    Chat(daemon, user, session="sess-of-" + user).say("Hello.")
    daemon.settle(user)
    assert user not in daemon.metrics()


def test_the_token_of_the_admin_address_guards_all_but_the_probes(make_daemon, user):
    daemon = make_daemon({"listen": {"admin_token": "opensesame"}})
    for path in ("/healthz", "/readyz"):
        assert daemon.admin("GET", path, headers={}).status_code == 200
    for method, path in (
        ("GET", "/metrics"), ("GET", f"/v1/users/{user}/memory"), ("DELETE", f"/v1/users/{user}"),
        ("POST", f"/v1/users/{user}/messages"), ("GET", "/v1/receipts/0"),
    ):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "opensesame"}):
            assert daemon.admin(method, path, headers=headers).status_code == 401, (method, path, headers)
    for scheme in ("Bearer", "Token", "bearer", "token"):
        assert daemon.admin("GET", "/metrics", headers={"Authorization": f"{scheme} opensesame"}).status_code == 200
