# SPDX-License-Identifier: Apache-2.0
"""One function a row. Subjects alternate within a round, and a number is the median of the rounds (least to most)."""

import json
import os
import re
import statistics
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from . import processes
from .subjects import INITIALIZE, MODERN_META, BareRelay, Lodge, LodgeOfTen, McpProxy, Translate
from .workbench import say

BIG_BYTES = 50_000_000
SESSIONS = 10_000
FIRST_STREAMS = 200
OTHERS = "share of the machine used by others before each round"


@dataclass
class Row:
    """One line of the table; `met` is nothing where a busy machine leaves a `timed` row undecided."""

    what: str
    target: str
    measured: str
    met: bool | None
    how: str
    timed: bool = True


@dataclass
class Plan:
    bench: object
    rounds: int = 5
    seconds: float = 5
    lodge: bool = True
    peers: bool = True
    raw: dict = field(default_factory=dict)

    def keep(self, row, subject, result):
        self.raw.setdefault(row, {}).setdefault(subject, []).append(result)

    def look_around(self):
        """Asks, while every subject rests, how busy the machine is without them."""
        self.raw.setdefault(OTHERS, []).append(round(processes.busy_share(), 3))

    def values(self, row, subject, key):
        return [result[key] for result in self.raw.get(row, {}).get(subject, [])]


def spread(values, form="{:,.0f}"):
    middle, least, most = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least}–{most})"


def ratio(row, plan, left, right, key, form="{:.2f}"):
    """The ratio of the medians, with the least and most of the rounds' own ratios."""
    ours, theirs = plan.values(row, left, key), plan.values(row, right, key)
    each = [one / other for one, other in zip(ours, theirs)]
    value = statistics.median(ours) / statistics.median(theirs)
    return value, f"{form.format(value)} ({form.format(min(each))}–{form.format(max(each))})"


def alternate(plan, row, subjects, measure):
    """`measure(subject)` for each subject in every round, each round starting with another one."""
    for number in range(plan.rounds):
        plan.look_around()
        for index in range(len(subjects)):
            subject = subjects[(number + index) % len(subjects)]
            result = measure(subject)
            plan.keep(row, subject.name if subject is not None else "bare pipe", result)


def loaded(plan, subject, headers, **more):
    """One load, with what it cost the subject's own processes: less moved by a busy machine than any time is."""
    own = subject.own_processes()
    seconds, switches = processes.work(own)
    result = plan.bench.load(
        subject, headers=headers, seconds=plan.seconds, warmup=min(1.0, plan.seconds / 2), **more
    )
    seconds, switches = (after - before for after, before in zip(processes.work(own), (seconds, switches)))
    calls = max(1, result["all_calls"])
    return {**result, "cpu_us_per_call": 1e6 * seconds / calls, "switches_per_call": switches / calls}


def cost(result):
    return f"{result['cpu_us_per_call']:,.1f} µs of CPU and {result['switches_per_call']:.2f} context switches a call"


def opened(plan, stack, *kinds):
    wanted = [kind for kind in kinds if (plan.lodge or kind is not Lodge)]
    wanted = [kind for kind in wanted if (plan.peers or kind not in (McpProxy, Translate))]
    return [stack.enter_context(kind(plan.bench)) for kind in wanted]


def throughput(plan):
    row, connections = "throughput", 16
    with ExitStack() as stack:
        subjects = opened(plan, stack, Lodge, BareRelay, McpProxy, Translate)
        headers = {subject.name: subject.headers_file(connections) for subject in subjects}

        def measure(subject):
            result = loaded(plan, subject, headers[subject.name], connections=connections)
            say(f"  {subject.name}: {result['rate']:,.0f} calls/s, p50 {result['p50_us']:,.0f} µs, {cost(result)}")
            return result

        alternate(plan, row, subjects, measure)
        if plan.bench.wrk:
            for subject in subjects:
                plan.keep("throughput by wrk", subject.name, wrk(plan, subject, headers[subject.name], connections))
        for subject in subjects:
            subject.check(subject.open_session(subject.connect()))
    how = f"{connections} connections with a session each, every answer checked; calls/s: "
    rows = []
    for other, share in ((McpProxy, 25), (Translate, 8), (BareRelay, 0.85)):
        if not plan.lodge or (other is not BareRelay and not plan.peers):
            continue
        value, text = ratio(row, plan, "lodge", other.name, "rate")
        ours, theirs = (spread(plan.values(row, name, "rate")) for name in ("lodge", other.name))
        what = f"tools/call, {connections} connections, against {other.name}"
        rows.append(Row(what, f"≥ {share} ×", f"{text} ×", value >= share, f"{how}{ours} to {theirs}"))
    return rows


