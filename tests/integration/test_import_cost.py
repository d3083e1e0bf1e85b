"""What an import costs grows with its size alone, and holds nobody else up."""

import json

import pytest

from test_intake import DAY, fact, own

ALIKE = 40_000


def alike(count=ALIKE):
    turns = [{"id": str(2 * n + 1 + answer), "exchange": str(2 * n + 1), "ordinal": 0, "role": "assistant" if answer else "user", "content": "Yes.",
              "created_at": DAY, "utc_offset": 0, "complete": True, "state": "current"} for n in range(count // 2) for answer in range(2)]
    return own(turns=turns)


def send(daemon, user, document):
    reply = daemon.admin("POST", f"/v1/users/{user}/import", content=document, headers={"Content-Type": "application/json"}, timeout=600)
    assert reply.status_code == 200, reply.text
    return reply.json()


def cost_again(daemon, user, document):
    """CPU seconds of importing it once more."""
    body = json.dumps(document).encode()
    send(daemon, user, body)
    before = daemon.cpu_seconds()
    done = send(daemon, user, body)
    assert (done["turns"], done["facts"]) == (0, 0) and done["known"] > 0
    return daemon.cpu_seconds() - before


def facts_alike(count=ALIKE):
    return own([fact(n + 1, "Oslo") for n in range(count)])


@pytest.mark.parametrize("make", [alike, facts_alike])
def test_what_is_alike_costs_no_more_than_its_number(daemon, user, make):
    """Comparing each with each would take sixteen times as much for four times as many."""
    few = cost_again(daemon, user, make(ALIKE // 4))
    many = cost_again(daemon, user + "-many", make())
    assert many < 9 * max(few, 0.05), (few, many)
