// A network in between, in user space: a proxy that holds every byte back for half a round
// trip each way, and carries so many bytes per second upwards. It models distance and not
// loss: the windows of TCP are those of loopback.
import { connect, createServer } from 'node:net';

const MiB = 2 ** 20;
/** How much is under way at most where the rate does not say so. */
const QUEUE = 64 * MiB;

export class Line {
  /** Called with the number of the connection and how many bytes its client has sent so far. */
  onSent = () => {};
  #sockets = new Set();
  #opened = 0;

  /** One to this port: `roundTrip` in milliseconds, `rate` in bytes per second. */
  static async to(port, { roundTrip = 0, rate = Infinity }) {
    const line = new Line();
    line.listener = createServer({ noDelay: true }, (client) => line.#accept(client, port, roundTrip / 2, rate));
    await new Promise((resolve) => line.listener.listen(0, '127.0.0.1', resolve));
    line.port = line.listener.address().port;
    return line;
  }

  close() {
    this.listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(client, port, delay, rate) {
    const number = this.#opened++;
    const server = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    let sent = 0;
    client.on('data', (chunk) => this.onSent(number, (sent += chunk.length)));
    carry(client, server, delay, rate);
    carry(server, client, delay, Infinity);
  }
}

/** Passes on what arrives, in order, each piece when it is due. */
function carry(from, to, delay, rate) {
  const most = Math.min(QUEUE, rate / 4);
  const pieces = [];
  let held = 0;
  let free = 0;
  const deliver = () => {
    while (pieces.length > 0 && pieces[0].due <= performance.now()) {
      const { chunk } = pieces.shift();
      if (chunk === undefined) return to.end();
      to.write(chunk, () => {
        held -= chunk.length;
        if (held < most) from.resume();
      });
    }
    if (pieces.length > 0) setTimeout(deliver, pieces[0].due - performance.now());
  };
  const hold = (chunk, due) => {
    pieces.push({ chunk, due });
    if (pieces.length === 1) setTimeout(deliver, due - performance.now());
  };
  from.on('data', (chunk) => {
    const now = performance.now();
    free = Math.max(free, now) + (chunk.length / rate) * 1000;
    held += chunk.length;
    if (held >= most) from.pause();
    hold(chunk, Math.max(free, now + delay));
  });
  from.on('end', () => hold(undefined, Math.max(free, performance.now() + delay)));
}
