"""Fixtures. One daemon, one upstream and one memory model serve the whole session; tests are kept
apart by user ids of their own. A test that needs its own daemon asks for `make_daemon`."""

import itertools
import os
import re

import pytest

from harness.chat import Chat
from harness.daemon import Daemon, DemoModel, merged
from harness.memory_model import MemoryModel
from harness.provider import Provider
from harness.upstream import Upstream

USERS = itertools.count(1)

SANITIZED = "sanitize" in os.environ.get("TEST_BUILD", "")


def pytest_collection_modifyitems(items):
    for item in items:
        if SANITIZED and item.get_closest_marker("costs"):
            item.add_marker(pytest.mark.skip(reason="costs are measured on the plain build"))


os.environ.pop("COLUMNS", None)  # what runs the tests in parallel sets it, and programs would go by it


@pytest.fixture(scope="session")
def shared_upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def shared_memory_model():
    model = MemoryModel()
    yield model
    model.close()


@pytest.fixture
def upstream(shared_upstream):
    shared_upstream.reset()
    yield shared_upstream
    faults = list(shared_upstream.faults)
    shared_upstream.reset()
    assert not faults, f"the upstream could not read a request: {faults}"


@pytest.fixture
def memory_model(request):
    """The shared daemons' one where the test uses such a daemon, set back. Otherwise the test's own, which
    receives no call that another test left behind."""
    if "shared_memory_model" in request.fixturenames:
        model = request.getfixturevalue("shared_memory_model")
        model.reset()
        yield model
        model.reset()
    else:
        model = MemoryModel()
        yield model
        model.close()


def wired(upstream, memory_model, changes=None):
    """A configuration that asks these two."""
    base = {
        "upstream": {"base_url": upstream.base_url},
        "model": {"base_url": memory_model.base_url, "api_key": "model-key", "name": "memory-model"},
    }
    return merged(base, changes)


MODES = ["buffer", "summary", "entity", "hybrid"]

# Those that find past turns (auto once it takes hybrid).
RECALLING = ["vector", "hybrid", "auto"]


def sections_by_user(**more):
    """Users named MODE-... have that mode; `more` are sections of their own."""
    return {f"memory user={mode}-*": {"mode": mode} for mode in MODES} | more


@pytest.fixture(scope="session")
def shared_daemon(shared_upstream, shared_memory_model, tmp_path_factory):
    config = wired(shared_upstream, shared_memory_model, sections_by_user())
    daemon = Daemon(tmp_path_factory.mktemp("recalld"), config).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(shared_daemon, upstream, memory_model):
    """The shared daemon, its upstream and memory model set back. A test that ends it has failed; the
    next one gets it started again."""
    if shared_daemon.process.poll() is not None:
        shared_daemon.start()
    yield shared_daemon
    shared_daemon.check_alive()


@pytest.fixture(scope="session")
def shared_provider():
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def provider(shared_provider):
    """An upstream that speaks all APIs."""
    shared_provider.reset()
    yield shared_provider
    faults = list(shared_provider.faults)
    shared_provider.reset()
    assert not faults, f"the provider could not read a request: {faults}"


@pytest.fixture(scope="session")
def shared_provider_daemon(shared_provider, shared_memory_model, tmp_path_factory):
    config = wired(shared_provider, shared_memory_model, sections_by_user())
    daemon = Daemon(tmp_path_factory.mktemp("recalld-provider"), config).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def provider_daemon(shared_provider_daemon, provider, memory_model):
    """A daemon in front of that provider; like `daemon` for the rest."""
    if shared_provider_daemon.process.poll() is not None:
        shared_provider_daemon.start()
    yield shared_provider_daemon
    shared_provider_daemon.check_alive()


@pytest.fixture
def make_daemon(tmp_path, upstream, memory_model):
    """Starts daemons of the test's own; all are stopped, and must have ended well."""
    made = []

    def make(changes=None, environment=None, start=True):
        config = wired(upstream, memory_model, changes)
        daemon = Daemon(tmp_path / f"recalld-{len(made)}", config, environment)
        made.append(daemon)
        return daemon.start() if start else daemon

    yield make
    for daemon in made:
        daemon.stop()


@pytest.fixture(scope="session")
def demo_model():
    model = DemoModel()
    yield model
    model.stop()


def in_front_of(model, **sections):
    """A configuration with the demo model as upstream and as memory model, as conf/quickstart has it."""
    return {
        "upstream": {"base_url": model.base_url},
        "model": {"name": "demo", "api_key": "demo-key"},
        "memory": {"summarize_after": "6"},
    } | sections_by_user(**sections)


@pytest.fixture(scope="session")
def demo_daemon(demo_model, tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("demo"), in_front_of(demo_model)).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def user(request):
    """An id that no other test has."""
    name = re.sub(r"\W+", "-", request.node.name)[:60].strip("-")
    return f"{name}-{next(USERS)}"


@pytest.fixture
def mode_user(user):
    """mode_user("entity"): an id whose mode is set so in the configuration."""
    return lambda mode: f"{mode}-{user}"


@pytest.fixture
def known_user(daemon, memory_model, user):
    """A user of whom something is remembered, so that requests get it injected."""
    return make_known(daemon, memory_model, user)


KNOWN_TURN = "My favourite colour is teal and I live in Lisbon."
KNOWN_VALUE = "Lisbon"


def make_known(daemon, memory_model, user, **options):
    from harness.memory_model import fact

    memory_model.answers[KNOWN_TURN] = [
        fact("favourite_colour", "teal", "My favourite colour is teal"),
        fact("home_city", "Lisbon", "I live in Lisbon"),
    ]
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": KNOWN_TURN, "created_at": "2026-01-05T10:00:00Z", "session": "past"},
            {"role": "assistant", "content": "Teal it is.", "created_at": "2026-01-05T10:00:05Z", "session": "past"},
        ],
        **options,
    )
    daemon.settle(user, options.get("tenant"))
    return user


@pytest.fixture
def chat(daemon):
    """chat(user, ...): a conversation with the shared daemon."""
    return lambda user=None, **options: Chat(daemon, user, **options)
