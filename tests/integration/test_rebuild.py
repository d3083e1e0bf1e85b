"""recallctl export and rebuild: a store as text, and a store made of it again; of a damaged one, what
can be read."""

import json
import os
import random
import struct
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from conftest import wired
from harness.chat import Chat
from harness.clock import until
from harness.daemon import Daemon, clean_environment, merged, program
from harness.memory_model import fact

PAGE = 4096
SALVAGES = 12 if os.environ.get("FAULTS") == "long" else 3
HOSTILE = "Zero \x00 tab \t quote \" back \\ line\nnext \u2028 \U0001f469\u200d\U0001f680 \u202e end"


def recallctl(*arguments, **options):
    return subprocess.run(
        [program("proxy/recallctl"), *arguments], capture_output=True, timeout=120, env=clean_environment(), **options
    )


def export(store, file):
    with open(file, "wb") as out:
        return subprocess.run(
            [program("proxy/recallctl"), "export", "--store", str(store)],
            stdout=out, stderr=subprocess.PIPE, timeout=120, env=clean_environment(),
        )


def rebuild(store, file):
    with open(file, "rb") as lines:
        return recallctl("rebuild", "--store", str(store), stdin=lines)


def lines_of(file):
    return [json.loads(line) for line in Path(file).read_bytes().splitlines()]


def text_lines(file):
    """By "\\n" alone: texts may hold other line ends."""
    return file.read_text().removesuffix("\n").split("\n")


def store_of(daemon):
    return daemon.config["storage"]["path"]


def exported(daemon, folder, name="store.jsonl"):
    file = folder / name
    done = export(store_of(daemon), file)
    assert done.returncode == 0, done.stderr.decode()
    return file


def moved_to(daemon, store):
    """The daemon goes on with another store."""
    daemon.config["storage"]["path"] = str(store)
    return daemon.start()


def shown(daemon):
    """Everything that the admin address shows of USERS."""
    memories = {}
    for user, tenant in USERS:
        if daemon.knows(user, tenant):
            memories[user, tenant] = daemon.memory(user, tenant)
    status = daemon.admin("GET", "/v1/status").json()
    return memories, {name: status[name] for name in ("users", "turns", "facts", "jobs", "parked")}


TEACHES = {
    "I live in Lisbon.": [fact("home_city", "Lisbon", "I live in Lisbon", pii=True, kind="place")],
    "I moved to Porto.": [fact("home_city", "Porto", "I moved to Porto")],
    "I like tea and chess.": [fact("likes", "tea", "I like tea", op="add"), fact("likes", "chess", "chess", op="add")],
    "My sister Mia owes Bob 30 euros.": [fact("debt", "30 euros", "Mia owes Bob 30 euros", entity="Mia")],
    "Forget that Mia owes Bob.": [fact("debt", "", "Forget that Mia owes Bob", entity="Mia", forget=True)],
}
ANNA, BOB, CARLA, GONE = USERS = [("anna", None), ("bob", None), ("carla", "other"), ("gone", None)]
SETTINGS = {"memory": {"summarize_after": "4", "mode": "hybrid"}}


@pytest.fixture(scope="module")
def life(shared_upstream, shared_memory_model, tmp_path_factory):
    """A store with everything in it that a store can hold, and some receipts' ids."""
    shared_upstream.reset()
    shared_memory_model.reset()
    shared_memory_model.answers = dict(TEACHES)
    config = merged(wired(shared_upstream, shared_memory_model), SETTINGS)
    daemon = Daemon(tmp_path_factory.mktemp("life"), config).start()
    receipts = []

    def tell(name, session, *turns):
        chat = Chat(daemon, name, session=session, newest_only=True)
        for turn in turns:
            receipts.append(chat.say(turn).headers["X-Memory-Receipt"])
            daemon.settle(name)

    tell("anna", "one", "I live in Lisbon.", "My sister Mia owes Bob 30 euros.", "Forget that Mia owes Bob.")
    del receipts[:]  # forgetting takes what was given along
    tell("anna", "two", "I moved to Porto.", "I like tea and chess.")
    tell("bob", "one", "I live in Lisbon.", HOSTILE)
    moon = [
        {"role": "user", "content": "Before 1970.", "created_at": "1969-07-20T20:17:00Z", "session": "moon"},
        {"role": "assistant", "content": "Noted.", "created_at": "1969-07-20T20:18:00Z", "session": "moon"},
    ]
    daemon.import_messages("carla", moon, tenant="other")
    daemon.settle("carla", "other")
    tell("gone", None, "I was never here.")
    receipts.pop()
    daemon.forget("gone")
    daemon.stop()
    return Path(store_of(daemon), "data.mdb").read_bytes(), receipts


