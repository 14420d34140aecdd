# SPDX-License-Identifier: Apache-2.0
"""The cases of packages that are no difference between two firmwares, on the small module."""
import os
import random
import tarfile

import cases
import module
import small
from cases import Case
from small import FACTORY

FOLDER = os.path.join(small.SMALL, "kinds")
FULL = os.path.join(FOLDER, "full.zip")
FORMATTING = os.path.join(FOLDER, "formatting.zip")
TOOLS = os.path.join(FOLDER, "tools.zip")
DATA_BYTES = 4 << 20
UPGRADED = ['"FOTA","START"', '"FOTA","END",0']

# The small module without the sweeps' simulator of a NAND.
SMALL = f"""{small.SETTINGS}
cat >/recovery-image/res/board <<END
{small.RES_BOARD}END
"""

# Files of other firmwares, other types of objects, other owners, half a kernel: nothing that a difference would take.
DAMAGED = SMALL + """
before_boot()
{
	[ "$1" = 2 ] || return 0
	with_rootfs damage
	flash_erase -q "$boot_part" 0 1
}
damage()
{
	cp -r "$root/etc" "$root/usr/etc"
	rm -r "$root/usr/share/zoneinfo"
	echo "no directory" >"$root/usr/share/zoneinfo"
	rm "$root/etc/quectel-project-version"
	mkdir -p "$root/etc/quectel-project-version/of/another"
	chown -R 7:7 "$root/bin"
}
during_recovery()
{
	[ "$1" = 2 ] || return 0
	wait_for_change
	cut_power
}
"""

# Power goes while the new release comes. What is found then is told, before recovery goes on. In the end the old
# release comes back, by a package that the new one has among its files.
RELEASES = SMALL + """
play()
{
	flash_factory
	boot_module
	requested=no
	boot_module
	dump_state
}
request_upgrade()
{
	if [ -L "$root/usrdata/tools" ]; then
		tell_release
		cp "$root/usrdata/tools/back.zip" /scenario/package
	else
		mkdir -p "$root/usrdata/tools.releases/first"
		echo first >"$root/usrdata/tools.releases/first/version"
		ln -s tools.releases/first "$root/usrdata/tools"
	fi
	store_package
	arm
}
tell_release()
{
	say "release: $(cat "$root/usrdata/tools/version") of $(ls "$root/usrdata/tools.releases" | wc -l)"
}
before_boot()
{
	[ "$1" = 3 ] || return 0
	attach_storage
	mount -t ubifs -o ro ubi0:rootfs "$root"
	mount -t ubifs -o ro ubi0:usrdata "$root/usrdata"
	tell_release
	release_storage
}
during_recovery()
{
	[ "$1" = 2 ] || return 0
	[ ! -e /tmp/was-cut ] || return 0
	: >/tmp/was-cut
	until [ "$(ls "$root/usrdata/tools.releases" 2>/dev/null | wc -l)" -gt 1 ]; do
		sleep 0.02
	done
	cut_power
}
"""


def make_full(path, *more):
    module.command(cases.UPDATE_GEN, "a", "--full", *more, "--target", small.V2, "-o", f"{path}.new")
    os.replace(f"{path}.new", path)


def make_tools(version, path, more):
    """The package of a release that says its version, with more files, {name: bytes}."""
    folder = os.path.join(FOLDER, version)
    os.makedirs(f"{folder}/bin", exist_ok=True)
    for name, data in {"version": f"{version}\n".encode(), "bin/tool": b"#!/bin/sh\n", **more}.items():
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)
    os.chmod(f"{folder}/bin/tool", 0o750)
    module.command(cases.UPDATE_GEN, "app", folder, "--to", "/usrdata/tools", "--owner", "0:1000", "-o", f"{path}.new")
    os.replace(f"{path}.new", path)


def make_releases():
    back = os.path.join(FOLDER, "back.zip")
    make_tools("old", back, {})
    make_tools("new", TOOLS, {"back.zip": small.read(back), "data": random.Random(0).randbytes(DATA_BYTES)})


def made(path, make):
    """The package, made once of each small module."""
    small.make()
    with module.locked(path):
        newest = max(map(os.path.getmtime, (cases.UPDATE_GEN, small.V2, __file__)))
        if not os.path.exists(path) or os.path.getmtime(path) < newest:
            make()
    return path


def check_full(findings):
    findings.page_size = small.PAGE_SIZE
    findings.boots("nrrn")
    findings.end_after_cuts(0)
    findings.is_version(small.V2)
    findings.runs(small.V2)
    findings.file(cases.STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
    findings.over()


def full(findings):
    """A full package on a small module with other files, whose power is cut: exactly version 2."""
    check_full(findings)


def full_formatting(findings):
    """The same by a package for the whole lineage, which formats, and begins anew when power was cut."""
    check_full(findings)


def app(findings):
    """User files change at once, whatever power does; another package brings the old release back."""
    findings.page_size = small.PAGE_SIZE
    findings.boots("nrrnnrn")
    said = [text for text in findings.result.urcs() if '"UPDATING"' not in text]
    findings.expect(said == [UPGRADED[0], *UPGRADED, *UPGRADED], f"it said {said}")
    told = [text for text in findings.result.said("console") if text.startswith("module: release: ")]
    findings.expect(told == [f"module: release: {text}" for text in ("first of 2", "new of 1", "old of 1")],
                    f"it had {told}")
    with tarfile.open(findings.result.dump) as dump:
        names = [name for name in dump.getnames() if name.startswith("usrdata/tools.releases/")]
        release = dump.getmember("usrdata/tools").linkname
        tool = dump.getmember(f"usrdata/{release}/bin/tool")
    findings.expect(len(names) == 4, f"the releases are {names}")
    findings.expect((tool.mode, tool.uid, tool.gid) == (0o750, 0, 1000), f"the tool is {tool.get_info()}")
    findings.file(f"usrdata/{release}/version", "old\n")
    findings.is_version(small.V1)
    findings.over()


CASES = [
    Case(full, DAMAGED, package=lambda: made(FULL, lambda: make_full(FULL, "--compat", "native")), factory=FACTORY),
    Case(full_formatting, DAMAGED, package=lambda: made(FORMATTING, lambda: make_full(FORMATTING)), factory=FACTORY),
    Case(app, RELEASES, package=lambda: made(TOOLS, make_releases), factory=FACTORY),
]
