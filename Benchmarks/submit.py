"""How long until a submitted job prints its first line?

Measured from the start of the command line until the driver's first line appears on its output:

  new script        the worker compiles it
  cached script     the same script again, on the worker that compiled it
  another worker    the same script, on a worker that has never seen it: the binary comes from the store
  ray               `ray job submit` of a Python file that prints one line

Each figure is the median of five. The table goes to standard error, JSON to standard output.

  script/bench submit [--rounds 5] [--without-ray]
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

from clusters import rays
from clusters.processes import DEADLINE_SECONDS, end, first_line_seconds

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANTA = ROOT / "bin" / "manta"
JOB = ROOT / "bin" / "job"
LINE = "first line of the driver"

SCRIPT = """\
import Manta

struct Options: JobOptions {}

// %(nonce)s
try await runJob(Options.self) { _, _ in
    print("%(line)s")
}
"""


class Cluster:
    """A cluster of our own in a temporary folder, on ports nobody else uses."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(os.environ) | {
            "MANTA_DATA_DIR": f"{folder}/data", "XDG_STATE_HOME": f"{folder}/state",
            "XDG_CACHE_HOME": f"{folder}/cache",
        }
        for name in ("REDIS_URL", "MANTA_STORE", "MANTA_TOKEN", "MLFLOW_TRACKING_URI"):
            self.environment.pop(name, None)

    def __enter__(self):
        self.manta("up", "--detach", "--workers", "1", "--port-offset", "1000")
        for line in self.manta("env").splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self.environment[name] = value.strip("'")
        return self

    def __exit__(self, *_):
        self.manta("down")

    def manta(self, *arguments):
        result = subprocess.run(
            [MANTA, *arguments], capture_output=True, text=True, env=self.environment,
            timeout=2 * DEADLINE_SECONDS)
        if result.returncode != 0:
            raise SystemExit(f"manta {' '.join(arguments)} failed:\n{result.stderr}")
        return result.stdout

    def submit(self, script):
        return first_line_seconds([JOB, "submit", str(script)], self.environment, LINE)

    def submit_elsewhere(self, script, number):
        """As `submit`, on a worker that has just started with an empty cache and is the only one."""
        status = json.loads(self.manta("status", "--json"))
        usual = next(part["pid"] for part in status["components"] if part["name"] == "worker-1")
        os.kill(usual, signal.SIGSTOP)
        try:
            with self.worker(f"bench-{number}", status):
                return self.submit(script)
        finally:
            os.kill(usual, signal.SIGCONT)

    @contextlib.contextmanager
    def worker(self, name, status):
        password = pathlib.Path(self.folder, "data/redis/password").read_text()
        store = status["redis"]["url"].replace("redis://", f"redis://:{password}@")
        process = subprocess.Popen(
            [MANTA, "worker", "--name", name], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=self.environment | {"MANTA_STORE": store})
        try:
            self.wait_for_worker(name, status)
            yield
        finally:
            end(process)

    def wait_for_worker(self, name, status):
        token = pathlib.Path(status["token_file"]).read_text().strip()
        request = urllib.request.Request(
            status["head"]["url"] + "/api/cluster", headers={"Authorization": f"Bearer {token}"})
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with urllib.request.urlopen(request, timeout=10) as reply:
                if f'"{name}"' in reply.read().decode():
                    return
            time.sleep(0.05)
        raise SystemExit(f"{name} was never listed")


def new_script(folder):
    nonce = uuid.uuid4().hex
    path = pathlib.Path(folder) / f"bench_{nonce[:8]}.swift"
    path.write_text(SCRIPT % {"nonce": nonce, "line": LINE})
    return path


def measure_ray(folder, rounds):
    program = pathlib.Path(folder) / "program"
    program.mkdir()
    (program / "hello.py").write_text(f'print("{LINE}", flush=True)\n')
    with rays.Cluster(pathlib.Path(folder) / "ray") as cluster:
        environment = cluster.job_environment
        command = [rays.BINARIES / "ray", "job", "submit", "--working-dir", program, "--",
                   "python", "hello.py"]
        first_line_seconds(command, environment, LINE)  # the first one starts the job agent
        return [first_line_seconds(command, environment, LINE) for _ in range(rounds)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-ray", action="store_true")
    options = parser.parse_args()
    rounds = options.rounds

    samples = {}
    with tempfile.TemporaryDirectory(prefix="manta-bench-") as folder:
        with Cluster(folder) as cluster:
            scripts = [new_script(folder) for _ in range(rounds)]
            cluster.submit(new_script(folder))  # the first one warms the disk's cache
            samples["new script"] = [cluster.submit(script) for script in scripts]
            samples["cached script"] = [cluster.submit(scripts[0]) for _ in range(rounds)]
            samples["another worker"] = [
                cluster.submit_elsewhere(script, number) for number, script in enumerate(scripts)]
        if not options.without_ray:
            samples["ray job submit"] = measure_ray(folder, rounds)

    medians = {name: round(statistics.median(values), 3) for name, values in samples.items()}
    print(f"{'':16}  median s   (of {rounds})", file=sys.stderr)
    for name, value in medians.items():
        spread = f"{min(samples[name]):.2f} to {max(samples[name]):.2f}"
        print(f"{name:16}  {value:8.2f}   {spread}", file=sys.stderr)
    print(json.dumps({
        "benchmark": "submit", "rounds": rounds, "unit": "s", "median": medians,
        "samples": {name: [round(value, 3) for value in values]
                    for name, values in samples.items()},
    }))


if __name__ == "__main__":
    main()
