// Answers each message of a WebSocket and keeps nothing: node answering-server.mjs HOST PORT
import { WebSocketServer } from 'ws';

const [host, port] = process.argv.slice(2);
new WebSocketServer({ host, port: Number(port) }).on('connection', (socket) => {
  socket.on('message', () => socket.send('ok'));
});
