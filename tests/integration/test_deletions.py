"""Deleting a fact, a turn, a conversation, a span of time, a topic, a user and a tenant, over the admin address."""

import json
import time

import pytest

from harness.chat import Chat
from harness.clock import next_second
from harness.memory_model import fact
from test_admin_recallctl import recallctl


def say(daemon, user, text, session):
    return daemon.admin("POST", f"/v1/users/{user}/messages", json={"learn": False, "messages": [
        {"role": "user", "content": text, "session": session, "created_at": "2026-01-05T10:00:00Z"},
        {"role": "assistant", "content": f"Noted: {text}", "session": session, "created_at": "2026-01-05T10:00:01Z"},
    ]})


def memory(daemon, user):
    return daemon.admin("GET", f"/v1/users/{user}/memory").json()


def texts(daemon, user):
    return [turn["content"] for turn in memory(daemon, user)["messages"]]


@pytest.fixture
def talk(daemon, user):
    for text, session in (("I live in Lisbon", "a"), ("My cat is Tom", "a"), ("I work in Bergen", "b")):
        assert say(daemon, user, text, session).status_code == 202
    return memory(daemon, user)["messages"]


def test_a_turn_goes_with_its_answer(daemon, user, talk):
    reply = daemon.admin("DELETE", f"/v1/users/{user}/turns/{talk[0]['id']}")
    assert reply.status_code == 200, reply.text
    report = reply.json()
    assert report["turns"] == 2 and report["conversations"] == 1 and len(report["id"]) == 16
    assert not [text for text in texts(daemon, user) if "Lisbon" in text]
    assert daemon.admin("DELETE", f"/v1/users/{user}/turns/{talk[0]['id']}").status_code == 404


@pytest.mark.parametrize("path", ["turns/0", "turns/x", "turns/-1", "turns/99999999999999999999", "facts/1x",
                                  "conversations/4294967296", "turns/1?keep_facts=2", "turns/1?plan=zz",
                                  "turns/1?dry_run=yes"])
def test_what_is_no_id_or_switch_is_400(daemon, user, talk, path):
    reply = daemon.admin("DELETE", f"/v1/users/{user}/{path}")
    assert reply.status_code == 400, reply.text
    assert len(texts(daemon, user)) == 6


def test_a_conversation_goes_by_id_or_session(daemon, user, talk):
    other = next(turn for turn in talk if turn["session"] == "b")
    reply = daemon.admin("DELETE", f"/v1/users/{user}/conversations/{other['conversation']}")
    assert reply.json()["turns"] == 2
    reply = daemon.admin("DELETE", f"/v1/users/{user}/conversations", params={"session": "a"})
    assert reply.json()["turns"] == 4
    assert texts(daemon, user) == []
    assert daemon.admin("DELETE", f"/v1/users/{user}/conversations?session=a").status_code == 404
    assert daemon.admin("DELETE", f"/v1/users/{user}/conversations").status_code == 400


def test_a_span_goes(daemon, user, talk):
    path = f"/v1/users/{user}/memory"
    assert daemon.admin("DELETE", path).status_code == 400
    assert daemon.admin("DELETE", f"{path}?since=2026-01-06&until=2026-01-05").status_code == 400
    assert daemon.admin("DELETE", f"{path}?since=yesterday").status_code == 400
    for query in ("until=2026-01-05T10:00:00Z", "since=2999-01-01&dry_run=1"):
        reply = daemon.admin("DELETE", f"{path}?{query}")
        assert reply.status_code == 404 and "nothing to delete" in reply.json()["error"]["message"]
    assert daemon.admin("DELETE", f"{path}?since=2026-01-05&until=2026-01-06").json()["turns"] == 6
    assert texts(daemon, user) == []


