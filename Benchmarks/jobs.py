"""Sets our jobs and tasks beside Ray's, section by section, in one run on one machine.

    script/bench jobs [submit] [tasks] [control_plane] [faults] [--rounds N] [--without-ray]
                      [--scale X] [--json] [--write]

Without a section it runs all. `--write` renders Benchmarks/JOBS.md from the last result of each.
"""

import argparse
import json
import pathlib
import sys
import tempfile

from clusters import report, sections
from training import results

PREFIX = "jobs-"
SECTIONS = {name: getattr(sections, name) for name in report.TITLES}


def run(name, bench):
    print(f"{name} …", file=sys.stderr, flush=True)
    versions = ("ray",) if bench.with_ray else ()
    result = results.conditions(versions) | {
        "rounds": bench.rounds, "result": SECTIONS[name](bench)}
    results.keep(PREFIX + name, result)
    return result


def main():
    parser = argparse.ArgumentParser(prog="script/bench jobs")
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, default=3, help="medians are of so many")
    parser.add_argument("--scale", type=float, default=1, help="of the numbers of calls and jobs")
    parser.add_argument("--without-ray", action="store_true")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write Benchmarks/JOBS.md")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    wanted = options.sections or ([] if options.write else list(SECTIONS))
    with tempfile.TemporaryDirectory(prefix="manta-bench-", dir="/tmp") as folder:
        bench = sections.Bench(folder, options.rounds, not options.without_ray, options.scale)
        found = {name: run(name, bench) for name in wanted}
    if options.write:
        text = report.document(results.kept(report.TITLES, PREFIX))
        pathlib.Path(__file__).with_name("JOBS.md").write_text(text)
    if options.json:
        print(json.dumps(found))
    elif found:
        print(report.document(found))


if __name__ == "__main__":
    sys.exit(main())
