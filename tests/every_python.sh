#!/bin/sh
# Run `make test` on every supported Python that this machine has; the first one found uses .venv. Then the part of it
# that meets the libraries, with the lowest and with the newest release of each.
set -eu
present() {
    for candidate in "python$1" "$(command -v pyenv >/dev/null 2>&1 && pyenv whence --path "python$1" 2>/dev/null | head -n 1)"; do
        [ -n "$candidate" ] && "$candidate" -c "import venv, ensurepip" >/dev/null 2>&1 && { echo "$candidate"; return; }
    done
    return 0  # none: no failure
}
main=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
make test
for version in 3.11 3.12 3.13; do
    [ "$version" = "$main" ] && continue
    python=$(present "$version")
    if [ -n "$python" ]; then
        make test PYTHON="$python" VENV=".venv-$version"
    else
        echo "python $version: not on this machine, not tested"
    fi
done
make lowest newest
