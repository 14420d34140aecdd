# SPDX-License-Identifier: Apache-2.0
"""A small module without room for anything twice: its root file system is a squashfs image, read through a ubiblock
device, its modem's data are a volume without a file system, and both change where they lie, one LEB after the other."""
import hashlib
import os
import re
import shutil
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
DELTA = os.path.join(module.ROOT, "build", "host-release", "bin", "delta")
SCRIPT = "META-INF/com/google/android/updater-script"
VERSIONS = ("v1", "v2")
VOLUMES = ("rootfs", "modem")

LEB = (small.BLOCK_PAGES - 2) * small.PAGE_SIZE
USRDATA_LEBS = 40
MAX_RESIDENT = 4096  # KiB
# Beside the small module's files: a program that tells its version, and what it needs.
LIBRARIES = "lib/arm-linux-gnueabihf"
PROGRAM = ["usr/bin/openssl", f"usr/{LIBRARIES}/libcrypto.so.3", f"usr/{LIBRARIES}/libssl.so.3",
           f"{LIBRARIES}/libc.so.6", f"{LIBRARIES}/ld-linux-armhf.so.3", "lib/ld-linux-armhf.so.3"]
MODEM = ["mba.mbn", "modem.b02", "modem.b05"]


def image(version, volume):
    return small.read(image_path(version, volume))


def image_path(version, volume):
    return os.path.join(IN_PLACE, f"{version}-{volume}")


def make_version(version):
    source = os.path.join(module.INPUT, version, "targetfiles", "SYSTEM")
    tree = os.path.join(IN_PLACE, version)
    module.command("cp", "-a", os.path.join(small.SMALL, version, "targetfiles", "SYSTEM"), tree)
    shutil.rmtree(f"{tree}/firmware")
    os.mkdir(f"{tree}/firmware")
    for path in PROGRAM:
        small.copy(source, tree, path)
    module.command("mksquashfs", tree, image_path(version, "rootfs"), "-mkfs-time", "0", "-noappend", "-no-progress",
                   "-quiet")
    shutil.rmtree(tree)
    with open(image_path(version, "modem"), "wb") as file:
        for name in MODEM:
            file.write(small.read(f"{source}/firmware/image/{name}"))


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
    files |= {f"{volume}.image": image("v1", volume) for volume in VOLUMES}
    files["usrdata.ubifs"] = make_usrdata()
    small.make_archive_of({f"factory/{name}": data for name, data in files.items()}, FACTORY)


