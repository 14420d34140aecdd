# SPDX-License-Identifier: Apache-2.0
"""What the measurements say: tables, and which of the demands are met."""
import dataclasses

import images
from run import Result
from tools import BSDIFF, IN_PLACE, NATIVE

CODE = ("elf", "elf-release", "module", "kernel")
PACKED = ("kernel-packed",)
CONTAINERS = ("squashfs", "ubifs")
ONE_FILE = ("archive",) + CONTAINERS
GROUPS = {
    "elf": "ARM programs and libraries, point releases",
    "elf-release": "the same, from one release of Debian to the next",
    "module": "kernel modules, signed",
    "kernel": "kernels, unpacked",
    "kernel-packed": "kernels, packed, and boot images",
    "arm64": "AArch64 programs and libraries",
    "tree": "root file systems, file by file",
    "archive": "root file systems as tar",
    "squashfs": "root file systems as squashfs",
    "ubifs": "root file systems as UBIFS",
}


# What is known not to hold yet, by words of the demand's text: the report tells it, and nothing fails of it.
NOT_YET = (
    "packed kernels: bytes",
    "bytes to the sum of its files' patches",
    "whole firmware of a year",
    "ARM code and kernels: CPU to apply",
    "root file systems as one file: CPU to apply",
    "MiB resident to apply",
)


@dataclasses.dataclass
class Demand:
    """Something that must be at most so much; met is None where nothing was measured. One of NOT_YET is not due."""
    text: str
    limit: float
    value: float = None
    met: bool = None
    due: bool = None

    def __post_init__(self):
        if self.value is not None:
            self.met = self.value <= self.limit
        self.due = not any(words in self.text for words in NOT_YET)

    @property
    def verdict(self):
        if self.met is None:
            return "not measured"
        if self.met:
            return "met"
        return "**FAILED**" if self.due else "not met yet"


@dataclasses.dataclass
class Measured:
    """results: by pair, by name of tool. differing: LEBs, by pair that is one file."""
    results: dict
    differing: dict

    def pairs(self, groups, *names):
        return [pair for pair, found in self.results.items()
                if pair.group in groups and all(name in found for name in names)]

    def total(self, pairs, name):
        sum_of = Result()
        for pair in pairs:
            sum_of.add(self.results[pair][name])
        return sum_of

    def ratio(self, text, limit, groups, field):
        """Ours to bsdiff's, where both were measured."""
        pairs = self.pairs(groups, NATIVE, BSDIFF)
        ours, theirs = (getattr(self.total(pairs, name), field) for name in (NATIVE, BSDIFF))
        return Demand(text, limit, ours / theirs if pairs else None)

    def named(self, name):
        return next((pair for pair in self.results if pair.name == name), None)


def image_demands(measured):
    for name in (NATIVE, IN_PLACE):
        for pair in measured.pairs(CONTAINERS, name):
            tree = measured.named(f"tree-{pair.name.rsplit('-', 1)[1]}")
            if tree and NATIVE in measured.results[tree]:
                yield Demand(f"{name}: {pair.name}: bytes to the sum of its files' patches", 1.5,
                             measured.results[pair][name].size / measured.results[tree][NATIVE].size)


def whole_firmware(measured):
    """Root file system and kernel of a year."""
    pairs = [measured.named(name) for name in ("tree-year", "boot.img-6.1")]
    text = "whole firmware of a year: bytes to those of bsdiff or deflate for each file"
    if not all(pair and {NATIVE, BSDIFF} <= set(measured.results[pair]) for pair in pairs):
        return Demand(text, 0.5)
    return Demand(text, 0.5, measured.total(pairs, NATIVE).size / measured.total(pairs, BSDIFF).aosp)


def in_place_demand(measured):
    pairs = [pair for pair in measured.pairs(GROUPS, IN_PLACE) if measured.differing.get(pair)]
    worst = max((measured.results[pair][IN_PLACE].erases / measured.differing[pair] for pair in pairs), default=None)
    return Demand("in place: LEBs written to LEBs that differ, the worst", 1.05, worst)


