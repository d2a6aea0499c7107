// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import './style/base.css';
import './style/top.css';
import './style/time.css';
import './style/map.css';
import './style/table.css';
import './style/panel.css';
import './style/agents.css';
import 'uplot/dist/uPlot.min.css';
import { App } from './ui/app';
import { applyTheme, storedTheme } from './ui/theme';
import { applyZone } from './ui/zone';

applyTheme(storedTheme());
applyZone();
const root = document.getElementById('app');
if (root) render(<App />, root);
