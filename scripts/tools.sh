# Where the tools are: sourced by the other scripts, installs nothing.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/versions.env"

# The two halves of wasm-bindgen must be of one version: the lock file's.
WASM_BINDGEN=$(awk -F'"' '/^name = "wasm-bindgen"$/ { getline; print $2 }' "$root/Cargo.lock")

cache=${LONGHAUL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/longhaul}
tools=$cache/tools
export SWC_HOME=$tools/@swc/core-$SWC LIGHTNINGCSS_HOME=$tools/lightningcss-cli-$LIGHTNINGCSS

wasm_std() { # RUSTC
  local sysroot
  sysroot=$("$1" --print sysroot 2>/dev/null) && [ -d "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib" ]
}

# Rust: the one on the PATH, or rustup's, or Debian's where only that one can do WASM.
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
if [ -x /usr/bin/rustc ] && wasm_std /usr/bin/rustc && ! wasm_std rustc; then
  PATH=/usr/bin:$PATH
fi

for tool in "node-$NODE" "cargo-leptos-$CARGO_LEPTOS" "cargo-nextest-$CARGO_NEXTEST" \
  "wasm-bindgen-cli-$WASM_BINDGEN"; do
  PATH=$tools/$tool/bin:$PATH
done
export PATH=$tools/binaryen-$BINARYEN/node_modules/.bin:$PATH

# To the server every LONGHAUL_… is an option of its own.
unset LONGHAUL_CACHE

# Clones share one folder of compiled dependencies. Cargo leaves the hash out of the
# file name of a library that is also a cdylib, so that two clones would overwrite
# each other's, unless it is told this; if one day it no longer listens, no sharing.
if [ ! -e "$cache/build/release/deps/liblonghaul.rlib" ]; then
  export CARGO_BUILD_BUILD_DIR=$cache/build __CARGO_DEFAULT_LIB_METADATA=longhaul
  # Longhaul itself has the same name in each of them, and Cargo looks only whether its files
  # are newer than what was built: after another clone, they are made so.
  if [ "$(cat "$cache/build/clone" 2>/dev/null)" != "$root" ]; then
    mkdir -p "$cache/build"
    touch "$root/src/lib.rs" "$root/hasher/src/lib.rs"
    echo "$root" >"$cache/build/clone"
  fi
fi
