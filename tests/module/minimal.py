# SPDX-License-Identifier: Apache-2.0
"""The case of a module whose usrdata is smaller than the package: the upgrade comes in two packages."""
import contextlib
import os
import re

import cases
import daemon
import module
from cases import V2, Case

LIMIT = 0.6  # of the direct package, for each of the two
ROOM = 0.85  # of it, for usrdata
LEB = 253_952
OVERHEAD = 16  # LEBs that UBIFS keeps for itself
NAMES = ("update.zip", "update-2.zip")
SPLIT = os.path.join(cases.PACKAGES, "split")

# Whatever the factory's file systems leave is usrdata's; so something has to take the rest.
SMALL_USRDATA = """
add_volumes()
{{
	ubimkvol /dev/ubi0 -N filler -S $(($(cat /sys/class/ubi/ubi0/avail_eraseblocks) - {lebs})) >/dev/null
}}
before_daemon()
{{
	say "usrdata: $(($(stat -f -c '%a * %S' "$root/usrdata"))) bytes free"
}}
during_recovery()
{{
	[ "$1" = 2 ] || return 0
	wait_for_change
	cut_power
}}
"""


def direct_size():
    return os.path.getsize(cases.make_package(source="v0"))


def make_packages():
    """The two, beside each other."""
    direct = cases.make_package(source="v0")
    paths = [os.path.join(SPLIT, name) for name in NAMES]
    with module.locked(SPLIT):
        os.makedirs(SPLIT, exist_ok=True)
        if not all(os.path.exists(path) and os.path.getmtime(path) > os.path.getmtime(direct) for path in paths):
            module.command(cases.UPDATE_GEN, "a", "--source", cases.targetfiles("v0"), "--target", V2, "--minimal",
                           "--max-package", str(int(LIMIT * direct_size())), "-o", paths[0])
    return paths


@contextlib.contextmanager
def asked_once():
    """The host asks for the first package. Power is cut while its data are stored, and again while the module, by
    itself, downloads the second."""
    first, second = make_packages()
    lebs = int(ROOM * direct_size() / LEB) + OVERHEAD
    with daemon.served("http", first) as (servers, url), open(second, "rb") as file:
        servers.publish(NAMES[1], file.read())
        steps = module.Dialogue((*daemon.RUNS, *daemon.ask(url)),
                                (*daemon.RUNS, "console", "true"),
                                ("console", "^manifest: ", "console", "cut_power"),
                                (*daemon.RUNS, "console", "true"),
                                (*daemon.RUNS, "smd7", "ATI\r"),
                                ("smd7", "^OK$", *module.Dialogue.END))
        yield SMALL_USRDATA.format(lebs=lebs), steps


def daemon_minimal(findings):
    """Debian 11's firmware to Debian 12's in two packages on a module that has no room for one; power is cut twice."""
    findings.boots("nrrnnrn")
    free = [int(text.split()[2]) for text in findings.result.said("console") if text.startswith("module: usrdata: ")]
    findings.expect(free and max(free) < direct_size(),
                    f"usrdata has {free} bytes free, which is room for the {direct_size()} bytes of one package")
    for channel in module.CHANNELS:
        # Of the second download hosts hear nothing: for them this is one upgrade, whose recovery started three times.
        steps = [urc for urc in findings.result.urcs(channel) if not re.search("DOWNLOADING|UPDATING", urc)]
        wanted = ["HTTPSTART", "HTTPEND", "START", "START", "START", "END"]
        findings.expect([urc.split('"')[3] for urc in steps] == wanted, f"{channel}: it said {steps}")
        daemon.check_dialogue(findings, channel)
    findings.is_version(V2)
    findings.file(cases.STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
    findings.is_gone("usrdata/cache/fota/next_package")
    findings.over()


CASES = [Case(daemon_minimal, factory="v0", package=lambda: make_packages()[0], host=asked_once)]
