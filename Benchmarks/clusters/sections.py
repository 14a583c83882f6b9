"""What is measured of both clusters."""

import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import time

from clusters import ours, rays
from clusters.processes import end, run_seconds, until

NOOP = ["python3", "-c", "print(1)"]
# How long a quiet cluster is left alone before its memory is read.
SETTLE_SECONDS = 5
# Ray takes up to half a minute to miss a node.
RETRY_SECONDS = 120


class Bench:
    def __init__(self, folder, rounds, with_ray, scale):
        self.folder, self.rounds, self.with_ray = pathlib.Path(folder), rounds, with_ray
        self.scale = scale
        self.made = 0

    def place(self):
        self.made += 1
        return self.folder / str(self.made)

    def count(self, number):
        return max(1, int(number * self.scale))


def median(values):
    return {"median": statistics.median(values), "samples": values}


def submit(bench):
    """A command that prints one character, from the command line's start to its end; then 20 of
    them, one after the other."""
    found = {}
    for make, environment in both(bench):
        with make() as cluster:
            command, variables = cluster.submit_command(*NOOP), environment(cluster)
            run_seconds(command, variables)  # the first one warms what there is to warm
            one = [run_seconds(command, variables)[0] for _ in range(bench.rounds)]
            started = time.monotonic()
            for _ in range(bench.count(20)):
                run_seconds(command, variables)
            found[cluster.name] = {
                "one": median(one), "twenty": time.monotonic() - started,
                "jobs": bench.count(20)}
    return found


def both(bench):
    yield (lambda: ours.Cluster(bench.place()), lambda cluster: cluster.environment)
    if bench.with_ray:
        yield (lambda: rays.Cluster(bench.place()), lambda cluster: cluster.job_environment)


def tasks(bench):
    """Round trips, no-op calls with 1,000 under way, and calls with 100 KB each."""
    found = {}
    for fsync in ours.FSYNC:
        with ours.Cluster(bench.place(), fsync) as cluster:
            found[f"Manta, AOF {fsync}"] = task_figures(cluster, bench, 20_000)
    if bench.with_ray:
        with rays.Cluster(bench.place()) as cluster:
            found["Ray"] = task_figures(cluster, bench, 5_000)
    return found


def task_figures(cluster, bench, count):
    found = {"latency": [], "throughput": [], "arguments": []}
    redis = []
    for _ in range(bench.rounds):
        found["latency"].append(cluster.tasks("latency", count=bench.count(1_000)))
        before = cluster.script_micros() if cluster.name == "Manta" else None
        found["throughput"].append(
            cluster.tasks("throughput", count=bench.count(count), in_flight=1_000))
        if before:
            after = cluster.script_micros()
            redis.append({name: (after[name] - before[name]) / bench.count(count)
                          for name in before})
        found["arguments"].append(cluster.tasks(
            "arguments", count=bench.count(1_000), in_flight=100, bytes=100_000))
    figures = {
        section: {name: statistics.median(sample[name] for sample in samples)
                  for name in samples[0]}
        for section, samples in found.items()}
    if redis:
        figures["redis"] = {
            name: statistics.median(sample[name] for sample in redis) for name in redis[0]}
    return figures


def control_plane(bench):
    """From nothing to ready, and what it takes while nothing is asked of it."""
    found = {}
    starts = []
    for _ in range(bench.rounds):
        cluster = ours.Cluster(bench.place())
        try:
            starts.append(cluster.start())
        finally:
            cluster.__exit__()
    with ours.Cluster(bench.place()) as cluster:
        cluster.start_gateway()
        time.sleep(SETTLE_SECONDS)
        found["Manta"] = {"start": median(starts), "memory": cluster.memory()}
    if bench.with_ray:
        cluster = rays.Cluster(bench.place())
        try:
            seconds = cluster.start()
            time.sleep(SETTLE_SECONDS)
            found["Ray"] = {"start": median([seconds]), "memory": cluster.memory()}
        finally:
            cluster.__exit__()
    return found


def faults(bench):
    """From the kill -9 of whoever runs a task until it runs again."""
    found = {}
    with ours.Cluster(bench.place()) as cluster:
        cluster.tasks("latency", count=10)  # compiles
        found["Manta"] = {
            "executor": median([
                retry_seconds(cluster, bench, lambda pid: pid) for _ in range(bench.rounds)]),
            "worker": median([worker_kill(bench) for _ in range(bench.rounds)])}
    if bench.with_ray:
        found["Ray"] = {}
        with rays.Cluster(bench.place()) as cluster:
            found["Ray"]["executor"] = median([
                retry_seconds(cluster, bench, lambda pid: pid) for _ in range(bench.rounds)])
        with rays.Cluster(bench.place(), cpus=0, nodes=2) as cluster:
            found["Ray"]["worker"] = median([
                retry_seconds(cluster, bench, cluster.raylet_above)])
    return found


def worker_kill(bench):
    """The worker that dies must not hold the job's driver: that one would start again too."""
    with ours.Cluster(bench.place()) as cluster:
        cluster.tasks("latency", count=10)
        return retry_seconds(
            cluster, bench, lambda pid: cluster.processes[cluster.holder(pid)].pid)


def retry_seconds(cluster, bench, victim):
    file = bench.place()
    lines = lambda: file.read_text().split("\n")[:-1] if file.exists() else []
    driver = cluster.begin_tasks("nap", file=str(file))
    try:
        first = until("the task begins", lines)[0]
        time.sleep(0.5)
        pid = victim(int(first.split()[0]))
        started = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        until("the task begins again", lambda: len(lines()) > 1, RETRY_SECONDS, 0.001)
        return time.monotonic() - started
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            driver.wait(timeout=30)
        end(driver)
