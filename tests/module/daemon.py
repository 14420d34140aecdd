# SPDX-License-Identifier: Apache-2.0
"""The cases of the virtual module whose system runs qfotad: the host asks with AT commands and nothing else."""
import contextlib
import os
import random
import re
import shutil
import sys
import zipfile

import cases
import compare
import module
from cases import V1, V2, Case

sys.path.insert(0, os.path.join(module.ROOT, "tests", "fotad"))
import loopback
from dialogue import Dialogue, Rejected

PUSHED = "ufs/update.zip"
LARGE = 70_000_000
IDLE_MAX, LOADING_MAX = 4096, 8192  # KiB
RUNS = ("console", "^module: qfotad runs$")
CERTIFICATES = """
before_daemon()
{{
	cat >"$root/run/fota/ca.pem" <<END
{ca}END
}}
"""


def ask(source):
    return "smd7", f'AT+QFOTADL="{source}"\r'


def upgrade(source):
    """Ask for it, and for the version that runs afterwards."""
    return module.Dialogue((*RUNS, *ask(source)), (*RUNS, "smd7", "ATI\r"), ("smd7", "^OK$", *module.Dialogue.END))


@contextlib.contextmanager
def served(scheme, package):
    """Servers that have the package, and its URL as the module must write it."""
    with loopback.Servers() as servers, open(package, "rb") as file:
        servers.publish("update.zip", file.read())
        url = servers.url(scheme, "/update.zip" if scheme == "ftp" else "/files/update.zip")
        yield servers, url.replace(loopback.ADDRESS, loopback.GUEST_ADDRESS)


@contextlib.contextmanager
def upgrade_from(scheme, package):
    """A host that has the module upgrade from a server."""
    with served(scheme, package) as (servers, url), open(servers.authority.certificate, encoding="ascii") as ca:
        yield CERTIFICATES.format(ca=ca.read()), upgrade(url)


def kernel_package():
    return cases.make_package("o")


def stranger_package():
    """For another version than the one that runs."""
    path = os.path.join(cases.PACKAGES, "stranger.zip")
    cases.rewrite(kernel_package(), path, "quectel-project-version", b"R01A01M4G", b"R01A07M4G")
    return path


