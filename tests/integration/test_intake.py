"""Whatever is stored was masked, bounded and counted, by whichever way it came in."""

import json

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.wire import RawClient
from test_admin_recallctl import recallctl

DAY = "2026-01-05T10:00:00Z"
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
MAIL = "alex.smith@example.com"
PHONE = "+49 30 1234567"
SECRETS = (KEY, MAIL, PHONE)
SAID = f"the key {KEY}, the mail {MAIL}, the phone {PHONE}"


@pytest.fixture
def masking(make_daemon):
    return make_daemon({"pii": {"email": "mask", "phone": "mask"}})


def fact(number, value, key="note_of", **more):
    return {"id": str(number), "entity": "user", "kind": "user", "key": key, "value": value, "many": True, "confidence": 0.9,
            "pii": False, "source": {"type": "chat", "exchange": None, "quote": value}, "observed_at": DAY, "state": "current",
            "superseded_by": None, **more}


def turn(number, role, text, **more):
    return {"id": str(number), "exchange": str(number - (role == "assistant")), "ordinal": 0, "role": role, "content": text, "created_at": DAY,
            "utc_offset": 0, "complete": True, "state": "current", "summarize": True, **more}


def own(facts=(), turns=(), **more):
    conversations = [{"id": "1", "session": "s", "last_active": DAY, "answers": 1, "turns": list(turns)}] if turns else []
    return {"format": "recalld-export-1", "facts": list(facts), "conversations": conversations, "summary": None, **more}


def take_in(daemon, user, document, query=""):
    reply = daemon.admin("POST", f"/v1/users/{user}/import{query}", json=document)
    assert reply.status_code == 200, reply.text
    return reply.json()


def export(daemon, user):
    return daemon.admin("GET", f"/v1/users/{user}/export").json()


def sentence(**more):
    return own([fact(1, SAID, agent=SAID, app=SAID, by=SAID, metadata={"a": SAID}), fact(2, SAID, entity="Maria " + MAIL)],
               [turn(1, "user", SAID, answer="2"), turn(2, "assistant", "Noted: " + SAID)],
               summary={"text": SAID, "covers": "2", "updated_at": DAY, "model": MAIL}, settings={"note": SAID}, **more)


def test_an_own_export_is_masked_like_a_chat(masking, user, upstream):
    done = take_in(masking, user, sentence())
    assert (done["facts"], done["turns"], done["summary"], done["left_out"]) == (2, 2, True, 0)
    assert done["masked"] >= 12
    stored = export(masking, user)
    for secret in SECRETS:
        assert secret not in json.dumps(stored), secret
    assert "[redacted: email]" in stored["facts"][0]["value"] and "[redacted: phone]" in stored["conversations"][0]["turns"][0]["content"]
    Chat(masking, user).say("What are the key, the mail and the phone?")
    said = upstream.last.body.decode()
    assert "the mail [redacted: email]" in said
    for secret in SECRETS:
        assert secret not in said, secret
    # what was masked is known again, and comes out as it went in
    again = take_in(masking, user, sentence())
    assert (again["facts"], again["turns"], again["known"]) == (0, 0, 4)
    take_in(masking, user + "-copy", stored)
    assert [f["value"] for f in export(masking, user + "-copy")["facts"]] == [f["value"] for f in stored["facts"]]


def test_every_way_in_masks_alike(masking, user):
    path = f"/v1/users/{user}"
    messages = [{"role": "user", "content": SAID, "created_at": DAY}]
    reply = masking.admin("POST", path + "/messages", json={"messages": messages, "learn": False})
    assert reply.json()["imported"] == 1 and reply.json()["masked"] == 1, reply.text
    assert take_in(masking, user, {"results": [{"id": "1", "memory": SAID, "metadata": {"of": MAIL}, "agent_id": MAIL}]})["masked"] == 3
    assert masking.admin("POST", path + "/facts", json={"key": "reach", "value": SAID}).status_code == 201
    assert masking.admin("PUT", path + "/settings", json={"note": SAID}).status_code == 200
    Chat(masking, user).say(SAID)
    masking.settle(user)
    stored = json.dumps(export(masking, user))
    for secret in SECRETS:
        assert secret not in stored, secret


