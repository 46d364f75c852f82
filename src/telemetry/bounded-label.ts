// Keeps a label that users can make values for from growing without end.
const OTHER = 'other';

/** The first `max` values stand for themselves, all later ones are `other`. */
export function createBoundedLabel(max: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= max) return OTHER;
    known.add(value);
    return value;
  };
}
