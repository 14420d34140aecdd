# SPDX-License-Identifier: Apache-2.0
"""Sweeps of trouble over upgrades of the small module, on the real kernel: its NAND, UBI and UBIFS.

nand    power goes in an exact operation of the NAND, evenly over all operations of an upgrade: before it, half way
        through it and after it in turn. The machine is gone; another one boots from the same NAND.
lk      the same behind the older bootloader, which erases the command before it starts recovery; every other cut is in
        the operations with which it does that
nested  six such cuts in a row, behind each bootloader in turn; the later ones while the module recovers
dead    QEMU is killed at a moment that nobody chose
ubi     UBI's own emulation: no header of an erase block can be written any more from the n-th on, and everything dies
ubifs   UBIFS' own emulation: a write goes wrong somewhere, none works any more, and everything dies
kill    recovery or the updater is killed, after a number of lines of its log or at some moment
faults  a NAND with bad blocks, and with blocks, pages and bits that fail while it is in use
"""
import concurrent.futures
import dataclasses
import functools
import os
import random
import re
import shutil

import module
import small
import verdict

SWEEP = os.path.join(module.MODULE, "sweep")
KERNEL_MODULE = os.path.join(module.MODULE, "kernel", "nandsim.ko")
SCENARIO = os.path.join(os.path.dirname(os.path.realpath(__file__)), "sweep-scenario")
MEMORY = 256
SLOT_BYTES = 16 << 20
BATCH = 12
MODES = ("before", "half way", "after")
NESTED_CUTS = 6
ABL, LK = "medium=disk", "medium=disk bootloader=lk"
COUNT = "act=trials trials=count:"
# LK erases misc's first block and writes its pages; recovery's first words to misc follow.
LK_OPERATIONS = 1 + small.BLOCK_PAGES + 15


class Sweep:
    """What all kinds share: one start system, one snapshot, one NAND with an upgrade that waits to be started."""

    def __init__(self, seed):
        self.seed = seed
        self.initrd = f"{SWEEP}/initrd"
        self.snapshot = f"{SWEEP}/snapshot"
        self.base = f"{SWEEP}/base.nand"
        self.uncut = {}

    def prepare(self):
        small.make()
        shutil.rmtree(SWEEP, ignore_errors=True)
        os.makedirs(SWEEP)
        with open(SCENARIO, encoding="utf-8") as file:
            small.make_initrd(self.initrd, file.read(), KERNEL_MODULE)
        folder = self.folder("factory")
        small.make_empty_chip(self.base)
        disks = self.disks(folder, self.base)
        module.make_snapshot(self.snapshot, self.initrd, disks, MEMORY)
        if not self.boot(folder, disks, "act=factory medium=disk").done:
            raise module.ModuleError(f"the small module cannot be made, see {folder}/lines.log")
        os.replace(disks["nand"], self.base)

    def random(self, *key):
        return random.Random(f"{self.seed} {key}")

    def folder(self, name):
        folder = f"{SWEEP}/{name}"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return folder

    def disks(self, folder, nand=None):
        """A dump disk, and a copy of a NAND; without one, an empty disk that nobody reads."""
        disks = {"dump": f"{folder}/dump.tar", "nand": f"{folder}/nand"}
        module.make_dump_disk(disks["dump"])
        with open(disks["nand"], "wb") as file:
            file.truncate(small.CHIP_BYTES)
        if nand:
            shutil.copyfile(nand, disks["nand"])
        return disks

    def boot(self, folder, disks, orders, timeout=300, doom=None):
        return module.boot(folder, self.initrd, disks, memory=MEMORY, timeout=timeout, doom=doom,
                           snapshot=self.snapshot, orders=orders)

    def measure(self, orders):
        """What an upgrade without trouble says."""
        if orders not in self.uncut:
            folder = self.folder(f"uncut-{len(self.uncut)}")
            lines = self.boot(folder, self.disks(folder, self.base), orders).lines
            problems = verdict.problems_of(folder, lines)
            if problems:
                raise module.ModuleError(f"the upgrade fails even without a cut: {problems[0]}; see {folder}")
            self.uncut[orders] = lines
        return self.uncut[orders]

    def number_told(self, orders, beginning):
        """The number at the end of such a line of an upgrade without trouble."""
        texts = verdict.console(self.measure(orders))
        return next(int(text.split()[-1]) for text in texts if text.startswith(beginning))

    def judge(self, folder, outcome):
        """What went well leaves no files."""
        if not outcome.problems:
            shutil.rmtree(folder)
        return outcome


