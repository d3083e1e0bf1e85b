"""Installs what the bench needs: tools from Debian, peers from their registries, and the release
build. What is there already is left alone."""

import json
import os
import shutil
import subprocess

from workplace import BENCH, LOGS, RELEASE, ROOT

PORTKEY = "1.15.2"
LITELLM = "1.93.0"

# Its streaming fails with later ones on Node's own Response ("TypeError: immutable").
PORTKEY_OVERRIDES = {"hono": "4.6.20", "@hono/node-server": "1.13.8"}

# Peers that do not build from what a package registry holds, and what was tried.
SKIPPED = {
    "memoryOSS": "`cargo install memoryoss --version 0.2.0` compiles for ten minutes and then fails in "
    "the build script of ort-sys, which downloads ONNX Runtime from a host of its own; at its first "
    "start it would download an embedding model, too",
    "Bifrost": "`go install github.com/maximhq/bifrost/transports/bifrost-http@latest` is refused by the "
    "Go module proxy (\"module version is not available\"), and the npm package @maximhq/bifrost is a "
    "script that downloads the program from a host of its own",
}


def step(name, command, **options):
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    print(f"installing: {name}", flush=True)
    with open(log, "w") as file:
        code = subprocess.run(command, stdout=file, stderr=file, **options).returncode
    if code != 0:
        raise SystemExit(f"{name} could not be installed: {' '.join(map(str, command))}; see {log}")


def packages(**wanted):
    """`wanted`: tool=package"""
    missing = [package for tool, package in wanted.items() if shutil.which(tool) is None]
    if missing:
        root = [] if os.geteuid() == 0 else ["sudo"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        step("apt-update", root + ["apt-get", "update"], env=environment)
        command = root + ["apt-get", "install", "-y", "--no-install-recommends"] + missing
        step("apt", command, env=environment)


def portkey():
    folder = BENCH / "portkey"
    manifest = {
        "private": True,
        "dependencies": {"@portkey-ai/gateway": PORTKEY},
        "overrides": PORTKEY_OVERRIDES,
    }
    text = json.dumps(manifest, indent=1)
    file = folder / "package.json"
    if (folder / "node_modules/@portkey-ai").exists() and file.read_text() == text:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file.write_text(text)
    step("portkey", ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)


def python_packages():
    venv = BENCH / "venv"
    if (venv / "bin/litellm").exists() and (venv / "bin/f2py").exists():
        return
    shutil.rmtree(venv, ignore_errors=True)
    step("venv", ["python3", "-m", "venv", venv])
    command = [venv / "bin/pip", "install", "--disable-pip-version-check", "matplotlib"]
    step("litellm", command + [f"litellm[proxy]=={LITELLM}"])


def release():
    """As the packages are built, with the symbols that a profile needs, which change no instruction."""
    programs = [f"tests/bench-{name}" for name in ("holdup", "load", "recall", "scan", "upstream", "users")]
    if not (RELEASE / "build.ninja").exists():
        step("release-setup", ["meson", "setup", RELEASE, "--buildtype=release"], cwd=ROOT)
    step("release-configure", ["meson", "configure", RELEASE, "-Ddebug=true", "-Db_lto=true"], cwd=ROOT)
    step("release-build", ["ninja", "-C", RELEASE, "proxy/recalld", *programs], cwd=ROOT)


def everything(with_slow_peers):
    """`with_slow_peers` false leaves those from npm and PyPI out."""
    packages(haproxy="haproxy", nginx="nginx-light", taskset="util-linux")
    release()
    if with_slow_peers:
        packages(node="nodejs", npm="npm")
        portkey()
        python_packages()


def for_profile():
    packages(nginx="nginx-light", valgrind="valgrind")
    release()
