// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from '@playwright/test';

export default defineConfig({
	testDir: '.',
	testIgnore: 'shots/**',
	outputDir: `${process.env.BUILD ?? '../../build'}/browser`,
	workers: 1, // tests measure time
	timeout: 60_000,
	expect: { timeout: 10_000 },
	forbidOnly: true,
	reporter: './reporter.ts',
	use: {
		viewport: { width: 1440, height: 900 },
		launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' },
		trace: 'retain-on-failure',
		screenshot: 'only-on-failure',
	},
});
