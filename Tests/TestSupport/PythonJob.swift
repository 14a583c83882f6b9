/// A job's program that speaks the job channel, so that workers can be tested without a toolchain:
/// to "compile" it is to copy it.
package enum PythonJob {
    /// As driver: `map NAME COUNT` enqueues COUNT tasks and prints what they answered; `sleep`;
    /// `exit CODE`. As executor: the task's name says what it does; "gate" waits for the file that
    /// the job's variable GATE names, "poison" crashes on the first input each time.
    package static var source: String {
        get throws { channel(python: try Python.executable) + work }
    }

    /// Connects and says hello.
    private static func channel(python: String) -> String {
        """
        #!\(python)
        import json, os, signal, socket, struct, sys, time
        role = os.environ.get("MANTA_ROLE")
        if role == "describe":
            print('{"tasks": []}')
            sys.exit(0)
        if role == "executor" and "absent" in sys.argv:
            time.sleep(600)
        channel = socket.socket(socket.AF_UNIX)
        channel.connect(os.environ["MANTA_CHANNEL"])

        def send(header, payload=b""):
            head = json.dumps(header).encode()
            body = b"\\x02" + struct.pack(">I", len(head)) + head + payload
            channel.sendall(struct.pack(">I", len(body)) + body)

        def exactly(count):
            data = b""
            while len(data) < count:
                part = channel.recv(count - len(data))
                if not part:
                    sys.exit(0)
                data += part
            return data

        def receive():
            body = exactly(struct.unpack(">I", exactly(4))[0])
            size = struct.unpack(">I", body[1:5])[0]
            header, payload = body[5:5 + size], body[5 + size:]
            if header[0] == 2:
                request = struct.unpack(">Q", header[1:])[0]
                return "completed", {"request": request, "_1": {"succeeded": {}}}, payload
            if header[0] == 3:
                length = struct.unpack(">H", header[9:11])[0]
                return "run", {
                    "assignment": struct.unpack(">Q", header[1:9])[0],
                    "task": header[11:11 + length].decode(),
                    "attempt": struct.unpack(">I", header[11 + length:15 + length])[0],
                }, payload
            header = json.loads(header)
            name = next(iter(header))
            return name, header[name], payload

        send({"hello": {"protocolVersion": 1, "role": role, "pid": os.getpid(),
                        "token": os.environ["MANTA_CHANNEL_TOKEN"]}})
        name, body, _ = receive()
        assert name == "welcome", name

        """
    }

    /// What the two roles do.
    private static let work = """
        def answer(assignment, result, payload=b""):
            send({"answered": {"assignment": assignment, "_1": result}}, payload)

        def work(task, attempt, payload):
            if task == "crash" or (task == "crash-once" and attempt == 1):
                os.kill(os.getpid(), signal.SIGKILL)
            if task == "last-words":
                for number in range(attempt * 20):
                    print("word", number, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            if task == "hang-up" and attempt == 1:
                channel.close()
                time.sleep(600)
            if task == "sleep":
                time.sleep(600)
            if task == "stubborn":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if task == "hungry":
                kept = []
                while True:
                    kept.append(bytearray(4 << 20))
                    time.sleep(0.01)
            if task == "wait":
                time.sleep(0.5)
            if task == "gate":
                print("at the gate", payload.decode(), "attempt", attempt, flush=True)
                while not os.path.exists(os.environ["GATE"]):
                    time.sleep(0.02)
            if task == "slow":
                time.sleep(0.2)
            if task == "poison" and payload == b"0":
                print("poisoned, attempt", attempt, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            if task == "print":
                print("working on", payload.decode(), flush=True)
            return str(int(payload) ** 2).encode()

        if role == "executor":
            while True:
                name, body, payload = receive()
                if name == "shutdown":
                    if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN:
                        time.sleep(600)
                    sys.exit(0)
                if name != "run":
                    continue
                if body["task"] == "error":
                    answer(body["assignment"], {"failed": {"message": "no " + payload.decode()}})
                    continue
                answer(body["assignment"], {"succeeded": {}},
                       work(body["task"], body["attempt"], payload))

        print("driver", os.environ["MANTA_JOB_ID"], "on", os.environ["MANTA_NODE"], flush=True)
        if sys.argv[1] == "sleep":
            time.sleep(600)
        if sys.argv[1] == "exit":
            sys.exit(int(sys.argv[2]))
        count = int(sys.argv[3])
        for number in range(count):
            send({"enqueue": {"request": number, "_1": {
                "name": sys.argv[2], "occurrence": 0, "milliCPUs": 1000,
                "memoryInBytes": 96 << 20 if sys.argv[2] == "hungry" else 0,
                "attemptsMax": 3, "retriesErrors": False}}}, str(number).encode())
        answers = {}
        while len(answers) < count:
            name, body, payload = receive()
            if name == "completed":
                kind = next(iter(body["_1"]))
                answers[body["request"]] = payload.decode() if kind == "succeeded" else kind
        text = " ".join(answers[n] for n in range(count))
        print("answers", text, flush=True)
        send({"result": {}}, json.dumps(text).encode())
        """
}
