"""A person's memory is theirs: facts seen and corrected one by one, pins, tombstones, settings."""

import hashlib
import json
import re

import pytest

from conftest import KNOWN_VALUE
from harness.chat import Chat
from harness.clock import until
from harness.memory_model import fact
from test_admin_recallctl import recallctl
from test_rebuild import exported, moved_to, rebuild


def facts_path(daemon, user, what="", query=""):
    return daemon.memory_path(user, f"/facts{what}") + query


def listed(daemon, user, query="", status=200):
    reply = daemon.admin("GET", facts_path(daemon, user, query=query))
    assert reply.status_code == status, reply.text
    return reply.json()


def note(daemon, user, key, value, status=201, **more):
    reply = daemon.admin("POST", facts_path(daemon, user), json={"key": key, "value": value} | more)
    assert reply.status_code == status, reply.text
    return reply.json()


def patch(daemon, user, fact_id, status=200, headers=None, **members):
    reply = daemon.admin("PATCH", facts_path(daemon, user, f"/{fact_id}"), json=members, headers=headers or {})
    assert reply.status_code == status, reply.text
    return reply.json()


def of_key(daemon, user, key, query="?state=current"):
    return [f for f in listed(daemon, user, query)["facts"] if f["key"] == key]


def put_settings(daemon, whose, status=200, **settings):
    reply = daemon.admin("PUT", daemon.memory_path(whose, "/settings"), json=settings)
    assert reply.status_code == status, reply.text
    return reply.json()


def prompt(upstream):
    return upstream.last.body.decode()


# ---- facts ----


def test_facts_are_listed_filtered_and_paged(daemon, known_user):
    facts = listed(daemon, known_user)["facts"]
    assert {f["key"] for f in facts} == {"favourite_colour", "home_city"}
    for f in facts:
        assert f["state"] == "current" and f["pinned"] is False and f["source"]["type"] == "chat" and f["source"]["quote"]
    page = listed(daemon, known_user, "?limit=1")
    assert len(page["facts"]) == 1 and page["next"] == page["facts"][0]["id"]
    rest = listed(daemon, known_user, f"?limit=1&after={page['next']}")
    assert len(rest["facts"]) == 1 and rest["next"] is None
    assert len(listed(daemon, known_user, "?q=lisbon")["facts"]) == 1
    assert not listed(daemon, known_user, "?q=paris")["facts"]
    assert len(listed(daemon, known_user, "?entity=User&kind=user&pii=false")["facts"]) == 2
    assert not listed(daemon, known_user, "?entity=Maria")["facts"] and not listed(daemon, known_user, "?pii=true")["facts"]
    assert not listed(daemon, known_user, "?since=2026-01-06")["facts"]
    assert len(listed(daemon, known_user, "?since=2026-01-05&until=2026-01-06")["facts"]) == 2
    for bad in ("states=all", "limit=1&limit=2", "state", "kind=dragon", "kind=User", "state=old", "pii=perhaps", "since=yesterday", "until=x", "after=abc", "limit=0", "q=%zz"):
        assert daemon.admin("GET", facts_path(daemon, known_user, query=f"?{bad}")).status_code == 400, bad
    assert daemon.admin("GET", facts_path(daemon, "nobody-at-all")).status_code == 404
    for missing in ("/999999", "/abc", "/0"):
        assert daemon.admin("GET", facts_path(daemon, known_user, missing)).status_code == 404
    assert daemon.admin("DELETE", facts_path(daemon, known_user)).headers["Allow"] == "GET, HEAD, POST"


