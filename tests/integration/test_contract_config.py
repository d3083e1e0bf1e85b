"""CONTRACT sections 1 and 2 from the outside: the smallest configurations, faults, reloads."""

import contextlib
import os
import re
import signal
import subprocess
import threading

import httpx
import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import Daemon, clean_environment, free_ports, program, write_config


def check(text, tmp_path, **environment):
    path = tmp_path / "c.conf"
    path.write_text(text)
    return subprocess.run(
        [program("proxy/recalld"), "-t", "-c", str(path)], capture_output=True, text=True,
        env=clean_environment(**environment), timeout=60,
    )


def test_an_empty_file_and_the_environment_are_enough(tmp_path, upstream, memory_model, user):
    daemon = Daemon(tmp_path / "d")
    daemon.config = {"listen": {}}
    daemon.environment = {
        "RECALLD_LISTEN_ADDRESS": f"127.0.0.1:{daemon.port}",
        "RECALLD_LISTEN_ADMIN": f"127.0.0.1:{daemon.admin_port}",
        "RECALLD_UPSTREAM_BASE_URL": upstream.base_url + "/",
        "RECALLD_MODEL_BASE_URL": memory_model.base_url,
        "RECALLD_MODEL_API_KEY": "test-key",
        "RECALLD_STORAGE_PATH": str(tmp_path / "deep" / "er" / "store"),
        "RECALLD_MEMORY_MODE": "entity",
    }
    daemon.start()
    try:
        turn = f"I am {user}."
        reply = Chat(daemon, user).say(turn)
        assert reply.headers["X-Memory-Mode"] == "entity"
        assert upstream.last.target == "/v1/chat/completions"
        daemon.settle(user)
        call = memory_model.fact_calls(turn)[-1]
        assert call.authorization == "Bearer test-key" and call.body["model"] == "test-model"
    finally:
        daemon.stop()


def is_ready(admin):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{admin}/readyz", trust_env=False, verify=False, timeout=60).status_code == 200


def test_without_c_the_environment_alone_configures(tmp_path, upstream, user):
    port, admin = free_ports(2)
    process = subprocess.Popen(
        [program("proxy/recalld")],
        env=clean_environment(
            RECALLD_LISTEN_ADDRESS=f"127.0.0.1:{port}", RECALLD_LISTEN_ADMIN=f"127.0.0.1:{admin}",
            RECALLD_UPSTREAM_BASE_URL=upstream.base_url, RECALLD_STORAGE_PATH=str(tmp_path / "s"),
        ),
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: is_ready(admin))
        reply = httpx.get(f"http://127.0.0.1:{port}/v1/models", trust_env=False, verify=False, timeout=60)
        assert reply.status_code == 200
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_every_fault_is_told_as_file_line_and_remedy(tmp_path):
    text = "[memory]\nmode = hybird\n\n[listen]\nadress = 127.0.0.1:1\nmax_body = many\n[memroy]\nx = 1\n"
    result = check(text, tmp_path)
    assert result.returncode == 1
    told = result.stderr + result.stdout
    for line in (2, 5, 6, 7):
        assert re.search(rf"c\.conf:{line}: [^;]+; \S", told), (line, told)


@pytest.mark.parametrize(
    "text, line",
    [
        ("[memory]\nmode = hybrid\nmode = buffer\n", 3),
        ("[memory]\nsummarize_after = 0\n", 2),
        ("[upstream]\nconnect_timeout = 5\n", 2),
        ("[upstream]\nbase_url = ftp://x/v1\n", 2),
        ("[memory]\nlearn = yes\n", 2),
        ("[memory]\nmin_confidence = 1.5\n", 2),
        ("[listen]\nadmin = 0.0.0.0:8081\n", 2),
        ("[listen]\naddress = nonsense\n", 2),
        ("mode = hybrid\n", 1),
        ("[memory]\nmode\n", 2),
        ("[memory\nmode = hybrid\n", 1),
        ("[memory color=red]\nmode = off\n", 1),
        ("[upstream]\napi_key = ${NOT_SET_ANYWHERE}\n", 2),
    ],
)
def test_a_fault_names_its_line(tmp_path, text, line):
    result = check(text, tmp_path)
    assert result.returncode == 1
    assert f"c.conf:{line}: " in result.stderr + result.stdout


@pytest.mark.parametrize("text", ["", "; nothing\n# nothing\n\n", "[memory]\n", "\ufeff[memory]\r\nmode = off\r\n"])
def test_what_says_little_is_valid(tmp_path, text):
    assert check(text, tmp_path).returncode == 0


