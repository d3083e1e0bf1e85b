"""What a running daemon takes over of a changed configuration."""

import errno
import json
import os
import signal
import subprocess
import threading
import time

from harness.clock import next_second, until
from harness.daemon import clean_environment, merged, program, write_config
from test_life import HELLO
from test_life_bytes import padded


def mode_of(daemon):
    return daemon.post_chat(HELLO, {"X-User-Id": "reader"}).headers["X-Memory-Mode"]


def open_to_write(pipe, timeout=60):
    """Once somebody has opened the other end."""


    def opened():
        try:
            return open(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb")
        except OSError as fault:
            if fault.errno != errno.ENXIO:
                raise

    writer = until(opened, "nobody opened the other end", timeout)
    os.set_blocking(writer.fileno(), True)
    return writer


def test_a_reload_that_is_asked_for_while_it_starts_is_made_then(make_daemon):
    """Its configuration comes through a pipe, so that the signal arrives while it is being read."""
    daemon = make_daemon(start=False)
    pipe, file = daemon.directory / "pipe", daemon.directory / "file"
    os.mkfifo(pipe)
    write_config(file, daemon.config)
    config = file.read_bytes()
    command = [program("proxy/recalld"), "-c", str(pipe)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=clean_environment()) as process:
        end = threading.Timer(60, process.kill)
        end.start()
        with open_to_write(pipe) as out:
            process.send_signal(signal.SIGHUP)
            file.rename(pipe)
            out.write(config)
        is_reloaded = any(b"configuration reloaded" in line for line in process.stderr)
        process.terminate()
        process.stderr.read()
        end.cancel()
    assert is_reloaded and process.returncode == 0


def test_signals_that_mean_something_to_other_proxies_do_nothing(make_daemon):
    daemon = make_daemon()
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        daemon.signal(number)
    assert daemon.admin("GET", "/readyz").status_code == 200
    daemon.check_alive()


def test_a_file_that_an_editor_renames_into_place_is_noticed(make_daemon):
    """It writes a new one, moves the old one away, and the new one to its name."""
    daemon = make_daemon()
    daemon.config |= {"memory": {"mode": "buffer"}}
    new = daemon.directory / "recalld.conf.new"
    write_config(new, daemon.config)
    os.rename(daemon.config_file, daemon.directory / "recalld.conf~")
    time.sleep(1.5)  # the daemon looks each second, and keeps what it has while there is no file
    assert mode_of(daemon) == "hybrid"
    os.rename(new, daemon.config_file)
    until(lambda: mode_of(daemon) == "buffer", "it was not noticed")
    assert "faults" not in daemon.stderr


def test_what_needs_a_restart_is_said_by_name_until_it_is_taken_back(make_daemon):
    daemon = make_daemon({"log": {"format": "json"}})
    was = daemon.config["listen"]["workers"]
    for count, workers in enumerate(["3", "3", "3", was], 1):
        daemon.config["listen"]["workers"] = workers
        daemon.config["upstream"]["idle_timeout"] = f"{100 + count}s"
        write_config(daemon.config_file, daemon.config)
        daemon.signal(signal.SIGHUP)
        until(lambda: daemon.metric("recalld_config_reloads_total") >= count, "it was not read")
    until(lambda: daemon.stderr.count("restart recalld to apply") >= 3)
    told = [line for line in daemon.stderr_lines if "restart recalld to apply" in line]
    assert [json.loads(line)["message"].split(": ")[1] for line in told] == ["listen.workers"] * 3


def reload(daemon, sections):
    count = daemon.metric("recalld_config_reloads_total")
    daemon.config = merged(daemon.config, sections)
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.metric("recalld_config_reloads_total") > count, "it was not read")


def test_a_start_with_defaults_warns_of_nothing_and_a_reload_says_each_line_once(make_daemon, tmp_path):
    daemon = make_daemon({"model": {"api_key": "", "base_url": ""}})
    assert [line for line in daemon.stderr_lines if " warn " in line] == []
    key = tmp_path / "key"
    key.write_text("k\n")
    key.chmod(0o600)
    # A file that the new configuration is the first to name has it read twice.
    reload(daemon, {"upstream": {"api_key_file": str(key)}, "memory": {"mode": "off"}})
    until(lambda: "configuration reloaded" in daemon.stderr)
    assert daemon.stderr.count("nothing will be learned") == 1


