"""One fact, whoever tells it: a key has one current value in whatever spelling, and what was taken back stays away."""

import pytest

from harness.chat import Chat
from harness.memory_model import fact
from test_admin_recallctl import recallctl
from test_rebuild import exported, moved_to, rebuild
from test_rights import facts_path, patch, prompt

NAMES = ["city", "wohnort", "home_city", "Home City", "ＣＩＴＹ", "Wohn-Ort"]


def post(daemon, user, key, value, query="", **members):
    return daemon.admin("POST", facts_path(daemon, user, query=query), json={"key": key, "value": value, **members})


def current(daemon, user):
    return sorted(one["value"] for one in daemon.admin("GET", facts_path(daemon, user)).json()["facts"])


def take_in(daemon, user, document, query=""):
    done = daemon.admin("POST", daemon.memory_path(user, "/import") + query, json=document)
    assert done.status_code == 200, done.text
    return done.json()


def own(key, value, day, pinned=False, **members):
    return {"id": "7", "entity": "user", "kind": "user", "key": key, "value": value, "many": False, "confidence": 0.9, "pinned": pinned,
            "source": {"type": "chat"}, "observed_at": f"2026-{day}T10:00:00Z", "state": "current", **members}


def export_of(*facts):
    return {"format": "recalld-export-1", "conversations": [], "facts": [{**one, "id": str(i + 1)} for i, one in enumerate(facts)]}


def mem0(*texts):
    return {"results": [{"id": f"m{i}", "memory": text, "created_at": "2026-11-20T10:00:00Z"} for i, text in enumerate(texts)]}


# ---- told by the API and recallctl ----


def test_three_pinned_homes_are_one(daemon, upstream, user):
    assert post(daemon, user, "city", "Ulm", pinned=True).status_code == 201
    for key, value in (("wohnort", "Bern"), ("home_city", "Graz")):
        done = post(daemon, user, key, value, pinned=True)
        assert done.status_code == 409, done.text
        said = done.json()
        assert said["error"]["code"] == "pinned" and "replace=1" in said["error"]["message"]
        assert (said["pinned"]["key"], said["pinned"]["value"], said["pinned"]["pinned"]) == ("city", "Ulm", True)
        assert said["given"]["value"] == value
    assert current(daemon, user) == ["Ulm"]
    replaced = post(daemon, user, "home_city", "Graz", "?replace=1", pinned=True)
    assert replaced.status_code == 201 and [one["value"] for one in replaced.json()["history"]] == ["Ulm"]
    assert current(daemon, user) == ["Graz"]
    Chat(daemon, user, session="now").say("Where do I live?")
    assert "Graz" in prompt(upstream) and "Ulm" not in prompt(upstream) and "Bern" not in prompt(upstream)
    assert post(daemon, user, "city", "Bern", "?replace=yes").status_code == 400


@pytest.mark.parametrize("key", NAMES)
def test_a_value_that_nobody_pinned_gives_way_under_every_name_of_its_key(daemon, user, key):
    assert post(daemon, user, "city", "Ulm").status_code == 201
    assert post(daemon, user, key, "Bern").status_code == 201
    assert current(daemon, user) == ["Bern"]
    assert post(daemon, user, "city", " BERN. ").status_code == 200, "the same fact is said again"
    assert current(daemon, user) == ["Bern"]


def test_a_fact_that_is_moved_onto_a_pinned_key_is_asked_about(daemon, user):
    post(daemon, user, "city", "Ulm", pinned=True)
    other = post(daemon, user, "birthplace", "Bern").json()["id"]
    path = facts_path(daemon, user, f"/{other}")
    done = daemon.admin("PATCH", path, json={"key": "Wohnort"})
    assert done.status_code == 409 and done.json()["pinned"]["value"] == "Ulm" and done.json()["given"] == {
        "entity": "user", "key": "wohnort", "value": "Bern"}
    assert current(daemon, user) == ["Bern", "Ulm"]
    assert daemon.admin("PATCH", path + "?replace=1", json={"key": "Wohnort"}).status_code == 200
    assert current(daemon, user) == ["Bern"]
    # A person's own pinned fact is corrected as ever, and that is undone as ever.
    (city,) = daemon.admin("GET", facts_path(daemon, user)).json()["facts"]
    new = patch(daemon, user, city["id"], value="Graz")["id"]
    assert current(daemon, user) == ["Graz"] and new != city["id"]
    assert daemon.admin("POST", facts_path(daemon, user, f"/{city['id']}/restore")).status_code == 200
    assert current(daemon, user) == ["Bern"]


