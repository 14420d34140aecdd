# SPDX-License-Identifier: Apache-2.0
"""A small module for many quick upgrades: a chip of 64 MiB, and two versions of a firmware that are parts of the two
versions which scripts/input makes: a few dozen files, a modem file system, a boot image and a bootloader image."""
import hashlib
import importlib.machinery
import importlib.util
import os
import shutil

import cases
import module

SMALL = os.path.join(module.MODULE, "small")
PACKAGE = os.path.join(SMALL, "update.zip")
FACTORY = os.path.join(SMALL, "factory-v1.cpio")
SWEEP_SCENARIO = ""
V1 = os.path.join(SMALL, "v1", "targetfiles.zip")
V2 = os.path.join(SMALL, "v2", "targetfiles.zip")

# 2 KiB pages, 128 KiB erase blocks. Partitions in erase blocks, in the order of their mtd numbers.
PAGE_SIZE = 2048
BLOCK_PAGES = 64
CHIP_BLOCKS = 512
CHIP_BYTES = CHIP_BLOCKS * BLOCK_PAGES * (PAGE_SIZE + 64)
PARTITIONS = {"misc": 8, "boot": 12, "recovery": 2, "modem": 48, "abl": 4, "system": 240}
NAND = f"id_bytes=0x20,0xa2,0x00,0x15 parts={','.join(str(blocks) for blocks in PARTITIONS.values())}"
MKFS = ("mkfs.ubifs", "-m", str(PAGE_SIZE), "-e", str((BLOCK_PAGES - 2) * PAGE_SIZE), "-x", "lzo")
BOARD = module.Board(MKFS, rootfs_blocks=66, modem_blocks=PARTITIONS["modem"])
SETTINGS = f"""
nand="{NAND}"
block_size={BLOCK_PAGES * PAGE_SIZE} page_size={PAGE_SIZE} rootfs_size=8MiB
"""
RES_BOARD = f"system_mtd=5\nmodem_mtd=3\nvid_offset={PAGE_SIZE}\n"

LIBRARIES = "SYSTEM/usr/lib/arm-linux-gnueabihf"
KEPT = ["SYSTEM/bin", "SYSTEM/etc", "SYSTEM/var/spool/always_empty", "SYSTEM/usr/lib/ssl/misc",
        f"{LIBRARIES}/engines-3", f"{LIBRARIES}/libtevent-util.so.0", f"{LIBRARIES}/libtevent-util.so.0.0.1",
        "SYSTEM/usr/share/zoneinfo/leapseconds", "SYSTEM/usr/share/zoneinfo/right/Europe/Berlin",
        "SYSTEM/usr/share/zoneinfo/right/Europe/Madrid", "SYSTEM/usr/share/zoneinfo/America/Vancouver",
        "SYSTEM/firmware/image/modem.mdt", "SYSTEM/firmware/image/modem.b01", "RECOVERY"]
DROPPED = ["SYSTEM/etc/ssh/moduli"]
EMPTY = ["SYSTEM/dev", "SYSTEM/proc", "SYSTEM/sys", "SYSTEM/tmp", "SYSTEM/usrdata", "SYSTEM/run", "OTA", "RADIO"]
# Real files of some hundred KiB that differ between the versions stand in for the raw partitions' images.
STAND_INS = {"BOOTABLE_IMAGES/boot.img": "SYSTEM/firmware/image/mba.mbn",
             "MULTIFOTA/abl.elf": "SYSTEM/usr/lib/openssh/ssh-keysign"}


def input_maker():
    loader = importlib.machinery.SourceFileLoader("input_maker", os.path.join(module.ROOT, "scripts", "input"))
    maker = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(maker)
    return maker


def copy(source, tree, path):
    """Like cp --parents, with owners, modes and links."""
    module.command("cp", "-a", "--parents", path, os.path.realpath(tree), cwd=source)


def make_version(version):
    source = os.path.join(module.INPUT, version, "targetfiles")
    tree = os.path.join(SMALL, version, "targetfiles")
    os.makedirs(tree)
    for path in KEPT:
        copy(source, tree, path)
    if os.path.lexists(f"{source}/SYSTEM/cache"):
        copy(source, tree, "SYSTEM/cache")
    for path in DROPPED:
        os.unlink(f"{tree}/{path}")
    for path in EMPTY:
        os.makedirs(f"{tree}/{path}", exist_ok=True)
    for path, stand_in in STAND_INS.items():
        os.makedirs(os.path.dirname(f"{tree}/{path}"))
        shutil.copyfile(f"{source}/{stand_in}", f"{tree}/{path}")
    maker = input_maker()
    maker.settle(tree, version)
    maker.write_zip(tree, f"{tree}.zip", maker.VERSIONS[version].time)
    module.make_factory_archive(tree, f"{SMALL}/factory-{version}.cpio", BOARD)


def is_new(findings):
    """The module has version 2."""
    findings.is_version(V2)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def make_archive_of(files, archive):
    """files: {path: bytes}."""
    folder = f"{archive}.tree"
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "wb") as file:
            file.write(data)
    module.make_archive(folder, archive)
    shutil.rmtree(folder)


def recipe():
    inputs = (os.path.join(module.INPUT, version, "made-by") for version in ("v1", "v2"))
    made_of = (__file__, *inputs, cases.UPDATE_GEN)
    return hashlib.sha256(b"".join(read(path) for path in made_of)).hexdigest().encode()


def make():
    """Versions, factory archives and the package, once."""
    stamp = f"{SMALL}/made-by"
    with module.locked(SMALL):
        if os.path.exists(stamp) and read(stamp) == recipe():
            return
        shutil.rmtree(SMALL, ignore_errors=True)
        for version in ("v1", "v2"):
            make_version(version)
        module.command(cases.UPDATE_GEN, "a", "--source", V1, "--target", V2, "-o", f"{PACKAGE}.raw")
        cases.rewrite(f"{PACKAGE}.raw", PACKAGE, "updater-script", b"MTD:abl:", b"UBI:abl:")
        with open(stamp, "wb") as file:
            file.write(recipe())


def make_initrd(path, scenario, kernel_module, package, factory):
    """A small module's start system, with a nandsim.ko instead of the kernel's own."""
    with open(f"{module.MODULE}/debian/fetched", encoding="utf-8") as file:
        release = file.read().strip()
    files = {"scenario/scenario": (SETTINGS + scenario).encode(), "recovery-image/res/board": RES_BOARD.encode(),
             "scenario/package": read(package),
             f"lib/modules/{release}/kernel/drivers/mtd/nand/raw/nandsim.ko": read(kernel_module)}
    make_archive_of(files, f"{path}.cpio")
    parts = [f"{module.MODULE}/base.cpio", f"{module.MODULE}/recovery.cpio", factory]
    module.join([*parts, f"{path}.cpio"], path)
    os.unlink(f"{path}.cpio")


def make_empty_chip(path):
    with open(path, "wb") as file:
        for _ in range(CHIP_BLOCKS):
            file.write(b"\xff" * (CHIP_BYTES // CHIP_BLOCKS))


def partition_of(page):
    """The name of the partition that has this page of the chip."""
    block = page // BLOCK_PAGES
    for name, blocks in PARTITIONS.items():
        if block < blocks:
            return name
        block -= blocks
    return "spare"
