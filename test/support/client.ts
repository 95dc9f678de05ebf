import http from 'node:http';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Every Set-Cookie line. */
  setCookies: string[];
  body: string;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface Ask {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string;
  /** Keeps connections for the next request. */
  agent?: http.Agent;
  /** Ends the request before its answer has come. */
  signal?: AbortSignal;
}

/** One request, over a socket of its own unless there is an agent; nothing followed and nothing remembered. */
export function request(url: string, { method = 'GET', headers = {}, body, agent, signal }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(url, { method, headers, agent: agent ?? false, signal }, incoming => {
      const chunks: Buffer[] = [];
      incoming.on('data', chunk => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          setCookies: incoming.headers['set-cookie'] ?? [],
          body: text,
          json: () => JSON.parse(text),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What a Set-Cookie line says: name, value, and whether it removes the cookie. */
export function readSetCookie(line: string): { name: string; value: string; gone: boolean } {
  const [pair = '', ...attributes] = line.split('; ');
  const at = pair.indexOf('=');
  const gone = attributes.some(text => /^max-age=(0|-\d+)$/i.test(text));
  return { name: pair.slice(0, at), value: pair.slice(at + 1), gone };
}

/** A client with a cookie jar: keeps what Set-Cookie says (names, values, deletion; no paths or domains), as one browser on one host. */
export class Client {
  readonly jar: Map<string, string> = new Map();
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  cookieHeader(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async send(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const cookie = this.cookieHeader();
    const headers = { ...(cookie ? { cookie } : {}), ...ask.headers };
    const answer = await request(this.#base + path, { ...ask, method, headers });
    for (const line of answer.setCookies) this.#keep(line);
    return answer;
  }

  get(path: string, ask?: Ask): Promise<Answer> {
    return this.send('GET', path, ask);
  }

  /** Posts a form. */
  post(path: string, form: Record<string, string> = {}, ask: Ask = {}): Promise<Answer> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...ask.headers };
    return this.send('POST', path, { ...ask, headers, body: new URLSearchParams(form).toString() });
  }

  #keep(line: string): void {
    const { name, value, gone } = readSetCookie(line);
    if (gone) this.jar.delete(name);
    else this.jar.set(name, value);
  }
}
