#!/bin/sh
# Every Rust test once, the runner's own summary last. A run that tests nothing is a failure, not a success.
set -eu
cd "$(dirname "$0")/.."
if cargo nextest --version >/dev/null 2>&1; then
    # Exits 4 when there is nothing to run.
    exec cargo nextest run "$@"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A pipe's exit code is its last command's: the runner's own is kept aside.
{
    code=0
    cargo test --no-fail-fast --lib --bins --test it "$@" || code=$?
    echo "$code" >"$log.code"
} 2>&1 | tee "$log"
code=$(cat "$log.code")
rm -f "$log.code"
if [ "$code" = 0 ] && ! grep -q '^test result: ok. [1-9]' "$log"; then
    echo "test: no test ran" >&2
    exit 1
fi
exit "$code"
