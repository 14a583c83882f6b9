"""Reading a numeric CSV of 268 MB: megabytes per second of processor time."""

import json
import os
import pathlib
import statistics
import sys

import numpy
import polars

from training import datasets, measure

COLUMNS = 29
CHILD = '''
import json, resource, sys, time
path, reader = sys.argv[1:]
if reader == "polars":
    import polars
    read = lambda: polars.read_csv(path)
elif reader == "pandas":
    import pandas
    read = lambda: pandas.read_csv(path)
else:
    import lightgbm
    read = lambda: lightgbm.Dataset(path, params={
        "header": True, "label_column": "name:y", "num_threads": 1, "verbosity": -1}).construct()
def seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
start = seconds()
table = read()
print(json.dumps({"cpu_seconds": seconds() - start}))
'''


def table(bytes_wanted):
    """A file of this size: normal deviates as float32, as many digits as tell them apart."""
    path = datasets.cache_folder() / f"reading-{bytes_wanted}.csv"
    if not path.exists():
        chance = numpy.random.default_rng(1)
        rows = bytes_wanted // 300
        partial = path.with_suffix(f".{os.getpid()}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            first = True
            while file.tell() < bytes_wanted:
                block = chance.normal(size=(rows // 10, COLUMNS)).astype(numpy.float32)
                frame = polars.DataFrame(block, schema=[f"f{i}" for i in range(COLUMNS - 1)] + ["y"])
                frame.write_csv(file, include_header=first)
                first = False
        partial.rename(path)
    return path


def reading(bench):
    """Each reader in a process of its own, one thread, the file in the page cache."""
    path = table(26_800_000 if bench.quick else 268_000_000)
    size = path.stat().st_size / 1e6
    pathlib.Path(path).read_bytes()
    samples = {}
    for _ in range(bench.seeds):
        for reader in (measure.OURS, "polars", "pandas", "LightGBM"):
            if reader == measure.OURS:
                command = [
                    bench.program, "csv", str(path), "--target", "y", "--task", "regression",
                    "--threads", "1"]
            else:
                command = [sys.executable, "-c", CHILD, str(path), reader]
            report = measure.printed(command, measure.environment(1))
            samples.setdefault(reader, []).append(size / report["cpu_seconds"])
            print(f"  {reader:10} {samples[reader][-1]:7.0f} MB/s", file=sys.stderr, flush=True)
    return {
        "megabytes": size,
        "results": {reader: statistics.median(values) for reader, values in samples.items()}}
