"""An encrypted store: what its files show, what erasing a user leaves, how it is made and how it is refused."""

import base64
import json
import os
import signal
import struct
import subprocess
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import wired
from harness.chat import Chat
from harness.clock import until, next_second
from harness.daemon import Daemon, clean_environment, merged, program
from test_marker import hits, memory_of

USERS = [f"MkErased{number:02}" for number in range(6)]
KEY = bytes(range(32))


def write_key(file, key=KEY, mode=0o400):
    file.unlink(missing_ok=True)
    file.write_bytes(key)
    file.chmod(mode)
    return str(file)


@pytest.fixture
def daemon(upstream, memory_model, tmp_path):
    """Not started; its store is in the clear until encrypt() was called."""
    made = Daemon(tmp_path, merged(wired(upstream, memory_model), {"storage": {"path": str(tmp_path / "store")}}))
    yield made
    made.stop()


def configure(daemon, **storage):
    daemon.config = merged(daemon.config, {"storage": storage})
    daemon.write_configuration()


def encrypt(daemon, key=KEY):
    configure(daemon, encrypt="on", key_file=write_key(daemon.directory / "master", key))


def store_of(daemon):
    return Path(daemon.config["storage"]["path"])


def fill(daemon):
    for name in USERS:
        reply = daemon.admin("POST", f"/v1/users/{name}/import", json=memory_of(name))
        assert reply.status_code == 200, reply.text
    Chat(daemon, USERS[0], session=f"session of {USERS[0]}").say(f"{USERS[0]} is what I am called")
    daemon.settle(USERS[0])


def recallctl(daemon, *arguments, **options):
    return subprocess.run([program("proxy/recallctl"), "-c", str(daemon.config_file), *arguments], capture_output=True,
                          env=clean_environment(), timeout=60, **options)


def refusal(daemon):
    """Why the daemon does not start."""
    daemon.start(wait=False)
    assert daemon.wait_end() != 0
    daemon.process = None
    return daemon.stderr


def memories(daemon):
    return {name: daemon.admin("GET", daemon.memory_path(name, "/memory")).json() for name in USERS}


def test_no_file_shows_a_word_and_an_erased_user_is_gone_at_once(daemon):
    encrypt(daemon)
    daemon.start()
    fill(daemon)
    assert all(daemon.messages(name) for name in USERS)
    assert not hits(store_of(daemon), USERS)
    keys = store_of(daemon) / "keys"
    before = keys.read_bytes()
    reply = daemon.admin("DELETE", f"/v1/users/{USERS[1]}")
    assert reply.status_code == 200
    assert reply.json()["disk"] == "keys" and reply.json()["disk_until"] is None
    after = keys.read_bytes()
    slots = [at for at in range(128, len(before), 128) if before[at:at + 128] != after[at:at + 128]]
    assert len(slots) == 1  # overwritten in place
    part = daemon.admin("DELETE", f"/v1/users/{USERS[2]}/memory?until=2100-01-01")
    assert part.status_code == 200 and part.json()["disk"] != "keys", part.text
    daemon.kill()
    assert not hits(store_of(daemon), USERS)
    daemon.start()
    assert daemon.messages(USERS[0])
    assert daemon.admin("GET", f"/v1/users/{USERS[1]}/memory").status_code == 404


def test_a_store_in_the_clear_is_encrypted_at_the_start_whatever_kills_it(daemon):
    daemon.start()
    fill(daemon)
    before = memories(daemon)
    daemon.stop()
    assert hits(store_of(daemon), USERS)
    encrypt(daemon)
    for pause in (0.005, 0.02, 0.05, 0.1):
        daemon.start(wait=False)
        time.sleep(pause)  # the moment of the kill
        daemon.kill()
    daemon.start()
    assert memories(daemon) == before
    assert not hits(store_of(daemon), USERS)
    daemon.stop()
    configure(daemon, encrypt="off")
    assert "is encrypted; set [storage] encrypt = on" in refusal(daemon)


