import { type Server as HttpServer, createServer, request } from 'node:http';
import { freePort } from './server';

/** A body that came from the server. */
export type Weighed = { path: string; encoding: string; status: number; bytes: number; whole: boolean };

/** A way to the server that weighs what comes back, for whomever in the browser it comes. */
export class Scales {
  readonly weighed: Weighed[] = [];

  private constructor(readonly url: string, readonly listener: HttpServer) {}

  static async before(port: number): Promise<Scales> {
    const own = await freePort();
    const listener = createServer((asked, answer) => {
      const { method, url, headers } = asked;
      asked.pipe(request({ host: '127.0.0.1', port, method, path: url, headers }, (came) => {
        const encoding = came.headers['content-encoding'] ?? 'plain';
        const entry = { path: url!, encoding, status: came.statusCode!, bytes: 0, whole: false };
        scales.weighed.push(entry);
        came.on('data', (piece: Buffer) => (entry.bytes += piece.length));
        came.on('end', () => (entry.whole = true));
        answer.writeHead(came.statusCode!, came.headers);
        came.pipe(answer);
      }));
    });
    await new Promise<void>((resolve) => listener.listen(own, '127.0.0.1', resolve));
    const scales = new Scales(`http://127.0.0.1:${own}`, listener);
    return scales;
  }

  dispose() {
    this.listener.closeAllConnections();
    this.listener.close();
  }
}
