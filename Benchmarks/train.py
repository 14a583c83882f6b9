"""Sets our learners beside LightGBM, XGBoost, scikit-learn and Yggdrasil, section by section.

    script/bench train [boosting] [forests] [threads] [quality] [csv] [curves]
                       [scaling] [steps] [--quick] [--seeds N] [--json] [--write]

Without a section it runs all. `--write` renders Benchmarks/TRAINING.md from the last result of each
section. Data sets and results stay in ~/.cache/manta/bench (XDG_CACHE_HOME moves it).
"""

import argparse
import json
import pathlib
import sys

from training import reading, report, results, sections

SECTIONS = {
    "boosting": sections.boosting, "forests": sections.forests, "threads": sections.threads,
    "quality": sections.quality, "csv": reading.reading, "curves": sections.curves,
    "scaling": sections.scaling, "steps": sections.steps,
}
LIBRARIES = ("lightgbm", "xgboost", "scikit-learn", "ydf", "polars", "pandas")


def run(name, bench):
    conditions = results.conditions(LIBRARIES) | {"quick": bench.quick}
    result = conditions | {"result": SECTIONS[name](bench)}
    results.keep(name, result)
    return result


def main():
    from training.measure import Bench

    parser = argparse.ArgumentParser(prog="script/bench train")
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, one seed")
    parser.add_argument("--seeds", type=int, default=3, help="fits per learner and case")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write Benchmarks/TRAINING.md")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    wanted = options.sections or ([] if options.write else list(SECTIONS))
    bench = Bench(options.program, options.quick, options.seeds)
    found = {name: run(name, bench) for name in wanted}
    if options.write:
        text = report.document(results.kept(SECTIONS))
        pathlib.Path(__file__).with_name("TRAINING.md").write_text(text)
    if options.json:
        print(json.dumps(found))
    elif found:
        print(report.document(found))


if __name__ == "__main__":
    sys.exit(main())
