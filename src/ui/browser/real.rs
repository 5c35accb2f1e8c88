//! In a browser.

mod presence;

use js_sys::{Date, Object, Reflect};
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Clipboard, HtmlElement, HtmlInputElement, IntersectionObserver, IntersectionObserverEntry,
    IntersectionObserverInit,
};

use crate::client::{self, pick};
use crate::port::Key;
use crate::protocol::id::FileId;
use crate::ui::engine::Engine;
use crate::ui::theme::Theme;

pub use presence::*;

/// Milliseconds since 1970 on this page's clock.
pub fn now() -> f64 {
    Date::now()
}

/// Starts the engine of this page and attaches it.
pub fn start(engine: Engine) {
    client::start(engine);
    register();
}

/// Adds the files of a file input, if there are any, and empties it.
pub fn files_picked(engine: Engine, input: &HtmlInputElement) {
    pick::from_input(engine, input);
}

/// Gives an upload the file of a file input, and empties it.
pub fn file_provided(engine: Engine, key: Key, input: &HtmlInputElement) {
    pick::for_upload(engine, key, input);
}

/// A click on a file input: where the browser has a better picker, that one opens.
pub fn choosing(engine: Engine, key: Option<Key>, event: &ev::MouseEvent) {
    if let Some(input) = event.target().and_then(|it| it.dyn_into().ok())
        && pick::choose(engine, key, input)
    {
        event.prevent_default();
    }
}

/// Asks the browser for the file of an upload of which it kept a handle.
pub fn ask_again(engine: Engine, key: Key, path: String, id: Option<FileId>) {
    pick::ask_again(engine, key, path, id);
}

/// Loads the page anew.
pub fn reload() {
    if let Some(window) = web_sys::window() {
        _ = window.location().reload();
    }
}

/// Whether a drag carries files.
pub fn drag_has_files(event: &ev::DragEvent) -> bool {
    event
        .data_transfer()
        .is_some_and(|transfer| pick::has_files(&transfer))
}

/// Adds what was dropped; says whether there were files.
pub fn files_dropped(engine: Engine, event: &ev::DragEvent) -> bool {
    event
        .data_transfer()
        .is_some_and(|transfer| pick::from_transfer(engine, &transfer))
}

/// Adds what was pasted; says whether there were files.
pub fn files_pasted(engine: Engine, event: &ev::ClipboardEvent) -> bool {
    event
        .clipboard_data()
        .is_some_and(|transfer| pick::from_transfer(engine, &transfer))
}

/// Puts text on the clipboard, and calls `done` if that worked. Browsers allow it
/// on secure pages only.
pub fn copy(text: String, done: impl FnOnce() + 'static) {
    let clipboard = web_sys::window()
        .and_then(|window| Reflect::get(&window.navigator(), &"clipboard".into()).ok())
        .and_then(|clipboard| clipboard.dyn_into::<Clipboard>().ok());
    if let Some(clipboard) = clipboard {
        spawn_local(async move {
            let written = JsFuture::from(clipboard.write_text(&text)).await;
            if written.is_ok() {
                done();
            }
        });
    }
}

/// The whole address of a path on this server, for other places to link to.
pub fn address(path: &str) -> String {
    let origin = web_sys::window().and_then(|window| window.location().origin().ok());
    format!("{}{path}", origin.unwrap_or_default())
}

/// Has the browser save what is at a path, without leaving the page.
pub fn download(path: &str) {
    let link = document()
        .create_element("a")
        .ok()
        .and_then(|link| link.dyn_into::<HtmlElement>().ok());
    if let Some(link) = link {
        _ = link.set_attribute("href", path);
        _ = link.set_attribute("download", "");
        link.click();
    }
}

/// Whether the browser shows a PDF in a frame; others would save it.
pub fn shows_pdf() -> bool {
    web_sys::window()
        .and_then(|window| Reflect::get(&window.navigator(), &"pdfViewerEnabled".into()).ok())
        .is_some_and(|enabled| enabled.is_truthy())
}

/// A moment in the reader's time zone, in the form of `language`, or in the reader's own if
/// that is a variety of it.
pub fn local_time(millis: i64, language: &str) -> Option<String> {
    let options = Object::new();
    for (name, value) in [("dateStyle", "medium"), ("timeStyle", "short")] {
        Reflect::set(&options, &name.into(), &value.into()).ok()?;
    }
    let kind = |tag: &str| tag.split('-').next().map(str::to_lowercase);
    let own = web_sys::window()
        .and_then(|window| window.navigator().language())
        .filter(|own| kind(own) == kind(language));
    let date = Date::new(&JsValue::from_f64(millis as f64));
    let shown = date.to_locale_string(own.as_deref().unwrap_or(language), &options);
    Some(shown.into())
}

/// The language that the page says it is in.
pub fn language() -> Option<String> {
    document().document_element()?.get_attribute("lang")
}

/// Says that the page is in this language now.
pub fn set_language(tag: &str) {
    if let Some(html) = document().document_element() {
        _ = html.set_attribute("lang", tag);
    }
}

/// The theme in which the page was rendered.
pub fn theme() -> Option<String> {
    document().document_element()?.get_attribute("data-theme")
}

/// Turns the document to a theme.
pub fn set_theme(theme: Theme) {
    if let Some(html) = document().document_element() {
        _ = html.set_attribute("data-theme", theme.word());
    }
    set_content("meta[name=color-scheme]", theme.schemes());
    for system in [Theme::Light, Theme::Dark] {
        let query = format!("meta[name=theme-color][media*={}]", system.word());
        set_content(&query, theme.around(system));
    }
}

fn set_content(query: &str, content: &str) {
    if let Ok(Some(meta)) = document().query_selector(query) {
        _ = meta.set_attribute("content", content);
    }
}

/// Sets a cookie.
pub fn set_cookie(cookie: &str) {
    _ = Reflect::set(&document(), &"cookie".into(), &cookie.into());
}

/// Keeps up whether an element is in sight or nearly so, and how high it was when it last
/// was. What has the focus counts as seen.
pub fn watch_sight(place: NodeRef<Div>, near: RwSignal<bool>, height: RwSignal<Option<f64>>) {
    Effect::new(move |_| {
        let Some(element) = place.get() else {
            return;
        };
        let watched = element.clone();
        let seen = Closure::<dyn FnMut(Vec<IntersectionObserverEntry>)>::new(
            move |entries: Vec<IntersectionObserverEntry>| {
                let seen = entries.last().is_some_and(|it| it.is_intersecting());
                let focus = document().active_element();
                let focused = focus.is_some_and(|focus| watched.contains(Some(&focus)));
                if !seen && !focused && near.get_untracked() {
                    height.set(Some(watched.offset_height().into()));
                }
                if near.get_untracked() != (seen || focused) {
                    near.set(seen || focused);
                }
            },
        );
        let init = IntersectionObserverInit::new();
        // As much again as is seen, on both sides.
        init.set_root_margin("100% 0px");
        let callback = seen.as_ref().unchecked_ref();
        match IntersectionObserver::new_with_options(callback, &init) {
            Ok(observer) => {
                observer.observe(&element);
                let observer = StoredValue::new_local((observer, seen));
                on_cleanup(move || observer.with_value(|(it, _)| it.disconnect()));
            }
            // Without one, all is on the page.
            Err(_) => near.set(true),
        }
    });
}
