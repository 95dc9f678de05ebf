/** An HTTP client for tests: real sockets, nothing followed, nothing remembered but cookies. Over HTTP/1.1 or HTTP/2. */
import http from 'node:http';
import http2 from 'node:http2';

export interface TestAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  trailers: Record<string, string | undefined>;
  /** The statuses of informational responses that came before, such as 103. */
  informational: number[];
  /** Every Set-Cookie line. */
  setCookies: string[];
  body: string;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface TestRequest {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string;
  /** Default `'http1'`. */
  protocol?: TestProtocol | undefined;
  /** Keeps HTTP/1.1 connections for the next request. Default: a connection for each request. */
  agent?: http.Agent;
  /** Called at the first bytes of the body. */
  onFirstByte?: () => void;
  /** Breaks the request off. */
  signal?: AbortSignal;
}

export type TestProtocol = 'http1' | 'http2';

/** One request, over a connection of its own unless there is an agent. */
export function sendRequest(url: string, request: TestRequest = {}): Promise<TestAnswer> {
  return request.protocol === 'http2' ? overHttp2(url, request) : overHttp1(url, request);
}

function overHttp1(url: string, { method = 'GET', headers = {}, body, agent, onFirstByte, signal }: TestRequest) {
  return new Promise<TestAnswer>((resolve, reject) => {
    const informational: number[] = [];
    const outgoing = http.request(
      url,
      { method, headers, agent: agent ?? false, ...(signal ? { signal } : {}) },
      incoming => {
        const chunks: Buffer[] = [];
        if (onFirstByte) incoming.once('data', onFirstByte);
        incoming.on('data', chunk => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve(answerOf(incoming.statusCode ?? 0, incoming.headers, incoming.trailers, informational, chunks));
        });
      },
    );
    outgoing.on('information', ({ statusCode }) => informational.push(statusCode));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function overHttp2(url: string, { method = 'GET', headers = {}, body, onFirstByte, signal }: TestRequest) {
  return new Promise<TestAnswer>((resolve, reject) => {
    const { origin, pathname, search } = new URL(url);
    const connection = http2.connect(origin);
    connection.on('error', reject);
    const pseudo = { ':method': method, ':path': pathname + search };
    const stream = connection.request({ ...headers, ...pseudo }, { endStream: body === undefined });
    if (signal) signal.onabort = () => connection.destroy(new Error('aborted'));
    const informational: number[] = [];
    let head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    let trailers: http2.IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('headers', ({ ':status': status }) => informational.push(status ?? 0));
    stream.on('response', fields => {
      head = fields;
    });
    stream.on('trailers', fields => {
      trailers = fields;
    });
    if (onFirstByte) stream.once('data', onFirstByte);
    stream.on('data', chunk => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      connection.close();
      const { ':status': status = 0, ...rest } = head;
      resolve(answerOf(status, rest as http.IncomingHttpHeaders, trailers, informational, chunks));
    });
    if (body !== undefined) stream.end(body);
  });
}

function answerOf(
  status: number,
  headers: http.IncomingHttpHeaders,
  trailers: object,
  informational: number[],
  chunks: Buffer[],
): TestAnswer {
  const body = Buffer.concat(chunks).toString();
  return {
    ...{ status, headers, informational, body },
    trailers: { ...trailers },
    setCookies: headers['set-cookie'] ?? [],
    json: () => JSON.parse(body),
  };
}

/** What a Set-Cookie line says: name, value, and whether it removes the cookie. */
export function readSetCookie(line: string): { name: string; value: string; gone: boolean } {
  const [pair = '', ...attributes] = line.split('; ');
  const at = pair.indexOf('=');
  const gone = attributes.some(text => /^max-age=(0|-\d+)$/i.test(text));
  return { name: pair.slice(0, at), value: pair.slice(at + 1), gone };
}

/** A client with a cookie jar: keeps what Set-Cookie says (names, values, deletion; no paths or domains), as one browser on one host. */
export class TestClient {
  readonly jar: Map<string, string> = new Map();
  readonly #base: string;
  readonly #protocol: TestProtocol;

  constructor(base: string, protocol: TestProtocol = 'http1') {
    this.#base = base;
    this.#protocol = protocol;
  }

  /** A client with the same cookies, at the same server or another: a second tab, or whoever has copied them. */
  tab(base: string = this.#base): TestClient {
    const tab = new TestClient(base, this.#protocol);
    for (const [name, value] of this.jar) tab.jar.set(name, value);
    return tab;
  }

  cookieHeader(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async send(method: string, path: string, request: TestRequest = {}): Promise<TestAnswer> {
    const cookie = this.cookieHeader();
    const headers = { ...(cookie ? { cookie } : {}), ...request.headers };
    const answer = await sendRequest(this.#base + path, { protocol: this.#protocol, ...request, method, headers });
    for (const line of answer.setCookies) this.#keep(line);
    return answer;
  }

  get(path: string, request?: TestRequest): Promise<TestAnswer> {
    return this.send('GET', path, request);
  }

  /** Posts a form. */
  post(path: string, form: Record<string, string> = {}, request: TestRequest = {}): Promise<TestAnswer> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...request.headers };
    return this.send('POST', path, { ...request, headers, body: new URLSearchParams(form).toString() });
  }

  #keep(line: string): void {
    const { name, value, gone } = readSetCookie(line);
    if (gone) this.jar.delete(name);
    else this.jar.set(name, value);
  }
}
