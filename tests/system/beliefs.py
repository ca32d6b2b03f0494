"""What people who come from Compose, Nomad or kubectl take for granted: one command and what it must print or leave."""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from stage import PYTHON, expect, read, start_time, wait_until

SERVE = f"[{PYTHON}, -m, http.server, '${{ports.p}}', --bind, '${{instance.host}}']"
SMALL = "resources: { cpus: 0.01, mem: 32MiB }"
FAST = "backoff: { min: 50ms, max: 100ms }"


def web(more="", command=SERVE, port="auto", name="web"):
    return f"""  {name}:
    command: {command}
    ports: {{ p: {port} }}
    readiness: {{ tcp: p, interval: 50ms }}
    {SMALL}
{more}"""


def job(script, more="", name="job"):
    return f"""  {name}:
    command: [sh, -c, {json.dumps(script)}]
    goal: completed
    {SMALL}
{more}"""


class Belief:
    """One stack of its own, by name; gone when the belief has been looked at."""

    def __init__(self, stage, name):
        self.stage, self.name = stage, name
        self.file = None

    def write(self, *frameworks, top=""):
        self.file = self.stage.write(f"{self.name}.yaml", f"name: {self.name}\n{top}frameworks:\n" + "".join(frameworks))
        return self.file

    def run(self, *arguments, seconds=60):
        """(exit code, everything it printed)"""
        done = subprocess.run([*self.stage.cli, *arguments], env=self.stage.env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False,
                              cwd=self.stage.stubs)
        return done.returncode, done.stdout

    def wants(self, code, pattern, *arguments, seconds=60):
        """The command ends with `code` and prints `pattern`; what it printed."""
        got, text = self.run(*arguments, seconds=seconds)
        expect(got == code, f"`banyan {' '.join(arguments)}` ended with {got}, not {code}: {text[-1500:]}")
        expect(re.search(pattern, text, re.S | re.I), f"`banyan {' '.join(arguments)}` does not say /{pattern}/: {text[-1500:]}")
        return text

    def up(self, code=0, pattern="", *more, seconds=60):
        return self.wants(code, pattern, "up", self.file, *more, seconds=seconds)

    def node(self, name="web"):
        return self.stage.node(self.name, name)

    def pids(self, name="web"):
        return {task["name"]: (task["pid"], start_time(task["pid"])) for task in self.node(name)["tasks"]}

    def address(self, name="web", index=0):
        return self.node(name)["tasks"][index]["addresses"][0]

    def answers(self, address):
        host, port = address.rsplit(":", 1)
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return True
        except OSError:
            return False

    def environment(self, variable, name="web"):
        with open(f"/proc/{self.node(name)['tasks'][0]['pid']}/environ", "rb") as file:
            found = [e for e in file.read().decode().split("\0") if e.startswith(variable + "=")]
        return found[0].partition("=")[2] if found else None

    def mark(self, name):
        """A file that tasks may write; its path."""
        path = self.stage.write(f"{self.name}-{name}", "")
        os.chmod(path, 0o666)
        return path

    def close(self):
        self.run("down", "-p", self.name, "--volumes", "-y", "--now")


# ---- up ------------------------------------------------------------------------------------------------------------

def up_waits_until_it_answers(b):
    b.write(web(command=f"[sh, -c, 'sleep 1; exec {PYTHON} -m http.server ${{ports.p}} --bind ${{instance.host}}']"))
    b.up()
    expect(b.answers(b.address()), "up ended with 0 before the server answered")


def up_fails_for_a_server_that_exits(b):
    b.write(f"  web:\n    command: [sh, -c, 'exit 9']\n    restart: {{ max: 1, {FAST} }}\n    {SMALL}\n")
    b.up(1, r"web.*status 9")


def up_fails_for_a_command_that_is_not_there(b):
    b.write(f"  web:\n    command: [sleeep, '9']\n    restart: {{ max: 1, {FAST} }}\n    {SMALL}\n")
    b.up(1, r"web.*(sleeep|No such file)")


def up_twice_changes_nothing(b):
    b.write(web())
    b.up()
    before = b.pids()
    b.up()
    expect(b.pids() == before, "a second up restarted something")


def a_comment_is_no_change(b):
    b.write(web())
    b.up()
    before = b.pids()
    b.write("  # only words\n\n", web())
    b.wants(0, "", "plan", b.file, "--detailed-exitcode")
    b.up()
    expect(b.pids() == before, "a comment restarted something")


def plan_names_the_change_and_touches_nothing(b):
    b.write(web())
    b.up()
    before = b.pids()
    b.write(web("    env: { COLOUR: red }\n"))
    b.wants(10, r"restart.*web.*COLOUR|web.*restart.*COLOUR", "plan", b.file, "--detailed-exitcode")
    expect(b.pids() == before, "plan restarted something")


def up_ends_when_the_change_is_made(b):
    b.write(web("    env: { COLOUR: red }\n    instances: 2\n"))
    b.up()
    b.write(web("    env: { COLOUR: blue }\n    instances: 2\n"))
    b.up()
    expect(b.environment("COLOUR") == "blue", f"up ended with 0, and COLOUR is {b.environment('COLOUR')}")


