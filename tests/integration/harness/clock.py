"""What is asserted of the clock. A busy machine only ever makes things later, so of several measures the
quickest tells: what is late by its own fault is late each time."""

import time


def until(condition, what="it never came to that", timeout=60):
    """Waits until condition() is true, and returns what it gave. After `timeout` seconds it fails and says
    `what`, which may also be a function that tells."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() >= end:
            raise AssertionError(what() if callable(what) else f"{what} (after {timeout} s)")
        time.sleep(0.02)
    return found


def next_second():
    """Waits for the clock's next second: the times of imports and of files may be whole seconds. The daemon's
    clock may be some milliseconds behind, and a time to come counts as none."""
    second = int(time.time())
    until(lambda: int(time.time() - 0.05) > second)


def quickest(measure, enough, tries=10):
    """The least of what measure() gives; it is called until that is below `enough`."""
    least = measure()
    while least >= enough and tries > 1:
        least = min(least, measure())
        tries -= 1
    return least
