"""Who is measured: recalld, and what a user would run instead. Each is started on loopback in front
of an upstream, and looked after to its end."""

import http.client
import signal
import subprocess
import time

from processes import Process, free_port
from workplace import BENCH, PROGRAMS, RELEASE, WORK, fresh_folder

ANSWER = (
    "Yes. Set it up once, keep a copy of the settings beside it, and check after a week whether it "
    "still does what you want; if not, undo the last change first and look at the others after that."
)
REPLY = (
    '{"id":"chatcmpl-bench","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":'
    '[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":200,"completion_tokens":40,"total_tokens":240}}' % ANSWER
)

NGINX = """
worker_processes %(workers)d;
pid %(folder)s/nginx.pid;
error_log stderr warn;
daemon off;
events { worker_connections 8192; }
http {
	access_log off;
	client_max_body_size 64m;
	client_body_buffer_size 1m;
	client_body_temp_path %(folder)s/body;
	proxy_temp_path %(folder)s/proxy;
	fastcgi_temp_path %(folder)s/fastcgi;
	uwsgi_temp_path %(folder)s/uwsgi;
	scgi_temp_path %(folder)s/scgi;
	keepalive_requests 1000000000;
	%(http)s
}
"""

HAPROXY = """
global
	nbthread %(workers)d
	maxconn 4000
defaults
	mode http
	option http-no-delay
	timeout connect 5s
	timeout client 900s
	timeout server 900s
frontend chat
	bind 127.0.0.1:%(port)d
	default_backend model
backend model
	http-reuse always
	server model 127.0.0.1:%(upstream)d
"""

RECALLD = """
[listen]
address = 127.0.0.1:%(port)d
admin = 127.0.0.1:%(admin)d
workers = %(workers)d
[upstream]
base_url = http://127.0.0.1:%(upstream)d/v1
[memory]
%(memory)s
[model]
base_url = http://127.0.0.1:%(model)d/learn/v1
api_key = none
name = memory-model
[storage]
path = %(store)s
map_size = 8G
[log]
level = warn
"""


class PlainUpstream:
    """nginx, which answers every request at once with the same reply."""

    def __init__(self, cores=None):
        folder = fresh_folder("plain-upstream")
        self.port = free_port()
        server = (
            f"server {{ listen 127.0.0.1:{self.port} backlog=4096; location / "
            f"{{ default_type application/json; return 200 '{REPLY}'; }} }}"
        )
        config = folder / "nginx.conf"
        config.write_text(NGINX % {"workers": 1, "folder": folder, "http": server})
        self.process = Process(["nginx", "-p", folder, "-c", config], folder / "log", cores=cores)
        self.process.wait_port(self.port)

    def stop(self):
        self.process.stop()


