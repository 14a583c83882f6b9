"""The page Benchmarks/JOBS.md."""

TITLES = {
    "submit": "Submitting", "tasks": "Tasks", "control_plane": "The control plane at rest",
    "faults": "Retries"}


def document(results):
    parts = ["# Jobs and tasks, beside Ray\n"]
    for name, title in TITLES.items():
        if name in results:
            parts.append(f"## {title}\n")
            parts.append(conditions(results[name]))
            parts.append(globals()[name](results[name]["result"]))
    return "\n".join(parts)


def conditions(result):
    machine = result["machine"]
    return (
        f"{machine['cores']} cores of {machine['processor']}, load {machine['load']:.1f} at the "
        f"start; Ray {result['versions'].get('ray', '–')}; medians of {result['rounds']}. Both "
        "clusters ran in this run, one after the other.\n")


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def ratio(ours, theirs, more_is_better):
    if theirs is None:
        return "–"
    return f"{ours / theirs if more_is_better else theirs / ours:.1f}×"


def submit(found):
    rows = []
    for name, get in (("one job", lambda f: f["one"]["median"]),
                      (f"{found['Manta']['jobs']} jobs in sequence", lambda f: f["twenty"])):
        ours, theirs = get(found["Manta"]), found.get("Ray") and get(found["Ray"])
        rows.append([name, f"{ours:.3f} s", f"{theirs:.2f} s" if theirs else "–",
                     ratio(ours, theirs, False)])
    return ("`submit -- python3 -c 'print(1)'`, from the command line's start to its end.\n\n"
            + table(["", "Manta", "Ray", "faster"], rows))


def tasks(found):
    names = list(found)
    theirs = found.get("Ray")
    lines = [
        ("round trip, p50", "latency", "p50", 1e6, "µs", False),
        ("round trip, p99", "latency", "p99", 1e6, "µs", False),
        ("no-op tasks, 1,000 under way", "throughput", "per_second", 1, "/s", True),
        ("100 KB arguments, 100 under way", "arguments", "per_second", 1, "/s", True)]
    rows = []
    for title, section, key, scale, unit, more in lines:
        row = [title]
        row += [f"{found[name][section][key] * scale:,.0f} {unit}" for name in names]
        first = found[names[0]][section][key]
        row.append(ratio(first, theirs and theirs[section][key], more))
        rows.append(row)
    for title, key in (("Redis: scripts, per task", "scripts"),
                       ("Redis: processor time, per task", "processor")):
        rows.append(
            [title] + [f"{found[name]['redis'][key]:.1f} µs" if "redis" in found[name] else "–"
                       for name in names] + [""])
    return ("Two executors with one CPU each, a Python process or a Swift one as the driver.\n\n"
            + table(["", *names, "first against Ray"], rows))


def control_plane(found):
    rows = []
    for name, figures in found.items():
        memory = {role: used for role, used in figures["memory"].items() if used}
        ours = {role: used for role, used in memory.items() if role != "redis"}
        total = sum(used["pss"] for used in ours.values()) / 2 ** 20
        dirty = max(used["dirty"] for used in ours.values()) / 2 ** 20
        redis = f"{memory['redis']['pss'] / 2 ** 20:.1f} MiB" if "redis" in memory else "–"
        rows.append([name, f"{figures['start']['median']:.2f} s", str(len(ours)),
                     f"{total:.1f} MiB", f"{dirty:.1f} MiB", redis])
    return ("Ours: Redis, head and two workers ready; memory with a gateway beside them. Ray's: "
            "the head's node ready.\n\n"
            + table(["", "ready after", "processes", "PSS together", "most private dirty of one",
                     "Redis beside them"], rows))


def faults(found):
    rows = [
        [name, f"{figures['executor']['median']:.2f} s", f"{figures['worker']['median']:.1f} s"]
        for name, figures in found.items()]
    return ("From the `kill -9` until the task runs again.\n\n"
            + table(["", "of its executor", "of its worker (Ray: its node)"], rows))