def test_a_bad_override_is_a_fault_that_names_the_variable(tmp_path):
    result = check("", tmp_path, RECALLD_MEMORY_MODE="sometimes")
    assert result.returncode == 1 and "RECALLD_MEMORY_MODE" in result.stderr + result.stdout


def test_no_key_to_learn_with_is_a_warning_on_standard_error(tmp_path):
    result = check("[upstream]\nbase_url = http://127.0.0.1:9/v1\n", tmp_path)
    assert result.returncode == 0 and "api_key" in result.stderr


def test_a_token_lets_the_admin_address_leave_loopback(tmp_path):
    assert check("[listen]\nadmin = 0.0.0.0:8081\nadmin_token = t0ken\n", tmp_path).returncode == 0


def wait_mode(daemon, user, mode, timeout=60):
    until(
        lambda: Chat(daemon, user).say("Hello.").headers["X-Memory-Mode"] == mode,
        lambda: f"the mode did not become {mode}:\n{daemon.stderr}",
        timeout,
    )


def test_a_configmap_that_is_swapped_by_its_symlink_is_noticed(tmp_path, make_daemon, user):
    daemon = make_daemon({"memory": {"mode": "buffer"}}, start=False)
    mount = daemon.directory / "mount"
    for number, mode in enumerate(("buffer", "entity")):
        folder = mount / f"..data_{number}"
        folder.mkdir(parents=True)
        daemon.config["memory"]["mode"] = mode
        write_config(folder / "recalld.conf", daemon.config)
    (mount / "..data").symlink_to("..data_0")
    (mount / "recalld.conf").symlink_to("..data/recalld.conf")
    daemon.config_file = mount / "recalld.conf"
    daemon.process = subprocess.Popen(
        [program("proxy/recalld"), "-c", str(daemon.config_file)], stderr=subprocess.PIPE,
        env=clean_environment(), stdin=subprocess.DEVNULL,
    )
    daemon._reader = threading.Thread(target=daemon._read_stderr, args=(daemon.process.stderr,), daemon=True)
    daemon._reader.start()
    daemon.wait_ready()
    wait_mode(daemon, user, "buffer")
    (mount / "..data_tmp").symlink_to("..data_1")
    os.rename(mount / "..data_tmp", mount / "..data")
    wait_mode(daemon, user, "entity")


def test_sighup_with_a_bad_file_keeps_serving(make_daemon, user):
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    daemon.config_file.write_text("[memory]\nmode = nonsense\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_log(":2: ")
    wait_mode(daemon, user, "buffer", timeout=1)


def test_an_example_of_the_contract_is_understood(tmp_path):
    text = """
[listen]
address = 127.0.0.1:8080      ; clients use http://ADDRESS/v1 as their base URL; also unix:/path
admin = 127.0.0.1:8081        ; memory API, health, metrics; empty: none
admin_token =                 ; required as "Authorization: Bearer ..."
workers = 0                   ; event loops for traffic; 0: one per CPU
tls_certificate =             ; PEM
max_body = 64M                ; larger: 413
[upstream]
base_url = https://api.openai.com/v1   ; /v1/x
proxy =                       ; http://host:port
idle_timeout = 120s           # between two chunks
[identity]
user_header = X-User-Id, X-OpenWebUI-User-Id
user_body =                   ; user | safety_identifier | metadata.user_id
[memory]
mode = hybrid                 ; off | buffer
history = pass                ; pass | trim
[memory model=gemma-2*]       ; the same keys
role = user
[memory user=vip-*]
mode = buffer
[memory tenant=0123456789abcdef]
learn = off
[storage]
path = /var/lib/recalld
map_size = 16G                ; address space, not disk
"""
    result = check(text, tmp_path)
    assert result.returncode == 0, result.stderr


def test_sections_of_the_last_match_win(make_daemon, user):
    daemon = make_daemon({
        "memory user=*": {"mode": "entity"},
        "memory model=test-*": {"mode": "summary"},
        f"memory user={user}": {"mode": "buffer"},
    })
    assert Chat(daemon, user).say("Hello.").headers["X-Memory-Mode"] == "buffer"
    assert Chat(daemon, user + "-x").say("Hello.").headers["X-Memory-Mode"] == "summary"
    assert Chat(daemon, user + "-x").say("Hello.", model="other").headers["X-Memory-Mode"] == "entity"