class StubUpstream:
    """tests/bench/upstream.c, as the upstream or as the memory model."""

    def __init__(self, events=100, gap=10, answer=None, cores=None):
        command = [PROGRAMS / "bench-upstream", "--events", events, "--gap", gap]
        command += ["--answer", answer] if answer else []
        self.process = Process(
            command,
            WORK / "upstream.log",
            cores=cores,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.port = int(self.process.process.stdout.readline())

    def pause(self):
        self.process.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.stop()


class Peer:
    """`path` and `fields` are what its clients send, `model` the name they ask for."""

    path = "/v1/chat/completions"
    fields = ""
    model = "gpt-4o-mini"
    memory = False
    streams = 200  # that it is asked for at once
    slow = False  # too slow for the large requests

    def __init__(self, upstream, workers=1, cores=None):
        self.upstream, self.workers, self.cores = upstream, workers, cores
        self.port = free_port()
        self.folder = fresh_folder(f"{self.name}-{self.port}")
        self.begun = time.monotonic()
        self.process = self.start()
        try:
            self.wait_ready()
        except RuntimeError:
            self.process.stop()
            raise
        self.ready_after = time.monotonic() - self.begun

    def wait_ready(self):
        self.process.wait_port(self.port)

    def run(self, command, **options):
        return Process(command, self.folder / "log", cores=self.cores, **options)

    def settle(self):
        """Until what the exchanges left to do is done."""

    def stop(self):
        self.process.stop()


class Direct(Peer):
    """No proxy at all: the upstream itself."""

    name = "direct"

    def __init__(self, upstream, workers=1, cores=None):
        self.upstream, self.process, self.port = upstream, upstream.process, upstream.port

    def stop(self):
        pass


class HAProxy(Peer):
    name = "haproxy"

    def start(self):
        config = self.folder / "haproxy.cfg"
        names = {"port": self.port, "upstream": self.upstream.port, "workers": self.workers}
        config.write_text(HAPROXY % names)
        return self.run(["haproxy", "-db", "-f", config])


class Nginx(Peer):
    name = "nginx"

    def start(self):
        chat = (
            f"upstream model {{ server 127.0.0.1:{self.upstream.port}; keepalive 1024; "
            f"keepalive_requests 1000000000; }} server {{ listen 127.0.0.1:{self.port} backlog=4096; "
            "location / { proxy_pass http://model; proxy_http_version 1.1; "
            'proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 900s; } }'
        )
        config = self.folder / "nginx.conf"
        config.write_text(NGINX % {"workers": self.workers, "folder": self.folder, "http": chat})
        return self.run(["nginx", "-p", self.folder, "-c", config])


class Recalld(Peer):
    name = "recalld"
    memory = True
    later = None  # of [memory], once its users have something to be remembered

    def __init__(self, upstream, model, workers=1, cores=None):
        self.model_stub = model
        self.admin_port = free_port()
        super().__init__(upstream, workers, cores)

    def configure(self, settings=""):
        config = self.folder / "recalld.conf"
        names = {
            "port": self.port,
            "admin": self.admin_port,
            "workers": self.workers,
            "upstream": self.upstream.port,
            "model": self.model_stub.port,
            "memory": settings,
            "store": self.folder / "store",
        }
        config.write_text(RECALLD % names)
        return config

    def start(self):
        return self.run([RELEASE / "proxy" / "recalld", "-c", self.configure()])

    def wait_ready(self):
        self.process.wait_port(self.admin_port)
        while self.ask_admin("/readyz")[0] != 200:
            time.sleep(0.001)

    def change_settings(self):
        if self.later is None:
            return
        name = "recalld_config_reloads_total"
        before = self.metrics()[name]
        self.configure(self.later)
        self.process.process.send_signal(signal.SIGHUP)
        while self.metrics()[name] == before:
            time.sleep(0.05)

    def ask_admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        connection.request("GET", path)
        reply = connection.getresponse()
        said = reply.read().decode()
        connection.close()
        return reply.status, said

    def metrics(self):
        samples = {}
        for line in self.ask_admin("/metrics")[1].splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def pending(self):
        """Exchanges that wait to be learned from, and what the learner does now."""
        samples = self.metrics()
        learned = samples['recalld_learned_total{kind="facts"}']
        waiting = samples["recalld_exchanges_journalled_total"] - learned
        return waiting + samples["recalld_learner_queue"] + samples["recalld_learner_calls"]

    def settle(self, seconds=120):
        end = time.monotonic() + seconds
        while self.pending() > 0:
            self.process.check()
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True


class RecalldWithoutLearning(Recalld):
    """It injects what it knows and journals nothing."""

    name = "recalld, learn = off"
    later = "learn = off"


class RecalldOff(Recalld):
    """No memory at all: nothing is injected, journalled or learned."""

    name = "recalld, mode = off"
    later = "mode = off"


class Portkey(Peer):
    name = "portkey"
    slow = True
    streams = 20

    def start(self):
        self.fields = (
            "x-portkey-provider: openai\r\n"
            f"x-portkey-custom-host: http://127.0.0.1:{self.upstream.port}/v1\r\n"
        )
        program = BENCH / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
        return self.run(["node", program, "--headless", f"--port={self.port}"])


class LiteLLM(Peer):
    name = "litellm"
    slow = True
    streams = 5

    def start(self):
        config = self.folder / "config.yaml"
        config.write_text(
            "model_list:\n  - model_name: gpt-4o-mini\n    litellm_params:\n"
            "      model: openai/gpt-4o-mini\n      api_key: sk-bench\n"
            f"      api_base: http://127.0.0.1:{self.upstream.port}/v1\n"
        )
        command = [BENCH / "venv/bin/litellm", "--config", config, "--host", "127.0.0.1"]
        command += ["--port", self.port, "--num_workers", self.workers, "--telemetry", "False"]
        # Several workers take longer to start than the 5 s after which each would be begun anew.
        command += ["--timeout_worker_healthcheck", "120"]
        environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONUNBUFFERED": "1"}
        return self.run(command, environment=environment)
