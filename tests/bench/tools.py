# SPDX-License-Identifier: Apache-2.0
"""Every tool that makes and applies patches, each an entry of a table: what it needs on PATH, and how it is called."""
import dataclasses
import hashlib
import os
import shutil
import typing
import zipfile

import images


class ToolError(Exception):
    """What a tool could not do."""


@dataclasses.dataclass(frozen=True)
class Files:
    """The old and the new content, the patch, what the patch makes of the old, and room for a tool's own files."""
    old: str
    new: str
    patch: str
    result: str
    scratch: str


@dataclasses.dataclass(frozen=True)
class Tool:
    name: str
    needs: tuple
    make: typing.Callable  # (Files): commands, each a list; together they make the patch
    apply: typing.Callable  # (Files): the command that makes the result of the old content and the patch
    prepare: typing.Callable = None  # (Files): before the commands that make the patch, not measured
    finish: typing.Callable = None  # (Files): after them, not measured
    info: typing.Callable = None  # (Files): the command that prints as JSON what a patch says of itself
    in_place: bool = False  # the patch is for a volume that is changed LEB by LEB, without a second copy

    def is_there(self):
        return all(shutil.which(program) for program in self.needs)


def firmware(files, side):
    return os.path.join(files.scratch, side, "targetfiles")


def prepare_lineage(files):
    """The pair as firmware with one program."""
    for side, content in (("v1", files.old), ("v2", files.new)):
        folder = os.path.join(firmware(files, side), "SYSTEM", "etc")
        shutil.rmtree(os.path.join(files.scratch, side), ignore_errors=True)
        os.makedirs(folder)
        os.makedirs(os.path.join(firmware(files, side), "BOOTABLE_IMAGES"))
        with open(os.path.join(folder, "quectel-project-version"), "w", encoding="utf-8") as file:
            file.write("Project Rev : 1\n")
        shutil.copyfile(content, os.path.join(folder, "content"))


def make_lineage(files):
    return [["update_gen", "l", "--no-verify", "--source", firmware(files, "v1"), "--target", firmware(files, "v2"),
             "--output", os.path.join(files.scratch, "update.zip")]]


def finish_lineage(files):
    with zipfile.ZipFile(os.path.join(files.scratch, "update.zip")) as package:
        for entry in package.infolist():
            data = package.read(entry)
            if data.startswith((b"BSDIFF40", b"IMGDIFF2")):
                with open(files.patch, "wb") as file:
                    file.write(data)
                return
    raise ToolError("update_gen put the content into the package whole")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def apply_lineage(files):
    return ["applypatch", files.old, files.result, digest(files.new), str(os.path.getsize(files.new)),
            f"{digest(files.old)}:{files.patch}"]


def signature(files):
    return os.path.join(files.scratch, "signature")


def native_info(files):
    return ["delta", "info", files.patch, "--json"]


NATIVE = "delta"
IN_PLACE = f"delta --leb {images.LEB}"
BSDIFF = "bsdiff 4.3"

TOOLS = (
    Tool(NATIVE, ("delta",),
         lambda f: [["delta", "make", f.old, f.new, f.patch]],
         lambda f: ["delta", "apply", f.old, f.patch, f.result], info=native_info),
    Tool(IN_PLACE, ("delta",),
         lambda f: [["delta", "make", f.old, f.new, f.patch, "--leb", str(images.LEB)]],
         lambda f: ["delta", "apply", f.old, f.patch, f.result], info=native_info, in_place=True),
    Tool("update_gen, BSDIFF40 or IMGDIFF2", ("update_gen", "applypatch"), make_lineage, apply_lineage,
         prepare_lineage, finish_lineage),
    Tool(BSDIFF, ("bsdiff", "bspatch"),
         lambda f: [["bsdiff", f.old, f.new, f.patch]],
         lambda f: ["bspatch", f.old, f.result, f.patch]),
    Tool("xdelta3 -9 -S lzma", ("xdelta3",),
         lambda f: [["xdelta3", "-e", "-f", "-q", "-9", "-S", "lzma", "-s", f.old, f.new, f.patch]],
         lambda f: ["xdelta3", "-d", "-f", "-q", "-s", f.old, f.patch, f.result]),
    Tool("zstd -19 --patch-from", ("zstd",),
         lambda f: [["zstd", "-q", "-f", "-19", "--long=27", "--patch-from", f.old, f.new, "-o", f.patch]],
         lambda f: ["zstd", "-q", "-f", "-d", "--long=27", "--patch-from", f.old, f.patch, "-o", f.result]),
    Tool("rdiff", ("rdiff",),
         lambda f: [["rdiff", "--force", "signature", f.old, signature(f)],
                    ["rdiff", "--force", "delta", signature(f), f.new, f.patch]],
         lambda f: ["rdiff", "--force", "patch", f.old, f.patch, f.result]),
    Tool("hdiffz -SD, LZMA2", ("hdiffz", "hpatchz"),
         lambda f: [["hdiffz", "-f", "-SD", "-c-lzma2", f.old, f.new, f.patch]],
         lambda f: ["hpatchz", "-f", f.old, f.patch, f.result]),
    Tool("detools, LZMA", ("detools",),
         lambda f: [["detools", "create_patch", "-c", "lzma", f.old, f.new, f.patch]],
         lambda f: ["detools", "apply_patch", f.old, f.patch, f.result]),
)
