import { type AddressInfo, type Server as TcpServer, type Socket, connect, createServer } from 'node:net';
import { freePort } from './server';

/** Bytes of a file that went over the wire, as the header of their frame says, and when. */
export type Sent = { connection: number; stream: number; offset: number; length: number; at: number };

/**
 * The network between browser and server. It counts what the browser sends, frame by
 * frame; it can be slow, cut, and down.
 *
 * It takes from the browser at once and passes on at its rate, as a network with long
 * queues does. So all that the browser gave away is counted as sent, also what never
 * arrives because the wire was cut.
 */
export class Wire {
  /** File data that the browser sent, in order. */
  readonly sent: Sent[] = [];
  /** How many WebSockets there have been. */
  opened = 0;
  /** How many there were at the same time, at most. */
  most = 0;
  #down = false;
  #rate: number;
  #ways = new Set<Way>();

  private constructor(readonly port: number, readonly to: number, rate: number, readonly listener: TcpServer) {
    this.#rate = rate;
    listener.on('connection', (client) => this.#accept(client));
  }

  /** A wire to this port, `rate` bytes per second fast towards the server. */
  static async to(port: number, rate = Infinity): Promise<Wire> {
    const listener = createServer({ allowHalfOpen: true });
    const own = await freePort();
    await new Promise<void>((resolve) => listener.listen(own, '127.0.0.1', resolve));
    return new Wire((listener.address() as AddressInfo).port, port, rate, listener);
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Changes how fast it is. */
  set rate(rate: number) {
    this.#rate = rate;
  }

  get rate() {
    return this.#rate;
  }

  /** How many WebSockets there are now. */
  get open() {
    return [...this.#ways].filter((way) => way.isSocket).length;
  }

  /** How many bytes of files were sent. */
  get bytes() {
    return sum(this.sent);
  }

  /** Breaks every connection. */
  cut() {
    for (const way of this.#ways) way.cut();
  }

  /** Breaks every connection, and refuses new ones until it is `up`. */
  down() {
    this.#down = true;
    this.cut();
  }

  up() {
    this.#down = false;
  }

  async dispose() {
    this.down();
    await new Promise((resolve) => this.listener.close(resolve));
  }

  #accept(client: Socket) {
    if (this.#down) {
      client.resetAndDestroy();
      return;
    }
    const way = new Way(this, client);
    this.#ways.add(way);
    client.on('close', () => this.#ways.delete(way));
  }
}

/** One connection through the wire. */
class Way {
  isSocket = false;
  #queue: Buffer[] = [];
  #ended = false;
  #allowance = 0;
  #last = performance.now();
  #timer?: NodeJS.Timeout;
  #frames?: Frames;
  #head = Buffer.alloc(0);
  readonly #server: Socket;

  constructor(readonly wire: Wire, readonly client: Socket) {
    const server = connect({ port: wire.to, host: '127.0.0.1', allowHalfOpen: true });
    this.#server = server;
    client.setNoDelay();
    server.setNoDelay();
    client.on('data', (bytes) => {
      this.#look(bytes);
      this.#queue.push(bytes);
      this.#pass();
    });
    client.on('end', () => {
      this.#ended = true;
      this.#pass();
    });
    server.pipe(client);
    server.on('error', () => this.cut());
    client.on('error', () => this.cut());
    server.on('close', () => client.destroy());
    client.on('close', () => {
      clearTimeout(this.#timer);
      server.destroy();
    });
  }

  cut() {
    this.#queue = [];
    this.client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Passes on as much as the rate allows, and the rest later. */
  #pass() {
    if (this.#timer) return;
    const now = performance.now();
    const rate = this.wire.rate;
    // What was not used within a moment is lost: a wire does not catch up.
    this.#allowance = rate === Infinity
      ? Infinity
      : Math.min(this.#allowance + ((now - this.#last) / 1000) * rate, rate / 20);
    this.#last = now;
    while (this.#queue.length > 0 && this.#allowance >= 1) {
      const first = this.#queue[0];
      const length = Math.min(first.length, Math.floor(this.#allowance));
      this.#allowance -= length;
      this.#server.write(first.subarray(0, length));
      if (length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(length);
    }
    if (this.#queue.length > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#pass();
      }, 10);
    } else if (this.#ended) {
      this.#server.end();
    }
  }

  #look(bytes: Buffer) {
    if (this.#frames) return this.#frames.take(bytes);
    if (this.#head.length > 16_384) return;
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0 || !/^upgrade: websocket/im.test(this.#head.toString('latin1', 0, end))) return;
    this.isSocket = true;
    this.wire.most = Math.max(this.wire.most, this.wire.open);
    this.#frames = new Frames(this.wire.sent, this.wire.opened++);
    this.#frames.take(this.#head.subarray(end + 4));
  }
}

/** Reads the frames of a WebSocket's client, just as much as is needed to count. */
class Frames {
  /** The first bytes of the frame that is being read, until its head is whole. */
  #head = Buffer.alloc(0);
  /** How much of the frame's payload is still to come. */
  #left = 0;
  #mask = Buffer.alloc(4);
  #at = 0;
  /** The first bytes of the message that is being read: it may be of several frames. */
  #start: number[] = [];
  #message?: Sent;
  #counted = true;

  constructor(readonly sent: Sent[], readonly connection: number) {}

  take(bytes: Buffer) {
    while (bytes.length > 0) {
      if (this.#left === 0) {
        bytes = this.#readHead(bytes);
        continue;
      }
      const length = Math.min(this.#left, bytes.length);
      this.#payload(bytes.subarray(0, length));
      this.#left -= length;
      bytes = bytes.subarray(length);
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const before = this.#head.length;
    const head = Buffer.concat([this.#head, bytes.subarray(0, 14 - before)]);
    const extra = head.length < 2 ? 0 : { 126: 2, 127: 8 }[head[1] & 127] ?? 0;
    const length = 2 + extra + 4;
    if (head.length < length) {
      this.#head = head;
      return Buffer.alloc(0);
    }
    const opcode = head[0] & 15;
    this.#left = extra === 0 ? head[1] & 127 : extra === 2 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
    this.#mask = Buffer.from(head.subarray(length - 4, length));
    this.#at = 0;
    this.#head = Buffer.alloc(0);
    // 0 goes on with a message; from 8 on it is no message.
    this.#counted = opcode < 8;
    if (opcode !== 0 && this.#counted) {
      this.#start = [];
      this.#message = undefined;
    }
    return bytes.subarray(length - before);
  }

  /** The protocol's own header: kind, three zeros, stream u32 LE, offset u64 LE. */
  #payload(bytes: Buffer) {
    if (!this.#counted) return;
    let i = 0;
    for (; i < bytes.length && this.#start.length < 16; i++) {
      this.#start.push(bytes[i] ^ this.#mask[(this.#at + i) % 4]);
    }
    this.#at += bytes.length;
    const start = Buffer.from(this.#start);
    if (start[0] !== 1 || start.length < 16) return;
    if (!this.#message) {
      this.#message = {
        connection: this.connection,
        stream: start.readUInt32LE(4),
        offset: Number(start.readBigUInt64LE(8)),
        length: 0,
        at: performance.now(),
      };
      this.sent.push(this.#message);
    }
    this.#message.length += bytes.length - i;
  }
}

/** How many bytes these are, those that were sent twice counted twice. */
export function sum(sent: Sent[]): number {
  return sent.reduce((bytes, { length }) => bytes + length, 0);
}

/** The longest time in which nothing was sent, in milliseconds. */
export function longestPause(sent: Sent[]): number {
  return Math.max(...sent.slice(1).map(({ at }, before) => at - sent[before].at));
}

/** How many bytes of a file were sent more than once. */
export function twice(sent: Sent[]): number {
  let [end, different] = [0, 0];
  for (const { offset, length } of sent.toSorted((a, b) => a.offset - b.offset)) {
    different += Math.max(0, offset + length - Math.max(end, offset));
    end = Math.max(end, offset + length);
  }
  return sum(sent) - different;
}
