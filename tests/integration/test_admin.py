"""The admin address: health, metrics, what is remembered, importing, forgetting, receipts, its token."""

import json
import re
import threading
import time

import pytest
from conftest import KNOWN_TURN, KNOWN_VALUE, make_known

from harness.api import routes
from harness.chat import Chat
from harness.memory_model import fact
from harness.upstream import sse_reply, text_events, tool_call
from harness.wire import RawClient
from test_admin_recallctl import recallctl

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_healthz_and_readyz_are_200(daemon):
    assert daemon.admin("GET", "/healthz").status_code == 200
    assert daemon.admin("GET", "/readyz").status_code == 200


def test_an_unknown_address_is_404_and_a_wrong_method_405(daemon):
    for path in ("/", "/v1/nothing", "/v1/users/", "/v1/users/x/y/z"):
        reply = daemon.admin("GET", path)
        assert reply.status_code == 404 and reply.json()["error"]["message"]
    reply = daemon.admin("POST", "/healthz")
    assert reply.status_code == 405 and reply.headers["Allow"] == "GET, HEAD"
    assert daemon.admin("GET", "/v1/users/x").headers["Allow"] == "DELETE"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_head_is_answered_as_get_without_the_body(daemon, path):
    reply = daemon.admin("HEAD", path)
    assert reply.status_code == 200 and reply.content == b""
    assert int(reply.headers["Content-Length"]) > 0


@pytest.mark.parametrize("method, path", [endpoint for endpoint, query in routes().items() if query is not None])
def test_no_endpoint_takes_a_parameter_that_it_does_not_know(daemon, known_user, method, path):
    path = path.replace("{}", known_user, 1).replace("{}", "1")
    kwargs = {} if method in ("GET", "DELETE") else {"json": {"learn": False, "inject": False}}
    for query in ("dryrun=1", "tenant", "tenant=a&tenant=b", "Tenant=a", "=1"):
        reply = daemon.admin(method, f"{path}?{query}", **kwargs)
        assert reply.status_code == 400 and reply.json()["error"]["code"] == "invalid_query", reply.text
    settings = daemon.admin("GET", f"/v1/users/{known_user}/settings").json()
    assert settings["learn"] and settings["inject"]
    assert daemon.memory(known_user)["facts"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_and_scrapers_may_send_any_parameter(daemon, path):
    assert daemon.admin("GET", path + "?match=1&match=2&x").status_code == 200


# ---- metrics ----

SAMPLE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*",?)*\})? -?[0-9.eE+-]+(Inf|NaN)?( [0-9]+)?')


def test_metrics_are_prometheus_text_that_names_no_user(daemon, known_user):
    Chat(daemon, known_user, session="a-session").say("Hello.")
    reply = daemon.admin("GET", "/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain")
    typed = set()
    for line in reply.text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif line and not line.startswith("#"):
            assert SAMPLE.fullmatch(line), line
            name = re.match(r"[a-zA-Z0-9_:]+", line)[0]
            assert name in typed or re.sub(r"_(bucket|sum|count)$", "", name) in typed, name
    for secret in (known_user, "a-session", KNOWN_VALUE, "test-model", "test-key"):
        assert secret not in reply.text


def test_requests_are_counted_by_what_memory_did(daemon, user):
    before = daemon.metric('recalld_requests_total{memory="anonymous"}')
    Chat(daemon).say("Hello.")
    assert daemon.metric('recalld_requests_total{memory="anonymous"}') == before + 1

# ---- what is remembered ----

def test_a_user_never_seen_is_404(daemon, user):
    reply = daemon.admin("GET", daemon.memory_path(user, "/memory"))
    assert reply.status_code == 404
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


def test_memory_has_its_promised_shape(daemon, memory_model, known_user):
    Chat(daemon, known_user, session="s-5").say("What is new?")
    memory = daemon.memory(known_user)
    assert {"user", "pending", "summary", "facts", "messages"} <= set(memory)
    assert memory["user"] == known_user and isinstance(memory["pending"], int)
    assert memory["summary"] is None or set(memory["summary"]) == {"text", "updated_at"}
    for learned in memory["facts"]:
        assert {"id", "entity", "kind", "key", "value", "confidence", "pii", "observed_at", "source"} <= set(learned)
        assert learned["observed_at"] == "2026-01-05T10:00:00Z", "when it was said, not when it was learned"
        assert {"exchange", "quote"} <= set(learned["source"]) and learned["source"]["quote"] in KNOWN_TURN
    for message in memory["messages"]:
        assert set(message) == {"id", "conversation", "role", "content", "created_at", "session", "complete"}
        assert TIME.fullmatch(message["created_at"])
    assert [m["session"] for m in memory["messages"]] == ["past", "past", "s-5", "s-5"]
    assert [m["created_at"] for m in memory["messages"]][:2] == ["2026-01-05T10:00:00Z", "2026-01-05T10:00:05Z"]


def test_users_in_paths_are_percent_encoded(daemon):
    name = "a/b?c#d%e ü".replace(" ", "")
    with RawClient(daemon.port) as raw:
        raw.post_chat(b'{"messages":[{"role":"user","content":"Hi"}]}', name.encode().decode("latin-1"))
        assert raw.read_reply().status == 200
    assert daemon.memory(name)["user"] == name
    assert daemon.admin("GET", "/v1/users/%zz/memory").status_code == 400

# ---- importing ----

def test_an_import_is_on_disk_when_it_is_answered(make_daemon, user):
    daemon = make_daemon()
    messages = [{"role": "user", "content": "Once."}, {"role": "assistant", "content": "Upon a time."}]
    daemon.import_messages(user, messages, learn=False)
    daemon.kill_and_restart()
    assert daemon.messages(user) == [("user", "Once."), ("assistant", "Upon a time.")]


def test_an_import_that_is_not_to_be_learned_asks_no_model(daemon, memory_model, user):
    daemon.import_messages(user, [{"role": "user", "content": "Silent."}, {"role": "assistant", "content": "Ok."}], learn=False)
    assert daemon.memory(user)["pending"] == 0
    time.sleep(0.3)  # the learner would ask at once
    assert not any(c.holds("Silent.") for c in memory_model.calls())


def test_times_of_any_offset_come_out_in_utc(daemon, user):
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": "East.", "created_at": "2026-03-01T01:30:00+05:30"},
            {"role": "assistant", "content": "West.", "created_at": "2026-02-28T20:00:01.250Z"},
        ],
        learn=False,
    )
    times = [m["created_at"] for m in daemon.memory(user)["messages"]]
    assert times[0] == "2026-02-28T20:00:00Z" and times[1].startswith("2026-02-28T20:00:01")


