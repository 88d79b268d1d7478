# SPDX-License-Identifier: Apache-2.0
"""What a run needs before it measures: programs built, peers installed at fixed versions, the machine described."""

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from .processes import run

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "Benchmarks"
PEERS = {
    "mcp-proxy": "mcp-proxy==0.13.0",
    "translate": "mcp-contextforge-gateway==1.0.7.post20260921",
}
BUILD_SECONDS = 3600
INSTALL_SECONDS = 900


def say(text):
    print(text, file=sys.stderr, flush=True)


class Workbench:
    """Paths of everything a row uses, and how one load is run."""

    def __init__(self, scratch, lodge=None):
        self.scratch = scratch
        self.scratch.mkdir(parents=True, exist_ok=True)
        # Two runs at once would measure each other, and write over each other's sessions.
        self.lock = open(scratch / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another benchmark run uses {scratch}; wait for it, or give --scratch") from None
        self.given_lodge = lodge
        self.lodge = lodge or ROOT / ".build" / "release" / "lodge"
        self.echo = scratch / "echo"
        self.load_program = scratch / "load"
        self.relay = scratch / "relay" / "release" / "BareRelay"
        self.peers = {name: scratch / f"venv-{name}" for name in PEERS}
        self.wrk = shutil.which("wrk")

    def build(self, needs_lodge=True):
        compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
        if compiler is None:
            raise RuntimeError("no C compiler was found; install gcc")
        for source, program in (("echo.c", self.echo), ("load.c", self.load_program)):
            run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", str(BENCHMARKS / source), "-o", str(program)], 60)
        say("building the bare relay (release)")
        package = ["--package-path", str(BENCHMARKS), "--scratch-path", str(self.scratch / "relay")]
        version = nio_version(ROOT / "Package.resolved")
        # A package can only be told a version of what it knows already.
        run(["swift", "package", *package, "resolve"], BUILD_SECONDS)
        if version is not None and version != nio_version(BENCHMARKS / "Package.resolved"):
            run(["swift", "package", *package, "resolve", "swift-nio", "--version", version], BUILD_SECONDS)
        run(["swift", "build", "-c", "release", *package], BUILD_SECONDS)
        if needs_lodge and self.given_lodge is None:
            say("building lodge (release)")
            run([str(ROOT / "Scripts" / "build.sh")], BUILD_SECONDS)

    def install_peers(self, names):
        for name in names:
            place, pin = self.peers[name], PEERS[name]
            stamp = place / "installed"
            if stamp.exists() and stamp.read_text() == pin:
                continue
            say(f"installing {pin}")
            shutil.rmtree(place, ignore_errors=True)
            run([sys.executable, "-m", "venv", str(place)], INSTALL_SECONDS)
            run([str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", pin], INSTALL_SECONDS)
            stamp.write_text(pin)

    def load(self, subject=None, *, headers=None, seconds, connections=1, warmup=0.0, **more):
        """One run of load.c against a subject, or against the child's bare pipe; its result, all answers right."""
        command = [str(self.load_program), "--connections", str(connections), "--seconds", str(seconds)]
        command += ["--warmup", str(warmup)]
        if subject is not None:
            command += ["--port", str(subject.port), "--path", subject.path]
            if headers is not None:
                command += ["--headers", str(headers)]
        # Behind what is the subject's own: of two options of a name the last one counts.
        for key, value in more.items():
            command += [f"--{key}", str(value)]
        if subject is None:
            command += ["--", str(self.echo)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            timeout=seconds + warmup + 90,
        )
        name = subject.name if subject is not None else "bare pipe"
        if not done.stdout:
            raise RuntimeError(f"the load on {name} ended with {done.returncode}: {done.stderr}")
        result = json.loads(done.stdout)
        if done.returncode != 0:
            state = "" if subject is None else f"; {subject.state()}"
            raise RuntimeError(f"the load on {name} met wrong answers or failed calls{state}: {done.stdout.strip()}")
        del result["first_wrong"]
        return result

    def describe(self, names):
        """Versions and machine, without a path or a host name."""
        text = {
            "lodge": git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain") else ""),
            "swift-nio": nio_version(ROOT / "Package.resolved") or "unknown",
            "bare relay's swift-nio": nio_version(BENCHMARKS / "Package.resolved") or "unknown",
            "swift": run(["swift", "--version"], 60).splitlines()[0],
            "python": platform.python_version(),
            "kernel": platform.release(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "memory": meminfo(),
            "cpu": cpu_model(),
            "build of lodge": "given by --lodge" if self.given_lodge else "Scripts/build.sh (make build)",
        }
        if self.wrk:
            # Its -v ends with a status of its own and says the version on either stream.
            done = subprocess.run([self.wrk, "-v"], capture_output=True, text=True, timeout=9)
            text["wrk"] = (done.stdout + done.stderr).split(" [")[0].removeprefix("wrk ").strip()
        for name in names:
            text[f"packages of {name}"] = run([str(self.peers[name] / "bin" / "pip"), "freeze"], 60).split()
        return text


def nio_version(resolved):
    try:
        pins = json.loads(resolved.read_text())["pins"]
    except (OSError, ValueError, KeyError):
        return None
    return next((pin["state"].get("version") for pin in pins if pin["identity"] == "swift-nio"), None)


def git(*arguments):
    try:
        return run(["git", "-C", str(ROOT), *arguments], 30).strip()
    except (RuntimeError, OSError):
        return "unknown"


def cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def meminfo():
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return f"{int(line.split()[1]) / 1024 / 1024:.0f} GiB"
