// The application of one variant, in a process of its own: `node server.mjs VARIANT SHAPE [URL]`, started by contestant.mjs.
import express from 'express';
import { answerParent } from './child.mjs';
import { SHAPES } from './data.mjs';
import { answers, KINDS } from './kinds.mjs';
import { notBuilt, remembers, VARIANTS } from './variants.mjs';

const [variant, shape, url] = process.argv.slice(2);

function application(middleware) {
  const app = express();
  app.use(middleware);

  // The bare application runs the same handlers on an object that is simply there.
  const standIn = SHAPES[shape]();
  const sessionOf = remembers(variant) ? request => request.session : () => standIn;

  app.get('/fill', (request, response) => {
    Object.assign(sessionOf(request), SHAPES[shape]());
    response.send('filled');
  });
  app.get(KINDS.read.path, (request, response) => {
    response.send(answers.read(sessionOf(request)));
  });
  app.get(KINDS.write.path, (request, response) => {
    const session = sessionOf(request);
    session.n = (session.n ?? 0) + 1;
    response.send(answers.write(session));
  });
  app.get(KINDS.none.path, (request, response) => {
    response.send(answers.none(sessionOf(request)));
  });
  return app;
}

async function listen() {
  let middleware;
  try {
    middleware = await VARIANTS[variant](url);
  } catch (error) {
    if (notBuilt(variant, error)) return { notBuilt: error.message };
    throw error;
  }
  return new Promise((resolve, reject) => {
    const server = application(middleware).listen(0, '127.0.0.1', error => {
      if (error) reject(error);
      else resolve({ port: server.address().port });
    });
  });
}

answerParent({
  listen,
  cpu() {
    const { user, system } = process.cpuUsage();
    return { microseconds: user + system };
  },
});
