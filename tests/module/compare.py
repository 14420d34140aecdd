#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prove that what lies on the module's NAND is what a targetfiles.zip describes: every file's content, mode and owner,
every link's target, every directory, nothing more and nothing less; and the raw partitions' first bytes."""
import argparse
import hashlib
import stat
import struct
import sys
import tarfile
import zipfile

UNIX_OWNER = 0x7875  # Info-ZIP's extra field "ux"

# Raw partitions and their images; with them the two file systems make a whole version.
IMAGES = {"boot": "BOOTABLE_IMAGES/boot.img", "abl": "MULTIFOTA/abl.elf"}
PARTS = ("system", "firmware", *IMAGES)

# A mount point while the module runs; what is mounted there is compared on its own.
MOUNT_POINTS = {"firmware"}


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def owner_of(entry):
    extra = entry.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == UNIX_OWNER:
            uid_size = extra[5]
            uid = int.from_bytes(extra[6:6 + uid_size], "little")
            gid_at = 6 + uid_size
            return uid, int.from_bytes(extra[gid_at + 1:gid_at + 1 + extra[gid_at]], "little")
        extra = extra[4 + size:]
    raise ValueError(f"{entry.filename}: the zip entry does not tell the owner")


def describe(kind, mode, owner, content):
    """What must be equal, in words. A link's mode means nothing."""
    shown = "" if kind == "link" else f" mode {mode:04o}"
    return f"{kind}{shown} owner {owner[0]}:{owner[1]} {content}".rstrip()


def zip_tree(archive, prefix):
    tree = {}
    for entry in archive.infolist():
        name = entry.filename.rstrip("/")
        if not name.startswith(prefix) or name == prefix:
            continue
        mode = entry.external_attr >> 16
        data = archive.read(entry)
        if stat.S_ISLNK(mode):
            text = describe("link", 0, owner_of(entry), "to " + data.decode())
        elif stat.S_ISDIR(mode):
            text = describe("directory", stat.S_IMODE(mode), owner_of(entry), "")
        else:
            text = describe("file", stat.S_IMODE(mode), owner_of(entry), f"{len(data)} bytes {digest(data)}")
        tree[name[len(prefix):]] = text
    return tree


def tar_tree(archive, prefix):
    tree = {}
    for member in archive:
        if not member.name.startswith(prefix) or member.name == prefix:
            continue
        owner = member.uid, member.gid
        if member.issym():
            text = describe("link", 0, owner, "to " + member.linkname)
        elif member.isdir():
            text = describe("directory", member.mode, owner, "")
        elif member.isfile():
            data = archive.extractfile(member).read()
            text = describe("file", member.mode, owner, f"{len(data)} bytes {digest(data)}")
        else:
            text = describe(f"tar type {member.type!r}", member.mode, owner, member.linkname)
        tree[member.name[len(prefix):]] = text
    return tree


def without(tree, names):
    """A mount point's own attributes and what is below it do not count."""
    return {path: text for path, text in tree.items() if path.split("/")[0] not in names}


def compare_trees(where, found, expected):
    differences = []
    for path in sorted(found.keys() | expected.keys()):
        if found.get(path) != expected.get(path):
            is_there, should_be = found.get(path, "absent"), expected.get(path, "absent")
            differences.append(f"{where}/{path}: is {is_there}, should be {should_be}")
    return differences


def compare_partition(name, found, expected):
    if found[:len(expected)] == expected:
        return []
    return [f"partition {name}: the first {len(expected)} bytes differ from the image"]


def compare(dump, versions):
    """The differences, in words, and how many objects were compared. versions: for each of PARTS the targetfiles.zip
    that says what should be there."""
    differences = []
    objects = 0
    archives = {path: zipfile.ZipFile(path) for path in set(versions.values())}
    with tarfile.open(dump) as tar:
        for part, path in versions.items():
            archive = archives[path]
            if part in IMAGES:
                differences += compare_partition(part, tar.extractfile(part).read(), archive.read(IMAGES[part]))
                objects += 1
                continue
            expected = zip_tree(archive, "SYSTEM/" if part == "system" else "SYSTEM/firmware/")
            found = tar_tree(tar, f"{part}/")
            if part == "system":
                expected, found = without(expected, MOUNT_POINTS), without(found, MOUNT_POINTS)
            differences += compare_trees(part, found, expected)
            objects += len(expected)
    return differences, objects


def read_member(dump, path):
    """A file as it was at the end (usrdata/..., boot, misc), or None."""
    with tarfile.open(dump) as tar:
        try:
            return tar.extractfile(path).read()
        except KeyError:
            return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump", help="dump.tar of a run")
    parser.add_argument("targetfiles", help="targetfiles.zip of the version that should be there")
    options = parser.parse_args()
    try:
        differences, objects = compare(options.dump, dict.fromkeys(PARTS, options.targetfiles))
    except (OSError, ValueError, KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        sys.exit(f"compare: {error}")
    for difference in differences:
        print(difference)
    print(f"{objects} objects compared, {len(differences)} differ")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
