"""Run inside `unshare --net`: the example up and down with nothing but the loopback interface."""

import subprocess
import sys
import time

from story import loopback_up


def main():
    loopback_up()
    started = time.monotonic()
    code = subprocess.call([sys.argv[1]])
    print(f"run took {time.monotonic() - started:.1f}", flush=True)
    down = subprocess.call([sys.argv[1], "down"])
    sys.exit(code or down)


main()
