"""What holds on one path holds on the others: the person's settings, what was hidden, erased or corrected, secrets, the end of a pin."""

import json

import pytest

from harness.chat import Chat
from harness.memory_model import fact
from test_learning import teach
from test_one_fact import current, export_of, mem0, own, post, take_in
from test_rights import facts_path, patch, prompt
from test_wishes import hidden

LIVES = "I live in Lisbon near the river."


@pytest.mark.parametrize("wanted, kept", [("redact", ["[redacted: pii]"]), ("drop", [])])
@pytest.mark.parametrize("where", ["stored", "in the file"])
def test_an_import_follows_how_the_person_wants_personal_data_kept(daemon, upstream, user, wanted, kept, where):
    document = {**export_of(own("illness", "asthma", "01-05", pii=True))}
    if where == "stored":
        assert daemon.admin("PUT", daemon.memory_path(user, "/settings"), json={"pii": wanted}).status_code == 200
    else:
        document = {"format": document.pop("format"), "settings": {"pii": wanted}, **document}
    take_in(daemon, user, document)
    listed = daemon.admin("GET", facts_path(daemon, user)).json().get("facts", [])
    assert [one["value"] for one in listed] == kept
    Chat(daemon, user, mode="entity").say("What is my illness?")
    assert "asthma" not in prompt(upstream)


def test_a_password_that_only_its_key_names_is_masked_by_every_way(daemon, upstream, user):
    take_in(daemon, user, export_of(own("password", "hunter2", "01-05"), own("wifi_password", "s3cretwifi", "01-05")))
    assert post(daemon, user, "door_password", "swordfish7").status_code == 201
    stored = json.dumps(daemon.admin("GET", facts_path(daemon, user)).json())
    Chat(daemon, user, mode="entity").say("What are my password and my wifi password?")
    for secret in ("hunter2", "s3cretwifi", "swordfish7"):
        assert secret not in stored and secret not in prompt(upstream)
    assert stored.count("[redacted: secret]") == 3


def test_what_may_hold_a_masked_password_too_goes_with_it(daemon, user):
    one = own("password", "hunter2xyz", "01-05", metadata={"text": "hunter2xyz"})
    one["source"] |= {"quote": "hunter2xyz, as always", "keywords": "hunter2xyz login"}
    take_in(daemon, user, export_of(one))
    made = post(daemon, user, "login", "swordfish7", metadata={"text": "swordfish7"}).json()["id"]
    assert daemon.admin("PATCH", facts_path(daemon, user, f"/{made}"), json={"key": "door_password"}).status_code == 200
    (now,) = [one for one in daemon.admin("GET", facts_path(daemon, user)).json()["facts"] if one["key"] == "door_password"]
    assert now["value"] == "[redacted: secret]" and not now.get("metadata")
    assert "hunter2xyz" not in json.dumps(daemon.admin("GET", daemon.memory_path(user, "/export")).json())


def test_an_answer_whose_question_was_erased_answers_no_other(daemon, user):
    """Another question waits at the same place."""
    path = daemon.memory_path(user, "/messages")
    talk = [{"role": role, "content": text, "created_at": f"2026-01-0{n + 1}T10:00:00Z", "session": "s"} for n, (role, text) in enumerate([
        ("user", "What shall I do about the rash?"), ("user", "What is the capital of France?"), ("user", "Is it raining?"), ("assistant", "See a doctor.")])]
    talk = [talk[1], talk[0], talk[3]]
    daemon.admin("POST", path, json={"messages": talk[1:2], "learn": False})
    assert daemon.admin("DELETE", daemon.memory_path(user, "/conversations?session=s")).status_code == 200
    assert daemon.admin("POST", path, json={"messages": talk, "learn": False}).json()["erased"] == 1
    [conversation] = daemon.admin("GET", daemon.memory_path(user, "/export")).json()["conversations"]
    turns = {turn["content"]: turn for turn in conversation["turns"]}
    assert "What shall I do about the rash?" not in turns and turns["See a doctor."]["exchange"] is None
    assert turns["What is the capital of France?"]["answer"] is None


def hide(daemon, memory_model, user):
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    assert hidden(daemon, user) == ["Zwingli"]