def test_a_topic_goes_as_its_dry_run_showed_it(daemon, user, talk):
    path = f"/v1/users/{user}/forget"
    shown = daemon.admin("POST", path, json={"about": "cat", "dry_run": True}).json()
    assert shown["exact"] == 2 and shown["turns"][0]["content"] == "My cat is Tom"
    assert len(texts(daemon, user)) == 6
    say(daemon, user, "My other cat is Jerry", "c")
    assert daemon.admin("POST", path, json={"about": "cat", "plan": shown["plan"]}).status_code == 409
    assert len(texts(daemon, user)) == 8
    shown = daemon.admin("POST", path, json={"about": "cat"}).json()
    assert shown["dry_run"] and shown["would_delete"]["turns"] == 4
    report = daemon.admin("POST", path, json={"about": "cat", "plan": shown["plan"]}).json()
    assert report["turns"] == 4
    assert not [text for text in texts(daemon, user) if "cat" in text]
    assert daemon.admin("POST", path, json={"about": "cat"}).status_code == 404
    assert daemon.admin("POST", path, json={"about": "Lisbon", "dry_run": False}).json()["turns"] == 2


@pytest.mark.parametrize("body", [{}, {"about": ""}, {"about": 5}, {"about": "x", "dry_run": 1}, [], {"about": "x", "plan": "1"},
                                  {"entity": None}, {"about": "x" * 4097}, {"entity": "cat " * 2000}])
def test_a_topic_that_names_nothing_is_400(daemon, user, talk, body):
    reply = daemon.admin("POST", f"/v1/users/{user}/forget", json=body)
    assert reply.status_code == 400, reply.text


def test_what_was_deleted_does_not_come_back(daemon, user, talk):
    assert daemon.admin("DELETE", f"/v1/users/{user}/conversations?session=a").status_code == 200
    reply = say(daemon, user, "I live in Lisbon", "a")
    assert reply.json()["imported"] == 0 and reply.json()["erased"] == 2
    assert daemon.admin("DELETE", f"/v1/users/{user}").json()["users"] == 1
    reply = say(daemon, user, "I work in Bergen", "b")
    assert reply.json()["imported"] == 0 and reply.json()["erased"] == 2
    # what is said from now on is new
    next_second()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    reply = daemon.admin("POST", f"/v1/users/{user}/messages", json={"learn": False, "messages": [
        {"role": "user", "content": "I live in Oslo", "created_at": now}]})
    assert reply.json()["imported"] == 1
    assert texts(daemon, user) == ["I live in Oslo"]


def test_an_import_says_what_was_erased_and_since_when(daemon, user, talk, tmp_path):
    assert daemon.admin("DELETE", f"/v1/users/{user}/conversations?session=a").status_code == 200
    answer = say(daemon, user, "I live in Lisbon", "a").json()
    assert answer["erased"] == 2 and answer["undated"] == 0 and answer["erased_at"].startswith("20")
    file = tmp_path / "turns.json"
    file.write_text(json.dumps({"user": user, "learn": False, "messages": [
        {"role": "user", "content": "I live in Lisbon"}, {"role": "assistant", "content": "Noted: I live in Lisbon"}]}))
    done = recallctl(daemon, "import", str(file))
    assert done.returncode == 0 and "imported: 0 messages" in done.stdout
    assert f"2 left out: they were erased, the last at {answer['erased_at']}; what has no time counts as said before" in done.stdout
    counts = json.loads(recallctl(daemon, "import", str(file), "--json").stdout)
    assert counts == {"imported": 0, "left_out": 0, "erased": 2, "undated": 2}


def test_what_no_file_dates_does_not_come_back_in_any_form(daemon, user):
    note = {"results": [{"id": "1", "memory": "Likes tea"}]}
    chat = [{"conversation_id": "c", "mapping": {"a": {"parent": None, "message": {
        "author": {"role": "user"}, "content": {"content_type": "text", "parts": ["I row daily"]}}}}}]
    path = f"/v1/users/{user}/import?learn=0"
    for document in (note, chat):
        taken = daemon.admin("POST", path, json=document).json()
        assert taken["facts"] + taken["turns"] == 1 and taken["erased"] == 0
    assert daemon.admin("DELETE", f"/v1/users/{user}/memory?since=2020-01-01").status_code == 200
    for document in (note, chat):
        taken = daemon.admin("POST", path, json=document).json()
        assert taken["facts"] + taken["turns"] == 0 and taken["erased"] == 1, taken
    assert daemon.messages(user) == [] and daemon.memory(user)["facts"] == []


def test_a_user_is_reported_in_counts(daemon, user, talk):
    report = daemon.admin("DELETE", f"/v1/users/{user}").json()
    assert report["users"] == 1 and report["turns"] == 6 and report["conversations"] == 2
    report = daemon.admin("DELETE", f"/v1/users/{user}").json()
    assert report["users"] == 0 and report["turns"] == 0
    assert "Lisbon" not in json.dumps(report) and user not in json.dumps(report)


