// Every wait has an end, also for what should have had one itself.

/** Rejects when it takes longer; what it waited for goes on, and how it ends is nobody's business any more. */
export async function bounded<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended after ${Math.round(ms / 1_000)} s`)), ms);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
