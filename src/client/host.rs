//! Where a page finds its engine: in a worker that all tabs share and that outlives
//! them for a while, so that a reload does not even interrupt an upload; else in a
//! worker of this page, where neither a busy main thread nor a throttled tab slows it;
//! else in the page itself. Behind a message port it is the same everywhere.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, MessageChannel, MessagePort, PageTransitionEvent, Request, RequestInit};
use web_sys::{Response, SharedWorker, Window, Worker, WorkerOptions, WorkerType};

use super::locks::{self, Held};
use super::port::Port;
use super::seat;
use super::time::random;
use crate::port::{Command, Link, Place, Report, Told, Visit, World};
use crate::ui;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = ["import", "meta"], js_name = url)]
    static BUNDLE: String;

    #[wasm_bindgen(thread_local_v2, js_namespace = location, js_name = search)]
    static SEARCH: String;

    /// Ends this worker.
    fn close();

    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = SharedWorker)]
    static SHARED_WORKER: Option<Object>;
}

/// Starts the engine of this page, or finds the one that runs, and attaches the page.
pub fn start(page: ui::engine::Engine) {
    spawn_local(async move {
        let life = random();
        let alive = locks::hold(&locks::of_life(life)).await;
        let host = Rc::new(Host {
            page,
            life: alive.is_some().then_some(life),
            _alive: alive,
            address: address().await,
            place: Cell::new(0),
            opened: Cell::new(0),
            visit: Cell::default(),
            outdated: Cell::new(false),
            port: RefCell::new(None),
        });
        host.open();
        if let Some(window) = web_sys::window() {
            host.listen(&window);
        }
        page.attach(move |command, files| host.send(&command, &files));
    });
}

/// A page's way to its engine.
struct Host {
    page: ui::engine::Engine,
    /// Names the lock that it holds for as long as it is there.
    life: Option<u64>,
    _alive: Option<Held>,
    /// Of the worker; nothing where the page does not say what to load.
    address: Option<String>,
    place: Cell<usize>,
    /// How often a port was opened.
    opened: Cell<u32>,
    visit: Cell<Visit>,
    /// Whether another build took over. This page must not take it back: it looks for no
    /// other engine, and hears none, until it is loaded anew.
    outdated: Cell<bool>,
    port: RefCell<Option<Rc<Port<Command, Told>>>>,
}

impl Host {
    /// Opens a port at the best place that is left.
    fn open(self: &Rc<Self>) {
        self.opened.set(self.opened.get() + 1);
        while let Some(place) = Place::ALL.get(self.place.get()) {
            match self.port_to(*place) {
                Ok(port) => return self.talk(port),
                Err(_) => self.place.set(self.place.get() + 1),
            }
        }
        web_sys::console::error_1(&"Longhaul: there are no message ports here".into());
    }