def test_a_tenant_needs_its_name_twice(daemon, user):
    for number in range(3):
        path = f"/v1/users/{user}{number}/messages?tenant={user}-corp"
        assert daemon.admin("POST", path, json={"learn": False, "messages": [
            {"role": "user", "content": "hello there"}]}).status_code == 202
    say(daemon, user, "I stay", "a")
    path = f"/v1/tenants/{user}-corp"
    assert daemon.admin("DELETE", path).status_code == 400
    assert daemon.admin("DELETE", path, json={"confirm": "corp"}).status_code == 400
    report = daemon.admin("DELETE", path, json={"confirm": f"{user}-corp"}).json()
    assert report["users"] == 3 and report["turns"] == 3
    assert daemon.admin("GET", f"/v1/users?tenant={user}-corp").json()["users"] == []
    assert len(texts(daemon, user)) == 2


# ---- what would go, and what nobody asked for ----


def test_a_dry_run_of_a_user_deletes_nothing(daemon, user, talk):
    path = f"/v1/users/{user}"
    shown = daemon.admin("DELETE", f"{path}?dry_run=1")
    assert shown.status_code == 200 and shown.json()["dry_run"] is True and shown.json()["plan"] is None
    counts = shown.json()["would_delete"]
    assert counts["users"] == 1 and counts["turns"] == 6 and counts["conversations"] == 2
    assert "postings" not in counts and "frozen" not in counts, "what it does not count it does not tell"
    assert len(texts(daemon, user)) == 6 and len(shown.json()["turns"]) == 6
    report = daemon.admin("DELETE", path).json()
    assert {name: report[name] for name in counts} == counts
    assert daemon.admin("DELETE", f"{path}?dry_run=1").status_code == 404


@pytest.mark.parametrize("query", ["dry-run=1", "dryrun=1", "dry_run", "dry_run=2", "Dry_run=1", "plan=0123456789abcdef",
                                   "dry_run=0&dry_run=1", "tenant=&tenant=x", "%64ry_run=1", "=1", "&&x=1"])
@pytest.mark.parametrize("path", ["", "/turns/{turn}", "/conversations?session=a", "/memory?since=2000-01-01"])
def test_a_mistyped_parameter_deletes_nothing(daemon, user, talk, path, query):
    place = f"/v1/users/{user}{path.format(turn=talk[0]['id'])}"
    reply = daemon.admin("DELETE", place + ("&" if "?" in place else "?") + query)
    assert reply.status_code in (400, 409), reply.text  # 409: the plan is not of this
    assert reply.json()["error"]["code"] in ("invalid_query", "plan_changed")
    assert len(texts(daemon, user)) == 6


@pytest.mark.parametrize("query, said", [
    ("dryrun=1", '"dryrun" is no parameter of this call, or stands there twice.'),
    ("dry_run", '"dry_run" in the query has no value.'),
    ("x" * 200 + "=1", f'"{"x" * 64}" is no parameter of this call, or stands there twice.'),
    ("x" * 200, f'"{"x" * 64}" in the query has no value.'),
])
def test_a_mistyped_parameter_is_named(daemon, user, query, said):
    reply = daemon.admin("DELETE", f"/v1/users/{user}?{query}")
    assert reply.status_code == 400 and reply.json()["error"]["message"] == said


def test_many_parameters_are_looked_at_to_the_last(daemon, user, talk):
    query = "&".join(["dry_run=0"] + ["force=1"] + ["x=1"] * 100)
    assert daemon.admin("DELETE", f"/v1/users/{user}?{query}").status_code == 400
    assert len(texts(daemon, user)) == 6


@pytest.mark.parametrize("body", [{"about": "cat", "dry_run": False, "with_fact": False}, {"about": "cat", "dryrun": True, "dry_run": False},
                                  '{"about":"cat","dry_run":false,"dry_run":true}'])