def wrk(plan, subject, headers, connections):
    """The same load by a known tool, which does not look at the answers: a check of load.c's rate."""
    seconds = max(2, int(plan.seconds))
    command = [plan.bench.wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(CALL_SCRIPT)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{subject.port}{subject.path}"], env={**os.environ, "LOAD_HEADERS": str(headers)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=seconds + 60,
    )
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if done.returncode != 0 or rate is None or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(f"wrk on {subject.name}:\n{done.stdout}")
    say(f"  {subject.name}: {float(rate[1]):,.0f} calls/s by wrk")
    return {"rate": float(rate[1])}


def latency(plan):
    row = "latency"
    with ExitStack() as stack:
        subjects = opened(plan, stack, Lodge, BareRelay, McpProxy, Translate)
        headers = {subject.name: subject.headers_file(1) for subject in subjects}

        def measure(subject):
            if subject is None:
                result = plan.bench.load(seconds=plan.seconds, warmup=min(1.0, plan.seconds / 2))
                say(f"  bare pipe: p50 {result['p50_us']:,.1f} µs, p99 {result['p99_us']:,.1f} µs")
            else:
                result = loaded(plan, subject, headers[subject.name])
                times = f"p50 {result['p50_us']:,.1f} µs, p99 {result['p99_us']:,.1f} µs"
                say(f"  {subject.name}: {times}, {cost(result)}")
            return result

        alternate(plan, row, [None, *subjects], measure)
    if not plan.lodge:
        return []
    pipes = plan.values(row, "bare pipe", "p50_us")
    added = {
        name: [http - bare for http, bare in zip(plan.values(row, name, "p50_us"), pipes)] for name in plan.raw[row]
    }
    difference = statistics.median(added["lodge"]) - statistics.median(added["bare relay"])
    measured = f"+ {difference:.1f} µs" if difference >= 0 else f"− {-difference:.1f} µs"
    shown = "; ".join(f"{name} {spread(values, '{:,.1f}')}" for name, values in added.items() if name != "bare pipe")
    how = f"µs added to the bare pipe's {spread(pipes, '{:.1f}')}: {shown}"
    return [Row("added p50, 1 connection", "≤ bare relay's + 20 µs", measured, difference <= 20, how)]


