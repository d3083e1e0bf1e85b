"""The real daemon: started with a configuration on free ports and a store of its own, and looked
after to its end. Whoever stops it learns whether it ended well and what the sanitizers said."""

import contextlib
import fcntl
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

import httpx

from .clock import until

ROOT = Path(__file__).resolve().parents[3]
SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer")


def build_folder():
    """TEST_BUILD names the build folder; tests/run gives the sanitized one."""
    return ROOT / os.environ.get("TEST_BUILD", "build")


def program(name):
    path = build_folder() / name
    assert path.exists(), f"{path} is not built"
    return str(path)


def daemon_program():
    """TEST_DAEMON names another daemon of the build folder, for example tests/late/recalld."""
    return os.environ.get("TEST_DAEMON", "proxy/recalld")


dice = random.Random()  # tests that seed `random` would draw the same ports


def first_client_port():
    """From here on the kernel gives ports to clients, as it is mostly set."""
    first = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]
    return max(int(first), 20000)


class Reserved:
    """Ports of this process: each is locked in a file that all test processes share, until this one ends."""

    def __init__(self):
        self.file = os.open(Path(tempfile.gettempdir()) / "recalld-test-ports", os.O_RDWR | os.O_CREAT, 0o666)
        self.ports = set()

    def take(self, port):
        """Whether the port is this process's from now on; false too if it has been before."""
        if port in self.ports:
            return False
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            return False
        self.ports.add(port)
        return True


reserved = Reserved()


def free_ports(count):
    """None that another test's daemon has or could take, or that a client's connection could take, while a
    daemon is started anew."""
    ports = []
    while len(ports) < count:
        port = dice.randrange(10000, first_client_port())
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if reserved.take(port):
                ports.append(port)
    return ports


def free_port():
    return free_ports(1)[0]


