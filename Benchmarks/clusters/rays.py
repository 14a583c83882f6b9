"""A Ray cluster on ports of its own, in the foreground, so that ending it ends nobody else's."""

import json
import os
import pathlib
import signal
import subprocess
import time

from clusters.ours import result
from clusters.processes import (
    answers, descendants, end, free_offset, free_port, memory, name_of, run_seconds, until)

BINARIES = pathlib.Path(os.environ.get("MANTA_BENCH_VENV", "")) / "bin"
TASKS = pathlib.Path(__file__).with_name("tasks.py")


class Cluster:
    name = "Ray"

    def __init__(self, folder, cpus=2, nodes=0):
        """`cpus` of the head's own node, and as many further nodes with one CPU each."""
        self.folder, self.cpus, self.node_count = pathlib.Path(folder), cpus, nodes
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = 6379 + free_offset([6379, 8265])
        self.dashboard = self.port - 6379 + 8265
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | {
            "PATH": f"{BINARIES}:{os.environ['PATH']}", "RAY_USAGE_STATS_ENABLED": "0"}
        self.processes = {}

    @property
    def job_environment(self):
        return self.environment | {"RAY_ADDRESS": f"http://127.0.0.1:{self.dashboard}"}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        # Its daemons outlive the command that started them.
        daemons = [pid for process in self.processes.values() for pid in descendants(process.pid)]
        for name in sorted(self.processes, reverse=True):
            end(self.processes[name])
        for pid in daemons:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def start(self):
        started = time.monotonic()
        self.spawn("head", [
            "--head", f"--port={self.port}", f"--dashboard-port={self.dashboard}",
            "--include-dashboard=true", f"--num-cpus={self.cpus}",
            f"--temp-dir={self.folder}/ray"])
        url = f"http://127.0.0.1:{self.dashboard}/api/version"
        until("Ray's dashboard answers", lambda: answers(url), pause=0.05)
        seconds = time.monotonic() - started
        for number in range(self.node_count):
            self.spawn(f"node-{number + 1}", [
                f"--address=127.0.0.1:{self.port}", "--num-cpus=1",
                f"--node-manager-port={free_port()}", f"--object-manager-port={free_port()}"])
        return seconds

    def spawn(self, name, arguments):
        with open(self.folder / f"{name}.log", "w") as log:
            self.processes[name] = subprocess.Popen(
                [BINARIES / "ray", "start", "--block", *arguments], env=self.environment,
                stdout=log, stderr=log, start_new_session=True)

    def submit_command(self, *command):
        return [BINARIES / "ray", "job", "submit", "--", *command]

    def tasks_command(self, section, options):
        words = {"section": section, "address": f"127.0.0.1:{self.port}"} | options
        return [BINARIES / "python", str(TASKS), json.dumps(words)]

    def tasks(self, section, **options):
        return result(run_seconds(self.tasks_command(section, options), self.environment)[1])

    def begin_tasks(self, section, **options):
        return subprocess.Popen(
            self.tasks_command(section, options), env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def memory(self):
        found = {}
        for process in self.processes.values():
            for pid in descendants(process.pid):
                used = memory(pid)
                if used:
                    found[f"{name_of(pid)} {pid}"] = used
        return found

    def raylet_above(self, pid):
        """The process to kill when a node is to die under this executor."""
        return next(
            parent for process in self.processes.values()
            for parent in descendants(process.pid)
            if name_of(parent) == "raylet" and pid in descendants(parent))
