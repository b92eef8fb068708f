#!/bin/sh
# Brings what the machine lacks, and only that. Says nothing when nothing is missing.
#
#   scripts/setup.sh run     what building and serving need: a C compiler, Rust, Node
#   scripts/setup.sh test    that, and what the tests call: sipp, baresip, PostgreSQL, Chromium, CJK fonts, sox, pandas
#
# Debian packages come by apt-get (as root, or through sudo). Whatever cannot be brought is named in one line, with the
# command that installs it.
set -eu
cd "$(dirname "$0")/.."
want=${1:-run}

fail() {
    echo "setup: $1" >&2
    exit 1
}

# as_root COMMAND…: with the rights that installing takes.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing=""
# need PACKAGE TEST…: the package is missing when the test fails.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has_postgres() { ls /usr/lib/postgresql/*/bin/postgres || command -v postgres; }
has_chinese_font() { command -v fc-list && [ -n "$(fc-list :lang=zh family)" ]; }
# A second computation of the rates; the distribution's interpreter has the distribution's pandas.
has_pandas() { python3 -c 'import pandas' || /usr/bin/python3 -c 'import pandas'; }
has_certificates() { [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ]; }

need gcc command -v cc
need make command -v make
need ca-certificates has_certificates
if [ "$want" = test ]; then
    need sip-tester command -v sipp
    need baresip-core command -v baresip
    need postgresql has_postgres
    need chromium command -v chromium
    need fontconfig command -v fc-list
    need fonts-noto-cjk has_chinese_font
    need sox command -v sox
    need procps command -v pgrep
    need python3-pandas has_pandas
fi
if [ -n "$missing" ]; then
    install="apt-get install -y --no-install-recommends$missing"
    command -v apt-get >/dev/null || fail "missing:$missing (here without apt-get: install what these Debian packages hold)"
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
        fail "missing:$missing; run: sudo $install"
    fi
    echo "setup: installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    # Without the first, a PostgreSQL package would start a server nobody asked for.
    if echo "$missing" | grep -q postgresql && ! [ -e /etc/postgresql-common/createcluster.conf ]; then
        as_root mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    log=$(mktemp)
    { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive $install; } >"$log" 2>&1 || {
        fail "$(tail -n 1 "$log"); run yourself: sudo $install"
    }
    rm -f "$log"
fi

command -v cargo >/dev/null || fail "Rust is missing; run: curl https://sh.rustup.rs -sSf | sh -s -- -y"
rust=$(rustc --version | cut -d' ' -f2)
least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
if [ "$(printf '%s\n%s\n' "$least" "$rust" | sort -V | head -n 1)" != "$least" ]; then
    fail "Rust $rust is older than $least; run: rustup update stable"
fi

scripts/node.sh
