#!/bin/sh
# Make .venv from requirements.lock and install the project into it. Used by the Makefile.
# The stamp is the last thing written: a build that failed is tried again.
set -eu
python=${1:-python3}

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "$python was not found: install Python 3.11 or later (Debian package python3) and run make again."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is older than Python 3.11: install a later one, or name it: make PYTHON3=python3.12."

rm -f .venv/stamp
version=$("$python" -c 'import sys; print(sys.version)')
if [ -x .venv/bin/python ]; then
    [ "$(.venv/bin/python -c 'import sys; print(sys.version)' 2>/dev/null)" = "$version" ] || rm -rf .venv
fi

with_uv() {
    command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1 || return 1
    [ -x .venv/bin/python ] ||
        uv venv --quiet --no-python-downloads --python "$(command -v "$python")" .venv || return 1
    uv pip sync --quiet --require-hashes --python .venv/bin/python requirements.lock || return 1
    uv pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python -e .
}

with_pip() {
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "This $python cannot make a virtual environment: install the Debian package python3-venv (apt-get install python3-venv) and run make again."
        rm -rf .venv
        "$python" -m venv .venv || return 1
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r requirements.lock || return 1
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-build-isolation -e .
}

echo "Making .venv from requirements.lock (once; some minutes without uv)."
with_uv || with_pip ||
    fail "The packages of requirements.lock could not be installed: see the message above, then run make again."
touch .venv/stamp
