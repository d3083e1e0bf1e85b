"""A wish to forget in a chat: what the user names is erased, what the model names beyond it is hidden."""

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.memory_model import fact
from test_admin_recallctl import recallctl
from test_learning import teach


def hidden(daemon, user):
    """The values of the user's hidden facts."""
    answer = daemon.admin("GET", daemon.memory_path(user, "/facts") + "?state=hidden").json()
    return sorted(f["value"] for f in answer["facts"])


@pytest.mark.parametrize("covered", [False, True], ids=["hidden before the summary", "after it"])
def test_what_is_restored_comes_into_the_summary(make_daemon, memory_model, user, covered):
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "4"}})
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."

    def lamps(first, end):
        for number in range(first, end):
            Chat(daemon, user, session="lamps").say(f"Lamp {number} is lit.")
            daemon.settle(user)

    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    lamps(0, 4 if covered else 0)
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    lamps(4, 8)
    before = len(memory_model.summary_calls())
    assert recallctl(daemon, "restore", user, "canary").returncode == 0
    lamps(8, 12)
    assert any(said in call.asked for call in memory_model.summary_calls()[before:])


def test_what_was_forgotten_of_a_user_who_was_deleted_is_not_told(daemon, memory_model, user):
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    daemon.forget(user)
    assert "X-Memory-Forgot" not in Chat(daemon, user).say("Hello!").headers


def test_recallctl_restores_a_hidden_fact(daemon, upstream, memory_model, user):
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    assert hidden(daemon, user) == ["Zwingli"]
    listed = recallctl(daemon, "facts", user, "--all")
    assert "Zwingli" in listed.stdout and "hidden" in listed.stdout
    assert "no hidden fact has the key" in recallctl(daemon, "restore", user, "oboe").stderr
    restored = recallctl(daemon, "restore", user, "canary")
    assert restored.returncode == 0 and "canary = Zwingli" in restored.stdout
    assert hidden(daemon, user) == [] and daemon.values(user) == ["Zwingli"]
    (fact_id,) = (one["id"] for one in daemon.memory(user)["facts"])
    again = recallctl(daemon, "restore", user, fact_id)
    assert again.returncode == 1 and "stands" in again.stderr
    Chat(daemon, user, session="new").say("What is my canary called?")
    assert b"Zwingli" in upstream.last.body
    daemon.settle(user)


def forgotten(daemon, user):
    """How much the first reply that knows it says was forgotten."""
    said = []
    until(lambda: said.append(Chat(daemon, user).say("Good morning!").headers.get("X-Memory-Forgot")) or said[-1], "a reply tells")
    return int(said[-1])


# ---- in every mode that remembers ----

MODES = ["buffer", "summary", "entity", "vector", "hybrid", "auto"]
GREEN = "My favourite colour is green."


def given(daemon, upstream, user, question, **options):
    """What a request puts before the upstream, in a talk of its own unless it says otherwise."""
    Chat(daemon, user, **({"session": "asking"} | options)).say(question)
    return upstream.last.body.decode()


@pytest.mark.parametrize("mode", MODES)
def test_what_the_user_names_is_erased_in_every_mode(make_daemon, upstream, memory_model, user, mode):
    """Its turn and its fact go, at once; what only names the value stays, and the next reply tells of it."""
    daemon = make_daemon({"memory": {"mode": mode, "learn_idle": "10m"}})
    wish, grass = "Forget that my favourite colour is green.", "The grass is green in spring."
    memory_model.answers |= {
        GREEN: [fact("favourite_colour", "green", "My favourite colour is green")],
        wish: [fact("favourite_colour", "green", wish, forget=True)],
    }
    for session, turn in (("a", GREEN), ("b", grass), ("c", wish)):
        Chat(daemon, user, session=session).say(turn)
    until(lambda: ("user", GREEN) not in daemon.messages(user), "the turn is erased")
    said = [text for role, text in daemon.messages(user) if role == "user"]
    assert said == [grass], "neither the turn nor the wish stands"
    assert not [v for v in daemon.values(user) if v == "green"]
    assert forgotten(daemon, user) == 1
    assert "favourite colour is green" not in given(daemon, upstream, user, "What is my favourite colour?")


@pytest.mark.parametrize("mode", MODES)
def test_what_only_the_model_names_is_hidden_in_every_mode(make_daemon, upstream, memory_model, user, mode):
    """Also where no fact was learned: the turns that say it are not given until a person restores it."""
    daemon = make_daemon({"memory": {"mode": mode}})
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    memory_model.answers |= {said: [fact("canary", "Zwingli", said)], wish: [fact("canary", "Zwingli", wish, forget=True)]}
    Chat(daemon, user, session="a").say(said)
    Chat(daemon, user, session="b").say("Zwingli sang from seven to nine today.")
    Chat(daemon, user, session="a").say("I like tulips.")
    Chat(daemon, user, session="c").say(wish)
    until(lambda: hidden(daemon, user) == ["Zwingli"], "it is hidden")
    assert forgotten(daemon, user) == 1
    assert "Zwingli" not in given(daemon, upstream, user, "What is my canary called?")
    assert "Zwingli" not in given(daemon, upstream, user, "Good day! And my canary?", session="a")
    assert ("user", said) in daemon.messages(user), "nothing is lost"
    assert recallctl(daemon, "restore", user, "canary").returncode == 0
    assert daemon.values(user).count("Zwingli") == 1
    if mode not in ("buffer", "summary"):  # what these give is not chosen by the question
        assert "Zwingli" in given(daemon, upstream, user, "What is my canary called?", session="new")


