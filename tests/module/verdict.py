# SPDX-License-Identifier: Apache-2.0
"""What the small module did after a cut or a fault, and whether that is what it must do."""
import dataclasses
import re

import cases
import compare
import module
import small

KEPT_BYTES = 65536
# What the boots after a cut may have done, and how a story tells.
DEEDS = {
    "recovery went on": "recovery",
    "the normal system armed the lost flag again": "normal, flag was lost",
    "the upgrade was over": "(END 0, )?normal$",
    "an object was written from its backup": ".*from its backup",
    "objects were new already": ".*new already",
    "the cut counted as an attempt": ".*attempt [2-5]",
}


@dataclasses.dataclass
class Outcome:
    kind: str
    number: int
    trouble: str  # where and how
    cuts: int  # how many really happened; a fault of the NAND is none
    boots: int
    story: str  # what the module did next
    problems: list

    def __str__(self):
        text = f"{self.kind}-{self.number:04}: {self.trouble}; next boot: {self.story}"
        return f"not ok {text}; BRICK: {'; '.join(self.problems)}" if self.problems else f"ok {text}"


def summary(name, outcomes):
    cuts, boots = sum(outcome.cuts for outcome in outcomes), sum(outcome.boots for outcome in outcomes)
    bricks = sum(bool(outcome.problems) for outcome in outcomes)
    return f"{name}: {len(outcomes)} runs, {cuts} cuts, {boots} boots, {bricks} bricks"


def deeds(outcomes):
    """How often the boots after cuts did what."""
    stories = [outcome.story for outcome in outcomes if outcome.cuts]
    counts = {deed: sum(bool(re.match(sign, story)) for story in stories) for deed, sign in DEEDS.items()}
    return f"after the last cut of {len(stories)} runs: " + ", ".join(f"{deed} {n}" for deed, n in counts.items())


def console(lines):
    return [line.text for line in lines if line.source == "console"]


def boots_in(lines):
    return [text.split()[-1] for text in console(lines) if text.startswith("module: boot ")]


def last_object(lines):
    """The last object that was finished before the power went."""
    done = [text.split(": ")[0] for text in console(lines) if re.search(r": (now|already) ", text)]
    return done[-1].rsplit("/", 1)[-1] if done else ""


def story_of(lines):
    """What the boots after the trouble did, in a few words that many cuts share."""
    words = []
    said = console(lines)
    for text in said:
        if text.startswith("module: boot "):
            words.append(text.split()[-1])
        elif match := re.match(r"attempt (\d) of \d", text):
            words.append(f"attempt {match[1]}")
        elif match := re.match(r"(\S+): (?:source is taken|is written again,) from the copy", text):
            words.append(f"{match[1]} from its backup")
        elif match := re.match(r"(\S+): in place, \d+ units .* (\d+) written before", text):
            words.append(f"{match[1]} went on behind {match[2]} units")
        elif text.startswith("module: miscctl resume: armed"):
            words.append("flag was lost, armed again")
        elif match := re.match(r'\+QIND: "FOTA","END",(\d+)', text):
            words.append(f"END {match[1]}")
    already = sum(": already " in text for text in said)
    if already:
        words.append(f"{already} objects were new already")
    return ", ".join(words) or "nothing"


def honest(judge):
    """A dump that cannot be read is a problem, not the end of the sweep."""
    def judged(*arguments, **named):
        try:
            return judge(*arguments, **named)
        except cases.ERRORS as error:
            return [str(error)]
    return judged


@honest
def problems_of(folder, lines, ubi_first=False, firmware=small):
    """All boots of one upgrade: it must have come to rest in version 2, told success, and left nothing behind.
    firmware: the Python module that makes images and package.
    ubi_first: UBI died some moments before misc did. What recovery wrote and removed last may be missing then, if it
    had told success already and erased the flag; nothing leads to what is left."""
    findings = cases.Findings(module.Result(folder, lines, True), small.PAGE_SIZE)
    findings.expect(boots_in(lines)[-1:] == ["normal"], "the module does not come to rest in its normal system")
    findings.expect("module: done" in console(lines), f"the module's last words: {console(lines)[-1:]}")
    if findings.problems:
        return findings.problems
    findings.end_after_cuts(0)
    firmware.is_new(findings)
    findings.runs(cases.V2)
    findings.flag_is_erased()
    if not ubi_first:
        findings.file(cases.STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
        findings.is_gone(cases.PACKAGE)
        findings.is_gone("usrdata/cache/saved.file")
    untouched(findings, firmware)
    return findings.problems


@honest
def problems_of_faulty(folder, lines, unreadable):
    """As before; or an honest error code, and version 1. unreadable: a part whose contents the fault itself destroys at
    some moment; then there is no way to a whole version, but every other object must still be exactly old or new."""
    ends = [text for text in console(lines) if text.startswith('+QIND: "FOTA","END",')]
    if ends[-1:] == ['+QIND: "FOTA","END",0'] or "module: done" not in console(lines):
        return problems_of(folder, lines)
    findings = cases.Findings(module.Result(folder, lines, True), small.PAGE_SIZE)
    findings.expect(boots_in(lines)[-1:] == ["normal"], "the module does not come to rest in its normal system")
    findings.expect(ends, "recovery never told an END")
    if unreadable:
        torn = differing(folder, small.V1) & differing(folder, small.V2) - {f"partition {unreadable}"}
        findings.expect(not torn, f"neither old nor new: {sorted(torn)}")
    else:
        findings.is_version(small.V1)
        findings.runs(cases.V1)
    findings.flag_is_erased()
    untouched(findings, small)
    return findings.problems


def differing(folder, version):
    """The objects in a folder's dump that are not those of a version."""
    differences, _ = compare.compare(f"{folder}/dump.tar", dict.fromkeys(compare.PARTS, version))
    return {text.split(":")[0] for text in differences}


def untouched(findings, firmware):
    with open(firmware.PACKAGE, "rb") as file:
        kept = file.read(KEPT_BYTES)
    found = compare.read_member(findings.result.dump, "usrdata/kept")
    findings.expect(found == kept, "the user's own data have changed")
