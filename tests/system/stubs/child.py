"""A child scheduler that is no scheduler: it says what it is told to say, by its executor's socket.

    child.py FILE      FILE holds the ChildStatus to report, as JSON; whenever FILE changes, it reports anew, and
                       touches FILE.reported
"""

import http.client
import os
import socket
import sys
import time


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["BANYAN_SOCKET"])


def report(body):
    connection = Connection("executor")
    connection.request("POST", "/v1/report", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    print("reported", body.strip(), answer.status, flush=True)
    connection.close()


def main():
    path, last = sys.argv[1], None
    while True:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if text != last:
            report(text)
            last = text
        time.sleep(0.01)


main()
