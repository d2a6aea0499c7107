// SPDX-License-Identifier: Apache-2.0
// Style sheets are imported for esbuild to bundle; they have no value.
declare module '*.css';