def test_what_is_too_long_is_cut_and_what_nobody_sees_goes(daemon, user):
    facts = [fact(1, "v" * 5_000_000, key="k" * 5000, entity="e" * 5000, agent="a" * 5000, metadata={"x": "m" * 5000}),
             fact(2, "te\0a\u200b with\u202e milk", key="drink\0s")]
    done = take_in(daemon, user, own(facts, [turn(1, "user", "long " * 400_000)]))
    assert (done["facts"], done["turns"], done["cut"]) == (2, 1, 7)
    stored = export(daemon, user)
    long, drink = stored["facts"]
    assert [len(long[name]) for name in ("entity", "key", "value")] == [64, 64, 512] and "agent" not in long and "metadata" not in long
    assert len(long["source"]["quote"]) == 4096 and (drink["key"], drink["value"]) == ("drinks", "tea with milk")
    assert len(stored["conversations"][0]["turns"][0]["content"]) == 1 << 20
    assert take_in(daemon, user, own(facts))["known"] == 2


def test_facts_of_a_class_that_is_dropped_are_left_out_and_told_of(make_daemon, user):
    daemon = make_daemon({"pii": {"email": "drop", "health": "drop", "religion": "mask"}})
    facts = [fact(1, MAIL, key="mail"), fact(2, "asthma", pii=True, pii_classes=["health"]), fact(3, "figs"), fact(4, "\0", key="nothing"),
             fact(5, "a mosque", pii=True, pii_classes=["religion"])]
    done = take_in(daemon, user, own(facts), "?dry_run=1")
    assert (done["facts"], done["left_out"], done["reasons"]) == (2, 3, {"personal": 2, "empty": 1})
    done = take_in(daemon, user, own(facts))
    assert (done["facts"], done["left_out"], done["reasons"]) == (2, 3, {"personal": 2, "empty": 1})
    assert daemon.values(user) == ["[redacted: pii]", "figs"]
    assert MAIL not in json.dumps(export(daemon, user))


def test_recallctl_says_what_was_masked_cut_and_left_out(masking, user, tmp_path):
    file = tmp_path / "own.json"
    file.write_text(json.dumps(own([fact(1, SAID), fact(2, "v" * 600), fact(3, "\0")])))
    done = recallctl(masking, "import", str(file), "--user", user)
    assert done.returncode == 0, done.stderr
    for line in ("1 left out: they say nothing that is kept", "2 texts masked: secrets or personal data", "1 texts cut to their limit"):
        assert line in done.stdout, done.stdout
    file.write_text(json.dumps({"user": user, "learn": False, "messages": [{"role": "user", "content": SAID}]}))
    assert recallctl(masking, "import", str(file)).stdout == "imported: 1 message; 1 masked, 0 cut to 1 MB\n"


@pytest.mark.parametrize("hidden", ["\u0001", "\u0007", "\u001b", "\u007f", "\u200b"])
def test_a_character_that_nobody_sees_hides_no_secret(masking, user, upstream, hidden):
    """It is gone before the turn is given, and would have put the parts together again."""
    split = [text[:15] + hidden + text[15:] for text in SECRETS]
    said = f"My lamp: {split[0]}, {split[1]}, {split[2]}."
    masking.import_messages(user, [{"role": "user", "content": said}], learn=False)
    Chat(masking, f"{user}-2").say(said)
    for name in (user, f"{user}-2"):
        assert "redacted" in str(masking.messages(name))
        Chat(masking, name, session="new").say("What of my lamp?")
        given = json.dumps(upstream.last.json["messages"][:-1]) + upstream.last.json["messages"][-1]["content"].partition("What of")[0]
        assert "lamp" in given and not any(secret in given for secret in SECRETS)


