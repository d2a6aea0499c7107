// SPDX-License-Identifier: Apache-2.0
// A line per test, and the closing line that tests/run reads.
import type { Reporter, TestCase, TestResult, TestError } from '@playwright/test/reporter';

const words = { passed: 'ok', skipped: 'skipped', failed: 'FAILED', timedOut: 'FAILED', interrupted: 'FAILED' };
const escapes = /\u001b\[[0-9;]*m/g;

export default class Lines implements Reporter {
	private counts = { ok: 0, FAILED: 0, skipped: 0 };

	onTestEnd(test: TestCase, result: TestResult) {
		const word = words[result.status] as keyof Lines['counts'];
		const notes = test.annotations.map((note) => note.description).filter(Boolean);
		this.counts[word]++;
		console.log(`${word} ${test.title} (${result.duration} ms)${notes.length ? `: ${notes.join('; ')}` : ''}`);
		for (const error of result.errors) this.onError(error);
	}

	onError(error: TestError) {
		console.log((error.stack ?? error.message ?? '').replace(escapes, '').replace(/^/gm, '    '));
	}

	onStdOut(chunk: string | Buffer) {
		process.stdout.write(chunk);
	}

	onStdErr(chunk: string | Buffer) {
		process.stdout.write(chunk);
	}

	onEnd() {
		const { ok, FAILED, skipped } = this.counts;
		console.log(`${ok} passed, ${FAILED} failed, ${skipped} skipped`);
	}

	printsToStdio() {
		return true;
	}
}
