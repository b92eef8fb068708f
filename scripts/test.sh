#!/bin/sh
# Every Rust test once, the runner's own summary last. A run that tests nothing is a failure, not a success.
#
# Arguments go to cargo: scripts/test.sh --release
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log" "$log.code"' EXIT

# run ARGUMENT…: one run of the tests, shown and kept. A pipe's exit code is its last command's: cargo's is kept aside.
run() {
    {
        code=0
        cargo test --no-fail-fast "$@" || code=$?
        echo "$code" >"$log.code"
    } 2>&1 | tee "$log"
    code=$(cat "$log.code")
    if [ "$code" = 0 ] && ! grep -q '^test result: ok. [1-9]' "$log"; then
        echo "test: no test ran" >&2
        code=1
    fi
    return "$code"
}

failed=0
# The days print what they reached, so their output is shown. They need none of the effects and compute for a minute: built alone and
# optimised they are there sooner.
CARGO_PROFILE_DEV_OPT_LEVEL=3
export CARGO_PROFILE_DEV_OPT_LEVEL
run --no-default-features --test days "$@" -- --nocapture || failed=1
unset CARGO_PROFILE_DEV_OPT_LEVEL
# The one of them that writes a real journal.
run --test days the_journal_folds "$@" || failed=1
run --lib --bins --test desk --test it --test media_alloc "$@" || failed=1
exit "$failed"
