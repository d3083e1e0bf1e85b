"""Large requests cost what their size says."""

import json
import time
from pathlib import Path
from harness.tries import by_the_clock


def peak_memory(daemon):
    """Of the daemon, in bytes."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(next(l for l in status.splitlines() if l.startswith("VmHWM")).split()[1]) * 1024


@by_the_clock
def test_a_large_turn_before_many_tool_calls_is_read_once(make_daemon, upstream, user):
    daemon = make_daemon()
    messages = [{"role": "user", "content": "A long document.\n" * 120_000}]
    for i in range(300):
        call = {"id": f"call_{i}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{i}", "content": "nothing"})
    body = json.dumps({"model": "m", "messages": messages}).encode()
    before, begun = peak_memory(daemon), time.monotonic()
    assert daemon.post_chat(body, {"X-User-Id": user}).status_code == 200
    assert peak_memory(daemon) - before < 30 * len(body)
    assert time.monotonic() - begun < 3
