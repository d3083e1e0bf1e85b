"""The configuration and the daemon's life: -t, the environment, reloading, draining."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest

from harness.chat import Chat, stream_text
from harness.clock import until
from harness.daemon import ROOT, clean_environment, free_port, merged, program, write_config
from harness.upstream import sse_reply, text_events
from harness.wire import RawClient

HELLO = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}'


def recalld(*arguments, **environment):
    return subprocess.run(
        [program("proxy/recalld"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(**environment),
    )


def check(tmp_path, text, **environment):
    file = tmp_path / "test.conf"
    file.write_text(text)
    return recalld("-t", "-c", str(file), **environment)


# ---- -t ----


def test_version_and_help():
    assert re.search(r"\d+\.\d+\.\d+", recalld("--version").stdout)
    helped = recalld("--help")
    assert helped.returncode == 0 and "-t" in helped.stdout and "-c" in helped.stdout


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_could_not_be_printed_is_a_failure(option):
    for target, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        command = ["sh", "-c", f'exec "$0" "$@" {target}', program("proxy/recalld"), option]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment())
        assert done.returncode == 1 and f"recalld: cannot write output: {why}" in done.stderr


def test_an_unknown_option_is_refused():
    done = recalld("--frobnicate")
    assert done.returncode != 0 and done.stderr


def test_an_empty_file_is_a_configuration(tmp_path):
    assert check(tmp_path, "").returncode == 0


def test_every_form_of_value_is_understood(tmp_path):
    text = """\
# a comment
; another
[listen]
address = 127.0.0.1:9000      ; behind a value
admin=[::1]:9001
workers = 2
max_body = 1M
max_connections = 50
drain_timeout = 250ms

[upstream]
base_url = http://127.0.0.1:1234/v1/
connect_timeout = 10m
first_byte_timeout = 24h

