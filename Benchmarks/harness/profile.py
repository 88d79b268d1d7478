# SPDX-License-Identifier: Apache-2.0
"""Where the time of one subject goes: perf on its processes while load.c calls."""

import re
import shutil
import signal
import subprocess
import sys

from . import processes
from .subjects import BareRelay, Lodge
from .workbench import say


def profile(bench, name, connections, seconds):
    if shutil.which("perf") is None:
        raise RuntimeError("perf was not found; install linux-perf, or see the valgrind recipe in Benchmarks/README.md")
    kind = {"lodge": Lodge, "relay": BareRelay}[name]
    file = bench.scratch / f"perf-{name}.data"
    with kind(bench) as subject:
        headers = subject.headers_file(connections)
        pids = ",".join(map(str, subject.own_processes()))
        recorder = subprocess.Popen(
            ["perf", "record", "--quiet", "--freq", "4999", "--call-graph", "fp", "--pid", pids, "--output", str(file)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        before = processes.work(subject.own_processes())
        result = bench.load(subject, headers=headers, connections=connections, seconds=seconds)
        after = processes.work(subject.own_processes())
        recorder.send_signal(signal.SIGINT)
        recorder.wait(timeout=60)
    say(f"{result['rate']:,.0f} calls/s, p50 {result['p50_us']:,.1f} µs")
    used, switches = (late - early for late, early in zip(after, before))
    calls = result["all_calls"]
    say(f"{1e6 * used / calls:.1f} µs of CPU and {switches / calls:.2f} context switches a call")
    command = ["perf", "report", "--input", str(file), "--stdio", "--no-children", "--percent-limit", "0.4"]
    flat = ["--call-graph", "none", "--sort", "symbol"]
    report = subprocess.run([*command, *flat], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300)
    names = subprocess.run(
        ["swift", "demangle", "--simplified"], input=report.stdout, stdout=subprocess.PIPE, timeout=60, check=True
    )
    lines = [line for line in names.stdout.decode().splitlines() if line and line[0] != "#"]
    # perf pads each line and ends it with two columns that have nothing to say without branch records.
    sys.stdout.write("".join(re.sub(r"(\s+-)*$", "", line.rstrip()) + "\n" for line in lines))
    say("callers: " + " ".join(command[:-2]) + " --sort symbol | swift demangle --simplified")
