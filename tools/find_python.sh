#!/bin/sh
# find_python.sh [--with-venv] : prints the newest Python of 3.11 or later on the PATH, or what PYTHON names.
# --with-venv: only one that can make a virtual environment (Debian keeps ensurepip in a package of its own).
# Exit status 1, with a message that says what to do, where there is none.
set -eu

check='import sys; sys.exit(sys.version_info < (3, 11))'
[ "${1:-}" != --with-venv ] || check="import ensurepip, venv; $check"

# 3.13 is the newest version that requirements.txt is locked and checked for; a newer python3 is taken where it is all there is.
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    # Running it is the test: a shim of pyenv may be on the PATH and still lead nowhere.
    if "$candidate" -c "$check" >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
done
if [ -n "${PYTHON:-}" ]; then
    printf '%s\n' "PYTHON=$PYTHON is not a Python 3.11 or newer that can make virtual environments." >&2
else
    found=$(python3 --version 2>/dev/null) || found="none at all"
    printf '%s\n' "Recto needs Python 3.11 or newer with its venv module; python3 here is: $found." \
        "Install one (Debian 12 and Ubuntu 24.04: sudo apt-get install python3 python3-venv)," \
        "or name one: make PYTHON=/path/to/python3.12 ..." >&2
fi
exit 1
