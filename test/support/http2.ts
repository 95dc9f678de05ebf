/**
 * Why tests over HTTP/2 skip themselves here, or `false`. Deno's process aborts when a connection is closed soon after its last stream;
 * so it does without madeleine.
 */
export const HTTP2_ABORTS: string | false =
  'deno' in process.versions && "Deno's node:http2 aborts the process: https://github.com/denoland/deno/issues/36788";