class Cuts:
    """Kinds that cut the power of the whole machine, and boot another one from its NAND."""

    def __init__(self, sweep, kind, count):
        self.sweep = sweep
        self.kind = kind
        self.count = count

    def tasks(self):
        for orders in {self.orders(number) for number in range(self.count)}:
            self.sweep.measure(orders)
        return [functools.partial(self.one, number) for number in range(self.count)]

    def orders(self, number):
        return LK if self.kind == "lk" or (self.kind == "nested" and number % 2) else ABL

    def one(self, number):
        folder = self.sweep.folder(f"{self.kind}-{number:04}")
        disks = self.sweep.disks(folder, self.sweep.base)
        orders = self.orders(number)
        plan = self.sweep.random(self.kind, number)
        if self.kind == "dead":
            cuts = [self.sweep.boot(folder, disks, orders, doom=self.doom(number, plan)).lines]
        else:
            cuts = [self.sweep.boot(folder, disks, f"{orders} cut_at={operation} cut_mode={mode}").lines
                    for operation, mode in self.points(number, plan)]
        told = [self.describe(cut) for cut in cuts]
        happened = sum("module: done" not in verdict.console(cut) for cut in cuts)
        last = []
        if happened:
            # Zeros again, so that only what the last boot dumps is found there.
            module.make_dump_disk(disks["dump"])
            last = self.sweep.boot(folder, disks, orders).lines
        lines = sum(cuts, []) + last
        problems = [] if all(told) else ["a machine went off by itself"]
        outcome = verdict.Outcome(self.kind, number, " then ".join(filter(None, told)), happened,
                                  len(verdict.boots_in(lines)), verdict.story_of(last),
                                  problems + verdict.problems_of(folder, lines))
        return [self.sweep.judge(folder, outcome)]

    def points(self, number, plan):
        """Operation and mode of each cut: one in each of `count` equal parts of the upgrade; more at random."""
        operations = self.sweep.number_told(self.orders(number), "module: operations")
        span = LK_OPERATIONS if self.kind == "lk" and number % 2 else operations
        yield 1 + int((number + plan.random()) * span / self.count), number % len(MODES)
        if self.kind == "nested":
            for _ in range(NESTED_CUTS - 1):
                yield 1 + int(plan.random() * operations / 2), plan.randrange(len(MODES))

    def doom(self, number, plan):
        """Tells when the machine is to be killed: a while after a line of the upgrade, in turn early and late ones."""
        texts = verdict.console(self.sweep.measure(self.orders(number)))
        first = texts.index("module: boot 1: recovery")
        last = next(place for place, text in enumerate(texts) if text.startswith("module: handing"))
        rest = first + 1 + int((number + plan.random()) * (last - first) / self.count)
        pause = plan.random() / 4

        def seconds_left(line):
            nonlocal rest
            is_counted = line.source == "console"
            rest -= is_counted
            return pause if is_counted and rest == 0 else None

        return seconds_left

    def describe(self, lines):
        """Where a machine ended; nothing when it ended for no known reason."""
        texts = verdict.console(lines)
        after = verdict.last_object(lines)
        place = f" after {after}" if after else ""
        for text in texts:
            if match := re.search(r"power cut in operation (\d+) mode (\d): (\w+) page (\d+)", text):
                where = small.partition_of(int(match[4]))
                return f"operation {match[1]} {MODES[int(match[2])]} ({match[3]} in {where}{place})"
        if "module: done" in texts:
            return "over before it came to the cut"
        return f"killed{place or ' before the first object'}" if self.kind == "dead" else ""


