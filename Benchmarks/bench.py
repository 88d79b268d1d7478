#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the numbers Lodge is built for; every one is a ratio or a count from this one run."""

import argparse
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import processes, report, rows  # noqa: E402
from harness.profile import profile  # noqa: E402
from harness.workbench import BENCHMARKS, PEERS, ROOT, Workbench, say  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of 2 s, results on stdout only")
    parser.add_argument("--only", action="append", choices=list(rows.ROWS), help="this row (repeatable), on stdout")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of each subject in each round")
    parser.add_argument("--lodge", type=Path, help="measure this program instead of building one")
    parser.add_argument("--without-lodge", action="store_true", help="only what it is compared with")
    parser.add_argument("--without-peers", action="store_true", help="no mcp-proxy, no translate")
    parser.add_argument("--no-build", action="store_true", help="use what an earlier run built")
    parser.add_argument(
        "--profile", choices=["lodge", "relay"], help="where the time of one subject goes under load, by perf, instead"
    )
    parser.add_argument("--connections", type=int, default=16, help="of --profile")
    scratch = os.environ.get("LODGE_SCRATCH")
    place = Path(scratch) / "benchmarks" if scratch else BENCHMARKS / ".build-benchmarks"
    parser.add_argument("--scratch", type=Path, default=place, help="where programs and peers are put")
    return parser.parse_args()


def main():
    options = arguments()
    processes.adopt_orphans()
    # A run that is told to end leaves nothing running either: SIGTERM takes the same way out as Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows.CALL_SCRIPT = BENCHMARKS / "call.lua"
    given = options.lodge.resolve() if options.lodge else None
    bench = Workbench(options.scratch.resolve(), given)
    names = [] if options.without_peers else list(PEERS)
    plan = rows.Plan(
        bench, rounds=1 if options.quick else options.rounds, seconds=2 if options.quick else options.seconds,
        lodge=not options.without_lodge, peers=not options.without_peers,
    )
    wanted = options.only or list(rows.ROWS)
    table, failures = [], []
    try:
        if not options.no_build:
            bench.build(needs_lodge=plan.lodge)
            bench.install_peers(names if options.profile is None else [])
        if options.profile is not None:
            profile(bench, options.profile, options.connections, plan.seconds)
            return 0
        for name in wanted:
            say(f"{name}:")
            try:
                table += rows.ROWS[name](plan)
            except Exception as error:  # One row that cannot be measured must not hide the others.
                failures.append((name, str(error)))
                say(f"  not measured: {error}")
            finally:
                processes.end_descendants()
    finally:
        processes.end_descendants()
    if report.is_disturbed(plan):
        for row in table:
            row.met = None if row.timed else row.met
    print(report.disturbance(plan) + report.table(table))
    for name, error in failures:
        print(f"not measured: {name}: {error}")
    complete = not (options.quick or options.only or options.without_lodge or options.without_peers)
    if complete and not failures:
        print(f"written: {report.write(ROOT, table, plan, bench.describe(names)).relative_to(ROOT)}")
    return 1 if failures or any(row.met is not True for row in table) else 0


if __name__ == "__main__":
    sys.exit(main())
