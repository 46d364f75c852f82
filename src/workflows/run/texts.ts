// Reads JSON that is too long for one payload, piece by piece.
import { proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import type { RunText } from '../../activities/run-data.ts';

const { readRunText } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { maximumInterval: '10s' },
});

export async function readJson(runId: string, text: RunText): Promise<unknown> {
  const pieces: string[] = [];
  for (let offset: number | null = 0; offset !== null;) {
    const read: { piece: string; nextOffset: number | null } = await readRunText({ runId, text, offset });
    pieces.push(read.piece);
    offset = read.nextOffset;
  }
  return JSON.parse(pieces.join(''));
}