@pytest.fixture
def stopped(life, make_daemon, memory_model):
    """A daemon on that store, not started yet, and receipts' ids."""
    memory_model.answers = dict(TEACHES)
    daemon = make_daemon(SETTINGS, start=False)
    Path(store_of(daemon)).mkdir()
    Path(store_of(daemon), "data.mdb").write_bytes(life[0])
    return daemon, life[1]


@pytest.fixture
def full_of_life(stopped):
    stopped[0].start()
    return stopped


def test_a_rebuilt_store_shows_all_that_the_first_one_did(full_of_life, memory_model, upstream, tmp_path):
    daemon, receipts = full_of_life
    before, counts = shown(daemon)
    given = {r: daemon.receipt(r) for r in receipts}
    assert counts["facts"] > 4 and len(before) == 3 and any(m["summary"] for m in before.values())
    alive = tmp_path / "alive.jsonl"
    # Nobody waits for the last entry of the audit log.
    last = f'\\"target\\":\\"receipt\\",\\"id\\":\\"{receipts[-1]}\\"'
    until(lambda: last in exported(daemon, tmp_path, alive.name).read_text(), "the last read is in the audit log")
    daemon.stop()
    file = exported(daemon, tmp_path)
    assert alive.read_bytes() == file.read_bytes(), "beside a daemon and without one it is the same"
    done = rebuild(tmp_path / "new", file)
    assert done.returncode == 0, done.stderr.decode()
    moved_to(daemon, tmp_path / "new")
    asked = len(memory_model.requests)
    after, counts_after = shown(daemon)
    assert after == before and counts_after == counts
    assert {r: daemon.receipt(r) for r in receipts} == given
    assert not daemon.knows(GONE[0]), "who was forgotten stays so"
    whole = str(after) + file.read_text()
    assert "30 euros" not in whole and "never here" not in whole, "what was forgotten stays so"
    # Nothing is learned twice, and the index of words was made again.
    assert len(memory_model.requests) == asked
    chat = Chat(daemon, ANNA[0], session="three", newest_only=True)
    assert chat.say("Which city did I move to?").headers["X-Memory-Status"] == "injected"
    assert "Porto" in upstream.last.body.decode()
    # An export of the rebuilt store is the same, but for what was added since.
    daemon.settle(ANNA[0])
    daemon.stop()
    again = exported(daemon, tmp_path, "again.jsonl")
    kept = {l for l in text_lines(file) if '"table":"turn"' in l or '"table":"fact"' in l}
    assert kept <= set(text_lines(again))


def test_ids_go_on_behind_the_exported_ones(full_of_life, tmp_path):
    daemon, _ = full_of_life
    daemon.stop()
    file = exported(daemon, tmp_path)
    highest = max(l["id"] for l in lines_of(file) if l.get("table") == "turn")
    assert rebuild(tmp_path / "new", file).returncode == 0
    moved_to(daemon, tmp_path / "new")
    newcomer = GONE[0]
    Chat(daemon, newcomer).say("I am back.")
    daemon.stop()
    ids = {l["of"]: l["id"] for l in lines_of(exported(daemon, tmp_path)) if l.get("text") == "I am back."}
    assert ids and min(ids.values()) > highest


def test_conversations_go_on_in_a_rebuilt_store(full_of_life, upstream, tmp_path):
    daemon, _ = full_of_life
    daemon.stop()
    file = exported(daemon, tmp_path)
    assert rebuild(tmp_path / "new", file).returncode == 0
    moved_to(daemon, tmp_path / "new")
    before = len(daemon.messages(ANNA[0]))
    Chat(daemon, ANNA[0], session="one", newest_only=True).say("Going on.")
    assert len(daemon.messages(ANNA[0])) == before + 2
    sessions = {m["session"] for m in daemon.memory(ANNA[0])["messages"]}
    assert sessions == {"one", "two"}
    daemon.stop()
    conversations = [l for l in lines_of(exported(daemon, tmp_path)) if l.get("table") == "conversation"]
    assert len(conversations) == len({(l["of"], l["session"]) for l in conversations})


