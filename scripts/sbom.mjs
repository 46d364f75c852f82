// Writes the bill of materials of what is installed in production (CycloneDX), as npm knows it from the lockfile.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const FILE = 'sbom.cdx.json';

const { status, stdout, stderr } = spawnSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  shell: process.platform === 'win32',
});
if (status !== 0) {
  console.error(`npm sbom failed: ${stderr.trim()}`);
  process.exit(1);
}
const { bomFormat, specVersion, components } = JSON.parse(stdout);
writeFileSync(FILE, stdout);
console.log(`${FILE}: ${bomFormat} ${specVersion}, ${components.length} components`);