def test_a_fact_is_written_down_and_given(daemon, upstream, user):
    made = note(daemon, user, "Home City", "Turin", valid_until="2999-01-01", confidence=0.9, pii=True)
    assert made["key"] == "home_city" and made["source"]["type"] == "note" and made["source"]["by"] == "admin"
    assert made["pii"] is True and made["valid_until"] == "2999-01-01T00:00:00Z" and made["pinned"] is False
    Chat(daemon, user, mode="entity").say("Where do I live?")
    assert "Turin" in prompt(upstream)
    again = note(daemon, user, "home_city", "TURIN", status=200)
    assert again["id"] == made["id"] and again["repeats"] == 1, "never a second fact of the same"
    other = note(daemon, user, "home_city", "Rome")
    assert [f["id"] for f in of_key(daemon, user, "home_city")] == [other["id"]]
    note(daemon, user, "pet", "cat", many=True)
    note(daemon, user, "pet", "dog", many=True)
    assert len(of_key(daemon, user, "pet")) == 2
    for bad in (
        {},
        {"key": "a"},
        {"value": "a"},
        {"key": "", "value": "a"},
        {"key": "a", "value": ""},
        {"key": "a", "value": "x" * 513},
        {"key": "k" * 65, "value": "a"},
        {"key": "a", "value": 1},
        {"key": "a", "value": "b", "entity": ""},
        {"key": "a", "value": "b", "kind": "animal"},
        {"key": "a", "value": "b", "many": "yes"},
        {"key": "a", "value": "b", "pinned": 1},
        {"key": "a", "value": "b", "pii": 1},
        {"key": "a", "value": "b", "confidence": 2},
        {"key": "a", "value": "b", "valid_until": "soon"},
        {"key": "a", "value": "b", "state": "current"},
        {"key": "a", "value": "b", "colour": "red"},
    ):
        reply = daemon.admin("POST", facts_path(daemon, user), json=bad)
        assert reply.status_code == 400 and reply.json()["error"]["code"] == "invalid_fact", bad
    for body in (b"", b"[]", b"{", b'{"key":"a","key":"b","value":"c"}'):
        reply = daemon.admin("POST", facts_path(daemon, user), content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code == 400, body


def test_secrets_in_a_note_are_masked(daemon, user):
    made = note(daemon, user, "key", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD")
    assert "redacted" in made["value"]


def test_a_corrected_value_is_given_in_the_next_request(daemon, upstream, known_user):
    chat = Chat(daemon, known_user, session="open", mode="hybrid")
    answer = chat.say("Where do I live?")
    assert KNOWN_VALUE in prompt(upstream)
    (city,) = of_key(daemon, known_user, "home_city")
    new = patch(daemon, known_user, city["id"], value="Porto")
    assert new["value"] == "Porto" and new["pinned"] and new["confidence"] == 1 and new["source"]["type"] == "correction"
    assert [h["value"] for h in new["history"]] == [KNOWN_VALUE]
    old = daemon.admin("GET", facts_path(daemon, known_user, f"/{city['id']}")).json()
    assert old["state"] == "superseded" and old["superseded_by"] == new["id"] and old["ended_at"]
    chat.say("Say it again.")
    block = prompt(upstream)
    assert "home_city: Porto" in block and f"home_city: {KNOWN_VALUE}" not in block
    receipt = daemon.receipt(answer.headers["X-Memory-Receipt"])
    told = [i for i in receipt["items"] if i["kind"] == "fact" and i["id"] == city["id"]]
    assert told and all(i["text"] is None for i in told), "the id stays, the text does not"


def test_if_match_guards_a_correction(daemon, known_user):
    (city,) = of_key(daemon, known_user, "home_city")
    reply = daemon.admin("GET", facts_path(daemon, known_user, f"/{city['id']}"))
    tag = reply.headers["ETag"]
    assert tag == f'"{reply.json()["version"]}"'
    patch(daemon, known_user, city["id"], status=412, headers={"If-Match": '"0123456789abcdef"'}, value="Porto")
    patch(daemon, known_user, city["id"], status=412, headers={"If-Match": "other"}, value="Porto")
    patch(daemon, known_user, city["id"], headers={"If-Match": tag}, pinned=True)
    patch(daemon, known_user, city["id"], status=412, headers={"If-Match": tag}, value="Porto")
    patch(daemon, known_user, city["id"], headers={"If-Match": "*"}, value="Porto")


LABELS = {"agent": "planner", "app": "mail", "metadata": {"b": [1, {"x": None}], "a": "ü"}}


def labels_of(shown):
    return {name: shown[name] for name in LABELS if name in shown}


def test_programs_may_put_labels_and_metadata_beside_a_fact(daemon, user, upstream):
    made = note(daemon, user, "city", "Ghent", **LABELS)
    assert labels_of(made) == LABELS and list(made["metadata"]) == ["b", "a"]
    (listed_one,) = listed(daemon, user)["facts"]
    assert labels_of(listed_one) == LABELS
    Chat(daemon, user, mode="entity").say("Where do I live?")
    assert "Ghent" in prompt(upstream) and "planner" not in prompt(upstream)
    changed = patch(daemon, user, made["id"], metadata={"c": 1}, app=None)
    assert labels_of(changed) == {"agent": "planner", "metadata": {"c": 1}} and not changed["pinned"]
    assert changed["version"] != made["version"] and changed["source"]["type"] == made["source"]["type"]
    replaced = patch(daemon, user, made["id"], value="Bruges")
    assert replaced["id"] != made["id"] and labels_of(replaced) == labels_of(changed)
    assert labels_of(patch(daemon, user, replaced["id"], metadata=None, agent=None)) == {}
    assert "metadata" not in note(daemon, user, "pet", "Minka", metadata={"x": 1} and None)


@pytest.mark.parametrize("wrong", [{"agent": 7}, {"agent": "x" * 257}, {"agent": ""}, {"app": ["x"]}, {"metadata": "x"}, {"metadata": [1]},
                                   {"metadata": {"x": "y" * 4096}}, {"metadata": {"x": json.loads("[" * 16 + "]" * 16)}}, {"Metadata": {}}])
def test_labels_that_are_none_are_refused(daemon, user, wrong):
    note(daemon, user, "city", "Ghent", status=400, **wrong)
    assert not daemon.knows(user)


def test_metadata_is_masked_and_goes_with_its_fact(make_daemon, user):
    daemon = make_daemon({"pii": {"email": "mask", "iban": "drop"}})
    made = note(daemon, user, "city", "Ghent", metadata={"from": "alex@example.com", "n": 1})
    assert made["metadata"] == {"from": "[redacted: email]", "n": 1}
    note(daemon, user, "bank", "KBC", status=400, metadata={"account": "DE89 3704 0044 0532 0130 00"})
    assert daemon.admin("DELETE", facts_path(daemon, user, f"/{made['id']}")).json()["facts"] == 1
    export = daemon.admin("GET", daemon.memory_path(user, "/export")).text
    assert "redacted" not in export


def test_labels_survive_export_and_import_and_a_restart(make_daemon, user):
    daemon = make_daemon()
    note(daemon, user, "city", "Ghent", **LABELS)
    daemon.restart()
    document = daemon.admin("GET", daemon.memory_path(user, "/export")).json()
    assert labels_of(document["facts"][0]) == LABELS
    assert daemon.admin("POST", daemon.memory_path(user + "-2", "/import"), json=document).json()["facts"] == 1
    assert labels_of(listed(daemon, user + "-2")["facts"][0]) == LABELS
    document["facts"][0] |= {"key": "deep", "metadata": {"x": json.loads("[" * 200 + "]" * 200)}, "app": "x" * 257}
    assert daemon.admin("POST", daemon.memory_path(user + "-2", "/import"), json=document).json()["facts"] == 1
    deep = of_key(daemon, user + "-2", "deep")[0]
    assert "metadata" not in deep and "app" not in deep
    again = daemon.admin("GET", daemon.memory_path(user + "-2", "/export")).json()
    assert daemon.admin("POST", daemon.memory_path(user + "-4", "/import"), json=again).json()["facts"] == 2
    mem0 = {"results": [{"memory": "Likes tea", "agent_id": "a", "app_id": "b", "metadata": {"key": "sk-" + "a1B2" * 12}},
                        {"memory": "Likes jam", "agent_id": None, "metadata": None}]}
    assert daemon.admin("POST", daemon.memory_path(user + "-3", "/import"), json=mem0).json()["facts"] == 2
    tea, jam = listed(daemon, user + "-3")["facts"]
    assert tea["agent"] == "a" and tea["app"] == "b" and "sk-" not in str(tea["metadata"]) and labels_of(jam) == {}


@pytest.mark.parametrize("form", ['{tag}, "0123456789abcdef"', '"other",{tag}', ',, W/"x" , {tag},', '"a,b", {tag}', '"", {tag}'])
def test_if_match_takes_a_list(daemon, known_user, form):
    (city,) = of_key(daemon, known_user, "home_city")
    tag = daemon.admin("GET", facts_path(daemon, known_user, f"/{city['id']}")).headers["ETag"]
    patch(daemon, known_user, city["id"], headers={"If-Match": form.format(tag=tag)}, pinned=True)
    patch(daemon, known_user, city["id"], status=412, headers={"If-Match": form.format(tag=tag)}, value="Porto")


@pytest.mark.parametrize("form", ["W/{tag}", "{tag} {tag}", '{tag}, *', '"x', "W/", 'W/"', ",", '{tag}"', "{tag}, x"])
def test_what_is_no_list_of_strong_tags_never_matches(daemon, known_user, form):
    (city,) = of_key(daemon, known_user, "home_city")
    tag = daemon.admin("GET", facts_path(daemon, known_user, f"/{city['id']}")).headers["ETag"]
    patch(daemon, known_user, city["id"], status=412, headers={"If-Match": form.format(tag=tag)}, value="Porto")
    reply = daemon.admin("DELETE", facts_path(daemon, known_user, f"/{city['id']}"), headers={"If-Match": form.format(tag=tag)})
    assert reply.status_code == 412
    assert [f["id"] for f in of_key(daemon, known_user, "home_city")] == [city["id"]]


def test_if_match_may_be_several_fields(daemon, known_user):
    (city,) = of_key(daemon, known_user, "home_city")
    one = facts_path(daemon, known_user, f"/{city['id']}")
    tag = daemon.admin("GET", one).headers["ETag"]
    assert daemon.admin("DELETE", one, headers=[("If-Match", '"x", "y"'), ("If-Match", tag)]).status_code == 200


def test_a_patch_that_makes_no_sense_is_refused(daemon, known_user):
    (city,) = of_key(daemon, known_user, "home_city")
    for bad in ({}, {"state": "gone"}, {"state": "retracted", "value": "x"}, {"many": True}, {"value": None}, {"id": "7"}):
        patch(daemon, known_user, city["id"], status=400, **bad)
    patch(daemon, known_user, "999999", status=404, value="x")
    patch(daemon, known_user, "abc", status=404, value="x")
    patch(daemon, "nobody-at-all", "1", status=404, value="x")
    patch(daemon, known_user, city["id"], value="Porto")
    assert patch(daemon, known_user, city["id"], status=409, value="Faro")["error"]["code"] == "not_current"


def test_restoring_undoes(daemon, known_user):
    (city,) = of_key(daemon, known_user, "home_city")
    path = facts_path(daemon, known_user, f"/{city['id']}/restore")
    assert daemon.admin("POST", path).status_code == 409, "it stands"
    new = patch(daemon, known_user, city["id"], value="Porto")
    reply = daemon.admin("POST", path)
    assert reply.status_code == 200 and reply.json()["state"] == "current"
    assert [f["value"] for f in of_key(daemon, known_user, "home_city")] == [KNOWN_VALUE]
    assert patch(daemon, known_user, city["id"], state="retracted")["state"] == "retracted"
    assert not of_key(daemon, known_user, "home_city")
    daemon.admin("POST", facts_path(daemon, known_user, f"/{new['id']}/restore"))
    assert [f["value"] for f in of_key(daemon, known_user, "home_city")] == ["Porto"]
    for missing in ("/999999/restore", "/x/restore"):
        assert daemon.admin("POST", facts_path(daemon, known_user, missing)).status_code == 404


CITIES = ["Madrid", "Vienna", "Athens", "Dublin", "Warsaw", "Prague", "Bergen", "Turku", "Ghent", "Lyon"] * 2


def test_a_pinned_fact_stands_against_twenty_contrary_turns(daemon, memory_model, upstream, user):
    pinned = note(daemon, user, "home_city", "Turin", pinned=True)
    chat = Chat(daemon, user, session="contrary", mode="entity")
    for i, city in enumerate(CITIES):
        turn = f"Number {i}: I live in {city} now."
        memory_model.answers[turn] = [fact("home_city", city, f"I live in {city} now")]
        chat.say(turn)
        daemon.settle(user)
        (stands,) = of_key(daemon, user, "home_city")
        assert stands["id"] == pinned["id"] and stands["value"] == "Turin"
        (suggested,) = of_key(daemon, user, "home_city", "?state=suggested")
        assert suggested["value"] == city and suggested["contradicts"] == pinned["id"]
    Chat(daemon, user, mode="entity").say("Where do I live?")
    assert "home_city: Turin" in prompt(upstream) and "home_city: Lyon" not in prompt(upstream)
    account = daemon.admin("GET", facts_path(daemon, user, f"/{pinned['id']}")).json()
    assert [s["value"] for s in account["suggested"]] == ["Lyon"]
    taken = patch(daemon, user, pinned["id"], pinned=False)
    assert taken["value"] == "Lyon" and taken["state"] == "current"
    assert not of_key(daemon, user, "home_city", "?state=suggested")


def test_a_dismissed_suggestion_is_given_to_nobody(daemon, memory_model, user):
    note(daemon, user, "home_city", "Turin", pinned=True)
    turn = "By now I live in Ghent."
    memory_model.answers[turn] = [fact("home_city", "Ghent", "I live in Ghent")]
    Chat(daemon, user, mode="entity").say(turn)
    daemon.settle(user)
    (suggested,) = of_key(daemon, user, "home_city", "?state=suggested")
    patch(daemon, user, suggested["id"], state="retracted")
    assert not of_key(daemon, user, "home_city", "?state=suggested")
    assert len(of_key(daemon, user, "home_city")) == 1


def test_a_wrong_value_does_not_come_back_by_learning(daemon, memory_model, known_user):
    (colour,) = of_key(daemon, known_user, "favourite_colour")
    patch(daemon, known_user, colour["id"], state="retracted")
    turn = "As ever, my favourite colour is teal."
    memory_model.answers[turn] = [fact("favourite_colour", "Teal", "my favourite colour is teal")]
    Chat(daemon, known_user, mode="entity").say(turn)
    daemon.settle(known_user)
    assert not of_key(daemon, known_user, "favourite_colour")
    daemon.import_messages(known_user, [{"role": "user", "content": turn}])
    daemon.settle(known_user)
    assert not of_key(daemon, known_user, "favourite_colour")
    note(daemon, known_user, "favourite_colour", "teal")
    assert of_key(daemon, known_user, "favourite_colour"), "a person may say so again"


@pytest.mark.parametrize("query", ["", "?never_again=1", "?never_again=1&with_source=1"])
def test_a_deleted_value_comes_back_unless_it_never_may(daemon, memory_model, known_user, query):
    (colour,) = of_key(daemon, known_user, "favourite_colour")
    reply = daemon.admin("DELETE", facts_path(daemon, known_user, f"/{colour['id']}", query))
    assert reply.status_code == 200 and reply.json()["facts"] == 1
    assert of_key(daemon, known_user, "home_city"), "what else the turn told stays"
    turn = "As ever, my favourite colour is teal."
    memory_model.answers[turn] = [fact("favourite_colour", "Teal", "my favourite colour is teal")]
    Chat(daemon, known_user, mode="entity").say(turn)
    daemon.settle(known_user)
    assert len(of_key(daemon, known_user, "favourite_colour")) == (query == "")
    note(daemon, known_user, "favourite_colour", "teal", status=200 if query == "" else 201)
    assert of_key(daemon, known_user, "favourite_colour"), "a person may say so again"
    turn = f"I do live in {KNOWN_VALUE}."
    memory_model.answers[turn] = [fact("home_city", KNOWN_VALUE, turn)]
    Chat(daemon, known_user, mode="entity").say(turn)
    daemon.settle(known_user)
    assert of_key(daemon, known_user, "home_city"), "what else the turn told may be learned again"


@pytest.mark.parametrize("part", ["turn", "session", "span", "topic", "recallctl"])
@pytest.mark.parametrize("never", [False, True])
def test_facts_that_go_with_a_part_come_back_unless_they_never_may(daemon, memory_model, user, part, never):
    def tell(text, session):
        memory_model.answers[text] = [fact("favourite_colour", "Teal", "favourite colour is teal")]
        Chat(daemon, user, mode="entity", session=session).say(text)
        daemon.settle(user)

    tell("My favourite colour is teal.", "first")
    (colour,) = of_key(daemon, user, "favourite_colour")
    query = "?never_again=1" if never else "?never_again=0"
    if part == "turn":
        reply = daemon.admin("DELETE", daemon.memory_path(user, f"/turns/{colour['source']['exchange']}{query}"))
    elif part == "session":
        reply = daemon.admin("DELETE", daemon.memory_path(user, f"/conversations{query}&session=first"))
    elif part == "span":
        reply = daemon.admin("DELETE", daemon.memory_path(user, f"/memory{query}&since=2000-01-01"))
    elif part == "topic":
        reply = daemon.admin("POST", daemon.memory_path(user, "/forget"), json={"about": "teal", "dry_run": False, "never_again": never})
    if part == "recallctl":
        done = recallctl(daemon, "forget", user, "--session", "first", *["--never-again"] * never)
        assert done.returncode == 0 and "1 fact," in done.stdout, done.stdout + done.stderr
    else:
        assert reply.status_code == 200 and reply.json()["facts"] == 1, reply.text
    assert not of_key(daemon, user, "favourite_colour")
    tell("As ever, my favourite colour is teal.", "second")
    assert len(of_key(daemon, user, "favourite_colour")) == (not never)


def test_never_again_is_for_a_part(daemon, known_user):
    done = recallctl(daemon, "forget", known_user, "--never-again")
    assert done.returncode == 1 and "--never-again" in done.stderr
    assert daemon.knows(known_user)
    reply = daemon.admin("POST", daemon.memory_path(known_user, "/forget"), json={"about": "teal", "never_again": 1})
    assert reply.status_code == 400


@pytest.mark.parametrize("value", ["2", "true", ""])
def test_never_again_is_a_switch(daemon, known_user, value):
    (colour,) = of_key(daemon, known_user, "favourite_colour")
    path = facts_path(daemon, known_user, f"/{colour['id']}", f"?never_again={value}")
    assert daemon.admin("DELETE", path).status_code == 400
    assert of_key(daemon, known_user, "favourite_colour")


def test_what_was_decided_is_in_an_export(make_daemon, memory_model, user, tmp_path):
    daemon = make_daemon()
    first = note(daemon, user, "home_city", "Turin")
    patch(daemon, user, first["id"], value="Porto")
    put_settings(daemon, user, learn=True, note="by phone", consent={"given_at": "2026-01-05T10:00:00Z", "by": "alex"})
    put_settings(daemon, "an-outsider", learn=False, inject=False)
    daemon.stop()
    export = recallctl(daemon, "export").stdout
    daemon.config["storage"]["path"] = str(tmp_path / "again")
    daemon.write_configuration()
    assert recallctl(daemon, "rebuild", stdin=export).returncode == 0
    daemon.start()
    (city,) = of_key(daemon, user, "home_city")
    assert city["value"] == "Porto" and city["pinned"] and city["source"]["by"] == "admin"
    settings = daemon.admin("GET", daemon.memory_path(user, "/settings")).json()
    assert settings["note"] == "by phone" and settings["consent"]["by"] == "alex"
    assert daemon.admin("GET", daemon.memory_path("an-outsider", "/settings")).json()["learn"] is False
    patch(daemon, user, city["id"], pinned=False)
    turn = "I live in Turin."
    memory_model.answers[turn] = [fact("home_city", "Turin", turn)]
    Chat(daemon, user, mode="entity").say(turn)
    daemon.settle(user)
    assert [f["value"] for f in of_key(daemon, user, "home_city")] == ["Porto"], "its tombstone came along"


# ---- settings ----


def test_settings_are_stored_and_shown(make_daemon, user):
    daemon = make_daemon()
    path = daemon.memory_path(user, "/settings")
    shown = daemon.admin("GET", path).json()
    assert shown["learn"] is True and shown["inject"] is True and shown["consent"] is None and shown["changed_at"] is None
    wanted = {
        "learn": True,
        "inject": False,
        "retention": {"messages": "30d", "facts": "0"},
        "pii": "redact",
        "consent": {"given_at": "2026-01-05T10:00:00Z", "by": "alex", "text_version": "2"},
        "hold_until": "2027-01-01T00:00:00Z",
        "note": "asked by phone",
    }
    put_settings(daemon, user, **wanted)
    daemon.kill_and_restart()
    shown = daemon.admin("GET", path).json()
    assert {name: shown[name] for name in wanted} == wanted and shown["changed_at"]
    assert put_settings(daemon, user, **shown)["note"] == "asked by phone", "what is answered may be sent back"
    put_settings(daemon, user)
    assert daemon.admin("GET", path).json()["inject"] is True, "a PUT replaces all"
    for bad in (
        {"learn": "no"},
        {"inject": None},
        {"retention": "30d"},
        {"retention": {"messages": "30 days"}},
        {"retention": {"messages": 30}},
        {"retention": {"texts": "30d"}},
        {"retention": {"facts": "99999999999999w"}},
        {"pii": "mask"},
        {"pii": 1},
        {"consent": True},
        {"consent": {}},
        {"consent": {"given_at": "now"}},
        {"consent": {"from": "alex"}},
        {"consent": {"by": 7}},
        {"hold_until": "later"},
        {"note": "x" * 1025},
        {"note": 5},
        {"colour": "red"},
    ):
        reply = daemon.admin("PUT", path, json=bad)
        assert reply.status_code == 400 and reply.json()["error"]["code"] == "invalid_settings", bad
    assert daemon.admin("PUT", path, content=b"[]", headers={"Content-Type": "application/json"}).status_code == 400
    assert daemon.admin("POST", path).status_code == 405


EXCHANGES = 1000


def digest(body):
    return hashlib.sha256(body).hexdigest()


def writes(daemon):
    return [daemon.metric(f"recalld_store_{what}_total") for what in ("commits", "writes")]


def begun(make_daemon):
    """A daemon that has written what it writes at its start, else behind the first requests."""
    daemon = make_daemon()
    until(lambda: writes(daemon) == [1, 1])
    return daemon


def test_a_restricted_user_causes_no_write_and_gets_the_same_bytes_through(make_daemon, upstream, memory_model, user):
    daemon = begun(make_daemon)
    note(daemon, user, "home_city", "Turin", pinned=True)
    put_settings(daemon, user, learn=False, inject=False)
    chat = Chat(daemon, user, session="restricted")
    before = writes(daemon)
    for i in range(EXCHANGES):
        body = chat.body(f"Number {i}: where do I live? I live in Ghent.")
        reply = daemon.post_chat(body, chat.headers | {"X-Memory-Mode": ("hybrid", "auto", "entity", "readonly")[i % 4]})
        assert reply.status_code == 200
        assert reply.headers["X-Memory-Status"] == "off" and reply.headers["X-Memory-Mode"] == "off"
        assert digest(upstream.last.body) == digest(body)
    assert writes(daemon) == before
    assert daemon.messages(user) == [] and not memory_model.calls()


def test_who_is_not_learned_from_is_still_given_and_leaves_nothing(make_daemon, upstream, user):
    daemon = begun(make_daemon)
    note(daemon, user, "home_city", "Turin", pinned=True)
    put_settings(daemon, user, learn=False)
    before = writes(daemon)
    answer = Chat(daemon, user, mode="hybrid").say("Where do I live?")
    assert answer.status == "injected" and "Turin" in prompt(upstream)
    assert "X-Memory-Receipt" not in answer.headers
    assert writes(daemon) == before
    reply = daemon.admin("POST", daemon.memory_path(user, "/messages"), json={"messages": [{"role": "user", "content": "Hi"}]})
    assert reply.status_code == 409 and reply.json()["error"]["code"] == "restricted"
    assert note(daemon, user, "pet", "cat", status=409)["error"]["code"] == "restricted"
    users = daemon.admin("GET", "/v1/users").json()["users"]
    assert [u["restricted"] for u in users if u["user"] == user] == [True]


def test_who_is_given_nothing_is_still_learned_from(daemon, upstream, memory_model, user):
    note(daemon, user, "home_city", "Turin", pinned=True)
    put_settings(daemon, user, inject=False)
    turn = "Where do I live? My cat is called Minka."
    memory_model.answers[turn] = [fact("cat", "Minka", "My cat is called Minka")]
    chat = Chat(daemon, user, mode="hybrid")
    reply = chat.send(turn)
    assert reply.headers["X-Memory-Status"] == "off" and reply.headers["X-Memory-Mode"] == "off"
    assert digest(upstream.last.body) == digest(chat.body(turn))
    daemon.wait_known(user)
    daemon.settle(user)
    assert of_key(daemon, user, "cat")


def test_an_opt_out_survives_forgetting(make_daemon, user):
    daemon = make_daemon()
    Chat(daemon, user).say("I am here.")
    put_settings(daemon, user, learn=False, note="who asked: me")
    daemon.forget(user)
    daemon.restart()
    shown = daemon.admin("GET", daemon.memory_path(user, "/settings")).json()
    assert shown["learn"] is False and shown["note"] is None
    Chat(daemon, user).say("I am here again.")
    assert not daemon.knows(user)
    assert daemon.admin("DELETE", daemon.memory_path(user) + "?keep_restriction=2").status_code == 400
    assert daemon.admin("DELETE", daemon.memory_path(user) + "?keep_restriction=0").status_code == 200
    assert daemon.admin("GET", daemon.memory_path(user, "/settings")).json()["learn"] is True


def test_waiting_jobs_go_with_the_wish_not_to_be_remembered(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"learn_idle": "1h", "learn_batch": "16"}})
    Chat(daemon, user, mode="entity").say("I live in Ghent.")
    daemon.wait_known(user)
    put_settings(daemon, user, learn=False)
    assert daemon.memory(user)["pending"] == 0
    assert not memory_model.fact_calls()


