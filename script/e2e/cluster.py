"""A redis-server, a head and workers of the built manta, and a job that needs no compiler: what
`script/soak` and `script/e2e/faults` share."""

import hashlib, http.client, itertools, json, os, pathlib, signal, socket, subprocess, sys, tempfile
import time
import urllib.request

TOKEN = "test-token"

JOB = r'''
import hashlib, json, os, socket, struct, sys, time
role = os.environ.get("MANTA_ROLE")
if role == "describe":
    print('{"tasks": []}')
    sys.exit(0)
channel = socket.socket(socket.AF_UNIX)
channel.connect(os.environ["MANTA_CHANNEL"])
stream = channel.makefile("rwb", buffering=1 << 16)

def send(header, payload=b"", flush=True):
    head = json.dumps(header).encode()
    body = b"\x02" + struct.pack(">I", len(head)) + head + payload
    stream.write(struct.pack(">I", len(body)) + body)
    if flush:
        stream.flush()

def exactly(count):
    data = stream.read(count)
    if len(data) < count:
        os._exit(0)
    return data

def receive():
    body = exactly(struct.unpack(">I", exactly(4))[0])
    size = struct.unpack(">I", body[1:5])[0]
    header, payload = body[5:5 + size], body[5 + size:]
    if header[0] == 2:  # the two headers that every task costs are no JSON
        request = struct.unpack(">Q", header[1:])[0]
        return "completed", {"request": request, "_1": {"succeeded": {}}}, payload
    if header[0] == 3:
        length = struct.unpack(">H", header[9:11])[0]
        return "run", {"assignment": struct.unpack(">Q", header[1:9])[0],
                       "task": header[11:11 + length].decode()}, payload
    header = json.loads(header)
    name = next(iter(header))
    return name, header[name], payload

send({"hello": {"protocolVersion": 1, "role": role, "pid": os.getpid(),
                "token": os.environ["MANTA_CHANNEL_TOKEN"]}})
receive()

# JOB COUNT [SECONDS]: so many tasks, each of so long.
pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0
if role == "executor":
    while True:
        name, body, payload = receive()
        if name == "shutdown":
            sys.exit(0)
        if name == "run":
            time.sleep(pause)
            value = hashlib.sha256(payload).hexdigest()[:16]
            send({"answered": {"assignment": body["assignment"], "_1": {"succeeded": {}}}},
                 value.encode())

job, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    send({"enqueue": {"request": number, "_1": {
        "name": "soak", "occurrence": 0, "milliCPUs": 1000, "memoryInBytes": 0,
        "attemptsMax": 100, "retriesErrors": False}}}, f"{job}/{number}".encode(), False)
stream.flush()
right, wrong, seen = 0, [], set()
while len(seen) < count:
    name, body, payload = receive()
    if name not in ("completed", "refused"):
        continue
    number = body["request"]
    expected = hashlib.sha256(f"{job}/{number}".encode()).hexdigest()[:16].encode()
    if number in seen:
        wrong.append(f"{number} answered twice")
    elif name == "completed" and "succeeded" in body["_1"] and payload == expected:
        right += 1
    else:
        wrong.append(f"{number}: {json.dumps(body)[:300]}")
    seen.add(number)
send({"result": {}}, json.dumps({"right": right, "wrong": wrong[:20]}).encode())
'''

# As a script that a worker "compiles": see Cluster.
SOURCE = ("#!" + sys.executable + "\n" + JOB).encode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def descendants(pid):
    """Pids below a process, from the kernel's own list."""
    found = []
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in map(int, children.read_text().split()):
                found += [child] + descendants(child)
        except OSError:
            pass
    return found


