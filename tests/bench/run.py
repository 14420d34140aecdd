# SPDX-License-Identifier: Apache-2.0
"""Runs a tool on a pair: what its patch takes to make, to hold and to apply. Every patch is applied and compared."""
import dataclasses
import filecmp
import json
import os
import shutil
import subprocess
import zlib

import images
import tools


@dataclasses.dataclass
class Result:
    """Of one pair, or summed over many: bytes, seconds, KiB."""
    size: int = 0
    make_cpu: float = 0.0
    make_peak: int = 0
    apply_cpu: float = 0.0
    apply_peak: int = 0
    written: int = 0  # bytes that reach flash
    erases: int = 0  # of LEBs
    scratch: int = 0  # bytes beside the object that is patched, the patch not counted
    stated: int = 0  # bytes of memory that the patch says it needs, if it does
    aosp: int = 0  # bytes of the patch, or of the whole content deflated where that is smaller

    def add(self, other):
        for field in dataclasses.fields(self):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            most = field.name in ("make_peak", "apply_peak", "scratch", "stated")
            setattr(self, field.name, max(ours, theirs) if most else ours + theirs)


def measure(command, result, seconds, least):
    """CPU seconds of the cheapest run and KiB of the largest. The command makes the result, anew each time."""
    done = subprocess.run(["bench_measure", str(seconds), str(least), result, *command], capture_output=True, text=True,
                          timeout=3600, check=False)
    if done.returncode:
        raise tools.ToolError(done.stderr.strip()[-300:])
    cost = json.loads(done.stdout)
    return cost["cpu"], cost["peak"]


def deflated(path):
    with open(path, "rb") as file:
        return len(zlib.compress(file.read(), 9))


def lebs(size):
    return -(-size // images.LEB)


def account(tool, files, result):
    """What reaches flash: the whole new content beside the old, or in place only the blocks that differ."""
    size = os.path.getsize(files.new)
    result.written, result.erases, result.scratch = size, lebs(size), size
    if tool.info:
        told = subprocess.run(tool.info(files), capture_output=True, text=True, timeout=600, check=True)
        told = json.loads(told.stdout)
        result.stated = told["memory"]
        if tool.in_place:
            result.written, result.erases = told["changed"] * images.LEB, told["changed"]
            result.scratch = 0


def run_files(tool, files, seconds):
    """One file to another."""
    result = Result()
    if tool.prepare:
        tool.prepare(files)
    for command in tool.make(files):
        cpu, peak = measure(command, files.patch, seconds, 1)
        result.make_cpu += cpu
        result.make_peak = max(result.make_peak, peak)
    if tool.finish:
        tool.finish(files)
    result.size = os.path.getsize(files.patch)
    result.apply_cpu, result.apply_peak = measure(tool.apply(files), files.result, seconds, 3)
    if not filecmp.cmp(files.result, files.new, shallow=False):
        raise tools.ToolError("what the patch makes is not the new content")
    account(tool, files, result)
    result.aosp = min(result.size, deflated(files.new))
    return result


def run_tree(tool, changed, alone, work):
    """Every changed file by itself; files without an old one travel deflated, whatever the tool. There are hundreds of
    files, so that none needs to be repeated for the sum to be steady."""
    total = Result()
    for path, old, new in changed:
        try:
            total.add(run_files(tool, files_in(work, old, new), 0))
        except tools.ToolError as error:
            raise tools.ToolError(f"{path}: {error}") from error
    for path in alone:
        size = deflated(path)
        total.add(Result(size=size, aosp=size, written=os.path.getsize(path), erases=lebs(os.path.getsize(path))))
    return total


def files_in(work, old, new):
    return tools.Files(old, new, *(os.path.join(work, name) for name in ("patch", "result", "scratch")))


def clear(work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, "scratch"))


def differing_lebs(old, new):
    """How many LEBs of the new content the old one has not at the same place."""
    with open(old, "rb") as left, open(new, "rb") as right:
        count = 0
        while block := right.read(images.LEB):
            count += left.read(images.LEB) != block
        return count
