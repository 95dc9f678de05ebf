// Wraps two stores and says which warnings that gave.
import { classicStore } from 'madeleine/classic';
import { memorystore } from './classic-stores.js';

const codes: unknown[] = [];
process.on('warning', warning => codes.push((warning as { code?: unknown }).code));
classicStore(memorystore());
classicStore(memorystore());
setImmediate(() => console.log(`warnings: ${codes.join()}`));
