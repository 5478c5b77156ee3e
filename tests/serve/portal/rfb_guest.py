"""Stands for the screen of a guest: speaks RFB 3.8 on standard input and output, shows one colour, and writes down the
keys that it gets into a file.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

WIDTH, HEIGHT = 64, 48
RED = b"\xff\x00\x00\x00"
FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
# What follows the type of a message that is read over: its bytes.
REST = {0: 19, 3: 9, 5: 5}


def read(count: int) -> bytes:
    found = sys.stdin.buffer.read(count)
    if len(found) < count:
        raise SystemExit
    return found


def send(*parts: bytes) -> None:
    sys.stdout.buffer.write(b"".join(parts))
    sys.stdout.buffer.flush()


def main(keys: Path) -> None:
    send(b"RFB 003.008\n")
    read(12)
    send(b"\x01\x01")  # one kind of security: none
    read(1)
    send(bytes(4))
    read(1)
    send(struct.pack(">HH", WIDTH, HEIGHT), FORMAT, struct.pack(">I", 5), b"guest")
    while True:
        kind = read(1)[0]
        if kind == 2:
            read(4 * struct.unpack(">xH", read(3))[0])
        elif kind == 4:
            down, symbol = struct.unpack(">BxxI", read(7))
            if down:
                with keys.open("a", encoding="utf-8") as file:
                    file.write(f"{symbol:x}\n")
        elif kind == 6:
            read(struct.unpack(">xxxI", read(7))[0])
        elif not read(REST[kind])[0] and kind == 3:  # of all there is, not of what has changed
            send(struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0), RED * WIDTH * HEIGHT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
