#!/bin/sh
# Make .venv with exactly what requirements.lock names: with uv if it is there, else venv and pip.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "make_venv: $1" >&2
    exit 1
}

python=
for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        python=$candidate
        break
    fi
done

rm -f .venv/.installed
if command -v uv >/dev/null 2>&1; then
    # Without a fitting Python on the machine uv fetches one.
    uv venv --quiet --clear --python "${python:-3.12}" .venv
    uv pip install --quiet --python .venv --requirements requirements.lock
    uv pip install --quiet --python .venv --no-deps --editable .
else
    [ -n "$python" ] || fail "no Python 3.11, 3.12 or 3.13 found: install one, or uv"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "$python lacks the module venv: on Debian or Ubuntu run 'apt-get install python$version-venv'"
    fi
    echo "Installing into .venv (about 2 GB, some minutes) ..."
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
fi
touch .venv/.installed
