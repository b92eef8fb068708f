#!/bin/sh
# The server beside its peers, each on one core, the load on another, turn by turn: bench/run.sh HARNESS [REPEATS]
#
# HARNESS is the folder with measure.py and peers/ (its README says what it needs). Every figure goes to bench/results.jsonl; the
# table at the end takes the network, engine and media threads for the CPU figures and shows journal and tables apart.
set -eu
harness=${1:?usage: bench/run.sh HARNESS [REPEATS]}
repeats=${2:-2}
top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/bench/results.jsonl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release --manifest-path "$top/Cargo.toml" --bin hotline
zstd -d -q -f "$harness/peers/rustpbx-0.5.0.zst" -o "$work/rustpbx"
chmod +x "$work/rustpbx"
cat >"$work/hotline" <<EOF
#!/bin/sh
exec "$top/target/release/hotline" serve --config "$top/bench/hotline.toml" --data "\$(mktemp -d "$work/data.XXXXXX")"
EOF
chmod +x "$work/hotline"
rm -f "$out"
hotline="hotline|127.0.0.1:5060|12341|$work/hotline"
rustpbx="rustpbx|127.0.0.1:5062|12341|$harness/peers/run-rustpbx.sh $work/rustpbx 5062"
measure() { python3 "$harness/measure.py" --out "$out" --repeat "$repeats" "$@"; }
# The highest each can carry.
measure --what cps --start 1600 --budget 45 --server "$hotline"
measure --what concurrent --start 2000 --budget 130 --gap-ms 30 --server "$hotline"
# Side by side at a load that both carry.
measure --what cps --start 200 --max 200 --budget 20 --server "$hotline" --server "$rustpbx"
measure --what concurrent --start 1000 --max 1000 --budget 60 --server "$hotline" --server "$rustpbx"
measure --what latency --server "$hotline" --server "$rustpbx"
if command -v kamailio >/dev/null; then
    measure --what cps --no-media --start 1600 --budget 45 --server "kamailio-tm|127.0.0.1:5064|12341|$harness/peers/run-kamailio.sh 5064 tm"
fi
python3 "$top/bench/table.py" "$out"
