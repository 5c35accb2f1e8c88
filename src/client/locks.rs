//! Web Locks: held for as long as their holder lives, however it ends, so that others
//! notice. Browsers give them to secure pages only, and to loopback.
//!
//! They are not in `web_sys` without its unstable cfg, so the one call is bound here.

use futures::channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = locks)]
    static LOCKS: Option<LockManager>;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &Closure<dyn FnMut(JsValue) -> Promise>,
    ) -> Result<Promise, JsValue>;
}

/// The lock by which others know that somebody lives.
pub fn of_life(id: u64) -> String {
    format!("longhaul-life-{id:x}")
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Held(Function);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}

/// A lock that was asked for; dropping this takes the request back.
pub struct Request {
    abort: AbortController,
    grant: oneshot::Receiver<()>,
    release: Option<Function>,
    _callback: Closure<dyn FnMut(JsValue) -> Promise>,
}

impl Request {
    /// Asks for a lock; `mode` is `exclusive` or `shared`. Nothing where there are none.
    pub fn new(name: &str, mode: &str) -> Option<Self> {
        let abort = AbortController::new().ok()?;
        let options = Object::new();
        Reflect::set(&options, &"mode".into(), &mode.into()).ok()?;
        Reflect::set(&options, &"signal".into(), &abort.signal()).ok()?;
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let (granted, grant) = oneshot::channel();
        let mut granted = Some(granted);
        let callback = Closure::new(move |_lock| {
            if let Some(granted) = granted.take() {
                let _ = granted.send(());
            }
            held.clone()
        });
        let request = |locks: &LockManager| locks.request(name, &options, &callback).ok();
        let ended = LOCKS.with(|locks| request(locks.as_ref()?))?;
        // It ends with the lock, or fails when it was taken back: both are known.
        spawn_local(async move { _ = JsFuture::from(ended).await });
        Some(Self {
            abort,
            grant,
            release,
            _callback: callback,
        })
    }

    /// Waits until the lock is granted.
    pub async fn granted(&mut self) -> Option<Held> {
        (&mut self.grant).await.ok()?;
        self.release.take().map(Held)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.abort.abort();
        // It may have been granted just now.
        drop(self.release.take().map(Held));
    }
}

/// Holds a lock of which nobody else asks to be its holder.
pub async fn hold(name: &str) -> Option<Held> {
    Request::new(name, "exclusive")?.granted().await
}

/// Waits until the holder of a lock has let go of it or ended. `None` where that cannot
/// be known.
pub async fn ended(name: &str) -> Option<()> {
    Request::new(name, "shared")?.granted().await.map(drop)
}