def test_recallctl_names_both_values_and_replaces_when_told(daemon, user):
    take_in(daemon, user, export_of(own("city", "Ulm", "01-01", pinned=True), own("cat", "Ida", "01-01")))
    cat = next(one for one in daemon.admin("GET", facts_path(daemon, user)).json()["facts"] if one["key"] == "cat")
    assert recallctl(daemon, "correct", user, "wohnort", "Ulm a.d. Donau").returncode == 0, "a key by another of its names"
    moved = daemon.admin("PATCH", facts_path(daemon, user, f"/{cat['id']}"), json={"key": "home_city"})
    assert moved.status_code == 409
    retracted = recallctl(daemon, "correct", user, "city")
    assert retracted.returncode == 0, retracted.stderr
    old = next(one for one in daemon.admin("GET", facts_path(daemon, user, query="?state=all")).json()["facts"] if one["value"] == "Ulm a.d. Donau")
    assert post(daemon, user, "home_city", "Bern", pinned=True).status_code == 201
    back = daemon.admin("PATCH", facts_path(daemon, user, f"/{old['id']}"), json={"state": "current"})
    assert back.status_code == 409 and back.json()["pinned"]["value"] == "Bern"


def test_recallctl_corrects_beside_a_pinned_value_only_when_told(make_daemon, tmp_path, user):
    """Stores of before hold two homes, under two names of the key."""
    daemon = make_daemon()
    ulm = post(daemon, user, "city", "Ulm", pinned=True).json()["id"]
    bern = post(daemon, user, "birthplace", "Bern").json()["id"]
    daemon.stop()
    lines = exported(daemon, tmp_path)
    lines.write_text(lines.read_text().replace('"birthplace"', '"wohnort"'))
    assert rebuild(tmp_path / "before", lines).returncode == 0
    moved_to(daemon, tmp_path / "before")
    assert current(daemon, user) == ["Bern", "Ulm"]
    refused = recallctl(daemon, "correct", user, bern, "Graz")
    assert refused.returncode == 1 and refused.stdout == ""
    assert f"city is pinned as Ulm (fact {ulm}), not Graz; --replace replaces it" in refused.stderr
    assert current(daemon, user) == ["Bern", "Ulm"], "nothing has changed"
    replaced = recallctl(daemon, "correct", "--replace", user, bern, "Graz")
    assert replaced.returncode == 0 and "wohnort = Graz" in replaced.stdout, replaced.stderr
    assert current(daemon, user) == ["Graz"]


@pytest.mark.parametrize("op, stand", [("add", ["Ben", "Ida", "Mia"]), ("set", ["Mia"])])
def test_a_later_value_joins_several_by_add_and_replaces_them_by_set(daemon, memory_model, user, op, stand):
    """What `op` means; the values of one turn are several whatever the memory model says of them."""
    turns = {"My children are Ben and Ida.": ["Ben", "Ida"], "My child is Mia.": ["Mia"]}
    chat = Chat(daemon, user, session="s")
    for text, names in turns.items():
        memory_model.answers[text] = [fact("child", name, text) | ({"op": op} if name == "Mia" else {}) for name in names]
        chat.say(text)
        daemon.settle(user)
    assert current(daemon, user) == stand


def test_what_is_learned_against_a_pin_is_a_suggestion_under_every_name(daemon, memory_model, user):
    post(daemon, user, "city", "Ulm", pinned=True)
    memory_model.answers["I live in Bern now."] = [fact("wohnort", "Bern", "I live in Bern now")]
    Chat(daemon, user, session="s").say("I live in Bern now.")
    daemon.settle(user)
    assert current(daemon, user) == ["Ulm"]
    (suggested,) = daemon.admin("GET", facts_path(daemon, user, query="?state=suggested")).json()["facts"]
    assert suggested["value"] == "Bern"


# ---- imported ----


def test_an_import_brings_no_second_value(daemon, user):
    take_in(daemon, user, export_of(own("city", "Ulm", "03-01"), own("likes", "tea", "03-01", many=True)))
    take_in(daemon, user, export_of(own("wohnort", "Bern", "02-01")))
    assert current(daemon, user) == ["Ulm", "tea"], "the newer observation stands"
    later = export_of(own("Home City", "Graz", "04-01"), own("likes", "Tea.", "04-01", many=True))
    assert take_in(daemon, user, later)["facts"] == 2
    assert current(daemon, user) == ["Graz", "tea"]
    assert take_in(daemon, user, later)["known"] == 2
    assert current(daemon, user) == ["Graz", "tea"]


def test_a_pin_stands_against_an_import(daemon, user):
    post(daemon, user, "city", "Ulm", pinned=True)
    take_in(daemon, user, export_of(own("wohnort", "Bern", "11-01"), own("home_city", "Graz", "11-02", pinned=True)))
    assert current(daemon, user) == ["Ulm"]


# ---- taken back ----


def forget_for_good(daemon, user, value):
    (one,) = [one for one in daemon.admin("GET", facts_path(daemon, user)).json()["facts"] if one["value"] == value]
    done = daemon.admin("DELETE", facts_path(daemon, user, f"/{one['id']}", "?never_again=1"))
    assert done.status_code == 200, done.text


