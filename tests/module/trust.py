# SPDX-License-Identifier: Apache-2.0
"""The case of a module that has keys: which packages it takes, and which it does not."""
import contextlib
import shutil
import tempfile
import zipfile

import cases
import daemon
import loopback
import module
from cases import V1, V2, Case

INDEX = "etc/quectel-rollback-index"

# The recovery image and the module's system get the keys, and the system a rollback index.
KEYS = """
before_boot()
{{
	[ "$1" = 1 ] || return 0
	for place in /recovery-image/res/keys /normal-image/keys; do
		mkdir -p "$place"
		cat >"$place/vendor.pem" <<END
{vendor}END
		cat >"$place/fleet.key" <<END
{fleet}END
		chmod 600 "$place/fleet.key"
	done
	echo "package_keys = /run/fota/keys" >>/normal-image/qfotad.conf
	with_rootfs set_index
}}
set_index()
{{
	echo 3 >"$root/etc/quectel-rollback-index"
}}
"""


def make_keys(folder):
    """A vendor's and a stranger's signing keys, a fleet's key for encryption; each with its public half."""
    for name, algorithm in (("vendor", "ed25519"), ("stranger", "ed25519"), ("fleet", "x25519")):
        module.command("openssl", "genpkey", "-algorithm", algorithm, "-out", f"{folder}/{name}.key")
        module.command("openssl", "pkey", "-in", f"{folder}/{name}.key", "-pubout", "-out", f"{folder}/{name}.pem")


def make_package(folder, name, index, key):
    """Package o with a rollback index, signed."""
    plain = f"{folder}/plain-{index}.zip"
    shutil.copyfile(cases.make_package("o"), plain)
    with zipfile.ZipFile(plain, "a") as archive:
        archive.writestr("quectel-rollback-index", f"{index}\n")
    module.command(cases.UPDATE_GEN, "sign", plain, "--key", f"{folder}/{key}.key", "-o", f"{folder}/{name}.zip")


def make_packages(folder):
    shutil.copyfile(cases.make_package("o"), f"{folder}/unsigned.zip")
    make_package(folder, "foreign", 3, "stranger")
    make_package(folder, "outdated", 2, "vendor")
    make_package(folder, "signed", 4, "vendor")
    module.command(cases.UPDATE_GEN, "encrypt", f"{folder}/signed.zip", "--to", f"{folder}/fleet.pem", "-o",
                   f"{folder}/encrypted.zip")


def read(path):
    with open(path, "rb") as file:
        return file.read()


@contextlib.contextmanager
def asked_for_each():
    """Three packages that are refused, then the vendor's encrypted one."""
    with tempfile.TemporaryDirectory() as folder, loopback.Servers() as servers:
        make_keys(folder)
        make_packages(folder)
        asks = {}
        for name in ("unsigned", "foreign", "outdated", "encrypted"):
            servers.publish(f"{name}.zip", read(f"{folder}/{name}.zip"))
            url = servers.url("http", f"/files/{name}.zip")
            asks[name] = daemon.ask(url.replace(loopback.ADDRESS, loopback.GUEST_ADDRESS))
        keys = KEYS.format(vendor=read(f"{folder}/vendor.pem").decode(), fleet=read(f"{folder}/fleet.key").decode())
        yield keys, module.Dialogue((*daemon.RUNS, *asks["unsigned"]),
                                    ("smd7", '"END",520$', *asks["foreign"]),
                                    ("smd7", '"END",521$', *asks["outdated"]),
                                    ("smd7", '"END",523$', *asks["encrypted"]),
                                    (*daemon.RUNS, "smd7", "ATI\r"),
                                    ("smd7", "^OK$", *module.Dialogue.END))


def daemon_trust(findings):
    """A module with keys refuses packages that are unsigned, a stranger's or outdated; it takes an encrypted one."""
    findings.boots("nrn")
    ends = [urc for urc in findings.result.urcs() if '"END"' in urc]
    wanted = [f'"FOTA","END",{code}' for code in (520, 521, 523, 0)]
    findings.expect(ends == wanted, f"it said {ends}, should be {wanted}")
    starts = [urc for urc in findings.result.urcs() if '"START"' in urc]
    findings.expect(len(starts) == 1, f"recovery was started {len(starts)} times")
    findings.is_version(V1, boot=V2, apart=(f"system/{INDEX}",))
    findings.file(cases.STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
    findings.file(cases.LAST_LOG, "packages must be signed by one of 1 keys in /res/keys")
    findings.over()


CASES = [Case(daemon_trust, package=lambda: cases.make_package("o"), host=asked_for_each)]
