"""Sets our contributions of features beside shap's, LightGBM's and XGBoost's, of the same trees.

    script/bench explain [--rows 1000] [--their-rows 200] [--json] [--write]

Rows a second with one thread and two. Trees and results stay in ~/.cache/manta/bench, as those of
`script/bench predict`; `--write` renders Benchmarks/PREDICTION.md from both.
"""

import argparse
import json
import sys

import predict
from prediction import contributions, report, sections
from training import results

NAME = "explain"
LIBRARIES = ("shap", "lightgbm", "xgboost")


def main():
    parser = argparse.ArgumentParser(prog="script/bench explain")
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=1000, help="that we explain")
    parser.add_argument("--their-rows", type=int, default=200, help="that the others explain")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--write", action="store_true", help="write Benchmarks/PREDICTION.md")
    options = parser.parse_args()
    if not 1 <= options.their_rows <= options.rows <= 20_000:
        parser.error("rows are 1 to 20,000, and the others explain no more than we do")
    bench = sections.Bench(options.program, 0, False)
    result = results.conditions(LIBRARIES) | {
        "result": contributions.explain(bench, options.rows, options.their_rows)}
    results.keep(predict.PREFIX + NAME, result)
    if options.write:
        predict.write()
    if options.json:
        print(json.dumps(result))
    else:
        print(report.document({NAME: result}))


if __name__ == "__main__":
    sys.exit(main())