def test_an_export_that_was_cut_off_is_refused_and_can_be_taken_on_demand(full_of_life, tmp_path):
    daemon, _ = full_of_life
    lines = exported(daemon, tmp_path).read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines[:-3]))
    done = rebuild(tmp_path / "new", cut)
    assert done.returncode == 1 and b"cut off" in done.stderr
    missing = tmp_path / "missing.jsonl"
    missing.write_bytes(b"".join(lines[:5] + lines[7:]))
    done = rebuild(tmp_path / "missing", missing)
    assert done.returncode == 1 and b"lines are missing" in done.stderr
    cut.write_bytes(b"".join(lines[:-3]) + b'{"end":true}\n')
    done = rebuild(tmp_path / "on demand", cut)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        "{}",
        '{"table":"turn"}',
        '{"table":"nobody","of":"00000000000000000000000000000000"}',
        '{"table":"fact","of":"00000000000000000000000000000000","id":-1}',
        '{"table":"summary","of":"00000000000000000000000000000000","text":1,"covers":0,"updated_at":0,"model":""}',
        '{"table":"summary","of":"0000","text":"","covers":0,"updated_at":0,"model":""}',
        '{"table":"conversation","of":"00000000000000000000000000000000","id":4294967296,"session":"","last_active":0,"answers":0}',
        '{"table":"conversation","of":"00000000000000000000000000000000","id":4294967295,"session":"","last_active":0,"answers":0}',
    ],
)
def test_a_line_that_is_none_of_an_export_is_named_and_leaves_no_store(tmp_path, line):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"recalld_export":1}\n' + line + '\n{"end":true}\n')
    done = rebuild(tmp_path / "new", file)
    assert done.returncode == 1 and b"line 2: " in done.stderr, done.stderr
    assert (tmp_path / "new" / "rebuilding").exists()


def test_a_rebuild_needs_an_empty_directory_and_an_export(full_of_life, tmp_path):
    daemon, _ = full_of_life
    file = exported(daemon, tmp_path)
    done = rebuild(store_of(daemon), file)
    assert done.returncode == 1 and b"is not empty" in done.stderr
    (tmp_path / "text").write_text("one line\n")
    done = rebuild(tmp_path / "a", tmp_path / "text")
    told = f"line 1: it is not an export that this recallctl can read; {tmp_path / 'a'} is incomplete: empty it before the next try"
    assert done.returncode == 1 and told.encode() in done.stderr
    (tmp_path / "other").write_text('{"recalld_export":2}\n{"end":true}\n')
    done = rebuild(tmp_path / "b", tmp_path / "other")
    assert done.returncode == 1 and b"it is not an export that this recallctl can read" in done.stderr
    (tmp_path / "nothing").write_text("")
    assert rebuild(tmp_path / "c", tmp_path / "nothing").returncode == 1


def test_a_rebuild_says_in_json_what_it_took(full_of_life, tmp_path):
    daemon, _ = full_of_life
    file = exported(daemon, tmp_path)
    with open(file, "rb") as lines:
        done = recallctl("rebuild", "--json", "--store", str(tmp_path / "new"), stdin=lines)
    assert (done.returncode, done.stderr) == (0, b"")
    sent = Counter(line["table"] for line in lines_of(file) if "table" in line)
    took = json.loads(done.stdout)
    assert {name: table["taken"] for name, table in took.items() if table["taken"] > 0} == sent
    assert all(table["unusable"] == 0 for table in took.values())
    with open(file, "rb") as lines:
        done = recallctl("rebuild", "--json", "--store", str(tmp_path / "new"), stdin=lines)
    assert done.returncode == 1 and "is not empty" in json.loads(done.stdout)["error"]["message"]