def pss_kib(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    return next((int(l.split()[1]) for l in text.splitlines() if l.startswith("Pss:")), None)


def variable(pid, name):
    try:
        entries = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return next((e.split(b"=", 1)[1].decode() for e in entries
                 if e.startswith(name.encode() + b"=")), None)


class Cluster:
    """The processes under test, each in a group of its own, in one folder."""

    def __init__(self, binary, name, workers=2, cpus=2, heads=1):
        self.binary, self.workers, self.cpus = binary, workers, cpus
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"manta-{name}-", dir="/tmp"))
        self.redis_port = free_port()
        # Asked in turn; the first one is called "head".
        self.heads = {f"head-{n + 1}" if n else "head": free_port() for n in range(heads)}
        self.turns = itertools.cycle(self.heads.values())
        self.port = self.heads["head"]
        self.appendfsync, self.redis_wrapper = "always", []
        for name in ["redis", "bin", "state", "data", "cache", "run", "origin", "sdk"]:
            (self.folder / name).mkdir(mode=0o700)
        # What is no Swift script is "compiled" by a copy, so that the soak needs no compiler.
        compiler = self.folder / "bin/swiftc"
        compiler.write_text('#!/bin/sh\ncp "$1" "$3" && chmod 755 "$3"\n')
        compiler.chmod(0o755)
        (self.folder / "sdk/flags").write_text("")
        (self.folder / "sdk/digest").write_text("1")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("MANTA_")}
        self.environment.update({
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "MANTA_TOKEN": TOKEN,
            "MANTA_SDK": f"{self.folder}/sdk", "MANTA_ADDRESS": f"http://127.0.0.1:{self.port}",
            "MANTA_STORE": f"redis://127.0.0.1:{self.redis_port}",
            "MANTA_ORIGIN": f"{self.folder}/origin", "MANTA_LOG_LEVEL": "warning"})
        for name, place in [("STATE_HOME", "state"), ("DATA_HOME", "data"),
                            ("CACHE_HOME", "cache"), ("RUNTIME_DIR", "run")]:
            self.environment[f"XDG_{name}"] = f"{self.folder}/{place}"
        self.processes = {}

    def command(self, role):
        if role == "redis":
            return self.redis_wrapper + [
                "redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1",
                "--dir", f"{self.folder}/redis", "--save", "", "--appendonly", "yes",
                "--appendfsync", self.appendfsync, "--logfile", f"{self.folder}/redis.log"]
        if role in self.heads:
            return [self.binary, "head", "--port", str(self.heads[role])]
        return [self.binary, "worker", "--name", role, "--cpus", str(self.cpus)]

    def start(self, role):
        log = open(self.folder / f"{role}.out", "ab")
        self.processes[role] = subprocess.Popen(
            self.command(role), env=self.environment, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True)
        log.close()

    def start_all(self):
        for role in ["redis", *self.heads] + [f"worker-{n + 1}" for n in range(self.workers)]:
            self.start(role)
            if role == "redis":
                self.wait_for_port(self.redis_port)
            if role in self.heads:
                self.wait_for_port(self.heads[role])

    def wait_for_port(self, port):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"nothing listens on {port}; see {self.folder}")

    def kill(self, role):
        process = self.processes[role]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.start(role)

    def revive(self):
        """Starts again what ended by itself; answers the names."""
        dead = [r for r, p in self.processes.items() if p.poll() is not None]
        for role in dead:
            self.start(role)
        return dead

    def job_processes(self):
        """Pids of drivers and executors, by role."""
        found = {"driver": [], "executor": []}
        for role, process in self.processes.items():
            if not role.startswith("worker"):
                continue
            for pid in descendants(process.pid):
                try:
                    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                except OSError:
                    continue
                kind = variable(pid, "MANTA_ROLE")
                # The guard carries the same variables; the program below it is meant.
                if kind in found and b"\0guard\0" not in command:
                    found[kind].append(pid)
        return found

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def get(self, path, method="GET", body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{next(self.turns)}{path}", body, method=method,
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply) if method != "PUT" else None

    def patiently(self, what, *arguments, absence=(), later=(), **options):
        """A request that is repeated while the head or the store is away, or answers a status in
        `later`; all of ours may be.

        Answers None for a status in `absence`: a repeated deletion finds nothing."""
        deadline = time.monotonic() + 120
        while True:
            try:
                return self.get(*arguments, **options)
            except (OSError, ValueError, http.client.HTTPException) as error:
                status = getattr(error, "code", 503)
                if status in absence:
                    return None
                passes = status >= 500 or status in later
                if not passes or time.monotonic() > deadline:
                    raise RuntimeError(f"{what}: {error}") from error
                time.sleep(0.2)

    def submit_tasks(self, name, count, seconds=0):
        """Submits SOURCE with so many tasks; it is uploaded when it is not there."""
        digest = hashlib.sha256(SOURCE).hexdigest()
        self.patiently("upload", f"/api/blobs/{digest}", method="PUT", body=SOURCE)
        arguments = [name, str(count), str(seconds)]
        body = {"entrypoint": "soak.swift " + " ".join(arguments), "submission_id": name,
                "manta_script": {"file_name": "soak.swift", "digest": digest,
                                 "arguments": arguments}}
        self.patiently("submit", "/api/jobs/", method="POST", body=json.dumps(body).encode())

    def end_of(self, name, seconds=300, turn=lambda: None):
        """The job when it is over; None when it is not after so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            turn()
            job = self.patiently("status", f"/api/jobs/{name}")
            if job["status"] not in ("PENDING", "RUNNING"):
                return job
            time.sleep(0.1)
        return None
