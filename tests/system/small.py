"""Promises that a stack of one or two stub nodes can show."""

import os
import re
import signal
import subprocess
import time

from stage import PYTHON, alive, children_of, command_of, expect, read, read_json, say, start_time, wait_until


def keep_one_running(stage):
    """A stack that stays, so that `down` of each graph does not end the cluster."""
    path = stage.write("anchor.yaml", "name: anchor\nframeworks:\n  still:\n    command: [sleep, infinity]\n"
                       "    resources: { cpus: 0.01, mem: 16MiB }\n")
    stage.banyan("up", path)


def exit_seven(stage):
    """A task that ends with 7 while there is no agent."""
    flag = stage.write("seven.flag", "")
    path = stage.write("seven.yaml", f"""name: seven
frameworks:
  job:
    command: "while [ ! -s {flag} ]; do sleep 0.05; done; exit 7"
    goal: running
    restart: {{ policy: never }}
    resources: {{ cpus: 0.01, mem: 16MiB }}
""")
    stage.banyan("up", path)
    status = stage.status("seven")
    task = status["nodes"][0]["tasks"][0]
    dev, agent = status["cluster"]["dev"]["pid"], status["cluster"]["agents"][0]["pid"]
    os.kill(dev, signal.SIGSTOP)  # else it starts the agent again at once
    try:
        os.kill(agent, signal.SIGKILL)
        stage.write("seven.flag", "now")
        wait_until(lambda: not alive(task["pid"]), 20, "the task ends")
    finally:
        os.kill(dev, signal.SIGCONT)

    def reported():
        status = stage.status_or_none("seven")
        text = "" if status is None else " ".join(
            [status["nodes"][0].get("reason", "")] + [t.get("reason", "") for t in status["nodes"][0]["tasks"]])
        return text if "7" in text else None

    text = wait_until(reported, 60, lambda: f"the status says 7: {stage.status_or_none('seven')}")
    say(f"reported as: {text}")
    expect("status 7" in text or "exit 7" in text or "with 7" in text, f"the true exit status is not in: {text}")
    stage.banyan("down", "-p", "seven")


def handover(stage):
    """A changed endpoint reaches a running dependant."""
    first = '{"serving": true, "endpoints": [{"name": "p", "addresses": ["127.0.0.1:1001"]}]}'
    said = stage.write("said.json", first)
    path = stage.write("handover.yaml", f"""name: handover
frameworks:
  upstream:
    scheduler:
      command: [{PYTHON}, {stage.stub('child.py')}, {said}]
      resources: {{ cpus: 0.01, mem: 32MiB }}
  downstream:
    depends_on: [upstream]
    command: [sleep, infinity]
    resources: {{ cpus: 0.01, mem: 16MiB }}
""")
    stage.banyan("up", path)
    before = stage.node("handover", "downstream")
    file = wait_until(lambda: stage.handover_file("handover", "downstream"), 10, "downstream has a handover.json")
    version = read_json(file)["version"]
    changed = time.monotonic()
    stage.write("said.json", first.replace("1001", "1002"))
    wait_until(lambda: "1002" in read(file), 5, "the new endpoint is in handover.json")
    took = time.monotonic() - changed
    say(f"the new endpoint was there after {took * 1000:.0f} ms")
    after = stage.node("handover", "downstream")
    expect(read_json(file)["version"] > version, "the version of the handover did not rise")
    expect(took < 1.0, f"it took {took:.2f} s")
    expect(after["scheduler"]["pid"] == before["scheduler"]["pid"], "the dependant was restarted")
    stage.banyan("down", "-p", "handover", "--now")