def test_consent_may_be_required(make_daemon, upstream, user):
    daemon = make_daemon({"governance": {"consent": "required"}})
    chat = Chat(daemon, user, session="c", mode="hybrid")
    assert chat.say("I live in Ghent.").status == "off"
    assert not daemon.knows(user)
    writes = {"/facts": {"key": "home_city", "value": "Ghent"}, "/import": {"results": [{"memory": "Likes tea"}]},
              "/messages": {"messages": [{"role": "user", "content": "I live in Ghent."}]}}
    for path, body in writes.items():
        refused = daemon.admin("POST", daemon.memory_path(user, path), json=body)
        assert refused.status_code == 409 and refused.json()["error"]["code"] == "consent_required", refused.text
    assert not daemon.knows(user)
    agreed = {"format": "recalld-export-1", "facts": [], "conversations": [], "summary": None, "settings": {"consent": {"by": "alex"}}}
    assert daemon.admin("POST", daemon.memory_path(user + "-2", "/import"), json=agreed).status_code == 200
    put_settings(daemon, user, consent={"by": "alex", "text_version": "1"})
    for path, body in writes.items():
        assert daemon.admin("POST", daemon.memory_path(user, path), json=body).status_code in (200, 201, 202)
    daemon.forget(user)
    put_settings(daemon, user, consent={"by": "alex", "text_version": "1"})
    assert chat.say("I live in Ghent.").status == "empty"
    daemon.wait_known(user)
    put_settings(daemon, user, consent=None)
    assert chat.say("Where do I live?").status == "off"