def large_package():
    """As large as a module's package may well be: most of it is not used by the script, and does not compress."""
    path = os.path.join(cases.PACKAGES, "large.zip")
    shutil.copyfile(kernel_package(), path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("patch/unused", random.Random(0).randbytes(LARGE - os.path.getsize(path)))
    return path


@contextlib.contextmanager
def refused_one_by_one():
    """505, 550 and 510: after each the host changes what is wrong, and asks again."""
    with served("http", stranger_package()) as (_, url):
        source = f"/usrdata/cache/{PUSHED}"
        yield "", module.Dialogue((*RUNS, *ask(url)),
                                  ("smd7", '"END",505$', "console", "fill_usrdata"),
                                  ("console", "^module: usrdata has", *ask(source)),
                                  ("smd7", '"END",550$', "console", "make_room"),
                                  ("console", "^module: foreign", *ask(source)),
                                  ("smd7", '"END",510$', "smd7", "AT+QFOTALOG?\r"),
                                  ("smd7", "^OK$", *module.Dialogue.END))


def check_dialogue(findings, channel):
    """What a host program of other people's making would believe at the end."""
    dialogue = Dialogue()
    try:
        for text in findings.result.said(channel):
            dialogue.take(text)
        findings.expect(dialogue.state == "done", f"{channel}: a host believes that it is {dialogue.state}")
    except Rejected as why:
        findings.expect(False, f"{channel}: {why}")


def check_upgrade(findings, protocol, **parts):
    """From the first line to the version behind the upgrade."""
    findings.boots("nrn")
    for channel in module.CHANNELS:
        urcs = [urc.removeprefix('"FOTA",') for urc in findings.result.urcs(channel)]
        wanted = [*[f'"{protocol}START"', f'"{protocol}END",0'] * bool(protocol), '"START"', '"END",0']
        steps = [urc for urc in urcs if '"DOWNLOADING"' not in urc and '"UPDATING"' not in urc]
        findings.expect(steps == wanted, f"{channel}: it said {steps}, should be {wanted}")
        loaded = [urc.split(",")[1] for urc in urcs if '"DOWNLOADING"' in urc]
        findings.expect(not protocol or loaded[-1:] == ["100"], f"{channel}: downloading ended at {loaded[-1:]}")
        check_dialogue(findings, channel)
        told = findings.percentages_never_fall(channel, findings.result.urcs(channel))
        findings.expect(told[:1] == [0] and told[-1:] == [100], f"{channel}: percentages are not 0 to 100: {told}")
    said = findings.result.said("smd7")
    findings.expect(said[-1:] == ["OK"] and any(text.startswith("Revision: RG520N") for text in said[-3:]),
                    f"ATI was answered with {said[-3:]}")
    findings.is_version(V1, **parts)
    findings.file(cases.STATUS_FILE, "IP_PREVIOUS_UPDATE_SUCCESSFUL")
    findings.over()


def daemon_http(findings):
    """AT+QFOTADL with an http URL: a whole upgrade, and ATI tells version 2."""
    check_upgrade(findings, "HTTP", **dict.fromkeys(compare.PARTS, V2))
    findings.expect("A02M4G" in "".join(findings.result.said("smd7")[-3:-1]), "ATI does not tell version 2")


def daemon_https(findings):
    """70 MB by https, verified with a private CA; plain text is not allowed. What qfotad needs fits."""
    check_upgrade(findings, "HTTP", boot=V2)
    told = [re.fullmatch(r"module: resident: (\d+) KiB:(.*)", text) for text in findings.result.said("console")]
    sizes = [(int(match[1]), match[2].split()) for match in told if match]
    others = [size for size, names in sizes if "qfota-fetch" not in names]
    loading = [size for size, names in sizes if "qfota-fetch" in names]
    findings.expect(others and max(others) < IDLE_MAX,
                    f"KiB resident without a download: {others}, should be below {IDLE_MAX}")
    findings.expect(loading and max(loading) < LOADING_MAX,
                    f"KiB resident while downloading: {loading}, should be below {LOADING_MAX}")


def daemon_ftp(findings):
    """The package comes by ftp."""
    check_upgrade(findings, "FTP", boot=V2)


def daemon_path(findings):
    """A package that was pushed to /usrdata/cache/ufs."""
    check_upgrade(findings, "", boot=V2)
    findings.is_gone(cases.PUSHED_PACKAGE)


def daemon_refuses(findings):
    """505, 550 and 510 (with the foreign file's path) without a boot of recovery; misc stays as it was."""
    findings.boots("n")
    ends = [urc for urc in findings.result.urcs() if '"END"' in urc]
    wanted = [f'"FOTA","END",{code}' for code in (505, 550, 510)]
    findings.expect(ends == wanted, f"it said {ends}, should be {wanted}")
    findings.expect(all('"START"' not in urc for urc in findings.result.urcs()), "an upgrade was started")
    told = [text for text in findings.result.said("smd7") if text.startswith("+QFOTALOG:")]
    findings.expect(told and cases.FOREIGN in told[0], f"AT+QFOTALOG? told {told}, should name {cases.FOREIGN}")
    findings.is_version(V1, apart=(f"system/{cases.FOREIGN}",))
    before, after = (compare.read_member(findings.result.dump, name) for name in ("extra/misc", "misc"))
    findings.expect(before and before.strip(b"\xff"), "misc was empty before")
    findings.expect(before == after, "misc is not what it was")


PUSH = f"""
package_name={PUSHED}
before_daemon()
{{
	[ "$requested" = yes ] || store_package
	requested=yes
}}
"""
TLS_ONLY = """
before_boot()
{
	sed -i '/plain_text/d' /normal-image/qfotad.conf
	tell_sizes &
}
# Not VmRSS: since Linux 2.6.34 that is only about right.
tell_sizes()
{
	while sleep 0.3; do
		total=0 names=
		for process in $(pidof qfotad qfota-fetch); do
			size=$(awk '$1 == "Rss:" { print $2 }' "/proc/$process/smaps_rollup" 2>/dev/null) || continue
			name=$(cat "/proc/$process/comm") || continue
			total=$((total + ${size:-0})) names="$names $name"
		done
		[ -z "$names" ] || say "resident: $total KiB:$names"
	done
}
"""
REFUSALS = f"""
before_boot()
{{
	[ "$1" = 1 ] || return 0
	miscctl arm >/dev/null
	miscctl clear >/dev/null
	read_partition "$misc" /tmp/misc
}}
make_room()
{{
	rm "$root/usrdata/filler"
	mount -o remount,rw "$root"
	echo >>"$root/{cases.FOREIGN}"
	mount -o remount,ro "$root"
	say "foreign byte in {cases.FOREIGN}"
}}
dump_more()
{{
	cp /tmp/misc "$dump/extra/"
}}
"""

CASES = [
    Case(daemon_http, host=lambda: upgrade_from("http", cases.make_package())),
    Case(daemon_https, TLS_ONLY, kernel_package, lambda: upgrade_from("https", large_package())),
    Case(daemon_ftp, "", kernel_package, lambda: upgrade_from("ftp", kernel_package())),
    Case(daemon_path, PUSH, kernel_package,
         lambda: contextlib.nullcontext(("", upgrade(f"/usrdata/cache/{PUSHED}")))),
    Case(daemon_refuses, PUSH + REFUSALS, host=refused_one_by_one),
]
