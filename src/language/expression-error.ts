// The one error an evaluation may end with.

/** Says what is wrong with the data or the expression; the caller turns it into a failed step. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly position: number | null;

  constructor(detail: string, position: number | null = null) {
    super(detail);
    this.position = position;
  }
}
