"""What the stack says of itself while it runs: status, endpoints, graph, logs, why, and the master's own words."""

import os
import re
import subprocess

from stage import CLONE, STACK, expect

NODES = ["zookeeper", "kafka", "elasticsearch", "flume", "logging"]


def status_names_everything(stage):
    status = stage.status("logging")
    expect(sorted(node["name"] for node in status["nodes"]) == sorted(NODES), "the five nodes are not all there")
    for node in status["nodes"]:
        expect(node["state"] == "serving", f"{node['name']} is {node['state']}")
        scheduler = node["scheduler"]
        expect(re.fullmatch(rf"logging\.{node['name']}\.\d+", scheduler["framework_id"]), f"{scheduler}")
        for pid in [scheduler["pid"]] + [task["pid"] for task in node["tasks"]]:
            expect(os.path.exists(f"/proc/{pid}"), f"{node['name']}: there is no process {pid}")
        for task in node["tasks"]:
            expect(task["id"] and task["agent"] and task["state"], f"{task}")
    cluster = status["cluster"]
    for pid in [cluster["master"]["pid"], cluster["root"]["pid"], *[agent["pid"] for agent in cluster["agents"]]]:
        expect(os.path.exists(f"/proc/{pid}"), f"there is no process {pid}")


def servers_are_themselves(stage):
    """tasks[].pid is the server, not a wrapper around it."""
    for name, word in (("zookeeper", "QuorumPeerMain"), ("kafka", "kafka.Kafka"), ("flume", "flume.node.Application"),
                       ("elasticsearch", "bootstrap.Elasticsearch")):
        for task in stage.node("logging", name)["tasks"]:
            with open(f"/proc/{task['pid']}/cmdline", encoding="utf-8") as command:
                expect(word in command.read(), f"{task['id']}: process {task['pid']} is not the server")


def schedulers_are_frameworks(stage):
    """Five frameworks of their own at the master, beside the root."""
    text = ask_master(stage, "GET_FRAMEWORKS")
    for node in NODES:
        expect(f'value: "logging.{node}.' in text, f"the master knows no framework of {node}")


def ask_master(stage, call):
    """The answer to an operator call, as protobuf's text."""
    api = os.path.join(CLONE, "runtime/api")
    protoc = ["protoc", f"-I{api}", "mesos/v1/master/master.proto"]
    request = subprocess.run([*protoc, "--encode=mesos.v1.master.Call"], input=f"type: {call}".encode(), cwd=api,
                             capture_output=True, check=True).stdout
    address = stage.status_of_cluster()["master"]["address"]
    answer = subprocess.run(["curl", "-sS", "--fail-with-body", "-H", "Content-Type: application/x-protobuf",
                             "-H", "Accept: application/x-protobuf", "--data-binary", "@-",
                             f"http://{address}/api/v1"], input=request, capture_output=True, check=True).stdout
    return subprocess.run([*protoc, "--decode=mesos.v1.master.Response"], input=answer, cwd=api, capture_output=True,
                          check=True).stdout.decode()


def blocks(text, name):
    """The bodies of all `name { … }` in protobuf's text, at any depth."""
    found, lines = [], text.splitlines()
    for first, line in enumerate(lines):
        if line.strip() == f"{name} {{":
            indent = line[:len(line) - len(line.lstrip())]
            last = next(i for i in range(first, len(lines)) if lines[i] == indent + "}")
            found.append("\n".join(lines[first:last]))
    return found


def reservations_name_roles(stage):
    """Each server's ports and disk are reserved to its node's role."""
    resources = [block for name in ("total_resources", "allocated_resources") for block in
                 blocks(ask_master(stage, "GET_AGENTS"), name)]
    for node in ("zookeeper", "kafka", "elasticsearch"):
        mine = [r for r in resources if f'role: "logging.{node}"' in r]
        expect(any('name: "ports"' in r for r in mine), f"no port is reserved to logging.{node}")
        servers = len(stage.node("logging", node)["tasks"])
        ids = {match for r in mine for match in re.findall(r'persistence {\s+id: "([^"]+)"', r)}
        expect(len(ids) == servers, f"{len(ids)} volumes are reserved to logging.{node}, not {servers}: {ids}")


def verbs_tell(stage):
    expect("kafka" in stage.banyan("status", "-p", "logging"), "status does not name kafka")
    endpoints = stage.banyan("endpoints", "-p", "logging")
    expect(re.search(r"broker.*127\.0\.0\.1:\d+", endpoints), f"endpoints does not show the brokers: {endpoints}")
    graph = stage.banyan("graph", "-p", "logging")
    expect(all(node in graph for node in NODES), f"graph does not show every node: {graph}")
    expect("serving" in stage.banyan("why", "-p", "logging", "kafka"), "why kafka does not say that it serves")
    expect("started" in stage.banyan("logs", "-p", "logging", "kafka"), "the brokers' logs are not shown")


def checks_stack_file(stage):
    variables = [f"--var={name}=/tmp" for name in ("kafka_flume_home", "elasticsearch_home", "programs", "spool")]
    stage.banyan("validate", STACK, *variables)
    plan = stage.banyan("plan", STACK, *variables)
    expect(plan.index("zookeeper") < plan.index("flume"), f"the plan's order is odd: {plan}")


def play(stage, report):
    report.test("Status names living processes of schedulers, servers and daemons", lambda: status_names_everything(stage))
    report.test("A task's pid is its server's", lambda: servers_are_themselves(stage))
    report.test("Each node is a framework of its own at the master", lambda: schedulers_are_frameworks(stage))
    report.test("The master shows ports and disk reserved to each node's role", lambda: reservations_name_roles(stage))
    report.test("Status, endpoints, graph, why and logs tell a newcomer what runs", lambda: verbs_tell(stage))
    # The stack file's own checks need no cluster, but belong to the same tour.
    report.test("Validate and plan accept the example's stack file", lambda: checks_stack_file(stage))