def test_a_rebuild_that_is_killed_leaves_no_store_that_starts(make_daemon, tmp_path):
    file = tmp_path / "large.jsonl"
    user = "%032x"
    with open(file, "w") as out:
        out.write('{"recalld_export":1}\n')
        for i in range(3000):
            record = {"table": "user", "of": user % i, "tenant": "shared", "user": str(i), "first_seen": 1,
                      "last_seen": 1, "next_turn": 1, "next_fact": 1, "next_conversation": 1, "deferred": False,
                      "hidden_since_summary": False}
            out.write(json.dumps(record) + "\n")
    daemon = make_daemon(start=False)
    for wait in (0.0, 0.01, 0.3):
        store = tmp_path / f"new-{wait}"
        with open(file, "rb") as lines:
            process = subprocess.Popen(
                [program("proxy/recallctl"), "rebuild", "--store", str(store)],
                stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment(),
            )
            # The end never comes: it is killed wherever it is by then.
            process.stdin.write(lines.read())
            process.stdin.flush()
        until((store / "rebuilding").exists, "it does not begin")
        time.sleep(wait)  # the moment of the kill
        process.kill()
        process.wait()
        assert_refused(daemon, store, "is incomplete: its", "recallctl rebuild")


# ---- damage ----


def root_of(data):
    """Where the root page of the tree that holds the others' names begins (LMDB 0.9, mdb.c, MDB_meta)."""
    newest = max((0, PAGE), key=lambda meta: int.from_bytes(data[meta + 144 : meta + 152], "little"))
    return int.from_bytes(data[newest + 128 : newest + 136], "little") * PAGE


def root_emptied(data):
    """As if there were no trees: a leaf without a record."""
    root = root_of(data)
    data[root + 8 : root + PAGE] = struct.pack("<HHHH", 0, 2, 16, PAGE) + bytes(PAGE - 16)
    return data


def root_renamed(data):
    root = root_of(data)
    page = bytes(data[root : root + PAGE])
    for name in (b"meta", b"receipt", b"user", b"turn", b"fact", b"job", b"parked"):
        page = page.replace(name, name.upper())
    data[root : root + PAGE] = page
    return data


def assert_refused(daemon, store, *words):
    """The daemon does not start on it, and says so."""
    daemon.config["storage"]["path"] = str(store)
    daemon.stderr_lines.clear()
    daemon.start(wait=False)
    code = daemon.wait_end()
    daemon.process = None
    assert code == 1, f"it ended with {code}: {daemon.stderr}"
    daemon.check_sanitizers()
    for word in (str(store), *words):
        assert word in daemon.stderr, f"{word} is not in {daemon.stderr}"


def zeroed(data, begin, end):
    data[begin:end] = bytes(end - begin)
    return data


def last_page(data):
    """That the newer one of the two heads names."""
    heads = [struct.unpack_from("<QQ", data, page * PAGE + 136) for page in (0, 1)]
    return max(heads, key=lambda head: head[1])[0]


