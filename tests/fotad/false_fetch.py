#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In place of qfota-fetch: one that dies behind the last byte, or that a server has taken over. What it does is the
host's name in the URL; http://dies/PATH sends the file PATH."""
import os
import socket
import sys
import urllib.parse

sys.dont_write_bytecode = True
from fetcher import (BEGINS, BODY, DATA, DONE, END, FILE, GIVE_UP, HEAD, NO_RANGES, REQUEST,  # noqa: E402
                     text)

CHUNK = 16384


def main():
    keeper = socket.socket(fileno=0)
    while message := keeper.recv(1 << 16):
        kind, offset, *_, url = REQUEST.unpack(message)
        url = urllib.parse.urlparse(text(url))

        def begin(size):
            keeper.send(HEAD.pack(BEGINS, 0, offset) + FILE.pack(size, 0, b"\"tag\"\nstarts 9"))

        def send(data):
            keeper.send(HEAD.pack(DATA, len(data), 0) + data)

        def done(code=0):
            keeper.send(HEAD.pack(DONE, 0, 0) + END.pack(code, GIVE_UP, 0, b"asked once too often" if code else b""))

        if kind != BODY:
            keeper.send(HEAD.pack(NO_RANGES, 0, 0))
            done()
        elif url.hostname == "dies" and offset:
            done(701)
        elif url.hostname == "dies":
            with open(url.path, "rb") as file:
                begin(os.fstat(file.fileno()).st_size)
                while data := file.read(CHUNK):
                    send(data)
            return
        elif url.hostname == "surplus":
            begin(1000)
            send(bytes(600))
            send(bytes(600))
        elif url.hostname == "short":
            begin(1000)
            send(bytes(600))
            done()
        elif url.hostname == "headless":
            send(bytes(600))
            done()
        elif url.hostname == "nonsense":
            keeper.send(b"\xff" * 3000)


main()