def clean_environment(**more):
    """Without anything that could turn the daemon or a client away from what the test says."""
    dropped = ("RECALLD_", "OPENAI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    kept = {n: v for n, v in os.environ.items() if not n.upper().startswith(dropped)}
    kept["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
    kept["TSAN_OPTIONS"] = f"exitcode=66:suppressions={ROOT / 'tests/tsan.supp'}"
    kept["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return kept | more


def plain_client():
    """For http alone: without `verify` each client reads all certificates it knows of, 26 ms of a processor."""
    return httpx.Client(trust_env=False, verify=False, timeout=60)


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_config(path, config):
    lines = []
    for section, keys in config.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {value}" for key, value in keys.items()]
        lines.append("")
    Path(path).write_text("\n".join(lines))


def merged(base, changes):
    """`changes` laid over `base`, section by section."""
    result = {section: dict(keys) for section, keys in base.items()}
    for section, keys in (changes or {}).items():
        result.setdefault(section, {}).update(keys)
    return result


class Daemon:
    def __init__(self, directory, config=None, environment=None):
        self.directory = Path(directory)
        self.port, self.admin_port = free_ports(2)
        ours = {
            "listen": {
                "address": f"127.0.0.1:{self.port}",
                "admin": f"127.0.0.1:{self.admin_port}",
                "drain_timeout": "3s",
                "workers": "2",
            },
            "storage": {"path": str(self.directory / "store"), "map_size": "256M"},
            "log": {"level": "info"},
            # Learns from each exchange at once and alone, so that tests need not wait for it.
            "memory": {"learn_idle": "0s", "learn_batch": "1"},
        }
        self.config = merged(ours, config)
        self.environment = environment or {}
        self.config_file = self.directory / "recalld.conf"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.stderr_lines = []
        self._reader = None

    # ---- its life ----

    def write_configuration(self):
        write_config(self.config_file, self.config)

    def start(self, wait=True, nice=0):
        self.write_configuration()
        self.process = subprocess.Popen(
            ["nice", "-n", str(nice), program(daemon_program()), "-c", str(self.config_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=clean_environment(**self.environment),
        )
        self._reader = threading.Thread(target=self._read_stderr, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        if wait:
            self.wait_ready()
        return self

    def _read_stderr(self, pipe):
        for line in pipe:
            self.stderr_lines.append(line.decode("utf-8", "replace").rstrip("\n"))

    def wait_ready(self, timeout=60):
        def is_ready():
            assert self.process.poll() is None, f"recalld ended at its start:\n{self.stderr}"
            with contextlib.suppress(httpx.TransportError):
                return self.admin("GET", "/readyz").status_code == 200

        until(is_ready, lambda: f"recalld was not ready in {timeout} s:\n{self.stderr}", timeout)

    def signal(self, number):
        self.process.send_signal(number)

    def wait_end(self, timeout=60):
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def stop(self):
        """SIGTERM; it must end with 0, and no sanitizer may have spoken."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait_end()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"recalld did not end on SIGTERM:\n{self.stderr}") from None
        self.process = None
        self.check_sanitizers()
        assert code == 0, f"recalld ended with {code}:\n{self.last_words}"

    def kill(self):
        """kill -9, as a power cut would do it."""
        self.process.kill()
        self.wait_end()
        self.process = None
        self.check_sanitizers()

    def restart(self):
        self.stop()
        return self.start()

    def kill_and_restart(self):
        self.kill()
        return self.start()

    @property
    def stderr(self):
        return "\n".join(self.stderr_lines)

    def check_sanitizers(self):
        spoken = [l for l in self.stderr_lines if any(word in l for word in SANITIZER_WORDS)]
        assert not spoken, f"a sanitizer reported:\n{self.last_words}"

    def check_alive(self):
        if self.process.poll() is not None:
            self._reader.join(5)
            raise AssertionError(f"recalld has ended with {self.process.returncode}:\n{self.last_words}")

    @property
    def last_words(self):
        """Where a sanitizer began to speak, else the last lines."""
        spoken = [i for i, l in enumerate(self.stderr_lines) if any(w in l for w in SANITIZER_WORDS)]
        lines = self.stderr_lines[spoken[0] :] if spoken else self.stderr_lines[-20:]
        return "\n".join(lines[:60])

    def wait_log(self, text, timeout=120):
        until(lambda: text in self.stderr, lambda: f"{text!r} was not logged:\n{self.stderr}", timeout)

    # ---- its addresses ----

    def cpu_seconds(self):
        """What all its threads have used: a bound on it holds on a busy machine, too."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self):
        return self.origin + "/v1"

    def request(self, method, path, **options):
        options.setdefault("timeout", 300)
        with plain_client() as client:
            return client.request(method, self.origin + path, **options)

    def post_chat(self, body, headers=None, path="/v1/chat/completions"):
        """A chat request in exactly these bytes."""
        fields = {"Content-Type": "application/json"} | (headers or {})
        return self.request("POST", path, content=body, headers=fields)

    def admin(self, method, path, **options):
        options.setdefault("timeout", 120)
        token = self.config["listen"].get("admin_token")
        if token and "headers" not in options:
            options["headers"] = {"Authorization": f"Bearer {token}"}
        with plain_client() as client:
            return client.request(method, f"http://127.0.0.1:{self.admin_port}{path}", **options)

    # ---- what it remembers ----

    def memory_path(self, user, what="", tenant=None):
        suffix = f"?tenant={tenant}" if tenant is not None else ""
        return f"/v1/users/{quote(user, safe='')}{what}{suffix}"

    def memory(self, user, tenant=None):
        reply = self.admin("GET", self.memory_path(user, "/memory", tenant))
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
        return reply.json()

    def facts(self, user, tenant=None):
        """{(entity, key): [values]} of the current facts."""
        found = {}
        for fact in self.memory(user, tenant)["facts"]:
            found.setdefault((fact["entity"], fact["key"]), []).append(fact["value"])
        return found

    def values(self, user, tenant=None):
        return sorted(fact["value"] for fact in self.memory(user, tenant)["facts"])

    def messages(self, user, tenant=None):
        return [(m["role"], m["content"]) for m in self.memory(user, tenant)["messages"]]

    def knows(self, user, tenant=None):
        return self.admin("GET", self.memory_path(user, "/memory", tenant)).status_code == 200

    def wait_known(self, user, timeout=120):
        """Until something of the user is stored: what broke off is journalled when the client has its end."""
        until(lambda: self.knows(user), f"nothing of {user} is stored", timeout)

    def settle(self, user, tenant=None, timeout=120):
        """Until everything journalled has been learned from."""
        def pending():
            return self.memory(user, tenant)["pending"]

        until(
            lambda: pending() == 0,
            lambda: f"{pending()} exchanges of {user} still pending:\n{self.stderr[-4000:]}",
            timeout,
        )

    def import_messages(self, user, messages, learn=True, tenant=None):
        body = {"messages": messages, "learn": learn}
        reply = self.admin("POST", self.memory_path(user, "/messages", tenant), json=body)
        assert reply.status_code == 202, f"{reply.status_code} {reply.text}"

    def forget(self, user, tenant=None):
        reply = self.admin("DELETE", self.memory_path(user, "", tenant))
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"

    def hold(self, user, until="2999-01-01T00:00:00Z"):
        """Under a legal hold: such a user makes no room for others."""
        reply = self.admin("PUT", self.memory_path(user, "/settings"), json={"hold_until": until})
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"

    def receipt(self, receipt_id, tenant=None, timeout=120):
        """A receipt; that of a request which journals nothing may be written a moment later."""
        suffix = f"?tenant={tenant}" if tenant is not None else ""

        def read():
            reply = self.admin("GET", f"/v1/receipts/{receipt_id}{suffix}")
            return reply if reply.status_code == 200 else None

        return until(read, f"there is no receipt {receipt_id}", timeout).json()

    def metrics(self):
        reply = self.admin("GET", "/metrics")
        assert reply.status_code == 200
        return reply.text

    def metric(self, line_start):
        """The sum of the samples whose line begins so."""
        lines = [l for l in self.metrics().splitlines() if l.startswith(line_start)]
        return sum(float(l.rsplit(" ", 1)[1]) for l in lines)


def preloaded(directory, name):
    """The environment in which a daemon runs with harness/NAME.c laid over the C library."""
    source = Path(__file__).with_name(f"{name}.c")
    library = Path(directory) / f"{name}.so"
    command = ["cc", "-shared", "-fPIC", "-O1", f"-I{ROOT}", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    options = clean_environment()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": options}


def fast_clock(directory, speed):
    """The environment in which a daemon's clocks run `speed` times as fast; below 1, slowly."""
    return preloaded(directory, "fast_clock") | {"FAST_CLOCK": str(speed)}


def stalled_calls(directory, names=0.0, disk=0.0, wakes=0.0):
    """The environment in which looking up a name that begins with "stalled" takes `names` seconds and
    fails, writing to the disk takes `disk` seconds more, and waking another thread `wakes`, while the
    file "stalled" is in there."""
    mark = Path(directory) / "stalled"
    stalls = {"STALLED_NAMES": str(names), "STALLED_DISK": str(disk), "STALLED_WAKES": str(wakes)}
    stalls["STALLED_WHILE"] = str(mark)
    return preloaded(directory, "stalled_calls") | stalls


class DemoModel:
    """The small model of tests/model: answers only from what it finds in the request."""

    def __init__(self):
        self.port = free_port()
        self.stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [program("tests/demo-model"), "--port", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.stderr,
            env=clean_environment(),
        )
        until(self._listens, "demo-model does not listen")

    def _listens(self):
        assert self.process.poll() is None, "demo-model ended at its start"
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)
        self.stderr.seek(0)
        said = self.stderr.read().decode("utf-8", "replace")
        assert not any(word in said for word in SANITIZER_WORDS), f"a sanitizer reported:\n{said}"
