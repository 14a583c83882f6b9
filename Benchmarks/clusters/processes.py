"""Processes that a benchmark starts, watches and ends."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

# A compile on a busy machine with two cores stays well below this.
DEADLINE_SECONDS = 180


def end(process):
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=15)
        return
    process.kill()
    process.wait()


def until(what, is_true, seconds=DEADLINE_SECONDS, pause=0.005):
    """Waits for `is_true()` to be something, and answers that."""
    deadline = time.monotonic() + seconds
    while True:
        found = is_true()
        if found:
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds} s in vain: {what}")
        time.sleep(pause)


def answers(url, headers=None):
    """What an HTTP GET answers; nothing while nobody listens there."""
    try:
        with urllib.request.urlopen(
                urllib.request.Request(url, headers=headers or {}), timeout=10) as reply:
            return reply.read().decode() or " "
    except OSError:
        return None


def free_port():
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def free_offset(ports):
    for offset in range(1000, 9000, 100):
        with contextlib.ExitStack() as stack:
            try:
                for port in ports:
                    listener = stack.enter_context(socket.socket())
                    listener.bind(("127.0.0.1", port + offset))
                return offset
            except OSError:
                continue
    raise SystemExit("no free ports")


def first_line_seconds(command, environment, line):
    """Starts `command` and answers how long its output took to show the line."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True)
    seen = []
    try:
        for text in process.stdout:
            seen.append(text)
            if text.strip().endswith(line):
                return time.monotonic() - started
            if time.monotonic() - started > DEADLINE_SECONDS:
                break
        raise SystemExit(f"{' '.join(map(str, command))} never showed the line:\n{''.join(seen)}")
    finally:
        process.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def run_seconds(command, environment):
    """Runs `command` to its end and answers how long it took, and what it printed."""
    started = time.monotonic()
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=5 * DEADLINE_SECONDS)
    seconds = time.monotonic() - started
    if result.returncode != 0:
        raise SystemExit(
            f"{' '.join(map(str, command))} failed:\n{result.stdout}\n{result.stderr}")
    return seconds, result.stdout


def memory(pid):
    """PSS and private dirty memory of a process in bytes; nothing when it has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    values = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    return {"pss": int(values["Pss"]) * 1024, "dirty": int(values["Private_Dirty"]) * 1024}


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"


def descendants(pid):
    """The process and all that it started, as far as they still know it."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, open_ = [], [pid]
    while open_:
        found.append(open_.pop())
        open_ += children.get(found[-1], [])
    return found
