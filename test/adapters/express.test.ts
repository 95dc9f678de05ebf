// Express 4 and 5 through the suite for adapters; what is Express's alone stands in test/express.
import { writeFileSync } from 'node:fs';
import type { Request, Response } from 'express';
import { requireLogin, requireRecentLogin, requireUser, session } from 'madeleine/express';
import { adapterConformance, GUARDED_PATHS } from 'madeleine/testing';
import { EXPRESSES } from '../support/expresses.ts';
import { serve } from '../support/serve.ts';
import { temporaryFiles } from '../support/temporary-files.ts';

const file = temporaryFiles('.txt')();
writeFileSync(file, 'madeleine '.repeat(30_000));

const ways: Record<string, (res: Response) => void> = {
  send: res => void res.send('ok'),
  json: res => void res.json({ ok: true }),
  redirect: res => res.redirect('/data'),
  sendFile: res => res.sendFile(file),
  'cookie and send': res => void res.cookie('own', '1').send('ok'),
  sendStatus: res => void res.sendStatus(204),
};

for (const { name, express } of EXPRESSES) {
  adapterConformance({
    name,
    ways: Object.keys(ways),
    node: true,
    async serve({ session: options, handle }) {
      const app = express();
      const remember = options && session(options);
      if (remember) app.use(remember);
      app.use(GUARDED_PATHS.requireLogin, requireLogin());
      app.use(
        GUARDED_PATHS.requireUser,
        requireUser(id => id === 'ada'),
      );
      app.use(GUARDED_PATHS.requireRecentLogin, requireRecentLogin('10m'));
      app.use((req: Request, res: Response, next) => {
        (async () => handle({ url: req.originalUrl, session: () => req.session }))()
          .then(answer => {
            if ('way' in answer) ways[answer.way]?.(res);
            else if ('node' in answer) answer.node(req, res);
            else res.status(answer.status).set(answer.headers).send(answer.body);
          })
          .catch(next);
      });
      return { ...(await serve(app)), sessions: remember?.sessions };
    },
  });
}