def memory(plan):
    if not plan.lodge:
        return []
    row = "memory"
    with Lodge(plan.bench) as lodge:
        connection = lodge.connect()
        first = lodge.open_session(connection)
        lodge.check_on(connection, first)
        time.sleep(1)
        idle = lodge_memory(lodge)
        # What a first burst of requests makes the allocator keep is not the sessions' doing.
        for _ in range(2_000):
            lodge.post(connection, {"jsonrpc": "2.0", "id": 1, "method": "ping"}, first)
        before = lodge_memory(lodge)
        sessions = [lodge.open_session(connection) for _ in range(SESSIONS - 1)]
        time.sleep(1)
        after = lodge_memory(lodge)
        for session in [first, *sessions[:: SESSIONS // 20]]:
            lodge.check_on(connection, session)
        connection.close()
    plan.keep(row, "lodge", {"idle": idle, "before sessions": before, "after sessions": after, "sessions": SESSIONS})
    idle_mib = max(idle["rss"], idle["pss_all"]) * 1024 / 1e6
    each = (after["anonymous_all"] - before["anonymous_all"]) / len(sessions)
    say(f"  lodge: {idle_mib:.1f} MB idle, {each:.2f} KiB a session")
    return [
        Row(
            "memory, idle with one server", "≤ 30 MB", f"{idle_mib:.1f} MB", idle_mib <= 30,
            f"RSS {idle['rss'] / 1024:.1f} MiB; PSS with its guard {idle['pss_all'] / 1024:.1f} MiB; after one call, child "
            "not counted", timed=False,
        ),
        Row(
            "memory, each idle legacy session", "≤ 2 KB to 10,000", f"{each:.2f} KB", each <= 2,
            f"growth of anonymous memory over {len(sessions):,} initialize + initialized, some of them called afterwards",
            timed=False,
        ),
    ]


def lodge_memory(lodge):
    """The serving process's own RSS, and the PSS and anonymous memory of everything that is Lodge's, in KiB."""
    own = [processes.memory(pid) for pid in lodge.own_processes()]
    sums = {f"{key}_all": sum(each[key] for each in own) for key in ("pss", "anonymous")}
    return {"rss": own[0]["rss"], **sums, "processes": len(own)}


def start(plan):
    row = "start"

    def measure(kind):
        with kind(plan.bench) as subject:
            connection = subject.connect()
            status, _, answer = subject.post(connection, INITIALIZE)
            taken = time.monotonic() - subject.started_at
            connection.close()
            if status != 200 or "result" not in (answer or {}):
                raise RuntimeError(f"{subject.name} answered initialize with {status}: {answer}")
        say(f"  {kind.name}: {taken * 1000:,.0f} ms")
        return {"seconds": taken}

    kinds = [kind for kind in (Lodge, BareRelay, McpProxy, Translate) if plan.lodge or kind is not Lodge]
    kinds = [kind for kind in kinds if plan.peers or kind not in (McpProxy, Translate)]
    alternate(plan, row, kinds, measure)
    if not plan.lodge or not plan.peers:
        return []
    value, text = ratio(row, plan, "lodge", "mcp-proxy", "seconds", "{:.3f}")
    shown = "; ".join(
        f"{kind.name} {spread([1000 * each for each in plan.values(row, kind.name, 'seconds')])}" for kind in kinds
    )
    how = f"ms from exec to the answer to the first initialize: {shown}"
    return [Row("start to ready, against mcp-proxy", "≤ 0.1 ×", f"{text} ×", value <= 0.1, how)]


def big(plan):
    row = "big result"
    more = {"tool": "big", "bytes": BIG_BYTES, "calls": 4}
    with ExitStack() as stack:
        subjects = opened(plan, stack, Lodge, BareRelay)
        headers = {subject.name: subject.headers_file(1) for subject in subjects}

        def measure(subject):
            result = plan.bench.load(subject, headers=headers[subject.name], seconds=60, **more)
            result["rate"] = result["bytes"] / result["seconds"] / 1e6
            say(f"  {subject.name}: {result['rate']:,.0f} MB/s")
            return result

        alternate(plan, row, subjects, measure)
    if not plan.lodge:
        return []
    value, text = ratio(row, plan, "lodge", "bare relay", "rate")
    ours, theirs = (spread(plan.values(row, name, "rate")) for name in ("lodge", "bare relay"))
    how = f"MB/s: {ours} to {theirs}"
    rows = [Row("a 50 MB tool result, against bare relay", "≥ 0.7 ×", f"{text} ×", value >= 0.7, how)]
    with Lodge(plan.bench) as lodge:
        headers = lodge.headers_file(1)
        for pid in lodge.own_processes():
            processes.reset_peak(pid)
        plan.bench.load(lodge, headers=headers, seconds=60, **more)
        peak = max(processes.memory(pid)["peak"] for pid in lodge.own_processes()) * 1024
    plan.keep("big result, peak memory", "lodge", {"bytes": peak})
    share = peak / BIG_BYTES
    how = f"peak RSS of a fresh lodge over {more['calls']} such calls, one after another: {peak / 1e6:.0f} MB in all"
    rows.append(Row("peak memory of it", "≤ 2.5 × its size", f"{share:.2f} ×", share <= 2.5, how, timed=False))
    return rows


def child_start(plan):
    """From spawning the echo child to its answer to initialize, over a bare pipe, in seconds."""
    taken = []
    for _ in range(10):
        began = time.monotonic()
        with subprocess.Popen([str(plan.bench.echo)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            child.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"initialize"}\n')
            child.stdin.flush()
            child.stdout.readline()
            taken.append(time.monotonic() - began)
            child.stdin.close()
    return statistics.median(taken)


def crash(plan):
    from .crash import crash_once

    if not plan.lodge:
        return []
    row, rounds = "crash", min(plan.rounds, 3)
    begin = child_start(plan)
    for _ in range(rounds):
        plan.look_around()
        result = crash_once(plan.bench)
        last, good = (1000 * result[key] for key in ("last_answer", "next_good"))
        say(f"  lodge: last of 100 answers {last:.1f} ms, next good {good:.0f} ms")
        plan.keep(row, "lodge", result)
    last = 1000 * max(plan.values(row, "lodge", "last_answer"))
    good = max(plan.values(row, "lodge", "next_good"))
    allowed = RESTART_DELAY + begin + TIMER_ALLOWANCE
    return [
        Row(
            "crash with 100 calls in flight: the last answer", "≤ 50 ms after the exit", f"{last:.1f} ms", last <= 50,
            f"worst of {rounds}; counted from the SIGKILL, just before the exit; each answer 200, -32000, its own id",
        ),
        Row(
            "crash: the next good answer", f"≤ {RESTART_DELAY:.0f} s + child start", f"{good:.3f} s", good <= allowed,
            f"worst of {rounds}; child start {begin * 1000:.1f} ms; {TIMER_ALLOWANCE * 1000:.0f} ms more are allowed for "
            "timers and this client",
        ),
    ]


@dataclass
class Way:
    """One way to the same running lodge, measured like a subject."""

    name: str
    lodge: object
    headers: object
    more: dict


def compared(plan, row, ways, connections):
    """The throughput of two ways to one lodge, in turns; the ratio of the second to the first, and its text."""

    def measure(way):
        result = loaded(plan, way.lodge, way.headers, connections=connections, **way.more)
        say(f"  {way.name}: {result['rate']:,.0f} calls/s, p50 {result['p50_us']:,.0f} µs, {cost(result)}")
        return result

    alternate(plan, row, ways, measure)
    first, second = (way.name for way in ways)
    value, text = ratio(row, plan, second, first, "rate")
    rates = [spread(plan.values(row, name, "rate")) for name in (second, first)]
    return value, text, f"{connections} connections with a session each, every answer checked; calls/s: " + " to ".join(rates)


def sse(plan):
    if not plan.lodge:
        return []
    with Lodge(plan.bench) as lodge:
        ways = [
            Way("Streamable HTTP", lodge, lodge.headers_file(16), {}),
            Way("HTTP+SSE", lodge, lodge.token_file(), {"sse": "/sse"}),
        ]
        value, text, how = compared(plan, "HTTP+SSE", ways, 16)
    return [Row("tools/call over HTTP+SSE, against Streamable HTTP", "≥ 0.6 ×", f"{text} ×", value >= 0.6, how)]


def eras(plan):
    """A modern client in front of a legacy server, which is translated both ways, against a legacy client."""
    if not plan.lodge:
        return []
    rows = []
    with Lodge(plan.bench) as lodge:
        modern = {"meta": json.dumps(MODERN_META, separators=(",", ":"))}
        for connections, key in ((16, "rate"), (1, "p50_us")):
            name = f"eras, {connections}"
            ways = [
                Way("legacy clients", lodge, lodge.headers_file(connections), {}),
                Way("modern clients", lodge, lodge.modern_file(), modern),
            ]
            value, text, how = compared(plan, name, ways, connections)
            if key == "rate":
                what, target, met = "tools/call by modern clients, against legacy ones", "≥ 0.9 ×", value >= 0.9
                how = how.replace("with a session each", "each")
            else:
                value, text = ratio(name, plan, "modern clients", "legacy clients", key)
                times = [spread(plan.values(name, way.name, key), "{:,.1f}") for way in reversed(ways)]
                what, target, met = "the same, p50 at 1 connection", "≤ 1.1 ×", value <= 1.1
                how = "µs: " + " to ".join(times)
            rows.append(Row(what, target, f"{text} ×", met, how))
    return rows


def aggregate(plan):
    if not plan.lodge:
        return []
    with LodgeOfTen(plan.bench) as lodge:
        everything = {"path": "/all/mcp", "name": "echo-0__echo"}
        ways = [
            Way("one of ten servers", lodge, lodge.headers_file(16), {}),
            Way("/all/mcp", lodge, lodge.headers_file(16, "/all/mcp", "echo-0__echo"), everything),
        ]
        value, text, how = compared(plan, "aggregate", ways, 16)
    return [Row("tools/call at /all/mcp of 10 servers, against one's own path", "≥ 0.8 ×", f"{text} ×", value >= 0.8, how)]


def streams(plan):
    from .streams import StreamHolder

    if not plan.lodge:
        return []
    rows = []
    for kind, how in (("Streamable HTTP", "session and GET stream"), ("HTTP+SSE", "stream, no initialize")):
        with Lodge(plan.bench) as lodge, StreamHolder(lodge) as holder:
            # What a first burst of connections makes the allocator keep is not the streams' doing; and there are no
            # more sessions than SESSIONS.
            holder.open(kind, FIRST_STREAMS)
            before = lodge_memory(lodge)
            holder.open(kind, SESSIONS - FIRST_STREAMS)
            time.sleep(1)
            after = lodge_memory(lodge)
            alive = holder.alive()
        count = SESSIONS - FIRST_STREAMS
        each = (after["anonymous_all"] - before["anonymous_all"]) / count
        say(f"  {kind}: {each:.2f} KiB a stream, {alive} of {SESSIONS} alive")
        plan.keep("idle streams", kind, {"before": before, "after": after, "streams": count, "alive": alive})
        met = each <= 12 and alive == SESSIONS
        what = f"memory, each idle stream, {kind}"
        text = f"growth of anonymous memory over {count:,} streams ({how}); all of them alive at the end"
        rows.append(Row(what, "≤ 12 KB to 10,000", f"{each:.2f} KB", met, text, timed=False))
    return rows


RESTART_DELAY = 1.0
TIMER_ALLOWANCE = 0.01
CALL_SCRIPT = None

ROWS = {
    "throughput": throughput,
    "latency": latency,
    "memory": memory,
    "start": start,
    "big": big,
    "crash": crash,
    "sse": sse,
    "eras": eras,
    "aggregate": aggregate,
    "streams": streams,
}
