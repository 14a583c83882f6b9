"""Where boosting's time goes: samples of our program while it fits, sorted into the steps of a round.

Linux's `perf` takes them, about a thousand each second of processor time. A step is known by the name
of a sample's function (Swift's mangled names hold those of type and function).
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from training import measure

# Fits of a sample: so many that reading the file and judging the model are seen little.
REPEATS = 5
# The first line whose words a symbol holds all names its step; None is not the fit's.
STEPS = (
    ("binning", ("BinTableV",)), ("binning", ("FeatureBinnerV",)), ("binning", ("FloatSorting",)),
    ("binning", ("BinTilesV",)), ("binning", ("PartitionKernelO", "interleave")),
    ("gradients", ("GradientKernelO",)), ("gradients", ("GradientPassC",)),
    ("histograms", ("HistogramKernelO",)), ("splits", ("ScanKernelO",)),
    ("splits", ("SplitSearch",)), ("splits", ("SplitRulesV",)), ("splits", ("NodeHistogramV",)),
    ("dividing rows", ("PartitionKernelO", "divide")),
    ("leaves and scores", ("PartitionKernelO",)), ("leaves and scores", ("TreeScorer",)),
    (None, ("CSV",)), (None, ("DecimalNumberO",)), (None, ("7DatasetV",)),
    (None, ("BlockKernelO",)), (None, ("9PredictorV",)), (None, ("15DecisionForests4CutsV",)),
    (None, ("ClassAnswersV",)), (None, ("PortableMathO",)), (None, ("memchr",)),
)
TITLES = tuple(dict.fromkeys(step for step, _ in STEPS if step)) + ("memory", "the rest")
MEMORY = ("page", "memset", "memmove", "fault", "zap", "memcg")


def step(library, symbol):
    for name, words in STEPS:
        if all(word in symbol for word in words):
            return name
    is_memory = ("kernel" in library or "libc" in library) and any(
        word in symbol for word in MEMORY)
    return "memory" if is_memory else "the rest"


def shares(bench, data, spec):
    """The share of each step in a fit on one thread."""
    spec = spec | {"repeats": REPEATS}
    if not shutil.which("perf"):
        raise measure.Problem("no perf: apt-get install linux-perf")
    with tempfile.TemporaryDirectory() as folder:
        samples = pathlib.Path(folder) / "samples"
        environment = measure.environment(spec["threads"])
        subprocess.run(
            ["perf", "record", "-q", "-F", "997", "-o", str(samples), "--",
             *bench.command(data, spec)],
            env=environment, check=True, capture_output=True)
        lines = subprocess.run(
            ["perf", "report", "-i", str(samples), "--stdio", "-q", "-t", "|", "-F",
             "sample,dso,symbol", "-s", "dso,symbol"],
            env=os.environ, check=True, capture_output=True, text=True).stdout.splitlines()
    counts = dict.fromkeys(TITLES, 0)
    for line in filter(None, (line.strip() for line in lines)):
        count, library, symbol = (part.strip() for part in line.split("|", 2))
        name = step(library, symbol)
        if name:
            counts[name] += int(count)
    # The program bins once more, alone, to say what it costs.
    counts["binning"] *= REPEATS / (REPEATS + 1)
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()}
