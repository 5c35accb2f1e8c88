//! How the page lives on its device: its service worker, and what other apps share with it.

use js_sys::Reflect;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ServiceWorkerContainer, Window};

use crate::client::pick;
use crate::port::{Given, Tag};
use crate::ui::engine::Engine;

/// Registers the service worker, which takes what other apps share.
pub fn register() {
    if let Some(container) = service_workers() {
        // A browser that does not want it, in a private window for one, does without.
        let registered = container.register("/sw.js");
        spawn_local(async move { _ = JsFuture::from(registered).await });
    }
}

/// Pages that are not secure have none.
fn service_workers() -> Option<ServiceWorkerContainer> {
    let navigator = window()?.navigator();
    let there = Reflect::has(&navigator, &"serviceWorker".into()) == Ok(true);
    there.then(|| navigator.service_worker())
}

fn window() -> Option<Window> {
    web_sys::window()
}

/// Whether the page runs as an app of its own, not in a tab.
pub fn is_installed() -> bool {
    let tab = window().and_then(|it| it.match_media("(display-mode: browser)").ok()?);
    tab.is_some_and(|tab| !tab.matches())
}

/// Says what another app shared and nobody took yet.
pub fn shared(say: impl FnOnce(Vec<Given>) + 'static) {
    pick::shared(say);
}

/// Puts into the queue what another app shared.
pub fn take_shared(engine: Engine, tags: Vec<Tag>) {
    pick::take_shared(engine, tags);
}

/// Forgets what another app shared.
pub fn leave_shared(tags: Vec<Tag>) {
    pick::leave_shared(tags);
}
