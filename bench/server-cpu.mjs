// What a server's process is asked before and after a round: how much processor time it has used.

export function cpu() {
  const { user, system } = process.cpuUsage();
  return { microseconds: user + system };
}
