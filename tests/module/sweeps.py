# SPDX-License-Identifier: Apache-2.0
"""Sweeps of trouble over upgrades of the small module, on the real kernel: its NAND, UBI and UBIFS.

nand    power goes in an exact operation of the NAND, evenly over all operations of an upgrade: before it, half way
        through it and after it in turn. The machine is gone; another one boots from the same NAND.
lk      the same behind the older bootloader, which erases the command before it starts recovery
nested  three such cuts in a row, the later ones while the module recovers from the earlier
dead    QEMU is killed at a moment that nobody chose
ubi     UBI's own emulation: no header of an erase block can be written any more from the n-th on, and everything dies
kill    recovery or the updater is killed, after a number of lines of its log or at some moment
faults  a NAND with bad blocks, and with blocks, pages and bits that fail while it is in use
"""
import concurrent.futures
import dataclasses
import os
import random
import re
import shutil

import cases
import compare
import module
import small

SWEEP = os.path.join(module.MODULE, "sweep")
KERNEL_MODULE = os.path.join(module.MODULE, "kernel", "nandsim.ko")
SCENARIO = os.path.join(os.path.dirname(os.path.realpath(__file__)), "sweep-scenario")
MEMORY = 256
SLOT_BYTES = 16 << 20
BATCH = 12
MODES = ("before", "half way", "after")
KEPT_BYTES = 65536


