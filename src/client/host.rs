//! Where the engine lives: in a worker of this page, so that neither a busy main
//! thread nor a throttled tab slows it, or where there are no workers in the page
//! itself. Behind a message port it is the same either way.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Event, MessageChannel, MessagePort, PageTransitionEvent, Window, Worker};
use web_sys::{WorkerOptions, WorkerType};

use super::engine::Engine;
use super::port::Port;
use crate::port::{Command, PageEvent, Report};
use crate::ui;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = ["import", "meta"], js_name = url)]
    static BUNDLE: String;

    #[wasm_bindgen(thread_local_v2, js_namespace = location, js_name = origin)]
    static ORIGIN: String;

    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = onLine)]
    static ON_LINE: bool;
}

/// Starts the engine of this page and attaches it to the page's end of the port.
pub fn start(page: ui::engine::Engine) {
    let Some(port) = spawn() else {
        return web_sys::console::error_1(&"Longhaul: there are no message ports here".into());
    };
    let port = std::rc::Rc::new(Port::<Command, Report>::new(port, move |report, _| {
        page.apply(report);
    }));
    if let Some(window) = web_sys::window() {
        let tell = port.clone();
        listen(&window, move |event| {
            tell.send(&Command::Page(event), &Array::new())
        });
    }
    page.attach(move |command, files| port.send(&command, &files));
}

/// The page's end of a port to a new engine.
fn spawn() -> Option<MessagePort> {
    let channel = MessageChannel::new().ok()?;
    match spawn_worker(&channel.port2()) {
        Ok(()) => {}
        Err(_) => serve(channel.port2()),
    }
    Some(channel.port1())
}

fn spawn_worker(port: &MessagePort) -> Result<(), JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let worker = Worker::new_with_options("/upload-worker.js", &options)?;
    let start = Array::of3(
        &BUNDLE.with(String::clone).into(),
        &wasm_bindgen::module(),
        port,
    );
    worker.post_message_with_transfer(&start, &Array::of1(port))?;
    // The page and its worker end together: nobody needs the handle again.
    std::mem::forget(worker);
    Ok(())
}

/// Serves the page at the other end of the port.
pub fn serve(port: MessagePort) {
    let origin = ORIGIN.with(String::clone);
    let online = ON_LINE.with(|online| *online);
    // It lives on in its own listeners.
    drop(Engine::start(port, &origin, online));
}

/// Passes on what happens to the page.
fn listen(window: &Window, tell: impl Fn(PageEvent) + Clone + 'static) {
    let on = |target: &JsValue, name: &str, event: PageEvent| {
        let tell = tell.clone();
        add(target, name, move |_| tell(event));
    };
    on(window, "online", PageEvent::Online);
    on(window, "offline", PageEvent::Offline);
    on(window, "pagehide", PageEvent::Hidden);
    if let Some(document) = window.document() {
        on(&document, "freeze", PageEvent::Hidden);
        on(&document, "resume", PageEvent::Shown);
        let tell = tell.clone();
        let seen = document.clone();
        add(&document, "visibilitychange", move |_| {
            if !seen.hidden() {
                tell(PageEvent::Visible);
            }
        });
    }
    // The first `pageshow` is the page's beginning, not a return.
    add(window, "pageshow", move |event| {
        if event
            .dyn_ref::<PageTransitionEvent>()
            .is_some_and(PageTransitionEvent::persisted)
        {
            tell(PageEvent::Shown);
        }
    });
}

fn add(target: &JsValue, name: &str, act: impl Fn(Event) + 'static) {
    let closure = Closure::<dyn Fn(Event)>::new(act);
    if let Some(target) = target.dyn_ref::<web_sys::EventTarget>() {
        let added = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        debug_assert!(added.is_ok());
    }
    // These listeners live as long as the page.
    closure.forget();
}

/// The worker's entry: serves the page at the other end of the port.
#[wasm_bindgen]
pub fn upload_worker(port: MessagePort) {
    console_error_panic_hook::set_once();
    serve(port);
}
