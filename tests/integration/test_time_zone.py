"""[memory] time_zone and X-Time-Zone: which day it is for the user."""

import pytest

from harness.chat import Chat
from harness.daemon import clean_environment, program
from harness.memory_model import fact
import subprocess

NEW_YEAR = "2026-01-01T03:30:00Z"  # still 2025 in New York


def imported(daemon, user):
    answer = {"role": "assistant", "content": "Fine.", "created_at": NEW_YEAR}
    said = {"role": "user", "content": "Tomorrow I sail.", "created_at": NEW_YEAR}
    daemon.import_messages(user, [said, answer])
    daemon.settle(user)


def test_the_learner_is_told_the_users_day(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"time_zone": "America/New_York"}})
    imported(daemon, user)
    assert "2025-12-31, Wednesday, 22:30 UTC-05:00" in memory_model.fact_calls("Tomorrow I sail.")[-1].asked


def test_without_a_zone_it_is_utc(daemon, memory_model, user):
    imported(daemon, user)
    assert "2026-01-01, Thursday, 03:30 UTC" in memory_model.fact_calls("Tomorrow I sail.")[-1].asked


@pytest.mark.parametrize(
    "header, shown", [("Pacific/Kiritimati", "UTC+14:00"), ("Mars/Olympus", "UTC-09:30"), ("../../etc/passwd", "UTC-09:30")]
)
def test_a_requests_own_zone_wins(make_daemon, upstream, memory_model, user, header, shown):
    daemon = make_daemon({"memory": {"time_zone": "Pacific/Marquesas"}})
    said = "Tomorrow I sail."
    memory_model.answers[said] = [fact("plan", "sail", "Tomorrow I sail")]
    Chat(daemon, user, headers={"X-Time-Zone": header}).say(said)
    daemon.settle(user)
    assert f" {shown} " in memory_model.fact_calls(said)[-1].asked + " "
    assert upstream.last.field("X-Time-Zone") is None


def test_an_export_keeps_the_users_day(make_daemon, memory_model, user, tmp_path):
    daemon = make_daemon({"memory": {"time_zone": "America/New_York"}})
    imported(daemon, user)
    daemon.stop()
    done = subprocess.run(
        [program("proxy/recallctl"), "-c", str(daemon.config_file), "export"],
        capture_output=True, text=True, env=clean_environment(), check=True,
    )
    assert '"utc_offset":-300' in done.stdout


def test_an_unknown_zone_is_refused_at_the_start(make_daemon, tmp_path):
    file = tmp_path / "bad.conf"
    file.write_text("[upstream]\nbase_url = http://127.0.0.1:9/v1\n[memory]\ntime_zone = Mars/Olympus\n")
    done = subprocess.run(
        [program("proxy/recalld"), "-t", "-c", str(file)], capture_output=True, text=True, env=clean_environment()
    )
    assert done.returncode == 1 and "time_zone" in done.stderr and "Europe/Berlin" in done.stderr
