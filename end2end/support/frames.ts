/** Who hears what one side of a WebSocket says. */
export type Listener = {
  /** A control frame: a close, a ping or a pong, with all that is in it. */
  control(opcode: number, payload: Buffer): void;
  /** The first bytes of a message, once there are as many as were asked for. */
  begin(start: Buffer): void;
  /** So many bytes of the message that follow its first. */
  more(length: number): void;
};

const CONTINUATION = 0;
/** From here on a frame is no part of a message. */
const CONTROL = 8;
export const CLOSE = 8;

/** Reads the frames that one side of a WebSocket sends, just as much as is needed to know them. */
export class Frames {
  /** The first bytes of the frame that is being read, until its head is whole. */
  #head = Buffer.alloc(0);
  /** How much of the frame's payload is still to come. */
  #left = 0;
  #mask = Buffer.alloc(4);
  /** How much of the frame's payload there was. */
  #at = 0;
  #opcode = 0;
  #control: number[] = [];
  /** The first bytes of the message that is being read: it may be of several frames. */
  #start: number[] = [];

  /** Messages are known by their first `length` bytes. */
  constructor(readonly length: number, readonly listener: Listener) {}

  take(bytes: Buffer) {
    while (bytes.length > 0) {
      if (this.#left === 0) {
        bytes = this.#readHead(bytes);
        continue;
      }
      const length = Math.min(this.#left, bytes.length);
      this.#left -= length;
      this.#payload(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const before = this.#head.length;
    const head = Buffer.concat([this.#head, bytes.subarray(0, 14 - before)]);
    const extra = head.length < 2 ? 0 : { 126: 2, 127: 8 }[head[1] & 127] ?? 0;
    const masked = head.length >= 2 && head[1] > 127;
    const length = 2 + extra + (masked ? 4 : 0);
    if (head.length < length) {
      this.#head = head;
      return Buffer.alloc(0);
    }
    this.#opcode = head[0] & 15;
    this.#left = extra === 0 ? head[1] & 127 : extra === 2 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
    this.#mask = masked ? Buffer.from(head.subarray(length - 4, length)) : Buffer.alloc(4);
    this.#at = 0;
    this.#head = Buffer.alloc(0);
    this.#control = [];
    if (this.#opcode !== CONTINUATION && this.#opcode < CONTROL) this.#start = [];
    if (this.#left === 0) this.#payload(Buffer.alloc(0));
    return bytes.subarray(length - before);
  }

  #payload(bytes: Buffer) {
    const [into, most] = this.#opcode < CONTROL ? [this.#start, this.length] : [this.#control, 125];
    const known = into.length;
    let i = 0;
    for (; i < bytes.length && into.length < most; i++) {
      into.push(bytes[i] ^ this.#mask[(this.#at + i) % 4]);
    }
    this.#at += bytes.length;
    if (this.#opcode >= CONTROL) {
      if (this.#left === 0) this.listener.control(this.#opcode, Buffer.from(into));
      return;
    }
    if (known < most && into.length === most) this.listener.begin(Buffer.from(into));
    if (into.length === most) this.listener.more(bytes.length - i);
  }
}
