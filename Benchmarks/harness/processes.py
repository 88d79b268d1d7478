# SPDX-License-Identifier: Apache-2.0
"""Processes of a run: started bounded, looked at through /proc, and none left when it ends."""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Makes every descendant that loses its parent ours, so that `end_descendants` finds daemonized ones too."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def parents():
    """Every process and its parent."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        table[int(entry)] = int(stat[stat.rindex(")") + 2 :].split()[1])
    return table


def descendants(root):
    """The pids below `root`, parents before children."""
    table = parents()
    found = []
    level = [root]
    while level:
        level = [pid for pid, parent in table.items() if parent in level]
        found += level
    return found


def program_of(pid):
    """The file a process runs, or nothing once it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def end_descendants(root=None, patience=3.0):
    """Ends everything below `root` (this process by default), kindly and then not."""
    root = os.getpid() if root is None else root
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience
        for pid in descendants(root):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        while time.monotonic() < deadline:
            reap()
            if not descendants(root):
                return
            time.sleep(0.02)


def reap():
    """Collects what has ended among our children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def memory(pid):
    """RSS, PSS, anonymous memory and peak RSS of one process, in KiB; zeros once it is gone."""
    values = {"Rss": 0, "Pss": 0, "Anonymous": 0, "VmHWM": 0}
    for name in ("smaps_rollup", "status"):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, rest = line.partition(":")
            if key in values:
                values[key] = int(rest.split()[0])
    names = {"Rss": "rss", "Pss": "pss", "Anonymous": "anonymous", "VmHWM": "peak"}
    return {names[key]: value for key, value in values.items()}


def work(pids):
    """CPU seconds and context switches of all threads so far, summed over `pids`."""
    ticks = switches = 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            ticks += sum(int(each) for each in stat[stat.rindex(")") + 2 :].split()[11:13])
            for thread in os.listdir(f"/proc/{pid}/task"):
                for line in Path(f"/proc/{pid}/task/{thread}/status").read_text().splitlines():
                    if "ctxt_switches" in line:
                        switches += int(line.split()[1])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK"), switches


def reset_peak(pid):
    """Lets a process's peak RSS start again from what it uses now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def busy_share(seconds=0.5):
    """The share of all cores that was busy for the next moment: before a round, that is what others use."""

    def read():
        times = [int(each) for each in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return sum(times), times[3] + times[4]

    total, idle = read()
    time.sleep(seconds)
    total, idle = (after - before for after, before in zip(read(), (total, idle)))
    return 1 - idle / total if total > 0 else 0.0


def run(command, timeout, **more):
    """A command that must succeed within `timeout` seconds; its stdout."""
    done = subprocess.run(
        command, timeout=timeout, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        **more,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{tail}")
    return done.stdout