class Trials:
    """Kinds that need no other machine: many upgrades in one run of the kernel, each from version 1."""

    def __init__(self, sweep, kind, count):
        self.sweep = sweep
        self.kind = kind
        self.count = count

    def tasks(self):
        trials = [self.trial(number) for number in range(self.count)]
        size = min(BATCH, -(-self.count // 2))
        return [functools.partial(self.outcomes, first, trials[first:first + size])
                for first in range(0, self.count, size)]

    def trial(self, number):
        share = (number + self.sweep.random(self.kind, number).random()) / self.count
        if self.kind == "ubi":
            return self.ubi_trial(number, share)
        if self.kind == "kill":
            return self.kill_trial(number, share)
        return f"ubifs:{number}"

    def ubi_trial(self, number, share):
        """Three of four on the device of root file system and user data; the modem's has an eighth of all headers."""
        headers = self.sweep.number_told(COUNT, "module: headers that UBI wrote")
        if not headers:
            raise module.ModuleError("the kernel does not tell how many headers UBI writes")
        device = int(number % 4 == 3)
        return f"ubi:{device}:{1 + int(share * headers * (1 if device else 7) / 8)}"

    def kill_trial(self, number, share):
        uncut = self.sweep.measure(COUNT)
        program, last = (("updater", "Update complete."), ("recovery", "init: recovery ended"))[number % 2]
        texts = [line.text for line in uncut]
        begin = next(place for place, text in enumerate(texts) if text.startswith("attempt 1"))
        end = next(place for place, text in enumerate(texts) if text.startswith(last))
        if number % 4 < 2:
            told = sum(line.source == "console" and line.text[0] != "+" for line in uncut[begin:end])
            return f"lines:{program}:{1 + int(share * told)}"
        return f"seconds:{program}:{share * (uncut[end].seconds - uncut[begin].seconds):.2f}"

    def batch(self, name, trials):
        """The lines of each trial, and its dump as a folder of its own."""
        folder = self.sweep.folder(name)
        disks = self.sweep.disks(folder)
        orders = f"act=trials trials='{' '.join(trials)}'"
        parts = []
        for line in self.sweep.boot(folder, disks, orders, timeout=90 * len(trials)).lines:
            if line.text.startswith("module: trial "):
                parts.append([])
            if parts:
                parts[-1].append(line)
        parts += [[]] * (len(trials) - len(parts))
        with open(disks["dump"], "rb") as dump:
            for slot in range(len(trials)):
                os.mkdir(f"{folder}/{slot}")
                with open(f"{folder}/{slot}/dump.tar", "wb") as file:
                    file.write(dump.read(SLOT_BYTES))
        os.unlink(disks["dump"])
        return [(f"{folder}/{slot}", lines) for slot, lines in enumerate(parts)]

    def outcomes(self, first, trials):
        parts = self.batch(f"{self.kind}-{first:04}", trials)
        found = []
        for number, (trial, (folder, lines)) in enumerate(zip(trials, parts), first):
            # Each trial of a run that ended as a whole has come to its end.
            ended = any(text.startswith("module: handing") for text in verdict.console(lines))
            lines = lines + [module.Line(0, "console", "module: done")] if ended else lines
            found.append(self.outcome(number, trial, folder, lines))
        return found

    def outcome(self, number, trial, folder, lines):
        at = next((place for place, line in enumerate(lines)
                   if line.text.startswith(("module: power cut", "module: killing"))), None)
        before, after = (lines[:at], lines[at:]) if at is not None else (lines, [])
        last = verdict.last_object(before)
        trouble = f"{self.describe(trial.split(':'), before)}{last and f' after {last}'}"
        if at is None:
            trouble += ", over before it came to that"
        outcome = verdict.Outcome(self.kind, number, trouble, int(at is not None), len(verdict.boots_in(lines)),
                                  verdict.story_of(after),
                                  verdict.problems_of(folder, lines, ubi_first=self.kind in ("ubi", "ubifs")))
        return self.sweep.judge(folder, outcome)

    def describe(self, words, lines):
        if self.kind == "ubi":
            return f"header {words[2]} of ubi{words[1]}"
        if self.kind == "kill":
            return f"{words[1]} killed at {words[0][:-1]} {words[2]}"
        told = [text.removeprefix("module: UBIFS: ") for text in verdict.console(lines)
                if text.startswith("module: UBIFS: ")]
        return told[0] if told else "write of UBIFS"


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


KINDS = {"nand": Cuts, "lk": Cuts, "nested": Cuts, "dead": Cuts, "ubi": Trials, "ubifs": Trials, "kill": Trials,
         "faults": Faults}
# How many runs of each kind ./check makes; they have at least 100 cuts.
CHECK = {"nand": 12, "lk": 6, "nested": 13, "dead": 3, "ubi": 6, "ubifs": 3, "kill": 8, "faults": 7}


def run(counts, seed, jobs):
    """Yield the outcomes of each kind of `counts`, {kind: how many}, in order; as many machines at a time as jobs."""
    sweep = Sweep(seed)
    sweep.prepare()
    tasks = [task for kind, count in counts.items() for task in KINDS[kind](sweep, kind, count).tasks()]
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        for outcomes in pool.map(lambda task: task(), tasks):
            yield from outcomes
