//! In a browser.

mod presence;

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use js_sys::{Date, JsString, Object, Reflect};
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Clipboard, Element, HtmlElement, HtmlInputElement, IntersectionObserver,
    IntersectionObserverEntry, IntersectionObserverInit, ResizeObserver,
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

/// Adds what was dropped before the page was alive; says whether there was anything.
pub fn files_dropped_early(engine: Engine) -> bool {
    pick::from_early(engine)
}

/// Adds what was pasted; says whether there were files.
pub fn files_pasted(engine: Engine, event: &ev::ClipboardEvent) -> bool {
    event
        .clipboard_data()
        .is_some_and(|transfer| pick::from_transfer(engine, &transfer))
}

/// The name or address by which this page was reached, without its port.
pub fn host() -> Option<String> {
    web_sys::window()?.location().hostname().ok()
}

/// What the browser says of itself.
pub fn agent() -> String {
    let agent = web_sys::window().and_then(|it| it.navigator().user_agent().ok());
    agent.unwrap_or_default()
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

/// A text as it is searched: letters great or small, and wide or narrow, are the same.
pub fn fold(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => {
            let text = JsString::from(text).normalize("NFKC");
            text.to_lower_case().into()
        }
    }
}

/// Shows the picture of an upload's file, once there is one.
pub fn picture(engine: Engine, key: Key, shown: RwSignal<Option<Arc<str>>>) {
    if let Some(url) = engine.picture(key) {
        return shown.set(Some(url));
    }
    let Some(file) = engine.pictured(key) else {
        return;
    };
    spawn_local(async move {
        let wanted = || shown.try_get_untracked().is_some();
        if let Some(url) = client::picture::of(file, wanted).await {
            let url: Arc<str> = url.into();
            engine.keep_picture(key, url.clone());
            shown.try_set(Some(url));
        }
    });
}

/// Does something with the next picture that the browser paints; soon, where it paints none.
pub fn soon(act: impl FnOnce() + 'static) {
    match document().hidden() {
        true => set_timeout(act, Duration::ZERO),
        false => request_animation_frame(act),
    }
}

/// Tells how high an element is, and when that changes.
pub fn watch_height(place: NodeRef<Div>, told: impl Fn(f64) + 'static) {
    let told = Rc::new(told);
    Effect::new(move |_| {
        let Some(element) = place.get() else {
            return;
        };
        let (watched, told) = (element.clone(), told.clone());
        let changed = Closure::<dyn FnMut()>::new(move || {
            told(watched.get_bounding_client_rect().height());
        });
        if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&element);
            let observer = StoredValue::new_local((observer, changed));
            on_cleanup(move || _ = observer.try_with_value(|(it, _)| it.disconnect()));
        }
    });
}

/// Which part of an element is seen, in pixels from its upper edge.
pub fn seen(place: NodeRef<Div>) -> Option<Range<f64>> {
    let top = place.get_untracked()?.get_bounding_client_rect().top();
    let height = window().inner_height().ok()?.as_f64()?;
    Some(-top..height - top)
}

/// Scrolls just as far as it takes to see a part of an element.
pub fn scroll_to(place: NodeRef<Div>, top: f64, height: f64) {
    // What sticks to the upper edge of the window covers it.
    const COVERED: f64 = 120.0;
    let Some(seen) = seen(place) else {
        return;
    };
    let by = if top < seen.start + COVERED {
        top - seen.start - COVERED
    } else if top + height > seen.end {
        top + height - seen.end
    } else {
        return;
    };
    window().scroll_by_with_x_and_y(0.0, by);
}

/// A part of an element, which ended here, is so much higher than it was: what is seen stays
/// where it is. (Not every browser does that by itself, and none does it for the list.)
pub fn stay(place: NodeRef<Div>, end: f64, more: f64) {
    if seen(place).is_some_and(|seen| end <= seen.start) {
        window().scroll_by_with_x_and_y(0.0, more);
    }
}

/// Scrolls while something is held at the edge of the window; whether it does.
pub fn scroll_at_edge(y: f64) -> bool {
    const EDGE: f64 = 96.0;
    let height = window().inner_height().ok().and_then(|it| it.as_f64());
    let height = height.unwrap_or_default();
    let far = (EDGE - y).max(0.0) - (y - (height - EDGE)).max(0.0);
    window().scroll_by_with_x_and_y(0.0, -far / 5.0);
    far != 0.0
}

/// The line of the list that has the focus.
pub fn focused_item(place: NodeRef<Div>) -> Option<String> {
    let focus = document().active_element()?;
    let within = place.get_untracked()?.contains(Some(&focus));
    within.then(|| item_of(Some(focus.into()))).flatten()
}

/// Gives the focus to the button for choosing files: what had it is about to go.
pub fn focus_picker() {
    if let Ok(Some(input)) = document().query_selector(".pick.is-primary input")
        && let Some(input) = input.dyn_ref::<HtmlElement>()
    {
        _ = input.focus();
    }
}

/// The line of the list in which an event happens.
pub fn item_of(target: Option<web_sys::EventTarget>) -> Option<String> {
    closest(target, "[data-item]")?.get_attribute("data-item")
}

/// Which of the things to press in a line an event is about.
pub fn control_of(target: Option<web_sys::EventTarget>) -> Option<String> {
    closest(target, "[data-control]")?.get_attribute("data-control")
}

/// Whether an event happens in what a selector says.
pub fn is_in(target: Option<web_sys::EventTarget>, selector: &str) -> bool {
    closest(target, selector).is_some()
}

fn closest(target: Option<web_sys::EventTarget>, selector: &str) -> Option<Element> {
    let target: Element = target?.dyn_into().ok()?;
    target.closest(selector).ok().flatten()
}

/// Gives a line of the list the focus: the thing to press that is asked for, or the first
/// that is there. Whether it could.
pub fn focus(place: NodeRef<Div>, item: &str, control: &str) -> bool {
    let Some(list) = place.get_untracked() else {
        return false;
    };
    let all = format!("[data-item={item}] :is(button, summary, a, input)");
    let Ok(all) = list.query_selector_all(&all) else {
        return false;
    };
    let all = (0..all.length()).filter_map(|index| all.get(index)?.dyn_into::<HtmlElement>().ok());
    // What is not shown has no box.
    let all: Vec<HtmlElement> = all.filter(|it| it.offset_parent().is_some()).collect();
    let asked = all
        .iter()
        .find(|it| it.get_attribute("data-control").as_deref() == Some(control));
    let Some(element) = asked.or(all.first()) else {
        return false;
    };
    element.focus().is_ok()
}

/// From now on the pointer belongs to what it is on, wherever it goes.
pub fn hold(event: &ev::PointerEvent) {
    let target = event.target().and_then(|it| it.dyn_into::<Element>().ok());
    if let Some(target) = target {
        _ = target.set_pointer_capture(event.pointer_id());
    }
}

/// Puts the focus into a field for the name of a file, with all selected but the ending,
/// which is seldom changed.
pub fn begin_to_write(input: &HtmlInputElement) {
    _ = input.focus();
    let value = input.value();
    let stem = value.rfind('.').filter(|dot| *dot > 0);
    let end = value[..stem.unwrap_or(value.len())].encode_utf16().count();
    _ = input.set_selection_range(0, u32::try_from(end).unwrap_or(u32::MAX));
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
