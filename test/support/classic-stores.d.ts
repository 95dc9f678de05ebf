// Stores for express-session that come without types.
declare module 'memorystore' {
  import type session from 'express-session';
  export default function memorystore(module: typeof session): new (options?: object) => session.MemoryStore;
}
declare module 'session-file-store' {
  import type session from 'express-session';
  export default function fileStore(module: typeof session): new (options?: object) => session.MemoryStore;
}
declare module 'express-mysql-session' {
  import type session from 'express-session';
  export default function mysqlStore(
    module: typeof session,
  ): new (
    options: object,
    pool: object,
  ) => session.MemoryStore & { onReady(): Promise<void>; close(): Promise<void> };
}
