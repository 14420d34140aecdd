# SPDX-License-Identifier: Apache-2.0
"""A root file system as one file: an archive, squashfs, UBIFS. The same tree gives the same bytes, whatever the time
is; two versions differ in what their files say, not in when the files were made."""
import os
import shutil
import stat
import struct
import subprocess
import tarfile
import zlib

TIME = 1704067200
LEB = 253952  # bytes, of 256 KiB erase blocks with pages of 4096 bytes
PAGE = 4096

UBIFS_MAGIC = 0x06101831
UBIFS_INODE, UBIFS_SUPERBLOCK = 0, 6
# Within a node, by its kind: seconds of access, of change, of modification; the identifier of the file system.
UBIFS_TIMES, UBIFS_UUID = 56, 108


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if result.returncode:
        raise OSError(f"{' '.join(command)}: exit status {result.returncode}: {result.stderr.strip()[-500:]}")


def settled(entry):
    entry.mtime = TIME
    entry.uname = entry.gname = ""
    return entry


def make_tar(tree, path):
    """Files in the order of their names, folder by folder."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for folder, folders, files in os.walk(tree):
            folders.sort()
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in ["", *sorted(files + links)]:
                source = os.path.join(folder, name) if name else folder
                archive.add(source, os.path.relpath(source, tree), recursive=False, filter=settled)


def make_squashfs(compressor, tree, path):
    run("mksquashfs", tree, path, "-quiet", "-no-progress", "-noappend", "-comp", compressor, "-b", "128K",
        "-mkfs-time", str(TIME), "-all-time", str(TIME))


def nodes_of(image):
    """Place, length and kind of every node of a UBIFS image."""
    for leb in range(0, len(image), LEB):
        at = leb
        while at + 24 <= min(leb + LEB, len(image)):
            magic, _, _, length, kind = struct.unpack_from("<IIQIB", image, at)
            if magic != UBIFS_MAGIC:
                at += 8
                continue
            yield at, length, kind
            at += length + -length % 8


def settle_ubifs(path):
    """mkfs.ubifs has no options for times and for the identifier."""
    with open(path, "rb") as file:
        image = bytearray(file.read())
    for at, length, kind in nodes_of(image):
        if kind == UBIFS_INODE:
            struct.pack_into("<QQQIII", image, at + UBIFS_TIMES, TIME, TIME, TIME, 0, 0, 0)
        elif kind == UBIFS_SUPERBLOCK:
            image[at + UBIFS_UUID:at + UBIFS_UUID + 16] = b"\x5a" * 16
        else:
            continue
        struct.pack_into("<I", image, at + 4, zlib.crc32(image[at + 8:at + length]) ^ 0xFFFFFFFF)
    with open(path, "wb") as file:
        file.write(image)


def make_ubifs(compressor, tree, path):
    run("mkfs.ubifs", "-r", tree, "-m", str(PAGE), "-e", str(LEB), "-c", "1000", "-x", compressor, "-o", path)
    settle_ubifs(path)


def list_tree(tree):
    """Regular files by path, without the empty ones, which no peer can read."""
    found = {}
    for folder, _, files in os.walk(tree):
        for name in files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and status.st_size:
                found[os.path.relpath(path, tree)] = path
    return found


def copy(source, path):
    shutil.copyfile(source, path)
