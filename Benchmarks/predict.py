"""Sets our predictions beside other libraries', section by section, in one run on one machine.

    script/bench predict [boosted] [forest] [grid] [--seconds S] [--prepare] [--json] [--write]

Without a section it runs all. `--prepare` only makes the models, which stay in
~/.cache/manta/bench/models (XDG_CACHE_HOME moves it); the results stay beside them. `--write`
renders Benchmarks/PREDICTION.md from the last result of each section, and of `explain`.
"""

import argparse
import json
import pathlib
import sys

from prediction import report, sections
from training import results

SECTIONS = {
    "boosted": sections.boosted, "forest": sections.forest, "grid": sections.grid}
LIBRARIES = (
    "lightgbm", "xgboost", "scikit-learn", "ydf", "onnxruntime", "scikit-learn-intelex",
    "treelite", "tl2cgen")
PREFIX = "predict-"


def run(name, bench):
    conditions = results.conditions(LIBRARIES) | {"seconds": bench.seconds}
    result = conditions | {"result": SECTIONS[name](bench)}
    if not bench.prepare:
        results.keep(PREFIX + name, result)
    return result


def write():
    text = report.document(results.kept(report.TITLES, PREFIX))
    pathlib.Path(__file__).with_name("PREDICTION.md").write_text(text)


def main():
    parser = argparse.ArgumentParser(prog="script/bench predict")
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure")
    parser.add_argument("--prepare", action="store_true", help="only make the models")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write Benchmarks/PREDICTION.md")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    wanted = options.sections or ([] if options.write else list(SECTIONS))
    bench = sections.Bench(options.program, options.seconds, options.prepare)
    found = {name: run(name, bench) for name in wanted}
    if options.write:
        write()
    if options.json:
        print(json.dumps(found))
    elif found and not options.prepare:
        print(report.document(found))


if __name__ == "__main__":
    sys.exit(main())
