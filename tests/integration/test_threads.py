"""Everything at once: whatever the daemon's threads share is touched by all of them for a few
seconds, and nothing may be lost, mixed up or said twice. Runs in every build; under
ThreadSanitizer it is what finds races."""

import itertools
import signal
import threading
import time

import httpx
import pytest

from conftest import wired
from harness.chat import Chat, stream_text
from harness.daemon import Daemon, plain_client, write_config
from harness.embeddings import ScriptedEmbeddings
from harness.memory_model import fact
from harness.upstream import error_reply

SECONDS = 4
TALKERS = 8
LEAST = 5  # times for each, however slow the machine
STATUSES = {"injected", "empty", "off", "bypassed"}
FUSSY = "fussy-model"  # has no system role, and says so with a 400
LOGS = itertools.cycle([("info", "text"), ("debug", "json"), ("warn", "text"), ("info", "json")])
MODES = itertools.cycle(["hybrid", "vector", "entity", "buffer", "summary", "auto"])


class Crowd:
    """Runs each of its jobs again and again in a thread of its own until the time is over, at least
    LEAST times; what one of them raises is raised by join()."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.threads, self.faults = [], []

    def add(self, job, pause=0.0):
        thread = threading.Thread(target=self._run, args=(job, pause), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _run(self, job, pause):
        try:
            for times in itertools.count():
                if self.faults or (times >= LEAST and time.monotonic() > self.end):
                    return
                job()
                time.sleep(pause)  # so often it is done
        except BaseException as fault:  # whatever it was, the test must hear of it
            self.faults.append(fault)

    def join(self):
        for thread in self.threads:
            thread.join(60)
        if self.faults:
            raise self.faults[0]
        assert not any(thread.is_alive() for thread in self.threads), "a request never ended"


class Talker:
    """A user who keeps one connection, sends only the newest message, and remembers what was said."""

    def __init__(self, daemon, user, number):
        self.daemon, self.user, self.number = daemon, user, number
        self.client = plain_client()
        self.said, self.unsure = [], set()

    def body(self, text):
        model = FUSSY if self.number % 4 == 3 else "test-model"
        message = {"role": "user", "content": text}
        return {"model": model, "messages": [message], "stream": self.number % 2 == 0}

    def speak(self):
        text = f"Turn {len(self.said)} of {self.user}: I live in Lisbon and like teal."
        key = f"Bearer key-{self.number}-{len(self.said) % 3}"  # a new key wakes the learner
        fields = {"X-User-Id": self.user, "X-Session-Id": "s", "Authorization": key}
        reply = self.client.post(self.daemon.base_url + "/chat/completions", json=self.body(text), headers=fields)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
        assert reply.headers["X-Memory-Status"] in STATUSES
        if self.number % 2 == 0:
            assert reply.content.endswith(b"data: [DONE]\n\n")
        assert "answer" in (stream_text(reply.content) if self.number % 2 == 0 else reply.text)
        if reply.headers["X-Memory-Status"] == "bypassed":
            self.unsure.add(text)
        self.said.append(text)
        return reply

    def close(self):
        self.client.close()


def ask_for_receipt(talker):
    reply = talker.speak()
    receipt = reply.headers.get("X-Memory-Receipt")
    if receipt is not None:
        assert talker.daemon.receipt(receipt)["user"] == talker.user


def leave_in_mid_stream(daemon):
    body = {"model": "test-model", "messages": [{"role": "user", "content": "Hello."}], "stream": True}
    with plain_client() as client:
        with client.stream("POST", daemon.base_url + "/chat/completions", json=body, headers={"X-User-Id": "leaver"}) as r:
            next(r.iter_raw())


def reconfigure(daemon):
    level, form = next(LOGS)
    daemon.config["log"] = {"level": level, "format": form}
    daemon.config["memory user=moody-*"] = {"mode": next(MODES)}
    new = daemon.config_file.with_suffix(".new")  # by a rename: the signal before may be read late
    write_config(new, daemon.config)
    new.rename(daemon.config_file)
    daemon.signal(signal.SIGHUP)


def look_around(daemon, talkers):
    daemon.metrics()
    assert daemon.admin("GET", "/readyz").status_code in (200, 503)
    daemon.admin("GET", daemon.memory_path(talkers[0].user, "/memory"))


def forget_while_learning(daemon, user):
    Chat(daemon, user).say("I live in Lisbon and like teal.")
    daemon.forget(user)
    assert not daemon.knows(user)


def import_turns(daemon, user, number):
    turn = {"role": "user", "content": f"Imported {next(number)}.", "session": "past"}
    daemon.import_messages(user, [turn])


@pytest.fixture
def learning_model():
    model = ScriptedEmbeddings()
    model.otherwise = [fact("home_city", "Lisbon", "I live in Lisbon"), fact("likes", "teal", "like teal", op="add")]
    yield model
    model.close()


@pytest.fixture
def busy_daemon(tmp_path, upstream, learning_model):
    """Its memory model embeds too, and takes the clients' own keys."""

    learned = learning_model.answer

    def answer(request):
        if request.json.get("model") in ("memory-model", learning_model.model):
            return learned(request)
        if request.json.get("model") == FUSSY and request.messages[0]["role"] == "system":
            return error_reply(400, "System role not supported")
        return upstream.default_answer(request)

    learning_model.answer = answer
    changes = {
        "listen": {"workers": "3"},
        "upstream": {"base_url": learning_model.base_url},
        "model": {"api_key": "", "embedding": learning_model.model, "embedding_timeout": "100ms"},
        "memory": {"summarize_after": "6"},
    }
    daemon = Daemon(tmp_path / "recalld", wired(upstream, learning_model, changes)).start()
    yield daemon
    daemon.stop()


