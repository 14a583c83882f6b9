"""What a run of a benchmark's section was made on, and where its result is kept.

Results are one JSON file a section in `results` of the cache folder.
"""

import importlib.metadata
import json
import os

from training import datasets


def machine():
    with open("/proc/cpuinfo") as file:
        lines = file.read().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    return {
        "processor": names[0] if names else "unknown", "cores": os.cpu_count(),
        "vectors": "AVX-512" if "avx512vl" in flags else "AVX2" if "avx2" in flags else "SSE",
        "load": os.getloadavg()[0]}


def conditions(libraries):
    return {
        "machine": machine(),
        "versions": {library: importlib.metadata.version(library) for library in libraries}}


def file(name):
    return datasets.cache_folder() / "results" / f"{name}.json"


def keep(name, result):
    file(name).parent.mkdir(parents=True, exist_ok=True)
    file(name).write_text(json.dumps(result, indent=1))


def kept(names, prefix=""):
    """The last result of each section that has one."""
    return {
        name: json.loads(file(prefix + name).read_text())
        for name in names if file(prefix + name).exists()}
