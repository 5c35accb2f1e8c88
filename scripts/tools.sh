# Where the tools are: sourced by the other scripts, installs nothing.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/versions.env"

# The two halves of wasm-bindgen must be of one version: the lock file's.
WASM_BINDGEN=$(awk -F'"' '/^name = "wasm-bindgen"$/ { getline; print $2 }' "$root/Cargo.lock")

export LONGHAUL_TOOLS=${LONGHAUL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/longhaul}/tools
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
