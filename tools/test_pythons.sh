#!/bin/sh
# test_pythons.sh [pytest arguments] : the quick tests under each supported Python that this machine has, each in an environment of its own.
# Exit status 1 where one fails, or where none of them is there. Those that are missing are named, and nothing is installed in their place.
set -eu
cd "$(dirname "$0")/.."

# PATH first, then what pyenv keeps beside it.
find_version() {
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        if "$candidate" -c "import ensurepip, venv, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

tested='' missing='' failed=''
for version in 3.11 3.12 3.13; do
    if ! python=$(find_version "$version"); then
        missing="$missing $version"
        continue
    fi
    environment=.make/python$version
    printf '== Python %s: %s\n' "$version" "$("$python" --version)"
    if ! [ requirements-dev.txt -ot "$environment/.ready" ] || ! [ requirements.txt -ot "$environment/.ready" ]; then
        "$python" -m venv --clear "$environment"
        "$environment/bin/python" -m pip install -qq --no-input --disable-pip-version-check -r requirements.txt
        "$environment/bin/python" -m pip install -qq --no-input --disable-pip-version-check -r requirements-dev.txt
        touch "$environment/.ready"
    fi
    if "$environment/bin/python" -m pytest -q -n "${WORKERS:-auto}" -m "not services and not long" "$@"; then
        tested="$tested $version"
    else
        failed="$failed $version"
    fi
done
printf 'Passed:%s. Failed:%s. Not on this machine:%s.\n' "${tested:- none}" "${failed:- none}" "${missing:- none}"
[ -z "$failed" ] && [ -n "$tested" ]
