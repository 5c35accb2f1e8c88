//! The BLAKE3 of blocks: with SIMD where the browser has it, in a module of its own.
//!
//! Browsers that do not have it refuse that module; then, and until it is loaded, blocks
//! are hashed by the bundle.

use std::cell::OnceCell;

use js_sys::{Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::protocol::block::{Block, Buffer};
use crate::verify::{BLOCK, BlockHash};

const MODULE: &str = "/hasher.wasm";
/// The longest piece that the module takes, in bytes.
const PIECE: usize = 64 * 1024;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(url: &str) -> js_sys::Promise;

    /// What the module exports: see its source.
    type Exports;
    #[wasm_bindgen(method, getter)]
    fn memory(this: &Exports) -> WebAssembly::Memory;
    #[wasm_bindgen(method)]
    fn piece(this: &Exports) -> u32;
    #[wasm_bindgen(method)]
    fn begin(this: &Exports, block: u32);
    #[wasm_bindgen(method)]
    fn update(this: &Exports, len: usize);
    #[wasm_bindgen(method)]
    fn finish(this: &Exports, whole: bool);
}

/// Hashes blocks.
#[derive(Default)]
pub struct Hasher(OnceCell<Module>);

struct Module {
    exports: Exports,
    piece: Uint8Array,
}

impl Hasher {
    /// Loads the module.
    pub async fn load(&self) {
        if let Ok(module) = Module::load().await {
            let _ = self.0.set(module);
        }
    }

    /// Hashes block `index` of a file of `size` bytes.
    pub fn hash(&self, block: Buffer, index: u64, size: u64) -> Block {
        let hash = self.0.get().and_then(|module| {
            let index = index.try_into().ok()?;
            Some(module.hash(index, size <= BLOCK, block.bytes()))
        });
        match hash {
            Some(hash) => block.hashed(hash),
            None => block.hash(index, size),
        }
    }
}

impl Module {
    async fn load() -> Result<Self, JsValue> {
        let imports = Object::new();
        let loading = WebAssembly::instantiate_streaming(&fetch(MODULE), &imports);
        let loaded = JsFuture::from(loading).await?;
        let instance = Reflect::get(&loaded, &"instance".into())?;
        let exports: Exports = Reflect::get(&instance, &"exports".into())?.unchecked_into();
        let place = exports.piece();
        let memory = exports.memory().buffer();
        let piece = Uint8Array::new_with_byte_offset_and_length(&memory, place, PIECE as u32);
        Ok(Self { exports, piece })
    }

    fn hash(&self, index: u32, whole: bool, bytes: &[u8]) -> BlockHash {
        self.exports.begin(index);
        for piece in bytes.chunks(PIECE) {
            let place = self.piece.subarray(0, piece.len() as u32);
            place.copy_from(piece);
            self.exports.update(piece.len());
        }
        self.exports.finish(whole);
        let mut hash = [0; 32];
        self.piece.subarray(0, 32).copy_to(&mut hash);
        BlockHash(hash)
    }
}
