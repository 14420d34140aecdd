# SPDX-License-Identifier: Apache-2.0
"""What host programs of other people understand of an upgrade, as fwupd and ModemManager do (spec/requirements.md 3.3):
one expression for all URCs, lines that do not match it are passed over, words lead from state to state."""
import re

STATES = ("idle", "downloading", "downloaded", "flashing", "done")


class Rejected(Exception):
    """A host would not understand this."""


class Dialogue:
    urc = re.compile(r'\+QIND:\s*"FOTA","([A-Z]+)"(,(\d+))?')

    def __init__(self):
        self.state = "idle"
        self.error = None  # the code, once it has failed
        self.percent = None
        self.urcs = []  # (word, number or None)

    def take(self, line):
        match = self.urc.match(line)
        if not match:
            return
        word, number = match.group(1), int(match.group(3)) if match.group(3) else None
        self.urcs.append((word, number))
        if self.error is not None:
            raise Rejected(f"{line} after it has failed with {self.error}")
        if word.endswith("END"):
            self.end(word, number)
        elif word in ("HTTPSTART", "FTPSTART"):
            self.enter("downloading")
        elif word == "START":
            self.enter("flashing")
        elif word in ("DOWNLOADING", "UPDATING"):
            self.progress("downloading" if word == "DOWNLOADING" else "flashing", number)
        else:
            raise Rejected(f"{line}: a word that hosts do not know")

    def end(self, word, number):
        if number is None:
            raise Rejected(f"{word} without a code")
        if number:
            self.error = number
        elif word == "END":
            if self.state not in ("flashing", "done"):
                raise Rejected(f"END,0 while {self.state}")
            self.enter("done")
        elif self.state != "downloading":
            raise Rejected(f"{word},0 while {self.state}")
        else:
            self.enter("downloaded")

    def enter(self, state):
        if STATES.index(state) < STATES.index(self.state):
            raise Rejected(f"from {self.state} back to {state}")
        self.state = state
        self.percent = None

    def progress(self, state, number):
        if self.state != state:
            raise Rejected(f"progress of {state} while {self.state}")
        if number is None or number > 100 or (self.percent is not None and number < self.percent):
            raise Rejected(f"percent {number} after {self.percent}")
        self.percent = number
