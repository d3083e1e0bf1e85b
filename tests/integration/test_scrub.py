"""Scrubs of a store that is in use: erased bytes leave every file, nothing else changes, and a kill at any moment
leaves one whole store."""

import json
import subprocess
import threading

import pytest

from conftest import wired
from harness.chat import Chat
from harness.clock import until
from harness.daemon import Daemon, clean_environment, merged, preloaded, program
from test_marker import hits, memory_of

USERS = 12


def import_users(daemon, names):
    for name in names:
        reply = daemon.admin("POST", f"/v1/users/{name}/import", json=memory_of(f"MkErased{name}"))
        assert reply.status_code == 200, reply.text


def scrub(daemon, timeout=60):
    reply = daemon.admin("POST", "/v1/scrub")
    assert reply.status_code == 202 and reply.json()["running"], reply.text

    def ended():
        state = daemon.admin("GET", "/v1/scrub").json()
        return None if state["running"] else state

    state = until(ended, "the scrub does not end", timeout)
    assert state["error"] == "", state
    return state


@pytest.fixture
def filled(upstream, memory_model, tmp_path):
    daemon = Daemon(tmp_path, merged(wired(upstream, memory_model), {"storage": {"path": str(tmp_path / "store")}}))
    daemon.start()
    names = [f"user{number:02}" for number in range(USERS)]
    import_users(daemon, names)
    yield daemon, names
    daemon.stop()


def test_a_scrub_while_chats_go_on_keeps_each_exchange(filled, tmp_path):
    daemon, names = filled
    gone, kept = names[:4], names[4:]
    for name in gone:
        daemon.forget(name)
    markers = [f"MkErased{name}" for name in gone]
    assert hits(tmp_path / "store", markers), "the test shows nothing"
    over = threading.Event()
    said = {name: 0 for name in kept[:3]}

    def talk(name):
        while not over.is_set():
            Chat(daemon, name).say(f"My number {said[name]} is {name}x{said[name]}.")
            said[name] += 1

    talkers = [threading.Thread(target=talk, args=(name,)) for name in said]
    for talker in talkers:
        talker.start()
    try:
        for _ in range(5):
            scrub(daemon)
    finally:
        over.set()
        for talker in talkers:
            talker.join()
    assert min(said.values()) > 0
    daemon.kill_and_restart()
    for name, count in said.items():
        texts = [text for role, text in daemon.messages(name) if role == "user"]
        assert all(any(f"{name}x{i}." in text for text in texts) for i in range(count)), (name, count)
    for name in kept:
        assert f"MkErased{name}" in json.dumps(daemon.memory(name))
    assert hits(tmp_path, markers) == set()
    assert not any(marker in daemon.stderr for marker in markers)


