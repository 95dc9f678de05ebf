// What the tests keep in sessions, declared the way an application does it.
import 'madeleine';

declare module 'madeleine' {
  interface SessionData {
    username: string;
    cart: string[];
    visits: number;
    theme: string;
    [key: string]: unknown;
  }
}
