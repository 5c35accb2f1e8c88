//! One end of the message port between a page and its engine.
//!
//! A message is an array of two: the encoded message, and the files beside it.

use std::marker::PhantomData;

use js_sys::{Array, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort};

/// One end of a port: sends `Out`, and is told of `In`.
pub struct Port<Out, In> {
    port: MessagePort,
    _listener: Closure<dyn FnMut(MessageEvent)>,
    _types: PhantomData<(Out, In)>,
}

impl<Out: Serialize, In: DeserializeOwned + 'static> Port<Out, In> {
    /// Begins to listen. `failed` is called when the other end could not be started.
    pub fn new(
        port: MessagePort,
        mut hear: impl FnMut(In, Array) + 'static,
        failed: impl Fn() + 'static,
    ) -> Self {
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if event.data().is_null() {
                return failed();
            }
            let parts = Array::from(&event.data());
            let bytes = Uint8Array::new(&parts.get(0)).to_vec();
            // Both ends are of one bundle, so a message that cannot be read is a fault of
            // ours; it is said, and the port lives on.
            match postcard::from_bytes(&bytes) {
                Ok(message) => hear(message, Array::from(&parts.get(1))),
                Err(error) => web_sys::console::error_1(&format!("port: {error}").into()),
            }
        });
        port.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Self {
            port,
            _listener: listener,
            _types: PhantomData,
        }
    }

    /// Sends a message, with files beside it.
    pub fn send(&self, message: &Out, files: &Array) {
        let sent = postcard::to_allocvec(message).ok().and_then(|bytes| {
            let parts = Array::of2(&Uint8Array::from(bytes.as_slice()), files);
            self.port.post_message(&parts).ok()
        });
        if sent.is_none() {
            web_sys::console::error_1(&"port: a message could not be sent".into());
        }
    }
}

impl<Out, In> Drop for Port<Out, In> {
    fn drop(&mut self) {
        self.port.set_onmessage(None);
        self.port.close();
    }
}
