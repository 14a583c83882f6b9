"""Times our hot loops beside the same loops in C, for each build that this machine can run.

The C of kernels/kernels.c is compiled with clang -O3 for the same processors, without fused
operations, which would change bits. Both run in turns in one process on the same data:
    python Benchmarks/kernels.py path/to/learning-bench [--limit 1.1]
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

MARCH = {"baseline": "x86-64", "avx2": "x86-64-v3", "avx512": "x86-64-v4"}
SOURCE = pathlib.Path(__file__).parent / "kernels" / "kernels.c"


def figures(bench, build, folder):
    """Nanoseconds per update of each loop, ours and C's; None where this machine lacks the build."""
    library = folder / f"{build}.so"
    subprocess.run(
        ["clang", "-O3", f"-march={MARCH[build]}", "-ffp-contract=off", "-shared", "-fPIC",
         str(SOURCE), "-o", str(library)], check=True)
    done = subprocess.run(
        [bench, "kernels", str(library)], env=os.environ | {"MANTA_KERNELS": build},
        capture_output=True, text=True)
    if done.returncode and "one of those this machine can run" in done.stderr:
        return None
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["loops"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("bench")
    arguments.add_argument(
        "--limit", type=float, default=None, help="fail where a ratio is above this one")
    options = arguments.parse_args()
    if not shutil.which("clang"):
        sys.exit("no clang: the Swift toolchain brings one")
    worst = 0.0
    print("| build | loop | ours, ns | C, ns | ratio |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for build in MARCH:
            for loop in figures(options.bench, build, pathlib.Path(folder)) or []:
                ratio = loop["ours"] / loop["c"]
                worst = max(worst, ratio)
                print(f"| {build} | {loop['name']} | {loop['ours']:.3f} | {loop['c']:.3f} "
                      f"| {ratio:.2f} |")
    if options.limit and worst > options.limit:
        sys.exit(f"{worst:.2f} is above {options.limit}")


if __name__ == "__main__":
    main()
