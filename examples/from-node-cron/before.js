// Before: node-cron runs functions in this process. Two instances run each task twice; a crash at the wrong moment, not at all.
import cron from 'node-cron';

import { refreshRates, sendDigest } from './tasks.js';

cron.schedule('*/2 * * * * *', () => refreshRates());
cron.schedule('30 7 * * 1-5', () => sendDigest(), { timezone: 'Europe/Paris' });
