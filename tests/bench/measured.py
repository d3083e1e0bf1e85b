"""A daemon before the stub upstream, started to be measured: from the optimized build (BENCH_BUILD names
another), with Python's own library alone."""

import http.client
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[listen]
address = 127.0.0.1:{port}
admin = 127.0.0.1:{admin_port}
max_connections = 50000
{listen}
[upstream]
base_url = http://127.0.0.1:{stub_port}/v1
[model]
base_url = http://127.0.0.1:{stub_port}/learn/v1
api_key = stub
name = stub
{model}
[memory]
{memory}
[storage]
path = {store}
map_size = 8G
[log]
level = warn
{sections}
"""


def program(name):
    path = ROOT / os.environ.get("BENCH_BUILD", "build") / name
    if not path.exists():
        sys.exit(f"{path} is not built; see tests/bench/README.md")
    return str(path)


def allow_descriptors(wanted):
    """For this process and those it starts; root may raise its own limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        if hard < wanted:
            sys.exit(f"{wanted} descriptors are needed and {hard} allowed: run it as root, or after "
                     f"`ulimit -Hn {wanted}`")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stub:
    """tests/bench/upstream.c"""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [program("tests/bench-upstream"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def release(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/stub/release", body=b"")
        connection.getresponse().read()
        connection.close()


class Measured:
    """Use it with `with`: whatever happens, both processes are ended."""

    def __init__(self, store=None, stub_arguments=(), **parts):
        self.directory = tempfile.TemporaryDirectory()
        self.stub = Stub(*stub_arguments)
        self.port, self.admin_port = free_port(), free_port()
        self.config_file = Path(self.directory.name) / "recalld.conf"
        filled = {"listen": "", "model": "", "memory": "", "sections": ""} | parts
        self.store = Path(store or self.directory.name) / "store"
        self.config_file.write_text(CONFIG.format(
            port=self.port, admin_port=self.admin_port, stub_port=self.stub.port, store=self.store, **filled))
        self.stderr = open(Path(self.directory.name) / "stderr", "w+")
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("RECALLD_", "OPENAI_"))}
        self.process = subprocess.Popen(
            [program("proxy/recalld"), "-c", str(self.config_file)],
            stdin=subprocess.DEVNULL, stderr=self.stderr, env=kept)

    def __enter__(self):
        for _ in range(1000):
            try:
                if self.admin("GET", "/readyz")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.02)
        self.__exit__()
        sys.exit("recalld was not ready in 20 s:\n" + self.said())

    def __exit__(self, *_):
        for process in (self.process, self.stub.process):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def said(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def admin(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=60)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def metric(self, begin):
        lines = [l for l in self.admin("GET", "/metrics")[1].splitlines() if l.startswith(begin)]
        return int(sum(float(l.rsplit(" ", 1)[1]) for l in lines))

    def status(self, name):
        """Of /proc/PID/status; memory is in KB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)

    def anonymous(self):
        return self.status("RssAnon")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
