#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# update_gen by its documented name: v1/ and v2/ with a targetfiles.zip each in the working folder, update.zip there.
set -u

usage='Usage: ./update_gen.sh PARTS... [OPTION]... > log
Make update.zip with the differences of v1/targetfiles.zip (what runs on the modules) and v2/targetfiles.zip (what
shall run there); all of them lie in the working folder. A folder targetfiles will do where there is no archive.

PARTS, letters that combine ("ml" or "m l"):
  a   everything: modem, Linux, kernel and the MULTIFOTA images
  m   modem: SYSTEM/firmware
  l   Linux file system: SYSTEM without firmware and dev
  o   kernel: BOOTABLE_IMAGES/boot.img

The lists quectel_fullota_filelist.txt, quectel_noota_filelist.txt, quectel_chmod_filelist.txt and
quectel_multifota_filelist.txt count, if they are in the working folder.

Options are those of update_gen: see update_gen --help. The update.zip and update-2.zip of an
earlier run are removed first.
Standard output is the log, standard error only has errors. Exit status: that of update_gen, 0 done, 2 wrong usage.'

fail() {
	echo "update_gen.sh: $2" >&2
	exit "$1"
}

case ${1-} in
--help)
	echo "$usage"
	exit 0
	;;
'') fail 2 'parts are needed, letters of a, m, l, o; see --help' ;;
esac

case $0 in
*/*) beside=${0%/*} ;;
*) beside=. ;;
esac
if [ -x "$beside/update_gen" ]; then
	update_gen=$beside/update_gen
else
	update_gen=$(command -v update_gen) || fail 1 "update_gen is neither in $beside nor in PATH"
fi
[ "$1" = --version ] && exec "$update_gen" --version

# Whoever finds one behind a failure would take it for the new one.
rm -f update.zip update-2.zip || fail 1 'cannot remove the old update.zip'
for version in v1 v2; do
	[ -f "$version/targetfiles.zip" ] || [ -d "$version/targetfiles" ] || fail 1 "no $version/targetfiles.zip in $(pwd)"
done
exec "$update_gen" --source v1 --target v2 --output update.zip --lists . "$@"
