# SPDX-License-Identifier: Apache-2.0
"""A run written down: its README and raw numbers, and the table of docs/benchmarks.md."""

import datetime
import json

from .rows import OTHERS

# Above this share of foreign work a run says that it was disturbed.
QUIET = 0.1
HEAD = "| what | target | measured | met | how |\n| --- | --- | --- | --- | --- |\n"


def is_disturbed(plan):
    return max(plan.raw.get(OTHERS, [0])) > QUIET


def disturbance(plan):
    """What to say of a machine that had other things to do; empty when it was quiet."""
    if not is_disturbed(plan):
        return ""
    shares = plan.raw[OTHERS]
    return (
        f"**The machine was busy:** before the rounds other programs used {100 * min(shares):.0f} to "
        f"{100 * max(shares):.0f} % of it. Rows that rest on time are left undecided; counts and memory stand.\n\n"
    )


def table(rows):
    verdict = {True: "yes", False: "**no**", None: "undecided"}
    lines = [f"| {row.what} | {row.target} | {row.measured} | {verdict[row.met]} | {row.how} |" for row in rows]
    return HEAD + "\n".join(lines) + "\n"


def write(root, rows, plan, description):
    """The run's directory, named for the day; a second run of a day gets a number."""
    runs = root / "Benchmarks" / "runs"
    day = datetime.date.today().isoformat()
    names = [day, *(f"{day}-{number}" for number in range(2, 1000))]
    place = next(runs / name for name in names if not (runs / name).exists())
    place.mkdir(parents=True)
    raw = {"rounds": plan.rounds, "seconds": plan.seconds, "machine and versions": description, "rows": plan.raw}
    (place / "raw.json").write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n")
    (place / "README.md").write_text(readme(place.name, rows, plan, description))
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "benchmarks.md").write_text(page(place.name, rows, plan, description))
    return place


def readme(name, rows, plan, description):
    facts = "".join(f"- {key}: {value}\n" for key, value in description.items() if not isinstance(value, list))
    shares = plan.raw.get(OTHERS, [])
    busy = f"{100 * min(shares):.0f} to {100 * max(shares):.0f} %" if shares else "unknown"
    return f"""# Benchmark run {name}

`make bench` (`Benchmarks/run.sh`), {plan.rounds} rounds of {plan.seconds:g} s for each subject, subjects alternating.

{disturbance(plan)}{table(rows)}
## Machine and versions

{facts}- used by others before the rounds: {busy}

The packages of each peer, every round's numbers and a second opinion on the throughput by wrk are in `raw.json`.

## Commands

| subject | command |
| --- | --- |
| lodge | `lodge serve --listen 127.0.0.1:0 --json -- echo` |
| bare relay | `BareRelay echo` |
| mcp-proxy | `mcp-proxy --port PORT --log-level ERROR -- echo` |
| translate | `python -m mcpgateway.translate --stdio echo --expose-streamable-http --port PORT --logLevel error` |
"""


def page(name, rows, plan, description):
    return f"""# Benchmarks

Made by `make bench`; edit Benchmarks/harness/report.py, not this page. Every number is a ratio or a count from one run
in which the subjects took turns: the median of {plan.rounds} rounds of {plan.seconds:g} s, in brackets the least and most.
This run: [{name}](../Benchmarks/runs/{name}/README.md), {description["cores"]} cores, {description["cpu"]}.

{disturbance(plan)}{table(rows)}
What the rows compare, and what they do not:

- The child is one C program that does next to nothing (`Benchmarks/echo.c`), so the programs in front of it are what is
  measured. A real server hides most of these differences.
- The *bare relay* is the least SwiftNIO can do between HTTP and a pipe: no sessions, no tokens, no ids, answers matched
  by their order alone. It is an upper bound, not a product.
- Lodge checks the token, the session, the Host and the Origin of each call and gives it an id of its own. mcp-proxy keeps
  sessions and has no token; ContextForge's `translate` has neither on its Streamable HTTP path, and leaves ids as they
  are, so callers must not share them. Both are asked to log errors only, which is faster than their defaults.
- Idle memory is resident memory, mapped code included: about 3 MB are the program's own data, the rest is code of lodge,
  NIO, Hummingbird, Foundation and Swift's runtime that the start touched. That is for `make build`, which links Swift's
  libraries in and packs its relocations (2.7 MB less); SwiftPM's dynamic build showed 36 MB on the same machine.
  What the target is missed by came with `lodge connect`: before async-http-client and swift-nio-ssl were linked in, the
  same build idled at 28.7 MB. They are not used by `serve`, but they lie between what is. With them it was 30.8 MB;
  the code of the second era, and of isolations `call` and `pool`, is the rest.
- Caller, subject and child share the machine's cores; nothing is pinned. Ratios carry to other machines, rates do not.
"""
