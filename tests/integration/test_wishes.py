"""A wish to forget in a chat: what the user names is erased, what the model names beyond it is hidden."""

import pytest

from harness.chat import Chat
from harness.memory_model import fact
from test_admin_recallctl import recallctl
from test_learning import teach


def hidden(daemon, user):
    """The values of the user's hidden facts."""
    answer = daemon.admin("GET", daemon.memory_path(user, "/facts") + "?state=hidden").json()
    return sorted(f["value"] for f in answer["facts"])


def test_recallctl_restores_a_hidden_fact(daemon, upstream, memory_model, user):
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    assert hidden(daemon, user) == ["Zwingli"]
    listed = recallctl(daemon, "facts", user, "--all")
    assert "Zwingli" in listed.stdout and "hidden" in listed.stdout
    assert "no hidden fact has the key" in recallctl(daemon, "restore", user, "oboe").stderr
    restored = recallctl(daemon, "restore", user, "canary")
    assert restored.returncode == 0 and "canary = Zwingli" in restored.stdout
    assert hidden(daemon, user) == [] and daemon.values(user) == ["Zwingli"]
    again = recallctl(daemon, "restore", user, "1")
    assert again.returncode == 1 and "stands" in again.stderr
    Chat(daemon, user, session="new").say("What is my canary called?")
    assert b"Zwingli" in upstream.last.body