def rootfs_lebs():
    return -(-max(len(image(version, "rootfs")) for version in VERSIONS) // LEB)


def patch_of(volume):
    path = os.path.join(IN_PLACE, f"{volume}.p")
    module.command(DELTA, "make", *(image_path(version, volume) for version in VERSIONS), path, "--leb", str(LEB))
    return small.read(path)


def make_package():
    checks, changes = [], []
    with zipfile.ZipFile(f"{PACKAGE}.new", "w") as package:
        for number, volume in enumerate(VOLUMES, 1):
            entry = f"patch/{volume}.p"
            package.writestr(entry, patch_of(volume))
            old, new = (image(version, volume) for version in VERSIONS)
            source, target = (hashlib.sha1(data).hexdigest() for data in (old, new))
            name = f'"UBI:{volume}:{len(old)}:{source}:{len(new)}:{target}"'
            patch = f'package_extract_file("{entry}")'
            checks.append(f"assert(apply_patch_check({name}, {patch}));\n")
            changes.append(f'apply_patch({name}, "-", {target}, {len(new)}, {source}, {patch}) || abort("{volume}");\n'
                           f"set_progress({number / len(VOLUMES)});\n")
        package.writestr(SCRIPT, "".join(["show_progress(1, 0);\n", *checks, *changes]))
    os.replace(f"{PACKAGE}.new", PACKAGE)


def make():
    """Versions, factory archive and package, once."""
    small.make()
    stamp = os.path.join(IN_PLACE, "made-by")
    made_of = (__file__, os.path.join(small.SMALL, "made-by"), DELTA)
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


# The root file system's volume is as long as its image; nothing is left of either UBI device.
SETTINGS = f"""
modules="$modules squashfs"
sed -i 's|^/system .*|/system squashfs /dev/ubiblock0_0|; /firmware/d' /recovery-image/res/recovery.fstab
echo ubiblock=/dev/ubi0_0 >>/recovery-image/res/board
rootfs_size=$((($(stat -c %s /factory/rootfs.image) + {LEB - 1}) / {LEB} * {LEB}))
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

# usrdata is full: a file of a LEB has no room any more. What is told of the updater and of /cache, but for the package,
# is the most that was found while the updater ran; the updater's own peak is kept by the kernel.
FULL = kinds.SMALL + SETTINGS + f"""
request_upgrade()
{{
	store_package
	for piece in 262144 16384 4096; do
		while fits $(({LEB} - 4096 + piece)); do
			head -c "$piece" /dev/urandom >>"$root/usrdata/filler"
		done
	done
	say "free: $(free_lebs 0) and $(free_lebs 1) LEBs, $(($(stat -f -c '%a * %S' "$root/usrdata"))) bytes of usrdata"
	arm
}}
fits()
{{
	fitting=yes
	head -c "$1" /dev/urandom 2>/dev/null >"$root/usrdata/probe" || fitting=no
	sync
	rm "$root/usrdata/probe"
	sync
	[ "$fitting" = yes ]
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

# Something reads the root file system's device all the time that recovery runs.
BUSY = kinds.SMALL + SETTINGS + """
before_boot()
{
	[ "$1" -gt 1 ] && [ "$(read_command)" = boot-recovery ] || return 0
	attach_storage
	ubiblock --create /dev/ubi0_0
	sleep 600 </dev/ubiblock0_0 &
}
"""


def numbers(findings, beginning):
    """All numbers in the line that begins so."""
    told = [text for text in findings.result.said("console") if text.startswith(f"module: {beginning}")]
    return [int(number) for number in re.findall(r"\d+", told[-1])] if told else []


def has_volumes(findings, version):
    """Byte for byte, and what no package names is as it was."""
    for volume in VOLUMES:
        found = compare.read_member(findings.result.dump, f"extra/{volume}") or b""
        wanted = image(version, volume)
        findings.expect(found[:len(wanted)] == wanted, f"the volume {volume} is not that of {version}")
    with zipfile.ZipFile(small.V1) as given:
        for part, path in compare.IMAGES.items():
            found = compare.read_member(findings.result.dump, part)
            findings.problems += compare.compare_partition(part, found, given.read(path))


def in_place(findings):
    """squashfs on a ubiblock device, and a volume, without a free LEB and with less than one in /cache."""
    findings.page_size = small.PAGE_SIZE
    findings.boots("nrn")
    findings.end(0)
    has_volumes(findings, "v2")
    findings.runs(small.V2)
    runs = [text for text in findings.result.said("console") if "module: running: RG520N" in text]
    findings.expect(runs and runs[-1].endswith("from /dev/ubiblock0_0 squashfs"), f"it runs {runs[-1:]}")
    for volume in VOLUMES:
        findings.file(cases.LAST_LOG, f"UBI:{volume}: in place, ")
    free = numbers(findings, "free: ")
    findings.expect(free[:2] == [0, 0] and free[2] < LEB, f"free LEBs of both devices, and bytes: {free}")
    resident, cached = numbers(findings, "updater: ") or (0, 0)
    findings.expect(0 < resident <= MAX_RESIDENT, f"updater: {resident} KiB resident, at most {MAX_RESIDENT} allowed")
    findings.expect(0 < cached < LEB, f"/cache: {cached} bytes beside the package")
    findings.file(cases.STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
    findings.over()


def in_place_busy(findings):
    """The same while the ubiblock device is open: that is said, and both volumes stay as they were."""
    findings.page_size = small.PAGE_SIZE
    findings.boots("nr{1,5}n")
    findings.end(502)
    findings.file(cases.LAST_LOG, "UBI:rootfs: the volume is in use: mounted, held by an opened ubiblock device")
    has_volumes(findings, "v1")
    findings.runs(small.V1)
    findings.over()


CASES = [
    Case(in_place, FULL, package=made_package, factory=FACTORY),
    Case(in_place_busy, BUSY, package=made_package, factory=FACTORY),
]
