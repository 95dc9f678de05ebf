/** One server under one check: the suite's application with a store and options of the check's choice. */
import type { SessionsOptions } from '../session/options.ts';
import type { Sessions } from '../session/sessions.ts';
import type { SessionStore } from '../session/store.ts';
import { memoryStore } from '../stores/memory.ts';
import { createApplication, type Extra } from './adapter-application.ts';
import type { AdapterAnswer, AdapterConformanceOptions, AdapterServer } from './adapter-harness.ts';
import { sendRequest, type TestAnswer, TestClient, type TestRequest } from './client.ts';
import { faultStore } from './fault-store.ts';

const SECRET = 'a secret of more than thirty-two bytes';

/** One statement about an adapter, and the code that finds out whether it is true. */
export interface AdapterCheck {
  /** The statement, as it stands in the test report. */
  readonly name: string;
  /** Whether it is about the gate before a Node response. */
  readonly node: boolean;
  /** Rejects when the statement is false. */
  run(bench: AdapterBench): Promise<void>;
}

/** @param checks by their names @param node whether they are about the gate before a Node response */
export function namedChecks(checks: Record<string, AdapterCheck['run']>, node = false): AdapterCheck[] {
  return Object.entries(checks).map(([name, run]) => ({ name, node, run }));
}

export class AdapterBench {
  readonly adapter: AdapterConformanceOptions;
  readonly #servers: AdapterServer[] = [];

  constructor(adapter: AdapterConformanceOptions) {
    this.adapter = adapter;
  }

  /** Serves the application. @param extra handlers of this check's own */
  async serve(options: Partial<SessionsOptions> = {}, extra: Extra = {}): Promise<TestClient> {
    const session = { secret: SECRET, store: memoryStore(), storeTimeout: 250, ...options } as SessionsOptions;
    return this.#start(await this.adapter.serve({ session, handle: createApplication(extra) }));
  }

  /** Serves these answers by the bare framework, without any session. */
  async serveBare(answer: AdapterAnswer): Promise<TestClient> {
    return this.#start(await this.adapter.serve({ session: null, handle: () => answer }));
  }

  /** Another visitor. */
  visitor(): TestClient {
    return new TestClient(this.#last().url, this.adapter.protocol);
  }

  /** One request without cookies. */
  ask(path: string, request: TestRequest = {}): Promise<TestAnswer> {
    return sendRequest(this.#last().url + path, { protocol: this.adapter.protocol, ...request });
  }

  get sessions(): Sessions {
    return this.#last().sessions as Sessions;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      await server.close();
      await server.sessions?.close();
    }
  }

  #last(): AdapterServer {
    return this.#servers.at(-1) as AdapterServer;
  }
  #start(server: AdapterServer): TestClient {
    this.#servers.push(server);
    return new TestClient(server.url, this.adapter.protocol);
  }
}

/** A store with the network between. */
export const slowStore = (): SessionStore => faultStore(memoryStore(), () => ({ kind: 'delay', time: 20 }));

export const SPEEDS: Record<string, () => SessionStore> = {
  'a store that answers at once': memoryStore,
  'a store that answers after 20 ms': slowStore,
};