def test_a_reload_reaches_the_log(make_daemon):
    daemon = make_daemon({"log": {"format": "json", "level": "error"}})
    reload(daemon, {"log": {"level": "info"}})
    daemon.wait_log('"configuration reloaded"')
    reload(daemon, {"log": {"format": "text"}})
    until(lambda: not daemon.stderr_lines[-1].startswith("{"), "it is JSON still")


def test_a_reload_reaches_the_admin_address(make_daemon):
    daemon = make_daemon({"listen": {"admin_token": "old"}})
    daemon.config["listen"]["admin_token"] = "new"
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)

    def answers(token):
        return daemon.admin("GET", "/metrics", headers={"Authorization": f"Bearer {token}"}).status_code

    until(lambda: answers("new") == 200, "the new token is not taken")
    assert answers("old") == 401


def test_a_reload_reaches_the_learner(make_daemon, memory_model, user):
    daemon = make_daemon()
    reload(daemon, {"model": {"name": "another-model", "api_key": "another-key"}})
    daemon.post_chat(HELLO, {"X-User-Id": user})
    daemon.settle(user)
    call = memory_model.calls()[-1]
    assert (call.body["model"], call.authorization) == ("another-model", "Bearer another-key")


def test_a_reload_reaches_what_a_request_may_have(make_daemon):
    daemon = make_daemon()
    reload(daemon, {"listen": {"max_body": "1K"}})
    until(lambda: daemon.post_chat(padded(2000)).status_code == 413, "the new limit is not kept")


def test_what_was_read_is_not_read_again_and_a_fault_told_once(make_daemon):
    daemon = make_daemon()
    reload(daemon, {"memory": {"mode": "buffer"}})
    time.sleep(2.5)  # two looks at the file, neither of which may read it
    assert daemon.metric("recalld_config_reloads_total") == 1
    daemon.config["memory"]["mode"] = "nonsense"
    write_config(daemon.config_file, daemon.config)
    until(lambda: daemon.metric("recalld_config_faults_total") == 1, "the fault is not counted")
    time.sleep(2.5)  # as above
    assert daemon.metric("recalld_config_faults_total") == 1
    assert daemon.stderr.count("the old one stays in force") == 1


def test_a_change_of_the_same_size_in_the_same_second_is_noticed(make_daemon):
    daemon = make_daemon()
    next_second()  # so that both changes fit into one
    reload(daemon, {"memory": {"mode": "entity"}})
    daemon.config["memory"]["mode"] = "buffer"
    write_config(daemon.config_file, daemon.config)
    until(lambda: mode_of(daemon) == "buffer", "it was not noticed")


def test_two_daemons_on_one_store_are_refused_with_what_to_do(make_daemon):
    one = make_daemon()
    two = make_daemon({"storage": {"path": one.config["storage"]["path"]}}, start=False)
    two.start(wait=False)
    assert two.wait_end() == 1
    two.process = None
    assert one.config["storage"]["path"] in two.stderr and "is in use by another recalld" in two.stderr
    assert one.admin("GET", "/readyz").status_code == 200


def test_an_address_that_cannot_be_had_is_refused_with_what_to_do(make_daemon, tmp_path):
    taken = make_daemon()
    said = {
        f"127.0.0.1:{taken.port}": "in use; stop the process that listens there, or choose another port",
        "192.0.2.1:8080": "; choose an address of this machine",
        f"unix:{tmp_path}/no/socket": "its directory does not exist; create it, or choose another path",
    }
    for address, message in said.items():
        daemon = make_daemon({"listen": {"address": address}}, start=False)
        daemon.start(wait=False)
        assert daemon.wait_end() == 1
        daemon.process = None
        assert f"[listen] address: cannot listen on {address}: " in daemon.stderr and message in daemon.stderr
