"""Command-line clients, run headless as a person's script would run them: their base URL and headers are all that
is set, their home is empty, and nothing of theirs goes anywhere but there."""

import json
import os
import subprocess

from .daemon import ROOT

NODE = ROOT / os.environ.get("TEST_NODE", "build/node")


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


class Codex:
    """Codex in a home and a project folder of its own, which never tries a request again. `base_url`: that of a
    provider of its own, or of OpenAI's if `built_in`, with which it tries a WebSocket first. `settings`: more lines
    of its configuration."""

    def __init__(self, base_url, folder, headers=None, built_in=False, settings=""):
        self.home = folder / "home"
        self.project = folder / "project"
        for made in (self.home / ".codex", self.project):
            made.mkdir(parents=True, exist_ok=True)
        (self.home / ".codex" / "config.toml").write_text(
            settings + (self._built_in(base_url) if built_in else self._own_provider(base_url, headers or {}))
        )
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "CODEX_API_KEY": "test-key", "KEY": "test-key"}

    @staticmethod
    def _built_in(base_url):
        return f'model = "test-model"\nopenai_base_url = "{base_url}"\n'

    @staticmethod
    def _own_provider(base_url, headers):
        fields = ", ".join(f'"{n}" = "{v}"' for n, v in headers.items())
        return (
            'model = "test-model"\nmodel_provider = "memory"\n[model_providers.memory]\nname = "memory"\n'
            f'base_url = "{base_url}"\nwire_api = "responses"\nenv_key = "KEY"\nhttp_headers = {{{fields}}}\n'
            "request_max_retries = 0\nstream_max_retries = 0\n"
        )

    def run(self, prompt, *resume):
        """One headless turn; `resume` are the words before it, as a person writes them."""
        return subprocess.run(
            ["node", str(NODE / "node_modules/@openai/codex/bin/codex.js"), "exec", "--skip-git-repo-check",
             "--dangerously-bypass-approvals-and-sandbox", *resume, prompt],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def say(self, prompt, *resume):
        """What it prints."""
        done = self.run(prompt, *resume)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


class OpenCode:
    """opencode in a home and a project folder of its own. `api`: openai, with which it speaks Responses, or anthropic."""

    def __init__(self, base_url, folder, api, headers=None):
        self.home = folder / "home"
        self.project = folder / "project"
        for made in (self.home, self.project):
            made.mkdir(parents=True, exist_ok=True)
        options = {"baseURL": base_url, "apiKey": "test-key", "headers": headers or {}}
        provider = {"npm": f"@ai-sdk/{api}", "options": options, "models": {"test-model": {"tool_call": True}}}
        settings = {"model": f"{api}/test-model", "small_model": f"{api}/test-model", "provider": {api: provider}}
        (self.project / "opencode.json").write_text(json.dumps(settings | {"autoupdate": False, "share": "disabled"}))
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        }

    def run(self, prompt, *options):
        """One headless turn, typed in: as an argument it would be sent in quotes."""
        return subprocess.run(
            [str(NODE / "node_modules/.bin/opencode"), "run", *options],
            cwd=self.project,
            env=self.environment,
            input=prompt,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def say(self, prompt, *options):
        """The last of what the model says."""
        done = self.run(prompt, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip().splitlines()[-1]
