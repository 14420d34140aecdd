#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Peak resident size of applypatch on a pair of 20 MB binaries patched by bsdiff, and of updater on a 64 MiB partition.
set -eu

limit=24576 # KiB

usage()
{
	cat <<END
Usage: memory.sh BIN
Runs BIN/applypatch and BIN/updater, built without sanitizers, and fails when one needs more than $limit KiB, or when
its result is wrong. The binaries are the ARM libraries in build/sysroot (scripts/sysroot makes it).
END
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
'') usage >&2; exit 2 ;;
esac
bin=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
libraries=$top/build/sysroot
[ -d "$libraries" ] || { echo "memory.sh: $libraries: not there; run scripts/sysroot" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# old, new: 20 MB of ELF files, and the same with bytes changed, pieces cut out and put in, as a new build has them.
# root/dev/part: a 64 MiB image; new-part: its next version; part.p: the patch, with bzip2's largest windows.
python3 - "$libraries" <<'END'
import bz2, os, random, struct, sys

random.seed(20)
old = bytearray()
paths = [os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names if ".so" in name]
for path in sorted(paths):
    if os.path.isfile(path) and not os.path.islink(path) and len(old) < 20_000_000:
        with open(path, "rb") as file:
            data = file.read()
        old += data if data[:4] == b"\x7fELF" else b""
while len(old) < 20_000_000:
    old += random.randbytes(1_000_000)
old = old[:20_000_000]
new = bytearray(old)
for _ in range(4000):
    at = random.randrange(len(new) - 8)
    new[at:at + 4] = struct.pack("<I", random.getrandbits(32))
for _ in range(40):
    at = random.randrange(len(new) - 5000)
    new[at:at + random.randrange(3000)] = random.randbytes(random.randrange(3000))
image = bytearray(old + old[::-1] + old + b"\xff" * (64 * 1024 * 1024 - 60_000_000))
changed = bytearray(image)
diff = bytearray(len(image))
for _ in range(100_000):
    at = random.randrange(len(image))
    changed[at] = (changed[at] + 1) % 256
    diff[at] = (diff[at] + 1) % 256
number = lambda n: struct.pack("<q", n)
control = bz2.compress(number(len(image)) + number(0) + number(0), 9)
packed = bz2.compress(bytes(diff), 9)
os.makedirs("root/dev")
os.makedirs("root/cache")
for name, data in (("old", old), ("new", new), ("root/dev/part", image), ("new-part", changed)):
    with open(name, "wb") as file:
        file.write(data)
with open("part.p", "wb") as file:
    file.write(b"BSDIFF40" + number(len(control)) + number(len(packed)) + number(len(image)))
    file.write(control + packed + bz2.compress(b"", 9))
END
bsdiff old new patch

digest()
{
	sha1sum "$1" | cut -d ' ' -f 1
}

# A process of its own each time: what makes the inputs must not be counted.
measure()
{
	name=$1
	shift
	peak=$(python3 -c '
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)' "$@")
	echo "$name: peak resident size $peak KiB, at most $limit allowed"
	[ "$peak" -le "$limit" ]
}

measure applypatch "$bin/applypatch" old result "$(digest new)" "$(stat -c %s new)" "$(digest old):patch"
cmp result new

size=$(stat -c %s new-part)
before=$(digest root/dev/part)
after=$(digest new-part)
cat >updater-script <<END
assert(apply_patch_check("MTD:part:$size:$before:$size:$after"));
apply_patch("MTD:part:$size:$before:$size:$after", "-", $after, $size, $before, package_extract_file("part.p"));
END
python3 - <<'END'
import zipfile

with zipfile.ZipFile("update.zip", "w", zipfile.ZIP_DEFLATED) as package:
    package.write("updater-script", "META-INF/com/google/android/updater-script")
    package.write("part.p")
END
measure updater "$bin/updater" --root root 3 2 update.zip
cmp root/dev/part new-part
[ ! -e root/cache/saved.file ]