def a_broken_change_stops_at_the_first(b):
    b.write(web("    instances: 3\n"))
    b.up()
    before = b.pids()
    b.write(web(f"    instances: 3\n    restart: {{ max: 1, {FAST} }}\n", command="[sh, -c, 'exit 5']"))
    b.up(1, "status 5")
    same = [name for name, who in b.pids().items() if who == before[name]]
    expect(len(same) >= 2, f"only {same} were left alone")
    b.write(web("    instances: 3\n"))
    b.up()
    expect(all(task["state"] == "serving" for task in b.node()["tasks"]), "the old file did not mend it")


def up_detached_returns_at_once(b):
    b.write(web(command="[sleep, '100']"))
    started = time.monotonic()
    b.up(0, "", "-d")
    expect(time.monotonic() - started < 5, "up -d waited")


def up_times_out(b):
    b.write(web(command="[sleep, '100']"))
    b.up(3, "", "--timeout", "2s")


def ctrl_c_leaves_the_stack(b):
    b.write(web(command=f"[sh, -c, 'sleep 3; exec {PYTHON} -m http.server ${{ports.p}} --bind ${{instance.host}}']"))
    viewer = subprocess.Popen([*b.stage.cli, "up", b.file], env=b.stage.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: b.name in b.run("status")[1], 20, "the stack is accepted")
    viewer.send_signal(signal.SIGINT)
    expect(viewer.wait(timeout=10) == 130, f"Ctrl-C ended up with {viewer.returncode}")
    wait_until(lambda: b.node()["state"] == "serving", 30, "it goes on to serving")


def a_second_person_is_told(b):
    b.write(web(command="[sleep, '100']"))
    b.up(0, "", "-d")
    b.write(web("    env: { WHO: second }\n"))
    b.up(4, r"supersede")
    b.up(0, "", "--supersede")


