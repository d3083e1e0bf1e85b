"""What goes wrong round an export and a rebuild: where it is written to, who started it, who ends it,
and exports that were made of several moments."""

import json
import os
import pty
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import Daemon, clean_environment, preloaded, program, write_config
from harness.upstream import json_reply
from test_memory_faults import data_file
from test_rebuild import PAGE, assert_refused, damage_pages, export, last_page, lines_of, moved_to, rebuild, recallctl, store_of

OF = "0123456789abcdef" * 2
FIRST = {"recalld_export": 1}
USER = {"table": "user", "of": OF, "tenant": "shared", "user": "anna", "first_seen": 1, "last_seen": 2, "next_turn": 1,
        "next_fact": 1, "next_conversation": 1, "deferred": False, "hidden_since_summary": False}


def turn(number, text="A turn."):
    return {"table": "turn", "of": OF, "id": number, "exchange": number, "conversation": 1, "ordinal": 0, "role": 2,
            "state": 0, "complete": True, "created_at": 1, "hash": "%016x" % number, "text": text, "learn": False,
            "earlier": 0}


def made(folder, *records, end=None, name="made", **options):
    """A store of these records."""
    file = folder / f"{name}.jsonl"
    lines = [FIRST, *records, end or {"end": True}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with open(file, "rb") as text:
        done = recallctl("rebuild", "--store", str(folder / name), stdin=text, **options)
    assert done.returncode == 0, done.stderr.decode()
    return folder / name


def records_of(store, file):
    assert export(store, file).returncode == 0
    return lines_of(file)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A store whose export is larger than what a pipe holds."""
    turns = [turn(i + 1, f"Turn {i} " + "x" * 400) for i in range(600)]
    return made(tmp_path_factory.mktemp("large"), USER, *turns)


def begin_export(store, **options):
    return subprocess.Popen([program("proxy/recallctl"), "export", "--store", str(store)], env=clean_environment(),
                            stderr=subprocess.PIPE, **options)


def test_a_reader_that_leaves_ends_an_export_with_the_reason(large):
    process = begin_export(large, stdout=subprocess.PIPE)
    process.stdout.read(100)
    process.stdout.close()
    words = process.stderr.read().decode()
    assert process.wait(60) == 1 and "Broken pipe" in words and "damaged" not in words, words


def test_a_file_that_may_not_grow_ends_an_export_with_the_reason(large, tmp_path):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    with open(tmp_path / "out", "wb") as out:
        process = begin_export(large, stdout=out, preexec_fn=limit)
        words = process.stderr.read().decode()
    assert process.wait(60) == 1 and "File too large" in words and "damaged" not in words, words


def test_an_export_to_nowhere_is_a_check_and_to_a_closed_output_a_failure(large):
    assert export(large, "/dev/null").returncode == 0
    done = subprocess.run(["sh", "-c", 'exec "$0" export --store "$1" >&-', program("proxy/recallctl"), str(large)],
                          stderr=subprocess.PIPE, timeout=60, env=clean_environment())
    assert done.returncode == 1 and b"Bad file descriptor" in done.stderr


def test_nobody_goes_on_writing_when_an_export_is_killed(large):
    process = begin_export(large, stdout=subprocess.PIPE)
    process.stdout.read(100)  # more than what comes before the child
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(child) == 1
    process.kill()
    process.wait()
    status = Path(f"/proc/{child[0]}/status")
    until(lambda: not status.exists() or "State:\tZ" in status.read_text(), "the one that reads the store is still there")


def damaged_copy(store, folder):
    """With a page of turns that holds nothing of use."""
    sound = (store / "data.mdb").read_bytes()
    used = [n for n in range(2, len(sound) // PAGE) if sound[n * PAGE : (n + 1) * PAGE].count(b"x" * 400) > 4]
    folder.mkdir()
    for number in used:  # the first that is no free page
        (folder / "data.mdb").write_bytes(bytes(damage_pages(bytearray(sound), [number], 1)))
        if export(folder, "/dev/null").returncode == 1:
            return folder
    raise AssertionError("no page is in use")


def test_a_damaged_store_is_told_of_also_to_those_who_ignore_their_children(large, make_daemon, tmp_path):
    ignore = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    store = damaged_copy(large, tmp_path / "damaged")
    process = begin_export(large, stdout=subprocess.DEVNULL, preexec_fn=ignore)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 0, words
    process = begin_export(store, stdout=subprocess.DEVNULL, preexec_fn=ignore)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 1 and b"damaged places" in words
    process = begin_export(tmp_path / "nowhere", stdout=subprocess.DEVNULL, preexec_fn=ignore)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 1 and b"No such file" in words, words
    daemon = make_daemon(start=False)
    daemon.config["storage"]["path"] = str(store)
    write_config(daemon.config_file, daemon.config)
    file = store / "data.mdb"
    sound = (large / "data.mdb").read_bytes()
    for spoilt, why in (
        (sound[: 2 * PAGE] + bytes(len(sound) - 2 * PAGE), b"data.mdb is damaged"),
        (sound[: 20 * PAGE], b"data.mdb is truncated"),
    ):
        file.write_bytes(spoilt)
        done = subprocess.run([program("proxy/recalld"), "-c", str(daemon.config_file)], capture_output=True,
                              timeout=60, env=clean_environment(), preexec_fn=ignore)
        assert done.returncode == 1 and why in done.stderr


def test_after_an_unclean_end_every_record_is_looked_at(large, make_daemon, tmp_path):
    store = damaged_copy(large, tmp_path / "damaged")
    (store / "recalld.lock").write_text("1\n")  # as a process that was killed leaves it
    assert_refused(make_daemon(start=False), store, "data.mdb is damaged", "recallctl rebuild")
    (store / "data.mdb").write_bytes((large / "data.mdb").read_bytes())
    daemon = make_daemon(start=False)
    daemon.config["storage"]["path"] = str(store)
    assert daemon.start().process.poll() is None
    assert (store / "recalld.lock").read_text() == f"{daemon.process.pid}\n"
    daemon.stop()
    assert (store / "recalld.lock").read_text() == "", "a clean end"


def test_a_store_that_nobody_could_look_at_is_not_called_damaged(large, make_daemon, tmp_path):
    marks = preloaded(tmp_path, "failing_disk") | {"FAILING_FORKS": str(tmp_path / "forks")}
    daemon = make_daemon(start=False, environment=marks)
    (tmp_path / "forks").touch()
    done = subprocess.run([program("proxy/recallctl"), "export", "--store", str(large)], capture_output=True,
                          timeout=60, env=clean_environment(**marks))
    assert done.returncode == 1 and b"no process can be started" in done.stderr, done.stderr
    store = tmp_path / "store of its own"
    store.mkdir()
    sound = (large / "data.mdb").read_bytes()
    (store / "data.mdb").write_bytes(sound)
    (store / "making").touch()
    assert_refused(daemon, store, "no process can be started")
    assert "recallctl rebuild" not in daemon.stderr and "damaged" not in daemon.stderr
    assert (store / "data.mdb").read_bytes() == sound, "nor put aside"


def test_half_a_store_is_neither_exported_nor_started_on_while_it_is_made_and_after(make_daemon, tmp_path):
    store = tmp_path / "half"
    process = subprocess.Popen([program("proxy/recallctl"), "rebuild", "--store", str(store)], stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=clean_environment())
    process.stdin.write((json.dumps(FIRST) + "\n" + json.dumps(USER) + "\n").encode())
    process.stdin.flush()
    until((store / "data.mdb").exists, "it does not begin")
    daemon = make_daemon(start=False)
    assert_refused(daemon, store, "in use by another recalld", f"pid {process.pid}")
    done = export(store, tmp_path / "out")
    assert done.returncode == 1 and b"is incomplete: its" in done.stderr
    process.stdin.close()
    assert process.wait(60) == 1
    assert_refused(daemon, store, "is incomplete: its")
    done = export(store, tmp_path / "out")
    assert done.returncode == 1 and b"is incomplete: its" in done.stderr and (tmp_path / "out").read_bytes() == b""


def test_no_id_is_given_twice_after_an_export_of_several_moments(tmp_path):
    fact = {"table": "fact", "of": OF, "id": 9, "entity": "user", "kind": "user", "key": "k", "value": "v", "many": False,
            "pii": False, "confidence": 0.5, "quote": "", "exchange": 5, "observed_at": 1, "expires_at": 0, "ended_at": 0,
            "superseded_by": 0, "state": 0}
    conversation = {"table": "conversation", "of": OF, "id": 3, "session": "s", "last_active": 1, "answers": 0}
    store = made(tmp_path, USER, conversation, turn(6), turn(5), fact)
    lines = records_of(store, tmp_path / "out")
    user = next(l for l in lines if l.get("table") == "user")
    assert (user["next_turn"], user["next_fact"], user["next_conversation"]) == (7, 10, 4)
    assert lines[-1]["first_id"] == 10


def test_ids_of_the_forgotten_are_not_given_again_in_a_rebuilt_store(make_daemon, user, tmp_path):
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    daemon.import_messages(user, [{"role": "user", "content": f"Turn {i}."} for i in range(30)], learn=False)
    daemon.forget(user)
    daemon.stop()
    lines = [l for l in records_of(store_of(daemon), tmp_path / "out") if l.get("table") != "audit"]
    assert len(lines) == 2 and lines[-1]["first_id"] == 31
    assert rebuild(tmp_path / "new", tmp_path / "out").returncode == 0
    moved_to(daemon, tmp_path / "new")
    Chat(daemon, user).say("I am back.")
    daemon.stop()
    assert min(l["id"] for l in records_of(tmp_path / "new", tmp_path / "again") if l.get("table") == "turn") == 31


def test_the_newest_receipts_stay_the_newest(tmp_path):
    def receipt(number, age):
        return {"table": "receipt", "id": "%016x" % number, "of": OF, "age": age, "text": f"of age {age}"}

    ages = [5, 1, 4, 2, 3]
    receipts = [receipt(i + 1, age) for i, age in enumerate(ages)]
    few = clean_environment(RECALLD_MEMORY_RECEIPTS="3")
    file = tmp_path / "receipts.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in [FIRST, USER, *receipts, {"end": True}]))
    with open(file, "rb") as text:
        done = subprocess.run([program("proxy/recallctl"), "rebuild", "--store", str(tmp_path / "few")], stdin=text,
                              capture_output=True, timeout=60, env=few)
    assert done.returncode == 0
    kept = [l["text"] for l in records_of(tmp_path / "few", tmp_path / "out") if l.get("table") == "receipt"]
    assert sorted(kept) == ["of age 3", "of age 4", "of age 5"]
    # No two are of one age, whatever the export says.
    store = made(tmp_path, USER, receipt(1, 7), receipt(2, 7))
    ages = [l["age"] for l in records_of(store, tmp_path / "out") if l.get("table") == "receipt"]
    assert sorted(ages) == [7, 8]


# ---- the file's length ----


def cut_to(file, data, pages):
    file.write_bytes(data[: pages * PAGE])


def test_a_file_that_lacks_a_page_in_use_is_refused_and_one_that_lacks_free_ones_is_not(make_daemon, user):
    """The page is one of a long text, which a start does not look at."""
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    small = [{"role": "user", "content": "A turn."}]
    for name in ("a", "c"):
        for _ in range(3):
            daemon.import_messages(f"{user}-{name}", small, learn=False)
    daemon.import_messages(f"{user}-b", [{"role": "user", "content": "A long text. " * 20_000}], learn=False)
    daemon.stop()
    file = data_file(daemon)
    sound = file.read_bytes()
    text = sound.rindex(b"A long text. ") // PAGE
    cut_to(file, sound, text)
    assert last_page(sound) >= text
    assert_refused(daemon, store_of(daemon), "data.mdb is truncated")
    file.write_bytes(sound)
    daemon.start()
    daemon.forget(f"{user}-b")
    for _ in range(4):  # what was freed is used again, from its begin
        daemon.import_messages(f"{user}-a", small, learn=False)
    daemon.stop()
    freed = file.read_bytes()
    assert last_page(freed) >= text
    cut_to(file, freed, text)
    daemon.start()
    Chat(daemon, f"{user}-a").say("Go on. " + "More words. " * 30_000)
    assert daemon.knows(f"{user}-a") and not daemon.knows(f"{user}-b")


def test_what_is_printed_goes_into_no_file_of_the_store(make_daemon):
    daemon = make_daemon(start=False)
    write_config(daemon.config_file, daemon.config)
    daemon.process = subprocess.Popen(
        ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', program("proxy/recalld"), str(daemon.config_file)],
        env=clean_environment())
    daemon._reader = type("Nobody", (), {"join": lambda self, seconds: None})()
    daemon.wait_ready()
    assert [os.readlink(f"/proc/{daemon.process.pid}/fd/{fd}") for fd in range(3)] == ["/dev/null"] * 3


# ---- how far it is ----

BAR = r"\r{} \[[#.]{{30}}\] +(\d+) %, \d+:\d\d left\x1b\[K"


def seen(*words, term="xterm", **streams):
    """What a terminal on standard error shows of a command that succeeds."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([program("proxy/recallctl"), *words], stderr=theirs, env=clean_environment(TERM=term), **streams)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert process.wait(60) == 0, shown
    return shown.decode().replace("\r\n", "\n")


def check_bar(shown, name):
    """It is there, its figures rise, and it is gone before the rest."""
    shares = [int(share) for share in re.findall(BAR.format(name), shown)]
    assert shares and shares == sorted(shares) and shares[-1] <= 100, shown
    rest = shown.rpartition(name)[2].partition("\x1b[K")[2]
    assert rest.startswith("\r\x1b[K") and "\x1b" not in rest[4:], shown


def test_a_terminal_sees_how_far_an_export_and_a_rebuild_are(large, tmp_path):
    file = tmp_path / "large.jsonl"
    with open(file, "wb") as out:
        check_bar(seen("export", "--store", str(large), stdout=out), "exporting")
    assert len(lines_of(file)) == len(records_of(large, tmp_path / "again.jsonl"))
    with open(file, "rb") as text:
        check_bar(seen("rebuild", "--store", str(tmp_path / "rebuilt"), stdin=text, stdout=subprocess.DEVNULL), "rebuilding")
    with open(file, "rb") as text:
        shown = seen("rebuild", "--store", str(tmp_path / "dumb"), term="dumb", stdin=text, stdout=subprocess.DEVNULL)
    assert "\x1b" not in shown and "rebuilding" not in shown


def test_a_terminal_sees_how_far_an_import_is(upstream, tmp_path):
    upstream.answer = lambda request: json_reply({"imported": len(request.json["messages"]), "left_out": 0}, status=202)
    turns = [{"role": role, "content": "A turn."} for role in ("user", "assistant")] * 600
    (file := tmp_path / "turns").write_text("".join(json.dumps({"user": user, "messages": turns}) + "\n" for user in "ab"))
    shown = seen("--admin", f"127.0.0.1:{upstream.port}", "import", str(file), stdout=subprocess.DEVNULL)
    check_bar(shown, "importing")
    assert 0 < int(re.search(BAR.format("importing"), shown)[1]) < 50, "half of the file is not half done once it is read"


def test_the_log_tells_that_the_index_was_made_anew(tmp_path):
    """The number of an earlier recalld's rules is put where the store names its own."""
    store = made(tmp_path, USER, *[turn(i + 1) for i in range(50)])
    data = (store / "data.mdb").read_bytes()
    named = re.compile(rb"(?<=index_version\x01)[\x81-\xff]")
    (store / "data.mdb").write_bytes(named.sub(lambda number: bytes([number[0][0] - 1]), data))
    daemon = Daemon(tmp_path / "daemon", {"storage": {"path": str(store)}})
    for count in (1, 1):  # the second time it is as it should be
        daemon.start()
        daemon.stop()
        assert len(re.findall(r"rebuilt the store's index of words in \d+\.\d s", daemon.stderr)) == count
