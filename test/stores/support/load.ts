// Clients that fill their carts without pause, each in a session of its own, and remember what they were told.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { ErrorRequestHandler } from 'express';
import type { SessionStore } from 'madeleine';
import { createRaceApp } from '../../races/app.ts';
import { Client } from '../../support/client.ts';
import { serve } from '../../support/serve.ts';

/** No request may take longer, in milliseconds; the store is given 500, and a request asks it at most a few times. */
const HUNG = 8_000;

interface Shopper {
  client: Client;
  name: string;
  acknowledged: string[];
  refused: number;
}

export interface Load {
  /** Resolves when every client has had so many more successes, or refusals. */
  served(more: number): Promise<void>;
  refused(more: number): Promise<void>;
  /** Ends the load and looks at every cart. */
  end(): Promise<LoadReport>;
}

export interface LoadReport {
  acknowledged: number;
  refused: number;
  lost: number;
  /** Items that are in a cart of another client, or twice in their own. */
  wrong: number;
  hung: number;
  /** The longest that a client waited for an answer, in milliseconds. */
  longest: number;
}

export async function startLoad(store: SessionStore, clients = 6): Promise<Load> {
  const { app, remember } = createRaceApp(store, { storeTimeout: '500ms' });
  const answerError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(error.status).end(error.code);
  app.use(answerError);
  const served = await serve(app);
  const report: LoadReport = { acknowledged: 0, refused: 0, lost: 0, wrong: 0, hung: 0, longest: 0 };
  const shoppers: Shopper[] = Array.from({ length: clients }, (_, i) => ({
    ...{ client: new Client(served.url), name: `client-${i}`, acknowledged: [], refused: 0 },
  }));
  let ended = false;

  function look(shopper: Shopper, cart: string[]): void {
    const strange = cart.filter(item => !item.startsWith(`${shopper.name}-item-`)).length;
    report.wrong += strange + cart.length - new Set(cart).size;
  }

  async function shop(shopper: Shopper): Promise<void> {
    for (let i = 0; !ended; i++) {
      const item = `${shopper.name}-item-${i}`;
      const start = performance.now();
      const answer = await Promise.race([shopper.client.get(`/add/${item}`), delay(HUNG, null, { ref: false })]);
      report.longest = Math.max(report.longest, performance.now() - start);
      if (answer === null) {
        report.hung++;
        return;
      }
      if (answer.status === 200) {
        look(shopper, answer.json<string[]>());
        shopper.acknowledged.push(item);
      } else {
        assert.equal(answer.status, 503, answer.body);
        shopper.refused++;
        await delay(20);
      }
    }
  }

  const shopping = shoppers.map(shop);
  // A client that finds something wrong ends, and so does whoever waits for it.
  const failed = Promise.all(shopping).then(() => {});
  async function more(count: (shopper: Shopper) => number, wanted: number): Promise<void> {
    const goals = shoppers.map(shopper => count(shopper) + wanted);
    const reached = async () => {
      while (shoppers.some((shopper, i) => count(shopper) < (goals[i] as number))) await delay(5);
    };
    await Promise.race([reached(), failed]);
  }

  return {
    served: wanted => more(shopper => shopper.acknowledged.length, wanted),
    refused: wanted => more(shopper => shopper.refused, wanted),
    async end() {
      ended = true;
      await Promise.all(shopping);
      for (const shopper of shoppers) {
        const { cart = [] } = (await shopper.client.get('/data')).json<{ cart?: string[] }>();
        look(shopper, cart);
        report.acknowledged += shopper.acknowledged.length;
        report.refused += shopper.refused;
        report.lost += shopper.acknowledged.filter(item => !cart.includes(item)).length;
      }
      await served.close();
      await remember.sessions.close();
      return report;
    },
  };
}
