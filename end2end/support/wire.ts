import { type AddressInfo, type Server as TcpServer, type Socket, connect, createServer } from 'node:net';
import { CLOSE, Frames } from './frames';
import { freePort } from './server';

/** The header of the protocol's data frames: this kind, three zeros, stream u32 LE, offset u64 LE. */
const DATA = 1;
const DATA_HEADER = 16;

/** Bytes of a file that went over the wire, as the header of their frame says, and when. */
export type Sent = { connection: number; stream: number; offset: number; length: number; at: number };

/** How a WebSocket ended, in the words of the browser's close event. */
export type Closed = {
  /** Of the server's close frame: 1005 where it names none, 1006 where there was no such frame. */
  code: number;
  /** Whether each side sent its close frame. */
  clean: boolean;
};

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
  /** How many were connecting or open at the same time, at most. */
  most = 0;
  /** How those that are gone have ended, in order. */
  readonly closed: Closed[] = [];
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

  /** How many WebSockets are connecting or open. */
  get open() {
    return [...this.#ways].filter((way) => way.isOpen).length;
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
    client.on('close', () => {
      this.#ways.delete(way);
      if (way.isSocket) this.closed.push(way.closed);
    });
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
  #closes: { browser?: number; server?: number } = {};
  readonly #server: Socket;

  constructor(readonly wire: Wire, readonly client: Socket) {
    const said = new Side((head) => this.#isUpgrade(head));
    const heard = new Side((head) => this.isSocket && head.startsWith('HTTP/1.1 101') && this.#answers());
    const server = connect({ port: wire.to, host: '127.0.0.1', allowHalfOpen: true });
    this.#server = server;
    client.setNoDelay();
    server.setNoDelay();
    client.on('data', (bytes) => {
      said.take(bytes);
      this.#queue.push(bytes);
      this.#pass();
    });
    client.on('end', () => {
      this.#ended = true;
      this.#pass();
    });
    server.on('data', (bytes) => heard.take(bytes));
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

  /** Whether it is a WebSocket of which the browser has not said that it ends it. */
  get isOpen() {
    return this.isSocket && !this.#ended && this.#closes.browser === undefined;
  }

  /** What became of it, once it is gone. */
  get closed(): Closed {
    const { browser, server } = this.#closes;
    return { code: server ?? 1006, clean: browser !== undefined && server !== undefined };
  }

  #isUpgrade(head: string): Frames | false {
    if (!/^upgrade: websocket/im.test(head)) return false;
    this.isSocket = true;
    this.wire.most = Math.max(this.wire.most, this.wire.open);
    const connection = this.wire.opened++;
    let message: Sent | undefined;
    return new Frames(DATA_HEADER, {
      control: (opcode, payload) => {
        if (opcode === CLOSE) this.#closes.browser ??= codeOf(payload);
      },
      begin: (start) => {
        message = undefined;
        if (start[0] !== DATA) return;
        message = {
          connection,
          stream: start.readUInt32LE(4),
          offset: Number(start.readBigUInt64LE(8)),
          length: 0,
          at: performance.now(),
        };
        this.wire.sent.push(message);
      },
      more: (length) => {
        if (message) message.length += length;
      },
    });
  }

  #answers(): Frames {
    return new Frames(1, {
      control: (opcode, payload) => {
        if (opcode === CLOSE) this.#closes.server ??= codeOf(payload);
      },
      begin: () => {},
      more: () => {},
    });
  }
}

/** What one side sends: the head of HTTP, and after an upgrade the frames. */
class Side {
  #head = Buffer.alloc(0);
  #frames?: Frames;

  /** `upgrade` looks at a head, and says who reads the frames that follow it, if any do. */
  constructor(readonly upgrade: (head: string) => Frames | false) {}

  take(bytes: Buffer) {
    if (this.#frames) return this.#frames.take(bytes);
    if (this.#head.length > 16_384) return;
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.#frames = this.upgrade(this.#head.toString('latin1', 0, end)) || undefined;
    this.#frames?.take(this.#head.subarray(end + 4));
  }
}

function codeOf(close: Buffer): number {
  return close.length < 2 ? 1005 : close.readUInt16BE(0);
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