    fn port_to(self: &Rc<Self>, place: Place) -> Result<MessagePort, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let address = || self.address.as_deref().ok_or(JsValue::NULL);
        match place {
            Place::Shared => {
                SHARED_WORKER.with(|it| it.is_some().then_some(()).ok_or(JsValue::NULL))?;
                Reflect::set(&options, &"extendedLifetime".into(), &JsValue::TRUE)?;
                let worker = SharedWorker::new_with_worker_options(address()?, &options)?;
                self.on_error(&worker);
                Ok(worker.port())
            }
            Place::Worker => {
                let worker = Worker::new_with_options(address()?, &options)?;
                let channel = MessageChannel::new()?;
                let port = channel.port2();
                worker.post_message_with_transfer(&port, &Array::of1(&port))?;
                self.on_error(&worker);
                Ok(channel.port1())
            }
            Place::Page => {
                let channel = MessageChannel::new()?;
                let build = self.address.as_deref().and_then(|it| it.split_once('?'));
                seat::serve(channel.port2(), build.unwrap_or_default().1);
                Ok(channel.port1())
            }
        }
    }

    /// A worker that cannot be loaded leaves the page to the next place. The listener
    /// also keeps the worker.
    fn on_error(self: &Rc<Self>, worker: &web_sys::EventTarget) {
        let (host, kept, opened) = (self.clone(), worker.clone(), self.opened.get());
        add(worker, "error", move |_| {
            if let Some(worker) = kept.dyn_ref::<Worker>() {
                worker.terminate();
            }
            host.lost(opened);
        });
    }

    fn talk(self: &Rc<Self>, port: MessagePort) {
        let Some(place) = Place::ALL.get(self.place.get()).copied() else {
            return;
        };
        let (host, lost, opened) = (self.clone(), self.clone(), self.opened.get());
        let mut known = None;
        let hear = move |told, _| match told {
            Told::Here { life } => {
                if known.replace(life) != Some(life) {
                    spawn_local(host.clone().mourn(opened, life));
                }
                host.attach();
            }
            Told::Outdated => {
                host.outdated.set(true);
                host.page.apply(Report::Connection(Link::Outdated));
            }
            Told::Report(visit, _) if host.outdated.get() || visit != host.visit.get() => {}
            Told::Report(_, report) => {
                if let Report::Attached { .. } = report {
                    host.page.found(place);
                }
                host.page.apply(report);
            }
        };
        let port = Port::new(port, hear, move || lost.lost(opened));
        *self.port.borrow_mut() = Some(Rc::new(port));
    }

    /// Notices the end of the place where the engine was found.
    async fn mourn(self: Rc<Self>, opened: u32, life: u64) {
        if locks::ended(&locks::of_life(life)).await.is_some() {
            self.lost(opened);
        }
    }

    /// The engine's place is gone, or never was: that of the port that was opened as the
    /// nth.
    fn lost(self: &Rc<Self>, opened: u32) {
        if opened != self.opened.get() || self.outdated.get() {
            return;
        }
        // Whoever was there once can be there again.
        if !self.page.detached() {
            self.place.set(self.place.get() + 1);
        }
        // Not within the port that is replaced.
        let host = self.clone();
        spawn_local(async move { host.open() });
    }

    fn send(&self, command: &Command, files: &Array) {
        let port = self.port.borrow().clone();
        if let Some(port) = port {
            port.send(command, files);
        }
    }

    fn tell(&self, command: &Command) {
        self.send(command, &Array::new());
    }

    fn attach(&self) {
        let visit = self.visit.get().next();
        self.visit.set(visit);
        self.tell(&Command::Attach {
            visit,
            life: self.life,
            topics: self.page.topics(),
        });
    }

    /// Passes on what happens to the page. The listeners live as long as it.
    fn listen(self: &Rc<Self>, window: &Window) {
        let on = |target: &web_sys::EventTarget, name: &str, act: fn(&Host)| {
            let host = self.clone();
            add(target, name, move |_| act(&host));
        };
        on(window, "online", |host| {
            host.tell(&Command::World(World::Online))
        });
        on(window, "offline", |host| {
            host.tell(&Command::World(World::Offline))
        });
        on(window, "pagehide", |host| host.tell(&Command::Detach));
        let Some(document) = window.document() else {
            return;
        };
        on(&document, "freeze", |host| host.tell(&Command::Detach));
        on(&document, "resume", Host::attach);
        let (host, seen) = (self.clone(), document.clone());
        add(&document, "visibilitychange", move |_| {
            if !seen.hidden() {
                host.tell(&Command::World(World::Visible));
            }
        });
        // The first `pageshow` is the page's beginning, not a return.
        let host = self.clone();
        add(window, "pageshow", move |event| {
            let event = event.dyn_ref::<PageTransitionEvent>();
            if event.is_some_and(PageTransitionEvent::persisted) {
                host.attach();
            }
        });
    }
}

fn add(target: &web_sys::EventTarget, name: &str, act: impl Fn(Event) + 'static) {
    let closure = Closure::<dyn Fn(Event)>::new(act);
    let added = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    debug_assert!(added.is_ok());
    closure.forget();
}

/// The address of the worker. It names all that the worker loads, so that pages of one
/// build share one, and those of another have their own.
async fn address() -> Option<String> {
    let path = |url: &str| Some(web_sys::Url::new(url).ok()?.pathname());
    let bundle = path(&BUNDLE.with(String::clone))?;
    let link = "link[rel=preload][as=fetch][type='application/wasm']";
    let link = web_sys::window()?.document()?.query_selector(link);
    let wasm = link.ok()??.get_attribute("href")?;
    let mut address = format!("/upload-worker.js?bundle={bundle}&wasm={wasm}");
    // While developing, names are the same in every build.
    if cfg!(debug_assertions)
        && let Some(modified) = modified(&wasm).await
    {
        let modified = String::from(js_sys::encode_uri_component(&modified));
        address.push_str(&format!("&modified={modified}"));
    }
    Some(address)
}

async fn modified(url: &str) -> Option<String> {
    let head = RequestInit::new();
    head.set_method("HEAD");
    let request = Request::new_with_str_and_init(url, &head).ok()?;
    let response = JsFuture::from(web_sys::window()?.fetch_with_request(&request));
    let response: Response = response.await.ok()?.dyn_into().ok()?;
    response.headers().get("last-modified").ok()?
}

/// The worker's entry: serves the page at the other end of the port.
#[wasm_bindgen]
pub fn upload_worker(port: MessagePort) {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        // Whatever state it was in, it goes; its locks say so, and another takes its place.
        close();
    }));
    SEARCH.with(|search| seat::serve(port, search.trim_start_matches('?')));
}