def an_ended_up_is_replaced(b):
    b.write(web(command="[sleep, '100']"))
    with subprocess.Popen([*b.stage.cli, "up", b.file], env=b.stage.env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as viewer:
        wait_until(lambda: b.name in b.run("status")[1], 20, "the stack is accepted")
        b.write(web())
        b.up(4, r"supersede")  # somebody watches
        viewer.kill()
    b.up(0, r"replacing your revision 1")


REGISTERS = """
import http.client, os, time
def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data
name = (os.environ["BANYAN_STACK"] + "." + os.environ["BANYAN_NODE"]).encode()
time.sleep(1)
call = bytes([2 << 3, 1]) + field(3, field(1, field(1, b"nobody") + field(2, name)) + field(2, b"*"))  # SUBSCRIBE, no offers
master = http.client.HTTPConnection(os.environ["BANYAN_MASTER"].split(",")[0])
master.request("POST", "/api/v1/scheduler", call, {"content-type": "application/x-protobuf", "accept": "application/x-protobuf"})
master.getresponse().read()
"""


def a_foreign_scheduler_is_up_when_registered(b):
    path = b.stage.write("registers.py", REGISTERS)
    b.write(f"  other:\n    scheduler: {{ command: [{PYTHON}, {path}], readiness: registered }}\n",
            web("    depends_on: [other]\n"))
    started = time.monotonic()
    b.up()
    expect(time.monotonic() - started > 1, "it counted as up before it was registered")
    b.write(f"  other:\n    scheduler: {{ command: [sleep, '1000'], readiness: registered }}\n")
    b.run("down", "-p", b.name)
    b.wants(3, r"no framework with id", "up", "--timeout", "2s", b.file)
    b.write("  other:\n    scheduler: { command: [sleep, '1000'], readiness: { exec: ['false'] } }\n")
    b.run("down", "-p", b.name)
    b.up(3, r"its readiness command exited with status 1", "--timeout", "2s")


def a_volume_grows_with_its_data(b):
    text = web(command=f"[sh, -c, 'echo x >> ${{volumes.v}}/starts; exec {PYTHON} -m http.server ${{ports.p}} "
                       "--bind ${instance.host} --directory ${volumes.v}']")
    b.write(text + "    volumes: { v: 16MiB }\n")
    b.up()
    b.write(text + "    volumes: { v: { size: 32MiB, path: var/lib } }\n")
    b.wants(0, r"from 16 MB to 32 MB", "plan", b.file)
    b.up()
    address = b.node()["tasks"][0]["addresses"][0]
    with urllib.request.urlopen(f"http://{address}/starts", timeout=5) as answer:
        expect(answer.read() == b"x\nx\n", "the volume was kept over its change")


# ---- jobs ----------------------------------------------------------------------------------------------------------

def a_job_is_waited_for(b):
    done = b.mark("done")
    b.write(job(f"sleep 1; echo did >> {done}"))
    b.up()
    expect(read(done) == "did\n", "up ended with 0 before the job had")
    expect(b.node("job")["state"] == "completed", f"the job is {b.node('job')['state']}")


def a_completed_job_does_not_run_again(b):
    done = b.mark("done")
    b.write(job(f"echo did >> {done}"))
    b.up()
    b.up()
    expect(read(done) == "did\n", f"it ran again: {read(done)!r}")
    b.wants(0, "", "restart", "-p", b.name, "job")
    wait_until(lambda: read(done) == "did\ndid\n", 20, "restart runs it again")


def a_failed_job_fails_up(b):
    b.write(job("echo no; exit 3", "    restart: never\n"), f"  web:\n    depends_on: {{ job: {{ condition: completed }} }}\n"
            f"    command: [sleep, '100']\n    {SMALL}\n")
    b.up(1, r"job.*status 3", seconds=20)
    expect(b.node("job")["state"] == "failed", f"the job is {b.node('job')['state']}")
    b.wants(0, "job", "why", "-p", b.name, "web")
    expect(not b.node("web")["tasks"] or all(t["pid"] == 0 for t in b.node("web")["tasks"]), "web ran")


def a_service_that_ends_well_has_failed(b):
    b.write(f"  web:\n    command: [sh, -c, 'sleep 2']\n    restart: never\n    {SMALL}\n")
    b.run("up", b.file)
    wait_until(lambda: b.node()["state"] == "failed", 20, "a service that ended is failed")
    b.wants(0, "status 0", "why", "-p", b.name, "web")


def retries_are_counted(b):
    runs = b.mark("runs")
    b.write(job(f"echo run >> {runs}; exit 1", f"    restart: {{ policy: on_failure, max: 2, {FAST} }}\n"))
    b.up(1, "")
    expect(read(runs) == "run\n" * 3, f"max: 2 made {len(read(runs).split())} runs")


# ---- restart, scale ------------------------------------------------------------------------------------------------

def restart_makes_new_processes_on_the_old_port(b):
    b.write(web("    instances: 2\n"))
    b.up()
    before, address = b.pids(), b.address()
    b.wants(0, "", "restart", "-p", b.name, "web")
    expect(not set(before.values()) & set(b.pids().values()), "restart ended with 0, and an old process runs")
    expect(b.address() == address and b.answers(address), "the address is another, or does not answer")


def restart_of_nobody_helps(b):
    b.write(web())
    b.up()
    b.wants(2, "did you mean \"web\"", "restart", "-p", b.name, "wbe")


def scaling_leaves_the_others_alone(b):
    b.write(web())
    b.up()
    before = b.pids()["web-0"]
    b.write(web("    instances: 3\n"))
    b.up()
    expect(len(b.pids()) == 3 and b.pids()["web-0"] == before, "scaling up touched web-0, or is not done")
    b.write(web("    instances: 1\n"))
    b.up()
    expect(list(b.pids()) == ["web-0"] and b.pids()["web-0"] == before, f"scaling down left {b.pids()}")


# ---- down ----------------------------------------------------------------------------------------------------------

def down_of_a_missing_file_touches_nothing(b):
    b.write(web())
    b.up()
    code, text = b.run("down", "/nowhere/stack.yaml")
    expect(code != 0 and "/nowhere/stack.yaml" in text, f"down of a missing file: {code} {text}")
    other = b.stage.write("other.yaml", "name: some-other\nframeworks:\n" + web())
    code, text = b.run("down", other, "--volumes", "-y")
    expect("some-other" in text, f"down of another stack: {code} {text}")
    expect(b.node()["state"] == "serving", "the wrong stack was taken down")


def data_stays_until_it_is_asked_for(b):
    volume = "    volumes: { data: { size: 8MiB, path: data } }\n"
    keep = f"[sh, -c, 'echo line >> data/kept; exec {PYTHON} -m http.server ${{ports.p}} --bind ${{instance.host}} --directory data']"
    b.write(web(volume, command=keep))

    def kept():
        return subprocess.run(["curl", "-s", f"http://{b.address()}/kept"], capture_output=True, text=True,
                              check=False).stdout

    b.up()
    b.wants(0, "", "down", b.file)
    b.up()
    expect(kept() == "line\nline\n", f"after down and up the volume holds {kept()!r}")
    code, text = b.run("down", b.file, "--volumes")
    expect(code == 2 and "-y" in text, f"down --volumes without a terminal: {code} {text}")
    expect(b.node()["state"] == "serving", "it was taken down unasked")
    b.wants(0, "", "down", b.file)
    b.wants(0, "", "down", b.file, "--volumes", "-y")
    b.up()
    expect(kept() == "line\n", f"after down --volumes the volume holds {kept()!r}")


def a_shell_gets_its_grace(b):
    done = b.mark("done")
    b.write(f"  web:\n    command: \"trap 'sleep 1; echo clean > {done}; exit 0' TERM; while :; do sleep 0.1; done\"\n"
            f"    stop: {{ grace: 20s }}\n    {SMALL}\n")
    b.up()
    b.wants(0, "", "down", b.file)
    expect(read(done) == "clean\n", "the shell was killed before it had tidied up")


def a_second_down_says_that_nothing_runs(b):
    b.write(web())
    b.up()
    b.wants(0, "", "down", b.file)
    b.wants(1, "no stack .* is running", "down", b.file)


# ---- ports, uris ---------------------------------------------------------------------------------------------------

def a_changed_port_is_the_new_one(b):
    b.write(web(port="18180"))
    b.up()
    expect(b.address().endswith(":18180"), b.address())
    b.write(web(port="18181"))
    b.wants(10, "18181|port", "plan", b.file, "--detailed-exitcode")
    b.up()
    expect(b.address().endswith(":18181") and b.answers(b.address()), f"it is on {b.address()}")


def relative_uris_arrive_and_follow(b):
    tool = b.stage.write("tool.sh", "#!/bin/sh\necho one\n")
    os.chmod(tool, 0o755)
    b.write(web("    uris: [{ uri: ./tool.sh, executable: true }]\n",
                command=f"[sh, -c, './tool.sh; exec {PYTHON} -m http.server ${{ports.p}} --bind ${{instance.host}}']"))
    b.up()
    b.wants(0, "one", "logs", "-p", b.name, "web")
    b.stage.write("tool.sh", "#!/bin/sh\necho two\n")
    b.up()
    b.wants(0, "two", "logs", "-p", b.name, "web")


def volumes_are_whole_paths(b):
    b.write(web("    volumes: { data: { size: 8MiB, path: data } }\n",
                command=f"[sh, -c, 'cd / && touch ${{volumes.data}}/there && exec {PYTHON} -m http.server ${{ports.p}} "
                        "--bind ${instance.host}']"))
    b.up()
    expect(glob.glob(os.path.join(b.stage.state, "**", "there"), recursive=True), "the file is not in the volume")


# ---- seeing --------------------------------------------------------------------------------------------------------

def logs_name_their_source(b):
    b.write(f"  web:\n    command: [sh, -c, 'seq 1 5; exec sleep 100']\n    {SMALL}\n")
    b.up()
    text = b.wants(0, r"web-0.* \| 5", "logs", "-p", b.name, "web", "-n", "2")
    expect("| 3" not in text, f"-n 2 printed {text!r}")
    b.wants(2, "did you mean", "logs", "-p", b.name, "wbe")


def why_tells_what_is_waited_for(b):
    b.write(web(command="[sleep, '100']", name="db"), f"  web:\n    depends_on: [db]\n    command: [sleep, '100']\n    {SMALL}\n")
    b.up(0, "", "-d")
    wait_until(lambda: b.node("db")["state"] == "starting", 20, "db starts")
    b.wants(0, "db.*serving", "why", "-p", b.name, "web")


def json_is_json(b):
    b.write(web())
    b.up()
    for verb in (["status"], ["endpoints"], ["events"], ["why", "web"]):
        code, text = b.run(*verb[:1], "-p", b.name, *verb[1:], "-o", "json")
        expect(code == 0, f"{verb} ended with {code}")
        json.loads(text)


def a_full_disk_is_an_error(b):
    b.write(web())
    b.up()
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([*b.stage.cli, "status", "-p", b.name], env=b.stage.env, stdout=full, check=False)
    expect(done.returncode != 0, "status into a full disk ended with 0")


# ---- what else people try --------------------------------------------------------------------------------------------

def down_without_a_name_takes_the_folders_stack(b):
    b.write(web())
    b.up()
    folder = os.path.join(b.stage.stubs, f"{b.name}-folder")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "stack.yaml"), "w", encoding="utf-8") as file:
        file.write("name: not-running\nframeworks:\n" + web())
    done = subprocess.run([*b.stage.cli, "down", "--volumes", "-y"], env=b.stage.env, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False, cwd=folder)
    expect(done.returncode != 0 and "not-running" in done.stderr, f"{done.returncode} {done.stderr}")
    expect(b.node()["state"] == "serving", "down took a stack that the folder does not name")


