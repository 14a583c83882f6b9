"""A cluster of ours: redis-server, a head, workers and a gateway, in a folder of its own."""

import json
import os
import pathlib
import subprocess
import time

from clusters.processes import (
    answers, end, free_port, memory, run_seconds, until)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANTA = ROOT / "bin" / "manta"
JOB = ROOT / "bin" / "job"
SCRIPT = pathlib.Path(__file__).with_name("tasks.swift")
FSYNC = ("everysec", "always")


class Cluster:
    name = "Manta"

    def __init__(self, folder, fsync="everysec", workers=2):
        self.folder = pathlib.Path(folder)
        self.fsync, self.worker_count = fsync, workers
        self.redis_port, self.head_port, self.gateway_port = (free_port() for _ in range(3))
        for name in ("redis", "state", "data", "cache", "run", "origin"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("MANTA_", "MLFLOW_", "REDIS_", "RAY_"))}
        self.environment = kept | {
            "XDG_STATE_HOME": f"{folder}/state", "XDG_DATA_HOME": f"{folder}/data",
            "XDG_CACHE_HOME": f"{folder}/cache", "XDG_RUNTIME_DIR": f"{folder}/run",
            "MANTA_ADDRESS": f"http://127.0.0.1:{self.head_port}", "MANTA_TOKEN": "bench",
            "MANTA_STORE": f"redis://127.0.0.1:{self.redis_port}",
            "MANTA_ORIGIN": f"{folder}/origin",
        }
        self.processes = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        for name in sorted(self.processes):
            end(self.processes[name])

    def start(self):
        """Starts Redis, the head and the workers at once; answers the seconds until all are
        listed."""
        started = time.monotonic()
        self.spawn("redis", [
            "redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1",
            "--dir", str(self.folder / "redis"), "--save", "", "--appendonly", "yes",
            "--appendfsync", self.fsync, "--maxmemory-policy", "noeviction"])
        self.spawn("head", [MANTA, "head", "--port", str(self.head_port)])
        for number in range(1, self.worker_count + 1):
            self.start_worker(number)
        self.wait_for_workers(self.worker_count)
        return time.monotonic() - started

    def start_worker(self, number):
        self.spawn(
            f"worker-{number}", [MANTA, "worker", "--name", f"worker-{number}", "--cpus", "1"])

    def start_gateway(self):
        self.spawn("gateway", [
            MANTA, "gateway", "--port", str(self.gateway_port), "--ops-port", "0",
            "--state-dir", str(self.folder / "state" / "gateway")])
        url = f"http://127.0.0.1:{self.gateway_port}/livez"
        until("the gateway answers", lambda: answers(url))

    def spawn(self, name, command):
        with open(self.folder / f"{name}.log", "a") as log:
            self.processes[name] = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log)

    def workers(self):
        text = answers(
            f"{self.environment['MANTA_ADDRESS']}/api/cluster", {"Authorization": "Bearer bench"})
        return json.loads(text)["workers"] if text else []

    def wait_for_workers(self, count):
        until(f"{count} workers are listed", lambda: len(self.workers()) >= count)

    def submit_command(self, *command):
        return [JOB, "submit", "--", *command]

    def tasks(self, section, **options):
        """Runs a section of tasks.swift as a job and answers the JSON that it printed."""
        words = [word for name, value in options.items()
                 for word in ("--" + name.replace("_", "-"), str(value))]
        command = [JOB, "submit", str(SCRIPT), "--", "--section", section, *words]
        return result(run_seconds(command, self.environment)[1])

    def begin_tasks(self, section, **options):
        words = [word for name, value in options.items()
                 for word in ("--" + name.replace("_", "-"), str(value))]
        return subprocess.Popen(
            [JOB, "submit", str(SCRIPT), "--", "--section", section, *words],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def script_micros(self):
        """What this Redis's commands took so far, in microseconds of its own clock."""
        text = subprocess.run(
            ["redis-cli", "-p", str(self.redis_port), "INFO", "all"], capture_output=True,
            text=True, check=True).stdout
        values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return {
            "scripts": int(values["cmdstat_fcall"].split("usec=")[1].split(",")[0]),
            "processor": 1e6 * (
                float(values["used_cpu_user"]) + float(values["used_cpu_sys"]))}

    def memory(self):
        """Of each role; Redis beside them."""
        return {name: memory(process.pid) for name, process in self.processes.items()}

    def holder(self, pid):
        """The worker whose process started this executor."""
        from clusters.processes import descendants
        return next(
            name for name, process in self.processes.items()
            if name.startswith("worker") and pid in descendants(process.pid))


def result(text):
    """The JSON after RESULT that a job printed."""
    line = next(
        (line for line in reversed(text.splitlines()) if "RESULT " in line), None)
    if line is None:
        raise SystemExit(f"the job printed no result:\n{text[-4000:]}")
    return json.loads(line.split("RESULT ", 1)[1])
