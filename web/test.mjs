// SPDX-License-Identifier: Apache-2.0
//
// Runs the page's unit tests in node: bundles each *_test.ts into a directory, then node's own test
// runner. Prints verdicts the way cmocka does, so that they are counted the same.
//
//     node test.mjs OUT_DIR
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = dirname(fileURLToPath(import.meta.url));
const outDir = resolve(process.argv[2]);

function testsBelow(directory) {
	return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
		const path = join(directory, entry.name);
		if (entry.isDirectory()) return testsBelow(path);
		return entry.name.endsWith('_test.ts') ? [path] : [];
	});
}

const { build } = await import('esbuild');
rmSync(outDir, { recursive: true, force: true });
const result = await build({
	absWorkingDir: web,
	entryPoints: testsBelow(join(web, 'src')),
	outdir: outDir,
	outExtension: { '.js': '.mjs' },
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'node18',
	sourcemap: 'inline',
	metafile: true,
	logLevel: 'warning',
});
const files = Object.keys(result.metafile.outputs).map((path) => resolve(web, path));
let failed = 0;
let passed = 0;
for (const file of files) {
	const run = spawnSync(process.execPath, ['--enable-source-maps', '--test-reporter=tap', file], { encoding: 'utf8' });
	for (const [, not, name] of run.stdout.matchAll(/^(not )?ok \d+ - (.*)$/gm)) {
		console.log(`[ ${not ? ' FAILED ' : '      OK'} ] ${name}`);
		if (not) failed++;
		else passed++;
	}
	if (run.status !== 0) {
		console.log(run.stdout + run.stderr);
		failed ||= 1;
	}
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
