"""A store of an earlier format under today's recalld: what upgrading does to it."""

import json
import lzma
import re
import subprocess
from pathlib import Path

import pytest

from harness.chat import Chat
from harness.daemon import ROOT, clean_environment, program, write_config

STORES = sorted((ROOT / "tests/fixtures/store").glob("format-*.mdb.xz"))


def name_of(path):
    return path.name.removesuffix(".mdb.xz")


@pytest.fixture(params=STORES, ids=name_of)
def old(request, make_daemon):
    """A daemon, not started, whose store is an old one; and what the old recalld told of it. In a mode that
    makes no summaries: users who have been idle for an hour would get theirs."""
    daemon = make_daemon({"memory": {"mode": "vector"}}, start=False)
    store = Path(daemon.config["storage"]["path"])
    store.mkdir(parents=True, mode=0o700)
    (store / "data.mdb").write_bytes(lzma.decompress(request.param.read_bytes()))
    daemon.format = name_of(request.param)
    daemon.store = store
    told = request.param.with_name(daemon.format + ".json").read_text(encoding="utf-8")
    return daemon, json.loads(told)


def told_of(memory, told):
    """What was told before, without what a later version adds."""
    if isinstance(told, dict):
        return {name: told_of(memory[name], value) for name, value in told.items()}
    if isinstance(told, list) and len(told) == len(memory):
        return [told_of(*pair) for pair in zip(memory, told)]
    return memory


def check_memory(daemon, told):
    for user, memory in told["memory"].items():
        told_then = {name: memory[name] for name in ("user", "summary", "facts", "messages", "pending")}
        assert told_of(daemon.memory(user, "t1" if user == "dan" else None), told_then) == told_then
    assert not daemon.knows("gone")


def test_an_old_store_is_converted_with_all_that_it_holds(old, upstream):
    daemon, told = old
    before = (daemon.store / "data.mdb").read_bytes()
    daemon.start()
    daemon.wait_log(f"the store was converted from format {daemon.format[7:]};")
    assert (daemon.store / f"data.mdb.{daemon.format}").read_bytes() == before, "the way back"
    assert not (daemon.store / "converting").exists()
    check_memory(daemon, told)
    users = daemon.admin("GET", "/v1/users").json()["users"]
    assert {user["user"]: (user["turns"], user["facts"]) for user in users} == {
        user: (len(memory["messages"]), len(memory["facts"])) for user, memory in told["memory"].items()
    }
    ids = [r["id"] for r in daemon.admin("GET", "/v1/users/alex/receipts").json()["receipts"]]
    assert ids == told["alex"]["receipts"][::-1]
    status = daemon.admin("GET", "/v1/status").json()
    assert (status["users"], status["facts"]) == (4, sum(len(m["facts"]) for m in told["memory"].values()))
    daemon.restart()
    assert daemon.stderr.count("the store was converted") == 1
    check_memory(daemon, told)


def test_a_converted_store_recalls_goes_on_and_forgets(old, upstream):
    daemon, told = old
    daemon.start()
    chat = Chat(daemon, "alex", session="first")
    chat.messages = told["alex"]["messages"]
    chat.say("And in one word?")
    assert "".join(m["content"] for m in upstream.last.json["messages"]).count("My name is Alex") <= 2
    assert daemon.messages("alex")[-2][1] == "And in one word?"
    assert len([u for u in daemon.admin("GET", "/v1/users").json()["users"] if u["user"] == "alex" and u["conversations"] == 1]) == 1
    Chat(daemon, "alex", session="second").say("Which vector store was it?")
    assert "ChromaDB" in json.dumps(upstream.last.json)
    daemon.forget("alex")
    assert not daemon.knows("alex") and daemon.admin("GET", f"/v1/receipts/{told['alex']['receipts'][0]}").status_code == 404


def test_what_an_interrupted_conversion_left_is_no_hindrance(old):
    daemon, told = old
    (daemon.store / "converting").mkdir()
    (daemon.store / "converting/data.mdb").write_bytes(b"half")
    (daemon.store / "converting/lock.mdb").write_bytes(b"")
    daemon.start()
    check_memory(daemon, told)


def test_a_conversion_that_fails_changes_nothing(old):
    daemon, told = old
    before = (daemon.store / "data.mdb").read_bytes()
    (daemon.store / "converting").write_text("in the way")
    write_config(daemon.config_file, daemon.config)
    command = [program("proxy/recalld"), "-c", str(daemon.config_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment())
    assert done.returncode == 1 and "converting" in done.stderr
    assert (daemon.store / "data.mdb").read_bytes() == before
    (daemon.store / "converting").unlink()
    daemon.start()
    check_memory(daemon, told)


def test_an_old_store_passes_the_check_before_the_start(old):
    daemon, _ = old
    before = (daemon.store / "data.mdb").read_bytes()
    write_config(daemon.config_file, daemon.config)
    command = [program("proxy/recalld"), "-t", "-c", str(daemon.config_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert (daemon.store / "data.mdb").read_bytes() == before


# ---- which version it is ----

VERSION = r"(\d+\.\d+\.\d+) \(commit ([0-9a-f]{7,40}(?:-dirty)?|unknown)\)"


def test_version_and_commit_are_told_everywhere(make_daemon):
    told = subprocess.run([program("proxy/recalld"), "--version"], capture_output=True, text=True, timeout=60).stdout
    version, commit = re.fullmatch(rf"recalld {VERSION}\n", told).groups()
    ctl = subprocess.run([program("proxy/recallctl"), "--version"], capture_output=True, text=True, timeout=60).stdout
    assert ctl == told.replace("recalld", "recallctl")
    daemon = make_daemon()
    assert re.search(VERSION, daemon.stderr_lines[0]).groups() == (version, commit), "the log's first line"
    status = daemon.admin("GET", "/v1/status").json()
    assert (status["version"], status["commit"]) == (version, commit)
    assert version in (ROOT / "CHANGELOG.md").read_text() and f"version: '{version}'" in (ROOT / "meson.build").read_text()


def commit_of(folder, **environment):
    environment = clean_environment(PATH="/usr/bin:/bin", **environment)
    done = subprocess.run(["sh", str(folder / "conf/commit")], capture_output=True, text=True, timeout=60, env=environment, cwd="/")
    assert done.returncode == 0 and not done.stderr
    return done.stdout.strip()


def test_a_tarball_knows_its_commit(tmp_path):
    def git(*words):
        options = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
        return subprocess.run(["git", *options, *words], cwd=tmp_path / "tree", check=True, capture_output=True, timeout=60).stdout

    conf = tmp_path / "tree/conf"
    conf.mkdir(parents=True)
    (conf / "commit").write_bytes((ROOT / "conf/commit").read_bytes())
    assert commit_of(tmp_path / "tree") == "unknown"
    (tmp_path / "tree/.gitattributes").write_bytes((ROOT / ".gitattributes").read_bytes())
    for words in (["init"], ["add", "."], ["commit", "-m", "All"], ["tag", "v7"]):
        git(*words)
    commit = git("rev-parse", "--short", "HEAD").decode().strip()
    assert commit_of(tmp_path / "tree") == commit
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "-x", "-C", tmp_path / "unpacked"], input=git("archive", "HEAD"), check=True, timeout=60)
    assert commit_of(tmp_path / "unpacked") == commit
    assert commit_of(tmp_path / "unpacked", RECALLD_COMMIT="abc1234") == "abc1234"
    (conf / "commit").write_text((conf / "commit").read_text() + "\n")
    assert commit_of(tmp_path / "tree") == commit + "-dirty"
