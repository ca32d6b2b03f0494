"""kill -9 of everything in turn, while lines flow: it comes back by itself, as itself, and no line is lost or doubled."""

import http.client
import json
import os
import re
import signal
import threading
import time

from stage import expect, say, start_time, wait_until

RECOVERY_MAX = 90  # seconds; a broker inside its old session needs two starts on a loaded machine
RATE_MIN = 50      # lines a second that flow all the while


class Flow:
    """Writes numbered lines without pause until it is stopped."""

    def __init__(self, address, rate=80):
        self.address = address
        self.rate_wanted = rate
        self.stopping = threading.Event()
        self.written = 0
        self.started = time.monotonic()
        self.errors = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        host, port = self.address.rsplit(":", 1)
        while not self.stopping.is_set():
            try:
                connection = http.client.HTTPConnection(host, int(port), timeout=30)
                connection.request("POST", f"/lines?count={self.rate_wanted // 2}&rate={self.rate_wanted}&message=flow")
                answer = json.loads(connection.getresponse().read())
                self.written += answer["last"] - answer["first"] + 1
                connection.close()
            except (OSError, ValueError, http.client.HTTPException) as failure:
                self.errors.append(str(failure))
                self.stopping.wait(0.2)

    def rate(self):
        return self.written / (time.monotonic() - self.started)

    def stop(self):
        self.stopping.set()
        self.thread.join()


def picture(status):
    """What must stay the same, by name: identity of every process, framework ids, addresses."""
    processes, constants = {}, {}
    for node in status["nodes"]:
        name, scheduler = node["name"], node["scheduler"]
        processes[f"scheduler of {name}"] = (scheduler["pid"], start_time(scheduler["pid"]))
        constants[f"framework id of {name}"] = scheduler["framework_id"]
        for endpoint in node["endpoints"]:
            constants[f"address {endpoint['name']} of {name}"] = endpoint["addresses"]
        for task in node["tasks"]:
            processes[f"server {task['name']}"] = (task["pid"], start_time(task["pid"]))
    cluster = status["cluster"]
    processes["master"] = (cluster["master"]["pid"], start_time(cluster["master"]["pid"]))
    processes["root"] = (cluster["root"]["pid"], start_time(cluster["root"]["pid"]))
    processes["agent"] = (cluster["agents"][0]["pid"], start_time(cluster["agents"][0]["pid"]))
    return processes, constants


def whole_again(stage, victim, old):
    """The status once everything serves and the victim lives under another number; None before."""
    status = stage.status_or_none("logging")
    if status is None or not all(node["state"] == "serving" for node in status["nodes"]):
        return None
    try:
        processes, _ = picture(status)
    except (KeyError, IndexError):
        return None
    pid, born = processes.get(victim, (0, None))
    return status if born is not None and (pid, born) != old else None


def states(stage):
    status = stage.status_or_none("logging")
    return "no status" if status is None else [(n["name"], n["state"], n.get("reason", "")) for n in status["nodes"]]


def differences(before, after):
    return {name: (before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)}


def written_is_found(stage):
    text = stage.example("check", seconds=150, ok=(0, 1)).strip().splitlines()[-1]
    say(text)
    counts = re.fullmatch(r"written (\d+), found (\d+), missing (\d+), doubled (\d+)", text)
    expect(counts and int(counts[1]) > 0 and counts[3] == "0" and counts[4] == "0", text)


def kill_and_compare(stage, victim):
    processes, constants = picture(stage.status("logging"))
    expect(victim in processes, f"there is no {victim}, only {sorted(processes)}")
    killed = time.monotonic()
    os.kill(processes[victim][0], signal.SIGKILL)
    status = wait_until(lambda: whole_again(stage, victim, processes[victim]), RECOVERY_MAX,
                        lambda: f"{victim} back and everything serving: {states(stage)}")
    say(f"{victim}: everything serves again after {time.monotonic() - killed:.1f} s")
    processes_now, constants_now = picture(status)
    expect(constants_now == constants, f"changed: {differences(constants, constants_now)}")
    del processes[victim], processes_now[victim]
    expect(processes_now == processes, f"others were hit, too: {differences(processes, processes_now)}")
    written_is_found(stage)


def victims(stage):
    names = [f"scheduler of {node['name']}" for node in stage.status("logging")["nodes"]]
    return names + ["root", "agent", "master", "server kafka-0", "server zookeeper-0", "server elasticsearch-0",
                    "server flume-0"]


def flowed(flow):
    expect(not flow.errors, f"the generator did not answer {len(flow.errors)} times: {flow.errors[:3]}")
    expect(flow.rate() >= RATE_MIN, f"only {flow.rate():.1f} lines a second flowed")


def play(stage, report):
    endpoints = {e["name"]: e["addresses"] for e in stage.node("logging", "logging")["endpoints"]}
    flow = Flow(endpoints["lines"][0])
    try:
        for victim in victims(stage):
            report.test(f"Kill -9 of the {victim}: it comes back as itself, nothing else is hit, no line is lost",
                        lambda victim=victim: kill_and_compare(stage, victim))
    finally:
        flow.stop()
    report.test(f"At least {RATE_MIN} lines a second flowed all the while", lambda: flowed(flow))
    report.test("In the end every line written is found, and none twice", lambda: written_is_found(stage))