def correct(daemon, user, value):
    (one,) = [one for one in daemon.admin("GET", facts_path(daemon, user)).json()["facts"] if one["value"] == value]
    patch(daemon, user, one["id"], value="Porto")


@pytest.mark.parametrize("take_back", [forget_for_good, correct])
def test_a_note_of_mem0_does_not_bring_back_what_was_taken_back(daemon, user, take_back):
    post(daemon, user, "city", "Lisbon")
    take_back(daemon, user, "Lisbon")
    before = current(daemon, user)
    count = take_in(daemon, user, mem0("Alex lives in LISBON, near the river", "Ｌｉｓｂｏｎ", "Likes lamps", "Has 5 lamps"))
    assert (count["facts"], count["erased"]) == (2, 2)
    assert current(daemon, user) == sorted(before + ["Likes lamps", "Has 5 lamps"])


def test_a_short_value_blocks_no_other_note(daemon, user):
    post(daemon, user, "number_of_cats", "5")
    forget_for_good(daemon, user, "5")
    assert take_in(daemon, user, mem0("Has 5 lamps", "No sugar"))["facts"] == 2


@pytest.mark.parametrize("key", NAMES)
@pytest.mark.parametrize("take_back", [forget_for_good, correct])
def test_what_was_taken_back_is_not_learned_under_another_name(daemon, memory_model, user, key, take_back):
    post(daemon, user, "city", "Lisbon")
    take_back(daemon, user, "Lisbon")
    memory_model.answers["I live in Lisbon."] = [fact(key, "Lisbon", "I live in Lisbon")]
    Chat(daemon, user, session="s").say("I live in Lisbon.")
    daemon.settle(user)
    assert "Lisbon" not in current(daemon, user)


def test_never_again_holds_under_every_key(daemon, memory_model, user):
    post(daemon, user, "city", "Lisbon")
    forget_for_good(daemon, user, "Lisbon")
    memory_model.answers["I love Lisbon."] = [fact("loves", "Lisbon", "I love Lisbon"), fact("note", "I love Lisbon", "I love Lisbon")]
    Chat(daemon, user, session="s").say("I love Lisbon.")
    daemon.settle(user)
    assert current(daemon, user) == []
    take_in(daemon, user, export_of(own("favourite_place", "lisbon", "11-01")))
    assert current(daemon, user) == []
    # A person who writes it down again lifts that.
    assert post(daemon, user, "wohnort", "Lisbon").status_code == 201
    take_in(daemon, user, export_of(own("favourite_place", "lisbon", "11-01")))
    assert current(daemon, user) == ["Lisbon", "lisbon"]


SPELLINGS = [
    ("city", "New-York", ["New York", "new york, USA", "(New York)", "in New-York"], ["York"]),
    ("phone", "+49 (30) 1234567", ["0049 30 123-4567", "Call +49 30 1234567"], ["+49 30 1234568"]),
    ("server", "192.168.1.12", ["the one at 192.168.1.12"], ["192.168.11.2", "192168112"]),
]


@pytest.mark.parametrize("key, value, away, others", SPELLINGS, ids=lambda case: case if isinstance(case, str) else "")
def test_never_again_holds_in_every_spelling(daemon, user, key, value, away, others):
    post(daemon, user, key, value)
    forget_for_good(daemon, user, value)
    take_in(daemon, user, export_of(*[own(f"{key}_{at}", said, "11-01") for at, said in enumerate(away + others)]))
    assert sorted(current(daemon, user)) == sorted(others)
    # A person who writes it down in one spelling lifts all of them.
    assert post(daemon, user, key, away[0]).status_code == 201
    take_in(daemon, user, export_of(own(f"{key}_later", value, "11-01")))
    lifted = [value] if value != "192.168.1.12" else []
    assert sorted(current(daemon, user)) == sorted([away[0], *others, *lifted])


@pytest.mark.parametrize("wrong, right", [("married", "not married"), ("OBrien", "O'Brien"), ("1/11/2024", "11/1/2024")])
def test_the_right_value_is_learned_although_it_looks_like_the_wrong_one(daemon, memory_model, user, wrong, right):
    one = post(daemon, user, "entry", wrong).json()["id"]
    assert daemon.admin("PATCH", facts_path(daemon, user, f"/{one}"), json={"state": "retracted"}).status_code == 200
    said = f"My entry is {right}."
    memory_model.answers[said] = [fact("entry", right, f"My entry is {right}")]
    Chat(daemon, user, session="s").say(said)
    daemon.settle(user)
    assert current(daemon, user) == [right]


