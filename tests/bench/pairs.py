#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pairs of real content to make patches of, below build/bench/pairs: NAME/old, NAME/new, and NAME/what.json, which says
what they are. Made of Debian's packages, as the machine's own apt sources have them, and of the versions of firmware
that scripts/input makes. A pair is made once; remove its folder to have it made of what the archive has now."""
import argparse
import dataclasses
import filecmp
import functools
import glob
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import typing
import zlib

import images

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PAIRS = os.path.join(ROOT, "build", "bench", "pairs")
INPUT = os.path.join(ROOT, "build", "input")


class PairError(Exception):
    """Why a pair cannot be made here."""


@dataclasses.dataclass(frozen=True)
class Origin:
    """A version of a package: 0 is the newest that the archive has in a release, -1 the oldest."""
    release: str
    place: int
    arch: str = "armhf"


@dataclasses.dataclass(frozen=True)
class Pair:
    name: str
    group: str
    make: typing.Callable  # (workshop, side, path): the side "old" or "new" to the path; returns what it is
    sides: tuple
    quick: bool = False  # one of those that `check bench` measures


def fetch(*arguments):
    result = subprocess.run([os.path.join(ROOT, "scripts", "armhf-fetch"), *arguments], capture_output=True, text=True,
                            timeout=900, check=False)
    if result.returncode:
        raise PairError(result.stderr.strip().splitlines()[-1] if result.stderr.strip() else f"{arguments}: nothing")
    return result.stdout


class Workshop:
    """Packages, unpacked while pairs are made."""

    def __init__(self, folder):
        self.folder = folder
        self.unpack = functools.lru_cache(None)(self.unpack_now)

    @staticmethod
    def options(origin):
        return (["--arch", origin.arch] if origin.arch != "armhf" else []) + ["--release", origin.release]

    def version(self, origin, package):
        listed = [line.split()[1] for line in fetch(*self.options(origin), "--list", package).splitlines()]
        if not listed:
            raise PairError(f"{origin.release} has no {package}")
        return f"{package}={listed[origin.place]}"

    def kernel(self, origin):
        listed = fetch(*self.options(origin), "--search", "^linux-image-[0-9.]+-[0-9]+-armmp$").split()
        listed.sort(key=lambda name: int(name.split("-")[3]), reverse=True)
        if len(listed) < 2:
            raise PairError(f"{origin.release} has not two armmp kernels")
        return listed[origin.place]

    def unpack_now(self, options, package):
        folder = tempfile.mkdtemp(dir=self.folder)
        fetch(*options, "--no-deps", folder, package)
        return folder

    def package(self, origin, package):
        version = self.version(origin, package)
        return version, self.unpack(tuple(self.options(origin)), version)


def find(root, pattern):
    found = [path for path in glob.glob(os.path.join(root, pattern), recursive=True)
             if os.path.isfile(path) and not os.path.islink(path)]
    if len(found) != 1:
        raise PairError(f"{pattern}: {len(found)} such files")
    return found[0]


def package_file(package, pattern, workshop, origin, path):
    version, root = workshop.package(origin, package)
    images.copy(find(root, pattern), path)
    return version


def unpacked_kernel(data):
    """The image in a zImage. Its code has the magic numbers, too."""
    for magic, unpacker in ((b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
                            (b"\x1f\x8b\x08\0", lambda: zlib.decompressobj(31))):
        at = data.find(magic)
        while at >= 0:
            try:
                return unpacker().decompress(data[at:])
            except (lzma.LZMAError, zlib.error):
                at = data.find(magic, at + 1)
    raise PairError("a zImage has neither xz nor gzip in it")


def kernel_file(part, workshop, origin, path):
    """An Image, a zImage, a boot.img, or a module by its name."""
    package = workshop.kernel(origin)
    version, root = workshop.package(origin, package)
    zimage = find(root, "boot/vmlinuz-*")
    if part == "Image":
        with open(zimage, "rb") as source, open(path, "wb") as file:
            file.write(unpacked_kernel(source.read()))
    elif part == "zImage":
        images.copy(zimage, path)
    elif part == "boot.img":
        images.run("mkbootimg", "--kernel", zimage, "--pagesize", "4096", "--base", "0x80000000", "--cmdline",
                   "console=ttyMSM0,115200 rootfstype=ubifs", "-o", path)
    else:
        images.copy(find(root, f"lib/modules/**/{part}"), path)
    return version


def tree_of(version):
    tree = os.path.join(INPUT, version, "targetfiles", "SYSTEM")
    if not os.path.isdir(tree):
        subprocess.run([os.path.join(ROOT, "scripts", "input"), version], check=True, timeout=1800)
    return tree


def whole_tree(form, _workshop, version, path):
    form(tree_of(version), path)
    return f"build/input/{version}"


def link_tree(tree, path):
    os.symlink(tree, path)


def pair_of(name, group, package, pattern, sides, quick=False):
    return Pair(name, group, functools.partial(package_file, package, pattern), sides, quick)


POINT = (Origin("bookworm", -1), Origin("bookworm", 0))
OLD_POINT = (Origin("bullseye", -1), Origin("bullseye", 0))
RELEASE = (Origin("bullseye", 0), Origin("bookworm", 0))
NEXT_RELEASE = (Origin("bookworm", 0), Origin("trixie", 0))
ARM64_POINT = (Origin("bookworm", -1, "arm64"), Origin("bookworm", 0, "arm64"))
ARM64_OLD_POINT = (Origin("bullseye", -1, "arm64"), Origin("bullseye", 0, "arm64"))
ARM64_RELEASE = (Origin("bullseye", 0, "arm64"), Origin("bookworm", 0, "arm64"))
FIRMWARE = {"point": ("v1", "v1.1"), "year": ("v1", "v2")}
CONTAINERS = {
    "tar": images.make_tar,
    "squashfs-gzip": functools.partial(images.make_squashfs, "gzip"),
    "squashfs-xz": functools.partial(images.make_squashfs, "xz"),
    "squashfs-zstd": functools.partial(images.make_squashfs, "zstd"),
    "squashfs-lzo": functools.partial(images.make_squashfs, "lzo"),
    "ubifs-none": functools.partial(images.make_ubifs, "none"),
    "ubifs-lzo": functools.partial(images.make_ubifs, "lzo"),
}


def elf_pairs():
    yield pair_of("libcrypto", "elf", "libssl3", "**/libcrypto.so.3", POINT, True)
    yield pair_of("libssl", "elf", "libssl3", "**/libssl.so.3", POINT)
    yield pair_of("openssl", "elf", "openssl", "usr/bin/openssl", POINT)
    yield pair_of("sshd", "elf", "openssh-server", "usr/sbin/sshd", POINT, True)
    yield pair_of("ssh", "elf", "openssh-client", "usr/bin/ssh", POINT)
    for name in ("libndr-standard", "libndr-samba4", "libsmbd-base-samba4", "libsamba-errors",
                 "libdcerpc-samba-samba4"):
        yield pair_of(name, "elf", "samba-libs", f"**/{name}.so*", POINT)
    yield pair_of("libsmbclient", "elf", "libsmbclient", "**/libsmbclient.so.*", POINT)
    yield pair_of("libc-11", "elf", "libc6", "**/libc-2.*.so", OLD_POINT, True)
    yield pair_of("libm-11", "elf", "libc6", "**/libm-2.*.so", OLD_POINT)
    yield pair_of("libc-11-12", "elf-release", "libc6", "lib/**/libc[-.]*so*", RELEASE)
    yield pair_of("libgnutls-11-12", "elf-release", "libgnutls30", "**/libgnutls.so.*", RELEASE)
    yield pair_of("libstdc++-11-12", "elf-release", "libstdc++6", "usr/lib/*/libstdc++.so.*", RELEASE)
    yield pair_of("busybox-11-12", "elf-release", "busybox", "bin/busybox", RELEASE)
    yield pair_of("busybox-static-11-12", "elf-release", "busybox-static", "bin/busybox", RELEASE)
    yield pair_of("busybox-12-13", "elf-release", "busybox", "**/bin/busybox", NEXT_RELEASE)
    yield pair_of("libcrypto-arm64", "arm64", "libssl3", "**/libcrypto.so.3", ARM64_POINT)
    yield pair_of("sshd-arm64", "arm64", "openssh-server", "usr/sbin/sshd", ARM64_POINT)
    yield pair_of("libc-11-arm64", "arm64", "libc6", "**/libc-2.*.so", ARM64_OLD_POINT)
    yield pair_of("busybox-11-12-arm64", "arm64", "busybox", "bin/busybox", ARM64_RELEASE)


def kernel_pairs():
    for release, sides in (("6.1", POINT), ("5.10", OLD_POINT)):
        newest = release == "6.1"
        for part, group in (("Image", "kernel"), ("zImage", "kernel-packed"), ("boot.img", "kernel-packed")):
            if newest or part != "boot.img":
                yield Pair(f"{part}-{release}", group, functools.partial(kernel_file, part), sides,
                           newest and part != "boot.img")
    for name in ("ubifs.ko", "btrfs.ko", "xfs.ko", "mac80211.ko", "cfg80211.ko", "wireguard.ko", "nandsim.ko"):
        yield Pair(name, "module", functools.partial(kernel_file, name), POINT, name == "ubifs.ko")


def firmware_pairs():
    """The tree itself, of which each changed file is a patch, and each container of it."""
    for span, sides in FIRMWARE.items():
        yield Pair(f"tree-{span}", "tree", functools.partial(whole_tree, link_tree), sides, span == "point")
        for container, make in CONTAINERS.items():
            group = "archive" if container == "tar" else container.split("-", maxsplit=1)[0]
            yield Pair(f"{container}-{span}", group, functools.partial(whole_tree, make), sides,
                       span == "point" and container in ("squashfs-gzip", "ubifs-lzo"))


def all_pairs():
    return [*elf_pairs(), *kernel_pairs(), *firmware_pairs()]


def make_pair(pair, workshop):
    """The folder of a pair."""
    folder = os.path.join(PAIRS, pair.name)
    if os.path.exists(os.path.join(folder, "what.json")):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    what = {}
    for side, origin in zip(("old", "new"), pair.sides):
        what[side] = pair.make(workshop, origin, os.path.join(folder, side))
    if what["old"] == what["new"]:
        raise PairError(f"the archive has only {what['old']}")
    with open(os.path.join(folder, "what.json"), "w", encoding="utf-8") as file:
        json.dump(what, file)
    return folder


def changed_files(folder):
    """Of a tree: pairs of files, at one path or, where only numbers in the path differ, at that path; and new files."""
    old, new = (images.list_tree(os.path.realpath(os.path.join(folder, side))) for side in ("old", "new"))
    similar = {plain(path): path for path in old if path not in new}
    pairs, alone = [], []
    for path in sorted(new):
        source = path if path in old else similar.get(plain(path))
        if not source:
            alone.append(new[path])
        elif not filecmp.cmp(old[source], new[path], shallow=False):
            pairs.append((path, old[source], new[path]))
    return pairs, alone


def plain(path):
    return "".join("#" if letter.isdigit() else letter for letter in path)


def make(pairs, complain):
    """Folder by pair, of those that can be made here; says why of the others."""
    made = {}
    os.makedirs(PAIRS, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(PAIRS)) as folder:
        workshop = Workshop(folder)
        for pair in pairs:
            try:
                made[pair] = make_pair(pair, workshop)
            except (PairError, OSError, subprocess.SubprocessError) as error:
                complain(pair, str(error))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pair", nargs="*", help="names of pairs, or of their groups; without any: all")
    options = parser.parse_args()
    wanted = [pair for pair in all_pairs() if not options.pair or {pair.name, pair.group} & set(options.pair)]
    made = make(wanted, lambda pair, reason: print(f"{pair.name}: left out: {reason}", file=sys.stderr))
    for pair, folder in made.items():
        with open(os.path.join(folder, "what.json"), encoding="utf-8") as file:
            what = json.load(file)
        sizes = ["tree" if os.path.isdir(os.path.join(folder, side)) else
                 str(os.path.getsize(os.path.join(folder, side))) for side in ("old", "new")]
        print(f"{pair.group:14} {pair.name:24} {sizes[0]:>9} {sizes[1]:>9}  {what['old']} -> {what['new']}")
    return 0 if len(made) == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