def test_what_waits_is_not_learned_from_once_consent_is_taken_back(make_daemon, memory_model, user):
    daemon = make_daemon({"governance": {"consent": "required"}, "memory": {"learn_idle": "1h", "learn_batch": "16"}})
    turns = {user: "I live in Ghent.", user + "-2": "I live in Bruges."}
    for name, turn in turns.items():
        put_settings(daemon, name, consent={"by": "alex"})
        memory_model.answers[turn] = [fact("home_city", turn.split()[-1].strip("."), turn.strip("."))]
        Chat(daemon, name).say(turn)
        daemon.wait_known(name)
    put_settings(daemon, user, consent=None)
    daemon.config["memory"]["learn_idle"] = "0s"
    daemon.restart()
    daemon.settle(user + "-2")
    assert daemon.values(user + "-2") == ["Bruges"] and not memory_model.fact_calls(turns[user])
    waits = daemon.memory(user)
    assert waits["pending"] == 0 and waits["deferred"] == 1, "nothing comes before the user agrees"
    (listed,) = [one for one in daemon.admin("GET", f"/v1/users?prefix={user}").json()["users"] if one["user"] == user]
    assert listed["pending"] == 0
    put_settings(daemon, user, consent={"by": "alex"})
    daemon.settle(user)
    assert daemon.values(user) == ["Ghent"]