def gather(daemon, seconds):
    crowd = Crowd(seconds)
    talkers = [Talker(daemon, f"{'moody' if i > 3 else 'calm'}-{i}", i) for i in range(TALKERS)]
    for talker in talkers:
        crowd.add(talker.speak if talker.number % 3 else lambda t=talker: ask_for_receipt(t))
    numbers = itertools.count()
    crowd.add(lambda: look_around(daemon, talkers), 0.02)
    crowd.add(lambda: reconfigure(daemon), 0.05)
    crowd.add(lambda: leave_in_mid_stream(daemon), 0.02)
    crowd.add(lambda: import_turns(daemon, "importer", numbers), 0.02)
    for i in range(2):
        crowd.add(lambda user=f"forgotten-{i}": forget_while_learning(daemon, user), 0.02)
    return crowd, talkers


def test_all_threads_at_once_lose_nothing_and_repeat_nothing(busy_daemon):
    daemon = busy_daemon
    crowd, talkers = gather(daemon, SECONDS)
    crowd.join()
    for talker in talkers:
        talker.close()
        daemon.settle(talker.user)
        kept = [text for role, text in daemon.messages(talker.user) if role == "user"]
        assert len(kept) == len(set(kept)), "a turn was kept twice"
        assert set(talker.said) - talker.unsure <= set(kept) <= set(talker.said)
    assert {("user", "home_city")} <= set(daemon.facts("calm-0"))
    assert daemon.metric("recalld_config_reloads_total") >= 3


def test_a_drain_amid_it_all_ends_well(busy_daemon):
    """Whoever gets a reply gets it whole; the others are refused. The daemon ends with 0."""
    crowd, talkers = gather(busy_daemon, SECONDS)
    time.sleep(SECONDS / 4)  # into the midst of it
    busy_daemon.signal(signal.SIGTERM)
    assert busy_daemon.wait_end() == 0, busy_daemon.last_words
    for thread in crowd.threads:
        thread.join(60)
    busy_daemon.check_sanitizers()
    broken = [f for f in crowd.faults if not isinstance(f, (httpx.TransportError, ProcessLookupError))]
    assert not [f for f in broken if not isinstance(f, AssertionError) or "503" not in str(f)], broken
    for talker in talkers:
        talker.close()
    busy_daemon.start()
    for talker in talkers:
        kept = [text for role, text in busy_daemon.messages(talker.user) if role == "user"]
        assert set(talker.said) - talker.unsure <= set(kept), "what was answered is gone"