def test_a_mistyped_member_forgets_nothing(daemon, user, talk, body):
    body = body if isinstance(body, str) else json.dumps(body)
    reply = daemon.admin("POST", f"/v1/users/{user}/forget", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400 and "each once" in reply.json()["error"]["message"], reply.text
    assert len(texts(daemon, user)) == 6


def test_a_dry_run_by_the_query_is_one_whatever_the_body_says(daemon, user, talk):
    path = f"/v1/users/{user}/forget?dry_run=1"
    assert daemon.admin("POST", path, json={"about": "cat", "dry_run": False}).json()["dry_run"] is True
    assert len(texts(daemon, user)) == 6


def test_a_tenants_held_users_stay_and_are_counted(daemon, user):
    tenant = f"{user}-corp"
    for name in ("held", "free"):
        assert daemon.admin("POST", f"/v1/users/{name}/facts?tenant={tenant}", json={"key": "city", "value": "Turin"}).status_code == 201
    hold = {"hold_until": "2999-01-01"}
    assert daemon.admin("PUT", f"/v1/users/held/settings?tenant={tenant}", json=hold).status_code == 200
    path, names = f"/v1/tenants/{tenant}", {"confirm": tenant}
    shown = daemon.admin("DELETE", f"{path}?dry_run=1").json()
    assert shown["dry_run"] and shown["would_delete"]["users"] == 1 and shown["would_delete"]["facts"] == 1 and shown["held"] == 1
    assert len(daemon.admin("GET", f"/v1/users?tenant={tenant}").json()["users"]) == 2
    report = daemon.admin("DELETE", path, json=names).json()
    assert report["users"] == 1 and report["held"] == 1
    assert [u["user"] for u in daemon.admin("GET", f"/v1/users?tenant={tenant}").json()["users"]] == ["held"]
    shown = daemon.admin("DELETE", f"{path}?dry_run=1&force=1").json()
    assert shown["would_delete"]["users"] == 1 and shown["held"] == 0
    report = daemon.admin("DELETE", f"{path}?force=1", json=names).json()
    assert report["users"] == 1 and report["held"] == 0
    assert daemon.admin("GET", f"/v1/users?tenant={tenant}").json()["users"] == []


def test_a_fact_that_has_changed_since_it_was_read_stays(daemon, user):
    path = f"/v1/users/{user}/facts"
    made = daemon.admin("POST", path, json={"key": "city", "value": "Turin"})
    one, old = f"{path}/{made.json()['id']}", made.headers["ETag"]
    assert daemon.admin("PATCH", one, json={"confidence": 0.5}).status_code == 200
    for tag, status in ((old, 412), ('"x"', 412), ("0" * 16, 412)):
        assert daemon.admin("DELETE", one, headers={"If-Match": tag}).status_code == status
    assert daemon.admin("DELETE", f"{path}/999999", headers={"If-Match": old}).status_code == 404
    assert daemon.admin("DELETE", f"{path}/x", headers={"If-Match": old}).status_code == 400
    assert daemon.admin("DELETE", one, headers={"If-Match": daemon.admin("GET", one).headers["ETag"]}).status_code == 200
    again = f"{path}/{daemon.admin('POST', path, json={'key': 'city', 'value': 'Turin'}).json()['id']}"
    assert daemon.admin("DELETE", again, headers={"If-Match": "*"}).json()["facts"] == 1



# ---- a fact, with what says it ----


@pytest.fixture
def told(daemon, user, memory_model):
    """A fact, its turn, and others of which one says it, too. Gives the fact."""
    said = "I have a tortoise called Zwingli, and I live in Turin."
    memory_model.answers[said] = [fact("tortoise", "Zwingli", "I have a tortoise called Zwingli"), fact("city", "Turin", "I live in Turin")]
    Chat(daemon, user, session="a").say(said)
    daemon.settle(user)
    for text in ("My tortoise Zwingli eats dandelions", "Was the reformer Zwingli born in 1484?", "I play chess"):
        say(daemon, user, text, "b")
    return next(f for f in memory(daemon, user)["facts"] if f["key"] == "tortoise")


def test_a_fact_goes_with_the_turns_that_say_it(daemon, user, told, upstream):
    path = f"/v1/users/{user}/facts/{told['id']}"
    shown = daemon.admin("DELETE", f"{path}?dry_run=1").json()
    assert shown["would_delete"]["turns"] == 4 and shown["would_delete"]["still_said"] == 2
    assert [t["content"] for t in shown["turns"] if t["role"] == "user"] == [
        "I have a tortoise called Zwingli, and I live in Turin.", "My tortoise Zwingli eats dandelions"]
    report = daemon.admin("DELETE", path).json()
    assert report["facts"] == 1 and report["turns"] == 4 and report["still_said"] == 2 and report["unquoted"] == 1
    left = texts(daemon, user)
    assert not [text for text in left if "tortoise" in text] and len(left) == 4
    assert daemon.values(user) == ["Turin"], "what else the turn told stays"
    Chat(daemon, user, session="new").say("What is my tortoise called?")
    assert b"Zwingli eats" not in upstream.chats()[-1].body and b"called Zwingli" not in upstream.chats()[-1].body


def test_a_fact_goes_without_its_turns_when_asked_to(daemon, user, told):
    path = f"/v1/users/{user}/facts/{told['id']}"
    shown = daemon.admin("DELETE", f"{path}?with_source=0&dry_run=1").json()
    assert shown["would_delete"]["turns"] == 0 and shown["would_delete"]["still_said"] >= 5
    report = daemon.admin("DELETE", f"{path}?with_source=0").json()
    assert report["facts"] == 1 and report["turns"] == 0 and report["still_said"] == shown["would_delete"]["still_said"]
    assert len([text for text in texts(daemon, user) if "Zwingli" in text]) == report["still_said"]


def test_an_older_value_goes_with_its_turns(daemon, user, memory_model, upstream):
    for text, city in (("I live in Rome now.", "Rome"), ("I moved: I live in Bergen now.", "Bergen")):
        memory_model.answers[text] = [fact("city", city, text.removeprefix("I moved: "))]
        Chat(daemon, user, session=city).say(text)
        daemon.settle(user)
    (bergen,) = [f for f in memory(daemon, user)["facts"] if f["key"] == "city"]
    assert daemon.admin("DELETE", f"/v1/users/{user}/facts/{bergen['id']}").json()["facts"] == 2
    assert texts(daemon, user) == []


def test_what_ended_and_says_the_same_goes_with_a_fact(daemon, user, memory_model):
    """Restored, it would be given again: the value was taken back in between, by the user and by a person."""
    for text, how in (("My canary is called Zwingli", {}), ("I no longer have my canary Zwingli", {"op": "remove"}),
                      ("My canary Zwingli is back with me", {})):
        memory_model.answers[text] = [fact("canary", "Zwingli", text, **how)]
        Chat(daemon, user, session=text[-4:]).say(text)
        daemon.settle(user)
    (now,) = memory(daemon, user)["facts"]
    path = f"/v1/users/{user}/facts"
    assert len(daemon.admin("GET", f"{path}?state=all").json()["facts"]) == 2
    assert daemon.admin("DELETE", f"{path}/{now['id']}").json()["facts"] == 2
    assert "Zwingli" not in daemon.admin("GET", f"/v1/users/{user}/export").text
    assert "Zwingli" not in daemon.admin("GET", f"{path}?state=all").text


def test_a_topic_is_looked_for_in_what_a_fact_is_about(daemon, user):
    for key, value in (("sailing_license", "class B"), ("hobby", "sailing"), ("boat", "Nordwind")):
        assert daemon.admin("POST", f"/v1/users/{user}/facts", json={"key": key, "value": value}).status_code == 201
    shown = daemon.admin("POST", f"/v1/users/{user}/forget", json={"about": "sailing", "dry_run": True}).json()
    daemon.admin("POST", f"/v1/users/{user}/forget", json={"about": "sailing", "plan": shown["plan"]})
    assert daemon.values(user) == ["Nordwind"]


def test_an_unknown_fact_takes_nothing(daemon, user, talk):
    assert daemon.admin("DELETE", f"/v1/users/{user}/facts/987654").status_code == 404
    assert len(texts(daemon, user)) == 6


def test_recallctl_says_what_still_says_it(daemon, user, told):
    shown = recallctl(daemon, "forget", user, "--fact", told["id"], "--dry-run").stdout
    assert "would delete: 1 fact, 4 turns" in shown and "2 turns that say or name it stay" in shown
    done = recallctl(daemon, "forget", user, "--fact", told["id"], "--keep-turns").stdout
    assert "deleted: 1 fact" in done and "turns that say or name it stay" in done and "2 turns" not in done
