# SPDX-License-Identifier: Apache-2.0
"""What of an ARM program is resident in memory, without the emulator that runs it: QEMU's user mode puts all of the
program's memory where it is told to, and the kernel says for each mapping what of it is resident."""
import os
import re
import shutil
import subprocess
import time

import tools

QEMU = "qemu-arm-static"
BASE = 0x200000000
SPACE = 1 << 32
INTERVAL = 0.002  # seconds between two looks
MAPPING = re.compile(r"^([0-9a-f]+)-[0-9a-f]+ ")


def is_there():
    return shutil.which(QEMU) is not None


def resident(smaps):
    """KiB of the program's own mappings."""
    total, ours = 0, False
    for line in smaps:
        mapping = MAPPING.match(line)
        if mapping:
            ours = BASE <= int(mapping[1], 16) < BASE + SPACE
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


def peak(command):
    """KiB, the most of all looks while the program ran."""
    most = 0
    with subprocess.Popen([QEMU, "-B", hex(BASE), *command], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/smaps", encoding="ascii", errors="replace") as smaps:
                    most = max(most, resident(smaps))
            except (FileNotFoundError, ProcessLookupError):
                break
            time.sleep(INTERVAL)
        status = process.wait()
    if status or not most:
        raise tools.ToolError(f"{os.path.basename(command[0])} for ARM: exit status {status}, {most} KiB")
    return most
