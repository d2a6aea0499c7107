// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from '@playwright/test';
import config from './playwright.config';

export default defineConfig({ ...config, testDir: './shots', testIgnore: [] });
