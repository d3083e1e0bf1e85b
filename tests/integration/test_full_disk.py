"""A disk that is full, to the last byte and all at once: what was answered is kept, chats go on and say
that they are not remembered, what is to be forgotten is forgotten, and room that comes back is used."""

import asyncio
import os
import random
import resource
import subprocess

import pytest

from harness.clock import until
from harness.crash import MANNERS, CrashDaemon, Talker, check_kept, check_learned, read_turns, settle
from harness.swift import SwiftServer
from test_exactly_once import talk_until_the_end

DISK = "112M"  # of which recalld wants 64 MB to stay free
SETTINGS = {"memory": {"summarize_after": "6", "summary_words": "2000"}, "storage": {"map_size": "1G"}}


@pytest.fixture
def server():
    server = SwiftServer()
    yield server
    server.close()


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def daemon(disk, server):
    daemon = CrashDaemon(disk.parent, server, SETTINGS)
    daemon.config["storage"]["path"] = str(disk / "store")
    daemon.store = disk / "store"
    daemon.start()
    yield daemon
    if daemon.process is not None:
        daemon.stop()


def fill(disk):
    """To the last byte."""
    file = os.open(disk / "ballast", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (1 << 24, 1 << 20, 1 << 12, 1):
            try:
                while True:
                    os.write(file, b"x" * size)
            except OSError:
                pass
    finally:
        os.close(file)


def has_room(daemon):
    reply = daemon.admin("GET", "/readyz")
    assert reply.status_code == 200, "chats go on"
    return "no room" not in reply.text


def talkers_of(daemon, run, count=8):
    return [Talker(daemon, f"{chr(ord('a') + i)}-{run}", MANNERS[i % 5], run) for i in range(count)]


def begin_talk(server, talkers):
    return asyncio.run_coroutine_threadsafe(talk_until_the_end(talkers, random.Random(1)), server.loop)


def check_full(daemon, disk, talkers):
    """Chats go on and are marked, and forgetting works."""
    until(lambda: not has_room(daemon), "it is full again after what gave way", 120)
    assert daemon.metric('recalld_bypassed_total{cause="full"}') > 0
    gone = talkers[0]
    assert daemon.admin("DELETE", daemon.memory_path(gone.user)).status_code == 200
    assert read_turns(daemon, gone.user) == []
    gone.answered.clear()


def test_a_disk_that_fills_up_under_load_loses_nothing_that_was_answered(daemon, disk, server):
    talkers = talkers_of(daemon, 1)
    talked = begin_talk(server, talkers)
    until(lambda: all(t.answered for t in talkers), "nobody was answered")
    fill(disk)
    until(lambda: all(t.bypassed for t in talkers), "chats did not go on without memory")
    check_full(daemon, disk, talkers)
    daemon.kill()
    talked.result(30)
    daemon.start()  # on a disk that is as full
    assert not has_room(daemon)
    for talker in talkers:
        check_kept(talker)
    late = talkers_of(daemon, 2)
    for talker in late:
        assert server.run(talker.note())
    assert all(t.bypassed and not t.answered for t in late)
    (disk / "ballast").unlink()
    until(lambda: has_room(daemon), "room that came back was not seen")
    for talker in late:
        assert server.run(talker.note())
        assert talker.answered
    settle(talkers + late)
    for talker in talkers + late:
        check_kept(talker)
        check_learned(talker)


def test_a_full_disk_is_no_reason_not_to_start(disk, server):
    daemon = CrashDaemon(disk.parent, server, SETTINGS)
    daemon.config["storage"]["path"] = str(disk / "store")
    fill(disk)
    os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - 600 * 1024)
    daemon.start().stop()  # there was never room to keep any in reserve
    (disk / "store" / "recalld.lock").write_bytes(b"")
    fill(disk)
    daemon.start()
    assert not has_room(daemon)
    talker = Talker(daemon, "a-1", "plain", 1)
    assert server.run(talker.note()) and talker.bypassed
    daemon.stop()


def test_no_store_can_be_made_on_a_full_disk_and_the_daemon_says_so(disk, server):
    daemon = CrashDaemon(disk.parent, server, SETTINGS)
    daemon.config["storage"]["path"] = str(disk / "store")
    (disk / "store").mkdir()
    (disk / "store" / "recalld.lock").touch()
    fill(disk)
    daemon.start(wait=False)
    assert daemon.wait_end() == 1
    daemon.process = None
    assert "No space left on device; make room on its disk" in daemon.stderr
    (disk / "ballast").unlink()
    daemon.start().stop()


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path, server):
    """As under a quota or a limit of the service's: the daemon is not ended by it."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, limits[1]))
    try:
        daemon = CrashDaemon(tmp_path, server, SETTINGS).start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    talker = Talker(daemon, "a-1", "stream, close at done", 1)
    assert not has_room(daemon)
    assert server.run(talker.note()) and talker.bypassed
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, limits)
    until(lambda: has_room(daemon), "room that came back was not seen")
    assert server.run(talker.note()) and talker.answered
    daemon.kill()
    daemon.start()
    check_kept(talker)
    daemon.stop()


def hold(daemon, talker):
    """What is under a legal hold makes no room."""
    settings = {"hold_until": "2999-01-01T00:00:00Z"}
    assert daemon.admin("PUT", daemon.memory_path(talker.user, "/settings"), json=settings).status_code == 200


def test_a_full_map_loses_nothing_that_was_answered(tmp_path, server):
    daemon = CrashDaemon(tmp_path, server, SETTINGS | {"storage": {"map_size": "2M"}}).start()
    talkers = talkers_of(daemon, 1)
    for talker in talkers[1:]:
        hold(daemon, talker)
    talked = begin_talk(server, talkers)
    until(lambda: all(t.bypassed for t in talkers), "the map never filled up", 120)
    check_full(daemon, None, talkers)
    daemon.kill()
    talked.result(30)
    daemon.start()
    for talker in talkers:
        check_kept(talker)
    for talker in talkers[1:-1]:
        assert daemon.admin("DELETE", daemon.memory_path(talker.user, "?force=1")).status_code == 200
    until(lambda: has_room(daemon), "room that came back was not seen")
    new = Talker(daemon, "z-2", "stream, close at done", 2)
    assert server.run(new.note()) and new.answered
    settle([talkers[-1], new])
    for talker in (talkers[-1], new):
        check_kept(talker)
        check_learned(talker)
    daemon.stop()
