"""What an import costs grows with its size alone, and holds nobody else up."""

import base64
import io
import json
import random
import threading
import zipfile

import httpx
import pytest
from conftest import SANITIZED

from harness.clock import until
from test_intake import DAY, fact, own

ALIKE = 40_000
MOST_MEMORY = 250 << 20


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


def peak(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024


def bomb():
    """An archive of half a megabyte that holds one conversation of thirty million values."""
    noise = base64.b64encode(random.Random(28).randbytes(390_000)).decode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("conversations.json", f'[{{"mapping": {{}}, "noise": "{noise}", "x": [' + "{}," * (30 << 20) + "{}]}]")
    return out.getvalue()


@pytest.mark.bounded
def test_an_archive_of_many_values_takes_little_and_holds_nobody_up(make_daemon, user):
    daemon = make_daemon()
    body = bomb()
    before, done, asked = peak(daemon), [], 0
    kind = {"Content-Type": "application/zip"}
    importing = threading.Thread(target=lambda: done.append(daemon.admin("POST", f"/v1/users/{user}/import", content=body, headers=kind, timeout=600)))
    importing.start()
    while importing.is_alive():
        assert daemon.admin("GET", "/healthz").status_code == 200
        asked += 1
    assert done[0].json()["left_out"] == 1 and done[0].json()["reasons"] == {"too_large": 1}, done[0].text
    assert asked > 5, "the probes were answered meanwhile"
    if not SANITIZED:
        assert peak(daemon) - before < MOST_MEMORY


def test_an_import_does_not_hold_up_the_end(make_daemon, user):
    """It is given up two seconds after the signal, however long the drain may take."""
    daemon = make_daemon({"listen": {"drain_timeout": "10m"}})
    body = json.dumps(alike(2 * ALIKE)).encode()
    send(daemon, user, json.dumps(alike(2)).encode())

    def import_on():
        path = f"/v1/users/{user}-%d/import"
        try:
            for number in range(1000):
                daemon.admin("POST", path % number, content=body, headers={"Content-Type": "application/json"}, timeout=600)
        except httpx.HTTPError:
            pass

    importers = [threading.Thread(target=import_on) for _ in range(4)]
    for importer in importers:
        importer.start()
    until(lambda: daemon.metric("recalld_store_turns") > 2)
    daemon.process.terminate()
    assert daemon.process.wait(timeout=120) == 0
    for importer in importers:
        importer.join()
