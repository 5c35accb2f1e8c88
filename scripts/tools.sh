# Where the tools are: sourced by the other scripts, installs nothing.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/versions.env"

# The two halves of wasm-bindgen must be of one version: the lock file's.
WASM_BINDGEN=$(awk -F'"' '/^name = "wasm-bindgen"$/ { getline; print $2 }' "$root/Cargo.lock")

cache=${LONGHAUL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/longhaul}
export LONGHAUL_TOOLS=$cache/tools
export LONGHAUL_SWC=$LONGHAUL_TOOLS/@swc/core-$SWC
export LONGHAUL_LIGHTNINGCSS=$LONGHAUL_TOOLS/lightningcss-cli-$LIGHTNINGCSS

wasm_std() { [ -d "$("$1" --print sysroot 2>/dev/null)/lib/rustlib/wasm32-unknown-unknown/lib" ]; }

# Rust: the one on the PATH, or rustup's, or Debian's where only that one can do WASM.
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
if [ -x /usr/bin/rustc ] && wasm_std /usr/bin/rustc && ! wasm_std rustc; then
  PATH=/usr/bin:$PATH
fi

for tool in "node-$NODE" "cargo-leptos-$CARGO_LEPTOS" "cargo-nextest-$CARGO_NEXTEST" \
  "wasm-bindgen-cli-$WASM_BINDGEN"; do
  PATH=$LONGHAUL_TOOLS/$tool/bin:$PATH
done
export PATH=$LONGHAUL_TOOLS/binaryen-$BINARYEN/node_modules/.bin:$PATH

# Clones share one folder of compiled dependencies. Cargo leaves the hash out of the
# file name of a library that is also a cdylib, so that two clones would overwrite
# each other's, unless it is told this; if one day it no longer listens, no sharing.
if [ ! -e "$cache/build/release/deps/liblonghaul.rlib" ]; then
  export CARGO_BUILD_BUILD_DIR=$cache/build __CARGO_DEFAULT_LIB_METADATA=longhaul
fi
