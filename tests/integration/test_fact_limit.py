"""A user has 10,000 facts at most. Beyond that those give way that were not said for longest, whoever tells the new one."""

import json
import os
from datetime import datetime, timedelta

from pathlib import Path

import pytest

from harness.chat import Chat
from harness.memory_model import fact as learned
from test_import_cost import send
from test_intake import fact, own

LIMIT = 10_000
SLACK = LIMIT // 64  # goes with what is too much, so that it does not happen with each new fact


def gone(daemon):
    return daemon.metric('recalld_expired_total{kind="facts_over_limit"}')


def day(number):
    """Later for higher numbers."""
    return (datetime(2020, 1, 1) + timedelta(hours=number)).isoformat() + "Z"


def place(number, **more):
    return fact(number, f"place {number}", observed_at=day(number), **more)


def fill(daemon, user, first=1, last=LIMIT, **more):
    return send(daemon, user, json.dumps(own([place(n, **more) for n in range(first, last + 1)])).encode())


def values(daemon, user):
    """All that is stored, in whatever state."""
    exported = daemon.admin("GET", f"/v1/users/{user}/export").json()
    return [one["value"] for one in exported["facts"]]


def post(daemon, user, value, **more):
    reply = daemon.admin("POST", f"/v1/users/{user}/facts", json={"key": "seen", "value": value, "many": True, **more})
    assert reply.status_code == 201, reply.text
    return reply.json()


def test_a_fact_that_is_told_beyond_the_limit_takes_the_place_of_the_oldest(daemon, user):
    before = gone(daemon)
    assert fill(daemon, user)["facts"] == LIMIT
    assert (gone(daemon), len(values(daemon, user))) == (before, LIMIT)
    new = post(daemon, user, "Sisyphos rock")
    assert daemon.admin("GET", f"/v1/users/{user}/facts/{new['id']}").json()["value"] == "Sisyphos rock"
    kept = values(daemon, user)
    assert len(kept) == LIMIT - SLACK and "Sisyphos rock" in kept
    assert f"place {SLACK + 1}" not in kept and f"place {SLACK + 2}" in kept and f"place {LIMIT}" in kept
    assert gone(daemon) == before + SLACK + 1
    line = [one for one in daemon.stderr_lines if "gave way" in one][-1]
    log_id = line.split("user=")[1].strip(")\n ")
    (found,) = daemon.admin("GET", f"/v1/users?log_id={log_id}").json()["users"]
    assert found["user"] == user and "Sisyphos" not in line and "place" not in line
    for number in range(3):
        post(daemon, user, f"sight {number}")
    assert gone(daemon) == before + SLACK + 1, "there was room for these"


def test_what_is_learned_beyond_the_limit_takes_the_place_of_the_oldest(daemon, memory_model, user):
    fill(daemon, user)
    said = "My boat is called Argo."
    memory_model.answers[said] = [learned("boat_name", "Argo", said)]
    Chat(daemon, user, session="s").say(said)
    daemon.settle(user)
    kept = values(daemon, user)
    assert len(kept) == LIMIT - SLACK and "Argo" in kept and "place 1" not in kept


def test_an_import_beyond_the_limit_keeps_the_newest_of_all(daemon, user):
    before = gone(daemon)
    fill(daemon, user, 1_001, LIMIT)
    done = fill(daemon, user, 1, 11_500)
    assert (done["facts"], done["known"]) == (2_500, 9_000)
    kept = values(daemon, user)
    assert LIMIT - SLACK <= len(kept) <= LIMIT and done["crowded"] == 11_500 - len(kept) == gone(daemon) - before
    assert f"place {LIMIT + 1_500}" in kept and "place 1" not in kept
    again = fill(daemon, user, 5_000, 11_500)
    assert (again["facts"], again["crowded"]) == (0, 0), "the same again changes nothing"


def test_what_ended_goes_first_and_what_a_person_pinned_last(daemon, user):
    special = [place(1, key="allergies"), place(2, pinned=True), place(3), place(LIMIT - 1, state="retracted", ended_at=day(LIMIT))]
    special[3]["many"] = False
    assert send(daemon, user, json.dumps(own(special)).encode())["facts"] == 4
    fill(daemon, user, 4, LIMIT - 2)
    post(daemon, user, "one more")
    post(daemon, user, "and another")
    kept = values(daemon, user)
    assert "place 1" in kept and "place 2" in kept and "place 3" not in kept and f"place {LIMIT - 1}" not in kept
    listed = daemon.admin("GET", f"/v1/users/{user}/facts?limit=1000").json()["facts"]
    assert "place 1" in [one["value"] for one in listed if one["key"] == "allergies"]


def test_nothing_of_a_user_under_a_legal_hold_gives_way(daemon, user):
    before = gone(daemon)
    fill(daemon, user)
    held = daemon.admin("PUT", f"/v1/users/{user}/settings", json={"hold_until": "2999-01-01T00:00:00Z"})
    assert held.status_code == 200, held.text
    post(daemon, user, "one more")
    assert len(values(daemon, user)) == LIMIT + 1 and gone(daemon) == before


def test_what_a_conversation_was_given_of_it_goes_with_it(daemon, upstream, user):
    fill(daemon, user, 1, 1, key="note_of_boats")
    chat = Chat(daemon, user, session="boats")
    chat.say("What are my notes of boats? place 1?")
    assert "boats: place 1" in json.dumps(upstream.requests[-1].json["messages"])
    fill(daemon, user, 2, LIMIT)
    post(daemon, user, "one more")
    chat.say("And now?")
    given = json.dumps(upstream.requests[-1].json["messages"][:-1])
    assert "boats: place 1" not in given and f"place {LIMIT}" in given


def worker_seconds(daemon):
    """What the event loops took of the processor: others wait for that."""
    ticks = 0
    for thread in Path(f"/proc/{daemon.process.pid}/task").iterdir():
        if (thread / "comm").read_text().startswith("recalld-work"):
            ticks += sum(map(int, (thread / "stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.costs
def test_a_chat_of_a_full_user_takes_little_of_its_loop(daemon, user):
    """With 300,000 facts it took 2.4 s, and others waited."""
    fill(daemon, user)
    before = worker_seconds(daemon)
    chat = Chat(daemon, user, session="s")
    for number in range(20):
        chat.say(f"What about place {number}?")
    assert worker_seconds(daemon) - before < 20 * 0.15
