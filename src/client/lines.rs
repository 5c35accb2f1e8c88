//! The lines between an engine and its pages: ports to the pages of its own host, and
//! one channel to the hosts in other tabs, which pass on what their pages say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use super::port::Port;
use crate::port::{Command, Given, Tag, Told};

/// Names a line among all there are, by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineId(pub u64);

/// What hosts say to each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// A host of another build asks the engine to give way to it.
    GiveWay,
    /// An engine gave way; these are the files of what it had not finished, beside it.
    Handover(Vec<Given>),
    /// Files that the engine uploads, beside it: its host may end with its page, so the
    /// others keep them, too.
    Spare(Vec<Given>),
    /// The engine needs such files no longer.
    Spent(Vec<Tag>),
    /// A page of this host commands.
    Command(LineId, Command),
    /// To a page of another host.
    Tell(LineId, Told),
    /// The host that says it has the seat now.
    Seated,
}

impl Word {
    /// Whether hosts of other builds understand it. What is said so must not change:
    /// it has its place at the beginning.
    fn is_common(&self) -> bool {
        matches!(self, Self::GiveWay | Self::Handover(_))
    }
}

/// All lines of a host.
pub struct Lines {
    ports: RefCell<BTreeMap<LineId, Rc<Port<Told, Command>>>>,
    channel: Option<Channel>,
}

impl Lines {
    /// No lines yet but the channel, on which `hear` listens. `build` tells hosts of the
    /// same build from others.
    pub fn new(build: &str, hear: impl FnMut(Word, bool, Array) + 'static) -> Self {
        Self {
            ports: RefCell::default(),
            channel: Channel::open(build, hear),
        }
    }

    /// Takes up a line to a page of this host.
    pub fn add(&self, line: LineId, port: Port<Told, Command>) {
        self.ports.borrow_mut().insert(line, Rc::new(port));
    }

    /// Drops a line whose page is gone.
    pub fn remove(&self, line: LineId) {
        self.ports.borrow_mut().remove(&line);
    }

    /// Tells one page.
    pub fn tell(&self, line: LineId, told: &Told) {
        let port = self.ports.borrow().get(&line).cloned();
        match port {
            Some(port) => port.send(told, &Array::new()),
            None => self.say(&Word::Tell(line, told.clone()), &Array::new()),
        }
    }

    /// Tells a page if it is of this host.
    pub fn tell_if_own(&self, line: LineId, told: &Told) {
        let port = self.ports.borrow().get(&line).cloned();
        if let Some(port) = port {
            port.send(told, &Array::new());
        }
    }

    /// Tells the pages of this host.
    pub fn tell_own(&self, told: &Told) {
        let ports: Vec<_> = self.ports.borrow().values().cloned().collect();
        for port in ports {
            port.send(told, &Array::new());
        }
    }

    /// Says something to all other hosts.
    pub fn say(&self, word: &Word, files: &Array) {
        if let Some(channel) = &self.channel {
            channel.say(word, files);
        }
    }
}

/// The channel between the hosts of one browser.
struct Channel {
    channel: BroadcastChannel,
    build: JsValue,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    fn open(build: &str, mut hear: impl FnMut(Word, bool, Array) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new("longhaul").ok()?;
        let own = JsValue::from_str(build);
        let build = own.clone();
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let parts = Array::from(&event.data());
            let bytes = Uint8Array::new(&parts.get(1)).to_vec();
            let same = parts.get(0) == own;
            if let Ok(word) = postcard::from_bytes::<Word>(&bytes)
                && (same || word.is_common())
            {
                hear(word, same, Array::from(&parts.get(2)));
            }
        });
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self {
            channel,
            build,
            _listener: listener,
        })
    }

    fn say(&self, word: &Word, files: &Array) {
        let said = postcard::to_allocvec(word).ok().and_then(|bytes| {
            let bytes = Uint8Array::from(bytes.as_slice());
            let parts = Array::of3(&self.build, &bytes, files);
            self.channel.post_message(&parts).ok()
        });
        if said.is_none() {
            web_sys::console::error_1(&"channel: a message could not be sent".into());
        }
    }
}
