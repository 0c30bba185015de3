"""A feed that floods: detection lines to a UDP port, far more than anybody reads. For benchmarks only.

``python -m vedette.evaluate.flooder PORT PER_S``: to this machine, until a line comes on standard input;
then it prints how many it has sent.
"""

import select
import socket
import sys
import time

TURN_S = 0.01


def line(number: int, at: float) -> bytes:
    """A detection line that is good in form, each with another direction."""
    measure = f'{{"kind":"bearing","azimuth_deg":{number % 3600 / 10.0}}}'
    return f'{{"time":{at:.3f},"sensor":"flood","measure":{measure}}}'.encode()


def main(port: int, per_s: int) -> int:
    """Send; returns how many."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    started, sent = time.monotonic(), 0
    while not select.select([sys.stdin], [], [], TURN_S)[0]:
        due = int((time.monotonic() - started) * per_s)
        at = time.time()
        while sent < due:
            out.sendto(line(sent, at), ("127.0.0.1", port))
            sent += 1
    out.close()
    return sent


if __name__ == "__main__":
    print(main(int(sys.argv[1]), int(sys.argv[2])))