def test_metadata_is_masked_behind_line_breaks_and_keeps_them_elsewhere(masking, user):
    metadata = [{"of": f"Mail:\n{text}\tand so on", "shelf": "B4"} for text in SECRETS] + [{"of": "one\ntwo"}]
    take_in(masking, user, own([fact(i + 1, f"value {i}", metadata=one) for i, one in enumerate(metadata)]))
    stored = [one["metadata"] for one in sorted(export(masking, user)["facts"], key=lambda one: one["value"])]
    assert not any(secret in json.dumps(stored) for secret in SECRETS)
    assert [one.get("shelf") for one in stored] == ["B4", "B4", "B4", None] and stored[3] == {"of": "one\ntwo"}


@pytest.mark.parametrize("value", ["I <3 tea", "a < b", "List<String>", "<Firma> AG, Ulm", "<<<<<<<< Ulm"])
def test_angle_brackets_cost_no_letters(daemon, user, value):
    assert daemon.admin("POST", f"/v1/users/{user}/facts", json={"key": "likes", "value": value}).status_code == 201
    assert daemon.values(user) == [value.replace("<", "\u2039").replace(">", "\u203a")]


@pytest.mark.parametrize("key", ["mot de passe", "mot_de_passe", "access token"])
def test_a_key_of_several_words_tells_a_secret(daemon, user, key):
    assert daemon.admin("POST", f"/v1/users/{user}/facts", json={"key": key, "value": "hunter2secret"}).status_code == 201
    assert daemon.values(user) == ["[redacted: secret]"]


def test_a_class_that_only_a_person_tells_is_masked_by_each_way_in(make_daemon, user):
    daemon = make_daemon({"pii": {"health": "mask"}})
    path = f"/v1/users/{user}/facts"
    told = daemon.admin("POST", path, json={"key": "illness", "value": "asthma attacks", "pii": ["health"]})
    assert told.status_code == 201
    later = daemon.admin("POST", path, json={"key": "condition", "value": "asthma attacks"}).json()["id"]
    assert daemon.admin("PATCH", f"{path}/{later}", json={"pii": ["health"]}).status_code == 200
    take_in(daemon, user, own([fact(1, "asthma attacks", key="diagnosis", pii=["health"])]))
    current = daemon.admin("GET", path).json()["facts"]
    assert [one["value"] for one in current] == ["[redacted: pii]"] * 3


def test_a_fact_that_is_marked_as_personal_is_redacted(make_daemon, user):
    daemon = make_daemon({"retention": {"pii": "redact"}})
    path = f"/v1/users/{user}/facts"
    made = daemon.admin("POST", path, json={"key": "aunt", "value": "Rosa"}).json()["id"]
    assert daemon.admin("PATCH", f"{path}/{made}", json={"pii": True}).status_code == 200
    assert daemon.values(user) == ["[redacted: pii]"]


@pytest.mark.parametrize("first, second", [("\u0130zmir", "izmir"), ("izmir", "\u0130ZM\u0130R")])
def test_a_turkish_i_is_an_i(daemon, user, first, second):
    for value in (first, second):
        assert daemon.admin("POST", f"/v1/users/{user}/facts", json={"key": "city", "value": value, "pinned": True}).status_code in (200, 201)
    assert len(daemon.values(user)) == 1


@pytest.mark.parametrize("path", ["import", "messages"])
def test_an_import_whose_client_leaves_goes_to_its_user(daemon, user, path):
    """It is read on a thread of its own, which may begin when the request is gone."""
    messages = [{"role": "user", "content": f"Lamp {i} of the long street is lit."} for i in range(20000)]
    turns = [turn(2 * i + 1, "user", m["content"]) for i, m in enumerate(messages)]
    body = {"messages": messages, "learn": False} if path == "messages" else own(turns=turns)
    with RawClient(daemon.admin_port) as client:
        client.send("POST", f"/v1/users/{user}/{path}", json.dumps(body).encode(),
                    [("Content-Type", "application/json")])
    until(lambda: daemon.knows(user), "nothing came", 60)
    daemon.check_alive()
