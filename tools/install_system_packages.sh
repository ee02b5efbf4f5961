#!/bin/sh
# install_system_packages.sh GROUP... : brings what Recto needs from the system's package manager, and only what is missing.
#   ocr      Tesseract with the languages of set-up
#   python   a Python 3.11 or newer that can make virtual environments
#   fonts    DejaVu, which the demo and the tests draw their pages with
#   curl     curl, with which a test runs the walk through the API
#   poppler  pdftotext, with which tests read the PDFs that Recto writes
#   browser  Chromium, which the tests of the pages drive
#   postgresql  PostgreSQL, of which tests start servers of their own
#   systemd  systemd-analyze, which a test looks at the service files with
#   network  Linux's ip, by which tests make hosts of network namespaces
# Everything there: no output, about 30 ms, nothing of the package manager touched. PYTHON names the Python to use.
# Exit status: 0 all is there · 1 something is missing; the message names it.
set -eu

LANGUAGES="osd eng deu fra ces spa ita Fraktur"
here=$(dirname "$0")

has() { command -v "$1" >/dev/null 2>&1; }

say() { printf '%s\n' "$@" >&2; }

# The languages of set-up that Tesseract does not list. Debian lists Fraktur by its bare name, others as script/Fraktur.
missing_languages() {
    listed=$(tesseract --list-langs 2>/dev/null | sed 's|^script/||') || listed=""
    for language in $LANGUAGES; do
        printf '%s\n' "$listed" | grep -qx "$language" || printf '%s ' "$language"
    done
}

has_ocr() { has tesseract && [ -z "$(missing_languages)" ]; }

has_python() { "$here/find_python.sh" --with-venv >/dev/null 2>&1; }

has_fonts() {
    for folder in /usr/share/fonts/truetype/dejavu /usr/share/fonts/dejavu-sans-fonts /usr/share/fonts/TTF \
        "$HOME/.local/share/fonts" "$HOME/.fonts" "$HOME/Library/Fonts" /Library/Fonts; do
        [ ! -e "$folder/DejaVuSans.ttf" ] || return 0
    done
    has fc-list && fc-list 2>/dev/null | grep -q '/DejaVuSans\.ttf'
}

has_curl() { has curl; }

has_poppler() { has pdftotext; }

has_postgresql() { has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }

# Only Linux has it, and needs it.
has_systemd() { has systemd-analyze || [ "$(uname -s)" != Linux ]; }

# Linux alone has network namespaces: elsewhere there is nothing to install, and who makes one is told so.
has_network() { has ip || [ "$(uname -s)" != Linux ]; }

has_browser() { has chromium || has chromium-browser || has google-chrome; }

debian_packages() {
    case $1 in
    ocr)
        printf 'tesseract-ocr'
        for language in osd eng deu fra ces spa ita script-frak; do printf ' tesseract-ocr-%s' "$language"; done
        ;;
    python)
        # Debian leaves ensurepip out of python3: a Python that is there needs the venv package of its own version.
        if python=$("$here/find_python.sh" 2>/dev/null); then
            "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2], end="")'
        else
            printf 'python3 python3-venv'
        fi
        ;;
    fonts) printf 'fonts-dejavu-core' ;;
    curl) printf 'curl' ;;
    poppler) printf 'poppler-utils' ;;
    postgresql) printf 'postgresql' ;;
    systemd) printf 'systemd' ;;
    network) printf 'iproute2' ;;
    browser)
        # Ubuntu has Chromium as a snap only; this package of its brings it.
        if grep -qi '^ID=ubuntu' /etc/os-release 2>/dev/null; then printf 'chromium-browser'; else printf 'chromium'; fi
        ;;
    esac
}

brew_packages() {
    case $1 in
    ocr) printf 'tesseract tesseract-lang' ;;
    python) printf 'python@3.13' ;;
    fonts) printf 'font-dejavu' ;;
    curl) printf 'curl' ;;
    poppler) printf 'poppler' ;;
    browser) printf 'chromium' ;;
    postgresql) printf 'postgresql' ;;
    esac
}

not_installed_debian() {
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=""
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

# Runs apt-get as root. Never waits for an answer: without a terminal sudo is told not to ask, and apt never asks.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ] && [ -t 2 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null; }

install_debian() {
    by_hand="sudo apt-get update && sudo apt-get install $*"
    if [ "$(id -u)" -ne 0 ] && ! has sudo; then
        say "Recto needs these packages, and there is no sudo to install them with: $*" "As root: ${by_hand#sudo }"
        return 1
    fi
    say "Installing system packages, once: $*"
    log=$(mktemp)
    # A broken third-party source must not stop an install that does not need it: only the install decides.
    apt update >"$log" 2>&1 || :
    if apt install -y --no-install-recommends "$@" >>"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 15 "$log" >&2
    rm -f "$log"
    say "The packages could not be installed. Install them by hand, then run the same make command again:" "  $by_hand"
    return 1
}

# The packages of all groups at once: one question for the password, one look at the package lists.
# shellcheck disable=SC2046,SC2086 # lists of package names are meant to be split
install_groups() {
    names=""
    if has apt-get && has dpkg-query; then
        for group in "$@"; do names="$names $(debian_packages "$group")"; done
        absent=$(not_installed_debian $names)
        [ -z "$absent" ] || install_debian $absent
    elif [ "$(uname -s)" = Darwin ] && has brew; then
        for group in "$@"; do names="$names $(brew_packages "$group")"; done
        say "Installing with Homebrew, once:$names"
        HOMEBREW_NO_AUTO_UPDATE=1 brew install --quiet $names </dev/null >&2
    else
        for group in "$@"; do names="$names $(debian_packages "$group")"; done
        say "Recto does not know this system's package manager. Install what Debian calls:" " $names" \
            "then run the same make command again."
        return 1
    fi
}

explain_missing() {
    case $1 in
    ocr)
        if has tesseract; then
            say "Tesseract ($(command -v tesseract)) still lacks: $(missing_languages)" \
                "Is TESSDATA_PREFIX set, or is this Tesseract not the packaged one? Add the traineddata files to its tessdata folder."
        else
            say "Tesseract was installed but 'tesseract' is not on the PATH."
        fi
        ;;
    python) "$here/find_python.sh" --with-venv >/dev/null || : ;;
    *) say "What group '$1' brings was installed but cannot be found." ;;
    esac
}

wanted=""
for group in "$@"; do
    case $group in
    ocr | python | fonts | curl | poppler | browser | postgresql | systemd | network) "has_$group" || wanted="$wanted $group" ;;
    *)
        say "Unknown group '$group': ocr, python, fonts, curl, poppler, browser, postgresql, systemd or network"
        exit 1
        ;;
    esac
done
[ -n "$wanted" ] || exit 0

# shellcheck disable=SC2086 # a list
install_groups $wanted
for group in $wanted; do
    if ! "has_$group"; then
        explain_missing "$group"
        exit 1
    fi
done
