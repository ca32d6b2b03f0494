"""The witness: a process of its own that puts what others tell it in one order.

    witness.py FILE      listens on a free port, which is the first line of FILE; every word told is one more line:
                         sequence number, monotonic seconds, the word
A teller waits for the answer before it goes on, so the order of the lines is the order of things.
"""

import socketserver
import sys
import threading
import time


def main():
    lock = threading.Lock()
    told = 0
    with open(sys.argv[1], "w", encoding="utf-8", buffering=1) as record:

        class Teller(socketserver.StreamRequestHandler):
            def handle(self):
                nonlocal told
                word = self.rfile.readline().decode().strip()
                with lock:
                    told += 1
                    record.write(f"{told} {time.monotonic():.6f} {word}\n")
                self.wfile.write(b"noted\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        with Server(("127.0.0.1", 0), Teller) as server:
            record.write(f"{server.server_address[1]}\n")
            server.serve_forever()


main()
