// Ways of reading a file in a worker, and of sending it: each reads all of it in order.
const MiB = 2 ** 20;

/** Each gives the pieces of a file in order. */
const READERS = {
  /** `slice().arrayBuffer()`, of so many MiB, so many at a time. */
  async *slices(file, size, ahead) {
    const reads = [];
    let next = 0;
    const fill = () => {
      while (reads.length < ahead && next < file.size) {
        reads.push(file.slice(next, next + size * MiB).arrayBuffer());
        next += size * MiB;
      }
    };
    for (fill(); reads.length > 0; fill()) yield new Uint8Array(await reads.shift());
  },

  async *stream(file) {
    for (const reader = file.stream().getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  },

  /** A stream that reads into one buffer of so many KiB. A read at its end may wait for ever. */
  async *into(file, size) {
    let buffer = new ArrayBuffer(size * 1024);
    const reader = file.stream().getReader({ mode: 'byob' });
    for (let left = file.size; left > 0; ) {
      const { value } = await reader.read(new Uint8Array(buffer));
      left -= value.byteLength;
      yield value;
      buffer = value.buffer;
    }
  },

  /** The same, a stream for every so many MiB. */
  async *parts(file, part, size) {
    for (let at = 0; at < file.size; at += part * MiB) yield* READERS.into(file.slice(at, at + part * MiB), size);
  },

  async *sync(file, size) {
    const reader = new FileReaderSync();
    for (let at = 0; at < file.size; at += size * MiB) {
      yield new Uint8Array(reader.readAsArrayBuffer(file.slice(at, at + size * MiB)));
    }
  },

  /** Nothing is read: what is handed on are slices. */
  async *blobs(file, size) {
    for (let at = 0; at < file.size; at += size * MiB) yield file.slice(at, at + size * MiB);
  },
};

/** How much waits in a socket at most. */
const QUEUE = 8 * MiB;

/** Each takes the pieces somewhere. */
const SINKS = {
  async nowhere(pieces) {
    for await (const _ of pieces);
  },

  /** WebSockets, frames of so many KiB in turn. */
  async sockets(pieces, url, count, frame) {
    const sockets = await Promise.all(Array.from({ length: count }, () => opened(url)));
    let turn = 0;
    for await (const piece of pieces) {
      const length = piece.byteLength ?? piece.size;
      for (let at = 0; at < length; at += frame * 1024) {
        const socket = sockets[turn++ % count];
        while (socket.bufferedAmount > QUEUE) await new Promise((resolve) => setTimeout(resolve, 1));
        const end = Math.min(at + frame * 1024, length);
        socket.send(piece.subarray ? piece.subarray(at, end) : piece.slice(at, end));
      }
    }
    await Promise.all(sockets.map(over));
  },

  async stream(pieces, url, frame) {
    const socket = new WebSocketStream(url);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    for await (const piece of pieces) {
      for (let at = 0; at < piece.byteLength; at += frame * 1024) {
        await writer.ready;
        writer.write(piece.subarray(at, at + frame * 1024));
      }
    }
    await writer.write('over');
    await readable.getReader().read();
    socket.close();
  },
};

function opened(url) {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error('the socket does not open'));
  });
}

/** Says that it was all, and waits until the other side has it. */
function over(socket) {
  socket.send('over');
  return new Promise((resolve) => {
    socket.onmessage = () => resolve(socket.close());
  });
}

self.onmessage = async ({ data: { way: { read, send }, sink, file } }) => {
  try {
    const start = performance.now();
    const [reader, ...how] = read;
    const [to, ...where] = send;
    await SINKS[to](READERS[reader](file, ...how), ...(to === 'nowhere' ? [] : [sink]), ...where);
    self.postMessage(performance.now() - start);
  } catch (error) {
    self.postMessage(String(error));
  }
};