def test_a_date_alone_is_its_midnight_in_utc(daemon, user):
    turn = {"role": "user", "content": "Long ago."}
    daemon.import_messages(user, [turn | {"created_at": "2024-05-01"}], learn=False)
    assert [m["created_at"] for m in daemon.memory(user)["messages"]] == ["2024-05-01T00:00:00Z"]
    for time in ("2024-05", "2024-05-01T10:00:00", "2024-02-30", 1714557600):
        body = {"messages": [turn | {"created_at": time}], "learn": False}
        reply = daemon.admin("POST", daemon.memory_path(user, "/messages"), json=body)
        assert reply.status_code == 400 and "created_at" in reply.json()["error"]["message"], time


def test_imported_turns_are_injected_with_their_dates(daemon, upstream, user):
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": "I planted quinces.", "created_at": "2025-04-03T10:00:00Z", "session": "old"},
            {"role": "assistant", "content": "How nice.", "created_at": "2025-04-03T10:00:01Z", "session": "old"},
        ],
        learn=False,
    )
    Chat(daemon, user, mode="buffer").say("What did I plant?")
    assert b"quinces" in upstream.last.body and b"2025-04-03" in upstream.last.body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"messages":[]}',
        b'{"messages":"x"}',
        b'{"messages":[{"role":"user"}]}',
        b'{"messages":[{"content":"x"}]}',
        b'{"messages":[{"role":"king","content":"x"}]}',
        b'{"messages":[{"role":"user","content":7}]}',
        b'{"messages":[{"role":"user","content":"x","created_at":"yesterday"}]}',
        b'{"messages":[{"role":"user","content":"x","session":7}]}',
        b'{"messages":[{"role":"user","content":"x"}],"learn":"yes"}',
        b'{"messages":[{"role":"user","content":"x"}],"learn":[null]}',
    ],
)
def test_a_bad_import_is_400_and_changes_nothing(daemon, user, body):
    reply = daemon.admin("POST", daemon.memory_path(user, "/messages"), content=body)
    assert reply.status_code == 400
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
    assert not daemon.knows(user)


@pytest.mark.parametrize("name", ["{{USER_ID}}", "two words", "x" * 257, "zero\u200bwidth", "new\nline"])
def test_nothing_is_imported_for_an_id_that_no_request_can_have(daemon, name):
    body = {"messages": [{"role": "user", "content": "Hello."}], "learn": False}
    reply = daemon.admin("POST", daemon.memory_path(name, "/messages"), json=body)
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "invalid_user_id"
    assert not daemon.knows(name)


