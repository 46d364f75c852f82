// Cuts a text at its `${ … }`: braces and quotes inside an expression do not end it.

export type TextPiece =
  | { kind: 'literal'; text: string }
  /** `at` is where the expression begins in the whole text. */
  | { kind: 'expression'; text: string; at: number }
  | { kind: 'unclosed'; at: number };

export function splitTemplate(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      literal += '${';
      at += 3;
    } else if (text.startsWith('${', at)) {
      const end = endOfExpression(text, at + 2);
      if (literal !== '') pieces.push({ kind: 'literal', text: literal });
      literal = '';
      if (end === null) return [...pieces, { kind: 'unclosed', at }];
      pieces.push({ kind: 'expression', text: text.slice(at + 2, end), at: at + 2 });
      at = end + 1;
    } else {
      literal += text.charAt(at);
      at += 1;
    }
  }
  if (literal !== '') pieces.push({ kind: 'literal', text: literal });
  return pieces;
}

/** The index of the closing brace. */
function endOfExpression(text: string, start: number): number | null {
  let open = 0;
  let at = start;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"' || character === "'") {
      const end = endOfQuote(text, at, character);
      if (end === null) return null;
      at = end;
      continue;
    }
    if (character === '}' && open === 0) return at;
    if (character === '{') open += 1;
    if (character === '}') open -= 1;
    at += 1;
  }
  return null;
}

/** The index after the closing quote. CEL knows 'a', "a" and three of either, which may hold single ones. */
function endOfQuote(text: string, start: number, quote: string): number | null {
  const mark = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let at = start + mark.length;
  while (at < text.length) {
    if (text.charAt(at) === '\\') at += 2;
    else if (text.startsWith(mark, at)) return at + mark.length;
    else at += 1;
  }
  return null;
}
