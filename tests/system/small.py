"""Promises that a stack of one or two stub nodes can show."""

import os
import signal
import time

from stage import PYTHON, alive, expect, read, read_json, say, wait_until


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


def play(stage, report):
    report.test("A task that exits 7 while the agent is dead is reported as 7", lambda: exit_seven(stage))
    report.test("A changed endpoint is in a running dependant's handover within a second", lambda: handover(stage))
