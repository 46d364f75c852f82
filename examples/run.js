// `npm run example -- <name>`: runs one of the examples against the service of PERDURE_URL (http://127.0.0.1:8080).
const examples = {
  order: './order/index.js',
  'nightly-report': './nightly-report/index.js',
  'from-node-cron': './from-node-cron/after.js',
  'from-bullmq': './from-bullmq/after.js',
  'from-pg-boss': './from-pg-boss/after.js',
};

const file = examples[process.argv[2]];
if (!file) {
  console.error(`Usage: npm run example -- ${Object.keys(examples).join('|')}`);
  process.exit(2);
}
await import(file);
