//! How the page lives on its device: its service worker, the screen, notifications, and
//! what other apps share with it.

use std::convert::Infallible;

use futures::channel::oneshot;
use js_sys::{Object, Promise, Reflect};
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationPermission, ServiceWorkerContainer};
use web_sys::{ServiceWorkerRegistration, Window};

use crate::client::pick;
use crate::port::{Given, Tag};
use crate::ui::engine::Engine;
use crate::ui::tell_me::Permission;

// Not in `web_sys` without its unstable cfg.
#[wasm_bindgen]
extern "C" {
    type WakeLock;

    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = wakeLock)]
    static WAKE_LOCK: Option<WakeLock>;

    #[wasm_bindgen(method, catch)]
    fn request(this: &WakeLock, kind: &str) -> Result<Promise, JsValue>;

    type WakeLockSentinel;

    #[wasm_bindgen(method, catch)]
    fn release(this: &WakeLockSentinel) -> Result<Promise, JsValue>;
}

/// The screen stays on until this is dropped.
#[derive(Debug)]
pub struct Awake(
    #[expect(dead_code, reason = "its end is what counts")] oneshot::Sender<Infallible>,
);

/// Keeps the screen on, where the browser lets a page do that.
pub fn stay_awake() -> Awake {
    let (awake, over) = oneshot::channel();
    spawn_local(async move {
        let request = |it: &Option<WakeLock>| it.as_ref()?.request("screen").ok();
        if let Some(request) = WAKE_LOCK.with(request)
            && let Ok(lock) = JsFuture::from(request).await
        {
            _ = over.await;
            let lock: &WakeLockSentinel = lock.unchecked_ref();
            if let Ok(released) = lock.release() {
                _ = JsFuture::from(released).await;
            }
        }
    });
    Awake(awake)
}

/// Registers the service worker, which takes what other apps share and shows notifications.
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

/// Whether the person lets the page show notifications.
pub fn may_notify() -> Permission {
    let there = Reflect::has(&js_sys::global(), &"Notification".into()) == Ok(true);
    match there && service_workers().is_some() {
        true => permission(Notification::permission()),
        false => Permission::Denied,
    }
}

/// Asks the person for that, in answer to a click.
pub fn ask_to_notify(answer: impl FnOnce(Permission) + 'static) {
    if let Ok(asked) = Notification::request_permission() {
        spawn_local(async move {
            _ = JsFuture::from(asked).await;
            answer(may_notify());
        });
    }
}

fn permission(said: NotificationPermission) -> Permission {
    match said {
        NotificationPermission::Default => Permission::Open,
        NotificationPermission::Granted => Permission::Granted,
        _ => Permission::Denied,
    }
}

/// Shows a notification, if the person lets it and no page of ours is in sight: the service
/// worker knows of all of them.
pub fn notify(title: String, body: &'static str) {
    if may_notify() != Permission::Granted {
        return;
    }
    spawn_local(async move {
        let message = Object::new();
        for (name, value) in [("title", title.as_str()), ("body", body)] {
            if Reflect::set(&message, &name.into(), &value.into()).is_err() {
                return;
            }
        }
        if let Some(container) = service_workers()
            && let Ok(found) = JsFuture::from(container.get_registration()).await
            && let Ok(registration) = found.dyn_into::<ServiceWorkerRegistration>()
            && let Some(worker) = registration.active()
        {
            _ = worker.post_message(&message);
        }
    });
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
