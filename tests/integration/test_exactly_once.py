"""Exactly once: what a client has read to its end is remembered, and learned from, once, whenever the
daemon is killed. tests/kill/run does the same hundreds of times."""

import asyncio
import http.client
import json
import os
import random
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch

import pytest

from harness.clock import until
from harness.crash import MANNERS, CrashDaemon, Talker, check_kept, check_learned, settle
from harness.crash_script import KINDS, Script
from harness.memory_model import fact
from harness.swift import SwiftServer
from harness.wire import RawClient
from test_chains import Tools
from test_rebuild import export, lines_of, moved_to, rebuild, store_of

KILLS = int(os.environ.get("KILLS", "30"))
SEED = int(os.environ.get("KILL_SEED", time.time()))
POINTS = KILLS // 4
IS_LONG = KILLS >= 100
CLIENTS = 12


@pytest.fixture
def server():
    server = SwiftServer()
    yield server
    server.close()


async def talk(talker, chance):
    """Says one thing after another until the daemon is gone."""
    while True:
        words = chance.choice([".", ".", ".", ", slowly.", " and break off."])
        whole = await talker.note(words)
        if not whole and talker.writer is None and not await is_open(talker.daemon.port):
            return


async def is_open(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def talkers_of(daemon, run):
    """Users that no earlier run has."""
    return [
        Talker(daemon, f"{chr(ord('a') + i)}-{run}", MANNERS[i % len(MANNERS)], run, i % 4 != 3) for i in range(CLIENTS)
    ]


async def talk_until_the_end(talkers, chance):
    await asyncio.gather(*(talk(talker, chance) for talker in talkers))


def wait_answered(talkers, more, timeout=60):
    """Until so many more replies have come, however slow the machine is."""

    def answered():
        return sum(len(talker.answered) for talker in talkers)

    before = answered()
    until(lambda: answered() >= before + more, f"not {more} replies came", timeout)


@pytest.mark.parametrize("end", ["kill", "power cut"])
def test_nothing_answered_is_lost_or_learned_twice_by_kills_at_random_moments(tmp_path, server, end):
    chance = random.Random(SEED)
    print(f"KILL_SEED={SEED}")
    memory = {"summarize_after": "6", "summary_words": "2000"}
    if end == "power cut":  # the turns of one call are then learned from, or not, one by one
        memory |= {"learn_idle": "30ms", "learn_batch": "3"}
    daemon = CrashDaemon(tmp_path, server, {"memory": memory})
    talkers, everybody = [], []
    for run in range(KILLS // 2):
        if run % 3 == 0:  # some conversations go on over several kills
            talkers = talkers_of(daemon, run)
            everybody += talkers
        daemon.start_for_power_cut() if end == "power cut" else daemon.start()
        for talker in talkers:
            check_kept(talker)
        ended = asyncio.run_coroutine_threadsafe(talk_until_the_end(talkers, chance), server.loop)
        if run % 2:  # the others may end before anybody was answered
            wait_answered(talkers, 6)
        time.sleep(chance.uniform(0.005, 0.3))  # the random moment
        daemon.cut_power(chance) if end == "power cut" else daemon.kill()
        ended.result(30)
    daemon.start()
    settle(everybody)
    for talker in everybody:
        check_kept(talker)
    learned = sum(check_learned(talker) for talker in everybody)
    answered = sum(len(talker.answered) for talker in everybody)
    bypassed = sum(len(talker.bypassed) + len(talker.late) for talker in everybody)
    repeated = sum(times - 1 for times in server.learned.values())
    daemon.check()
    print(f"{KILLS // 2} x {end}: {answered} answered, {bypassed} not promised, {learned} learned, {repeated} asked again")
    assert answered > KILLS, "hardly anybody was answered: this shows nothing"
    daemon.stop()


# ---- every commit boundary ----

SETTINGS = {
    "memory": {"summarize_after": "4", "summary_words": "2000"},
    "model": {"embedding": "scripted"},
    "storage": {"map_size": "64M"},
}


def run_script(folder, server, run, at, kinds, end, of="*"):
    """Kills the daemon at its crash point number `at` of those that match `of`. Gives the names of the
    points it came to, and whether it was killed."""
    daemon = CrashDaemon(folder / f"script-{run}", server, SETTINGS)
    script = Script(daemon, run)
    hook = {"CRASH_AT": str(at), "CRASH_KINDS": kinds, "CRASH_OF": of}
    start = daemon.start_for_power_cut if end == "power cut" else daemon.start
    start(wait=False, **hook)
    try:
        if daemon.is_up() and script.go_on():
            settle(script.everybody)
        daemon.hang_up()
        daemon.signal(signal.SIGTERM)
    except (OSError, http.client.HTTPException):
        pass
    code = daemon.wait_end()
    points = daemon.points()
    killed = sum(fnmatch(point, of) for point in points) == at
    assert code == (-signal.SIGKILL if killed else 0), f"{code}:\n{daemon.stderr}"
    assert killed or script.is_done, f"{script.stopped_at} failed, and nothing was killed\n{daemon.stderr}"
    if end == "power cut":
        daemon.cut_power()
    daemon.start()
    for talker in script.everybody:
        check_kept(talker)
    assert script.go_on(), f"after {len(points)}, {points[-1]}: {script.stopped_at} failed\n{daemon.stderr}"
    settle(script.everybody)
    for talker in script.everybody:
        check_kept(talker)
        check_learned(talker)
    script.check_whole()
    daemon.check()
    daemon.stop()
    shutil.rmtree(daemon.directory)
    return points, killed


@pytest.mark.parametrize("kinds, end", [("commit", "kill"), ("commit", "power cut"), ("all", "kill")])
def test_nothing_is_lost_or_done_twice_by_a_kill_at_any_commit_boundary(tmp_path, server, kinds, end):
    chance = random.Random(SEED)
    points, _ = run_script(tmp_path, server, 0, 0, kinds, "kill")
    numbers = list(range(1, len(points) * 3 // 4 if POINTS < len(points) // 2 else len(points) + 1))
    if len(numbers) > POINTS:  # of few none is beyond where a run with fewer commits ends
        numbers = sorted(chance.sample(numbers, POINTS))
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda at: run_script(tmp_path, server, at, at, kinds, end), numbers))
    reached = sum(killed for _, killed in ends)
    print(f"{kinds}, {end}: {reached} killed of {len(numbers)} tried and {len(points)} points")
    assert reached >= len(numbers) * 0.8


def test_nothing_is_lost_or_done_twice_by_a_kill_at_the_commit_of_each_kind_of_transaction(tmp_path, server):
    """Of those there are in the script, all are made; and the daemon dies before or behind each."""
    chance = random.Random(SEED)
    points, _ = run_script(tmp_path, server, 0, 0, "commit", "kill")
    counts = {kind: sum(fnmatch(point, f"after commit* {kind}*") for point in points) for kind in KINDS}
    assert all(counts.values()), f"these show nothing: {counts}"
    whens, ends = ["before", "after"], ["kill", "power cut"]
    cases = [(kind, when, end) for kind in KINDS for when in whens for end in ends]
    if not IS_LONG:
        # What a later transaction completes is missing behind it. Some of what is learned is forgotten later.
        cases = [(kind, "after", chance.choice(ends)) for kind in [*KINDS, "learned", "learned"]]

    def run_case(run, case):
        kind, when, end = case
        at = chance.randint(1, (counts[kind] + 1) // 2)  # later ones may be committed together
        return run_script(tmp_path, server, run, at, "commit", end, f"{when} commit* {kind}*")[1]

    with ThreadPoolExecutor(4) as pool:
        killed = list(pool.map(run_case, range(1, len(cases) + 1), cases))
    missed = [case for case, reached in zip(cases, killed) if not reached]
    print(f"{len(killed)} killed at kinds of transactions: {counts}")
    assert not missed, f"never came there: {missed}"


# ---- the end of a reply, over each API ----

ENDS = {  # where a request goes, and the first byte of what a streamed reply ends with
    "chat": ("/v1/chat/completions", b"data: [DONE]"),
    "responses": ("/v1/responses", b"event: response.completed"),
    "messages": ("/v1/messages", b"event: message_stop"),
    "ollama": ("/api/chat", b'"done": true'),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", ENDS)
def test_a_kill_right_behind_the_end_of_each_reply_loses_nothing_and_teaches_nothing_twice(
    make_daemon, provider, memory_model, user, api, stream
):
    daemon = make_daemon({"upstream": {"base_url": provider.base_url}, "memory": {"mode": "entity"}})
    path, end = ENDS[api]
    turns = [f"Note {n}: locker number {700 + n} is mine." for n in range(max(3, KILLS // 30))]
    history = []
    for n, turn in enumerate(turns):
        memory_model.answers[turn] = [fact(f"locker_{n}", f"locker number {700 + n}", turn)]
        history.append({"role": "user", "content": turn})
        asked = {"model": "m", "stream": stream, "max_tokens": 64, "input" if api == "responses" else "messages": history}
        with RawClient(daemon.port) as raw:
            raw.post_chat(json.dumps(asked).encode(), user, target=path)
            if stream:
                raw.read_content_until(end)
            else:
                assert raw.read_reply().whole
            daemon.kill()
        daemon.start()
        history.append({"role": "assistant", "content": f"Understood, this is answer {provider.last.number}."})
    daemon.settle(user)
    memory = daemon.memory(user)
    assert [(m["role"], m["content"]) for m in memory["messages"]] == [(m["role"], m["content"]) for m in history]
    assert len({m["session"] for m in memory["messages"]}) == 1
    assert sorted(f["value"] for f in memory["facts"]) == [f"locker number {700 + n}" for n in range(len(turns))]
    assert len({f["source"]["exchange"] for f in memory["facts"]}) == len(turns)


# ---- what goes on from a reply's id ----


def ask_and_kill(daemon, user, items, previous, stream):
    """Right when the client has the reply's end."""
    body = {"model": "test-model", "input": items, "stream": stream} | ({"previous_response_id": previous} if previous else {})
    with RawClient(daemon.port) as raw:
        raw.post_chat(json.dumps(body).encode(), user, target="/v1/responses")
        if stream:
            raw.read_content_until(b"event: response.completed")
        else:
            assert raw.read_reply().whole
        daemon.kill()
    daemon.start()


def called(keeper, id):
    """The id of the call with which that reply ends; None: it is an answer."""
    return keeper.kept[id][-1].get("call_id")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_chain_goes_on_after_a_kill_at_the_end_of_each_reply_and_in_a_rebuilt_store(
    make_daemon, upstream, memory_model, user, tmp_path, stream
):
    keeper = upstream.answer = Tools()
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    turns = [f"How is the weather, part {n}?" if n % 2 else f"Note {n}." for n in range(max(4, KILLS // 15))]
    id = None
    for n, turn in enumerate(turns):
        ask_and_kill(daemon, user, [{"role": "user", "content": turn}], id, stream)
        id = list(keeper.kept)[-1]
        if call := called(keeper, id):
            ask_and_kill(daemon, user, [{"type": "function_call_output", "call_id": call, "output": "It rains."}], id, stream)
            id = list(keeper.kept)[-1]
        if n == len(turns) // 2:  # the rest is said to a store that was built of an export
            daemon.stop()
            file = tmp_path / "out.jsonl"
            assert export(store_of(daemon), file).returncode == 0
            assert sum(line.get("table") == "link" for line in lines_of(file)) == len(keeper.kept)
            assert rebuild(tmp_path / "new", file).returncode == 0
            moved_to(daemon, tmp_path / "new")
    said = daemon.memory(user)["messages"]
    assert [m["content"] for m in said if m["role"] == "user"] == turns
    assert [m["role"] for m in said] == ["user", "assistant"] * len(turns)
    assert len({m["session"] for m in said}) == 1
