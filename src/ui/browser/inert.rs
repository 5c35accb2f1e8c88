//! On a server: nothing. See the other half for what each function is for.
#![allow(missing_docs, clippy::missing_const_for_fn)]

use std::ops::Range;
use std::sync::Arc;

use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::web_sys::{self, HtmlInputElement};

use crate::port::{Given, Key, Tag};
use crate::protocol::id::FileId;
use crate::ui::engine::Engine;
use crate::ui::tell_me::Permission;
use crate::ui::theme::Theme;

pub fn now() -> f64 {
    0.0
}

pub fn start(_engine: Engine) {}

pub fn files_picked(_engine: Engine, _input: &HtmlInputElement) {}

pub fn file_provided(_engine: Engine, _key: Key, _input: &HtmlInputElement) {}

pub fn choosing(_engine: Engine, _key: Option<Key>, _event: &ev::MouseEvent) {}

pub fn ask_again(_engine: Engine, _key: Key, _path: String, _id: Option<FileId>) {}

pub fn reload() {}

pub fn drag_has_files(_event: &ev::DragEvent) -> bool {
    false
}

pub fn files_dropped(_engine: Engine, _event: &ev::DragEvent) -> bool {
    false
}

pub fn files_dropped_early(_engine: Engine) -> bool {
    false
}

pub fn files_pasted(_engine: Engine, _event: &ev::ClipboardEvent) -> bool {
    false
}

pub fn host() -> Option<String> {
    #[cfg(feature = "ssr")]
    {
        let request = use_context::<http::request::Parts>()?;
        let host = request.headers.get(http::header::HOST)?.to_str().ok()?;
        let host: http::uri::Authority = host.parse().ok()?;
        Some(host.host().to_owned())
    }
    #[cfg(not(feature = "ssr"))]
    None
}

pub fn agent() -> String {
    String::new()
}

pub fn copy(_text: String, _done: impl FnOnce() + 'static) {}

pub fn address(path: &str) -> String {
    path.to_owned()
}

pub fn download(_path: &str) {}

pub fn shows_pdf() -> bool {
    false
}

pub fn local_time(_millis: i64, _language: &str) -> Option<String> {
    None
}

pub fn language() -> Option<String> {
    None
}

pub fn set_language(_tag: &str) {}

pub fn set_cookie(_cookie: &str) {}

pub struct Awake;

pub fn stay_awake() -> Awake {
    Awake
}

pub fn may_notify() -> Permission {
    Permission::Denied
}

pub fn ask_to_notify(_answer: impl FnOnce(Permission) + 'static) {}

pub fn notify(_title: String, _body: &'static str) {}

pub fn is_installed() -> bool {
    false
}

pub fn shared(_say: impl FnOnce(Vec<Given>) + 'static) {}

pub fn take_shared(_engine: Engine, _tags: Vec<Tag>) {}

pub fn leave_shared(_tags: Vec<Tag>) {}

pub fn set_theme(_theme: Theme) {}

pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

pub fn picture(_engine: Engine, _key: Key, _shown: RwSignal<Option<Arc<str>>>) {}

pub fn soon(_act: impl FnOnce() + 'static) {}

pub fn watch_height(_place: NodeRef<Div>, _told: impl Fn(f64) + 'static) {}

pub fn seen(_place: NodeRef<Div>) -> Option<Range<f64>> {
    None
}

pub fn scroll_to(_place: NodeRef<Div>, _top: f64, _height: f64) {}

pub fn stay(_place: NodeRef<Div>, _end: f64, _more: f64) {}

pub fn scroll_at_edge(_y: f64) -> bool {
    false
}

pub fn focused_item(_place: NodeRef<Div>) -> Option<String> {
    None
}

pub fn item_of(_target: Option<web_sys::EventTarget>) -> Option<String> {
    None
}

pub fn control_of(_target: Option<web_sys::EventTarget>) -> Option<String> {
    None
}

pub fn is_in(_target: Option<web_sys::EventTarget>, _selector: &str) -> bool {
    false
}

pub fn focus(_place: NodeRef<Div>, _item: &str, _control: &str) -> bool {
    false
}

pub fn focus_picker() {}

pub fn hold(_event: &ev::PointerEvent) {}

pub fn begin_to_write(_input: &HtmlInputElement) {}

pub fn watch_sight(_place: NodeRef<Div>, _near: RwSignal<bool>, _height: RwSignal<Option<f64>>) {}
