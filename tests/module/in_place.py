# SPDX-License-Identifier: Apache-2.0
"""A small module without room for anything twice: its root file system is a squashfs image, read through a ubiblock
device, its modem's data are a volume without a file system, and both change where they lie, one LEB after the other."""
import hashlib
import os
import re
import shutil
import tarfile
import zipfile

import cases
import compare
import kinds
import module
import small
from cases import Case

IN_PLACE = os.path.join(module.MODULE, "in-place")
PACKAGE = os.path.join(IN_PLACE, "update.zip")
FACTORY = os.path.join(IN_PLACE, "factory-v1.cpio")
VERSIONS = ("v1", "v2")
IMAGES = {"rootfs": "SYSTEM.squashfs", "modem": "MULTIFOTA/modem.img"}  # what update_gen takes for the volumes

LEB = (small.BLOCK_PAGES - 2) * small.PAGE_SIZE
BLOCK = 64 << 10  # of squashfs: to these LEBs what its usual 128 KiB are to a NAND of twice the size
USRDATA_LEBS = 40
MAX_RESIDENT = 4096  # KiB
# Beside the small module's files: a program that tells its version, and what it needs.
LIBRARIES = "lib/arm-linux-gnueabihf"
PROGRAM = ["usr/bin/openssl", f"usr/{LIBRARIES}/libcrypto.so.3", f"usr/{LIBRARIES}/libssl.so.3",
           f"{LIBRARIES}/libc.so.6", f"{LIBRARIES}/ld-linux-armhf.so.3", "lib/ld-linux-armhf.so.3"]
MODEM = ["mba.mbn", "modem.b02", "modem.b05"]


def image(version, volume):
    return small.read(os.path.join(IN_PLACE, version, IMAGES[volume]))


def make_version(version):
    """Input of update_gen. The kernel stays the same."""
    system = os.path.join(module.INPUT, version, "targetfiles", "SYSTEM")
    folder = os.path.join(IN_PLACE, version)
    os.makedirs(f"{folder}/MULTIFOTA")
    small.copy(os.path.join(small.SMALL, "v1", "targetfiles"), folder, "BOOTABLE_IMAGES/boot.img")
    with open(f"{folder}/{IMAGES['modem']}", "wb") as file:
        for name in MODEM:
            file.write(small.read(f"{system}/firmware/image/{name}"))
    tree = os.path.join(folder, "tree")
    module.command("cp", "-a", os.path.join(small.SMALL, version, "targetfiles", "SYSTEM"), tree)
    shutil.rmtree(f"{tree}/firmware")
    os.mkdir(f"{tree}/firmware")
    for path in PROGRAM:
        small.copy(system, tree, path)
    module.command("mksquashfs", tree, f"{folder}/{IMAGES['rootfs']}", "-b", str(BLOCK), "-mkfs-time", "0",
                   "-all-time", "0", "-noappend", "-no-progress", "-quiet")
    shutil.rmtree(tree)


def make_usrdata():
    """Without what the kernel would give it, compression and a reserve, so that what is free is what it says."""
    folder, path = os.path.join(IN_PLACE, "empty"), os.path.join(IN_PLACE, "usrdata")
    os.mkdir(folder)
    module.command(*small.MKFS[:-1], "none", "-c", str(USRDATA_LEBS), "-r", folder, "-o", path)
    os.rmdir(folder)
    return small.read(path)


