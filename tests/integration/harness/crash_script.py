"""A scripted workload that makes a transaction of every kind, to be killed anywhere in it. A step that
was cut short is not taken again: what it left behind is there as a whole or not at all."""

import http.client
import json
import re
import time

from .crash import Talker, read_turns

# What its transactions do, as harness/crash_kinds.h names them.
KINDS = [
    "append", "replay", "superseded", "tool-call", "receipt", "import", "forget",
    "learned", "hidden", "summarized", "postponed", "vectors",
]  # fmt: skip


class Script:
    def __init__(self, daemon, run):
        self.daemon, self.run = daemon, run
        self.main = Talker(daemon, f"main-{run}", "stream, close at done", run)
        self.past = Talker(daemon, f"past-{run}", "plain", run)
        self.gone = Talker(daemon, f"gone-{run}", "plain", run)
        self.tool = Talker(daemon, f"tool-{run}", "plain", run)
        self.edit = Talker(daemon, f"edit-{run}", "stream", run)
        self.everybody = [self.main, self.past, self.gone, self.tool, self.edit]
        self.told_to_forget = None
        self.is_done = False
        self.stopped_at = "its start"
        self.steps = iter(
            [
                self.notes, self.import_past, self.broken, self.tools, self.branch, self.receipt_only,
                self.recalled, self.forget_turn, self.forget_user, self.unpark, self.summary,
            ]  # fmt: skip
        )

    def go_on(self):
        """True: all that was left was done; False: the daemon is gone."""
        self.daemon.hang_up()
        for step in self.steps:
            self.stopped_at = step.__name__
            try:
                if not step():
                    self.stopped_at += f": {[talker.trouble for talker in self.everybody]}"
                    return False
            except (OSError, http.client.HTTPException) as fault:
                self.stopped_at += f": {fault!r}"
                return False
        self.is_done = True
        return True

    def check_whole(self):
        """What was done at one stroke is there as a whole or not at all."""
        past = [tag for role, tag, _ in read_turns(self.daemon, self.past.user) if role == "assistant"]
        assert [tag in past for tag in self.past.said[:3]] in ([], [True] * 3, [False] * 3), past
        if self.told_to_forget:
            text = self.daemon.admin("GET", self.daemon.memory_path(self.main.user, "/memory")).text
            assert f"{self.told_to_forget}." not in text and f"{self.told_to_forget} " not in text

    def say(self, talker, words=".", **options):
        return self.daemon.server.run(talker.note(words, **options))

    def notes(self):
        """The first one's lesson fails, and is put off by itself, not in one commit with the next one."""
        return (
            self.say(self.main, " at the second try.")
            and self.daemon.comes_to("after commit* postponed*")
            and all(self.say(talker) for talker in (self.main, self.gone, self.edit, self.edit))
        )

    def import_past(self):
        """Once on disk it is there as a whole."""
        turns = []
        for _ in range(3):
            tag = self.past.next_tag()
            self.daemon.server.whole[tag] = time.monotonic()
            turns += [
                {"role": "user", "content": f"Note {tag}.", "session": "past"},
                {"role": "assistant", "content": f"Noted {tag}.", "session": "past"},
            ]
        self.daemon.import_messages(self.past.user, turns)
        self.past.answered += self.past.said
        return True

    def broken(self):
        return not self.say(self.main, " and break off.") and self.daemon.is_up()

    def tools(self):
        talker, tag = self.tool, self.tool.next_tag()
        text = f"Note {tag} with a tool."
        call = {"id": "c", "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"what": tag})}}
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": None, "tool_calls": [call]}]
        if not self.daemon.server.run(talker.say(tag, text)):
            return False
        talker.answered.clear()  # its last reply is the one to be remembered
        talker.history.clear()
        result = {"role": "tool", "tool_call_id": "c", "content": "found"}
        return self.daemon.server.run(talker.say(tag, text, messages=[*turns, result]))

    def branch(self):
        """The second turn is asked again, then another is put in its place."""
        if len(self.edit.answered) < 2:
            return True
        tag = self.edit.answered.pop()
        self.edit.history = self.edit.history[:2]
        if not self.daemon.server.run(self.edit.say(tag, f"Note {tag}.")):
            return False
        self.edit.is_promised_no_more(tag)
        self.edit.history = self.edit.history[:2]
        return self.say(self.edit)

    def receipt_only(self):
        talker = Talker(self.daemon, self.main.user, "plain", self.run, sends_history=False)
        whole = self.daemon.server.run(talker.say("", "What did I note?", **{"X-Memory-Mode": "readonly"}))
        self.stopped_at += f" {talker.trouble}"
        if whole:  # kept a moment later
            self.daemon.receipt(re.search(rb"(?i)x-memory-receipt: (\w+)", talker.head)[1].decode())
        return whole

    def recalled(self):
        return self.say(self.past, ". What about the other notes?")

    def forget_turn(self):
        """What was noted first is forgotten, with the turn that says so."""
        if not self.main.answered:
            return True
        self.daemon.settle(self.main.user)
        first = self.main.answered.pop(0)
        if not self.say(self.main, f". Forget {first}."):
            return False
        self.main.is_promised_no_more(self.main.said[-1])
        self.told_to_forget = first
        self.daemon.settle(self.main.user)
        return True

    def forget_user(self):
        self.gone.answered.clear()
        reply = self.daemon.admin("DELETE", self.daemon.memory_path(self.gone.user))
        assert reply.status_code == 200, reply.text
        return read_turns(self.daemon, self.gone.user) == []

    def unpark(self):
        return self.daemon.admin("POST", "/v1/unpark").status_code < 300

    def summary(self):
        return all(self.say(self.tool) for _ in range(3))
