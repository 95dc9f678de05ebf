// So many requests and no more, for instructions.mjs: `node paced.mjs FRAMEWORK VARIANT KIND VISITORS ROUNDS`.
import { openApplication } from './in-process.mjs';

const [framework, variant, kind, visitorCount, rounds] = process.argv.slice(2);
const { visitorsOf, play } = await openApplication(framework, variant, store => store);
const visitors = await visitorsOf(kind, Number(visitorCount));
for (let round = 0; round < Number(rounds); round++) await play(visitors);
process.exit(0);
