"""A daemon that is killed, its clients, and what must hold afterwards."""

import asyncio
import fnmatch
import functools
import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time
import weakref
from types import SimpleNamespace

from .daemon import ROOT, Daemon, clean_environment, daemon_program, preloaded, program, write_config
from .swift import TAG

COMMIT_PATIENCE = 1.9  # seconds; CONTRACT says 2
PAGE = 4096
BLOCK = 256 * PAGE
hook_lock = threading.Lock()


def plain_program(name):
    """Kills need no sanitizer, but many starts."""
    path = ROOT / "build" / name
    return str(path) if path.exists() else program(name)


def hold_port(holder):
    """One that nobody else is given while `holder` lives, also while its daemon is dead."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        weakref.finalize(holder, os.close, held.detach())
    return port


@functools.cache
def crash_hook(directory):
    """Made once for all daemons beside each other."""
    with hook_lock:
        return preloaded(directory, "crash_points")


class CrashDaemon(Daemon):
    """Starts quickly, and may be killed at a crash point (harness/crash_points.c)."""

    def __init__(self, directory, server, config=None):
        model = {"base_url": server.base_url, "api_key": "k", "name": "memory-model", "concurrency": "32"}
        ours = {"upstream": {"base_url": server.base_url}, "model": model, "log": {"level": "warn"}}
        for section, keys in (config or {}).items():
            ours[section] = ours.get(section, {}) | keys
        super().__init__(directory, ours)
        self.port, self.admin_port = hold_port(self), hold_port(self)
        self.config["listen"] |= {"address": f"127.0.0.1:{self.port}", "admin": f"127.0.0.1:{self.admin_port}"}
        self.server = server
        self.talkers = []
        self.store = self.directory / "store"
        self.log = self.directory / "points"
        self.synced = self.store / "data.mdb.synced"
        self.named = self.store / "data.mdb.synced.named"

    def start(self, wait=True, **hook):
        """`hook`: CRASH_AT and the like; without any the daemon runs by itself, and logs no points."""
        write_config(self.config_file, self.config)
        self.logs_points = bool(hook)
        environment = crash_hook(self.directory.parent) | {"CRASH_LOG": str(self.log)} | hook if hook else {}
        self.process = subprocess.Popen(
            [plain_program(daemon_program()), "-c", str(self.config_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=clean_environment(**environment),
        )
        self._reader = threading.Thread(target=self._read_stderr, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        if wait:
            assert self.is_up(), f"recalld did not start:\n{self.stderr}"
        return self

    def is_up(self, timeout=60):
        """Once it answers; False: it has ended."""
        end = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < end:
            try:
                self.admin("GET", "/healthz")
                return True
            except (OSError, http.client.HTTPException):
                time.sleep(0.005)  # a crash point may come soon: no 20 ms
        return False

    def points(self):
        """The names of the crash points that it came to."""
        return [line.split(" ", 1)[1] for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def comes_to(self, pattern, timeout=60):
        """Waits until it has come to a crash point of that name, if it logs any; False: it has ended."""
        end = time.monotonic() + timeout
        while self.logs_points and not fnmatch.filter(self.points(), pattern):
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < end, f"it did not come to {pattern}, but to {self.points()}"
            time.sleep(0.005)  # as above
        return True

    def hang_up(self):
        """All clients; the daemon would linger for them at its end."""
        for talker in self.talkers:
            self.server.loop.call_soon_threadsafe(talker.hang_up)

    def stop(self):
        self.hang_up()
        super().stop()

    def start_for_power_cut(self, **hook):
        """As start(), while a copy of the file is kept of what the disk holds for certain."""
        file = self.store / "data.mdb"
        if file.exists():
            shutil.copyfile(file, self.synced)
        else:
            self.store.mkdir(parents=True, exist_ok=True)
        return self.start(CRASH_SYNCED=str(self.synced), **hook)

    def cut_power(self, chance=random):
        """kill -9, and of what was not synced any page may be missing."""
        self.kill()
        file = self.store / "data.mdb"
        if not self.named.exists() or not self.synced.exists():
            file.unlink(missing_ok=True)  # not even its name is on the disk
            return
        with open(file, "r+b") as written, open(self.synced, "rb") as synced:
            for at in range(0, file.stat().st_size, BLOCK):
                new, old = written.read(BLOCK), synced.read(BLOCK)
                if new == old:
                    continue
                old = old.ljust(len(new), b"\0")
                pages = [(new[i : i + PAGE], old[i : i + PAGE]) for i in range(0, len(new), PAGE)]
                kept = b"".join(n if chance.random() < 0.5 else o for n, o in pages)
                written.seek(at)
                written.write(kept)
                written.seek(at + len(new))
        self.synced.unlink()

    def admin(self, method, path, json=None, timeout=60, **_):
        return call(self.admin_port, method, path, json, timeout)

    def check(self):
        """recallctl check is content."""
        done = subprocess.run(
            [plain_program("proxy/recallctl"), "--admin", f"127.0.0.1:{self.admin_port}", "check"],
            capture_output=True, text=True, env=clean_environment(), timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def call(port, method, path, body=None, timeout=60):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        reply = connection.getresponse()
        text = reply.read().decode()
        return SimpleNamespace(status_code=reply.status, text=text, json=lambda: json.loads(text))
    finally:
        connection.close()


# ---- clients ----

# How a client takes its reply: streamed or not, and what it does at the end.
MANNERS = [
    "plain",  # keeps the connection
    "plain, close",
    "stream",  # to the last chunk, keeps the connection
    "stream, close at done",  # as SDKs do
    "stream, reset at done",
    "stream, leave early",
]


class Talker:
    """One user in one conversation. `answered` are the tags of the replies that were read to their end
    and promised: not marked bypassed, nor `late`, which is when the disk takes longer than the 2 s that
    a reply's end waits for it."""

    def __init__(self, daemon, user, manner, run=0, sends_history=True):
        self.daemon, self.user, self.manner, self.run = daemon, user, manner, run
        self.letters = re.sub("[^a-z]", "", user) or "x"
        self.sends_history = sends_history
        daemon.talkers.append(self)
        self.history, self.said, self.answered, self.bypassed, self.late = [], [], [], [], []
        self.reader = self.writer = self.trouble = self.head = None

    def next_tag(self):
        self.said.append(f"t{self.run}-{self.letters}{len(self.said) + 1}")
        return self.said[-1]

    def is_promised_no_more(self, tag):
        """It was taken back, or is to be forgotten."""
        for tags in (self.answered, self.late):
            if tag in tags:
                tags.remove(tag)

    def promised(self):
        """Late ones too, unless the daemon said that its disk was slow."""
        excused = any("exchange not on disk within 2 s" in line for line in self.daemon.stderr_lines)
        return self.answered if excused else self.answered + self.late

    async def note(self, words=".", **options):
        tag = self.next_tag()
        return await self.say(tag, f"Note {tag}{words.format(tag=tag)}", **options)

    async def say(self, tag, text, messages=None, **fields):
        """True: the reply came whole."""
        turn = {"role": "user", "content": text}
        if messages is None:
            messages = [*self.history, turn] if self.sends_history else [turn]
        streams = self.manner.startswith("stream")
        body = {"model": "m", "messages": messages} | ({"stream": True} if streams else {})
        self.trouble = None
        try:
            head, whole = await asyncio.wait_for(self._exchange(json.dumps(body).encode(), fields), 30)
        except (OSError, asyncio.IncompleteReadError) as fault:
            self.trouble = repr(fault)
            self.hang_up()
            return False
        if whole:
            self.history += [turn, {"role": "assistant", "content": f"Noted {tag}."}]
            self.head = head
            self._file(tag, head)
        elif self.trouble is None:
            self.trouble = "the reply broke off"
        return whole

    def _file(self, tag, head):
        waited = time.monotonic() - self.daemon.server.whole.get(tag, time.monotonic())
        if re.search(rb"(?i)x-memory-status: bypassed", head):
            self.bypassed.append(tag)
        else:
            (self.late if waited > COMMIT_PATIENCE else self.answered).append(tag)

    def hang_up(self, reset=False):
        if self.writer is not None:
            if reset:
                self.writer.transport.abort()
            else:
                self.writer.close()
        self.reader = self.writer = None

    async def _exchange(self, body, fields):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.daemon.port)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-User-Id: {self.user}\r\n"
        head += f"X-Session-Id: {self.user}-chat\r\nContent-Type: application/json\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        if status != 200:
            self.trouble = head
            self.hang_up()
            return head, False
        size = re.search(rb"(?i)content-length: *(\d+)", head)
        whole = True
        if size:
            await self.reader.readexactly(int(size[1]))
        else:
            whole = await self._stream()
        if "," in self.manner:
            self.hang_up("reset" in self.manner)
        return head, whole

    async def _stream(self):
        if "leave" in self.manner:
            await self.reader.readuntil(b"data: ")
            return False
        seen = b""
        while b"\r\n0\r\n\r\n" not in seen and (self.manner == "stream" or b"[DONE]\n" not in seen):
            some = await self.reader.read(65536)
            seen += some
            if not some:
                self.hang_up()
                return False
        return b"[DONE]" in seen