def make_factory():
    images = os.path.join(small.SMALL, "v1", "targetfiles")
    files = {os.path.basename(path): small.read(f"{images}/{path}") for path in compare.IMAGES.values()}
    files |= {f"{volume}.image": image("v1", volume) for volume in IMAGES}
    files["usrdata.ubifs"] = make_usrdata()
    longest = max(len(image(version, "rootfs")) for version in VERSIONS)
    files["rootfs_size"] = str(-(-longest // LEB) * LEB).encode()
    small.make_archive_of({f"factory/{name}": data for name, data in files.items()}, FACTORY)


def make_package():
    """One that takes less than a LEB of /cache."""
    volumes = os.path.join(IN_PLACE, "multifota")
    with open(volumes, "w", encoding="utf-8") as file:
        file.write("modem.img UBI:modem\n")
    module.command(cases.UPDATE_GEN, "a", "-s", os.path.join(IN_PLACE, "v1"), "-t", os.path.join(IN_PLACE, "v2"),
                   "-o", PACKAGE, "--compat", "native", "--leb", str(LEB), "--max-scratch", str(LEB - 1),
                   "--multifota", volumes)


def make():
    """Versions, factory archive and package, once."""
    small.make()
    stamp = os.path.join(IN_PLACE, "made-by")
    made_of = (__file__, os.path.join(small.SMALL, "made-by"), cases.UPDATE_GEN)
    recipe = hashlib.sha256(b"".join(map(small.read, made_of))).hexdigest().encode()
    with module.locked(IN_PLACE):
        if os.path.exists(stamp) and small.read(stamp) == recipe:
            return
        shutil.rmtree(IN_PLACE, ignore_errors=True)
        os.makedirs(IN_PLACE)
        for version in VERSIONS:
            make_version(version)
        make_factory()
        make_package()
        with open(stamp, "wb") as file:
            file.write(recipe)


def made_package():
    make()
    return PACKAGE


# The root file system's volume has no LEB more than its images need; nothing is left of either UBI device.
SETTINGS = f"""
modules="$modules squashfs"
sed -i 's|^/system .*|/system squashfs /dev/ubiblock0_0|; /firmware/d' /recovery-image/res/recovery.fstab
echo ubiblock=/dev/ubi0_0 >>/recovery-image/res/board
rootfs_size=$(cat /factory/rootfs_size)
add_usrdata()
{{
	ubimkvol /dev/ubi0 -N others -S $(($(free_lebs 0) - {USRDATA_LEBS})) >/dev/null
	ubimkvol /dev/ubi0 -N usrdata -m >/dev/null
	ubiupdatevol "/dev/ubi0_$(($(cat /sys/class/ubi/ubi0/volumes_count) - 1))" /factory/usrdata.ubifs
}}
free_lebs()
{{
	cat "/sys/class/ubi/ubi$1/avail_eraseblocks"
}}
mount_rootfs()
{{
	[ -e /dev/ubiblock0_0 ] || ubiblock --create /dev/ubi0_0
	mount -t squashfs -o ro /dev/ubiblock0_0 "$1"
}}
mount_modem()
{{
	:
}}
dump_more()
{{
	cat /dev/ubi0_0 >"$dump/extra/rootfs"
	cat /dev/ubi1_0 >"$dump/extra/modem"
}}
"""

# act_look: both volumes and /cache go to the host, and nothing else happens.
SWEEP_SCENARIO = SETTINGS + """
add_volumes()
{
	:
}
act_look()
{
	mkdir -p "$dump/extra" "$dump/usrdata"
	attach_storage
	mount -t ubifs -o ro ubi0:usrdata "$dump/usrdata"
	dump_more
	hand_over extra usrdata/cache
	release_storage
}
"""

# usrdata is full but for less than a LEB. What is told of the updater and of /cache, but for the package, is the most
# that was found while the updater ran; the updater's own peak is kept by the kernel.
FULL = kinds.SMALL + SETTINGS + f"""
request_upgrade()
{{
	store_package
	for piece in 262144 4096; do
		while [ "$(free_bytes)" -ge $(({LEB} - 4096 + piece)) ]; do
			head -c "$piece" /dev/urandom >>"$root/usrdata/filler"
			sync
		done
	done
	say "free: $(free_lebs 0) and $(free_lebs 1) LEBs, $(free_bytes) bytes of usrdata"
	arm
}}
free_bytes()
{{
	echo $(($(stat -f -c '%a * %S' "$root/usrdata")))
}}
during_recovery()
{{
	resident=0 cached=0
	wait_for_process updater
	updater=$(pidof updater)
	while peak=$(awk '/^VmHWM/ {{ print $2 }}' "/proc/$updater/status" 2>/dev/null) && [ -n "$peak" ]; do
		resident=$peak
		found=$(find "$root/usrdata/cache" -type f ! -name ipth_package.bin -exec stat -c %s {{}} + 2>/dev/null |
			awk '{{ bytes += $1 }} END {{ print bytes + 0 }}')
		[ "$found" -le "$cached" ] || cached=$found
	done
	say "updater: $resident KiB resident, $cached bytes in /cache"
}}
"""

# Something reads both volumes' block devices all the time that recovery runs.
BUSY = kinds.SMALL + SETTINGS + """
before_boot()
{
	[ "$1" -gt 1 ] && [ "$(read_command)" = boot-recovery ] || return 0
	attach_storage
	for volume in 0_0 1_0; do
		ubiblock --create "/dev/ubi$volume"
		sleep 600 <"/dev/ubiblock$volume" &
	done
}
"""


def numbers(findings, beginning):
    """All numbers in the line that begins so."""
    told = [text for text in findings.result.said("console") if text.startswith(f"module: {beginning}")]
    return [int(number) for number in re.findall(r"\d+", told[-1])] if told else []


def pieces(data):
    return [data[at:at + LEB] for at in range(0, len(data), LEB)]


class Look:
    """What lies on a module after a cut, by the dump of act_look."""

    def __init__(self, dump):
        self.new = {}
        self.problems = []
        for volume in IMAGES:
            found = compare.read_member(dump, f"extra/{volume}")
            self.compare(volume, *map(pieces, (found, image("v1", volume), image("v2", volume))))
        with tarfile.open(dump) as tar:
            self.cached = sum(member.size for member in tar if member.name != cases.PACKAGE
                              and member.isfile() and member.name.startswith("usrdata/cache/"))
        if self.cached >= LEB:
            self.problems.append(f"/cache has {self.cached} bytes beside the package")

    def compare(self, volume, found, old, new):
        """Each LEB, as far as the new image goes; behind the old one anything may lie."""
        changed = [number for number, data in enumerate(new) if old[number:number + 1] != [data]]
        is_new = [number for number in changed if found[number].startswith(new[number])]
        self.new[volume] = f"{len(is_new)} of {len(changed)}"
        third = [number for number, data in enumerate(new) if number not in is_new
                 and number < len(old) and not found[number].startswith(old[number])]
        self.problems += [f"LEB {number} of {volume} is neither old nor new" for number in third]

    def __str__(self):
        new = ", ".join(f"{count} LEBs of {volume}" for volume, count in self.new.items())
        return f"new: {new}; {self.cached} bytes in /cache"


def has_volumes(findings, version):
    """Byte for byte, and what no package names is as it was."""
    for volume in IMAGES:
        found = compare.read_member(findings.result.dump, f"extra/{volume}") or b""
        wanted = image(version, volume)
        findings.expect(found[:len(wanted)] == wanted, f"the volume {volume} is not that of {version}")
    with zipfile.ZipFile(small.V1) as given:
        for part, path in compare.IMAGES.items():
            found = compare.read_member(findings.result.dump, part)
            findings.problems += compare.compare_partition(part, found, given.read(path))


def is_new(findings):
    """The module has version 2, and nothing is left of the way to it."""
    has_volumes(findings, "v2")
    with tarfile.open(findings.result.dump) as dump:
        left = [name for name in dump.getnames() if re.match(r"usrdata/cache/recovery/(unit|share)", name)]
    findings.expect(not left, f"{left} are left")


def in_place(findings):
    """squashfs on a ubiblock device, and a volume, without a free LEB and with less than one in /cache."""
    findings.page_size = small.PAGE_SIZE
    findings.boots("nrn")
    findings.end(0)
    is_new(findings)
    findings.runs(small.V2)
    runs = [text for text in findings.result.said("console") if "module: running: RG520N" in text]
    findings.expect(runs and runs[-1].endswith("from /dev/ubiblock0_0 squashfs"), f"it runs {runs[-1:]}")
    for volume in IMAGES:
        findings.file(cases.LAST_LOG, f"UBI:{volume}: in place, ")
    free = numbers(findings, "free: ")
    findings.expect(free[:2] == [0, 0] and free[2] < LEB, f"free LEBs of both devices, and bytes: {free}")
    resident, cached = numbers(findings, "updater: ") or (0, 0)
    findings.expect(0 < resident <= MAX_RESIDENT, f"updater: {resident} KiB resident, at most {MAX_RESIDENT} allowed")
    findings.expect(0 < cached < LEB, f"/cache: {cached} bytes beside the package")
    findings.file(cases.STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
    findings.over()


def in_place_busy(findings):
    """The same while both volumes are read through ubiblock devices: that is said, and they stay as they were."""
    findings.page_size = small.PAGE_SIZE
    findings.boots("nr{1,5}n")
    findings.end(502)
    findings.file(cases.LAST_LOG, ": the volume is in use: mounted, held by an opened ubiblock device")
    log = compare.read_member(findings.result.dump, cases.LAST_LOG) or b""
    findings.expect(not re.search(rb"(UBI:\w+: )\1", log), "an error names its volume twice")
    has_volumes(findings, "v1")
    findings.runs(small.V1)
    findings.over()


CASES = [
    Case(in_place, FULL, package=made_package, factory=FACTORY),
    Case(in_place_busy, BUSY, package=made_package, factory=FACTORY),
]
