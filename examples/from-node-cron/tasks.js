// The tasks themselves: the same before and after.
let refreshed = 0;

export function refreshRates() {
  refreshed++;
  return { refreshed };
}

export function sendDigest() {
  return { sent: true };
}
