# SPDX-License-Identifier: Apache-2.0
"""The cases of the virtual module: what happens to the module (a scenario), and what must be true afterwards."""
import contextlib
import dataclasses
import os
import re
import subprocess
import tarfile
import zipfile

import compare
import module



def targetfiles(version):
    """Of one of the versions that scripts/input knows."""
    return os.path.join(module.INPUT, version, "targetfiles.zip")


V1 = targetfiles("v1")
V2 = targetfiles("v2")
UPDATE_GEN = os.path.join(module.ROOT, "build", "host-release", "bin", "update_gen")
PACKAGES = os.path.join(module.MODULE, "packages")

ERRORS = (module.ModuleError, OSError, ValueError, KeyError, subprocess.SubprocessError, tarfile.TarError,
          zipfile.BadZipFile)

STATUS_FILE = "usrdata/cache/fota/ipth_config_dfs.txt"
LAST_LOG = "usrdata/cache/recovery/last_log"
PACKAGE = "usrdata/cache/fota/ipth_package.bin"
PUSHED_PACKAGE = "usrdata/cache/ufs/update.zip"

FOREIGN = "usr/bin/openssl"
VOLUME = "image"


def make_package(parts="a", source="v1", target="v2"):
    """update.zip from one version to another: a all, m modem, l Linux file system, o kernel."""
    path = os.path.join(PACKAGES, f"{source}-{target}-{parts}.zip")
    module.make_input(source, target)
    inputs = [targetfiles(version) for version in (source, target)]
    with module.locked(path):
        if not os.path.exists(path) or os.path.getmtime(path) < max(map(os.path.getmtime, (UPDATE_GEN, *inputs))):
            os.makedirs(PACKAGES, exist_ok=True)
            module.command(UPDATE_GEN, parts, "--source", inputs[0], "--target", inputs[1], "-o", f"{path}.new")
            os.replace(f"{path}.new", path)
    return path


