// One of several processes on one SQLite file: says its port, and serves until it is killed.
import type { AddressInfo } from 'node:net';
import { sqliteStore } from 'madeleine/sqlite';
import { createRaceApp } from './app.ts';

const { app } = createRaceApp(sqliteStore(process.argv[2] as string));
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit());
