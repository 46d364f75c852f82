// Asks the registry for advisories about what we depend on: 0 none of severity high, 1 some, 2 it could not be asked.
import { spawnSync } from 'node:child_process';

const { stdout, stderr, error } = spawnSync('npm', ['audit', '--json', '--audit-level=high'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  shell: process.platform === 'win32',
});
const report = parse(stdout);
const counts = report?.metadata?.vulnerabilities;

if (!counts) {
  const reason = report?.message ?? report?.error?.summary ?? error?.message ?? lastLine(stderr);
  console.error(`NOT AUDITED: the registry did not answer (${reason}). This says nothing about the dependencies.`);
  process.exit(2);
}
const serious = Object.values(report.vulnerabilities).filter(({ severity }) => ['high', 'critical'].includes(severity));
for (const { name, severity, range, via } of serious) {
  const why = via.map((advisory) => advisory.url ?? advisory).join(', ');
  console.error(`${severity}: ${name} ${range} (${why})`);
}
console.log(`Audited ${report.metadata.dependencies.total} packages: ${JSON.stringify(counts)}`);
process.exit(serious.length > 0 ? 1 : 0);

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) || 'no reason given';
}