def post(daemon, user, messages, **more):
    reply = daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": messages, "learn": False} | more)
    assert reply.status_code == 202, reply.text
    return reply.json()


def dated(role, content, second, session="s"):
    return {"role": role, "content": content, "created_at": f"2026-03-01T10:00:{second:02}Z", "session": session}


def test_the_same_messages_again_change_nothing_and_what_follows_goes_on(daemon, user):
    first = [dated("user", "I row.", 1), dated("assistant", "On which lake?", 2), dated("user", "I row.", 1)]
    later = [dated("user", "On the Wannsee.", 3), dated("assistant", "Nice.", 4)]
    assert post(daemon, user, first) == {"imported": 3, "left_out": 0, "erased": 0}
    assert post(daemon, user, first) == {"imported": 0, "left_out": 0, "erased": 0, "known": 3}
    assert post(daemon, user, first + later)["imported"] == 2
    export = daemon.admin("GET", f"/v1/users/{user}/export").json()
    [conversation] = export["conversations"]
    told = [(turn["role"], turn["content"], turn["ordinal"]) for turn in conversation["turns"]]
    assert told == [("user", "I row.", 0), ("assistant", "On which lake?", 0), ("user", "I row.", 1),
                    ("user", "On the Wannsee.", 1), ("assistant", "Nice.", 1)]
    assert conversation["answers"] == 2


def test_messages_of_a_session_go_after_what_it_holds(daemon, upstream, user):
    """Its places stay those of a talk, so that a client that resends all of it is known."""
    chat = Chat(daemon, user, session="s")
    chat.say("I row.")
    post(daemon, user, [dated("user", "On the Wannsee.", 3), dated("assistant", "Nice.", 4)])
    [conversation] = daemon.admin("GET", f"/v1/users/{user}/export").json()["conversations"]
    assert [turn["ordinal"] for turn in conversation["turns"]] == [0, 0, 1, 1] and conversation["answers"] == 2


def test_sessions_may_alternate_and_answers_find_their_question(daemon, user):
    messages = []
    for number in range(20):
        for session in ("a", "b", ""):
            at = 3 * number % 60
            messages += [dated("user", f"Question {number} of {session or 'none'}", at, session)]
        for session in ("b", "", "a"):
            messages += [dated("assistant", f"Answer {number} of {session or 'none'}", at, session)]
    assert post(daemon, user, messages)["imported"] == 120
    for conversation in daemon.admin("GET", f"/v1/users/{user}/export").json()["conversations"]:
        turns = {turn["id"]: turn for turn in conversation["turns"]}
        assert len(turns) == 40 and conversation["answers"] == 20
        for turn in turns.values():
            if turn["role"] == "assistant":
                assert turns[turn["exchange"]]["content"] == turn["content"].replace("Answer", "Question")


def test_an_answer_finds_its_question_though_each_comes_by_itself(daemon, user):
    for number in range(3):
        assert post(daemon, user, [dated("user", f"Question {number}", 2 * number)])["imported"] == 1
        assert post(daemon, user, [dated("assistant", f"Answer {number}", 2 * number + 1)])["imported"] == 1
    [conversation] = daemon.admin("GET", f"/v1/users/{user}/export").json()["conversations"]
    turns = {turn["id"]: turn for turn in conversation["turns"]}
    for turn in turns.values():
        if turn["role"] == "assistant":
            asked = turns[turn["exchange"]]
            assert asked["content"].split()[1] == turn["content"].split()[1] and asked["answer"] == turn["id"]
    first = min(turns, key=int)
    assert daemon.admin("DELETE", f"/v1/users/{user}/turns/{first}").json()["turns"] == 2


@pytest.mark.parametrize("name", ["", "n" * 65])
def test_a_list_of_no_name_or_a_long_one_is_not_the_messages(daemon, user, name):
    assert post(daemon, user, [dated("user", "I row.", 1)], **{name: [1]})["imported"] == 1
    body = {name: [1], "messages": [dated("user", "I sail.", 2)]}
    assert daemon.admin("POST", f"/v1/users/{user}/messages", json=body).json()["imported"] == 1


def test_what_is_too_large_is_left_out_with_its_reason(daemon, user):
    long = {"role": "user", "content": "x" * (13 << 20)}
    assert post(daemon, user, [long]) == {"imported": 0, "left_out": 1, "erased": 0, "masked": 0, "cut": 0, "reasons": {"too_large": 1}}