@pytest.mark.parametrize("may", [True, False])
def test_whether_a_chat_may_forget_a_pinned_fact_is_the_operators_choice(make_daemon, memory_model, user, may):
    daemon = make_daemon({"governance": {"chat_may_forget_pinned": "on" if may else "off"}})
    note(daemon, user, "home_city", "Turin", pinned=True)
    turn = "Please forget that I live in Turin."
    memory_model.answers[turn] = [fact("home_city", "Turin", "forget that I live in Turin", forget=True)]
    Chat(daemon, user, mode="entity").say(turn)
    daemon.settle(user)
    assert bool(of_key(daemon, user, "home_city")) is not may


# ---- in a chat ----


@pytest.mark.parametrize("session", ["s-declined", None])
def test_a_declined_conversation_is_not_remembered(daemon, memory_model, user, session):
    turn = "I live in Ghent."
    memory_model.answers[turn] = [fact("home_city", "Ghent", turn)]
    memory_model.otherwise = [fact("pet", "Minka", "My cat is called Minka")]
    kept = Chat(daemon, user, session=session and "s-kept", mode="entity")
    kept.say("My name is Alex, of course.")
    chat = Chat(daemon, user, session=session, mode="entity")
    chat.say(turn)
    daemon.settle(user)
    assert of_key(daemon, user, "home_city")
    chat.say("Please don't remember this conversation.")
    chat.say("My cat is called Minka.")
    daemon.settle(user)
    assert not of_key(daemon, user, "home_city") and not of_key(daemon, user, "pet")
    assert [text for _, text in daemon.messages(user)][:1] == ["My name is Alex, of course."]
    assert len(daemon.messages(user)) == 2
    kept.say("I said it.")
    assert len(daemon.messages(user)) == 4, "other conversations go on"


