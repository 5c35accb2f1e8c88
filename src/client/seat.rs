//! Which of a browser's hosts runs the engine.
//!
//! A host is where pages find an engine: a worker that all tabs share, a worker of one
//! tab, or the page itself. There is one *seat*, a Web Lock. The host that has it runs
//! the engine; any other passes on what its pages say and hear. When a host ends,
//! however that comes, the next one gets the seat, and takes up from the journal and
//! from what its pages offer. So there is one engine, and one connection, in all tabs.
//!
//! A host that is not shared sleeps while its page is put away. It must not sleep in the
//! seat while others wait for it, nor be given the seat asleep.
//!
//! After a deploy a page may load another build than the one whose engine runs. It asks
//! that engine to give way, which hands its files over and leaves.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::rc::{Rc, Weak};

use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessagePort;

use super::engine::Engine;
use super::lines::{LineId, Lines, Word};
use super::locks;
use super::port::Port;
use super::source::{self, Source};
use super::time::random;
use crate::port::{Command, Told};

/// The lock of the host that runs the engine.
const SEAT: &str = "longhaul-engine";

#[wasm_bindgen]
extern "C" {
    /// Only a worker that pages share is told of new ones.
    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = onconnect)]
    static ON_CONNECT: Option<Object>;
}

thread_local! {
    static HOST: OnceCell<Host> = const { OnceCell::new() };
}

/// Serves the page at the other end of the port. `build` tells this build from others.
pub fn serve(port: MessagePort, build: &str) {
    HOST.with(|host| host.get_or_init(|| Host::start(build)).accept(port));
}

#[derive(Clone)]
struct Host(Rc<Inner>);

struct Inner {
    /// Names its lock of life.
    life: u64,
    /// Whether it holds that lock: pages hear of it no sooner.
    alive: Cell<bool>,
    shared: bool,
    lines: Rc<Lines>,
    /// Its pages that are not put away.
    awake: RefCell<BTreeSet<LineId>>,
    /// Whether another build took over: it does not come back.
    outdated: Cell<bool>,
    /// Is told when there come to be some, or none, or when it is outdated.
    roused: Cell<Option<oneshot::Sender<()>>>,
    /// The engine, while this host has the seat.
    engine: RefCell<Option<Engine>>,
    /// Is told when the engine left the seat.
    left: Cell<Option<oneshot::Sender<()>>>,
    /// The files of another engine, for the time when this host has the seat.
    inherited: RefCell<Vec<Source>>,
    /// The pages whose end is waited for, by their locks of life, and all their lines.
    mourned: RefCell<BTreeMap<u64, BTreeSet<LineId>>>,
}

impl Host {
    fn start(build: &str) -> Self {
        let host = Self(Rc::new_cyclic(|inner: &Weak<Inner>| {
            let hearing = inner.clone();
            let lines = Lines::new(build, move |word, same, files| {
                if let Some(inner) = hearing.upgrade() {
                    Self(inner).hear(word, same, &files);
                }
            });
            Inner {
                life: random(),
                alive: Cell::new(false),
                shared: ON_CONNECT.with(Option::is_some),
                lines: Rc::new(lines),
                awake: RefCell::default(),
                outdated: Cell::new(false),
                roused: Cell::default(),
                engine: RefCell::default(),
                left: Cell::default(),
                inherited: RefCell::default(),
                mourned: RefCell::default(),
            }
        }));
        host.0.lines.say(&Word::GiveWay, &Array::new());
        spawn_local(host.clone().live());
        host
    }

    /// Runs the engine whenever it is this host's turn.
    async fn live(self) {
        let _alive = locks::hold(&locks::of_life(self.0.life)).await;
        self.0.alive.set(true);
        self.call();
        while !self.0.outdated.get() {
            let Some(mut seat) = locks::Request::new(SEAT, "exclusive") else {
                // Without locks every host is on its own.
                return self.sit();
            };
            let roused = self.when_roused();
            if self.may_sit() {
                let held = match select(Box::pin(seat.granted()), roused).await {
                    Either::Left((held, _)) => held,
                    Either::Right(_) => continue,
                };
                if !self.0.outdated.get() {
                    let (leave, left) = oneshot::channel();
                    self.0.left.set(Some(leave));
                    self.sit();
                    let _ = left.await;
                }
                drop(held);
            } else {
                drop(seat);
                let _ = roused.await;
            }
        }
        // It stays, for its pages must not look for another.
        pending().await
    }

    /// Whether it stays awake in the seat.
    fn may_sit(&self) -> bool {
        self.0.shared || !self.0.awake.borrow().is_empty()
    }

    fn rouse(&self) {
        if let Some(roused) = self.0.roused.take() {
            let _ = roused.send(());
        }
    }

    fn when_roused(&self) -> oneshot::Receiver<()> {
        let (rouse, roused) = oneshot::channel();
        self.0.roused.set(Some(rouse));
        roused
    }

