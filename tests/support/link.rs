//! A way to a server on which no more travels up than a test allows.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

pub struct Link {
    pub address: SocketAddr,
    meter: Arc<Meter>,
}

#[derive(Default)]
struct Meter {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Bytes that travelled up, and those that may.
    carried: u64,
    allowed: u64,
    /// How often it was cut.
    cuts: u64,
    sockets: Vec<TcpStream>,
}

impl Link {
    /// A way to the server at `server`, on which `bytes` may travel up at first.
    pub fn to(server: SocketAddr, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let meter = Arc::new(Meter::default());
        let link = Self {
            address,
            meter: meter.clone(),
        };
        link.allow(bytes);
        thread::spawn(move || {
            for client in listener.incoming() {
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) {
                    meter.join(client, server);
                }
            }
        });
        link
    }

    /// Lets so many bytes more travel up.
    pub fn allow(&self, bytes: u64) {
        let mut state = self.meter.state.lock().unwrap();
        state.allowed = state.allowed.saturating_add(bytes);
        self.meter.changed.notify_all();
    }

    /// How many bytes travelled up.
    pub fn carried(&self) -> u64 {
        self.meter.state.lock().unwrap().carried
    }

    /// Breaks all connections; what is on its way is lost.
    pub fn cut(&self) {
        let mut state = self.meter.state.lock().unwrap();
        state.cuts += 1;
        for socket in state.sockets.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
        self.meter.changed.notify_all();
    }
}

impl Meter {
    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let copy = |socket: &TcpStream| socket.try_clone().unwrap();
        let (up, down) = (
            (copy(&client), copy(&server)),
            (copy(&server), copy(&client)),
        );
        let cuts = {
            let mut state = self.state.lock().unwrap();
            state.sockets.extend([client, server]);
            state.cuts
        };
        let meter = self.clone();
        thread::spawn(move || carry(up, |bytes| meter.pass(bytes, cuts)));
        thread::spawn(move || carry(down, |_| true));
    }

    /// Waits until so many bytes may travel up; not after a cut.
    fn pass(&self, bytes: u64, cuts: u64) -> bool {
        let mut state = self.state.lock().unwrap();
        while state.allowed < state.carried + bytes && state.cuts == cuts {
            state = self.changed.wait(state).unwrap();
        }
        let passes = state.cuts == cuts;
        state.carried += if passes { bytes } else { 0 };
        passes
    }
}

fn carry((mut from, mut to): (TcpStream, TcpStream), may: impl Fn(u64) -> bool) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        if !may(len as u64) || to.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