# ---- what must hold ----


def read_turns(daemon, user):
    """[(role, tag, complete)] in order."""
    reply = daemon.admin("GET", daemon.memory_path(user, "/memory"))
    if reply.status_code == 404:
        return []
    assert reply.status_code == 200, reply.text
    return [
        (m["role"], TAG.search(m["content"])[0] if TAG.search(m["content"]) else "", m["complete"])
        for m in reply.json()["messages"]
    ]


def check_kept(talker):
    """Every answered exchange is there once, in order; none is complete that was not. Who leaves an answer
    asks the next thing while the first is still being stored: their order is nobody's promise."""
    daemon, user = talker.daemon, talker.user
    turns = read_turns(daemon, user)
    asked = [tag for role, tag, _ in turns if role == "user"]
    whole = [tag for role, tag, complete in turns if role == "assistant" and complete]
    assert len(set(asked)) == len(asked), f"{user}: kept twice: {asked}"
    assert len(set(whole)) == len(whole), f"{user}: answered twice: {whole}"
    promised = talker.promised()
    lost = [tag for tag in promised if tag not in asked or tag not in whole]
    assert not lost, f"{user}: answered and lost: {lost} of {promised}, kept are {turns}\n{daemon.stderr}"
    order = [talker.said.index(tag) for tag in asked]
    assert "leave" in talker.manner or order == sorted(order), f"{user}: out of order: {asked}"
    never = [tag for tag in whole if tag not in daemon.server.whole]
    assert not never, f"{user}: complete, but never answered: {never}"


