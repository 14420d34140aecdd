# SPDX-License-Identifier: Apache-2.0
"""The sweep's NANDs that are not sound."""
import dataclasses
import functools

import small
import verdict


@dataclasses.dataclass
class Fault:
    what: str
    parameters: str
    unreadable: str = ""  # the partition that it destroys


def block_of(partition, number):
    blocks = list(small.PARTITIONS.items())
    before = blocks[:[name for name, _ in blocks].index(partition)]
    return sum(count for _, count in before) + number


class Faults:
    """A NAND that is not sound, all through factory, upgrade and afterwards."""

    def __init__(self, sweep, kind, count):
        self.sweep = sweep
        self.kind = kind
        self.count = count

    def tasks(self):
        return [functools.partial(self.one, number) for number in range(self.count)]

    def fault(self, number):
        """The factory erases and writes a raw partition once; what is weak breaks when the upgrade does it again. Which
        blocks UBI takes nobody knows before, so that many are weak: it can replace ten of a device."""
        plan = self.sweep.random("faults", number)
        blocks = {part: block_of(part, plan.randrange(3)) for part in ("misc", "boot")}
        system = [block_of("system", block) for block in plan.sample(range(small.PARTITIONS["system"]), 48)]
        modem = [block_of("modem", block) for block in plan.sample(range(small.PARTITIONS["modem"]), 10)]
        page = blocks["boot"] * small.BLOCK_PAGES + plan.randrange(small.BLOCK_PAGES)
        pages = [block * small.BLOCK_PAGES + plan.randrange(2, 16) for block in system[:24]]
        kinds = [
            Fault("bad blocks from the factory", f"badblocks={listed([*blocks.values(), *system[:6], *modem[:2]])}"),
            Fault("a boot block that cannot be erased again", f"weakblocks={blocks['boot']}:1"),
            Fault("a boot page that cannot be written again", f"weakpages={page}:1"),
            Fault("a boot page that cannot be read again", f"gravepages={page}:{plan.randrange(1, 4)}", "boot"),
            Fault("UBI blocks that cannot be erased again", f"weakblocks={listed(f'{b}:1' for b in system + modem)}"),
            Fault("UBI pages that cannot be written", f"weakpages={listed(f'{p}:0' for p in pages)}"),
            Fault("bits that flip", "bitflips=1"),
        ]
        return kinds[number % len(kinds)]

    def one(self, number):
        fault = self.fault(number)
        folder = self.sweep.folder(f"{self.kind}-{number:04}")
        disks = self.sweep.disks(folder)
        lines = self.sweep.boot(folder, disks, f"act=trials trials=fault: nand_extra='{fault.parameters}'").lines
        failures = [text.split()[-1] for text in verdict.console(lines) if text.startswith("module: NAND failures")]
        shown = fault.parameters if len(fault.parameters) < 80 else f"{fault.parameters[:77]}..."
        trouble = f"{fault.what} ({shown}): {''.join(failures) or 'unknown'} failures during the upgrade"
        outcome = verdict.Outcome(self.kind, number, trouble, 0, len(verdict.boots_in(lines)), verdict.story_of(lines),
                                  verdict.problems_of_faulty(folder, lines, fault.unreadable))
        return [self.sweep.judge(folder, outcome)]


def listed(words):
    return ",".join(str(word) for word in words)