@pytest.mark.parametrize(
    "key, value, innocent",
    [
        ("blood_type", "A-", "I want to type a letter to my aunt about a blood test."),
        ("computer", "Windows 11", "My computer room has 11 windows."),
        ("start", "May 1984", "I start to think of my life from 1984. May I ask you something?"),
    ],
)
def test_deleting_a_fact_takes_no_turn_of_other_words(daemon, user, key, value, innocent):
    Chat(daemon, user, session="s").say(innocent)
    daemon.settle(user)
    one = post(daemon, user, key, value).json()["id"]
    assert daemon.admin("DELETE", facts_path(daemon, user, f"/{one}")).status_code == 200
    assert innocent in str(daemon.messages(user))


@pytest.mark.parametrize("value, said", [("4200 Euro", "I get 4200 euros a month."), ("7 May 1984", "I was born on May 7, 1984 in Ulm.")])
def test_deleting_a_fact_of_several_words_takes_the_turn_in_another_form(daemon, user, value, said):
    Chat(daemon, user, session="s").say(said)
    daemon.settle(user)
    one = post(daemon, user, "figure", value).json()["id"]
    assert daemon.admin("DELETE", facts_path(daemon, user, f"/{one}")).status_code == 200
    assert said not in str(daemon.messages(user))


# ---- learned ----


def test_two_values_of_one_turn_are_several(daemon, memory_model, upstream, user):
    said = "I have two children, Ben and Ida."
    memory_model.answers[said] = [fact("child", "Ben", said), fact("child", "Ida", said)]
    Chat(daemon, user, session="s").say(said)
    daemon.settle(user)
    assert current(daemon, user) == ["Ben", "Ida"]
    Chat(daemon, user, session="t").say("Who are my children?")
    assert "Ben" in prompt(upstream) and "Ida" in prompt(upstream)


def test_one_home_after_another_in_one_turn_is_a_succession(daemon, memory_model, user):
    said = "I moved from Ulm to Bern."
    memory_model.answers[said] = [fact("city", "Ulm", said), fact("wohnort", "Bern", said)]
    Chat(daemon, user, session="s").say(said)
    daemon.settle(user)
    assert current(daemon, user) == ["Bern"]


def test_a_branch_that_comes_back_leaves_one_value_of_a_key(make_daemon, memory_model, user):
    daemon = make_daemon()
    memory_model.answers["I live in Ulm."] = [fact("city", "Ulm", "I live in Ulm")]
    memory_model.answers["I live in Bern."] = [fact("wohnort", "Bern", "I live in Bern")]
    talk = Chat(daemon, user, session="s")
    talk.say("Good morning.")
    first = list(talk.messages)
    talk.say("I live in Ulm.")
    daemon.settle(user)
    old = list(talk.messages)
    talk.messages = first
    talk.say("I live in Bern.")
    daemon.settle(user)
    assert current(daemon, user) == ["Bern"]
    talk.messages = list(old)
    talk.say("And then?")
    daemon.settle(user)
    assert current(daemon, user) == ["Ulm"]
    post(daemon, user, "home_city", "Graz", pinned=True)
    talk.messages = first
    talk.say("And so on.")
    daemon.settle(user)
    assert current(daemon, user) == ["Graz"], "what a person pinned stands, under every name"


@pytest.mark.parametrize("name", ["me", "The User", "I", "myself", " USER "])
def test_the_user_is_one_entity_under_every_name(daemon, user, name):
    take_in(daemon, user, export_of({**own("city", "Graz", "01-10"), "entity": name}))
    post(daemon, user, "city", "Ulm")
    assert post(daemon, user, "city", "Bern", entity=name).status_code == 201
    found = daemon.admin("GET", facts_path(daemon, user, query="?entity=me")).json()["facts"]
    assert [(one["entity"], one["value"]) for one in found] == [("user", "Bern")]


# ---- a deletion says what it wants in its body, too ----


def test_a_deletions_body_counts_like_its_query(daemon, memory_model, user):
    one = post(daemon, user, "city", "Zürich").json()
    path = facts_path(daemon, user, f"/{one['id']}")
    assert daemon.admin("DELETE", path, json={"dry_run": True}).json()["dry_run"] is True
    assert current(daemon, user) == ["Zürich"]
    for body in ({"dry_run": True, "keep": True}, {"dry_run": 5}, ["dry_run"], {"never_again": None}, {"dry_run": "x" * 70000}):
        assert daemon.admin("DELETE", path, json=body).status_code == 400, body
    assert daemon.admin("DELETE", path + "?dry_run=1", json={"dry_run": False}).status_code == 400
    assert daemon.admin("DELETE", path, json={"never_again": True}).status_code == 200
    told = "I live in Zu\u0308rich, near the lake."
    memory_model.answers[told] = [fact("wohnort", "Zu\u0308rich", "I live in Zu\u0308rich")]
    Chat(daemon, user).say(told)
    daemon.settle(user)
    assert current(daemon, user) == []
