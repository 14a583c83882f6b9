"""Sets our predictions beside other libraries', section by section, in one run on one machine.

    script/bench predict [boosted] [forest] [grid] [--seconds S] [--prepare] [--json] [--write]

Without a section it runs all. `--prepare` only trains the models, which stay in
~/.cache/manta/bench (XDG_CACHE_HOME moves it) with the results. `--write` renders
Benchmarks/PREDICTION.md from the last result of each section.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import sys

from prediction import report, sections
from training import datasets

SECTIONS = {
    "boosted": sections.boosted, "forest": sections.forest, "grid": sections.grid}
LIBRARIES = (
    "lightgbm", "xgboost", "scikit-learn", "ydf", "onnxruntime", "scikit-learn-intelex",
    "treelite", "tl2cgen")


def machine():
    with open("/proc/cpuinfo") as file:
        lines = file.read().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    return {
        "processor": names[0] if names else "unknown", "cores": os.cpu_count(),
        "vectors": "AVX-512" if "avx512vl" in flags else "AVX2" if "avx2" in flags else "SSE",
        "load": os.getloadavg()[0]}


def run(name, bench):
    conditions = {
        "machine": machine(), "seconds": bench.seconds,
        "versions": {library: importlib.metadata.version(library) for library in LIBRARIES}}
    result = conditions | {"result": SECTIONS[name](bench)}
    if not bench.prepare:
        folder = datasets.cache_folder() / "results"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"predict-{name}.json").write_text(json.dumps(result, indent=1))
    return result


def kept():
    folder = datasets.cache_folder() / "results"
    files = {name: folder / f"predict-{name}.json" for name in SECTIONS}
    return {name: json.loads(f.read_text()) for name, f in files.items() if f.exists()}


def main():
    parser = argparse.ArgumentParser(prog="script/bench predict")
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure")
    parser.add_argument("--prepare", action="store_true", help="only train the models")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write Benchmarks/PREDICTION.md")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    wanted = options.sections or ([] if options.write else list(SECTIONS))
    bench = sections.Bench(options.program, options.seconds, options.prepare)
    results = {name: run(name, bench) for name in wanted}
    if options.write:
        text = report.document(kept())
        pathlib.Path(__file__).with_name("PREDICTION.md").write_text(text)
    if options.json:
        print(json.dumps(results))
    elif results and not options.prepare:
        print(report.document(results))


if __name__ == "__main__":
    sys.exit(main())
