"""Load time and resident size of the two models of docs/PERFORMANCE.md, or of those named.

Each model is loaded in a process of its own, so that no other's memory counts.
"""

import pathlib
import subprocess
import sys

program, models = sys.argv[1], sys.argv[2:]
if not models:
    folder = pathlib.Path.home() / ".cache/manta/bench/load"
    subprocess.run([program, "--make", folder], check=True)
    models = sorted(folder.glob("*.manta"))
for model in models:
    subprocess.run([program, model], check=True)
