// /v1/settings in the API description.
import { z } from 'zod';

import type { SettingsView } from '../../jobs/settings/settings.ts';
import { concurrencyRule, logLevelRule, settingsPatch } from '../../jobs/settings/values.ts';
import { operation, type Resource } from './document.ts';
import { answerSchema, durationText, instant } from './schemas.ts';

const TAG = 'Settings';

const source = z.enum(['default', 'environment', 'setting']);
const limitSource = z.enum(['default', 'environment', 'setting']);

const settingsSchema = answerSchema<SettingsView>()(
  z.strictObject({
    concurrency: concurrencyRule.meta({ description: 'Calls that each worker may have under way.' }),
    logLevel: logLevelRule,
    egress: z.string().meta({ description: 'Which targets may be called, as in `PERDURE_EGRESS`.' }),
    retention: durationText,
    httpLimits: z.strictObject({
      maxResponseBytes: z.int().meta({ description: 'Of an answer no more is read and kept.' }),
      maxTimeout: durationText,
    }),
    sources: z
      .strictObject({
        concurrency: source,
        logLevel: source,
        egress: source,
        retention: source,
        httpLimits: z.strictObject({ maxResponseBytes: limitSource, maxTimeout: limitSource }),
      })
      .meta({ description: 'Where each value is from.' }),
    updatedAt: instant.nullable(),
  }),
);

const example = {
  concurrency: 50,
  logLevel: 'info',
  egress: 'public',
  retention: '30d',
  httpLimits: { maxResponseBytes: 65_536, maxTimeout: '10m' },
  sources: {
    concurrency: 'setting',
    logLevel: 'default',
    egress: 'environment',
    retention: 'default',
    httpLimits: { maxResponseBytes: 'default', maxTimeout: 'default' },
  },
  updatedAt: '2026-12-01T12:00:00.000Z',
};

export const settings: Resource = {
  tag: { name: TAG, description: 'What operators change at run time: it holds in every process within five seconds.' },
  inputs: { SettingsPatch: settingsPatch },
  outputs: { Settings: settingsSchema },
  paths: {
    '/v1/settings': {
      get: operation(TAG, {
        id: 'getSettings',
        summary: 'Read the settings that hold',
        answers: { 200: { description: 'The settings.', schema: 'Settings', example } },
      }),
      patch: operation(TAG, {
        id: 'changeSettings',
        summary: 'Change settings',
        description: 'A merge patch: a setting beats the environment, and `null` gives it back.',
        body: {
          schema: 'SettingsPatch',
          required: true,
          examples: { fewer: { concurrency: 50 }, back: { egress: null } },
        },
        answers: { 200: { description: 'The settings as they are now.', schema: 'Settings', example } },
      }),
    },
  },
};
