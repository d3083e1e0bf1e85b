"""People who edit, fork, flip and forget at random, held against an oracle after each step.

    WANDER_SECONDS=S    goes on for so long, from a random seed, which is printed
    WANDER_SEED=N       begins with this one
"""

import os
import random
import time

import pytest

from harness.wanderer import wander

MEMORY = {"conversation_tokens": "60000", "context_tokens": "4000", "summarize_after": "20"}
OPERATIONS = 400
SEEDS = [("hybrid", 1), ("vector", 2), ("vector", 7), ("entity", 3), ("buffer", 5)]


@pytest.mark.parametrize(("mode", "seed"), SEEDS)
def test_nothing_that_a_random_client_does_breaks_a_promise(make_daemon, upstream, memory_model, mode, seed):
    daemon = make_daemon({"memory": MEMORY | {"mode": mode}})
    seconds = float(os.environ.get("WANDER_SECONDS") or 0)
    end = time.monotonic() + seconds
    if os.environ.get("WANDER_SEED"):
        seed = int(os.environ["WANDER_SEED"])
    elif seconds:
        seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    learns = mode in ("hybrid", "entity")
    wander(daemon, upstream, memory_model, seed, OPERATIONS, learns)
    while seconds and time.monotonic() < end:
        seed += 1
        wander(daemon, upstream, memory_model, seed, OPERATIONS, learns, at_end=lambda: time.monotonic() >= end)
