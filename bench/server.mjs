// The application of one variant, in a process of its own, started by contestant.mjs:
// `node server.mjs FRAMEWORK VARIANT SHAPE plain|watched [URL]`.
import { answerParent } from './child.mjs';
import { createRoutes } from './routes.mjs';
import { cpu } from './server-cpu.mjs';
import { watchedStores } from './store-watch.mjs';
import { CONTENDERS, notBuilt } from './variants.mjs';

const [framework, variant, shape, manner, url] = process.argv.slice(2);
const watch = watchedStores();

async function listen() {
  let contender;
  try {
    const keep = manner === 'watched' ? watch.keep : store => store;
    contender = await CONTENDERS[framework][variant].make({ url, keep });
  } catch (error) {
    if (notBuilt(variant, error)) return { notBuilt: error.message };
    throw error;
  }
  const { serve } = await import(`./applications/${framework}.mjs`);
  return { port: await serve(contender, createRoutes(contender, shape)) };
}

answerParent({
  listen,
  cpu,
  storeCalls: () => watch.calls(),
});