def local_files(stage):
    """Programs and files by relative and absolute paths, whole paths of volumes, and a user by number."""
    folder = os.path.join(os.path.dirname(stage.write("said.txt", "")), "Große Dinge")
    os.makedirs(os.path.join(folder, "bin"), exist_ok=True)
    told = stage.write("told.txt", "")
    os.chmod(told, 0o666)

    def tool(name, version):
        file = os.path.join(folder, "bin", name)
        with open(file, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\ncd / && echo {version} $(id -u) $(cat \"$2/a b.conf\") > {told}; "
                      "touch \"$1/x\" && exec sleep 1000\n")
        os.chmod(file, 0o755)

    path = os.path.join(folder, "stack.yaml")

    def stack(uri, user):
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"""name: local
frameworks:
  app:
    command: 'exec ./tool "${{volumes.data}}" "$MESOS_SANDBOX"'
    uris: [{{ uri: "{uri}", executable: true, output: tool }}]
    files: {{ a b.conf: {{ content: "whole=${{volumes.data}}" }} }}
    volumes: {{ data: 16MiB }}
    user: {user}
    resources: {{ cpus: 0.01, mem: 16MiB }}
""")

    tool("my tool", "one")
    stack("bin/my tool", "65534")
    stage.banyan("up", path)
    wait_until(lambda: read(told).startswith("one 65534 whole=/"), 10, lambda: f"the tool runs: {read(told)}")
    whole = read(told).split("whole=")[1].strip()
    wait_until(lambda: os.path.exists(os.path.join(whole, "x")), 5, f"{whole} is the volume")
    tool("my tool", "two")
    stage.banyan("up", path)
    wait_until(lambda: read(told).startswith("two"), 20, lambda: f"a rebuilt program is fetched again: {read(told)}")
    stack("file:" + os.path.join(folder, "bin", "my tool").replace(" ", "%20"), "65534")
    stage.banyan("up", path)
    tool("my tool", "three")
    stage.banyan("restart", "app", "-p", "local")
    wait_until(lambda: read(told).startswith("three"), 20, lambda: f"a host's file is copied anew: {read(told)}")
    stage.banyan("down", "-p", "local", "--now")


def zombies(stage):
    """A task that leaves hundreds of orphans: whoever inherits them must wait for them."""
    script = stage.write("orphans.py", """import os, time
for _ in range(200):
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.1)
        os._exit(0)
    os.wait()
time.sleep(1000)
""")
    path = stage.write("orphans.yaml", f"""name: orphans
frameworks:
  app:
    command: [{PYTHON}, {script}]
    readiness: {{ exec: "sh -c 'sleep 0.01 & exit 0'", interval: 100ms }}
    resources: {{ cpus: 0.01, mem: 32MiB }}
""")
    stage.banyan("up", path)

    def dead_children():
        found = {}
        for parent in stage.leftovers():
            for child in children_of(parent):
                if start_time(child) is None and os.path.exists(f"/proc/{child}"):
                    found[child] = command_of(parent)
        return found

    time.sleep(1)  # some hundred orphans and ten probes end meanwhile
    wait_until(lambda: not dead_children(), 5, lambda: f"nobody waits for {dead_children()}")
    expect(stage.node("orphans", "app")["tasks"][0]["restarts"] == 0, "it was started again")
    stage.banyan("down", "-p", "orphans", "--now")


def logs_over_restarts(stage):
    """`logs -f` shows each run of a server from its first line, without a gap."""
    path = stage.write("runs.yaml", """name: runs
frameworks:
  app:
    command: 'n=0; while :; do n=$$((n+1)); echo "run $$$$ line $$n"; sleep 0.02; done'
    restart: { backoff: { min: 50ms, max: 100ms } }
    resources: { cpus: 0.01, mem: 16MiB }
""")
    stage.banyan("up", path)
    seen = {}

    def runs():
        seen.clear()
        for run, line in re.findall(r"run (\d+) line (\d+)$", read(said.name), re.M):
            seen.setdefault(run, []).append(int(line))
        return seen

    with open(stage.write("followed", ""), "w", encoding="utf-8") as said:
        with subprocess.Popen([*stage.cli, "logs", "app", "-p", "runs", "-f", "-n", "-1"], env=stage.env, stdout=said,
                              stderr=subprocess.STDOUT) as follower:
            try:
                for count in (1, 2, 3):
                    wait_until(lambda: len(runs()) == count and len(list(seen.values())[-1]) > 10, 20,
                               lambda: f"run {count} is followed: {read(said.name)[-500:]}")
                    if count < 3:
                        os.kill(stage.node("runs", "app")["tasks"][0]["pid"], signal.SIGKILL)
            finally:
                follower.kill()
    for run, lines in runs().items():
        expect(lines == list(range(1, len(lines) + 1)), f"run {run} has gaps: {lines}")
    stage.banyan("down", "-p", "runs", "--now")


def play(stage, report):
    report.test("A task's hundreds of orphans leave no zombie", lambda: zombies(stage))
    report.test("Followed logs show every run from its first line, without gaps", lambda: logs_over_restarts(stage))
    report.test("A task that exits 7 while the agent is dead is reported as 7", lambda: exit_seven(stage))
    report.test("A changed endpoint is in a running dependant's handover within a second", lambda: handover(stage))
    report.test("Local programs, files with blanks, whole paths of volumes and numeric users work", lambda: local_files(stage))
