#!/bin/sh
# Every fuzz target in turn, from the kept corpus on: scripts/fuzz.sh [SECONDS [TARGET…]]
#
# A panic, a broken rule, an input over 10 ms, memory out of proportion or not given back ends the target and fails the run;
# the input lies in fuzz/artifacts/TARGET. What is new is kept in fuzz/target/found; only what says something new goes into
# the corpus: cargo +nightly fuzz cmin TARGET.
set -eu
seconds=${1:-600}
[ $# -gt 0 ] && shift
cd "$(dirname "$0")/../fuzz"
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz
targets=${*:-$(ls fuzz_targets | sed 's/\.rs$//')}

cargo +nightly fuzz build --sanitizer none
bin=target/$(rustc -vV | sed -n 's/^host: //p')/release
failed=0
total=0
for target in $targets; do
    found=target/found/$target
    mkdir -p "$found" "artifacts/$target"
    case $target in
        sip | stream | ua) max=65536 ;;
        *) max=16384 ;;
    esac
    code=0
    "$bin/$target" -max_total_time="$seconds" -max_len="$max" -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=256 \
        -print_final_stats=1 -artifact_prefix="artifacts/$target/" "$found" "corpus/$target" >"target/found/$target.log" 2>&1 || code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "target/found/$target.log")
    if [ "$code" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
        printf 'fuzz: %-10s %12s executions in %s s\n' "$target" "$runs" "$seconds"
        total=$((total + runs))
    else
        printf 'fuzz: %-10s FAILED after %s executions\n' "$target" "${runs:-no}"
        grep -m1 -A1 'panicked at\|ERROR: libFuzzer' "target/found/$target.log" || tail -5 "target/found/$target.log"
        failed=1
    fi
done
echo "fuzz: $total executions"
exit "$failed"
