# SPDX-License-Identifier: Apache-2.0
"""The keeper's side of qfota-fetch's socket (fotad/fetch.h), for tests."""
import dataclasses
import socket
import struct
import subprocess

MANIFEST, BODY = 0, 1
IS_PACKAGE, NO_RANGES, BEGINS, DATA, DONE = range(5)
GIVE_UP, RETRY = 0, 1

VALIDATOR = "Qq128s"
REQUEST = struct.Struct(f"@IQ{VALIDATOR}256s")
HEAD = struct.Struct("@IIQ")
FILE = struct.Struct(f"@{VALIDATOR}")
PACKAGE = struct.Struct(f"@{VALIDATOR}QQIII2048s0Q")
END = struct.Struct("@iII256s")

WAIT_SECONDS = 60


def text(field):
    return field.split(b"\0")[0].decode()


@dataclasses.dataclass
class Validator:
    size: int = 0
    modified: int = 0
    etag: str = ""

    @classmethod
    def unpacked(cls, size, modified, etag):
        return cls(size, modified, text(etag))


@dataclasses.dataclass
class Outcome:
    """All answers to one request."""
    begins: list = dataclasses.field(default_factory=list)  # (offset, Validator)
    data: bytearray = dataclasses.field(default_factory=bytearray)
    package: tuple = None  # (Validator, largest, unpacked, version or None, is signed, rollback index)
    no_ranges: bool = False
    code: int = None
    advice: int = None
    retry_after: int = None
    reason: str = None


class Fetcher:
    def __init__(self, program, *options):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(WAIT_SECONDS)
        with theirs:
            self.child = subprocess.Popen([program, *options], stdin=theirs, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        if self.child.poll() is None:
            try:
                self.child.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(WAIT_SECONDS)
        self.child.stderr.close()

    def send(self, kind, url, offset=0, have=None):
        have = have or Validator()
        self.socket.sendall(REQUEST.pack(kind, offset, have.size, have.modified, have.etag.encode(), url.encode()))

    def receive(self):
        """(kind, offset, what follows the head)"""
        message = self.socket.recv(1 << 16)
        if not message:
            raise EOFError(f"qfota-fetch ended: {self.child.wait(WAIT_SECONDS)}")
        kind, length, offset = HEAD.unpack_from(message)
        rest = message[HEAD.size:]
        if kind == DATA and length != len(rest):
            raise ValueError("length of data")
        return kind, offset, rest

    def outcome(self, outcome=None):
        """The rest of the answers to a request that was sent."""
        outcome = outcome or Outcome()
        while outcome.code is None:
            kind, offset, rest = self.receive()
            if kind == DATA:
                if not outcome.begins:
                    raise ValueError("data before their beginning")
                outcome.data += rest
            elif kind == BEGINS:
                outcome.begins.append((offset, Validator.unpacked(*FILE.unpack(rest))))
            elif kind == NO_RANGES:
                outcome.no_ranges = True
            elif kind == IS_PACKAGE:
                *file, largest, unpacked, has_version, is_signed, rollback, version = PACKAGE.unpack(rest)
                outcome.package = (Validator.unpacked(*file), largest, unpacked,
                                   text(version) if has_version else None, bool(is_signed), rollback)
            else:
                outcome.code, outcome.advice, outcome.retry_after, reason = END.unpack(rest)
                outcome.reason = text(reason)
        return outcome

    def body(self, url, offset=0, have=None):
        self.send(BODY, url, offset, have)
        return self.outcome()

    def manifest(self, url):
        self.send(MANIFEST, url)
        return self.outcome()
