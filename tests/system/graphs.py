"""Order, on random graphs of stub servers: what a witness saw against what the graph asks for, and what `events` says."""

import random
import subprocess
import sys
import time

from stage import PYTHON, Failed, expect, say, wait_until

GRAPHS = 20


class Witness:
    """The witness process and its record."""

    def __init__(self, stage):
        self.path = stage.write("witness.log", "")
        self.process = subprocess.Popen([sys.executable, stage.stub("witness.py"), self.path])
        wait_until(lambda: self.lines(), 10, "the witness listens")
        self.port = int(self.lines()[0])

    def lines(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read().splitlines()

    def order(self):
        """{"start a": 1, "ready a": 2, …}; a word told twice keeps its first place."""
        order = {}
        for line in self.lines()[1:]:
            sequence, _, word = line.split(" ", 2)
            order.setdefault(word, int(sequence))
        return order

    def close(self):
        self.process.kill()
        self.process.wait()


def random_graph(rng):
    """{node: nodes it depends on}, later ones on earlier ones."""
    names = [f"n{i}" for i in range(rng.randint(4, 7))]
    return {name: [other for other in names[:i] if rng.random() < 0.35] for i, name in enumerate(names)}


def stack_of(name, graph, stage, port, rng):
    lines = [f"name: {name}", "frameworks:"]
    address = "${instance.host}:${ports.p}"
    for node, needs in graph.items():
        delay = round(rng.uniform(0.1, 0.5), 2)
        lines += [
            f"  {node}:",
            f"    depends_on: [{', '.join(needs)}]" if needs else "",
            f"    command: [{PYTHON}, {stage.stub('server.py')}, '{port}', {name}/{node}, '{address}', '{delay}']",
            "    resources: { cpus: 0.01, mem: 32MiB }",
            "    scheduler: { resources: { cpus: 0.01, mem: 32MiB } }",
            "    ports: { p: auto }",
            "    readiness: { tcp: { port: p }, interval: 50ms }",
        ]
    return "\n".join(line for line in lines if line) + "\n"


def check_order(name, graph, order):
    for node, needs in graph.items():
        for word in ("start", "ready", "stop"):
            expect(f"{word} {name}/{node}" in order, f"{name}/{node} never told the witness {word}")
        for other in needs:
            expect(order[f"ready {name}/{other}"] < order[f"start {name}/{node}"],
                   f"{name}: {node} started before {other}, which it depends on, was ready")
            expect(order[f"stop {name}/{node}"] < order[f"stop {name}/{other}"],
                   f"{name}: {other} was stopped before {node}, which depends on it")


def overlapped(name, graph, order):
    """Whether two nodes that depend on nothing were on their way at the same time."""
    sources = [node for node, needs in graph.items() if not needs]
    starts = [order[f"start {name}/{node}"] for node in sources]
    return len(sources) < 2 or max(starts) < max(order[f"ready {name}/{node}"] for node in sources)


def check_events(stage, name, graph, events):
    """`events` agrees with the graph: launched after every dependency was serving, stopped before it."""
    at = {}
    for event in events:
        if event.get("node"):
            at.setdefault((event["kind"], event["node"]), event["seq"])
    for node, needs in graph.items():
        expect(("node.launching", node) in at, f"{name}: no node.launching of {node} in events")
        for other in needs:
            expect(at[("node.serving", other)] < at[("node.launching", node)],
                   f"{name}: events say that {node} was launched before {other} served")


def play_one(stage, witness, seed):
    rng = random.Random(seed)
    name, graph = f"graph{seed}", random_graph(rng)
    path = stage.write(f"{name}.yaml", stack_of(name, graph, stage, witness.port, rng))
    started = time.monotonic()
    stage.banyan("up", path, seconds=120)
    up = time.monotonic() - started
    events = stage.events(name)
    stage.banyan("down", "-p", name, seconds=60)
    say(f"{name}: {len(graph)} nodes, up in {up:.1f} s, down in {time.monotonic() - started - up:.1f} s")
    order = witness.order()
    check_order(name, graph, order)
    check_events(stage, name, graph, events)
    expect(overlapped(name, graph, order), f"{name}: nodes that depend on nothing did not start side by side")


def all_graphs(stage, witness):
    wrong = []
    for seed in range(1, GRAPHS + 1):
        try:
            play_one(stage, witness, seed)
        except Failed as failure:
            say(f"seed {seed}: {failure}")
            wrong.append(str(failure))
            expect(len(wrong) < 3, "; ".join(wrong))
    expect(not wrong, "; ".join(wrong))


def play(stage, report):
    witness = Witness(stage)
    try:
        report.test(f"A witness sees {GRAPHS} random graphs start and stop in order", lambda: all_graphs(stage, witness))
    finally:
        witness.close()