# ---- recallctl ----


def test_recallctl_lists_corrects_and_pins_facts(daemon, memory_model, known_user):
    done = recallctl(daemon, "facts", known_user)
    assert done.returncode == 0 and "Lisbon" in done.stdout and "home_city" in done.stdout
    assert recallctl(daemon, "facts", known_user, "teal", "--json").stdout.count('"key"') == 1
    assert "no such fact" in recallctl(daemon, "facts", known_user, "nothing like it").stdout
    done = recallctl(daemon, "correct", known_user, "home_city", "Porto")
    assert done.returncode == 0 and done.stdout == "user · home_city = Porto  (pinned)\n"
    assert "superseded" in recallctl(daemon, "facts", known_user, "--all").stdout
    turn = "I live in Faro."
    memory_model.answers[turn] = [fact("home_city", "Faro", turn)]
    Chat(daemon, known_user, mode="entity").say(turn)
    daemon.settle(known_user)
    assert "said since: Faro" in recallctl(daemon, "suggested", known_user).stdout
    done = recallctl(daemon, "pin", known_user, "home_city", "--off")
    assert done.returncode == 0 and "Faro" in done.stdout
    assert "nothing was said" in recallctl(daemon, "suggested", known_user).stdout
    assert "(pinned)" in recallctl(daemon, "pin", known_user, "favourite_colour").stdout
    (colour,) = of_key(daemon, known_user, "favourite_colour")
    assert recallctl(daemon, "correct", known_user, colour["id"]).returncode == 0
    assert not of_key(daemon, known_user, "favourite_colour")


