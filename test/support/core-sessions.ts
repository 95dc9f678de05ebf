// Sessions without a framework: each request as a server would make it of its Cookie field.
import { createSessions, type OpenSession, type SessionStore, type Sessions, type SessionsOptions } from 'madeleine';

export type Data = Record<string, unknown>;
export type Opened = OpenSession<Data>;

export const secret = 'a secret of more than thirty-two bytes';
export const facts = { secure: false, device: (): null => null };

export interface CoreSessions {
  sessions: Sessions<Data>;
  open(cookie?: string): Promise<Opened>;
  /** Ends the request: gives what the browser sends from then on, or `undefined` where it was told nothing. */
  answer(opened: Opened): Promise<string | undefined>;
  /** A session that holds this; gives what the browser sends. */
  begin(data: Data): Promise<string>;
}

export function sessionsOver(
  store: SessionStore,
  clock: () => number = Date.now,
  options: Partial<SessionsOptions<Data>> = {},
): CoreSessions {
  const sessions = createSessions<Data>({ secret, store, clock, ...options });
  const open = async (cookie?: string): Promise<Opened> => sessions.open(cookie, facts);
  async function answer(opened: Opened): Promise<string | undefined> {
    await opened.commit();
    return opened.setCookies()[0]?.line.split(';')[0];
  }
  async function begin(data: Data): Promise<string> {
    const opened = await open();
    Object.assign(opened.session, data);
    return (await answer(opened)) as string;
  }
  return { sessions, open, answer, begin };
}