def test_a_log_line_tells_of_the_encryption(daemon):
    daemon.start()
    fill(daemon)
    daemon.stop()
    encrypt(daemon)
    daemon.start()
    daemon.wait_log("copying the store into its new form")
    daemon.wait_log("encrypted the store in")


def test_a_key_that_does_not_fit_is_refused_with_what_to_do(daemon):
    encrypt(daemon)
    daemon.start()
    daemon.stop()
    key = daemon.directory / "master"
    write_key(key, mode=0o444)
    assert "open to every user of this machine" in refusal(daemon)
    write_key(key, b"short")
    assert "it must be 32 random bytes" in refusal(daemon)
    write_key(key, bytes(32))
    assert "was encrypted with another key" in refusal(daemon)
    key.unlink()
    assert "No such file or directory" in refusal(daemon)
    key.mkdir()
    assert "is not a regular file" in refusal(daemon)
    key.rmdir()
    write_key(key)
    keys = store_of(daemon) / "keys"
    keys.rename(daemon.directory / "kept")
    assert 'its file "keys" is missing' in refusal(daemon)
    (daemon.directory / "kept").rename(keys)
    daemon.start()
    daemon.stop()
    configure(daemon, key_file="")
    assert "set key_file or key_command, one of the two" in refusal(daemon)


@pytest.mark.parametrize("command, fault", [
    ("echo AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", None),
    ("exit 3", "key_command failed"),
    ("echo no key", "holds no key"),
    ("head -c 10000 /dev/zero", "key_command failed"),
])
def test_a_command_gives_the_key(daemon, command, fault):
    configure(daemon, encrypt="on", key_command=command)
    if fault is not None:
        assert fault in refusal(daemon)
        return
    daemon.start()
    fill(daemon)
    daemon.stop()
    configure(daemon, key_command="")
    encrypt(daemon)
    daemon.start()
    assert daemon.messages(USERS[0])


def test_a_key_in_the_environment_is_warned_of_and_does_not_stay_there(daemon):
    variable, encoded = "RECALLD_STORAGE_KEY", base64.b64encode(KEY).decode()
    daemon.environment = {variable: encoded}
    configure(daemon, encrypt="on")
    daemon.start()
    daemon.wait_log("RECALLD_STORAGE_KEY gives the store's key: programs of the same user")
    try:
        seen = Path(f"/proc/{daemon.process.pid}/environ").read_bytes()
    except PermissionError:  # who is not root cannot even look
        seen = b"PATH="
    assert b"PATH=" in seen and encoded.encode() not in seen
    fill(daemon)
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_log("configuration reloaded")
    checked = subprocess.run([program("proxy/recallctl"), "-c", str(daemon.config_file), "export", "--plain", "--yes"], capture_output=True,
                             env=clean_environment(**daemon.environment), timeout=60)
    assert checked.returncode == 0, checked.stderr
    daemon.stop()
    assert encoded not in daemon.stderr
    daemon.environment = {variable: "swordfish"}
    told = refusal(daemon)
    assert "RECALLD_STORAGE_KEY holds no key" in told and "swordfish" not in told.split("holds no key")[-1]
    daemon.environment = {variable: encoded}
    configure(daemon, key_file=write_key(daemon.directory / "master"))
    told = refusal(daemon)
    assert "or unset RECALLD_STORAGE_KEY" in told and encoded not in told
    daemon.environment = {}
    daemon.start()
    assert daemon.messages(USERS[0])


def crash(daemon):
    """Whether the kernel wrote a core. There is room for one, in the directory of the test."""
    command = 'ulimit -c unlimited && cd "$1" && exec "$2" -c "$3" 2>"$1/said"'
    words = ["sh", "-c", command, "sh", str(daemon.directory), program("proxy/recalld"), str(daemon.config_file)]
    child = os.spawnve(os.P_NOWAIT, "/bin/sh", words, clean_environment())
    said = daemon.directory / "said"
    until(lambda: said.exists() and "clients use" in said.read_text(), "it does not start")
    os.kill(child, signal.SIGABRT)
    status = os.waitpid(child, 0)[1]
    said.unlink()
    assert os.WIFSIGNALED(status)
    return os.WCOREDUMP(status)