@pytest.mark.parametrize(
    "words",
    [
        ["facts"],
        ["facts", "nobody-at-all"],
        ["suggested", "nobody-at-all"],
        ["correct", "USER"],
        ["correct", "USER", "no_such_key", "x"],
        ["correct", "USER", "999999", "x"],
        ["correct", "USER", "home_city", ""],
        ["pin", "USER", "no_such_key"],
        ["pin", "nobody-at-all", "7"],
        ["pin", "USER", "home_city", "--all"],
    ],
)
def test_recallctl_tells_what_it_cannot_change(daemon, known_user, words):
    done = recallctl(daemon, *[known_user if word == "USER" else word for word in words])
    assert done.returncode == 1 and done.stderr.startswith("recallctl: ")


# ---- duplicates ----


def with_duplicates(daemon, folder, *users):
    """A store from before imports were merged, of users and tenants: facts that differ in MARKS alone lose these."""
    def fact(number, value, day):
        return {"id": str(number), "entity": "user", "kind": "user", "key": "likes", "value": value, "many": True, "confidence": 0.9,
                "source": {"type": "import"}, "observed_at": f"2026-01-{day:02}T10:00:00Z", "state": "current"}
    document = {"format": "recalld-export-1", "conversations": [], "facts": [
        fact(1, "green tea MARK1", 1), fact(2, "Green Tea MARK2", 3), fact(3, "GREEN TEA MARK3", 2), fact(4, "coffee", 1)]}
    for user, tenant in users:
        assert daemon.admin("POST", daemon.memory_path(user, "/import", tenant), json=document).json()["facts"] == 4
    daemon.stop()
    file = exported(daemon, folder)
    file.write_text(re.sub(" MARK.", "", file.read_text()))
    assert rebuild(folder / "doubled", file).returncode == 0
    moved_to(daemon, folder / "doubled")
    return json.loads(re.sub(" MARK.", "", json.dumps(document)))


