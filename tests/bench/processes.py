"""What /proc says of a process and all its children, and processes that end with the bench."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    """In the child: whatever becomes of the bench, nothing is left running."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """A command in the background; `log` gets what it says."""

    def __init__(self, command, log, cores=None, environment=None, directory=None, **options):
        command = [str(word) for word in command]
        if cores:
            command = ["taskset", "-c", cores] + command
        kept = {n: v for n, v in os.environ.items() if not n.upper().endswith("_PROXY")}
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if "stdin" not in options else options["stdin"],
                stdout=options.get("stdout", errors),
                stderr=errors,
                env=kept | (environment or {}),
                cwd=directory,
                preexec_fn=die_with_parent,
            )
        self.log = Path(log)

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args[0]} ended: {self.log.read_text()[-800:]}")

    def wait_port(self, port, seconds=180):
        end = time.monotonic() + seconds
        while True:
            self.check()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > end:
                    raise RuntimeError(f"{' '.join(self.process.args)} does not listen") from None
            time.sleep(0.001)

    def stop(self):
        """Ends it and its children; those that do not go are killed."""
        children = tree(self.pid)[1:]
        for each in reversed(children):
            _signal(each, signal.SIGTERM)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for each in children:
            _signal(each, signal.SIGKILL)

    # ---- what it has used ----

    def cpu(self):
        """Seconds of CPU, user and system, of it and its children, with their threads that ended."""
        return sum(_cpu(pid) for pid in tree(self.pid))

    def rss_anon(self):
        """Bytes of anonymous resident memory of it and its children."""
        return sum(_status(pid, "RssAnon") for pid in tree(self.pid)) * 1024

    def written(self):
        """Bytes written to files: what goes by send() is not in it. The kernel's write_bytes would
        count a large folio of the page cache whole when one page of it is written."""
        return sum(_io(pid, "wchar") for pid in tree(self.pid))


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def tree(pid):
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(word) for word in task.read_text().split()]
            except OSError:
                pass
    return found


def tasks(pid):
    return sorted(Path(f"/proc/{pid}/task").glob("*"), key=lambda task: int(task.name))


def _cpu(pid):
    """The process's own clock, which clock_getcpuclockid(3) names: nanoseconds, where stat has ticks."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0


def _field(path, name):
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def _status(pid, name):
    return _field(f"/proc/{pid}/status", name)


def _io(pid, name):
    return _field(f"/proc/{pid}/io", name)