def test_a_crash_leaves_no_core_with_keys(daemon):
    daemon.write_configuration()
    writes_cores = crash(daemon)
    for core in daemon.directory.glob("core*"):
        core.unlink()
    encrypt(daemon)
    assert not crash(daemon)
    assert not list(daemon.directory.glob("core*"))
    if not writes_cores:
        pytest.skip("this machine writes no cores at all")


def test_another_master_key_takes_the_place_of_the_first(daemon):
    encrypt(daemon)
    daemon.start()
    fill(daemon)
    before = memories(daemon)
    fresh = write_key(daemon.directory / "fresh", bytes(range(1, 33)))
    held = recallctl(daemon, "rotate-key", fresh)
    assert held.returncode == 1 and b"in use" in held.stderr
    daemon.stop()
    done = recallctl(daemon, "rotate-key", fresh)
    assert done.returncode == 0, done.stderr
    assert f"keys of {len(USERS)} users".encode() in done.stdout
    assert "was encrypted with another key" in refusal(daemon)
    configure(daemon, key_file=fresh)
    daemon.start()
    assert memories(daemon) == before


def backdate(keys, days):
    """As if the master key had been made so long ago."""
    with open(keys, "r+b") as file:
        head = bytearray(file.read(128))
        head[96:104] = struct.pack(">q", int(time.time()) - days * 86400)
        head[124:] = struct.pack(">I", zlib.crc32(bytes(head[:124])))
        file.seek(0)
        file.write(head)


def key_state(daemon):
    checked = recallctl(daemon, "check").stdout.decode()
    return (daemon.admin("GET", "/v1/status").json()["store_key"]["overdue"],
            daemon.metric("recalld_store_key_overdue ") == 1, "older than [storage] rotate" in checked)


def test_a_master_key_that_is_too_old_is_told_of_until_it_is_changed(daemon):
    daemon.start()
    assert daemon.admin("GET", "/v1/status").json()["store_key"] is None
    assert "recalld_store_key" not in daemon.admin("GET", "/metrics").text
    daemon.stop()
    encrypt(daemon)
    daemon.start()
    daemon.stop()
    backdate(store_of(daemon) / "keys", 31)
    daemon.start()
    assert key_state(daemon) == (False, False, False)
    assert daemon.metric("recalld_store_key_age_seconds ") >= 31 * 86400
    configure(daemon, rotate="30d")
    daemon.wait_log("the store's master key is 31 days old, older than [storage] rotate")
    assert key_state(daemon) == (True, True, True)
    configure(daemon, rotate="32d")
    until(lambda: key_state(daemon) == (False, False, False), "the key is still told of")
    daemon.stop()
    configure(daemon, rotate="30d")
    fresh = write_key(daemon.directory / "fresh", bytes(range(1, 33)))
    assert recallctl(daemon, "rotate-key", fresh).returncode == 0
    configure(daemon, key_file=fresh)
    daemon.start()
    assert key_state(daemon) == (False, False, False)
    assert "days old" not in daemon.stderr.split("31 days old")[-1]


def test_a_plain_export_needs_the_key_and_a_yes_and_a_rebuild_gives_the_same(daemon):
    encrypt(daemon)
    daemon.start()
    fill(daemon)
    asked = recallctl(daemon, "export", "--plain", stdin=subprocess.DEVNULL)
    assert asked.returncode == 1 and b"confirm it with --yes" in asked.stderr and not asked.stdout
    whole = recallctl(daemon, "export", "--plain", "--yes")
    assert whole.returncode == 0 and USERS[0].encode() in whole.stdout
    before = memories(daemon)
    assert daemon.admin("POST", "/v1/scrub").status_code == 202
    until(lambda: not daemon.admin("GET", "/v1/scrub").json()["running"], "the scrub does not end")
    assert memories(daemon) == before
    daemon.stop()
    again = daemon.directory / "again"
    made = recallctl(daemon, "rebuild", "--store", str(again), input=whole.stdout)
    assert made.returncode == 0, made.stderr
    assert not hits(again, USERS)
    configure(daemon, path=str(again))
    daemon.start()
    assert messages_of(memories(daemon)) == messages_of(before)
    daemon.stop()
    configure(daemon, encrypt="off")
    locked = recallctl(daemon, "export", "--plain", "--yes")
    assert locked.returncode == 1 and b"is encrypted" in locked.stderr