def test_what_was_hidden_comes_back_by_no_import_of_what_was_said_before(daemon, upstream, memory_model, user):
    hide(daemon, memory_model, user)
    take_in(daemon, user, {"results": [{"id": "m", "memory": "My canary is called Zwingli", "created_at": "2026-01-05T10:00:00Z"}]})
    take_in(daemon, user, export_of(own("kanarienvogel", "Zwingli", "01-05"), own("pet", "ZWINGLI", "01-05")))
    assert current(daemon, user) == []
    past, quote = "Zwingli is the name of my bird.", {"role": "user", "created_at": "2026-01-05T10:00:00Z"}
    memory_model.answers[past] = [fact("bird_name", "Zwingli", past)]
    daemon.import_messages(user, [quote | {"content": past}])
    daemon.settle(user)
    assert current(daemon, user) == [] and hidden(daemon, user) == ["Zwingli"]
    # What is said later is learned, and what a person restores stands.
    later = "My parrot is called Zwingli."
    teach(daemon, memory_model, user, later, [fact("parrot", "Zwingli", later)])
    assert current(daemon, user) == ["Zwingli"]


def test_nothing_hidden_is_given_from_deep_within_a_long_turn(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"context_tokens": "16000", "conversation_tokens": "32000"}})
    deep = "We walked along the river. " * 340 + "And my canary is called Zwingli. " + "It rained. " * 20
    daemon.import_messages(user, [{"role": "user", "content": deep, "created_at": "2026-01-05T10:00:00Z"}], learn=False)
    hide(daemon, memory_model, user)
    for mode in ("buffer", "vector", "hybrid"):
        Chat(daemon, user, session=mode, mode=mode).say("What is my canary called that I walked along the river with?")
        assert "Zwingli" not in prompt(upstream), mode


def test_a_long_turn_said_later_is_learned_and_given_though_something_is_hidden(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"context_tokens": "16000", "conversation_tokens": "32000"}})
    hide(daemon, memory_model, user)
    said = "My boat is called Hedwig."
    memory_model.answers[said] = [fact("boat", "Hedwig", said)]
    Chat(daemon, user, session="later").say(said + " We walked along the river." * 700)
    daemon.settle(user)
    assert current(daemon, user) == ["Hedwig"]
    Chat(daemon, user, session="new", mode="buffer").say("Hello there.")
    assert "We walked along the river." in prompt(upstream)


def test_a_pin_whose_time_is_over_is_said_again_without_it(daemon, memory_model, user):
    over = {"pinned": True, "valid_until": "2026-01-01T00:00:00Z"}
    post(daemon, user, "city", "Ulm", **over)
    assert post(daemon, user, "city", "Ulm").status_code == 200
    assert post(daemon, user, "city", "Bern").status_code == 201
    post(daemon, user, "boat", "Ida", **over)
    said = "My boat is called Ida."
    teach(daemon, memory_model, user, said, [fact("boat", "Ida", said)])
    assert current(daemon, user) == ["Bern", "Ida"]
    assert post(daemon, user, "boat", "Hedwig").status_code == 201


def test_a_correction_marks_what_stands_deep_within_a_turn(daemon, upstream, memory_model, user):
    deep = "We walked along the river. " * 90 + "And my canary is called Zwingli."
    daemon.import_messages(user, [{"role": "user", "content": deep, "created_at": "2026-01-05T10:00:00Z"}], learn=False)
    said = "My canary is called Zwingli."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    (known,) = daemon.admin("GET", facts_path(daemon, user)).json()["facts"]
    patch(daemon, user, known["id"], value="Calvin")
    Chat(daemon, user, session="new", mode="buffer").say("Hello there.")
    assert "[in part until" in prompt(upstream)


@pytest.mark.parametrize("erase", ["turn", "fact", "chat", "span"])
def test_an_import_of_erased_turns_says_that_they_were_erased(daemon, memory_model, user, erase):
    teach(daemon, memory_model, user, LIVES, [fact("city", "Lisbon", LIVES)])
    document = daemon.admin("GET", daemon.memory_path(user, "/export")).json() | {"facts": [], "summary": None}
    if erase == "chat":
        wish = "Forget that I live in Lisbon."
        teach(daemon, memory_model, user, wish, [fact("city", "Lisbon", wish, forget=True)])
    else:
        turn = document["conversations"][0]["turns"][0]["id"]
        (known,) = daemon.admin("GET", facts_path(daemon, user)).json()["facts"]
        path = {"turn": f"/turns/{turn}", "fact": f"/facts/{known['id']}", "span": "/memory?since=2020-01-01"}[erase]
        assert daemon.admin("DELETE", daemon.memory_path(user, path)).status_code == 200
    done = take_in(daemon, user, document)
    assert (done["turns"], done["known"], done["erased"]) == (0, 0, 2) and done["erased_at"].startswith("20"), done


