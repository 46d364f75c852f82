// Prints things for people (tables, colours on a terminal) or for programs (--json).
import type { Io } from './io.ts';

export interface Column<Row> {
  title: string;
  value: (row: Row) => unknown;
}

export interface Output {
  json: boolean;
  line(text: string): void;
  /** To stderr, so that it never gets into a pipe. */
  note(text: string): void;
  item<Item>(item: Item, fields: (item: Item) => Record<string, unknown>): void;
  table<Row>(rows: Row[], columns: Column<Row>[], empty: string): void;
  paint(text: string, status?: string): string;
}

const COLOR: Record<string, number> = { green: 32, yellow: 33, red: 31, cyan: 36, dim: 2, bold: 1 };

const STATUS_COLOR: Record<string, keyof typeof COLOR> = {
  succeeded: 'green',
  finished: 'green',
  available: 'green',
  ran: 'green',
  running: 'cyan',
  busy: 'cyan',
  waiting: 'cyan',
  queued: 'dim',
  scheduled: 'dim',
  blocked: 'dim',
  pending: 'dim',
  skipped: 'dim',
  retrying: 'yellow',
  paused: 'yellow',
  draining: 'yellow',
  canceled: 'yellow',
  failed: 'red',
  expired: 'red',
  unknown: 'red',
  missed: 'red',
  gone: 'red',
};

export function createOutput(io: Io, json: boolean): Output {
  const colored = Boolean(io.stdout.isTTY) && !io.env.noColor;
  const line = (text: string) => void io.stdout.write(`${text}\n`);
  const paint = (text: string, status = text.trim()) => {
    const color = COLOR[STATUS_COLOR[status] ?? status];
    return colored && color !== undefined ? `\x1b[${color}m${text}\x1b[0m` : text;
  };

  return {
    json,
    line,
    note: (text) => void io.stderr.write(`${text}\n`),
    paint,
    item(item, fields) {
      if (json) return line(JSON.stringify(item, null, 2));
      const entries = Object.entries(fields(item)).filter(([, value]) => value !== null && value !== undefined);
      const width = Math.max(...entries.map(([name]) => name.length));
      for (const [name, value] of entries) line(`${paint(name.padEnd(width), 'dim')}  ${paint(printable(value))}`);
    },
    table(rows, columns, empty) {
      if (json) return line(JSON.stringify(rows, null, 2));
      if (rows.length === 0) return line(empty);
      const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
      const widths = columns.map(({ title }, at) =>
        Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)),
      );
      const pad = (text: string, at: number) => (at === columns.length - 1 ? text : text.padEnd(widths[at] ?? 0));
      line(columns.map(({ title }, at) => paint(pad(title, at), 'bold')).join('  '));
      for (const row of cells) line(row.map((text, at) => paint(pad(text, at))).join('  '));
    },
  };
}

/** Names and answers come from others: what would steer the terminal is taken out. */
export function printable(value: unknown): string {
  if (value === null || value === undefined) return '-';
  const text = typeof value === 'string' ? value : JSON.stringify(value);

  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/** `2026-12-01T12:00:00.123Z` is `2026-12-01 12:00:00Z` in a table. */
export function shortTime(time: string | null): string {
  return time === null ? '-' : time.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}
