//! File handles: how a browser that has them finds a file again after a reload.
//!
//! The permission calls are not in `web_sys` without its unstable cfg, so they are
//! bound here.

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

#[wasm_bindgen]
extern "C" {
    type Handle;

    #[wasm_bindgen(method, catch, js_name = queryPermission)]
    fn query_permission(this: &Handle, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getFile)]
    fn get_file(this: &Handle) -> Result<Promise, JsValue>;
}

/// The file of a handle that may be read without asking anybody.
pub async fn open_granted(handle: &JsValue) -> Option<File> {
    if !handle.is_object() {
        return None;
    }
    let handle: &Handle = handle.unchecked_ref();
    let options = Object::new();
    Reflect::set(&options, &"mode".into(), &"read".into()).ok()?;
    let permission = JsFuture::from(handle.query_permission(&options).ok()?)
        .await
        .ok()?;
    if permission != "granted" {
        return None;
    }
    JsFuture::from(handle.get_file().ok()?)
        .await
        .ok()?
        .dyn_into()
        .ok()
}