def down_reads_json_style(b):
    b.write(web())
    b.up()
    style = b.stage.write(f"{b.name}-json.yaml", json.dumps(
        {"name": b.name, "frameworks": {"web": {"command": ["sleep", "1"]}}}))
    b.wants(0, f"{b.name} is down", "down", style)


def plan_without_changes_is_zero(b):
    b.write(web())
    b.up()
    b.wants(0, "nothing to change", "plan", b.file, "--detailed-exitcode")


def plan_of_a_new_stack_is_a_change(b):
    b.write(web())
    b.wants(10, "add web", "plan", b.file, "--detailed-exitcode")
    planned = json.loads(b.run("plan", b.file, "-o", "json")[1])["planned"]
    expect([change["effect"] for change in planned] == ["add"], f"planned: {planned}")


def up_dry_run_starts_nothing(b):
    b.write(web())
    b.wants(0, "web", "up", b.file, "--dry-run")
    expect(b.name not in b.run("status")[1], "up --dry-run started something")


def up_reads_stdin_once(b):
    text = f"name: {b.name}\nframeworks:\n" + web()
    done = subprocess.run([*b.stage.cli, "up", "-f", "-"], env=b.stage.env, input=text, text=True, capture_output=True,
                          timeout=60, check=False)
    expect(done.returncode == 0, f"up -f -: {done.returncode} {done.stderr}")
    expect(b.node()["state"] == "serving", "it does not serve")