# ---- sealed exports ----


def messages_of(shown):
    return {name: memory["messages"] for name, memory in shown.items()}


def export(daemon, name="lines"):
    done = recallctl(daemon, "export")
    assert done.returncode == 0, done.stderr
    file = daemon.directory / "exports" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(done.stdout)
    return file


def export_keys(daemon, name="users"):
    """The file of the keys, and that of the key that opens it."""
    key = write_key(daemon.directory / "backup", bytes(range(2, 34)))
    done = recallctl(daemon, "export-keys", "--to", key)
    assert done.returncode == 0, done.stderr
    file = daemon.directory / "exports" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(done.stdout)
    return str(file), key


def rebuild(daemon, lines, keys=None, to="again", **options):
    named = ["--keys", keys[0], "--from-key", keys[1]] if keys else []
    return recallctl(daemon, "rebuild", "--store", str(daemon.directory / to), *named, input=lines.read_bytes(), **options)


def test_a_sealed_export_tells_nothing_and_gives_the_same_with_its_keys(daemon):
    encrypt(daemon)
    daemon.start()
    fill(daemon)
    before = memories(daemon)
    key = Path(daemon.config["storage"]["key_file"])
    hidden = key.rename(daemon.directory / "hidden")  # a sealed export needs no key
    lines = export(daemon)
    hidden.rename(key)
    keys = export_keys(daemon)
    raw = daemon.directory / "exports" / "decoded"
    records = [json.loads(line) for line in lines.read_text().splitlines()[1:]]
    raw.write_bytes(b"".join(base64.b64decode(record[part]) for record in records for part in ("key", "sealed") if part in record))
    assert raw.stat().st_size > 10_000
    words = lines.read_text() + raw.read_bytes().decode("latin-1")
    assert not hits(lines.parent, USERS) and "session of" not in words and "likes" not in words
    daemon.stop()
    made = rebuild(daemon, lines, keys)
    assert made.returncode == 0 and b"left out" not in made.stderr, made.stderr
    assert not hits(daemon.directory / "again", USERS)
    configure(daemon, path=str(daemon.directory / "again"))
    daemon.start()
    assert messages_of(memories(daemon)) == messages_of(before)
    daemon.stop()
    configure(daemon, encrypt="off", key_file="", path=str(daemon.directory / "clear"))
    made = rebuild(daemon, lines, keys, "clear")
    assert made.returncode == 0, made.stderr
    daemon.start()
    assert messages_of(memories(daemon)) == messages_of(before)


def test_a_sealed_export_is_refused_without_the_keys_that_fit(daemon):
    encrypt(daemon)
    daemon.start()
    fill(daemon)
    daemon.stop()
    lines, keys = export(daemon), export_keys(daemon)
    store_key = daemon.config["storage"]["key_file"]
    for number, (given, fault) in enumerate([
        (None, b"line 1: the export is sealed; name the file of its keys with --keys"),
        ((keys[0], store_key), b"it was wrapped with another key"),
        ((keys[0], keys[0]), b"is open to every user"),
        ((keys[0] + ".missing", keys[1]), b"it does not exist"),
        ((str(lines), keys[1]), b"it is damaged, or not a file of"),
    ]):
        refused = rebuild(daemon, lines, given, f"refused{number}")
        assert refused.returncode == 1 and fault in refused.stderr, (fault, refused.stderr)
    alone = recallctl(daemon, "rebuild", "--store", str(daemon.directory / "alone"), "--keys", keys[0], input=lines.read_bytes())
    assert alone.returncode == 1 and b"belong together" in alone.stderr
    own = recallctl(daemon, "export-keys", "--to", store_key)
    assert own.returncode == 1 and b"holds the store's own key" in own.stderr and not own.stdout
    none = recallctl(daemon, "export-keys")
    assert none.returncode == 1 and b"--to KEYFILE" in none.stderr
    configure(daemon, path=str(daemon.directory / "other"))
    daemon.start()
    daemon.stop()
    others = export_keys(daemon, "others")
    refused = rebuild(daemon, lines, others, "refused")
    assert refused.returncode == 1 and b"the file of keys is another store's" in refused.stderr
    configure(daemon, encrypt="off", key_file="")
    clear = recallctl(daemon, "export-keys", "--to", keys[1])
    assert clear.returncode == 1 and b"not encrypted" in clear.stderr


