"""What operators get beside the programs (conf/) names nothing that recalld does not have."""

import json
import re
import shutil
import subprocess

import pytest

from harness.daemon import ROOT, clean_environment, program

CONF = ROOT / "conf"
TEXTS = [p for p in sorted(CONF.rglob("*")) if p.is_file() and p.suffix in (".yaml", ".yml", "", ".json")]


def metric_names(daemon):
    return set(re.findall(r"^# TYPE (\w+)", daemon.admin("GET", "/metrics").text, re.M))


def dashboard_queries():
    dashboard = json.loads((CONF / "grafana/recalld.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def test_alerts_and_the_dashboard_ask_for_metrics_that_exist(make_daemon, tmp_path):
    master = tmp_path / "master"
    master.write_bytes(bytes(range(32)))
    master.chmod(0o400)
    daemon = make_daemon({"storage": {"encrypt": "on", "key_file": str(master)}})  # has the metrics of its key, too
    alerts = (CONF / "prometheus/alerts.yml").read_text()
    asked = re.findall(r"\brecalld_\w+", alerts + "\n".join(dashboard_queries()))
    plain = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert len(plain) > 15
    assert plain - metric_names(daemon) == set()


def test_each_query_of_the_dashboard_names_its_instance():
    queries = dashboard_queries()
    assert queries and all('instance=~"$instance"' in query for query in queries)


def known_variables():
    reference = subprocess.run([program("tests/config-reference")], capture_output=True, text=True, check=True).stdout
    section, names = "", set()
    for line in reference.splitlines():
        head = re.match(r"\*\*\[(\w+)", line)
        key = re.match(r"\| `(\w+)`", line)
        if head:
            section = head[1]
        elif key:
            names.add(f"RECALLD_{section}_{key[1]}".upper())
    return names


def test_the_variables_that_conf_sets_are_keys():
    known = known_variables()
    assert "RECALLD_MEMORY_MODE" in known
    for path in TEXTS:
        if path.name in ("quickstart", "recalld.conf"):
            continue
        named = set(re.findall(r"\bRECALLD_[A-Z]+_[A-Z_]+\b", path.read_text()))
        assert named - known == set(), path


def commands():
    """recallctl's commands with their own options, and under "" those of every command."""
    printed = subprocess.run([program("proxy/recallctl"), "--complete"], capture_output=True, text=True, check=True).stdout
    every, *lines = printed.splitlines()
    return {"": every.split()} | {name: own for name, *own in map(str.split, lines)}


def test_each_command_of_recallctl_and_each_option_is_in_its_man_page():
    page = (CONF / "man/recallctl.1").read_text().replace("\\-", "-")
    named = commands()
    assert {"", "check", "show", "forget", "export"} <= named.keys()
    assert {name for name in named if name and not re.search(rf"^\.It Ic {name}\b", page, re.M)} == set()
    options = {option for own in named.values() for option in own}
    assert {option for option in options if not re.search(rf"^\.(?:It |Op )?Fl {option[1:]}\b", page, re.M)} == set()


def configuration_page():
    sources = [CONF / name for name in ("man/recalld.conf.5.in", "recalld.conf", "man/keys.md")]
    return subprocess.run(["python3", CONF / "man/configuration_page.py", *sources],
                          capture_output=True, text=True, check=True, env=clean_environment()).stdout


@pytest.mark.parametrize("page", ["recalld.8", "recallctl.1", "recalld-api.7", "recalld.conf.5"])
def test_man_pages_are_valid(page, tmp_path):
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    path = CONF / "man" / page
    if page == "recalld.conf.5":
        path = tmp_path / page
        path.write_text(configuration_page())
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


def test_each_key_is_in_recalld_conf_5():
    shown = set(re.findall(r"^\.It Ic (\w+)", configuration_page(), re.M))
    assert {name.split("_", 2)[2].lower() for name in known_variables()} - shown == set()
