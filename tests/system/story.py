"""The story of the example: up, order, down, and up again without a network."""

import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

from stage import EXAMPLE, Skipped, command_of, expect, say, wait_until

DEPENDS = {"zookeeper": [], "elasticsearch": [], "kafka": ["zookeeper"], "flume": ["kafka"],
           "logging": ["flume", "kafka", "elasticsearch"]}


def first_of_each(events):
    at = {}
    for event in events:
        if event.get("node"):
            at.setdefault((event["kind"], event["node"]), event["seq"])
    return at


def launches_in_order(stage):
    at = first_of_each(stage.events("logging"))
    for node, needs in DEPENDS.items():
        for other in needs:
            expect(at[("node.serving", other)] < at[("node.launching", node)],
                   f"{node} was launched before {other} served")
    for one, other in (("zookeeper", "elasticsearch"), ("elasticsearch", "zookeeper")):
        expect(at[("node.launching", one)] < at[("node.serving", other)], f"{one} waited for {other} without need")


def teardown_in_order(events):
    at = first_of_each(events)
    for node, needs in DEPENDS.items():
        for other in needs:
            expect(at[("node.stopped", node)] < at[("node.stopping", other)],
                   f"{other} was asked to stop before {node} had")


def brings_up(stage):
    text = stage.example(seconds=900)
    say(text[-4000:])
    expect(re.search(r'^found: \{"id":', text, re.M), f"run printed no found line: {text[-500:]}")


def bring_up(stage, report):
    """False when there is no stack to test."""
    if not report.test("The example's run brings the stack up and prints a line it found", lambda: brings_up(stage)):
        return False
    if stage.status_or_none("logging") is None:
        return False  # nobody asked for it
    report.test("Every node was launched after its dependencies served, and no later", lambda: launches_in_order(stage))
    return True


def follow_teardown(stage):
    """What `events --follow` said from the order to stop until the root ended. It says it to a file: into a pipe that
    nobody reads meanwhile it would get no further than the history."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        with subprocess.Popen([*stage.cli, "events", "-p", "logging", "-f", "-o", "jsonl"], env=stage.env, stdout=said,
                              stderr=subprocess.DEVNULL) as follower:
            try:
                wait_until(lambda: os.fstat(said.fileno()).st_size > 0, 20, "the follower says something")
                stage.example("down", seconds=180)
                follower.wait(timeout=20)
            finally:
                follower.kill()
        said.seek(0)
        events = stage.parse_events(said.read())
    asked = max(event["seq"] for event in events if event["kind"] == "stack.stopping")
    return [event for event in events if event["seq"] >= asked]


def nothing_is_left(stage, groups):
    left = stage.leftovers()
    expect(not left, f"processes are left: {[(pid, command_of(pid)) for pid in left]}")
    with open("/proc/mounts", encoding="utf-8") as mounts:
        expect(stage.state not in mounts.read(), "mounts are left")
    kept = [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if os.path.basename(folder) in groups]
    expect(not kept, f"cgroups are left: {kept}")


def loopback_up():
    """In a network namespace of its own, the loopback interface is down at first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", 1)  # IFF_UP
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def runs_without_network(stage):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise Skipped("cutting the network off needs root and unshare")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "without_network.py")
    text = stage.call(["unshare", "--net", sys.executable, script, EXAMPLE], seconds=240)
    say(text[-3000:])
    expect(re.search(r'^found: \{"id":', text, re.M), "the second run printed no found line")
    took = float(re.search(r"^run took ([0-9.]+)", text, re.M).group(1))
    expect(took < 120, f"it took {took} s")


def take_down(stage, report):
    seen, groups = [], stage.cgroups()
    report.test("Down ends well", lambda: seen.extend(follow_teardown(stage)))
    report.test("Teardown went in the reverse order", lambda: teardown_in_order(seen))
    report.test("Down leaves no process, no cgroup and no mount", lambda: nothing_is_left(stage, groups))
    report.test("A second run needs no network and two minutes at most", lambda: runs_without_network(stage))
    report.test("And leaves nothing behind, either", lambda: nothing_is_left(stage, groups))