def test_an_export_that_began_before_a_scrub_ends_whole(filled, tmp_path):
    daemon, names = filled
    exporting = subprocess.Popen([program("proxy/recallctl"), "export", "--store", str(tmp_path / "store")],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
    first = exporting.stdout.readline()
    scrub(daemon)
    rest, words = exporting.communicate(timeout=60)
    assert exporting.returncode == 0, words
    assert all(f"MkErased{name}".encode() in first + rest for name in names)


def test_the_report_and_the_status_say_what_the_disk_holds(filled):
    daemon, names = filled
    state = daemon.admin("GET", "/v1/status").json()["scrub"]
    assert state == {"schedule": "off", "running": False, "share": 0, "pending": False, "last_at": None, "due_at": None, "error": ""}
    report = daemon.admin("DELETE", f"/v1/users/{names[0]}").json()
    assert report["disk"] == "logical" and report["disk_until"] is None and report["left_out_until"] > "2027"
    assert daemon.metric("recalld_store_scrub_pending ") == 1
    state = scrub(daemon)
    assert not state["pending"] and state["last_at"] is not None
    assert daemon.metric("recalld_store_scrub_pending ") == 0
    assert daemon.metric('recalld_scrubs_total{outcome="done"}') == 1
    daemon.config["storage"]["scrub"] = "7d"
    daemon.restart()
    report = daemon.admin("DELETE", f"/v1/users/{names[1]}").json()
    assert report["disk"] == "scrub pending" and report["disk_until"] > state["last_at"]
    state = daemon.admin("GET", "/v1/scrub").json()
    assert state["schedule"] == "604800s" and state["pending"] and state["due_at"] == report["disk_until"]


def test_after_a_deletion_a_scrub_comes_by_itself(filled, tmp_path):
    daemon, names = filled
    daemon.config["storage"]["scrub"] = "after_delete"
    daemon.environment = preloaded(tmp_path, "fast_clock") | {"FAST_CLOCK": "20"}
    daemon.restart()
    report = daemon.admin("DELETE", f"/v1/users/{names[0]}").json()
    assert report["disk"] == "scrub pending" and report["disk_until"] is not None
    until(lambda: not daemon.admin("GET", "/v1/scrub").json()["pending"], "no scrub came")
    assert hits(tmp_path / "store", [f"MkErased{names[0]}"]) == set()


def test_recallctl_asks_the_daemon_that_has_the_store(filled, tmp_path):
    daemon, names = filled
    daemon.forget(names[0])
    done = subprocess.run([program("proxy/recallctl"), "-c", str(daemon.config_file), "scrub", "--json"],
                          capture_output=True, timeout=60, env=clean_environment())
    assert done.returncode == 0 and json.loads(done.stdout)["bytes_after"] > 0, done.stderr
    assert hits(tmp_path / "store", [f"MkErased{names[0]}"]) == set()
    assert f"MkErased{names[1]}" in json.dumps(daemon.memory(names[1]))


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_recallctl_asks_a_daemon_elsewhere_for_a_scrub(filled, tmp_path, way):
    """Its store, its configuration and its key are not here."""
    daemon, names = filled
    address = f"127.0.0.1:{daemon.admin_port}"
    if way == "unix":
        address = f"unix:{tmp_path}/admin.sock"
        daemon.config["listen"]["admin"] = address
        daemon.stop()
        daemon.start(wait=False)
        until(lambda: "clients use" in daemon.stderr.split("stopped")[-1])
    empty = tmp_path / "elsewhere.conf"
    empty.write_text(f"[storage]\npath = {tmp_path}/nowhere\nencrypt = on\nkey_file = {tmp_path}/no-key\n")
    command = [program("proxy/recallctl"), "-c", str(empty), "--admin", address]
    done = subprocess.run([*command, "forget", names[0]], capture_output=True, timeout=60, env=clean_environment())
    assert done.returncode == 0, done.stderr
    done = subprocess.run([*command, "scrub", "--json"], capture_output=True, timeout=60, env=clean_environment())
    assert done.returncode == 0, done.stderr
    sizes = json.loads(done.stdout)
    assert sizes["bytes_before"] > 0 and sizes["bytes_after"] > 0
    assert hits(tmp_path / "store", [f"MkErased{names[0]}"]) == set()


def test_a_kill_at_any_moment_of_a_scrub_leaves_one_whole_store(filled, tmp_path):
    daemon, names = filled
    daemon.forget(names[0])
    daemon.stop()
    hook = preloaded(tmp_path, "crash_points")
    points = tmp_path / "points"
    daemon.environment = hook | {"CRASH_LOG": str(points)}
    daemon.start()
    before = len(points.read_text().splitlines())
    scrub(daemon)
    count = len(points.read_text().splitlines()) - before
    assert count >= 8, points.read_text()
    # each renaming, and of the other moments every third
    moments = points.read_text().splitlines()[before:]
    for at in [at for at, name in enumerate(moments, 1) if "rename" in name or at % 3 == 0]:
        daemon.restart()
        import_users(daemon, [f"extra{at}"])
        daemon.forget(f"extra{at}")
        daemon.stop()
        daemon.environment = hook | {"CRASH_AT": str(before + at)}
        daemon.start()
        try:
            daemon.admin("POST", "/v1/scrub")
            assert daemon.process.wait(60) == -9
        except OSError:
            daemon.process.wait(60)
        daemon.environment = {}
        daemon.kill_and_restart()
        assert not (tmp_path / "store" / "scrub").exists()
        assert not daemon.knows(names[0])
        for name in names[1:]:
            assert f"MkErased{name}" in json.dumps(daemon.memory(name)), (at, name)
        Chat(daemon, f"new{at}").say("I like tea.")
        assert daemon.admin("GET", "/v1/status").json()["store_writable"]
    scrub(daemon)
    assert hits(tmp_path / "store", [f"MkErased{names[0]}"]) == set()