def memory_demands(measured):
    """A patch that must unpack or compress anew with a larger window says so, and is judged by what it says."""
    pairs = measured.pairs(GROUPS, NATIVE)
    small = [pair for pair in pairs if measured.results[pair][NATIVE].stated <= 4 << 20]
    peak = max((measured.results[pair][NATIVE].apply_peak for pair in small), default=None)
    yield Demand("MiB resident to apply, the worst of patches that state at most 4 MiB", 4.0, peak and peak / 1024)


def demands(measured):
    return [
        measured.ratio("ARM code and kernels: bytes to bsdiff's", 0.70, CODE, "size"),
        measured.ratio("packed kernels: bytes to bsdiff's", 0.70, PACKED, "size"),
        *image_demands(measured),
        whole_firmware(measured),
        measured.ratio("ARM code and kernels: CPU to apply to bspatch's", 0.50, CODE, "apply_cpu"),
        measured.ratio("root file systems as one file: CPU to apply to bspatch's", 0.50, ONE_FILE, "apply_cpu"),
        measured.ratio("packed kernels: CPU to apply to bspatch's", 0.50, PACKED, "apply_cpu"),
        measured.ratio("ARM code and kernels: CPU to make to bsdiff's", 1.00, CODE, "make_cpu"),
        measured.ratio("all pairs: CPU to make to bsdiff's", 1.00, tuple(GROUPS), "make_cpu"),
        *memory_demands(measured),
        in_place_demand(measured),
    ]


HEAD = ("| | patch | × bsdiff | make CPU s | make MiB | apply CPU s | apply MiB | bytes to flash | LEBs | scratch |\n"
        "|---|---|---|---|---|---|---|---|---|---|")


def row(name, result, base):
    share = f"{result.size / base.size:.3f}" if base and base.size else ""
    return (f"| {name} | {result.size} | {share} | {result.make_cpu:.2f} | {result.make_peak / 1024:.0f} | "
            f"{result.apply_cpu:.4f} | {result.apply_peak / 1024:.1f} | {result.written} | {result.erases} | "
            f"{result.scratch} |")


def table(found):
    base = found.get(BSDIFF)
    return "\n".join([HEAD, *(row(name, result, base) for name, result in found.items())])


def group_tables(measured, names):
    """Totals of the pairs that every one of the tools could do."""
    for group, title in GROUPS.items():
        there = [name for name in names if measured.pairs([group], name)]
        pairs = measured.pairs([group], *there)
        if pairs and there:
            yield (f"### {title}: {len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'}\n\n" +
                   table({name: measured.total(pairs, name) for name in there}))


def demand_table(found):
    rows = [f"| {demand.text} | {'' if demand.value is None else f'{demand.value:.3f}'} | {demand.limit:.2f} | "
            f"{demand.verdict} |" for demand in found]
    return "\n".join(["| demand | is | at most | |", "|---|---|---|---|", *rows])


def markdown(measured, names, found, remarks):
    parts = ["## Demands", demand_table(found), "## Totals", *group_tables(measured, names), "## Pairs"]
    for pair, results in measured.results.items():
        differ = measured.differing.get(pair)
        note = f", {differ} of its LEBs of {images.LEB} bytes differ" if differ is not None else ""
        parts.append(f"### {pair.name} ({pair.group}{note})\n\n{table(results)}")
    if remarks:
        parts += ["## Left out", "\n".join(f"- {remark}" for remark in remarks)]
    return "\n\n".join(parts) + "\n"


def as_json(measured, found, remarks):
    return {
        "demands": [dataclasses.asdict(demand) for demand in found],
        "pairs": [{"name": pair.name, "group": pair.group, "differing_lebs": measured.differing.get(pair),
                   "tools": {name: dataclasses.asdict(result) for name, result in results.items()}}
                  for pair, results in measured.results.items()],
        "left_out": remarks,
    }