def variables_are_set_one_by_one(b):
    b.write(web("    env: { A: '${vars.a}', B: '${vars.b}' }\n"),
            top="vars: { a: { type: string }, b: { type: string, default: unset } }\n")
    b.up(0, "", "--var", "a=x,y", "--var", "b=2")
    expect((b.environment("A"), b.environment("B")) == ("x,y", "2"), f"{b.environment('A')}, {b.environment('B')}")
    b.wants(2, "a.*--var", "up", b.file)


def history_lists_every_up(b):
    b.write(web())
    b.up()
    b.write(web(f"    restart: {{ max: 1, {FAST} }}\n", command="[sh, -c, 'exit 5']"))
    b.up(1)
    b.wants(0, r"2 +\S+ failed.*status 5.*1 +\S+ done", "history", b.name)
    found = json.loads(b.run("history", b.name, "-o", "json")[1])["revisions"]
    expect([(r["number"], r["state"]) for r in found] == [(2, "failed"), (1, "done")], f"{found}")


def history_survives_down(b):
    b.write(web())
    b.up()
    b.wants(0, "", "down", b.file)
    b.wants(0, r"1 +\S+ done", "history", b.name)


def history_of_nobody_says_so(b):
    b.wants(1, "never-there", "history", "never-there")


def events_are_filtered(b):
    b.write(web(), web(name="other"))
    b.up()
    text = b.wants(0, "node.serving", "events", "-p", b.name, "--node", "web", "--kind", "node.", "--since", "10m")
    expect("other" not in text and "server." not in text, f"the filter let through: {text}")


def events_tell_an_outage(b):
    b.write(web())
    b.up()
    os.kill(b.node()["tasks"][0]["pid"], signal.SIGKILL)
    wait_until(lambda: b.node()["tasks"][0]["restarts"] > 0 and b.node()["state"] == "serving", 30, "it is back")
    found = [e for e in b.stage.events(b.name) if e["outage_ms"] > 0]
    expect(found and found[0]["root_cause"] > 0, "no event tells how long the outage was, and what began it")
    b.wants(0, "after an outage of", "events", "-p", b.name)


def a_follower_outlives_the_root(b):
    b.write(web())
    b.up()
    with open(os.path.join(b.stage.stubs, f"{b.name}.events"), "w+", encoding="utf-8") as out:
        follower = subprocess.Popen([*b.stage.cli, "events", "-f", "-p", b.name], env=b.stage.env, stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: "node.serving" in read(out.name), 20, "the follower has caught up")
            os.kill(b.stage.status_of_cluster()["root"]["pid"], signal.SIGKILL)
            wait_until(lambda: b.run("restart", "-p", b.name, "web")[0] == 0, 30, "the next root restarts web")
            wait_until(lambda: "node.restart" in read(out.name), 20, "the follower tells what the next root did")
            numbers = re.findall(r"^ *(\d+)  ", read(out.name), re.M)
            expect(len(numbers) == len(set(numbers)), f"events were told twice: {numbers}")
        finally:
            follower.kill()
            follower.wait()


def unheard_of_is_unknown(b):
    b.write(web())
    b.up()
    cluster = b.stage.status_of_cluster()
    os.kill(cluster["agents"][0]["pid"], signal.SIGSTOP)
    try:
        os.kill(cluster["root"]["pid"], signal.SIGKILL)
        wait_until(lambda: "it was serving when last heard of" in b.run("status", "-p", b.name)[1], 20, "it is unknown")
        b.wants(0, "unknown", "why", "-p", b.name, "web")
    finally:
        os.kill(cluster["agents"][0]["pid"], signal.SIGCONT)
    wait_until(lambda: b.node()["state"] == "serving", 30, "it is known again")


def why_goes_to_the_root_cause(b):
    b.write(f"  db:\n    command: [sh, -c, 'exit 7']\n    restart: {{ max: 1, {FAST} }}\n    {SMALL}\n",
            f"  api:\n    depends_on: [db]\n    command: [sleep, '100']\n    {SMALL}\n",
            f"  web:\n    depends_on: [api]\n    command: [sleep, '100']\n    {SMALL}\n")
    b.up(1, "db is .*status 7")
    text = b.wants(0, "because .*db is (failed|quarantined).*status 7", "why", "-p", b.name, "web")
    expect("status 7" not in text.splitlines()[0], f"web's own reason quotes another's: {text}")


def why_names_the_template(b):
    b.stage.write("app.conf", "one\naddress = ${db.endpoints.p}\n")
    b.write(web("    endpoints: { p: p }\n", name="db"),
            f"  web:\n    command: [sleep, '100']\n    files: {{ app.conf: {{ source: app.conf }} }}\n    {SMALL}\n")
    b.up()
    b.wants(0, r"app\.conf:2:11", "why", "-p", b.name, "web")


def wide_tells_goal_and_hashes(b):
    b.write(web(), job("true"))
    b.up()
    b.wants(0, r"GOAL +MET +OBSERVED.*serving +yes +[0-9a-f]{8}.*completed +yes", "status", "-p", b.name, "-o", "wide")


