"""A stub server: tells the witness when it starts, is ready and is asked to stop.

    server.py WITNESS_PORT NAME HOST:PORT DELAY      ready, and listening on HOST:PORT, after DELAY seconds
"""

import signal
import socket
import sys
import time


def tell(port, word):
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as witness:
        witness.sendall(f"{word}\n".encode())
        witness.recv(16)


def main():
    witness, name, address, delay = sys.argv[1:]

    def stop(*_):
        tell(witness, f"stop {name}")
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    tell(witness, f"start {name}")
    time.sleep(float(delay))
    host, _, port = address.rpartition(":")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        tell(witness, f"ready {name}")
        listener.listen(64)
        while True:
            listener.accept()[0].close()


main()
