// The exit codes of the contract, and the error of a command that was called wrongly.

export const EXIT = { done: 0, notSucceeded: 1, usage: 2, refused: 3, unreachable: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class UsageError extends Error {
  override readonly name = 'UsageError';
}
