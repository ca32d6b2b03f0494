"""Power cuts: every process of the cluster dies at one moment. What comes back comes back in the order of its edges."""

import os
import random
import signal
import socket
import threading
import time

import faults
from graphs import Witness, random_graph, stack_of
from stage import expect, say, start_time, wait_until

CUTS_OF_GRAPHS = 5
CUTS_OF_STORY = int(os.environ.get("BANYAN_POWER_CUTS", "1"))


def cut(stage):
    """SIGKILL for all of them at once: everybody is stopped first, so that nobody sees another die."""
    stopped = set()
    while True:
        fresh = [pid for pid in stage.leftovers() if pid not in stopped]
        if not fresh:
            break
        for pid in fresh:
            signal_to(pid, signal.SIGSTOP)
            stopped.add(pid)
    for pid in stopped:
        signal_to(pid, signal.SIGKILL)
    wait_until(lambda: not any(start_time(pid) for pid in stopped), 10, "everybody is dead")
    return len(stopped)


def signal_to(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def order_since(lines, first):
    """As Witness.order(), of what was told after the first `first` lines."""
    order = {}
    for line in lines[first:]:
        sequence, _, word = line.split(" ", 2)
        order.setdefault(word, int(sequence))
    return order


def cut_one_graph(stage, witness, seed):
    rng = random.Random(1000 + seed)
    name, graph = f"cut{seed}", random_graph(rng)
    path = stage.write(f"{name}.yaml", stack_of(name, graph, stage, witness.port, rng))
    stage.banyan("up", path)
    before = len(witness.lines())
    say(f"{name}: cut {cut(stage)} processes")
    stage.banyan("up", path)
    order = order_since(witness.lines(), before)
    for node, needs in graph.items():
        expect(f"ready {name}/{node}" in order, f"{name}: up ended with 0 and {node} had not come back")
        for other in needs:
            expect(order[f"ready {name}/{other}"] < order[f"start {name}/{node}"],
                   f"{name}: after the cut {node} started before {other}, which it depends on, was ready")
    stage.banyan("down", "-p", name, "--volumes", "-y")


def graphs(stage):
    witness = Witness(stage)
    try:
        for seed in range(1, CUTS_OF_GRAPHS + 1):
            cut_one_graph(stage, witness, seed)
    finally:
        witness.close()


class Doors:
    """Notes from outside when each server of a node first accepts a connection again. Addresses are kept by Banyan."""

    def __init__(self, nodes):
        self.first = {}  # node -> seconds since boot at which all of its doors had been seen open
        self.doors = {name: [a for e in node["endpoints"] for a in e["addresses"]] for name, node in nodes.items()}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    @staticmethod
    def open(address):
        host, port = address.rsplit(":", 1)
        try:
            socket.create_connection((host, int(port)), timeout=0.5).close()
            return True
        except OSError:
            return False

    def watch(self):
        missing = {name: set(doors) for name, doors in self.doors.items() if doors}
        while missing and not self.ended.wait(0.02):
            for name, doors in list(missing.items()):
                doors -= {door for door in doors if self.open(door)}
                if not doors:
                    self.first[name] = time.clock_gettime(time.CLOCK_BOOTTIME)
                    del missing[name]

    def close(self):
        self.ended.set()
        self.thread.join()


def began(pid):
    """Seconds since boot."""
    return (start_time(pid) or 0) / os.sysconf("SC_CLK_TCK")


def cut_the_story(stage):
    before = {node["name"]: node for node in stage.status("logging")["nodes"]}
    lines = {e["name"]: e["addresses"] for e in before["logging"]["endpoints"]}["lines"]
    flow = faults.Flow(lines[0], rate=200)
    time.sleep(5)  # lines are to be under way everywhere
    say(f"cut {cut(stage)} processes after {flow.written} lines")
    doors = Doors(before)
    try:
        stage.example(seconds=300)
    finally:
        doors.close()
        flow.stop()
    after = {node["name"]: node for node in stage.status("logging")["nodes"]}
    for name, node in after.items():
        expect(node["state"] == "serving", f"up ended with 0 and {name} is {node['state']}")
        for edge in node["edges"]:
            opened = doors.first.get(edge["on"])
            if not doors.doors[edge["on"]]:
                continue  # it publishes no address: only its own dependants could tell
            expect(opened is not None, f"{edge['on']} never opened its doors")
            for task in node["tasks"]:
                expect(began(task["pid"]) > opened - 0.2,
                       f"{task['name']} started {opened - began(task['pid']):.1f} s before {edge['on']} answered")
    faults.written_is_found(stage)


def play_graphs(stage, report):
    report.test(f"After a power cut {CUTS_OF_GRAPHS} random graphs come back in the order of their edges",
                lambda: graphs(stage))


def play_story(stage, report):
    for number in range(1, CUTS_OF_STORY + 1):
        report.test(f"After power cut {number} the stack comes back edge by edge and every line written is found once",
                    lambda: cut_the_story(stage))