@pytest.mark.parametrize("key, value", [("wohnort", "Lisbon"), ("City", "Lisbon"), ("city", "lisbon"), ("city", "Lisbon."), ("city", "Ｌisbon")])
def test_an_erased_fact_is_known_in_every_spelling(daemon, user, key, value):
    erased = post(daemon, user, "city", "Lisbon").json()["id"]
    assert daemon.admin("DELETE", facts_path(daemon, user, f"/{erased}")).status_code == 200
    done = take_in(daemon, user, export_of(own(key, value, "01-05")))
    assert (done["facts"], done["erased"]) == (0, 1) and current(daemon, user) == []


def test_an_erased_note_is_known_in_every_spelling(daemon, user):
    take_in(daemon, user, mem0("Lives in Lisbon"))
    (note,) = daemon.admin("GET", facts_path(daemon, user)).json()["facts"]
    daemon.admin("DELETE", facts_path(daemon, user, f"/{note['id']}"))
    assert take_in(daemon, user, mem0("lives in  Lisbon"))["erased"] == 1


def test_a_pin_whose_time_is_over_holds_nothing(daemon, memory_model, user):
    over = {"pinned": True, "valid_until": "2026-01-01T00:00:00Z"}
    assert post(daemon, user, "city", "Ulm", **over).status_code == 201
    assert post(daemon, user, "city", "Bern").status_code == 201
    assert current(daemon, user) == ["Bern"]
    assert post(daemon, user, "boat", "Hedwig", **over).status_code == 201
    said = "My boat is called Ida."
    teach(daemon, memory_model, user, said, [fact("boat", "Ida", said)])
    assert current(daemon, user) == ["Bern", "Ida"]
    assert post(daemon, user, "lake", "Wannsee", valid_until="2026-01-01T00:00:00Z").status_code == 201
    assert post(daemon, user, "lake", "Wannsee").status_code == 200
    assert current(daemon, user) == ["Bern", "Ida", "Wannsee"]


def test_what_was_masked_and_taken_back_keeps_nothing_else_of_its_class_away(make_daemon, user):
    daemon = make_daemon({"pii": {"email": "mask"}})
    mail = post(daemon, user, "email", "alex@example.com").json()["id"]
    assert daemon.admin("DELETE", facts_path(daemon, user, f"/{mail}") + "?never_again=1").status_code == 200
    done = take_in(daemon, user, mem0("I have written to my dentist at doc@tooth.example about the crown"))
    assert (done["facts"], done["erased"]) == (1, 0)
    assert take_in(daemon, user, export_of(own("boss_email", "b@corp.example", "01-05")))["facts"] == 1


def test_a_forgotten_fact_of_a_file_is_not_kept(daemon, user):
    done = take_in(daemon, user, export_of(own("city", "Lisbon", "01-05", state="forgotten"), own("likes", "tea", "01-05")))
    assert (done["facts"], done["reasons"]) == (1, {"other": 1})


@pytest.mark.parametrize("key, text", [("note", "word " * 450 + "I live in Lisbon now"), ("remark", "I live in Lisbon"), ("notes", "I love Lisbon")])
def test_never_again_holds_in_the_whole_of_a_note(daemon, user, key, text):
    erased = post(daemon, user, "city", "Lisbon").json()["id"]
    assert daemon.admin("DELETE", facts_path(daemon, user, f"/{erased}") + "?never_again=1").status_code == 200
    document = mem0(text) if key == "note" else export_of(own(key, text, "01-05"))
    assert take_in(daemon, user, document)["facts"] == 0


@pytest.mark.parametrize("key", ["user's city", "(city)", "home/city"])
def test_marks_in_a_key_are_no_letters(daemon, user, key):
    post(daemon, user, "city", "Ulm", pinned=True)
    assert post(daemon, user, key, "Bern").status_code == 409


def test_metadata_has_nothing_that_nobody_sees(daemon, user):
    unseen = {"a\u200b": "x\0y\u202e\\u0000", "b": [1, "te\u200ba"]}
    take_in(daemon, user, {"results": [{"id": "1", "memory": "Likes tea", "metadata": unseen, "created_at": "2026-01-05T10:00:00Z"}]})
    assert post(daemon, user, "likes", "jazz", metadata={"a\u200b": "xy\u202e\\u0000", "b": [1, "te\u200ba"]}).status_code == 201
    facts = daemon.admin("GET", facts_path(daemon, user)).json()["facts"]
    assert [one["metadata"] for one in facts] == [{"a": "xy\\u0000", "b": [1, "tea"]}] * 2