    fn sit(&self) {
        let engine = match Engine::start(self.0.lines.clone(), !self.0.shared) {
            Ok(engine) => engine,
            Err(error) => {
                let error = format!("Longhaul: there are no random numbers: {error}");
                return web_sys::console::error_1(&error.into());
            }
        };
        engine.offer(self.0.inherited.take());
        *self.0.engine.borrow_mut() = Some(engine);
        self.call();
        self.0.lines.say(&Word::Seated, &Array::new());
    }

    /// Leaves the seat; what is unfinished goes to whoever has it next.
    async fn leave(self) {
        let engine = self.0.engine.borrow_mut().take();
        if let Some(engine) = engine {
            let files = engine.leave().await;
            let (given, beside) = source::pack(files.clone());
            self.0.lines.say(&Word::Handover(given), &beside);
            if !self.0.outdated.get() {
                self.inherit(files);
            }
        }
        if let Some(left) = self.0.left.take() {
            let _ = left.send(());
        }
    }

    fn inherit(&self, files: Vec<Source>) {
        let tags: BTreeSet<_> = files.iter().map(|source| source.given.tag).collect();
        let mut inherited = self.0.inherited.borrow_mut();
        inherited.retain(|source| !tags.contains(&source.given.tag));
        inherited.extend(files);
    }

    /// Lets the pages of this host attach.
    fn call(&self) {
        let life = self.0.life;
        self.0.lines.tell_own(&Told::Here { life });
    }

    fn accept(&self, port: MessagePort) {
        let line = LineId(random());
        let host = self.clone();
        let hear = move |command, files| host.command(line, command, &files);
        self.0.lines.add(line, Port::new(port, hear, || {}));
        if self.0.outdated.get() {
            self.0.lines.tell(line, &Told::Outdated);
        } else if self.0.alive.get() {
            let life = self.0.life;
            self.0.lines.tell(line, &Told::Here { life });
        }
    }

    fn engine(&self) -> Option<Engine> {
        self.0.engine.borrow().clone()
    }

    /// A page of this host commands.
    fn command(&self, line: LineId, command: Command, files: &Array) {
        let asleep = self.0.awake.borrow().is_empty();
        match command {
            Command::Attach { .. } => _ = self.0.awake.borrow_mut().insert(line),
            Command::Detach => _ = self.0.awake.borrow_mut().remove(&line),
            _ => {}
        }
        let rouse = self.0.awake.borrow().is_empty() != asleep;
        match self.engine() {
            Some(engine) => self.carry_out(&engine, line, command, files),
            None => self.0.lines.say(&Word::Command(line, command), files),
        }
        if rouse {
            self.rouse();
            if !self.may_sit() {
                spawn_local(self.clone().leave());
            }
        }
    }

    /// Lets the engine of this host carry a command out, of whichever page.
    fn carry_out(&self, engine: &Engine, line: LineId, command: Command, files: &Array) {
        if let Command::Attach {
            life: Some(life), ..
        } = command
        {
            let mut mourned = self.0.mourned.borrow_mut();
            let known = mourned.contains_key(&life);
            mourned.entry(life).or_default().insert(line);
            if !known {
                spawn_local(self.clone().mourn(life));
            }
        }
        engine.command(line, command, files);
    }

    /// Notices the end of a page.
    async fn mourn(self, life: u64) {
        if locks::ended(&locks::of_life(life)).await.is_none() {
            return;
        }
        let lines = self.0.mourned.borrow_mut().remove(&life);
        for line in lines.unwrap_or_default() {
            self.0.lines.remove(line);
            if let Some(engine) = self.engine() {
                engine.command(line, Command::Detach, &Array::new());
            }
        }
    }

    /// Another host said something, of the `same` build or another.
    fn hear(&self, word: Word, same: bool, files: &Array) {
        match word {
            Word::GiveWay if same => {}
            Word::GiveWay => {
                self.0.outdated.set(true);
                self.0.inherited.take();
                self.0.lines.tell_own(&Told::Outdated);
                self.rouse();
                spawn_local(self.clone().leave());
            }
            Word::Handover(given) => {
                let files = source::beside(given, files);
                match self.engine() {
                    Some(engine) => engine.offer(files),
                    None => self.inherit(files),
                }
            }
            // Two engines at the same time are strangers: there are no locks here.
            Word::Spare(_) if self.engine().is_some() => {}
            Word::Spare(given) => self.inherit(source::beside(given, files)),
            Word::Spent(tags) => {
                let mut inherited = self.0.inherited.borrow_mut();
                inherited.retain(|source| !tags.contains(&source.given.tag));
            }
            Word::Command(line, command) => {
                if let Some(engine) = self.engine() {
                    if let Command::Attach { .. } = command {
                        engine.share();
                    }
                    self.carry_out(&engine, line, command, files);
                }
            }
            Word::Tell(line, told) => self.0.lines.tell_if_own(line, &told),
            Word::Seated => {
                // What it needs of them it has, and says so itself.
                self.0.inherited.take();
                self.call();
            }
        }
    }
}
