// A server of WebSockets that takes everything and looks at nothing but the end: a short
// text message, which it answers. So what is measured is the browser.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OVER = Buffer.from([0x81, 4, ...Buffer.from('over')]);
/** The last message: header, mask and four letters. */
const LAST = 2 + 4 + 4;

/** Listens on a free port until it is closed. */
export async function sink() {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    let end = Buffer.alloc(0);
    socket.on('data', (data) => {
      end = data.length < LAST ? Buffer.concat([end, data]).subarray(-LAST) : data.subarray(-LAST);
      if (isOver(end)) socket.write(OVER);
    });
    socket.on('error', () => {});
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `ws://127.0.0.1:${server.address().port}`, close };
}

/** Whether this is that message, whose letters are masked. */
function isOver([fin, length, ...masked]) {
  const [mask, text] = [masked.slice(0, 4), masked.slice(4)];
  return fin === 0x81 && length === 0x84 && String.fromCharCode(...text.map((byte, n) => byte ^ mask[n])) === 'over';
}
