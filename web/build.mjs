// SPDX-License-Identifier: Apache-2.0
//
// Builds the page into a directory and writes a C file that puts it into the program:
//
//     node build.mjs OUT_DIR C_FILE DEP_FILE
//
// The C file names the built files by path (.incbin) and holds their ETags, so it changes whenever
// one of them does and nothing is rebuilt otherwise.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const web = dirname(fileURLToPath(import.meta.url));
const target = process.argv[3]; // as ninja calls it
const [outDir, cFile, depFile] = process.argv.slice(2).map((path) => resolve(path));

const types = {
	html: 'text/html; charset=utf-8',
	js: 'text/javascript; charset=utf-8',
	css: 'text/css; charset=utf-8',
	svg: 'image/svg+xml',
	txt: 'text/plain; charset=utf-8',
};

async function bundle() {
	const { build } = await import('esbuild');
	const result = await build({
		absWorkingDir: web,
		entryPoints: { app: 'src/main.tsx' },
		outdir: outDir,
		write: false,
		bundle: true,
		minify: true,
		metafile: true,
		format: 'esm',
		target: ['chrome100', 'firefox100', 'safari15.4'],
		jsx: 'automatic',
		jsxImportSource: 'preact',
		legalComments: 'none', // all of them are in licenses.txt
		logLevel: 'warning',
	});
	const files = new Map();
	for (const file of result.outputFiles)
		files.set('assets/' + file.path.slice(outDir.length + 1), Buffer.from(file.contents));
	return { files, inputs: Object.keys(result.metafile.inputs) };
}

function licenses(inputs) {
	const found = inputs.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
	const names = [...new Set(found.filter(Boolean))].sort();
	const texts = names.map((name) => {
		const text = readFileSync(join(web, 'node_modules', name, 'LICENSE'), 'utf8');
		return `=== ${name}\n\n${text.trim()}\n`;
	});
	return 'millrace: Apache-2.0. Its page contains parts of:\n\n' + texts.join('\n');
}

function incbin(symbol, path) {
	return `\t".global ${symbol}, ${symbol}_end\\n${symbol}:\\n.incbin \\"${path}\\"\\n${symbol}_end:\\n"\n`;
}

function embed(files) {
	let assembly = '';
	let externs = '';
	let table = '';
	let i = 0;
	for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
		const path = join(outDir, name);
		const symbol = `page_file_${i++}`;
		const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 20);
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, bytes);
		writeFileSync(path + '.gz', gzipSync(bytes, { level: 9 }));
		assembly += incbin(symbol, path) + incbin(symbol + '_gz', path + '.gz');
		externs += `extern const char ${symbol}[], ${symbol}_end[], ${symbol}_gz[], ${symbol}_gz_end[];\n`;
		const route = name === 'index.html' ? '/' : '/' + name;
		table += `\t{"${route}", "${types[name.split('.').pop()]}", "\\"${etag}\\"",\n\t ${symbol}, ${symbol}_end, ${symbol}_gz, ${symbol}_gz_end},\n`;
	}
	return (
		'/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by web/build.mjs; see server/page.h. */\n' +
		'#include "server/page.h"\n\n' +
		`__asm__(".section .rodata\\n"\n${assembly}\t".previous\\n");\n\n${externs}\n` +
		`const struct http_file page_files[] = {\n${table}\t{0},\n};\n`
	);
}

execFileSync(join(web, 'install'), { stdio: 'inherit' });
const { files, inputs } = await bundle();
files.set('index.html', readFileSync(join(web, 'src/index.html')));
files.set('assets/icon.svg', readFileSync(join(web, 'src/icon.svg')));
files.set('assets/licenses.txt', Buffer.from(licenses(inputs)));
writeFileSync(cFile, embed(files));
const sources = [...inputs, 'src/index.html', 'src/icon.svg', 'build.mjs', 'install', 'package-lock.json'];
writeFileSync(depFile, `${target}: ${sources.map((path) => join(web, path)).join(' ')}\n`);