def test_duplicates_are_shown_and_merged(make_daemon, user, tmp_path):
    daemon = make_daemon()
    document = with_duplicates(daemon, tmp_path, (user, None), (user + "-2", None))
    put = daemon.admin("POST", daemon.memory_path(user + "-3", "/facts"), json={"key": "likes", "value": "milk"})
    assert put.status_code == 201
    path = daemon.memory_path(user, "/dedupe")
    shown = daemon.admin("POST", path + "?dry_run=1").json()
    assert (shown["dry_run"], shown["users"], shown["facts"]) == (True, 1, 2)
    assert {one["value"] for one in shown["duplicates"]} == {"green tea", "GREEN TEA"}
    assert {one["user"] for one in shown["duplicates"]} == {user}
    assert len(daemon.admin("GET", daemon.memory_path(user, "/facts")).json()["facts"]) == 4

    assert daemon.admin("POST", path).json() == {"dry_run": False, "users": 1, "facts": 2}
    facts = daemon.admin("GET", daemon.memory_path(user, "/facts")).json()["facts"]
    assert sorted((one["value"], one["observed_at"][:10]) for one in facts) == [("Green Tea", "2026-01-03"), ("coffee", "2026-01-01")]
    tea = next(one for one in facts if one["value"] == "Green Tea")
    history = daemon.admin("GET", daemon.memory_path(user, f"/facts/{tea['id']}")).json()["history"]
    assert {one["value"] for one in history} == {"green tea", "GREEN TEA"}
    # twice changes nothing, and what was merged does not come back with an old file
    assert daemon.admin("POST", path).json()["facts"] == 0
    assert daemon.admin("POST", daemon.memory_path(user, "/import"), json=document).json()["known"] == 4
    assert daemon.admin("POST", daemon.memory_path("nobody", "/dedupe")).status_code == 404
    assert daemon.admin("POST", path + "?dry_run=2").status_code == 400


def test_recallctl_merges_duplicates_of_all(make_daemon, user, tmp_path):
    daemon = make_daemon()
    with_duplicates(daemon, tmp_path, (user, None), (user + "-2", None))
    shown = recallctl(daemon, "dedupe", "--dry-run")
    assert shown.returncode == 0 and "would merge into others: 4 facts of 2 users" in shown.stdout, shown.stdout + shown.stderr
    assert shown.stdout.count("GREEN TEA") == 2
    one = recallctl(daemon, "dedupe", user)
    assert one.returncode == 0 and one.stdout == "merged into others: 2 facts of 1 user\n", one.stdout + one.stderr
    rest = recallctl(daemon, "dedupe")
    assert rest.stdout == "merged into others: 2 facts of 1 user\n"
    assert recallctl(daemon, "dedupe", "--json").stdout.replace(" ", "").replace("\n", "") == '{"dry_run":false,"users":0,"facts":0}'
    assert recallctl(daemon, "dedupe", "nobody").returncode == 1
    log = daemon.admin("GET", "/v1/audit?action=correct&limit=1000").json()["entries"]
    assert [e["target"] for e in log if e["result"] == 200 and "of" in e] == ["facts"] * 2


def test_duplicates_of_a_tenant_are_merged_alone(make_daemon, user, tmp_path):
    daemon = make_daemon()
    with_duplicates(daemon, tmp_path, *[(user, tenant) for tenant in (None, "acme", "other")])
    done = recallctl(daemon, "dedupe", "--tenant", "acme")
    assert done.stdout == "merged into others: 2 facts of 1 user\n", done.stdout + done.stderr
    assert daemon.admin("POST", "/v1/dedupe?tenant=acme").json()["facts"] == 0
    assert daemon.admin("POST", "/v1/dedupe?dry_run=1").json()["facts"] == 4
    assert daemon.admin("POST", "/v1/dedupe?dry-run=1").status_code == 400, "a mistyped dry run merges nothing"
    assert daemon.admin("POST", "/v1/dedupe").json() == {"dry_run": False, "users": 2, "facts": 4}