class Sweep:
    """What all kinds share: one start system, one snapshot, one NAND with an upgrade that waits to be started."""

    def __init__(self, seed, jobs):
        self.seed = seed
        self.jobs = max(jobs, 1)
        self.initrd = f"{SWEEP}/initrd"
        self.snapshot = f"{SWEEP}/snapshot"
        self.base = f"{SWEEP}/base.nand"
        self.uncut = None

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

    def boot(self, folder, disks, orders, timeout=180):
        return module.boot(folder, self.initrd, disks, memory=MEMORY, timeout=timeout, snapshot=self.snapshot,
                           orders=orders)

    def measure(self):
        """An upgrade without trouble: how many operations, and when they were."""
        if not self.uncut:
            folder = self.folder("uncut")
            lines = self.boot(folder, self.disks(folder, self.base), "medium=disk").lines
            problems = problems_of(folder, lines)
            if problems:
                raise module.ModuleError(f"the upgrade fails even without a cut: {problems[0]}; see {folder}")
            self.uncut = lines
        return self.uncut

    def operations(self):
        return next(int(text.split()[-1]) for text in console(self.measure()) if text.startswith("module: operations"))

    def moment(self, beginning):
        return next(line.seconds for line in self.measure() if line.text.startswith(beginning))

    def each(self, work, items):
        """Outcomes in order, as many at a time as there are jobs; what went well leaves no files."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=self.jobs) as pool:
            yield from pool.map(work, items)

    def judge(self, folder, outcome):
        if not outcome.problems:
            shutil.rmtree(folder)
        return outcome


class Cuts:
    """Kinds that cut the power of the whole machine, and boot another one from its NAND."""

    def __init__(self, sweep, kind, count):
        self.sweep = sweep
        self.kind = kind
        self.count = count
        self.settings = "medium=disk bootloader=lk" if kind == "lk" else "medium=disk"

    def run(self):
        self.sweep.measure()
        yield from self.sweep.each(self.one, range(self.count))

    def one(self, number):
        folder = self.sweep.folder(f"{self.kind}-{number:04}")
        disks = self.sweep.disks(folder, self.sweep.base)
        plan = self.sweep.random(self.kind, number)
        if self.kind == "dead":
            cuts = [self.kill_machine(folder, disks, plan)]
        else:
            cuts = []
            for operation, mode in self.points(number, plan):
                cuts.append(self.cut(folder, disks, operation, mode))
        lines = sum(cuts, [])
        happened = [cut for cut in cuts if "module: done" not in console(cut)]
        last = []
        if happened:
            # Zeros again, so that only what the last boot dumps is found there.
            module.make_dump_disk(disks["dump"])
            last = self.sweep.boot(folder, disks, self.settings).lines
        trouble = " then ".join(self.describe(cut) for cut in cuts)
        outcome = Outcome(self.kind, number, trouble, len(happened), len(boots_in(lines + last)), story_of(last),
                          problems_of(folder, lines + last))
        return self.sweep.judge(folder, outcome)

    def points(self, number, plan):
        """Operation and mode of each cut: one in each of `count` equal parts of the upgrade; more at random."""
        operations = self.sweep.operations()
        yield 1 + int((number + plan.random()) * operations / self.count), number % len(MODES)
        if self.kind == "nested":
            for _ in range(2):
                yield 1 + int(plan.random() * operations / 2), plan.randrange(len(MODES))

    def cut(self, folder, disks, operation, mode):
        return self.sweep.boot(folder, disks, f"{self.settings} cut_at={operation} cut_mode={mode}").lines

    def kill_machine(self, folder, disks, plan):
        first, last = self.sweep.moment("module: boot 1"), self.sweep.moment("module: handing")
        return self.sweep.boot(folder, disks, self.settings, timeout=first + (last - first) * plan.random()).lines

    def describe(self, lines):
        after = last_object(lines)
        place = f" after {after}" if after else ""
        for text in console(lines):
            if match := re.search(r"power cut in operation (\d+) mode (\d): (\w+) page (\d+)", text):
                where = small.partition_of(int(match[4]))
                return f"operation {match[1]} {MODES[int(match[2])]} ({match[3]} in {where}{place})"
        if "module: done" in console(lines):
            return "over before it came to the cut"
        return f"killed{place or ' before the first object'}"


class Trials:
    """Kinds that need no other machine: many upgrades in one run of the kernel, each from version 1."""

    def __init__(self, sweep, kind, count):
        self.sweep = sweep
        self.kind = kind
        self.count = count

    def run(self):
        lines = self.batch("count", ["count:"])[0][1]
        trials = list(self.ubi_trials(lines) if self.kind == "ubi" else self.kill_trials(lines))
        batches = [(first, trials[first:first + BATCH]) for first in range(0, len(trials), BATCH)]
        for outcomes in self.sweep.each(self.outcomes, batches):
            yield from outcomes

    def ubi_trials(self, uncut):
        """Mostly on the device of the root file system and user data; the modem's has few erase blocks to write."""
        headers = next(int(text.split()[-2]) for text in console(uncut) if text.startswith("module: UBI wrote"))
        if not headers:
            raise module.ModuleError("the kernel does not tell how many headers UBI writes")
        for number in range(self.count):
            if number % 8 == 7:
                yield f"ubi:1:{1 + number // 8}"
            else:
                yield f"ubi:0:{1 + int((number + self.sweep.random('ubi', number).random()) * headers / self.count)}"

    def kill_trials(self, uncut):
        for number in range(self.count):
            program, last = (("updater", "Update complete."), ("recovery", "init: recovery ended"))[number % 2]
            texts = [line.text for line in uncut]
            begin = next(place for place, text in enumerate(texts) if text.startswith("attempt 1"))
            end = next(place for place, text in enumerate(texts) if text.startswith(last))
            share = (number + self.sweep.random("kill", number).random()) / self.count
            if number % 4 < 2:
                told = sum(line.source == "console" and line.text[0] != "+" for line in uncut[begin:end])
                yield f"lines:{program}:{1 + int(share * told)}"
            else:
                yield f"seconds:{program}:{share * (uncut[end].seconds - uncut[begin].seconds):.2f}"

    def batch(self, name, trials):
        """The lines of each trial, and its dump as a folder of its own."""
        folder = self.sweep.folder(name)
        disks = self.sweep.disks(folder)
        result = self.sweep.boot(folder, disks, f"act=trials trials='{' '.join(trials)}'", timeout=90 * len(trials))
        parts = []
        for line in result.lines:
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

    def outcomes(self, batch):
        first, trials = batch
        parts = self.batch(f"{self.kind}-{first:04}", trials)
        found = []
        for number, (trial, (folder, lines)) in enumerate(zip(trials, parts), first):
            # Each trial of a run that ended as a whole has come to its end.
            ended = any(text.startswith("module: handing") for text in console(lines))
            lines = lines + [module.Line(0, "console", "module: done")] if ended else lines
            found.append(self.outcome(number, trial, folder, lines))
        return found

    def outcome(self, number, trial, folder, lines):
        _, program, point = trial.split(":")
        at = next((place for place, line in enumerate(lines) if line.text in
                   ("module: power cut", f"module: killed {program}")), None)
        before, after = (lines[:at], lines[at:]) if at is not None else (lines, [])
        place = f" after {last_object(before)}" if last_object(before) else ""
        if self.kind == "ubi":
            trouble = f"header {point} of ubi{program}{place}"
        else:
            trouble = f"{program} killed at {trial.split(':')[0][:-1]} {point}{place}"
        if at is None:
            trouble += ", over before it came to that"
        outcome = Outcome(self.kind, number, trouble, int(at is not None), len(boots_in(lines)), story_of(after),
                          problems_of(folder, lines))
        return self.sweep.judge(folder, outcome)


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

    def run(self):
        yield from self.sweep.each(self.one, range(self.count))

    def fault(self, number):
        """The factory erases and writes a raw partition once; what is weak breaks when the upgrade does it again."""
        plan = self.sweep.random("faults", number)
        blocks = {part: block_of(part, plan.randrange(3)) for part in ("misc", "boot")}
        system = [block_of("system", block) for block in plan.sample(range(40), 6)]
        modem = [block_of("modem", block) for block in plan.sample(range(10), 2)]
        page = blocks["boot"] * small.BLOCK_PAGES + plan.randrange(small.BLOCK_PAGES)
        pages = [block * small.BLOCK_PAGES + plan.randrange(4, small.BLOCK_PAGES) for block in system]
        kinds = [
            Fault("bad blocks from the factory", f"badblocks={listed([*blocks.values(), *system, *modem])}"),
            Fault("a boot block that cannot be erased again", f"weakblocks={blocks['boot']}:1"),
            Fault("a boot page that cannot be written again", f"weakpages={page}:1"),
            Fault("a boot page that cannot be read again", f"gravepages={page}:{plan.randrange(1, 4)}", "boot"),
            Fault("UBI blocks that cannot be erased again", f"weakblocks={listed(f'{b}:2' for b in system + modem)}"),
            Fault("UBI pages that cannot be written again", f"weakpages={listed(f'{p}:2' for p in pages)}"),
            Fault("bits that flip", "bitflips=1"),
        ]
        return kinds[number % len(kinds)]

    def one(self, number):
        fault = self.fault(number)
        folder = self.sweep.folder(f"faults-{number:04}")
        disks = self.sweep.disks(folder)
        lines = self.sweep.boot(folder, disks, f"act=trials trials=fault: nand_extra='{fault.parameters}'").lines
        outcome = Outcome("faults", number, f"{fault.what} ({fault.parameters})", 1, len(boots_in(lines)),
                          story_of(lines), problems_of_faulty(folder, lines, fault.unreadable))
        return self.sweep.judge(folder, outcome)


def listed(words):
    return ",".join(str(word) for word in words)


KINDS = {"nand": Cuts, "lk": Cuts, "nested": Cuts, "dead": Cuts, "ubi": Trials, "kill": Trials, "faults": Faults}


def run(counts, seed, jobs):
    """Yield the outcomes of each kind of `counts`, {kind: how many}, in order."""
    sweep = Sweep(seed, jobs)
    sweep.prepare()
    for kind, count in counts.items():
        if count:
            yield from KINDS[kind](sweep, kind, count).run()


def summary(name, outcomes):
    cuts, boots = sum(outcome.cuts for outcome in outcomes), sum(outcome.boots for outcome in outcomes)
    return f"{name}: {cuts} cuts, {boots} boots, {sum(bool(outcome.problems) for outcome in outcomes)} bricks"