[identity]
user_header = X-One, X-Two
user_body = user, metadata.user_id
[memory]
mode = entity
min_confidence = 0.55
secrets = keep
[memory model=gemma-2*]
role = user
[memory user=a*]
mode = off
[model]
api_key = sk-x
[retention]
messages = 0
[storage]
map_size = 2G
[log]
format = json
"""
    done = check(tmp_path, text)
    assert done.returncode == 0, done.stderr


def test_the_example_configuration_is_valid():
    example = ROOT / "conf" / "recalld.conf"
    assert example.exists(), "conf/recalld.conf is the annotated example"
    done = recalld("-t", "-c", str(example))
    assert done.returncode == 0, done.stderr


FAULTS = {
    "an unknown section": ("[listen]\nworkers = 1\n[nonsense]\nx = 1\n", 3),
    "an unknown key": ("[listen]\nadress = 127.0.0.1:1\n", 2),
    "a key before any section": ("address = 127.0.0.1:1\n", 1),
    "a duplicate": ("[memory]\nmode = off\nmode = off\n", 3),
    "a duplicate over two sections": ("[memory]\nmode = off\n[log]\n[memory]\nmode = off\n", 5),
    "a bad word": ("\n[memory]\nmode = everything\n", 3),
    "a bad switch": ("[memory]\ninject = yes\n", 2),
    "a bad duration": ("[listen]\ndrain_timeout = 5 parsecs\n", 2),
    "a duration without its unit": ("[listen]\ndrain_timeout = 5\n", 2),
    "a bad size": ("[listen]\nmax_body = huge\n", 2),
    "a bad number": ("[listen]\nworkers = -1\n", 2),
    "a number out of range": ("[memory]\nmin_confidence = 1.5\n", 2),
    "a number too large": ("[listen]\nworkers = 99999999999999999999\n", 2),
    "a bad address": ("[listen]\naddress = localhost\n", 2),
    "a bad port": ("[listen]\naddress = 127.0.0.1:99999\n", 2),
    "a bad base URL": ("[upstream]\nbase_url = ftp://x\n", 2),
    "a header name with a space": ("[identity]\nuser_header = X User\n", 2),
    "a line that is none": ("[listen]\nworkers\n", 2),
    "an unclosed section": ("[listen\nworkers = 1\n", 1),
    "an unknown selector": ("[memory colour=red]\nmode = off\n", 1),
    "a key that no selector takes": ("[memory user=x]\nnonsense = 1\n", 2),
    "a variable that is not set": ("[model]\napi_key = ${NOT_SET_ANYWHERE}\n", 2),
    "an admin address for all without a token": ("[listen]\nadmin = 0.0.0.0:8081\n", 2),
    "a time for ever that is none": ("[retention]\nmessages = forever\n", 2),
    "an action that is none": ("[pii]\nemail = hide\n", 2),
    "a class that is none": ("[pii]\nemails = mask\n", 2),
    "a model's personal data": ("[pii model=gpt*]\nemail = mask\n", 1),
}


@pytest.mark.parametrize(("text", "line"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_told_with_its_line_and_its_remedy(tmp_path, text, line):
    done = check(tmp_path, text)
    assert done.returncode == 1
    told = [l for l in done.stderr.splitlines() if l.startswith(f"{tmp_path}/test.conf:{line}: ")]
    assert told, done.stderr
    wrong, _, right = told[0].partition("; ")
    assert wrong and right, "what is wrong; what would be right"


def test_all_faults_are_told_at_once(tmp_path):
    done = check(tmp_path, "[memory]\nmode = x\ninject = y\n[nonsense]\n")
    assert [int(n) for n in re.findall(r"test\.conf:(\d+): ", done.stderr)] == [2, 3, 4]


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    done = recalld("-t", "-c", str(tmp_path / "missing.conf"))
    assert done.returncode == 1 and "missing.conf" in done.stderr


def test_a_daemon_does_not_start_on_a_fault(tmp_path):
    file = tmp_path / "bad.conf"
    file.write_text("[memory]\nmode = x\n")
    done = recalld("-c", str(file))
    assert done.returncode == 1 and f"{file}:2: " in done.stderr


@pytest.mark.parametrize("section", ["upstream", "model"])
def test_a_base_url_without_a_version_is_warned_of(tmp_path, section):
    for url, is_warned in (("http://h:1", True), ("https://h/api/", True), ("https://h/v1", False), ("https://h/v1beta/openai", False)):
        done = check(tmp_path, f"[{section}]\n\nbase_url = {url}\n")
        told = f"{tmp_path}/test.conf:3: warning: [{section}] base_url has no version such as /v1"
        assert done.returncode == 0 and (told in done.stderr) == is_warned, (url, done.stderr)


def test_anthropics_url_is_held_to_the_same(tmp_path):
    """Its SDKs take the URL without /v1."""
    bare = check(tmp_path, "[upstream]\nmessages_base_url = https://api.anthropic.com\n")
    told = f"{tmp_path}/test.conf:2: warning: [upstream] messages_base_url has no version such as /v1"
    assert bare.returncode == 0 and told in bare.stderr and "messages_base_url/messages" in bare.stderr
    assert "warning: [upstream]" not in check(tmp_path, "[upstream]\nmessages_base_url = https://api.anthropic.com/v1\n").stderr
    copied = check(tmp_path, "[upstream]\nmessages_base_url = https://api.anthropic.com/v1/messages\n")
    assert copied.returncode == 1 and "test.conf:2: [upstream] messages_base_url ends in an endpoint" in copied.stderr


@pytest.mark.parametrize("place", ["a file", "under a file", "where none can be made", "not a store", "half a store"])
def test_a_store_that_cannot_be_opened_is_a_fault(tmp_path, place):
    (store := tmp_path / "store").mkdir()
    (tmp_path / "file").touch()
    paths = {"a file": tmp_path / "file", "under a file": tmp_path / "file" / "store", "where none can be made": "/proc/recalld/store"}
    if place == "not a store":
        (store / "data.mdb").write_bytes(b"telltale" * 4096)
    if place == "half a store":
        (store / "rebuilding").touch()
    path = paths.get(place, store)
    left = sorted(tmp_path.rglob("*"))
    done = check(tmp_path, f"[log]\n[storage]\npath = {path}\n")
    assert done.returncode == 1 and f"{tmp_path}/test.conf:3: [storage] path: " in done.stderr and "; " in done.stderr
    started = recalld("-c", str(tmp_path / "test.conf"))
    assert started.returncode == 1 and "[storage] path: " in started.stderr, "the daemon says it too"
    assert place == "half a store" or set(left) <= set(tmp_path.rglob("*"))


def test_a_test_leaves_nothing_where_a_store_would_be_made(tmp_path):
    done = check(tmp_path, f"[storage]\npath = {tmp_path}/new/store\n")
    assert done.returncode == 0 and [p.name for p in tmp_path.iterdir()] == ["test.conf"]


def test_a_store_that_another_process_holds_is_warned_of(make_daemon):
    daemon = make_daemon()
    done = recalld("-t", "-c", str(daemon.config_file))
    line = daemon.config_file.read_text().splitlines().index(f"path = {daemon.directory}/store") + 1
    assert done.returncode == 0, "a daemon's configuration is tested while it runs"
    told = f"{daemon.config_file}:{line}: warning: [storage] path: {daemon.directory}/store is in use by another recalld (pid {daemon.process.pid}); "
    assert told in done.stderr


def test_secrets_are_never_printed(tmp_path):
    done = check(tmp_path, "[model]\napi_key = sk-very-secret\n[upstream]\napi_key = sk-more secret\nnonsense = 1\n")
    assert "sk-very-secret" not in done.stdout + done.stderr


# ---- the environment ----


def test_a_variable_overrides_a_key(tmp_path):
    good = "[memory]\nmode = entity\n"
    assert check(tmp_path, good, RECALLD_MEMORY_MODE="buffer").returncode == 0
    done = check(tmp_path, good, RECALLD_MEMORY_MODE="nonsense")
    assert done.returncode == 1 and "RECALLD_MEMORY_MODE" in done.stderr


def test_the_environment_is_replaced_within_values(make_daemon, upstream):
    daemon = make_daemon({"upstream": {"base_url": upstream.base_url, "api_key": "k-${KEY_PART}-z"}}, {"KEY_PART": "a;b"})
    daemon.post_chat(HELLO)
    assert upstream.last.field("Authorization") == "Bearer k-a;b-z"


def test_an_override_is_in_force(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"mode": "hybrid"}}, {"RECALLD_MEMORY_MODE": "off"})
    assert daemon.post_chat(HELLO, {"X-User-Id": user}).headers["X-Memory-Status"] == "off"


def test_proxies_of_the_environment_are_not_used(make_daemon, upstream):
    nowhere = f"http://127.0.0.1:{free_port()}"
    daemon = make_daemon(None, {"http_proxy": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere})
    assert daemon.post_chat(HELLO).status_code == 200


# ---- secrets in files ----


def secret_file(path, secret):
    """Replaced as a mounted Kubernetes secret is, by a rename."""
    new = path.with_suffix(".new")
    new.write_text(secret + "\n")
    new.chmod(0o600)
    new.rename(path)
    return str(path)


def test_keys_are_taken_from_files_and_taken_again_when_these_change(make_daemon, upstream, tmp_path):
    key, token = tmp_path / "key", tmp_path / "token"
    changes = {"upstream": {"base_url": upstream.base_url}, "listen": {"admin_token_file": "${SECRETS}/token"}}
    secret_file(token, "t0ken")
    environment = {"SECRETS": str(tmp_path), "RECALLD_UPSTREAM_API_KEY_FILE": secret_file(key, "sk-one")}
    daemon = make_daemon(changes, environment)
    daemon.post_chat(HELLO, {"Authorization": "Bearer the-clients"})
    assert upstream.last.field("Authorization") == "Bearer sk-one"
    assert daemon.admin("GET", "/metrics").status_code == 401
    assert daemon.admin("GET", "/metrics", headers={"Authorization": "Bearer t0ken"}).status_code == 200
    command = [program("proxy/recallctl"), "-c", str(daemon.config_file), "check"]
    assert subprocess.run(command, capture_output=True, timeout=60, env=clean_environment(**environment)).returncode == 0

    def key_sent():
        daemon.post_chat(HELLO)
        return upstream.last.field("Authorization")

    secret_file(key, "sk-two")
    until(lambda: key_sent() == "Bearer sk-two")
    secret_file(key, "sk three")
    daemon.wait_log("[upstream] api_key_file: its content holds a space")
    assert key_sent() == "Bearer sk-two", "a fault keeps the old one"
    secret_file(key, "sk-four")
    daemon.signal(signal.SIGHUP)
    until(lambda: key_sent() == "Bearer sk-four")
    assert not any(secret in daemon.stderr for secret in ("sk-", "sk three", "t0ken"))


def test_a_secrets_file_is_checked_before_the_start(tmp_path):
    path = secret_file(tmp_path / "key", "sk-one")
    good = f"[upstream]\napi_key_file = {path}\n"
    assert check(tmp_path, good).returncode == 0
    for bad in (good + "api_key = sk-two\n", f"[upstream]\napi_key_file = {path}.missing\n", f"[upstream]\napi_key_file = {tmp_path}\n"):
        done = check(tmp_path, bad)
        assert done.returncode == 1 and "[upstream] api_key" in done.stderr and "sk-one" not in done.stderr
    done = check(tmp_path, good, RECALLD_UPSTREAM_API_KEY="sk-two")
    assert done.returncode == 1 and "both set" in done.stderr
    (tmp_path / "key").chmod(0o644)
    done = check(tmp_path, good)
    assert done.returncode == 0 and "can be read by every user" in done.stderr


# ---- reloading ----


def change(daemon, **memory):
    daemon.config.setdefault("memory", {}).update(memory)
    write_config(daemon.config_file, daemon.config)


def mode_of(daemon, user):
    return daemon.post_chat(HELLO, {"X-User-Id": user}).headers["X-Memory-Mode"]


def until_mode(daemon, user, mode, timeout=60):
    until(lambda: mode_of(daemon, user) == mode, lambda: f"the mode is not {mode}:\n{daemon.stderr}", timeout)


def test_sighup_reads_the_configuration_again(make_daemon, user):
    daemon = make_daemon()
    assert mode_of(daemon, user) == "hybrid"
    change(daemon, mode="entity")
    daemon.signal(signal.SIGHUP)
    until_mode(daemon, user, "entity")


def test_a_changed_file_is_noticed(make_daemon, user):
    daemon = make_daemon()
    change(daemon, mode="buffer")
    until_mode(daemon, user, "buffer")


def test_a_file_that_is_being_written_is_not_read(make_daemon, user):
    """Half a file is a valid one: its other keys would stand at their defaults."""
    daemon = make_daemon({"memory": {"mode": "entity"}})
    whole = daemon.config_file.read_text()
    for text in ["", whole] * 15:
        written = time.monotonic()
        daemon.config_file.write_text(text)
        time.sleep(0.1)  # so slowly the file is written
        mode = mode_of(daemon, user)
        if time.monotonic() - written > 0.9:
            break  # this machine is so busy that the file stood still for a look
        assert mode == "entity"
    daemon.config_file.write_text(whole)
    change(daemon, mode="buffer")
    until_mode(daemon, user, "buffer")


def test_a_swapped_symlink_is_noticed(make_daemon, user):
    """As Kubernetes changes a mounted ConfigMap."""
    daemon = make_daemon(start=False)
    for name, mode in (("one", "entity"), ("two", "buffer")):
        (daemon.directory / name).mkdir()
        write_config(daemon.directory / name / "recalld.conf", daemon.config | {"memory": {"mode": mode}})
    data = daemon.directory / "data"
    data.symlink_to("one")
    daemon.config_file.symlink_to("data/recalld.conf")
    daemon.config |= {"memory": {"mode": "entity"}}  # what start() writes goes through the links into "one"
    daemon.start()
    assert mode_of(daemon, user) == "entity"
    swap = daemon.directory / "swap"
    swap.symlink_to("two")
    os.replace(swap, data)
    until_mode(daemon, user, "buffer")


def test_a_fault_keeps_the_old_configuration_and_says_so(make_daemon, user):
    daemon = make_daemon()
    change(daemon, mode="nonsense")
    daemon.signal(signal.SIGHUP)
    daemon.wait_log(f"{daemon.config_file}:")
    assert mode_of(daemon, user) == "hybrid"
    assert daemon.admin("GET", "/readyz").status_code == 200


def test_an_open_stream_goes_on_over_a_reload(make_daemon, upstream, user):
    daemon = make_daemon()
    gate = threading.Event()
    events = text_events("Begun under the old settings, ended under the new.")
    upstream.script(sse_reply(events, gates={4: gate}))
    with RawClient(daemon.port) as raw:
        raw.post_chat(STREAM, user)
        raw.read_until(b"data:")
        change(daemon, mode="off")
        daemon.signal(signal.SIGHUP)
        until_mode(daemon, user + "-other", "off")
        gate.set()
        reply = raw.read_reply()
    assert reply.whole and reply.body == b"".join(events)
    assert daemon.messages(user)[-1] == ("assistant", stream_text(reply.body))


# ---- the end ----


def test_sigterm_finishes_open_streams_refuses_new_ones_and_ends_with_0(make_daemon, upstream, user):
    daemon = make_daemon({"listen": {"drain_timeout": "20s"}})
    gate = threading.Event()
    events = text_events("The last words of a daemon.")
    upstream.script(sse_reply(events, gates={3: gate}))
    with RawClient(daemon.port) as raw:
        raw.post_chat(STREAM, user)
        raw.read_until(b"data:")
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("GET", "/readyz").status_code == 503, "not draining")
        assert daemon.admin("GET", "/healthz").status_code == 200
        with pytest.raises(httpx.TransportError):
            daemon.post_chat(HELLO)
        assert daemon.process.poll() is None
        gate.set()
        reply = raw.read_reply()
        assert reply.whole and reply.body == b"".join(events)
    assert daemon.wait_end() == 0
    daemon.start()
    assert daemon.messages(user)[-1] == ("assistant", stream_text(reply.body))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_either_signal_ends_it_with_0_and_quickly_when_nothing_is_open(make_daemon, number):
    daemon = make_daemon({"listen": {"drain_timeout": "30s"}})
    daemon.post_chat(HELLO)
    with RawClient(daemon.port):  # an idle connection keeps nobody
        daemon.signal(number)
        assert daemon.wait_end(25) == 0
    daemon.process = None
    daemon.check_sanitizers()


def test_drain_timeout_bounds_the_waiting(make_daemon, upstream, user):
    daemon = make_daemon({"listen": {"drain_timeout": "500ms"}})
    gate = threading.Event()
    upstream.script(sse_reply(text_events("Never to be finished."), gates={3: gate}))
    with RawClient(daemon.port) as raw:
        raw.post_chat(STREAM, user)
        raw.read_until(b"data:")
        daemon.signal(signal.SIGTERM)
        assert daemon.wait_end() == 0
        gate.set()
    daemon.start()
    assert [m["complete"] for m in daemon.memory(user)["messages"] if m["role"] == "assistant"] == [False]


def test_two_daemons_do_not_share_an_address(make_daemon):
    one = make_daemon()
    two = make_daemon(start=False)
    two.config["listen"]["address"] = one.config["listen"]["address"]
    two.start(wait=False)
    assert two.wait_end() != 0
    assert "address" in two.stderr
    two.process = None


def test_two_daemons_do_not_share_a_store(make_daemon):
    one = make_daemon()
    two = make_daemon(start=False)
    two.config["storage"]["path"] = one.config["storage"]["path"]
    two.start(wait=False)
    assert two.wait_end() != 0
    two.process = None


def test_without_an_admin_address_chats_are_served(make_daemon, user):
    daemon = make_daemon(start=False)
    daemon.config["listen"]["admin"] = ""
    daemon.start(wait=False)

    def answer():
        with contextlib.suppress(httpx.TransportError):
            return daemon.post_chat(HELLO, {"X-User-Id": user})

    assert until(answer, lambda: daemon.stderr).status_code == 200


@pytest.mark.parametrize("size", [50_000, 300_000, 1_500_000])
def test_a_store_that_is_full_lets_chats_go_on_and_breaks_no_promise(make_daemon, upstream, user, size):
    daemon = make_daemon({"storage": {"map_size": "8M"}})
    text = ("Words that fill a store. " * (size // 25))[:size]
    kept, bypassed = [], 0
    while bypassed < 3 and len(kept) < 400:
        name = f"{user}-{len(kept)}-{bypassed}"
        # Held, so that nothing of it gives way to the next: a crowded store makes room else.
        held = daemon.admin("PUT", f"/v1/users/{name}/settings", json={"hold_until": "2999-01-01T00:00:00Z"})
        assert held.status_code in (200, 503), held.text
        reply = Chat(daemon, name).send(text)
        assert reply.status_code == 200
        if reply.headers["X-Memory-Status"] == "bypassed":
            bypassed += 1
        else:
            kept.append(name)
            messages = daemon.admin("GET", f"/v1/users/{name}/memory").json()["messages"]
            assert messages, f"exchange {len(kept)} was promised to be on disk"
    assert bypassed, "the store never filled up"
    ready = daemon.admin("GET", "/readyz")
    assert ready.status_code == 200 and "no room" in ready.text, "chats go on, and the operator is told"
    for name in kept:
        assert daemon.admin("DELETE", f"/v1/users/{name}?force=1").status_code == 200
    until(lambda: "no room" not in daemon.admin("GET", "/readyz").text, "forgetting makes no room", 120)


def test_what_is_said_of_the_configuration_is_json_too(make_daemon):
    daemon = make_daemon({"log": {"format": "json"}, "model": {"api_key": ""}})
    write_config(daemon.config_file, merged(daemon.config, {"memory": {"mode": "bufer"}}))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("stays in force")
    daemon.stop()
    lines = [json.loads(line) for line in daemon.stderr_lines]
    (warning,) = (line for line in lines if "set [model] api_key" in line["message"])
    (fault,) = (line for line in lines if "[memory] mode is" in line["message"])
    assert (warning["level"], fault["level"]) == ("warn", "error")
    assert warning["message"].startswith(f"{daemon.config_file}: [model] base_url differs from")
    assert fault["message"].startswith(f"{daemon.config_file}:")


def test_log_lines_are_json_where_asked_for_and_name_no_text(make_daemon, user):
    daemon = make_daemon({"log": {"format": "json", "level": "debug"}})
    Chat(daemon, user).say("A sentence nobody should find in a log.")
    daemon.stop()
    lines = [json.loads(line) for line in daemon.stderr_lines]
    assert all(isinstance(line, dict) for line in lines)
    (exchange,) = (line for line in lines if line["message"] == "exchange")
    assert all(isinstance(exchange[n], int) for n in ("status", "tokens", "bytes", "first_byte_us", "elapsed_us"))
    assert "A sentence nobody" not in daemon.stderr and "test-key" not in daemon.stderr
