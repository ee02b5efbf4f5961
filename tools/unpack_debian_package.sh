#!/bin/sh
# unpack_debian_package.sh PACKAGE FOLDER : unpacks a Debian package into a folder, for a program that is to be called by its path.
# Installing it would also set up its service, which starts with the machine from then on. Asks for no password where apt knows the package.
# Exit status: 0 it is there · 1 it cannot be had; the message says why.
set -eu

package=$1
folder=$2

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
    echo "The tests need $package, and know only Debian's and Ubuntu's. Put its programs on the PATH, then run the same make command again." >&2
    exit 1
fi
echo "Unpacking $package into $folder, once ..." >&2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
download() { (cd "$scratch" && apt-get -qq download "$package") >"$scratch/log" 2>&1; }
if ! download; then
    # Lists of a fresh system are empty.
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root="sudo -n"
    $as_root apt-get -qq update >>"$scratch/log" 2>&1 || :
    download || { tail -n 5 "$scratch/log" >&2; exit 1; }
fi
mkdir -p "$folder"
dpkg-deb --extract "$scratch/$package"_*.deb "$folder"
