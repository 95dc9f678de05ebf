// One of several processes on one store: server.js <store> <file or url>. Says its port, and serves until it is killed.
import type { AddressInfo } from 'node:net';
import { openStore } from '../support/open-store.ts';
import { createRaceApp } from './app.ts';

const [kind = '', where = ''] = process.argv.slice(2);
const { app } = createRaceApp(openStore(kind, where));
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit());