DAMAGES = {
    "first pages zeroed": (lambda data: zeroed(data, 0, 2 * PAGE), "does not begin like a store"),
    "cut to half": (lambda data: data[: last_page(data) // 2 * PAGE], "data.mdb is truncated"),
    "cut to its first pages": (lambda data: data[: 2 * PAGE], "data.mdb is truncated"),
    "cut within its first page": (lambda data: data[:1000], "does not begin like a store"),
    "text": (lambda data: b"This is a letter.\n" * 1000, "does not begin like a store"),
    "empty": (lambda data: b"", "data.mdb is empty"),
    "random": (lambda data: random.Random(1).randbytes(len(data)), "does not begin like a store"),
    "its root emptied": (root_emptied, "data.mdb is damaged"),
    "another's": (root_renamed, "is not a store of recalld"),
    "all but its head zeroed": (lambda data: zeroed(data, 2 * PAGE, len(data)), "data.mdb is damaged"),
    "all but its head random": (
        lambda data: data[: 2 * PAGE] + random.Random(2).randbytes(len(data) - 2 * PAGE),
        "data.mdb is damaged",
    ),
}


def test_a_damaged_file_is_refused_with_what_to_do(stopped):
    daemon, _ = stopped
    file = Path(store_of(daemon)) / "data.mdb"
    sound = file.read_bytes()
    for name, (damage, words) in DAMAGES.items():
        file.write_bytes(bytes(damage(bytearray(sound))))
        damaged = file.read_bytes()
        assert_refused(daemon, store_of(daemon), words, "recallctl export", "recallctl rebuild")
        assert file.read_bytes() == damaged, f"{name}: it was written to"
    file.write_bytes(sound)
    daemon.start()


def test_what_is_not_a_store_or_may_not_be_written_is_refused(stopped, tmp_path):
    daemon, _ = stopped
    (tmp_path / "file").write_text("")
    assert_refused(daemon, tmp_path / "file", "not a directory")
    assert_refused(daemon, "/proc/none", "cannot create the directory")
    assert_refused(daemon, "/proc", "cannot write in")


def damage_pages(data, numbers, seed):
    for number in numbers:
        data[number * PAGE : (number + 1) * PAGE] = random.Random(seed + number).randbytes(PAGE)
    return data


def test_an_export_saves_what_can_be_read_whatever_is_damaged(stopped, tmp_path):
    """Pages of a store are damaged by random bytes, a few at a time: an export never hangs or crashes,
    gives whole records of the sound store only, says what is lost, and can be rebuilt."""
    daemon, _ = stopped
    whole = set(text_lines(exported(daemon, tmp_path))[:-1])
    file = Path(store_of(daemon)) / "data.mdb"
    sound = file.read_bytes()
    pages = len(sound) // PAGE
    saved, rng = 0, random.Random(4)
    for seed in range(SALVAGES):
        numbers = rng.sample(range(2, pages), rng.choice([1, 1, 2, 4]))
        file.write_bytes(bytes(damage_pages(bytearray(sound), numbers, seed)))
        out = tmp_path / f"salvage-{seed}.jsonl"
        done = export(store_of(daemon), out)
        text = text_lines(out)
        if done.returncode == 0:
            assert set(text[:-1]) == whole
        else:
            assert done.returncode == 1 and (b"damaged" in done.stderr or b"cannot read the store" in done.stderr)
        if not text or '"end"' not in text[-1]:
            continue
        assert set(text[:-1]) <= whole
        assert len(text) == len(set(text)), "no record twice"
        saved += len(text) - 2
        assert rebuild(tmp_path / f"new-{seed}", out).returncode == 0
    assert saved > SALVAGES / 4 * len(whole), "most of most stores can be read"
    file.write_bytes(sound)


def records_of(data, number):
    """Of a leaf; before them lie bytes of what the memory was used for earlier."""
    page = data[number * PAGE : (number + 1) * PAGE]
    return page[int.from_bytes(page[14:16], "little") :]


def test_a_damaged_page_costs_little_more_than_what_lies_on_it(make_daemon, tmp_path):
    """At most as far again as the damage goes, and nobody who lies behind it."""
    daemon = make_daemon({"memory": {"learn": "off"}})
    for i in range(4):
        daemon.import_messages(
            f"user-{i}",
            [{"role": "user", "content": f"Turn {i} {j} " + "x" * 200, "created_at": "2026-01-05T10:00:00Z"} for j in range(30)],
            learn=False,
        )
    daemon.stop()
    file = Path(store_of(daemon)) / "data.mdb"
    sound = file.read_bytes()
    out = tmp_path / "salvage.jsonl"
    texts = [n for n in range(2, len(sound) // PAGE) if records_of(sound, n).count(b"x" * 200) > 8]
    for number in texts:  # the first that is no free page
        file.write_bytes(bytes(damage_pages(bytearray(sound), [number], 1)))
        done = export(store_of(daemon), out)
        if done.returncode == 1:
            break
    assert done.returncode == 1 and b"turn" in done.stderr and b"damaged places" in done.stderr
    turns = [l for l in lines_of(out) if l.get("table") == "turn"]
    on_page = records_of(sound, number).count(b"x" * 200)
    assert 120 - 2 * on_page <= len(turns) < 120, (len(turns), on_page)
    assert rebuild(tmp_path / "new", out).returncode == 0
    moved_to(daemon, tmp_path / "new")
    assert daemon.admin("GET", "/v1/status").json()["turns"] == len(turns)


def test_nothing_is_exported_to_a_terminal_or_from_what_is_no_store(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.run(
        [program("proxy/recallctl"), "export", "--store", str(tmp_path)],
        stdout=theirs, stderr=subprocess.PIPE, timeout=60, env=clean_environment(),
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 1 and b"write it to a file" in done.stderr
    done = export(tmp_path / "nowhere", tmp_path / "out")
    assert done.returncode == 1 and b"cannot read the store" in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_an_export_onto_a_full_disk_says_so(full_of_life):
    daemon, _ = full_of_life
    done = export(store_of(daemon), "/dev/full")
    assert done.returncode == 1 and b"No space left" in done.stderr