@pytest.mark.parametrize("mode", ["buffer", "vector"])
def test_nothing_but_a_wish_is_learned_from_where_nothing_is_learned(make_daemon, memory_model, user, mode):
    daemon = make_daemon({"memory": {"mode": mode}})
    Chat(daemon, user).say(GREEN)
    Chat(daemon, user).say("Forget Zwingli.")
    until(lambda: memory_model.fact_calls("Forget Zwingli."), "the wish is asked about")
    daemon.settle(user)
    assert not [c for c in memory_model.fact_calls() if c.asked.endswith(GREEN)]
    assert ("user", GREEN) in daemon.messages(user)


def test_a_wish_of_a_request_that_names_its_mode_is_obeyed(daemon, memory_model, user):
    wish = "Forget that my favourite colour is green."
    memory_model.answers[wish] = [fact("favourite_colour", "green", wish, forget=True)]
    Chat(daemon, user, session="a").say(GREEN)
    Chat(daemon, user, session="b", headers={"X-Memory-Mode": "buffer"}).say(wish)
    until(lambda: ("user", GREEN) not in daemon.messages(user), "the turn is erased")
    daemon.settle(user)


# ---- in other words ----

IN_OTHER_WORDS = [
    # what was said, its fact, the wish: which names neither key nor value
    ("I am allergic to hazelnuts.", "allergy", "hazelnuts", "Please delete whatever you noted on my medical condition."),
    ("My sister-in-law Greta lost her job.", "sister_in_law", "Greta", "I'd rather you forget that family matter I mentioned."),
    ("Ich verdiene 4200 Euro im Monat.", "gehalt", "4200 Euro", "Vergiss bitte, was ich dir über meine Finanzen erzählt habe."),
    ("Mein Hund heißt Bello.", "hund", "Bello", "Lösche, was du über mein Haustier weißt."),
    ("Je joue de la clarinette.", "instrument", "clarinette", "Oublie ce que je t'ai dit sur mes loisirs."),
    ("J'habite à Grenoble.", "ville", "Grenoble", "Efface ce que je t'ai confié sur mon domicile."),
]


@pytest.mark.parametrize("said, key, value, wish", IN_OTHER_WORDS)
def test_a_wish_in_other_words_is_obeyed_at_once(make_daemon, upstream, memory_model, user, said, key, value, wish):
    daemon = make_daemon({"memory": {"learn_idle": "10m", "learn_batch": "16"}})
    memory_model.answers |= {said: [fact(key, value, said)], wish: [fact(key, value, wish, forget=True)]}
    Chat(daemon, user, session="a").say(said)
    Chat(daemon, user, session="b").say(wish)
    until(lambda: hidden(daemon, user) == [value], "it is hidden, although learning waits for ten minutes")
    assert daemon.values(user) == []
    assert forgotten(daemon, user) == 1
    Chat(daemon, user, session="c").say(f"What do you know of me? {key}?")
    assert value not in upstream.last.body.decode()
    number = daemon.admin("GET", daemon.memory_path(user, "/facts") + "?state=hidden").json()["facts"][0]["id"]
    assert daemon.admin("POST", daemon.memory_path(user, f"/facts/{number}/restore")).status_code == 200
    assert daemon.values(user) == [value] and hidden(daemon, user) == []


@pytest.mark.parametrize("turn", [
    "I always forget my keys, can you help me with a routine?",
    "Don't forget to call Maria tomorrow.",
    "People forget how cold it was in 1986.",
    "Ich vergesse immer meinen Schlüssel.",
    "Vergiss nicht, dass ich Maria anrufen muss.",
    "N'oublie pas que je dois appeler Maria.",
])
def test_a_word_of_forgetting_alone_asks_for_nothing(daemon, memory_model, user, turn):
    """Even if the model says that something is to be forgotten."""
    said = "My sister is called Maria, and my keys are in the hall."
    teach(daemon, memory_model, user, said, [fact("sister", "Maria", "My sister is called Maria")])
    teach(daemon, memory_model, user, turn, [fact("sister", "Maria", forget=True)])
    assert daemon.values(user) == ["Maria"] and hidden(daemon, user) == []
    assert ("user", said) in daemon.messages(user) and ("user", turn) in daemon.messages(user)
    assert "X-Memory-Forgot" not in Chat(daemon, user).say("Good morning!").headers
    daemon.settle(user)


def test_each_thing_that_the_model_names_is_hidden_whatever_went_before(daemon, memory_model, user):
    """One is a fact, the other is only said: neither keeps the other from being hidden."""
    held, said, wish = "My canary is called Zwingli.", "My tortoise is called Melanchthon.", "Please forget what I told you about my pets."
    memory_model.answers |= {held: [fact("canary", "Zwingli", held)], said: [],
                             wish: [fact("canary", "Zwingli", wish, forget=True), fact("tortoise", "Melanchthon", wish, forget=True)]}
    chat = Chat(daemon, user, session="a")
    for turn in (held, said, wish):
        chat.say(turn)
        daemon.settle(user)
    assert sorted(hidden(daemon, user)) == ["Melanchthon", "Zwingli"]
