"""Many connections, and many exchanges, in the small: the programs of tests/bench and tests/soak, whose
full size is in tests/bench/README.md. They measure the plain build; a sanitizer's memory would say nothing. The soak
also runs against the build under test, for what the sanitizers say of its faults."""

import os
import subprocess
import sys

import pytest
from harness.daemon import ROOT, clean_environment


def run(program, *arguments, build="build"):
    environment = clean_environment(BENCH_BUILD=build)
    command = [sys.executable, str(ROOT / "tests" / program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_connection_and_a_stream_take_is_bounded_and_comes_back():
    run("bench/connections", "--idle", "1000", "--streams", "200", "--rounds", "1", "--check", "12,64")


# The daemon may keep 8 MB that it has freed, which a short run cannot tell from a leak.
def test_the_daemons_memory_does_not_grow_with_exchanges_and_faults():
    run("soak/run", "--exchanges", "3000", "--rests", "2", "--tolerance", "12")


@pytest.mark.skipif(os.environ.get("TEST_BUILD", "build") == "build", reason="it is the same build")
def test_faults_of_all_kinds_mixed_upset_no_sanitizer():
    run("soak/run", "--exchanges", "1000", "--clients", "8", "--rests", "1", build=os.environ["TEST_BUILD"])