def truncated_package():
    path = os.path.join(PACKAGES, "truncated.zip")
    with open(make_package(), "rb") as whole, open(path, "wb") as half:
        half.write(whole.read()[:os.path.getsize(whole.name) // 2])
    return path


def volume_package():
    """The kernel's package, for a UBI volume that holds the same image."""
    path = os.path.join(PACKAGES, "volume.zip")
    rewrite(make_package("o"), path, "updater-script", b"MTD:boot:", f"UBI:{VOLUME}:".encode())
    return path


def rewrite(package, path, name, old, new):
    """The package with other words in an entry whose name ends with this."""
    with zipfile.ZipFile(package) as given, zipfile.ZipFile(path, "w") as made:
        for entry in given.infolist():
            data = given.read(entry)
            if entry.filename.endswith(name):
                if old not in data:
                    raise ValueError(f"{package}: {entry.filename} has no {old!r}")
                data = data.replace(old, new)
            made.writestr(entry, data)


def boot_image(version):
    with zipfile.ZipFile(version) as archive:
        return archive.read("BOOTABLE_IMAGES/boot.img")


class Findings:
    """Collects what is not as it should be."""

    def __init__(self, result, page_size=4096):
        self.result = result
        self.page_size = page_size
        self.problems = []

    def expect(self, true, problem):
        if not true:
            self.problems.append(problem)

    def boots(self, *pattern):
        """The modes of all boots, as a regular expression over their initials, such as 'nrn'."""
        initials = "".join(mode[0] for mode in self.result.boots())
        self.expect(re.fullmatch(*pattern, initials), f"boots were {initials}, should be {pattern[0]}")

    def end(self, *codes):
        """The last URC tells the code; before it there was a START and percentages that never fell."""
        for channel in module.CHANNELS:
            urcs = self.result.urcs(channel)
            self.expect(urcs[:1] == ['"FOTA","START"'], f"{channel}: the first URC is {urcs[:1]}")
            wanted = [f'"FOTA","END",{code}' for code in codes]
            self.expect(urcs and urcs[-1] in wanted, f"{channel}: the last URC is {urcs[-1:]}, should be of {wanted}")
            self.percentages(channel, urcs)

    def end_after_cuts(self, code):
        """As end(), but each cut may have swallowed what was about to be said."""
        for channel in module.CHANNELS:
            urcs = self.result.urcs(channel)
            ends = [urc for urc in urcs if '"END"' in urc]
            self.expect(ends and set(ends) == {f'"FOTA","END",{code}'}, f"{channel}: it ended with {ends}")
            self.percentages_never_fall(channel, urcs)

    def percentages_never_fall(self, channel, urcs):
        told = [int(urc.rsplit(",", 1)[1]) for urc in urcs if '"UPDATING"' in urc]
        self.expect(told == sorted(told), f"{channel}: percentages fall: {told}")
        self.expect(all(0 <= percent <= 100 for percent in told), f"{channel}: percentages out of range: {told}")
        return told

    def percentages(self, channel, urcs):
        told = self.percentages_never_fall(channel, urcs)
        if urcs[-1:] == ['"FOTA","END",0']:
            self.expect(told[:1] == [0] and told[-1:] == [100], f"{channel}: percentages are not from 0 to 100: {told}")

    def is_version(self, version, *, apart=(), **parts):
        """The NAND holds this version; parts name those that hold another, apart the paths that do not count."""
        expected = {part: parts.get(part, version) for part in compare.PARTS}
        differences, _ = compare.compare(self.result.dump, expected)
        differences = [text for text in differences if text.split(":")[0] not in apart]
        if differences:
            self.problems.append(f"{len(differences)} objects differ, the first: {differences[0]}")

    def runs(self, version):
        """The last system that ran said so on smd7."""
        with zipfile.ZipFile(version) as archive:
            project = archive.read("SYSTEM/etc/quectel-project-version").decode()
        said = [text for text in self.result.said("smd7") if text.startswith("RG520N")]
        self.expect(said and f": {said[-1]}\n" in project,
                    f"smd7 told version {said[-1:]} at the end, not that of {version}")

    def file(self, path, *parts):
        """A file of the dump has all these texts in it."""
        data = compare.read_member(self.result.dump, path)
        for part in parts:
            said = data is not None and part.encode() in data
            self.expect(said, f"/{path} does not say {part!r}: {(data or b'absent')[-300:]!r}")

    def is_gone(self, path):
        self.expect(compare.read_member(self.result.dump, path) is None, f"/{path} is still there")

    def flag_is_erased(self):
        misc = compare.read_member(self.result.dump, "misc") or b""
        command = misc[self.page_size:self.page_size + 32].strip(b"\0\xff")
        self.expect(not command, f"misc still says {command!r}")

    def over(self, package=PACKAGE):
        """Whatever the outcome: nothing leads into recovery again."""
        self.is_gone(package)
        self.flag_is_erased()

    def succeeded(self, boots, package=PACKAGE, version=V2):
        self.boots(boots)
        self.end(0)
        self.is_version(version)
        self.runs(version)
        self.file(STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
        self.over(package)


@dataclasses.dataclass
class Case:
    check: object  # called with Findings
    scenario: str = ""
    package: object = make_package
    # Gives a context manager of what the host does meanwhile: (more of the scenario, module.Dialogue or None).
    host: object = lambda: contextlib.nullcontext(("", None))
    factory: str = "v1"  # the version that the module has at first, or the path of its factory archive

    @property
    def name(self):
        return self.check.__name__.replace("_", "-")

    @property
    def purpose(self):
        return self.check.__doc__.splitlines()[0]


def success(findings):
    """A whole upgrade: version 2, byte for byte, with owners and modes, and it runs."""
    findings.succeeded("nrn")


def point_release(findings):
    """A small step: libraries and programs get their point releases, kernel and modem stay."""
    findings.succeeded("nrn", version=targetfiles("v1.1"))


def whole_release(findings):
    """From Debian 11's firmware to Debian 12's: most files differ, many are new or gone."""
    findings.succeeded("nrn")


def lk_bootloader(findings):
    """The older LK clears the flag before it starts recovery; a pushed package, too."""
    findings.succeeded("nrn", PUSHED_PACKAGE)


def bad_blocks(findings):
    """Factory-bad blocks in boot, modem and system."""
    findings.succeeded("nrn")


def killed_updater(findings):
    """The updater is killed in the middle; the next attempt finishes."""
    findings.succeeded("nrrn")


def power_cuts(findings):
    """Power is cut three times in the middle of an upgrade."""
    findings.succeeded("nr{4}n")


def foreign_file(findings):
    """A file of the root file system is not the one of version 1: 510, named in last_log, nothing changed."""
    findings.boots("nr{1,5}n")
    findings.end(510)
    findings.is_version(V1, apart=(f"system/{FOREIGN}",))
    findings.runs(V1)
    findings.file(LAST_LOG, FOREIGN)
    findings.file(STATUS_FILE, "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED")
    findings.over()


def five_failures(findings):
    """The updater dies at each attempt: after the fifth the package is gone, the flag erased, version 1 runs."""
    findings.boots("nr{5}n")
    findings.end(502)
    findings.is_version(V1)
    findings.runs(V1)
    findings.file(STATUS_FILE, "IP_PREVIOUS_UPDATE_")
    findings.over()


def truncated(findings):
    """Half a package: 504, and it is deleted."""
    findings.boots("nrn")
    findings.end(504)
    findings.is_version(V1)
    findings.runs(V1)
    findings.over()


def no_space(findings):
    """usrdata is full: 501 or 511 before anything has changed."""
    findings.boots("nr{1,5}n")
    findings.end(501, 511)
    findings.is_version(V1)
    findings.runs(V1)
    findings.over()


def volume_update(findings):
    """A UBI volume's image is patched; the updater dies while the volume is void; its backup leads to version 2."""
    findings.boots("nrrn")
    findings.end(0)
    findings.is_version(V1)
    image = boot_image(V2)
    found = compare.read_member(findings.result.dump, f"extra/{VOLUME}") or b""
    findings.expect(found[:len(image)] == image, "the volume does not hold version 2's image")
    findings.file(LAST_LOG, f"UBI:{VOLUME}: is written again, from the copy")
    findings.is_gone("usrdata/cache/saved.file")
    findings.over()


def only_boot(findings):
    """Package o: the kernel changes, and nothing else."""
    findings.boots("nrn")
    findings.end(0)
    findings.is_version(V1, boot=V2)
    findings.over()


def only_modem(findings):
    """Package m: the modem's file system changes, and nothing else."""
    findings.boots("nrn")
    findings.end(0)
    findings.is_version(V1, firmware=V2)
    findings.over()


CASES = [
    Case(success),
    Case(point_release, package=lambda: make_package(target="v1.1")),
    Case(whole_release, package=lambda: make_package(source="v0"), factory="v0"),
    Case(lk_bootloader, "bootloader=lk package_name=ufs/update.zip"),
    Case(bad_blocks, 'nand="$nand badblocks=10,12,140,150,400"'),
    Case(killed_updater, """
during_recovery()
{
	[ "$1" = 2 ] || return 0
	wait_for_change
	sleep 2
	say "killing the updater"
	kill -9 $(pidof updater)
}
"""),
    Case(power_cuts, """
during_recovery()
{
	[ "$1" -le 4 ] || return 0
	wait_for_process updater
	wait_for_change
	sleep "$1"
	cut_power
}
"""),
    Case(foreign_file, f"""
before_boot()
{{
	[ "$1" != 2 ] || with_rootfs add_byte
}}
add_byte()
{{
	echo >>"$root/{FOREIGN}"
}}
"""),
    Case(five_failures, """
during_recovery()
{
	wait_for_process updater
	say "killing the updater"
	kill -9 $(pidof updater)
}
"""),
    Case(truncated, package=truncated_package),
    Case(no_space, """
request_upgrade()
{
	store_package
	fill_usrdata
	arm
}
"""),
    Case(volume_update, f"""
before_boot()
{{
	[ "$1" = 1 ] || return 0
	. /res/board
	ubiformat -q -y -O "$vid_offset" /dev/mtd6
	ubiattach -m 6 -d 2 -O "$vid_offset" >/dev/null
	ubimkvol /dev/ubi2 -N {VOLUME} -s 20MiB >/dev/null
	read_partition "$boot_part" /tmp/image
	ubiupdatevol /dev/ubi2_0 /tmp/image
	rm /tmp/image
}}
during_recovery()
{{
	[ "$1" = 2 ] || return 0
	until [ "$(cat /sys/class/ubi/ubi2_0/upd_marker)" = 1 ]; do
		sleep 0.05
	done
	kill -9 $(pidof updater)
	say "killed the updater; update marker of the volume: $(cat /sys/class/ubi/ubi2_0/upd_marker)"
}}
dump_more()
{{
	cat /dev/ubi2_0 >"$dump/extra/{VOLUME}"
}}
""", package=volume_package),
    Case(only_boot, package=lambda: make_package("o")),
    Case(only_modem, package=lambda: make_package("m")),
]
