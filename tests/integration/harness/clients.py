"""Command-line clients, run headless as a person's script would run them: their base URL and headers are all that
is set, their home is empty, and nothing of theirs goes anywhere but there."""

import os
import subprocess

from .daemon import ROOT

NODE = ROOT / "build" / "node"


class ClaudeCode:
    """Claude Code in a home and a project folder of its own, in which --continue finds the session again."""

    def __init__(self, base_url, folder, headers=None):
        self.home = folder / "home"
        self.project = folder / "project"
        for made in (self.home, self.project):
            made.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "ANTHROPIC_BASE_URL": base_url,
            "ANTHROPIC_API_KEY": "sk-ant-test-key",
            "ANTHROPIC_CUSTOM_HEADERS": "\n".join(f"{n}: {v}" for n, v in (headers or {}).items()),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }

    def run(self, prompt, *options):
        """One headless turn; the finished process."""
        return subprocess.run(
            ["node", str(NODE / "node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs"), "-p", *options, prompt],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def say(self, prompt, *options):
        """What it prints."""
        done = self.run(prompt, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()