def test_whether_to_learn_may_stand_after_the_messages(daemon, memory_model, user):
    memory_model.answers["I row."] = [fact("hobby", "row", "I row")]  # it may be learned before it is looked for
    for learn, pending in ((b"false", 0), (b"true", 1)):
        body = b'{"messages":[{"role":"user","content":"I row."}],"learn":' + learn + b"}"
        reply = daemon.admin("POST", f"/v1/users/{user}-{pending}/messages", content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code == 202
        memory = daemon.memory(f"{user}-{pending}")
        assert bool(memory["pending"] or memory["facts"]) == bool(pending)
    daemon.settle(f"{user}-1")
    assert daemon.memory(f"{user}-1")["facts"]


def test_messages_are_a_format_of_an_import(daemon, user):
    messages = [dated("user", "I row.", 1), dated("assistant", "Nice.", 2), {"role": "system", "content": "Be brief."}]
    shown = daemon.admin("POST", f"/v1/users/{user}/import?dry_run=1", json={"messages": messages}).json()
    assert shown["format"] == "messages" and (shown["turns"], shown["left_out"]) == (2, 1)
    assert not daemon.knows(user)
    for body in ({"messages": messages}, messages):
        taken = daemon.admin("POST", f"/v1/users/{user}/import?learn=0", json=body).json()
        assert taken["format"] == "messages" and taken["turns"] + taken["known"] == 2
    assert daemon.messages(user) == [("user", "I row."), ("assistant", "Nice.")]


def test_a_large_import_is_taken_whole_and_in_order(daemon, user):
    messages = []
    for i in range(1500):
        messages.append({"role": "user", "content": f"Question {i}?", "session": "big"})
        messages.append({"role": "assistant", "content": f"Answer {i}.", "session": "big"})
    daemon.import_messages(user, messages, learn=False)
    kept = daemon.messages(user)
    assert kept == [(m["role"], m["content"]) for m in messages]

# ---- forgetting ----

def test_forgetting_takes_everything(daemon, upstream, memory_model, known_user):
    reply = Chat(daemon, known_user).say("Hello.")
    receipt = reply.headers["X-Memory-Receipt"]
    daemon.settle(known_user)
    daemon.forget(known_user)
    assert not daemon.knows(known_user)
    assert daemon.admin("GET", f"/v1/receipts/{receipt}").status_code == 404
    for mode in ("buffer", "summary", "entity", "hybrid"):
        Chat(daemon, known_user, mode=mode, session=mode).say("Where do I live?")
        assert KNOWN_VALUE.encode() not in upstream.last.body
    assert KNOWN_VALUE not in str(daemon.memory(known_user))


def test_forgetting_leaves_others_alone(daemon, memory_model, known_user):
    other = make_known(daemon, memory_model, known_user + "-other")
    before = daemon.memory(other)
    daemon.forget(known_user)
    assert daemon.memory(other) == before


def test_forgetting_a_user_never_seen_reports_nothing(daemon, user):
    reply = daemon.admin("DELETE", daemon.memory_path(user))
    assert reply.status_code == 200 and reply.json()["users"] == 0
    daemon.forget(user)


def test_forgetting_takes_an_exchange_in_flight(daemon, upstream, user):
    Chat(daemon, user, session="s").say("Before.")
    gate = threading.Event()
    events = text_events("A slow answer about nothing much.")
    upstream.script(sse_reply(events, gates={3: gate}))
    with RawClient(daemon.port) as raw:
        raw.post_chat(b'{"stream":true,"messages":[{"role":"user","content":"My secret is quartz."}]}', user)
        raw.read_until(b"data:")
        daemon.forget(user)
        gate.set()
        reply = raw.read_reply()
    assert reply.whole and reply.body == b"".join(events)
    time.sleep(0.2)  # the exchange is stored as soon as it ends, if it is
    assert not daemon.knows(user)


def test_a_forgotten_user_stays_forgotten_over_kill_9(make_daemon, user):
    daemon = make_daemon()
    Chat(daemon, user).say("My secret is basalt.")
    daemon.forget(user)
    daemon.kill_and_restart()
    assert not daemon.knows(user)


def test_an_imported_log_loses_its_system_and_tool_messages_only(daemon, user):
    messages = [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Which day is it?"},
        {"role": "assistant", "content": None, "tool_calls": [tool_call("1", "day", {})]},
        {"role": "tool", "tool_call_id": "1", "content": "Monday"},
        {"role": "assistant", "content": "Let me look again.", "tool_calls": [tool_call("2", "day", {})]},
        {"role": "assistant", "function_call": {"name": "day", "arguments": "{}"}},
        {"role": "function", "name": "day", "content": "Monday"},
        {"role": "assistant", "content": "Monday.", "tool_calls": []},
    ]
    reply = daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": messages, "learn": False})
    assert (reply.status_code, reply.json()) == (202, {"imported": 2, "left_out": 6, "erased": 0})
    assert [m["content"] for m in daemon.memory(user)["messages"]] == ["Which day is it?", "Monday."]


def test_imported_parts_are_their_text(daemon, user):
    parts = [
        {"type": "reasoning", "text": "A boat it is."},
        {"type": "text", "text": "This is my boat,"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "text", "text": "the Hedwig."},
    ]
    path = f"/v1/users/{user}/messages"
    for content, status in ((parts, 202), (["Hedwig"], 400), ({"text": "Hedwig"}, 400), (None, 400), (7, 400)):
        body = {"messages": [{"role": "user", "content": content}], "learn": False}
        assert daemon.admin("POST", path, json=body).status_code == status
    assert [m["content"] for m in daemon.memory(user)["messages"]] == ["This is my boat,\nthe Hedwig."]


def test_what_a_user_is_shown_as_can_be_imported_again(daemon, user):
    """A chat takes all that JSON allows in a string."""
    said = "A boat\0 \x1b[1m\u2028\U0001f600."
    daemon.import_messages(user, [{"role": "user", "content": said, "session": "s\0t"}], learn=False)
    shown = daemon.memory(user)["messages"]
    assert [(message["content"], message["session"]) for message in shown] == [(said, "s\0t")]
    document = json.dumps({"user": user + "-2", "messages": shown, "learn": False})
    assert recallctl(daemon, "import", "-", stdin=document).returncode == 0
    assert daemon.memory(user + "-2")["messages"] == shown
    for name, value in (("user", "user\0"), ("role", "user\0"), ("created_at", "2026-01-05T10:00:00Z\0")):
        broken = {"user": user, "messages": [shown[0] | {name: value}]} | ({name: value} if name == "user" else {})
        assert recallctl(daemon, "import", "-", stdin=json.dumps(broken)).returncode != 0, name

# ---- receipts ----

@pytest.mark.parametrize("name", ["0", "nothing", "f" * 16, "%00", "..%2Fusers"])
def test_an_unknown_receipt_is_404(daemon, name):
    assert daemon.admin("GET", f"/v1/receipts/{name}").status_code in (400, 404)


def test_a_receipt_is_kept_over_kill_9(make_daemon, user):
    daemon = make_daemon()
    answer = Chat(daemon, user).say("Hello.")
    receipt = daemon.receipt(answer.headers["X-Memory-Receipt"])
    daemon.kill_and_restart()
    assert daemon.receipt(answer.headers["X-Memory-Receipt"]) == receipt


def test_receipts_of_one_conversation_name_what_each_request_was_given(daemon, memory_model, user):
    memory_model.answers["I play the oboe."] = [fact("instrument", "oboe")]
    Chat(daemon, user, session="before").say("I play the oboe.")
    daemon.settle(user)
    chat = Chat(daemon, user, session="now")
    answers = [chat.say("What do you know about me?"), chat.say("And again.")]
    receipts = [daemon.receipt(answer.headers["X-Memory-Receipt"]) for answer in answers]
    assert [answer.status for answer in answers] == ["injected", "injected"]
    assert "oboe" in [item["text"] for item in receipts[0]["items"] if item["kind"] == "fact"][0]
    assert receipts[1]["items"] == receipts[0]["items"]
    assert receipts[1]["bytes_out"] > receipts[1]["bytes_in"]


def test_a_request_that_only_reads_has_a_receipt_too(daemon, memory_model, user):
    memory_model.answers["I play the oboe."] = [fact("instrument", "oboe")]
    Chat(daemon, user).say("I play the oboe.")
    daemon.settle(user)
    answer = Chat(daemon, user, mode="readonly").say("What do you know about me?")
    receipt = daemon.receipt(answer.headers["X-Memory-Receipt"])
    assert (receipt["mode"], receipt["status"]) == ("readonly", "injected")
    assert "oboe" in receipt["items"][0]["text"]


def test_only_so_many_receipts_are_kept_and_the_oldest_go_first(make_daemon, user):
    daemon = make_daemon({"memory": {"receipts": "5"}})
    talk = Chat(daemon, user, session="s", newest_only=True)
    ids = [talk.say(f"Turn {i}.").headers["X-Memory-Receipt"] for i in range(12)]
    found = [daemon.admin("GET", f"/v1/receipts/{name}").status_code for name in ids]
    assert found[0] == 404 and found[-5:] == [200] * 5
    assert found == sorted(found, reverse=True)
