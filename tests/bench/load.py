"""Runs bench-load against a peer, and what the peer used for it."""

import json
import subprocess

from peers import ANSWER
from workplace import PROGRAMS


def load(peer, seed, cores=None, fields="", **options):
    """What bench-load reports; `fields` are more lines of the head, options its own."""
    command = ["taskset", "-c", cores] if cores else []
    command += [PROGRAMS / "bench-load", "--port", peer.port, "--seed", seed, "--path", peer.path]
    command += ["--fields", peer.fields + fields, "--model", peer.model, "--answer", ANSWER]
    for name, value in options.items():
        if value is True:
            command.append(f"--{name}")
        elif value:
            command += [f"--{name}", value]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, timeout=600)
    if not done.stdout:
        raise RuntimeError(f"bench-load failed against {peer.name}")
    return json.loads(done.stdout)


def check(peer, result, share=0.99):
    """A figure stands only when the work was really done."""
    faults = []
    if result["failed"] or result["broken"]:
        faults.append(f"{result['failed']} failed, {result['broken']} broke off")
    injects = peer.memory and peer.later != "mode = off"
    if injects and result["injected"] < share * result["exchanges"]:
        faults.append(f"only {result['injected']} of {result['exchanges']} were injected")
    if faults:
        raise RuntimeError(f"{peer.name}: {'; '.join(faults)}")


def memory_work(before, after, exchanges):
    """What the daemon itself counted between two looks at its metrics."""
    moved = {name: value - before.get(name, 0) for name, value in after.items()}
    bypassed = sum(v for n, v in moved.items() if n.startswith("recalld_bypassed_total"))
    journalled = moved["recalld_exchanges_journalled_total"]
    learned = moved['recalld_learned_total{kind="facts"}']
    if bypassed or journalled < exchanges:
        raise RuntimeError(f"{bypassed:.0f} bypassed, {journalled:.0f} of {exchanges} journalled")
    return {
        "learned": learned / exchanges,
        "commits": moved["recalld_store_commits_total"],
    }


def measured(peer, seed, **options):
    """As load(), with the CPU seconds that the peer used; for recalld until all of it is learned."""
    metrics = peer.metrics() if peer.memory else None
    begun, written = peer.process.cpu(), peer.process.written()
    result = load(peer, seed, **options)
    result["cpu_run"] = result["cpu"] = peer.process.cpu() - begun
    check(peer, result)
    if peer.memory and peer.later is None:
        result |= memory_work(metrics, peer.metrics(), result["exchanges"])
        settled = peer.settle()
        result["cpu"] = peer.process.cpu() - begun
        result["written"] = peer.process.written() - written
        learned = memory_work(metrics, peer.metrics(), result["exchanges"])["learned"]
        if not settled or learned < 0.99:
            raise RuntimeError(f"only {learned:.1%} of the exchanges were learned from")
    return result
