// Clients that are connected, have been greeted, and do nothing but stay:
//
//   node idle.mjs longhaul ORIGIN COUNT    sockets of Longhaul's protocol, which ping
//   node idle.mjs nginx ORIGIN COUNT       connections that HTTP keeps alive after a request
//
// Prints `ready` once all have been answered; if one of them is closed, it fails.
import { randomBytes } from 'node:crypto';
import { Agent, get } from 'node:http';
import WebSocket from 'ws';

const [kind, origin, count] = process.argv.slice(2);
const PING_EVERY = 5000;
/** The messages of src/protocol/message.rs, in postcard behind the zero of a control frame. */
const VERSION = 4;
const hello = () => Buffer.from([0, 0, VERSION, ...randomBytes(16), 0]);
const PING = Buffer.from([0, 8]);
const WELCOME = 0;

const clients = {
  longhaul: () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`, 'longhaul.v1');
      socket.on('open', () => socket.send(hello()));
      socket.on('message', ([frame, message]) => frame === 0 && message === WELCOME && resolve());
      socket.on('error', reject).on('close', (code) => fail(`a socket was closed with ${code}`));
      setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(PING), PING_EVERY);
    }),

  nginx: () =>
    new Promise((resolve, reject) => {
      const agent = new Agent({ keepAlive: true });
      const request = get(`${origin}/pages/put.html`, { agent }, (response) => response.resume().on('end', resolve));
      request.on('error', reject).on('socket', (socket) => socket.on('close', () => fail('a connection was closed')));
    }),
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

for (let left = Number(count); left > 0; left--) await clients[kind]();
console.log('ready');
// Node lets go of a connection that HTTP keeps alive.
setInterval(() => {}, PING_EVERY);
