import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { type ExpressSessionOptions, type SessionMiddleware, session } from 'madeleine/express';
import { Client } from './client.ts';
import { type Served, serve } from './serve.ts';

export interface ServedRoutes extends Served {
  remember: SessionMiddleware;
  client(): Client;
}

/** An Express 5 app with sessions, these routes, and an error handler that answers with the error's status and code. */
export async function serveRoutes(
  routes: Record<string, RequestHandler>,
  options: Partial<ExpressSessionOptions> = {},
): Promise<ServedRoutes> {
  const remember = session({ secret: 'a secret of more than thirty-two bytes', ...options });
  const app = express();
  app.use(remember);
  for (const [path, handler] of Object.entries(routes)) app.all(path, handler);
  app.use((error: { status?: number; code?: string }, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).json({ code: error.code ?? String(error) });
  });
  const served = await serve(app);
  return {
    ...served,
    remember,
    client: () => new Client(served.url),
    async close() {
      await served.close();
      await remember.sessions.close();
    },
  };
}
