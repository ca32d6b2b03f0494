"""What every system test stands on: a cluster's folder, Banyan's CLI, processes by number and start time, results."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

CLONE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BANYAN = os.path.join(CLONE, "build/release/bin/banyan")
EXAMPLE = os.path.join(CLONE, "examples/logging-stack/run")
# Tasks run as another user, who cannot read a Python that lies in somebody's home.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
STACK = os.path.join(CLONE, "examples/logging-stack/stack.yaml")


class Failed(Exception):
    """A test's expectation does not hold; the words say which."""


class Skipped(Exception):
    """This machine cannot run the test; the words say why."""


def expect(condition, words):
    if not condition:
        raise Failed(words)


def say(words):
    print(time.strftime("%H:%M:%S"), words, file=sys.stderr, flush=True)


def wait_until(condition, seconds, words):
    """Asks until `condition` gives something true, and gives that; fails with `words` at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds} s: {words() if callable(words) else words}")
        time.sleep(0.1)


class Report:
    """Runs tests and prints their result lines."""

    def __init__(self, words):
        self.words = words
        self.failed = 0

    def test(self, name, body):
        """True when it passed (or was not asked for)."""
        if self.words and not any(word in name for word in self.words):
            return True
        say(f"--- {name}")
        started = time.monotonic()
        verdict = "PASS"
        try:
            body()
        except Skipped as skipped:
            verdict, name = "SKIP", f"{name} ({skipped})"
        except Exception as failure:  # noqa: BLE001: any other failure of a test's own code is a failure, too
            verdict = "FAIL"
            self.failed += 1
            if isinstance(failure, Failed):
                say(f"FAILED: {failure}")
            else:
                traceback.print_exc()
        print(verdict, name, int((time.monotonic() - started) * 1000), sep="\t", flush=True)
        return verdict != "FAIL"


def start_time(pid):
    """When the process began, in ticks since boot; None when there is no such process. With the pid, its identity."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def cgroup_of(pid):
    """Name of the control group that an agent has made for all its containers, this process in it; or None."""
    try:
        return (re.findall(r"/(banyan-[0-9a-f]+)", read(f"/proc/{pid}/cgroup")) or [None])[0]
    except OSError:
        return None


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().replace("\0", " ")[:200]
    except OSError:
        return "(gone)"


def children_of(pid):
    """Also those that have ended and are not waited for."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return [int(child) for task in tasks for child in read(f"/proc/{pid}/task/{task}/children").split()]
    except OSError:
        return []


def processes_with(text):
    """Numbers of all processes whose environment or command line holds `text`."""
    found = []
    for folder in glob.glob("/proc/[0-9]*"):
        pid = int(os.path.basename(folder))
        for part in ("environ", "cmdline"):
            try:
                with open(f"{folder}/{part}", "rb") as file:
                    if text.encode() in file.read() and pid != os.getpid():
                        found.append(pid)
                        break
            except OSError:
                pass
    return found


def alive(pid):
    return start_time(pid) is not None


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def read_json(path):
    return json.loads(read(path))


class Stage:
    """One cluster in a folder of its own. LIFETIME: close() takes down what is left and removes the folder."""

    def __init__(self):
        self.state = tempfile.mkdtemp(prefix="banyan-system-", dir="/var/tmp")
        os.chmod(self.state, 0o711)
        # Stub programs must be readable by the user that tasks run as.
        self.stubs = tempfile.mkdtemp(prefix="banyan-stubs-", dir="/var/tmp")
        os.chmod(self.stubs, 0o755)
        for program in glob.glob(os.path.join(os.path.dirname(__file__), "stubs", "*.py")):
            shutil.copy(program, self.stubs)
        self.env = dict(os.environ, BANYAN_STATE=self.state, NO_COLOR="1")
        self.env.pop("BANYAN_ADDRESS", None)
        self.cli = [BANYAN]

    def call(self, argv, seconds=120, ok=(0,)):
        """Standard output of a program. Fails unless it ends with one of `ok`."""
        try:
            done = subprocess.run(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=seconds, check=False, text=True)
        except subprocess.TimeoutExpired as late:
            said = f"{late.stdout} {late.stderr}"
            raise Failed(f"{' '.join(argv[:4])} did not end in {seconds} s; it said: {said}") from late
        if done.returncode not in ok:
            raise Failed(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout[-3000:]} {done.stderr[-3000:]}")
        return done.stdout

    def banyan(self, *arguments, seconds=120, ok=(0,)):
        return self.call([*self.cli, *arguments], seconds, ok)

    def example(self, *arguments, seconds=60, ok=(0,)):
        return self.call([EXAMPLE, *arguments], seconds, ok)

    def status(self, stack):
        return json.loads(self.banyan("status", "-p", stack, "-o", "json"))

    def status_or_none(self, stack):
        """While master or root are away, there is none."""
        try:
            return self.status(stack)
        except (Failed, json.JSONDecodeError):
            return None

    def events(self, stack):
        return self.parse_events(self.banyan("events", "-p", stack, "-o", "jsonl"))

    @staticmethod
    def parse_events(text):
        return [json.loads(line) for line in text.splitlines() if line]

    def node(self, stack, name):
        return next(node for node in self.status(stack)["nodes"] if node["name"] == name)

    def status_of_cluster(self):
        return json.loads(self.banyan("status", "-o", "json"))["cluster"]

    def handover_file(self, stack, node):
        """Of the node's present scheduler; None when there is none yet."""
        for path in glob.glob(os.path.join(self.state, "**", "handover.json"), recursive=True):
            handover = read_json(path)
            if handover.get("stack") == stack and handover.get("node") == node:
                return path
        return None

    def stub(self, name):
        return os.path.join(self.stubs, name)

    def write(self, name, text):
        """A file of the test's own; its path."""
        path = os.path.join(self.stubs, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def leftovers(self):
        return processes_with(self.state)

    def cgroups(self):
        return {cgroup_of(pid) for pid in self.leftovers()} - {None}

    def close(self):
        if os.path.exists(BANYAN):
            subprocess.run([BANYAN, "down", "--now"], env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=120, check=False)
        for pid in self.leftovers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.stubs, ignore_errors=True)