def test_who_is_in_one_of_the_two_exports_only_is_left_out(daemon):
    encrypt(daemon)
    daemon.start()
    fill(daemon)
    early, before = export(daemon, "early"), export_keys(daemon, "before")
    assert daemon.admin("DELETE", f"/v1/users/{USERS[0]}").status_code == 200  # erased between the two
    assert daemon.admin("POST", "/v1/users/MkErasedNew/import", json=memory_of("MkErasedNew")).status_code == 200
    late, after = export(daemon, "late"), export_keys(daemon, "after")
    daemon.stop()
    for name, lines, keys, there, told in [
        ("a", late, before, {*USERS[1:]}, True),
        ("b", early, after, {*USERS[1:]}, True),
        ("c", late, after, {*USERS[1:], "MkErasedNew"}, False),
        ("d", early, before, {*USERS}, False),  # both are older: what backups_until is about
    ]:
        made = rebuild(daemon, lines, keys, name)
        assert made.returncode == 0 and (b"records: no keys open them" in made.stderr) == told, made.stderr
        configure(daemon, path=str(daemon.directory / name))
        daemon.start()
        users = {user["user"] for user in daemon.admin("GET", "/v1/users").json()["users"]}
        assert users == there, name
        daemon.stop()
    kept = daemon.directory / "e"
    kept.mkdir()
    (kept / "erasures").write_bytes((daemon.directory / "store" / "erasures").read_bytes())
    made = rebuild(daemon, early, before, "e")
    assert made.returncode == 0 and b"erased since the export" in made.stderr
    assert USERS[0] not in recallctl(daemon, "export", "--plain", "--yes", "--store", str(kept)).stdout.decode()


def test_a_report_says_how_long_backups_hold_a_user(daemon):
    encrypt(daemon)
    daemon.start()
    fill(daemon)

    def erased(path):
        reply = daemon.admin("DELETE", f"/v1/users/{path}")
        assert reply.status_code == 200
        return reply.json()

    assert "backups_until" not in erased(USERS[0])  # no keys are anywhere else
    exported = datetime.now(UTC).replace(microsecond=0)
    export_keys(daemon)
    report = erased(USERS[1])
    until = datetime.fromisoformat(report["backups_until"].replace("Z", "+00:00")) - exported
    assert report["disk"] == "keys" and timedelta(days=30) <= until <= timedelta(days=30, minutes=5)
    assert "backups_until" not in erased(f"{USERS[2]}/memory?until=2100-01-01")  # the user's keys live on
    next_second()
    Chat(daemon, "late").say("I came after the export")
    daemon.settle("late")
    assert "backups_until" not in erased("late")
    daemon.stop()
    configure(daemon, backup_keys_keep="2d")
    daemon.start()
    report = erased(USERS[2])
    until = datetime.fromisoformat(report["backups_until"].replace("Z", "+00:00")) - exported
    assert timedelta(days=2) <= until <= timedelta(days=2, minutes=5)
    note = store_of(daemon) / "keys.exported"
    note.write_text(f"{int(exported.timestamp()) - 3 * 86400}\n")  # they should be gone by now
    assert "backups_until" not in erased(USERS[3])
    note.write_text("no time")
    assert "backups_until" in erased(USERS[4])
    daemon.stop()
    lines, keys = export(daemon), export_keys(daemon)
    made = rebuild(daemon, lines, keys)
    assert made.returncode == 0, made.stderr
    configure(daemon, path=str(daemon.directory / "again"))
    daemon.start()
    assert "backups_until" in erased(USERS[5])  # the new store knows of the keys that it was made with


