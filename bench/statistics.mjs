// Medians, because a neighbour that wakes up for one round must not move the result.

/** The value below which the given part of the values lies, between two of them by proportion. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

/** The median, and the middle half of the values as the spread. */
export function summary(values) {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** How wide the middle half is, measured by the median: 0.02 is a quiet machine. */
export function loudness(values) {
  const { median, low, high } = summary(values);
  return (high - low) / median;
}

/** Every variant against the bare application of the same round: what slows the machine for a while slows both. */
export function compare(rounds) {
  return Object.keys(rounds[0]).map(variant => ({
    variant,
    requestsPerSecond: summary(rounds.map(round => round[variant].requestsPerSecond)),
    cpuPerRequest: summary(rounds.map(round => round[variant].cpuPerRequest)),
    cpuAdded: summary(rounds.map(round => round[variant].cpuPerRequest - round.bare.cpuPerRequest)),
    throughputOfBare: summary(rounds.map(round => round[variant].requestsPerSecond / round.bare.requestsPerSecond)),
    cpuLeavesOfBare: summary(rounds.map(round => round.bare.cpuPerRequest / round[variant].cpuPerRequest)),
  }));
}
