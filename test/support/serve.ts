import http from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface Served {
  port: number;
  url: string;
  close(): Promise<void>;
}

/** Serves an Express app or any request listener on a free port of 127.0.0.1. */
export async function serve(listener: http.RequestListener): Promise<Served> {
  return serveOn(http.createServer(listener));
}

/** The same with any server, HTTP/2 ones included. */
export async function serveOn(server: Server, scheme = 'http'): Promise<Served> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
