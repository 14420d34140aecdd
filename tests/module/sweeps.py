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
place   as nand, or two such cuts in a row, while a squashfs root file system and a volume are changed in place; after
        each cut their LEBs are compared with both versions
faults  a NAND with bad blocks, and with blocks, pages and bits that fail while it is in use
"""
import concurrent.futures
import functools
import os
import random
import re
import shutil

import cases
import faults
import in_place
import module
import small
import verdict

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
    """What kinds share: one start system, one snapshot, one NAND with an upgrade that waits to be started. firmware:
    the Python module that makes images and package."""

    def __init__(self, seed, firmware):
        self.seed = seed
        self.firmware = firmware
        self.top = os.path.join(module.MODULE, "sweep", firmware.__name__)
        self.initrd = f"{self.top}/initrd"
        self.snapshot = f"{self.top}/snapshot"
        self.base = f"{self.top}/base.nand"
        self.uncut = {}

    def prepare(self):
        self.firmware.make()
        shutil.rmtree(self.top, ignore_errors=True)
        os.makedirs(self.top)
        with open(SCENARIO, encoding="utf-8") as file:
            small.make_initrd(self.initrd, file.read() + self.firmware.SWEEP_SCENARIO, KERNEL_MODULE,
                              self.firmware.PACKAGE, self.firmware.FACTORY)
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
        folder = f"{self.top}/{name}"
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

    def look(self, folder, disks):
        """What the NAND has now, as a dump, without a change to it."""
        folder = self.folder(f"{os.path.basename(folder)}/look")
        copies = self.disks(folder, disks["nand"])
        if not self.boot(folder, copies, "act=look medium=disk").done:
            raise module.ModuleError(f"{folder}: the module did not come to the end")
        return copies["dump"]

    def measure(self, orders):
        """What an upgrade without trouble says."""
        if orders not in self.uncut:
            folder = self.folder(f"uncut-{len(self.uncut)}")
            lines = self.boot(folder, self.disks(folder, self.base), orders).lines
            problems = verdict.problems_of(folder, lines, firmware=self.firmware)
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
        cuts, told, problems = [], [], []
        for trouble, doom in self.troubles(number, plan):
            cuts.append(self.sweep.boot(folder, disks, f"{orders} {trouble}", doom=doom).lines)
            told.append(self.describe(cuts[-1]))
            if not told[-1]:
                problems.append("a machine went off by itself")
            told[-1] += self.examine(folder, disks, problems)
        happened = sum("module: done" not in verdict.console(cut) for cut in cuts)
        last = []
        if happened:
            # Zeros again, so that only what the last boot dumps is found there.
            module.make_dump_disk(disks["dump"])
            last = self.sweep.boot(folder, disks, orders).lines
        lines = sum(cuts, []) + last
        outcome = verdict.Outcome(self.kind, number, " then ".join(filter(None, told)), happened,
                                  len(verdict.boots_in(lines)), verdict.story_of(last),
                                  problems + verdict.problems_of(folder, lines, firmware=self.sweep.firmware))
        return [self.sweep.judge(folder, outcome)]

    def troubles(self, number, plan):
        """More orders for the machine, and what tells when it is to be killed, for each cut."""
        if self.kind == "dead":
            yield "", self.doom(number, plan)
            return
        for operation, mode in self.points(number, plan):
            yield f"cut_at={operation} cut_mode={mode}", None

    def examine(self, _folder, _disks, _problems):
        """More words about a cut, and problems that it shows."""
        return ""

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


class InPlace(Cuts):
    """Every other upgrade is cut twice. After each cut all LEBs must be old or new."""

    def points(self, number, plan):
        operation, mode = next(super().points(number, plan))
        yield operation, mode
        if number % 2:
            left = self.sweep.number_told(self.orders(number), "module: operations") - operation
            yield 1 + int(plan.random() * left), plan.randrange(len(MODES))

    def examine(self, folder, disks, problems):
        try:
            look = in_place.Look(self.sweep.look(folder, disks))
        except cases.ERRORS as error:
            problems.append(f"what the cut left cannot be seen: {error}")
            return ""
        problems += look.problems
        return f" ({look})"


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


KINDS = {"nand": Cuts, "lk": Cuts, "nested": Cuts, "dead": Cuts, "ubi": Trials, "ubifs": Trials, "kill": Trials,
         "place": InPlace, "faults": faults.Faults}
# How many runs of each kind ./check makes; they have at least 100 cuts.
CHECK = {"nand": 12, "lk": 6, "nested": 13, "dead": 3, "ubi": 6, "ubifs": 3, "kill": 8, "place": 6, "faults": 7}


def run(counts, seed, jobs):
    """Yield the outcomes of each kind of `counts`, {kind: how many}, in order; as many machines at a time as jobs."""
    sweeps = {}
    tasks = []
    for kind, count in counts.items():
        firmware = in_place if kind == "place" else small
        if firmware not in sweeps:
            sweeps[firmware] = Sweep(seed, firmware)
            sweeps[firmware].prepare()
        tasks += KINDS[kind](sweeps[firmware], kind, count).tasks()
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        for outcomes in pool.map(lambda task: task(), tasks):
            yield from outcomes