def test_a_lost_key_is_told_of_at_the_start_and_deleting_its_user_frees_the_name(daemon):
    encrypt(daemon)
    daemon.start()
    Chat(daemon, "kept", session="s").say("I live in Ulm.")
    daemon.settle("kept")
    Chat(daemon, "back", session="s").say("I live in Rome.")
    daemon.settle("back")
    daemon.stop()
    keys = store_of(daemon) / "keys"
    older = keys.read_bytes()
    daemon.start()
    # Whoever was deleted and came back has another key than the older one.
    assert daemon.admin("DELETE", "/v1/users/back?keep_restriction=0").status_code == 200
    for name in ("lost", "gone", "back"):
        Chat(daemon, name, session="s").say("I live in Bern.")
        daemon.settle(name)
    daemon.stop()
    digests = {line.partition(" user=")[2][:8] for line in daemon.stderr_lines if "exchange method" in line}
    keys.write_bytes(older)
    daemon.start()
    daemon.wait_log("are missing")
    (told,) = [line for line in daemon.stderr_lines if "the keys of 3 users are missing" in line]
    named = set(told.partition("(users=")[2].partition(")")[0].split(","))
    assert len(named) == 3 and named < digests
    assert daemon.admin("GET", "/v1/status").json()["store_key"]["missing_keys"] == 3
    assert 'put back the newest file "keys"' in recallctl(daemon, "check", text=True).stdout
    for name in ("lost", "back"):
        assert Chat(daemon, name).send("Where do I live?").headers["X-Memory-Status"] == "bypassed"
    assert daemon.messages("kept")
    for method, path, body in (("GET", "/memory", None), ("GET", "/facts", None), ("GET", "/export", None), ("GET", "/settings", None),
                               ("GET", "/receipts", None), ("POST", "/facts", {"key": "city", "value": "Ulm"}), ("PUT", "/settings", {}),
                               ("DELETE", "/memory?until=2100-01-01", None), ("DELETE", "?dry_run=1", None)):  # fmt: skip
        for name in ("lost", "back"):
            reply = daemon.admin(method, f"/v1/users/{name}{path}", json=body)
            assert (reply.status_code, reply.json()["error"]["code"]) == (409, "keys_missing"), (method, path, reply.text)
        assert 'newest file "keys"' in reply.json()["error"]["message"] and "DELETE" in reply.text
    plain = recallctl(daemon, "export", "--plain", "--yes", text=True)
    # Without the store's help it cannot tell what an older key does not open from what is damaged.
    assert plain.returncode == 1 and "no keys open them" in plain.stderr and "unusable" in plain.stderr, plain.stderr
    assert "Ulm" in plain.stdout and "Bern" not in plain.stdout
    shown = recallctl(daemon, "show", "lost", text=True)
    assert shown.returncode == 1 and "recallctl forget" in shown.stderr
    assert daemon.admin("GET", "/v1/status").json()["store_key"]["missing_keys"] == 3
    reply = daemon.admin("DELETE", "/v1/users/lost")
    assert reply.status_code == 200 and reply.json()["users"] == 1, reply.text
    assert daemon.admin("GET", "/v1/status").json()["store_key"]["missing_keys"] == 2
    assert daemon.admin("GET", "/v1/users/lost/memory").status_code == 404
    for name in ("gone", "back"):
        reply = daemon.admin("DELETE", f"/v1/users/{name}?keep_restriction=0")
        assert reply.status_code == 200, reply.text
    assert daemon.admin("GET", "/v1/status").json()["store_key"]["missing_keys"] == 0
    Chat(daemon, "lost", session="t").say("I live in Graz.")
    daemon.settle("lost")
    daemon.stop()
    daemon.start()
    assert daemon.stderr.count("are missing") == 1
    assert "I live in Graz." in str(daemon.messages("lost"))
    exported = recallctl(daemon, "export", "--plain", "--yes", text=True).stdout
    assert "Ulm" in exported and "Graz" in exported and "Bern" not in exported
