"""The same sections as tasks.swift, for Ray."""

import json
import os
import sys
import time

import ray


@ray.remote
def noop(number):
    return number


@ray.remote
def size(data):
    return len(data)


@ray.remote(max_retries=3)
def nap(file):
    with open(file, "a") as out:
        out.write(f"{os.getpid()}\n")
    with open(file) as lines:
        if len(lines.readlines()) == 1:
            time.sleep(600)


def timed(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def in_flight(function, inputs, most):
    """Keeps `most` calls under way, as `ray.wait` is meant to be used."""
    waiting, inputs = [], iter(inputs)
    for argument in inputs:
        waiting.append(function.remote(argument))
        if len(waiting) >= most:
            done, waiting = ray.wait(waiting, num_returns=most // 2)
            ray.get(done)
    ray.get(waiting)


def main():
    options = json.loads(sys.argv[1])
    ray.init(address=options["address"], logging_level="ERROR")
    section, count = options["section"], options.get("count", 1000)
    if section == "latency":
        ray.get([noop.remote(number) for number in range(100)])
        samples = sorted(timed(lambda: ray.get(noop.remote(1))) for _ in range(count))
        found = {"p50": samples[count // 2], "p99": samples[count * 99 // 100]}
    elif section == "throughput":
        ray.get([noop.remote(number) for number in range(100)])
        seconds = timed(lambda: in_flight(noop, range(count), options["in_flight"]))
        found = {"per_second": count / seconds}
    elif section == "arguments":
        inputs = [number.to_bytes(8, "big") + bytes(options["bytes"] - 8)
                  for number in range(count)]
        ray.get([size.remote(data) for data in inputs[:8]])
        seconds = timed(lambda: in_flight(size, inputs, options["in_flight"]))
        found = {"per_second": count / seconds}
    else:
        ray.get(nap.remote(options["file"]))
        found = {}
    print("RESULT " + json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