def status_shows_the_lock(b):
    b.write(web(command="[sleep, '100']"))
    b.up(0, "", "-d")
    b.wants(0, r"revision 1 of \S+@.*open for .*web is", "status", "-p", b.name)


def a_form_that_is_not_there_is_refused(b):
    for verb, form in (("logs", "yaml"), ("graph", "wide"), ("version", "dot"), ("events", "tree")):
        code, text = b.run(verb, *(["web"] if verb == "logs" else []), "-o", form)
        expect(code == 2 and form in text and "it has" in text, f"{verb} -o {form}: {code} {text}")


def help_names_the_shared_flags(b):
    for verb in ("up", "down", "logs", "history"):
        b.wants(0, r"--stack.*--color", verb, "--help")


def a_port_of_another_stack_is_refused(b):
    b.write(web(port="18190"))
    b.up()
    other = b.stage.write("second.yaml", f"name: {b.name}b\nframeworks:\n" + web(port="18190", name="late"))
    b.wants(4, f"18190 of late is taken by web of stack {b.name}", "up", other)
    expect(b.answers(b.address()), "the first one does not answer any more")


def too_big_is_told_with_need_and_biggest(b):
    b.write("  web:\n    command: [sleep, '100']\n    resources: { cpus: 1000, mem: 32MiB }\n")
    b.wants(0, r"web needs 1000 cpus.*the biggest.* has \S+ cpus", "plan", b.file)


def stale_timeouts_end_with_three(b):
    b.write(web(command="[sleep, '100']", name="db"),
            f"  web:\n    depends_on: {{ db: {{ timeout: 1s }} }}\n    command: [sleep, '100']\n    {SMALL}\n")
    b.up(3, "db", "--timeout", "4s")


def what_exit_codes_mean_is_printed(b):
    b.wants(0, r"3 +timed out.*done 0.*superseded 4", "help", "exit-codes")


def a_strangers_port_is_named(b):
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", 18097))
        stranger.listen()
        b.write(web(f"    restart: {{ max: 1, {FAST} }}\n", port=18097))
        text = b.up(1, rf"port 18097 is in use by pid {os.getpid()} ")
        expect("web serving" not in text, "a stranger's listener was taken for the server")


def logs_reach_over_rotations(b):
    b.write(job("head -c 17000000 /dev/zero | tr '\\0' x | fold -w 999; echo; echo the end"))
    b.up()
    code, text = b.run("logs", "-p", b.name, "-n", "5000", "job")
    lines = text.splitlines()
    expect(code == 0 and len(lines) == 5000, f"logs -n 5000 ended with {code} and {len(lines)} lines")
    expect(lines[-1].endswith("the end"), f"the last line is {lines[-1][-80:]}")


def logs_know_attempts_and_checks(b):
    b.write("  web:\n    command: \"echo attempt; sleep 1000\"\n"
            f"    readiness: {{ exec: [sh, -c, 'echo probing'], interval: 50ms }}\n    {SMALL}\n")
    b.up()
    b.wants(0, "", "restart", "-p", b.name, "web")
    b.wants(0, r"web-0 attempt 1 . attempt", "logs", "-p", b.name, "web", "--previous")
    b.wants(0, r"web-0 . probing", "logs", "-p", b.name, "web", "--checks")
    b.wants(0, r"attempt 1 . attempt.*web-0 . attempt", "logs", "-p", b.name, "--since", "10m")


def swept_sockets_come_back(b):
    b.write(web())
    b.up()
    pid = b.node()["tasks"][0]["pid"]
    with open(os.path.join(b.stage.state, "default", "dev.json"), encoding="utf-8") as file:
        shutil.rmtree(json.load(file)["sockets"], ignore_errors=True)  # it is made anew while it goes
    wait_until(lambda: b.run("status", "-p", b.name)[0] == 0, 30, "the cluster answers again")
    wait_until(lambda: b.node()["state"] == "serving", 30, "it is known to serve")
    expect(b.node()["tasks"][0]["pid"] == pid, "the server was hit by it")


