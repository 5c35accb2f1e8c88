//! File handles: how a browser that has them finds a file again after a reload.
//!
//! The permission calls and the picker are not in `web_sys` without its unstable cfg,
//! so they are bound here.

use std::cell::Cell;

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomException, File};

use super::shared;

#[wasm_bindgen]
extern "C" {
    type Handle;

    #[wasm_bindgen(method, catch, js_name = queryPermission)]
    fn query_permission(this: &Handle, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = requestPermission)]
    fn request_permission(this: &Handle, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getFile)]
    fn get_file(this: &Handle) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_name = showOpenFilePicker)]
    fn show_open_file_picker(options: &Object) -> Result<Promise, JsValue>;
}

/// The file of a handle that may be read without asking anybody.
pub async fn open_granted(handle: &JsValue) -> Option<File> {
    open_if(handle, Handle::query_permission).await
}

/// The file of a handle, which may mean that the browser asks the person. It does so
/// only in answer to a click.
pub async fn ask(handle: &JsValue) -> Option<File> {
    open_if(handle, Handle::request_permission).await
}

async fn open_if(
    handle: &JsValue,
    permission: fn(&Handle, &Object) -> Result<Promise, JsValue>,
) -> Option<File> {
    if !handle.is_object() {
        return None;
    }
    if let Some(file) = shared::file_of(handle).await {
        return Some(file);
    }
    let handle: &Handle = handle.unchecked_ref();
    let read = options("mode", &"read".into())?;
    let permission = JsFuture::from(permission(handle, &read).ok()?).await.ok()?;
    if permission == "granted" {
        file(handle).await
    } else {
        None
    }
}

async fn file(handle: &Handle) -> Option<File> {
    let file = JsFuture::from(handle.get_file().ok()?).await.ok()?;
    file.dyn_into().ok()
}

thread_local! {
    /// Whether the picker was tried and the browser has it without ever opening it.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the browser has a picker that gives handles.
pub fn can_pick() -> bool {
    !REFUSED.get() && Reflect::has(&js_sys::global(), &"showOpenFilePicker".into()) == Ok(true)
}

/// Lets the person pick files, in answer to a click. What cannot be read is `None`.
/// Fails, from then on, if the browser does not open its picker.
pub async fn pick(multiple: bool) -> Result<Vec<(JsValue, Option<File>)>, NoPicker> {
    let handles = match open_picker(multiple).await {
        Ok(handles) => handles,
        Err(error) if is_passing(&error) => Array::new(),
        Err(_) => {
            REFUSED.set(true);
            return Err(NoPicker);
        }
    };
    let mut files = Vec::new();
    for handle in handles {
        let file = file(handle.unchecked_ref()).await;
        files.push((handle, file));
    }
    Ok(files)
}

/// The browser does not open its picker.
#[derive(Debug)]
pub struct NoPicker;

async fn open_picker(multiple: bool) -> Result<Array, JsValue> {
    let options = options("multiple", &multiple.into()).ok_or(JsValue::NULL)?;
    JsFuture::from(show_open_file_picker(&options)?)
        .await?
        .dyn_into()
}

/// Whoever thinks better of it picks nothing (`AbortError`), and so does a second click
/// while the picker is open (`NotAllowedError`).
fn is_passing(error: &JsValue) -> bool {
    let name = error.dyn_ref::<DomException>().map(DomException::name);
    matches!(name.as_deref(), Some("AbortError" | "NotAllowedError"))
}

fn options(name: &str, value: &JsValue) -> Option<Object> {
    let options = Object::new();
    Reflect::set(&options, &name.into(), value).ok()?;
    Some(options)
}