def check_learned(talker):
    """Every turn has taught its fact, once, though its reply may have broken off; and nothing else has."""
    daemon, user = talker.daemon, talker.user
    asked = [tag for role, tag, _ in read_turns(daemon, user) if role == "user"]
    if not asked:
        return 0
    memory = daemon.memory(user)
    assert memory["parked"] == 0
    learned = sorted(TAG.match(fact["value"])[0] for fact in memory["facts"])
    assert learned == sorted(asked), f"{user}: learned {learned} of {asked}"
    sources = [fact["source"]["exchange"] for fact in memory["facts"]]
    assert len(set(sources)) == len(sources)
    check_summary(talker, memory)
    return len(asked)


def check_summary(talker, memory):
    """Nothing was folded in twice, and nothing left out in between."""
    if not memory["summary"]:
        return
    folded = TAG.findall(memory["summary"]["text"])
    said = [TAG.search(m["content"])[0] for m in memory["messages"] if m["role"] == "user"]
    assert len(set(folded)) == len(folded), f"{talker.user}: folded in twice: {folded}"
    if "leave" in talker.manner:  # its exchanges overlap, and are journalled as they end
        assert set(folded) <= set(said), f"{talker.user}: folded {folded} of {said}"
    else:
        assert folded == said[: len(folded)], f"{talker.user}: folded {folded} of {said}"


def settle(talkers, timeout=60):
    for talker in talkers:
        if read_turns(talker.daemon, talker.user):
            talker.daemon.settle(talker.user, timeout=timeout)
