import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Served {
  port: number;
  url: string;
  close(): Promise<void>;
}

/** Serves an Express app or any request listener on a free port of 127.0.0.1. */
export async function serve(listener: http.RequestListener): Promise<Served> {
  const server = http.createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