def a_hardened_shell_makes_no_difference(b):
    b.write("  app:\n    command: [sh, -c, 'cat conf/a > ${volumes.v}/b; exec sleep 1000']\n"
            "    files: { conf/a: { content: x } }\n    volumes: { v: 16MiB }\n" f"    {SMALL}\n")
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o711)
        env = {**b.stage.env, "BANYAN_STATE": f"{parent}/state"}
        up = subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "sh", *b.stage.cli, "up", b.file], env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        subprocess.run([*b.stage.cli, "down", "-p", b.name], env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        expect(up.returncode == 0, f"up ended with {up.returncode}: {up.stdout.decode()[-800:]}")


def program(b, name, mode, text="exec sleep 100"):
    """A program of the belief's own beside its file; the file's name."""
    path = b.stage.write(f"{b.name}-{name}", f"#!/bin/sh\n{text}\n")
    os.chmod(path, mode)
    return f"{b.name}-{name}"


def a_program_may_be_executed(b):
    tool = program(b, "tool", 0o755)
    b.write(f"  web:\n    command: [./{tool}]\n    uris: [{tool}]\n    {SMALL}\n")
    b.up()


def what_cannot_be_executed_is_named(b):
    tool = program(b, "data", 0o644)
    b.write(f"  web:\n    command: [./{tool}]\n    uris: [{tool}]\n    restart: {{ max: 1, {FAST} }}\n    {SMALL}\n")
    b.up(1, rf"Failed to execute \./{tool}: Permission denied; .*executable: true")


def who_is_left_behind_is_told(b):
    client = f"  client:\n    command: [sh, -c, 'echo at ${{web.endpoints.p}}; exec sleep 100']\n    {SMALL}\n"
    b.write(web("    endpoints: { p: p }\n", port=18191), client)
    b.up()
    b.write(web("    endpoints: { p: p }\n", port=18192), client)
    keep = r"keep client: it goes on with the old address of web\.p; `banyan restart client` brings it"
    b.wants(0, rf"restart web: ports p changed.*{keep}", "plan", b.file)
    b.up(0, r"note: client goes on with web\.p 127\.0\.0\.1:18191, which has changed since; `banyan restart client`")
    b.wants(0, r"client-0.*launched with web\.p 127\.0\.0\.1:18191, changed since", "status", "-p", b.name)
    b.wants(0, r"nothing to change.*keep client", "plan", b.file, "--detailed-exitcode")
    b.wants(0, "", "restart", "-p", b.name, "client")
    b.wants(0, "at 127.0.0.1:18192", "logs", "-p", b.name, "client")
    text = b.wants(0, "nothing to change", "plan", b.file)
    expect("keep" not in text, f"it is still left behind: {text}")


def why_shows_what_a_check_printed(b):
    b.write("  web:\n    command: [sleep, '100']\n"
            "    readiness: { exec: [sh, -c, 'echo no leader yet; exit 7'], interval: 50ms }\n" f"    {SMALL}\n")
    b.up(0, "", "-d")
    wait_until(lambda: "its check printed: no leader yet" in b.run("why", "-p", b.name, "web")[1], 20, "why shows it")


def a_job_that_runs_again_tells_its_own_time(b):
    b.write(job("sleep 1; echo done"))
    b.up()
    time.sleep(2)
    b.wants(0, "job was restarted in 1", "restart", "-p", b.name, "job")
    expect(b.node("job")["state"] == "completed", "the second run")
    expect(b.node("job")["since_ms"] < 2000, "FOR is of the first run")


def a_server_is_pointed_to_its_framework(b):
    b.write(web())
    b.up()
    for name in ("web-0", "web/web-0"):
        b.wants(2, r"banyan logs web/web-0.*banyan restart web", "restart", "-p", b.name, name)
    b.wants(2, r"banyan logs web/web-0", "logs", "-p", b.name, "web-0")
    b.wants(2, r"no server .web-9.; it has web-0", "logs", "-p", b.name, "web/web-9")


def a_shrunk_volume_is_told(b):
    b.write(web("    volumes: { v: 32MiB }\n"))
    b.up()
    b.write(web("    volumes: { v: 16MiB }\n"))
    b.wants(0, r"from 32 MB to 16 MB \(nothing is deleted; look first whether its data fits", "plan", b.file)


def a_refused_agent_is_told(b):
    enough, little = "cpus:2;mem:1024;disk:1000;ports:[18200-18209]", "cpus:0.05;mem:32"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as state:
        os.chmod(state, 0o711)
        b.stage.env, env = {**b.stage.env, "BANYAN_STATE": state}, b.stage.env

        def with_dev(resources, body):
            dev = subprocess.Popen([*b.stage.cli, "dev", "--resources", resources], env=b.stage.env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: b.run("status")[0] == 0, 30, "the cluster answers")
                body()
            finally:
                dev.terminate()
                dev.wait()

        try:
            b.write(web())
            with_dev(enough, b.up)
            late = b.stage.write("late.yaml", "name: late\nframeworks:\n" + web())
            with_dev(little, lambda: b.wants(3, r"waits for an offer: the master refuses the agent at .* declares only cpus:0.05",
                                             "up", late, "--timeout", "6s"))
            log = read(os.path.join(state, "default", "logs", "agent.log"))
            expect(log.count("refuses this agent") == 1, f"told {log.count('refuses this agent')} times")
            with_dev(enough, lambda: [b.run("down", "-p", name, "--now") for name in ("late", b.name)])
        finally:
            b.stage.env = env


BELIEFS = [
    ("up ends when the server answers", up_waits_until_it_answers),
    ("up fails for a server that exits at once", up_fails_for_a_server_that_exits),
    ("up fails for a command that is not there, and names it", up_fails_for_a_command_that_is_not_there),
    ("a second up changes nothing", up_twice_changes_nothing),
    ("a comment is no change", a_comment_is_no_change),
    ("plan names the change, and touches nothing", plan_names_the_change_and_touches_nothing),
    ("up of a change ends when the change is made", up_ends_when_the_change_is_made),
    ("a broken change stops at the first server, and the old file mends it", a_broken_change_stops_at_the_first),
    ("up -d does not wait", up_detached_returns_at_once),
    ("up --timeout ends with 3", up_times_out),
    ("Ctrl-C ends the watching, never the stack", ctrl_c_leaves_the_stack),
    ("the second of two people is told, and may supersede", a_second_person_is_told),
    ("an up that was ended does not lock out its owner", an_ended_up_is_replaced),
    ("a scheduler of another kind is up when it is registered", a_foreign_scheduler_is_up_when_registered),
    ("a volume grows and moves with its data", a_volume_grows_with_its_data),
    ("a port that a stranger holds is named with its holder", a_strangers_port_is_named),
    ("logs reach over rotations", logs_reach_over_rotations),
    ("logs know earlier attempts and checks", logs_know_attempts_and_checks),
    ("swept sockets come back, and no server notices", swept_sockets_come_back),
    ("a hardened shell makes no difference", a_hardened_shell_makes_no_difference),
    ("up waits for a job to end", a_job_is_waited_for),
    ("a completed job runs again only when asked", a_completed_job_does_not_run_again),
    ("a failed job fails up, and who needs it never starts", a_failed_job_fails_up),
    ("a service that ended well has failed", a_service_that_ends_well_has_failed),
    ("max: 2 makes three runs", retries_are_counted),
    ("restart makes new processes on the old port", restart_makes_new_processes_on_the_old_port),
    ("restart of a misspelt node helps", restart_of_nobody_helps),
    ("scaling leaves the others alone", scaling_leaves_the_others_alone),
    ("down of a missing file or of another stack touches nothing", down_of_a_missing_file_touches_nothing),
    ("data stays until --volumes, which asks", data_stays_until_it_is_asked_for),
    ("a shell command gets its grace", a_shell_gets_its_grace),
    ("a second down says that nothing runs", a_second_down_says_that_nothing_runs),
    ("a changed port is the new one", a_changed_port_is_the_new_one),
    ("a relative uri arrives, and a new content, too", relative_uris_arrive_and_follow),
    ("${volumes.v} is a whole path", volumes_are_whole_paths),
    ("logs name their source and keep to -n", logs_name_their_source),
    ("why tells what is waited for", why_tells_what_is_waited_for),
    ("-o json is JSON", json_is_json),
    ("output to a full disk is an error", a_full_disk_is_an_error),
    ("down takes the stack of the folder's file, or none", down_without_a_name_takes_the_folders_stack),
    ("down reads a file in JSON style", down_reads_json_style),
    ("plan without changes ends with 0", plan_without_changes_is_zero),
    ("plan of a new stack ends with 10, and is JSON", plan_of_a_new_stack_is_a_change),
    ("up --dry-run starts nothing", up_dry_run_starts_nothing),
    ("up -f - reads stdin", up_reads_stdin_once),
    ("--var sets one variable, commas and all", variables_are_set_one_by_one),
    ("history lists every up and what came of it", history_lists_every_up),
    ("history survives down", history_survives_down),
    ("history of a stack that never was says so", history_of_nobody_says_so),
    ("events are filtered by node, kind and time", events_are_filtered),
    ("events tell how long an outage was", events_tell_an_outage),
    ("events -f goes on with the next root", a_follower_outlives_the_root),
    ("what a new root has not heard of is unknown", unheard_of_is_unknown),
    ("why goes on to the root cause, without quoting it", why_goes_to_the_root_cause),
    ("why names the template that made the edge", why_names_the_template),
    ("status -o wide tells goals, and whether they are met", wide_tells_goal_and_hashes),
    ("status shows who is bringing up what", status_shows_the_lock),
    ("a form of output that a verb lacks is refused by name", a_form_that_is_not_there_is_refused),
    ("every verb's help names the shared flags", help_names_the_shared_flags),
    ("a fixed port of another stack is refused by name", a_port_of_another_stack_is_refused),
    ("what no agent can hold is told with need and biggest agent", too_big_is_told_with_need_and_biggest),
    ("a wait that passed its timeout ends up with 3", stale_timeouts_end_with_three),
    ("help tells what exit codes mean", what_exit_codes_mean_is_printed),
    ("a program under uris may be executed", a_program_may_be_executed),
    ("what cannot be executed is named with the cure", what_cannot_be_executed_is_named),
    ("plan, up and status tell who goes on with an old address", who_is_left_behind_is_told),
    ("why shows what a failing check printed", why_shows_what_a_check_printed),
    ("a job that runs again tells its own time", a_job_that_runs_again_tells_its_own_time),
    ("a server is pointed to its framework", a_server_is_pointed_to_its_framework),
    ("a volume that shrinks is told", a_shrunk_volume_is_told),
    ("an agent that the master refuses is told", a_refused_agent_is_told),
]


def play(stage, report):
    for number, (words, look) in enumerate(BELIEFS, 1):
        belief = Belief(stage, f"belief{number}")

        def body(belief=belief, look=look):
            try:
                look(belief)
            finally:
                belief.close()

        report.test(f"Belief {number}: {words}", body)
