// An application on Express whose sessions are as large as asked: the part `large` asks it.
import { serve } from '../applications/express.mjs';
import { answerParent } from '../child.mjs';
import { mounting } from '../contenders/express-ways.mjs';
import { secret } from '../contenders/shared.mjs';
import { KILOBYTE, SHAPES } from '../data.mjs';
import { cpu } from '../server-cpu.mjs';

const routes = {
  '/fill': ({ session, query }) => {
    Object.assign(session, SHAPES.objects(Number(query.kilobytes) * KILOBYTE));
    return 'right';
  },
  '/read': ({ session }) => (session.cart?.length > 0 ? 'right' : 'nothing there'),
  '/write': ({ session }) => {
    session.n += 1;
    return session.n > 0 ? 'right' : 'nothing there';
  },
};

async function listen() {
  const [{ session }, { memoryStore }] = await Promise.all([import('madeleine/express'), import('madeleine/memory')]);
  const store = memoryStore();
  return { port: await serve(mounting(session({ secret, store, maxDataSize: 2 * 1024 * KILOBYTE })), routes) };
}

answerParent({ listen, cpu });
